"""Sentences told to a new simulator, and how they fail."""

from __future__ import annotations

import pytest
from gherkin.parser import Parser
from gherkin.pickles.compiler import Compiler

from gherkube.runners.expectations.failure import ExpectationFailed, Failure
from gherkube.runners.simulator.cluster import Simulator
from gherkube.steps.world import World
from tests.stories.telling import run, step_of


def tell(text: str) -> World:
    """Runs the sentences on a new simulator."""
    feature = {**Parser().parse(f"Feature: f\n  Scenario: s\n{text}"), "uri": "x"}
    [pickle] = Compiler().compile(feature)
    world = World(Simulator(seed=1))
    for step in pickle["steps"]:
        run(world, step_of(step))
    return world


def fails(text: str) -> Failure:
    """How the sentences fail."""
    with pytest.raises(ExpectationFailed) as failed:
        tell(text)
    return failed.value.failure
