"""Numbers of a stretch of history: how few pods of each workload were ready, and what became of requests."""

from __future__ import annotations

from collections.abc import Sequence

from gherkube.runners.gameday.plan import Scope
from gherkube.runners.history import DELETED, Change, History
from gherkube.runners.objects import Key, Object, controller_of, is_active, is_ready, key_of
from gherkube.runners.traffic import Request, longest_gap

KINDS = {
    "deployments": "deployment",
    "statefulsets": "statefulset",
    "daemonsets": "daemonset",
    "replicasets": "replicaset",
}
"""The workloads whose pods are counted, as a plan calls them."""


class _Ready:
    """Which pods are ready, by the workload in scope that they are of."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._owner: dict[str, Object | None] = {}
        """By uid: the owner of a ReplicaSet."""
        self._workload: dict[str, str] = {}
        """By uid: what a workload in scope is called."""
        self.ready: dict[str, set[Key]] = {}

    def take(self, change: Change) -> str:
        """Takes note of a change; returns the workload whose count it may have changed."""
        obj, metadata = change.object, change.object["metadata"]
        if change.resource in KINDS:
            uid = metadata["uid"]
            self._owner[uid] = controller_of(obj)
            name = f"{KINDS[change.resource]}/{metadata['name']}"
            in_scope = metadata["namespace"] in self._scope.namespaces
            if self._owner[uid] is None and in_scope and name in (self._scope.workloads or (name,)):
                self._workload[uid] = name
                self.ready.setdefault(name, set())
            return ""
        if change.resource != "pods" or (workload := self._of(obj)) is None:
            return ""
        ready = self.ready[workload]
        if change.type != DELETED and is_active(obj) and is_ready(obj):
            ready.add(key_of(obj))
        else:
            ready.discard(key_of(obj))
        return workload

    def _of(self, pod: Object) -> str | None:
        owner = controller_of(pod)
        while owner is not None and owner["uid"] not in self._workload:
            owner = self._owner.get(owner["uid"])
        return self._workload[owner["uid"]] if owner is not None else None


def fewest_ready(history: History, scope: Scope, since: int) -> dict[str, int]:
    """The fewest ready pods of each workload in scope, from that length of the history on."""
    counts = _Ready(scope)
    changes = list(history.since(0))
    for change in changes[:since]:
        counts.take(change)
    fewest = {workload: len(ready) for workload, ready in counts.ready.items()}
    for change in changes[since:]:
        if workload := counts.take(change):
            now = len(counts.ready[workload])
            fewest[workload] = min(fewest.get(workload, now), now)
    return dict(sorted(fewest.items()))


def lost_requests(requests: Sequence[Request], begin: float, end: float) -> tuple[int, float]:
    """How many requests of that time were lost, and the longest time without an answer, in seconds."""
    sent = [each for each in requests if begin <= each.at <= end]
    services = dict.fromkeys(each.service for each in sent)
    gaps = [longest_gap([each for each in sent if each.service == service])[0] for service in services]
    return sum(not each.answered for each in sent), round(max(gaps, default=0.0), 3)
