"""Sends hostile requests to a server of its own, and says what was wrong with its answers and its store.

python -m tests.server.fuzz [--requests 20000] [--seed N] [--show 3]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.server.fuzz.session import Findings, Session


@contextmanager
def serving(folder: Path) -> Iterator[tuple[int, int, Path]]:
    """A server of its own process: its port, process id, and the file of what it complains about."""
    kubeconfig, said = folder / "kubeconfig", folder / "said"
    command = [str(Path(sys.executable).with_name("gherkube")), "serve", "--http", "--clock", "manual"]
    with said.open("wb") as stderr:
        process = subprocess.Popen(
            [*command, "--kubeconfig", str(kubeconfig)], stdout=subprocess.PIPE, stderr=stderr
        )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        port = re.search(r"http://127\.0\.0\.1:(\d+)", kubeconfig.read_text())
        assert port, "the server did not start"
        yield int(port[1]), process.pid, said
    finally:
        process.terminate()
        process.wait(20)


def main() -> int:
    """The command; 1 when something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, help="always the same requests without one")
    parser.add_argument("--show", type=int, default=2, help="how many requests of each finding")
    args = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder)) as (port, pid, said),
        asyncio.Runner() as runner,
    ):
        read = said.open()
        session = Session(port, "", runner.run, read.read)
        before, begin = memory(pid), time.monotonic()
        findings = session.fuzz(args.requests, seed=args.seed)
        taken = time.monotonic() - begin
        refused, rolled = session.decodes(), session.rolls_out("afterwards")
        after = memory(pid)
    print(f"{findings.sent:,} requests in {taken:.0f} s: {dict(sorted(findings.codes.items()))}")
    print(f"memory of the server: {before} MB before, {after} MB after")
    print(f"a rollout afterwards completes: {rolled}")
    for each in refused:
        print(f"stored, but not taken as it is: {each}")
    show(findings, args.show)
    return int(bool(findings.wrong or refused or not rolled))


def memory(pid: int) -> int:
    """Megabytes that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


def show(findings: Findings, most: int) -> None:
    """Prints what was wrong, and by which requests."""
    for what, requests in sorted(findings.wrong.items(), key=lambda each: -len(each[1])):
        print(f"\n{len(requests)} × {what}")
        for request in sorted(requests, key=lambda each: len(repr(each)))[:most]:
            print(f"    {request!r}"[:1500])


if __name__ == "__main__":
    sys.exit(main())
