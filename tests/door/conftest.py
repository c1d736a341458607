"""Every backend of the door: each test runs on the simulator in the process, and on a live one over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gherkube.runners.cluster import Cluster
from gherkube.runners.live.cluster import LiveCluster
from gherkube.runners.simulator.cluster import Simulator
from gherkube.runners.target import Target
from tests.door.serving import serving

BACKENDS = ("simulator", "live")


class Place(NamedTuple):
    """A cluster, and the namespace where a test may do as it likes."""

    cluster: Cluster
    namespace: str


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a `gherkube serve` on loopback."""
    with serving(tmp_path_factory.mktemp("served")) as kubeconfig:
        yield kubeconfig


@pytest.fixture(params=BACKENDS)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A cluster of each kind; what it raises when it is closed fails the test."""
    made: Any
    if request.param == "simulator":
        made, namespace = Simulator(), "default"
    else:
        kubeconfig = str(request.getfixturevalue("served"))
        made = LiveCluster(Target("gherkube", kubeconfig=kubeconfig))
        namespace = made.namespace
    yield Place(made, namespace)
    made.close()
