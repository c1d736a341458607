"""Which pods go first when a ReplicaSet shrinks.

pkg/controller/controller_utils.go ActivePodsWithRanks.Less
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import log2
from typing import NamedTuple, TypeAlias

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


def choose(
    pods: Iterable[Object],
    count: int,
    now: float,
    on_node: Callable[[str], int],
    known: dict[str, Standing] | None = None,
) -> list[Object]:
    """The `count` pods to delete, of the active ones that are given.

    `on_node`: how many active pods of the same owner stand on a node. First go pods without a node,
    then by phase, unready before ready, by deletion cost, from full nodes before empty ones, then
    those ready (or, unready, restarted most and made) most lately; ages are compared by their binary
    logarithm, and within one such bucket the uid decides.

    `known`: what was found out about pods, by uid, and is found out once a version; who keeps it
    drops what is gone.
    """
    pods = list(pods)
    if count >= len(pods):
        return pods
    known = {} if known is None else known
    ages = _Ages(now)
    groups: dict[_Order, list[Standing]] = {}
    for pod in pods:
        uid = pod["metadata"]["uid"]
        standing = known.get(uid)
        if standing is None or standing.pod is not pod:
            standing = known[uid] = _standing(pod)
        _, rank, node, ready, created, restarts, _ = standing
        order = (rank, -on_node(node), 0 if ready else -restarts, ages[ready or created])
        group = groups.get(order)
        if group is None:
            groups[order] = [standing]
        else:
            group.append(standing)
    victims: list[Object] = []
    for order in sorted(groups):
        group = groups[order]
        left = count - len(victims)
        if len(group) > left:
            group = sorted(group, key=_last_resort(group, ages))[:left]
        victims += [standing.pod for standing in group]
        if len(victims) == count:
            break
    return victims


_Order: TypeAlias = tuple[tuple[bool, int, bool, int], int, int, int]
"""What decides before the uid; the lowest goes first."""


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


def _last_resort(group: list[Standing], ages: _Ages) -> Callable[[Standing], tuple[int | str, ...]]:
    """The order within a group of equal standing.

    Upstream compares restarts and ages only of pods that became ready in the same second, and uids
    only of others, which is no order where both occur; there, uids decide.
    """
    if len({standing.ready for standing in group}) > 1:
        return lambda standing: (standing.uid,)
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
