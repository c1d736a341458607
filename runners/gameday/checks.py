"""What is looked at before every game day; nothing is touched.

What a game day would do is found by playing it once on the simulator with the target's objects.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise

from gherkube.runners.errors import UsageError
from gherkube.runners.gameday import prediction, snapshot
from gherkube.runners.gameday.ground import AGAINST, NOTE, OK, Finding, Ground, pods_touched
from gherkube.runners.gameday.room import rooms
from gherkube.runners.kubectl.status import STATUSES, rollout_status
from gherkube.runners.report.failure import FAILED

HOOK_WITHIN = 60.0
"""Real seconds that the hook which tells of incidents may take."""


def _window(ground: Ground) -> Iterator[Finding]:
    window, now = ground.plan.window, datetime.now(UTC)
    if window is None:
        yield Finding("window", OK, "at any time")
    elif now > window.end:
        yield Finding("window", AGAINST, f"it was over at {window.end.isoformat()}")
    else:
        state = NOTE if now < window.begin else OK
        yield Finding("window", state, f"from {window.begin.isoformat()} to {window.end.isoformat()}")


def _rehearsed(ground: Ground) -> Iterator[Finding]:
    """What one rehearsal came to; whether the plan was rehearsed as it is."""
    plan, played = ground.plan, ground.played
    for block in played.blocks:
        head, _, rest = block.partition("\n")
        can = played.run.unexpected in ("", FAILED)
        words = f"{head} did not pass on the simulator" if can else f"{head} cannot be played"
        yield Finding("rehearsal", NOTE if can else AGAINST, words, tuple(rest.splitlines()))
    if played.run.abort:
        yield Finding("rehearsal", NOTE, f"it was aborted on the simulator: {played.run.abort}")
    if played.late:
        yield Finding("rehearsal", NOTE, f"pods that did not get ready there: {', '.join(played.late)}")
    if played.run.left:
        yield Finding("undo", AGAINST, "not all could be put back on the simulator", tuple(played.run.left))
    try:
        found = prediction.of(plan)
    except UsageError as error:
        yield Finding("prediction", NOTE, str(error))
        return
    if found is None:
        yield Finding("prediction", NOTE, "there is none; gherkube gameday rehearse makes one")
    else:
        state = OK if found.verdict == prediction.HELD else NOTE
        yield Finding("prediction", state, f"the hypothesis: {found.verdict}, in {found.runs} rehearsals")


def _order(ground: Ground) -> Iterator[Finding]:
    """Rounds that touch fewer pods than one before them."""
    sizes = [pods_touched(writes, ground.taken) for writes in ground.played.writes]
    for n, (before, after) in enumerate(pairwise(sizes), 1):
        if after < before:
            name = ground.plan.rounds[n].name
            words = f"round {name} touches {after} pods, the one before it {before}: the smallest comes first"
            yield Finding("order", NOTE, words)


def _rollouts(ground: Ground) -> Iterator[Finding]:
    """Workloads whose rollout is not over."""
    plan, going = ground.plan, []
    for resource in ("deployments", "statefulsets", "daemonsets"):
        for workload in ground.taken.of(resource):
            name = f"{workload['kind'].lower()}/{workload['metadata']['name']}"
            status = rollout_status(workload) if workload["kind"] in STATUSES else None
            in_scope = not plan.scope.workloads or name in plan.scope.workloads
            if in_scope and status is not None and not status.done and "only available" not in status.message:
                going.append(f"{name}: {status.message}")
    there = {
        f"{each['kind'].lower()}/{each['metadata']['name']}"
        for resource in snapshot.TAKEN
        for each in ground.taken.of(resource)
    }
    if absent := [each for each in plan.scope.workloads if each not in there]:
        yield Finding("workloads", AGAINST, f"not there: {', '.join(absent)}")
    state, words = (AGAINST, "going on") if going else (OK, "none is going on")
    yield Finding("rollouts", state, words, tuple(going))


def _rooms(ground: Ground) -> Iterator[Finding]:
    """Quotas, budgets and room on nodes, and what the rehearsal said of them."""
    for what, words, enough in rooms(
        ground.taken, {(w.resource, w.namespace, w.name) for w in ground.writes}
    ):
        yield Finding(what, OK if enough else NOTE, words)
    if ground.played.warnings:
        yield Finding("room", NOTE, "pods found none on the simulator", tuple(ground.played.warnings))


def _incident(ground: Ground) -> Iterator[Finding]:
    """Asks the hook that knows of incidents."""
    hooks = [hook for hook in ground.plan.hooks if hook.on == "incident"]
    for hook in hooks:
        shown = " ".join(hook.command)
        try:
            done = subprocess.run(
                hook.command,
                capture_output=True,
                text=True,
                timeout=HOOK_WITHIN,
                check=False,
            )
        except OSError as error:
            yield Finding("incident", AGAINST, f"{shown} cannot be run: {os.strerror(error.errno or 0)}")
        except subprocess.TimeoutExpired:
            yield Finding("incident", AGAINST, f"{shown} took longer than {HOOK_WITHIN:g} s")
        else:
            said = (done.stdout + done.stderr).strip().splitlines()
            if done.returncode:
                yield Finding("incident", AGAINST, f"{shown} says that there is one", tuple(said[:5]))
            else:
                yield Finding("incident", OK, f"none, says {shown}")
    if not hooks:
        yield Finding("incident", NOTE, "nobody is asked: a hook on incident would be")


EVERYWHERE: tuple[Callable[[Ground], Iterator[Finding]], ...] = (
    *(_window, _rehearsed, _order, _rollouts, _rooms, _incident),
)
