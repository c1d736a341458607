"""Which kinds the server has, and where: asked once, for all groups at their preferred versions.

staging/src/k8s.io/api/apidiscovery/v2
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from gherkube.runners.errors import ApiError, CannotJudge
from gherkube.runners.live.connection import Connection
from gherkube.runners.objects import Object

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


class Resource(NamedTuple):
    """A kind that the server serves."""

    name: str
    kind: str
    group: str
    version: str
    namespaced: bool

    @property
    def api_version(self) -> str:
        """As objects say it: apps/v1, v1."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Where it is: the whole resource, or one object of it."""
        path = f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"
        if namespace and self.namespaced:
            path += f"/namespaces/{namespace}"
        return "/".join(filter(None, (path, self.name, name, subresource)))


class Discovery:
    """The kinds of one server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._resources: list[Resource] = []

    def named(self, name: str) -> Resource:
        """The resource of that plural name; Kubernetes' own before others of the same name."""
        found = [each for each in self._all() if each.name == name]
        if not found:
            raise ApiError(404, "NotFound", f'the server doesn\'t have a resource type "{name}"')
        return min(found, key=lambda each: "." in each.group and not each.group.endswith(".k8s.io"))

    def of(self, obj: Object) -> Resource:
        """The resource that an object belongs to."""
        kind, version = obj.get("kind", ""), obj.get("apiVersion", "")
        for each in self._all():
            if (each.kind, each.api_version) == (kind, version):
                return each
        group = version.partition("/")[0] if "/" in version else ""
        if any(each.kind == kind and each.group == group for each in self._all()):
            return self._other_version(kind, version)
        raise ApiError(404, "NotFound", f'no matches for kind "{kind}" in version "{version}"')

    def _other_version(self, kind: str, version: str) -> Resource:
        listed = self._connection.ask("GET", f"/apis/{version}")
        for each in _legacy(listed):
            if each.kind == kind:
                return each
        raise ApiError(404, "NotFound", f'no matches for kind "{kind}" in version "{version}"')

    def _all(self) -> list[Resource]:
        if not self._resources:
            for path in ("/api", "/apis"):
                self._resources += self._read(path)
        return self._resources

    def _read(self, path: str) -> Iterator[Resource]:
        found = self._connection.ask("GET", path, accept=AGGREGATED)
        match found.get("kind"):
            case "APIGroupDiscoveryList":
                yield from _aggregated(found)
            case "APIVersions":
                yield from _legacy(self._connection.ask("GET", "/api/v1"))
            case "APIGroupList":
                for group in found["groups"]:
                    version = group["preferredVersion"]["groupVersion"]
                    yield from _legacy(self._connection.ask("GET", f"/apis/{version}"))
            case _:
                raise CannotJudge(
                    f"{self._connection.server} does not answer as a Kubernetes API server does"
                )


def _aggregated(found: Any) -> Iterator[Resource]:
    for group in found["items"]:
        name = group["metadata"].get("name", "")
        seen: set[str] = set()
        for version in group["versions"]:
            for each in version.get("resources", ()):
                if each["resource"] not in seen and "responseKind" in each:
                    seen.add(each["resource"])
                    kind, namespaced = each["responseKind"]["kind"], each["scope"] == "Namespaced"
                    yield Resource(each["resource"], kind, name, version["version"], namespaced)


def _legacy(found: Any) -> Iterator[Resource]:
    group, _, version = found["groupVersion"].rpartition("/")
    for each in found["resources"]:
        if "/" not in each["name"]:
            yield Resource(each["name"], each["kind"], group, version, each["namespaced"])
