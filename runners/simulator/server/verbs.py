"""The verbs of REST over HTTP: what a request asks of the API, and how its answer is said.

staging/src/k8s.io/apiserver/pkg/endpoints/handlers
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from gherkube.runners.cluster import PatchType, Propagation
from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.refusals import bad_request, not_as_asked, required
from gherkube.runners.simulator.api.resources import Resource
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.server import chunks, options, versions
from gherkube.runners.simulator.server.calls import Call, Reply
from gherkube.runners.simulator.server.negotiation import body_of, content_type, unsupported
from gherkube.runners.simulator.server.paths import Target, no_such_path

PATCH_TYPES: dict[str, PatchType] = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
}
APPLY = "application/apply-patch+yaml"
PRESERVED = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove "
    "them or set propagationPolicy=Orphan to suppress this warning"
)
WRITABLE = frozenset({"", "status", "scale", "finalize", "approval"})


class Verbs:
    """Answers requests about stored objects."""

    def __init__(self, api: ApiServer, window: int) -> None:
        self._api, self._window = api, window

    def answer(self, resource: Resource, target: Target, call: Call) -> Reply:
        """The answer to any request but a watch. Raises ApiError."""
        answers: dict[tuple[str, bool], Callable[[Resource, Target, Call], Reply]] = {
            ("GET", True): self._get,
            ("GET", False): self._list,
            ("POST", True): self._post,
            ("POST", False): self._create,
            ("PUT", True): self._replace,
            ("PATCH", True): self._patch,
            ("DELETE", True): self._delete,
            ("DELETE", False): self._delete_all,
        }
        answer = answers.get((call.method, bool(target.name)))
        if answer is None:
            raise not_allowed()
        options.check_writing(call, applies=content_type(call) == APPLY)
        return answer(resource, target, call)

    def _get(self, resource: Resource, target: Target, _call: Call) -> Reply:
        sub = target.subresource
        if sub not in WRITABLE or (sub == "status" and not resource.has_status):
            raise no_such_path()
        scale = "scale" if sub == "scale" else ""
        return Reply(self._api.get(resource.name, target.name, target.namespace, subresource=scale))

    def _list(self, resource: Resource, target: Target, call: Call) -> Reply:
        return Reply(chunks.listing(self._api, resource, target.namespace, call.query, self._window))

    def _create(self, resource: Resource, target: Target, call: Call) -> Reply:
        obj = _typed(resource, object_of(call))
        if resource.namespaced and not target.namespace:
            raise bad_request("the namespace of the request is missing: post to the path of a namespace")
        created = self._api.create(
            obj,
            namespace=target.namespace,
            dry_run=bool(call.query.get("dryRun")),
            field_validation=options.validation(call),
            manager=_manager(call),
        )
        return Reply(created, 201)

    def _post(self, resource: Resource, target: Target, call: Call) -> Reply:
        if not target.subresource:
            raise not_allowed()
        body = object_of(call)
        options.check_deleting(body.get("deleteOptions") or {})
        named = body.get("target")
        if target.subresource == "binding" and not (isinstance(named, dict) and named.get("name")):
            said = f'Binding "{target.name}" is invalid: target.name: Required value'
            raise ApiError(422, "Invalid", said)
        if target.subresource == "eviction" and call.query.get("dryRun"):
            self._api.get(resource.name, target.name, target.namespace)
            return Reply({**body, "kind": "Status", "apiVersion": "v1", "status": "Success"}, 201)
        done = self._api.post(resource.name, target.name, target.subresource, body, target.namespace)
        return Reply(done, 201)

    def _replace(self, resource: Resource, target: Target, call: Call) -> Reply:
        obj = object_of(call)
        if target.subresource not in WRITABLE:
            raise no_such_path()
        metadata = obj.get("metadata") or {}
        if not isinstance(metadata, dict):
            raise bad_request("metadata has to be an object")
        if not metadata.get("name"):
            said = f"the name of the object ({target.name} based on URL) was undeterminable"
            raise bad_request(f"{said}: name must be provided")
        if metadata["name"] != target.name:
            raise bad_request(
                f"the name of the object ({metadata['name']}) does not match "
                f"the name on the URL ({target.name})"
            )
        if target.namespace and not metadata.get("namespace"):
            metadata["namespace"] = target.namespace
        if target.namespace and metadata["namespace"] != target.namespace:
            raise bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        obj = {**obj, "metadata": metadata}
        new = self._api.replace(
            obj if target.subresource == "scale" else _typed(resource, obj),
            subresource="status" if target.subresource == "approval" else target.subresource,
            resource=resource.name,
            dry_run=bool(call.query.get("dryRun")),
            field_validation=options.validation(call),
            manager=_manager(call),
        )
        return Reply(new)

    def _patch(self, resource: Resource, target: Target, call: Call) -> Reply:
        type_ = content_type(call)
        if target.subresource not in WRITABLE:
            raise no_such_path()
        if type_ == APPLY:
            return self._apply(resource, target, call)
        if type_ not in PATCH_TYPES:
            raise unsupported(", ".join((*PATCH_TYPES, APPLY)))
        patched = self._api.patch(
            resource.name,
            target.name,
            _renamed(resource, body_of(call)),
            target.namespace,
            type=PATCH_TYPES[type_],
            subresource=target.subresource,
            dry_run=bool(call.query.get("dryRun")),
            field_validation=options.validation(call),
            manager=_manager(call),
        )
        return Reply(patched)

    def _apply(self, resource: Resource, target: Target, call: Call) -> Reply:
        """Server-side apply."""
        if not call.query.get("fieldManager"):
            raise options.refused("PatchOptions", required("fieldManager", "is required for apply patch"))
        applied, created = self._api.apply(
            resource.name,
            target.name,
            _typed(resource, object_of(call)),
            target.namespace,
            manager=_manager(call),
            force=call.asks("force"),
            subresource=target.subresource,
            dry_run=bool(call.query.get("dryRun")),
            field_validation=options.validation(call),
        )
        return Reply(applied, 201 if created else 200)

    def _delete(self, resource: Resource, target: Target, call: Call) -> Reply:
        if target.subresource:
            raise not_allowed()
        return Reply(self._delete_one(resource, target, self._deleting(resource, call)))

    def _delete_all(self, resource: Resource, target: Target, call: Call) -> Reply:
        if resource.namespaced and not target.namespace:
            raise not_allowed()
        asked = self._deleting(resource, call)
        query = {k: v for k, v in call.query.items() if k in ("labelSelector", "fieldSelector")}
        listed = chunks.listing(self._api, resource, target.namespace, query, self._window)
        for obj in listed["items"]:
            self._delete_one(resource, target._replace(name=obj["metadata"]["name"]), asked)
        return Reply(listed)

    def _deleting(self, resource: Resource, call: Call) -> Object:
        """What is asked of a deletion. pkg/registry/batch/job/storage/storage.go Delete"""
        asked = options.deleting(call)
        if resource.name == "jobs" and not asked.get("propagationPolicy"):
            self._api.remarks.append(PRESERVED)
        return asked

    def _delete_one(self, resource: Resource, target: Target, asked: Object) -> Object:
        preconditions = asked.get("preconditions") or {}
        if asked.get("dryRun"):
            return self._api.get(resource.name, target.name, target.namespace)
        version = preconditions.get("resourceVersion")
        if version:
            self._check_version(resource, target, version)
        return self._api.delete(
            resource.name,
            target.name,
            target.namespace,
            propagation=cast("Propagation | None", asked.get("propagationPolicy")),
            grace_period=asked.get("gracePeriodSeconds"),
            uid=preconditions.get("uid") or "",
        )

    def _check_version(self, resource: Resource, target: Target, version: str) -> None:
        found = self._api.get(resource.name, target.name, target.namespace)["metadata"]["resourceVersion"]
        if found != version:
            raise not_as_asked(
                resource,
                target.name,
                f"the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in "
                f"record ({found}). The object might have been modified",
            )


def not_allowed() -> ApiError:
    """405"""
    return ApiError(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource"
    )


def object_of(call: Call) -> Object:
    """The body, which has to be an object. ApiError BadRequest."""
    body = body_of(call)
    if not isinstance(body, dict):
        raise bad_request("the body of the request has to be an object")
    return body


def _renamed(resource: Resource, obj: Any) -> Any:
    """What is sent of an object in a second version, as it is stored."""
    is_second = versions.is_second(resource) and isinstance(obj, dict)
    return versions.as_stored(resource, obj) if is_second else obj


def _manager(call: Call) -> str:
    """Who writes: handlers/create.go managerOrUserAgent"""
    named = call.query.get("fieldManager") or call.headers.get("user-agent", "").partition("/")[0]
    if len(named) > 128 or not named.isprintable():
        said = "metadata.fieldManager: Too long: may not be more than 128 bytes"
        raise ApiError(422, "Invalid", said)
    return named or "unknown"


def _typed(resource: Resource, obj: Object) -> Object:
    """The object with its type, which has to be that of the path."""
    given = obj.get("apiVersion") or resource.api_version, obj.get("kind") or resource.kind
    if given != (resource.api_version, resource.kind):
        expected = f"{resource.api_version}, Kind={resource.kind}"
        raise bad_request(
            f"the API version in the data ({given[0]}, Kind={given[1]}) does not match "
            f"the expected API version ({expected})"
        )
    typed = {**obj, "apiVersion": resource.api_version, "kind": resource.kind}
    return versions.as_stored(resource, typed) if versions.is_second(resource) else typed
