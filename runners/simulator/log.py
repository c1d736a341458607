"""The watch log: every change since the simulation began, in memory as long as it is short.

A log beyond `KEPT` changes moves its oldest part to a temporary file, whole and in order, so a
simulation of thousands of pods stays small; reading it is the same either way.
"""

from __future__ import annotations

import marshal
import tempfile
import weakref
from collections.abc import Iterator
from typing import IO

from gherkube.runners.history import Change
from gherkube.runners.objects import key_of

CHUNK = 5_000
"""How many changes move to the file together: objects shared within a chunk are written once."""
KEPT = 250_000
"""How many of the newest changes are in memory at most."""
LASTING = "events"
"""Objects that hardly ever change stay in the store as they were made: moving them would free nothing."""


class Log:
    """A `History`: append-only, readable from any position."""

    def __init__(self) -> None:
        self._recent: list[Change] = []
        self.append = self._recent.append
        """Adds the newest change; there may be more than `KEPT` then, until `trim`."""
        self._file: IO[bytes] | None = None
        self._chunks: list[int] = []
        self._staying: list[list[Change]] = []

    def __len__(self) -> int:
        return len(self._chunks) * CHUNK + len(self._recent)

    def trim(self) -> None:
        """Moves the oldest changes to the file if there are too many."""
        while len(self._recent) > KEPT:
            self._move()

    def since(self, position: int = 0) -> Iterator[Change]:
        """The changes from that position on, oldest first; also those added while it is read."""
        while True:
            start = position - len(self._chunks) * CHUNK
            if start < 0:
                changes = self._read(position // CHUNK)[position % CHUNK :]
            else:
                changes = self._recent[start : start + CHUNK]
            if not changes:
                return
            yield from changes
            position += len(changes)

    def gap(self, since: float) -> str:
        """Nothing is ever missing."""
        del since
        return ""

    def _move(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="gherkube-history-")  # noqa: SIM115 - lives as long as the log
            weakref.finalize(self, self._file.close)
        self._chunks.append(self._file.seek(0, 2))
        oldest = self._recent[:CHUNK]
        self._staying.append([change for change in oldest if change.resource == LASTING])
        marshal.dump([None if each.resource == LASTING else each[:-1] for each in oldest], self._file)
        del self._recent[:CHUNK]

    def _read(self, chunk: int) -> list[Change]:
        assert self._file is not None
        self._file.seek(self._chunks[chunk])
        staying = iter(self._staying[chunk])
        return [
            Change._make((*fields, key_of(fields[3]))) if fields else next(staying)
            for fields in marshal.load(self._file)
        ]
