"""What a container's own command says of its program, where its image says nothing."""

from __future__ import annotations

import pytest

from gherkube.runners.objects import Key, Object
from tests.simulator.node.harness import World


def state(world: World) -> Object:
    """The container's state."""
    found: Object = world.stored()["status"]["containerStatuses"][0]["state"]  # type: ignore[index]
    return found


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ([], 0),
        (["sh"], 0),
        (["true"], 0),
        (["/bin/false"], 1),
        (["sleep", "2"], 0),
        (["sh", "-c", "exit 3"], 3),
        (["/bin/bash", "-ec", "echo hello && sleep 1s; exit 0"], 0),
        (["sh", "-c", "false && exit 4; sleep 1"], 0),
        (["sh", "-c", "sleep 1 && false"], 1),
        (["sh", "-c", "\n  echo one\n  exit 5\n"], 5),
    ],
)
def test_a_command_that_only_waits_and_ends_does_so(command: list[str], code: int) -> None:
    """With its exit code, in its time."""
    world = World()
    world.pod(image="busybox:1", spec={"restartPolicy": "Never"}, command=command[:1], args=command[1:])
    world.run(10)
    ended = state(world)["terminated"]
    assert ended["exitCode"] == code
    assert ended["reason"] == ("Error" if code else "Completed")


@pytest.mark.parametrize(
    "command",
    [
        ["server", "--port=8080"],
        ["sh", "-c", "if true; then exit 1; fi"],
        ["sh", "-c", "exit $CODE"],
        ["sh", "-c", "sleep 1 'unfinished"],
        ["sh", "/run.sh"],
    ],
)
def test_any_other_command_behaves_as_its_image(command: list[str]) -> None:
    """Nothing is guessed: it runs, and listens."""
    world = World()
    world.pod(image="busybox:1", command=command)
    world.run(10)
    assert "running" in state(world)
    assert world.kubelets.request(Key("default", "web"), 8080).code == 200


def test_what_is_said_of_an_image_counts_more_than_a_command() -> None:
    """Whoever says how an image behaves means all of its containers."""
    world = World()
    world.images.behave("busybox:1", crash_after=1, exit_code=7)
    world.pod(image="busybox:1", spec={"restartPolicy": "Never"}, command=["sleep", "100"])
    world.run(10)
    assert state(world)["terminated"]["exitCode"] == 7


def test_a_sleeping_command_answers_nobody_and_has_to_be_killed() -> None:
    """The first process of a container does not end on SIGTERM unless it asked for it."""
    world = World()
    world.pod(image="busybox:1", command=["sleep", "infinity"])
    world.run(5)
    assert world.kubelets.request(Key("default", "web"), 8080).code == 0
    world.delete(grace=5)
    world.run(9)
    assert world.stored() is not None
    world.run(12)
    assert world.stored() is None


def test_web_servers_listen_where_the_web_does() -> None:
    """Without a word on ports, httpd and nginx listen on 80, all else on 8080."""
    world = World()
    world.pod(image="registry.example/httpd:2.4", ports=[])
    world.run(10)
    assert world.kubelets.request(Key("default", "web"), 80).code == 200
    assert world.kubelets.request(Key("default", "web"), 8080).code == 0


def test_the_hostname_server_of_the_tests_answers_with_its_name() -> None:
    """Kubernetes' test image agnhost, told to serve-hostname."""
    world = World()
    world.pod(image="registry.k8s.io/e2e-test-images/agnhost:2.56", args=["serve-hostname"])
    world.run(10)
    assert world.kubelets.request(Key("default", "web"), 8080).body == "web"
