"""What `kubectl rollout status` says of a workload as it is.

kubectl: pkg/polymorphichelpers/rollout_status.go
"""

from __future__ import annotations

from typing import NamedTuple

from gherkube.runners.objects import Object, condition


class RolloutStatus(NamedTuple):
    """The line that kubectl prints, and whether it stops there: done (exit 0) or failed (exit 1)."""

    message: str
    done: bool = False
    failed: bool = False


def rollout_status(deployment: Object) -> RolloutStatus:
    """Judges the rollout of a Deployment's newest generation."""
    metadata, spec, status = deployment["metadata"], deployment["spec"], deployment.get("status", {})
    name = metadata["name"]
    if metadata.get("generation", 0) > status.get("observedGeneration", 0):
        return RolloutStatus("Waiting for deployment spec update to be observed...")
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
