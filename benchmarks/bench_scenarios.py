"""1,000 scenarios of 6 steps against 1,000 empty pytest tests, and what looking up steps costs."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from gherkube.steps.catalogue import CATALOGUE

COUNT = 1000
STEPS = (
    ("given", 'deployment "web" runs 2 replicas of "hello:1"'),
    ("when", 'I update it to "hello:2"'),
    ("then", "the rollout completes"),
    ("then", 'two "hello:2" pods are running'),
    ("then", "throughout, at least 2 pods were ready"),
    ("then", "no pods are pending"),
)


def project(folder: Path) -> None:
    """Writes 1,000 scenarios and 1,000 empty tests into the folder."""
    (folder / "gherkube.toml").touch()
    steps = "".join(f"    {kind.capitalize()} {text}\n" for kind, text in STEPS)
    for file in range(10):
        scenarios = "".join(f"  Scenario: number {n}\n{steps}" for n in range(COUNT // 10))
        (folder / f"many_{file}.feature").write_text(f"Feature: Many {file}\n{scenarios}")
        tests = "".join(f"def test_{n}():\n    pass\n\n\n" for n in range(COUNT // 10))
        (folder / f"test_empty_{file}.py").write_text(tests)


def pytest(folder: Path, pattern: str) -> float:
    """Seconds that pytest takes for the files of that pattern; ends the benchmark when one fails."""
    files = sorted(str(path) for path in folder.glob(pattern))
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    taken = time.perf_counter() - begin
    if done.returncode or f"{COUNT} passed" not in done.stdout:
        sys.exit(done.stdout[-3000:] + done.stderr)
    return taken


def lookups() -> float:
    """Seconds that looking up all steps of all scenarios takes."""
    begin = time.perf_counter()
    for _ in range(COUNT):
        for kind, text in STEPS:
            assert len(CATALOGUE.find(kind, text)) == 1
    return time.perf_counter() - begin


def main() -> None:
    """Measures three pairs side by side and prints the table of the one with the median ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project(folder)
        pairs = [(pytest(folder, "*.feature"), pytest(folder, "test_*.py")) for _ in range(3)]
    scenarios, empty = sorted(pairs, key=lambda pair: pair[0] / pair[1])[1]
    found = lookups()
    table = Table(
        title=f"{COUNT} scenarios of {len(STEPS)} steps, {len(CATALOGUE.sentences)} sentences known"
    )
    table.add_column("what")
    table.add_column("seconds", justify="right")
    table.add_column("ratio", justify="right")
    table.add_row(f"{COUNT} empty pytest tests", f"{empty:.2f}", "1.0")
    table.add_row(f"{COUNT} scenarios", f"{scenarios:.2f}", f"{scenarios / empty:.1f}")
    table.add_row("… of which looking up their steps", f"{found:.2f}", f"{found / empty:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
