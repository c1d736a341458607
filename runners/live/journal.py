"""A journal: what was done, in a file that survives whatever ends the process that wrote it.

Append-only ndjson. A record is one line, written with one call and on the disk (fsync) before `write`
returns. Its `sum` is the SHA-256 of the sum before it and of the line without it, so nothing in the middle
can be changed or lost unseen. A last line that was not written to its end is no record: what it was to tell
was not done.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from gherkube.runners.errors import CannotJudge, UsageError

OWN = ("seq", "at", "kind", "sum")
"""What a line says of the record itself; all else in it is the record's data."""


class Record(NamedTuple):
    """One line: its number from 1 on, when (RFC 3339, milliseconds, UTC), what kind, and what it tells."""

    seq: int
    at: str
    kind: str
    data: dict[str, Any]


class JournalFailed(CannotJudge):
    """A record is not on the disk: what it was to tell must not be done."""


class JournalBroken(UsageError):  # noqa: N818 - what is told
    """The file is no journal, or was changed after it was written."""


class Journal:
    """A journal that is being written, by this process alone. Safe for several threads."""

    def __init__(self, path: Path, descriptor: int, seq: int = 0, sum_: str = "") -> None:
        self.path = path
        self.cut = ""
        """What `resume` cut off the end, since it was not written to its end."""
        self._file, self._seq, self._sum = descriptor, seq, sum_
        self._lock = threading.Lock()

    @classmethod
    def create(cls, path: Path, *, mode: int = 0o600) -> Journal:
        """A new one. Raises JournalFailed, also when there is a file of that name."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, mode)
            _hold(path, descriptor)
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise JournalFailed(f"{path} cannot be begun: {error.strerror}; nothing was done") from None
        return cls(path, descriptor)

    @classmethod
    def resume(cls, path: Path) -> Journal:
        """Goes on after the last whole record. Raises JournalFailed, JournalBroken."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
        except OSError as error:
            raise JournalFailed(f"{path} cannot be gone on with: {error.strerror}") from None
        _hold(path, descriptor)
        seq, sum_, end, data = 0, "", 0, path.read_bytes()
        for record, sum_, end in _lines(path, data):  # noqa: B007 - the last ones
            seq = record.seq
        journal = cls(path, descriptor, seq, sum_)
        if data[end:]:
            journal.cut = data[end:].decode("utf-8", "replace")
            os.ftruncate(descriptor, end)
        return journal

    def write(self, kind: str, *, sync: bool = True, **data: Any) -> int:
        """Adds a record and returns its number. Raises JournalFailed when it is not safe on the disk.

        `sync=False` for what may be lost with the power.
        """
        with self._lock:
            seq = self._seq + 1
            line = {"seq": seq, "at": now(), "kind": kind, **data}
            text = json.dumps(line, separators=(",", ":"))
            sum_ = _sum(self._sum, text)
            self._append(f'{text[:-1]},"sum":"{sum_}"}}\n'.encode(), sync)
            self._seq, self._sum = seq, sum_
            return seq

    def _append(self, data: bytes, sync: bool) -> None:
        size = os.fstat(self._file).st_size
        try:
            written = os.write(self._file, data)
            if written < len(data):  # the rest did not fit: the next call would say why
                os.write(self._file, data[written:])
                raise OSError(0, "it was written in two parts")
            if sync:
                os.fsync(self._file)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._file, size)
            raise JournalFailed(
                f"{self.path} cannot be written ({error.strerror}), and what is not written down is not done"
            ) from None

    def close(self) -> None:
        """Lets go of the file."""
        os.close(self._file)


def is_written(path: Path) -> bool:
    """Whether a process of this computer still writes it."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def read(path: Path) -> list[Record]:
    """All whole records. Raises JournalBroken where one before the last is not as it was written."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise JournalBroken(f"{path} cannot be read: {error.strerror}; name a journal") from None
    return [record for record, _, _ in _lines(path, data)]


def _lines(path: Path, data: bytes) -> Iterator[tuple[Record, str, int]]:
    """Each record with its sum, and where in the file it ends."""
    before, end = "", 0
    for number, line in enumerate(data.splitlines(keepends=True), 1):
        is_last = end + len(line) == len(data)
        try:
            record, sum_ = _record(line, before)
        except ValueError as error:
            if is_last and not isinstance(error, _Changed):
                return
            raise JournalBroken(
                f"{path}:{number}: {error}; it is not the journal that was written: use a copy that is"
            ) from None
        if record.seq != number:
            raise JournalBroken(f"{path}:{number}: record {record.seq} stands where {number} should")
        before, end = sum_, end + len(line)
        yield record, sum_, end


class _Changed(ValueError):  # noqa: N818 - what became of it
    """A whole line that is not as it was written."""


def _record(line: bytes, before: str) -> tuple[Record, str]:
    """The record on a line and its sum. Raises ValueError; _Changed where the line was whole once."""
    if not line.endswith(b"}\n"):
        raise ValueError("the line is not whole")
    try:
        text = line.decode().removesuffix("\n")
        found = json.loads(text)
    except ValueError:
        raise ValueError("no record stands there") from None
    if not isinstance(found, dict) or not isinstance(found.get("sum"), str):
        raise ValueError("no record stands there")
    if found["sum"] != _sum(before, text.removesuffix(f',"sum":"{found["sum"]}"}}') + "}"):
        raise _Changed("the sum does not fit the record and those before it")
    data = {key: value for key, value in found.items() if key not in OWN}
    return Record(found["seq"], found["at"], found["kind"], data), found["sum"]


def _sum(before: str, text: str) -> str:
    return hashlib.sha256(f"{before}{text}".encode()).hexdigest()


def now() -> str:
    """The time, as records have it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _hold(path: Path, descriptor: int) -> None:
    """Raises JournalFailed when another process writes it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise JournalFailed(f"{path} is being written by a run that still goes on: halt that first") from None
