"""What happened to pods over a window: created, deleted, replaced, restarted, one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from gherkube.runners.expectations.count import Count
from gherkube.runners.expectations.pods import names, restarts
from gherkube.runners.expectations.revisions import wanted_pods
from gherkube.runners.expectations.statement import Statement, Tracker
from gherkube.runners.expectations.subjects import POD_RESOURCES, PodSelector, Selected
from gherkube.runners.expectations.view import View
from gherkube.runners.history import ADDED, DELETED, Change
from gherkube.runners.objects import Object, controller_of, is_active, is_deleting, is_ready

Happening: TypeAlias = Literal["created", "deleted", "replaced", "restarted"]
HAPPENINGS: tuple[Happening, ...] = ("created", "deleted", "replaced", "restarted")


class PodsOverWindow(Statement):
    """What is told of pods over a window as a whole."""

    selector: PodSelector

    @property
    def resources(self) -> frozenset[str]:
        return POD_RESOURCES

    @property
    def sums_up(self) -> bool:
        return True

    @property
    def whole_window(self) -> bool:
        return True

    @property
    def subject(self) -> PodSelector:
        return self.selector


@dataclass(frozen=True)
class PodsHappened(PodsOverWindow):
    """So many of the pods were created, deleted, replaced or restarted in the window.

    A pod counts as deleted from the moment at which its deletion began. Pods were replaced as far as
    pods of the same workload (whatever their version) were created for those that were deleted.
    Restarted are pods of which a container was started again. "All" that were deleted or replaced, and
    "3 of 4", are out of those that were active at the window's start; where there were none, and of
    what else happened, out of all pods of the window.
    """

    selector: PodSelector
    count: Count
    what: Happening

    @property
    def text(self) -> str:
        return f"{self.count.text} {self.selector.noun(self.count.plural)} {self.what}"

    @property
    def admits_nothing(self) -> bool:
        return self.count.admits_none

    def track(self, view: View) -> Tracker:
        return _HappenedTracker(self, view)


class _HappenedTracker(Tracker):
    def __init__(self, statement: PodsHappened, view: View) -> None:
        self._statement, self._view = statement, view
        selector = statement.selector
        self._selected = Selected(selector, view)
        self._anyone = Selected(selector.anyone, view)
        self._pods: dict[str, Object] = {}
        """All pods of the window by uid, in their newest version."""
        self._did: dict[Happening, dict[str, Object]] = {what: {} for what in HAPPENINGS}
        self._first: set[str] = set()
        """Those that were active at the window's start."""
        self._made = 0
        self._broke: int | None = None
        self._unclear: list[Change] = []
        """Changes of pods of whose owner nothing was known then."""
        for pod in view.of("pods").values():
            if self._selected.includes(pod):
                self._pods[pod["metadata"]["uid"]] = pod
                if is_active(pod):
                    self._first.add(pod["metadata"]["uid"])

    def changed(self, change: Change) -> bool:
        if change.resource == "pods":
            self._see(change)
        elif self._anyone.upset(change) | self._selected.upset(change):
            unclear, self._unclear = self._unclear, []
            for one in unclear:
                self._see(one)
        most = self._statement.count.high
        if self._broke is None and most is not None and self._counted()[0] > most:
            self._broke, self._broke_at = self._view.position, self._view.told()
        return True

    @property
    def broke(self) -> int | None:
        return self._broke

    def _see(self, change: Change) -> None:
        pod, old = change.object, change.old
        uid = pod["metadata"]["uid"]
        if controller_of(pod) is not None and self._view.owner(pod) is None:
            self._unclear.append(change)
            return
        if change.type == ADDED and self._anyone.includes(pod):
            self._made += 1
        if uid not in self._pods and not self._selected.includes(pod):
            return
        self._pods[uid] = pod
        if change.type == ADDED:
            self._did["created"][uid] = pod
        if (change.type == DELETED or is_deleting(pod)) and not (old is not None and is_deleting(old)):
            self._did["deleted"][uid] = pod
        if old is not None and restarts(pod) > restarts(old):
            self._did["restarted"][uid] = pod

    def _counted(self) -> tuple[int, int]:
        """Of how many it is so, and out of how many."""
        what, count = self._statement.what, self._statement.count
        did = set(self._did["deleted" if what == "replaced" else what])
        total = len(self._pods)
        if what in ("deleted", "replaced") and self._first and (count.whole or count.of is not None):
            did, total = did & self._first, len(self._first)
        return min(len(did), self._made) if what == "replaced" else len(did), total

    def holds(self) -> bool:
        return self._statement.count.holds(*self._counted())

    def distance(self) -> float:
        return self._statement.count.distance(*self._counted())

    def found(self) -> str:
        what = self._statement.what
        did = self._did["deleted" if what == "replaced" else what].values()
        n, total = self._counted()
        if not n:
            return f"none {what}"
        of = f" of {total}" if self._statement.count.whole else ""
        since = f", too many from {self._broke_at} on" if self._broke is not None else ""
        return f"{n}{of} {what} ({'in the place of ' if what == 'replaced' else ''}{names(did)}){since}"


@dataclass(frozen=True)
class OneAtATime(PodsOverWindow):
    """The pods were replaced one at a time.

    At every moment of the window at most one pod was on its way: no more than one of the workload's
    active pods was not ready, no more than one ready pod less than its replicas were there, and no
    more than one active pod above them; and at least one pod was replaced. Without a workload the
    number of pods at the window's start stands for its replicas. Terminating pods do not count.
    """

    selector: PodSelector

    @property
    def text(self) -> str:
        return f"{self.selector.noun()} replaced one at a time"

    def track(self, view: View) -> Tracker:
        return _OneAtATimeTracker(self, view)


class _OneAtATimeTracker(Tracker):
    def __init__(self, statement: OneAtATime, view: View) -> None:
        self._view = view
        self._workload = statement.selector.workload
        self._selected = Selected(statement.selector, view)
        self._active: dict[str, bool] = {}
        """Whether each active pod is ready, by uid."""
        self._deleted = self._made = self._ready = 0
        self._broken = ""
        self._broke: int | None = None
        self._see_all()
        self._start = len(self._active)
        self._look()

    def _see_all(self) -> None:
        for pod in self._view.of("pods").values():
            self._see(pod)

    def _see(self, pod: Object) -> None:
        uid = pod["metadata"]["uid"]
        self._ready -= self._active.pop(uid, False)
        if is_active(pod) and self._selected.includes(pod):
            self._active[uid] = is_ready(pod)
            self._ready += self._active[uid]

    def changed(self, change: Change) -> bool:
        if change.resource != "pods":
            if self._selected.upset(change):
                self._see_all()
        else:
            pod = change.object
            was_active = pod["metadata"]["uid"] in self._active
            if change.type == DELETED:
                self._ready -= self._active.pop(pod["metadata"]["uid"], False)
            else:
                self._see(pod)
            is_now = pod["metadata"]["uid"] in self._active
            self._deleted += was_active and not is_now
            self._made += is_now and change.type == ADDED
        self._look()
        return True

    def _wanted(self) -> int:
        obj = self._workload.find(self._view) if self._workload is not None else None
        wanted = wanted_pods(obj) if obj is not None else None
        return self._start if wanted is None else wanted

    def _look(self) -> None:
        if self._broken:
            return
        active, wanted = len(self._active), self._wanted()
        if active - self._ready > 1:
            self._broken = f"{active - self._ready} pods were not ready at the same time"
        elif wanted - self._ready > 1:
            self._broken = f"only {self._ready} of {wanted} pods were there and ready"
        elif active - wanted > 1:
            self._broken = f"there were {active} pods, {active - wanted} more than {wanted}"
        if self._broken:
            self._broken += f" at {self._view.told()}"
            self._broke = self._view.position

    @property
    def broke(self) -> int | None:
        return self._broke

    def holds(self) -> bool:
        return not self._broken and bool(self._deleted and self._made)

    def found(self) -> str:
        return self._broken or "no pod was replaced"
