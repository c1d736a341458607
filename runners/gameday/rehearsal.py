"""`gherkube gameday rehearse`: plays a plan on the simulator with the target's objects, and predicts.

Each run has a seed of its own, 1 and up: the same snapshot, plan and number of runs give the same prediction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from gherkube.runners.expectations.time import Moment
from gherkube.runners.gameday import snapshot
from gherkube.runners.gameday.measures import fewest_ready, lost_requests
from gherkube.runners.gameday.plan import Plan, Round, Sentence
from gherkube.runners.gameday.prediction import BROKEN, HELD, NOT_JUDGED, RoundRun, Run
from gherkube.runners.gameday.restored import restore, settle
from gherkube.runners.gameday.sampling import Sampler
from gherkube.runners.gameday.simulated import SimulatedTarget, Write
from gherkube.runners.gameday.snapshot import Snapshot
from gherkube.runners.gameday.stage import Halted, Stage
from gherkube.runners.history import History
from gherkube.runners.report.failure import PASSED
from gherkube.runners.simulator.api.writes import NAMESPACES
from gherkube.runners.simulator.cluster import Simulator
from gherkube.runners.target import SIMULATOR, Target

LOOKS = 1.0
"""Virtual seconds between two looks at the abort conditions, as on a game day."""
NO_ROOM = ("FailedCreate", "FailedScheduling")
"""What events say where pods find no room on nodes or in a quota."""
HALTED = "halted"
AGAIN = "(combined from similar events): "
ONE_POD = re.compile(r'pods? "[^"]+" is ')
RECOVERS = 600.0
"""Virtual seconds that the steady state gets to be back after a round."""


class Rehearsed(NamedTuple):
    """One run: what it came to; for each round what it did, and why it did not pass.

    `refused`: what the fences did not allow; `late`: the pods that were ready, and did not get so on the
    simulator; `warnings`: what the cluster warned of.
    """

    run: Run
    writes: list[list[Write]]
    blocks: list[str]
    refused: list[str]
    late: list[str]
    warnings: list[str]


class Player:
    """Plays a plan on one simulator."""

    def __init__(self, plan: Plan, stage: Stage, taken: Snapshot, seed: int, target: Target | None) -> None:
        self.plan, self.stage = plan, stage
        simulator = restore(taken, seed)
        self.cluster = SimulatedTarget(simulator, plan.scope, target)
        first, then = told_before(plan.rehearsal.given)
        stage.establish(first, simulator)
        self.late = settle(simulator, taken)
        stage.establish(then, simulator)
        self._abort, self._looked = "", self.cluster.clock.now()
        self._broken: dict[str, None] = {}

    def play(self) -> Rehearsed:
        """The whole plan; rounds that are not come to, since it would be halted before, are not there."""
        begin, rounds, left, unexpected = self.moment("begin"), list[RoundRun](), list[str](), ""
        writes, blocks = list[list[Write]](), list[str]()
        try:
            for round_ in self.plan.rounds:
                done = len(self.cluster.writes)
                came, block = self.round(round_)
                rounds.append(came)
                writes.append(self.cluster.writes[done:])
                blocks += [f"round {round_.name}\n{block}"] if block else []
                if came.outcome not in (PASSED, HALTED, round_.prediction.verdict):
                    unexpected = unexpected or came.outcome
                left += self.cluster.put_back()
                self.watch()
                if unexpected or left or not self.recovers():
                    break
                self.passes(round_.pause)
        except Halted:
            left += self.cluster.put_back()
        hypothesis = {each.says: self.judged(each.holds, begin) for each in self.plan.hypothesis}
        run = Run(hypothesis, rounds, self._abort, list(self._broken), unexpected, left)
        warned = warnings(self.cluster.history, begin)
        return Rehearsed(run, writes, blocks, self.cluster.refused, self.late, warned)

    def round(self, round_: Round) -> tuple[RoundRun, str]:
        """Plays one round; returns what it came to, and why it did not pass."""
        clock, since = self.cluster.clock, len(self.cluster.history)
        begin, outcome, block = clock.now(), PASSED, ""
        for scenario in self.stage.scenarios(round_):
            played = self.stage.play(scenario, self.cluster, self.watch)
            outcome, block = played.outcome, played.block
            if self._abort:
                outcome, block = HALTED, self._abort
            if outcome != PASSED:
                break
        end = clock.now()
        ready = fewest_ready(self.cluster.history, self.plan.scope, since)
        lost, gap = lost_requests(self.cluster.traffic.requests, begin, end)
        return RoundRun(outcome, round(end - begin, 3), ready, lost, gap), block

    def watch(self) -> None:
        """Looks now and then at steady state and abort conditions. Raises Halted once one of these is so."""
        now = self.cluster.clock.now()
        if self._abort or now >= self._looked + LOOKS:
            self._looked = now
            self._broken |= dict.fromkeys(each.text for each in self.plan.steady if self.holds(each) is False)
            self._abort = self._abort or next((each.text for each in self.plan.abort if self.holds(each)), "")
        if self._abort:
            raise Halted(f"aborted, since {self._abort}")

    def recovers(self) -> bool:
        """Whether the steady state comes back, and no pod is missing; lets time pass until then."""
        clock = self.cluster.clock
        end = clock.now() + RECOVERS
        while not self.is_well():
            if clock.now() >= end:
                return False
            self.passes(LOOKS)
        return True

    def passes(self, seconds: float) -> None:
        """Lets time pass, and looks on."""
        end = self.cluster.clock.now() + seconds
        while (rest := end - self.cluster.clock.now()) > 0:
            self.cluster.clock.sleep(min(LOOKS, rest))
            self.watch()

    def is_well(self) -> bool:
        """Whether no sentence of the steady state is broken, and no pod is missing."""
        counts = Sampler(self.cluster, self.plan.scope).pods().values()
        missing = any(each["ready"] < each["desired"] for each in counts)
        return not missing and not any(self.holds(each) is False for each in self.plan.steady)

    def holds(self, sentence: Sentence) -> bool | None:
        """Whether it is so now."""
        return self.stage.holds(sentence, self.cluster, None).verdict

    def judged(self, sentences: Sequence[Sentence], since: Moment) -> str:
        """What a hypothesis comes to: broken with a sentence that is not so, not judged after an abort."""
        verdicts = [self.stage.holds(each, self.cluster, since).verdict for each in sentences]
        if False in verdicts:
            return BROKEN
        return NOT_JUDGED if None in verdicts or self._abort else HELD

    def moment(self, name: str) -> Moment:
        """Now."""
        return Moment(name, self.cluster.clock.now(), len(self.cluster.history))


def warnings(history: History, since: Moment) -> list[str]:
    """What the cluster said since then of pods that find no room on nodes or in a quota; each once."""
    found = (change.object for change in history.since(since.position) if change.resource == "events")
    said = (f"{each['reason']}: {each['message']}" for each in found if each["reason"] in NO_ROOM)
    return list(dict.fromkeys(ONE_POD.sub("a pod is ", each.replace(AGAIN, "")) for each in said))


def told_before(given: Sequence[Sentence]) -> tuple[list[Sentence], list[Sentence]]:
    """What is said of images, which holds from the start, and of requests, which flow once pods run.

    The rest of what was given is in the snapshot.
    """
    images = [each for each in given if each.text.startswith("image ")]
    return images, [each for each in given if each.text.startswith("requests ")]


def rehearse(
    plan: Plan,
    stage: Stage,
    taken: Snapshot,
    *,
    runs: int,
    target: Target | None = None,
    told: Callable[[int], object] = lambda _: None,
) -> list[Rehearsed]:
    """Plays the plan with the seeds 1 to `runs`; `told` is called with the number of each that is over."""
    found = []
    for seed in range(1, runs + 1):
        found.append(Player(plan, stage, taken, seed, target).play())
        told(seed)
    return found


def simulated(plan: Plan, stage: Stage, seed: int = 1) -> Snapshot:
    """The snapshot of a simulator on which is what the plan's rehearsal says is given."""
    simulator = Simulator(seed, keeps=True)
    for name in plan.scope.namespaces:
        if name not in NAMESPACES:
            simulator.api.create_trusted("namespaces", {"metadata": {"name": name}})
    stage.establish(plan.rehearsal.given, simulator)
    simulator.clock.sleep(LOOKS)
    taken = datetime.fromisoformat(simulator.clock.timestamp()).isoformat()
    return snapshot.take(simulator.api, plan.scope, SIMULATOR, taken)
