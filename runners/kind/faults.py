"""What is broken on purpose on the nodes of a kind cluster, and put right when a scenario ends, and verified.

Before each fault it is written down in the state folder, so that it can be undone when the process was
killed meanwhile (`undo`). Nodes of a cluster that gherkube did not make are not touched: nothing leads here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from gherkube.runners import state
from gherkube.runners.errors import ApiError, CannotJudge, GherkubeError, UsageError
from gherkube.runners.kind import sizes
from gherkube.runners.kind.images import Images
from gherkube.runners.kind.nodes import NETWORK, SYSTEM, Node, Nodes
from gherkube.runners.live.api import LiveApi
from gherkube.runners.objects import Object, is_ready

if TYPE_CHECKING:
    import docker

DEBT = "node"
"""The kind of a fault among what a run owes."""
STOPPED, PAUSED, CUT, SLOW = "stopped", "paused", "cut off", "slow"
READY_WITHIN = 180.0
"""Seconds until a node that was broken has to be as before."""
LOOK = 0.5
OWN_TAINTS = "node.kubernetes.io/"
"""What Kubernetes taints a node with by itself, and takes away again."""


class NotRight(GherkubeError):  # noqa: N818 - what is so
    """A node could not be put right."""


class _Before(NamedTuple):
    """What a node is like that nobody broke."""

    unschedulable: bool
    taints: list[Object]
    labels: dict[str, str]


class KindFaults:
    """The faults of a kind cluster that gherkube made, for one scenario."""

    def __init__(self, nodes: Nodes, images: Images, api: LiveApi) -> None:
        self._nodes, self._images, self._api = nodes, images, api
        self._owed: dict[tuple[str, str], state.Debt] = {}
        self._before = {node["metadata"]["name"]: _like(node) for node in api.list("nodes")}

    def stop_node(self, name: str) -> None:
        """Power loss: kubelet and containers stop at once; the API server hears no more."""
        self._break(name, STOPPED, lambda node: node.container.kill())

    def start_node(self, name: str) -> None:
        """The node's power is back."""
        self._mend(name, STOPPED)

    def pause_node(self, name: str) -> None:
        """All its programs stand still, and go on as if nothing had been at `resume_node`."""
        self._break(name, PAUSED, lambda node: node.container.pause())

    def resume_node(self, name: str) -> None:
        """All its programs go on."""
        self._mend(name, PAUSED)

    def cut_node(self, name: str) -> None:
        """Its network is gone: what runs there goes on, and reaches nobody. Not for the control plane."""
        if not self._node(name).is_worker:
            raise UsageError(f'node "{name}" is the control plane: it cannot be cut off from itself')
        self._break(name, CUT, lambda node: _network(node).disconnect(node.container))

    def join_node(self, name: str) -> None:
        """Its network is back, with the address that it had."""
        self._mend(name, CUT)

    def slow_node(self, name: str, seconds: float) -> None:
        """All that it sends takes that much longer. CannotJudge where its kernel has no netem."""
        delay = f"{seconds * 1000:g}ms"
        self._break(name, SLOW, lambda node: node.run(*TC, "add", *_device(node), "netem", "delay", delay))

    def hasten_node(self, name: str) -> None:
        """What it sends takes no longer than ever."""
        self._mend(name, SLOW)

    def behave(self, image: str, **behaviour: Any) -> None:
        """Containers of the image behave so; it must not run yet, unless that was known from the text."""
        self._images.behave(image, **behaviour)

    def said_of(self, image: str) -> None:
        """What an image is made to do ends with the scenario."""

    def say_again(self, said: Object) -> None:
        """Raises CannotJudge."""
        raise CannotJudge(f'image "{said["metadata"]["name"]}" is what it was made')

    def set_nodes(self, count: int, cpu: str, memory: str) -> None:
        """Looks whether the nodes are as many, and of that size, as the cluster was made for them."""
        workers = [node for node in self._api.list("nodes") if self._node_of(node).is_worker]
        if len(workers) != count:
            raise CannotJudge(f"kind cluster {self._nodes.cluster} has {len(workers)} nodes that take pods")
        if not cpu:
            return
        rooms, asked = sizes.rooms(self._api), sizes.size({"cpu": cpu, "memory": memory})
        for node in workers:
            if (room := rooms[self._node_of(node).name]) != asked:
                name = node["metadata"]["name"]
                raise CannotJudge(f'node "{name}" has {room} for pods, not {asked}')

    def mend(self) -> None:
        """Undoes all faults, the last first, and verifies that all nodes are as before. Raises NotRight."""
        for (name, fault), debt in reversed(list(self._owed.items())):
            undo(self._nodes.client, debt)
            del self._owed[name, fault]
        for node in self._api.list("nodes"):
            self._restore(node)
        self._verify()

    def reshape(self) -> None:
        """Lets others have the names of the scenario's images, now that nothing runs them any more."""
        self._images.release()

    # --- One node

    def _break(self, name: str, fault: str, act: Callable[[Node], Any]) -> None:
        node = self._node(name)
        if (name, fault) in self._owed:
            raise UsageError(f'node "{name}" is {fault} already')
        if node.state != "running":
            raise UsageError(f'node "{name}" does not run, so it cannot be made {fault}')
        told: dict[str, Any] = {"cluster": self._nodes.cluster, "container": node.name, "fault": fault}
        if fault == CUT:
            told["address"] = str(node.networks().get(NETWORK, {}).get("IPAddress", ""))
            told["routes"] = _routes(node)
        self._owed[name, fault] = state.begin().owe(DEBT, f"node {node.name} is {fault}", **told)
        try:
            act(node)
        except CannotJudge as error:
            self._mend(name, fault)
            raise CannotJudge(f'node "{name}" cannot be made {fault} here: {error}') from None

    def _mend(self, name: str, fault: str) -> None:
        if (debt := self._owed.get((name, fault))) is None:
            raise UsageError(f'node "{name}" is not {fault}')
        undo(self._nodes.client, debt)
        del self._owed[name, fault]

    def _node(self, name: str) -> Node:
        return self._node_of(self._api.get("nodes", name))

    def _node_of(self, node: Object) -> Node:
        """A Node object's container, as its providerID names it: kind://docker/CLUSTER/CONTAINER."""
        return self._nodes.by_container(node["spec"].get("providerID", "").rpartition("/")[2])

    # --- All nodes

    def _restore(self, node: Object) -> None:
        """Uncordons and untaints a node, and gives it the labels that it had."""
        name = node["metadata"]["name"]
        before, now = self._before.get(name), _like(node)
        if before is None or now == before:
            return
        gone = dict.fromkeys(now.labels.keys() - before.labels.keys())
        own = [taint for taint in node["spec"].get("taints") or () if _is_own(taint)]
        patch = {
            "metadata": {"labels": {**gone, **before.labels}},
            "spec": {"unschedulable": before.unschedulable or None, "taints": [*before.taints, *own] or None},
        }
        self._api.patch("nodes", name, patch, type="merge")

    def _verify(self) -> None:
        """Waits until all nodes are as before, ready, and all that belongs to the cluster runs on them."""
        until = time.monotonic() + READY_WITHIN
        while wrong := self._wrong():
            if time.monotonic() > until:
                raise NotRight(f"after {READY_WITHIN:g} s: {'; '.join(wrong)}")
            time.sleep(LOOK)

    def _wrong(self) -> list[str]:
        """What is not as before."""
        try:
            nodes = {node["metadata"]["name"]: node for node in self._api.list("nodes")}
            pods = self._api.list("pods", SYSTEM)
        except (ApiError, CannotJudge) as error:
            return [f"the API server does not say how the nodes are: {error}"]
        wrong = [f'node "{name}" is gone' for name in self._before.keys() - nodes.keys()]
        for name, node in nodes.items():
            if not is_ready(node):
                wrong.append(f'node "{name}" is not ready')
            elif name in self._before and _like(node) != self._before[name]:
                wrong.append(f'node "{name}" is not as it was')
            elif any(_is_own(taint) for taint in node["spec"].get("taints") or ()):
                wrong.append(f'node "{name}" is still tainted')
        wrong += [
            f"pod {pod['metadata']['name']} on {pod['spec']['nodeName']} is not ready"
            for pod in pods
            if "nodeName" in pod["spec"] and _of_a_node(pod) and not is_ready(pod)
        ]
        return sorted(wrong)


TC = ("tc", "qdisc")


def undo(client: docker.DockerClient, debt: state.Debt) -> None:
    """Undoes a fault that was written down, whoever made it, if it is still there; then it is struck out."""
    told = debt.data
    nodes = Nodes(client, told["cluster"])
    node = nodes.by_container(told["container"])
    _UNDO[told["fault"]](node, told)
    debt.paid()


def _start(node: Node, _: Mapping[str, Any]) -> None:
    if node.state != "running":
        node.container.start()


def _resume(node: Node, _: Mapping[str, Any]) -> None:
    if node.state == "paused":
        node.container.unpause()


def _join(node: Node, told: Mapping[str, Any]) -> None:
    """Connects it with the address and the routes that it had.

    With another address it has to start anew to learn of it.
    """
    from docker.errors import APIError

    if NETWORK not in node.networks():
        network = _network(node)
        try:
            network.connect(node.container, ipv4_address=told["address"])
        except APIError:
            network.connect(node.container)
            node.container.restart(timeout=0)
            return
    if node.state != "running":  # it was started without a network, and gave up
        node.container.start()
        return
    for route in told["routes"]:
        node.run("ip", "route", "replace", *route.split())


def _routes(node: Node) -> list[str]:
    """The ways to pods on other nodes, which go with the interface: `10.244.1.0/24 via 172.18.0.8`."""
    lines = node.run("ip", "route").splitlines()
    return [" ".join(line.split()[:3]) for line in lines if line.split()[1] == "via"]


def _hasten(node: Node, _: Mapping[str, Any]) -> None:
    with suppress(CannotJudge):  # it never came to be slow
        node.run(*TC, "del", *_device(node))


def _device(node: Node) -> tuple[str, str, str]:
    """The interface by which it reaches others."""
    words = node.run("ip", "route", "show", "default").split()
    return "dev", words[words.index("dev") + 1], "root"


_UNDO: dict[str, Callable[[Node, Mapping[str, Any]], None]] = {
    STOPPED: _start,
    PAUSED: _resume,
    CUT: _join,
    SLOW: _hasten,
}


def _network(node: Node) -> Any:
    return node.container.client.networks.get(NETWORK)  # type: ignore[union-attr]


def _like(node: Object) -> _Before:
    taints = [taint for taint in node["spec"].get("taints") or () if not _is_own(taint)]
    return _Before(
        bool(node["spec"].get("unschedulable")), taints, dict(node["metadata"].get("labels") or {})
    )


def _is_own(taint: Object) -> bool:
    return str(taint["key"]).startswith(OWN_TAINTS)


def _of_a_node(pod: Object) -> bool:
    """Whether it runs on each node, or belongs to one: by a DaemonSet, or as a static pod."""
    owners = pod["metadata"].get("ownerReferences") or ()
    return any(owner["kind"] in ("DaemonSet", "Node") for owner in owners)
