"""Taking a pod's containers down: hooks, signals, and the writes of a pod's end.

Every generator here yields the seconds that something takes.
pkg/kubelet/kubelet.go SyncTerminatingPod, SyncTerminatedPod; kuberuntime_container.go killContainer,
kuberuntime_termination_order.go; status/status_manager.go TerminatePod
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.node.application import Answer, Question
from gherkube.runners.simulator.node.containers import Container
from gherkube.runners.simulator.node.probes import LIVENESS, STARTUP

if TYPE_CHECKING:
    from gherkube.runners.simulator.node.pod import PodWorker

LEAST_GRACE = 2.0
"""Seconds that a container has at least to stop. minimumGracePeriodInSeconds"""
NOTED_AFTER, STOPPED_AFTER, REMOVED_AFTER = 0.08, 0.35, 0.06
"""Median seconds from Killing to the write that notes the deletion, from the last container's end to the
write that says so, from the PLEG's look after that to the final delete; facts §8.1."""
NEVER_STARTED_TAKES = 0.4
"""Median seconds from the first to the second write of the end of a pod that never started."""
AT_ONCE = 0.09
"""Median seconds between the writes of a pod whose containers were lost with its node's power."""
FAILED = "MountVolume.SetUp failed for volume"
LOST: Object = {
    "terminated": {
        "exitCode": 137,
        "reason": "ContainerStatusUnknown",
        "message": "The container could not be located when the pod was terminated",
        "startedAt": None,
        "finishedAt": None,
    }
}


def stop(pod: PodWorker, container: Container, why: str, *, grace: float | None) -> None:
    """Begins to stop a running container: its preStop hook, SIGTERM, and SIGKILL when the grace ends.

    `grace` in seconds; the pod's when None.
    """
    pod.say(container, "Normal", "Killing", why)
    run = container.run
    assert run is not None
    now = pod.kubelet.clock.now
    if grace is None:
        grace = float(pod.pod["spec"].get("terminationGracePeriodSeconds", 30))
    hook, spent = container.pre_stop, 0.0
    if hook is not None and grace > 0:
        spent = min(hook.seconds, grace)
        listens = hook.port is None or hook.port in container.ports(run.application.behaviour.port)
        if hook.port is not None and (
            not listens or run.application.answer(Question.LISTENING, now) is not Answer.OK
        ):
            pod.say(container, "Warning", "FailedPreStopHook", "PreStopHook failed")
    run.application.terminate(now + spent, now + spent + max(grace - spent, LEAST_GRACE))


def terminate(pod: PodWorker) -> Iterator[float]:
    """The end of a pod that is being deleted."""
    kubelet = pod.kubelet
    clock = kubelet.clock
    pod.as_of = clock.now
    runs = [c.run for c in pod.containers if c.run is not None]
    if not runs:
        yield from _end_of_never_started(pod)
        return
    lost = any(run.started_at < kubelet.started_at for run in runs)
    groups = _stop_order(pod)
    grace_ends = clock.now + float(pod.pod["metadata"].get("deletionGracePeriodSeconds") or 0)
    noted = False
    for group in groups:
        for container in group:
            if pod.prober is not None:
                pod.prober.stop(container, LIVENESS, STARTUP)
            stop(pod, container, container.words.stopping, grace=max(grace_ends - clock.now, 0.0))
            if pod.prober is not None:
                pod.prober.plan(container)
        if not noted:
            noted = True
            yield kubelet.latency(NOTED_AFTER)
            pod.show()
        while (rest := _last_end(group) - clock.now) > 0:
            yield rest
    if not noted:
        pod.show()
    if lost:
        yield kubelet.latency(AT_ONCE)
        _fail_to_mount(pod)
    else:
        yield kubelet.latency(STOPPED_AFTER)
    _stop_probing(pod)
    pod.publisher.write_end(LOST)
    yield kubelet.latency(AT_ONCE) if lost else kubelet.until_look() + kubelet.latency(REMOVED_AFTER)
    _remove(pod)


def _fail_to_mount(pod: PodWorker) -> None:
    """A kubelet that comes back mounts a deleted pod's volumes, but no longer follows what they hold.

    Recorded: node-down, each time. pkg/kubelet/util/manager/watch_based_manager.go GetObject
    """
    for volume in pod.pod["spec"].get("volumes", ()):
        for source in volume.get("projected", {}).get("sources", ()):
            if (config_map := source.get("configMap")) is not None:
                missing = f'object "{pod.key.namespace}"/"{config_map["name"]}" not registered'
                pod.say(None, "Warning", "FailedMount", f'{FAILED} "{volume["name"]}" : {missing}')


def wind_up(pod: PodWorker) -> Iterator[float]:
    """The end of a pod whose containers have ended by themselves for good; sidecars are stopped then."""
    kubelet = pod.kubelet
    for group in _stop_order(pod):
        for container in group:
            stop(pod, container, container.words.stopping, grace=None)
        while (rest := _last_end(group) - kubelet.clock.now) > 0:
            yield rest
    _stop_probing(pod)
    yield kubelet.until_look() + kubelet.latency(STOPPED_AFTER)
    pod.publisher.write_end(LOST)


def _stop_order(pod: PodWorker) -> list[list[Container]]:
    """Which running containers are stopped together, in order: the apps, then each sidecar, last first."""
    now = pod.kubelet.clock.now
    running = [c for c in pod.containers if c.run is not None and c.run.application.runs(now)]
    first = [c for c in running if c.kind != "sidecar"]
    then = [[c] for c in reversed(running) if c.kind == "sidecar"] if len(first) < len(running) else []
    return [first, *then] if first else then


def _last_end(group: Sequence[Container]) -> float:
    return max(c.run.application.ends_at for c in group if c.run is not None)


def _end_of_never_started(pod: PodWorker) -> Iterator[float]:
    """A pod none of whose containers ever ran: three writes, and no Killing event; facts §8.1."""
    kubelet = pod.kubelet
    pod.as_of = kubelet.clock.now
    yield kubelet.latency(NOTED_AFTER)
    pod.publisher.publish()
    yield kubelet.latency(NEVER_STARTED_TAKES)
    pod.publisher.write_never_started("Pending", pod.default_wait)
    yield kubelet.until_look() + kubelet.latency(STOPPED_AFTER)
    pod.publisher.write_never_started("Failed", LOST)
    yield kubelet.latency(REMOVED_AFTER)
    _remove(pod)


def _stop_probing(pod: PodWorker) -> None:
    if pod.prober is not None:
        for container in pod.containers:
            pod.prober.stop(container)


def _remove(pod: PodWorker) -> None:
    """The kubelet's final delete."""
    metadata = pod.pod["metadata"]
    try:
        pod.kubelet.api.delete(
            "pods", metadata["name"], metadata["namespace"], grace_period=0, uid=metadata["uid"]
        )
    except ApiError:
        return
