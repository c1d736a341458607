"""Tables: what `kubectl get` asks of the server, column by column and row by row.

Kinds are printed by the printers in `printers/`, custom resources by the columns of their definition,
all others by name and time of creation, as a Kubernetes API server does.
pkg/printers/tablegenerator.go, apiserver/pkg/registry/rest/table.go,
apiserver/pkg/endpoints/handlers/response.go asTable
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from gherkube.runners.jsonpath import find, text_of
from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.resources import Resource
from gherkube.runners.simulator.server.printers import cluster, configuration, network, pods, workloads
from gherkube.runners.simulator.server.printers.cells import Cells, Printer, name, printer, since

META = {"apiVersion": "meta.k8s.io/v1"}
PRINTERS: dict[str, Printer] = {
    **pods.PRINTERS,
    **workloads.PRINTERS,
    **network.PRINTERS,
    **cluster.PRINTERS,
    **configuration.PRINTERS,
}
"""By kind and group, as in "Deployment.apps"."""


def _plain(obj: Object, _now: float) -> Cells:
    return [name(obj), obj["metadata"].get("creationTimestamp")]


PLAIN = printer("Name, Created At:date", _plain)
"""How a kind is printed that has no printer."""
AGE: Object = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}
"""The column of a custom resource that names none."""


def table(
    resource: Resource,
    listing: Object,
    *,
    now: float,
    include: str = "Metadata",
    headers: bool = True,
) -> Object:
    """A Table of a list, or of a single object.

    `now`: unix seconds, for ages. `include`: what a row holds beside its cells: "Metadata", "Object" or
    "None". `headers`: whether the columns are named; in a watch only the first Table needs them.
    """
    printed = _printer(resource, listing)
    objects = listing.get("items", [listing])
    return {
        "kind": "Table",
        **META,
        "metadata": _list_metadata(listing["metadata"]),
        "columnDefinitions": list(printed.columns) if headers else None,
        "rows": [_row(resource, printed, obj, now, include) for obj in objects],
    }


def _printer(resource: Resource, listing: Object) -> Printer:
    if listing.get("kind") == "Scale":
        return PRINTERS["Scale.autoscaling"]
    if resource.custom:
        return _custom(resource.custom.columns)
    return PRINTERS.get(resource.qualified_kind, PLAIN)


def _row(resource: Resource, printed: Printer, obj: Object, now: float, include: str) -> Object:
    row: Object = {"cells": printed.row(obj, now)}
    if resource.qualified_kind == "Pod" and (conditions := pods.conditions(obj)):
        row["conditions"] = conditions
    if include == "Metadata":
        row["object"] = {"kind": "PartialObjectMetadata", **META, "metadata": obj["metadata"]}
    elif include == "Object":
        row["object"] = {"kind": resource.kind, "apiVersion": resource.api_version, **obj}
    else:
        row["object"] = None
    return row


def _list_metadata(metadata: Object) -> Object:
    kept = ("resourceVersion", "continue", "remainingItemCount")
    return {field: metadata[field] for field in kept if field in metadata}


def _custom(columns: Sequence[Object]) -> Printer:
    """How a custom resource is printed. apiextensions-apiserver tableconvertor.go"""
    shown = list(columns) or [AGE]
    named = [
        {
            "name": column["name"],
            "type": column["type"],
            "format": column.get("format", ""),
            "description": column.get("description")
            or f"Custom resource definition column (in JSONPath format): {column['jsonPath']}",
            "priority": column.get("priority", 0),
        }
        for column in shown
    ]
    return Printer((PLAIN.columns[0], *named), partial(_custom_row, shown))


def _custom_row(columns: Sequence[Object], obj: Object, now: float) -> Cells:
    return [name(obj), *(_custom_cell(column, obj, now) for column in columns)]


def _custom_cell(column: Object, obj: Object, now: float) -> Any:
    """The value as its column's type has it, None where there is none. cellForJSONValue"""
    found = find(obj, column["jsonPath"])
    if not found or found[0] is None:
        return None
    value, type_ = found[0], column["type"]
    if type_ == "string":
        return text_of(value)
    if type_ == "date":
        try:
            return since(value, now)
        except (TypeError, ValueError):
            return "<invalid>" if isinstance(value, str) else None
    if type_ == "boolean":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if type_ == "integer" else float(value)
