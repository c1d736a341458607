"""How the scheduler finds the best of very many nodes for a pod without looking at each.

For all pods that ask the same (one `Demand`) a node's verdict depends on little: what it is, what the
pods on it take, and how many of the pods' group it has. So a view keeps the nodes in buckets of equal
verdict, and a decision compares buckets: a cluster of a thousand like nodes has a handful. The journal
of `Nodes` says which nodes to put into another bucket before the next decision.

Filters, in upstream's order (a node shows the reasons of its first failing filter only), and scores
are those of the default plugins of 1.34; all nodes are scored, whereas upstream looks only at a
share of them in clusters of more than 100.
pkg/scheduler/framework/plugins/{nodeunschedulable,tainttoleration,nodeaffinity,nodeports,noderesources,podtopologyspread}
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain
from math import log
from random import Random
from typing import NamedTuple

from gherkube.runners.simulator.controllers.room import Allocatable, conflicting
from gherkube.runners.simulator.controllers.tainteviction import tolerates
from gherkube.runners.simulator.scheduler_around import Around
from gherkube.runners.simulator.scheduler_demand import HARD, UNSCHEDULABLE, Demand, Verdict
from gherkube.runners.simulator.scheduler_nodes import Node, Nodes, State, Taken, fit

HOST_SKEW, ZONE_SKEW = 3, 5
"""maxSkew of the default constraints. podtopologyspread/plugin.go systemDefaultConstraints"""
SPREAD_WEIGHT, TAINT_WEIGHT, AFFINITY_WEIGHT = 2, 3, 2


def cordoned(demand: Demand, node: Node) -> bool:
    """NodeUnschedulable: the node takes no pods, and the pod does not tolerate that."""
    return node.cordoned and not demand.tolerates(UNSCHEDULABLE)


def tainted(demand: Demand, node: Node) -> bool:
    """TaintToleration: a hard taint of the node is not tolerated."""
    return bool(node.taints) and any(
        taint["effect"] in HARD and not demand.tolerates(taint) for taint in node.taints
    )


def unselected(demand: Demand, node: Node) -> bool:
    """NodeAffinity: the pod's node selector or required node affinity does not match the node."""
    return not demand.matches(node.name, node.labels)


STATIC: tuple[tuple[str, Callable[[Demand, Node], bool], str], ...] = (
    ("NodeUnschedulable", cordoned, "node(s) were unschedulable"),
    ("TaintToleration", tainted, "node(s) had untolerated taint(s)"),
    ("NodeAffinity", unselected, "node(s) didn't match Pod's node affinity/selector"),
)
"""The filters that look only at what a node is; no preemption helps against them."""


class Standing(NamedTuple):
    """What a node is to a demand, whatever runs on it."""

    rejected: Verdict | None = None
    disliked: int = 0
    """How many PreferNoSchedule taints are not tolerated."""
    preferred: int = 0
    """The weight of the preferred node affinity terms that match."""
    zone: str = ""


ALIKE = Standing()
"""What most nodes are to most demands."""


@dataclass(slots=True, eq=False)
class Bucket:
    """Nodes with the same verdict."""

    key: Hashable
    standing: Standing
    state: State
    count: int
    """How many pods of the group each has."""
    verdict: Verdict | None
    """Why pods of the demand do not fit, or None."""
    room: int
    """The score of the room that is left: LeastAllocated and BalancedAllocation."""
    nodes: list[Place] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Place:
    """Where a node is: its bucket and place in it, and the node's facts of which its standing was made."""

    node: Node
    bucket: Bucket
    at: int
    facts: int


def room_score(demand: Demand, room: Allocatable, taken: Taken) -> int:
    """How good the node is for what is left on it afterwards, 0 to 200.

    noderesources/least_allocated.go leastResourceScorer, balanced_allocation.go balancedResourceScorer
    """
    scores, weights = 0, 0
    for asked, has in (
        (taken.scored_cpu + demand.scored.cpu, room.cpu),
        (taken.scored_memory + demand.scored.memory, room.memory),
    ):
        if has:
            scores += (has - asked) * 100 // has if asked <= has else 0
            weights += 1
    least = scores // weights if weights else 0
    if demand.best_effort or not (room.cpu and room.memory):
        return least
    cpu = min((taken.cpu + demand.requests.cpu) / room.cpu, 1.0)
    memory = min((taken.memory + demand.requests.memory) / room.memory, 1.0)
    return least + int((1 - abs(cpu - memory) / 2) * 100)


class View:
    """All nodes as pods of one demand see them."""

    def __init__(self, nodes: Nodes, demand: Demand) -> None:
        self.demand = demand
        self._nodes = nodes
        self._buckets: dict[Hashable, Bucket] = {}
        self._closed = 0
        """How many of them hold nodes on which pods of the demand do not fit."""
        self._places: dict[Node, Place] = {}
        self._interned: dict[Standing, Standing] = {}
        self._alike = True
        """Whether all nodes are the same to the demand, but for those that it may not use."""
        self._position = -1

    def best(self, random: Random, around: Around | None = None) -> Node | None:
        """The node with the highest score, one of them at random if several have it; None if none fits.

        `around`: how the pods on the nodes stand to this one, where anybody minds.
        """
        self._catch_up()
        buckets = self._buckets.values()
        feasible = [bucket for bucket in buckets if bucket.verdict is None] if self._closed else [*buckets]
        if around is not None:
            return self._best_of(_accepted(feasible, around), around, random)
        if not feasible:
            return None
        scores = self._scores(feasible)
        top = max(scores)
        if scores.count(top) == 1:
            nodes = feasible[scores.index(top)].nodes
        else:
            best = [bucket.nodes for bucket, score in zip(feasible, scores, strict=True) if score == top]
            nodes = [*chain.from_iterable(best)]
        return nodes[int(random.random() * len(nodes))].node

    def _best_of(self, accepted: list[Bucket], around: Around, random: Random) -> Node | None:
        """The same, node by node, where the pods on each matter."""
        if not accepted:
            return None
        nodes = [place.node for bucket in accepted for place in bucket.nodes]
        rooms = zip(accepted, self._scores(accepted), strict=True)
        scores = [score for bucket, score in rooms for _ in bucket.nodes]
        scores = [sum(both) for both in zip(scores, around.scores(nodes), strict=True)]
        top = max(scores)
        best = [node for node, score in zip(nodes, scores, strict=True) if score == top]
        return best[int(random.random() * len(best))]

    def rejected(self, around: Around | None = None) -> Iterator[tuple[Verdict, int]]:
        """The verdicts against nodes, each with the number of nodes that it is about."""
        self._catch_up()
        for bucket in self._buckets.values():
            if bucket.verdict is not None:
                yield bucket.verdict, len(bucket.nodes)
            elif around is not None:
                yield from ((verdict, 1) for place in bucket.nodes if (verdict := around.rejects(place.node)))

    def rejections(self, around: Around | None = None) -> Iterator[tuple[Node, Verdict]]:
        """The same node by node."""
        self._catch_up()
        for bucket in self._buckets.values():
            for place in bucket.nodes:
                verdict = bucket.verdict or (around.rejects(place.node) if around else None)
                if verdict is not None:
                    yield place.node, verdict

    def _scores(self, feasible: list[Bucket]) -> list[int]:
        if self._alike and self.demand.group:
            nodes, least, most = 0, feasible[0].count, 0
            for bucket in feasible:  # asked for each pod: half of what sum(), min() and max() take
                count = bucket.count
                nodes += len(bucket.nodes)
                least = count if count < least else least
                most = count if count > most else most
            spread = _spread(nodes, least, most)
            return [bucket.room + spread[bucket.count] for bucket in feasible]
        if self.demand.group:
            crowds = self._crowds(feasible)
            top = max(crowds)
            most = top + min(crowds)
            scores = [
                bucket.room + SPREAD_WEIGHT * (100 * (most - crowd) // top)
                for bucket, crowd in zip(feasible, crowds, strict=True)
            ]
        else:
            scores = [bucket.room for bucket in feasible]
        if self.demand.preferred and (top := max([bucket.standing.preferred for bucket in feasible])):
            for at, bucket in enumerate(feasible):
                scores[at] += AFFINITY_WEIGHT * (100 * bucket.standing.preferred // top)
        if top := max([bucket.standing.disliked for bucket in feasible]):
            for at, bucket in enumerate(feasible):
                scores[at] += TAINT_WEIGHT * (100 - 100 * bucket.standing.disliked // top)
        return scores

    def _crowds(self, feasible: list[Bucket]) -> list[int]:
        """How crowded the nodes are with pods of the group. podtopologyspread/scoring.go Score"""
        nodes = sum([len(bucket.nodes) for bucket in feasible])
        by_host = log(nodes + 2)
        zones = {bucket.standing.zone for bucket in feasible}
        zones.discard("")
        if not zones:
            return [round(bucket.count * by_host + HOST_SKEW - 1) for bucket in feasible]
        by_zone, in_zone = log(len(zones) + 2), self._nodes.zones
        return [
            round(
                bucket.count * by_host
                + HOST_SKEW
                - 1
                + (
                    in_zone.get((self.demand.group, zone), 0) * by_zone + ZONE_SKEW - 1
                    if (zone := bucket.standing.zone)
                    else 0
                )
            )
            for bucket in feasible
        ]

    def _catch_up(self) -> None:
        nodes = self._nodes
        end = nodes.base + len(nodes.journal)
        changed: Iterable[Node]
        if self._position < nodes.base or end - self._position > len(nodes.by_name):
            for node in [node for node in self._places if node.gone]:
                self._take_out(self._places.pop(node))
            changed = nodes.by_name.values()
        else:
            changed = nodes.journal[self._position - nodes.base :]
        places, group, ports = self._places, self.demand.group, self.demand.ports
        for node in changed:
            place = places.get(node)
            if (
                place is None
                or place.bucket.state is not node.state
                or place.bucket.count != node.groups.get(group, 0)
                or place.facts != node.facts
                or ports
            ):
                self._put(node, place)
        self._position = end

    def _put(self, node: Node, place: Place | None) -> None:
        """Puts a node that may have changed into its bucket; takes out one that is gone."""
        demand, state = self.demand, node.state
        if place is not None and place.facts == node.facts:
            standing = place.bucket.standing
        elif node.gone:
            if place is not None:
                self._take_out(self._places.pop(node))
            return
        else:
            standing = self._standing(node)
        count = node.groups.get(demand.group, 0)
        clash = bool(demand.ports) and conflicting(demand.ports, node.ports)
        key: Hashable = standing if standing.rejected else (standing, state, count, clash)
        if place is not None:
            place.facts = node.facts
            if place.bucket.key == key:
                return
            self._take_out(place)
        bucket = self._buckets.get(key)
        if bucket is None:
            verdict, room = self._judge(standing, state, clash)
            bucket = self._buckets[key] = Bucket(key, standing, state, count, verdict, room)
            self._closed += verdict is not None
        nodes = bucket.nodes
        if place is None:
            place = self._places[node] = Place(node, bucket, len(nodes), node.facts)
        else:
            place.bucket, place.at = bucket, len(nodes)
        nodes.append(place)

    def _judge(self, standing: Standing, state: State, clash: bool) -> tuple[Verdict | None, int]:
        """Why pods do not fit, or None, and the score of the room that is left then."""
        if standing.rejected:
            return standing.rejected, 0
        if clash:
            return PORTS_TAKEN, 0
        verdict = fit(self.demand, state.allocatable, state.taken)
        return verdict, 0 if verdict else room_score(self.demand, state.allocatable, state.taken)

    def _take_out(self, place: Place) -> None:
        bucket = place.bucket
        last = bucket.nodes.pop()
        if last is not place:
            bucket.nodes[place.at] = last
            last.at = place.at
        if not bucket.nodes:
            del self._buckets[bucket.key]
            self._closed -= bucket.verdict is not None

    def _standing(self, node: Node) -> Standing:
        standing = stand(self.demand, node)
        self._alike = self._alike and (standing == ALIKE or standing.rejected is not None)
        return self._interned.setdefault(standing, standing)


@lru_cache(1024)
def _spread(nodes: int, least: int, most: int) -> list[int]:
    """The scores for spread by how many pods of the group a node has, where nodes are in no zone."""
    by_host = log(nodes + 2)
    crowds = [round(count * by_host + HOST_SKEW - 1) for count in range(most + 1)]
    top, base = crowds[most], crowds[least]
    return [SPREAD_WEIGHT * (100 * (top + base - crowd) // top) for crowd in crowds]


def _accepted(feasible: Iterable[Bucket], around: Around) -> list[Bucket]:
    """What is left of the buckets without the nodes on which the pod may not be for the pods there."""
    left = [
        replace(bucket, nodes=[place for place in bucket.nodes if around.rejects(place.node) is None])
        for bucket in feasible
    ]
    return [bucket for bucket in left if bucket.nodes]


def stand(demand: Demand, node: Node) -> Standing:
    """What the node is to the demand."""
    if demand.takes_any and node.is_plain:  # as most do, and are
        return ALIKE
    if demand.named is not None and node.name not in demand.named:
        return UNNAMED
    for plugin, fails, reason in STATIC:
        if fails(demand, node):
            return Standing(Verdict(plugin, (reason,), helpless=True))
    disliked = sum(
        [
            not any(
                toleration.get("effect") in (None, "", "PreferNoSchedule") and tolerates(toleration, taint)
                for toleration in demand.tolerations
            )
            for taint in node.taints
            if taint["effect"] == "PreferNoSchedule"
        ]
    )
    preferred = demand.preference(node.name, node.labels) if demand.preferred else 0
    return Standing(None, disliked, preferred, node.zone)


UNNAMED = Standing(
    Verdict("NodeAffinity", ("node(s) didn't satisfy plugin(s) [NodeAffinity]",), helpless=True)
)
"""What a node is to a pod that names others, as daemons do: it is not looked at. findNodesThatFitPod"""
PORTS_TAKEN = Verdict(
    "NodePorts", ("node(s) didn't have free ports for the requested pod ports",), helpless=False
)
