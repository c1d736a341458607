"""What no key of a plan can say of itself: mistakes that show when several are held together.

A rule goes through the plan, with the lines of its keys, and yields what is wrong with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from itertools import pairwise
from typing import TYPE_CHECKING

from gherkube.runners.errors import UsageError
from gherkube.runners.gameday.plan import Plan
from gherkube.runners.gameday.shapes import Mistake, unknown
from gherkube.runners.target import SIMULATOR

if TYPE_CHECKING:
    from gherkube.runners.gameday.stage import Stage

ROLES = ("owner", "operator", "observers", "reporter")


def _features(plan: Plan, _: Mapping[str, int]) -> Iterator[Mistake]:
    """Features that are not there."""
    for round_ in plan.rounds:
        if not round_.feature.is_file():
            name = os.path.relpath(round_.feature, plan.path.parent)
            there = [str(each.relative_to(plan.path.parent)) for each in plan.path.parent.rglob("*.feature")]
            near = get_close_matches(name, there, n=1)
            then = f"did you mean {near[0]}?" if near else "it is looked for from the plan's folder"
            yield Mistake(round_.line, f"there is no feature file {name}", then)


def _names(plan: Plan, _: Mapping[str, int]) -> Iterator[Mistake]:
    """Rounds that a report could not tell apart."""
    names = [round_.name for round_ in plan.rounds]
    for number, round_ in enumerate(plan.rounds):
        if round_.name and round_.name in names[:number]:
            yield Mistake(round_.line, f"two rounds are called {round_.name!r}", "give each its own name")


def _gates(plan: Plan, lines: Mapping[str, int]) -> Iterator[Mistake]:
    """Gates that nobody can confirm."""
    roles = plan.roles
    people = [each for each in (roles.owner, roles.operator, roles.reporter, *roles.observers) if each]
    gates = [(plan.gate, lines.get("gate", 1)), *((each.gate, each.line) for each in plan.rounds)]
    for gate, line in gates:
        if gate is not None and gate.who and gate.who not in (*ROLES, *people):
            what, then = unknown(gate.who, [*ROLES, *people], "person")
            yield Mistake(line, f"who confirms the gate? {what}", then)


def _order(plan: Plan, _: Mapping[str, int]) -> Iterator[Mistake]:
    """Rounds of which a smaller one comes later, by what is predicted of them."""
    for before, after in pairwise(plan.rounds):
        first, then = before.prediction, after.prediction
        fewer = None not in (first.pods, then.pods) and first.pods < then.pods  # type: ignore[operator]
        more = None not in (first.lost, then.lost) and first.lost > then.lost  # type: ignore[operator]
        if fewer or more:
            what = f"{after.name!r} is predicted to be smaller than {before.name!r} before it"
            yield Mistake(after.line, what, "the smallest round comes first", True)


def _times(plan: Plan, lines: Mapping[str, int]) -> Iterator[Mistake]:
    """Times that cannot be kept, and what nothing would end."""
    if plan.window and (plan.window.end - plan.window.begin).total_seconds() < plan.limit:
        what = f"the game day may take {plan.limit:g} s, longer than its window"
        yield Mistake(lines["window"], what, "say a shorter limit", True)
    if not plan.abort:
        what = "no abort-when: only people and limits end it early"
        yield Mistake(lines.get("rounds", 1), what, "say when it has to stop by itself", True)


RULES = (_features, _names, _gates, _order, _times)


def unfit(plan: Plan, stage: Stage, lines: Mapping[str, int]) -> Iterator[Mistake]:
    """What is wrong with the plan's sentences, scenarios and target, as the session of its features knows."""
    thens = [*plan.steady, *plan.abort, *(each for one in plan.hypothesis for each in one.holds)]
    for sentence in thens:
        if why := stage.wrong(sentence):
            yield Mistake(sentence.line, why)
    for round_ in plan.rounds:
        try:
            stage.scenarios(round_)
        except UsageError as error:
            yield Mistake(round_.line, str(error).removeprefix(f"{plan.path}:{round_.line}: "))
    if plan.target not in (SIMULATOR, *stage.settings.targets):
        yield Mistake(
            lines.get("target", 1), *unknown(plan.target, [SIMULATOR, *stage.settings.targets], "target")
        )
