"""How objects are said in an answer: as they are, as a Table, or their metadata alone.

staging/src/k8s.io/apiserver/pkg/endpoints/handlers/response.go
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.resources import Resource
from gherkube.runners.simulator.server import events, tables
from gherkube.runners.simulator.server.calls import JSON
from gherkube.runners.simulator.server.negotiation import Form

META = "meta.k8s.io/v1"
INCLUDES = ("Metadata", "Object", "None")


def shaped(
    obj: Object, form: Form, resource: Resource, query: Mapping[str, str], now: float, *, headers: bool = True
) -> Object:
    """An object or list of a resource in the form that is wanted; a Status stays one.

    `now` in Unix seconds; `headers`: whether a Table names its columns.
    """
    if obj.get("kind") == "Status":
        return obj
    if form.what == "Table":
        include = query.get("includeObject") or "Metadata"
        if include not in INCLUDES:
            raise ApiError(400, "BadRequest", f'unrecognized includeObject value: "{include}"')
        table = tables.table(resource, obj, now=now, include=include, headers=headers)
        return table if form.version == "v1" else {**table, "apiVersion": f"meta.k8s.io/{form.version}"}
    if resource.group == events.GROUP:
        obj = events.as_new(obj)
    elif resource.custom is not None:
        obj = _in_version(obj, resource)
    if form.what.startswith("PartialObjectMetadata"):
        return _metadata_alone(obj)
    if "items" in obj and obj["kind"] == f"{resource.kind}List":
        return {**obj, "items": [_without_type(item) for item in obj["items"]]}
    return obj


def encoded(obj: Any, type_: str = JSON, *, pretty: bool = False) -> bytes:
    """The text of an answer."""
    if type_ == JSON:
        if pretty:
            return json.dumps(obj, indent=2, ensure_ascii=False).encode() + b"\n"
        return json.dumps(obj, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    import yaml

    return yaml.safe_dump(obj, sort_keys=True, allow_unicode=True).encode()


def _metadata_alone(obj: Object) -> Object:
    if "items" in obj:
        return {
            "kind": "PartialObjectMetadataList",
            "apiVersion": META,
            "metadata": obj["metadata"],
            "items": [_metadata_alone(item) for item in obj["items"]],
        }
    return {"kind": "PartialObjectMetadata", "apiVersion": META, "metadata": obj["metadata"]}


def _in_version(obj: Object, resource: Resource) -> Object:
    """A custom object, or a list of them, as one of the version that is asked for."""
    if "items" in obj and obj.get("kind") == f"{resource.kind}List":
        return {**obj, "items": [_in_version(item, resource) for item in obj["items"]]}
    if obj.get("kind") != resource.kind or obj.get("apiVersion") == resource.api_version:
        return obj
    return {**obj, "apiVersion": resource.api_version}


def _without_type(item: Object) -> Object:
    return {key: value for key, value in item.items() if key not in ("kind", "apiVersion")}
