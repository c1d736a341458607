"""What users say of an object, and how what one of them changed is put back where others changed more.

That is spec, data and the like, labels, annotations but for the bookkeeping of revisions, and finalizers. The
status and the rest of the metadata are the cluster's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from gherkube.runners.objects import Object

KEPT = ("labels", "annotations", "finalizers")
"""What of the metadata users say; the rest is the server's."""
SERVERS = (
    *("resourceVersion", "uid", "creationTimestamp", "generation", "managedFields", "selfLink"),
    *("deletionTimestamp", "deletionGracePeriodSeconds"),
)
BOOKKEEPING = "deployment.kubernetes.io/"
"""What the annotations of revisions begin with."""
KEYS = (("name",), ("key", "effect"), ("mountPath",), ("containerPort", "protocol"), ("port",))
"""By which fields the elements of a list are told apart, where all have them and no two are alike."""


class _Absent:
    """What stands where nothing is said."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT = _Absent()


class Conflict(NamedTuple):
    """A part of an object that was changed, and by somebody else since."""

    path: str
    before: Any
    after: Any
    now: Any

    @property
    def words(self) -> str:
        """What was, what was made of it, and what is now."""
        return f"{self.path}: was {self.before!r}, was made {self.after!r}, and is {self.now!r}"


def said(obj: Object) -> Object:
    """What users say of it."""
    metadata = obj["metadata"]
    kept = {key: metadata[key] for key in KEPT if metadata.get(key)}
    if ours := {k: v for k, v in kept.get("annotations", {}).items() if not k.startswith(BOOKKEEPING)}:
        kept["annotations"] = ours
    else:
        kept.pop("annotations", None)
    found = {key: value for key, value in obj.items() if key not in ("metadata", "status")}
    return {**found, "metadata": kept}


def is_same(before: Object, now: Object) -> bool:
    """Whether users say the same of both."""
    return said(before) == said(now)


def with_said(now: Object, wanted: Object) -> Object:
    """The object in its present version, of which is said what `wanted` says; bookkeeping stays."""
    metadata = {key: value for key, value in now["metadata"].items() if key not in KEPT}
    kept = dict(wanted["metadata"])
    booked = {
        key: value
        for key, value in (now["metadata"].get("annotations") or {}).items()
        if key.startswith(BOOKKEEPING)
    }
    if booked:
        kept["annotations"] = {**kept.get("annotations", {}), **booked}
    status = {"status": now["status"]} if "status" in now else {}
    return {**wanted, "metadata": {**metadata, **kept}, **status}


def bare(obj: Object) -> Object:
    """The object as it can be created again: without what the server gave it."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in SERVERS}
    return {**{key: value for key, value in obj.items() if key != "status"}, "metadata": metadata}


def recorded(obj: Object | None) -> Object | None:
    """What a journal keeps of an object: all but its status and who managed which field."""
    if obj is None:
        return None
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**{key: value for key, value in obj.items() if key != "status"}, "metadata": metadata}


def put_back(
    before: Object, after: Object, now: Object, *, force: bool = False
) -> tuple[Object, list[Conflict]]:
    """What has to be said so that what was made of `before` is undone, and nothing else.

    A part that somebody else changed since (it is neither as before nor as it was made) is a conflict, and
    left as it is; with `force` it is put back, too.
    """
    conflicts: list[Conflict] = []
    merged = _merge(said(before), said(after), said(now), "", conflicts)
    if force and conflicts:
        return _merge(said(before), said(after), said(now), "", None), conflicts
    return merged, conflicts


def missing(wanted: Object, now: Object) -> list[Conflict]:
    """What was said at the creation of an object, and is not so any more."""
    conflicts: list[Conflict] = []
    _lacks(said(wanted), said(now), "", conflicts)
    return conflicts


def _merge(before: Any, after: Any, now: Any, path: str, conflicts: list[Conflict] | None) -> Any:
    if before == after or now == before:
        return now
    if now == after:
        return before
    parts = [_parts(each) for each in (before, after, now)]
    if any(isinstance(each, dict | list) for each in (before, after, now)) and None not in parts:
        old, new, present = parts
        assert old is not None
        assert new is not None
        assert present is not None
        merged = {
            key: value
            for key in dict.fromkeys((*old, *present, *new))
            for value in [
                _merge(
                    old.get(key, ABSENT),
                    new.get(key, ABSENT),
                    present.get(key, ABSENT),
                    f"{path}.{_shown(key)}" if path else _shown(key),
                    conflicts,
                )
            ]
            if value is not ABSENT
        }
        if not merged and before is ABSENT:
            return ABSENT
        return list(merged.values()) if isinstance(now, list) or isinstance(before, list) else merged
    if conflicts is None:
        return before
    conflicts.append(Conflict(path, before, after, now))
    return now


def _lacks(wanted: Any, now: Any, path: str, conflicts: list[Conflict]) -> None:
    if wanted == now:
        return
    parts, present = _parts(wanted), _parts(now)
    if parts is None or present is None or wanted is ABSENT or now is ABSENT:
        conflicts.append(Conflict(path, ABSENT, wanted, now))
        return
    for key, value in parts.items():
        _lacks(value, present.get(key, ABSENT), f"{path}.{_shown(key)}" if path else _shown(key), conflicts)


def _parts(value: Any) -> dict[Any, Any] | None:
    """A mapping, or a list of things that can be told apart, as parts by key; None for all else."""
    if value is ABSENT:
        return {}
    if isinstance(value, dict):
        return value
    if not isinstance(value, list):
        return None
    return next(_keyed(value), None)


def _keyed(elements: list[Any]) -> Iterator[dict[Any, Any]]:
    for names in KEYS:
        if all(isinstance(each, dict) and all(name in each for name in names) for each in elements):
            found = {tuple(each[name] for name in names): each for each in elements}
            if len(found) == len(elements):
                yield found


def _shown(key: Any) -> str:
    return key if isinstance(key, str) else f"[{', '.join(map(str, key))}]"
