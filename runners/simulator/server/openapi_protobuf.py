"""OpenAPI v2 as protobuf, the only form in which kubectl asks for it: it validates `kind: List` by it.

What kubectl reads of it, which is the definitions. github.com/google/gnostic-models openapiv2/OpenAPIv2.proto
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from gherkube.runners.objects import Object

MEDIA = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
"""The media type as it is asked for, and as it is answered: @ may not stand in one."""


def encode(document: Object) -> bytes:
    """A Document with these definitions, and no paths."""
    info = _text(1, document["info"]["title"]) + _text(2, document["info"]["version"])
    return (
        _text(1, document["swagger"])
        + _bytes(2, info)
        + _bytes(8, b"")
        + _bytes(9, _named(document["definitions"]))
    )


def _schema(schema: Object) -> bytes:
    parts = [FIELDS[key](value) for key, value in schema.items() if key in FIELDS]
    parts += [
        _bytes(31, _text(1, key) + _bytes(2, _any(value))) for key, value in schema.items() if key[:2] == "x-"
    ]
    return b"".join(parts)


def _named(schemas: Object) -> bytes:
    return b"".join(
        _bytes(1, _text(1, name) + _bytes(2, _schema(schema))) for name, schema in schemas.items()
    )


def _more(value: Any) -> bytes:
    return _bytes(1, _schema(value)) if isinstance(value, dict) else b"\x10\x01" if value else b""


def _texts(number: int, values: Iterable[str] | str) -> bytes:
    return b"".join(_text(number, each) for each in ([values] if isinstance(values, str) else values))


def _any(value: Any) -> bytes:
    return _text(2, json.dumps(value))


def _text(number: int, text: str) -> bytes:
    return _bytes(number, text.encode())


def _bytes(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    some = bytearray()
    while value > 127:
        some.append(value & 127 | 128)
        value >>= 7
    some.append(value)
    return bytes(some)


FIELDS: dict[str, Callable[[Any], bytes]] = {
    "$ref": lambda value: _text(1, value),
    "format": lambda value: _text(2, value),
    "description": lambda value: _text(4, value),
    "default": lambda value: _bytes(5, _any(value)),
    "required": lambda value: _texts(19, value),
    "enum": lambda value: b"".join(_bytes(20, _any(each)) for each in value),
    "additionalProperties": lambda value: _bytes(21, _more(value)),
    "type": lambda value: _bytes(22, _texts(1, value)),
    "items": lambda value: _bytes(23, _bytes(1, _schema(value))),
    "allOf": lambda value: b"".join(_bytes(24, _schema(each)) for each in value),
    "properties": lambda value: _bytes(25, _named(value)),
}
"""By keyword of a schema: its field in the message."""
