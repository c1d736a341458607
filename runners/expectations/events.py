"""What events say, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

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
        self._counts: dict[About, dict[str, int]] = {}
        """How often, by what it is about and by the event's name, whether that is meant or not."""
        self._before: dict[str, int] = {}
        """How often each event had happened before it was first looked at."""
        self._meant: dict[About, bool] = {}
        self._top: tuple[int, str] | None = None
        self._selected = Selected(statement.about, view) if isinstance(statement.about, PodSelector) else None

    def count_all(self) -> None:
        """Counts what there is already."""
        for event in self._view.of("events").values():
            self._see(event)

    def changed(self, change: Change) -> bool:
        if change.resource == "events":
            if change.type != DELETED:
                self._see(change.object, count_of(change.old) if change.old is not None else 0)
        elif change.resource == "pods":
            metadata = change.object["metadata"]
            self._meant.pop((metadata["namespace"], metadata["name"], metadata.get("uid", "")), None)
            self._top = None
        elif self._selected is not None and self._selected.upset(change):
            self._meant.clear()
            self._top = None
        return True

    def _see(self, event: Object, before: int = 0) -> None:
        statement = self._statement
        if event.get("reason") != statement.reason or statement.says not in event.get("message", ""):
            return
        involved = event.get("involvedObject") or event.get("regarding") or {}
        about = involved.get("namespace", ""), involved.get("name", ""), involved.get("uid", "")
        if involved.get("kind") != self._kind:
            return
        name = event["metadata"]["name"]
        base = self._before.setdefault(name, before)
        self._counts.setdefault(about, {})[name] = count_of(event) - base
        self._top = None

    @property
    def _kind(self) -> str | None:
        about = self._statement.about
        return KINDS.get(about.resource) if isinstance(about, WorkloadRef) else "Pod"

    def _is_meant(self, about: About) -> bool:
        meant = self._meant.get(about)
        if meant is None:
            meant = self._meant[about] = self._look_whether_meant(about)
        return meant

    def _look_whether_meant(self, about: About) -> bool:
        namespace, name, uid = about
        subject = self._statement.about
        if isinstance(subject, WorkloadRef):
            same = name == (subject.name or name)
            return same and (namespace == subject.namespace or subject.resource == "nodes")
        pod = self._view.referred(namespace, {"kind": "Pod", "name": name, "uid": uid})
        return pod is not None and self._selected is not None and self._selected.includes(pod)

    def _most(self) -> tuple[int, str]:
        if self._top is None:
            meant = (
                (sum(counts.values()), about[1])
                for about, counts in self._counts.items()
                if self._is_meant(about)
            )
            self._top = max(meant, default=(0, ""))
        return self._top

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
        reasons = set()
        for event in self._view.of("events").values():
            involved = event.get("involvedObject") or {}
            about = involved.get("namespace", ""), involved.get("name", ""), involved.get("uid", "")
            if involved.get("kind") == self._kind and self._is_meant(about):
                reasons.add(f'"{event.get("reason")}": {event.get("message", "")}')
        return f"none; there are {'; '.join(sorted(reasons)[:6])}" if reasons else "no events about it"


def count_of(event: Object) -> int:
    """How many times the event happened. An event of the newer form counts in its series."""
    series = event.get("series") or {}
    return int(series.get("count") or event.get("count") or 1)
