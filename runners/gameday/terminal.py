"""What the terminal shows of a running game day: what happened line by line, and below it how things stand.

Where the output is no terminal, only the lines.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gherkube.runners.gameday.page import Control
from gherkube.runners.gameday.prompt import HELP, Keyboard, carry_out
from gherkube.runners.gameday.timeline import FOUR

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

State = Mapping[str, Any]

REFRESHES = 2
"""How often a second the standing is drawn."""
MOST_PODS = 60
VERDICTS = {
    "steady": {True: ("✓", "green"), False: ("✗", "bold red"), None: ("?", "yellow")},
    "abort": {True: ("✗", "bold red"), False: ("–", "dim"), None: ("?", "yellow")},
}


class Lines:
    """Prints what is new in each state, a line each."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str]] = set()
        self._gate = ""

    def show(self, state: State) -> None:
        """Prints what was not in the states before."""
        for line in self.news(state):
            self.say(line)

    def say(self, line: str) -> None:
        """Prints a line."""
        print(line, flush=True)

    def close(self) -> None:
        """Nothing is open."""

    def news(self, state: State) -> Iterator[str]:
        """The lines: what happened, notes, and a gate that is asked."""
        told = [(str(each["at"]), clean(each["text"])) for each in state.get("log") or ()]
        told += [(str(each["at"]), noted(each)) for each in state.get("notes") or ()]
        for at, text in sorted(set(told) - self._seen):
            yield f"{clock(at)}  {text}"
        self._seen.update(told)
        gate = state.get("gate")
        if gate and gate["until"] != self._gate:
            asked = f"{clean(gate['who'])}, until {clock(gate['until'])}"
            yield f"          gate: {clean(gate['asks'])}  ({asked})"
        self._gate = gate["until"] if gate else ""


class Screen(Lines):
    """Prints the lines above, and draws how things stand below, with the line that is being typed."""

    def __init__(self, control: Control, who: str) -> None:
        from rich.console import Console
        from rich.live import Live

        super().__init__()
        self._control, self._who, self._state, self._answer = control, who, dict[str, Any](), HELP
        self._console = Console(highlight=False)
        self._keyboard = Keyboard(self._hear) if sys.stdin.isatty() else None
        self._live = Live(
            console=self._console,
            get_renderable=self._picture,
            refresh_per_second=REFRESHES,
            transient=True,
        )
        self._live.start()

    def show(self, state: State) -> None:
        """Prints what is new and draws the rest anew."""
        super().show(state)
        self._state = dict(state)

    def say(self, line: str) -> None:
        """Prints a line above what is drawn."""
        self._console.print(line, markup=False)

    def close(self) -> None:
        """Leaves the last standing in the terminal, and the terminal as it was."""
        self._live.stop()
        if self._keyboard is not None:
            self._keyboard.close()
        if self._state:
            self._console.print(picture(self._state))

    def _hear(self, line: str) -> None:
        self._answer = carry_out(line, self._control, self._who, self._state.get("gate")) or HELP
        self._live.refresh()

    def _picture(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        if not self._state:
            return Text("the game day begins …", style="dim")
        typed = self._keyboard.typed.text if self._keyboard is not None else ""
        answer = Text(self._answer, style="dim", overflow="ellipsis", no_wrap=True)
        return Group(picture(self._state), Text.assemble(("› ", "bold"), typed, ("▏", "blink")), answer)


def view(control: Control, who: str) -> Lines:
    """What fits where the output goes; `who` is the name that typed commands and notes stand under."""
    return Screen(control, who) if sys.stdout.isatty() else Lines()


# --- How things stand


def picture(state: State, now: datetime | None = None) -> RenderableType:
    """The standing, drawn for a terminal of any width."""
    from rich.console import Group
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    now = now or datetime.now(UTC)
    body = Table.grid(expand=True, padding=(0, 2))
    body.add_column(ratio=1)
    body.add_column(ratio=1)
    body.add_row(Text("steady state", style="dim"), Text("pods ready, requests", style="dim"))
    body.add_row(Group(*_judged(state, "steady")), Group(*_pods(state), *_requests(state)))
    body.add_row(Text("halts by itself when", style="dim"), Text("times", style="dim"))
    body.add_row(Group(*_judged(state, "abort")), Group(*_times(state)))
    return Panel(Group(*_head(state, now), body), title=Text(clean(state["name"])), title_align="left")


def _head(state: State, now: datetime) -> Iterator[Text]:
    from rich.text import Text

    round_, phase = state.get("round"), Text(state["phase"], style="bold")
    if round_ and state["phase"] != "ended":
        since = f", {long(now, round_['since'])}" if round_.get("since") else ""
        phase.append(
            f"  round {round_['index']} of {round_['of']}: {clean(round_['name'])}{since}", "not bold"
        )
    yield phase
    if gate := state.get("gate"):
        left = f" ({clean(gate['who'])}; halts in {long(gate['until'], now)})"
        yield Text.assemble(("gate  ", "bold cyan"), (clean(gate["asks"]), "bold"), left)
    if verdict := state.get("verdict"):
        style = "bold green" if verdict["exit"] == 0 else "bold red"
        clean_words = "everything is as it was" if verdict["clean"] else "NOT everything is as it was"
        yield Text(f"hypothesis {verdict['hypothesis']}; {clean_words}", style=style)
        yield from (Text(f"  left: {clean(each)}", style="red") for each in verdict.get("left") or ())


def _judged(state: State, which: str) -> Iterator[Text]:
    from rich.text import Text

    for each in state.get(which) or ():
        mark, style = VERDICTS[which][each["verdict"]]
        words = f"  {clean(each['words'])}" if each.get("words") else ""
        yield Text.assemble((f"{mark} ", style), clean(each["sentence"]), (words, "dim"))


def _pods(state: State) -> Iterator[Text]:
    from rich.text import Text

    for workload, counts in (state.get("pods") or {}).items():
        ready, desired = counts["ready"], counts["desired"]
        full, missing = min(ready, MOST_PODS), max(0, min(desired, MOST_PODS) - ready)
        yield Text.assemble(
            *((f"{ready}/{desired} ", "bold"), ("■" * full, "green"), ("□" * missing, "red")),
            f"  {clean(workload)}",
        )


def _requests(state: State) -> Iterator[Text]:
    from rich.text import Text

    if counts := state.get("requests"):
        lost, gap = counts.get("lost") or 0, counts.get("longest_gap")
        yield Text.assemble(
            f"{counts.get('answered', 0)} of {counts.get('sent', 0)} answered, ",
            (f"{lost} lost", "bold red" if lost else "green"),
            f", longest gap {gap:.1f} s" if gap else "",
        )


def _times(state: State) -> Iterator[Text]:
    from rich.text import Text

    for times in state.get("times") or ():
        told = []
        for name in FOUR:
            at, first = times.get(name), times.get("injected")
            since = f"+{(moment(at) - moment(first)).total_seconds():.1f} s" if at and first else "–"
            told.append(f"{name} {clock(at) if at and name == 'injected' else since}")
        yield Text.assemble((f"{clean(times['round'])}: ", "bold"), " · ".join(told))


# --- Words


def noted(note: Mapping[str, Any]) -> str:
    """A note or finding in one line."""
    more = [note.get("severity"), note.get("owner"), note.get("retest") and f"again on {note['retest']}"]
    kind = "finding" if note.get("severity") else "note"
    told = f" ({', '.join(str(each) for each in more if each)})" if note.get("severity") else ""
    return clean(f"{kind} by {note.get('by')}: {note.get('text')}{told}")


def clean(text: object) -> str:
    """Text of a cluster or a person without what a terminal would obey."""
    return "".join(each if each.isprintable() else " " for each in str(text))


def moment(at: str) -> datetime:
    """A time as it stands in journals and states."""
    return datetime.fromisoformat(at)


def clock(at: str) -> str:
    """A time of the day, of the computer's own zone."""
    return moment(at).astimezone().strftime("%H:%M:%S")


def long(until: str | datetime, since: str | datetime) -> str:
    """How long it is from one time to another: `1 min 20 s`."""
    ends = [moment(each) if isinstance(each, str) else each for each in (until, since)]
    minutes, seconds = divmod(max(0, round((ends[0] - ends[1]).total_seconds())), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
