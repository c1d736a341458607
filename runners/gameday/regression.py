"""The feature that would have caught what a game day found: a proposal, made of what was played there.

What was to hold all the time (hypothesis, steady state, the opposite of an abort condition) is claimed of
each scenario, so the next release is held to it without a game day.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from gherkube.runners.gameday.comparison import compare, surprises
from gherkube.runners.gameday.plan import NAMED
from gherkube.runners.gameday.timeline import Told

_TIMED = re.compile(r"(throughout|within|for|at some time|since)\b")
_OPPOSITES = (
    (r"\bat least\b", "fewer than"),
    (r"\bat most\b", "more than"),
    (r"\bfewer than\b", "at least"),
    (r"\bmore than\b", "at most"),
    (r"^no\b", "at least 1"),
)
"""How an abort condition is turned into what must hold: the first that is found."""
_PAST = (
    (r"\bare\b", "were"),
    (r"\bis\b", "was"),
    (r"\bhas\b", "had"),
    (r"\bhave\b", "had"),
    (r"\bgo unanswered\b", "went unanswered"),
    (r"\bshow\b", "showed"),
    (r"\bexist\b", "existed"),
    (r"\brun on\b", "ran on"),
)
"""The past tense of what a sentence says now, outside of quotes."""

_STEP = re.compile(r"^[ \t]*(Given|When|Then|And|But|\*)[ \t]", re.MULTILINE)
"""Where the first step of a background or scenario begins."""
_EXAMPLES = re.compile(r"^(?:[ \t]*@.*\n)*[ \t]*(?:Examples|Scenarios):", re.MULTILINE)
"""Where the examples of an outline begin, with their tags."""


def propose(told: Told, folder: Path) -> str:
    """The text of a feature file that is to lie in `folder`; "" when no round was begun.

    It has the scenarios of the rounds that did not pass or surprised somebody, or of all; of all their files.
    """
    surprising = {name for name, _ in surprises(compare(told))}
    chosen = [each for each in told.rounds if each.outcome != "passed" or each.name in surprising]
    planned = {str(each["name"]): each for each in told.plan.get("rounds") or ()}
    claims = list(dict.fromkeys(_claims(told)))
    played: dict[tuple[str, str], None] = {}
    for round_ in chosen or told.rounds:
        rounds_plan = planned.get(round_.name)
        if rounds_plan is not None:
            path, text = _feature(told.begin.get("features") or {}, str(rounds_plan["feature"]))
            background, scenarios = _parts(text, str(rounds_plan.get("scenario") or ""))
            before = _moved(background, path, folder)
            played |= dict.fromkeys(
                (before, _claimed(_moved(each, path, folder), claims)) for each in scenarios
            )
    if not played:
        return ""
    shared, *others = dict.fromkeys(before for before, _ in played)
    told_scenarios = [_begun(before, scenario) for before, scenario in played]
    background, scenarios = ("", told_scenarios) if others else (shared, [each for _, each in played])
    name, day = " ".join(str(told.plan["name"]).split()), told.began[:10]
    head = f"Feature: {name}, without a game day\n  What the game day of {day} claimed.\n"
    return "\n".join([head, _with_givens(background, told), *scenarios])


def check(text: str, folder: Path) -> str:
    """What `gherkube check` has against a feature in that folder; "" when it has nothing."""
    with tempfile.NamedTemporaryFile("w", suffix=".feature", dir=folder, encoding="utf-8") as file:
        file.write(text)
        file.flush()
        command = "from gherkube.runners.cli.main import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", command, "check", file.name],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return "" if done.returncode == 0 else (done.stdout + done.stderr).strip().replace(file.name, "")


# --- What is claimed


def _claims(told: Told) -> Iterator[str]:
    for each in told.plan.get("hypothesis") or ():
        yield from (_always(str(text)) for text in each["holds"])
    yield from (_always(str(text)) for text in told.plan.get("steady-state") or ())
    for text in told.plan.get("abort-when") or ():
        opposite = _first(str(text), _OPPOSITES)
        if opposite != text:
            yield _always(opposite)


def _always(sentence: str) -> str:
    """The sentence over all of the time since the first When."""
    return sentence if _TIMED.match(sentence) else f"throughout, {_first(sentence, _PAST)}"


def _first(sentence: str, table: Sequence[tuple[str, str]]) -> str:
    """The sentence with the first match of the first pattern that is found outside of quotes replaced."""
    pieces = re.split(r'("[^"]*")', sentence)
    for pattern, instead in table:
        for n in range(0, len(pieces), 2):
            if re.search(pattern, pieces[n]) and (n == 0 or not pattern.startswith("^")):
                changed = re.sub(pattern, instead, pieces[n], count=1)
                return "".join([*pieces[:n], changed, *pieces[n + 1 :]])
    return sentence


def _claimed(scenario: str, claims: Sequence[str]) -> str:
    """The scenario with its new claims at the end of its steps, before the examples of an outline."""
    new = [f"    And {claim}" for claim in claims if claim not in scenario]
    found = _EXAMPLES.search(scenario)
    steps, examples = (scenario[: found.start()], scenario[found.start() :]) if found else (scenario, "")
    return "\n".join([steps.rstrip(), *new, *(["", examples.rstrip()] if examples else [])]) + "\n"


# --- What was played


def _feature(features: Mapping[str, str], name: str) -> tuple[Path, str]:
    """The feature of a round as the journal keeps it: its path, and its text."""
    for path, text in features.items():
        if path == name or path.endswith(f"/{name}"):
            return Path(path), text
    return Path(name), ""


def _parts(text: str, wanted: str) -> tuple[str, list[str]]:
    """The background of a feature, and its scenarios of that name (all when it is "")."""
    from gherkin.parser import Parser

    if not text:
        return "", []
    lines = text.splitlines()
    children: Any = Parser().parse(text)["feature"]["children"]
    found = [next(iter(child.values())) | {"kind": next(iter(child))} for child in children]
    starts = [_start(each) - 1 for each in found] + [len(lines)]
    pieces = ["\n".join(lines[start:end]) for start, end in pairwise(starts)]
    background = "".join(
        piece for piece, each in zip(pieces, found, strict=True) if each["kind"] == "background"
    )
    scenarios = [
        piece
        for piece, each in zip(pieces, found, strict=True)
        if each["kind"] == "scenario" and (not wanted or each["name"] == wanted)
    ]
    return background, scenarios


def _begun(background: str, scenario: str) -> str:
    """The scenario with the steps of its background as its first: a file has one background for all."""
    first, step = _STEP.search(background), _STEP.search(scenario)
    if first is None or step is None:
        return scenario
    return f"{scenario[: step.start()]}{background[first.start() :].rstrip()}\n{scenario[step.start() :]}"


def _start(child: dict[str, Any]) -> int:
    """The line at which it begins, its tags included."""
    lines = [child["location"]["line"], *(tag["location"]["line"] for tag in child.get("tags") or ())]
    return int(min(lines))


def _with_givens(background: str, told: Told) -> str:
    """The background with what the rehearsal says of images: on the simulator they have to behave so, too."""
    said = [str(each) for each in (told.plan.get("rehearsal") or {}).get("given") or ()]
    new = [each for each in said if each.startswith("image ") and each not in background]
    if not new:
        return background.rstrip() + "\n" if background else ""
    lines = background.rstrip().split("\n") if background else ["  Background:"]
    givens = [f"    {'And' if n else 'Given'} {each}" for n, each in enumerate(new)]
    rest = [re.sub(r"^(\s*)Given\b", r"\1And", line) for line in lines[1:]]
    return "\n".join([lines[0], *givens, *rest]) + "\n"


def _moved(text: str, path: Path, folder: Path) -> str:
    """The text with the files that it names told from `folder` instead of from the feature's own."""

    def told(found: re.Match[str]) -> str:
        there = os.path.relpath(path.parent / found[1], folder) if path.is_absolute() else found[1]
        return found[0].replace(found[1], there)

    return NAMED.sub(told, text)
