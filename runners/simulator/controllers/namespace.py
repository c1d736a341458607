"""The namespace controller: empties a namespace that is being deleted, pods first, and lets it go.

pkg/controller/namespace/namespace_controller.go, deletion/namespaced_resources_deleter.go,
deletion/status_condition_utils.go
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from gherkube.runners.errors import ApiError
from gherkube.runners.history import DELETED, Change
from gherkube.runners.objects import ENDED, Key, Object, condition, is_deleting
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.controllers.runtime import Informers, WorkQueue

GRACE = 5.0
"""Seconds from a change of a namespace to its turn: all API servers shall have seen it by then."""
FINALIZER_ESTIMATE = 15
"""How many seconds are allowed for objects that wait for their finalizers."""


class Remains(NamedTuple):
    """What is left in a namespace: how many of each resource, of each finalizer, and seconds to wait."""

    resources: Counter[str]
    finalizers: Counter[str]
    estimate: int


class NamespaceController:
    """Empties the namespaces that are being deleted."""

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance) -> None:
        self._api = api
        self._queue: WorkQueue[Key] = WorkQueue(api.clock, chance, self._sync)
        self._namespaces = informers.of("namespaces")
        self._namespaces.on_change(self._changed)

    def _changed(self, change: Change) -> None:
        if change.type != DELETED and is_deleting(change.object):
            self._queue.add_after(change.key, GRACE)

    def _sync(self, key: Key) -> None:
        namespace = self._api.store.get("namespaces", key)
        if namespace is None or not is_deleting(namespace):
            return
        remains = self._empty(key.name)
        self._write_conditions(namespace, remains)
        if remains.resources:
            self._queue.add_after(key, remains.estimate // 2 + 1, retry=True)
        else:
            self._api.remove_finalizer("namespaces", key, "kubernetes")

    def _empty(self, namespace: str) -> Remains:
        """Deletes what is there and says what is left. deleteAllContent"""
        remains = Remains(Counter(), Counter(), 0)
        for resource in self._content():
            wait = self._delete_all(resource, namespace)
            left = self._in(resource, namespace)
            for obj in left:
                remains.finalizers.update(obj["metadata"].get("finalizers", ()))
            if left:
                remains.resources[f"{resource}.{self._api.resources[resource].group}"] = len(left)
                remains = remains._replace(estimate=max(remains.estimate, wait or FINALIZER_ESTIMATE))
                if resource == "pods":
                    break
        return remains

    def _content(self) -> list[str]:
        """What is deleted, in order; the rest once no pods are left (OrderedNamespaceDeletion, 1.34)."""
        resources = self._api.resources
        return ["pods", *(each.name for each in resources if each.namespaced and each.name != "pods")]

    def _delete_all(self, resource: str, namespace: str) -> int:
        """Deletes all of a resource; seconds until the last should have gone. estimateGracefulTermination"""
        wait = 0
        for obj in self._in(resource, namespace):
            if resource == "pods" and obj["status"].get("phase") not in ENDED:
                wait = max(wait, obj["spec"].get("terminationGracePeriodSeconds", 0))
            try:
                self._api.delete(resource, obj["metadata"]["name"], namespace, propagation="Background")
            except ApiError as error:
                if error.code != 404:
                    raise
        return wait

    def _in(self, resource: str, namespace: str) -> list[Object]:
        return [obj for obj in self._api.store.all(resource) if obj["metadata"].get("namespace") == namespace]

    def _write_conditions(self, namespace: Object, remains: Remains) -> None:
        """Writes what is left into the namespace's conditions, if that is news. namespaceConditionUpdater"""
        now = self._api.clock.timestamp()
        conditions = []
        for type_, (status, reason, message) in _conditions(remains).items():
            old = condition(namespace, type_)
            new = {
                "type": type_,
                "status": status,
                "lastTransitionTime": now,
                "reason": reason,
                "message": message,
            }
            is_news = old is None or {**old, "lastTransitionTime": now} != new
            conditions.append(new if is_news else old)
        self._api.put_status(
            "namespaces", namespace, {**namespace["status"], "conditions": conditions}, check=False
        )


def _conditions(remains: Remains) -> dict[str, tuple[str, str, str]]:
    """By type: status, reason and message."""
    content = ("False", "ContentRemoved", "All content successfully removed")
    if remains.resources:
        counts = ", ".join(
            f"{name} has {count} resource instances" for name, count in sorted(remains.resources.items())
        )
        content = ("True", "SomeResourcesRemain", f"Some resources are remaining: {counts}")
    finalizers = ("False", "ContentHasNoFinalizers", "All content-preserving finalizers finished")
    if remains.finalizers:
        counts = ", ".join(
            f"{name} in {count} resource instances" for name, count in sorted(remains.finalizers.items())
        )
        message = f"Some content in the namespace has finalizers remaining: {counts}"
        finalizers = ("True", "SomeFinalizersRemain", message)
    deleted = "All content successfully deleted, may be waiting on finalization"
    return {
        "NamespaceDeletionDiscoveryFailure": (
            "False",
            "ResourcesDiscovered",
            "All resources successfully discovered",
        ),
        "NamespaceDeletionGroupVersionParsingFailure": (
            "False",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        "NamespaceDeletionContentFailure": ("False", "ContentDeleted", deleted),
        "NamespaceContentRemaining": content,
        "NamespaceFinalizersRemaining": finalizers,
    }
