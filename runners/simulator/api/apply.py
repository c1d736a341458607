"""Server-side apply: an object as its owner wants it is merged into the one that is there.

Fields that others own, and that would change, are conflicts; what the owner applied before and does
not any more goes, unless somebody else owns it.
sigs.k8s.io/structured-merge-diff/v6/merge/update.go Apply; typed/merge.go; typed/remove.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.fieldsets import (
    STRUCT,
    Field,
    Fields,
    applied,
    element,
    field_type,
    is_atomic,
    item_step,
    spell,
    values,
)
from gherkube.runners.simulator.api.managers import (
    APPLY,
    BEFORE_FIRST_APPLY,
    Manager,
    Owned,
    Owners,
    difference,
    own,
    owners_of,
    without,
)
from gherkube.runners.simulator.api.merge_types import KEYS
from gherkube.runners.simulator.api.schema import table


def apply(
    stored: Object | None,
    config: Object,
    who: Manager,
    now: str,
    decode: Callable[[Object], Object],
    *,
    force: bool = False,
) -> tuple[Object, Owners]:
    """The object that applying `config` makes of the stored one (None: there is none), and its owners.

    `decode` makes an object of what was sent, `force` takes fields that others own. Raises ApiError: a
    Conflict that names the fields and their owners.
    """
    kind = config["kind"]
    wanted = own(applied(config, kind), who.subresource)
    mine = Owned(wanted, config["apiVersion"], now)
    if stored is None:
        return decode(config), {who: mine}
    owners = owners_of(stored) or _first_owners(stored, now)
    sent = _merge_fields(stored, config, table()["kinds"].get(kind, ""))
    merged = decode(sent)
    differing = difference(stored, merged)
    changed = difference(stored, sent).changed & (differing.changed | differing.removed)
    others = {each: owned for each, owned in owners.items() if each != who}
    conflicts = {
        each: sorted(lost) for each, owned in sorted(others.items()) if (lost := owned.fields & changed)
    }
    if conflicts and not force:
        raise _conflict(conflicts, others)
    others = without(others, changed)
    before = owners[who].fields if who in owners else frozenset()
    kept = wanted.union(*(owned.fields for owned in others.values()))
    result = _without(merged, kind, _gone(before - wanted, kept, values(merged, kind)))
    others = without(others, difference(stored, result).removed)
    if who in owners and before == wanted:
        mine = owners[who]
    return result, {**others, **({who: mine} if wanted else {})}


def _first_owners(stored: Object, now: str) -> Owners:
    fields = own(applied(stored, stored["kind"]), "")
    return {Manager(BEFORE_FIRST_APPLY): Owned(fields, stored["apiVersion"], now)}


def _merge_fields(old: Object, new: Object, struct: str) -> Object:
    merged = dict(old)
    for field, value in new.items():
        type_, place = field_type(struct, field), (struct, field)
        merged[field] = _merge(merged[field], value, type_, place) if field in merged else value
    return merged


def _merge(old: Any, new: Any, type_: str, place: tuple[str, str]) -> Any:
    if isinstance(new, dict) and isinstance(old, dict) and not is_atomic(type_, place):
        if not type_.startswith("{}"):
            return _merge_fields(old, new, type_)
        inner = element(type_)
        return old | {
            key: _merge(old[key], value, inner, ("", key)) if key in old else value
            for key, value in new.items()
        }
    if isinstance(new, list) and isinstance(old, list) and type_ and not is_atomic(type_, place):
        return _merge_items(old, new, element(type_))
    return new


def _merge_items(old: list[Any], new: list[Any], struct: str) -> list[Any]:
    """The items of both lists: those that are there first, in their order, then the new ones."""
    items = {item_step(item, struct): item for item in old}
    for item in new:
        step = item_step(item, struct)
        granular = step in items and struct in KEYS and not is_atomic(struct, ("", ""))
        items[step] = _merge_fields(items[step], item, struct) if granular else item
    return list(items.values())


def _gone(fields: Fields, kept: Fields, there: Mapping[Field, Any]) -> Fields:
    """The fields, and the structs around them, of which nobody wants any part any more."""
    needed = {part for field in kept for part in _around(field)}
    structs = {part for field in fields for part in _around(field) if there.get(part) is STRUCT}
    return frozenset(field for field in fields | structs if field not in needed)


def _around(field: Field) -> Iterator[Field]:
    """A field, and all that it is a part of."""
    return (field[:length] for length in range(1, len(field) + 1))


def _without(obj: Object, kind: str, gone: Fields) -> Object:
    if not gone:
        return obj
    return _prune_fields(obj, table()["kinds"].get(kind, ""), (), gone)


def _prune_fields(value: Object, struct: str, at: Field, gone: Fields) -> Object:
    left = {}
    for field, inner in value.items():
        step = (*at, f"f:{field}")
        if step in gone:
            continue
        pruned = _prune(inner, field_type(struct, field), (struct, field), step, gone)
        if pruned or not inner or not isinstance(inner, dict | list):
            left[field] = pruned
    return left


def _prune(value: Any, type_: str, place: tuple[str, str], at: Field, gone: Fields) -> Any:
    if isinstance(value, dict) and not is_atomic(type_, place):
        if not type_.startswith("{}"):
            return _prune_fields(value, type_, at, gone)
        inner = element(type_)
        return {
            key: _prune(entry, inner, ("", key), (*at, f"f:{key}"), gone)
            for key, entry in value.items()
            if (*at, f"f:{key}") not in gone
        }
    if isinstance(value, list) and type_ and not is_atomic(type_, place):
        struct = element(type_)
        steps = [((*at, item_step(item, struct)), item) for item in value]
        return [
            _prune_fields(item, struct, step, gone) if isinstance(item, dict) else item
            for step, item in steps
            if step not in gone
        ]
    return value


def _conflict(conflicts: dict[Manager, list[Field]], owners: Owners) -> ApiError:
    """managedfields/internal/conflict.go NewConflictError"""
    spelled = {who: _spelled(who, owners[who].version) for who in conflicts}
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f"conflict with {spelled[who]}",
            "field": spell(field),
        }
        for who, fields in conflicts.items()
        for field in fields
    ]
    if len(causes) == 1:
        what = f"1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        told = [
            "\n".join([f"conflicts with {spelled[who]}:", *(f"- {spell(field)}" for field in fields)])
            for who, fields in conflicts.items()
        ]
        what = f"{len(causes)} conflicts: " + "\n".join(told)
    return ApiError(409, "Conflict", f"Apply failed with {what}", details={"causes": causes})


def _spelled(who: Manager, version: str) -> str:
    told = f'"{who.name}"'
    if who.subresource:
        told += f' with subresource "{who.subresource}"'
    return told if who.operation == APPLY else f"{told} using {version}"
