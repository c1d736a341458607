"""The controllers of CustomResourceDefinitions: names are accepted, the resource is served; and when the
definition goes, its objects go first.

staging/src/k8s.io/apiextensions-apiserver/pkg/controller/{status/naming_controller,
establish/establishing_controller,finalizer/crd_finalizer}.go
"""

from __future__ import annotations

from gherkube.runners.errors import ApiError
from gherkube.runners.history import DELETED, Change
from gherkube.runners.objects import Key, Object, is_deleting
from gherkube.runners.simulator.api.custom import DEFINITIONS, resources_of
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.controllers.runtime import Informers, WorkQueue

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
LEFT = 1.0
"""Seconds between looks whether the last object has gone. crd_finalizer.go waits five at most"""


class DefinitionController:
    """Serves what definitions define."""

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance) -> None:
        self._api = api
        self._queue: WorkQueue[Key] = WorkQueue(api.clock, chance, self._sync)
        informers.of(DEFINITIONS).on_change(self._changed)

    def _changed(self, change: Change) -> None:
        key = change.key
        if change.type == DELETED:
            self._api.resources.remove(key.name)
        elif change.old is None or is_deleting(change.object) or change.object["spec"] != change.old["spec"]:
            self._queue.add(key)

    def _sync(self, key: Key) -> None:
        definition = self._api.store.get(DEFINITIONS, key)
        if definition is None:
            return
        if is_deleting(definition):
            self._empty(key)
            return
        self._api.resources.remove(key.name)
        for resource in resources_of(definition):
            self._api.resources.add(resource)
        self._accept(definition)

    def _accept(self, definition: Object) -> None:
        """Says that the names are free and the resource is served."""
        metadata, spec = definition["metadata"], definition["spec"]
        now = self._api.clock.timestamp()
        conditions = [
            {
                "type": type_,
                "status": "True",
                "lastTransitionTime": now,
                "reason": reason,
                "message": message,
                "observedGeneration": metadata["generation"],
            }
            for type_, reason, message in (
                ("NamesAccepted", "NoConflicts", "no conflicts found"),
                ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
            )
        ]
        names = spec["names"]
        accepted = {"listKind": f"{names['kind']}List", "singular": names["kind"].lower(), **names}
        stored = [each["name"] for each in spec["versions"] if each.get("storage")]
        before = definition.get("status", {})
        status = {
            "conditions": before.get("conditions") or conditions,
            "acceptedNames": accepted,
            "storedVersions": list(dict.fromkeys([*before.get("storedVersions", ()), *stored])),
        }
        finalizers = metadata.get("finalizers", [])
        if CLEANUP not in finalizers:
            finalizers = [*finalizers, CLEANUP]
        self._api.put_status(
            DEFINITIONS, definition, status, metadata={"finalizers": finalizers}, check=False
        )

    def _empty(self, key: Key) -> None:
        """Deletes the objects of a definition that is being deleted; with the last one it may go."""
        store = self._api.store
        for obj in list(store.all(key.name)):
            metadata = obj["metadata"]
            try:
                self._api.delete(key.name, metadata["name"], metadata.get("namespace", ""))
            except ApiError as error:
                if error.code != 404:
                    raise
        if list(store.all(key.name)):
            self._queue.add_after(key, LEFT, retry=True)
        else:
            self._api.remove_finalizer(DEFINITIONS, key, CLEANUP)
