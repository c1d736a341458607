"""Watches a game day while it acts: steady state, abort conditions, limits, the lock, and what people ask.

It is called at each news of the cluster and before each act, and ends what is being done by raising Halted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from gherkube.runners.cluster import Cluster
from gherkube.runners.errors import CannotJudge
from gherkube.runners.gameday.book import Book
from gherkube.runners.gameday.control import Control
from gherkube.runners.gameday.keeping import Keeper
from gherkube.runners.gameday.plan import Plan
from gherkube.runners.gameday.sampling import Pods, Sampler
from gherkube.runners.gameday.stage import Halted, Stage
from gherkube.runners.gameday.timeline import FOUR
from gherkube.runners.live.journal import Record, now

LOOKS = 0.1
"""Real seconds between two looks at most often."""
SAMPLES = 1.0
"""Real seconds between two samples of the same pods."""
SELF = "gherkube"
"""Who halts, where no person does."""


class Times:
    """The four times of a round: when it was injected, detected, acted on, and recovered from."""

    def __init__(self, round_: str) -> None:
        self.told: dict[str, Any] = {"round": round_, **dict.fromkeys(FOUR)}
        self._said = set[int]()
        self._over = False
        """Whether it was put back before anything was detected: what is missing from then on is its undo."""

    def take(self, record: Record) -> None:
        """An act, or an undo. What is said of images only prepares one."""
        if record.kind == "before" and record.data.get("fault") == "behave":
            self._said.add(record.seq)
        elif record.kind == "after" and not record.data.get("error") and record.data["ref"] not in self._said:
            self._first("acted" if self.told["detected"] else "injected", record.at)
        elif record.kind == "undo":
            self._over = not self.told["detected"]
            if not self._over:
                self._first("acted", record.at)

    def look(self, *, well: bool) -> None:
        """What is seen now: `well` while the steady state holds and no pod is missing."""
        told = self.told
        if not told["injected"] or self._over:
            return
        if not well:
            self._first("detected", now())
            told["recovered"] = None
        elif told["detected"]:
            self._first("recovered", now())

    def _first(self, which: str, at: str) -> None:
        self.told[which] = self.told[which] or at


class Watcher:
    """Called, it looks. `acting`: whether it may raise Halted; not while things are put back."""

    def __init__(
        self, plan: Plan, stage: Stage, cluster: Cluster, book: Book, control: Control, keeper: Keeper
    ) -> None:
        self._plan, self._stage, self._cluster, self._book = plan, stage, cluster, book
        self._control, self._keeper = control, keeper
        self.sampler = Sampler(cluster, plan.scope)
        self._looked = self._sampled = float("-inf")
        self._busy = self._told_halt = False
        self._verdicts: dict[str, bool | None] = {}
        self.acting = True
        self.when = "before"
        """Of the game day: before, during or after."""
        self.deadlines: dict[str, float] = {}
        """Until when (monotonic) what may take."""
        self.gives_up = float("inf")
        """Until when (monotonic) an undo waits for an API server that does not answer."""
        self._pods: Pods = {}
        self.times = Times("")
        self._told_times = dict(self.times.told)
        self.broken: list[str] = []
        """What of the steady state did not hold meanwhile."""
        self.show: Callable[[], object] = lambda: None

    def __call__(self) -> None:
        """Looks, unless it just did. Raises Halted."""
        if self._busy:
            return
        self._busy = True
        try:
            if time.monotonic() >= self._looked + LOOKS:
                self.look()
        finally:
            self._busy = False
        self._end()

    def look(self) -> None:
        """Looks at everything."""
        self._looked = time.monotonic()
        for note in self._control.notes():
            told: dict[str, Any] = {"by": note.by, "text": note.text, **note.finding}
            self._book.note("note", **told)
        self._limits()
        if self.acting and not self._control.halted:
            self._aborts()
        steady = self.steady(self.when)
        pods = self.sampler.pods()
        if pods != self._pods or self._looked >= self._sampled + SAMPLES:
            self._pods = pods
            self.sample()
        self.times.look(well=steady and not self._misses())
        self.tell_times()
        self.show()

    def tell_times(self) -> None:
        """Writes the times of the round down, where one of them is new."""
        if self.times.told != self._told_times:
            self._told_times = dict(self.times.told)
            self._book.note("times", sync=False, **self._told_times)

    def _misses(self) -> bool:
        """Whether pods were missing when they were counted last."""
        return any(each["ready"] < each["desired"] for each in self._pods.values())

    def steady(self, when: str) -> bool:
        """Whether no sentence of the steady state is broken; what has changed is written down."""
        found = True
        for sentence in self._plan.steady:
            held = self._stage.holds(sentence, self._cluster, None)
            found = found and held.verdict is not False
            if self._verdicts.get(sentence.text, ...) != held.verdict or when == "after":
                self._verdicts[sentence.text] = held.verdict
                told: dict[str, Any] = {"sentence": sentence.text, "verdict": held.verdict}
                self._book.note("steady", when=when, **told, words=held.words)
                if held.verdict is False and when == "during" and self.acting:
                    self.broken.append(f"{sentence.text}: {held.words}")
        return found

    def sample(self) -> None:
        """Writes the counts down."""
        self._sampled = time.monotonic()
        at = round(self._cluster.clock.now(), 3)
        self._book.note(
            "sample", sync=False, at_cluster=at, pods=self._pods, requests=self.sampler.requests()
        )

    def pause(self, seconds: float) -> None:
        """Waits so long before the API is asked again; a halt does not wait for that.

        Raises Halted, and CannotJudge where an undo has waited long enough.
        """
        until = time.monotonic() + seconds
        if not self.acting and until > self.gives_up:
            raise CannotJudge("the API server does not answer")
        while (rest := until - time.monotonic()) > 0:
            time.sleep(min(rest, LOOKS))
            self._limits()
            self._end()

    def _limits(self) -> None:
        for what, until in self.deadlines.items():
            if time.monotonic() > until:
                self._control.halt(SELF, f"{what} is over")
        window = self._plan.window
        if window is not None and datetime.now(UTC) > window.end:
            self._control.halt(SELF, f"the window of the game day ended at {window.end.isoformat()}")
        if lost := self._keeper.check():
            self._control.halt(SELF, lost)

    def _aborts(self) -> None:
        for sentence in self._plan.abort:
            held = self._stage.holds(sentence, self._cluster, None)
            if held.verdict:
                self._book.note("abort", sentence=sentence.text, words=held.words)
                self._control.halt("abort condition", f"{sentence.text}: {held.words}")
                return

    def _end(self) -> None:
        """Raises Halted once that was asked for, where something is being done."""
        halted = self._control.halted
        if halted is None:
            return
        if not self._told_halt:
            self._told_halt = True
            self._book.note("halt", by=halted.by, why=halted.why)
            self.show()
        if self.acting:
            raise Halted(f"the game day was halted by {halted.by}: {halted.why}")
