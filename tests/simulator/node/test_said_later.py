"""What is said of an image reaches the containers of it that run already."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.objects import is_ready
from gherkube.runners.simulator.clock import seconds_of
from tests.simulator.node.harness import World, http


def running(**container: Any) -> World:
    """A world whose pod has run for some seconds; its container was started before second 2."""
    world = World()
    world.pod(**container)
    world.run(10)
    return world


def restarts(world: World) -> int:
    """How often the pod's container was started again, as its status says."""
    pod = world.stored()
    assert pod is not None
    count = pod["status"]["containerStatuses"][0]["restartCount"]
    assert isinstance(count, int)
    return count


def ready(world: World) -> bool:
    """Whether the pod is ready now."""
    pod = world.stored()
    return pod is not None and is_ready(pod)


def test_stopping_takes_as_long_as_was_said_later() -> None:
    """It answers meanwhile; once it is being stopped nothing that is said changes that."""
    world = running()
    world.images.behave("hello:1", stop_seconds=4.0)
    world.delete()
    world.run(13)
    assert world.ask().code == 200
    world.images.behave("hello:1", stop_seconds=0.0)
    world.run(13.9)
    assert world.ask().code == 200
    world.run(17)
    assert world.stored() is None


def test_the_answer_is_another_at_once() -> None:
    """Code and text; another image's answer stays."""
    world = running()
    world.images.behave("hello:2", answer_code=404)
    assert world.ask().code == 200
    world.images.behave("hello:1", answer_code=500, answer_text="Good morning")
    assert world.ask()[:2] == (500, "Good morning")


def test_the_environment_still_steers() -> None:
    """What a running container was started with counts for more than what is said of its image."""
    world = running(env={"MESSAGE": "mine"})
    world.images.behave("hello:1", answer_code=500, answer_text="Good morning")
    assert world.ask()[:2] == (500, "mine")


@pytest.mark.parametrize(("after", "at"), [(2.0, 10), (20.0, 20)], ids=["passed", "to come"])
def test_a_crash_said_later(after: float, at: int) -> None:
    """Counted from the container's start; now, when that has passed."""
    world = running()
    world.images.behave("hello:1", crash_after=after, exit_code=3)
    world.run(at + 4)
    pod = world.stored()
    assert pod is not None
    status = pod["status"]["containerStatuses"][0]
    ended = status["lastState"]["terminated"]
    assert (status["restartCount"], ended["exitCode"]) == (1, 3)
    assert at <= seconds_of(ended["finishedAt"]) <= at + 2


def test_a_crash_that_is_planned_otherwise() -> None:
    """Only the moment that was said last counts, and nothing waits for the other one."""
    world = running()
    world.images.behave("hello:1", crash_after=1000.0)
    assert world.clock.pending == 1
    world.images.behave("hello:1", crash_after=2000.0)
    assert world.clock.pending == 1
    world.images.behave("hello:1", crash_after=None)
    assert world.clock.pending == 0
    world.run(3000)
    assert restarts(world) == 0


@pytest.mark.parametrize(("after", "by"), [(5.0, 13.0), (30.0, 35.0)], ids=["passed", "to come"])
def test_a_liveness_probe_that_fails_as_was_said_later(after: float, by: float) -> None:
    """It asked nobody any more as nothing would change: now it does."""
    world = running(livenessProbe=http("/healthz"))
    assert world.clock.pending == 0
    world.images.behave("hello:1", fails_liveness_after=after)
    world.run(by - 4)
    assert world.messages("Killing") == []
    world.run(by)
    assert world.messages("Killing") == ["Container app failed liveness probe, will be restarted"]


def test_a_pod_that_never_becomes_ready_as_was_said_later() -> None:
    """It was ready, and is not from its third failed probe on."""
    world = running(readinessProbe=http())
    assert ready(world)
    world.images.behave("hello:1", never_ready=True)
    world.run(14)
    assert not ready(world)
    world.images.behave("hello:1", never_ready=False)
    world.run(16)
    assert ready(world)


def test_listening_said_later_is_counted_from_the_start() -> None:
    """It refuses until then."""
    world = running()
    world.images.behave("hello:1", listen_after=15.0)
    assert world.ask().code == 0
    world.run(17)
    assert world.ask().code == 200


def test_containers_of_a_node_without_power() -> None:
    """They do not run: what is said reaches those that take their place."""
    world = running()
    world.kubelets.stop("node-1")
    pending = world.clock.pending
    world.images.behave("hello:1", crash_after=0.0)
    assert world.clock.pending == pending
    world.images.behave("hello:1", crash_after=None, answer_code=500)
    world.kubelets.start("node-1")
    world.run(30)
    assert (restarts(world), world.ask().code) == (1, 500)
