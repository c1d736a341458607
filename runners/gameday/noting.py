"""`gherkube gameday note`: what is found after a game day, written into its journal."""

from __future__ import annotations

import sys
from getpass import getuser
from pathlib import Path
from typing import Any

from gherkube.runners.errors import GherkubeError, UsageError
from gherkube.runners.gameday import notes, report
from gherkube.runners.gameday.status import journal_of
from gherkube.runners.live.journal import Journal


def write_note(path: Path, by: str, text: str, severity: str, owner: str, retest: str) -> int:
    """Adds a note, or with a severity a finding, to a journal, or to that of a plan's last run.

    Returns the exit code. While the game day runs its journal is its own: notes are typed there.
    """
    try:
        journal = journal_of(path)
        said: dict[str, Any] = {"by": notes.name(by or getuser()), "text": notes.words(text)}
        said |= notes.finding(severity, owner, retest)
        report.told_by(journal)
        book = Journal.resume(journal)
        book.write("note", **said)
        book.close()
    except ValueError as error:
        print(f"gherkube gameday note: {error}", file=sys.stderr)
        return 2
    except GherkubeError as error:
        print(f"gherkube gameday note: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 4
    print(f"written to {journal}")
    return 0
