"""The state file: what was answered is there again, whatever happened to the server."""

from __future__ import annotations

import json
import os
from errno import ENOSPC
from pathlib import Path
from typing import Any

import pytest

from gherkube.runners.errors import UsageError
from gherkube.runners.simulator.server.state import Origin, State
from tests.server.loopback import CONFIGMAPS, DEPLOYMENTS, PODS, Loopback, deployment, loopback

ORIGIN = Origin(seed=5, nodes=3, start=0.0)


def everything(http: Loopback) -> Any:
    """All objects, the time, and the newest version."""
    lists = [
        http.get(path).body for path in (PODS, DEPLOYMENTS, CONFIGMAPS, "/api/v1/nodes", "/api/v1/events")
    ]
    return lists, http.get("/gherkube/v1").json


def story(http: Loopback) -> None:
    """Something that draws from every chance: a rollout, a lost node, a proxied request, a refusal."""
    http.ask("POST", DEPLOYMENTS, deployment(replicas=4))
    http.advance("7s")
    http.ask("PATCH", "/gherkube/v1/images", {"hello:2": "does not exist"})
    pod = http.get(PODS).json["items"][0]["metadata"]["name"]
    assert http.get(f"{PODS}/{pod}:8080/proxy/").code == 200
    http.ask("POST", "/gherkube/v1/nodes/node-2/stop")
    http.advance("6m")
    assert http.ask("POST", DEPLOYMENTS, deployment()).code == 409
    merge = {"spec": {"replicas": 6}}
    http.ask("PATCH", f"{DEPLOYMENTS}/web", merge, content_type="application/merge-patch+json")
    http.advance("3s")


def test_a_server_goes_on_where_it_was(tmp_path: Path) -> None:
    """The same objects byte for byte, the same time; and the same future."""
    path = tmp_path / "state"
    with loopback(seed=5, state=State(path, ORIGIN)) as http:
        story(http)
        before = everything(http)
    with loopback(seed=5, state=State(path, ORIGIN)) as http:
        assert everything(http) == before
        http.advance("1h")
        future = everything(http)
    with loopback(seed=5) as http:
        story(http)
        http.advance("1h")
        assert everything(http)[0] == future[0]


def test_a_crash_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    """Wherever the file is cut off, all requests up to the last whole line are there."""
    path, copy = tmp_path / "state", tmp_path / "copy"
    with loopback(state=State(path, ORIGIN)) as http:
        for name in ("a", "b", "c"):
            http.make(name)
        written = path.read_bytes()  # as kill -9 would leave it
    ends = [at + 1 for at, byte in enumerate(written) if byte == ord("\n")]
    for cut in range(ends[0], len(written) + 1, 25):
        copy.write_bytes(written[:cut])
        state = State(copy, ORIGIN)
        with loopback(state=state) as http:
            answered = sum(end <= cut for end in ends[1:])
            assert len(http.get(CONFIGMAPS).json["items"]) == answered
        copy.unlink()


def test_a_state_has_one_server(tmp_path: Path) -> None:
    """A second one is refused, and told what to do."""
    first = State(tmp_path / "state", ORIGIN)
    with pytest.raises(UsageError, match="in use"):
        State(tmp_path / "state", ORIGIN)
    first.close((0, 0.0))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense\n", ":1: no state"),
        ("{}\n", "is no state"),
        ('{"gherkube": "0.0.1", "seed": 1, "nodes": 3, "start": 0}\n', "begun by gherkube 0.0.1"),
        ("", "is no state"),
    ],
)
def test_what_is_no_state_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """Before anything is written to it."""
    path = tmp_path / "state"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        State(path, ORIGIN)


def test_reading_leaves_no_request_behind(tmp_path: Path) -> None:
    """Only how far time has come is noted."""
    path = tmp_path / "state"
    with loopback(state=State(path, ORIGIN)) as http:
        http.get(PODS)
        http.advance("5s")
    entries = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    assert all("method" not in entry for entry in entries)
    assert entries[-1]["at"] == 5.0


def test_what_the_disk_does_not_take_is_not_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither now nor after a restart; what comes after it is."""

    def fails(_: int) -> None:
        raise OSError(ENOSPC, "No space left on device")

    path = tmp_path / "state"
    with loopback(state=State(path, ORIGIN)) as http:
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", fails)
            refused = http.ask("POST", CONFIGMAPS, {"metadata": {"name": "a"}})
        assert (refused.code, refused.json["reason"]) == (500, "InternalError")
        assert refused.json["message"].endswith("No space left on device; nothing was done")
        http.make("b")
        before = everything(http)
    with loopback(state=State(path, ORIGIN)) as http:
        assert everything(http) == before
        assert http.get(f"{CONFIGMAPS}/a").code == 404


def test_time_that_was_advanced_stays_passed(tmp_path: Path) -> None:
    """Each time, however soon after the last one the server is killed."""
    path = tmp_path / "state"
    with loopback(state=State(path, ORIGIN)) as http:
        for _ in range(3):
            http.advance("5s")
        copy = tmp_path / "copy"
        copy.write_bytes(path.read_bytes())  # as kill -9 would leave it
    with loopback(state=State(copy, ORIGIN)) as http:
        assert http.get("/gherkube/v1").json["now"] == 15.0
