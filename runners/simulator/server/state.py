"""The state of a server in a file: every request that may have changed something, with its place in time.

From one seed the simulator does the same after the same requests at the same moments, so playing them again
is all that it takes to be where one was. A request is in the file, and on the disk, before it is carried out;
a line that a crash has cut off was never answered, and is dropped.
"""

from __future__ import annotations

import fcntl
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import suppress
from errno import ENOSPC
from io import BytesIO, FileIO
from pathlib import Path
from typing import Any, NamedTuple

from gherkube.runners.errors import ApiError, UsageError
from gherkube.runners.simulator.server.calls import Call
from gherkube.runners.simulator.server.front import Front
from gherkube.runners.simulator.server.pump import Pump

HEADERS = ("accept", "content-type", "impersonate-group", "impersonate-user", "user-agent")
"""What of a request's headers has a bearing on what it changes."""


class Origin(NamedTuple):
    """With what a simulation began."""

    seed: int
    nodes: int
    start: float
    kind: str = ""


class State:
    """An open state file. Making it raises UsageError when it cannot be one, or another server has it."""

    def __init__(self, path: Path, origin: Origin) -> None:
        """`origin`: of a new state, for a file that is not there yet."""
        self._path = path
        try:
            if not path.exists():
                _begin(path, origin)
            self._file = _locked(path)
        except BlockingIOError:
            raise UsageError(f"{path} is in use by another gherkube serve: name another file") from None
        except OSError as error:
            raise UsageError(f"{path} cannot be used: {error.strerror}") from None
        try:
            lines = list(self._whole_lines())
            self.origin = self._origin(lines[0] if lines else None)
        except UsageError:
            self._file.close()
            raise
        self._entries = lines[1:]
        self._place = (-1, -1.0)

    def play(self, front: Front, pump: Pump) -> int:
        """Asks again what was asked before; how many requests that were."""
        asked = 0
        for entry in self._entries:
            pump.go_to(entry["steps"], entry["at"])
            if "method" in entry:
                front.answer(_call(entry))
                asked += 1
        self._entries = []
        return asked

    def request(self, call: Call, place: tuple[int, float]) -> None:
        """Keeps a request that is made at that place: events run before, and virtual time.

        ApiError InternalError when the disk does not take it: then it is not to be carried out.
        """
        entry = {"method": call.method, "path": call.path, "query": dict(call.query)}
        entry |= {"headers": {name: call.headers[name] for name in HEADERS if name in call.headers}}
        if call.body:
            try:
                entry["body"] = call.body.decode()
            except UnicodeDecodeError:
                entry["body64"] = b64encode(call.body).decode()
        try:
            self._write(entry, place, safe=True)
        except OSError as error:
            said = f"the state cannot be kept in {self._path}: {error.strerror}; nothing was done"
            raise ApiError(500, "InternalError", f"Internal error occurred: {said}") from None

    def mark(self, place: tuple[int, float], *, safe: bool = False) -> None:
        """Keeps how far time has come, should somebody have seen it; on a full disk time is lost."""
        if place != self._place:
            with suppress(OSError):
                self._write({}, place, safe=safe)

    def close(self, place: tuple[int, float]) -> None:
        """Keeps where time stands, and lets go of the file."""
        self.mark(place, safe=True)
        self._file.close()

    def _write(self, entry: dict[str, Any], place: tuple[int, float], *, safe: bool) -> None:
        """Adds a line, all of it or nothing; `safe`: it is on the disk afterwards. Raises OSError."""
        line = (
            json.dumps({"steps": place[0], "at": place[1], **entry}, separators=(",", ":")).encode() + b"\n"
        )
        end = self._file.tell()
        try:
            if self._file.write(line) != len(line):
                raise OSError(ENOSPC, os.strerror(ENOSPC))
            if safe:
                os.fsync(self._file.fileno())
        except OSError:
            self._file.truncate(end)
            self._file.seek(end)
            raise
        self._place = place

    def _whole_lines(self) -> Iterator[dict[str, Any]]:
        """What stands there; what is behind the last whole line is cut off."""
        end = 0
        for number, line in enumerate(BytesIO(self._file.readall()), 1):
            if not line.endswith(b"\n"):
                break
            try:
                entry = json.loads(line)
                if not isinstance(entry, dict) or (number > 1 and not _is_entry(entry)):
                    raise ValueError
            except (ValueError, RecursionError):
                raise UsageError(f"{self._path}:{number}: no state of gherkube serve; name another") from None
            end += len(line)
            yield entry
        self._file.truncate(end)
        self._file.seek(end)

    def _origin(self, header: dict[str, Any] | None) -> Origin:
        if not header or "gherkube" not in header:
            raise UsageError(f"{self._path} is no state of gherkube serve: name another file")
        if header["gherkube"] != _version():
            raise UsageError(
                f"{self._path} was begun by gherkube {header['gherkube']}, which alone goes on from it: "
                "use that version, or name a new file"
            )
        try:
            return Origin(*(header[field] for field in Origin._fields))
        except KeyError as error:
            raise UsageError(f"{self._path}:1: {error} is missing: name another file") from None


def may_change(call: Call) -> bool:
    """Whether a request may leave anything behind; asking a program through a proxy draws from chance."""
    return call.method not in ("GET", "HEAD") or "/proxy" in call.path


def _version() -> str:
    from importlib.metadata import version

    return version("gherkube")


def _locked(path: Path) -> FileIO:
    file = path.open("r+b", buffering=0)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file


def _begin(path: Path, origin: Origin) -> None:
    """Puts a new file there, whole or not at all, unless another server has just done so."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    header = {"gherkube": _version(), **origin._asdict()}
    try:
        with unfinished.open("wb") as file:
            file.write(json.dumps(header).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _is_entry(entry: dict[str, Any]) -> bool:
    """Whether it says a place, and a request if any."""
    types: dict[str, Any] = {"steps": int, "at": float | int}
    types |= {"method": str, "path": str, "query": dict, "headers": dict} if "method" in entry else {}
    return all(isinstance(entry.get(field), type_) for field, type_ in types.items())


def _call(entry: dict[str, Any]) -> Call:
    body = b64decode(entry["body64"]) if "body64" in entry else entry.get("body", "").encode()
    return Call(entry["method"], entry["path"], entry["query"], entry["headers"], body)
