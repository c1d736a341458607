"""The bootcamp story: create, v2, v10, undo; in a warm process and from the shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from stories import BOOTCAMP, milliseconds, tell

WORDS = {"given": "Given", "when": "When", "then": "Then"}


def shell(command: list[str], folder: Path, times: int = 7) -> float:
    """The median seconds that a command takes from its start to its end, its bytecode being there."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    taken = []
    for _ in range(times + 1):
        begin = time.perf_counter()
        done = subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, check=False)
        taken.append(time.perf_counter() - begin)
        if done.returncode:
            sys.exit(done.stdout + done.stderr)
    return sorted(taken[1:])[times // 2]


def main() -> None:
    """Measures and prints the table."""
    gherkube = shutil.which("gherkube", path=str(Path(sys.executable).parent))
    assert gherkube, "gherkube is not installed beside this Python"
    for _ in range(5):
        cluster = tell(BOOTCAMP)
    warm = milliseconds(lambda: tell(BOOTCAMP), 30)
    with tempfile.TemporaryDirectory() as folder:
        lines = [f"    {WORDS[kind]} {text}" for kind, text in BOOTCAMP]
        feature = "Feature: Bootcamp\n  Scenario: From v1 to v10 and back\n" + "\n".join(lines) + "\n"
        (Path(folder) / "bootcamp.feature").write_text(feature)
        run = shell([gherkube, "run", "bootcamp.feature"], Path(folder))
        bare = shell([sys.executable, "-c", "pass"], Path(folder))
        tools = shell(
            [sys.executable, "-c", "import pytest, pytest_bdd, gherkin.parser, yaml, typer"], Path(folder)
        )
    table = Table(title="The bootcamp story")
    table.add_column("what")
    table.add_column("measured", justify="right")
    table.add_row("changes in its history", str(len(cluster.history)))
    table.add_row("virtual seconds", f"{cluster.clock.now():.0f}")
    table.add_row("CPU in a warm process, median of 30", f"{warm[15]:.1f} ms (from {warm[0]:.1f})")
    table.add_row("gherkube run, from the shell, median of 7", f"{run:.2f} s")
    table.add_row("… of which Python's own start", f"{bare:.2f} s")
    table.add_row("… of which importing pytest, pytest-bdd, gherkin, yaml, typer", f"{tools - bare:.2f} s")
    Console().print(table)


if __name__ == "__main__":
    main()
