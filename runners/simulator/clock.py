"""Virtual time: one queue of events, one seeded source of chance.

Nothing in the simulator sleeps. Whoever wants something to happen later puts an event into the
queue; time passes only when the next event is run. Events of the same moment run in the order in
which they were scheduled, so a run depends on nothing but its seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from heapq import heapify, heappop, heappush
from math import cos, exp, floor, inf, log, sin, sqrt, tau
from typing import Any, TypeAlias

EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
"""The moment at which every simulation begins."""
SPREAD = 0.5
"""How much a latency varies when nothing else is said."""


Timer: TypeAlias = tuple[float, Callable[..., object], tuple[Any, ...], bool]
"""An event that is to come: when, what is called, with what, and whether it is a retry."""


class Clock:
    """Virtual time, in seconds since the simulation began."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        self._moments: list[float] = []
        """A heap of when something happens: floats are compared in half the time that timers would take."""
        self._timers: dict[float, Timer] = {}
        """By moment, what happens first; nothing when that was cancelled."""
        self._others: dict[float, list[Timer]] = {}
        """By moment, what happens after that, in the order in which it was planned. Hardly ever anything."""
        self._retries = 0
        self._stamped_until, self._stamp = -inf, ""

    @property
    def pending(self) -> int:
        """How many events are to come that are not retries: 0 means that nothing new will happen."""
        return len(self._timers) + sum(map(len, self._others.values())) - self._retries

    def at(self, when: float, call: Callable[..., object], *args: Any, retry: bool = False) -> Timer:
        """Runs `call(*args)` at that time (now, when it has passed).

        `retry` marks what only repeats, or checks again, something that cannot come out differently
        until somebody acts: a back-off that ends, a periodic request, a deadline that is looked at.
        """
        if when < self.now:
            when = self.now
        timer = when, call, args, retry
        if retry:
            self._retries += 1
        if when in self._timers:
            self._others.setdefault(when, []).append(timer)
        else:
            self._timers[when] = timer
            heappush(self._moments, when)
        return timer

    def after(self, delay: float, call: Callable[..., object], *args: Any, retry: bool = False) -> Timer:
        """Runs `call(*args)` after that many seconds; see `at`."""
        return self.at(self.now + delay, call, *args, retry=retry)

    def cancel(self, timer: Timer) -> None:
        """Takes the event back; does nothing when it has run or was cancelled before."""
        moment, _, _, retry = timer
        others = self._others.get(moment, [])
        if self._timers.get(moment) is timer:
            del self._timers[moment]
            if others:
                self._follow(moment)
            elif len(self._moments) > 64 + 2 * len(self._timers):
                self._moments[:] = self._timers
                heapify(self._moments)
        elif (place := next((at for at, each in enumerate(others) if each is timer), None)) is not None:
            del others[place]
            if not others:
                del self._others[moment]
        else:
            return
        self._retries -= retry

    def next_at(self) -> float | None:
        """When the next event is, or None when there is none."""
        moments = self._moments
        while moments and moments[0] not in self._timers:
            heappop(moments)
        return moments[0] if moments else None

    def step(self, until: float = inf) -> bool:
        """Runs the next event; False when there is none up to and at that time."""
        return self.run(until, stop=("after one",))

    def run_until(self, when: float) -> None:
        """Runs all events up to and at that time, and stands there then."""
        self.run(when)
        self.now = max(self.now, when)

    def run(self, until: float, stop: Sequence[object] = ()) -> bool:
        """Runs the events up to and at that time, but none after one that put something into `stop`.

        Returns whether one did.
        """
        moments, timers, others = self._moments, self._timers, self._others
        while moments and (at := moments[0]) <= until:
            timer = timers.pop(at, None)
            if others and at in others:
                self._follow(at)
            else:
                heappop(moments)
            if timer is None:
                continue
            _, call, args, retry = timer
            if retry:
                self._retries -= 1
            self.now = at
            if args:
                call(*args)
            else:  # most often, and faster
                call()
            if stop:
                return True
        return False

    def timestamp(self) -> str:
        """Now as the API writes times: RFC 3339, whole seconds, UTC."""
        if self.now >= self._stamped_until:
            self._stamped_until, self._stamp = floor(self.now) + 1.0, timestamp(self.now)
        return self._stamp

    def _follow(self, moment: float) -> None:
        """The first of the others takes its place."""
        others = self._others[moment]
        self._timers[moment] = others.pop(0)
        if not others:
            del self._others[moment]


def timestamp(seconds: float) -> str:
    """A virtual time as the API writes it: RFC 3339, whole seconds, UTC."""
    return _stamp(int(seconds))


@lru_cache(4096)
def _stamp(second: int) -> str:
    return (EPOCH + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(4096)
def seconds_of(stamp: str) -> float:
    """The virtual time that an RFC 3339 timestamp names, in whole seconds."""
    return (datetime.fromisoformat(stamp) - EPOCH).total_seconds()


class Chance:
    """Every random choice and latency of a simulation, from one seed.

    Each purpose ("latency", "names", …) draws from a stream of its own, so that a new draw in one
    place does not shift the others.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._streams: dict[str, random.Random] = {}
        self._latencies: dict[str, Latencies] = {}

    def reseed(self, seed: int) -> None:
        """From now on all chance comes from that seed; uids, which must not come twice, from the old one."""
        self.seed = seed
        for purpose, stream in self._streams.items():
            if purpose != "uids":
                stream.seed(f"{seed}/{purpose}")
        for latencies in self._latencies.values():
            latencies.begin_anew()

    def stream(self, purpose: str) -> random.Random:
        """The source of chance for that purpose; the same object each time."""
        stream = self._streams.get(purpose)
        if stream is None:
            stream = self._streams[purpose] = random.Random(f"{self.seed}/{purpose}")
        return stream

    def latencies(self, purpose: str) -> Latencies:
        """The latencies of that purpose; the same object each time."""
        latencies = self._latencies.get(purpose)
        if latencies is None:
            latencies = self._latencies[purpose] = Latencies(self.stream(purpose))
        return latencies

    def latency(self, median: float, purpose: str = "latency", *, spread: float = SPREAD) -> float:
        """A latency of that purpose; see `Latencies.draw`."""
        return self.latencies(purpose).draw(median, spread)


class Latencies:
    """What takes how long, for one purpose: each event of a simulation takes its time from here."""

    __slots__ = ("_second", "_uniform")

    def __init__(self, stream: random.Random) -> None:
        self._uniform = stream.random
        self._second: float | None = None

    def begin_anew(self) -> None:
        """Drops what is left of a draw: the stream has another seed."""
        self._second = None

    def draw(self, median: float, spread: float = SPREAD) -> float:
        """A latency around that median, in seconds; `spread` is the sigma of its logarithm, cut at 2.

        Normal numbers come in pairs (Box and Muller), as `Random.gauss` draws them at four times the cost.
        """
        drawn = self._second
        if drawn is None:
            uniform = self._uniform
            angle, radius = tau * uniform(), sqrt(-2.0 * log(1.0 - uniform()))
            drawn, self._second = radius * cos(angle), radius * sin(angle)
        else:
            self._second = None
        if drawn > 2.0:
            drawn = 2.0
        elif drawn < -2.0:
            drawn = -2.0
        return median * exp(spread * drawn)
