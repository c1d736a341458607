"""Pods of nodes that are no more are ended and deleted, unless their node comes back in time."""

from __future__ import annotations

from typing import Any

from gherkube.runners.history import DELETED
from gherkube.runners.simulator.cluster import Simulator

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "spec": {"containers": [{"name": "a", "image": "a:1"}]},
}


def cluster_with(name: str, node: str) -> Simulator:
    """A cluster with a pod that names its node."""
    cluster = Simulator(seed=1)
    cluster.api.create({**POD, "metadata": {"name": name}, "spec": {**POD["spec"], "nodeName": node}})
    cluster.clock.sleep(10.0)
    return cluster


def pods(cluster: Simulator) -> list[str]:
    return [pod["metadata"]["name"] for pod in cluster.api.list("pods", "default")]


def test_a_pod_whose_node_never_was() -> None:
    """It goes between 40 and 60 seconds after that was noticed, at one of the looks."""
    cluster = cluster_with("nowhere", "no-such-node")
    cluster.clock.sleep(29.0)
    assert pods(cluster) == ["nowhere"]
    cluster.clock.sleep(42.0)
    assert pods(cluster) == []


def test_a_pod_whose_node_is_deleted_has_failed() -> None:
    """Its last status says why it went."""
    cluster = cluster_with("web", "node-1")
    cluster.api.delete("nodes", "node-1")
    cluster.clock.sleep(80.0)
    last = [each for each in cluster.history.since(0) if each.resource == "pods" and each.type == DELETED]
    assert [each.object["metadata"]["name"] for each in last] == ["web"]
    status = last[0].object["status"]
    target = next(each for each in status["conditions"] if each["type"] == "DisruptionTarget")
    assert (status["phase"], target["reason"]) == ("Failed", "DeletionByPodGC")
    assert target["message"] == "PodGC: node no longer exists"


def test_a_node_that_starts_again_registers_and_keeps_its_pods() -> None:
    """Without the labels and taints that it was given since it was made."""
    cluster = cluster_with("web", "node-1")
    cluster.api.patch("nodes", "node-1", {"metadata": {"labels": {"disk": "ssd"}}})
    cluster.faults.stop_node("node-1")
    cluster.api.delete("nodes", "node-1")
    cluster.clock.sleep(20.0)
    cluster.faults.start_node("node-1")
    cluster.clock.sleep(120.0)
    assert pods(cluster) == ["web"]
    node = cluster.api.get("nodes", "node-1")
    assert "disk" not in node["metadata"]["labels"]
    ready = next(each for each in node["status"]["conditions"] if each["type"] == "Ready")
    assert (ready["status"], node["spec"].get("taints", [])) == ("True", [])


def test_pods_leave_a_node_that_is_given_up_once_they_are_to_go() -> None:
    """The taint alone does nothing where the node is ready; a pod that tolerates it stays."""
    cluster = cluster_with("web", "node-1")
    tolerated = [{"operator": "Exists"}]
    cluster.api.create(
        {
            **POD,
            "metadata": {"name": "stays"},
            "spec": {**POD["spec"], "nodeName": "node-1", "tolerations": tolerated},
        }
    )
    cluster.clock.sleep(5.0)
    cluster.faults.stop_node("node-1")
    cluster.clock.sleep(70.0)
    taints = cluster.api.get("nodes", "node-1")["spec"]["taints"]
    given_up = {"key": "node.kubernetes.io/out-of-service", "value": "shutdown", "effect": "NoExecute"}
    cluster.api.patch("nodes", "node-1", {"spec": {"taints": [*taints, given_up]}}, type="merge")
    cluster.clock.sleep(25.0)
    assert pods(cluster) == ["stays"]
    last = [each for each in cluster.history.since(0) if each.resource == "pods" and each.type == DELETED]
    assert [each.object["status"]["phase"] for each in last] == ["Failed"]
    assert cluster.clock.idle()
