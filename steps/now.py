"""Whether a judgement is so at this moment: asked again and again while something goes on, without waiting.

A sentence in the present is about now, and `within` adds nothing to that; `for 10 seconds` is about the last
ten. One about the past is about all since it was first asked. Of requests the last ones are meant.
"""

from __future__ import annotations

from gherkube.runners.errors import CannotJudge, UsageError
from gherkube.runners.expectations.failure import ExpectationFailed
from gherkube.runners.expectations.flowing import NEXT
from gherkube.runners.expectations.requests import RequestsStatement
from gherkube.runners.expectations.statement import Statement, Tracker
from gherkube.runners.expectations.time import Becomes, Stays, duration
from gherkube.runners.expectations.view import View
from gherkube.runners.traffic import Request
from gherkube.steps.catalogue import Match
from gherkube.steps.times import time_of
from gherkube.steps.world import World

LOOK = 1.0
"""Seconds of the cluster after which what is told of all the past is looked at again."""


class Now:
    """One sentence on one cluster. It reads the history on, so `look` costs what is new."""

    def __init__(self, match: Match, world: World) -> None:
        statement = match.statement(world)
        if statement is None:
            raise UsageError(f"“{match.text}” is about what was done just before: nothing was")
        self._statement: Statement = statement
        self._world, self._cluster, self._match = world, world.cluster, match
        self._time = time_of(match.time, match.tense or "present", world.moment)
        if not isinstance(self._time, Becomes | Stays):
            world.judge.first_when = world.judge.moment()
        self._view = View()
        self._tracker: Tracker | None = None
        self._since: float | None = None
        """Since when it has been so without a break."""
        self._seen: tuple[float, tuple[bool, str]] | None = None

    def look(self) -> tuple[bool, str]:
        """Whether it is so, and what there is, in words. Raises CannotJudge, UsageError, ApiError."""
        if not isinstance(self._time, Becomes | Stays):
            return self._was()
        if isinstance(self._statement, RequestsStatement):
            return self._requests(self._statement)
        return self._is(self._statement)

    def _is(self, statement: Statement) -> tuple[bool, str]:
        clock, view, history = self._cluster.clock, self._view, self._cluster.history
        if self._tracker is None:
            self._tracker = statement.track(view)
        tracker = self._tracker
        for change in view.follow(history):
            if change.resource in statement.resources:
                tracker.changed(change)
                self._note(tracker, change.at)
        now = view.at = max(view.at, clock.now())
        if missing := statement.missing(view):
            return False, missing
        self._note(tracker, now)
        holds = self._since is not None and (not statement.idle_only or clock.idle())
        if not holds or not isinstance(self._time, Stays):
            return holds, tracker.found()
        assert self._since is not None
        lasted = now - self._since
        return lasted >= self._time.seconds, f"{tracker.found()}, for {duration(round(lasted, 1))} so far"

    def _note(self, tracker: Tracker, at: float) -> None:
        if not tracker.holds():
            self._since = None
        elif self._since is None:
            self._since = at

    def _requests(self, statement: RequestsStatement) -> tuple[bool, str]:
        begin = -1.0
        if isinstance(self._time, Stays):
            begin = self._cluster.clock.now() - self._time.seconds
        elif statement.what in ("gap", "longer gap"):
            begin = self._cluster.clock.now() - 2 * statement.argument - LOOK
        last: list[Request] = []
        for request in reversed(self._cluster.traffic.requests):
            if request.at < begin or (begin < 0 and len(last) == NEXT):
                break
            if request.service == statement.service:
                last.append(request)
        if not last:
            raise CannotJudge(f'no requests go to service "{statement.service.name}"')
        verdict = statement.look(last[::-1])
        return verdict.holds, verdict.found

    def _was(self) -> tuple[bool, str]:
        now = self._cluster.clock.now()
        if self._seen is None or now >= self._seen[0] + LOOK:
            self._seen = now, self._judge()
        return self._seen[1]

    def _judge(self) -> tuple[bool, str]:
        try:
            self._world.judge.judge(self._statement, self._time)
        except ExpectationFailed as error:
            return False, error.failure.found
        return True, ""
