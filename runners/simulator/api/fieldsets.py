"""Sets of an object's fields: what `managedFields` is made of.

A field is named by its path, a tuple of steps as they are spelled in FieldsV1: `f:spec` for a field or
a map's entry, `k:{"name":"app"}` for the item of a list by its keys, `v:"x"` for a text in a set.
sigs.k8s.io/structured-merge-diff/v6/fieldpath
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any, TypeAlias

from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.merge_types import (
    ATOMIC_LISTS,
    ATOMIC_MAPS,
    ATOMIC_STRUCTS,
    KEY_DEFAULTS,
    KEYS,
    SETS,
)
from gherkube.runners.simulator.api.schema import table

Field: TypeAlias = tuple[str, ...]
Fields: TypeAlias = frozenset[Field]

ITEM, MAP, STRUCT = object(), object(), object()
"""What stands for the value of a list's item, a map, a struct: it is their parts that have values."""
VALUES = frozenset({"metadata", "resources", "spec", "status", "strategy", "template"})
"""Structs that are always there (no pointers in Go), so nobody brings them in."""


def values(obj: Object, kind: str) -> dict[Field, Any]:
    """The value of each field of an object of a kind; of one that the schema does not know, as it looks."""
    found: dict[Field, Any] = {}
    struct = table()["kinds"].get(kind, "")
    for field, value in obj.items():
        _walk(value, field_type(struct, field), (struct, field), (f"f:{field}",), found)
    return found


def applied(obj: Object, kind: str) -> Fields:
    """The fields that somebody who applies this object asks for: all values, items, and empty maps."""
    return frozenset(field for field, value in values(obj, kind).items() if value not in (MAP, STRUCT))


def field_type(struct: str, field: str) -> str:
    """The type of a struct's field, as `schema.json` spells it; "" where it is not known."""
    type_: str = table()["structs"].get(struct, {}).get(field, "")
    return type_.rstrip("?")


def element(type_: str) -> str:
    """The type of what a list or map holds."""
    return type_[2:] if type_[:2] in ("[]", "{}") else ""


def is_atomic(type_: str, place: tuple[str, str]) -> bool:
    """Whether what stands there (struct and field) is owned as one."""
    if type_.startswith("[]"):
        return place in ATOMIC_LISTS or (element(type_) not in KEYS and place not in SETS)
    return type_ in ATOMIC_STRUCTS or place in ATOMIC_MAPS


def item_step(item: Any, struct: str) -> str:
    """The step to an item of a list: by its keys, or by its value in a set."""
    if struct not in KEYS:
        return "v:" + _compact(item)
    keys = {key: item.get(key, KEY_DEFAULTS.get(key)) for key in KEYS[struct]}
    return "k:" + _compact({key: value for key, value in keys.items() if value is not None})


def _walk(value: Any, type_: str, place: tuple[str, str], at: Field, found: dict[Field, Any]) -> None:
    if isinstance(value, list) and type_ and not is_atomic(type_, place):
        inner = element(type_)
        for item in value:
            step = (*at, item_step(item, inner))
            if inner in KEYS and inner not in ATOMIC_STRUCTS:
                found[step] = ITEM
                _walk_fields(item, inner, step, found)
            else:
                found[step] = item
    elif isinstance(value, dict) and value and not is_atomic(type_, place):
        if type_.startswith("{}"):
            found[at] = MAP
            for key, entry in value.items():
                _walk(entry, element(type_), ("", key), (*at, f"f:{key}"), found)
        else:
            if place[1] not in VALUES:
                found[at] = STRUCT
            _walk_fields(value, type_, at, found)
    else:
        found[at] = value


def _walk_fields(value: Object, struct: str, at: Field, found: dict[Field, Any]) -> None:
    for field, inner in value.items():
        _walk(inner, field_type(struct, field), (struct, field), (*at, f"f:{field}"), found)


def encode(fields: Collection[Field]) -> Object:
    """The fields as FieldsV1: a step inside a step, "." where a field that has parts is meant itself."""
    root: Object = {}
    for field in sorted(fields):
        node = root
        for step in field:
            node = node.setdefault(step, {})
    for field in fields:
        node = root
        for step in field:
            node = node[step]
        if node and "." not in node:
            node["."] = {}
    return root


def decode(encoded: Object) -> Fields:
    """The fields that FieldsV1 names."""
    return frozenset(_decoded(encoded, ()))


def _decoded(node: Object, at: Field) -> Iterator[Field]:
    if at and (not node or "." in node):
        yield at
    for step, inner in node.items():
        if step != ".":
            yield from _decoded(inner, (*at, step))


def spell(field: Field) -> str:
    """A field as messages name it: `.spec.template.spec.containers[name="app"].image`. path.go String"""
    return "".join(_spelled(step) for step in field)


def _spelled(step: str) -> str:
    form, _, rest = step.partition(":")
    if form == "f":
        return f".{rest}"
    if form == "v":
        return f"[={rest}]"
    return "[" + ",".join(f"{key}={_compact(value)}" for key, value in json.loads(rest).items()) + "]"


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
