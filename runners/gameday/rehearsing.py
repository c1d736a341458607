"""`gherkube gameday rehearse`: takes a snapshot, rehearses with it, and writes what is predicted."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from gherkube.runners.gameday import prediction, snapshot
from gherkube.runners.gameday.opening import INTERNAL as INTERNAL_ERROR
from gherkube.runners.gameday.opening import opened, reached, target_of
from gherkube.runners.gameday.plan import Plan, fingerprint
from gherkube.runners.gameday.prediction import BROKEN, HELD, NOT_JUDGED
from gherkube.runners.gameday.reading import shown
from gherkube.runners.gameday.rehearsal import Rehearsed, rehearse, simulated
from gherkube.runners.gameday.snapshot import Snapshot
from gherkube.runners.gameday.stage import Stage
from gherkube.runners.report.failure import INTERNAL
from gherkube.runners.target import Target

ENDS = {HELD: 0, BROKEN: 1, NOT_JUDGED: 3}
"""Exit codes, by what is predicted of the hypothesis."""


def rehearse_plan(
    path: Path, *, kubeconfig: str, options: Sequence[str], source: Path | None, runs: int | None
) -> int:
    """Rehearses with a new snapshot, or with that in the file `source`; returns the exit code."""

    def act(plan: Plan, stage: Stage) -> int:
        target = target_of(plan, stage.settings, kubeconfig)
        if source:
            taken = snapshot.load(source)
        else:
            taken, target = take(plan, stage, target)
            snapshot.save(taken, plan.beside("snapshot"))
        print(f"{taken.target}, {taken.taken}: {taken.counted()}")
        for each in taken.left_out:
            print(f"  left out: {each}")
        found = rehearse(
            plan, stage, taken, runs=runs or plan.rehearsal.runs, target=target, told=_Progress()
        )
        names = [each.name for each in plan.rounds]
        predicted = prediction.forecast(fingerprint(plan), taken.sha256, names, [each.run for each in found])
        prediction.save(predicted, plan.beside("prediction"))
        print("\n".join(prediction.lines(predicted)))
        _explain(found)
        wrote = (
            [plan.beside("prediction")] if source else [plan.beside("snapshot"), plan.beside("prediction")]
        )
        print(f"wrote {' and '.join(map(shown, wrote))}")
        return INTERNAL_ERROR if INTERNAL in predicted.unexpected else ENDS[predicted.verdict]

    return opened(path, options, "rehearse", act)


def take(plan: Plan, stage: Stage, target: Target | None) -> tuple[Snapshot, Target | None]:
    """What there is of the target now, and the target as its fences hold there."""
    if target is None:
        return simulated(plan, stage), None
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with reached(target) as (api, _, as_held):
        return snapshot.take(api, plan.scope, plan.target, now), as_held


def _explain(found: Sequence[Rehearsed]) -> None:
    """Shows why rounds did not pass: the first run in which each failure shows."""
    shown: dict[str, int] = {}
    for seed, each in enumerate(found, 1):
        for block in each.blocks:
            shown.setdefault(block.partition("\n")[0], seed)
            if shown[block.partition("\n")[0]] == seed:
                print(f"\nin run {seed}, {block}")


class _Progress:
    """Counts the runs on the terminal, if it is one."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, run: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{run} rehearsed, {time.monotonic() - self._began:.0f} s ", end="", file=sys.stderr)
