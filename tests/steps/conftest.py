"""A world on the simulator, and a way to say sentences to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gherkube.runners.simulator.cluster import Simulator
from gherkube.steps import manifests
from gherkube.steps.catalogue import CATALOGUE
from gherkube.steps.sentence import Kind
from gherkube.steps.world import World

Say = Callable[..., None]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A new scenario on a new simulator, with the folder of its feature file."""
    return World(Simulator(seed=7), base=tmp_path, settings={"VERSION": "v2"})


@pytest.fixture
def say(world: World) -> Say:
    """`say("when", "I scale it to 2 replicas")` does what the sentence says."""

    def speak(kind: Kind, text: str, under: Any = None) -> None:
        [match] = CATALOGUE.find(kind, world.expand(text))
        if isinstance(under, list):
            match.run(world, table=under)
        else:
            match.run(world, docstring=under)

    return speak


@pytest.fixture
def web(world: World) -> Any:
    """A deployment "web" of two replicas, just made; nothing was said of it."""
    obj = manifests.workload("deployments", "web", "acme/web:v1", 2)
    return world.api.create(obj, namespace="default")
