"""A kubelet refuses a pod that named its node and does not fit there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.node.harness import World


def hand_placed(world: World, name: str, container: dict[str, Any] | None = None, **spec: Any) -> None:
    app = {"name": "app", "image": "hello:1", "imagePullPolicy": "IfNotPresent", **(container or {})}
    spec = {"nodeName": "node-1", "containers": [app], **spec}
    world.api.create_trusted("pods", {"metadata": {"name": name, "namespace": "default"}, "spec": spec})
    world.run(world.clock.now + 5.0)


def requests(**amounts: str) -> dict[str, Any]:
    return {"resources": {"requests": amounts}}


PORT = {"ports": [{"containerPort": 8080, "hostPort": 80, "protocol": "TCP"}]}


@pytest.mark.parametrize(
    ("container", "spec", "reason", "message"),
    [
        (
            requests(cpu="64", memory="900Gi"),
            {},
            "OutOfcpu",
            "Node didn't have enough resource: cpu, requested: 64000, used: 1000, capacity: 4000",
        ),
        (
            requests(memory="9Gi"),
            {},
            "OutOfmemory",
            "Node didn't have enough resource: memory, requested: 9663676416, used: 0, capacity: 8589934592",
        ),
        (
            {},
            {"nodeSelector": {"disk": "none"}},
            "NodeAffinity",
            "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
        ),
        (
            PORT,
            {},
            "NodePorts",
            "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
        ),
    ],
)
def test_it_fails_and_says_why(container: Any, spec: Any, reason: str, message: str) -> None:
    """As recorded: no conditions, no containers, an event."""
    world = World()
    hand_placed(world, "first", {**requests(cpu="1"), **PORT})
    hand_placed(world, "p", container, **spec)
    stored = world.stored("p")
    assert stored is not None
    assert stored["status"] == {
        "observedGeneration": 1,
        "phase": "Failed",
        "reason": reason,
        "message": f"Pod was rejected: {message}",
        "startTime": stored["status"]["startTime"],
        "qosClass": stored["status"]["qosClass"],
    }
    assert world.messages(reason) == [message]
    world.delete("p")
    assert world.stored("p") is None


def test_one_that_fits_runs() -> None:
    """Whoever is gone or has failed takes no room."""
    world = World()
    hand_placed(world, "big", requests(cpu="64"))
    hand_placed(world, "p", requests(cpu="4"))
    stored = world.stored("p")
    assert stored is not None
    assert stored["status"]["phase"] == "Running"
