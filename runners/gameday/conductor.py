"""The course of a game day: steady state, gates, rounds, each of which is put back, and the verdict.

Whatever happens, what was done is put back before it ends; what cannot be is listed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from gherkube.runners.errors import GherkubeError
from gherkube.runners.expectations.time import Moment
from gherkube.runners.gameday import hooks
from gherkube.runners.gameday.blocking import Ended, looking_on
from gherkube.runners.gameday.book import Book
from gherkube.runners.gameday.control import Control
from gherkube.runners.gameday.faults import RecordedFaults
from gherkube.runners.gameday.keeping import Keeper
from gherkube.runners.gameday.plan import Gate, Occasion, Plan, Round
from gherkube.runners.gameday.prediction import BROKEN, HELD, NOT_JUDGED
from gherkube.runners.gameday.stage import Halted, Stage
from gherkube.runners.gameday.state import State
from gherkube.runners.gameday.watching import SELF, Times, Watcher
from gherkube.runners.live.cluster import LiveCluster
from gherkube.runners.report.failure import FAILED, INTERNAL, PASSED

RECOVERS = 600.0
"""Seconds of the cluster that the steady state gets to be there before a round, and to be back after it."""
UNDO_WITHIN = 300.0
"""Real seconds for which an undo is tried again while the API server does not answer."""
AGAIN = 2.0
"""Real seconds between two tries."""
ENDS = {HELD: 0, BROKEN: 1, NOT_JUDGED: 3}
PRECONDITION, INTERNAL_ERROR, HALTED, NOT_CLEAN = 4, 5, 7, 8
WORST_FIRST = (INTERNAL_ERROR, NOT_CLEAN, HALTED, PRECONDITION, 1, 3, 0)
"""Exit codes: an earlier failure is never overwritten by a later success."""


class NotMet(GherkubeError):  # noqa: N818 - what is so
    """Something stands against the game day, and nothing was touched."""


class Conductor:
    """One game day on one cluster, whose acts go to `book`."""

    def __init__(
        self,
        plan: Plan,
        stage: Stage,
        cluster: LiveCluster,
        book: Book,
        control: Control,
        keeper: Keeper,
    ) -> None:
        self._plan, self._stage, self._cluster, self._book = plan, stage, cluster, book
        self._control, self._keeper = control, keeper
        self._state = State.of(book.records)
        book.told.append(self._state.take)
        self._changes = cluster.api.changes
        self._changes.record_in(book)
        self._broken_faults = cluster.faults
        self._faults = RecordedFaults(cluster.faults, cluster.api)
        cluster.faults = self._faults
        self.watch = Watcher(plan, stage, cluster, book, control, keeper)
        book.told.append(lambda record: self.watch.times.take(record))
        self._codes: list[int] = []
        self.left: list[str] = []
        """What could not be put back."""
        self._begin: Moment | None = None
        self.refused = ""
        """What stood against it."""
        self.hurried = False
        """Whether the steady state is not waited for at the end."""
        self.give_up: Callable[[str], object] = lambda _: None
        """What is done about a step that goes on though it was halted; called in another thread."""

    def state(self) -> dict[str, Any]:
        """How things stand; see `State`."""
        return {**self._state.told, "journal": str(self._book.path)}

    def run(self) -> int:
        """The whole game day; returns the exit code."""
        self.watch.deadlines["the time limit of the game day"] = time.monotonic() + self._plan.limit
        self._cluster.api.pause_with(self.watch.pause)
        try:
            self._day()
        except (Halted, Ended):
            pass
        except NotMet as error:
            self._codes.append(PRECONDITION)
            self.refused = str(error)
        except GherkubeError as error:
            self._control.halt(SELF, str(error))
        except BaseException as error:
            self._codes.append(INTERNAL_ERROR)
            self._control.halt(SELF, f"an internal error: {error!r}")
            raise
        finally:
            code = self._end()
        return code

    # --- The course

    def _day(self) -> None:
        self._hooks("start")
        self._phase("checking")
        self._await_steady()
        self._begin = Moment("the beginning", self._cluster.clock.now(), len(self._cluster.history))
        self._gate(self._plan.gate, "")
        for number, round_ in enumerate(self._plan.rounds, 1):
            self._gate(round_.gate, round_.name)
            outcome = self._round(round_)
            is_last = number == len(self._plan.rounds)
            if outcome != PASSED and outcome != (round_.prediction.verdict or PASSED):
                self._codes.append({FAILED: 1, INTERNAL: INTERNAL_ERROR}.get(outcome, 3))
                if not is_last:
                    raise self._halt(f"round “{round_.name}”: {outcome}, and the next ones would do more")
            if self.left:
                raise self._halt("not all that a round did could be put back")
            if not self._recovers():
                raise self._halt(
                    f"the steady state was not back {RECOVERS:g} s after round “{round_.name}” was put back"
                )
            self._phase("pausing")
            if not is_last:
                self._pass(round_.pause)

    def _await_steady(self) -> None:
        """Raises NotMet when the steady state is not there, and does not come."""
        if not self._wait(self._is_steady, min(RECOVERS, self._stage.settings.patience)):
            broken = [each["sentence"] for each in self._state.told["steady"] if each["verdict"] is False]
            raise NotMet(f"the steady state does not hold: {'; '.join(broken)}")
        self.watch.look()
        self.watch.sample()
        self.watch.when = "during"

    def _gate(self, gate: Gate | None, round_: str) -> None:
        """Waits until it is confirmed; a time-out and a refusal halt."""
        if gate is None:
            return
        who = self._control.open_gate(gate.who)
        told: dict[str, Any] = {"gate": gate.says, "who": who, "within": gate.within, "round": round_}
        self._book.note("gate", event="asked", by="", **told)
        self.watch.show()
        self._hooks("gate")
        until = time.monotonic() + gate.within
        while (answer := self._control.answer()) is None and time.monotonic() < until:
            self._pass(0.2 * self._cluster.clock.rate)
        if answer is None:
            self._book.note("gate", event="timed out", by="", **told)
            raise self._halt(f"nobody confirmed the gate within {gate.within:g} s: {gate.says}")
        self._book.note("gate", event="confirmed" if answer.confirmed else "refused", by=answer.by, **told)
        if not answer.confirmed:
            self._control.halt(answer.by, f"refused at the gate: {gate.says}")
        self.watch()

    def _round(self, round_: Round) -> str:
        """Plays a round and puts it back; returns its outcome."""
        self._book.write("round", event="begins", name=round_.name)
        self._changes.tags["round"] = round_.name
        self.watch.times = Times(round_.name)
        self.watch.tell_times()
        limit = f"the time limit of round “{round_.name}”"
        self.watch.deadlines[limit] = time.monotonic() + round_.limit
        outcome, block, scenarios = PASSED, "", list[dict[str, Any]]()
        try:
            for scenario in self._stage.scenarios(round_):
                with looking_on(self._stage, self.watch, self._control, self.give_up):
                    played = self._stage.play(scenario, self._cluster, self.watch)
                outcome, block = played.outcome, played.block
                scenarios.append({"name": scenario.name, "outcome": outcome, "seconds": played.seconds})
                if outcome != PASSED or self._control.halted:
                    break
        finally:
            del self.watch.deadlines[limit]
            if self._control.halted:
                outcome = "halted"
            told: dict[str, Any] = {"outcome": outcome, "block": block, "scenarios": scenarios}
            self._book.note("round", event="ends", name=round_.name, **told)
        self.watch()  # raises Halted where that was asked for
        self._put_back()
        return outcome

    # --- Putting back

    def _put_back(self) -> None:
        """Undoes what was done and not undone yet; what is left is kept in `left`."""
        self._phase("undoing")
        self.watch.acting = False
        self.watch.gives_up = time.monotonic() + UNDO_WITHIN
        last: list[str] = []
        while True:
            answered = self._keeper.is_answered()
            self.left = self._undo()
            if not self.left or time.monotonic() > self.watch.gives_up:
                break
            if answered and self.left == last:
                break  # twice the same: it is not since the server was away in between
            last = self.left
            time.sleep(AGAIN)
        self.watch.acting = True

    def _undo(self) -> list[str]:
        left = self._changes.undo(mend=self._faults).left
        try:
            self._broken_faults.mend()
        except GherkubeError as error:
            left.append(str(error))
        return left

    def _recovers(self) -> bool:
        """Whether the steady state is back, and no rollout goes on; waits until it is so."""
        recovered = self._wait(lambda: self.hurried or self._is_well(), RECOVERS)
        self.watch.look()
        return recovered

    def _is_steady(self) -> bool:
        holds = self._stage.holds
        return all(holds(each, self._cluster, None).verdict is not False for each in self._plan.steady)

    def _is_well(self) -> bool:
        return self._is_steady() and self.watch.sampler.is_settled()

    # --- The end

    def _end(self) -> int:
        """Puts back what is not, judges, tells, and lets go of the lock; returns the exit code."""
        watch, book = self.watch, self._book
        watch.acting = False
        if self._control.halted:
            watch()
            self._hooks("abort")
            self._codes.append(HALTED)
            self._put_back()
            watch.acting = False
            if watch.times.told["injected"] and not self.left:
                self._try(self._recovers)
        if self._begin is not None:
            self._try(watch.steady, "after")
        if watch.broken:
            self._codes.append(1)
        hypothesis = self._judge()
        if self.left:
            self._codes.append(NOT_CLEAN)
        code = min((ENDS[hypothesis], *self._codes), key=WORST_FIRST.index)
        told: dict[str, Any] = {
            "hypothesis": hypothesis,
            "clean": not self.left,
            "left": self.left,
            "exit": code,
        }
        book.note("verdict", **told)
        self._hooks("end")
        watch.show()
        return min(code, HALTED if book.full else code, key=WORST_FIRST.index)

    def _judge(self) -> str:
        """What the hypotheses come to, over all that happened since the beginning."""
        verdicts = []
        if self._begin is None:
            return NOT_JUDGED
        for hypothesis in self._plan.hypothesis:
            for sentence in hypothesis.holds:
                held = self._stage.holds(sentence, self._cluster, self._begin)
                verdict = {True: HELD, False: BROKEN, None: NOT_JUDGED}[held.verdict]
                if verdict == HELD and self._control.halted:
                    verdict = NOT_JUDGED  # it held for as long as it went
                verdicts.append(verdict)
                told: dict[str, Any] = {"says": hypothesis.says, "sentence": sentence.text}
                self._book.note("hypothesis", **told, verdict=verdict, words=held.words)
        return next((each for each in (BROKEN, NOT_JUDGED) if each in verdicts), HELD)

    # --- Small things

    def _wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Lets so many seconds of the cluster pass until it is so, and looks on."""

        def looks() -> bool:
            self.watch()
            return condition()

        return self._cluster.clock.wait(looks, seconds)

    def _pass(self, seconds: float) -> None:
        self._wait(lambda: False, seconds)

    def _halt(self, why: str) -> Halted:
        self._control.halt(SELF, why)
        self.watch.show()
        return Halted(why)

    def _phase(self, phase: str) -> None:
        self._book.note("phase", sync=False, phase=phase)
        self.watch.show()

    def _hooks(self, on: Occasion) -> None:
        for hook in self._plan.hooks:
            if hook.on == on:
                told = {"event": on, "gameday": self._plan.name, "journal": str(self._book.path)}
                came = hooks.call(hook, {**told, "state": self.state()})
                self._book.note("hook", on=on, **came)

    def _try(self, do: Callable[..., bool], *arguments: Any) -> bool:
        """What it returns; False where the cluster cannot be asked any more."""
        try:
            return do(*arguments)
        except GherkubeError:
            return False
