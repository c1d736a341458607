"""The verbs of REST over HTTP: what a request asks of the API, and how its answer is said.

staging/src/k8s.io/apiserver/pkg/endpoints/handlers
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from gherkube.runners.cluster import PatchType, Propagation
from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.refusals import bad_request
from gherkube.runners.simulator.api.resources import Resource
from gherkube.runners.simulator.api.server import ApiServer, FieldValidation
from gherkube.runners.simulator.server import chunks, versions
from gherkube.runners.simulator.server.calls import TRUE, Call, Reply
from gherkube.runners.simulator.server.negotiation import body_of, content_type, unsupported
from gherkube.runners.simulator.server.paths import Target, no_such_path

PATCH_TYPES: dict[str, PatchType] = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
}
APPLY = "application/apply-patch+yaml"
VALIDATIONS = ("", "Ignore", "Warn", "Strict")
POLICIES = ("Background", "Foreground", "Orphan")
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
        _check_dry_run(call)
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
            field_validation=_validation(call),
            manager=_manager(call),
        )
        return Reply(created, 201)

    def _post(self, resource: Resource, target: Target, call: Call) -> Reply:
        body = object_of(call)
        _check_options(body.get("deleteOptions") or {})
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
        metadata = {"name": target.name, **metadata}
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
            field_validation=_validation(call),
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
            field_validation=_validation(call),
            manager=_manager(call),
        )
        return Reply(patched)

    def _apply(self, resource: Resource, target: Target, call: Call) -> Reply:
        """Server-side apply."""
        if not call.query.get("fieldManager"):
            said = "fieldManager: Required value: is required for apply patch"
            raise ApiError(422, "Invalid", f'PatchOptions.meta.k8s.io "" is invalid: {said}')
        applied, created = self._api.apply(
            resource.name,
            target.name,
            _typed(resource, object_of(call)),
            target.namespace,
            manager=_manager(call),
            force=call.asks("force"),
            subresource=target.subresource,
            dry_run=bool(call.query.get("dryRun")),
            field_validation=_validation(call),
        )
        return Reply(applied, 201 if created else 200)

    def _delete(self, resource: Resource, target: Target, call: Call) -> Reply:
        if target.subresource:
            raise not_allowed()
        return Reply(self._delete_one(resource, target, _delete_options(call)))

    def _delete_all(self, resource: Resource, target: Target, call: Call) -> Reply:
        if resource.namespaced and not target.namespace:
            raise not_allowed()
        options = _delete_options(call)
        query = {k: v for k, v in call.query.items() if k in ("labelSelector", "fieldSelector")}
        listed = chunks.listing(self._api, resource, target.namespace, query, self._window)
        for obj in listed["items"]:
            self._delete_one(resource, target._replace(name=obj["metadata"]["name"]), options)
        return Reply(listed)

    def _delete_one(self, resource: Resource, target: Target, options: Object) -> Object:
        preconditions = options.get("preconditions") or {}
        if options.get("dryRun"):
            return self._api.get(resource.name, target.name, target.namespace)
        version = preconditions.get("resourceVersion")
        if version:
            self._check_version(resource, target, version)
        return self._api.delete(
            resource.name,
            target.name,
            target.namespace,
            propagation=cast("Propagation | None", options.get("propagationPolicy")),
            grace_period=options.get("gracePeriodSeconds"),
            uid=preconditions.get("uid") or "",
        )

    def _check_version(self, resource: Resource, target: Target, version: str) -> None:
        found = self._api.get(resource.name, target.name, target.namespace)["metadata"]["resourceVersion"]
        if found != version:
            raise ApiError(
                409,
                "Conflict",
                f'Operation cannot be fulfilled on {resource.qualified} "{target.name}": the ResourceVersion '
                f"in the precondition ({version}) does not match the ResourceVersion in record ({found}). "
                "The object might have been modified",
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


def _validation(call: Call) -> FieldValidation:
    given = call.query.get("fieldValidation", "")
    if given not in VALIDATIONS:
        raise _invalid_option("fieldValidation", given, VALIDATIONS)
    return cast("FieldValidation", given or "Warn")


def _check_dry_run(call: Call) -> None:
    given = call.query.get("dryRun")
    if given not in (None, "", "All"):
        raise _invalid_option("dryRun", given, ("All",))


def _invalid_option(name: str, given: Any, known: tuple[str, ...]) -> ApiError:
    shown = ", ".join(f'"{each}"' for each in sorted(known))
    said = f' "" is invalid: {name}: Unsupported value: "{given}": supported values: {shown}'
    return ApiError(422, "Invalid", said)


def _delete_options(call: Call) -> Object:
    """The DeleteOptions of the body, or those of the query."""
    from_query = ("propagationPolicy", "gracePeriodSeconds", "dryRun", "orphanDependents")
    options: Object = {name: call.query[name] for name in from_query if call.query.get(name)}
    body = body_of(call) or {}
    if not isinstance(body, dict):
        raise bad_request("the body of the request has to be DeleteOptions")
    options |= {key: value for key, value in body.items() if value is not None}
    orphan = options.pop("orphanDependents", None)  # what propagationPolicy was called before
    if orphan is not None:
        if (policy := options.get("propagationPolicy")) is not None:
            said = f'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "{policy}": '
            raise ApiError(
                422, "Invalid", f"{said}orphanDependents and deletionPropagation cannot be both set"
            )
        options["propagationPolicy"] = "Orphan" if orphan in (True, *TRUE) else "Background"
    return _check_options(options)


def _check_options(options: Any) -> Object:
    """DeleteOptions whose values are of their types. ApiError BadRequest, or Invalid."""
    if not isinstance(options, dict):
        raise bad_request("deleteOptions has to be an object")
    grace, policy = options.get("gracePeriodSeconds"), options.get("propagationPolicy")
    if isinstance(grace, str) and grace.lstrip("-").isdigit() and len(grace) < 19:
        options["gracePeriodSeconds"] = grace = int(grace)
    if grace is not None and (type(grace) is not int or not -(1 << 62) < grace < 1 << 31):
        raise bad_request(f"invalid gracePeriodSeconds: {grace!r}")
    if policy is not None and policy not in POLICIES:
        said = f'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "{policy}": '
        raise ApiError(422, "Invalid", f'{said}supported values: "Background", "Foreground", "Orphan"')
    preconditions = options.get("preconditions")
    if not isinstance(preconditions or {}, dict):
        raise bad_request("preconditions has to be an object")
    return options
