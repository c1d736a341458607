"""Of odd objects and odd patches the server says what an API server of Kubernetes 1.34.4 said.

`record.py` asked it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from gherkube.runners.errors import ApiError
from gherkube.runners.kubectl.kinds import kind_of
from gherkube.runners.simulator.api.server import ApiServer
from tests.simulator.api.record import OBJECTS, PATCHES, lines, told, what_it_says
from tests.simulator.api.workshop import Json, server


@cache
def _server() -> ApiServer:
    """With the account that each namespace has."""
    api = server()
    api.create_trusted("serviceaccounts", {"metadata": {"name": "default", "namespace": "default"}})
    return api


def _named(line: Json) -> str:
    return line["object"]["kind"]


@pytest.mark.parametrize("line", list(lines(OBJECTS)), ids=_named)
def test_an_odd_object_is_refused_or_warned_of(line: Json) -> None:
    """Nothing is stored."""
    api, obj = _server(), line["object"]
    api.remarks.clear()
    try:
        api.create(obj, namespace="default" if kind_of(obj).namespaced else "", dry_run=True)
        said: Any = api.remarks
    except ApiError as error:
        said = error.message
    assert told(said) == told(line["said"])


@pytest.mark.parametrize("line", list(lines(PATCHES)), ids=_named)
def test_an_odd_patch_is_refused_or_does_what_it_did(line: Json) -> None:
    """Of an object that is made for it."""
    api, obj = server(), line["object"]
    kind = kind_of(obj)
    place = "default" if kind.namespaced else ""
    api.create_trusted("serviceaccounts", {"metadata": {"name": "default", "namespace": "default"}})
    api.create(obj, namespace=place)
    try:
        came = api.patch(
            kind.resource, obj["metadata"]["name"], line["patch"], place, type=line["type"], dry_run=True
        )
        said: Any = what_it_says(came)
    except ApiError as error:
        said = error.message
    assert told(said) == told(line["said"])
