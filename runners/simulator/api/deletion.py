"""How objects go: preconditions, grace periods, finalizers.

What the garbage collector does with the dependents of what has gone is its own affair.
staging/src/k8s.io/apiserver/pkg/registry/rest/delete.go BeforeDelete,
pkg/registry/generic/registry/store.go Delete, pkg/registry/core/pod/strategy.go CheckGracefulDelete
"""

from __future__ import annotations

from gherkube.runners.cluster import Propagation
from gherkube.runners.history import MODIFIED
from gherkube.runners.objects import ENDED, Key, Object
from gherkube.runners.simulator.api.refusals import details, forbidden, not_as_asked, not_found
from gherkube.runners.simulator.api.resources import RESOURCES, Resource, Resources
from gherkube.runners.simulator.clock import timestamp
from gherkube.runners.simulator.store import Store

REMOVAL = 0.010
"""Seconds from the write with grace period 0 to the removal, when the kubelet deletes a pod; facts §8.1."""
FINALIZERS = {"Orphan": "orphan", "Foreground": "foregroundDeletion"}
ORPHANING = frozenset({"jobs", "replicationcontrollers"})
"""Whose dependents stay where no policy is asked for. strategy.go DefaultGarbageCollectionPolicy"""
UNDELETABLE = frozenset({"default", "kube-system", "kube-public"})
"""plugin/pkg/admission/namespace/lifecycle; kube-node-lease may go"""
DEFAULT_GRACE = 30


class Deletions:
    """The verbs that take objects away."""

    def __init__(self, store: Store, resources: Resources) -> None:
        self.store, self.resources = store, resources
        self.clock = store.clock

    def delete(
        self,
        resource: str,
        name: str,
        namespace: str = "",
        *,
        propagation: Propagation | None = None,
        grace_period: int | None = None,
        uid: str = "",
    ) -> Object:
        """Deletes an object, or begins to: see `runners.cluster.Api.delete`."""
        info = self.resources.named(resource)
        key = info.key(name, namespace)
        stored = self.store.get(resource, key)
        if stored is None:
            raise not_found(info, name)
        found = stored["metadata"]["uid"]
        if uid and uid != found:
            why = (
                f"the UID in the precondition ({uid}) does not match the UID in record ({found}). "
                "The object might have been deleted and then recreated"
            )
            raise not_as_asked(info, name, why)
        if resource == "pods":
            return self._delete_pod(key, stored, propagation, grace_period)
        if resource == "namespaces":
            return self._delete_namespace(stored)
        finalizers = _finalizers(stored["metadata"], propagation, orphans=resource in ORPHANING)
        if finalizers:
            return self._mark(resource, key, stored, finalizers, 0)
        last = self.store.remove(resource, key)
        return last if resource == "services" else _success(info, last)

    def remove_finalizer(self, resource: str, key: Key, finalizer: str) -> Object:
        """Takes a finalizer off; an object that is being deleted goes with its last one.

        A namespace's "kubernetes" stands in its spec. NotFound when the object is gone.
        """
        stored = self.store.get(resource, key)
        if stored is None:
            raise not_found(self.resources[resource], key.name)
        new = {**stored, "metadata": _without(stored["metadata"], finalizer)}
        if resource == "namespaces":
            new["spec"] = _without(stored["spec"], finalizer)
        if new == stored:
            return stored
        if self._is_let_go(stored["metadata"], new):
            return self.store.remove(resource, key)
        return self.store.put(resource, new)

    @staticmethod
    def _is_let_go(before: Object, new: Object) -> bool:
        """Whether the new version of an object that is being deleted has nothing left to wait for.

        store.go ShouldDeleteDuringUpdate
        """
        return (
            "deletionTimestamp" in before
            and not new["metadata"].get("finalizers")
            and not before.get("deletionGracePeriodSeconds")
            and not (new["kind"] == "Namespace" and new["spec"].get("finalizers"))
            and (bool(before.get("finalizers")) or new["kind"] == "Namespace")
        )

    def _delete_pod(
        self, key: Key, pod: Object, propagation: Propagation | None, grace: int | None
    ) -> Object:
        metadata = pod["metadata"]
        current = metadata.get("deletionGracePeriodSeconds")
        if current is not None:
            if grace is None or grace >= current:
                return pod
            finalizers = metadata.get("finalizers", [])
        else:
            grace = self._grace(pod, grace)
            finalizers = _finalizers(metadata, propagation)
        marked = self._mark("pods", key, pod, finalizers, grace)
        if grace > 0 or finalizers:
            return marked
        if current is None:
            return self.store.remove("pods", key)
        self.clock.after(REMOVAL, self._remove, key, metadata["uid"])
        return marked

    @staticmethod
    def _grace(pod: Object, asked: int | None) -> int:
        if not pod["spec"].get("nodeName") or pod["status"].get("phase") in ENDED:
            return 0
        grace: int = (
            pod["spec"].get("terminationGracePeriodSeconds", DEFAULT_GRACE) if asked is None else asked
        )
        return grace if grace >= 0 else 1

    def _mark(self, resource: str, key: Key, stored: Object, finalizers: list[str], grace: int) -> Object:
        """Writes that the object is being deleted; the generation rises when it was not before."""
        before = stored["metadata"]
        metadata = {
            **before,
            "deletionTimestamp": timestamp(self.clock.now + grace),
            "deletionGracePeriodSeconds": grace,
        }
        if finalizers:
            metadata["finalizers"] = finalizers
        else:
            metadata.pop("finalizers", None)
        if "deletionTimestamp" in before:
            if resource != "pods":
                metadata["deletionTimestamp"] = before["deletionTimestamp"]
                if metadata == before:
                    return stored
        elif "generation" in before:
            metadata["generation"] = before["generation"] + 1
        marked = {**stored, "metadata": metadata}
        self.store.write(MODIFIED, resource, marked, stored, key)
        return marked

    def _delete_namespace(self, namespace: Object) -> Object:
        """pkg/registry/core/namespace/storage/storage.go Delete"""
        metadata = namespace["metadata"]
        if metadata["name"] in UNDELETABLE:
            raise forbidden(RESOURCES["namespaces"], metadata["name"], "this namespace may not be deleted")
        if "deletionTimestamp" in metadata:
            return namespace
        marked = {
            **namespace,
            "metadata": {**metadata, "deletionTimestamp": self.clock.timestamp()},
            "status": {**namespace["status"], "phase": "Terminating"},
        }
        return self.store.put("namespaces", marked)

    def _remove(self, key: Key, uid: str) -> None:
        pod = self.store.get("pods", key)
        if pod is not None and pod["metadata"]["uid"] == uid:
            self.store.remove("pods", key)


def _finalizers(metadata: Object, propagation: Propagation | None, *, orphans: bool = False) -> list[str]:
    """The finalizers with what the policy asks for; `orphans`: what none asks for.

    store.go deletionFinalizersForGarbageCollection
    """
    present: list[str] = metadata.get("finalizers", [])
    kept = [each for each in present if each not in FINALIZERS.values()]
    if propagation is None:
        return [*present, FINALIZERS["Orphan"]] if orphans and kept == present else present
    return [*kept, FINALIZERS[propagation]] if propagation in FINALIZERS else kept


def _without(part: Object, finalizer: str) -> Object:
    """Metadata (or a namespace's spec) without a finalizer."""
    kept = [each for each in part.get("finalizers", ()) if each != finalizer]
    rest = {key: value for key, value in part.items() if key != "finalizers"}
    return {**rest, "finalizers": kept} if kept else rest


def _success(info: Resource, last: Object) -> Object:
    metadata = last["metadata"]
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {**details(info, metadata["name"]), "uid": metadata["uid"]},
    }
