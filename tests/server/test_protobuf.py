"""Objects sent as protobuf: what of their JSON is not the fields of a message by their names."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.simulator.server import protobuf

SCHEMA = "apiextensions.v1.JSONSchemaProps"


def message(name: str, **fields: Any) -> bytes:
    """A message of the given fields: texts, truth values, and messages made by this."""
    numbers = {field: int(number) for number, (field, _) in protobuf._table()[name].items()}
    parts = []
    for field, value in fields.items():
        if isinstance(value, bool):
            parts.append(_varint(numbers[field] << 3) + bytes([value]))
        else:
            data = value.encode() if isinstance(value, str) else value
            parts.append(_varint(numbers[field] << 3 | 2) + _varint(len(data)) + data)
    return b"".join(parts)


def _varint(number: int) -> bytes:
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + _varint(rest) if rest else bytes([low])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"type": "object", "id": "", "uniqueItems": False}, {"type": "object"}),
        ({"schema": "http://x", "ref": "#/y"}, {"$schema": "http://x", "$ref": "#/y"}),
        (
            {"xKubernetesIntOrString": True, "xKubernetesListType": "map"},
            {"x-kubernetes-int-or-string": True, "x-kubernetes-list-type": "map"},
        ),
        (
            {"items": message(f"{SCHEMA}OrArray", schema=message(SCHEMA, type="string"))},
            {"items": {"type": "string"}},
        ),
        (
            {"additionalProperties": message(f"{SCHEMA}OrBool", schema=message(SCHEMA, type="string"))},
            {"additionalProperties": {"type": "string"}},
        ),
        (
            {"additionalProperties": message(f"{SCHEMA}OrBool", allows=True)},
            {"additionalProperties": True},
        ),
    ],
)
def test_a_schema_has_its_json_names(fields: dict[str, Any], said: dict[str, Any]) -> None:
    """What is empty stands in protobuf only; a schema or a truth value stands for itself."""
    assert protobuf._message(message(SCHEMA, **fields), SCHEMA, 0) == said
