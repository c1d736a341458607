"""Probes: what they ask, when, and what comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.objects import Object, is_ready
from tests.simulator.node.harness import World, http


def ready_at(world: World) -> float | None:
    """When the pod became ready for the first time."""
    return next((c.at for c in world.store.log.since() if c.resource == "pods" and is_ready(c.object)), None)


def started_at(world: World) -> float:
    """When the container was started for the first time."""
    return next(
        c.at for c in world.store.log.since() if c.resource == "events" and c.object["reason"] == "Started"
    )


@pytest.mark.parametrize("after", [2, 3, 4, 20])
def test_ready_some_time_after_the_start(after: int) -> None:
    """A readiness probe every second sees it within about a second."""
    world = World()
    world.pod(env={"READY_AFTER": str(after)}, readinessProbe=http())
    world.run(40)
    ready = ready_at(world)
    assert ready is not None
    assert after <= ready - started_at(world) <= after + 1.2


def test_without_a_readiness_probe_readiness_does_not_show() -> None:
    """The pod is ready as soon as it runs."""
    world = World()
    world.pod(env={"FAIL_READY": "true"}, livenessProbe=http("/healthz"))
    world.run(5)
    pod = world.stored()
    assert pod is not None
    assert is_ready(pod)


def test_the_path_of_a_readiness_probe_does_not_matter() -> None:
    """What a readiness probe asks is readiness."""
    world = World()
    world.pod(env={"READY_AFTER": "3"}, readinessProbe=http("/healthz"))
    world.run(2.5)
    assert ready_at(world) is None


def test_a_pod_that_is_never_ready_is_idle_and_its_unhealthy_count_ends_at_25() -> None:
    """The probe's repetitions are retries, and stop when the recorder would drop their events."""
    world = World()
    world.pod(env={"FAIL_READY": "true"}, readinessProbe=http())
    world.run(10)
    assert world.clock.pending == 0
    assert world.clock.next_at() is not None
    world.run(60)
    assert world.clock.next_at() is None
    event = next(each for each in world.store.all("events") if each["reason"] == "Unhealthy")
    assert event["count"] == 25
    assert event["message"] == "Readiness probe failed: HTTP probe failed with statuscode: 503"


def test_a_pod_that_will_be_ready_is_not_idle() -> None:
    """The tick at which the answer will have changed is no repetition, even after the events have ended."""
    world = World()
    world.pod(env={"READY_AFTER": "90"}, readinessProbe=http())
    world.run(60)
    assert world.clock.pending == 1
    world.run(92)
    pod = world.stored()
    assert pod is not None
    assert is_ready(pod)


def test_readiness_lost_and_thresholds() -> None:
    """Three failures make a pod not ready, not one."""
    world = World()
    world.pod(env={"FAIL_READY_AFTER": "5"}, readinessProbe=http())
    world.run(6.9)
    pod = world.stored()
    assert pod is not None
    assert is_ready(pod)
    world.run(9)
    pod = world.stored()
    assert pod is not None
    assert not is_ready(pod)
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 0


def test_the_initial_delay_counts_from_the_start() -> None:
    """No probe is asked before."""
    world = World()
    world.pod(readinessProbe=http(initialDelaySeconds=7))
    world.run(30)
    ready = ready_at(world)
    assert ready is not None
    assert 6 <= ready - started_at(world) <= 8.1


def test_success_threshold() -> None:
    """Several successes in a row are needed."""
    world = World()
    world.pod(readinessProbe=http(successThreshold=4))
    world.run(30)
    ready = ready_at(world)
    assert ready is not None
    assert 3 <= ready - started_at(world) <= 5


def test_a_startup_probe_holds_the_others_back() -> None:
    """Until it succeeds the container is not started, and no liveness probe kills it."""
    world = World()
    world.pod(
        env={"STARTUP_DELAY": "10"},
        startupProbe=http("/healthz", failureThreshold=30),
        livenessProbe=http("/healthz", failureThreshold=1),
        readinessProbe=http(),
    )
    world.run(9)
    pod = world.stored()
    assert pod is not None
    assert pod["status"]["containerStatuses"][0]["started"] is False
    world.run(13)
    pod = world.stored()
    assert pod is not None
    assert pod["status"]["containerStatuses"][0]["started"] is True
    assert is_ready(pod)
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 0


def test_a_startup_probe_that_fails_restarts() -> None:
    """After its failureThreshold, in its own words."""
    world = World()
    world.pod(env={"STARTUP_DELAY": "60"}, startupProbe=http())
    world.run(6)
    assert world.messages("Killing") == ["Container app failed startup probe, will be restarted"]


@pytest.mark.parametrize(("policy", "restarts"), [("OnFailure", 1), ("Never", 0)])
def test_what_is_killed_is_started_again_however_it_ends(policy: str, restarts: int) -> None:
    """The program ends with 0, which restartPolicy OnFailure would leave at that. computePodActions"""
    world = World()
    liveness = http("/healthz", failureThreshold=1)
    world.pod(env={"FAIL_LIVE_AFTER": "3"}, spec={"restartPolicy": policy}, livenessProbe=liveness)
    world.run(7)
    pod = world.stored()
    assert pod is not None
    assert pod["status"]["containerStatuses"][0]["restartCount"] == restarts
    suffix = ", will be restarted" if restarts else ""
    assert world.messages("Killing") == [f"Container app failed liveness probe{suffix}"]


def probe(**handler: Any) -> Object:
    """A readiness probe of that form, every second."""
    return {**handler, "periodSeconds": 1}


REFUSED = "connect: connection refused"
TIMED_OUT = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"


@pytest.mark.parametrize(
    ("handler", "env", "text"),
    [
        (
            {"httpGet": {"path": "/readyz", "port": 8080}},
            "FAIL_READY",
            "HTTP probe failed with statuscode: 503",
        ),
        ({"exec": {"command": ["wget", "-q", "localhost"]}}, "FAIL_READY", "readiness check failed"),
        ({"grpc": {"port": 8080}}, "FAIL_READY", 'service unhealthy (responded with "NOT_SERVING")'),
        ({"tcpSocket": {"port": 8080}}, "LATE", f"dial tcp 10.244.1.2:8080: {REFUSED}"),
        (
            {"httpGet": {"path": "/x", "port": 8080}},
            "LATE",
            f'Get "http://10.244.1.2:8080/x": dial tcp 10.244.1.2:8080: {REFUSED}',
        ),
        (
            {"httpGet": {"path": "/x", "port": 9999}},
            "",
            f'Get "http://10.244.1.2:9999/x": dial tcp 10.244.1.2:9999: {REFUSED}',
        ),
        (
            {"httpGet": {"path": "/x", "port": 8080}},
            "HANG",
            f'Get "http://10.244.1.2:8080/x": {TIMED_OUT}',
        ),
    ],
)
def test_what_a_failing_probe_says(handler: Object, env: str, text: str) -> None:
    """Each form in its own words; a port on which nothing listens is refused."""
    by_name = {
        "FAIL_READY": {"FAIL_READY": "true"},
        "LATE": {"STARTUP_DELAY": "60"},
        "HANG": {"HANG_AFTER": "0"},
    }
    world = World()
    world.pod(env=by_name.get(env, {}), readinessProbe=probe(**handler))
    world.run(4)
    assert world.messages("Unhealthy") == [f"Readiness probe failed: {text}"]


def test_a_tcp_probe_asks_only_whether_something_listens() -> None:
    """Readiness needs a probe that can ask for it."""
    world = World()
    world.pod(env={"FAIL_READY": "true"}, readinessProbe=probe(tcpSocket={"port": 8080}))
    world.run(4)
    assert ready_at(world) is not None


def test_a_named_port() -> None:
    """A probe may name a port of the container."""
    world = World()
    world.pod(
        ports=[{"name": "web", "containerPort": 9000}],
        readinessProbe=probe(httpGet={"path": "/", "port": "web"}),
    )
    world.run(4)
    assert ready_at(world) is not None
    assert world.ask(port=9000).code == 200


def test_readiness_gates() -> None:
    """Ready waits for the condition that the gate names."""
    world = World()
    world.pod(spec={"readinessGates": [{"conditionType": "example.com/up"}]})
    world.run(4)
    pod = world.stored()
    assert pod is not None
    ready = next(each for each in pod["status"]["conditions"] if each["type"] == "Ready")
    assert ready["reason"] == "ReadinessGatesNotReady"
    assert (
        ready["message"] == 'corresponding condition of pod readiness gate "example.com/up" does not exist.'
    )
    up = {"type": "example.com/up", "status": "True"}
    status = {**pod["status"], "conditions": [*pod["status"]["conditions"], up]}
    world.api.put_status("pods", pod, status)
    world.run(8)
    pod = world.stored()
    assert pod is not None
    assert is_ready(pod)
    assert pod["status"]["conditions"][0] == up, "what others say comes first"


def test_a_command_that_looks_for_a_file() -> None:
    """It fails from when the container's own command removes it."""
    world = World()
    world.pod(
        command=["sh", "-c", "touch /tmp/healthy; sleep 6; rm -f /tmp/healthy; sleep 600"],
        livenessProbe={
            "exec": {"command": ["cat", "/tmp/healthy"]},
            "periodSeconds": 2,
            "failureThreshold": 2,
        },
    )
    world.run(12)
    said = "Liveness probe failed: cat: can't open '/tmp/healthy': No such file or directory\n"
    assert world.messages("Unhealthy") == [said]
    assert world.messages("Killing") == ["Container app failed liveness probe, will be restarted"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["sh", "-c", "echo broken; exit 1"], "broken\n"),
        (["false"], ""),
        (["sleep", "5"], 'command timed out: "sleep 5" timed out after 1s'),
        (["test", "-f", "/tmp/ready"], ""),
    ],
)
def test_a_command_that_says_itself_how_it_ends(command: list[str], said: str) -> None:
    """What it prints is what the event says."""
    world = World()
    world.pod(readinessProbe={"exec": {"command": command}, "periodSeconds": 1})
    world.run(4)
    assert set(world.messages("Unhealthy")) == {f"Readiness probe failed: {said}"}


@pytest.mark.parametrize(("env", "after"), [({"HANG_AFTER": "0.1"}, 3.0), ({"FAIL_LIVE_AFTER": "0.1"}, 0.0)])
def test_a_probe_that_nobody_answers_waits_for_that_long(env: dict[str, str], after: float) -> None:
    """Its result comes when its timeout is over."""
    world = World()
    world.pod(env=env, livenessProbe=http("/healthz", period=5, timeoutSeconds=3))
    world.run(12)
    at = next(at for at, line in world.timed() if line == "`Unhealthy`×1")
    begun = started_at(world)
    tick = next(at for at, line in world.timed() if line.startswith("1/1 Pending"))
    assert begun < at < tick + 5.5 + after
    assert at > tick + after


@pytest.mark.parametrize(
    ("probe", "why"),
    [
        ({"httpGet": {"port": "web"}}, 'strconv.Atoi: parsing "web": invalid syntax'),
        ({"exec": {"command": ["curl", "-f"]}}, 'exec: "curl": executable file not found in $PATH: unknown'),
    ],
)
def test_a_probe_that_cannot_be_asked_changes_nothing(probe: Object, why: str) -> None:
    """The container is not ready, and never restarted; each time an event says so."""
    world = World()
    world.pod(readinessProbe={**probe, "periodSeconds": 2}, livenessProbe={**probe, "periodSeconds": 2})
    world.run(7)
    assert not is_ready(world.stored())  # type: ignore[arg-type]
    said = world.messages("Unhealthy")
    assert {text.partition(":")[0] for text in said} == {
        "Readiness probe errored and resulted in unknown state",
        "Liveness probe errored and resulted in unknown state",
    }
    assert all(text.endswith(why) for text in said)
    assert world.messages("Killing") == []
