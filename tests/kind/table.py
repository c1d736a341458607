"""What the shipped features come to on a real cluster: python -m tests.kind.table [OPTION …] [FEATURE …]

Runs them on kind (all, or those that are named) and puts what came of each scenario into `results.json`
beside this file, from which the table in docs/fidelity.md is made. What was known of scenarios that were not
run again is kept. Options are those of `gherkube run`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import yaml

ROOT = Path(__file__).parents[2]
GHERKUBE = (sys.executable, "-c", "from gherkube.runners.cli.main import main; main()")
FILE = Path(__file__).with_name("results.json")
LEFT_OUT = "gamedays"
"""Scenarios that are played by game days, not run by themselves."""
PASSED = "passed"
REASONS = Path(__file__).with_name("reasons.yaml")
"""Why a scenario does not pass here, where that is known: verdict and words by feature and name."""


class Outcome(NamedTuple):
    """What became of a scenario: its verdict in the words of the terminal, real seconds, and why."""

    feature: str
    line: int
    scenario: str
    verdict: str
    seconds: float
    reason: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What it is known by."""
        return self.feature, self.scenario


def read(file: Path = FILE) -> dict[tuple[str, str], Outcome]:
    """What is known."""
    if not file.is_file():
        return {}
    return {found.key: found for found in (Outcome(**each) for each in json.loads(file.read_text()))}


def write(outcomes: dict[tuple[str, str], Outcome], file: Path = FILE) -> None:
    """Keeps it, in the order of the features, and shows it in docs/fidelity.md."""
    found = [outcome._asdict() for outcome in sorted(outcomes.values())]
    file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    if file == FILE:
        from tests.kind import page

        page.write()


def outcomes(junit: Path) -> list[Outcome]:
    """What a run's JUnit file tells."""
    return [_outcome(case) for case in ElementTree.parse(junit).iter("testcase")]


def _outcome(case: ElementTree.Element) -> Outcome:
    verdict, reason = PASSED, ""
    for tag in ("failure", "error", "skipped"):
        if (found := case.find(tag)) is not None:
            verdict, reason = found.get("type", tag), first_lines(found.text or found.get("message", ""))
    feature, name = case.get("file", ""), case.get("name", "")
    return Outcome(
        feature, int(case.get("line", 0)), name, verdict, round(float(case.get("time", 0)), 1), reason
    )


def first_lines(block: str) -> str:
    """What a block says of the reason: the sentence, and what was expected and found."""
    wanted = ("expected", "found", "cannot be judged", "internal error")
    lines = [line.strip() for line in block.strip().splitlines()]
    first = lines[0].partition("  ")[2] if lines else ""
    return "; ".join([first, *(" ".join(line.split()) for line in lines[1:] if line.startswith(wanted))])


def known_reasons() -> dict[tuple[str, str], str]:
    """Why scenarios do not pass on kind, as far as that was looked into."""
    if not REASONS.is_file():
        return {}
    told = yaml.safe_load(REASONS.read_text()) or {}
    return {(feature, name): why for feature, by_name in told.items() for name, why in by_name.items()}


def run(features: list[str], options: list[str]) -> list[Outcome]:
    """Runs features, or folders of them, on kind."""
    with tempfile.TemporaryDirectory() as folder:
        command = [*GHERKUBE, "run", *features, "--on", "kind", *options, "--report", folder]
        subprocess.run(command, cwd=ROOT, check=False)
        junit = Path(folder) / "junit.xml"
        if not junit.is_file():
            sys.exit("nothing was run")
        return outcomes(junit)


def shipped() -> list[str]:
    """The folders of features that are run."""
    return sorted(
        f"features/{each.name}"
        for each in (ROOT / "features").iterdir()
        if any(each.rglob("*.feature")) and each.name != LEFT_OUT
    )


def main(arguments: list[str]) -> None:
    """Runs, and keeps what came of it."""
    known = {key: each for key, each in read().items() if (ROOT / each.feature).is_file()}
    features = [each for each in arguments if each.startswith("features")]
    options = [each for each in arguments if each not in features]
    why = known_reasons()
    for found in run(features or shipped(), options):
        reason = why.get(found.key) if found.verdict != PASSED else None
        known[found.key] = found._replace(reason=reason or found.reason)
    write(known)


if __name__ == "__main__":
    main(sys.argv[1:])
