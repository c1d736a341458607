"""What happened, told in short words with the times at which it did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from gherkube.runners.expectations.pod_status import pod_status
from gherkube.runners.expectations.pods import restarts
from gherkube.runners.expectations.statement import Subject
from gherkube.runners.expectations.subjects import (
    PodSelector,
    WorkloadRef,
    images_of,
    replica_sets,
    revision_of,
    same_template,
)
from gherkube.runners.expectations.time import Moment
from gherkube.runners.expectations.view import View
from gherkube.runners.history import ADDED, DELETED, Change, History
from gherkube.runners.objects import Object, condition, is_deleting, is_ready

FIRST, LAST = 4, 12
"""How many changes are told from the beginning, and how many up to the end."""
ACTING = 0.5
"""Seconds that a When may take: what it changed is as much before the time at which it ended."""
ON_THE_WAY = frozenset(
    {"Pending", "ContainerCreating", "PodInitializing", "Running", "Terminating", "Completed"}
)


def story(
    history: History,
    view: View,
    subject: Subject | None,
    start: Moment,
    *,
    until: int | None = None,
    since: float = 0.0,
) -> list[str]:
    """The changes from a moment on (up to a position) that concern the subject: `t+0.1 s  web-7d44 0→1`.

    Times are counted from that moment. `view` is the present, which knows the revisions. What was before
    the time `since` is left out where enough was after it, and of many changes the middle, which is said.
    """
    teller = _Teller(view, subject)
    told: list[tuple[float, str]] = []
    for position, change in enumerate(history.since(start.position), start.position):
        if until is not None and position >= until:
            break
        told += [(change.at, words) for words in teller.tell(change)]
    newest = [one for one in told if one[0] >= since - ACTING]
    lines = [f"t+{at - start.at:.1f} s  {words}" for at, words in (newest if len(newest) >= FIRST else told)]
    if len(lines) > FIRST + LAST:
        lines[FIRST:-LAST] = [f"… {len(lines) - FIRST - LAST} more"]
    return lines


class _Teller:
    def __init__(self, view: View, subject: Subject | None) -> None:
        self._view = view
        workload = subject.workload if isinstance(subject, PodSelector) else subject
        if isinstance(workload, WorkloadRef) and workload.resource in ("services", "nodes"):
            workload = None
        self._workload = workload
        self._namespace = subject.namespace if subject is not None else ""
        self._told: set[tuple[str, str]] = set()

    def tell(self, change: Change) -> Iterator[str]:
        words = WORDS.get(change.resource)
        if words is not None and self._concerns(change):
            yield from words(self, change)

    def _concerns(self, change: Change) -> bool:
        if change.resource in ("nodes", "services"):
            return True
        obj, workload = change.object, self._workload
        if workload is None:
            return not self._namespace or obj["metadata"].get("namespace", "") == self._namespace
        if change.resource == workload.resource and obj["metadata"]["name"] == workload.name:
            return bool(obj["metadata"].get("namespace", "") == workload.namespace)
        return workload.owns(self._view, obj)

    def once(self, who: str, what: str) -> bool:
        """Whether this is told for the first time."""
        new = (who, what) not in self._told
        self._told.add((who, what))
        return new

    def revision(self, deployment: Object) -> str:
        metadata = deployment["metadata"]
        ref = WorkloadRef("deployments", metadata.get("namespace", ""), metadata["name"])
        for one in reversed(replica_sets(self._view, ref)):
            if same_template(one["spec"]["template"], deployment["spec"]["template"]):
                return f" (revision {revision_of(one)})"
        return ""


Words: TypeAlias = Callable[[_Teller, Change], Iterator[str]]


def _deployment(teller: _Teller, change: Change) -> Iterator[str]:
    new, old, name = change.object, change.old, change.object["metadata"]["name"]
    if change.type == DELETED or old is None:
        yield f"deployment {name} {'deleted' if change.type == DELETED else 'created'}"
        return
    if new["spec"] is not old["spec"] and new["spec"] != old["spec"]:
        yield from _spec(teller, name, old, new)
    for type_, status, reason in (
        ("Progressing", "False", "exceeds its progress deadline"),
        ("Available", "False", "is not available"),
        ("Available", "True", "is available"),
    ):
        found, before = condition(new, type_), condition(old, type_)
        if found is not None and found["status"] == status and (before is None or before["status"] != status):
            yield f"{name} {reason}"


def _spec(teller: _Teller, name: str, old: Object, new: Object) -> Iterator[str]:
    before, after = old["spec"], new["spec"]
    images = images_of(after["template"]["spec"])
    if images != images_of(before["template"]["spec"]):
        yield f"image set to {', '.join(images)}{teller.revision(new)}"
    elif not same_template(before["template"], after["template"]):
        yield f"template of {name} changed{teller.revision(new)}"
    if before.get("replicas") != after.get("replicas"):
        yield f"{name} scaled {before.get('replicas')}→{after.get('replicas')}"
    if bool(before.get("paused")) != bool(after.get("paused")):
        yield f"{name} {'paused' if after.get('paused') else 'resumed'}"


def _replica_set(_teller: _Teller, change: Change) -> Iterator[str]:
    name = change.object["metadata"]["name"]
    if change.type == DELETED:
        yield f"replica set {name} deleted"
        return
    before = change.old["spec"].get("replicas", 0) if change.old is not None else 0
    after = change.object["spec"].get("replicas", 0)
    if before != after:
        yield f"{name} {before}→{after}"


def _pod(teller: _Teller, change: Change) -> Iterator[str]:
    pod, old, name = change.object, change.old, change.object["metadata"]["name"]
    if change.type == DELETED:
        yield f"{name} gone"
        return
    if change.type == ADDED or old is None:
        yield f"{name} created"
        return
    if is_deleting(pod):
        if not is_deleting(old):
            yield f"{name} deleted"
        return
    if restarts(pod) > restarts(old):
        yield f"{name} restarted (×{restarts(pod)})"
    status = pod_status(pod)
    if status != pod_status(old) and status not in ON_THE_WAY and teller.once(name, status):
        yield f"{name} {status}"
    elif is_ready(pod) != is_ready(old):
        yield f"{name} {'ready' if is_ready(pod) else 'not ready'}"


def _node(_teller: _Teller, change: Change) -> Iterator[str]:
    if change.old is None:
        return
    new, old = condition(change.object, "Ready"), condition(change.old, "Ready")
    if new is not None and old is not None and new["status"] != old["status"]:
        ready = "is ready" if new["status"] == "True" else f"is down (Ready {new['status']})"
        yield f"node {change.object['metadata']['name']} {ready}"


def _service(_teller: _Teller, change: Change) -> Iterator[str]:
    if change.old is None:
        return
    selector = change.object["spec"].get("selector") or {}
    if selector != (change.old["spec"].get("selector") or {}):
        shown = ",".join(f"{key}={value}" for key, value in selector.items())
        yield f"service {change.object['metadata']['name']} switched to {shown}"


WORDS: dict[str, Words] = {
    "deployments": _deployment,
    "replicasets": _replica_set,
    "pods": _pod,
    "nodes": _node,
    "services": _service,
}
