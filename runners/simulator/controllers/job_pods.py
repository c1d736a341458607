"""What a Job's pods say: which have ended and how, which index each is of, how long to wait after failures.

pkg/controller/job/{job_controller.go,indexed_job_utils.go,backoff_utils.go}
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from gherkube.runners.objects import ENDED, Object, condition, is_deleting

TRACKING = "batch.kubernetes.io/job-tracking"
INDEX = "batch.kubernetes.io/job-completion-index"
FIRST_BACKOFF, MAX_BACKOFF = 10.0, 600.0
"""Seconds until a failed pod is replaced: doubled with each failure in a row."""


def is_tracked(pod: Object) -> bool:
    """Whether the pod has not been counted for good. hasJobTrackingFinalizer"""
    return TRACKING in pod["metadata"].get("finalizers", ())


def is_active(pod: Object) -> bool:
    """Whether the pod neither has ended nor is being deleted."""
    return pod["status"].get("phase") not in ENDED and not is_deleting(pod)


def is_terminating(pod: Object) -> bool:
    """Whether the pod is being deleted and has not ended yet."""
    return pod["status"].get("phase") not in ENDED and is_deleting(pod)


def has_succeeded(pod: Object) -> bool:
    """Whether all of the pod's containers have ended well."""
    return bool(pod["status"].get("phase") == "Succeeded")


def has_failed(pod: Object, *, only_ended: bool) -> bool:
    """Whether the pod counts as failed; also before it has ended when it is deleted, unless `only_ended`.

    isPodFailed
    """
    if pod["status"].get("phase") == "Failed":
        return True
    return not only_ended and is_deleting(pod) and not has_succeeded(pod)


def restarts(pods: Iterable[Object]) -> int:
    """How often containers of pods that have not ended were restarted. pastBackoffLimitOnFailure"""
    return sum(
        container.get("restartCount", 0)
        for pod in pods
        if pod["status"].get("phase") in ("Running", "Pending")
        for kind in ("initContainerStatuses", "containerStatuses")
        for container in pod["status"].get(kind, ())
    )


def index_of(pod: Object) -> int | None:
    """The completion index of a pod, None where it has none. getCompletionIndex"""
    text = pod["metadata"].get("annotations", {}).get(INDEX, "")
    return int(text) if text.isdecimal() else None


def indexes(text: str) -> set[int]:
    """The numbers of a text like "0-2,5". parseIndexesFromString"""
    found: set[int] = set()
    for part in text.split(",") if text else ():
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def told_indexes(numbers: Iterable[int]) -> str:
    """Numbers as such a text. orderedIntervals.String"""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(
        str(first) if first == last else f"{first}{',' if last == first + 1 else '-'}{last}"
        for first, last in parts
    )


class Failures(NamedTuple):
    """Failures in a row, and when the last of them was; in seconds since 1970."""

    in_a_row: int = 0
    at: float = 0.0

    def and_then(self, pods: Iterable[Object]) -> Failures:
        """With pods that have ended since. newBackoffRecord"""
        found = self
        for pod in sorted(pods, key=finished_at):
            found = Failures() if has_succeeded(pod) else Failures(found.in_a_row + 1, finished_at(pod))
        return found

    def wait(self, now: float) -> float:
        """Seconds until the next pod may be made. getRemainingTime"""
        if not self.in_a_row:
            return 0.0
        delay: float = min(FIRST_BACKOFF * 2.0 ** (self.in_a_row - 1), MAX_BACKOFF)
        return max(0.0, self.at + delay - now)


def finished_at(pod: Object) -> float:
    """When a pod ended, in seconds since 1970. getFinishedTime"""
    containers = pod["status"].get("containerStatuses", ())
    ends = [(container.get("state") or {}).get("terminated") or {} for container in containers]
    if ends and all(end.get("finishedAt") for end in ends):
        return max(seconds(end["finishedAt"]) for end in ends)
    ready, metadata = condition(pod, "Ready"), pod["metadata"]
    if ready is not None and ready["status"] == "False":
        return seconds(ready["lastTransitionTime"])
    if "deletionTimestamp" in metadata:
        grace: float = metadata.get("deletionGracePeriodSeconds", 0)
        return seconds(metadata["deletionTimestamp"]) - grace
    return seconds(metadata["creationTimestamp"])


def seconds(timestamp: str) -> float:
    """A time of the API in seconds since 1970."""
    return datetime.fromisoformat(timestamp).timestamp()
