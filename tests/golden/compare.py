"""How like a real cluster a recording is.

    python -m tests.golden.compare --real DIR [--real DIR ...] OTHER [--details] [--json] [--kinds A,B]

DIR and OTHER are folders of recordings, or one recording each. A real cluster never does exactly the
same twice, so several real recordings of a scenario are given: what all of them show is certain and
has to be there, what any of them shows is allowed.

    recall     share of what is certain that OTHER shows
    precision  share of what OTHER shows that some real recording shows
    score      their harmonic mean

A real recording that was left out and is given as OTHER scores what there is to reach. What is random
(suffixes of names, addresses, times, nodes) is replaced by what it stands for.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gherkube.runners.report.facts import KINDS, facts
from gherkube.runners.report.likeness import Verdict, judge, row, total
from tests.golden.recording import is_recording, named, read


def main(argv: Sequence[str] | None = None) -> int:
    """The command; 1 when a scenario was not recorded."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--real", action="append", required=True, type=Path)
    parser.add_argument("other", type=Path)
    parser.add_argument(
        "--details", action="store_true", help="- certain but not there, + there but never real"
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--kinds", default=",".join(KINDS), help="what to compare; all by default")
    args = parser.parse_args(argv)
    kinds = args.kinds.split(",")
    if unknown := set(kinds) - set(KINDS):
        parser.error(f"no such kind: {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
    names, verdicts, absent = named(args.real[0]), {}, []
    for name in names:
        if not is_recording(args.other / name):
            absent.append(name)
            continue
        reals = [facts(read(real / name)) for real in args.real if is_recording(real / name)]
        label = name or args.real[0].name
        verdicts[label] = judge(reals, facts(read(args.other / name)), kinds)
        if not args.json:
            print(row(label, {kind: counts.score for kind, counts in verdicts[label].counts.items()}))
            for line in verdicts[label].details() if args.details else ():
                print(f"  {line}")
    _conclude(verdicts, absent, len(names), args.json)
    return 1 if absent else 0


def _conclude(verdicts: dict[str, Verdict], absent: list[str], wanted: int, as_json: bool) -> None:
    shares = total(list(verdicts.values()))
    overall = sum(shares.values()) / max(len(shares), 1) * len(verdicts) / max(wanted, 1)
    if as_json:
        table = {name: {k: c.score for k, c in verdict.counts.items()} for name, verdict in verdicts.items()}
        summary: dict[str, Any] = {"scenarios": table, "total": shares, "overall": overall, "missing": absent}
        print(json.dumps(summary, indent=1))
        return
    print(row("all", shares) + f"overall {100 * overall:.1f}%")
    if absent:
        print(f"not recorded, counted as 0: {', '.join(absent)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
