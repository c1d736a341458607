"""OpenAPI: the fields of every kind, what they mean, how lists of them merge, and the paths.

The schemas of Kubernetes' kinds are data (`openapi.json.gz`, made by tools/derive_openapi.py from
Kubernetes' own document); those of custom resources come with what is `Served`. A document of OpenAPI v3
speaks of one group and version, that of v2 of all.
kube-openapi/pkg/builder3, kube-openapi/pkg/handler3
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha512
from importlib.resources import files
from itertools import chain
from typing import Any

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.server.discovery import Served, built_in
from gherkube.runners.simulator.server.openapi_paths import META, paths_of

KIND_MARK = "x-kubernetes-group-version-kind"
INFO = {"title": "Kubernetes", "version": "v1.34.4"}
ALWAYS = (f"{META}DeleteOptions", f"{META}Patch", f"{META}Status", f"{META}ObjectMeta", f"{META}ListMeta")
"""Schemas that paths refer to, whatever the kind."""
EITHER = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": ("string", "number"),
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": ("integer", "string"),
}
"""What v2 can only call a string: the types that such a value may have."""


@cache
def _data() -> tuple[dict[str, Object], str]:
    """The schemas by name, in the form of v2, and a hash of them."""
    packed = files(__package__).joinpath("openapi.json.gz").read_bytes()
    return json.loads(gzip.decompress(packed))["definitions"], sha512(packed).hexdigest()


@cache
def _names() -> dict[tuple[str, str, str], str]:
    """By group, version and kind: the name of its schema; DeleteOptions and the like belong to none."""
    return {
        (marks[0]["group"], marks[0]["version"], marks[0]["kind"]): name
        for name, schema in _data()[0].items()
        if len(marks := schema.get(KIND_MARK, ())) == 1
    }


def v3_index(served: Iterable[Served] | None = None) -> Object:
    """The answer to /openapi/v3: the path of each document, with a hash that changes when it does."""
    paths = {}
    for path, found in sorted(_by_path(served).items()):
        told = json.dumps([one._asdict() for one in found], sort_keys=True)
        digest = sha512((_data()[1] + told).encode()).hexdigest().upper()
        paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
    return {"paths": paths}


def v3(path: str, served: Iterable[Served] | None = None) -> Object:
    """The document of a group and version: `path` is "api/v1" or "apis/apps/v1".

    ApiError NotFound when nothing of them is served.
    """
    found = _by_path(served).get(path)
    if found is None:
        raise ApiError(404, "NotFound", "the server could not find the requested resource")
    schemas, names = _schemas(found)
    paths = dict(chain.from_iterable(paths_of(one, names) for one in found))
    used = _reachable(schemas, [*_kinds(found, names), *ALWAYS])
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "unversioned"},
        "paths": paths,
        "components": {"schemas": {name: _third(name, schemas[name]) for name in used}},
    }


def v2(served: Iterable[Served] | None = None) -> Object:
    """The answer to /openapi/v2: one document of everything."""
    found = list(built_in() if served is None else served)
    schemas, names = _schemas(found)
    paths = dict(chain.from_iterable(paths_of(one, names) for one in found))
    used = _reachable(schemas, [*_kinds(found, names), *ALWAYS])
    return {
        "swagger": "2.0",
        "info": INFO,
        "paths": {path: _second(item) for path, item in sorted(paths.items())},
        "definitions": {name: schemas[name] for name in used},
    }


def _by_path(served: Iterable[Served] | None) -> dict[str, list[Served]]:
    found: dict[str, list[Served]] = {}
    for one in built_in() if served is None else served:
        resource = one.resource
        path = f"apis/{resource.group}/{resource.version}" if resource.group else f"api/{resource.version}"
        found.setdefault(path, []).append(one)
    return found


def _schemas(found: Iterable[Served]) -> tuple[dict[str, Object], dict[tuple[str, str, str], str]]:
    """All schemas and the names of kinds, those of custom resources among them."""
    custom = {_custom_name(one): one for one in found if one.resource.custom}
    if not custom:
        return _data()[0], _names()
    schemas, names = dict(_data()[0]), dict(_names())
    for name, one in custom.items():
        resource = one.resource
        kind = (resource.group, resource.version, resource.kind)
        names[kind], names[*kind[:2], f"{kind[2]}List"] = name, f"{name}List"
        schemas[name], schemas[f"{name}List"] = _custom(one), _custom_list(one, name)
    return schemas, names


def _custom_name(one: Served) -> str:
    """The name of a custom resource's schema: that of its group, turned around, its version, its kind."""
    resource = one.resource
    return ".".join([*reversed(resource.group.split(".")), resource.version, resource.kind])


def _custom(one: Served) -> Object:
    """The schema of a custom resource, with what every object has. apiextensions-apiserver builder.go"""
    schema = one.resource.custom.schema if one.resource.custom else {}
    properties = {
        **(schema.get("properties") or {}),
        **_type_meta(),
        "metadata": _metadata("Pod"),
    }
    return {"type": "object", **schema, "properties": properties, KIND_MARK: [_mark(one, one.resource.kind)]}


def _custom_list(one: Served, name: str) -> Object:
    kind = one.resource.kind
    return {
        "description": f"{kind}List is a list of {kind}",
        "type": "object",
        "required": ["items"],
        "properties": {
            **_type_meta(),
            "items": {
                "description": f"List of {one.resource.plural}.",
                "type": "array",
                "items": {"$ref": f"#/definitions/{name}"},
            },
            "metadata": _metadata("PodList"),
        },
        KIND_MARK: [_mark(one, f"{kind}List")],
    }


def _mark(one: Served, kind: str) -> Object:
    return {"group": one.resource.group, "version": one.resource.version, "kind": kind}


def _type_meta() -> Object:
    """What every kind says of its type."""
    pod = _data()[0]["io.k8s.api.core.v1.Pod"]["properties"]
    return {field: pod[field] for field in ("apiVersion", "kind")}


def _metadata(like: str) -> Object:
    """What every kind, or every list, says of its metadata."""
    return _data()[0][f"io.k8s.api.core.v1.{like}"]["properties"]["metadata"]  # type: ignore[no-any-return]


def _kinds(found: Iterable[Served], names: dict[tuple[str, str, str], str]) -> Iterator[str]:
    """The schemas that the paths of what is served name."""
    for one in found:
        group, version, kind = one.resource.group, one.resource.version, one.resource.kind
        own = [(group, version, kind), (group, version, f"{kind}List")]
        subs = [(sub.group or group, sub.version or version, sub.kind or kind) for sub in one.subresources]
        yield from (names[key] for key in (*own, *subs) if key in names)


def _reachable(schemas: dict[str, Object], start: Iterable[str]) -> list[str]:
    """The names of the schemas that those at the start need, with these."""
    found: set[str] = set()
    to_do = list(start)
    while to_do:
        if (name := to_do.pop()) not in found:
            found.add(name)
            to_do += _references(schemas[name])
    return sorted(found)


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for item in schema:
            yield from _references(item)
    elif isinstance(schema, dict):
        if isinstance(target := schema.get("$ref"), str):
            yield target.removeprefix("#/definitions/")
        for value in schema.values():
            yield from _references(value)


def _third(name: str, schema: Object) -> Object:
    """A schema in the form of v3."""
    if name in EITHER:
        either: list[Object] = [{"type": type_} for type_ in EITHER[name]]
        return {**{key: value for key, value in schema.items() if key != "type"}, "oneOf": either}
    return _third_of(schema)  # type: ignore[no-any-return]


def _third_of(schema: Any) -> Any:
    """References move, and stand in `allOf` where a description or a mark stands beside them."""
    if isinstance(schema, list):
        return [_third_of(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    new = {key: _third_of(value) for key, value in schema.items()}
    if isinstance(target := new.get("$ref"), str):
        new["$ref"] = target.replace("#/definitions/", "#/components/schemas/")
        if len(new) > 1:
            new["allOf"] = [{"$ref": new.pop("$ref")}]
    return new


def _second(item: Object) -> Object:
    """A path in the form of v2: bodies are parameters, and types stand beside names."""
    new: Object = {}
    for key, value in item.items():
        if key == "parameters":
            new[key] = [_second_parameter(each) for each in value]
            continue
        body, answers = value.get("requestBody"), value["responses"]
        parameters = [_second_parameter(each) for each in value["parameters"]]
        if body:
            schema = _back(next(iter(body["content"].values()))["schema"])
            parameters.insert(
                0, {"name": "body", "in": "body", "required": body["required"], "schema": schema}
            )
        new[key] = {
            **{field: told for field, told in value.items() if field != "requestBody"},
            "consumes": list(body["content"]) if body else ["*/*"],
            "produces": ["application/json"],
            "schemes": ["https"],
            "parameters": parameters,
            "responses": {code: _second_answer(answer) for code, answer in answers.items()},
        }
    return new


def _second_parameter(parameter: Object) -> Object:
    return {**{key: value for key, value in parameter.items() if key != "schema"}, **parameter["schema"]}


def _second_answer(answer: Object) -> Object:
    if "content" not in answer:
        return answer
    schema = _back(answer["content"]["application/json"]["schema"])
    return {"description": answer["description"], "schema": schema}


def _back(schema: Object) -> Object:
    if "$ref" not in schema:
        return schema
    return {"$ref": schema["$ref"].replace("#/components/schemas/", "#/definitions/")}
