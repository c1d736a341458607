"""A pod's wishes, and those of pods that run, held against all pods that are on nodes now.

Made anew for each decision, and only where somebody wishes something: see `around`.
pkg/scheduler/framework/plugins/{interpodaffinity,podtopologyspread}/{filtering,scoring}.go
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from math import log
from typing import TypeAlias

from gherkube.runners.objects import Object, is_deleting
from gherkube.runners.simulator.scheduler_demand import HARD, Demand, Verdict
from gherkube.runners.simulator.scheduler_nodes import Node, Nodes, Placed, fit
from gherkube.runners.simulator.scheduler_wishes import NONE, Constraint, NamespaceLabels, Term, Wishes

HOSTNAME = "kubernetes.io/hostname"
BESIDE_WEIGHT, SPREAD_WEIGHT = 2, 2
REQUIRED_WEIGHT = 1
"""What a pod's required affinity counts for those it asks for. InterPodAffinityArgs.HardPodAffinityWeight"""
AFFINITY, SPREAD = "InterPodAffinity", "PodTopologySpread"
NOT_BESIDE = Verdict(AFFINITY, ("node(s) didn't match pod affinity rules",), helpless=True)
NOT_APART = Verdict(AFFINITY, ("node(s) didn't match pod anti-affinity rules",), helpless=False)
UNWANTED = Verdict(AFFINITY, ("node(s) didn't satisfy existing pods anti-affinity rules",), helpless=False)
SKEWED = Verdict(SPREAD, ("node(s) didn't match pod topology spread constraints",), helpless=False)
UNLABELLED = Verdict(
    SPREAD, ("node(s) didn't match pod topology spread constraints (missing required label)",), helpless=True
)

Domain: TypeAlias = tuple[str, str]
"""A label of nodes and its value: all nodes that have it are one place."""
NOBODY: AbstractSet[str] = frozenset()


def around(
    pod: Object, wishes: Wishes, demand: Demand, nodes: Nodes, namespaces: NamespaceLabels
) -> Around | None:
    """How the pods on the nodes stand to this one; None where nobody wishes anything."""
    if wishes is NONE and not nodes.choosy and not nodes.claims:
        return None
    return Around(pod, wishes, demand, nodes, namespaces)


class Around:
    """The pods on the nodes as they concern one that is to be placed; `without`: uids not to count."""

    def __init__(
        self,
        pod: Object,
        wishes: Wishes,
        demand: Demand,
        nodes: Nodes,
        namespaces: NamespaceLabels,
        without: AbstractSet[str] = NOBODY,
    ) -> None:
        self._pod, self._wishes, self._demand = pod, wishes, demand
        self._nodes, self._namespaces, self._without = nodes, namespaces, without
        self._beside: Counter[Domain] = Counter()
        self._apart: Counter[Domain] = Counter()
        self._unwanted: Counter[Domain] = Counter()
        self._count_affinity()
        self._spread = [(constraint, self._counted(constraint, wishes.hard)) for constraint in wishes.hard]

    def but_for(self, without: AbstractSet[str]) -> Around:
        """The same without some of the pods."""
        return Around(self._pod, self._wishes, self._demand, self._nodes, self._namespaces, without)

    def rejects(self, node: Node) -> Verdict | None:
        """Why the pod may not be on the node; None when it may."""
        return self._claimed(node) or self._uneven(node) or self._unfriendly(node)

    def scores(self, nodes: Sequence[Node]) -> list[int]:
        """How good each of the nodes is as for the pods around it."""
        liked, even = self._liked(nodes), self._even(nodes)
        return [
            BESIDE_WEIGHT * like + SPREAD_WEIGHT * spread for like, spread in zip(liked, even, strict=True)
        ]

    def _claimed(self, node: Node) -> Verdict | None:
        """Whether the room is meant for pods that preempted others. RunFilterPluginsWithNominatedPods"""
        claims = self._nodes.claimed(node, self._pod)
        if not claims:
            return None
        gone = [placed.demand for uid, placed in node.pods.items() if uid in self._without]
        state = node.state_after(gone, claims)
        return fit(self._demand, state.allocatable, state.taken)

    # Affinity

    def _placed(self) -> Iterator[Placed]:
        return (each for uid, each in self._nodes.placed.items() if uid not in self._without)

    def _choosy(self) -> Iterator[Placed]:
        return (each for uid, each in self._nodes.choosy.items() if uid not in self._without)

    def _selects(self, term: Term, pod: Object) -> bool:
        return term.selects(pod, self._namespaces)

    def _count_affinity(self) -> None:
        near, apart = self._wishes.near, self._wishes.apart
        for placed in self._placed() if near or apart else ():
            labels = placed.node.labels
            if near and all(self._selects(term, placed.pod) for term in near):
                self._beside.update((term.key, labels[term.key]) for term in near if term.key in labels)
            for term in apart:
                if term.key in labels and self._selects(term, placed.pod):
                    self._apart[term.key, labels[term.key]] += 1
        for placed in self._choosy():
            labels = placed.node.labels
            for term in placed.wishes.apart:
                if term.key in labels and self._selects(term, self._pod):
                    self._unwanted[term.key, labels[term.key]] += 1

    def _unfriendly(self, node: Node) -> Verdict | None:
        labels = node.labels
        near, apart = self._wishes.near, self._wishes.apart
        if near and not self._is_beside(near, labels):
            return NOT_BESIDE
        if any(self._apart[term.key, labels[term.key]] for term in apart if term.key in labels):
            return NOT_APART
        if any(labels.get(key) == value for key, value in self._unwanted):
            return UNWANTED
        return None

    def _is_beside(self, near: Sequence[Term], labels: dict[str, str]) -> bool:
        """Where nobody is whom the pod wants, it may begin with itself. satisfyPodAffinity"""
        if any(term.key not in labels for term in near):
            return False
        if all(self._beside[term.key, labels[term.key]] for term in near):
            return True
        return not self._beside and all(self._selects(term, self._pod) for term in near)

    def _liked(self, nodes: Sequence[Node]) -> list[int]:
        """interpodaffinity/scoring.go processExistingPod, NormalizeScore"""
        weights: Counter[Domain] = Counter()
        for placed in self._placed() if self._wishes.liked else self._choosy():
            labels = placed.node.labels
            theirs = placed.wishes
            for term in self._wishes.liked:
                if term.key in labels and self._selects(term, placed.pod):
                    weights[term.key, labels[term.key]] += term.weight
            for terms, required in ((theirs.near, REQUIRED_WEIGHT), (theirs.liked, 0)):
                for term in terms:
                    if term.key in labels and self._selects(term, self._pod):
                        weights[term.key, labels[term.key]] += required or term.weight
        keys = {key for key, _ in weights}
        sums = [sum(weights[key, node.labels[key]] for key in keys if key in node.labels) for node in nodes]
        low, high = min(sums), max(sums)
        return [100 * (each - low) // (high - low) if high > low else 0 for each in sums]

    # Spread

    def _counted(self, constraint: Constraint, like: Sequence[Constraint]) -> dict[str, int]:
        """How many pods of the constraint each value of its label has, of all nodes that count."""
        counts: dict[str, int] = defaultdict(int)
        for node in self._nodes.by_name.values():
            if all(each.key in node.labels for each in like) and self._counts(constraint, node):
                counts[node.labels[constraint.key]] += self._pods_on(constraint, node)
        return counts

    def _counts(self, constraint: Constraint, node: Node) -> bool:
        """matchNodeInclusionPolicies"""
        if constraint.honors_affinity and not self._demand.matches(node.name, node.labels):
            return False
        return not constraint.honors_taints or all(
            taint["effect"] not in HARD or self._demand.tolerates(taint) for taint in node.taints
        )

    def _pods_on(self, constraint: Constraint, node: Node) -> int:
        """countPodsMatchSelector"""
        namespace = self._pod["metadata"]["namespace"]
        return sum(
            uid not in self._without
            and placed.pod["metadata"]["namespace"] == namespace
            and not is_deleting(placed.pod)
            and constraint.labels(placed.pod["metadata"].get("labels") or {})
            for uid, placed in node.pods.items()
        )

    def _uneven(self, node: Node) -> Verdict | None:
        for constraint, counts in self._spread:
            value = node.labels.get(constraint.key)
            if value is None:
                return UNLABELLED
            fewest = min(counts.values(), default=0) if len(counts) >= constraint.least_domains else 0
            if counts.get(value, 0) + constraint.counts_itself - fewest > constraint.skew:
                return SKEWED
        return None

    def _even(self, nodes: Sequence[Node]) -> list[int]:
        """podtopologyspread/scoring.go Score, NormalizeScore"""
        soft = self._wishes.soft
        if not soft:
            return [0] * len(nodes)
        labelled = [all(each.key in node.labels for each in soft) for node in nodes]
        crowd = [self._crowd(constraint, nodes, labelled) for constraint in soft]
        sums = [
            round(sum(of(node) for of in crowd)) if has else -1
            for node, has in zip(nodes, labelled, strict=True)
        ]
        there = [each for each in sums if each >= 0]
        top, base = max(there, default=0), min(there, default=0)
        return [0 if each < 0 else 100 * (top + base - each) // top if top else 100 for each in sums]

    def _crowd(
        self, constraint: Constraint, nodes: Sequence[Node], labelled: Sequence[bool]
    ) -> Callable[[Node], float]:
        """How crowded a node's place is, as one constraint counts it. scoreForCount"""
        key, soft = constraint.key, self._wishes.soft
        if key == HOSTNAME:
            weight = log(sum(labelled) + 2)
            return lambda node: self._pods_on(constraint, node) * weight + constraint.skew - 1
        counts = self._counted(constraint, soft)
        places = {node.labels[key] for node, has in zip(nodes, labelled, strict=True) if has}
        weight = log(len(places) + 2)
        return lambda node: counts.get(node.labels[key], 0) * weight + constraint.skew - 1
