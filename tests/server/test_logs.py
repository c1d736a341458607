"""Which run of a container its log is of."""

from __future__ import annotations

import pytest

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.cluster import Simulator
from gherkube.runners.simulator.server.logs import log

PREVIOUS = {"previous": "true"}
ENDS = ["sh", "-c", "echo one; sleep 1; echo two; exit 1"]


def state(cluster: Simulator) -> Object:
    """What the pod's status says of its container."""
    found: Object = cluster.api.get("pods", "web", "default")["status"]["containerStatuses"][0]
    return found


def wait_until(cluster: Simulator, what: str, restarts: int) -> Object:
    """Lets time pass until the container is in that state for the run of that number; returns the pod."""
    assert cluster.clock.wait(
        lambda: what in state(cluster)["state"] and state(cluster)["restartCount"] == restarts, 60
    )
    return cluster.api.get("pods", "web", "default")


def test_logs_of_a_container_that_crashes() -> None:
    """Both are of the run that ended last while it waits to start again; what ran before that is gone."""
    cluster = Simulator(seed=1)
    container = {"name": "app", "image": "hello:1", "command": ENDS}
    cluster.api.create(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": [container]}}
    )
    assert cluster.clock.wait(
        lambda: "containerStatuses" in cluster.api.get("pods", "web", "default")["status"], 9
    )
    pod = wait_until(cluster, "running", 0)
    assert log(cluster, pod, {}) == "one\n"
    with pytest.raises(ApiError, match='previous terminated container "app" in pod "web" not found'):
        log(cluster, pod, PREVIOUS)
    pod = wait_until(cluster, "running", 1)
    assert log(cluster, pod, PREVIOUS) == "one\ntwo\n"
    pod = wait_until(cluster, "terminated", 1)
    cluster.clock.sleep(2)
    gone = pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["containerID"]
    assert log(cluster, pod, PREVIOUS) == f"unable to retrieve container logs for {gone}\n"
    pod = wait_until(cluster, "waiting", 1)
    assert log(cluster, pod, PREVIOUS) == log(cluster, pod, {}) == "one\ntwo\n"
