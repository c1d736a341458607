"""Comparing an object with a part of one, and a field with a value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gherkube.runners.errors import UsageError
from gherkube.runners.expectations.view import KINDS
from gherkube.runners.jsonpath import find, text_of
from gherkube.runners.objects import Object

NAMES = ("name", "type", "containerPort", "port", "key", "mountPath", "uid", "ip")
"""By which of its fields an entry of a list is found, the first that the part gives."""


def difference(part: Any, whole: Any) -> str:
    """The first place where the object is not as the part says, in words; "" when there is none."""
    return next(differences(part, whole), "")


def differences(part: Any, whole: Any, path: str = "") -> Iterator[str]:
    """Where the object is not as the part says, in words, each with the path of its field.

    Of a dict all that the part names is compared. An entry of a list is compared with the entry of the
    same name (or type, port, …) where the part names it, else with each: one must be like it.
    """
    if isinstance(part, dict) and isinstance(whole, dict):
        for name, value in part.items():
            here = f"{path}.{name}" if path else name
            if name in whole:
                yield from differences(value, whole[name], here)
            else:
                yield f"there is no {here}"
    elif isinstance(part, list) and isinstance(whole, list):
        yield from _list_differences(part, whole, path)
    elif isinstance(part, dict | list) or not equal(part, whole):
        yield f"{path} is {text_of(whole)}, not {text_of(part)}"


def _list_differences(part: list[Any], whole: list[Any], path: str) -> Iterator[str]:
    if not part and whole:
        yield f"{path} is {text_of(whole)}, not empty"
    for wanted in part:
        if (by := _named_by(wanted)) is None:
            rest = [next(differences(wanted, one, f"{path}[{index}]"), "") for index, one in enumerate(whole)]
            if all(rest):
                yield rest[0] if len(rest) == 1 else f"no entry of {path} is like {text_of(wanted)}"
            continue
        entry = next((one for one in whole if isinstance(one, dict) and equal(wanted[by], one.get(by))), None)
        here = f"{path}[{by}={text_of(wanted[by])}]"
        if entry is None:
            yield f"there is no {here}"
        else:
            yield from differences(wanted, entry, here)


def _named_by(entry: Any) -> str | None:
    return next((name for name in NAMES if isinstance(entry, dict) and name in entry), None)


def leaves(part: Any) -> str:
    """A part in words: `spec.replicas 3 and status.readyReplicas 2`."""
    return " and ".join(f"{path} {text_of(value)}" for path, value in _leaves(part, ""))


def _leaves(part: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(part, dict) and part:
        for name, value in part.items():
            yield from _leaves(value, f"{path}.{name}" if path else name)
    elif isinstance(part, list) and part:
        for entry in part:
            by = _named_by(entry)
            rest = {name: value for name, value in entry.items() if name != by} if by else entry
            here = f"{path}[{by}={text_of(entry[by])}]" if by else f"{path}[]"
            yield from _leaves(rest, here)
    else:
        yield path, part


def equal(one: Any, other: Any) -> bool:
    """Whether two values are the same; true is not 1, and "1" is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def field(obj: Object, path: str, value: Any) -> tuple[bool | None, str]:
    """Whether the field has the value, and what it has, in words.

    A text is compared with the field's text, anything else as what it is. None: it neither has it nor
    has it not. There is no such field, it is nothing that such a value could be, or of several some are so.
    """
    found = find(obj, path)
    if not found:
        return None, f'there is no "{path}"'
    same = {text_of(one) == value if isinstance(value, str) else equal(one, value) for one in found}
    words = f'"{path}" is {", ".join(map(text_of, found))}'
    if same == {False} and not all(_comparable(one, value) for one in found):
        return None, f"{words}, which is of another kind than {text_of(value)}"
    return same.pop() if len(same) == 1 else None, words


def _comparable(one: Any, value: Any) -> bool:
    of_a_kind = isinstance(value, str) or isinstance(one, bool) == isinstance(value, bool)
    return of_a_kind and not isinstance(one, dict | list)


def check_fields(resource: str, part: Any) -> None:
    """Raises UsageError when the part names a field that objects of the resource cannot have."""
    from gherkube.runners.simulator.api.schema import table

    kind = KINDS.get(resource, "")
    struct = table()["kinds"].get(kind)
    if struct is not None:
        _check(kind, table()["structs"], struct, part, "")


def _check(kind: str, structs: Object, type_: str, part: Any, path: str) -> None:
    if type_.startswith("[]") and isinstance(part, list):
        for index, one in enumerate(part):
            _check(kind, structs, type_[2:], one, f"{path}[{index}]")
    elif isinstance(part, dict):
        known = None if type_.startswith("{}") else structs.get(type_.rstrip("?"))
        for name, value in part.items():
            here = f"{path}.{name}" if path else str(name)
            if known is not None and name not in known:
                raise UsageError(f"a {kind} has no field {here}{_perhaps(str(name), known)}")
            inner = known[name] if known is not None else type_[2:] if type_.startswith("{}") else ""
            _check(kind, structs, inner, value, here)


def _perhaps(name: str, known: Object) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(known))}"
