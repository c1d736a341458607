"""The table of a run at several places, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

from gherkube.runners.report.failure import CANNOT_JUDGE, FAILED, PASSED
from gherkube.runners.report.places import DISAGREE, WORST_FIRST, Compared, Difference, Place
from gherkube.runners.report.terminal import MARKS, WORDS, seconds

if TYPE_CHECKING:
    from _pytest._io import TerminalWriter

ALL_MARKS = {**MARKS, DISAGREE: ("≠", {"red": True})}
MOST = 6
"""How many differences of a scenario are shown; the report has all."""
NAME = 64
"""The widest column of names."""


def write(terminal: TerminalWriter, places: Sequence[Place], scenarios: Sequence[Compared]) -> None:
    """Verdict by verdict, what histories show at one place only, and what it comes to."""
    widths = [max(cell_len(each.name) + 4, cell_len(each.feature)) for each in scenarios]
    width = min(NAME, max(widths, default=0))
    columns = [max(len(place.name), 18) + 2 for place in places]
    feature = ""
    for each in scenarios:
        if each.feature != feature:
            feature = each.feature
            terminal.line()
            heads = "".join(place.name.ljust(n) for place, n in zip(places, columns, strict=True))
            terminal.line(f"{_padded(feature, width)}  {heads}".rstrip(), bold=True)
        _row(terminal, each, width, columns)
        for line in _notes(each):
            terminal.line(f"        {line}", light=True)
    terminal.line()
    bad = any(each.outcome != PASSED for each in scenarios)
    terminal.line(summary(places, scenarios), bold=True, **({"yellow": True} if bad else {"green": True}))


def _row(terminal: TerminalWriter, scenario: Compared, width: int, columns: Sequence[int]) -> None:
    mark, colour = ALL_MARKS[scenario.outcome]
    terminal.write(_padded(f"  {mark} {scenario.name}", width) + "  ", **colour)
    last = len(columns) - 1
    for n, (ended, outcome) in enumerate(zip(scenario.ended, scenario.outcomes, strict=True)):
        mark, colour = MARKS[outcome]
        words = "" if outcome == PASSED else WORDS.get(outcome, outcome).removesuffix(" here")
        if ended and outcome in (PASSED, FAILED):
            words = f"{words} {'virtual ' if ended.virtual else ''}{seconds(ended.seconds)}".strip()
        terminal.write(f"{mark} {words}".ljust(columns[n] if n < last else 0), **colour)
    terminal.line()


def _notes(scenario: Compared) -> Iterator[str]:
    for place, outcomes in scenario.chance.items():
        said = ", ".join(f"{outcome} with {n}" for outcome, n in outcomes.items())
        yield f"chance decides on {place}: of {sum(outcomes.values())} seeds, {said}"
    for difference in scenario.differences:
        lines = list(lines_of(difference))
        yield from lines[:MOST]
        if len(lines) > MOST:
            yield f"… and {len(lines) - MOST} more differences, which --report shows"


def lines_of(difference: Difference) -> Iterator[str]:
    """One line for each thing that the history at one place shows, and that at the other does not."""
    for kind, sides in difference.only.items():
        for place, words in zip(difference.places, sides, strict=True):
            yield from (f"only on {place}  {kind}  {each}" for each in words)


def summary(places: Sequence[Place], scenarios: Sequence[Compared]) -> str:
    """`92 scenarios on simulator and kind: 80 passed, 2 places disagree, …; 3 histories differ`."""
    counts = [(outcome, sum(each.outcome == outcome for each in scenarios)) for outcome in WORST_FIRST[::-1]]
    words = {**WORDS, CANNOT_JUDGE: "not judged at every place", DISAGREE: "on which the places disagree"}
    parts = [f"{count} {words.get(outcome, outcome)}" for outcome, count in counts if count]
    number, differ = len(scenarios), sum(bool(each.differences) for each in scenarios)
    names = " and ".join(place.name for place in places)
    histories = f"; {differ} {'history differs' if differ == 1 else 'histories differ'}" if differ else ""
    listed = ", ".join(parts) or "nothing was played"
    return f"{number} scenario{'s' if number != 1 else ''} on {names}: {listed}{histories}"


def _padded(text: str, width: int) -> str:
    while cell_len(text) > width:
        text = f"{text[:-2]}…"
    return text + " " * (width - cell_len(text))
