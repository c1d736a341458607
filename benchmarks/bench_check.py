"""`gherkube check` of 1,000 scenarios of 6 steps, and what its parts cost."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from rich.console import Console
from rich.table import Table

from gherkube.fixtures.binding import bind
from gherkube.fixtures.check_scenario import Rehearsal
from gherkube.fixtures.own import OwnSteps
from gherkube.fixtures.reading import read

COUNT, FILES = 1000, 50
STEPS = """\
    Given deployment "web" runs 4 replicas of "hello:1"
    And service "web" for deployment "web" on port 8080
    When I update it to "hello:2"
    Then 4 "hello:2" pods are ready
    And throughout, at least 3 pods were ready
    And no pods were restarted
"""


def project(folder: Path) -> list[Path]:
    """Writes 1,000 scenarios into the folder; returns the files."""
    paths = [folder / f"many_{file}.feature" for file in range(FILES)]
    for path in paths:
        scenarios = "".join(f"  Scenario: number {n}\n{STEPS}" for n in range(COUNT // FILES))
        path.write_text(f"Feature: {path.stem}\n{scenarios}")
    return paths


def timed(call: Callable[[], object]) -> float:
    """Seconds of CPU that a call takes."""
    begin = time.process_time()
    call()
    return time.process_time() - begin


def command(folder: Path) -> tuple[float, float]:
    """Seconds, and seconds of CPU, of the command from a shell; ends the benchmark when it finds anything."""
    code = "from gherkube.runners.cli.main import main; main()"
    begin, before = time.perf_counter(), getrusage(RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", code, "check", str(folder)], capture_output=True, text=True, check=False
    )
    wall, after = time.perf_counter() - begin, getrusage(RUSAGE_CHILDREN)
    if done.returncode or "no mistakes found" not in done.stdout:
        sys.exit(done.stdout[-3000:] + done.stderr)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as name:
        paths = project(Path(name))
        whole, cpu = min(command(Path(name)) for _ in range(3))
        features = []
        parse = timed(lambda: features.extend(map(read, paths)))
        plans = []
        find = timed(lambda: plans.extend(bind(feature, OwnSteps(iter(())), {}) for feature in features))

        def rehearse() -> None:
            for path, plan in zip(paths, plans, strict=True):
                rehearsal = Rehearsal(path.name, path.parent, {}, print, False)
                for scenario, bound in plan:
                    rehearsal.scenario(scenario, bound)

        through = timed(rehearse)
    table = Table(f"{COUNT} scenarios of 6 steps in {FILES} files", "seconds")
    table.add_row("gherkube check, best of 3", f"{whole:.2f}")
    table.add_row("its CPU, of which", f"{cpu:.2f}")
    table.add_row("  Gherkin's parser and the text", f"{parse:.2f}")
    table.add_row("  finding steps", f"{find:.2f}")
    table.add_row("  going through scenarios", f"{through:.2f}")
    table.add_row("  starting Python and pytest, the rest", f"{cpu - parse - find - through:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
