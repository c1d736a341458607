"""What happened on a live cluster: the changes that its watches saw, in the order in which they were made.

What the watches see lies in an inbox until it is taken, so that nothing changes under a judgement. Each watch
is in time by itself; what another has seen meanwhile waits for it. So a change is not taken

- before the object that controls it is known, where that is watched;
- while a watch has no connection, or has not caught up since, unless it is known to have come as far.

What waits for longer than `LAG` is taken, and the stretch is a gap: the past is not judged over it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from math import inf
from operator import itemgetter
from typing import NamedTuple

from gherkube.runners.errors import CannotJudge, GherkubeError
from gherkube.runners.history import Change
from gherkube.runners.live.api import LiveApi
from gherkube.runners.live.connection import Connection
from gherkube.runners.live.discovery import Resource
from gherkube.runners.live.watch import Watch, number
from gherkube.runners.objects import Key, Object, controller_of

LAG = 15.0
"""Real seconds that a watch may take to show a change that was made."""


class Gap(NamedTuple):
    """A stretch of time of which not all is known, in seconds since the run began, and why."""

    begin: float
    end: float
    why: str


class Wait(NamedTuple):
    """The oldest change that cannot be taken yet, and since when, in real seconds."""

    change: Change
    since: float


class LiveHistory:
    """A `History` that watches fill."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._changes: list[Change] = []
        self._inbox: list[tuple[int, Change]] = []
        self._uids: set[str] = set()
        """Of what was taken, and of what controls it."""
        self._wait: Wait | None = None
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

    def watches(self) -> list[Watch]:
        """All watches."""
        return list(self._watches.values())

    def known(self, resource: str, namespace: str = "") -> list[Object]:
        """The objects of a resource as its watches know them."""
        with self._bell:
            return [
                obj
                for (name, place), watch in self._watches.items()
                if name == resource and (not namespace or place in ("", namespace))
                for obj in watch.known.values()
            ]

    def close(self) -> None:
        """Ends all watches."""
        for watch in self._watches.values():
            watch.stop()
        for watch in self._watches.values():
            watch.join()

    # --- What watches call

    def ring(self, resource: str, change: Change | None = None, version: int = 0) -> None:
        """Says that there is news: a change, or something else that one may wait for."""
        with self._bell:
            if change is not None:
                self._inbox.append((version, change))
            self._rung.add(resource)
            if self._wait is not None:  # it may have waited for this
                self._rung.update(waiting.resource for _, waiting in self._inbox)
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

    # --- Waiting

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

    def catch_up(self, resource: Resource, namespace: str, name: str, written: Object) -> None:
        """Takes news until what was written is among them. Raises CannotJudge when it does not come."""
        watch = self._watches.get((resource.name, namespace)) or self._watches.get((resource.name, ""))
        if watch is None:
            return
        key, version = Key(namespace, name), (written.get("metadata") or {}).get("resourceVersion")
        self._take_until(
            lambda: watch.has_seen(key, written),
            inf if version is None else number(version),
            f'the watch of {resource.name} does not show what was written of "{name}"',
        )

    def settle(self, resources: Collection[str] = ()) -> None:
        """Takes news until all are taken that there are by now, of these resources (of all).

        Raises CannotJudge when they do not come.
        """
        marks = self._ask(resources)
        names = ", ".join(sorted({watch.resource.name for watch in marks}))
        self._take_until(
            lambda: all(watch.progress >= mark for watch, mark in marks.items()),
            max(marks.values(), default=0),
            f"the watches of {names} do not show what there is",
        )

    def is_current(self, resources: Collection[str] = ()) -> bool:
        """Whether the history tells what there is now of these resources (of all)."""
        marks = self._ask(resources)
        with self._bell:
            return not self._inbox and all(watch.progress >= mark for watch, mark in marks.items())

    def _ask(self, resources: Collection[str]) -> dict[Watch, int]:
        """The watches of these resources (all), each with the version to which it has to come."""
        chosen = [each for each in self.watches() if not resources or each.resource.name in resources]
        return {watch: watch.ask() for watch in chosen}

    def _take_until(self, is_seen: Callable[[], bool], version: float, missing: str) -> None:
        """Takes news until that is so, and nothing up to the version is left to take."""
        until = time.monotonic() + LAG
        for watch in self.watches():
            watch.hurry()
        while True:
            with self._bell:
                late, seen = self._take(), is_seen()
                if seen and all(number > version for number, _ in self._inbox):
                    return
                if (
                    seen and self._wait is not None
                ):  # for the others, which are not waited for any longer then
                    until = self._wait.since + LAG
                if not late and not self._bell.wait(max(0.0, until - time.monotonic())) and not seen:
                    raise CannotJudge(
                        f"{missing}: the API server is too busy, or a proxy holds its answers back"
                    )
            _catch_up(late)

    def take(self) -> None:
        """Brings into the history what nothing older can come before, by version."""
        with self._bell:
            late = self._take()
        if late:
            _catch_up(late)
            with self._bell:
                self._take()

    def _take(self) -> list[Watch]:
        """The same; which watches the next change waits for, unless it waited before."""
        self._check()
        self._inbox.sort(key=itemgetter(0))
        latest = self._changes[-1].at if self._changes else 0.0
        taken, late = 0, list[Watch]()
        for version, change in self._inbox:
            late = self._awaited(version, change)
            if late and not self._has_waited(change, late):
                break
            taken += 1
            latest = max(latest, change.at)
            self._changes.append(change._replace(at=latest))
            self._uids.update(_uids(change.object))
        del self._inbox[:taken]
        if not self._inbox:
            self._wait = None
            return []
        change = self._inbox[0][1]
        if self._wait is not None and self._wait.change is change:
            return []
        self._wait = Wait(change, time.monotonic())
        return late

    def _awaited(self, version: int, change: Change) -> list[Watch]:
        """The watches that may still bring something older, or the object that controls this one."""
        behind = [watch for watch in self._watches.values() if watch.progress < version]
        owner = controller_of(change.object)
        if owner is not None and owner["uid"] in self._uids:
            owner = None
        return [watch for watch in behind if watch.is_late or (owner and _shows(watch, change.object, owner))]

    def _has_waited(self, change: Change, late: list[Watch]) -> bool:
        """Whether the change has waited for too long: then there is a gap."""
        if self._wait is None or time.monotonic() - self._wait.since < LAG:
            return False
        if self._wait.change is change:
            names = ", ".join(sorted({watch.resource.name for watch in late}))
            self.note_gap(change.at, self._now(), f"the watches of {names} fell behind the others")
        return True

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure


def _catch_up(late: list[Watch]) -> None:
    for watch in late:
        watch.hurry()
        watch.ask()


def _shows(watch: Watch, obj: Object, owner: Object) -> bool:
    """Whether the watch is that of the object's owner."""
    kind = watch.resource.kind, watch.resource.group
    group = owner["apiVersion"].rpartition("/")[0]
    return kind == (owner["kind"], group) and watch.namespace in ("", obj["metadata"].get("namespace", ""))


def _uids(obj: Object) -> Iterator[str]:
    """Of the object, and of what controls it."""
    if "uid" in obj["metadata"]:
        yield obj["metadata"]["uid"]
    if (owner := controller_of(obj)) is not None:
        yield owner["uid"]
