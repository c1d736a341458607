"""When: nodes go down, come back, and are cordoned or drained."""

from __future__ import annotations

from gherkube.runners import kubectl
from gherkube.runners.errors import UsageError
from gherkube.runners.expectations.count import Count
from gherkube.steps.phrases import Pods
from gherkube.steps.sentence import Topic
from gherkube.steps.world import World

TOPIC = Topic("when", "Nodes")


@TOPIC.says("node {name:text} goes down", 'node "node-2" goes down')
def goes_down(world: World, name: str) -> None:
    """Power loss: the kubelet and the containers stop, the API server hears no more."""
    world.cluster.faults.stop_node(_node(world, name))


@TOPIC.says("a node that runs {count} {pods} goes down", "a node that runs a v2 pod goes down")
def node_of_pods_goes_down(world: World, count: Count, pods: Pods) -> None:
    """The first node by name that runs so many of the pods; “a pod” is at least one."""
    nodes: dict[str, int] = {}
    for pod in world.active_pods(pods):
        name = pod["spec"].get("nodeName", "")
        nodes[name] = nodes.get(name, 0) + 1
    total = sum(nodes.values())
    for name, n in sorted(nodes.items()):
        enough = n >= 1 if (count.low, count.high) == (1, 1) else count.holds(n, total)
        if name and enough:
            world.cluster.faults.stop_node(name)
            return
    runs = (
        ", ".join(f"{name or 'no node'}: {n}" for name, n in sorted(nodes.items()))
        or "there are no such pods"
    )
    raise UsageError(f"no node runs {count.text} {world.pods(pods).noun()} ({runs})")


@TOPIC.says("node {name:text} comes back", 'node "node-2" comes back')
def comes_back(world: World, name: str) -> None:
    world.cluster.faults.start_node(_node(world, name))


def _node(world: World, name: str) -> str:
    """The name of a node that is there; ApiError NotFound where it is not."""
    found = world.node(name)
    world.api.get("nodes", found)
    return found


@TOPIC.says("I cordon node {name:text}", 'I cordon node "node-1"')
def cordon(world: World, name: str) -> None:
    kubectl.cordon(world.api, world.node(name))


@TOPIC.says("I uncordon node {name:text}", 'I uncordon node "node-1"')
def uncordon(world: World, name: str) -> None:
    kubectl.uncordon(world.api, world.node(name))


@TOPIC.says("I drain node {name:text}", 'I drain node "node-1"')
def drain(world: World, name: str) -> None:
    """As `kubectl drain --ignore-daemonsets --delete-emptydir-data` does, for as long as the patience."""
    kubectl.drain(
        world.api,
        world.cluster.clock,
        world.node(name),
        ignore_daemonsets=True,
        delete_emptydir_data=True,
        timeout=world.judge.patience,
    )
    world.let_pass()
