"""How a Deployment replaces its pods: RollingUpdate and Recreate.

pkg/controller/deployment/rolling.go, recreate.go
"""

from __future__ import annotations

from collections.abc import Callable

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.controllers.deployment_revisions import (
    clean_up,
    find_and_note,
    wanted_of_new,
)
from gherkube.runners.simulator.controllers.deployment_scaling import active, with_new
from gherkube.runners.simulator.controllers.deployment_status import is_complete, sync_rollout_status
from gherkube.runners.simulator.controllers.deployment_turn import Turn, size_of, total, total_size

LookAgain = Callable[[float], None]


def roll(turn: Turn, look_again: LookAgain) -> None:
    """One turn of a RollingUpdate: the new ReplicaSet grows, or else the old ones shrink. rolloutRolling"""
    new, old = find_and_note(turn, create=True)
    assert new is not None
    everything = with_new(old, new)
    if not _grow_new(turn, new, everything) and not _shrink_old(turn, new, active(old)):
        _clean_up_if_complete(turn, old)
    sync_rollout_status(turn, new, everything, look_again)


def recreate(turn: Turn, look_again: LookAgain, has_pods: Callable[[Object | None], bool]) -> None:
    """One turn of Recreate: nothing new before all that is old has gone. rolloutRecreate

    `has_pods`: whether pods that have not ended are there, of other ReplicaSets than the given one.
    """
    new, old = find_and_note(turn)
    running = active(old)
    for each in running:
        turn.resize(each, 0)
    if running or total(old, "replicas") > 0 or has_pods(new):
        sync_rollout_status(turn, new, with_new(old, new), look_again)
        return
    if new is None:
        new, old = find_and_note(turn, create=True)
        assert new is not None
    turn.resize(new, turn.replicas)
    _clean_up_if_complete(turn, old)
    sync_rollout_status(turn, new, with_new(old, new), look_again)


def _clean_up_if_complete(turn: Turn, old: list[Object]) -> None:
    if is_complete(turn, turn.status):
        clean_up(turn, old)


def _grow_new(turn: Turn, new: Object, everything: list[Object]) -> bool:
    """Gives the new ReplicaSet the size allowed now; whether that is another. reconcileNewReplicaSet"""
    size = size_of(new)
    wanted = turn.replicas if size >= turn.replicas else wanted_of_new(turn, everything, size)
    if wanted == size:
        return False
    turn.resize(new, wanted)
    return True


def _shrink_old(turn: Turn, new: Object, old: list[Object]) -> bool:
    """Takes pods from old ReplicaSets while enough stay available; whether any. reconcileOldReplicaSets

    An error on the way counts as nothing done, as upstream.
    """
    at_least = turn.replicas - turn.unavailable
    new_unavailable = size_of(new) - new["status"].get("availableReplicas", 0)
    budget = total_size(old) + size_of(new) - at_least - new_unavailable
    if not old or budget <= 0:
        return False
    try:
        left = _drop_unhealthy(turn, old, budget)
        spare = total([*left, new], "availableReplicas") - at_least
        return _drop(turn, left, spare) or total_size(left) < total_size(old)
    except (ApiError, _StatusLags):
        return False


class _StatusLags(Exception):  # noqa: N818 - not an error of anybody
    """A ReplicaSet reports more available pods than it asks for: it has not followed its spec yet."""


def _drop_unhealthy(turn: Turn, old: list[Object], budget: int) -> list[Object]:
    """Takes pods that are not available first, from the oldest ReplicaSets; returns all as they are then.

    cleanupUnhealthyReplicas
    """
    result = []
    for each in old:
        unhealthy = size_of(each) - each["status"].get("availableReplicas", 0)
        if budget > 0 and unhealthy:
            if unhealthy < 0:
                raise _StatusLags
            dropped = min(budget, unhealthy)
            budget -= dropped
            each = turn.resize(each, size_of(each) - dropped)
        result.append(each)
    return result


def _drop(turn: Turn, old: list[Object], spare: int) -> bool:
    """Takes as many pods as are spare, from the oldest first; whether any.

    scaleDownOldReplicaSetsForRollingUpdate
    """
    dropped = 0
    for each in old:
        if dropped >= spare:
            break
        if size := min(size_of(each), spare - dropped):
            turn.resize(each, size_of(each) - size)
            dropped += size
    return dropped > 0
