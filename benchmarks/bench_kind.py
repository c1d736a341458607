"""How long a run on kind takes: until its first step, and of 20 scenarios one after another and at once.

    python benchmarks/bench_kind.py [--image gherkube/node:v1.34.4] [--parallel 4]

Needs Docker, kind and the image of the nodes; says so where they are not there. Takes some minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

GHERKUBE = (sys.executable, "-c", "from gherkube.runners.cli.main import main; main()")
SCENARIO = """
  Scenario: Number {number}
    Given deployment "web" runs 2 replicas of "hello:1"
    When I update it to "hello:2"
    Then the rollout completes
    And throughout, at least 1 pod was ready
"""
REUSED = "gherkube-bench"
SCENARIOS = 20


def run(folder: Path, *options: str, scenarios: int = 1) -> tuple[float, float]:
    """Seconds until the first step began, and until the end, of a run with so many scenarios."""
    texts = (SCENARIO.format(number=number) for number in range(scenarios))
    (folder / "bench.feature").write_text("Feature: Bench\n" + "".join(texts))
    began = time.time()
    done = subprocess.run(
        [*GHERKUBE, "run", "--on", "kind", "--nodes", "1", "--messages", "bench.ndjson", *options],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    ended = time.time()
    if done.returncode:
        raise SystemExit(f"the run ended with {done.returncode}:\n{done.stdout}")
    lines = map(json.loads, (folder / "bench.ndjson").read_text().splitlines())
    steps = [each["testStepStarted"]["timestamp"] for each in lines if "testStepStarted" in each]
    return min(each["seconds"] + each["nanos"] / 1e9 for each in steps) - began, ended - began


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--image", default=os.environ.get("GHERKUBE_KIND_IMAGE", ""))
    parser.add_argument("--parallel", type=int, default=4)
    given = parser.parse_args()
    if subprocess.run([*GHERKUBE, "doctor"], capture_output=True, check=False).returncode:
        print("Runs on kind cannot begin here: see `gherkube doctor`.")
        return 0
    image = ["--image", given.image] if given.image else []
    rows: list[tuple[str, float, float]] = []
    with tempfile.TemporaryDirectory(prefix="gherkube-bench-") as name:
        folder = Path(name)
        rows.append(("a cluster of its own, the image is there", *run(folder, *image)))
        try:
            rows.append(("`--reuse`, the cluster is made", *run(folder, *image, "--reuse", REUSED)))
            reuse = (*image, "--reuse", REUSED)
            rows.append(("`--reuse`, the cluster is there", *run(folder, *reuse)))
            rows.append(
                (f"{SCENARIOS} scenarios, one after another", *run(folder, *reuse, scenarios=SCENARIOS))
            )
            parallel = ("--workers-parallel", str(given.parallel))
            what = f"{SCENARIOS} scenarios, `{' '.join(parallel)}`"
            rows.append((what, *run(folder, *reuse, *parallel, scenarios=SCENARIOS)))
        finally:
            subprocess.run([*GHERKUBE, "clean", REUSED], check=False)
    print(f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}\n")
    print("| run | first step after | all after |\n|---|---|---|")
    for what, first, whole in rows:
        print(f"| {what} | {first:.1f} s | {whole:.1f} s |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
