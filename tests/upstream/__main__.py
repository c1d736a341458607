"""Runs Kubernetes' own end-to-end tests against `gherkube serve`, and compares with what is expected.

python -m tests.upstream [WORD ...] [--write]
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.upstream.specs import Spec, specs
from tests.upstream.suite import Outcome, binary, run

PAGE = Path(__file__).parents[2] / "docs" / "upstream.md"
ABOUT = """# Kubernetes' own tests

Kubernetes is tested end to end by its own suite, of which 135 specs are those of workloads (`[sig-apps]`).
They know nothing of gherkube: they create, change, watch and delete objects through the official Go client
and judge what the cluster does. Here they are pointed at [`gherkube serve`](serve.md), four clusters
at a time; `tests/upstream` says how. This page is written by `python -m tests.upstream --write`.

The specs are those of v1.34.4; the simulator's time passes ten times as fast as theirs.

"""


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "words", nargs="*", metavar="WORD", help="specs whose names contain one; all by default"
    )
    parser.add_argument("--write", action="store_true", help="write docs/upstream.md")
    args = parser.parse_args(argv)
    if args.write and args.words:
        parser.error("the page tells of all specs: no words with --write")
    suite, wanted = binary(), specs(args.words)
    if suite is None:
        print("e2e.test is not there: tests/upstream/build builds it", file=sys.stderr)
        return 2
    if not wanted:
        print("no spec of tests/upstream/specs.yaml has such a name", file=sys.stderr)
        return 2
    found: dict[Spec, Outcome] = {}
    for spec, outcome in run(suite, wanted):
        found[spec] = outcome
        surprise = "" if outcome.outcome == spec.expected else f" (expected: {spec.expected})  {outcome.said}"
        print(f"{outcome.outcome:8}{outcome.seconds:6.1f} s  {spec.name}{surprise}", flush=True)
    print(", ".join(f"{count} {name}" for name, count in Counter(o.outcome for o in found.values()).items()))
    if args.write:
        PAGE.write_text(ABOUT + page({spec: found[spec] for spec in wanted}))
    return int(any(outcome.outcome != spec.expected for spec, outcome in found.items()))


def page(found: dict[Spec, Outcome]) -> str:
    """The counts, by reason, and the table."""
    why = {spec: spec.why if each.outcome == spec.expected else each.said for spec, each in found.items()}
    counts = Counter((each.outcome, why[spec]) for spec, each in found.items())
    took = sum(each.seconds for each in found.values() if each.outcome == "passed")
    lines = ["| specs | outcome | why |", "|---|---|---|"]
    lines += [f"| {n} | {name} | {text} |" for (name, text), n in sorted(counts.items(), key=lambda c: -c[1])]
    lines += ["", f"Those that pass take {took / 60:.0f} minutes, most of which the tests sleep.", ""]
    lines += ["| spec | outcome | why |", "|---|---|---|"]
    lines += [
        f"| {spec.name.replace('|', '')} | {each.outcome} | {why[spec]} |" for spec, each in found.items()
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
