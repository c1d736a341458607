"""The time of a run on a live cluster: real time, told in seconds since the run began.

A `gherkube serve` whose time runs faster has its own seconds; they are what is told then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime

from gherkube.runners.live.history import LiveHistory

LOOK = 1.0
"""Seconds after which a condition is asked again though nothing was seen to change."""


class LiveClock:
    """A `Clock`. `rate`: how many of the cluster's seconds pass in a real one; `began`: the server's time
    when the run did, in seconds since 1970."""

    foresees = False

    def __init__(self, began: float, rate: float = 1.0) -> None:
        self._start, self._began, self.rate = time.monotonic(), began, rate
        self.history = LiveHistory(self.now)
        self.at_rest: Callable[[], bool] = lambda: False

    def now(self) -> float:
        """Seconds since the run began."""
        return (time.monotonic() - self._start) * self.rate

    def timestamp(self) -> str:
        """Now, by the server's clock, as the API writes times."""
        return datetime.fromtimestamp(self._began + self.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def wait(self, condition: Callable[[], bool], within: float, *, resources: Collection[str] = ()) -> bool:
        """Waits until the condition holds, which is asked after each change of the resources."""
        end = self.now() + within
        while True:
            self.history.take()
            if condition():
                return True
            left = end - self.now()
            if left <= 0:
                return False
            self.history.wait(resources, min(left, LOOK) / self.rate)

    def sleep(self, seconds: float) -> None:
        """Waits that long."""
        time.sleep(seconds / self.rate)
        self.history.take()

    def settle(self, resources: Collection[str] = ()) -> None:
        """Waits until the history tells all that there is. Raises CannotJudge when the watches do not."""
        self.history.settle(resources)

    def idle(self) -> bool:
        """Whether nothing but retries and periodic things seems to be left to happen."""
        return self.at_rest()
