"""Whether anything but retries seems to be going on: what a real cluster cannot be asked for.

A pull or a program that takes its time looks like nothing at all. So quiet alone counts only after a
minute; a few seconds are enough where all that is not well waits for a retry, or for room on a node.
"""

from __future__ import annotations

from gherkube.runners.history import Change
from gherkube.runners.live.clock import LiveClock
from gherkube.runners.live.served import Served
from gherkube.runners.objects import (
    Object,
    condition,
    container_statuses,
    is_active,
    is_deleting,
    is_ready,
)

QUIET = 10.0
"""Seconds without news after which what waits for a retry is at rest."""
LONG = 60.0
"""Seconds after which everything else is."""
RETRIED = frozenset(
    {
        "CrashLoopBackOff",
        "ImagePullBackOff",
        "ErrImagePull",
        "InvalidImageName",
        "ErrImageNeverPull",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
    }
)
PERIODIC = frozenset({"events", "nodes"})


class Rest:
    """Looks at the history of a live cluster; called, it says whether it is at rest."""

    def __init__(self, clock: LiveClock, served: Served | None) -> None:
        self._clock, self._served = clock, served
        self._position, self._last = 0, 0.0

    def __call__(self) -> bool:
        history = self._clock.history
        if self._served is not None:
            return self._served.is_idle() and history.is_current()
        for change in history.since(self._position):
            self._position += 1
            if change.resource not in PERIODIC and not _is_retry(change):
                self._last = change.at
        quiet = self._clock.now() - self._last
        if quiet < QUIET:
            return False
        unwell = [pod for pod in history.known("pods") if not is_ready(pod) or is_deleting(pod)]
        return (quiet >= LONG or all(map(_waits, unwell))) and history.is_current()


def _is_retry(change: Change) -> bool:
    """Whether a pod only goes on failing as it did before."""
    old, new = change.old, change.object
    if change.resource != "pods" or old is None or is_deleting(new) != is_deleting(old):
        return False
    same = is_ready(new) is is_ready(old) and _phase(new) == _phase(old)
    return same and _has_failed(old) and _has_failed(new)


def _has_failed(pod: Object) -> bool:
    """Whether a container waits for a retry, or was restarted."""
    return any(status.get("restartCount") or _reason(status) in RETRIED for status in container_statuses(pod))


def _waits(pod: Object) -> bool:
    """Whether nothing happens to the pod but retries."""
    if not is_active(pod):
        return not is_deleting(pod)
    scheduled = condition(pod, "PodScheduled")
    if scheduled is not None and scheduled["status"] == "False":
        return True
    return any(_reason(status) in RETRIED for status in container_statuses(pod))


def _reason(status: Object) -> str:
    return str(status.get("state", {}).get("waiting", {}).get("reason", ""))


def _phase(pod: Object) -> str:
    return str(pod.get("status", {}).get("phase", ""))
