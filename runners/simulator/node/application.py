"""A running program: what it answers at any time, and when and how it ends.

All of it follows from the image's behaviour and a few moments (start, SIGTERM, SIGKILL), so nothing
has to happen while a program just runs: whoever wants to know asks, or asks when the answer changes.
"""

from __future__ import annotations

from enum import Enum
from math import inf
from typing import TypeAlias

from gherkube.runners.simulator.node.images import Behaviour

OUT_OF_MEMORY_AFTER = 0.3
"""Seconds from the moment at which a program needs more memory than it may have to its end."""
EXIT_TAKES = 0.05
"""Seconds from a signal that ends a program to its end."""
COMPLETES_AFTER = 0.2
"""Seconds that an init container's program takes when nothing is said about it."""
SIGKILLED, TERMINATED_BY_RUNTIME, NOT_STARTED = 137, 255, 128


class Answer(Enum):
    """What comes back when a program is asked."""

    OK = "ok"
    UNHEALTHY = "unhealthy"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    ERROR = "error"
    """It could not be asked at all."""


class Question(Enum):
    """What a probe, or a request, asks a program."""

    READY = "readiness"
    LIVE = "health"
    LISTENING = "listening"


Files: TypeAlias = tuple[tuple[float, str, bool], ...]
"""Which files come to be (True) and go, each with its second."""


class Application:
    """One run of a program. Times are virtual seconds; `inf` is never."""

    __slots__ = (
        "_changes",
        "_completes",
        "_memory_limit",
        "_takes_memory_at",
        "behaviour",
        "ends_at",
        "exit_code",
        "files",
        "hangs_at",
        "listens_at",
        "not_live_at",
        "not_ready_at",
        "ready_at",
        "reason",
        "started_at",
        "term_at",
    )

    def __init__(
        self,
        behaviour: Behaviour,
        now: float,
        *,
        memory_limit: float = inf,
        completes: bool = False,
        files: Files | None = None,
        takes_memory_at: float = 0.0,
    ) -> None:
        """Starts now. `memory_limit` in bytes; `completes`: ends by itself, as an init container's does.

        `files`: which come to be and go after how many seconds; None where nothing is known of files.
        `takes_memory_at`: after how many seconds it needs its memory.
        """
        self.started_at, self.term_at = now, inf
        self._memory_limit, self._completes = memory_limit, completes
        self.files, self._takes_memory_at = files, takes_memory_at
        self._changes: tuple[float, ...] | None = None
        self._bind(behaviour, now)

    def become(self, behaviour: Behaviour, now: float) -> bool:
        """Behaves so from now on, as if from its start, but ends no sooner than now; whether that is new.

        Whoever has ended, or is being stopped, stays as it is.
        """
        if not self.runs(now) or self.term_at < inf or behaviour == self.behaviour:
            return False
        self._bind(behaviour, now)
        return True

    def terminate(self, now: float, kill_at: float) -> None:
        """SIGTERM now, SIGKILL at `kill_at` if it still runs then."""
        self.term_at, self._changes = now if now < self.term_at else self.term_at, None
        if self.behaviour.ignores_sigterm:
            stops = inf
        elif now < self.listens_at:
            stops = now + EXIT_TAKES
        else:
            stops = self.term_at + self.behaviour.stop_seconds + EXIT_TAKES
        if stops > kill_at:
            stops, code = kill_at, SIGKILLED
        else:
            code = 0
        if stops < self.ends_at:
            self._end(stops, code)

    def end_unstarted(self) -> None:
        """It could not be started at all."""
        self._end(self.started_at, NOT_STARTED, "StartError")

    def lose(self, at: float) -> None:
        """Its node lost its power: the runtime finds at that time that it is gone."""
        self._end(at, TERMINATED_BY_RUNTIME, "Unknown")

    def runs(self, now: float) -> bool:
        """Whether it runs at that time."""
        return self.started_at <= now < self.ends_at

    def answer(self, question: Question, now: float) -> Answer:
        """What comes back at that time."""
        if not self.listens_at <= now < self._closes_at():
            return Answer.REFUSED
        if question is Question.LISTENING:
            return Answer.OK
        if now >= self.hangs_at:
            return Answer.TIMEOUT
        if question is Question.LIVE:
            return Answer.OK if now < self.not_live_at else Answer.UNHEALTHY
        ready = self.ready_at <= now < min(self.not_ready_at, self.term_at)
        return Answer.OK if ready else Answer.UNHEALTHY

    def has_file(self, name: str, now: float) -> bool:
        """Whether a file of that name is there at that time."""
        ran = now - self.started_at
        changes = [there for at, file, there in self.files or () if file == name and at <= ran]
        return bool(changes) and changes[-1]

    def next_change(self, now: float) -> float:
        """The first moment after `now` at which an answer may become another; `inf` when none will."""
        changes = self._changes
        if changes is None:
            changes = self._changes = tuple(
                sorted(
                    {
                        self.listens_at,
                        self.ready_at,
                        self.not_ready_at,
                        self.not_live_at,
                        self.hangs_at,
                        self.term_at,
                        self._closes_at(),
                        *(self.started_at + at for at, *_ in self.files or ()),
                    }
                )
            )
        for change in changes:
            if change > now:
                return change
        return inf

    def _closes_at(self) -> float:
        """From when on connections are refused: a program stops listening just before it ends by itself."""
        if self.term_at == inf or self.behaviour.ignores_sigterm:
            return self.ends_at
        return min(self.ends_at, self.term_at + self.behaviour.stop_seconds)

    def _bind(self, behaviour: Behaviour, now: float) -> None:
        start, self.behaviour = self.started_at, behaviour
        self.listens_at = start + behaviour.listen_after
        self.ready_at = inf if behaviour.never_ready else start + behaviour.ready_after
        after = behaviour.fails_readiness_after
        self.not_ready_at = inf if after is None else start + after
        after = behaviour.fails_liveness_after
        self.not_live_at = inf if after is None else start + after
        after = behaviour.hangs_after
        self.hangs_at = inf if after is None else start + after
        self.ends_at, self.exit_code, self.reason = inf, 0, ""
        self._changes = None
        if behaviour.memory > self._memory_limit:
            self._end(max(now, start + self._takes_memory_at + OUT_OF_MEMORY_AFTER), SIGKILLED, "OOMKilled")
        elif behaviour.crash_after is not None:
            self._end(max(now, start + behaviour.crash_after), behaviour.exit_code)
        elif self._completes:
            self._end(max(now, start + COMPLETES_AFTER), 0)

    def _end(self, at: float, code: int, reason: str = "") -> None:
        self.ends_at, self.exit_code, self._changes = at, code, None
        self.reason = reason or ("Completed" if code == 0 else "Error")
