"""Which pods go first when a ReplicaSet shrinks.

pkg/controller/controller_utils.go ActivePodsWithRanks.Less
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Set
from heapq import nsmallest
from itertools import chain
from math import log2
from typing import NamedTuple, TypeAlias

from gherkube.runners.objects import Object, condition, container_statuses
from gherkube.runners.simulator.clock import seconds_of

COST = "controller.kubernetes.io/pod-deletion-cost"
NO_ANNOTATIONS: Object = {}
PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


Alike: TypeAlias = dict[str, dict[str, tuple[int, str]]]
"""The pods of one rank by their nodes: of each its `Standing.since` by its uid."""


class Standing(NamedTuple):
    """What decides about one version of a pod, whatever the time and the other pods."""

    pod: Object
    rank: tuple[bool, int, bool, int]
    """Has a node, phase, ready, deletion cost."""
    since: tuple[int, str]
    """0 and when it became ready; of one that is not, minus its restarts and when it was made."""
    node: str
    created: str
    restarts: int


class Crowds:
    """How many active pods of one owner are on each node; those without a node are not counted."""

    def __init__(self) -> None:
        self.on: dict[str, int] = {}
        self._with: defaultdict[int, dict[str, None]] = defaultdict(dict)
        """The nodes by how many such pods they have."""

    def add(self, node: str, by: int) -> None:
        """So many more pods are on the node; fewer, by a negative number."""
        if not node:
            return
        before = self.on.pop(node, 0)
        if before:
            del self._with[before][node]
        if now := before + by:
            self.on[node] = now
            self._with[now][node] = None

    def fullest_first(self, nodes: Alike) -> Iterator[Set[str]]:
        """These nodes in parts, those that have the most pods first, and at last those that have none."""
        for count in sorted(self._with, reverse=True):
            yield nodes.keys() & self._with[count].keys()
        yield nodes.keys() - self.on.keys()


class Ranking:
    """The active pods of one ReplicaSet in the order in which they go.

    First go pods without a node, then by phase, unready before ready, by deletion cost, from full nodes
    before empty ones, then those ready (or, unready, restarted most and made) most lately; ages are
    compared by their binary logarithm, and within one such bucket the uid decides.

    `changed`: the pods that came or changed since the last look, by uid, and, as None, those that went;
    who keeps the pods notes them here. They are looked at when somebody asks, which for most never happens.
    """

    def __init__(self, pods: Iterable[Object] = ()) -> None:
        self.changed: dict[str, Object | None] = {pod["metadata"]["uid"]: pod for pod in pods}
        self._standings: dict[str, Standing] = {}
        self._ranks: dict[tuple[bool, int, bool, int], Alike] = {}

    def first(self, count: int, now: float, crowds: Crowds) -> list[Object]:
        """The `count` pods to delete. `crowds`: the active pods of the same owner."""
        self._catch_up()
        ages = _Ages(now)
        victims: list[Object] = []
        for rank in sorted(self._ranks):
            alike = self._ranks[rank]
            for nodes in crowds.fullest_first(alike):
                groups = _groups(alike, nodes, ages)
                for order in sorted(groups):
                    group = groups[order]
                    key = self._last_resort(ages) if len(group) == 1 else None
                    uids = nsmallest(count - len(victims), chain.from_iterable(group), key)
                    victims += [self._standings[uid].pod for uid in uids]
                    if len(victims) == count:
                        return victims
        return victims

    def _catch_up(self) -> None:
        for uid, pod in self.changed.items():
            if (old := self._standings.pop(uid, None)) is not None:
                alike = self._ranks[old.rank]
                del alike[old.node][uid]
                if not alike[old.node]:
                    del alike[old.node]
            if pod is not None:
                new = self._standings[uid] = _standing(pod)
                self._ranks.setdefault(new.rank, {}).setdefault(new.node, {})[uid] = new.since
        self.changed.clear()

    def _last_resort(self, ages: _Ages) -> Callable[[str], tuple[int | str, ...]]:
        """The order of pods with the same `since`.

        Upstream compares restarts and ages only of pods that became ready in the same second, and uids
        only of others, which is no order where both occur; there, uids decide.
        """

        def order(uid: str) -> tuple[int | str, ...]:
            standing = self._standings[uid]
            return -standing.restarts, ages[standing.created], uid

        return order


def choose(pods: list[Object], count: int, now: float, crowds: Crowds) -> list[Object]:
    """The `count` of these pods to delete; all, in the order given, when there are no more."""
    return Ranking(pods).first(count, now, crowds) if count < len(pods) else pods


def _groups(alike: Alike, nodes: Iterable[str], ages: _Ages) -> defaultdict[tuple[int, int], list[list[str]]]:
    """The uids of pods of one rank on these nodes by what goes first: restarted most, youngest.

    Each group in parts of the same `since`.
    """
    parts: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
    for node in nodes:
        for uid, since in alike[node].items():
            parts[since].append(uid)
    groups: defaultdict[tuple[int, int], list[list[str]]] = defaultdict(list)
    for (restarts, stamp), uids in parts.items():
        groups[restarts, ages[stamp]].append(uids)
    return groups


class _Ages(dict[str, int]):
    """Ages by timestamp, each as the binary logarithm of its nanoseconds. logarithmicRankDiff"""

    def __init__(self, now: float) -> None:
        super().__init__()
        self._now = now

    def __missing__(self, stamp: str) -> int:
        age = (self._now - seconds_of(stamp)) * 1e9
        bucket = self[stamp] = int(log2(age)) if age >= 1 else -1
        return bucket


def _standing(pod: Object) -> Standing:
    node = pod["spec"].get("nodeName", "")
    ready, created, restarts = _ready_since(pod), pod["metadata"]["creationTimestamp"], _restarts(pod)
    phase = PHASES.get(pod["status"].get("phase", ""), 0)
    rank = bool(node), phase, bool(ready), _cost(pod)
    since = (0, ready) if ready else (-restarts, created)
    return tuple.__new__(Standing, (pod, rank, since, node, created, restarts))  # half of its own __new__


def _ready_since(pod: Object) -> str:
    """When the pod became ready, "" when it is not."""
    ready = condition(pod, "Ready")
    return ready["lastTransitionTime"] if ready is not None and ready["status"] == "True" else ""


def _restarts(pod: Object) -> int:
    """The most restarts of one of its containers. compareMaxContainerRestarts"""
    most = 0
    for each in container_statuses(pod):
        most = each["restartCount"] if each.get("restartCount", 0) > most else most
    return most


def _cost(pod: Object) -> int:
    """pkg/apis/core/helper GetDeletionCostFromPodAnnotations: a 32-bit number without signs of padding"""
    text = pod["metadata"].get("annotations", NO_ANNOTATIONS).get(COST)
    if text is None:
        return 0
    try:
        cost = int(text)
    except ValueError:
        return 0
    return cost if str(cost) == text and -(2**31) <= cost < 2**31 else 0
