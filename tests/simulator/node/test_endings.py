"""Containers that cannot start, may not start, or never ran when their pod ends; each as it was recorded."""

from __future__ import annotations

import pytest

from gherkube.runners.objects import Key, Object
from tests.simulator.node.harness import World

CANNOT = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
    "runc create failed: unable to start container process: exec: "
)
NEVER_AGAIN: Object = {"restartPolicy": "Never"}


def writes(world: World) -> list[str]:
    """The pod's writes in short, without conditions."""
    lines = (line for line in world.story() if not line.startswith("`"))
    return [f"{line.partition(' [')[0]} {line.partition('] ')[2]}" for line in lines]


def state(world: World, field: str = "containerStatuses") -> Object:
    """The state of the first container there."""
    found: Object = world.stored()["status"][field][0]["state"]  # type: ignore[index]
    return found


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["/bin/nosuch", "-v"], '"/bin/nosuch": stat /bin/nosuch: no such file or directory: unknown'),
        (["nosuch"], '"nosuch": executable file not found in $PATH: unknown'),
    ],
)
def test_a_command_that_is_not_there(command: list[str], why: str) -> None:
    """The runtime keeps it as a run that has ended; the sandbox's start brings one sync more."""
    world = World()
    world.pod(command=command)
    world.run(10)
    assert world.story()[3:] == [
        "`Pulled`×1",
        "`Created`×1",
        "`Failed`×1",
        (
            "1/1 Running [ST IT RF.ContainersNotReady CF.ContainersNotReady PT] "
            "waiting:RunContainerError<StartError=128-0"
        ),
        "`Pulled`×2",
        "`Created`×2",
        "`Failed`×2",
        (
            "1/1 Running [ST IT RF.ContainersNotReady CF.ContainersNotReady PT] "
            "waiting:RunContainerError<StartError=128-1"
        ),
        "`BackOff`×1",
        (
            "1/1 Running [ST IT RF.ContainersNotReady CF.ContainersNotReady PT] "
            "waiting:CrashLoopBackOff<StartError=128-1"
        ),
        "`BackOff`×2",
    ]
    assert world.messages("Failed") == [f"Error: {CANNOT}{why}"]
    last = world.stored()["status"]["containerStatuses"][0]["lastState"]["terminated"]  # type: ignore[index]
    assert last["message"] == CANNOT + why
    assert last["startedAt"] == "1970-01-01T00:00:00Z"


def test_of_other_images_it_is_not_known_what_is_inside() -> None:
    """Their programs are taken to be there."""
    world = World()
    world.pod(image="shop:1", command=["/bin/nosuch"])
    world.run(5)
    assert "running" in state(world)


def test_a_failed_init_container_leaves_the_others_waiting() -> None:
    """Nobody lost them: they were never to run."""
    world = World()
    world.pod(init=[{"name": "first", "image": "hello:1", "command": ["false"]}], spec=NEVER_AGAIN)
    world.run(10)
    assert writes(world)[-1] == "1/1 Failed terminated:Error=1-0 waiting:PodInitializing-0"


def test_a_pod_that_is_deleted_before_its_first_init_container_runs() -> None:
    """That one is lost, the others wait for ever."""
    world = World()
    world.images.behave("hello:404", exists=False)
    world.pod(init=[{"name": "first", "image": "hello:404"}])
    world.run(5)
    world.delete()
    world.run(10)
    assert writes(world)[-4:] == [
        "2/2 Pending waiting:PodInitializing-0 waiting:PodInitializing-0",
        "2/2 Failed terminated:ContainerStatusUnknown=137-0 waiting:PodInitializing-0",
        "2/2 Failed terminated:ContainerStatusUnknown=137-0 waiting:PodInitializing-0 g0",
        "DELETED ",
    ]


def test_a_pod_is_pending_until_its_end_when_a_container_never_ran() -> None:
    """Whatever the other one did; its conditions stay as they were then."""
    world = World()
    world.images.behave("hello:404", exists=False)
    other = {"name": "other", "image": "hello:404"}
    world.pod(init=[{**other, "restartPolicy": "Always", "image": "hello:1", "name": "side"}, other])
    world.run(5)
    world.delete()
    world.run(12)
    assert [line for line in world.story() if line.startswith("2/2")][-3:] == [
        (
            "2/2 Pending [SF IF.ContainersNotInitialized RF.ContainersNotReady CF.ContainersNotReady PT] "
            "terminated:Completed=0-0 waiting:PodInitializing-0 waiting:PodInitializing-0"
        ),
        (
            "2/2 Failed [SF IF.ContainersNotInitialized RF.ContainersNotReady CF.ContainersNotReady PT] "
            "terminated:Completed=0-0 waiting:PodInitializing-0 waiting:PodInitializing-0"
        ),
        (
            "2/2 Failed [SF IF.ContainersNotInitialized RF.ContainersNotReady CF.ContainersNotReady PT] "
            "terminated:Completed=0-0 waiting:PodInitializing-0 waiting:PodInitializing-0 g0"
        ),
    ]


def test_sidecars_are_told_at_once_and_stopped_in_turn() -> None:
    """Their events come together; each ends when those after it have."""
    world = World()
    sides = [{"name": name, "image": "hello:1", "restartPolicy": "Always"} for name in ("one", "two")]
    world.pod(init=sides, env={"SHUTDOWN_DELAY": "2"})
    world.run(10)
    world.delete()
    world.run(11)
    assert sorted(world.messages("Killing")) == [
        f"Stopping container {name}" for name in ("app", "one", "two")
    ]
    world.run(15)
    ended = [
        each["state"]["terminated"]["finishedAt"]
        for change in world.store.log.since()
        if change.resource == "pods" and change.type != "DELETED"
        for each in change.object["status"].get("initContainerStatuses", ())
        if "terminated" in each["state"]
    ]
    assert min(ended) >= "2025-01-01T00:00:12Z"


@pytest.mark.parametrize(
    ("security", "why"),
    [
        ({"runAsNonRoot": True}, "container has runAsNonRoot and image will run as root"),
        ({"runAsNonRoot": True, "runAsUser": 0}, "container's runAsUser breaks non-root policy"),
    ],
)
def test_who_may_not_be_root(security: Object, why: str) -> None:
    """The pod may say the one and the container the other."""
    world = World()
    world.pod(spec={"securityContext": {"runAsNonRoot": True}}, securityContext=security)
    world.run(5)
    uid = world.stored()["metadata"]["uid"]  # type: ignore[index]
    said = f'{why} (pod: "web_default({uid})", container: app)'
    assert state(world)["waiting"] == {"reason": "CreateContainerConfigError", "message": said}
    assert world.messages("Failed") == [f"Error: {said}"]


@pytest.mark.parametrize(("image", "user"), [("hello:1", 1000), ("shop:1", None)])
def test_who_is_not_root_may_start(image: str, user: int | None) -> None:
    """An image of which nothing is known is taken to run as it has to."""
    world = World()
    world.pod(image=image, securityContext={"runAsNonRoot": True, **({"runAsUser": user} if user else {})})
    world.run(5)
    assert "running" in state(world)


def test_a_pod_ends_at_its_deadline() -> None:
    """What runs then is stopped, and the pod says why it failed."""
    world = World()
    world.pod(spec={"activeDeadlineSeconds": 5}, env={"IGNORE_TERM": "true"})
    world.run(20)
    assert world.story()[-6:] == [
        "`DeadlineExceeded`×1",
        "1/1 Running [ST IT RF.PodFailed CF.PodFailed PT] running+0",
        "`Killing`×1",
        "`DeadlineExceeded`×2",
        "`DeadlineExceeded`×3",
        "1/1 Failed [SF IT RF.PodFailed CF.PodFailed PT] terminated:Error=137-0",
    ]
    status: Object = world.stored()["status"]  # type: ignore[index]
    assert (status["reason"], status["message"]) == (
        "DeadlineExceeded",
        "Pod was active on the node longer than the specified deadline",
    )


def test_a_container_that_waits_at_the_deadline_is_lost() -> None:
    """There is nothing to stop."""
    world = World()
    world.images.behave("nosuch:1", exists=False)
    world.pod(image="nosuch:1", spec={"activeDeadlineSeconds": 5})
    world.run(20)
    assert writes(world)[-1] == "1/1 Failed terminated:ContainerStatusUnknown=137-0"
    assert world.messages("Killing") == []


def test_a_deadline_that_is_set_later() -> None:
    """It counts from the pod's start, so that it may be over at once; an end by itself comes before it."""
    world = World()
    containers = [{"name": "app", "image": "hello:1"}]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": containers}}
    world.api.create(pod)
    world.api.bind(Key("default", "web"), "node-1")
    world.pod("ends", spec={**NEVER_AGAIN, "activeDeadlineSeconds": 9}, env={"EXIT_AFTER": "2"})
    world.run(10)
    world.api.patch("pods", "web", {"spec": {"activeDeadlineSeconds": 3}}, "default")
    world.run(20)
    assert world.stored()["status"]["reason"] == "DeadlineExceeded"  # type: ignore[index]
    assert "reason" not in world.stored("ends")["status"]  # type: ignore[index]


@pytest.mark.parametrize(
    "command", ["sleep 2; dd if=/dev/zero of=/dev/null bs=200M", "sleep 2; tail /dev/zero"]
)
def test_a_command_that_takes_more_memory_than_it_may(command: str) -> None:
    """It is killed when it does; with room for it the pod does not fail so."""
    world = World()
    world.pod(command=["sh", "-c", command], resources={"limits": {"memory": "24Mi"}}, spec=NEVER_AGAIN)
    world.run(10)
    assert writes(world)[-1] == "1/1 Failed terminated:OOMKilled=137-0"
    assert any("running" in line for line in writes(world))


def test_what_ran_before_the_last_run_is_forgotten() -> None:
    """It shows beside the end of the last one only as that is first seen."""
    world = World()
    world.pod(env={"EXIT_AFTER": "1", "EXIT_CODE": "3"})
    world.run(5)
    assert writes(world)[-1] == "1/1 Running terminated:Error=3<Error=3-1"
    world.delete()
    world.run(5.5)
    assert "terminated:Error=3-1" in writes(world)[-1]


@pytest.mark.parametrize(
    ("script", "policy", "message"),
    [
        ("echo out of paper > /dev/termination-log; exit 1", "File", "out of paper\n"),
        ("echo one; echo $NAME $(NAME) ${NAME}; exit 2", "FallbackToLogsOnError", "one\ntwo two two\n"),
        ("echo one; exit 0", "FallbackToLogsOnError", None),
        ("echo one; exit 3", "File", None),
    ],
)
def test_what_a_command_leaves_behind(script: str, policy: str, message: str | None) -> None:
    """What it writes for that, or prints when it fails and that is asked for."""
    world = World()
    world.pod(
        command=["sh", "-c", script],
        env={"NAME": "two"},
        spec=NEVER_AGAIN,
        terminationMessagePolicy=policy,
    )
    world.run(8)
    assert state(world)["terminated"].get("message") == message


def test_a_pod_runs_until_its_sidecars_have_ended() -> None:
    """Its program's end alone makes it no more than not ready."""
    world = World()
    side = {"name": "side", "image": "hello:1", "restartPolicy": "Always"}
    side["env"] = [{"name": "SHUTDOWN_DELAY", "value": "3"}]
    world.pod(init=[side], command=["sleep", "3"], spec=NEVER_AGAIN)
    world.run(8)
    not_ready = "RF.ContainersNotReady CF.ContainersNotReady"
    not_yet = f"1/1 Running [ST IT {not_ready} PT] running+0 terminated:Completed=0-0"
    assert world.story()[-2:] == [not_yet, "`Killing`×1"]
    world.run(14)
    assert writes(world)[-1] == "1/1 Succeeded terminated:Completed=0-0 terminated:Completed=0-0"
