"""The writes and events of a pod's life come in the order in which a real cluster was recorded."""

from __future__ import annotations

import pytest

from tests.simulator.node.harness import World, http

WAITS = "[SF IT RF.ContainersNotReady CF.ContainersNotReady PT]"
UNREADY = "[ST IT RF.ContainersNotReady CF.ContainersNotReady PT]"
READY = "[ST IT RT CT PT]"
DONE = "[SF IT.PodCompleted RF.PodCompleted CF.PodCompleted PT]"
FAILED = "[SF IT RF.PodFailed CF.PodFailed PT]"
CREATED = ["1/- Pending []", "1/- Pending [PT]"]
STARTED = [
    *CREATED,
    f"1/1 Pending {WAITS} waiting:ContainerCreating-0",
    "`Pulled`×1",
    "`Created`×1",
    "`Started`×1",
]
SEEDS = pytest.mark.parametrize("seed", range(5))


@SEEDS
def test_a_normal_start(seed: int) -> None:
    """Created, bound, ContainerCreating, three events, Running and ready in one write."""
    world = World(seed)
    world.pod()
    world.run(10)
    assert world.story() == [*STARTED, f"1/1 Running {READY} running+0"]


@SEEDS
def test_a_start_takes_about_as_long_as_recorded(seed: int) -> None:
    """From creation to Running: between 0.6 and 4 seconds."""
    world = World(seed)
    world.pod()
    world.run(10)
    *_, (at, line) = world.timed()
    assert "Running" in line
    assert 0.6 < at < 4


def test_a_running_pod_costs_nothing() -> None:
    """When all is well no event is left to run, however long one waits."""
    world = World()
    world.pod(readinessProbe=http(), livenessProbe=http("/healthz"))
    world.run(5)
    assert world.clock.next_at() is None


@SEEDS
def test_an_image_that_does_not_exist(seed: int) -> None:
    """ErrImagePull and ImagePullBackOff in turns, each shown one sync after it happened."""
    world = World(seed)
    world.images.behave("hello:404", exists=False)
    world.pod(image="hello:404")
    world.run(30)
    assert world.story()[:15] == [
        *CREATED,
        f"1/1 Pending {WAITS} waiting:ContainerCreating-0",
        "`Pulling`×1",
        "`Failed`×1",
        "`Failed`×1",
        f"1/1 Pending {UNREADY} waiting:ErrImagePull-0",
        "`BackOff`×1",
        "`Failed`×1",
        f"1/1 Pending {UNREADY} waiting:ImagePullBackOff-0",
        "`Pulling`×2",
        "`Failed`×2",
        "`Failed`×2",
        f"1/1 Pending {UNREADY} waiting:ErrImagePull-0",
        "`BackOff`×2",
    ]


def test_what_is_said_of_an_image_that_does_not_exist() -> None:
    """The kubelet's and the runtime's words."""
    world = World()
    world.images.behave("hello:404", exists=False)
    world.pod(image="hello:404")
    world.run(12)
    name = "docker.io/library/hello:404"
    error = (
        f'rpc error: code = NotFound desc = failed to pull and unpack image "{name}": '
        f'failed to resolve reference "{name}": {name}: not found'
    )
    assert world.messages("Failed") == [
        f'Failed to pull image "hello:404": {error}',
        "Error: ErrImagePull",
        "Error: ImagePullBackOff",
    ]
    world.run(16)
    pod = world.stored()
    assert pod is not None
    assert pod["status"]["containerStatuses"][0]["state"]["waiting"] == {
        "reason": "ImagePullBackOff",
        "message": f'Back-off pulling image "hello:404": ErrImagePull: {error}',
    }


def test_the_end_of_a_pod_that_never_started() -> None:
    """Three writes that tell its containers are lost, and no Killing event."""
    world = World()
    world.images.behave("hello:404", exists=False)
    world.pod(image="hello:404")
    world.run(30)
    position = len(world.store.log)
    world.delete()
    world.run(40)
    lost = "[SF IT RF.ContainersNotReady CF.ContainersNotReady PT] terminated:ContainerStatusUnknown=137-0"
    assert world.story(position) == [
        f"2/1 Pending {UNREADY} waiting:ErrImagePull-0",
        f"2/2 Pending {UNREADY} waiting:ContainerCreating-0",
        f"2/2 Pending {WAITS} waiting:ContainerCreating-0",
        f"2/2 Failed {lost}",
        f"2/2 Failed {lost} g0",
        "DELETED",
    ]


@SEEDS
def test_a_crash_loop(seed: int) -> None:
    """The first crash restarts at once; then back-offs of 10 and 20 seconds, shown one sync late."""
    world = World(seed)
    world.pod(env={"EXIT_AFTER": "1", "EXIT_CODE": "3"})
    world.run(50)
    again = ["`Pulled`×{0}", "`Created`×{0}", "`Started`×{0}"]
    expected = [
        *STARTED,
        f"1/1 Running {READY} running+0",
        f"1/1 Running {UNREADY} terminated:Error=3-0",
        *(each.format(2) for each in again),
        f"1/1 Running {READY} running<Error=3+1",
        f"1/1 Running {UNREADY} terminated:Error=3<Error=3-1",
        "`BackOff`×1",
        f"1/1 Running {UNREADY} waiting:CrashLoopBackOff<Error=3-1",
        *(each.format(3) for each in again),
        f"1/1 Running {READY} running<Error=3+2",
        f"1/1 Running {UNREADY} terminated:Error=3<Error=3-2",
        "`BackOff`×2",
        f"1/1 Running {UNREADY} waiting:CrashLoopBackOff<Error=3-2",
        "`BackOff`×3",
    ]
    assert world.story()[: len(expected)] == expected


def test_what_is_said_of_a_crash_loop() -> None:
    """The waiting message names the back-off, the container, and the pod with its namespace and uid."""
    world = World()
    world.pod(env={"EXIT_AFTER": "1"})
    world.run(70)
    pod = world.stored()
    assert pod is not None
    full = f"web_default({pod['metadata']['uid']})"
    assert world.messages("BackOff") == [f"Back-off restarting failed container app in pod {full}"]
    waits = {
        change.object["status"]["containerStatuses"][0]["state"]["waiting"].get("message")
        for change in world.store.log.since()
        if change.resource == "pods"
        and change.object["status"].get("containerStatuses", [{"state": {}}])[0]["state"].get("waiting")
    }
    assert waits - {None} == {
        f"back-off {time} restarting failed container=app pod={full}" for time in ("10s", "20s", "40s")
    }


@SEEDS
def test_a_liveness_failure(seed: int) -> None:
    """Two probe kills restart at once without a terminated write; the third is in back-off."""
    world = World(seed)
    world.pod(env={"FAIL_LIVE_AFTER": "3"}, livenessProbe=http("/healthz", failureThreshold=2))
    world.run(24)
    story = world.story()
    begin = [*STARTED, f"1/1 Running {READY} running+0", "`Unhealthy`×1", "`Unhealthy`×2", "`Killing`×1"]
    begin += ["`Pulled`×2", "`Created`×2", "`Started`×2", f"1/1 Running {READY} running<Completed=0+1"]
    assert story[: len(begin)] == begin
    third = story.index("`Killing`×3")
    assert story[third : third + 4] == [
        "`Killing`×3",
        "`BackOff`×1",
        f"1/1 Running {UNREADY} waiting:CrashLoopBackOff<Completed=0-2",
        "`BackOff`×2",
    ]
    assert world.messages("Killing") == ["Container app failed liveness probe, will be restarted"]


@SEEDS
def test_a_graceful_deletion(seed: int) -> None:
    """Killing, a write that only notes it, the end in one write, grace 0, gone 10 ms later."""
    world = World(seed)
    world.pod()
    world.run(10)
    position = len(world.store.log)
    world.delete()
    world.run(20)
    assert world.story(position) == [
        f"2/1 Running {READY} running+0",
        "`Killing`×1",
        f"2/2 Running {READY} running+0",
        f"2/2 Succeeded {DONE} terminated:Completed=0-0",
        f"2/2 Succeeded {DONE} terminated:Completed=0-0 g0",
        "DELETED",
    ]
    *_, (zero, _), (gone, _) = world.timed(position)
    assert gone - zero == pytest.approx(0.01)


def test_a_program_that_is_killed_at_the_end_of_the_grace_period() -> None:
    """It fails with 137, soon after the grace has ended; until then the pod is ready."""
    world = World()
    world.pod(env={"IGNORE_TERM": "true"})
    world.run(10)
    position = len(world.store.log)
    world.delete()
    world.run(30)
    assert world.story(position)[2:4] == [
        f"2/2 Running {READY} running+0",
        f"2/2 Failed {FAILED} terminated:Error=137-0",
    ]
    at = next(at for at, line in world.timed(position) if "Failed" in line)
    assert 15 < at < 15.8


def test_a_missing_config_map() -> None:
    """Pulled at every attempt, twice within a second, then every 10 to 15; picked up once it is there."""
    world = World()
    world.pod(envFrom=[{"configMapRef": {"name": "absent"}}])
    world.run(8)
    expected = [
        *CREATED,
        f"1/1 Pending {WAITS} waiting:ContainerCreating-0",
        "`Pulled`×1",
        "`Failed`×1",
        f"1/1 Pending {UNREADY} waiting:CreateContainerConfigError-0",
        "`Pulled`×2",
        "`Failed`×2",
    ]
    assert world.story() == expected
    assert world.messages("Failed") == ['Error: configmap "absent" not found']
    assert world.clock.pending == 0
    world.api.create_trusted("configmaps", {"metadata": {"name": "absent", "namespace": "default"}})
    assert world.clock.pending == 1, "the next attempt is no mere repetition"
    world.run(30)
    assert world.story()[-1] == f"1/1 Running {READY} running+0"


def test_a_program_that_ends_by_itself() -> None:
    """With restartPolicy Never: the phase stays Running until the sandbox is down, in a second write."""
    world = World()
    world.pod(spec={"restartPolicy": "Never"}, env={"EXIT_AFTER": "1", "EXIT_CODE": "0"})
    world.run(10)
    running_done = "[ST IT.PodCompleted RF.PodCompleted CF.PodCompleted PT]"
    assert world.story()[-2:] == [
        f"1/1 Running {running_done} terminated:Completed=0-0",
        f"1/1 Succeeded {DONE} terminated:Completed=0-0",
    ]


def test_out_of_memory() -> None:
    """A limit below what the image needs: killed with 137 again and again."""
    world = World()
    world.images.behave("hello:1", memory=128 * 2**20)
    world.pod(resources={"limits": {"memory": "64Mi"}})
    world.run(30)
    assert any("waiting:CrashLoopBackOff<OOMKilled=137" in line for line in world.story())


def test_a_forced_deletion() -> None:
    """Gone at once; the kubelet's Killing comes afterwards."""
    world = World()
    world.pod()
    world.run(10)
    position = len(world.store.log)
    world.delete(grace=0)
    world.run(20)
    assert world.story(position) == [f"2/1 Running {READY} running+0 g0", "DELETED", "`Killing`×1"]


def test_the_same_seed_gives_the_same_story() -> None:
    """And another seed another one."""

    def told(seed: int) -> list[tuple[float, str]]:
        world = World(seed)
        world.pod(env={"EXIT_AFTER": "1"})
        world.run(60)
        return list(world.timed())

    assert told(1) == told(1)
    assert told(1) != told(2)
