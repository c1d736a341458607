"""One run at several places: what each place said of each scenario, where they disagree, and how it ends.

A scenario disagrees when it passes at one place and fails at another. That histories differ is told, and
is no disagreement by itself: two runs of one real cluster differ, too. Where the simulator is among the
places it plays more seeds, so that what is left to chance there does not count as a difference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from gherkube.runners.report.facts import Facts
from gherkube.runners.report.failure import (
    CANNOT_JUDGE,
    EXPECTED,
    FAILED,
    INTERNAL,
    NOT_RUN,
    PASSED,
    SKIPPED,
    UNUSABLE,
)
from gherkube.runners.report.junit import TAGS
from gherkube.runners.report.likeness import judge
from gherkube.runners.report.places_history import COMPARED, read, told

DISAGREE = "places disagree"
DISAGREEMENT = 6
"""The exit code of a run whose places disagree, and nothing worse."""
JUDGED = (PASSED, FAILED, EXPECTED)
WORST_FIRST = (INTERNAL, UNUSABLE, FAILED, NOT_RUN, DISAGREE, CANNOT_JUDGE, SKIPPED, EXPECTED, PASSED)
CODES = {INTERNAL: 5, UNUSABLE: 2, FAILED: 1, NOT_RUN: 1, DISAGREE: DISAGREEMENT, CANNOT_JUDGE: 3}
_OUTCOMES = {kind: outcome for outcome, (_, kind) in TAGS.items()}

JUNIT = "junit.xml"
Key = tuple[str, str]
"""A scenario: its feature and its name."""


@dataclass(frozen=True)
class Ended:
    """How a scenario ended at a place; `seconds` are those of its cluster's clock, where it is virtual."""

    line: int
    outcome: str
    text: str
    seconds: float
    virtual: bool
    history: Path | None


@dataclass
class Place:
    """What a run at a place left in its report's folder; `code` is its exit code.

    `seeds`: the folders of further runs there, with other seeds.
    """

    name: str
    folder: Path
    code: int
    seeds: list[Path] = field(default_factory=list)

    @cached_property
    def ended(self) -> dict[Key, Ended]:
        """How its scenarios ended."""
        return dict(_ended(self.folder))

    @cached_property
    def with_seeds(self) -> list[dict[Key, Ended]]:
        """How scenarios ended in each of its runs."""
        return [self.ended, *(dict(_ended(folder)) for folder in self.seeds)]

    def facts(self, key: Key) -> list[Facts]:
        """What the histories of the scenario show, run by run."""
        facts = []
        for path in (run[key].history for run in self.with_seeds if key in run):
            with suppress(ValueError):  # it ends in the middle of a line
                facts += [read(path)] if path is not None else []
        return facts


@dataclass(frozen=True)
class Difference:
    """What the histories of a scenario show at one of two places only, kind by kind, in words."""

    places: tuple[str, str]
    only: dict[str, tuple[list[str], list[str]]]
    scores: dict[str, float]


@dataclass(frozen=True)
class Compared:
    """A scenario at all places, in their order (None: it did not get that far there).

    `chance`: how often it ended how at a place that played several seeds, where they do not agree.
    """

    feature: str
    name: str
    line: int
    ended: list[Ended | None]
    differences: list[Difference]
    chance: dict[str, dict[str, int]]

    @property
    def outcomes(self) -> list[str]:
        """How it ended, place by place."""
        return [each.outcome if each else NOT_RUN for each in self.ended]

    @property
    def outcome(self) -> str:
        """What all of it comes to: the worst, or that the places disagree."""
        judged = {outcome for outcome in self.outcomes if outcome in JUDGED}
        rest = {outcome for outcome in self.outcomes if outcome not in JUDGED}
        return min(rest | ({DISAGREE} if len(judged) > 1 else judged), key=WORST_FIRST.index)


def compare(places: Sequence[Place]) -> list[Compared]:
    """All scenarios, in the order in which the first place played them."""
    keys = dict.fromkeys(key for place in places for key in place.ended)
    return [_compared(key, places) for key in keys]


def _compared(key: Key, places: Sequence[Place]) -> Compared:
    ended = [place.ended.get(key) for place in places]
    shown = {
        place.name: place.facts(key)
        for place, how in zip(places, ended, strict=True)
        if how is not None and how.outcome in JUDGED
    }
    differences = [
        _difference(one, shown[one], other, shown[other])
        for one, other in combinations(shown, 2)
        if shown[one] and shown[other]
    ]
    chance: dict[str, dict[str, int]] = {}
    for place in places:
        outcomes = [run[key].outcome for run in place.with_seeds if key in run]
        if len(set(outcomes)) > 1:
            chance[place.name] = {each: outcomes.count(each) for each in dict.fromkeys(outcomes)}
    line = next(each.line for each in ended if each)
    return Compared(*key, line, ended, [each for each in differences if each.only], chance)


def _difference(one: str, ones: Sequence[Facts], other: str, others: Sequence[Facts]) -> Difference:
    """What all runs of one show and no run of the other does; the place with more runs is the measure."""
    swapped = len(others) > len(ones)
    reals, shown = (others, ones[0]) if swapped else (ones, others[0])
    verdict = judge(reals, shown, tuple(COMPARED))
    only = {}
    for kind in COMPARED:
        words = [
            sorted(told(kind, fact) for fact in facts[kind]) for facts in (verdict.missing, verdict.extra)
        ]
        if any(words):
            only[kind] = (words[1], words[0]) if swapped else (words[0], words[1])
    scores = {kind: counts.score for kind, counts in verdict.counts.items()}
    return Difference((one, other), only, scores)


def exit_code(places: Sequence[Place], scenarios: Sequence[Compared]) -> int:
    """gherkube's exit code for all places together: the worst, and 6 where they disagree and none is worse.

    A place that failed in nothing but what another place passed has no failure of its own.
    """
    codes = {CODES.get(outcome, 0) for each in scenarios for outcome in _weighed(each)}
    for place in places:
        explained = any(how.outcome in CODES for how in place.ended.values())
        if not explained or place.code in (2, 5):
            codes.add(place.code)
    return next((code for code in (5, 2, 1, DISAGREEMENT, 3, 4) if code in codes), 0)


def _weighed(scenario: Compared) -> set[str]:
    found = set(scenario.outcomes)
    if len(found & set(JUDGED)) > 1:
        found = (found - set(JUDGED)) | {DISAGREE}
    return found


def as_json(places: Sequence[Place], scenarios: Sequence[Compared], code: int) -> dict[str, Any]:
    """All of it, for tools."""
    return {
        "places": [
            {"name": place.name, "exit": place.code, "runs": len(place.with_seeds)} for place in places
        ],
        "exit": code,
        "scenarios": [
            {
                "feature": each.feature,
                "name": each.name,
                "line": each.line,
                "outcome": each.outcome,
                "places": {
                    place.name: _how(how) for place, how in zip(places, each.ended, strict=True) if how
                },
                "chance": each.chance,
                "differences": [
                    {
                        "places": list(difference.places),
                        "scores": difference.scores,
                        "only": {
                            kind: dict(zip(difference.places, words, strict=True))
                            for kind, words in difference.only.items()
                        },
                    }
                    for difference in each.differences
                ],
            }
            for each in scenarios
        ],
    }


def _how(ended: Ended) -> dict[str, Any]:
    seconds = {"virtual" if ended.virtual else "seconds": round(ended.seconds, 3)}
    return {"outcome": ended.outcome, **seconds, **({"why": ended.text} if ended.text else {})}


def write_junit(path: Path, places: Sequence[Place]) -> None:
    """The JUnit XML of all places in one file; each suite's name begins with its place."""
    root = ElementTree.Element("testsuites", name="gherkube")
    for place in places:
        for suite in _junit(place.folder):
            for each in suite.iter():
                if name := each.get({"testsuite": "name", "testcase": "classname"}.get(each.tag, "")):
                    each.set("name" if each.tag == "testsuite" else "classname", f"{place.name}: {name}")
            root.append(suite)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, 0)) for suite in root)))
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


# --- What a run left


def _ended(folder: Path) -> Iterator[tuple[Key, Ended]]:
    """The scenarios in a report's folder; none when the run did not get as far as that."""
    histories = dict(_histories(folder / "history"))
    for case in _junit(folder).iter("testcase"):
        if case.get("line") is None:  # a feature that cannot be run
            continue
        key = case.get("file", ""), case.get("name", "")
        virtual = case.find("properties/property")
        outcome, text = PASSED, ""
        for tag in ("failure", "error", "skipped"):
            if (why := case.find(tag)) is not None:
                outcome, text = _OUTCOMES[why.get("type", "")], why.text or ""
        seconds = float((case if virtual is None else virtual).get("time" if virtual is None else "value", 0))
        line = int(case.get("line", 0))
        yield key, Ended(line, outcome, text, seconds, virtual is not None, histories.get(key))


def _histories(folder: Path) -> Iterator[tuple[Key, Path]]:
    for path in sorted(folder.glob("*.ndjson")):
        with path.open(encoding="utf-8") as lines, suppress(ValueError):  # of a disk that was full
            head = json.loads(next(lines, ""))
            yield (head["feature"], head["scenario"]), path


def _junit(folder: Path) -> ElementTree.Element:
    """What the run wrote; empty when it did not get as far as that."""
    try:
        return ElementTree.parse(folder / JUNIT).getroot()
    except (OSError, ElementTree.ParseError):
        return ElementTree.Element("testsuites")
