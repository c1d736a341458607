"""The garbage collector: deletes what has lost its owners, and sees to it that owners wait or let go.

Background: the owner goes first, its dependents after it. Foreground: the owner stays until those
dependents that block it have gone. Orphan: the dependents lose the reference, then the owner goes.
pkg/controller/garbagecollector/garbagecollector.go, graph_builder.go
"""

from __future__ import annotations

from typing import NamedTuple

from gherkube.runners.errors import ApiError
from gherkube.runners.history import ADDED, DELETED, MODIFIED, Change
from gherkube.runners.objects import Key, Object, is_deleting, key_of
from gherkube.runners.simulator.api.resources import Resource
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.controllers.ownership import release
from gherkube.runners.simulator.controllers.runtime import Informers, WorkQueue

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
IGNORED = frozenset({"events"})
"""Resources that own nothing and are owned by nobody. DefaultIgnoredResources"""


class Node(NamedTuple):
    """An object in the graph of owners."""

    resource: str
    key: Key


class GarbageController:
    """Follows the owner references of all objects."""

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance) -> None:
        self._api, self._store = api, api.store
        self._queue: WorkQueue[Node] = WorkQueue(api.clock, chance, self._sync)
        self._dependents: dict[str, dict[Node, None]] = {}
        self._informers = informers
        self._handlers = {ADDED: self._added, MODIFIED: self._modified, DELETED: self._gone}
        for resource in api.resources:
            self._follow(resource)
        api.resources.on_add(self._follow)

    def _follow(self, resource: Resource) -> None:
        if resource.name in IGNORED:
            return
        informer = self._informers.of(resource.name)
        informer.on_changes(self._handlers)
        for obj in informer.objects.values():
            self._link(Node(resource.name, key_of(obj)), obj)

    # What the caches show. graph_builder.go processGraphChanges

    def _added(self, change: Change) -> None:
        self._link(_node(change), change.object)
        self._look_at_finalizers(change)

    def _modified(self, change: Change) -> None:
        new, old = change.object["metadata"], change.old
        assert old is not None
        if new.get("ownerReferences") is not old["metadata"].get("ownerReferences"):
            node = _node(change)
            self._unlink(node, old)
            self._link(node, change.object)
        if "finalizers" in new:
            self._look_at_finalizers(change)

    def _look_at_finalizers(self, change: Change) -> None:
        metadata = change.object["metadata"]
        if "deletionTimestamp" in metadata and metadata.get("finalizers"):
            self._queue.add(_node(change))

    def _gone(self, change: Change) -> None:
        self._unlink(_node(change), change.object)
        for dependent in self._dependents.get(change.object["metadata"]["uid"], ()):
            self._queue.add(dependent)

    def _link(self, node: Node, obj: Object) -> None:
        """Notes whose dependent an object is; looks at it soon if an owner is not there."""
        for reference in obj["metadata"].get("ownerReferences", ()):
            self._dependents.setdefault(reference["uid"], {})[node] = None
            if self._owner(node, reference) is None:
                self._queue.add(node)

    def _unlink(self, node: Node, obj: Object) -> None:
        for reference in obj["metadata"].get("ownerReferences", ()):
            dependents = self._dependents.get(reference["uid"])
            if dependents is not None and node in dependents:
                del dependents[node]
                if not dependents:
                    del self._dependents[reference["uid"]]
            self._look_at_waiting(node, reference)

    def _look_at_waiting(self, node: Node, reference: Object) -> None:
        """An owner that waits for its dependents may have to wait for one less."""
        owner = self._owner(node, reference)
        if owner and _waits(owner):
            self._queue.add(Node(self._api.resources.of(reference).name, key_of(owner)))

    # A turn.

    def _sync(self, node: Node) -> None:
        obj = self._store.get(*node)
        if obj is None:
            return
        if not is_deleting(obj):
            self._collect(node, obj)
            return
        finalizers = obj["metadata"].get("finalizers", ())
        if ORPHAN in finalizers:
            self._orphan(node, obj)
        elif FOREGROUND in finalizers:
            self._wait_for_dependents(node, obj)

    def _collect(self, node: Node, obj: Object) -> None:
        """Deletes an object none of whose owners is there to stay. attemptToDeleteItem"""
        metadata = obj["metadata"]
        references = metadata.get("ownerReferences", ())
        owners = [(reference, self._owner(node, reference)) for reference in references]
        waiting = [reference for reference, owner in owners if owner and _waits(owner)]
        dangling = [reference for reference, owner in owners if owner is None]
        if not references:
            return
        if len(waiting) + len(dangling) < len(references):
            for reference in dangling + waiting:
                release(self._api, obj, reference["uid"])
            return
        foreground = bool(waiting) and metadata["uid"] in self._dependents
        if foreground and any(map(self._is_waiting, self._dependents[metadata["uid"]])):
            self._unblock(node, obj)  # it waits for one that, in the end, waits for it
        finalizers = metadata.get("finalizers", ())
        try:
            self._api.delete(
                node.resource,
                node.key.name,
                node.key.namespace,
                propagation="Foreground"
                if foreground or FOREGROUND in finalizers
                else "Orphan"
                if ORPHAN in finalizers
                else "Background",
            )
        except ApiError as error:
            if error.code != 404:
                raise

    def _is_waiting(self, node: Node) -> bool:
        found = self._store.get(*node)
        return found is not None and _waits(found)

    def _unblock(self, node: Node, obj: Object) -> None:
        """Lets the owners go before the object. unblockOwnerReferencesStrategicMergePatch"""
        metadata = obj["metadata"]
        references = [
            {**each, "blockOwnerDeletion": False} if each.get("blockOwnerDeletion") else each
            for each in metadata["ownerReferences"]
        ]
        self._api.replace_trusted(
            node.resource, {**obj, "metadata": {**metadata, "ownerReferences": references}}
        )

    def _wait_for_dependents(self, node: Node, owner: Object) -> None:
        """Lets an owner go that no dependent blocks, else the dependents. processDeletingDependentsItem"""
        uid = owner["metadata"]["uid"]
        dependents = list(self._dependents.get(uid, ()))
        blocking = [each for each in dependents if self._blocks(each, uid)]
        if not blocking:
            self._api.remove_finalizer(*node, FOREGROUND)
        for each in dependents:
            dependent = self._store.get(*each)
            if dependent is not None and not is_deleting(dependent):
                self._queue.add(each)

    def _blocks(self, node: Node, owner_uid: str) -> bool:
        dependent = self._store.get(*node)
        return dependent is not None and any(
            reference["uid"] == owner_uid and reference.get("blockOwnerDeletion", False)
            for reference in dependent["metadata"].get("ownerReferences", ())
        )

    def _orphan(self, node: Node, owner: Object) -> None:
        """Takes the references to an owner off its dependents and lets it go. orphanDependents"""
        uid = owner["metadata"]["uid"]
        for each in list(self._dependents.get(uid, ())):
            dependent = self._store.get(*each)
            if dependent is not None:
                release(self._api, dependent, uid)
        self._api.remove_finalizer(*node, ORPHAN)

    def _owner(self, node: Node, reference: Object) -> Object | None:
        """The object that a reference names; None when it has gone.

        An owner of a kind that is not known here counts as being there ({}). classifyReferences
        """
        info = self._api.resources.of_kind(reference["apiVersion"], reference["kind"])
        if info is None:
            return {}
        namespace = node.key.namespace if info.namespaced else ""
        owner = self._store.get(info.name, (namespace, reference["name"]))
        return owner if owner is not None and owner["metadata"]["uid"] == reference["uid"] else None


def _node(change: Change) -> Node:
    return tuple.__new__(Node, (change.resource, change.key))  # each pod has one: without Node's own __new__


def _waits(owner: Object) -> bool:
    """Whether the owner is being deleted in the foreground."""
    return is_deleting(owner) and FOREGROUND in owner["metadata"].get("finalizers", ())
