"""DaemonSets: on which nodes there is a pod, how many are down in an update, what failed pods wait for."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gherkube.runners.objects import Object, controller_of, is_active
from gherkube.runners.simulator.cluster import Simulator
from tests.simulator.controllers.sets import (
    born,
    change,
    daemon_set,
    images,
    is_up,
    moments,
    pods,
    rolling,
    running,
    status,
    template,
    update,
)

TAINT = {"key": "gpu", "effect": "NoSchedule"}


def nodes(cluster: Simulator) -> list[str]:
    """Where the pods are, sorted."""
    return sorted(pod["spec"].get("nodeName", "") for pod in pods(cluster))


def taint(cluster: Simulator, node: str, **taint: str) -> None:
    cluster.api.patch("nodes", node, {"spec": {"taints": [taint] if taint else []}}, type="merge")


@settings(max_examples=15)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 99))
def test_an_update_takes_no_more_down_than_it_may(count: int, unavailable: int, seed: int) -> None:
    """maxUnavailable of the nodes, at every moment; and in the end all are updated."""
    cluster = running(daemon_set(updateStrategy=rolling(maxUnavailable=unavailable)), nodes=count, seed=seed)
    since = len(cluster.history)
    update(cluster, "agent:2")
    cluster.clock.sleep(120.0)
    assert images(cluster) == ["agent:2"] * count
    down = [count - sum(map(is_up, there)) for there in moments(cluster, since)]
    assert max(down) == min(unavailable, count)


@settings(max_examples=15)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 99))
def test_an_update_that_surges_takes_none_down(count: int, surge: int, seed: int) -> None:
    """New pods that are not up yet are no more than maxSurge; every node keeps one that is."""
    cluster = running(
        daemon_set(updateStrategy=rolling(maxSurge=surge, maxUnavailable=0)), nodes=count, seed=seed
    )
    since = len(cluster.history)
    update(cluster, "agent:2")
    cluster.clock.sleep(120.0)
    assert images(cluster) == ["agent:2"] * count
    for there in moments(cluster, since):
        assert sum(map(is_up, there)) >= count
        assert sum(is_active(pod) and not is_up(pod) for pod in there) <= surge
        assert sum(map(is_active, there)) <= count + surge


@pytest.mark.parametrize(
    ("share", "count", "down"), [("50%", 4, 2), ("34%", 3, 2), ("1%", 5, 1), ("100%", 3, 3)]
)
def test_percentages_are_rounded_up(share: str, count: int, down: int) -> None:
    """Over the nodes that are to have a pod."""
    cluster = running(daemon_set(updateStrategy=rolling(maxUnavailable=share)), nodes=count)
    since = len(cluster.history)
    update(cluster, "agent:2")
    cluster.clock.sleep(60.0)
    assert max(count - sum(map(is_up, there)) for there in moments(cluster, since)) == down


def test_one_on_each_node_that_takes_pods() -> None:
    """Not on the control plane, whose taint it does not tolerate, unless it does."""
    cluster = running(daemon_set())
    assert nodes(cluster) == ["node-1", "node-2", "node-3"]
    tolerant = template("agent:1", "agent", tolerations=[{"operator": "Exists"}])
    assert len(nodes(running(daemon_set(template=tolerant)))) == 4


def test_only_on_the_nodes_that_its_template_selects() -> None:
    """By label; a node that gets the label gets a pod, one that loses it loses it."""
    cluster = running(daemon_set(template=template("agent:1", "agent", nodeSelector={"disk": "ssd"})))
    assert status(cluster, "daemonsets")["desiredNumberScheduled"] == 0
    for value, expected in (("ssd", ["node-2"]), ("hdd", [])):
        cluster.api.patch("nodes", "node-2", {"metadata": {"labels": {"disk": value}}}, type="merge")
        cluster.clock.sleep(20.0)
        assert nodes(cluster) == expected


@pytest.mark.parametrize(("effect", "left"), [("NoSchedule", 3), ("NoExecute", 2), ("PreferNoSchedule", 3)])
def test_a_taint_that_comes_later(effect: str, left: int) -> None:
    """Keeps new pods away; only NoExecute takes the one that is there, and so brings a turn of the set."""
    cluster = running(daemon_set())
    taint(cluster, "node-1", key="gpu", effect=effect)
    cluster.clock.sleep(30.0)
    assert len(nodes(cluster)) == left
    shown = status(cluster, "daemonsets")
    assert (shown["desiredNumberScheduled"], shown["numberMisscheduled"]) == (left, 0)
    taint(cluster, "node-1")
    cluster.clock.sleep(30.0)
    assert nodes(cluster) == ["node-1", "node-2", "node-3"]


def test_a_pod_that_may_stay_where_none_would_be_made_counts_as_misscheduled() -> None:
    """From the next turn of the set on, whatever brings it."""
    cluster = running(daemon_set())
    taint(cluster, "node-1", key="gpu", effect="NoSchedule")
    cluster.clock.sleep(5.0)
    cluster.api.patch("daemonsets", "agent", {"spec": {"minReadySeconds": 1}}, "default")
    cluster.clock.sleep(30.0)
    shown = status(cluster, "daemonsets")
    assert (shown["desiredNumberScheduled"], shown["numberMisscheduled"]) == (2, 1)
    assert nodes(cluster) == ["node-1", "node-2", "node-3"]


def test_nodes_come_and_go() -> None:
    """A new node gets a pod; the pod of a node that is removed goes."""
    cluster = running(daemon_set())
    cluster.set_nodes(5)
    cluster.clock.sleep(20.0)
    assert len(nodes(cluster)) == 5
    cluster.api.delete("nodes", "node-5")
    cluster.clock.sleep(120.0)
    assert nodes(cluster) == ["node-1", "node-2", "node-3", "node-4"]
    assert status(cluster, "daemonsets")["desiredNumberScheduled"] == 4


def test_a_node_that_is_deleted_counts_until_something_else_happens() -> None:
    """Nobody listens to that upstream; its pod goes when the pod garbage collector has waited long enough."""
    cluster = running(daemon_set())
    cluster.api.delete("nodes", "node-3")
    cluster.clock.sleep(30.0)
    assert (len(nodes(cluster)), status(cluster, "daemonsets")["desiredNumberScheduled"]) == (3, 3)
    cluster.clock.sleep(60.0)
    assert nodes(cluster) == ["node-1", "node-2"]
    assert status(cluster, "daemonsets")["desiredNumberScheduled"] == 2


def test_an_update_takes_the_pod_of_a_node_that_is_down_and_waits_for_it() -> None:
    """It does not serve, so it goes first; and it counts as down as long as it is there."""
    cluster = running(daemon_set())
    cluster.faults.stop_node("node-1")
    cluster.clock.sleep(60.0)
    change(cluster, template=daemon_set("agent:2")["spec"]["template"])
    cluster.clock.sleep(60.0)
    (stuck,) = cluster.api.list("pods", "default", fields="spec.nodeName=node-1")
    assert "deletionTimestamp" in stuck["metadata"]
    assert "updatedNumberScheduled" not in status(cluster, "daemonsets")
    cluster.faults.start_node("node-1")
    cluster.clock.sleep(60.0)
    assert status(cluster, "daemonsets")["updatedNumberScheduled"] == 3


def test_a_cordoned_node_keeps_its_pod_and_gets_a_new_one() -> None:
    """Every daemon tolerates unschedulable nodes."""
    cluster = running(daemon_set())
    cluster.api.patch("nodes", "node-1", {"spec": {"unschedulable": True}}, type="merge")
    (pod,) = cluster.api.list("pods", "default", fields="spec.nodeName=node-1")
    cluster.api.delete("pods", pod["metadata"]["name"], "default")
    cluster.clock.sleep(30.0)
    assert nodes(cluster) == ["node-1", "node-2", "node-3"]


def test_the_pod_of_a_node_that_is_down_stays() -> None:
    """It tolerates what the node is tainted with, for ever; it is only no longer ready."""
    cluster = running(daemon_set())
    (before,) = cluster.api.list("pods", "default", fields="spec.nodeName=node-1")
    cluster.faults.stop_node("node-1")
    cluster.clock.sleep(900.0)
    (after,) = cluster.api.list("pods", "default", fields="spec.nodeName=node-1")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert "deletionTimestamp" not in after["metadata"]
    assert status(cluster, "daemonsets")["numberReady"] == 2


def fail(cluster: Simulator, node: str) -> None:
    """Makes the pod of a node a failed one."""
    (pod,) = cluster.api.list("pods", "default", fields=f"spec.nodeName={node}")
    cluster.api.put_status("pods", pod, {**pod["status"], "phase": "Failed"}, check=False)


def test_failed_pods_are_replaced_ever_more_slowly() -> None:
    """On that node; the first at once, then after 1, 2, 4 seconds since the one before."""
    cluster = running(daemon_set())
    waited = []
    for _ in range(4):
        since, begun = len(cluster.history), cluster.clock.now()
        fail(cluster, "node-1")
        made = lambda since=since: bool(born(cluster, since))  # noqa: E731
        cluster.clock.wait(made, 60.0)
        waited.append(round(cluster.clock.now() - begun))
        cluster.clock.wait(lambda: sum(map(is_up, pods(cluster))) == 3, 30.0)
    reasons = [event["reason"] for event in cluster.api.list("events", "default")]
    assert waited[0] < waited[-1]
    assert "FailedDaemonPod" in reasons


def test_a_set_that_was_changed_replaces_failed_pods_at_once() -> None:
    """Back-offs are those of one generation. failedPodsBackoffKey"""
    cluster = running(daemon_set(updateStrategy={"type": "OnDelete"}))
    for _ in range(6):
        since = len(cluster.history)
        fail(cluster, "node-1")
        made = lambda since=since: bool(born(cluster, since))  # noqa: E731
        cluster.clock.wait(made, 60.0)
        cluster.clock.sleep(3.0)
    change(cluster, minReadySeconds=1)
    cluster.clock.sleep(2.0)
    since, begun = len(cluster.history), cluster.clock.now()
    fail(cluster, "node-1")
    cluster.clock.wait(lambda: bool(born(cluster, since)), 60.0)
    assert cluster.clock.now() - begun < 2.0


def test_updated_by_hand() -> None:
    """With OnDelete nothing is replaced until somebody deletes it."""
    cluster = running(daemon_set(updateStrategy={"type": "OnDelete"}))
    update(cluster, "agent:2")
    cluster.clock.sleep(30.0)
    assert images(cluster) == ["agent:1"] * 3
    cluster.api.delete("pods", pods(cluster)[0]["metadata"]["name"], "default")
    cluster.clock.sleep(30.0)
    assert sorted(images(cluster)) == ["agent:1", "agent:1", "agent:2"]


def test_a_bad_release_takes_as_many_as_may_be_down_and_an_undo_repairs_it() -> None:
    """Old pods that do not serve are replaced whatever the limit."""
    cluster = running(daemon_set())
    cluster.faults.behave("agent:2", exists=False)
    update(cluster, "agent:2")
    cluster.clock.sleep(120.0)
    assert sorted(images(cluster)) == ["agent:1", "agent:1", "agent:2"]
    assert status(cluster, "daemonsets")["numberUnavailable"] == 1
    update(cluster, "agent:1")
    cluster.clock.sleep(60.0)
    assert images(cluster) == ["agent:1"] * 3
    assert all(map(is_up, pods(cluster)))


def test_min_ready_seconds_hold_an_update_back() -> None:
    """The next node's turn comes when the pod has been ready for so long."""
    cluster = running(daemon_set(minReadySeconds=10))
    since = len(cluster.history)
    update(cluster, "agent:2")
    cluster.clock.sleep(120.0)
    at = [each.at for each in cluster.history.since(since) if each.resource == "pods" and each.old is None]
    assert images(cluster) == ["agent:2"] * 3
    assert all(later - earlier > 10 for earlier, later in pairwise(at))


def orphan(name: str, **labels: str) -> Object:
    spec: dict[str, Any] = {**template("agent:1", "agent")["spec"], "nodeName": "node-1"}
    metadata = {"name": name, "namespace": "default", "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def test_a_pod_without_an_owner_is_taken_on_and_one_too_many_goes() -> None:
    """Of several on a node the oldest stays."""
    cluster = Simulator()
    cluster.api.create(orphan("mine", app="agent"))
    cluster.clock.sleep(2.0)
    cluster.api.create(orphan("younger", app="agent"))
    cluster.clock.sleep(10.0)
    cluster.api.create(daemon_set(updateStrategy={"type": "OnDelete"}))
    cluster.clock.sleep(40.0)
    there = {pod["metadata"]["name"]: pod for pod in pods(cluster)}
    assert len(there) == 3
    assert "younger" not in there
    owner = controller_of(there["mine"])
    assert owner is not None and owner["kind"] == "DaemonSet"  # noqa: PT018 - for the type


def test_a_pod_that_loses_its_label_is_let_go_and_replaced() -> None:
    """It runs on."""
    cluster = running(daemon_set())
    name = pods(cluster)[0]["metadata"]["name"]
    cluster.api.patch("pods", name, {"metadata": {"labels": {"app": "mine"}}}, "default", type="merge")
    cluster.clock.sleep(30.0)
    assert len(pods(cluster)) == 4
    assert controller_of(cluster.api.get("pods", name, "default")) is None


def test_a_change_of_limits_makes_no_revision() -> None:
    """Only the template does."""
    cluster = running(daemon_set())
    change(cluster, minReadySeconds=3)
    cluster.clock.sleep(20.0)
    assert len(cluster.api.list("controllerrevisions", "default")) == 1


def test_a_daemon_of_the_hosts_network_needs_none_of_the_pods() -> None:
    """What its template tolerates already is not said twice."""
    own = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}
    cluster = running(daemon_set(template=template("agent:1", "agent", hostNetwork=True, tolerations=[own])))
    for pod in pods(cluster):
        found = [each["key"].rpartition("/")[2] for each in pod["spec"]["tolerations"]]
        assert found == [
            *("not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure"),
            *("unschedulable", "network-unavailable"),
        ]


def test_creations_begin_slowly() -> None:
    """One, then two, and none after the first batch with a refusal in it."""
    cluster = Simulator(nodes=7)
    cluster.api.create(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "few", "namespace": "default"},
            "spec": {"hard": {"pods": "1"}},
        }
    )
    cluster.clock.sleep(1.0)
    cluster.api.create(daemon_set())
    cluster.clock.wait(lambda: bool(cluster.api.list("pods", "default")), 1.0)
    refused = [each for each in cluster.api.list("events", "default") if each["reason"] == "FailedCreate"]
    assert len(refused) == 2


def test_an_update_that_surges_leaves_nodes_alone_that_should_have_no_pod() -> None:
    """What serves there goes when enough others do; no new pod is made beside it."""
    cluster = running(daemon_set(updateStrategy=rolling(maxSurge=1, maxUnavailable=0)))
    taint = {"key": "full", "effect": "NoSchedule"}
    cluster.api.patch("nodes", "node-1", {"spec": {"taints": [taint]}}, type="merge")
    cluster.clock.sleep(5.0)
    assert len(pods(cluster)) == 3
    update(cluster, "agent:2")
    cluster.clock.sleep(60.0)
    assert images(cluster) == ["agent:2", "agent:2"]
    assert status(cluster, "daemonsets")["numberMisscheduled"] == 0


def test_revisions_that_pods_are_of_count_as_kept() -> None:
    """They stay, and others have to go for them. cleanupHistory"""
    cluster = running(daemon_set(updateStrategy={"type": "OnDelete"}, revisionHistoryLimit=1))
    for number in range(2, 5):
        update(cluster, f"agent:{number}")
        cluster.clock.sleep(5.0)
    found = cluster.api.list("controllerrevisions", "default")
    assert sorted(each["revision"] for each in found) == [1, 4]
