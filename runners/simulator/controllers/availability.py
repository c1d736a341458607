"""When a pod of a StatefulSet or DaemonSet is available: ready for the set's minReadySeconds.

pkg/api/v1/pod/util.go IsPodAvailable
"""

from __future__ import annotations

from datetime import datetime

from gherkube.runners.objects import Object, condition
from gherkube.runners.simulator.clock import Clock


class Availability:
    """Which pods of a set are available now."""

    def __init__(self, owner: Object, clock: Clock) -> None:
        self._least: float = owner["spec"].get("minReadySeconds", 0)
        self._now = datetime.fromisoformat(clock.timestamp())

    def __call__(self, pod: Object) -> bool:
        """Whether this one is."""
        return self.due_in(pod) == 0

    def due_in(self, pod: Object) -> float | None:
        """Seconds until the pod will have been ready for long enough; None while it is not ready."""
        ready = condition(pod, "Ready")
        if ready is None or ready["status"] != "True":
            return None
        if not self._least:
            return 0.0
        age = (self._now - datetime.fromisoformat(ready["lastTransitionTime"])).total_seconds()
        return max(0.0, self._least - age)
