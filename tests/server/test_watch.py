"""Watches and chunked lists over HTTP."""

from __future__ import annotations

import pytest

from tests.server.loopback import CONFIGMAPS, TABLE, Loopback, loopback

INITIAL = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"


def test_a_watch_tells_what_is_there_and_then_what_changes(http: Loopback) -> None:
    """Without a resourceVersion it begins with all objects; DELETED carries the last state."""
    http.make("a")
    with http.watch(f"{CONFIGMAPS}?watch=true") as watching:
        first = watching.next()
        assert (first["type"], first["object"]["metadata"]["name"]) == ("ADDED", "a")
        http.make("b")
        assert watching.next()["object"]["metadata"]["name"] == "b"
        http.ask("DELETE", f"{CONFIGMAPS}/a")
        last = watching.next()
        assert (last["type"], last["object"]["metadata"]["name"]) == ("DELETED", "a")


def test_a_watch_goes_on_from_a_version(http: Loopback) -> None:
    """Nothing up to that version is told again."""
    version = http.make("a")["metadata"]["resourceVersion"]
    http.make("b")
    with http.watch(f"{CONFIGMAPS}?watch=1&resourceVersion={version}") as watching:
        assert watching.next()["object"]["metadata"]["name"] == "b"


def test_an_object_enters_and_leaves_a_selection(http: Loopback) -> None:
    """What begins to match is ADDED, what ceases to is DELETED."""
    with http.watch(f"{CONFIGMAPS}?watch=1&labelSelector=x%3Dy") as watching:
        http.make("a")
        merge = "application/merge-patch+json"
        http.ask("PATCH", f"{CONFIGMAPS}/a", {"metadata": {"labels": {"x": "y"}}}, content_type=merge)
        assert watching.next()["type"] == "ADDED"
        http.ask("PATCH", f"{CONFIGMAPS}/a", {"metadata": {"labels": {"x": "z"}}}, content_type=merge)
        assert watching.next()["type"] == "DELETED"


def test_a_watch_ends_at_its_time(http: Loopback) -> None:
    """timeoutSeconds are virtual seconds."""
    with http.watch(f"{CONFIGMAPS}?watch=1&timeoutSeconds=30&labelSelector=x") as watching:
        http.advance("30s")
        assert watching.ends()


def test_bookmarks_come_about_every_minute(http: Loopback) -> None:
    """To those who asked for them: the kind and a version, nothing else."""
    with http.watch(f"{CONFIGMAPS}?watch=1&allowWatchBookmarks=true&labelSelector=x") as watching:
        http.advance("61s")
        mark = watching.next()
        assert (mark["type"], mark["object"]["kind"]) == ("BOOKMARK", "ConfigMap")
        assert mark["object"]["metadata"]["resourceVersion"] == str(http.cluster.store.version)


def test_initial_events_end_with_a_marked_bookmark(http: Loopback) -> None:
    """As client-go's informers ask for since 1.35."""
    http.make("a")
    with http.watch(f"{CONFIGMAPS}?{INITIAL}") as watching:
        assert watching.next()["type"] == "ADDED"
        annotations = watching.next()["object"]["metadata"]["annotations"]
        assert annotations == {"k8s.io/initial-events-end": "true"}
    assert http.get(f"{CONFIGMAPS}?watch=1&sendInitialEvents=true").code == 422


def test_a_version_that_is_too_old_is_gone() -> None:
    """The watch is answered, and says so in its one event; a list of that version is refused."""
    with loopback(window=3) as http:
        for name in "abcdef":
            http.make(name)
        with http.watch(f"{CONFIGMAPS}?watch=1&resourceVersion=1") as watching:
            told = watching.next()
            assert (told["type"], told["object"]["code"], told["object"]["reason"]) == (
                "ERROR",
                410,
                "Expired",
            )
            assert watching.ends()
        assert http.get(f"{CONFIGMAPS}?resourceVersion=1&resourceVersionMatch=Exact").code == 410


def test_a_watch_of_tables_names_columns_once(http: Loopback) -> None:
    """As kubectl get -w asks for it."""
    with http.watch(f"{CONFIGMAPS}?watch=1", **TABLE) as watching:
        http.make("a")
        first = watching.next()["object"]
        assert (first["kind"], first["rows"][0]["cells"][0]) == ("Table", "a")
        assert [column["name"] for column in first["columnDefinitions"]] == ["Name", "Data", "Age"]
        http.make("b")
        assert not watching.next()["object"]["columnDefinitions"]


def test_a_refused_watch_is_a_status(http: Loopback) -> None:
    """Bad selectors are told before the stream begins."""
    assert http.get(f"{CONFIGMAPS}?watch=1&fieldSelector=a.b%3Dc").code == 400
    assert http.get(f"{CONFIGMAPS}?watch=1&resourceVersion=99999").code == 504


def test_advancing_for_long_starves_no_watch(http: Loopback) -> None:
    """While five minutes run, a watch gets its events and other requests their answers."""
    with http.watch("/api/v1/nodes?watch=1&fieldSelector=metadata.name%3Dnode-1") as watching:
        watching.next()
        assert http.ask("POST", "/gherkube/v1/nodes/node-1/stop").code == 200
        http.advance("5m")
        assert any(
            each["status"] == "Unknown" for each in watching.next()["object"]["status"].get("conditions", ())
        )


def test_chunks_make_the_list_of_one_moment(http: Loopback) -> None:
    """A continue token keeps the moment of the first chunk, whatever changes meanwhile."""
    for name in "abcde":
        http.make(name)
    first = http.get(f"{CONFIGMAPS}?limit=2").json
    assert first["metadata"]["remainingItemCount"] == 3
    http.ask("DELETE", f"{CONFIGMAPS}/d")
    http.make("z")
    names, chunk = [each["metadata"]["name"] for each in first["items"]], first
    while token := chunk["metadata"].get("continue"):
        chunk = http.get(f"{CONFIGMAPS}?limit=2&continue={token}").json
        assert chunk["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
        names += [each["metadata"]["name"] for each in chunk["items"]]
    assert names == list("abcde")


def test_a_token_expires_with_its_moment() -> None:
    """410, so that a client lists anew."""
    with loopback(window=3) as http:
        for name in "abc":
            http.make(name)
        token = http.get(f"{CONFIGMAPS}?limit=1").json["metadata"]["continue"]
        for name in "defg":
            http.make(name)
        refused = http.get(f"{CONFIGMAPS}?limit=1&continue={token}")
        assert (refused.code, refused.json["reason"]) == (410, "Expired")


@pytest.mark.parametrize("match", ["Exact", "NotOlderThan"])
def test_a_list_of_a_version(http: Loopback, match: str) -> None:
    """Exact is what was there then, NotOlderThan what is there now."""
    version = http.make("a")["metadata"]["resourceVersion"]
    http.make("b")
    listed = http.get(f"{CONFIGMAPS}?resourceVersion={version}&resourceVersionMatch={match}").json
    names = [each["metadata"]["name"] for each in listed["items"]]
    assert names == (["a"] if match == "Exact" else ["a", "b"])
