"""How far a rollout is, as `kubectl rollout status` tells it.

kubectl: pkg/polymorphichelpers/rollout_status.go
"""

from __future__ import annotations

from typing import NamedTuple

from gherkube.runners.objects import Object, condition


class Status(NamedTuple):
    """What kubectl says, and whether the rollout is done or has failed."""

    message: str
    done: bool = False
    failed: bool = False


def status(deployment: Object) -> Status:
    """The state of the rollout of a Deployment's newest generation."""
    metadata, seen = deployment["metadata"], deployment.get("status") or {}
    name = metadata["name"]
    if metadata.get("generation", 0) > seen.get("observedGeneration", 0):
        return Status("Waiting for deployment spec update to be observed...")
    progressing = condition(deployment, "Progressing")
    if progressing is not None and progressing.get("reason") == "ProgressDeadlineExceeded":
        return Status(f'error: deployment "{name}" exceeded its progress deadline', failed=True)
    wanted = deployment["spec"].get("replicas", 1)
    there, new, available = (
        seen.get(count, 0) for count in ("replicas", "updatedReplicas", "availableReplicas")
    )
    steps = (
        (new < wanted, f"{new} out of {wanted} new replicas have been updated..."),
        (there > new, f"{there - new} old replicas are pending termination..."),
        (available < new, f"{available} of {new} updated replicas are available..."),
    )
    for waits, words in steps:
        if waits:
            return Status(f'Waiting for deployment "{name}" rollout to finish: {words}')
    return Status(f'deployment "{name}" successfully rolled out', done=True)
