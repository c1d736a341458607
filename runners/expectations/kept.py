"""Pods that stayed, or were there at a moment: what they are, and what became of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from gherkube.runners.expectations.count import Count
from gherkube.runners.expectations.past import PodsOverWindow
from gherkube.runners.expectations.pods import PODS, available_from, names, restarts, with_argument
from gherkube.runners.expectations.statement import Tracker
from gherkube.runners.expectations.subjects import PodSelector, Selected
from gherkube.runners.expectations.time import Moment
from gherkube.runners.expectations.view import View
from gherkube.runners.history import ADDED, DELETED, Change
from gherkube.runners.objects import Object, is_active, is_deleting, is_ready

Kept: TypeAlias = Literal["ready all along"] | Moment


def _is_doomed(pod: Object | None, _: int) -> bool:
    return pod is None or is_deleting(pod)


FATES: dict[str, Callable[[Object | None, int], bool]] = {
    "never restarted": lambda _, more: not more,
    "restarted": lambda _, more: more > 0,
    "deleted": _is_doomed,
    "replaced": _is_doomed,
}
"""What may have become of a pod in the window, by what it is now (None: gone) and its restarts since."""


@dataclass(frozen=True)
class KeptPods(PodsOverWindow):
    """Of pods that stayed: `KeptPods(selector, "ready all along", exactly(3), "never restarted")`.

    `kept` says which pods are meant: those that were ready at every moment of the window, or those
    that were there at a moment. `count` is how many they must be (None: any number but none).
    `predicate` is true of each of them: a key of `FATES`, or, now, a key of `PODS` with its `argument`; one
    that is gone is none of these. For those that were replaced as many others of the workload were created.
    `there`: the pods of the moment, as they were.
    """

    selector: PodSelector
    kept: Kept
    count: Count | None
    predicate: str
    argument: Any = None
    there: tuple[Object, ...] = ()

    @property
    def since(self) -> Moment | None:
        return self.kept if isinstance(self.kept, Moment) else None

    @property
    def sums_up(self) -> bool:
        return self.since is None or self.predicate in FATES

    @property
    def whole_window(self) -> bool:
        return self.sums_up

    def recalled(self, view_at: Callable[[Moment], View]) -> KeptPods:
        if self.since is None:
            return self
        view = view_at(self.since)
        selected = Selected(self.selector, view)
        return replace(self, there=tuple(pod for pod in view.of("pods").values() if selected.includes(pod)))

    @property
    def words(self) -> str:
        """The predicate in words."""
        if self.predicate in FATES:
            return self.predicate
        words = with_argument(PODS[self.predicate].short, self.argument)
        return f"still {words}" if self.predicate == "exist" else words

    @property
    def which(self) -> str:
        """Which pods are meant, in words."""
        many = self.count is None or self.count.plural
        number = f"{self.count.text} " if self.count is not None else ""
        if isinstance(self.kept, Moment):
            how = f'that were there at the moment "{self.kept.name}"'
        else:
            how = f"that {'were' if many else 'was'} ready all along"
        return f"{number}{self.selector.noun(many)} {how}"

    @property
    def text(self) -> str:
        return f"{self.which}, {self.words}"

    def track(self, view: View) -> Tracker:
        return _KeptTracker(self, view)


class _KeptTracker(Tracker):
    def __init__(self, statement: KeptPods, view: View) -> None:
        self._statement, self._view = statement, view
        self._ready_only = statement.kept == "ready all along"
        self._aged, self._young = statement.predicate == "available", False
        here = {pod["metadata"]["uid"]: pod for pod in view.of("pods").values()}
        meant = {pod["metadata"]["uid"]: pod for pod in statement.there}
        if self._ready_only:
            selected = Selected(statement.selector, view)
            meant = {
                uid: pod
                for uid, pod in here.items()
                if selected.includes(pod) and is_active(pod) and is_ready(pod)
            }
        self._pods: dict[str, Object | None] = {uid: here.get(uid) for uid in meant}
        """Those meant, by uid, as they are now; None when they are gone."""
        self._last = {uid: here.get(uid, pod) for uid, pod in meant.items()}
        self._before = {uid: restarts(pod) for uid, pod in self._last.items()}
        self._broke: int | None = None
        self._anyone, self._made = Selected(statement.selector.anyone, view), 0

    @property
    def broke(self) -> int | None:
        return self._broke

    @property
    def ripens(self) -> bool:
        return self._young

    def _enough(self) -> bool:
        """Whether as many are left as there must be at least."""
        count = self._statement.count
        return len(self._pods) >= (1 if count is None else count.low)

    def changed(self, change: Change) -> bool:
        if change.resource != "pods":
            return self._aged
        pod = change.object
        uid = pod["metadata"]["uid"]
        if uid not in self._pods:
            made = change.type == ADDED and self._anyone.includes(pod)
            self._made += made
            return made or self._aged
        gone = change.type == DELETED
        if self._ready_only and (gone or not (is_active(pod) and is_ready(pod))):
            del self._pods[uid]
            if self._broke is None and not self._enough():
                self._broke, self._broke_at = self._view.position, self._view.told()
        else:
            self._pods[uid] = None if gone else pod
            self._last[uid] = pod
        return True

    def _others(self) -> list[Object]:
        statement = self._statement
        if (fate := FATES.get(statement.predicate)) is not None:
            if statement.predicate == "replaced" and self._made < len(self._pods):
                return [self._last[uid] for uid in self._pods]
            more = {uid: restarts(self._last[uid]) - self._before[uid] for uid in self._pods}
            return [self._last[uid] for uid, pod in self._pods.items() if not fate(pod, more[uid])]
        self._young = False
        return [self._last[uid] for uid, pod in self._pods.items() if pod is None or not self._is_so(pod)]

    def _is_so(self, pod: Object) -> bool:
        if not PODS[self._statement.predicate].test(pod, self._statement.argument):
            return False
        young = self._aged and available_from(self._view, pod) > self._view.at
        self._young |= young
        return not young

    def holds(self) -> bool:
        n = len(self._pods)
        count = self._statement.count
        return n > 0 and (count is None or count.holds(n, n)) and not self._others()

    def found(self) -> str:
        statement, n = self._statement, len(self._pods)
        if n == 0 or (statement.count is not None and not statement.count.holds(n, n)):
            kept = [self._last[uid] for uid in self._pods]
            how = "ready all along" if self._ready_only else "there at that moment"
            since = f", too few from {self._broke_at} on" if self._broke is not None else ""
            which = f" ({names(kept)})" if kept else ""
            were = "was" if n == 1 else "were"
            return f"{n or 'no'} {statement.selector.noun(n != 1)} {were} {how}{which}{since}"
        return f"{len(self._others())} not {statement.words} ({names(self._others())})"
