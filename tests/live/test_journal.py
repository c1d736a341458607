"""The journal: what is written stays as it was written, and what cannot be written is not done."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from gherkube.runners.live.journal import Journal, JournalBroken, JournalFailed, read


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """One with two records."""
    made = Journal.create(tmp_path / "day.journal")
    made.write("begin", plan="shop")
    made.write("note", text="café \ud800 and\na line")
    return made


def test_what_was_written_is_read(journal: Journal) -> None:
    """Numbered from 1 on, with all that was said."""
    assert [(r.seq, r.kind, r.data) for r in read(journal.path)] == [
        (1, "begin", {"plan": "shop"}),
        (2, "note", {"text": "café \ud800 and\na line"}),
    ]
    assert read(journal.path)[0].at.endswith("Z")
    assert journal.path.stat().st_mode & 0o777 == 0o600


def test_it_goes_on_where_it_ended(journal: Journal) -> None:
    """Also in another process."""
    journal.close()
    again = Journal.resume(journal.path)
    assert again.write("end") == 3
    assert [record.kind for record in read(journal.path)] == ["begin", "note", "end"]


@pytest.mark.parametrize("torn", [b'{"seq":3,"at"', b"\0\0\0\0", b'{"seq":3}\n', b"\n", b"\xff\xfe"])
def test_a_torn_last_record_is_none(journal: Journal, torn: bytes) -> None:
    """It is passed over, and cut off by whoever goes on."""
    journal.close()
    with journal.path.open("ab") as file:
        file.write(torn)
    assert len(read(journal.path)) == 2
    again = Journal.resume(journal.path)
    assert again.cut == torn.decode("utf-8", "replace")
    again.write("end")
    assert [record.kind for record in read(journal.path)] == ["begin", "note", "end"]


def test_each_length_that_a_last_record_may_be_torn_to(journal: Journal) -> None:
    """Whatever is missing of it, it is no record, and those before it are."""
    data = journal.path.read_bytes()
    first = data.index(b"\n") + 1
    for length in range(first, len(data)):
        journal.path.write_bytes(data[:length])
        assert len(read(journal.path)) == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda lines: [lines[0].replace(b"shop", b"shed"), *lines[1:]], ":1: the sum does not fit"),
        (lambda lines: [lines[0], lines[2]], ":2: the sum does not fit"),
        (lambda lines: lines[1:], ":1: the sum does not fit"),
        (lambda lines: [lines[0], b"\n", *lines[1:]], ":2: the line is not whole"),
        (lambda lines: [lines[0], b'"x"}\n', *lines[1:]], ":2: no record stands there"),
        (lambda lines: [*lines[:2], lines[2].replace(b"end", b"End")], ":3: the sum does not fit"),
    ],
)
def test_a_broken_middle_is_told(journal: Journal, change: Any, why: str) -> None:
    """With file and line; nothing of it is believed. A whole last line that was changed is no torn one."""
    journal.write("end")
    journal.path.write_bytes(b"".join(change(journal.path.read_bytes().splitlines(keepends=True))))
    with pytest.raises(JournalBroken, match=f"day.journal{why}"):
        read(journal.path)


def test_what_is_no_journal(tmp_path: Path) -> None:
    """Its name is told."""
    with pytest.raises(JournalBroken, match=r"absent cannot be read: No such file.*name a journal"):
        read(tmp_path / "absent")
    with pytest.raises(JournalFailed, match="absent cannot be gone on with"):
        Journal.resume(tmp_path / "absent")


def test_one_writes_at_a_time(journal: Journal) -> None:
    """Who comes second is told, and changes nothing."""
    with pytest.raises(JournalFailed, match="is being written by a run that still goes on"):
        Journal.resume(journal.path)
    with pytest.raises(JournalFailed, match="cannot be begun: File exists"):
        Journal.create(journal.path)


@pytest.mark.parametrize("fails", ["write", "fsync", "part"])
def test_a_full_disk(journal: Journal, monkeypatch: pytest.MonkeyPatch, fails: str) -> None:
    """What is not wholly on the disk is not there, and whoever wrote it is told; the next may fit again."""
    whole = journal.path.read_bytes()
    real = os.write

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def part(file: int, data: bytes) -> int:
        monkeypatch.setattr(os, "write", full)
        return real(file, data[:7])

    with monkeypatch.context():
        monkeypatch.setattr(os, "write" if fails == "part" else fails, part if fails == "part" else full)
        with pytest.raises(JournalFailed, match=r"cannot be written \(No space left on device\)"):
            journal.write("before", act="scale")
        assert journal.path.read_bytes() == whole
        monkeypatch.undo()
    assert journal.write("end") == 3
    assert len(read(journal.path)) == 3
