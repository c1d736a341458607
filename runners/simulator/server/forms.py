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
from gherkube.runners.simulator.server import tables, versions
from gherkube.runners.simulator.server.calls import JSON, TRUE
from gherkube.runners.simulator.server.negotiation import Form

META = "meta.k8s.io/v1"
_COMPACT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
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
    if versions.is_second(resource):
        obj = versions.as_served(resource, obj)
    elif resource.custom is not None:
        obj = _in_version(obj, resource)
    if form.what.startswith("PartialObjectMetadata"):
        return _metadata_alone(obj)
    if "items" in obj and obj["kind"] == f"{resource.kind}List":
        return {**obj, "items": [_without_type(item) for item in obj["items"]]}
    return obj


def _json(value: Any) -> bytes:
    return _COMPACT.encode(value).encode()


def encoded(obj: Any, type_: str = JSON, *, pretty: bool = False) -> bytes:
    """The text of an answer."""
    if type_ == JSON:
        if pretty:
            return json.dumps(obj, indent=2, ensure_ascii=False).encode() + b"\n"
        return _json(obj) + b"\n"
    import yaml

    return yaml.safe_dump(obj, sort_keys=True, allow_unicode=True).encode()


def said(
    obj: Object, form: Form, resource: Resource, query: Mapping[str, str], now: float, texts: Texts
) -> bytes:
    """The text of an answer that says an object or list of a resource; see `shaped`."""
    pretty = query.get("pretty", "") in TRUE
    is_list = "items" in obj and obj.get("kind") == f"{resource.kind}List"
    as_stored = resource.custom is None and not versions.is_second(resource)
    if is_list and as_stored and form.type == JSON and not form.what and not pretty:
        return texts.list(obj)
    return encoded(shaped(obj, form, resource, query, now), form.type, pretty=pretty)


class Texts:
    """The JSON of stored versions of objects, each made once however many lists and watchers it goes to.

    Versions never change, so each is known by its identity for as long as it is held here: those that were
    asked for last, up to `most` bytes and as much again.
    """

    def __init__(self, most: int = 32 * 1024 * 1024) -> None:
        self._most, self._held = most, 0
        self._new: dict[int, tuple[Object, bytes]] = {}
        self._old: dict[int, tuple[Object, bytes]] = {}

    def object(self, obj: Object) -> bytes:
        """The object with its type."""
        return b'{"kind":%b,"apiVersion":%b,%b' % (
            _json(obj["kind"]),
            _json(obj["apiVersion"]),
            self.untyped(obj)[1:],
        )

    def untyped(self, obj: Object) -> bytes:
        """The object as it stands in a list."""
        if known := self._new.get(id(obj)):
            return known[1]
        known = self._old.get(id(obj)) or (obj, _json(_without_type(obj)))
        self._new[id(obj)] = known
        self._held += len(known[1])
        if self._held > self._most:
            self._old, self._new, self._held = self._new, {}, 0
        return known[1]

    def list(self, listed: Object) -> bytes:
        """A list of stored objects."""
        head = _json({key: value for key, value in listed.items() if key != "items"})[:-1]
        return b'%b,"items":[%b]}\n' % (head, b",".join(map(self.untyped, listed["items"])))


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
