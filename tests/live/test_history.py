"""In which order what several watches have seen is told, and what is not waited for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest

from gherkube.runners.errors import CannotJudge
from gherkube.runners.live import history
from gherkube.runners.live.api import LiveApi
from gherkube.runners.live.connection import Connection, Unreachable
from gherkube.runners.live.discovery import Resource
from gherkube.runners.live.history import LiveHistory
from gherkube.runners.live.watch import Watch
from gherkube.runners.objects import Object

PODS = Resource("pods", "Pod", "", "v1", True)
REPLICA_SETS = Resource("replicasets", "ReplicaSet", "apps", "v1", True)


def made(name: str, version: int, owner: str = "") -> Object:
    """An object; `owner`: the ReplicaSet that controls it."""
    metadata: Object = {
        "name": name,
        "namespace": "shop",
        "uid": f"uid-{name}",
        "resourceVersion": f"{version}",
    }
    if owner:
        ref = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "uid": f"uid-{owner}"}
        metadata["ownerReferences"] = [{**ref, "controller": True}]
    return {"metadata": metadata}


class Server:
    """What the watches ask: lists, of which the test says what is in them. No watch gets a connection."""

    def __init__(self) -> None:
        self.there: dict[str, list[Object]] = {"pods": [], "replicasets": []}
        self.version = 0
        self.gone = threading.Event()
        self.histories: list[LiveHistory] = []

    def list_at(self, resource: str, _namespace: str) -> tuple[list[Object], str]:
        return self.there[resource], str(self.version)

    def send(self, *_: Any, **__: Any) -> Any:
        self.gone.wait(600)
        raise Unreachable("not today")

    def add(self, resource: str, obj: Object) -> Object:
        """It is there from now on; no watch has seen it yet."""
        self.there[resource] = [*self.there[resource], obj]
        self.version = int(obj["metadata"]["resourceVersion"])
        return obj


class Cluster:
    """A history with a watch of pods and one of ReplicaSets, both as if connected."""

    def __init__(self, server: Server) -> None:
        self.history = LiveHistory(lambda: 0.0)
        server.histories.append(self.history)
        for resource in (PODS, REPLICA_SETS):
            self.history.watch(cast(Connection, server), cast(LiveApi, server), resource, "shop")
        self.history.take()
        self.pods, self.replica_sets = self.history.watches()
        self.pods._open = self.replica_sets._open = True

    def shows(self, watch: Watch, obj: Object, kind: str = "ADDED") -> None:
        """The watch brings it."""
        watch._event({"type": kind, "object": obj})

    @property
    def told(self) -> list[str]:
        return [change.key.name for change in self.history.since()]


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server()
    yield one
    one.gone.set()
    for each in one.histories:
        each.close()


def test_an_owner_is_told_first(server: Server) -> None:
    """And all that is newer waits with what it controls."""
    cluster = Cluster(server)
    owner = server.add("replicasets", made("web", 1))
    cluster.shows(cluster.pods, server.add("pods", made("web-a", 2, "web")))
    cluster.shows(cluster.pods, server.add("pods", made("alone", 3)))
    cluster.history.take()
    assert cluster.told == []
    assert not cluster.history.is_current()
    cluster.shows(cluster.replica_sets, owner)
    cluster.history.take()
    assert cluster.told == ["web", "web-a", "alone"]
    assert cluster.history.is_current()
    assert not cluster.history.gap(-1.0)


def test_an_owner_that_was_told_may_be_gone(server: Server) -> None:
    """Its pods live longer than it."""
    cluster = Cluster(server)
    cluster.shows(cluster.replica_sets, made("web", 1))
    cluster.shows(cluster.replica_sets, made("web", 2), "DELETED")
    cluster.shows(cluster.pods, made("web-a", 3, "web"))
    cluster.history.take()
    assert cluster.told == ["web", "web", "web-a"]


def test_an_owner_that_was_gone_before_is_not_waited_for(server: Server) -> None:
    """Of a pod that was there at first, and of one that was made since: it is asked whether there is one."""
    server.add("pods", made("old-a", 5, "old"))
    cluster = Cluster(server)
    assert cluster.told == ["old-a"]
    cluster.shows(cluster.pods, server.add("pods", made("old-b", 6, "older")))
    cluster.history.take()
    assert cluster.told == ["old-a", "old-b"]
    assert not cluster.history.gap(-1.0)


def test_an_owner_that_is_not_watched_is_not_waited_for(server: Server) -> None:
    """Nothing would ever tell of it."""
    cluster = Cluster(server)
    pod = made("stage-0", 1, "stage")
    pod["metadata"]["ownerReferences"][0] |= {"apiVersion": "example.com/v1", "kind": "Stage"}
    cluster.shows(cluster.pods, server.add("pods", pod))
    cluster.history.take()
    assert cluster.told == ["stage-0"]


def test_what_others_saw_waits_for_a_watch_without_a_connection(server: Server) -> None:
    """Until it is known to have come as far; what is older does not wait."""
    cluster = Cluster(server)
    older, newer = made("web", 4), made("web", 6)
    cluster.shows(cluster.replica_sets, server.add("replicasets", older))
    cluster.replica_sets._open = False
    server.there["replicasets"] = [newer]
    cluster.shows(cluster.pods, server.add("pods", made("early", 3)))
    cluster.shows(cluster.pods, server.add("pods", made("late", 7)))
    cluster.history.take()
    assert cluster.told == ["early", "web"]
    cluster.shows(cluster.replica_sets, newer, "MODIFIED")
    cluster.history.take()
    assert cluster.told == ["early", "web", "web", "late"]


def test_a_watch_without_a_connection_to_which_nothing_happened(server: Server) -> None:
    """A list shows that it has missed nothing: nobody waits for it."""
    cluster = Cluster(server)
    cluster.replica_sets._open = False
    cluster.shows(cluster.pods, server.add("pods", made("alone", 3)))
    cluster.history.take()
    assert cluster.told == ["alone"]


def test_what_waits_for_too_long_leaves_a_gap(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told in the end, and nobody takes the past for known."""
    cluster = Cluster(server)
    server.add("replicasets", made("web", 1))
    cluster.shows(cluster.pods, server.add("pods", made("web-a", 2, "web")))
    cluster.history.take()
    monkeypatch.setattr(history, "LAG", 0.0)
    cluster.history.take()
    assert cluster.told == ["web-a"]
    assert "the watches of replicasets fell behind" in cluster.history.gap(-1.0)


def test_settling_waits_for_what_there_is(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a watch does not show it, nothing can be judged; what comes after does not matter."""
    cluster = Cluster(server)
    pod = server.add("pods", made("alone", 2))
    with monkeypatch.context() as patch:
        patch.setattr(history, "LAG", 0.0)
        with pytest.raises(CannotJudge, match="the watches of pods do not show what there is"):
            cluster.history.settle(["pods"])
    cluster.shows(cluster.pods, pod)
    cluster.shows(cluster.pods, made("other", 3))
    cluster.history.settle(["pods"])
    assert cluster.told == ["alone", "other"]


def test_settling_waits_for_deletions(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known and there no more."""
    cluster = Cluster(server)
    cluster.shows(cluster.pods, server.add("pods", made("alone", 2)))
    server.there["pods"], server.version = [], 3
    monkeypatch.setattr(history, "LAG", 0.0)
    with pytest.raises(CannotJudge, match="the watches of pods do not show what there is"):
        cluster.history.settle(["pods"])
    cluster.shows(cluster.pods, made("alone", 3), "DELETED")
    cluster.history.settle(["pods"])
    assert cluster.told == ["alone", "alone"]
