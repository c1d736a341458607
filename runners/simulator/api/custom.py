"""Custom resources: what a CustomResourceDefinition defines, and the objects of its kind.

staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go,
pkg/registry/customresource/strategy.go, pkg/apis/apiextensions/validation/validation.go
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gherkube.runners.objects import Object
from gherkube.runners.simulator.api import structural
from gherkube.runners.simulator.api.refusals import FieldError, required, wrong
from gherkube.runners.simulator.api.resources import Custom, Resource
from gherkube.runners.simulator.api.schema import DecodingError, decode

DEFINITIONS = "customresourcedefinitions"


def resources_of(definition: Object) -> Iterator[Resource]:
    """The resources that a definition asks to be served, one a version, that of storage first."""
    spec = definition["spec"]
    names = spec["names"]
    for version in sorted(spec["versions"], key=lambda each: not each.get("storage", False)):
        if not version.get("served"):
            continue
        subresources = version.get("subresources", {})
        yield Resource(
            f"{names['plural']}.{spec['group']}",
            spec["group"],
            version["name"],
            names["kind"],
            spec.get("scope") == "Namespaced",
            tuple(names.get("shortNames", ())),
            "status" in subresources,
            has_generation=True,
            custom=Custom(
                names.get("singular") or names["kind"].lower(),
                tuple(names.get("categories", ())),
                version.get("schema", {}).get("openAPIV3Schema", {}),
                tuple(version.get("additionalPrinterColumns", ())),
                subresources.get("scale"),
            ),
        )


def decode_custom(info: Resource, obj: Any, found_unknown: list[str] | None = None) -> Object:
    """The custom resource that was sent, pruned and with its defaults. Raises DecodingError.

    Unknown fields are an error, too; with `found_unknown` they are added to it and left out.
    """
    assert info.custom is not None
    if not isinstance(obj, dict):
        raise DecodingError(f"json: cannot unmarshal into Go value of type {info.kind}")
    unknown: list[str] = []
    left = structural.prune(obj, info.custom.schema, unknown, root=True)
    metadata = decode("ConfigMap", {"metadata": obj.get("metadata")}, found_unknown).get("metadata", {})
    if found_unknown is not None:
        found_unknown += sorted(unknown)
    elif unknown:
        found = ", ".join(f'unknown field "{path}"' for path in sorted(unknown))
        raise DecodingError(f"strict decoding error: {found}", *sorted(unknown))
    filled: Object = structural.with_defaults(left, info.custom.schema)
    return {**filled, "metadata": metadata}


def check_custom(info: Resource, obj: Object) -> Iterator[FieldError]:
    """What is wrong with a custom resource by its schema."""
    assert info.custom is not None
    body = {field: value for field, value in obj.items() if field not in structural.ROOT}
    schema = {
        **info.custom.schema,
        "required": [each for each in info.custom.schema.get("required", ()) if each not in structural.ROOT],
    }
    return structural.check(body, schema)


def check_definition(definition: Object) -> Iterator[FieldError]:
    """What is wrong with a definition. ValidateCustomResourceDefinition"""
    spec = definition["spec"]
    names, versions = spec.get("names", {}), spec.get("versions", [])
    name, wanted = definition["metadata"].get("name", ""), f"{names.get('plural')}.{spec.get('group')}"
    if name != wanted:
        yield wrong("metadata.name", name, 'must be spec.names.plural+"."+spec.group')
    for field in ("group", "scope"):
        if not spec.get(field):
            yield required(f"spec.{field}")
    for field in ("plural", "kind"):
        if not names.get(field):
            yield required(f"spec.names.{field}")
    if sum(bool(version.get("storage")) for version in versions) != 1:
        yield wrong("spec.versions", [], "must have exactly one version marked as storage version")
    for at, version in enumerate(versions):
        field = f"spec.versions[{at}].schema.openAPIV3Schema"
        schema = version.get("schema", {}).get("openAPIV3Schema")
        if not schema:
            yield required(field, "schemas are required")
        else:
            yield from _check_schema(schema, field)
            if schema.get("type") != "object":
                yield wrong(f"{field}.type", schema.get("type", ""), "must be object at the root")


def _check_schema(schema: Object, field: str) -> Iterator[FieldError]:
    if "pattern" in schema:
        try:
            re.compile(schema["pattern"])
        except re.error as error:
            said = f"must be a valid regular expression, but isn't: {error}"
            yield wrong(f"{field}.pattern", schema["pattern"], said)
    typed = schema.get("type") or schema.get(structural.KEEP) or schema.get(structural.INT_OR_STRING)
    if not typed:
        yield required(f"{field}.type", "must not be empty for specified object fields")
    for name, inner in schema.get("properties", {}).items():
        yield from _check_schema(inner, f"{field}.properties[{name}]")
    for part in ("items", "additionalProperties"):
        if isinstance(schema.get(part), dict):
            yield from _check_schema(schema[part], f"{field}.{part}")
