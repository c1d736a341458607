"""Taking a pod's containers down: hooks, signals, and the writes of a pod's end.

Every generator here yields the seconds that something takes.
pkg/kubelet/kubelet.go SyncTerminatingPod, SyncTerminatedPod; kuberuntime_container.go killContainer,
kuberuntime_termination_order.go; status/status_manager.go TerminatePod
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from math import inf
from typing import TYPE_CHECKING

from gherkube.runners.errors import ApiError
from gherkube.runners.simulator.node.containers import Container
from gherkube.runners.simulator.node.probes import LIVENESS, STARTUP

if TYPE_CHECKING:
    from gherkube.runners.simulator.node.pod import PodWorker

LEAST_GRACE = 2.0
"""Seconds that a container has at least to stop. minimumGracePeriodInSeconds"""
NOTED_AFTER, STOPPED_AFTER, REMOVED_AFTER = 0.08, 0.35, 0.06
"""Median seconds from Killing to the write that notes the deletion, from the last container's end to the
write that says so, from the PLEG's look after that to the final delete; facts §8.1."""
AT_ONCE = 0.09
"""Median seconds between the writes of a pod whose containers were lost with its node's power."""
FAILED_HOOK = "PreStopHook failed"
FAILED = "MountVolume.SetUp failed for volume"


def stop(pod: PodWorker, container: Container, why: str, *, grace: float | None) -> None:
    """Begins to stop a running container: its preStop hook, SIGTERM, and SIGKILL when the grace ends.

    `grace` in seconds; the pod's when None.
    """
    if grace is None:
        grace = _grace_of(pod)
    now = pod.kubelet.clock.now
    _signal(container, _announce(pod, container, why, grace), now + grace)


def _grace_of(pod: PodWorker) -> float:
    return float(pod.pod["spec"].get("terminationGracePeriodSeconds", 30))


def _announce(pod: PodWorker, container: Container, why: str, grace: float) -> float:
    """Says that the container is stopped and begins its preStop hook; returns when that is over."""
    pod.say(container, "Normal", "Killing", why)
    hook, now = container.recipe.pre_stop, pod.kubelet.clock.now
    if hook is None or grace <= 0:
        return now
    if hook.seconds > grace:
        pod.kubelet.clock.after(grace, pod.say, container, "Warning", "FailedPreStopHook", FAILED_HOOK)
    elif hook.failure(pod, container):
        pod.say(container, "Warning", "FailedPreStopHook", FAILED_HOOK)
    return now + min(hook.seconds, grace)


def _signal(container: Container, at: float, grace_ends: float) -> None:
    run = container.run
    assert run is not None
    least = at + LEAST_GRACE
    run.application.terminate(at, grace_ends if grace_ends > least else least)


def terminate(pod: PodWorker) -> Iterator[float]:
    """The end of a pod that is being deleted, or has to end."""
    kubelet = pod.kubelet
    clock = kubelet.clock
    pod.as_of = clock.now
    lost = bool(kubelet.boots) and any(
        c.run is not None and c.run.started_at < kubelet.started_at for c in pod.containers
    )
    groups = _stop_order(pod)
    if groups:
        yield from _stop(pod, groups, float(pod.pod["metadata"].get("deletionGracePeriodSeconds") or 0))
    else:
        yield kubelet.latency(NOTED_AFTER)
        pod.show()
    if lost:
        yield kubelet.latency(AT_ONCE)
        _fail_to_mount(pod)
    else:
        yield kubelet.latency(STOPPED_AFTER)
    _stop_probing(pod)
    if not pod.publisher.write_stopped():
        yield kubelet.until_look() + kubelet.latency(STOPPED_AFTER)
        pod.publisher.write_failed()
        yield kubelet.latency(REMOVED_AFTER)
    else:
        yield kubelet.latency(AT_ONCE) if lost else kubelet.until_look() + kubelet.latency(REMOVED_AFTER)
    _remove(pod)


def _stop(pod: PodWorker, groups: Sequence[Sequence[Container]], grace: float) -> Iterator[float]:
    """All are told at once; each group gets its signal when the one before has ended. killContainer"""
    kubelet = pod.kubelet
    clock = kubelet.clock
    grace_ends, ready = clock.now + grace, {}
    for container in chain.from_iterable(groups):
        if pod.prober is not None:
            pod.prober.stop(container, LIVENESS, STARTUP)
        ready[container.name] = _announce(pod, container, container.recipe.stopping, grace)
    for number, group in enumerate(groups):
        for container in group:
            at = ready[container.name]
            _signal(container, at if at > clock.now else clock.now, grace_ends)
            if pod.prober is not None:
                pod.prober.plan(container)
        if number == 0:
            yield kubelet.latency(NOTED_AFTER)
            pod.show()
        while (rest := _last_end(group) - clock.now) > 0:
            yield rest


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
    """The end of a pod that has ended for good, by itself or at its deadline: what still runs is stopped."""
    kubelet = pod.kubelet
    yield from _stop(pod, _stop_order(pod), _grace_of(pod))
    _stop_probing(pod)
    yield kubelet.until_look() + kubelet.latency(STOPPED_AFTER)
    pod.publisher.write_stopped()


def _stop_order(pod: PodWorker) -> list[list[Container]]:
    """Which running containers are stopped together, in order: the apps, then each sidecar, last first."""
    now = pod.kubelet.clock.now
    first: list[Container] = []
    then: list[list[Container]] = []
    for container in pod.containers:
        if container.run is not None and container.run.application.runs(now):
            if container.kind == "sidecar":
                then.insert(0, [container])
            else:
                first.append(container)
    return [first, *then] if first else then


def _last_end(group: Sequence[Container]) -> float:
    last = -inf
    for container in group:
        if container.run is not None and container.run.application.ends_at > last:
            last = container.run.application.ends_at
    return last


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
