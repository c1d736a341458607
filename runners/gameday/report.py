"""`gherkube gameday report`: what happened beside what was predicted, as one HTML file and as Markdown.

Everything comes from the journal. What people and clusters said is escaped, in HTML and in Markdown; the page
has no script, needs no network and no other file.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gherkube.runners.errors import UsageError
from gherkube.runners.gameday import regression
from gherkube.runners.gameday.comparison import Compared, Row, compare, surprises
from gherkube.runners.gameday.drawing import figure
from gherkube.runners.gameday.page import TEMPLATES, TOKENS
from gherkube.runners.gameday.plan import SUFFIX
from gherkube.runners.gameday.reading import shown
from gherkube.runners.gameday.status import journal_of
from gherkube.runners.gameday.timeline import FOUR, HELD, Told, hypotheses, place, tell
from gherkube.runners.live.journal import read
from gherkube.runners.report.page.figure import clock
from gherkube.runners.report.page.page import environment

if TYPE_CHECKING:
    from jinja2 import Environment

ENDS = {
    4: "something stood against it, and nothing was touched",
    5: "an internal error ended it",
    7: "it was ended early",
}
"""What an exit code tells beside the verdict."""


class Written(NamedTuple):
    """The files of a report; `feature` is None where none could be proposed."""

    html: Path
    markdown: Path
    feature: Path | None


def write_report(journal: Path, folder: Path | None = None) -> int:
    """Writes the report of a journal, or of a plan's last one, says where, and returns the exit code."""
    try:
        written = write(journal_of(journal), folder)
    except UsageError as error:
        print(f"gherkube: {error}", file=sys.stderr)
        return 2
    for path in filter(None, written):
        print(path)
    return 0


def write_at_end(journal: Path, command: str) -> None:
    """Writes the report beside the journal and says where, as a command ends; one that fails is only told."""
    with suppress(OSError):  # nobody is there to read it
        if not journal.exists():
            return
        try:
            written = [shown(path) for path in write(journal) if path]
        except (Exception, KeyboardInterrupt) as error:  # what the game day came to stands
            print(f"gherkube gameday {command}: no report: {error or 'interrupted'}", file=sys.stderr)
            return
        print(f"report: {', '.join(written)}", flush=True)


def told_by(journal: Path) -> Told:
    """What a journal tells. UsageError when it is no game day's."""
    try:
        return tell(read(journal))
    except ValueError as error:
        raise UsageError(f"{journal}: {error}; name a file NAME-TIME.journal") from None


def write(journal: Path, folder: Path | None = None) -> Written:
    """Writes a journal's report, beside it unless `folder` says where.

    UsageError when it is no game day's journal, or the folder cannot be written to.
    """
    found = told_by(journal)
    folder = journal.parent if folder is None else folder
    base = folder / journal.name.removesuffix(".journal")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        feature = regression.propose(found, folder.resolve())
        wrong = regression.check(feature, folder) if feature else ""
        facts = gather(found, journal, feature, wrong, f"{base.name}.regression.feature")
        written = Written(
            _file(base, ".html", _render("report.html", facts)),
            _file(base, ".md", _render("report.md", facts)),
            _file(base, ".regression.feature", feature) if feature and not wrong else None,
        )
    except OSError as error:
        raise UsageError(f"{folder}: the report cannot be written there: {error.strerror}") from None
    return written


def _file(base: Path, ending: str, text: str) -> Path:
    path = base.with_name(base.name + ending)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError:
        path.unlink(missing_ok=True)  # half of it says less than nothing
        raise
    return path


# --- What the templates are given


def gather(told: Told, journal: Path, feature: str, wrong: str, feature_name: str) -> dict[str, Any]:
    """All that is shown, as values and words."""
    compared = compare(told)
    verdict = told.verdict
    return {
        "told": told,
        "title": str(told.plan["name"]),
        "goal": str(told.plan.get("goal") or ""),
        "planned": list(_planned(told.plan)),
        "links": [(each["name"], each["url"]) for each in told.plan.get("links") or ()],
        "fingerprint": str(told.begin.get("fingerprint") or ""),
        "headline": _headline(told),
        "good": verdict is not None and verdict["exit"] == 0,
        "ended": _ended(verdict) if verdict else "",
        "left": [str(each) for each in verdict.get("left") or ()] if verdict else [],
        "facts": _facts(told),
        "hypotheses": hypotheses(told),
        "surprises": list(surprises(compared)),
        "rounds": [_round(each) for each in compared],
        "figure": figure(told),
        "commands": _commands(told, journal),
        "feature": feature,
        "feature_name": feature_name,
        "wrong": wrong,
        "version": version("gherkube"),
    }


def _headline(told: Told) -> str:
    verdict = told.verdict
    if verdict is None:
        return "It did not come to its end: gherkube gameday undo puts back what is left"
    clean = "everything is as it was" if verdict["clean"] else "NOT everything is as it was"
    return f"Hypothesis {verdict['hypothesis']}; {clean}"


def _ended(verdict: Mapping[str, Any]) -> str:
    if verdict["exit"] == 1 and verdict["hypothesis"] == HELD:
        return "but a round did not come out as it was to, or the steady state did not hold meanwhile"
    return ENDS.get(verdict["exit"], "")


def _facts(told: Told) -> dict[str, str]:
    plan, begin = told.plan, told.begin
    roles: Mapping[str, Any] = plan.get("roles") or {}
    began = datetime.fromisoformat(told.began).astimezone(UTC)
    observers = roles.get("observers") or ()
    people = {
        "Owner": roles.get("owner"),
        "Operator": roles.get("operator") or begin.get("operator"),
        "Observers": observers if isinstance(observers, str) else ", ".join(map(str, observers)),
        "Reporter": roles.get("reporter"),
    }
    prediction = begin.get("prediction") or {}
    return {
        "Begun": f"{began:%Y-%m-%d %H:%M:%S} UTC",
        "Took": clock(told.end),
        "Where": place(begin),
        **({} if told.rate == 1 else {"Its clock": f"{told.rate:.2g} seconds in one of ours"}),
        **{role: str(who) for role, who in people.items() if who},
        "Rehearsed": f"{prediction['runs']} times" if prediction.get("runs") else "no",
    }


def _planned(plan: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """What the plan said, but for its goal, hypothesis and people."""
    scope: Mapping[str, Any] = plan.get("scope") or {}
    window: Mapping[str, Any] = plan.get("window") or {}
    rounds = [
        f"{each['name']}: {each['feature']}" + (f", “{each['scenario']}”" if each.get("scenario") else "")
        for each in plan.get("rounds") or ()
    ]
    gated = [("before the first round", plan), *((each["name"], each) for each in plan.get("rounds") or ())]
    gates = [
        f"{name}: {each['gate'].get('who') or 'owner'}, {each['gate'].get('within') or ''}"
        for name, each in gated
        if each.get("gate")
    ]
    said = {
        "Namespaces": scope.get("namespaces"),
        "Workloads": scope.get("workloads"),
        "Left alone": scope.get("out-of-scope"),
        "Steady state": plan.get("steady-state"),
        "Halts by itself when": plan.get("abort-when"),
        "Rounds": rounds,
        "Gates": gates,
        "Window": [f"{window.get('from')} to {window.get('to')}"] if window else (),
        "Limit": [plan["limit"]] if plan.get("limit") else (),
    }
    for term, lines in said.items():
        if lines:
            yield term, [lines] if isinstance(lines, str) else [str(each) for each in lines]


def _round(compared: Compared) -> dict[str, Any]:
    round_ = compared.round
    first = round_.times.get("injected")
    times = []
    for name in FOUR:
        at = round_.times.get(name)
        since = f"+{clock(at - first)}" if at is not None and first is not None and name != "injected" else ""
        times.append((name, "" if at is None else since or f"at {clock(at)}"))
    return {
        "name": round_.name,
        "outcome": round_.outcome,
        "passed": round_.outcome == "passed",
        "says": compared.says,
        "rows": compared.rows,
        "block": round_.block.rstrip().split("\n") if round_.block else [],
        "scenarios": round_.scenarios,
        "times": times,
        "began": clock(round_.begin),
    }


def _commands(told: Told, journal: Path) -> list[str]:
    plan = shlex.quote(str(told.begin.get("plan_path") or f"PLAN{SUFFIX}"))
    return [
        *(f"gherkube gameday {verb} {plan}" for verb in ("check", "rehearse", "run")),
        f"gherkube gameday report {shlex.quote(str(journal))}",
    ]


def surprise(round_: str, row: Row) -> str:
    """A surprise in one sentence."""
    who = " and ".join(f"the {each}" for each in row.surprises)
    told = [
        f"the {who} said {said}" for who, said in (("team", row.team), ("simulator", row.simulator)) if said
    ]
    return f"{round_}: {row.what}: {row.actual}; it surprised {who} ({'; '.join(told)})"


# --- Writing


def _render(name: str, facts: Mapping[str, Any]) -> str:
    return str(_environment().get_template(name).render(tokens=TOKENS.read_text(encoding="utf-8"), **facts))


@cache
def _environment() -> Environment:
    made = environment(TEMPLATES)
    made.filters.update(md=_md, clock=clock, time=_time, fence=_fence)
    made.globals.update(surprise=surprise)
    return made


def _md(text: object) -> str:
    """Text that Markdown shows as it is, in a line."""
    return re.sub(r"([\\`*_{}\[\]<>|#~&!])", r"\\\1", " ".join(str(text).split()))


def _fence(text: str) -> str:
    """Backticks that no line of the text ends."""
    longest = max((len(each) for each in re.findall(r"`+", text)), default=0)
    return "`" * max(3, longest + 1)


def _time(at: str) -> str:
    return datetime.fromisoformat(at).astimezone(UTC).strftime("%H:%M:%S")
