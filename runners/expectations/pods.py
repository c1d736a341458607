"""What is said of pods at a moment: the table of predicates, and the count that is kept of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import floor
from typing import Any, NamedTuple

from gherkube.runners.expectations.count import Count
from gherkube.runners.expectations.partial import check_fields, difference, differences, leaves
from gherkube.runners.expectations.pod_status import pod_status
from gherkube.runners.expectations.revisions import wanted_pods
from gherkube.runners.expectations.statement import Statement, Tracker
from gherkube.runners.expectations.subjects import POD_RESOURCES, PodSelector, Selected, is_alike, tag_of
from gherkube.runners.expectations.view import Place, View
from gherkube.runners.history import DELETED, MODIFIED, Change
from gherkube.runners.objects import Object, is_active, is_deleting, is_ready, key_of


class PodPredicate(NamedTuple):
    """Something that is true of a pod or not; `{}` stands for its argument.

    `short` follows a noun: "3 pods ready". `everyone`: whether terminating pods are among those of
    whom it is asked, so that they count in "all" and "3 of 4". `steady`: whether, with that argument,
    attempts of waiting containers that fail again leave it as it is.
    """

    present: str
    past: str
    short: str
    test: Callable[[Object, Any], bool]
    everyone: bool = False
    steady: Callable[[Any], bool] = lambda _: True


def restarts(pod: Object) -> int:
    """How often the pod's containers were restarted, all in all."""
    return sum(one.get("restartCount", 0) for one in (pod.get("status") or {}).get("containerStatuses") or ())


def is_running(pod: Object) -> bool:
    """Whether the pod is active and all its containers are ready."""
    status = pod.get("status") or {}
    containers = status.get("containerStatuses") or ()
    return (
        status.get("phase") == "Running"
        and not is_deleting(pod)
        and bool(containers)
        and all(one.get("ready") for one in containers)
    )


def _restarted(pod: Object, times: Count | None) -> bool:
    count = restarts(pod)
    return not is_deleting(pod) and (count > 0 if times is None else times.holds(count, count))


def _never(_argument: Any) -> bool:
    return False


ALTERNATING = frozenset({"ErrImagePull", "ImagePullBackOff"})
"""The statuses between which every attempt to pull an image that is not there switches."""
PODS: dict[str, PodPredicate] = {
    "active": PodPredicate("are active", "were active", "active", lambda pod, _: is_active(pod)),
    "running": PodPredicate("are running", "were running", "running", lambda pod, _: is_running(pod)),
    "ready": PodPredicate(
        "are ready", "were ready", "ready", lambda pod, _: is_active(pod) and is_ready(pod)
    ),
    "available": PodPredicate(
        "are available", "were available", "available", lambda pod, _: is_active(pod) and is_ready(pod)
    ),
    "pending": PodPredicate(
        "are pending",
        "were pending",
        "pending",
        lambda pod, _: (
            not is_deleting(pod) and (pod.get("status") or {}).get("phase", "Pending") == "Pending"
        ),
    ),
    "terminating": PodPredicate(
        "are terminating", "were terminating", "terminating", lambda pod, _: is_deleting(pod), everyone=True
    ),
    "exist": PodPredicate("exist", "existed", "existing", lambda _pod, _: True, everyone=True),
    "show": PodPredicate(
        "show {}",
        "showed {}",
        "showing {}",
        lambda pod, status: pod_status(pod) == status,
        everyone=True,
        steady=lambda status: status.removeprefix("Init:") not in ALTERNATING,
    ),
    "restarted": PodPredicate(
        "have restarted{}", "had restarted{}", "that have restarted{}", _restarted, steady=_never
    ),
    "on_node": PodPredicate(
        'run on node "{}"',
        'ran on node "{}"',
        'running on node "{}"',
        lambda pod, node: is_active(pod) and pod["spec"].get("nodeName") == node,
    ),
    "match": PodPredicate(
        "match",
        "matched",
        "that match",
        lambda pod, partial: not is_deleting(pod) and not difference(partial, pod),
        steady=_never,
    ),
}
"""The predicates by name. `available` asks for minReadySeconds besides; see the tracker."""


@dataclass(frozen=True)
class PodsStatement(Statement):
    """So many of the pods are so: `PodsStatement(selector, exactly(4), "ready")`.

    "3 of 4" is out of the pods that there are without the terminating ones, or, where fewer than all of
    a workload's pods are, out of the replicas that it is to have: READY 3/4, also while it has more pods.
    `predicate` is a key of `PODS`; `argument` is what its `{}` stands for: a status, how many restarts
    (None: any), a node's name, or the partial object.
    """

    selector: PodSelector
    count: Count
    predicate: str
    argument: Any = None

    @property
    def resources(self) -> frozenset[str]:
        return POD_RESOURCES

    def __post_init__(self) -> None:
        if self.predicate == "match":
            check_fields("pods", self.argument)

    @property
    def rule(self) -> PodPredicate:
        return PODS[self.predicate]

    @property
    def steady(self) -> bool:
        return self.rule.steady(self.argument)

    @property
    def words(self) -> str:
        """The predicate after a noun: "ready", "showing ImagePullBackOff"."""
        return with_argument(self.rule.short, self.argument)

    @property
    def text(self) -> str:
        noun, words = self.selector.noun(self.count.plural), self.words
        if self.selector.name:
            return f"{self.selector.noun(False)} {words}{self._partial}"
        if not self.count.plural:
            words = words.replace("that have", "that has").replace("that match", "that matches")
        return f"{self.count.text} {noun} {words}{self._partial}"

    @property
    def _partial(self) -> str:
        return f" {leaves(self.argument)}" if self.predicate == "match" else ""

    @property
    def subject(self) -> PodSelector:
        return self.selector

    @property
    def admits_nothing(self) -> bool:
        return self.count.admits_none

    def missing(self, view: View) -> str:
        if self.predicate == "on_node":
            on_node = PodSelector(None, self.selector.namespace, node=self.argument)
            if words := on_node.missing(view):
                return words
        return self.selector.missing(view)

    def track(self, view: View) -> PodsTracker:
        return PodsTracker(self, view)


def with_argument(words: str, argument: Any) -> str:
    """The words of a predicate with its argument."""
    if words.endswith("restarted{}"):
        times = "" if argument is None else f" {argument.text.removeprefix('exactly ')} times"
        return words.format(times)
    return words.format(argument)


class PodsTracker(Tracker):
    """How many of the pods are so, kept up by looking at changed pods only."""

    def __init__(self, statement: PodsStatement, view: View) -> None:
        self.statement, self._view = statement, view
        self._selected = Selected(statement.selector, view)
        self._test, self._everyone = statement.rule.test, statement.rule.everyone
        self._argument = statement.argument
        self._aged = statement.predicate == "available"
        selector = statement.selector
        everyone = PodSelector(selector.workload, selector.namespace)
        self._workload = selector.workload if selector == everyone else None
        """The workload of which all pods are meant."""
        self._start()

    def _start(self) -> None:
        self.n = self.total = 0
        self._verdicts: dict[Place, tuple[bool, bool]] = {}
        self._due: dict[Place, float] = {}
        for key, pod in self._view.of("pods").items():
            if self._selected.includes(pod):
                self._count(key, pod)

    @property
    def ripens(self) -> bool:
        return bool(self._due)

    def changed(self, change: Change) -> bool:
        if change.resource != "pods":
            if self._selected.upset(change) or (
                self._aged and _min_ready(change.old) != _min_ready(change.object)
            ):
                self._start()
                return True
            return bool(self._due) or self.statement.count.of is not None
        _, kind, _, pod, old, key = change
        known, n, total = self._verdicts.pop(key, None), self.n, self.total
        if known is not None:
            self.total -= known[0]
            self.n -= known[1]
            self._due.pop(key, None)
        if kind == MODIFIED and old is not None and is_alike(old, pod):
            if known is not None:
                self._count(key, pod)
        elif kind != DELETED and self._selected.includes(pod):
            self._count(key, pod)
        return bool(self._due) or self.n != n or self.total != total

    def _count(self, key: Place, pod: Object) -> None:
        counted = self._everyone or not is_deleting(pod)
        true = self._test(pod, self._argument)
        if true and self._aged:
            true = self._is_old_enough(key, pod)
        self._verdicts[key] = counted, true
        self.total += counted
        self.n += true

    def _is_old_enough(self, key: Place, pod: Object) -> bool:
        due = available_from(self._view, pod)
        if due <= self._view.at:
            return True
        self._due[key] = due
        return False

    def holds(self) -> bool:
        return not self.distance()

    def _ripen(self) -> None:
        for key in [key for key, due in self._due.items() if due <= self._view.at]:
            del self._due[key]
            self._verdicts[key] = self._verdicts[key][0], True
            self.n += 1

    def distance(self) -> float:
        if self._due:
            self._ripen()
        count = self.statement.count
        away = count.distance(self.n, self.total)
        if away and count.of is not None and self.n < count.of and (wanted := self._replicas()) is not None:
            away = min(away, count.distance(self.n, wanted))
        return away

    def _replicas(self) -> int | None:
        """How many pods the workload is to have, where all of its pods are meant."""
        obj = self._workload.find(self._view) if self._workload is not None else None
        return wanted_pods(obj) if obj is not None else None

    def nearest(self) -> str:
        return f"{self.n or 'none'} {self.statement.words}" if self._verdicts else ""

    def found(self) -> str:
        statement, view = self.statement, self._view
        if not self._verdicts:
            return f"there are no {statement.selector.noun()}"
        pods = view.of("pods")
        true = [pods[key] for key, (_, true) in self._verdicts.items() if true]
        others = [pods[key] for key, (counted, true) in self._verdicts.items() if counted and not true]
        words = f"{len(true) or 'none'} {statement.words}"
        if true:
            words += f" ({names(true)})"
        if statement.predicate == "match" and others:
            first = "; ".join(differences(statement.argument, others[0]))
            return f"{words}; pod {others[0]['metadata']['name']}: {first}"
        return "; ".join([words, *groups(others)])


def available_from(view: View, pod: Object) -> float:
    """When a pod that is ready becomes available, or became so; 0 where being ready is enough.

    pkg/api/v1/pod/util.go IsPodAvailable; the API's times are whole seconds, cut.
    """
    seconds = _min_ready(view.owner(pod))
    return floor(view.ready_since.get(key_of(pod), 0.0)) + seconds if seconds else 0.0


def _min_ready(owner: Object | None) -> int:
    return int(owner["spec"].get("minReadySeconds") or 0) if owner is not None and "spec" in owner else 0


def names(pods: Iterable[Object], most: int = 6) -> str:
    """Pods by name; see `short`."""
    return short((pod["metadata"]["name"] for pod in pods), most)


def short(full: Iterable[str], most: int = 6) -> str:
    """Names, each after the first by its last part where it shares the rest: `web-6c9f-a, -b`."""
    words: list[str] = []
    before = ""
    listed = sorted(full)
    for name in listed[:most]:
        stem, dash, tail = name.rpartition("-")
        words.append(f"-{tail}" if dash and stem == before else name)
        before = stem
    if len(listed) > most:
        words.append(f"and {len(listed) - most} more")
    return ", ".join(words)


def groups(pods: Iterable[Object]) -> list[str]:
    """Pods told by version and status: `2 pods of v10 show ImagePullBackOff`."""
    counts: dict[tuple[str, str], int] = {}
    for pod in pods:
        status = pod_status(pod)
        if status == "Running" and not is_ready(pod):
            status = "Running, not ready"
        version = _version(pod["spec"]["containers"][0].get("image", ""))
        counts[version, status] = counts.get((version, status), 0) + 1
    return [
        f"{n} pod{'' if n == 1 else 's'} of {version} show{'s' if n == 1 else ''} {status}"
        for (version, status), n in counts.items()
    ]


def _version(image: str) -> str:
    """An image as the language names it: by its tag where that looks like a version, else in quotes."""
    tag = tag_of(image)
    return tag if tag[:1] == "v" or "." in tag else f'"{image}"'
