"""Objects that are sent as protobuf: kubectl's typed commands (create deployment, drain, …) do not ask first.

Answers are never protobuf. The table, `protobuf.json`, is derived by `tools/derive_protobuf.py`.
staging/src/k8s.io/apimachinery/pkg/runtime/serializer/protobuf; protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from gherkube.runners.objects import Object

MAGIC = b"k8s\0"
OPTIONS = {"DeleteOptions", "CreateOptions", "UpdateOptions"}
"""Kinds that are those of meta/v1 in every group."""
GROUPS = {"": "core"}
DEEPEST = 100


class Malformed(ValueError):  # noqa: N818 - as in `malformed request`
    """What is no protobuf of a known kind."""


def decode(body: bytes) -> Object:
    """The object in an envelope of Kubernetes. Raises Malformed."""
    if not body.startswith(MAGIC):
        raise Malformed("provided data does not appear to be a protobuf message, expected prefix k8s")
    envelope = dict(_fields(body[len(MAGIC) :]))
    type_, raw = dict(_fields(_bytes(envelope.get(1, b"")))), _bytes(envelope.get(2, b""))
    api_version, kind = (_text(type_.get(number, b"")) for number in (1, 2))
    group, _, version = api_version.rpartition("/")
    package = "meta.v1" if kind in OPTIONS else f"{GROUPS.get(group, group.split('.')[0])}.{version}"
    name = f"{package}.{kind}"
    if name not in _table():
        raise Malformed(f'no kind "{kind}" is known in version "{api_version}" as protobuf')
    return {"apiVersion": api_version, "kind": kind, **_message(raw, name, 0)}


@cache
def _table() -> dict[str, dict[int, tuple[str, str]]]:
    loaded = json.loads((Path(__file__).parent / "protobuf.json").read_text())
    return {
        name: {int(number): (field, type_) for number, (field, type_) in fields.items()}
        for name, fields in loaded.items()
    }


def _message(data: bytes, name: str, depth: int) -> Any:
    if depth > DEEPEST:
        raise Malformed("nested too deeply")
    special = SPECIAL.get(name)
    if special is not None:
        return special(dict(_fields(data)))
    fields = _table()[name]
    decoded: Object = {}
    for number, value in _fields(data):
        if number not in fields:
            continue
        field, type_ = fields[number]
        if type_.startswith("[]"):
            decoded.setdefault(field, []).append(_value(value, type_[2:], depth))
        elif type_.startswith("&"):
            decoded |= _value(value, type_[1:], depth)
        elif type_.startswith("{}"):
            entry = dict(_fields(_bytes(value)))
            decoded.setdefault(field, {})[_text(entry.get(1, b""))] = _value(
                entry.get(2, b""), type_[2:], depth
            )
        else:
            decoded[field] = _value(value, type_, depth)
    if (finish := JSON_FORMS.get(name)) is not None:
        return finish(decoded)
    if len(fields) == 1 and fields.get(1, ("",))[0] == "items":
        return decoded.get("items", [])  # a named list, such as ExtraValue
    return decoded


def _value(value: int | bytes, type_: str, depth: int) -> Any:
    if type_ == "string":
        return _text(value)
    if type_ == "bytes":
        return b64encode(_bytes(value)).decode()
    if type_ in ("int", "bool", "double"):
        if not isinstance(value, int):
            raise Malformed(f"a number was expected, not {len(value)} bytes")
        return bool(value) if type_ == "bool" else value - (1 << 64) if value >> 63 else value
    return _message(_bytes(value), type_, depth + 1)


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message: number, and an integer or bytes."""
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        length = {1: 8, 5: 4}.get(wire)
        if wire == 2:
            length, at = _varint(data, at)
        if length is None or at + length > end:
            raise Malformed("proto: unexpected end, or a wire type that is not known")
        part = data[at : at + length]
        at += length
        yield number, part if wire == 2 else int.from_bytes(part, "little")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 64:
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & ((1 << 64) - 1), at
        shift += 7
    raise Malformed("proto: a number that does not end")


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise Malformed("bytes were expected, not a number")
    return value


def _text(value: int | bytes) -> str:
    try:
        return _bytes(value).decode()
    except UnicodeDecodeError:
        raise Malformed("a string that is not UTF-8") from None


def _time(fields: dict[int, int | bytes], micro: bool = False) -> str | None:
    seconds, nanos = (_value(fields.get(number, 0), "int", 0) for number in (1, 2))
    if not fields:
        return None
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except OverflowError:
        raise Malformed("a time that is out of range") from None
    if moment.year <= 1:
        return None
    part = f".{nanos // 1000:06d}" if micro else ""
    return moment.strftime(f"%Y-%m-%dT%H:%M:%S{part}Z")


def _int_or_string(fields: dict[int, int | bytes]) -> int | str:
    if fields.get(1):
        return _text(fields.get(3, b""))
    number: int = _value(fields.get(2, 0), "int", 0)
    return number


def _json(fields: dict[int, int | bytes]) -> Any:
    try:
        return json.loads(_bytes(fields.get(1, b"")) or b"null")
    except (ValueError, RecursionError):
        raise Malformed("raw JSON that is none") from None


def _schema(fields: Object) -> Object:
    """A schema by its JSON names; protobuf sends what is empty, too."""
    return {
        SPELLED.get(name) or re.sub("[A-Z]", lambda letter: "-" + letter[0].lower(), name)
        if name in SPELLED or name.startswith("xKubernetes")
        else name: value
        for name, value in fields.items()
        if value is not False and value != ""
    }


SPELLED = {"schema": "$schema", "ref": "$ref"}
SCHEMA = "apiextensions.v1.JSONSchemaProps"
JSON_FORMS: dict[str, Callable[[Object], Any]] = {
    SCHEMA: _schema,
    f"{SCHEMA}OrArray": lambda fields: fields.get("jSONSchemas") or fields.get("schema"),
    f"{SCHEMA}OrBool": lambda fields: fields.get("schema", fields.get("allows", False)),
    f"{SCHEMA}OrStringArray": lambda fields: fields.get("property") or fields.get("schema"),
}
"""Messages whose JSON is made of their fields, but not an object of them by their names."""

SPECIAL: dict[str, Callable[[dict[int, int | bytes]], Any]] = {
    "meta.v1.Time": _time,
    "meta.v1.MicroTime": lambda fields: _time(fields, micro=True),
    "util.intstr.IntOrString": _int_or_string,
    "api.resource.Quantity": lambda fields: _text(fields.get(1, b"")),
    "meta.v1.FieldsV1": _json,
    "runtime.RawExtension": _json,
    "apiextensions.v1.JSON": _json,
}
"""Messages whose JSON is not an object of their fields."""
