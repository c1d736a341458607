"""node-1, node-2 … are the nodes that take pods, in order, whatever they are really called."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gherkube.runners.errors import ApiError
from gherkube.runners.simulator.cluster import Simulator
from gherkube.steps.world import World

from .conftest import Say


@pytest.fixture
def world() -> Iterator[World]:
    """On a cluster whose nodes are called as kind calls those of a cluster `dev`."""
    return World(Simulator(seed=7, kind="dev"))


def test_a_place_is_a_node(world: World) -> None:
    """A real name stays usable, and a number beyond the last is nobody's."""
    assert [world.node(f"node-{n}") for n in (1, 2, 3)] == ["dev-worker", "dev-worker2", "dev-worker3"]
    assert world.node("dev-worker2") == "dev-worker2"
    assert world.node("node-4") == "node-4"
    assert world.node("node-0") == "node-0"


def test_a_node_that_is_really_called_so_is_meant(world: World) -> None:
    """Though another one has that place."""
    real = world.api.get("nodes", "dev-worker3")
    metadata = {"name": "node-1", "labels": real["metadata"]["labels"]}
    world.api.create({"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": {}})
    assert world.node("node-1") == "node-1"


def test_sentences_about_nodes(world: World, say: Say) -> None:
    """Acts, the pods on a node, and the node that pods run on."""
    say("given", 'daemonset "agent" runs "hello:1"')
    say("then", 'exactly 1 pod on node "node-2" is ready')
    say("when", 'node "node-2" goes down')
    say("then", '1 pod runs on node "node-3"')
    say("when", 'node "node-2" comes back')
    say("when", 'I cordon node "node-3"')
    assert world.api.get("nodes", "dev-worker3")["spec"]["unschedulable"]
    say("when", 'I uncordon node "node-3"')
    say("when", 'I drain node "node-1"')
    say("then", 'exactly 1 pod on node "node-1" is ready')
    with pytest.raises(ApiError, match="node-9"):
        say("when", 'node "node-9" goes down')


def test_a_command_is_given_the_real_names(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the place stands as a word of its own."""
    told: list[list[str]] = []

    class ToldError(Exception):
        pass

    def run(_: object, words: list[str], **more: object) -> None:
        told.append(words)
        raise ToldError(more)

    monkeypatch.setattr("gherkube.runners.commands.run", run)
    with pytest.raises(ToldError):
        world.run("kubectl get pods -l at=my-node-1 --field-selector=spec.nodeName=node-1 nodes/node-2")
    last = ["-l", "at=my-node-1", "--field-selector=spec.nodeName=dev-worker", "nodes/dev-worker2"]
    assert told[0][-4:] == last
