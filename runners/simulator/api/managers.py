"""Who owns which fields of an object: its `managedFields`.

Whoever applies an object owns the fields that it names, whoever writes one otherwise owns what that
write changed; a field whose value somebody changes is owned by nobody else from then on.
staging/src/k8s.io/apimachinery/pkg/util/managedfields, sigs.k8s.io/structured-merge-diff/v6/merge
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.fieldsets import Field, Fields, decode, encode, values

APPLY, UPDATE = "Apply", "Update"
BEFORE_FIRST_APPLY = "before-first-apply"
"""The owner of what was there before anybody was noted. managedfields/internal/skipnonapplied.go"""

Track: TypeAlias = Callable[[Object | None, Object], list[Object]]
"""What gives the new managedFields, of the stored object (None: it is created) and the new one."""


class Manager(NamedTuple):
    """Who writes: `subresource` is "" for the object itself."""

    name: str
    operation: str = UPDATE
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Owned:
    """What a manager owns, of which version of the API, since when."""

    fields: Fields
    version: str
    time: str


Owners: TypeAlias = dict[Manager, Owned]

STRIPPED = frozenset(
    {
        ("f:apiVersion",),
        ("f:kind",),
        ("f:metadata",),
        *(
            ("f:metadata", f"f:{field}")
            for field in (
                "name",
                "namespace",
                "creationTimestamp",
                "deletionGracePeriodSeconds",
                "deletionTimestamp",
                "generation",
                "resourceVersion",
                "selfLink",
                "uid",
            )
        ),
    }
)
"""What nobody owns. managedfields/internal/stripmeta.go"""
NOBODYS = ("f:metadata", "f:managedFields")
STATUS = "f:status"


def owners_of(obj: Object) -> Owners:
    """The owners that an object's managedFields name."""
    return {
        Manager(each.get("manager", ""), each.get("operation", UPDATE), each.get("subresource", "")): Owned(
            decode(each.get("fieldsV1", {})), each.get("apiVersion", ""), each.get("time", "")
        )
        for each in obj["metadata"].get("managedFields", ())
    }


def managed_fields(owners: Owners) -> list[Object]:
    """The owners as managedFields, in the order in which the API server gives them."""
    order = sorted(owners.items(), key=lambda item: (item[0].operation, item[1].time, item[0]))
    return [
        {
            "manager": who.name,
            "operation": who.operation,
            "apiVersion": owned.version,
            **({"time": owned.time} if owned.time else {}),
            "fieldsType": "FieldsV1",
            "fieldsV1": encode(owned.fields),
            **({"subresource": who.subresource} if who.subresource else {}),
        }
        for who, owned in order
    ]


def own(fields: Iterable[Field], subresource: str) -> Fields:
    """Those of the fields that a write of the object, or of its subresource, can own."""
    return frozenset(
        field
        for field in fields
        if field not in STRIPPED
        and field[:2] != NOBODYS
        and (subresource == "status" or field[0] != STATUS)
        and (subresource != "status" or field[0] in (STATUS, "f:metadata"))
    )


class Difference(NamedTuple):
    """The fields in which two versions of an object differ."""

    changed: Fields
    removed: Fields


def difference(old: Object | None, new: Object) -> Difference:
    """What a write changes or brings in, and what it removes."""
    kind = new["kind"]
    before, after = values(old, kind) if old is not None else {}, values(new, kind)
    missing = object()
    changed = frozenset(field for field, value in after.items() if before.get(field, missing) != value)
    return Difference(changed, frozenset(before.keys() - after.keys()))


def without(owners: Owners, lost: Fields, besides: Manager | None = None) -> Owners:
    """The owners when nobody owns the lost fields but one; who owns nothing any more is left out."""
    left: Owners = {}
    for who, owned in owners.items():
        fields = owned.fields if who == besides else owned.fields - lost
        if fields:
            left[who] = owned if fields == owned.fields else Owned(fields, owned.version, owned.time)
    return left


def updating(name: str, now: str, *, subresource: str = "", given: list[Object] | None = None) -> Track:
    """How a create, replace or patch by that manager changes the owners.

    `given`: the managedFields that the written object itself carried: they take the place of the
    stored ones, an empty list forgets all.
    """
    who = Manager(name, UPDATE, subresource)

    def track(stored: Object | None, new: Object) -> list[Object]:
        base = stored if given is None else {"metadata": {"managedFields": given}}
        owners = owners_of(base) if base is not None else {}
        changed, removed = difference(stored, new)
        owners = without(without(owners, changed, who), removed)
        before = owners.get(who)
        fields = own(changed, subresource) | (before.fields if before else frozenset())
        if fields and (before is None or fields != before.fields):
            owners[who] = Owned(fields, new["apiVersion"], now)
        return managed_fields(owners)

    return track
