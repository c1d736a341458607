"""Says how like a real cluster the simulator is: plays scenarios and compares them with the recordings.

python -m tests.golden [SCENARIO ...] [--seed N] [--seeds COUNT] [--details] [--out DIR]
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from gherkube.runners.report.likeness import row, total
from tests.golden.fidelity import JUDGED, verdict
from tests.golden.player import play
from tests.golden.recording import write
from tests.golden.scenario import SCENARIOS, load


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenarios", nargs="*", default=JUDGED, help="all that are judged by default")
    parser.add_argument("--seed", type=int, default=1, help="the first seed; 1 by default")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, one after another")
    parser.add_argument(
        "--details", action="store_true", help="- certain but not there, + there but never real"
    )
    parser.add_argument("--out", type=Path, help="write the recordings of the first seed there")
    args = parser.parse_args(argv)
    verdicts = []
    for name in args.scenarios:
        scenario = load(SCENARIOS / f"{name}.yaml")
        recordings = {seed: play(scenario, seed) for seed in range(args.seed, args.seed + args.seeds)}
        if args.out:
            write(args.out / name, recordings[args.seed])
        mine = [verdict(name, recording) for recording in recordings.values()]
        verdicts += mine
        print(row(name, total(mine)), flush=True)
        if args.details:
            lines = Counter(line for each in mine for line in each.details())
            for line, count in lines.most_common():
                print(f"  {f'{count}× ' if args.seeds > 1 else ''}{line}")
    print(row("all", total(verdicts)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
