"""The paths of OpenAPI: which requests a resource takes, under which marks clients look for them.

kubectl asks them whether a kind can be validated, dry-run and explained: by the mark of the kind
(`x-kubernetes-group-version-kind`) and the query parameters `fieldValidation` and `dryRun`.
apiserver/pkg/endpoints/installer.go; kubectl/pkg/explain/v2;
cli-runtime/pkg/resource/query_param_verifier_v3.go
"""

from __future__ import annotations

from collections.abc import Iterator

from gherkube.runners.objects import Object
from gherkube.runners.simulator.server.discovery import Served, Subresource

PLACES = {
    "name": "name of the object",
    "namespace": "namespace of the object",
    "path": "path of the request to pass on",
}
PARAMETERS = {
    "dryRun": ("string", "All: do everything but keep the result"),
    "fieldManager": ("string", "who makes the change, as it is kept in managedFields"),
    "fieldValidation": ("string", "Ignore, Warn or Strict: what becomes of unknown and duplicate fields"),
    "force": ("boolean", "whether server-side apply takes over fields that others own"),
    "gracePeriodSeconds": ("integer", "seconds until the object is deleted; 0 is at once"),
    "propagationPolicy": ("string", "Orphan, Background or Foreground: what becomes of the dependents"),
    "allowWatchBookmarks": ("boolean", "whether a watch may send bookmarks"),
    "continue": ("string", "the token of the chunk before"),
    "fieldSelector": ("string", "which objects, by their fields"),
    "labelSelector": ("string", "which objects, by their labels"),
    "limit": ("integer", "the most objects of a chunk"),
    "resourceVersion": ("string", "the version to read or watch from"),
    "resourceVersionMatch": ("string", "how resourceVersion is to be taken"),
    "sendInitialEvents": ("boolean", "whether a watch begins with all objects there are"),
    "timeoutSeconds": ("integer", "seconds until the call ends"),
    "watch": ("boolean", "whether to watch instead of to list"),
}
CHANGES = ("dryRun", "fieldManager", "fieldValidation")
LISTS = (
    *("allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion"),
    *("resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch"),
)
DELETES = ("dryRun", "gracePeriodSeconds", "propagationPolicy")
JSON_PATCHES = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)
META = "io.k8s.apimachinery.pkg.apis.meta.v1."

METHODS = {
    "create": ("post", "post", "create", CHANGES),
    "delete": ("delete", "delete", "delete", DELETES),
    "deletecollection": ("delete", "deletecollection", "deleteCollection", (*DELETES, *LISTS[1:-1])),
    "get": ("get", "get", "read", ()),
    "list": ("get", "list", "list", LISTS),
    "patch": ("patch", "patch", "patch", (*CHANGES, "force")),
    "update": ("put", "put", "replace", CHANGES),
}
"""By verb: the method, what `x-kubernetes-action` says, how operations are called, query parameters."""
CALLED = {
    "deleteCollection": ("delete", "Collection"),
    **{f"connect{method}": ("connect", method) for method in ("Delete", "Get", "Patch", "Post", "Put")},
}
"""What an operation's name begins with, and what follows the version in it, where the two stand apart."""
OF_MANY, OF_ONE = ("create", "deletecollection", "list"), ("delete", "get", "patch", "update")


def paths_of(served: Served, names: dict[tuple[str, str, str], str]) -> Iterator[tuple[str, Object]]:
    """The paths of a resource with their operations, as OpenAPI v3.

    `names`: by group, version and kind the name of its schema.
    """
    resource = served.resource
    start = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    scoped = f"{start}/namespaces/{{namespace}}" if resource.namespaced else start
    whole, one = Operations(served, names), f"{scoped}/{resource.plural}/{{name}}"
    if resource.namespaced and "list" in served.verbs:
        yield f"{start}/{resource.plural}", whole.item(("list",), everywhere=True)
    if found := [verb for verb in OF_MANY if verb in served.verbs]:
        yield f"{scoped}/{resource.plural}", whole.item(found)
    if found := [verb for verb in OF_ONE if verb in served.verbs]:
        yield one, whole.item(found, "name")
    for sub in served.subresources:
        yield f"{one}/{sub.name}", Operations(served, names, sub).item(sub.verbs, "name")


class Operations:
    """Makes the operations of a resource or a subresource."""

    def __init__(
        self, served: Served, names: dict[tuple[str, str, str], str], sub: Subresource | None = None
    ) -> None:
        resource = served.resource
        self._resource, self._sub = resource, sub
        self._kind = (
            (sub and sub.group) or resource.group,
            (sub and sub.version) or resource.version,
            (sub and sub.kind) or resource.kind,
        )
        self._names = names

    def item(self, verbs: tuple[str, ...] | list[str], *places: str, everywhere: bool = False) -> Object:
        """A path with an operation for each verb; `places` are those in the path beside the namespace."""
        scoped = self._resource.namespaced and not everywhere
        item: Object = {}
        for verb in verbs:
            method, operation = self._operation(verb, everywhere)
            item[method] = operation
        if parameters := [_place(place) for place in (*places, *(("namespace",) if scoped else ()))]:
            item["parameters"] = parameters
        return item

    def _operation(self, verb: str, everywhere: bool) -> tuple[str, Object]:
        method, action, called, query = METHODS[verb]
        group, version, kind = self._kind
        if kind.endswith("Options"):
            action, called, query = "connect", f"connect{method.capitalize()}", ()
        operation: Object = {
            "operationId": self._id(called, everywhere),
            "parameters": [_query(name) for name in query],
            "responses": {"200": self._answer(verb), "401": {"description": "Unauthorized"}},
            "tags": [f"{_camel(self._resource.group)}_{self._resource.version}".lower()],
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": {"group": group, "version": version, "kind": kind},
        }
        if verb == "patch":
            operation["requestBody"] = _body(f"{META}Patch", JSON_PATCHES)
        elif verb in ("create", "update") and self._schema():
            operation["requestBody"] = _body(self._schema(), ("*/*",))
        elif verb in ("delete", "deletecollection"):
            operation["requestBody"] = {**_body(f"{META}DeleteOptions", ("*/*",)), "required": False}
        return method, operation

    def _id(self, called: str, everywhere: bool) -> str:
        """The name of an operation: patchAppsV1NamespacedDeploymentScale."""
        verb, detail = CALLED.get(called, (called, ""))
        resource, sub = self._resource, self._sub
        return "".join(
            (
                verb,
                _camel(resource.group),
                resource.version.capitalize(),
                detail,
                "Namespaced" if resource.namespaced and not everywhere else "",
                resource.kind,
                sub.name.capitalize() if sub else "",
                "ForAllNamespaces" if everywhere else "",
            )
        )

    def _answer(self, verb: str) -> Object:
        group, version, kind = self._kind
        if verb in ("delete", "deletecollection"):
            name = f"{META}Status"
        else:
            name = self._names.get((group, version, f"{kind}List" if verb == "list" else kind), "")
        schema: Object = _reference(name) if name else {"type": "string"}
        return {"description": "OK", "content": {"application/json": {"schema": schema}}}

    def _schema(self) -> str:
        return self._names.get(self._kind, "")


def _camel(group: str) -> str:
    """A group as operations name it: "RbacAuthorization"; "Core" for the one without a name."""
    return "".join(part.capitalize() for part in group.removesuffix(".k8s.io").split(".")) or "Core"


def _place(name: str) -> Object:
    schema = {"type": "string", "uniqueItems": True}
    return {"name": name, "in": "path", "required": True, "description": PLACES[name], "schema": schema}


def _query(name: str) -> Object:
    type_, said = PARAMETERS[name]
    return {
        "name": name,
        "in": "query",
        "description": said,
        "schema": {"type": type_, "uniqueItems": True},
    }


def _body(name: str, types: tuple[str, ...]) -> Object:
    return {"required": True, "content": {type_: {"schema": _reference(name)} for type_ in types}}


def _reference(name: str) -> Object:
    return {"$ref": f"#/components/schemas/{name}"}
