"""What happened on a live cluster: watches, one thread each, and the changes that they have seen.

A watch lists once and goes on from there; when its connection ends it is taken up at the version that it
had come to, so nothing is missed. Where the server has that version no more (410), it lists anew, and the
stretch of which nobody knows is a gap: the past is not judged over it.

What the threads see lies in an inbox until it is taken, so that nothing changes under a judgement.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

import urllib3
from urllib3.exceptions import HTTPError

from gherkube.runners.errors import ApiError, CannotJudge, GherkubeError
from gherkube.runners.history import ADDED, DELETED, MODIFIED, Change
from gherkube.runners.live.api import LiveApi
from gherkube.runners.live.connection import Connection, Unreachable, refusal
from gherkube.runners.live.discovery import Resource
from gherkube.runners.objects import Key, Object, key_of

LASTS = 240
"""Seconds that the server is asked to keep a watch open."""
SILENCE = 60.0
"""Real seconds without a word after which a connection is taken for dead."""
LAG = 15.0
"""Real seconds that a watch may take to show a change that was made here."""
FIRST, MOST = 0.05, 5.0
"""Real seconds before a connection is made anew."""


class Gap(NamedTuple):
    """A stretch of time of which not all is known, in seconds since the run began, and why."""

    begin: float
    end: float
    why: str


class LiveHistory:
    """A `History` that watches fill."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._changes: list[Change] = []
        self._inbox: list[tuple[int, Change]] = []
        self._bell = threading.Condition()
        self._rung: set[str] = set()
        self._watches: dict[tuple[str, str], Watch] = {}
        self._gaps: list[Gap] = []
        self._failure: GherkubeError | None = None

    def __len__(self) -> int:
        return len(self._changes)

    def since(self, position: int = 0) -> Iterator[Change]:
        """The changes from that position on, oldest first."""
        return islice(self._changes, position, None)

    def gap(self, since: float) -> str:
        """Why not all is known of the time since then; "" when all is."""
        with self._bell:
            return next((gap.why for gap in self._gaps if gap.end > since), "")

    def note_gap(self, begin: float, end: float, why: str) -> None:
        """Takes note that changes between these times may be missing."""
        with self._bell:
            self._gaps.append(Gap(begin, end, why))

    # --- Watches

    def watch(self, connection: Connection, api: LiveApi, resource: Resource, namespace: str = "") -> None:
        """Begins to watch a resource of a namespace ("" for all), unless it is watched already."""
        place = (resource.name, namespace)
        if place not in self._watches:
            self._watches[place] = watch = Watch(self, connection, api, resource, namespace)
            watch.begin()

    def catch_up(self, resource: Resource, namespace: str, name: str, written: Object) -> None:
        """Waits until the watches have seen what was written. Raises CannotJudge when they do not."""
        watch = self._watches.get((resource.name, namespace)) or self._watches.get((resource.name, ""))
        if watch is None:
            return
        until = time.monotonic() + LAG
        with self._bell:
            while not watch.has_seen(Key(namespace, name), written):
                self._check()
                if not self._bell.wait(until - time.monotonic()):
                    raise CannotJudge(
                        f'the watch of {resource.name} does not show what was written of "{name}": '
                        "the API server is too busy, or a proxy holds its answers back"
                    )
        self.take()

    def known(self, resource: str, namespace: str = "") -> list[Object]:
        """The objects of a resource as its watches know them."""
        with self._bell:
            return [
                obj
                for (name, place), watch in self._watches.items()
                if name == resource and (not namespace or place in ("", namespace))
                for obj in watch.known.values()
            ]

    def watches(self) -> list[Watch]:
        """All watches."""
        return list(self._watches.values())

    def is_current(self, api: LiveApi, resources: Collection[str] = ()) -> bool:
        """Whether the watches of these resources (of all) have seen what there is now."""
        for watch in self._watches.values():
            if resources and watch.resource.name not in resources:
                continue
            listed = api.list_at(watch.resource.name, watch.namespace)[0]
            there = {key_of(obj): _version(obj) for obj in listed}
            with self._bell:
                if there != {key: _version(obj) for key, obj in watch.known.items()}:
                    return False
        return True

    def wait(self, resources: Collection[str], seconds: float) -> None:
        """Waits for news of one of these resources (any, when none is named), for so many real seconds."""
        until = time.monotonic() + seconds
        with self._bell:
            while not (self._rung & set(resources) if resources else self._rung):
                self._check()
                left = until - time.monotonic()
                if left <= 0:
                    break
                self._bell.wait(left)
            self._rung.clear()

    def ring(self, resource: str, change: Change | None = None, version: int = 0) -> None:
        """Says that there is news: a change, or something else that one may wait for."""
        with self._bell:
            if change is not None:
                self._inbox.append((version, change))
            self._rung.add(resource)
            self._bell.notify_all()

    def stop(self, failure: GherkubeError | None = None) -> None:
        """Says that a watch can see no more."""
        with self._bell:
            self._failure = self._failure or failure
            self._bell.notify_all()

    def lock(self) -> threading.Condition:
        """What a watch holds while it changes what it knows."""
        return self._bell

    def now(self) -> float:
        """Seconds since the run began."""
        return self._now()

    def close(self) -> None:
        """Ends all watches."""
        for watch in self._watches.values():
            watch.stop()
        for watch in self._watches.values():
            watch.join()

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def take(self) -> None:
        """Brings the inbox into the history; news of one moment in the order of their versions."""
        with self._bell:
            self._check()
            inbox, self._inbox = self._inbox, []
        latest = self._changes[-1].at if self._changes else 0.0
        for _, change in sorted(inbox, key=lambda each: each[0]):
            latest = max(latest, change.at)
            self._changes.append(change._replace(at=latest))


class Watch:
    """The watch of one resource in one namespace. `known`: the objects as it has seen them last."""

    def __init__(
        self, history: LiveHistory, connection: Connection, api: LiveApi, resource: Resource, namespace: str
    ) -> None:
        self.resource, self.namespace = resource, namespace
        self.known: dict[Key, Object] = {}
        self._history, self._connection, self._api = history, connection, api
        self._version = ""
        self._ended = False
        self._response: urllib3.BaseHTTPResponse | None = None
        self._thread = threading.Thread(target=self._run, name=f"watch of {resource.name}", daemon=True)

    def begin(self) -> None:
        """Lists, and watches from there. Raises what the list raises."""
        began = self._history.now()
        self._list()
        if began > 0:
            self._history.note_gap(
                0.0, began, f"{self.resource.name} {self._where()} were not watched at first"
            )
        self._thread.start()

    def has_seen(self, key: Key, written: Object) -> bool:
        """Whether it knows of what was written."""
        version = (written.get("metadata") or {}).get("resourceVersion")
        if version is None:
            return key not in self.known
        return number(self._version) >= number(version)

    def stop(self) -> None:
        """Ends the watch."""
        self._ended = True
        self.cut()

    def cut(self) -> None:
        """Ends its connection; unless the watch has ended, it makes another."""
        if (response := self._response) is not None:
            _shut(response)

    def join(self) -> None:
        """Waits for the end of its thread."""
        if self._thread.is_alive():
            self._thread.join(2.0)

    def _where(self) -> str:
        return f'in namespace "{self.namespace}"' if self.namespace else ""

    def _list(self) -> None:
        """Takes what there is for what has happened."""
        objects, version = self._api.list_at(self.resource.name, self.namespace)
        there = {key_of(obj): obj for obj in objects}
        with self._history.lock():
            gone = [key for key in self.known if key not in there]
            for key in gone:
                self._saw(DELETED, self.known[key])
            for key, obj in sorted(there.items(), key=lambda each: number(_version(each[1]))):
                old = self.known.get(key)
                if old is None:
                    self._saw(ADDED, obj)
                elif old["metadata"]["uid"] != obj["metadata"]["uid"]:
                    self._saw(DELETED, old)
                    self._saw(ADDED, obj)
                elif _version(old) != _version(obj):
                    self._saw(MODIFIED, obj)
            self._version = version

    def _run(self) -> None:
        pause = FIRST
        while not self._ended:
            seen, at = self._version, self._history.now()
            try:
                self._follow()
            except (Unreachable, HTTPError, OSError, ValueError):
                pass
            except ApiError as error:
                if error.code == 410:
                    self._relist(at)
                elif error.code not in (429, 500, 502, 503, 504):
                    self._history.stop(CannotJudge(f"{self.resource.name} cannot be watched: {error}"))
                    return
            except Exception as error:
                self._history.stop(CannotJudge(f"the watch of {self.resource.name} broke: {error!r}"))
                return
            pause = FIRST if self._version != seen else min(pause * 2, MOST)
            if not self._ended:
                time.sleep(pause)

    def _relist(self, at: float) -> None:
        """The server has forgotten: what happened meanwhile is known in its outcome only."""
        with suppress(ApiError, CannotJudge):
            self._list()
            why = (
                f"the API server had dropped changes of {self.resource.name} before they were read (410 Gone)"
            )
            self._history.note_gap(at, self._history.now(), why)

    def _follow(self) -> None:
        """One connection, from its beginning to its end."""
        query = {
            "watch": "1",
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": LASTS,
        }
        path = self.resource.path(self.namespace)
        self._response = response = self._connection.send("GET", path, query, answer=SILENCE)
        try:
            if response.status >= 400:
                raise refusal(response.status, response.data)
            rest = b""
            for part in response.stream(65536):
                *lines, rest = (rest + part).split(b"\n")
                for line in lines:
                    if line.strip():
                        self._event(json.loads(line))
            if rest.strip():
                self._event(json.loads(rest))
        finally:
            self._response = None
            response.close()

    def _event(self, event: Any) -> None:
        kind, obj = event["type"], event["object"]
        if kind == "ERROR":
            raise ApiError(
                obj.get("code", 500), obj.get("reason", ""), obj.get("message", ""), obj.get("details")
            )
        with self._history.lock():
            self._version = _version(obj)
            if kind != "BOOKMARK":
                self._saw(kind, obj)
            else:
                self._history.ring("")

    def _saw(self, kind: str, obj: Object) -> None:
        key = key_of(obj)
        old = self.known.pop(key, None)
        if kind != DELETED:
            self.known[key] = obj
        if kind == ADDED and old is not None:
            kind = MODIFIED
        change = Change(self._history.now(), kind, self.resource.name, obj, old)
        self._history.ring(self.resource.name, change, number(_version(obj)))


def _version(obj: Object) -> str:
    return str(obj["metadata"].get("resourceVersion", ""))


def number(version: str) -> int:
    """A resourceVersion as the number that it is in every release of Kubernetes so far."""
    return int(version) if version.isdigit() else 0


def _shut(response: urllib3.BaseHTTPResponse) -> None:
    """Ends a connection that another thread reads from."""
    connection = getattr(response, "_connection", None)
    sock = getattr(connection, "sock", None)
    if sock is not None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
