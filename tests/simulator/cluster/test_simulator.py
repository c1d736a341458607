"""The simulator behind the one door: its clock, its nodes, its faults."""

from __future__ import annotations

import pytest

from gherkube.runners.cluster import Cluster
from gherkube.runners.errors import CannotJudge, UsageError
from gherkube.runners.simulator.cluster import Simulator


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(seed=1)


def config_map(name: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


def later(simulator: Simulator, seconds: float, name: str) -> None:
    """Makes a config map that much later."""
    simulator.store.clock.after(seconds, simulator.api.create, config_map(name))


def test_it_is_a_cluster(simulator: Simulator) -> None:
    """It has all that the door promises, and the namespaces and nodes that every cluster has."""
    cluster: Cluster = simulator
    assert cluster.name == "simulator"
    assert cluster.owns_namespaces
    assert list(cluster.node_names()) == ["node-1", "node-2", "node-3"]
    namespaces = [each["metadata"]["name"] for each in cluster.api.list("namespaces")]
    assert namespaces == ["default", "kube-node-lease", "kube-public", "kube-system"]
    (tainted,) = [node for node in cluster.api.list("nodes") if node["spec"].get("taints")]
    assert tainted["metadata"]["name"] == "control-plane"
    assert tainted["spec"]["taints"] == [
        {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
    ]
    cluster.close()


def test_waiting_asks_after_changes_of_what_was_named(simulator: Simulator) -> None:
    """The condition is asked at once and then only when a named resource has changed."""
    for at in range(5):
        later(simulator, 1.0 + at, f"a-{at}")
    asked: list[float] = []

    def condition() -> bool:
        asked.append(simulator.clock.now())
        return len(simulator.api.list("configmaps", "default")) >= 3

    simulator.clock.sleep(0.5)
    assert simulator.clock.wait(condition, 60, resources=("configmaps",))
    assert simulator.clock.now() == 3.0
    assert asked == [0.5, 1.0, 2.0, 3.0]
    asked.clear()
    assert not simulator.clock.wait(lambda: bool(asked.append(0.0)), 60, resources=("secrets",))
    assert len(asked) == 1


def test_waiting_ends_at_its_deadline_or_when_nothing_is_left(simulator: Simulator) -> None:
    """False exactly at the deadline when something is still to come, and early when nothing is."""
    later(simulator, 100.0, "late")
    assert not simulator.clock.wait(lambda: False, 60)
    assert simulator.clock.now() == 60.0
    assert not simulator.clock.wait(lambda: False, 600)
    assert 100.0 <= simulator.clock.now() < 660.0


def test_a_condition_that_holds_takes_no_time(simulator: Simulator) -> None:
    """Nothing runs when there is nothing to wait for."""
    later(simulator, 0.0, "now")
    assert simulator.clock.wait(lambda: True, 60)
    assert simulator.clock.now() == 0.0
    assert not simulator.api.list("configmaps", "default")


def test_waiting_for_requests(simulator: Simulator) -> None:
    """Requests that flow by themselves wake those who wait for them."""
    from gherkube.runners.objects import Key

    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    }
    simulator.api.create(service)
    simulator.traffic.flow(Key("default", "web"), 0.1)
    requests = simulator.traffic.requests
    assert simulator.clock.wait(lambda: len(requests) >= 20, 60, resources=("requests",))
    assert simulator.clock.now() == pytest.approx(1.9)


def test_sleeping(simulator: Simulator) -> None:
    """Sleep runs what happens meanwhile, and takes exactly its time."""
    later(simulator, 1.0, "a")
    simulator.clock.sleep(1.5)
    assert simulator.clock.now() == 1.5
    assert simulator.api.get("configmaps", "a", "default")


def test_idle(simulator: Simulator) -> None:
    """Idle while nothing but retries and periodic things is to come."""
    simulator.clock.sleep(1)
    assert simulator.clock.idle()
    later(simulator, 1.0, "a")
    assert not simulator.clock.idle()
    simulator.clock.sleep(2)
    assert simulator.clock.idle()


def test_setting_the_nodes(simulator: Simulator) -> None:
    """More, fewer, or of another size; the control plane stays, and what is the same is left as it is."""
    before = len(simulator.history)
    simulator.set_nodes(3)
    assert len(simulator.history) == before
    simulator.set_nodes(5)
    assert list(simulator.node_names()) == [f"node-{index}" for index in range(1, 6)]
    simulator.set_nodes(2, cpu="1", memory="512Mi")
    assert list(simulator.node_names()) == ["node-1", "node-2"]
    nodes = {node["metadata"]["name"]: node for node in simulator.api.list("nodes")}
    assert sorted(nodes) == ["control-plane", "node-1", "node-2"]
    assert nodes["node-2"]["status"]["allocatable"]["cpu"] == "1"
    assert nodes["node-2"]["status"]["allocatable"]["memory"] == "512Mi"


def test_nodes_with_pods_stay(simulator: Simulator) -> None:
    """A node that has pods cannot be taken away by saying how many there are."""
    container = {"name": "app", "image": "hello:1"}
    simulator.api.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p"},
            "spec": {"containers": [container], "nodeSelector": {"kubernetes.io/hostname": "node-3"}},
        }
    )
    simulator.clock.sleep(1)
    with pytest.raises(UsageError, match="node node-3 has pods"):
        simulator.set_nodes(2)
    assert list(simulator.node_names()) == ["node-1", "node-2", "node-3"]


def test_faults_name_their_nodes(simulator: Simulator) -> None:
    """A node that is not there is a mistake; the control plane cannot be done without."""
    with pytest.raises(UsageError, match='there is no node "node-9": the nodes are node-1, node-2, node-3'):
        simulator.faults.stop_node("node-9")
    with pytest.raises(UsageError):
        simulator.faults.start_node("node-9")
    with pytest.raises(CannotJudge):
        simulator.faults.stop_node("control-plane")


def test_a_pod_made_at_the_very_beginning_finds_its_nodes(simulator: Simulator) -> None:
    """The scheduler knows the nodes from the start: no first pod is told that there are none."""
    container = {"name": "app", "image": "hello:1"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [container]}}
    simulator.api.create(pod)
    simulator.clock.sleep(0.5)
    reasons = [event["reason"] for event in simulator.api.list("events", "default")]
    assert "FailedScheduling" not in reasons
    assert "Scheduled" in reasons
