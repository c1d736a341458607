"""The page to open after a run: `index.html`, all in one file, without a network.

Whatever comes from features or clusters is escaped by the templates; besides, the page's own policy lets
a browser run no script but the page's own, and fetch nothing.
"""

from __future__ import annotations

import base64
import hashlib
import shlex
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gherkube.runners.report.failure import PASSED
from gherkube.runners.report.page.figure import clock, figure
from gherkube.runners.report.page.lives import STATES
from gherkube.runners.report.page.series import read
from gherkube.runners.report.results import WORST_FIRST, Results, Verdict, clear
from gherkube.runners.report.terminal import MARKS, WORDS

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


class Page:
    """A pytest plugin: writes `index.html` into the report's folder when the run has ended."""

    def __init__(self, results: Results, folder: Path, seed: int) -> None:
        self.results, self.folder, self.seed = results, folder, seed
        self.began = time.time()
        clear(folder, "index.html")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Writes the page."""
        facts = {
            "Command": command(),
            "Seed": str(self.seed),
            "Virtual time": clock(sum(verdict.virtual or 0.0 for verdict in self.results.verdicts)),
            "Wall time": f"{time.time() - self.began:.1f} s",
            "Begun": time.strftime("%Y-%m-%d %H:%M %Z", time.localtime(self.began)),
        }
        (self.folder / "index.html").write_text(html(self.results, self.folder, facts), encoding="utf-8")


def command() -> str:
    """The command that was given, as one would type it."""
    name = Path(sys.argv[0])
    shown = f"python -m {name.parent.name}" if name.name == "__main__.py" else name.name
    return " ".join([shown, *map(shlex.quote, sys.argv[1:])])


def html(results: Results, folder: Path, facts: dict[str, str]) -> str:
    """The page; `folder` holds the histories, `facts` are told of the run as they are."""
    script = tight((TEMPLATES / "page.js").read_text(encoding="utf-8"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    text = (
        environment(TEMPLATES)
        .get_template("index.html")
        .render(
            title=_title(results),
            outcomes=[_outcome(outcome, results.count(outcome)) for outcome in _present(results)],
            total=len(results.verdicts),
            problems=[_lines(text) for text in results.problems.values()],
            features=list(_features(results, folder)),
            facts=facts,
            version=version("gherkube"),
            states=STATES,
            script=script,
            digest=digest,
        )
    )
    return tight(text)


def environment(folder: Path) -> Environment:
    """The templates of a folder; HTML is escaped, and what a template does not know is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def tight(text: str) -> str:
    """The text without indentation and empty lines."""
    return "\n".join(filter(None, map(str.strip, text.split("\n"))))


def _present(results: Results) -> list[str]:
    return [outcome for outcome in WORST_FIRST if results.count(outcome)]


def _title(results: Results) -> str:
    number, passed = len(results.verdicts), results.count(PASSED)
    noun = "scenario" if number == 1 else "scenarios"
    if results.interrupted:
        return f"Interrupted: {passed} of {number} {noun} passed"
    if not number:
        return "No scenario ran"
    return f"All {number} {noun} passed" if passed == number > 1 else f"{passed} of {number} {noun} passed"


def _outcome(outcome: str, count: int = 0) -> dict[str, Any]:
    mark, _ = MARKS[outcome]
    words = WORDS.get(outcome, outcome)
    return {"key": outcome.replace(" ", "-"), "mark": mark, "words": words, "count": count}


def _features(results: Results, folder: Path) -> Iterator[dict[str, Any]]:
    """The features, those with the worst verdict first, and so their scenarios."""
    features: dict[str, list[Verdict]] = {}
    for verdict in sorted(results.verdicts, key=lambda each: (_worst(each), each.feature, each.line)):
        features.setdefault(verdict.feature, []).append(verdict)
    number = 0
    for feature, verdicts in features.items():
        scenarios = []
        for verdict in verdicts:
            number += 1
            scenarios.append(_scenario(verdict, folder, number))
        passed = sum(verdict.outcome == PASSED for verdict in verdicts)
        yield {"name": feature, "passed": passed, "number": len(verdicts), "scenarios": scenarios}


def _worst(verdict: Verdict) -> int:
    return WORST_FIRST.index(verdict.outcome)


def _scenario(verdict: Verdict, folder: Path, number: int) -> dict[str, Any]:
    path = folder / verdict.history
    drawn, text = None, verdict.text
    acts = [step["at"] for step in verdict.steps if step["kind"] == "when"]
    if verdict.history and path.is_file():
        drawn = figure(read(path, verdict.steps, verdict.virtual or 0.0), verdict.steps)
    return {
        "id": f"s{number}",
        "outcome": _outcome(verdict.outcome),
        "name": verdict.name,
        "line": verdict.line,
        "virtual": "" if verdict.virtual is None else clock(verdict.virtual),
        "seconds": f"{verdict.seconds * 1000:.0f} ms" if verdict.seconds < 1 else f"{verdict.seconds:.1f} s",
        "block": _lines(text) if text else [],
        "first_when": clock(acts[0]) if acts and drawn and "t+" in text else "",
        "steps": [_step(step) for step in verdict.steps],
        "rest": [_words(step) for step in verdict.rest],
        "history": verdict.history,
        "figure": drawn,
    }


def _step(step: dict[str, Any]) -> dict[str, Any]:
    keyword, text = _words(step["step"])
    passed = step["outcome"] == PASSED
    return {"at": clock(step["at"]), "keyword": keyword, "text": text, "passed": passed, "kind": step["kind"]}


def _words(step: str) -> tuple[str, str]:
    keyword, _, text = step.partition(" ")
    return keyword, text


def _lines(text: str) -> list[str]:
    return text.rstrip().split("\n")
