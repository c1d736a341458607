"""Reads the shipped features and tells their scenarios step by step, without pytest between."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from gherkin.parser import Parser
from gherkin.pickles.compiler import Compiler

from gherkube.runners.simulator.cluster import Simulator
from gherkube.steps.catalogue import CATALOGUE
from gherkube.steps.world import World

FEATURES = Path(__file__).parents[2] / "features"
KINDS = {"Context": "given", "Action": "when", "Outcome": "then"}


class Step(NamedTuple):
    """A sentence with its table and docstring; `kind` is given, when or then."""

    kind: str
    text: str
    table: list[list[str]] | None
    docstring: str | None


class Story(NamedTuple):
    """A scenario as it is run: an outline's row, with the steps of its background."""

    path: Path
    name: str
    steps: list[Step]
    needs: list[str]
    """The programs without which it is skipped."""


def stories() -> list[Story]:
    """All scenarios of all shipped features."""
    return [
        Story(path, pickle["name"], [step_of(step) for step in pickle["steps"]], needed(pickle["tags"]))
        for path in sorted(FEATURES.rglob("*.feature"))
        for pickle in Compiler().compile({**Parser().parse(path.read_text()), "uri": str(path)})
    ]


def needed(tags: list[dict]) -> list[str]:  # type: ignore[type-arg]
    """The programs that tags name: @needs-kubectl."""
    prefix = "@needs-"
    return [tag["name"].removeprefix(prefix) for tag in tags if tag["name"].startswith(prefix)]


def step_of(step: dict) -> Step:  # type: ignore[type-arg]
    """A pickle's step."""
    argument = step.get("argument", {})
    table = argument.get("dataTable")
    rows = [[cell["value"] for cell in row["cells"]] for row in table["rows"]] if table else None
    return Step(KINDS[step["type"]], step["text"], rows, argument.get("docString", {}).get("content"))


def tell(story: Story, steps: list[Step]) -> World:
    """Runs the steps on a new simulator; raises what the first failing step raises."""
    world = World(Simulator(seed=1), base=story.path.parent)
    for step in steps:
        run(world, step)
    return world


def run(world: World, step: Step) -> None:
    """Runs one step, which exactly one sentence has to match."""
    (match,) = CATALOGUE.find(step.kind, step.text)
    match.run(world, step.table, step.docstring)
