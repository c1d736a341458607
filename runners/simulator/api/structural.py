"""Structural schemas: what custom resources may hold, and what is wrong with one that holds something else.

A custom resource's schema is the JSONSchemaProps of its definition. Fields that it does not name are
pruned, defaults are filled in, and what is left is held against it.
staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/{pruning,defaulting}, pkg/apiserver/validation
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.refusals import FieldError, render, required, too_long, wrong

Schema: TypeAlias = dict[str, Any]

KEEP, INT_OR_STRING = "x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string"
EMBEDDED = "x-kubernetes-embedded-resource"
ROOT = ("apiVersion", "kind", "metadata")
"""What every object has beside what its schema names; an embedded one, too."""


def prune(value: Any, schema: Schema, unknown: list[str], path: str = "", *, root: bool = False) -> Any:
    """The value without the fields that the schema does not name; their paths are added to `unknown`."""
    if isinstance(value, list):
        items = schema.get("items", {})
        return [prune(item, items, unknown, f"{path}[{at}]") for at, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    properties, others = schema.get("properties", {}), schema.get("additionalProperties")
    kept = ROOT if root or schema.get(EMBEDDED) else ()
    left: Object = {}
    for field, inner in value.items():
        at = f"{path}.{field}" if path else field
        if field in kept:
            left[field] = inner
        elif field in properties:
            left[field] = prune(inner, properties[field], unknown, at)
        elif isinstance(others, dict):
            left[field] = prune(inner, others, unknown, at)
        elif others or schema.get(KEEP):
            left[field] = inner
        else:
            unknown.append(at)
    return left


def with_defaults(value: Any, schema: Schema) -> Any:
    """The value with the schema's defaults where a field is not there, or null and not nullable."""
    if isinstance(value, list):
        return [with_defaults(item, schema.get("items", {})) for item in value]
    if not isinstance(value, dict):
        return value
    properties, others = schema.get("properties", {}), schema.get("additionalProperties")
    filled = {
        field: inner
        for field, inner in value.items()
        if inner is not None or _takes_null(properties.get(field, {}), field in properties)
    }
    for field, inner in properties.items():
        if field not in filled and "default" in inner:
            filled[field] = inner["default"]
    return {
        field: with_defaults(inner, properties.get(field) or (others if isinstance(others, dict) else {}))
        for field, inner in filled.items()
    }


def _takes_null(schema: Schema, is_named: bool) -> bool:
    return not is_named or bool(schema.get("nullable")) or "default" not in schema


def check(value: Any, schema: Schema, path: str = "") -> Iterator[FieldError]:
    """All that is wrong with a value, in the schema's order."""
    if value is None and schema.get("nullable"):
        return
    type_ = schema.get("type")
    if schema.get(INT_OR_STRING):
        if not _is("integer", value) and not isinstance(value, str):
            yield _mismatch(path, value, "integer,string")
            return
    elif type_ and not _is(type_, value):
        yield _mismatch(path, value, type_)
        return
    if "enum" in schema and value not in schema["enum"]:
        allowed = ", ".join(f'"{each}"' for each in schema["enum"])
        yield FieldError(path, "Unsupported value", f"supported values: {allowed}", render(value))
    for keyword, test in _tests(value):
        if keyword in schema and (error := test(path, value, schema[keyword], schema)):
            yield error
    if isinstance(value, dict):
        yield from _check_fields(value, schema, path)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from check(item, schema.get("items", {}), f"{path}[{at}]")
    yield from _check_joined(value, schema, path)


def _check_fields(value: Object, schema: Schema, path: str) -> Iterator[FieldError]:
    for field in schema.get("required", ()):
        if field not in value:
            yield required(_join(path, field))
    properties, others = schema.get("properties", {}), schema.get("additionalProperties")
    for field, inner in value.items():
        known = properties.get(field) or (others if isinstance(others, dict) else None)
        if known is not None:
            yield from check(inner, known, _join(path, field))


def _check_joined(value: Any, schema: Schema, path: str) -> Iterator[FieldError]:
    for part in schema.get("allOf", ()):
        yield from check(value, part, path)
    if (parts := schema.get("anyOf")) and all(any(True for _ in check(value, part, path)) for part in parts):
        yield _in_body(path, value, "must validate at least one schema (anyOf)")
    if parts := schema.get("oneOf"):
        fitting = sum(not any(True for _ in check(value, part, path)) for part in parts)
        if fitting != 1:
            found = "Found none valid" if not fitting else f"Found {fitting} valid alternatives"
            yield _in_body(path, value, f"must validate one and only one schema (oneOf). {found}")
    if "not" in schema and not any(True for _ in check(value, schema["not"], path)):
        yield _in_body(path, value, "must not validate the schema (not)")


TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: (
        not isinstance(value, bool) and isinstance(value, int | float) and value == int(value)
    ),
    "number": lambda value: not isinstance(value, bool) and isinstance(value, int | float),
}


def _is(type_: str, value: Any) -> bool:
    return TYPES.get(type_, lambda _: True)(value)


def _mismatch(path: str, value: Any, type_: str) -> FieldError:
    found = next((name for name, is_of in TYPES.items() if is_of(value)), "null")
    return FieldError(
        path or "<nil>",
        "Invalid value",
        f'{path} in body must be of type {type_}: "{found}"'.lstrip(),
        f'"{found}"',
    )


Test: TypeAlias = Callable[[str, Any, Any, Schema], FieldError | None]


def _tests(value: Any) -> tuple[tuple[str, Test], ...]:
    """The keywords that say something of values of this type."""
    if isinstance(value, str):
        return TEXT_TESTS
    if isinstance(value, list):
        return LIST_TESTS
    if isinstance(value, dict):
        return MAP_TESTS
    return NUMBER_TESTS if _is("number", value) else ()


def _minimum(path: str, value: Any, limit: Any, schema: Schema) -> FieldError | None:
    exclusive = schema.get("exclusiveMinimum")
    if value > limit or (value == limit and not exclusive):
        return None
    word = "greater than" if exclusive else "greater than or equal to"
    return _in_body(path, value, f"should be {word} {limit}")


def _maximum(path: str, value: Any, limit: Any, schema: Schema) -> FieldError | None:
    exclusive = schema.get("exclusiveMaximum")
    if value < limit or (value == limit and not exclusive):
        return None
    word = "less than" if exclusive else "less than or equal to"
    return _in_body(path, value, f"should be {word} {limit}")


def _multiple(path: str, value: Any, of: Any, _schema: Schema) -> FieldError | None:
    return None if value % of == 0 else _in_body(path, value, f"should be a multiple of {of}")


def _pattern(path: str, value: str, pattern: str, _schema: Schema) -> FieldError | None:
    return None if re.search(pattern, value) else _in_body(path, value, f"should match '{pattern}'")


def _at_least(what: str) -> Test:
    def test(path: str, value: Any, limit: int, _schema: Schema) -> FieldError | None:
        if len(value) >= limit:
            return None
        shown = value if isinstance(value, str) else len(value)
        return _in_body(path, shown, f"should {what.format(limit)}")

    return test


def _longest(path: str, value: str, limit: int, _schema: Schema) -> FieldError | None:
    return None if len(value) <= limit else too_long(path, limit)


def _most(path: str, value: Any, limit: int, _schema: Schema) -> FieldError | None:
    if len(value) <= limit:
        return None
    return FieldError(path, "Too many", f"must have at most {limit} items", str(len(value)))


TEXT_TESTS: tuple[tuple[str, Test], ...] = (
    ("minLength", _at_least("be at least {} chars long")),
    ("maxLength", _longest),
    ("pattern", _pattern),
)
LIST_TESTS: tuple[tuple[str, Test], ...] = (
    ("minItems", _at_least("have at least {} items")),
    ("maxItems", _most),
)
MAP_TESTS: tuple[tuple[str, Test], ...] = (
    ("minProperties", _at_least("have at least {} properties")),
    ("maxProperties", _most),
)
NUMBER_TESTS: tuple[tuple[str, Test], ...] = (
    ("minimum", _minimum),
    ("maximum", _maximum),
    ("multipleOf", _multiple),
)


def _in_body(path: str, value: Any, what: str) -> FieldError:
    return wrong(path, value, f"{path} in body {what}")


def _join(path: str, field: str) -> str:
    return f"{path}.{field}" if path else field
