"""1,000 nodes, 10,000 pods created and rolled to a new version."""

from __future__ import annotations

import resource
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

from large import Rollout, roll
from rich.console import Console
from rich.table import Table

RUNS = 3


class Run(NamedTuple):
    """One rollout in a process of its own: what it did, the seconds it took, its peak memory in MB."""

    done: Rollout
    seconds: float
    memory: float


def run(_: int) -> Run:
    """Measures one."""
    begin = time.perf_counter()
    done = roll(nodes=1000, deployments=10, replicas=1000)
    seconds = time.perf_counter() - begin
    return Run(done, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    """Measures and prints the table."""
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        runs = sorted(pool.map(run, range(RUNS)), key=lambda each: each.seconds)
    median = runs[RUNS // 2]
    table = Table(title="1,000 nodes, 10 deployments of 1,000 pods, created and rolled to a new version")
    table.add_column("what")
    table.add_column("measured", justify="right")
    table.add_row(f"seconds, median of {RUNS}", f"{median.seconds:.1f} (from {runs[0].seconds:.1f})")
    table.add_row("peak memory", f"{max(each.memory for each in runs):.0f} MB")
    table.add_row("changes in the history", f"{median.done.changes:,}")
    table.add_row("µs a change", f"{1e6 * median.seconds / median.done.changes:.0f}")
    table.add_row("virtual seconds", f"{median.done.virtual:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
