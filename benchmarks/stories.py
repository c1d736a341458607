"""Runs a scenario's steps in this process, without pytest: what the benchmarks measure."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from gherkube.runners.simulator.cluster import Simulator
from gherkube.steps.catalogue import CATALOGUE
from gherkube.steps.world import World

BOOTCAMP = (
    ("given", 'image "jocatalin/kubernetes-bootcamp:v10" does not exist'),
    ("given", 'deployment "kubernetes-bootcamp" runs 4 replicas of "jocatalin/kubernetes-bootcamp:v1"'),
    ("when", "I update it to v2"),
    ("then", "the rollout completes"),
    ("then", "four v2 pods are running"),
    ("when", "I update it to v10"),
    ("then", "2 new pods show ImagePullBackOff"),
    ("then", "3 of 4 pods are ready"),
    ("when", "I undo the rollout"),
    ("then", "four v2 pods are running"),
    ("then", "throughout, at least 3 pods were ready"),
)


def tell(steps: Sequence[tuple[str, str]], seed: int = 1) -> Simulator:
    """Runs the steps, each a kind and a sentence, on a new simulator and returns it."""
    cluster = Simulator(seed=seed)
    world = World(cluster, base=Path())
    for kind, text in steps:
        (match,) = CATALOGUE.find(kind, text)
        match.run(world, None, None)
    return cluster


def milliseconds(run: object, times: int) -> list[float]:
    """How many milliseconds of this process's CPU each of so many calls took, sorted."""
    assert callable(run)
    taken = []
    for _ in range(times):
        begin = time.process_time()
        run()
        taken.append(1000 * (time.process_time() - begin))
    return sorted(taken)
