"""Tables against those of a real API server, cell by cell.

`printed/tables.json.gz` is what kube-apiserver 1.34.4 answered for the objects of `printed/objects.yaml`
(`printed/record.py` asked it). Ages are by its clock, which a moment of the recording's stands for.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.resources import Custom, Resource
from gherkube.runners.simulator.server.tables import table

RECORDED: list[dict[str, Any]] = json.loads(
    gzip.decompress((Path(__file__).parent / "printed" / "tables.json.gz").read_bytes())
)


def resource_of(one: dict[str, Any]) -> Resource:
    group, _, version = one["apiVersion"].rpartition("/")
    plural = one["path"].rpartition("/")[2]
    return Resource(plural, group, version, one["kind"], one["namespaced"], custom=custom(plural, group))


def custom(plural: str, group: str) -> Custom | None:
    """What the definition of a custom resource says, as it was recorded with the others."""
    for one in RECORDED:
        for row in one["table"]["rows"]:
            if (
                one["kind"] == "CustomResourceDefinition"
                and row["object"]["metadata"]["name"] == f"{plural}.{group}"
            ):
                columns = row["object"]["spec"]["versions"][0].get("additionalPrinterColumns", ())
                return Custom(plural, (), {}, tuple(columns), None)
    return None


def moments(one: dict[str, Any]) -> list[float]:
    """When the answer may have been made."""
    return [one["now"] - fraction / 20 for fraction in range(10)]


def row(one: dict[str, Any], obj: Object, now: float) -> list[Any]:
    return list(table(resource_of(one), obj, now=now)["rows"][0]["cells"])


@pytest.mark.parametrize("one", RECORDED, ids=lambda one: one["path"].rpartition("/")[2])
def test_columns_are_the_real_ones(one: dict[str, Any]) -> None:
    """Names, types, formats, order and which are for wide output."""
    made = table(resource_of(one), one["table"]["rows"][0]["object"], now=one["now"])
    told = ("name", "type", "format", "priority")
    assert [[column[each] for each in told] for column in made["columnDefinitions"]] == [
        [column[each] for each in told] for column in one["table"]["columnDefinitions"]
    ]


@pytest.mark.parametrize(
    ("one", "printed"),
    [
        pytest.param(one, row, id=f"{one['kind']}-{at}")
        for one in RECORDED
        for at, row in enumerate(one["table"]["rows"])
    ],
)
def test_cells_are_the_real_ones(one: dict[str, Any], printed: Object) -> None:
    """Numbers as numbers, texts as texts, absence as absence."""
    found = [row(one, printed["object"], now) for now in moments(one)]
    assert printed["cells"] in found


@pytest.mark.parametrize("one", [one for one in RECORDED if one["kind"] == "Pod"])
def test_ended_pods_are_marked(one: dict[str, Any]) -> None:
    """The condition Completed of a row."""
    for printed in one["table"]["rows"]:
        made = table(resource_of(one), printed["object"], now=one["now"])["rows"][0]
        assert made.get("conditions") == printed.get("conditions")
