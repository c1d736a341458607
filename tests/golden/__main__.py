"""Says how like a real cluster the simulator is: plays the scenarios and compares.

python -m tests.golden [SCENARIO ...] [--seed N]... [--details] [--out DIR]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.golden.compare import row, total
from tests.golden.fidelity import JUDGED, verdict
from tests.golden.player import play
from tests.golden.scenario import SCENARIOS, load


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenarios", nargs="*", default=JUDGED, help="all that are judged by default")
    parser.add_argument("--seed", type=int, action="append", help="several may be given; 1 by default")
    parser.add_argument(
        "--details", action="store_true", help="- certain but not there, + there but never real"
    )
    parser.add_argument("--out", type=Path, help="write the recordings of the first seed there")
    args = parser.parse_args(argv)
    verdicts = []
    for name in args.scenarios:
        for seed in args.seed or [1]:
            recording = play(load(SCENARIOS / f"{name}.yaml"), seed)
            if args.out and seed == (args.seed or [1])[0]:
                recording.write(args.out / name)
            verdicts.append(verdict(name, recording))
            scores = {kind: counts.score for kind, counts in verdicts[-1].counts.items()}
            print(row(name if len(args.seed or [1]) == 1 else f"{name} ({seed})", scores))
            for line in verdicts[-1].details() if args.details else ():
                print(f"  {line}")
    print(row("all", total(verdicts)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
