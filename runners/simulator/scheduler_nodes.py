"""The scheduler's picture of the nodes: what each has, and what the pods on it take.

A pod counts from the moment the scheduler decides on its node until it is gone or has ended; one that
is terminating still takes its room. Every change of a node goes into a journal, so that whoever keeps
nodes sorted (see `scheduler_view`) looks only at those that changed.
pkg/scheduler/framework/types.go NodeInfo, pkg/scheduler/backend/cache
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from gherkube.runners.objects import Key, Object
from gherkube.runners.quantities import cpu_milli, memory_bytes
from gherkube.runners.simulator.scheduler_demand import Demand, HostPort

ZONE = "topology.kubernetes.io/zone"


class Allocatable(NamedTuple):
    """What a node has for pods."""

    cpu: int
    memory: int
    pods: int
    others: tuple[tuple[str, int], ...]


State: TypeAlias = tuple[Allocatable, int, int, int, int, int, tuple[tuple[str, int], ...]]


class Node:
    """A node: what it is and what the pods on it take."""

    def __init__(self, obj: Object, states: dict[State, int] | None = None) -> None:
        """`states`: the numbers of all states so far, of all nodes that are compared with this one."""
        self._states: dict[State, int] = {} if states is None else states
        self.name: str = obj["metadata"]["name"]
        self.pods: dict[Key, Placed] = {}
        self.cpu = self.memory = self.scored_cpu = self.scored_memory = 0
        self.others: dict[str, int] = {}
        self.ports: dict[HostPort, int] = {}
        self.groups: dict[str, int] = {}
        self.facts = 0
        """Grows when labels, taints or the cordon change."""
        self.gone = False
        self.update(obj)

    def update(self, obj: Object) -> None:
        """Takes over a new version of the node object."""
        spec = obj.get("spec", {})
        self.obj = obj
        self.labels: dict[str, str] = obj["metadata"].get("labels") or {}
        self.taints: list[Object] = spec.get("taints") or []
        self.cordoned: bool = spec.get("unschedulable", False)
        self.zone = self.labels.get(ZONE, "")
        self.allocatable = allocatable_of(obj)
        self.facts += 1
        self._sum_up()

    def _sum_up(self) -> None:
        state = (
            self.allocatable,
            self.cpu,
            self.memory,
            self.scored_cpu,
            self.scored_memory,
            len(self.pods),
            tuple(sorted(self.others.items())) if self.others else (),
        )
        self.state = self._states.setdefault(state, len(self._states))
        """A number for all that fit and the score of room depend on; the same for nodes in the same state."""

    def _count(self, demand: Demand, by: int) -> None:
        requests, scored = demand.requests, demand.scored
        self.cpu += by * requests.cpu
        self.memory += by * requests.memory
        self.scored_cpu += by * scored.cpu
        self.scored_memory += by * scored.memory
        for name, amount in requests.others:
            self.others[name] = self.others.get(name, 0) + by * amount
        for port in demand.ports:
            self.ports[port] = self.ports.get(port, 0) + by
            if not self.ports[port]:
                del self.ports[port]
        self._sum_up()


class Placed:
    """A pod on a node."""

    __slots__ = ("counted", "demand", "node", "pod")

    def __init__(self, pod: Object, node: Node, demand: Demand) -> None:
        self.pod, self.node, self.demand = pod, node, demand
        self.counted = False
        """Whether it counts in its group: pods that are being deleted do not."""


class Nodes:
    """All nodes by name, the pods on them, and the journal of what changed."""

    def __init__(self) -> None:
        self.by_name: dict[str, Node] = {}
        self.placed: dict[Key, Placed] = {}
        self.zones: dict[tuple[str, str], int] = {}
        """Pods by group and zone; only of nodes that say their zone."""
        self.journal: list[Node] = []
        self.base = 0
        """How many entries were cut off from the journal's beginning."""
        self._homeless: dict[str, dict[Key, tuple[Object, Demand]]] = {}
        self._states: dict[State, int] = {}

    def put(self, obj: Object) -> Node:
        """Adds a node, or takes over its new version."""
        name = obj["metadata"]["name"]
        node = self.by_name.get(name)
        if node is None:
            node = self.by_name[name] = Node(obj, self._states)
            for key, (pod, demand) in self._homeless.pop(name, {}).items():
                self.place(key, pod, name, demand)
        else:
            for placed in node.pods.values():
                self._uncount(placed)
            node.update(obj)
            for placed in node.pods.values():
                self._recount(placed)
        self._note(node)
        return node

    def drop(self, name: str) -> None:
        """Takes a node out."""
        node = self.by_name.pop(name, None)
        if node is None:
            return
        for key, placed in list(node.pods.items()):
            self.remove(key)
            self._homeless.setdefault(name, {})[key] = (placed.pod, placed.demand)
        node.gone = True
        self._note(node)

    def place(self, key: Key, pod: Object, name: str, demand: Demand) -> None:
        """Puts a pod on a node."""
        node = self.by_name.get(name)
        if node is None:
            self._homeless.setdefault(name, {})[key] = (pod, demand)
            return
        placed = self.placed[key] = node.pods[key] = Placed(pod, node, demand)
        node._count(demand, 1)
        self._recount(placed)
        self._note(node)

    def refresh(self, placed: Placed, pod: Object) -> None:
        """Takes over a new version of a placed pod; one that is being deleted leaves its group."""
        placed.pod = pod
        if placed.counted and "deletionTimestamp" in pod["metadata"]:
            self._uncount(placed)
            self._note(placed.node)

    def remove(self, key: Key) -> bool:
        """Takes a pod off its node; False when it was on none."""
        placed = self.placed.pop(key, None)
        if placed is None:
            return any(homeless.pop(key, None) for homeless in self._homeless.values())
        node = placed.node
        del node.pods[key]
        node._count(placed.demand, -1)
        self._uncount(placed)
        self._note(node)
        return True

    def _recount(self, placed: Placed) -> None:
        group, node = placed.demand.group, placed.node
        if group and "deletionTimestamp" not in placed.pod["metadata"]:
            placed.counted = True
            node.groups[group] = node.groups.get(group, 0) + 1
            if node.zone:
                self.zones[group, node.zone] = self.zones.get((group, node.zone), 0) + 1

    def _uncount(self, placed: Placed) -> None:
        if placed.counted:
            placed.counted = False
            group, node = placed.demand.group, placed.node
            node.groups[group] -= 1
            if not node.groups[group]:
                del node.groups[group]
            if node.zone:
                self.zones[group, node.zone] -= 1

    def _note(self, node: Node) -> None:
        self.journal.append(node)
        if len(self.journal) > 1000 + 4 * len(self.by_name):
            cut = len(self.journal) // 2
            del self.journal[:cut]
            self.base += cut


def allocatable_of(obj: Object) -> Allocatable:
    """What a node has for pods, from its status."""
    status = obj.get("status", {})
    room = dict(status.get("allocatable") or status.get("capacity") or {})
    cpu, memory = cpu_milli(room.pop("cpu", 0)), memory_bytes(room.pop("memory", 0))
    pods = memory_bytes(room.pop("pods", 0))
    return Allocatable(cpu, memory, pods, tuple(sorted((name, memory_bytes(q)) for name, q in room.items())))
