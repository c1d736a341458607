"""Programs that live in virtual time: what stands in the way is told at once, and nothing is left."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import pytest

from gherkube.runners import commands
from gherkube.runners.simulator.server import clocked
from gherkube.runners.simulator.server.clocked import CODE, NUMBERS, Clocked, Sleep

needs_kubectl = pytest.mark.skipif(not commands.is_there("kubectl"), reason="there is no kubectl here")
on_linux = pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"),
    reason="programs cannot be given a clock of their own here",
)


@pytest.fixture
def output(tmp_path: Path) -> Iterator[IO[bytes]]:
    """A file that a program prints to."""
    with (tmp_path / "output").open("w+b") as file:
        yield file


def begin(command: list[str], output: IO[bytes], now: float = 0.0) -> Clocked:
    return Clocked(command, now, environment={}, folder=Path(), output=output)


def test_the_numbers_stand_behind_the_code() -> None:
    """Aligned, so that each is written at once; the code names them by their distance."""
    assert len(CODE) <= NUMBERS
    assert NUMBERS % 8 == 0
    day, monotonic = CODE.index(b"\x48\x8b\x05"), CODE.index(b"\x48\x03\x05")
    for at, number in ((day, NUMBERS), (monotonic, NUMBERS + 8)):
        assert at + 7 + int.from_bytes(CODE[at + 3 : at + 7], "little", signed=True) == number


def test_time_outs_are_read_from_system_calls() -> None:
    """Of epoll_pwait, in milliseconds; -1 is none, and so is 0, which does not wait."""
    call = "281 0x4 0xc0 0x80 {} 0x0 0x0 0x7ffc 0x48"
    waits = ("0x4e20", "0xffffffff", "0x0")
    sleep = Sleep(tuple((thread, call.format(wait), "7 0 1") for thread, wait in enumerate(waits, 1)))
    assert sleep.timers() == {1: 20.0}
    assert Sleep(((1, "202 0xc0 0x80 0x0 0x0 0x0 0x0 0x7ffc 0x48", "7 0 1"),)).timers() == {}


def test_threads_that_wake_one_another_do_not_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is asleep when it is looked at, in the same call as before, but one has run between two looks."""
    program = Clocked.__new__(Clocked)
    still, ran = (Sleep(((1, "202 0x0", "7 0 1"), (2, "202 0x0", runs))) for runs in ("5 0 1", "6 0 2"))
    looks = iter([still, ran, ran, ran])
    monkeypatch.setattr(program, "_threads", lambda: next(looks))
    assert program.sleep() is None
    assert program.sleep() == ran


@pytest.mark.parametrize(
    ("state", "call", "sleeps"),
    [
        ("S", "281 0x4 0x7 0x80 0x30", True),
        ("R", "281 0x4 0x7 0x80 0x30", False),
        ("S", "35 0x4 0x0", False),
        ("S", "1 0x4 0x7", False),
        ("S", "-1 0x7 0x48", False),
        ("R", "running", False),
    ],
    ids=["waits", "woken", "naps", "writes", "waits for memory", "runs"],
)
def test_who_sleeps(
    state: str, call: str, sleeps: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a thread that was woken and has not run yet, though still in its call; one that naps is woken."""
    interrupted: list[int] = []
    thread = tmp_path / "7" / "task" / "8"
    thread.mkdir(parents=True)
    for name, text in (
        ("stat", f"8 (a) R (b) {state} 1 7 7"),
        ("syscall", f"{call}\n"),
        ("schedstat", "9 0 1"),
    ):
        (thread / name).write_text(text)
    program = Clocked.__new__(Clocked)
    monkeypatch.setattr(clocked, "PROC", tmp_path)
    monkeypatch.setattr(program, "process", SimpleNamespace(pid=7), raising=False)
    monkeypatch.setattr(program, "_interrupt", interrupted.extend)
    assert program.sleep() == (Sleep(((8, f"{call}\n", "9 0 1"),)) if sleeps else None)
    assert interrupted == ([8] if call.startswith("35 ") else [])


def test_only_programs_of_go_are_begun(output: IO[bytes]) -> None:
    """Others could not be told that the time has come."""
    with pytest.raises(OSError, match="no program can be given a clock"):
        begin([sys.executable, "--version"], output)


@needs_kubectl
@on_linux
def test_where_tracing_is_forbidden_nothing_is_begun(
    output: IO[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in some containers."""

    def forbidden(_: Clocked) -> None:
        raise OSError("ptrace is not allowed")

    monkeypatch.setattr(Clocked, "_be_traced", forbidden)
    with pytest.raises(OSError, match="preexec_fn"):
        begin([commands.find("kubectl"), "version", "--client"], output)


@needs_kubectl
@on_linux
def test_where_the_clock_is_not_found_the_program_is_ended(
    output: IO[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel that names it otherwise."""
    monkeypatch.setattr(clocked, "FUNCTION", "__vdso_nothing")
    with pytest.raises(OSError, match="there is no __vdso_nothing"):
        begin([commands.find("kubectl"), "version", "--client"], output)
    assert output.read() == b""


@needs_kubectl
@on_linux
def test_a_program_runs_to_its_end(output: IO[bytes]) -> None:
    """And prints what it prints."""
    program = begin([commands.find("kubectl"), "version", "--client"], output)
    try:
        assert program.process.wait(300) == 0
        assert program.sleep() is None
    finally:
        program.close()
    output.seek(0)
    assert b"Client Version" in output.read()
