"""1,000 nodes, 10,000 pods created and rolled to a new version."""

from __future__ import annotations

import resource
import time

from large import roll
from rich.console import Console
from rich.table import Table


def main() -> None:
    """Measures and prints the table."""
    begin = time.perf_counter()
    done = roll(nodes=1000, deployments=10, replicas=1000)
    taken = time.perf_counter() - begin
    table = Table(title="1,000 nodes, 10 deployments of 1,000 pods, created and rolled to a new version")
    table.add_column("what")
    table.add_column("measured", justify="right")
    table.add_row("seconds", f"{taken:.1f}")
    table.add_row("peak memory", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    table.add_row("changes in the history", f"{done.changes:,}")
    table.add_row("µs a change", f"{1e6 * taken / done.changes:.0f}")
    table.add_row("virtual seconds", f"{done.virtual:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
