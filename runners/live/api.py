"""The verbs of the API on a live server: plain objects in, plain objects out.

What the server was too busy for (429) is asked again when it says. A read, and a write that comes to the
same when it is made twice, is repeated after a failure of the server or the network. After any other
write it is looked whether it was made; where that cannot be told, the scenario cannot be judged.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeAlias

from gherkube.runners.cluster import PatchType, Propagation
from gherkube.runners.errors import ApiError, CannotJudge
from gherkube.runners.live.connection import Connection, Unreachable
from gherkube.runners.live.discovery import Discovery, Resource
from gherkube.runners.objects import Object

GIVES_UP = 60.0
"""Real seconds for which a request is repeated."""
FIRST, MOST = 0.1, 5.0
"""Real seconds before the first repetition, and between two at most."""
PAGE = 500
"""How many objects are listed at once: kubectl's --chunk-size."""
PATCHES: dict[PatchType, str] = {
    "strategic": "application/strategic-merge-patch+json",
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
}
Objects: TypeAlias = list[Object]
Look = Callable[[], Object | None]
"""What came of a write that nobody knows of: the object, or None when it was not made."""


class LiveApi:
    """An `Api` over HTTP. `wrote` is called with what each write came to, before it is returned."""

    def __init__(self, connection: Connection, discovery: Discovery) -> None:
        self.connection, self._discovery = connection, discovery
        self.pause: Callable[[float], object] = time.sleep
        """Lets so many real seconds pass before something is asked again; what it raises ends the asking."""
        self.wrote: Callable[[Resource, str, str, Object], object] = lambda *_: None

    def resource_of(self, obj: Object) -> Resource:
        """What an object is for the server."""
        return self._discovery.of(obj)

    def get(self, resource: str, name: str, namespace: str = "") -> Object:
        """One object; ApiError NotFound when it is not there."""
        return self._read(self._discovery.named(resource).path(namespace, name))

    def list(self, resource: str, namespace: str = "", *, labels: str = "", fields: str = "") -> list[Object]:
        """The objects that match the selectors, by namespace and name; all namespaces when "" is given."""
        return self.list_at(resource, namespace, labels=labels, fields=fields)[0]

    def list_at(
        self, resource: str, namespace: str = "", *, labels: str = "", fields: str = ""
    ) -> tuple[Objects, str]:
        """The same, and the resourceVersion of the list."""
        served = self._discovery.named(resource)
        typed = {"apiVersion": served.api_version, "kind": served.kind}
        found: list[Object] = []
        query: dict[str, Any] = {"labelSelector": labels, "fieldSelector": fields, "limit": PAGE}
        while True:
            page = self._read(served.path(namespace), query)
            found += [{**typed, **each} for each in page.get("items") or ()]
            query["continue"] = page["metadata"].get("continue", "")
            if not query["continue"]:
                return found, page["metadata"]["resourceVersion"]

    def create(self, obj: Object, *, namespace: str = "", dry_run: bool = False) -> Object:
        """Creates the object and returns it as stored."""
        served, metadata = self._discovery.of(obj), obj["metadata"]
        place = metadata.get("namespace") or namespace if served.namespaced else ""
        name = metadata.get("name", "")

        def look() -> Object | None:
            if not name:
                raise CannotJudge("nobody can tell: it was to get its name from the server")
            return self._look(served.path(place, name))

        sent = {**obj, "metadata": {**metadata, "namespace": place}} if place else obj
        path, query = served.path(place), _dry(dry_run)
        return self._write(served, "POST", path, query, sent, look=None if dry_run else look)

    def replace(self, obj: Object, *, subresource: str = "") -> Object:
        """Puts the object in the place of the stored one; a stale resourceVersion is a Conflict."""
        served, metadata = self._discovery.of(obj), obj["metadata"]
        path = served.path(metadata.get("namespace", ""), metadata["name"], subresource)
        version = metadata.get("resourceVersion")

        def look() -> Object | None:
            found = self._read(path)
            if found["metadata"]["resourceVersion"] == version:
                return None
            raise CannotJudge("nobody can tell: the object has changed since")

        return self._write(served, "PUT", path, {}, obj, look=look if version else None)

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
        served = self._discovery.named(resource)
        path = served.path(namespace, name, subresource)

        def look() -> Object | None:
            raise CannotJudge("nobody can tell: a JSON patch cannot be looked for")

        repeatable = dry_run or type != "json"
        return self._write(
            served,
            "PATCH",
            path,
            _dry(dry_run),
            patch,
            look=None if repeatable else look,
            type=PATCHES[type],
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
        served = self._discovery.named(resource)
        path = served.path(namespace, name)
        options: Object = {"kind": "DeleteOptions", "apiVersion": "v1"}
        options |= {"propagationPolicy": propagation} if propagation else {}
        options |= {} if grace_period is None else {"gracePeriodSeconds": grace_period}
        options |= {"preconditions": {"uid": uid}} if uid else {}

        def look() -> Object | None:
            found = self._look(path)
            if found is None:
                return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
            return found if "deletionTimestamp" in found["metadata"] else None

        deleted = self._write(served, "DELETE", path, {}, options, look=look)
        self.wrote(served, namespace, name, deleted)
        return deleted

    def post(self, resource: str, name: str, subresource: str, body: Object, namespace: str = "") -> Object:
        """Creates under a subresource: pods/binding, pods/eviction."""
        served = self._discovery.named(resource)

        def look() -> Object | None:
            raise CannotJudge(f"nobody can tell what became of the {subresource}")

        path = served.path(namespace, name, subresource)
        return self._repeat(lambda: self.connection.ask("POST", path, {}, body), look, busy=False)  # type: ignore[no-any-return]

    def review(self, body: Object) -> Object:
        """A review of authorization.k8s.io, which stores nothing."""
        path = f"/apis/{body['apiVersion']}/{body['kind'].lower()}s"
        return self.raw("POST", path, body)  # type: ignore[no-any-return]

    def raw(self, method: str, path: str, body: Any = None) -> Any:
        """What is answered to something that is no verb; repeated after failures."""
        return self._repeat(lambda: self.connection.ask(method, path, {}, body))

    def _read(self, path: str, query: dict[str, Any] | None = None) -> Object:
        return self._repeat(lambda: self.connection.ask("GET", path, query))  # type: ignore[no-any-return]

    def _look(self, path: str) -> Object | None:
        try:
            return self._read(path)
        except ApiError as error:
            if error.reason == "NotFound":
                return None
            raise

    def _write(
        self,
        served: Resource,
        method: str,
        path: str,
        query: dict[str, Any],
        body: Any,
        *,
        look: Look | None,
        type: str = "application/json",  # noqa: A002
    ) -> Object:
        made: Object = self._repeat(
            lambda: self.connection.ask(method, path, query, body, type=type), look, doing=f"{method} {path}"
        )
        metadata = made.get("metadata") or {}
        if method != "DELETE" and not query and "name" in metadata:
            self.wrote(served, metadata.get("namespace", ""), metadata["name"], made)
        return made

    def _repeat(
        self, ask: Callable[[], Any], look: Look | None = None, *, doing: str = "", busy: bool = True
    ) -> Any:
        """What is answered in the end. `look` is asked after a failure that may have come after the fact.

        `busy`: whether 429 means that the server is busy; of an eviction it means that it may not be.
        """
        until, pause = time.monotonic() + GIVES_UP, FIRST
        while True:
            try:
                return ask()
            except ApiError as error:
                again = (error.code == 429 and busy) or self.connection.is_coming_up(error)
                failed = error.code >= 500 and "retryAfterSeconds" not in error.details
                if not (again or error.code >= 500) or time.monotonic() > until:
                    raise
                pause = max(pause, float(error.details.get("retryAfterSeconds", 0)))
                unsure, why = failed, f"the server answered {error.code} {error.message}"
            except Unreachable as error:
                if "certificate" in str(error) or time.monotonic() > until:
                    raise
                unsure, why = not error.unsent, str(error)
            self.pause(min(pause, max(0.0, until - time.monotonic())))
            pause = min(pause * 2, MOST)
            if unsure and look is not None:
                try:
                    if (found := look()) is not None:
                        return found
                except CannotJudge as unknown:
                    raise CannotJudge(f"{why}; whether {doing or 'the write'} was made, {unknown}") from None


def _dry(dry_run: bool) -> dict[str, Any]:
    return {"dryRun": "All"} if dry_run else {}
