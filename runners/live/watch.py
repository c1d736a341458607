"""One watch: a thread that sees the changes of one resource in one namespace.

It lists once and goes on from there; when its connection ends it is taken up at the version that it had come
to, so nothing is missed. Where the server has that version no more (410), it lists anew, and the stretch of
which nobody knows is a gap.
"""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import urllib3
from urllib3.exceptions import HTTPError

from gherkube.runners.errors import ApiError, CannotJudge
from gherkube.runners.history import ADDED, DELETED, MODIFIED, Change
from gherkube.runners.live.api import LiveApi
from gherkube.runners.live.connection import Connection, Unreachable, refusal
from gherkube.runners.live.discovery import Resource
from gherkube.runners.objects import Key, Object, key_of

if TYPE_CHECKING:
    from gherkube.runners.live.history import LiveHistory

LASTS = 240
"""Seconds that the server is asked to keep a watch open."""
SILENCE = 90.0
"""Real seconds without a word after which a connection is taken for dead. A server sends a bookmark each
minute, which moves the version on: staging/src/k8s.io/apiserver pkg/storage/cacher defaultBookmarkFrequency.
"""
FIRST, MOST = 0.05, 5.0
"""Real seconds before a connection is made anew."""


class Goal(NamedTuple):
    """What there was at a version: a watch that has come to it has seen all that."""

    version: int
    newest: int
    keys: frozenset[Key]


class Watch:
    """The watch of one resource in one namespace. `known`: the objects as it has seen them last."""

    def __init__(
        self, history: LiveHistory, connection: Connection, api: LiveApi, resource: Resource, namespace: str
    ) -> None:
        self.resource, self.namespace = resource, namespace
        self.known: dict[Key, Object] = {}
        self._history, self._connection, self._api = history, connection, api
        self._version = ""
        self._reached = 0
        self._goal: Goal | None = None
        self._open = self._ended = False
        self._again = threading.Event()
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

    def ask(self) -> int:
        """Asks what there is; its version, up to which `progress` has come when all of it has been seen."""
        listed, at = self._api.list_at(self.resource.name, self.namespace)
        newest = max((number(version_of(obj)) for obj in listed), default=0)
        with self._history.lock():
            if self._goal is None or self._goal.version <= number(at):
                self._goal = Goal(number(at), newest, frozenset(map(key_of, listed)))
            self._arrive()
        return number(at)

    @property
    def progress(self) -> int:
        """The version up to which it has seen all changes."""
        return max(self._reached, number(self._version))

    @property
    def is_late(self) -> bool:
        """Whether it may lack changes that others have seen: it has no connection, or has to catch up."""
        return not self._open or self._goal is not None

    def has_seen(self, key: Key, written: Object) -> bool:
        """Whether it knows of what was written."""
        version = (written.get("metadata") or {}).get("resourceVersion")
        if version is None:
            return key not in self.known
        return number(self._version) >= number(version)

    def hurry(self) -> None:
        """Makes it connect at once, should it be about to."""
        self._again.set()

    def stop(self) -> None:
        """Ends the watch."""
        self._ended = True
        self.hurry()
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
            for key, obj in sorted(there.items(), key=lambda each: number(version_of(each[1]))):
                old = self.known.get(key)
                if old is None:
                    self._saw(ADDED, obj)
                elif old["metadata"]["uid"] != obj["metadata"]["uid"]:
                    self._saw(DELETED, old)
                    self._saw(ADDED, obj)
                elif version_of(old) != version_of(obj):
                    self._saw(MODIFIED, obj)
            self._came_to(version)

    def _run(self) -> None:
        pause = FIRST
        while not self._ended:
            seen, at = self._version, self._history.now()
            self._again.clear()
            try:
                self._follow()
            except (Unreachable, HTTPError, OSError, ValueError):
                pass
            except ApiError as error:
                if error.code == 410:
                    self._relist(at)
                elif error.code not in (429, 500, 502, 503, 504) and not self._connection.is_coming_up(error):
                    self._history.stop(CannotJudge(f"{self.resource.name} cannot be watched: {error}"))
                    return
            except CannotJudge as error:
                self._history.stop(error)
                return
            except Exception as error:
                self._history.stop(CannotJudge(f"the watch of {self.resource.name} broke: {error!r}"))
                return
            pause = FIRST if self._version != seen else min(pause * 2, MOST)
            self._again.wait(pause)

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
            if self._ended:
                return
            if response.status >= 400:
                raise refusal(response.status, response.data)
            self.ask()  # what happened while there was no connection is on its way
            self._open = True
            rest = b""
            for part in response.stream(65536):
                *lines, rest = (rest + part).split(b"\n")
                for line in lines:
                    if line.strip():
                        self._event(json.loads(line))
            if rest.strip():
                self._event(json.loads(rest))
        finally:
            self._open = False
            self._response = None
            response.close()

    def _event(self, event: Any) -> None:
        kind, obj = event["type"], event["object"]
        if kind == "ERROR":
            raise ApiError(
                obj.get("code", 500), obj.get("reason", ""), obj.get("message", ""), obj.get("details")
            )
        with self._history.lock():
            if kind != "BOOKMARK":
                self._saw(kind, obj)
            self._came_to(version_of(obj))

    def _saw(self, kind: str, obj: Object) -> None:
        key = key_of(obj)
        old = self.known.pop(key, None)
        if kind != DELETED:
            self.known[key] = obj
        if kind == ADDED and old is not None:
            kind = MODIFIED
        change = Change(self._history.now(), kind, self.resource.name, obj, old, key)
        self._history.ring(self.resource.name, change, number(version_of(obj)))

    def _came_to(self, version: str) -> None:
        self._version = version
        self._arrive()
        self._history.ring("")

    def _arrive(self) -> None:
        """Whether all has been seen that there was when it was asked."""
        goal = self._goal
        if goal is None or number(self._version) < goal.newest:
            return
        left = (obj for key, obj in self.known.items() if key not in goal.keys)
        if all(number(version_of(obj)) > goal.version for obj in left):
            self._reached, self._goal = max(self._reached, goal.version), None
            self._history.ring("")


def version_of(obj: Object) -> str:
    """The resourceVersion of an object."""
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
