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
from gherkube.runners.simulator.node import status as statuses
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
    pod.watch_containers()
    lost = kubelet.started_at > -1.0 and any(
        c.run is not None and c.run.started_at < kubelet.started_at for c in pod.containers
    )
    groups = _stop_order(pod)
    if not any(c.run is not None for c in pod.containers):
        yield from _end_of_never_started(pod)
        return
    grace_ends = clock.now + float(pod.pod["metadata"].get("deletionGracePeriodSeconds") or 0)
    noted = False
    for group in groups:
        for container in group:
            pod.stop_probes(container, LIVENESS, STARTUP)
            stop(
                pod, container, f"Stopping container {container.name}", grace=max(grace_ends - clock.now, 0.0)
            )
            pod.plan_again(container)
        if not noted:
            noted = True
            yield kubelet.latency(NOTED_AFTER)
            pod.publish(triggers=True)
        while (rest := _last_end(group) - clock.now) > 0:
            yield rest
    if not noted:
        pod.publish(triggers=True)
    yield kubelet.latency(AT_ONCE if lost else STOPPED_AFTER)
    for container in pod.containers:
        pod.stop_probes(container)
    _write_end(pod)
    yield kubelet.latency(AT_ONCE) if lost else kubelet.until_look() + kubelet.latency(REMOVED_AFTER)
    _remove(pod)


def wind_up(pod: PodWorker) -> Iterator[float]:
    """The end of a pod whose containers have ended by themselves for good; sidecars are stopped then."""
    kubelet = pod.kubelet
    for group in _stop_order(pod):
        for container in group:
            stop(pod, container, f"Stopping container {container.name}", grace=None)
        while (rest := _last_end(group) - kubelet.clock.now) > 0:
            yield rest
    for container in pod.containers:
        pod.stop_probes(container)
    yield kubelet.until_look() + kubelet.latency(STOPPED_AFTER)
    _write_end(pod)


def _stop_order(pod: PodWorker) -> list[list[Container]]:
    """Which running containers are stopped together, in order: the apps, then each sidecar, last first."""
    now = pod.kubelet.clock.now
    running = [c for c in pod.containers if c.run is not None and c.run.application.runs(now)]
    first = [c for c in running if c.kind != "sidecar"]
    return [group for group in (first, *([c] for c in reversed(running) if c.kind == "sidecar")) if group]


def _last_end(group: Sequence[Container]) -> float:
    return max(c.run.application.ends_at for c in group if c.run is not None)


def _write_end(pod: PodWorker) -> None:
    """The write that says that all is over; a container that never ran counts as lost."""
    now = pod.kubelet.clock.now
    init: list[Object] = []
    apps: list[Object] = []
    for container in pod.containers:
        shown = container.status(now, LOST, deleting=True, wanted=False)
        (apps if container.kind == "app" else init).append(shown)
    phase = statuses.phase(pod.pod, init, apps, over=True)
    pod.write(phase, init, apps, now, sandbox=False)


def _end_of_never_started(pod: PodWorker) -> Iterator[float]:
    """A pod none of whose containers ever ran: three writes, and no Killing event; facts §8.1."""
    kubelet = pod.kubelet
    pod.as_of = kubelet.clock.now
    yield kubelet.latency(NOTED_AFTER)
    pod.publish()
    yield kubelet.latency(NEVER_STARTED_TAKES)
    creating = statuses.INITIALIZING if pod.containers[0].kind != "app" else statuses.CREATING
    for sandbox_gone, state in ((True, creating), (False, LOST)):
        if state is LOST:
            yield kubelet.until_look() + kubelet.latency(STOPPED_AFTER)
        init: list[Object] = []
        apps: list[Object] = []
        for container in pod.containers:
            shown = container.compose(None, state, {}, ready=False, started=False)
            (apps if container.kind == "app" else init).append(shown)
        pod.write(
            "Pending" if sandbox_gone else "Failed",
            init,
            apps,
            kubelet.clock.now,
            sandbox=False,
            verdicts=pod.settled(),
        )
    yield kubelet.latency(REMOVED_AFTER)
    _remove(pod)


def _remove(pod: PodWorker) -> None:
    """The kubelet's final delete."""
    metadata = pod.pod["metadata"]
    try:
        pod.kubelet.api.delete(
            "pods", metadata["name"], metadata["namespace"], grace_period=0, uid=metadata["uid"]
        )
    except ApiError:
        return
