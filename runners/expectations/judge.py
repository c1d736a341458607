"""Whether a statement is true at a time: what each time phrase means over the history.

The present is a view that is read on with the history; each change of a resource that the statement
depends on is a moment. The past is replayed from the window's start, in which every recorded change is
a moment, and so is the start. A statement about something that never was there is never true.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NoReturn

from gherkube.runners.cluster import Cluster
from gherkube.runners.errors import CannotJudge, UsageError
from gherkube.runners.expectations.causes import Causes
from gherkube.runners.expectations.failure import ExpectationFailed, Failure
from gherkube.runners.expectations.flowing import look_at_any, look_at_next, look_at_some
from gherkube.runners.expectations.pods import PodsStatement
from gherkube.runners.expectations.requests import Requests, RequestsStatement, Verdict
from gherkube.runners.expectations.statement import Both, Statement, Tracker
from gherkube.runners.expectations.story import objects, story
from gherkube.runners.expectations.time import AtSomeTime, Becomes, Moment, Past, Stays, Throughout, Time
from gherkube.runners.expectations.view import View

LOOK = 1.0
"""Seconds after which it is looked again, without a change, and asked whether waiting is in vain."""
MOMENT = 1e-6
"""Seconds by which sums of times may differ though they are the same."""


class Judge:
    """Judges statements on one cluster, for one scenario.

    `patience`: seconds that something may take to become true. The steps set `first_when`, the moment
    just before the first When, and `last_when`, the time of the last one.
    """

    def __init__(self, cluster: Cluster, patience: float = 300.0) -> None:
        self.cluster, self.patience = cluster, patience
        self.first_when: Moment | None = None
        self.last_when: float | None = None
        self.acted: float | None = None
        """When the last When began to act."""
        self._view = View()
        self._ended = 0.0
        """When the last judgement ended."""
        self._starts: dict[int, View] = {}
        self._vain: tuple[int, str] = -1, ""
        """What was said of waiting at that length of the history, while nothing but retries was left."""

    def moment(self, name: str = "") -> Moment:
        """The present moment."""
        self.cluster.clock.settle()
        view = self._now()
        if view.position not in self._starts:
            self._starts[view.position] = view.copy()
        return Moment(name, self.cluster.clock.now(), view.position)

    def judge(
        self,
        statement: Statement,
        time: Time,
        *,
        tense: Literal["present", "past"] = "present",
        while_: Statement | None = None,
    ) -> None:
        """Returns when the statement is so, as lets time pass as far as the time phrase says.

        `while_` has to be true at the same moment. Raises ExpectationFailed when it is not so, and when
        there never was anything that it could be said of; UsageError when it cannot be asked.
        """
        del tense  # the time phrase says it all
        if while_ is not None:
            statement = Both(statement, while_)
        statement = statement.recalled(self._view_at)
        self.cluster.clock.settle(statement.resources)
        self._now()
        if isinstance(statement, RequestsStatement):
            self._judge_requests(statement, time)
        elif isinstance(time, Becomes):
            self._becomes(statement, time)
        elif isinstance(time, Stays):
            self._stays(statement, time)
        else:
            self._was(statement, time)
        if statement.admits_nothing:
            self._refuse_nothing(statement, time)
        self._ended = self.cluster.clock.now()

    # --- The present

    def _becomes(self, statement: Statement, time: Becomes) -> None:
        if statement.admits_nothing:
            self._refuse_nothing(statement, time)
        clock = self.cluster.clock
        begin = now = clock.now()
        if time.within is not None and self.last_when is not None:
            begin = self.last_when
        end = begin + (self.patience if time.within is None else time.within)
        if time.within is None and self.acted is not None and not clock.foresees:
            begin = max(self.acted, self._ended)  # real time does not wait for the next sentence
        if begin < now and not statement.whole_window and self._was_by(statement, begin, end):
            return
        tracker = self._track(statement, time)
        course = _Course(tracker, self._view)
        in_vain = ""
        self._vain = -1, ""
        if now <= end:
            if self._pass(statement, tracker, end - now, course.arrives):
                return
            in_vain = self._in_vain(statement, tracker)
            if not in_vain and clock.now() < end - MOMENT:
                in_vain = "nothing is left to happen"
        self._fail(
            statement,
            time,
            tracker.found(),
            unreachable=in_vain,
            nearest=course.told(),
        )

    def _stays(self, statement: Statement, time: Stays) -> None:
        tracker = self._track(statement, time)
        clock = self.cluster.clock
        end = clock.now() + time.seconds

        def broken() -> bool:
            return not tracker.holds() or (statement.idle_only and not clock.idle())

        is_broken = self._pass(statement, tracker, time.seconds, broken, hopeful=False)
        if not is_broken:
            clock.sleep(max(0.0, end - clock.now()))
            clock.settle(statement.resources)  # what happened by then may not have been told yet
            is_broken = self._pass(statement, tracker, 0.0, broken, hopeful=False)
        if is_broken:
            lasted = clock.now() - (end - time.seconds)
            how = f"{lasted:.1f} s after it began" if lasted >= 0.05 else "from the start"
            self._fail(statement, time, f"{tracker.found()} at {self._view.told()}, {how}")

    def _pass(
        self,
        statement: Statement,
        tracker: Tracker,
        within: float,
        condition: Callable[[], bool],
        *,
        hopeful: bool = True,
    ) -> bool:
        """Lets time pass until the condition holds at a moment; False when it did not within those seconds.

        It is looked at after each change of the statement's resources, and every second. `hopeful`: what
        is waited for is that the statement becomes true, so that there is no use in waiting when it cannot.
        """
        clock, history, view = self.cluster.clock, self.cluster.history, self._view
        resources, idle_only = statement.resources, statement.idle_only
        first = True

        def look() -> bool:
            nonlocal first
            for change in history.since(view.position):
                view.apply(change)
                if change[2] in resources and tracker.changed(change) and not idle_only and condition():
                    return True
            view.at = max(view.at, clock.now())
            may_differ, first = first or idle_only or tracker.ripens, False
            return may_differ and condition() and (not hopeful or not idle_only or clock.idle())

        end = clock.now() + within
        while True:
            before = clock.now()
            step = min(LOOK, max(end - before, 0.0))
            if clock.wait(look, step, resources=resources) or look():
                return True
            now = clock.now()
            if now >= end - MOMENT:
                return False
            if now < before + step - MOMENT:
                if not tracker.ripens:
                    return False
                clock.sleep(before + step - now)
            if hopeful and self._in_vain(statement, tracker):
                return False

    def _track(self, statement: Statement, time: Time) -> Tracker:
        """A tracker at the present moment, which has seen the window where it needs to."""
        if not statement.whole_window:
            return statement.track(self._view)
        view = self._view_at(self._start(statement, time))
        tracker = statement.watch(view)
        for change in view.follow(self.cluster.history):
            if change.resource in statement.resources:
                tracker.changed(change)
        self._view = view
        return tracker

    def _was_by(self, statement: Statement, begin: float, end: float) -> bool:
        """Whether it became true between `begin` and `end`, or is true at the end of what of that has passed.

        What was so already at the beginning, and is so no more, did not become true.
        """
        if statement.idle_only:
            return False
        view = self._view_at(self.first_when or Moment("", 0.0, 0))
        tracker: Tracker | None = None
        was_not = False
        for change in self.cluster.history.since(view.position):
            if tracker is None and change.at > begin:
                tracker = statement.track(view)
            if change.at > end:
                break
            if tracker is not None and not tracker.holds():
                was_not = True
            elif tracker is not None and was_not:
                return True
            view.apply(change)
            if tracker is not None and change.resource in statement.resources:
                tracker.changed(change)
        return (tracker or statement.track(view)).holds()

    # --- The past

    def _was(self, statement: Statement, time: Throughout | AtSomeTime | Past) -> None:
        if statement.idle_only:
            raise UsageError(
                f'"{statement.text}" cannot be told of the past: judge it when it is so, in the present tense'
            )
        start = self._start(statement, time)
        self._check_known(statement, start)
        view = self._view_at(start)
        statement = statement.bound(view, self._view)
        tracker = statement.watch(view)
        some = isinstance(time, AtSomeTime) or (isinstance(time, Past) and statement.past == "at some time")
        if statement.sums_up and not isinstance(time, AtSomeTime):
            self._summed_up(statement, time, view, tracker)
        elif some:
            self._at_some_time(statement, time, view, tracker)
        else:
            self._throughout(statement, time, view, tracker)

    def _summed_up(self, statement: Statement, time: Time, view: View, tracker: Tracker) -> None:
        for change in view.replay(self.cluster.history, statement.resources):
            tracker.changed(change)
        if not tracker.holds():
            self._fail(statement, time, tracker.found(), then=tracker.broke)

    def _throughout(self, statement: Statement, time: Time, view: View, tracker: Tracker) -> None:
        if tracker.holds():
            for change in view.replay(self.cluster.history, statement.resources):
                if tracker.changed(change) and tracker.distance():
                    break
            else:
                return
        self._fail(statement, time, f"{tracker.found()} at {view.told()}", then=view.position)

    def _at_some_time(self, statement: Statement, time: Time, view: View, tracker: Tracker) -> None:
        course = _Course(tracker, view)
        if course.arrives():
            return
        for change in view.replay(self.cluster.history, statement.resources):
            if tracker.changed(change) and course.arrives():
                return
        now = f"never so; at the end, {tracker.found()}"
        self._fail(statement, time, now, nearest=course.told())

    # --- Requests

    def _judge_requests(self, statement: RequestsStatement, time: Time) -> None:
        verdict = self._look_at_requests(statement, time)
        if not verdict.holds:
            then = None if verdict.at is None else self._position_at(verdict.at)
            self._fail(statement, time, verdict.found, then=then)

    def _position_at(self, at: float) -> int:
        """The position in the history at that time."""
        changes = enumerate(self.cluster.history.since())
        return next((position for position, change in changes if change.at > at), len(self.cluster.history))

    def _look_at_requests(self, statement: RequestsStatement, time: Time) -> Verdict:
        traffic, clock, origin = self.cluster.traffic, self.cluster.clock, self._view.origin
        if isinstance(time, Becomes):
            if statement.requests is not None:
                return statement.look(statement.requests, origin)
            if time.within is None:
                return look_at_next(self.cluster, statement, patience=self.patience, origin=origin)
            begin = clock.now() if self.last_when is None else self.last_when
            end = begin + time.within
            return look_at_any(self.cluster, statement, begin=begin, end=end, origin=origin)
        if isinstance(time, Stays):
            before = len(traffic.requests)
            clock.sleep(time.seconds)
            return statement.look(self._to(statement, traffic.requests[before:]), origin)
        start = self._start(statement, time)
        self._check_known(statement, start)
        requests = self._to(statement, [one for one in traffic.requests if one.at >= start.at])
        if isinstance(time, AtSomeTime):
            return look_at_some(statement, requests, origin)
        return statement.look(requests, origin)

    @staticmethod
    def _to(statement: RequestsStatement, requests: Requests) -> Requests:
        return [one for one in requests if one.service == statement.service]

    # --- Windows

    def _now(self) -> View:
        self._view.origin = self.first_when.at if self.first_when is not None else 0.0
        return self._view.move(self.cluster.history)

    def _start(self, statement: Statement, time: Time) -> Moment:
        """The moment at which the window starts."""
        since = time.since if isinstance(time, Throughout | AtSomeTime | Past) else None
        start = since or statement.since or self.first_when
        if start is None:
            raise UsageError(
                f'"{statement.text}" looks back to the first When, and there was none before it: '
                "put a When before it, or judge it in the present tense"
            )
        return start

    def _check_known(self, statement: Statement, start: Moment) -> None:
        """Raises CannotJudge where changes of the window may be missing."""
        if why := self.cluster.history.gap(start.at):
            raise CannotJudge(f'"{statement.text}" cannot be told of all that time: {why}')

    def _view_at(self, start: Moment) -> View:
        """A view of its own of that moment."""
        view = self._starts.get(start.position)
        if view is None:
            view = self._starts[start.position] = View().move(self.cluster.history, start.position)
        view = view.copy()
        view.at, view.origin = max(view.at, start.at), self._view.origin
        return view

    # --- Failing

    def _in_vain(self, statement: Statement, tracker: Tracker) -> str:
        """Why it cannot become true any more, "" when it might."""
        clock, history = self.cluster.clock, self.cluster.history
        if tracker.ripens or not clock.idle():
            return ""
        if self._vain[0] != len(history):
            causes = Causes(history, self._now(), clock.now())
            why = causes.in_vain(statement.subject, steady=statement.steady, certain=clock.foresees)
            self._vain = len(history), why
        return self._vain[1]

    def _refuse_nothing(self, statement: Statement, time: Time) -> None:
        if missing := statement.missing(self._now()):
            self._fail(statement, time, missing)

    def _fail(
        self,
        statement: Statement,
        time: Time,
        found: str,
        *,
        then: int | None = None,
        unreachable: str = "",
        nearest: str = "",
    ) -> NoReturn:
        """`then`: the position just after the change with which it was not so; now, where none is given."""
        now, history = self._now(), self.cluster.history
        missing = statement.missing(now)
        at = now if then is None else View().move(history, then)
        if then is None:
            causes = Causes(history, at, self.cluster.clock.now(), self.cluster.output)
        else:
            causes = Causes(history, at, at.at)
        rolling = then is not None and isinstance(statement, PodsStatement | RequestsStatement)
        start = self.first_when or Moment("", 0.0, 0)
        told = story(history, now, statement.subject, start, until=at.position)
        raise ExpectationFailed(
            Failure(
                expected=time.text + statement.text,
                found=missing or found,
                why=[] if missing else causes.why(statement.subject, rolling=rolling),
                unreachable=unreachable,
                history=told.short,
                nearest="" if missing else nearest,
                whole=told.whole,
                objects=[] if missing else objects(at, statement.subject, causes.unwell(statement.subject)),
            )
        )


class _Course:
    """How near a tracker came on a view that moves on."""

    def __init__(self, tracker: Tracker, view: View) -> None:
        self._tracker, self._view = tracker, view
        self._least = float("inf")
        self._nearest, self._at = "", view.at

    def arrives(self) -> bool:
        """Whether the statement is true at the view's moment, and takes note of how near it is."""
        away = self._tracker.distance()
        if away < self._least:
            self._least, self._nearest, self._at = away, self._tracker.nearest(), self._view.at
        return away == 0

    def told(self) -> str:
        """The nearest that it came, in words; "" where what there is now is as near."""
        if not self._nearest or self._tracker.distance() <= self._least:
            return ""
        return f"{self._nearest} at {self._view.told(self._at)}"
