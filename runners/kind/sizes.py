"""How large nodes are for pods: on kind each sees the whole machine, so its kubelet keeps the rest from them.

What a node has for pods (`status.allocatable`) is its capacity without `systemReserved` of the kubelet's
configuration: https://kubernetes.io/docs/tasks/administer-cluster/reserve-compute-resources/
What pods of the cluster's own request comes on top, so that the pods of scenarios have all that was asked.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from gherkube.runners.errors import CannotJudge
from gherkube.runners.kind.nodes import SYSTEM, File, Node, Nodes, archive, everywhere
from gherkube.runners.live.api import LiveApi
from gherkube.runners.objects import Object
from gherkube.runners.quantities import cpu_milli, memory_bytes

KUBELET = "var/lib/kubelet/config.yaml"
"""Where kubeadm writes the kubelet's configuration."""
TOLD_WITHIN = 120.0
"""Seconds that a kubelet may take to start again and tell what its node has."""
LOOK = 0.3


class Size(NamedTuple):
    """Thousandths of a CPU, and bytes of memory."""

    cpu: int
    memory: int

    def without(self, other: Size) -> Size:
        """What is left of it."""
        return Size(self.cpu - other.cpu, self.memory - other.memory)

    def __str__(self) -> str:
        return f"{self.cpu / 1000:g} CPUs and {self.memory / 2**30:.2f}Gi"


def size(quantities: Mapping[str, Any]) -> Size:
    """Of a resource list: what is not in it is none."""
    return Size(cpu_milli(quantities.get("cpu", 0)), memory_bytes(quantities.get("memory", 0)))


def rooms(api: LiveApi) -> dict[str, Size]:
    """What each node has for pods of scenarios, by its container."""
    pods = api.list("pods", SYSTEM)
    return {
        node["spec"]["providerID"].rpartition("/")[2]: _room(
            node, (pod for pod in pods if pod["spec"].get("nodeName") == node["metadata"]["name"])
        )
        for node in api.list("nodes")
    }


def _room(node: Object, own: Iterable[Object]) -> Size:
    room = size(node["status"]["allocatable"])
    for pod in own:
        for container in pod["spec"]["containers"]:
            room = room.without(size(container.get("resources", {}).get("requests") or {}))
    return room


def limit(nodes: Nodes, api: LiveApi, asked: Size) -> None:
    """Makes the nodes that take pods as large as that. Raises CannotJudge where the machine is smaller."""
    has = rooms(api)
    for node in nodes.workers:
        if min(has[node.name].without(asked)) < 0:
            raise CannotJudge(f"nodes of {asked} cannot be made: on this machine one has {has[node.name]}")
    everywhere(nodes.workers, lambda node: _reserve(node, has[node.name].without(asked)))
    until = time.monotonic() + TOLD_WITHIN
    while any((now := rooms(api))[node.name] != asked for node in nodes.workers):
        if time.monotonic() > until:
            raise CannotJudge(
                f"nodes of {asked} were to be made, but they have {', '.join(map(str, now.values()))}"
            )
        time.sleep(LOOK)


def _reserve(node: Node, more: Size) -> None:
    """Has the kubelet keep so much more from pods."""
    import yaml

    configuration = yaml.safe_load(node.run("cat", f"/{KUBELET}"))
    kept = size(configuration.get("systemReserved") or {})
    configuration["systemReserved"] = {
        **(configuration.get("systemReserved") or {}),
        "cpu": f"{kept.cpu + more.cpu}m",
        "memory": str(kept.memory + more.memory),
    }
    node.put(archive({KUBELET: File(yaml.safe_dump(configuration).encode())}))
    node.run("systemctl", "restart", "kubelet")
