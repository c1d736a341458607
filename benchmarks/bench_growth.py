"""What an event costs when there are 100, 1,000 and 10,000 pods."""

from __future__ import annotations

import time

from large import roll
from rich.console import Console
from rich.table import Table


def main() -> None:
    """Measures and prints the table."""
    table = Table(title="One deployment, created and rolled to a new version")
    for column in ("pods", "nodes", "changes", "µs a change", "ratio"):
        table.add_column(column, justify="right")
    roll(nodes=10, deployments=1, replicas=100)
    first = 0.0
    for pods in (100, 1_000, 10_000):
        begin = time.process_time()
        done = roll(nodes=pods // 10, deployments=1, replicas=pods)
        each = 1e6 * (time.process_time() - begin) / done.changes
        first = first or each
        table.add_row(
            f"{pods:,}", f"{pods // 10:,}", f"{done.changes:,}", f"{each:.0f}", f"{each / first:.2f}"
        )
    Console().print(table)


if __name__ == "__main__":
    main()
