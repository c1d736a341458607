"""Strategic merge patches: what has to be sent to turn one object into another.

A strategic merge patch is a merge patch that knows Kubernetes' lists: some are merged element by
element under a key, some as sets, the rest is replaced whole. Objects are compared as data, which is
what kubectl's typed comparison comes to.
apimachinery: pkg/util/strategicpatch/patch.go CreateTwoWayMergePatch, CreateThreeWayMergePatch
"""

from __future__ import annotations

from typing import Any, NamedTuple

from gherkube.runners.errors import Refused
from gherkube.runners.objects import Object

Path = tuple[str, ...]

MERGE_KEYS: dict[str, str] = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeDevices": "devicePath",
    "volumeMounts": "mountPath",
    "imagePullSecrets": "name",
    "resourceClaims": "name",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
    "ownerReferences": "uid",
    "conditions": "type",
    "secrets": "name",
    "schedulingGates": "name",
}
"""Lists of objects that are merged, by the field's name and the key of their elements."""

SETS = frozenset({"finalizers", "podCIDRs"})
"""Lists of plain values that are merged as sets."""

_NO_MERGE_INSIDE = frozenset({"annotations", "labels", "matchLabels", "nodeSelector", "data", "stringData"})
"""Maps of the user's own keys: a key that is called like a field is none."""


def merge_key(path: Path) -> str | None:
    """The key under which the elements of the list at that path merge; None: it is replaced whole."""
    field = path[-1]
    if field == "ports":
        return "containerPort" if any(name in path for name in ("containers", "initContainers")) else "port"
    if field == "addresses":
        return "type" if path[:1] == ("status",) else None
    return MERGE_KEYS.get(field)


def retains_keys(path: Path) -> bool:
    """Whether a change of the map at that path lists the keys to keep: unions, of which one member holds."""
    return path[-1:] == ("strategy",) or path[-1:] == ("updateStrategy",) or path[-2:] == ("volumes", "*")


def two_way(old: Object, new: Object) -> Object:
    """The patch that makes `new` of `old`; {} when they are equal."""
    return _maps(old, new, (), _BOTH)


def three_way(applied: Object, wanted: Object, live: Object) -> Object:
    """The patch that makes `live` what `wanted` says and takes out what only `applied` said."""
    changes = _maps(live, wanted, (), _CHANGES)
    deletions = _maps(applied, wanted, (), _DELETIONS)
    return _joined(deletions, changes, ())


class _Mode(NamedTuple):
    changes: bool
    deletions: bool


_BOTH, _CHANGES, _DELETIONS = _Mode(True, True), _Mode(True, False), _Mode(False, True)


def _maps(old: Object, new: Object, path: Path, mode: _Mode) -> Object:
    patch: Object = {}
    for field in sorted(old.keys() | new.keys()):
        if field not in new:
            if mode.deletions:
                patch[field] = None
        elif field not in old:
            if mode.changes:
                patch[field] = new[field]
        elif (now := new[field]) is old[field]:
            continue
        elif isinstance(now, dict | list):
            _field(old[field], now, (*path, field), mode, patch)
        elif mode.changes and old[field] != now:
            patch[field] = now
    if new and (patch or (mode.changes and old.keys() != new.keys())) and path and retains_keys(path):
        patch["$retainKeys"] = sorted(new)
    return patch


def _field(old: Any, new: Any, path: Path, mode: _Mode, patch: Object) -> None:
    field = path[-1]
    if isinstance(old, dict) and isinstance(new, dict):
        if inner := _maps(old, new, path, mode):
            patch[field] = inner
        return
    if isinstance(old, list) and isinstance(new, list) and _NO_MERGE_INSIDE.isdisjoint(path[:-1]):
        if key := merge_key(path):
            _keyed_lists(old, new, key, path, mode, patch)
            return
        if field in SETS:
            _sets(old, new, field, mode, patch)
            return
    if mode.changes and old != new:
        patch[field] = new


def _keyed_lists(
    old: list[Object], new: list[Object], key: str, path: Path, mode: _Mode, patch: Object
) -> None:
    before, after = _by_key(old, key), _by_key(new, key)
    items: list[Object] = []
    for value, item in after.items():
        if value not in before:
            if mode.changes:
                items.append(item)
        elif inner := _maps(before[value], item, (*path, "*"), mode):
            items.append({**inner, key: value})
    items += [{"$patch": "delete", key: value} for value in before if mode.deletions and value not in after]
    same_order = list(before) == list(after)
    if items:
        patch[path[-1]] = items
    if items or (mode.changes and not same_order):
        patch[f"$setElementOrder/{path[-1]}"] = [{key: value} for value in after]


def _by_key(items: list[Object], key: str) -> dict[Any, Object]:
    if any(key not in item for item in items):
        raise Refused(f"error: an element of a list does not contain declared merge key: {key}")
    return {item[key]: item for item in items}


def _sets(old: list[Any], new: list[Any], field: str, mode: _Mode, patch: Object) -> None:
    added = [value for value in new if value not in old] if mode.changes else []
    gone = [value for value in old if value not in new] if mode.deletions else []
    if added:
        patch[field] = added
    if gone:
        patch[f"$deleteFromPrimitiveList/{field}"] = gone
    if gone or (mode.changes and old != new):
        patch[f"$setElementOrder/{field}"] = new


def _joined(deletions: Object, changes: Object, path: Path) -> Object:
    """Both patches as one; where both speak, the changes win."""
    joined = dict(deletions)
    for field, value in changes.items():
        mine = joined.get(field)
        if isinstance(mine, dict) and isinstance(value, dict):
            joined[field] = _joined(mine, value, (*path, field))
        elif isinstance(mine, list) and isinstance(value, list) and (key := merge_key((*path, field))):
            joined[field] = _joined_lists(mine, value, key, (*path, field))
        else:
            joined[field] = value
    return joined


def _joined_lists(deletions: list[Object], changes: list[Object], key: str, path: Path) -> list[Object]:
    theirs = {item[key]: item for item in changes}
    joined = [
        _joined(item, theirs[item[key]], (*path, "*")) if item[key] in theirs else item for item in deletions
    ]
    known = {item[key] for item in deletions}
    return [item for item in changes if item[key] not in known] + joined
