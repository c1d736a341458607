"""`gherkube gameday undo`: puts back what a run could not put back itself, from its journal alone.

After kill -9, power loss or a full disk, also on another computer. It may be played as often as need be.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from difflib import unified_diff
from pathlib import Path
from typing import Any

import yaml

from gherkube.runners.errors import GherkubeError, UsageError
from gherkube.runners.gameday.lease import (
    LASTS,
    Lease,
    Locked,
    cluster_of,
    holder,
    is_gone,
    stamp,
    steady_time,
)
from gherkube.runners.gameday.places import Mender
from gherkube.runners.gameday.reading import shown
from gherkube.runners.live.api import LiveApi
from gherkube.runners.live.connection import connect
from gherkube.runners.live.discovery import Discovery
from gherkube.runners.live.journal import Journal, JournalFailed, Record, is_written, read
from gherkube.runners.live.said import said
from gherkube.runners.live.undo import Undone, made, undo
from gherkube.runners.objects import Object

USAGE, PRECONDITION, HALTED, NOT_CLEAN = 2, 4, 7, 8


def undo_journal(path: Path, *, kubeconfig: str) -> int:
    """Undoes, tells, and returns the exit code: the run's, 7 where it had none, 8 when something is left."""
    try:
        records = read(path)
        if not records or "context" not in records[0].data:
            raise UsageError(f"{path} is not the journal of a game day: name one that `run` has written")
    except UsageError as error:
        return _refuse(error, USAGE)
    try:
        with ExitStack() as last_first:
            code = _undo(path, records, kubeconfig, last_first)
    except UsageError as error:
        return _refuse(error, USAGE)
    except GherkubeError as error:
        if is_written(path):
            return _refuse(error, PRECONDITION)
        for each in made(records):
            print(f"left: {each.words}: {each.told['undo']}", file=sys.stderr)
        return _refuse(error, NOT_CLEAN if made(records) else PRECONDITION)
    if _verdict(records) is None:  # the run did not come to its report
        from gherkube.runners.gameday.report import write_at_end

        write_at_end(path, "undo")
    return code


def _undo(path: Path, records: Sequence[Record], kubeconfig: str, last_first: ExitStack) -> int:
    begin = records[0].data
    journal = Journal.resume(path)
    last_first.callback(journal.close)
    if journal.cut:
        print(f"{shown(path)}: its last record was not written to its end, and is cut off")
    connection = connect(begin["context"], kubeconfig or begin["kubeconfig"])
    last_first.callback(connection.close)
    api = LiveApi(connection, Discovery(connection))
    if begin.get("uid") and cluster_of(api) not in ("", begin["uid"]):
        raise UsageError(
            f"context {begin['context']!r} leads to another cluster than that of the journal "
            f"({begin['cluster']}): name the kubeconfig that leads there with --kubeconfig"
        )
    lease = _lock(api, begin, journal)
    undone = undo(records, api, ask=_ask, write=journal.write, mend=Mender(api))
    for words in undone.done:
        print(words)
    for words in undone.left:
        print(f"left: {words}", file=sys.stderr)
    code, hypothesis = _came_to(records, undone)
    if lease is not None:
        lease.release()
    with suppress(JournalFailed):  # all is put back, whether or not the disk takes that
        journal.write("verdict", hypothesis=hypothesis, clean=not undone.left, left=undone.left, exit=code)
        if lease is not None:
            journal.write("lease", event="released", holder=lease.holder, expires="")
        journal.write("end")
    if not undone.left:
        print("everything is as it was" if undone.done else "nothing was left to put back")
    return code


def _lock(api: LiveApi, begin: dict[str, Any], journal: Journal) -> Lease | None:
    """The lock, taken; None where the run had none. Waits until that of a run that is gone has expired."""
    if "namespace" not in begin:
        return None
    lease, was = Lease(api, begin["namespace"], holder()), begin["holder"]
    until = steady_time() + 2 * LASTS
    told = False
    while True:
        try:
            before = lease.take(from_=was if is_gone(was) else "")
            break
        except Locked:
            found = lease.look()
            if found is not None and (found.holder != was or steady_time() > until):
                raise
            if found is not None and not told:
                print(f"waiting for the lock of {was}, which expires at {stamp(found.expires)}", flush=True)
                told = True
            time.sleep(1.0)
    event = "taken" if before is None else "taken over"
    with suppress(JournalFailed):
        journal.write("lease", event=event, holder=lease.holder, expires=stamp(lease.now() + LASTS))
    return lease


def _ask(what: str, before: Object | None, now: Object | None) -> bool:
    """Shows both, and asks; where nobody can be asked, it is left."""
    if not sys.stdin.isatty():
        return False
    print(f"\nsomebody else changed this since: {what}")
    was, is_ = (
        yaml.safe_dump(said(each), sort_keys=False).splitlines() if each else ["(not there)"]
        for each in (before, now)
    )
    print("\n".join(unified_diff(was, is_, "before the game day", "now", lineterm="")))
    return input("overwrite it with what was before the game day? [y/N] ").strip().lower() in ("y", "yes")


def _came_to(records: Sequence[Record], undone: Undone) -> tuple[int, str]:
    """Exit code and hypothesis: as the run told them, but for what is put back now."""
    verdict = _verdict(records)
    hypothesis = verdict["hypothesis"] if verdict else "not judged"
    if undone.left:
        return NOT_CLEAN, hypothesis
    if verdict is None or verdict["exit"] == NOT_CLEAN:
        return HALTED, hypothesis
    return verdict["exit"], hypothesis


def _verdict(records: Sequence[Record]) -> dict[str, Any] | None:
    return next((each.data for each in reversed(records) if each.kind == "verdict"), None)


def _refuse(error: Exception, code: int) -> int:
    print(f"gherkube gameday undo: {error}", file=sys.stderr)
    return code
