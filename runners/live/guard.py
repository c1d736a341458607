"""The API that a scenario gets: each act is held against the fences, and what is not the run's is remembered.

A namespace is watched from the first time that a scenario speaks of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gherkube.runners.cluster import PatchType, Propagation
from gherkube.runners.live.api import LiveApi
from gherkube.runners.live.changes import Changes
from gherkube.runners.live.fences import Act, Fences, kind_of_patch, pods_of
from gherkube.runners.live.namespace import Namespaces
from gherkube.runners.objects import Object


class GuardedApi:
    """An `Api`. `look_at` begins to watch a namespace."""

    def __init__(
        self,
        api: LiveApi,
        fences: Fences,
        namespaces: Namespaces,
        changes: Changes,
        look_at: Callable[[str], object],
    ) -> None:
        self._api, self._fences, self._namespaces, self._changes = api, fences, namespaces, changes
        self._look_at = look_at

    def get(self, resource: str, name: str, namespace: str = "") -> Object:
        """One object; ApiError NotFound when it is not there."""
        self._look_at(namespace)
        return self._api.get(resource, name, namespace)

    def list(self, resource: str, namespace: str = "", *, labels: str = "", fields: str = "") -> list[Object]:
        """The objects that match the selectors, by namespace and name; all namespaces when "" is given."""
        self._look_at(namespace)
        return self._api.list(resource, namespace, labels=labels, fields=fields)

    def create(self, obj: Object, *, namespace: str = "", dry_run: bool = False) -> Object:
        """Creates the object and returns it as stored; a namespace is the run's own from then on."""
        served = self._api.resource_of(obj)
        name = obj["metadata"].get("name", "")
        place = obj["metadata"].get("namespace") or namespace if served.namespaced else ""
        if not dry_run:
            self._act(Act("create", served.name, place, name, pods_of(obj)))
        if served.name == "namespaces" and not dry_run:
            self._namespaces.make(name, obj)
            self._look_at(name)
            return self._api.get("namespaces", name)
        self._look_at(place)
        return self._api.create(obj, namespace=namespace, dry_run=dry_run)

    def replace(self, obj: Object, *, subresource: str = "") -> Object:
        """Puts the object in the place of the stored one; a stale resourceVersion is a Conflict."""
        resource, metadata = self._api.resource_of(obj).name, obj["metadata"]
        kind = "nodes" if resource == "nodes" else "change"
        self._act(Act(kind, resource, metadata.get("namespace", ""), metadata["name"], pods_of(obj)))
        return self._api.replace(obj, subresource=subresource)

    def patch(
        self,
        resource: str,
        name: str,
        patch: Any,
        namespace: str = "",
        *,
        type: PatchType = "strategic",  # noqa: A002 - the API's word
        subresource: str = "",
        dry_run: bool = False,
    ) -> Object:
        """Applies a patch and returns the new object."""
        if not dry_run:
            self._act(Act(kind_of_patch(resource, patch, subresource), resource, namespace, name))
        return self._api.patch(
            resource, name, patch, namespace, type=type, subresource=subresource, dry_run=dry_run
        )

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
        """Deletes the object: returns it, or a Status when nothing is left to wait for."""
        self._act(Act("delete pods" if resource == "pods" else "delete", resource, namespace, name))
        return self._api.delete(
            resource, name, namespace, propagation=propagation, grace_period=grace_period, uid=uid
        )

    def post(self, resource: str, name: str, subresource: str, body: Object, namespace: str = "") -> Object:
        """Creates under a subresource: pods/binding, pods/eviction."""
        kind = "evict pods" if subresource == "eviction" else "change"
        self._act(Act(kind, resource, namespace, name))
        return self._api.post(resource, name, subresource, body, namespace)

    def _act(self, act: Act) -> None:
        owned = act.namespace in self._namespaces or (
            act.resource == "namespaces" and act.name in self._namespaces
        )
        if owned or act.resource == "namespaces":
            self._fences.check(act, owned=owned)
            return
        self._look_at(act.namespace)
        before = self._changes.look(act.resource, act.namespace, act.name)
        self._fences.check(act._replace(pods=act.pods or pods_of(before or {})), owned=False)
        self._changes.note(act.resource, act.namespace, act.name, before)
