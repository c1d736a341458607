"""What `kubectl rollout status` says of a workload as it is.

kubectl: pkg/polymorphichelpers/rollout_status.go
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from gherkube.runners.objects import Object, condition


class RolloutStatus(NamedTuple):
    """The line that kubectl prints, and whether it stops there: done (exit 0) or failed (exit 1)."""

    message: str
    done: bool = False
    failed: bool = False


ONLY_ROLLING = RolloutStatus(
    "error: rollout status is only available for RollingUpdate strategy type", failed=True
)


def rollout_status(workload: Object) -> RolloutStatus:
    """Judges the rollout of the newest generation of a Deployment, StatefulSet or DaemonSet."""
    return STATUSES[workload["kind"]](workload)


def _deployment(deployment: Object) -> RolloutStatus:
    if _is_unseen(deployment):
        return RolloutStatus("Waiting for deployment spec update to be observed...")
    spec, status, name = deployment["spec"], deployment.get("status", {}), deployment["metadata"]["name"]
    progressing = condition(deployment, "Progressing")
    if progressing is not None and progressing.get("reason") == "ProgressDeadlineExceeded":
        return RolloutStatus(f'error: deployment "{name}" exceeded its progress deadline', failed=True)
    updated, replicas = status.get("updatedReplicas", 0), status.get("replicas", 0)
    available, wanted = status.get("availableReplicas", 0), spec.get("replicas", 1)
    waiting = f'Waiting for deployment "{name}" rollout to finish:'
    if updated < wanted:
        return RolloutStatus(f"{waiting} {updated} out of {wanted} new replicas have been updated...")
    if replicas > updated:
        return RolloutStatus(f"{waiting} {replicas - updated} old replicas are pending termination...")
    if available < updated:
        return RolloutStatus(f"{waiting} {available} of {updated} updated replicas are available...")
    return RolloutStatus(f'deployment "{name}" successfully rolled out', done=True)


def _stateful_set(stateful_set: Object) -> RolloutStatus:
    strategy = stateful_set["spec"].get("updateStrategy") or {}
    if strategy.get("type") != "RollingUpdate":
        return ONLY_ROLLING
    if _is_unseen(stateful_set):
        return RolloutStatus("Waiting for statefulset spec update to be observed...")
    status, wanted = stateful_set.get("status", {}), stateful_set["spec"].get("replicas", 1)
    updated, ready = status.get("updatedReplicas", 0), status.get("readyReplicas", 0)
    if ready < wanted:
        return RolloutStatus(f"Waiting for {wanted - ready} pods to be ready...")
    if "rollingUpdate" in strategy:
        due = wanted - strategy["rollingUpdate"].get("partition", 0)
        if updated < due:
            waiting = "Waiting for partitioned roll out to finish:"
            return RolloutStatus(f"{waiting} {updated} out of {due} new pods have been updated...")
        complete = f"partitioned roll out complete: {updated} new pods have been updated..."
        return RolloutStatus(complete, done=True)
    if (newest := status.get("updateRevision")) != status.get("currentRevision"):
        waiting = "waiting for statefulset rolling update to complete"
        return RolloutStatus(f"{waiting} {updated} pods at revision {newest}...")
    complete = "statefulset rolling update complete"
    return RolloutStatus(
        f"{complete} {status.get('currentReplicas', 0)} pods at revision {newest}...", done=True
    )


def _daemon_set(daemon_set: Object) -> RolloutStatus:
    if (daemon_set["spec"].get("updateStrategy") or {}).get("type") != "RollingUpdate":
        return ONLY_ROLLING
    if _is_unseen(daemon_set):
        return RolloutStatus("Waiting for daemon set spec update to be observed...")
    status, name = daemon_set.get("status", {}), daemon_set["metadata"]["name"]
    wanted, updated = status.get("desiredNumberScheduled", 0), status.get("updatedNumberScheduled", 0)
    available = status.get("numberAvailable", 0)
    waiting = f'Waiting for daemon set "{name}" rollout to finish:'
    if updated < wanted:
        return RolloutStatus(f"{waiting} {updated} out of {wanted} new pods have been updated...")
    if available < wanted:
        return RolloutStatus(f"{waiting} {available} of {wanted} updated pods are available...")
    return RolloutStatus(f'daemon set "{name}" successfully rolled out', done=True)


def _is_unseen(workload: Object) -> bool:
    """Whether the controller has not seen the newest generation yet."""
    generation: int = workload["metadata"].get("generation", 0)
    observed: int = workload.get("status", {}).get("observedGeneration", 0)
    return generation > observed


STATUSES: dict[str, Callable[[Object], RolloutStatus]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
}
"""The kinds that have a rollout."""
