"""Says how like a real cluster `gherkube serve` is: plays scenarios on it with kubectl, in real time.

    python -m tests.golden.over_http --out DIR [SCENARIO ...] [--lanes N] [--seed N] [--details]

Each lane is a server of its own, whose nodes are named as those of the recordings, and plays one scenario
after the other. All of them take a quarter of an hour, or with four lanes some five minutes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gherkube.runners.report.facts import facts
from gherkube.runners.report.likeness import judge, row, total
from tests.golden.fidelity import REAL, real
from tests.golden.player import CPU, MEMORY
from tests.golden.recording import read
from tests.golden.scenario import SCENARIOS

SIZE = json.dumps({"count": 3, "cpu": CPU, "memory": MEMORY})
"""The recorded cluster's nodes."""
GHERKUBE = (sys.executable, "-c", "from gherkube.runners.cli.main import main; main()")


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    everything = sorted(folder.name for folder in REAL[0].iterdir())
    parser.add_argument("scenarios", nargs="*", default=everything, help="all by default")
    parser.add_argument("--out", type=Path, required=True, help="write the recordings there")
    parser.add_argument("--lanes", type=int, default=1, help="how many are played at once; 1 by default")
    parser.add_argument("--seed", type=int, default=1, help="the seed of the servers; 1 by default")
    parser.add_argument(
        "--details", action="store_true", help="- certain but not there, + there but never real"
    )
    args = parser.parse_args(argv)
    lanes = [args.scenarios[lane :: args.lanes] for lane in range(args.lanes)]
    with ThreadPoolExecutor(args.lanes) as pool:
        list(pool.map(lambda names: _play(names, args.seed, args.out.absolute()), filter(None, lanes)))
    verdicts = {name: judge(list(real(name)), facts(read(args.out / name))) for name in args.scenarios}
    for name, verdict in verdicts.items():
        print(row(name, total([verdict])))
        for line in verdict.details() if args.details else ():
            print(f"  {line}")
    print(row("all", total(list(verdicts.values()))))
    return 0


def _play(names: Sequence[str], seed: int, out: Path) -> None:
    """Records the scenarios on a new server."""
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/config"
        command = [*GHERKUBE, "serve", "--kubeconfig", file, "--kind-name", "gherkube", "--seed", str(seed)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            server.stdout.readline()
            try:
                sized = ["kubectl", "--kubeconfig", file, "replace", "--raw", "/gherkube/v1/nodes", "-f", "-"]
                subprocess.run(sized, input=SIZE, text=True, check=True, capture_output=True)
                _record(file, names, out)
            finally:
                server.terminate()


def _record(kubeconfig: str, names: Sequence[str], out: Path) -> None:
    fault = f"{GHERKUBE[0]} -c '{GHERKUBE[2]}' sim --kubeconfig {kubeconfig}"
    recorder = [sys.executable, "-m", "tests.golden.record", "--kubeconfig", kubeconfig, "--fault", fault]
    paths = [str(SCENARIOS / f"{name}.yaml") for name in names]
    subprocess.run([*recorder, "--out", str(out), *paths], check=True)


if __name__ == "__main__":
    sys.exit(main())
