"""A Deployment's status and conditions: Available, Progressing, ReplicaFailure.

pkg/controller/deployment/sync.go calculateStatus, progress.go syncRolloutStatus, util
SetDeploymentCondition
"""

from __future__ import annotations

from collections.abc import Callable

from gherkube.runners.objects import Object, condition
from gherkube.runners.simulator.clock import seconds_of
from gherkube.runners.simulator.controllers.deployment_turn import Turn

COMPLETE, TIMED_OUT = "NewReplicaSetAvailable", "ProgressDeadlineExceeded"
PAUSED, RESUMED = "DeploymentPaused", "DeploymentResumed"
SPIN = 0.005
"""Seconds after which a turn in the last second before the deadline is repeated (AddRateLimited)."""


def sync_status(turn: Turn, new: Object | None, replica_sets: list[Object]) -> None:
    """Brings the status up to date without judging progress. syncDeploymentStatus"""
    status = calculate(turn, new, replica_sets)
    if status != turn.status:
        turn.status = status
        turn.save()


def sync_rollout_status(
    turn: Turn, new: Object | None, replica_sets: list[Object], look_again: Callable[[float], None]
) -> None:
    """Brings the status up to date and judges progress. syncRolloutStatus

    `look_again` is told after how many seconds the deadline has to be looked at, when nothing changed.
    """
    status = calculate(turn, new, replica_sets)
    present = condition_in(turn.status, "Progressing")
    if turn.deadline is None:
        _remove(status, "Progressing")
    elif not (
        status.get("replicas", 0) == status.get("updatedReplicas", 0)
        and present is not None
        and present["reason"] == COMPLETE
    ):
        _judge(turn, status, present, new)
    failure = _failure(new, replica_sets)
    if failure is not None:
        set_condition(status, failure)
    elif condition_in(status, "ReplicaFailure") is not None:
        _remove(status, "ReplicaFailure")
    if status != turn.status:
        turn.status = status
        turn.save()
    elif (delay := _until_deadline(turn, status, present)) is not None:
        look_again(delay)


def calculate(turn: Turn, new: Object | None, replica_sets: list[Object]) -> Object:
    """The status by the ReplicaSets' statuses, with Available brought up to date. calculateStatus"""
    wanted = replicas = ready = available = 0
    for each in replica_sets:
        reported = each["status"].get
        wanted += each["spec"]["replicas"]
        replicas += reported("replicas", 0)
        ready += reported("readyReplicas", 0)
        available += reported("availableReplicas", 0)
    updated = new["status"].get("replicas", 0) if new is not None else 0
    status: Object = {"observedGeneration": turn.deployment["metadata"]["generation"]}
    if replicas:
        status["replicas"] = replicas
    if updated:
        status["updatedReplicas"] = updated
    if ready:
        status["readyReplicas"] = ready
    if available:
        status["availableReplicas"] = available
    if wanted > available:
        status["unavailableReplicas"] = wanted - available
    status["conditions"] = turn.status.get("conditions", [])
    if "collisionCount" in turn.status:
        status["collisionCount"] = turn.status["collisionCount"]
    is_available = available >= turn.replicas - turn.unavailable
    value, reason, message = AVAILABLE[is_available]
    present = condition_in(status, "Available")
    if present is None or (present["status"], present["reason"]) != (value, reason):
        set_condition(status, new_condition(turn, "Available", value, reason, message))
    return status


AVAILABLE = {
    True: ("True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
    False: ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability."),
}


def is_complete(turn: Turn, status: Object) -> bool:
    """Whether all pods are of the newest template and available. util DeploymentComplete"""
    get = status.get
    return bool(
        get("updatedReplicas", 0) == get("replicas", 0) == get("availableReplicas", 0) == turn.replicas
        and get("observedGeneration", 0) >= turn.deployment["metadata"]["generation"]
    )


def new_condition(turn: Turn, type_: str, status: str, reason: str, message: str) -> Object:
    """A condition of a Deployment as of now."""
    now = turn.api.clock.timestamp()
    return {
        "type": type_,
        "status": status,
        "lastUpdateTime": now,
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }


def condition_in(status: Object, type_: str) -> Object | None:
    """The condition of that type in a status, or None."""
    for each in status.get("conditions", ()):
        if each["type"] == type_:
            return each  # type: ignore[no-any-return]
    return None


def set_condition(status: Object, new: Object) -> None:
    """Puts a condition last, unless one of its type has the same status and reason already."""
    conditions: list[Object] = status.get("conditions", [])
    present = condition_in(status, new["type"])
    if present is not None and present["status"] == new["status"]:
        if present["reason"] == new["reason"]:
            return
        new = {**new, "lastTransitionTime": present["lastTransitionTime"]}
    status["conditions"] = [*[each for each in conditions if each is not present], new]


def mark(turn: Turn, status: str, reason: str, message: str) -> None:
    """Sets the Progressing condition of the turn's status; it is not written yet."""
    turn.status = {**turn.status}
    set_condition(turn.status, new_condition(turn, "Progressing", status, reason, message))


def check_paused(turn: Turn) -> None:
    """Notes that a Deployment was paused or resumed: its deadline stands still. checkPausedConditions"""
    if turn.deadline is None:
        return
    present = condition(turn.deployment, "Progressing")
    reason = present["reason"] if present is not None else ""
    paused = turn.spec.get("paused", False)
    if reason == TIMED_OUT or paused == (reason == PAUSED):
        return
    mark(
        turn, "Unknown", *((PAUSED, "Deployment is paused") if paused else (RESUMED, "Deployment is resumed"))
    )
    turn.save()


def _judge(turn: Turn, status: Object, present: Object | None, new: Object | None) -> None:
    """Sets Progressing: complete, progressing or timed out, the first that is true."""
    who = f'ReplicaSet "{new["metadata"]["name"]}"' if new is not None else f'Deployment "{turn.name}"'
    if is_complete(turn, status):
        message = f"{who} has successfully progressed."
        set_condition(status, new_condition(turn, "Progressing", "True", COMPLETE, message))
    elif _has_progressed(turn.status, status):
        message = f"{who} is progressing."
        progress = new_condition(turn, "Progressing", "True", "ReplicaSetUpdated", message)
        if present is not None:
            if present["status"] == "True":
                progress["lastTransitionTime"] = present["lastTransitionTime"]
            _remove(status, "Progressing")
        set_condition(status, progress)
    elif _is_late(turn, present):
        message = f"{who} has timed out progressing."
        set_condition(status, new_condition(turn, "Progressing", "False", TIMED_OUT, message))


def _has_progressed(old: Object, new: Object) -> bool:
    """util DeploymentProgressing"""

    was, is_ = old.get, new.get
    updated, updated_before = is_("updatedReplicas", 0), was("updatedReplicas", 0)
    return bool(
        is_("replicas", 0) - updated < was("replicas", 0) - updated_before
        or updated > updated_before
        or is_("readyReplicas", 0) > was("readyReplicas", 0)
        or is_("availableReplicas", 0) > was("availableReplicas", 0)
    )


def _is_late(turn: Turn, present: Object | None) -> bool:
    """util DeploymentTimedOut"""
    if present is None or present["reason"] == COMPLETE:
        return False
    assert turn.deadline is not None
    return (
        present["reason"] == TIMED_OUT
        or seconds_of(present["lastUpdateTime"]) + turn.deadline < turn.api.clock.now
    )


def _until_deadline(turn: Turn, status: Object, present: Object | None) -> float | None:
    """Seconds until the deadline has to be looked at; None when there is no need. requeueStuckDeployment

    Upstream also looks again, over and over, at what was complete and is short of pods since, in vain.
    """
    deadline = turn.deadline
    if deadline is None or present is None or is_complete(turn, status):
        return None
    if present["reason"] in (TIMED_OUT, COMPLETE):
        return None
    left = seconds_of(present["lastUpdateTime"]) + deadline - turn.api.clock.now
    return left + 1.0 if left >= 1.0 else max(left, 0.0) + SPIN


def _failure(new: Object | None, replica_sets: list[Object]) -> Object | None:
    """The failure of a ReplicaSet, the new one first, as the Deployment's condition. getReplicaFailures"""
    for each in [new, *replica_sets] if new is not None else replica_sets:
        if "conditions" in each["status"] and (failure := condition(each, "ReplicaFailure")) is not None:
            return {
                "type": failure["type"],
                "status": failure["status"],
                "lastUpdateTime": failure["lastTransitionTime"],
                "lastTransitionTime": failure["lastTransitionTime"],
                "reason": failure["reason"],
                "message": failure["message"],
            }
    return None


def _remove(status: Object, type_: str) -> None:
    status["conditions"] = [each for each in status["conditions"] if each["type"] != type_]
