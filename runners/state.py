"""What runs write down outside of their reports: which run this is, what it owes, how long things took.

A run owes what it made and has not removed yet. A debt is written down before the thing is made, and
struck out once it is verified to be gone; so a run that was killed leaves a list of what is to be done:
`gherkube clean` does it.

    runs/ID/run.json          who runs: the process, its command, since when
    runs/ID/alive             locked by each process of the run: while one lives, nobody cleans up after it
    runs/ID/debts/*.json      what it owes
    runs/ID/undo/*.journal    what it changed where it owns nothing: see `live.changes`
    clusters/                 the kind clusters that are there
    last.json                 how long things took last time
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import json
import os
import secrets
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gherkube.runners.errors import UsageError

LABEL = "gherkube.dev/run"
"""The label that says, of all that can have labels, which run made it."""
CLEANS = "gherkube clean"
"""The command that does what runs left to be done."""


def folder() -> Path:
    """Where all of it is: $GHERKUBE_STATE, $XDG_STATE_HOME/gherkube, or ~/.local/state/gherkube."""
    if own := os.environ.get("GHERKUBE_STATE"):
        return Path(own).absolute()
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "gherkube"


def run_id() -> str:
    """The run that this process belongs to."""
    if not _IDS:
        _IDS.append(secrets.token_hex(4))
    return _IDS[0]


def join(run: str) -> None:
    """This process belongs to a run that another one began."""
    _IDS[:] = [run]


_IDS: list[str] = []


class Debt:
    """Something that a run has to put right; `words` tell it."""

    def __init__(self, path: Path, told: dict[str, Any]) -> None:
        self.path, self.kind, self.words, self.data = path, told["kind"], told["words"], told["data"]

    def paid(self) -> None:
        """Strikes it out."""
        self.path.unlink(missing_ok=True)


class Run:
    """A run in the state folder."""

    def __init__(self, run: str) -> None:
        self.id, self.folder = run, folder() / "runs" / run

    @property
    def command(self) -> str:
        """What was typed; "" where that is not known."""
        try:
            return str(json.loads((self.folder / "run.json").read_text())["command"])
        except (OSError, ValueError, KeyError):
            return ""

    def owe(self, kind: str, words: str, **data: Any) -> Debt:
        """Writes down what is about to be made. Raises UsageError, and then it must not be made."""
        told = {"kind": kind, "words": words, "data": data}
        path = self.folder / "debts" / f"{time.time_ns()}-{secrets.token_hex(2)}.json"
        with writing():
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, told)
        return Debt(path, told)

    def debts(self) -> list[Debt]:
        """What it owes, the last thing first."""
        found = []
        for path in sorted((self.folder / "debts").glob("*.json"), reverse=True):
            with contextlib.suppress(OSError, ValueError):  # not written to its end: nothing was made
                found.append(Debt(path, json.loads(path.read_text())))
        return found

    def journals(self) -> list[Path]:
        """What it wrote of changes that are to be put back, the last one first."""
        return sorted((self.folder / "undo").glob("*.journal"), reverse=True)

    def end(self) -> None:
        """Forgets a run that owes nothing."""
        if not self.debts() and not self.journals():
            shutil.rmtree(self.folder, ignore_errors=True)


def begin() -> Run:
    """This run, written down, and alive from now on until its last process ends. Raises UsageError."""
    run = Run(run_id())
    if run.id in _ALIVE and run.folder.is_dir():
        return run
    with writing():
        _ALIVE[run.id] = hold(run.folder / "alive", alone=False)
        if not (run.folder / "run.json").exists():
            began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
            write(run.folder / "run.json", {"pid": os.getpid(), "command": command, "began": began})
            atexit.register(run.end)
    return run


_ALIVE: dict[str, int] = {}
"""The descriptors whose locks say that a run is alive."""


def hold(path: Path, *, alone: bool, within: float | None = None) -> int:
    """Locks a file, which is made if need be; the descriptor holds the lock until it is closed.

    `alone`: nobody else may hold it. Raises TimeoutError when that has not come true within so many seconds.
    """
    how = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
    until = None if within is None else time.monotonic() + within
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            continue  # somebody removed the folder meanwhile
        try:
            while True:
                try:
                    fcntl.flock(descriptor, how if until is None else how | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > (until or 0.0):
                        raise TimeoutError(f"{path} is held by others") from None
                    time.sleep(LOOK)
            if path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino:
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # it was removed while this process waited for it


LOOK = 0.1
"""Seconds between two looks at a lock that others hold."""


@contextlib.contextmanager
def gone() -> Iterator[list[Run]]:
    """The runs none of whose processes lives, for this process alone as long as it looks at them."""
    with contextlib.ExitStack() as held:
        found = []
        for path in sorted((folder() / "runs").glob("*/")):
            try:
                descriptor = os.open(path / "alive", os.O_RDWR | os.O_CREAT, 0o600)
                held.callback(os.close, descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            found.append(Run(path.name))
        yield found


def expected(what: str) -> Any:
    """What `took` was told last time; None: never."""
    try:
        return json.loads((folder() / "last.json").read_text()).get(what)
    except (OSError, ValueError):
        return None


def took(what: str, told: Any) -> None:
    """Remembers how long something took, in seconds; a disk that is full is no reason to fail."""
    path = folder() / "last.json"
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            known = json.loads(path.read_text())
        except (OSError, ValueError):
            known = {}
        write(path, {**known, what: told})


def write(path: Path, told: Any) -> None:
    """Writes JSON so that nobody ever reads a half of it."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(json.dumps(told, indent=1))
    part.replace(path)


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """Around what is written down. Raises UsageError with what to do where that cannot be."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"{error.filename or folder()} cannot be written ({error.strerror}), so what this run makes "
            "could not be cleaned up after it: make room, or name another folder with GHERKUBE_STATE"
        ) from None
