"""Patches: strategic merge, JSON merge (RFC 7386) and JSON patch (RFC 6902).

Each makes a new object and leaves the old one as it is. A strategic merge patch knows Kubernetes'
lists: those of the table below are merged element by element, two are merged as sets, all others are
replaced whole.
apimachinery/pkg/util/strategicpatch/patch.go; apiserver/pkg/endpoints/handlers/patch.go
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.merge_types import ATOMIC_LISTS, KEYS, SETS
from gherkube.runners.simulator.api.refusals import bad_request
from gherkube.runners.simulator.api.schema import json_word, table

MOST_OPERATIONS = 10_000
"""handlers/patch.go maxJSONPatchOperations"""
MOST_COPIED = 3 * 1024 * 1024
"""Bytes that the copies of one JSON patch may add: jsonpatch.AccumulatedCopySizeLimit"""
PATCHED_ONLY = {
    "Condition": "type",
    "DaemonSetCondition": "type",
    "HostIP": "ip",
    "JobCondition": "type",
    "PersistentVolumeClaimCondition": "type",
    "PodResourceClaimStatus": "name",
    "ResourceStatus": "name",
    "StatefulSetCondition": "type",
    "VolumeMountStatus": "mountPath",
}
"""Of lists that patches merge by element, and server-side apply replaces whole."""
MERGE_KEYS = {struct: keys[0] for struct, keys in KEYS.items()} | PATCHED_ONLY
"""By the struct of a list's elements: the field under which they are merged."""

REPLACED = {("PodDisruptionBudgetSpec", "selector")}
"""Structs in structs that a patch does not merge: `patchStrategy:"replace"` of the field."""

PATCH, RETAIN = "$patch", "$retainKeys"
ORDER, DELETE = "$setElementOrder/", "$deleteFromPrimitiveList/"


def strategic(obj: Object, patch: Any, kind: str) -> Object:
    """The object with a strategic merge patch applied to it."""
    if not isinstance(patch, dict):
        said = f"json: cannot unmarshal {json_word(patch)} into Go value of type map[string]interface {{}}"
        raise bad_request(said)
    return _merge_struct(obj, patch, table()["kinds"][kind])


def _merge_struct(old: Object, patch: Object, struct: str) -> Object:
    """`old` with the patch; `struct` is "" where the schema knows no fields, as in maps."""
    directive = patch.get(PATCH)
    if directive == "replace":
        return {key: _plain(value) for key, value in patch.items() if value is not None and key != PATCH}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise ApiError(500, "", f"unknown patch type: {directive} in map: {go_map(patch)}")
    fields: dict[str, str] = table()["structs"].get(struct, {})
    retained = patch.get(RETAIN)
    new = dict(old) if retained is None else {key: old[key] for key in old if key in retained}
    for key, value in patch.items():
        if key.startswith(DELETE):
            field = key.removeprefix(DELETE)
            new[field] = [item for item in new.get(field, ()) if item not in value]
        elif key in (PATCH, RETAIN) or key.startswith(ORDER):
            continue
        elif value is None:
            new.pop(key, None)
        elif (struct, key) in REPLACED:
            new[key] = _plain(value)
        elif isinstance(value, dict) and isinstance(new.get(key), dict):
            new[key] = _merge_struct(new[key], value, fields.get(key, ""))
        elif isinstance(value, list) and isinstance(new.get(key), list):
            new[key] = _merge_list(new[key], value, struct, key, fields.get(key, ""))
        else:
            new[key] = _plain(value)
    for key, order in patch.items():
        if key.startswith(ORDER) and (field := key.removeprefix(ORDER)) in new:
            element = fields.get(field, "").removeprefix("[]")
            new[field] = _ordered(new[field], order, old.get(field, []), MERGE_KEYS.get(element))
    return new


def _merge_list(old: list[Any], patch: list[Any], struct: str, field: str, type_: str) -> list[Any]:
    element = type_.removeprefix("[]")
    if (struct, field) in SETS:
        return _ordered([*old, *(item for item in patch if item not in old)], patch, old, None)
    merge_key = MERGE_KEYS.get(element)
    if merge_key is None or (struct, field) in ATOMIC_LISTS:
        return [_plain(item) for item in patch]
    if any(item.get(PATCH) == "replace" for item in patch):
        return [_plain(item) for item in patch if PATCH not in item]
    new = list(old)
    for item in patch:
        if merge_key not in item:
            said = f"map: {go_map(item)} does not contain declared merge key: {merge_key}"
            raise ApiError(500, "", said)
        at = next((at for at, each in enumerate(new) if each.get(merge_key) == item[merge_key]), None)
        if item.get(PATCH) == "delete":
            new = [each for each in new if each.get(merge_key) != item[merge_key]]
        elif at is None:
            new.append(_merge_struct({}, item, element))
        else:
            new[at] = _merge_struct(new[at], item, element)
    return _ordered(new, [item for item in patch if PATCH not in item], old, merge_key)


def _ordered(merged: list[Any], order: list[Any], old: list[Any], merge_key: str | None) -> list[Any]:
    """The merged list in the order asked for; what the order does not name stays where it stood.

    patch.go normalizeElementOrder, mergeSortedSlice
    """

    def identity(item: Any) -> Any:
        return item.get(merge_key) if merge_key and isinstance(item, dict) else item

    wanted = [identity(item) for item in order]
    stood = [identity(item) for item in old]
    named = sorted(
        (item for item in merged if identity(item) in wanted), key=lambda i: wanted.index(identity(i))
    )
    others = [item for item in merged if identity(item) not in wanted]
    result = []
    while named and others:
        left, right = identity(others[0]), identity(named[0])
        first = left in stood and right in stood and stood.index(left) < stood.index(right)
        result.append(others.pop(0) if first else named.pop(0))
    return result + named + others


def _plain(value: Any) -> Any:
    """A value of a patch without nulls and directives, as it is stored where nothing was before.

    patch.go mergeMap, dropDirectives
    """
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if v is not None and not k.startswith("$")}
    if isinstance(value, list):
        left = (item for item in value if item is not None and not (isinstance(item, dict) and PATCH in item))
        return [_plain(item) for item in left]
    return value


def merged_away(patch: Object) -> Object:
    """What merging leaves of the patch itself: not the lists that it gives an order to.

    patch.go mergePatchIntoOriginal
    """
    ordered = {key.removeprefix(ORDER) for key in patch if key.startswith(ORDER)}
    left = {key: value for key, value in patch.items() if not key.startswith(ORDER) and key not in ordered}
    return {key: merged_away(value) if isinstance(value, dict) else value for key, value in left.items()}


def merge(obj: Any, patch: Any) -> Any:
    """The object with a JSON merge patch applied to it: null deletes, lists are replaced."""
    if not isinstance(patch, dict):
        return patch
    new = dict(obj) if isinstance(obj, dict) else {}
    for key, value in patch.items():
        if value is None:
            new.pop(key, None)
        else:
            new[key] = merge(new.get(key), value)
    return new


def json_patch(obj: Any, operations: Any) -> Any:
    """The object with the operations of a JSON patch applied to it, all or none."""
    if not isinstance(operations, list):
        said = f"json: cannot unmarshal {json_word(operations)} into Go value of type []handlers.jsonPatchOp"
        raise bad_request(f"error decoding patch: {said}")
    if len(operations) > MOST_OPERATIONS:
        said = f"The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {len(operations)}"
        raise ApiError(413, "RequestEntityTooLarge", f"Request entity too large: {said}")
    copied = 0
    for operation in operations:
        kind, path = operation.get("op"), operation.get("path", "")
        if kind not in OPERATIONS:
            raise _rejected(f"Unexpected kind: {kind}")
        try:
            if kind == "copy":
                copied += len(json.dumps(_at(obj, _pointer(operation["from"]))))
                if copied > MOST_COPIED:
                    raise _rejected(f"Unable to complete the copy, its accumulated size is {copied}")
            obj = OPERATIONS[kind](obj, operation, _pointer(path))
        except (KeyError, IndexError, TypeError, ValueError):
            raise _rejected(
                f"{kind} operation does not apply: doc is missing path: {path}: missing value"
            ) from None
    return obj


def _pointer(path: Any) -> list[str]:
    """The steps of a JSON pointer (RFC 6901)."""
    if not isinstance(path, str) or (path and not path.startswith("/")):
        raise _rejected(f"{path!r} is no JSON pointer")
    return [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]


def _at(part: Any, steps: list[str]) -> Any:
    for step in steps:
        part = part[_index(step, len(part))] if isinstance(part, list) else part[step]
    return part


def _index(step: str, length: int) -> int:
    at = int(step)
    if not -length <= at < length:
        raise IndexError(step)
    return at


def _with(part: Any, steps: list[str], change: Any) -> Any:
    """A copy of the part in which what holds the last step was changed by `change(holder, step)`."""
    if not steps:
        raise KeyError
    copy = list(part) if isinstance(part, list) else dict(part)
    step = steps[0]
    if len(steps) == 1:
        change(copy, step)
    elif isinstance(copy, list):
        at = _index(step, len(copy))
        copy[at] = _with(copy[at], steps[1:], change)
    else:
        copy[step] = _with(copy[step], steps[1:], change)
    return copy


def _add(obj: Any, steps: list[str], value: Any) -> Any:
    def change(holder: Any, step: str) -> None:
        if isinstance(holder, list):
            holder.insert(len(holder) if step == "-" else _index(step, len(holder) + 1), value)
        else:
            holder[step] = value

    return _with(obj, steps, change) if steps else value


def _replace(obj: Any, steps: list[str], value: Any) -> Any:
    def change(holder: Any, step: str) -> None:
        holder[_index(step, len(holder)) if isinstance(holder, list) else step] = value

    return _with(obj, steps, change) if steps else value


def _remove(obj: Any, steps: list[str]) -> Any:
    def change(holder: Any, step: str) -> None:
        del holder[_index(step, len(holder)) if isinstance(holder, list) else step]

    return _with(obj, steps, change)


def _test(obj: Any, steps: list[str], value: Any, path: str) -> Any:
    try:
        found = _at(obj, steps)
    except (KeyError, IndexError, TypeError, ValueError):
        found = None
    if found != value:
        raise _rejected(f"testing value {path} failed: test failed")
    return obj


def _move(obj: Any, origin: list[str], steps: list[str]) -> Any:
    return _add(_remove(obj, origin), steps, _at(obj, origin))


OPERATIONS: dict[str, Callable[[Any, Object, list[str]], Any]] = {
    "add": lambda obj, op, steps: _add(obj, steps, op["value"]),
    "replace": lambda obj, op, steps: _replace(obj, steps, op["value"]),
    "remove": lambda obj, _op, steps: _remove(obj, steps),
    "test": lambda obj, op, steps: _test(obj, steps, op.get("value"), op["path"]),
    "copy": lambda obj, op, steps: _add(obj, steps, _at(obj, _pointer(op["from"]))),
    "move": lambda obj, op, steps: _move(obj, _pointer(op["from"]), steps),
}


def _rejected(why: str) -> ApiError:
    """errors.go NewGenericServerResponse: the message does not say why, the details do."""
    said = "the server rejected our request due to an error in our request"
    causes = [{"reason": "UnexpectedServerResponse", "message": why}]
    return ApiError(422, "Invalid", said, {"causes": causes})


def go_map(value: Any) -> str:
    """A map as Go prints it with %v."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{go_map(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(go_map, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return "<nil>" if value is None else str(value)
