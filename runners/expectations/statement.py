"""What a judgement is made of: a statement, and the tracker that keeps its verdict on a moving view."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from gherkube.runners.expectations.subjects import PodSelector, WorkloadRef
from gherkube.runners.expectations.time import Moment
from gherkube.runners.expectations.view import View
from gherkube.runners.history import Change

Subject = WorkloadRef | PodSelector


class Tracker(ABC):
    """The verdict on one statement, moment after moment.

    It is told each change of the statement's resources after the view has applied it, and may be asked
    at any time.
    """

    @property
    def ripens(self) -> bool:
        """Whether its verdict is still to change by time alone."""
        return False

    @abstractmethod
    def changed(self, change: Change) -> bool:
        """Takes note of a change that the view has applied; False where the verdict stays what it was."""

    @abstractmethod
    def holds(self) -> bool:
        """Whether the statement is true at the view's moment."""

    @abstractmethod
    def found(self) -> str:
        """What there is at the view's moment instead, in words."""

    def distance(self) -> float:
        """How far from true it is: 0 when it holds, and less is nearer."""
        return 0.0 if self.holds() else 1.0

    def nearest(self) -> str:
        """What there is at the view's moment, in the fewest words; "" where nearness means nothing."""
        return ""

    @property
    def broke(self) -> int | None:
        """Of a window: the position in the history just after which it could no longer be true of it."""
        return None


class Statement(ABC):
    """A judgement about one moment, or about all that happened in a window."""

    @property
    @abstractmethod
    def resources(self) -> frozenset[str]:
        """Of which resources a change may alter the verdict."""

    @property
    def sums_up(self) -> bool:
        """Whether it tells of a window as a whole, so that "throughout" asks at the window's end."""
        return False

    @property
    def whole_window(self) -> bool:
        """Whether it is always about what happened since the window's start."""
        return False

    @property
    def past(self) -> Literal["throughout", "at some time"]:
        """How the past tense without a time phrase is meant."""
        return "throughout"

    @property
    def steady(self) -> bool:
        """Whether attempts that fail again, of containers that wait in vain, leave its verdict as it is."""
        return False

    @property
    def idle_only(self) -> bool:
        """Whether it is true only while nothing but retries is left to happen."""
        return False

    @property
    @abstractmethod
    def text(self) -> str:
        """The statement in words, without its time."""

    @property
    @abstractmethod
    def subject(self) -> Subject | None:
        """Of what it is said; None when of no objects that have pods."""

    @abstractmethod
    def track(self, view: View) -> Tracker:
        """A tracker that begins at the view's moment and moves on with it."""

    def watch(self, view: View) -> Tracker:
        """A tracker of what happens from the view's moment on."""
        return self.track(view)

    def bound(self, start: View, now: View) -> Statement:
        """The statement as it is meant of a window, given its start and its end."""
        del start, now
        return self

    def recalled(self, view_at: Callable[[Moment], View]) -> Statement:
        """The statement with what it has to know of moments that it names."""
        del view_at
        return self

    def missing(self, view: View) -> str:
        """Why there is nothing that this could be said of, up to the view's moment; "" when there is."""
        return self.subject.missing(view) if self.subject is not None else ""

    @property
    def admits_nothing(self) -> bool:
        """Whether it would be true where there is nothing at all."""
        return False

    @property
    def since(self) -> Moment | None:
        """The moment at which its window starts, when the statement itself says so."""
        return None


class Sight(NamedTuple):
    """What a look shows: whether it holds, what there is, in words, and, of counts, how far that is away."""

    holds: bool
    found: str
    away: float | None = None


class Check(Tracker):
    """A verdict that is made anew after a change that concerns it, and kept until the next."""

    def __init__(self, view: View, look: Callable[[View], Sight], concerns: Callable[[Change], bool]) -> None:
        self._view, self._look, self._concerns = view, look, concerns
        self._verdict: Sight | None = None

    def changed(self, change: Change) -> bool:
        if self._verdict is not None and self._concerns(change):
            self._verdict = None
        return self._verdict is None

    def holds(self) -> bool:
        return self._see().holds

    def found(self) -> str:
        return self._see().found

    def distance(self) -> float:
        sight = self._see()
        if sight.holds:
            return 0.0
        return 1.0 if sight.away is None else sight.away

    def nearest(self) -> str:
        return "" if self._see().away is None else self.found()

    def _see(self) -> Sight:
        if self._verdict is None:
            self._verdict = self._look(self._view)
        return self._verdict


@dataclass(frozen=True)
class Both(Statement):
    """Two statements about the same moment."""

    one: Statement
    other: Statement

    @property
    def resources(self) -> frozenset[str]:
        return self.one.resources | self.other.resources

    @property
    def sums_up(self) -> bool:
        return self.one.sums_up and self.other.sums_up

    @property
    def whole_window(self) -> bool:
        return self.one.whole_window or self.other.whole_window

    @property
    def steady(self) -> bool:
        return self.one.steady and self.other.steady

    @property
    def idle_only(self) -> bool:
        return self.one.idle_only or self.other.idle_only

    @property
    def text(self) -> str:
        return f"{self.one.text} while {self.other.text}"

    @property
    def subject(self) -> Subject | None:
        return self.one.subject or self.other.subject

    def track(self, view: View) -> Tracker:
        return _BothTracker([self.one.track(view), self.other.track(view)])

    def watch(self, view: View) -> Tracker:
        return _BothTracker([self.one.watch(view), self.other.watch(view)])

    def bound(self, start: View, now: View) -> Statement:
        return Both(self.one.bound(start, now), self.other.bound(start, now))

    def recalled(self, view_at: Callable[[Moment], View]) -> Statement:
        return Both(self.one.recalled(view_at), self.other.recalled(view_at))

    def missing(self, view: View) -> str:
        return self.one.missing(view) or self.other.missing(view)

    @property
    def admits_nothing(self) -> bool:
        return self.one.admits_nothing or self.other.admits_nothing

    @property
    def since(self) -> Moment | None:
        return self.one.since or self.other.since


class _BothTracker(Tracker):
    def __init__(self, parts: list[Tracker]) -> None:
        self._parts = parts

    @property
    def ripens(self) -> bool:
        return any(part.ripens for part in self._parts)

    def changed(self, change: Change) -> bool:
        may_differ = [part.changed(change) for part in self._parts]
        return any(may_differ)

    def holds(self) -> bool:
        return all(part.holds() for part in self._parts)

    def found(self) -> str:
        return " while ".join(part.found() for part in self._parts)

    def distance(self) -> float:
        return sum(part.distance() for part in self._parts)

    def nearest(self) -> str:
        return " while ".join(filter(None, (part.nearest() for part in self._parts)))
