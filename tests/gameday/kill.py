"""kill -9 of game days at random moments: whether `undo` always puts everything back.

    python -m tests.gameday.kill [--times 200] [--seed 1] [--kubeconfig FILE --context NAME]

On a `gherkube serve` over HTTP, or on a cluster that is there and has the images hello:1 and hello:2; in its
namespace `shop`, which is made anew. Prints a table, by what was going on when the run was killed.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import yaml

from gherkube.runners.cli.main import app
from gherkube.runners.gameday.undoing import undo_journal
from gherkube.runners.live.journal import JournalBroken, Record, read
from gherkube.runners.live.undo import made
from tests.door.serving import serving
from tests.gameday.shop import GATES, Shop


class Killed(NamedTuple):
    """One run: the phase in which it was killed, how many acts were not put back, and what was wrong then."""

    phase: str
    acts: int
    wrong: list[str]


def begin(shop: Shop) -> int:
    """Begins a game day in a process of its own."""
    process = os.fork()
    if process:
        return process
    os.chdir(shop.folder)
    with (shop.folder / "run.log").open("a") as log, redirect_stdout(log), redirect_stderr(log):
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            app(["gameday", "run", shop.plan.name, *GATES], standalone_mode=False)
        finally:
            log.flush()
            os._exit(0)
    return 0


def moment(records: int, late: float) -> Callable[[int], bool]:
    """So many seconds after the journal has come to so many records."""
    at: list[float] = []

    def is_time(now: int) -> bool:
        if now >= records and not at:
            at.append(time.monotonic() + late)
        return bool(at) and time.monotonic() >= at[0]

    return is_time


def kill_at(shop: Shop, is_time: Callable[[int], bool]) -> Killed:
    """Kills a game day when it is time, by how many records there are; plays the undo, and looks at all."""
    journals = set((shop.folder / "gamedays").glob("*.journal"))
    before = shop.objects()
    process = begin(shop)
    while not is_time(written(shop, journals)):
        if os.waitpid(process, os.WNOHANG)[0]:
            process = 0
            break
        time.sleep(0.001)
    if process:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    made_ = set((shop.folder / "gamedays").glob("*.journal")) - journals
    wrong: list[str] = []
    phase, acts = "before its journal", 0
    for journal in made_:
        records = read(journal)
        phase, acts = phase_of(records), len(made(records))
        with (shop.folder / "undo.log").open("a") as log, redirect_stdout(log), redirect_stderr(log):
            code = undo_journal(journal, kubeconfig="")
        if code not in (0, 7):
            wrong.append(f"undo ended with {code}")
        wrong += [each for each in [intact(journal)] if each]
    wrong += as_before(shop, before)
    return Killed(phase, acts, wrong)


def written(shop: Shop, before: set[Path]) -> int:
    """How many records the journal has that was not there before."""
    new = set((shop.folder / "gamedays").glob("*.journal")) - before
    return sum(path.read_bytes().count(b"\n") for path in new)


def as_before(shop: Shop, before: dict[str, object]) -> list[str]:
    """What is not as it was before."""
    wrong = [
        name for name in before.keys() | shop.objects().keys() if shop.objects().get(name) != before.get(name)
    ]
    if (lock := shop.lock()) is not None:
        wrong.append(f"the lock is held by {lock['spec']['holderIdentity']}")
    return [f"{each} is not as it was" if "/" in each and "@" not in each else each for each in wrong]


def intact(journal: Path) -> str:
    """What is wrong with a journal."""
    try:
        records = read(journal)
    except JournalBroken as error:
        return str(error)
    return "" if records[-1].kind == "end" and not made(records) else "the journal does not end"


def phase_of(records: list[Record]) -> str:
    """What was going on at the last of the records."""
    phase = "before its first record"
    for record in records:
        if record.kind == "begin":
            phase = "checking"
        elif record.kind == "phase":
            phase = record.data["phase"]
        elif record.kind == "gate":
            phase = "at a gate"
        elif record.kind == "round" and record.data["event"] == "begins":
            phase = "in a round"
        elif record.kind == "before":
            phase = "between an act and its record"
        elif record.kind == "after":
            phase = "in a round"
        elif record.kind in ("hypothesis", "verdict"):
            phase = "judging"
        elif record.kind == "end":
            phase = "ended"
    return phase


def table(runs: list[Killed]) -> str:
    """The runs by phase."""
    phases = Counter(each.phase for each in runs)
    rows = [
        "| killed | times | with acts to put back | all is as it was, lock free, journal intact |",
        "|---|---|---|---|",
    ]
    for phase, number in sorted(phases.items(), key=lambda each: -each[1]):
        here = [each for each in runs if each.phase == phase]
        acts, good = sum(bool(each.acts) for each in here), sum(not each.wrong for each in here)
        rows.append(f"| {phase} | {number} | {acts} | {good} |")
    good = sum(not each.wrong for each in runs)
    rows.append(f"| **in all** | {len(runs)} | {sum(bool(each.acts) for each in runs)} | {good} |")
    return "\n".join(rows)


def load() -> None:
    """Imports what a run needs, once for all of them."""
    for name in ("runners.gameday.running", "fixtures.plugin", "fixtures.stage", "fixtures.collector"):
        import_module(f"gherkube.{name}")
    import_module("kubernetes.client")
    gc.freeze()


def main() -> None:
    """Prints each run, and the table."""
    load()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kubeconfig", type=Path)
    parser.add_argument("--context", default="gherkube")
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as served:
        kubeconfig = asked.kubeconfig or served.enter_context(serving(Path(folder), "--http"))
        project = Path(folder, "project")
        project.mkdir()
        os.environ["GHERKUBE_STATE"] = str(Path(folder, "state"))
        shop = Shop(project, kubeconfig, asked.context)
        if not asked.kubeconfig:
            said = "Somebody is said to be slow"
            rounds = yaml.safe_load(shop.plan.read_text())["rounds"]
            shop.change(rounds=[*rounds, {"name": "Said", "feature": "shop.feature", "scenario": said}])
        shop.open()
        runs = [kill_at(shop, lambda _: False)]
        print(f"a whole run: {runs[0]}", flush=True)
        whole = len(read(shop.journal))
        while len(runs) < asked.times:
            records, late = chance.randint(0, whole), chance.uniform(0.0, 0.2)
            runs.append(kill_at(shop, moment(records, late)))
            print(len(runs), runs[-1], flush=True)
        print(table(runs))
        shop.remove()
    sys.exit(any(each.wrong for each in runs))


if __name__ == "__main__":
    main()
