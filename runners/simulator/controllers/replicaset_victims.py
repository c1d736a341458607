"""Which pods go first when a ReplicaSet shrinks.

pkg/controller/controller_utils.go ActivePodsWithRanks.Less
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from math import log2
from operator import attrgetter
from typing import NamedTuple

from gherkube.runners.objects import Object, condition, container_statuses
from gherkube.runners.simulator.clock import seconds_of

COST = "controller.kubernetes.io/pod-deletion-cost"
NO_ANNOTATIONS: Object = {}
PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


class Standing(NamedTuple):
    """What decides about one version of a pod, whatever the time and the other pods."""

    pod: Object
    rank: tuple[bool, int, bool, int]
    """Has a node, phase, ready, deletion cost."""
    node: str
    ready: str
    """When it became ready, "" when it is not."""
    created: str
    restarts: int
    uid: str


class Crowds:
    """How many active pods of one owner are on each node; those without a node are not counted.

    `on`: the number by node, of nodes that have any. `levels`: the nodes by that number.
    """

    def __init__(self) -> None:
        self.on: dict[str, int] = {}
        self.levels: dict[int, dict[str, None]] = {}

    def add(self, node: str, by: int) -> None:
        """So many more pods are on the node; fewer, by a negative number."""
        if not node:
            return
        before = self.on.pop(node, 0)
        if before:
            del self.levels[before][node]
            if not self.levels[before]:
                del self.levels[before]
        if now := before + by:
            self.on[node] = now
            self.levels.setdefault(now, {})[node] = None


class Ranking:
    """The active pods of one ReplicaSet in the order in which they go.

    First go pods without a node, then by phase, unready before ready, by deletion cost, from full nodes
    before empty ones, then those ready (or, unready, restarted most and made) most lately; ages are
    compared by their binary logarithm, and within one such bucket the uid decides.

    `changed`: the pods that came or changed since the last look, and, as None, those that went; who
    keeps the pods notes them here. They are looked at when somebody asks, which for most never happens.
    """

    def __init__(self, pods: Iterable[Object] = ()) -> None:
        self.changed: dict[Hashable, Object | None] = {pod["metadata"]["uid"]: pod for pod in pods}
        self._standings: dict[Hashable, Standing] = {}
        self._ranks: dict[tuple[bool, int, bool, int], dict[str, dict[Hashable, Standing]]] = {}

    def first(self, count: int, now: float, crowds: Crowds) -> list[Object]:
        """The `count` pods to delete. `crowds`: the active pods of the same owner."""
        self._catch_up()
        ages = _Ages(now)
        victims: list[Object] = []
        for rank in sorted(self._ranks):
            for nodes in _fullest_first(self._ranks[rank], crowds):
                for group in _newest_first(nodes, ages):
                    victims += [standing.pod for standing in group[: count - len(victims)]]
                    if len(victims) == count:
                        return victims
        return victims

    def _catch_up(self) -> None:
        for key, pod in self.changed.items():
            if (old := self._standings.pop(key, None)) is not None:
                nodes = self._ranks[old.rank]
                del nodes[old.node][key]
                if not nodes[old.node]:
                    del nodes[old.node]
            if pod is not None:
                new = self._standings[key] = _standing(pod)
                self._ranks.setdefault(new.rank, {}).setdefault(new.node, {})[key] = new
        self.changed.clear()


def choose(pods: list[Object], count: int, now: float, crowds: Crowds) -> list[Object]:
    """The `count` of these pods to delete; all, in the order given, when there are no more."""
    return Ranking(pods).first(count, now, crowds) if count < len(pods) else pods


def _fullest_first(nodes: dict[str, dict[Hashable, Standing]], crowds: Crowds) -> Iterator[list[Standing]]:
    """The pods of the fullest nodes, of those with one pod less, and so on."""
    for level in sorted(crowds.levels, reverse=True):
        yield [
            standing for node in crowds.levels[level] if node in nodes for standing in nodes[node].values()
        ]
    yield [standing for node in nodes if node not in crowds.on for standing in nodes[node].values()]


def _newest_first(pods: list[Standing], ages: _Ages) -> Iterator[list[Standing]]:
    """Of pods of one rank those that restarted most and are youngest, and so on; each group in order, too."""
    groups: defaultdict[tuple[int, int], list[Standing]] = defaultdict(list)
    for standing in pods:
        ready = standing.ready
        groups[(0, ages[ready]) if ready else (-standing.restarts, ages[standing.created])].append(standing)
    for order in sorted(groups):
        yield sorted(groups[order], key=_last_resort(groups[order], ages))


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
    metadata = pod["metadata"]
    node = pod["spec"].get("nodeName", "")
    ready = _ready_since(pod)
    phase = PHASES.get(pod["status"].get("phase", ""), 0)
    return Standing(
        pod,
        (bool(node), phase, bool(ready), _cost(pod)),
        node,
        ready,
        metadata["creationTimestamp"],
        _restarts(pod),
        metadata["uid"],
    )


def _last_resort(group: list[Standing], ages: _Ages) -> Callable[[Standing], str | tuple[int | str, ...]]:
    """The order within a group of equal standing.

    Upstream compares restarts and ages only of pods that became ready in the same second, and uids
    only of others, which is no order where both occur; there, uids decide.
    """
    if len({standing.ready for standing in group}) > 1:
        return attrgetter("uid")
    return lambda standing: (-standing.restarts, ages[standing.created], standing.uid)


def _ready_since(pod: Object) -> str:
    """When the pod became ready, "" when it is not."""
    ready = condition(pod, "Ready")
    return ready["lastTransitionTime"] if ready is not None and ready["status"] == "True" else ""


def _restarts(pod: Object) -> int:
    """The most restarts of one of its containers. compareMaxContainerRestarts"""
    return max((each.get("restartCount", 0) for each in container_statuses(pod)), default=0)


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
