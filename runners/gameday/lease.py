"""The lock of a game day: a Lease in its cluster, so that one runs at a time, wherever it was started.

It is held by renewing it, by the server's clock, and may be taken over only once it has expired. Whoever may
write it can ask its holder to halt, from any computer, by an annotation.
"""

from __future__ import annotations

import json
import os
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from getpass import getuser
from typing import NamedTuple

from gherkube.runners.errors import ApiError, GherkubeError
from gherkube.runners.live.api import LiveApi
from gherkube.runners.objects import Object

NAME = "gherkube-gameday"
HALT = "gherkube.dev/halt"
"""The annotation that asks the holder to halt: JSON with `by` and `why`."""
LASTS = 60
"""Seconds after which a lock that is not renewed has expired."""
RENEWED = 10.0
"""Seconds after which it is renewed."""
LOOKED = 2.0
"""Seconds between two looks at what is asked of its holder."""


class Locked(GherkubeError):  # noqa: N818 - what is told
    """The lock is somebody else's."""


class Lock(NamedTuple):
    """A lock as it is: its holder, until when (seconds since 1970, by the server's clock), what is asked."""

    holder: str
    expires: float
    halt: dict[str, str] | None
    object: Object


class Lease:
    """The lock of one namespace. `holder` is this process's name for it."""

    def __init__(self, api: LiveApi, namespace: str, holder: str) -> None:
        self.api, self.namespace, self.holder = api, namespace, holder
        now = time.time()
        self._ahead = now + api.connection.clock_skew(now) - steady_time()

    def now(self) -> float:
        """The server's time; a clock that is set anew here does not change it."""
        return steady_time() + self._ahead

    def look(self) -> Lock | None:
        """The lock; None when nobody holds it."""
        try:
            found = self.api.get("leases", NAME, self.namespace)
        except ApiError as error:
            if error.reason != "NotFound":
                raise
            return None
        spec, asked = found.get("spec") or {}, (found["metadata"].get("annotations") or {}).get(HALT)
        renewed = datetime.fromisoformat(spec.get("renewTime") or "1970-01-01T00:00:00Z").timestamp()
        expires = renewed + float(spec.get("leaseDurationSeconds") or 0)
        return Lock(spec.get("holderIdentity") or "", expires, json.loads(asked) if asked else None, found)

    def take(self, *, from_: str = "") -> Lock | None:
        """Takes the lock; returns the expired one that it was taken over from. Raises Locked.

        `from_`: a holder that is known to be gone, whether or not its lock has expired.
        """
        found = self.look()
        if found is None:
            self._write(None)
            return None
        free = not found.holder or found.holder in (self.holder, from_)
        if not free and found.expires > self.now():
            raise Locked(
                f"another game day has the lock of namespace {self.namespace!r}: {found.holder}, until "
                f"{stamp(found.expires)}; wait for its end, or halt it with gherkube gameday halt"
            )
        self._write(found.object)
        return None if free else found

    def renew(self) -> Lock:
        """Holds it for longer, and returns what is asked of its holder. Raises Locked when it is gone."""
        while True:
            found = self.look()
            if found is None or found.holder != self.holder:
                raise Locked(f"it was taken by {found.holder}" if found else "it was removed")
            with suppress(Locked):  # something else of it was changed meanwhile: a halt is asked for
                self._write(found.object)
                return found

    def release(self) -> None:
        """Gives it back, where it is still this process's."""
        found = self.look()
        if found is not None and found.holder == self.holder:
            self.api.delete("leases", NAME, self.namespace, uid=found.object["metadata"]["uid"])

    def ask_to_halt(self, by: str, why: str) -> Lock:
        """Asks its holder to halt. Raises Locked when there is none."""
        found = self.look()
        if found is None or not found.holder or found.expires <= self.now():
            raise Locked(f"no game day runs in namespace {self.namespace!r}: nobody holds the lock")
        asked = {HALT: json.dumps({"by": by, "why": why})}
        self.api.patch("leases", NAME, {"metadata": {"annotations": asked}}, self.namespace, type="merge")
        return found

    def _write(self, before: Object | None) -> None:
        """Raises Locked when another one was quicker."""
        now = datetime.fromtimestamp(self.now(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        mine = before is not None and (before.get("spec") or {}).get("holderIdentity") == self.holder
        spec = {"holderIdentity": self.holder, "leaseDurationSeconds": LASTS, "renewTime": now}
        wanted: Object = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": NAME, "namespace": self.namespace},
            "spec": {**spec, "acquireTime": now},
        }
        try:
            if before is None:
                self.api.create(wanted, namespace=self.namespace)
                return
            metadata = dict(before["metadata"])
            if mine:
                wanted["spec"]["acquireTime"] = before["spec"].get("acquireTime", now)
            else:
                metadata["annotations"] = {
                    key: value for key, value in (metadata.get("annotations") or {}).items() if key != HALT
                }
            self.api.replace({**wanted, "metadata": metadata})
        except ApiError as error:
            if error.reason in ("AlreadyExists", "Conflict"):
                raise Locked("another one has just taken the lock") from None
            raise


def cluster_of(api: LiveApi) -> str:
    """Which cluster this is, however it is reached; "" where that may not be asked."""
    try:
        return str(api.get("namespaces", "kube-system")["metadata"]["uid"])
    except ApiError:
        return ""


def steady_time() -> float:
    """Seconds that pass also while the computer sleeps, and that nobody sets."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def holder() -> str:
    """This process, unlike all others: user, host, process and when."""
    return f"{getuser()}@{socket.gethostname()}/{os.getpid()}/{int(time.time())}"


def is_gone(name: str) -> bool:
    """Whether a holder was a process of this computer that lives no more, or this one as it was before."""
    parts = name.rsplit("/", 2)
    if len(parts) != 3 or not parts[0].endswith(f"@{socket.gethostname()}") or not parts[1].isdigit():
        return False
    if int(parts[1]) == os.getpid():
        return True
    try:
        os.kill(int(parts[1]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def stamp(seconds: float) -> str:
    """A time as journals have it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
