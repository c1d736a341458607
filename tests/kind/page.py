"""The tables of what was shown on kind in docs/fidelity.md: python -m tests.kind.page [--simulate]

That of the features is made of `results.json` (see `table`) and, for the column beside it, of
`simulator.json`, which `--simulate` makes anew: the virtual seconds of each scenario on the simulator. That
of the game days is made of `days.json` (see `days`). Writes the page.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tests.kind.table import GHERKUBE, PASSED, ROOT, Outcome, read, shipped

PAGE = ROOT / "docs" / "fidelity.md"
SIMULATED = Path(__file__).with_name("simulator.json")
DAYS = Path(__file__).with_name("days.json")
FEATURES, GAME_DAYS = "<!-- the shipped features on kind -->\n", "<!-- the shipped game days on kind -->\n"
END = "<!-- until here -->\n"
WORDS = {"failed": "**failed**", "cannot-judge": "cannot be judged", "skipped": "left out"}

Seconds = Mapping[str, float]
"""Virtual seconds by `feature::scenario`."""


def section(outcomes: Mapping[tuple[str, str], Outcome], simulated: Seconds) -> str:
    """The text between the marks."""
    if not outcomes:
        return "Nothing is known yet; `python -m tests.kind.table` finds out.\n"
    counts = Counter(outcome.verdict for outcome in outcomes.values())
    told = ", ".join(
        f"{counts[each]} {WORDS.get(each, each).strip('*')}" for each in (PASSED, *WORDS) if counts[each]
    )
    lines = [
        f"Of {len(simulated)} scenarios {len(outcomes)} were played: {told}.",
        "Seconds are virtual on the simulator. On kind they are real, four scenarios at once on two",
        "CPUs; one that needs a cluster alone, or makes one, has its wait in them.",
        "",
        "| scenario | simulator | kind | why |",
        "|---|---:|---:|---|",
        *_rows(outcomes, simulated),
    ]
    return "\n".join(lines) + "\n"


def _rows(outcomes: Mapping[tuple[str, str], Outcome], simulated: Seconds) -> Iterator[str]:
    for feature, found in groupby(sorted(outcomes.values()), key=lambda each: each.feature):
        yield f"| `{feature.removeprefix('features/')}` | | | |"
        for each in found:
            virtual = simulated.get(f"{feature}::{each.scenario}")
            here = "" if virtual is None else f"✓ {virtual:.1f}"
            there = (
                f"✓ {each.seconds:.1f}" if each.verdict == PASSED else WORDS.get(each.verdict, each.verdict)
            )
            yield f"| {_cell(each.scenario)} | {here} | {there} | {_cell(each.reason)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def days(known: Mapping[str, Any]) -> str:
    """The text of the game days: what was predicted of each round beside what was."""
    lines = ["| game day | round | | predicted | on kind |", "|---|---|---|---|---|"]
    for name, day in sorted(known.items()):
        first = f"`{name}`: {day['verdict']}"
        for each in day["rounds"]:
            round_ = _cell(each["name"])
            for what, _, simulator, actual in each["rows"]:
                was = f"**{actual}**" if what in each["surprised"] else actual
                lines.append(f"| {first} | {round_} | {_cell(what)} | {_cell(simulator) or '–'} | {was} |")
                first = round_ = ""
    return "\n".join(lines) + "\n"


def page(text: str, begin: str, made: str) -> str:
    """The page with the section in its place, which begins with that mark."""
    head, _, rest = text.partition(begin)
    return f"{head}{begin}\n{made}\n{END}{rest.partition(END)[2]}"


def current(text: str) -> str:
    """The page with what is known."""
    text = page(text, FEATURES, section(read(), json.loads(SIMULATED.read_text())))
    return page(text, GAME_DAYS, days(json.loads(DAYS.read_text())))


def simulate() -> dict[str, float]:
    """The virtual seconds of the scenarios that pass on the simulator."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*GHERKUBE, "run", *shipped(), "--report", folder], cwd=ROOT, check=False)
        cases = ElementTree.parse(Path(folder) / "junit.xml").iter("testcase")
        return {
            f"{case.get('file')}::{case.get('name')}": round(float(virtual.get("value", 0)), 1)
            for case in cases
            if (virtual := case.find("properties/property")) is not None and len(case) == 1
        }


def write() -> None:
    """Writes the page."""
    PAGE.write_text(current(PAGE.read_text()))


if __name__ == "__main__":
    if "--simulate" in sys.argv[1:]:
        SIMULATED.write_text(json.dumps(simulate(), indent=1, ensure_ascii=False) + "\n")
    write()
