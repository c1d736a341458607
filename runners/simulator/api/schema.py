"""Decoding: what was sent becomes an object of its kind, or is refused in the API server's words.

Unknown fields are refused (strict field validation, as kubectl asks for it), values have to be of
their field's type, and what a Go struct would leave out when it is written again is left out here:
nulls, empty lists and maps, empty texts, and zeroes of fields that are no pointers.

The table, `schema.json`, is derived from the models of the kubernetes package by
`tools/derive_schema.py`, which also says what its types mean.
apimachinery/pkg/runtime/serializer/json/json.go, sigs.k8s.io/json
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from gherkube.runners.objects import Object
from gherkube.runners.quantities import parse

Path_: TypeAlias = list[str | int]
Decode: TypeAlias = Callable[[Any, Path_, list[str], str], Any]


class DecodingError(Exception):
    """Why something is no object of its kind; the message is the API server's.

    `paths`: the fields that are wrong, as messages spell them; none where that is not known.
    """

    def __init__(self, message: str, *paths: str) -> None:
        super().__init__(message)
        self.paths = paths


@cache
def table() -> dict[str, Any]:
    """The table of kinds and structs, read when it is first needed."""
    loaded: dict[str, Any] = json.loads((Path(__file__).parent / "schema.json").read_text())
    return loaded


def keep_more() -> None:
    """Lets the table also know the kinds that the simulator does not act on."""
    more = json.loads((Path(__file__).parent / "schema_kept.json").read_text())
    for part, entries in more.items():
        table()[part].update(entries)


def fields_of(kind: str) -> Mapping[str, str]:
    """The fields of a kind's objects, and their types."""
    fields: dict[str, str] = table()["structs"][table()["kinds"][kind]]
    return fields


def decode(kind: str, value: Any, found_unknown: list[str] | None = None) -> Object:
    """The object of that kind that was sent, without what is empty. Raises DecodingError.

    Unknown fields are an error, too; with `found_unknown` they are added to it and left out.
    """
    unknown: list[str] = []
    decoded: Object = _decoder(table()["kinds"][kind])(value, [], unknown, "")
    if found_unknown is not None:
        found_unknown += sorted(unknown)
    elif unknown:
        found = ", ".join(f'unknown field "{path}"' for path in sorted(unknown))
        raise DecodingError(f"strict decoding error: {found}", *sorted(unknown))
    return decoded


@cache
def _decoder(type_: str) -> Decode:
    """How values of a type are decoded: `(value, path, unknown fields so far, struct) -> value`."""
    if type_.startswith("[]"):
        return _list(type_)
    if type_.startswith("{}"):
        return _map(type_)
    return SCALARS.get(type_.rstrip("?")) or _struct(type_)


def _struct(name: str) -> Decode:
    fields: dict[str, tuple[str, type | None, bool]] = {
        field: (type_, PLAIN.get(type_.rstrip("?")), _leaves_out_zero(type_))
        for field, type_ in table()["structs"][name].items()
    }

    def decode_struct(value: Any, path: Path_, unknown: list[str], struct: str) -> Any:
        if not isinstance(value, dict):
            _mismatch(value, f"v1.{name}", path, struct)
        decoded = {}
        for field, given in value.items():
            if given is None:
                continue
            known = fields.get(field)
            if known is None:
                unknown.append(_spell([*path, field]))
                continue
            type_, plain, leaves_out = known
            result = given
            if type(given) is not plain:
                path.append(field)
                result = _decoder(type_)(given, path, unknown, name)
                path.pop()
            if result or not leaves_out:
                decoded[field] = result
        return decoded

    return decode_struct


def _leaves_out_zero(type_: str) -> bool:
    return type_.startswith(("[]", "{}")) or type_.endswith("?")


def _list(type_: str) -> Decode:
    inner = _decoder(type_[2:])

    def decode_list(value: Any, path: Path_, unknown: list[str], struct: str) -> Any:
        if not isinstance(value, list):
            _mismatch(value, _go_type(type_), path, struct)
        decoded = []
        for at, item in enumerate(value):
            if item is None:
                continue
            path.append(at)
            decoded.append(inner(item, path, unknown, struct))
            path.pop()
        return decoded

    return decode_list


def _map(type_: str) -> Decode:
    inner, zero = _decoder(type_[2:]), ZEROES.get(type_[2:], dict)

    def decode_map(value: Any, path: Path_, unknown: list[str], struct: str) -> Any:
        if not isinstance(value, dict):
            _mismatch(value, _go_type(type_), path, struct)
        return {
            key: zero() if item is None else inner(item, path, unknown, struct) for key, item in value.items()
        }

    return decode_map


def _string(value: Any, path: Path_, _unknown: list[str], struct: str) -> Any:
    if not isinstance(value, str):
        _mismatch(value, "string", path, struct)
    return value


def _bool(value: Any, path: Path_, _unknown: list[str], struct: str) -> Any:
    if not isinstance(value, bool):
        _mismatch(value, "bool", path, struct)
    return value


def _integer(go_type: str, limit: int) -> Decode:
    def decode_integer(value: Any, path: Path_, _unknown: list[str], struct: str) -> Any:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int or not -limit <= value < limit:
            _mismatch(value, go_type, path, struct)
        return value

    return decode_integer


def _float(value: Any, path: Path_, _unknown: list[str], struct: str) -> Any:
    if type(value) not in (int, float):
        _mismatch(value, "float64", path, struct)
    return value


def _int_or_string(value: Any, path: Path_, unknown: list[str], struct: str) -> Any:
    return value if isinstance(value, str) else _int32(value, path, unknown, struct)


def _quantity(value: Any, path: Path_, _unknown: list[str], _struct: str) -> Any:
    try:
        return canonical_quantity(str(value) if type(value) in (int, float) else value)
    except (ValueError, TypeError, AttributeError) as error:
        said = str(error) if isinstance(value, str) else f"quantities must match {QUANTITY}"
        raise DecodingError(said, _spell(path)) from None


def _time(value: Any, path: Path_, _unknown: list[str], struct: str) -> Any:
    if not isinstance(value, str):
        if isinstance(value, datetime):
            value = value.isoformat()
        else:
            _mismatch(value, "string", path, struct)
    if STAMP.fullmatch(value):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        form = "2006-01-02T15:04:05Z07:00"
        raise DecodingError(
            f'parsing time "{value}" as "{form}": cannot parse "{value}" as "2006"', _spell(path)
        )
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _bytes(value: Any, path: Path_, _unknown: list[str], struct: str) -> Any:
    if not isinstance(value, str):
        _mismatch(value, "[]uint8", path, struct)
    wrong = BASE64.match(value)
    assert wrong is not None
    if wrong.end() != len(value) or len(value) % 4:
        at = min(wrong.end(), len(value) // 4 * 4)
        raise DecodingError(f"illegal base64 data at input byte {at}", _spell(path))
    return value


_int32 = _integer("int32", 1 << 31)
SCALARS: dict[str, Decode] = {
    "string": _string,
    "bool": _bool,
    "int32": _int32,
    "int64": _integer("int64", 1 << 63),
    "float64": _float,
    "intstr": _int_or_string,
    "quantity": _quantity,
    "time": _time,
    "bytes": _bytes,
    "any": lambda value, *_: value,
}
PLAIN = {"string": str, "bool": bool}
"""The types whose values need no decoding when they are of that type in Python."""
ZEROES: dict[str, Callable[[], Any]] = {
    "string": str,
    "bytes": str,
    "quantity": lambda: "0",
    "[]string": list,
    "time": lambda: None,
    "any": lambda: None,
}
"""What null makes of an entry of a map; an empty object of all that is not named here."""
GO_TYPES = {
    "intstr": "intstr.IntOrString",
    "quantity": "resource.Quantity",
    "time": "v1.Time",
    "bytes": "[]uint8",
}
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
QUANTITY = "the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")


def _go_type(type_: str) -> str:
    if type_.startswith("[]"):
        return "[]" + _go_type(type_[2:])
    if type_.startswith("{}"):
        inner = type_[2:]
        return "v1.ResourceList" if inner == "quantity" else "map[string]" + _go_type(inner)
    plain = type_.rstrip("?")
    return GO_TYPES.get(plain) or (plain if plain in SCALARS else f"v1.{plain}")


def _mismatch(value: Any, go_type: str, path: Path_, struct: str) -> NoReturn:
    """encoding/json UnmarshalTypeError; the path of a field in a list is without the index."""
    where = ".".join(part for part in path if isinstance(part, str))
    what = f"Go struct field {struct}.{where}" if where else "Go value"
    said = f"json: cannot unmarshal {json_word(value, go_type)} into {what} of type {go_type}"
    raise DecodingError(said, _spell(path))


def json_word(value: Any, go_type: str = "") -> str:
    """What a value is called that does not fit. encoding/json UnmarshalTypeError"""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return f"number {value}" if go_type.startswith("int") else "number"
    return "object" if isinstance(value, dict) else "array" if isinstance(value, list) else "string"


def _spell(path: Path_) -> str:
    """A path as messages spell it: `spec.containers[0].image`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


@lru_cache(maxsize=4096)
def canonical_quantity(text: str) -> str:
    """A quantity as the API stores it: "0.5" is 500m, "1024Mi" 1Gi. Raises ValueError for what is none.

    apimachinery/pkg/api/resource/quantity.go CanonicalizeBytes
    """
    text = text.strip()
    value = parse(text)
    if text.endswith("i") and abs(value) >= 1024 and value.denominator == 1:
        return _scaled(value, 1024, ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))
    nanos = -(-value * 10**9 // 1)
    if "e" in text.lower() and not text.endswith("E"):
        mantissa, exponent = nanos, -9
        while mantissa and mantissa % 1000 == 0:
            mantissa, exponent = mantissa // 1000, exponent + 3
        return f"{mantissa}e{exponent}" if exponent else str(mantissa)
    return _scaled(Fraction(nanos), 1000, ("n", "u", "m", "", "k", "M", "G", "T", "P", "E"))


def _scaled(value: Fraction, base: int, suffixes: tuple[str, ...]) -> str:
    number, at = int(value), 0
    if not number:
        return "0"
    while at < len(suffixes) - 1 and number % base == 0:
        number, at = number // base, at + 1
    return f"{number}{suffixes[at]}"
