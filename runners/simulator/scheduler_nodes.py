"""The scheduler's picture of the nodes: what each has, and what the pods on it take.

A pod counts from the moment the scheduler decides on its node until it is gone or has ended; one that
is terminating still takes its room. Every change of a node goes into a journal, so that whoever keeps
nodes sorted (see `scheduler_view`) looks only at those that changed.
pkg/scheduler/framework/types.go NodeInfo, pkg/scheduler/backend/cache
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from gherkube.runners.objects import Object
from gherkube.runners.simulator.controllers.room import Allocatable, HostPort, Others, allocatable_of
from gherkube.runners.simulator.scheduler_demand import Demand, Verdict
from gherkube.runners.simulator.scheduler_wishes import NONE, Wishes

ZONE = "topology.kubernetes.io/zone"


class Taken(NamedTuple):
    """What the pods on a node take: requested, as scoring counts it, and how many they are."""

    cpu: int = 0
    memory: int = 0
    scored_cpu: int = 0
    scored_memory: int = 0
    pods: int = 0
    others: Others = ()


class State:
    """What a node has and what is taken of it: all that fit and the score of room depend on.

    Nodes in the same state share the object, and a state keeps those that it leads to.
    """

    __slots__ = ("allocatable", "taken", "with_", "without")

    def __init__(self, allocatable: Allocatable, taken: Taken) -> None:
        self.allocatable, self.taken = allocatable, taken
        self.with_: dict[Demand, State] = {}
        """By the demand of a pod that comes, the state then."""
        self.without: dict[Demand, State] = {}
        """The same of a pod that goes."""


NOTHING = State(Allocatable(0, 0, 0, ()), Taken())


class States(dict[tuple[Allocatable, Taken], State]):
    """All states so far, of all nodes that are compared with one another."""

    def __missing__(self, what: tuple[Allocatable, Taken]) -> State:
        state = self[what] = State(*what)
        return state

    def after(self, state: State, demand: Demand, by: int) -> State:
        """The state once a pod of that demand has come (`by` 1) or gone (-1)."""
        known = state.with_ if by > 0 else state.without
        after = known.get(demand)
        if after is None:
            after = known[demand] = self[state.allocatable, _changed(state.taken, demand, by)]
        return after


def _changed(taken: Taken, demand: Demand, by: int) -> Taken:
    requests, scored = demand.requests, demand.scored
    others = dict(taken.others)
    for name, amount in requests.others:
        others[name] = others.get(name, 0) + by * amount
    return Taken(
        taken.cpu + by * requests.cpu,
        taken.memory + by * requests.memory,
        taken.scored_cpu + by * scored.cpu,
        taken.scored_memory + by * scored.memory,
        taken.pods + by,
        tuple(sorted(others.items())),
    )


def fit(demand: Demand, room: Allocatable, taken: Taken) -> Verdict | None:
    """NodeResourcesFit: whether the pod's requests fit into what is left. noderesources/fit.go fitsRequest"""
    reasons: list[str] = []
    helpless = False
    if taken.pods + 1 > room.pods:
        reasons.append("Too many pods")
    requests = demand.requests
    wanted = [
        ("cpu", requests.cpu, room.cpu, taken.cpu),
        ("memory", requests.memory, room.memory, taken.memory),
    ]
    if requests.others:
        has_, used_ = dict(room.others), dict(taken.others)
        wanted += [(name, amount, has_.get(name, 0), used_.get(name, 0)) for name, amount in requests.others]
    for name, amount, has, used in wanted:
        if amount > has - used and amount:
            reasons.append(f"Insufficient {name}")
            helpless = helpless or amount > has
    return Verdict("NodeResourcesFit", tuple(reasons), helpless) if reasons else None


class Node:
    """A node: what it is and what the pods on it take."""

    def __init__(self, obj: Object, states: States | None = None) -> None:
        """`states`: those of all nodes that are compared with this one."""
        self._states = States() if states is None else states
        self.name: str = obj["metadata"]["name"]
        self.pods: dict[str, Placed] = {}
        self.ports: dict[HostPort, int] = {}
        self.groups: dict[str, int] = {}
        self.state = NOTHING
        self.facts = 0
        """Grows when labels, taints or the cordon change, and when it goes."""
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
        self.is_plain = not (self.taints or self.cordoned or self.zone)
        self.state = self._states[allocatable_of(obj), self.state.taken]
        self.facts += 1

    def state_after(self, gone: Iterable[Demand], come: Iterable[Demand] = ()) -> State:
        """What would be taken of it if pods of these demands went and came."""
        state = self.state
        for demands, by in ((gone, -1), (come, 1)):
            for demand in demands:
                state = self._states.after(state, demand, by)
        return state

    def _count(self, demand: Demand, by: int) -> None:
        self.state = self._states.after(self.state, demand, by)
        for port in demand.ports:
            self.ports[port] = self.ports.get(port, 0) + by
            if not self.ports[port]:
                del self.ports[port]


class Claim(NamedTuple):
    """A node on which room is being made for a pod, with the pod's priority and demand."""

    node: str
    priority: int
    demand: Demand


class Placed:
    """A pod on a node."""

    __slots__ = ("counted", "demand", "node", "pod", "wishes")

    def __init__(self, pod: Object, node: Node, demand: Demand, wishes: Wishes) -> None:
        self.pod, self.node, self.demand, self.wishes = pod, node, demand, wishes
        self.counted = False
        """Whether it counts in its group: pods that are being deleted do not."""


class Nodes:
    """All nodes by name, the pods on them, and the journal of what changed."""

    def __init__(self) -> None:
        self.by_name: dict[str, Node] = {}
        self.placed: dict[str, Placed] = {}
        """By the uid of the pod."""
        self.choosy: dict[str, Placed] = {}
        """Those of them that wish something of others."""
        self.claims: dict[str, Claim] = {}
        """By the uid of a pod that waits for those to go whom it preempted."""
        self.priorities: Counter[int] = Counter()
        """How many pods on nodes have which priority."""
        self.zones: dict[tuple[str, str], int] = {}
        """Pods by group and zone; only of nodes that say their zone."""
        self.journal: list[Node] = []
        self.base = 0
        """How many entries were cut off from the journal's beginning."""
        self._homeless: dict[str, dict[str, tuple[Object, Demand, Wishes]]] = {}
        self._states = States()

    def put(self, obj: Object) -> Node:
        """Adds a node, or takes over its new version."""
        name = obj["metadata"]["name"]
        node = self.by_name.get(name)
        if node is None:
            node = self.by_name[name] = Node(obj, self._states)
            for pod, demand, wishes in self._homeless.pop(name, {}).values():
                self.place(pod, name, demand, wishes)
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
        for uid, placed in list(node.pods.items()):
            self.remove(uid)
            self._homeless.setdefault(name, {})[uid] = (placed.pod, placed.demand, placed.wishes)
        node.gone = True
        node.facts += 1
        self._note(node)

    def place(self, pod: Object, name: str, demand: Demand, wishes: Wishes) -> None:
        """Puts a pod on a node."""
        uid, node = pod["metadata"]["uid"], self.by_name.get(name)
        self.claims.pop(uid, None)
        if node is None:
            self._homeless.setdefault(name, {})[uid] = (pod, demand, wishes)
            return
        placed = self.placed[uid] = node.pods[uid] = Placed(pod, node, demand, wishes)
        if wishes is not NONE:
            self.choosy[uid] = placed
        self.priorities[priority_of(pod)] += 1
        node._count(demand, 1)
        self._recount(placed)
        self._note(node)

    def leave_group(self, placed: Placed) -> None:
        """Takes a pod that is being deleted out of its group; it keeps its room."""
        self._uncount(placed)
        self._note(placed.node)

    def remove(self, uid: str) -> bool:
        """Takes a pod off its node; False when it was on none."""
        placed = self.placed.pop(uid, None)
        if placed is None:
            return bool(self._homeless) and any(pods.pop(uid, None) for pods in self._homeless.values())
        node = placed.node
        del node.pods[uid]
        self.choosy.pop(uid, None)
        _less(self.priorities, priority_of(placed.pod))
        node._count(placed.demand, -1)
        self._uncount(placed)
        self._note(node)
        return True

    def claimed(self, node: Node, pod: Object) -> list[Demand]:
        """What pods that are no less important than this one wait for on the node."""
        uid, mine = pod["metadata"]["uid"], priority_of(pod)
        return [
            claim.demand
            for owner, claim in self.claims.items()
            if claim.node == node.name and owner != uid and claim.priority >= mine
        ]

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
        journal = self.journal
        journal.append(node)
        if len(journal) > 1000 + 4 * len(self.by_name):
            cut = len(journal) // 2
            del journal[:cut]
            self.base += cut


def priority_of(pod: Object) -> int:
    """The priority that the API server worked out."""
    priority: int = pod["spec"].get("priority", 0)
    return priority


def _less(counts: Counter[int], what: int) -> None:
    counts[what] -= 1
    if not counts[what]:
        del counts[what]
