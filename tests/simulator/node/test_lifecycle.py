"""Nodes that go down and come back, taints, and the pods that must leave."""

from __future__ import annotations

import pytest

from gherkube.runners.objects import Key, Object, condition
from tests.simulator.node.harness import World

UNREACHABLE = "node.kubernetes.io/unreachable"
LEAVES_AFTER_5 = {
    "tolerations": [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}
        for key in ("node.kubernetes.io/not-ready", UNREACHABLE)
    ]
}
READY = "[ST IT RT CT PT]"


def node(world: World, name: str) -> Object:
    """The node as stored."""
    found = world.store.get("nodes", Key("", name))
    assert found is not None
    return found


def taints(world: World, name: str) -> list[str]:
    """The node's taints as KEY:EFFECT."""
    return [f"{each['key']}:{each['effect']}" for each in node(world, name)["spec"].get("taints", ())]


def status_of(world: World, name: str) -> str:
    """The status of the node's Ready condition."""
    ready = condition(node(world, name), "Ready")
    assert ready is not None
    return str(ready["status"])


def becomes_unknown_at(world: World, name: str) -> float:
    """When the node was marked Unknown."""
    return next(
        change.at
        for change in world.store.log.since()
        if change.resource == "nodes"
        and change.object["metadata"]["name"] == name
        and (condition(change.object, "Ready") or {})["status"] == "Unknown"
    )


@pytest.mark.parametrize("seed", range(8))
def test_a_silent_node_becomes_unknown_after_40_to_60_seconds(seed: int) -> None:
    """50 s after the monitor saw its last lease; all four conditions, the last heartbeat kept."""
    world = World(seed, nodes=3)
    world.run(400)
    world.kubelets.stop("node-2")
    world.run(470)
    assert 40 <= becomes_unknown_at(world, "node-2") - 400 <= 60
    conditions = node(world, "node-2")["status"]["conditions"]
    assert {each["status"] for each in conditions} == {"Unknown"}
    assert {each["message"] for each in conditions} == {"Kubelet stopped posting node status."}
    assert all(each["lastHeartbeatTime"] < "2025-01-01T00:06:41Z" for each in conditions)
    assert taints(world, "node-2") == [f"{UNREACHABLE}:NoSchedule", f"{UNREACHABLE}:NoExecute"]


def test_a_pod_of_a_dead_node() -> None:
    """Not ready, evicted after what it tolerates, stuck until the node is back, then lost and gone."""
    world = World(nodes=3)
    world.pod(node="node-2", spec=LEAVES_AFTER_5)
    world.run(10)
    position = len(world.store.log)
    world.kubelets.stop("node-2")
    assert world.ask().code == 0
    world.run(90)
    assert world.story(position) == [
        "`NodeNotReady`×1",
        "1/1 Running [ST IT RF CT PT] running+0",
        "`NodeNotReady`×1",
        "`TaintManagerEviction`×1",
        "1/1 Running [ST IT RF CT PT DT.DeletionByTaintManager] running+0",
        "2/1 Running [ST IT RF CT PT DT.DeletionByTaintManager] running+0",
    ]
    assert world.messages("TaintManagerEviction") == ["Marking for deletion Pod default/web"]
    position = len(world.store.log)
    world.kubelets.start("node-2")
    world.run(120)
    lost = "terminated:Unknown=255-0"
    writes = [line for line in world.story(position) if not line.startswith("`")]
    target = "DT.DeletionByTaintManager"
    assert writes == [
        f"2/2 Running [{target} SF IT RF.ContainersNotReady CF.ContainersNotReady PT] {lost}",
        f"2/2 Failed [{target} SF IT RF.PodFailed CF.PodFailed PT] {lost}",
        f"2/2 Failed [{target} SF IT RF.PodFailed CF.PodFailed PT] {lost} g0",
        "DELETED",
    ]
    assert status_of(world, "node-2") == "True"
    assert taints(world, "node-2") == []


def test_a_node_that_is_back_before_its_pods_have_to_leave() -> None:
    """The deletion is cancelled; the pod runs again with another address and one restart."""
    world = World(nodes=3)
    world.pod(node="node-2")
    world.run(10)
    world.kubelets.stop("node-2")
    world.run(90)
    world.kubelets.start("node-2")
    world.run(110)
    assert world.messages("TaintManagerEviction") == ["Cancelling deletion of Pod default/web"]
    pod = world.stored()
    assert pod is not None
    assert pod["status"]["podIP"] == "10.244.2.3"
    assert world.story()[-1] == "`TaintManagerEviction`×1" or READY in world.story()[-1]
    status = pod["status"]["containerStatuses"][0]
    assert (status["restartCount"], status["lastState"]["terminated"]["reason"]) == (1, "Unknown")
    assert world.messages("SandboxChanged") == ["Pod sandbox changed, it will be killed and re-created."]


def test_pods_that_come_and_go_while_their_node_is_down() -> None:
    """One bound meanwhile starts when the node is back; one force-deleted is forgotten."""
    world = World()
    world.pod("old")
    world.run(10)
    world.kubelets.stop("node-1")
    world.pod("new")
    world.run(15)
    world.delete("old", grace=0)
    world.kubelets.start("node-1")
    world.run(16.5)
    world.pod("late")
    world.run(30)
    assert world.stored("old") is None
    for name in ("new", "late"):
        pod = world.stored(name)
        assert pod is not None
        assert pod["status"]["phase"] == "Running"
        assert pod["status"]["containerStatuses"][0]["restartCount"] == 0
    assert not world.messages("SandboxChanged")


def test_a_short_outage_is_not_noticed() -> None:
    """Back within the grace: the node was never Unknown."""
    world = World(nodes=2)
    world.run(100)
    world.kubelets.stop("node-1")
    world.run(120)
    world.kubelets.start("node-1")
    world.run(300)
    assert not world.messages("NodeNotReady")


def test_when_most_nodes_are_down_nobody_has_to_leave() -> None:
    """3 of 4 not ready: no more NoExecute taints; with one back they come, 10 s apart."""
    world = World(nodes=4)
    world.run(100)
    for name in ("node-1", "node-2", "node-3"):
        world.kubelets.stop(name)
    world.run(400)
    must_be_left = [len(taints(world, f"node-{index}")) - 1 for index in (1, 2, 3)]
    assert sum(must_be_left) <= 1, "the first may have got its taint before the others were missed"
    back, *down = sorted(("node-1", "node-2", "node-3"), key=lambda name: -len(taints(world, name)))
    world.kubelets.start(back)
    world.run(405)
    assert sorted(len(taints(world, name)) for name in down) == [1, 2]
    world.run(415)
    assert [len(taints(world, name)) for name in down] == [2, 2]


def test_when_all_nodes_are_down_the_taints_go() -> None:
    """The fault is then rather the control plane's."""
    world = World(nodes=2)
    world.run(100)
    world.kubelets.stop("node-1")
    world.run(200)
    assert f"{UNREACHABLE}:NoExecute" in taints(world, "node-1")
    world.kubelets.stop("node-2")
    world.run(300)
    assert taints(world, "node-1") == [f"{UNREACHABLE}:NoSchedule"]


def test_cordon() -> None:
    """The node is tainted, and no longer when it is uncordoned; its pods stay."""
    world = World()
    world.pod()
    world.run(5)
    for cordoned, expected in ((True, ["node.kubernetes.io/unschedulable:NoSchedule"]), (False, [])):
        found = node(world, "node-1")
        spec = {key: value for key, value in found["spec"].items() if key != "unschedulable"}
        new = {**found, "spec": {**spec, "unschedulable": True} if cordoned else spec}
        world.api.replace_trusted("nodes", new)
        world.run(world.clock.now + 1)
        assert taints(world, "node-1") == expected
    assert world.stored() is not None


@pytest.mark.parametrize("tolerates", [False, True])
def test_a_no_execute_taint_set_by_hand(tolerates: bool) -> None:
    """Pods that do not tolerate it leave at once."""
    world = World()
    tolerations = [{"key": "mine", "operator": "Exists"}] if tolerates else []
    world.pod(spec={"tolerations": tolerations})
    world.run(5)
    found = node(world, "node-1")
    taint = {"key": "mine", "effect": "NoExecute"}
    world.api.replace_trusted("nodes", {**found, "spec": {**found["spec"], "taints": [taint]}})
    world.run(10)
    assert (world.stored() is not None) is tolerates


def test_quiet_nodes_cost_nothing() -> None:
    """Heartbeats are worked out, not played."""
    world = World(nodes=50)
    world.run(1)
    assert world.clock.next_at() is None
    world.run(1000)
    assert 989 <= world.kubelets.last_seen("node-7") <= 1000
