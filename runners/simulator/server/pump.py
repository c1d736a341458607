"""What lets virtual time pass while an HTTP server runs: at the pace of real time, by jumps, or on request.

The simulator runs on the event loop's one thread. Its events are run in slices of a few milliseconds, so
that a long stretch of time starves nobody. Nothing here puts an event into the simulator's own queue: what
a server waits for (a watch that ends) are alarms beside it, so that the history depends on requests alone.
"""

from __future__ import annotations

import asyncio
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import Literal, TypeAlias

from gherkube.runners.simulator.clock import Clock

Mode: TypeAlias = Literal["real", "fast", "manual"]
MODES: tuple[Mode, ...] = ("real", "fast", "manual")
SLICE = 0.005
"""Real seconds for which events run before others have their turn."""
AT_ONCE = 32
"""Events between two looks at the real clock."""


class Pump:
    """Runs the events of a clock. `real`: `speed` virtual seconds a second; `manual`: by `advance` only;
    `fast`: as real, but while no request waits on a long poll time jumps from event to event until nothing
    but retries is left to happen."""

    def __init__(self, clock: Clock, mode: Mode = "real", speed: float = 1.0) -> None:
        self._clock = clock
        self.mode, self.speed = mode, speed
        self.steps = 0
        """How many events were run: with the time, the place of a request in the history."""
        self.long_polls = 0
        """How many requests wait for something to happen."""
        self.told = False
        """Whether somebody who waits has something to hear of, since `go_on` began."""
        self._alarms: list[tuple[float, int, Callable[[], object]]] = []
        self._order = count()
        self._wake = asyncio.Event()
        self._wall, self._base = time.monotonic(), clock.now

    def set(self, mode: Mode, speed: float) -> None:
        """Goes on from now in that way."""
        self.catch_up()
        self.mode, self.speed = mode, speed
        self._rebase()

    def now(self) -> float:
        """The virtual time."""
        return self._clock.now

    def place(self) -> tuple[int, float]:
        """Where in the history it is: events run, and the virtual time."""
        return self.steps, self._clock.now

    def go_to(self, steps: int, at: float) -> None:
        """Runs as many events as had been run at an earlier start when it was that time."""
        while self.steps < steps and self._step(inf):
            pass
        self._clock.now = max(self._clock.now, at)
        self._rebase()

    def alarm(self, at: float, call: Callable[[], object]) -> None:
        """Calls back once the virtual time has come."""
        heappush(self._alarms, (at, next(self._order), call))
        self._wake.set()

    def tell(self, waiting: asyncio.Event) -> None:
        """Wakes who waits: there is something to hear of."""
        self.told = True
        waiting.set()

    def go_on(self, until: float) -> None:
        """Lets time pass up to then, or until somebody has something to hear of; a defect is raised."""
        self.told = False
        until = min(until, self._alarms[0][0]) if self._alarms else until
        while not self.told:
            if not self._clock.step(until):
                self._clock.now = max(self._clock.now, until)
                self._ring()
                return

    def poke(self) -> None:
        """Says that something has changed: there may be events to run."""
        self._wake.set()

    def catch_up(self) -> None:
        """Runs what is due by now, for a moment at most."""
        self._slice(self._target())

    async def advance(self, seconds: float) -> None:
        """Lets that much virtual time pass as fast as it can."""
        goal = self._clock.now + seconds
        while self._slice(goal):
            await asyncio.sleep(0)
        self._rebase()
        self._wake.set()

    async def run(self) -> None:
        """Lets time pass until it is cancelled."""
        while True:
            self._wake.clear()
            jumps = self._jumps()
            more = self._slice(self._target())
            if jumps:
                self._rebase()
            if jumps or more:
                await asyncio.sleep(0)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):  # wait_for may swallow being cancelled
                    await self._wake.wait()

    def _target(self) -> float:
        """The virtual time that it should be."""
        if self.mode == "manual":
            return self._clock.now
        if self._jumps():
            return self._clock.next_at() or self._clock.now
        return self._base + (time.monotonic() - self._wall) * self.speed

    def _jumps(self) -> bool:
        return self.mode == "fast" and not self.long_polls and self._clock.pending > 0

    def _pause(self) -> float | None:
        """Real seconds until something is due; None: only when woken."""
        if self.mode == "manual":
            return None
        due = min(self._clock.next_at() or inf, self._alarms[0][0] if self._alarms else inf)
        return None if due == inf else max(0.0, (due - self._target()) / self.speed)

    def _slice(self, target: float) -> bool:
        """Runs events up to that time, for a moment, or to the next alarm; whether there are more."""
        clock, end = self._clock, time.monotonic() + SLICE
        until = min(target, self._alarms[0][0]) if self._alarms else target
        while time.monotonic() < end:
            for _ in range(AT_ONCE):
                if not self._step(until):
                    clock.now = max(clock.now, until)
                    self._ring()
                    return until < target
        self._rebase()  # time does not run away from a simulator that is slower
        return True

    def _step(self, target: float) -> bool:
        try:
            ran = self._clock.step(target)
        except Exception:  # a defect of the simulator, which must not end the server
            traceback.print_exc(file=sys.stderr)
            ran = True
        self.steps += ran
        return ran

    def _rebase(self) -> None:
        self._wall, self._base = time.monotonic(), self._clock.now

    def _ring(self) -> None:
        while self._alarms and self._alarms[0][0] <= self._clock.now:
            heappop(self._alarms)[2]()
