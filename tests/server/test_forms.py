"""How objects are written: each version once, whoever asks for it."""

from __future__ import annotations

import json

from gherkube.runners.objects import Object
from gherkube.runners.simulator.server.forms import Texts
from tests.server.loopback import CONFIGMAPS, Loopback


def made(name: str, text: str = "ü") -> Object:
    """A stored object."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": text}}


def test_lists_and_objects_are_json_of_what_is_stored() -> None:
    """Without types in a list, with its type alone."""
    texts, items = Texts(), [made("a"), made("b")]
    listed = {
        "kind": "ConfigMapList",
        "apiVersion": "v1",
        "metadata": {"resourceVersion": "2"},
        "items": items,
    }
    untyped = [{key: item[key] for key in ("metadata", "data")} for item in items]
    assert json.loads(texts.list(listed)) == {**listed, "items": untyped}
    assert json.loads(texts.list({**listed, "items": []})) == {**listed, "items": []}
    assert json.loads(texts.object(items[0])) == items[0]


def test_a_version_is_written_once() -> None:
    """The very same bytes, as long as they are held; what is held is bounded."""
    texts, first = Texts(most=10_000), made("a")
    text = texts.untyped(first)
    assert texts.untyped(first) is text
    others = [made(str(number), "x" * 900) for number in range(9)]
    assert all(texts.untyped(each) for each in others)
    assert texts.untyped(first) is text
    for _ in range(2):
        others += [made(str(number), "x" * 900) for number in range(30)]
        for each in others[-30:]:
            texts.untyped(each)
    assert texts.untyped(first) is not text
    assert texts.untyped(first) == text
    assert len(texts._new) + len(texts._old) < 25


def test_a_change_is_seen_in_lists_at_once(http: Loopback) -> None:
    """A new version has a text of its own."""
    http.make("a", data={"a": "1"})
    before = http.get(CONFIGMAPS).json["items"]
    http.ask("PATCH", f"{CONFIGMAPS}/a", {"data": {"a": "2"}}, content_type="application/merge-patch+json")
    after = http.get(CONFIGMAPS).json["items"]
    assert [items[-1]["data"]["a"] for items in (before, after)] == ["1", "2"]
