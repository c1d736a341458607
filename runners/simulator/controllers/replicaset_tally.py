"""The pods of one ReplicaSet, counted as they come, change and go.

Upstream lists and counts all pods at every turn; what is kept here is the same numbers, so that a
turn costs the same however many pods there are.
pkg/controller/replicaset/replica_set_utils.go calculateStatus
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Any

from gherkube.runners.objects import ENDED, Key, Object, condition, key_of
from gherkube.runners.selectors import from_label_selector
from gherkube.runners.simulator.clock import seconds_of
from gherkube.runners.simulator.controllers.ownership import controller_uid
from gherkube.runners.simulator.controllers.replicaset_victims import Crowds, Ranking


class Tally:
    """The numbers of one ReplicaSet, of the pods that it controls and its selector matches.

    `pods`: the active ones, by uid. `strays`: active pods that it controls though its selector does not
    match them. `candidates`: pods that nobody controls and that its selector matched when they were seen;
    who sees them keeps this one. `crowds`: how many active pods are on each node, counted together
    with the other ReplicaSets of the same owner where these share it. `ranking`: which pods go first.
    """

    def __init__(self, replica_set: Object, pods: Iterable[Object], crowds: Crowds | None = None) -> None:
        spec = replica_set["spec"]
        self.key = key_of(replica_set)
        self.matches = from_label_selector(_selector(replica_set))
        self.counts_by = counts_by(replica_set)
        self.pods: dict[str, Object] = {}
        self.ranking = Ranking()
        self.strays: dict[str, Object] = {}
        self.candidates: dict[Key, None] = {}
        self.crowds = Crowds() if crowds is None else crowds
        self.fully_labeled = 0
        self._ready: set[str] = set()
        self._template_labels = spec["template"]["metadata"].get("labels", NO_LABELS).items()
        self._min_ready: int = spec.get("minReadySeconds", 0)
        self._unavailable: dict[str, float] = {}
        self._due: list[tuple[float, str]] = []
        self._labels: Object = {}
        self._labels_match, self._labels_full = self.matches(NO_LABELS), not self._template_labels
        for pod in pods:
            self.count(pod, 1)

    def count(self, pod: Object, by: int) -> None:
        """Counts a version of a pod in (`by` 1) or out again (-1)."""
        metadata, status = pod["metadata"], pod["status"]
        if "deletionTimestamp" in metadata or status.get("phase") in ENDED:
            return
        uid = metadata["uid"]
        if not self._is_matched(metadata.get("labels", NO_LABELS)):
            _enter(self.strays, uid, pod, by)
            return
        _enter(self.pods, uid, pod, by)
        self.ranking.changed[uid] = pod if by > 0 else None
        node = pod["spec"].get("nodeName", "")
        self.crowds.add(node, by)
        self.fully_labeled += by * self._labels_full
        self._mark_ready(uid, pod if by > 0 else None)

    def follow(self, old: Object, new: Object) -> None:
        """Counts a version of a pod that is not being deleted in the old one's stead."""
        metadata, status = new["metadata"], new["status"]
        uid = metadata["uid"]
        if (
            status.get("phase") in ENDED
            or metadata.get("labels") is not old["metadata"].get("labels")
            or self.pods.pop(uid, None) is None
        ):
            self.count(old, -1)
            self.count(new, 1)
            return
        self.pods[uid] = self.ranking.changed[uid] = new
        if old["spec"] is not new["spec"]:
            self.crowds.add(old["spec"].get("nodeName", ""), -1)
            self.crowds.add(new["spec"].get("nodeName", ""), 1)
        if old["status"].get("conditions") is not status.get("conditions"):
            self._mark_ready(uid, new)

    def _mark_ready(self, uid: str, pod: Object | None) -> None:
        """Notes whether a counted pod is ready; None when it no longer counts."""
        ready = condition(pod, "Ready") if pod is not None else None
        if ready is None or ready["status"] != "True":
            self._ready.discard(uid)
            self._unavailable.pop(uid, None)
            return
        self._ready.add(uid)
        if self._min_ready:
            at = self._unavailable[uid] = seconds_of(ready["lastTransitionTime"]) + self._min_ready
            heappush(self._due, (at, uid))

    def leave(self) -> None:
        """Takes its pods out of what it shares."""
        for pod in self.pods.values():
            self.crowds.add(pod["spec"].get("nodeName", ""), -1)

    @property
    def ready(self) -> int:
        """How many pods are ready."""
        return len(self._ready)

    def available(self, now: float) -> int:
        """How many pods have been ready for minReadySeconds. podutil IsPodAvailable"""
        due, unavailable = self._due, self._unavailable
        while due and due[0][0] <= now:
            at, uid = heappop(due)
            if unavailable.get(uid) == at:
                del unavailable[uid]
        return len(self._ready) - len(unavailable)

    def next_available(self) -> float | None:
        """When the next ready pod becomes available; None when all are."""
        due, unavailable = self._due, self._unavailable
        while due and unavailable.get(due[0][1]) != due[0][0]:
            heappop(due)
        return due[0][0] if due else None

    def _is_matched(self, labels: Object) -> bool:
        if labels is not self._labels:
            self._labels = labels
            self._labels_match = self.matches(labels)
            self._labels_full = self._template_labels <= labels.items()
        return self._labels_match


def counts_by(replica_set: Object) -> tuple[Any, Any, str | None]:
    """What of a ReplicaSet the numbers depend on and that can change."""
    spec = replica_set["spec"]
    labels = spec["template"]["metadata"].get("labels")
    return labels, spec.get("minReadySeconds", 0), controller_uid(replica_set)


NO_LABELS: Object = {}


def _selector(replica_set: Object) -> Object:
    """A ReplicationController's is a plain map of labels."""
    selector: Object = replica_set["spec"]["selector"]
    return {"matchLabels": selector} if replica_set.get("kind") == "ReplicationController" else selector


def _enter(pods: dict[str, Object], uid: str, pod: Object, by: int) -> None:
    if by > 0:
        pods[uid] = pod
    else:
        pods.pop(uid, None)
