"""The API that a scenario gets: each act is held against the fences, and recorded where the run owns nothing.

A namespace is watched from the first time that a scenario speaks of it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gherkube.runners.cluster import PatchType, Propagation
from gherkube.runners.errors import ApiError
from gherkube.runners.live.api import LiveApi
from gherkube.runners.live.changes import Changes
from gherkube.runners.live.fences import Act, Fences, kind_of_patch, pods_of
from gherkube.runners.live.namespace import Namespaces
from gherkube.runners.objects import Object

Done = Callable[[Object], Object]
"""Takes note of what came of an act, and returns it."""


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
        self._api, self._fences, self._namespaces, self.changes = api, fences, namespaces, changes
        self._look_at = look_at
        self.also: Callable[[Act, Object | None], None] = lambda *_: None
        """One fence more, for acts on what the run does not own: raises Fenced."""

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
        served, metadata = self._api.resource_of(obj), obj["metadata"]
        place = metadata.get("namespace") or namespace if served.namespaced else ""
        if dry_run:
            self._look_at(place)
            return self._api.create(obj, namespace=namespace, dry_run=True)
        if served.name == "namespaces":
            act = Act("create", "namespaces", "", metadata["name"])
            self._fences.check(act, owned=False)
            self.also(act, None)
            self._namespaces.make(metadata["name"], obj)
            self._look_at(metadata["name"])
            return self._api.get("namespaces", metadata["name"])
        if not self._is_owned(place) and not metadata.get("name"):
            # What is to be put back must have its name before it is made.
            obj = {
                **obj,
                "metadata": {**metadata, "name": f"{metadata['generateName']}{secrets.token_hex(3)}"},
            }
        act = Act("create", served.name, place, obj["metadata"].get("name", ""), pods_of(obj))
        with self._making(act, "create", lambda _: obj) as done:
            self._look_at(place)
            return done(self._api.create(obj, namespace=namespace))

    def replace(self, obj: Object, *, subresource: str = "") -> Object:
        """Puts the object in the place of the stored one; a stale resourceVersion is a Conflict."""
        resource, metadata = self._api.resource_of(obj).name, obj["metadata"]
        kind = "nodes" if resource == "nodes" else "change"
        act = Act(kind, resource, metadata.get("namespace", ""), metadata["name"], pods_of(obj))
        with self._making(act, "replace", lambda before: before if subresource else obj) as done:
            return done(self._api.replace(obj, subresource=subresource))

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
        if dry_run:
            return self._api.patch(
                resource, name, patch, namespace, type=type, subresource=subresource, dry_run=True
            )

        def then(before: Object | None) -> Object | None:
            if before is None or subresource not in ("", "scale"):
                return before
            try:
                made = self._api.patch(
                    resource, name, patch, namespace, type=type, subresource=subresource, dry_run=True
                )
            except ApiError:  # told by the patch itself
                return before
            if not subresource:
                return made
            return {**before, "spec": {**before["spec"], "replicas": made["spec"]["replicas"]}}

        act = Act(kind_of_patch(resource, patch, subresource), resource, namespace, name)
        with self._making(act, "patch", then) as done:
            return done(self._api.patch(resource, name, patch, namespace, type=type, subresource=subresource))

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
        act = Act("delete pods" if resource == "pods" else "delete", resource, namespace, name)
        with self._making(act, "delete", lambda _: None):
            return self._api.delete(
                resource, name, namespace, propagation=propagation, grace_period=grace_period, uid=uid
            )

    def post(self, resource: str, name: str, subresource: str, body: Object, namespace: str = "") -> Object:
        """Creates under a subresource: pods/binding, pods/eviction."""
        kind = "evict pods" if subresource == "eviction" else "change"
        with self._making(Act(kind, resource, namespace, name), "post", lambda _: None):
            return self._api.post(resource, name, subresource, body, namespace)

    @contextmanager
    def breaking(self, fault: str, node: str, words: str) -> Iterator[None]:
        """Around a fault that is made at a node: held against the fences and written down as acts are."""
        act = Act("node faults", "nodes", "", node)
        self._fences.check(act, owned=False)
        self.also(act, None)
        with self.changes.making(act, "fault", None, fault=fault, words=words):
            yield

    def pause_with(self, pause: Callable[[float], object]) -> None:
        """Has it wait so when the server is asked again; what `pause` raises ends the asking."""
        self._api.pause = pause

    def _is_owned(self, namespace: str) -> bool:
        return namespace in self._namespaces

    @contextmanager
    def _making(self, act: Act, verb: str, then: Callable[[Object | None], Object | None]) -> Iterator[Done]:
        """Around an act: it is held against the fences, and written down where the run owns nothing.

        `then`: what the object before it is to come to.
        """
        if act.resource == "namespaces" or self._is_owned(act.namespace):
            own = act.name if act.resource == "namespaces" else act.namespace
            self._fences.check(act, owned=self._is_owned(own))
            if not self._is_owned(own):
                self.also(act, None)
            yield lambda made: made
            return
        self._look_at(act.namespace)
        before = self.changes.look(act.resource, act.namespace, act.name)
        self._fences.check(act._replace(pods=act.pods or pods_of(before or {})), owned=False)
        self.also(act, before)
        with self.changes.making(act, verb, before, then(before)) as note:

            def done(made: Object) -> Object:
                is_whole = before is None or made.get("kind") == before.get("kind")
                note(made if is_whole else self.changes.look(act.resource, act.namespace, act.name))
                return made

            yield done
