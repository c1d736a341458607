"""What events say, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from gherkube.runners.expectations.count import Count, at_least
from gherkube.runners.expectations.statement import Statement, Subject, Tracker
from gherkube.runners.expectations.subjects import POD_RESOURCES, PodSelector, Selected, WorkloadRef
from gherkube.runners.expectations.view import KINDS, View
from gherkube.runners.history import DELETED, Change
from gherkube.runners.objects import Object

About: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True)
class EventStatement(Statement):
    """One of those meant has events with that reason, whose message contains `says`, so many times.

    `about` is the object, or pods of which one is enough. An Event object counts as often as its count
    says; the counts of all that match and are about the same object are added up. In a window only
    what was added in it counts.
    """

    reason: str
    about: Subject
    says: str = ""
    times: Count = at_least(1)  # noqa: RUF009 - a value

    @property
    def resources(self) -> frozenset[str]:
        return POD_RESOURCES | {"events"} if isinstance(self.about, PodSelector) else frozenset({"events"})

    @property
    def sums_up(self) -> bool:
        return True

    @property
    def text(self) -> str:
        about = f"a {self.about.noun(False)}" if isinstance(self.about, PodSelector) else self.about.text
        says = f' that says "{self.says}"' if self.says else ""
        times = "" if self.times == at_least(1) else f" {self.times.text} times"
        return f'an event "{self.reason}" about {about}{says}{times}'

    @property
    def subject(self) -> Subject:
        return self.about

    @property
    def admits_nothing(self) -> bool:
        return self.times.admits_none

    def track(self, view: View) -> Tracker:
        tracker = _EventTracker(self, view)
        tracker.count_all()
        return tracker

    def watch(self, view: View) -> Tracker:
        return _EventTracker(self, view)


class _EventTracker(Tracker):
    def __init__(self, statement: EventStatement, view: View) -> None:
        self._statement, self._view = statement, view
        self._counts: dict[str, dict[str, int]] = {}
        """How often, by whom it is about and by event; both by name."""
        self._seen: dict[str, int] = {}
        self._about: dict[About, bool] = {}
        self._selected = Selected(statement.about, view) if isinstance(statement.about, PodSelector) else None

    def count_all(self) -> None:
        """Counts what there is already."""
        for event in self._view.of("events").values():
            self._see(event)

    def changed(self, change: Change) -> None:
        if change.resource == "events" and change.type != DELETED:
            before = count_of(change.old) if change.old is not None else 0
            self._see(change.object, before)

    def _see(self, event: Object, before: int = 0) -> None:
        statement = self._statement
        if event.get("reason") != statement.reason or statement.says not in event.get("message", ""):
            return
        involved = event.get("involvedObject") or event.get("regarding") or {}
        if not self._is_meant(involved):
            return
        name, key = involved.get("name", ""), event["metadata"]["name"]
        counts = self._counts.setdefault(name, {})
        base = self._seen.setdefault(key, before)
        counts[key] = count_of(event) - base

    def _is_meant(self, involved: Any) -> bool:
        about, namespace = self._statement.about, involved.get("namespace", "")
        kind, name, uid = involved.get("kind", ""), involved.get("name", ""), involved.get("uid", "")
        if isinstance(about, WorkloadRef):
            same = kind == KINDS.get(about.resource) and name == about.name
            return same and (namespace == about.namespace or about.resource == "nodes")
        if kind != "Pod":
            return False
        known = self._about.get((namespace, name, uid))
        if known is None and (pod := self._view.referred(namespace, involved)) is not None:
            assert self._selected is not None
            known = self._about[namespace, name, uid] = self._selected.includes(pod)
        return bool(known)

    def _most(self) -> tuple[int, str]:
        return max(((sum(counts.values()), name) for name, counts in self._counts.items()), default=(0, ""))

    def holds(self) -> bool:
        return not self.distance()

    def distance(self) -> float:
        n = self._most()[0]
        return self._statement.times.distance(n, n)

    def nearest(self) -> str:
        n, name = self._most()
        return f"{n} times about {name}" if n else ""

    def found(self) -> str:
        n, name = self._most()
        if n:
            return f"{n} time{'' if n == 1 else 's'} about {name}"
        reasons = {
            f'"{event.get("reason")}": {event.get("message", "")}'
            for event in self._view.of("events").values()
            if self._is_meant(event.get("involvedObject") or {})
        }
        return f"none; there are {'; '.join(sorted(reasons)[:6])}" if reasons else "no events about it"


def count_of(event: Object) -> int:
    """How many times the event happened. An event of the newer form counts in its series."""
    series = event.get("series") or {}
    return int(series.get("count") or event.get("count") or 1)
