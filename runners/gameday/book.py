"""The journal of a game day while it is written: each record is told to those who show how things stand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gherkube.runners.live.journal import Journal, JournalFailed, Record, now, read


class Book:
    """A `Journal` that also keeps what it wrote. `told` is called with each record.

    Acts are written with `write`, which raises JournalFailed; all else with `note`, which never does: what it
    could not write is told to `failed`, once.
    """

    def __init__(self, journal: Journal, failed: Callable[[JournalFailed], None]) -> None:
        self.path: Path = journal.path
        self._journal, self._failed = journal, failed
        self.records = read(journal.path)
        self.told: list[Callable[[Record], object]] = []
        self.full = ""
        """Why records could not be written."""

    def write(self, kind: str, *, sync: bool = True, **data: Any) -> int:
        """Adds a record and returns its number. Raises JournalFailed."""
        seq = self._journal.write(kind, sync=sync, **data)
        self._tell(Record(seq, "", kind, data))
        return seq

    def note(self, kind: str, *, sync: bool = True, **data: Any) -> None:
        """Adds a record, if that can be."""
        try:
            self.write(kind, sync=sync, **data)
        except JournalFailed as error:
            self._tell(Record(0, "", kind, data))
            if not self.full:
                self.full = str(error)
                self._failed(error)

    def close(self) -> None:
        """Lets go of the file."""
        self._journal.close()

    def _tell(self, record: Record) -> None:
        record = record._replace(at=now())
        self.records.append(record)
        for told in self.told:
            told(record)
