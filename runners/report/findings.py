"""What `gherkube check` found: rules, findings, and how they are shown as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal, NamedTuple

Level = Literal["error", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note")


class Rule(NamedTuple):
    """One thing that is looked for: how bad it is, and what it means, in a sentence."""

    level: Level
    help: str


RULES: dict[str, Rule] = {
    "unreadable": Rule("error", "A feature file that cannot be read, or is not UTF-8."),
    "syntax": Rule("error", "A line that is not Gherkin where it stands."),
    "keyword": Rule("error", "A misspelt keyword, which Gherkin would take for a description."),
    "empty": Rule("error", "A feature, rule, background or scenario in which nothing stands."),
    "no-then": Rule("error", "A scenario without a Then: it would judge nothing."),
    "outline": Rule("error", "An outline whose examples are missing, or do not fit its placeholders."),
    "duplicate-name": Rule("error", "Two scenarios of one name, which reports could not tell apart."),
    "undefined-step": Rule("error", "A sentence that no step knows."),
    "ambiguous-step": Rule("error", "A sentence that several steps match."),
    "misfit": Rule("error", "A table or docstring that the step does not take or lacks, or an async step."),
    "meaningless": Rule("error", "Numbers and times that cannot be, such as `5 of 3` or `0 seconds`."),
    "unknown-variable": Rule("error", "A ${NAME} that neither --set nor the settings give a value."),
    "own-steps": Rule("error", "Own steps or settings that cannot be imported or read."),
    "unknown-fixture": Rule("error", "An own step that asks for a fixture that does not exist."),
    "manifest": Rule("error", "A manifest, patch or partial object that the API server would not take."),
    "context": Rule("error", "A sentence that cannot be run where it stands in its scenario."),
    "refused": Rule("error", "Something that the API server or kubectl would refuse."),
    "unused-column": Rule("warning", "A column of an outline's examples that no placeholder uses."),
    "unused-step": Rule("warning", "An own step that no sentence of the checked features uses."),
    "unused-image": Rule(
        "warning", "An image of which a Given speaks and that nothing in the scenario runs."
    ),
    "unknown-image": Rule(
        "warning",
        "A version that nothing in the scenario runs, or an image of which the simulator knows no such tag.",
    ),
    "unjudged-attempt": Rule("warning", "An “I try to …” of which no Then says what came of it."),
    "cannot-judge": Rule(
        "note", "Something that the simulator cannot judge: run it on kind or a live cluster."
    ),
}
"""By name, in the order in which docs/checking.md tells them."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding.

    `file` is seen from where the check was started; `line` counts from 1. `what` is wrong, `then` is
    what to do about it (several lines begin with a space each). `places` are others that have to do
    with it, as `file:line`.
    """

    file: str
    line: int
    rule: str
    what: str
    then: str = ""
    places: tuple[str, ...] = ()

    @property
    def level(self) -> Level:
        """How bad it is: that of its rule."""
        return RULES[self.rule].level


@dataclass(slots=True, eq=False)
class Findings:
    """All findings of a check, and how much was looked at. Those that check add to it."""

    found: dict[Finding, None] = field(default_factory=dict)
    features: int = 0
    scenarios: int = 0

    def add(self, finding: Finding) -> None:
        """Adds a finding; one that is there already is not added twice."""
        self.found[finding] = None

    @property
    def sorted(self) -> list[Finding]:
        """By file and line."""
        return sorted(self.found)

    def count(self, level: Level) -> int:
        """How many are of that level."""
        return sum(finding.level == level for finding in self.found)


def text_lines(findings: Findings) -> Iterator[tuple[Level | None, str]]:
    """The findings for readers, grouped by file: lines, each with the level of what begins in it, or None."""
    for _, group in groupby(findings.sorted, lambda finding: finding.file):
        for finding in group:
            apart = "\n" if finding.then.startswith(" ") else "; " if finding.then else ""
            said = f"{finding.file}:{finding.line}: {finding.level}: {finding.what}{apart}{finding.then}"
            head, *more = said.split("\n")
            yield finding.level, f"{head} [{finding.rule}]"
            yield from ((None, line) for line in more)
        yield None, ""
    yield None, summary(findings)


def summary(findings: Findings) -> str:
    """How much was looked at and what was found, in one line."""
    looked = f"{_number(findings.features, 'feature')}, {_number(findings.scenarios, 'scenario')}"
    counts = [_number(count, level) for level in LEVELS if (count := findings.count(level))]
    return f"{looked}: {', '.join(counts) or 'no mistakes found'}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count != 1 else ''}"


def as_json(findings: Findings) -> str:
    """The findings for tools; docs/checking.md tells the shape."""
    shown: dict[str, Any] = {
        "features": findings.features,
        "scenarios": findings.scenarios,
        **{f"{level}s": findings.count(level) for level in LEVELS},
        "findings": [_as_dict(finding) for finding in findings.sorted],
    }
    return json.dumps(shown, indent=2, ensure_ascii=False)


def _as_dict(finding: Finding) -> dict[str, Any]:
    told: dict[str, Any] = {
        "file": finding.file,
        "line": finding.line,
        "level": finding.level,
        "rule": finding.rule,
        "what": finding.what,
        "then": finding.then,
    }
    if finding.places:
        told["places"] = list(finding.places)
    return told


def place_of(text: str) -> tuple[str, int]:
    """File and line of a place as `file:line`; line 1 where none is said."""
    file, _, line = text.rpartition(":")
    return (file, int(line)) if file and line.isdigit() else (text, 1)
