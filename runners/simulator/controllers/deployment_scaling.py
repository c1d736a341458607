"""What happens when a Deployment's number of replicas changes: its ReplicaSets grow or shrink in proportion.

pkg/controller/deployment/sync.go isScalingEvent, scale; util GetReplicaSetProportion
"""

from __future__ import annotations

from collections.abc import Iterable

from gherkube.runners.objects import Object
from gherkube.runners.simulator.controllers.deployment_revisions import (
    asks_for_rollback,
    clean_up,
    find_and_note,
)
from gherkube.runners.simulator.controllers.deployment_status import sync_status
from gherkube.runners.simulator.controllers.deployment_turn import (
    DESIRED,
    MAX,
    Turn,
    by_age,
    size_of,
    total_size,
)


def is_scaling(turn: Turn) -> bool:
    """Whether a ReplicaSet with pods was last sized for another number of replicas. isScalingEvent"""
    new, old = find_and_note(turn)
    for each in with_new(old, new):
        if each["spec"]["replicas"] > 0 and annotated(each, DESIRED) not in (None, turn.replicas):
            return True
    return False


def sync(turn: Turn) -> None:
    """A turn that only scales, and cleans up where the Deployment is paused. sync"""
    new, old = find_and_note(turn)
    scale(turn, new, old)
    if turn.spec.get("paused") and not asks_for_rollback(turn):
        clean_up(turn, old)
    sync_status(turn, new, with_new(old, new))


def scale(turn: Turn, new: Object | None, old: list[Object]) -> None:
    """Sizes the ReplicaSets for the Deployment's number of replicas, in the midst of a rollout or not."""
    running = active(with_new(old, new))
    if len(running) <= 1:
        only = running[0] if running else new if new is not None else old[-1] if old else None
        if only is not None:
            turn.resize(only, turn.replicas)
    elif new is not None and _is_saturated(turn, new):
        for each in active(old):
            turn.resize(each, 0)
    elif turn.is_rolling:
        for each, size in proportions(turn, running):
            turn.resize_or_annotate(each, size)


def proportions(turn: Turn, running: list[Object]) -> list[tuple[Object, int]]:
    """The ReplicaSets, the largest first, each with its share of what the Deployment may have.

    What rounding leaves over goes to the largest.
    """
    allowed = turn.replicas + turn.surge if turn.replicas > 0 else 0
    to_add = allowed - total_size(running)
    ordered = sorted(running, key=by_age, reverse=to_add > 0)
    ordered.sort(key=size_of, reverse=True)
    sizes: list[int] = []
    added = 0
    for each in ordered:
        share = _share(turn, each, to_add, added)
        sizes.append(size_of(each) + share)
        added += share
    sizes[0] = max(0, sizes[0] + to_add - added)
    return list(zip(ordered, sizes, strict=True))


def _share(turn: Turn, replica_set: Object, to_add: int, added: int) -> int:
    """util GetReplicaSetProportion"""
    if to_add == added or size_of(replica_set) == 0:
        return 0
    choose = min if to_add > 0 else max
    return choose(_fraction(turn, replica_set), to_add - added)


def _fraction(turn: Turn, replica_set: Object) -> int:
    """How much the ReplicaSet would change if all kept their proportions. getReplicaSetFraction"""
    size = size_of(replica_set)
    if turn.replicas == 0:
        return -size
    before = annotated(replica_set, MAX) or turn.status.get("replicas", 0)
    if before == 0:
        return 0
    return int(size * (turn.replicas + turn.surge) / before + 0.5) - size


def _is_saturated(turn: Turn, new: Object) -> bool:
    """Whether the new ReplicaSet has all its pods, available. util IsSaturated"""
    available = new["status"].get("availableReplicas", 0)
    return bool(size_of(new) == annotated(new, DESIRED) == available == turn.replicas)


def annotated(replica_set: Object, name: str) -> int | None:
    """The number in an annotation, None when there is none."""
    text = replica_set["metadata"].get("annotations", {}).get(name, "")
    return int(text) if text.isdecimal() else None


def active(replica_sets: Iterable[Object]) -> list[Object]:
    """Those that ask for pods. FilterActiveReplicaSets"""
    return [each for each in replica_sets if each["spec"]["replicas"] > 0]


def with_new(old: list[Object], new: Object | None) -> list[Object]:
    """The old ReplicaSets and the new one, if there is one."""
    return [*old, new] if new is not None else old
