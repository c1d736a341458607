"""Bringing a pod's containers up: what a sync does to the runtime, in order and taking time.

Every generator here yields the seconds that something takes. Kills come first, then volumes and
sandbox, then init containers (one step a sync), then all app containers in spec order.
pkg/kubelet/kuberuntime/kuberuntime_manager.go SyncPod, computePodActions, computeInitContainerActions,
doBackOff; kuberuntime_container.go startContainer
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from math import inf
from typing import TYPE_CHECKING

from gherkube.runners.simulator.node.application import Application
from gherkube.runners.simulator.node.backoff import duration
from gherkube.runners.simulator.node.configuration import (
    ConfigError,
    check_user,
    environment,
    missing_pull_secrets,
    missing_volumes,
)
from gherkube.runners.simulator.node.containers import Container, Run
from gherkube.runners.simulator.node.hooks import Hook
from gherkube.runners.simulator.node.programs import behaviour_of
from gherkube.runners.simulator.node.pulls import has_image, pull_image
from gherkube.runners.simulator.node.status import CREATING
from gherkube.runners.simulator.node.termination import stop

if TYPE_CHECKING:
    from gherkube.runners.simulator.node.pod import PodWorker

SANDBOX_TAKES, START_TAKES, STOP_TAKES = 0.65, 0.2, 0.1
"""Median seconds of making a sandbox, of starting a container, of seeing one stopped; facts §8.2."""
MOUNT_RETRIES = (0.5, 122.0)
"""Seconds to the first retry of a mount that fails, and at most; they double. exponentialbackoff.go"""


def start_what_is_missing(pod: PodWorker) -> Iterator[float]:
    """The runtime part of one sync; leaves on the pod whether it `changed` anything or `failed`."""
    kubelet = pod.kubelet
    again = (yield from _stop_what_failed(pod)) if pod.stop_reasons else []
    if pod.sandbox_at == inf:
        if missing_volumes(kubelet.api.store, pod.pod):
            yield from _wait_for_volumes(pod)
        if kubelet.boots and any(container.run is not None for container in pod.containers):
            pod.say(
                None, "Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created."
            )
        pod.begin_probing()
        yield kubelet.latency(SANDBOX_TAKES)
        pod.make_sandbox()
        pod.changed = True
    if "imagePullSecrets" in pod.pod["spec"] and not pod.deleting:
        _tell_missing_secrets(pod)
    for container in _due(pod, again):
        if pod.deleting and not pod.changed:
            return
        yield from _start(pod, container)
        if container.kind == "init" and container.waits is not None:
            return


def _last_exit(container: Container, as_of: float) -> float | None:
    """When the container ended last, as far as the PLEG had shown at the beginning of the sync."""
    for run in (container.run, container.previous):
        if run is not None and run.has_ended(as_of):
            return run.application.ends_at
    return None


def _stop_what_failed(pod: PodWorker) -> Generator[float, None, list[str]]:
    """Stops the containers that failed a probe or whose image was changed; the names of those to restart.

    computePodActions
    """
    reasons, pod.stop_reasons = pod.stop_reasons, {}
    again: list[str] = []
    clock, never = pod.kubelet.clock, pod.pod["spec"].get("restartPolicy") == "Never"
    for container in pod.containers:
        why = reasons.get(container.name)
        run = container.run
        if why is None or run is None or not run.application.runs(clock.now):
            continue
        worker, what = container.worker(why), "Container" if container.kind == "app" else "Init container"
        said = f"{what} {container.name} {f'failed {why.lower()} probe' if worker else why}"
        if not never or worker is None or container.kind != "app":
            again.append(container.name)
            said += ", will be restarted" if container.kind == "app" else ""
        stop(pod, container, said, grace=worker.probe.grace if worker else None)
        pod.changed = True
        yield max(run.application.ends_at - clock.now, 0.0) + pod.kubelet.latency(STOP_TAKES)
    return again


def _wait_for_volumes(pod: PodWorker) -> Iterator[float]:
    kubelet = pod.kubelet
    delay, longest = MOUNT_RETRIES
    while problems := missing_volumes(kubelet.api.store, pod.pod):
        for problem in problems:
            pod.say(None, "Warning", "FailedMount", problem)
        pod.pulling = pod.retrying = True
        kubelet.note_failure(pod)
        yield delay
        pod.pulling = pod.retrying = False
        delay = min(delay * 2, longest)


def _tell_missing_secrets(pod: PodWorker) -> None:
    """pkg/kubelet/kubelet_pods.go getPullSecretsForPod"""
    if missing := missing_pull_secrets(pod.kubelet.api.store, pod.pod):
        said = f"Unable to retrieve some image pull secrets ({', '.join(missing)})"
        text = f"{said}; attempting to pull the image may not succeed."
        pod.say(None, "Warning", "FailedToRetrieveImagePullSecret", text)


def _due(pod: PodWorker, again: list[str]) -> list[Container]:
    """The containers to start in this sync, in order; `again`: of those that it has stopped."""
    apps = pod.containers if pod.default_wait is CREATING else [c for c in pod.containers if c.kind == "app"]
    to_start = [c for c in apps if pod.is_to_start(c) or c.name in again]
    if apps is pod.containers:
        return to_start
    due, initialized = _due_first(pod, again)
    return due + to_start if initialized else due


def _due_first(pod: PodWorker, again: list[str]) -> tuple[list[Container], bool]:
    """The init containers to start, in order, and whether the others may start after them.

    Who is looked at from the last to the first: those before one that was started have done their part,
    so of them only sidecars are kept running. computeInitContainerActions
    """
    first = [container for container in pod.containers if container.kind != "app"]
    begun = initialized = any(c.kind == "app" and _shown(pod, c) is False for c in pod.containers)
    due: list[Container] = []
    for at, container in reversed([*enumerate(first, 1)]):
        ended = _shown(pod, container)
        if ended is None:
            if begun and container.kind == "sidecar":
                due.append(container)
            continue
        if begun and container.kind == "init":
            continue
        if pod.is_to_start(container) or container.name in again:
            due.append(container)
        elif ended if container.kind == "init" else container.is_started(pod.as_of):
            initialized = initialized or at == len(first)
            due += first[at : at + 1] if not begun else ()
        begun = True
    return due[::-1] if begun else first[:1], initialized


def _shown(pod: PodWorker, container: Container) -> bool | None:
    """Whether the container has ended in this sandbox, as far as the PLEG has shown; None: never began."""
    run = container.run
    return run.has_ended(pod.as_of) if run is not None and run.started_at > pod.sandbox_at else None


def _start(pod: PodWorker, container: Container) -> Iterator[float]:
    """Starts a container, or says why it cannot be: by events now, by its `waits` from the next sync on."""
    kubelet = pod.kubelet
    clock = kubelet.clock
    last_exit = _last_exit(container, pod.as_of) if container.run is not None else None
    if last_exit is not None:
        key = (container.name, container.image)
        if pod.backoff.holds_since(key, last_exit, clock.now):
            about = f"restarting failed container {container.name} in pod {pod.full_name}"
            pod.say(container, "Warning", "BackOff", f"Back-off {about}")
            wait = duration(pod.backoff.get(key))
            why = f"back-off {wait} restarting failed container={container.name} pod={pod.full_name}"
            _fail(pod, container, "CrashLoopBackOff", why)
            return
        pod.backoff.next(key, last_exit, clock.now)
    if not has_image(pod, container):
        pod.pulling = True
        refused = yield from pull_image(pod, container)
        pod.pulling = False
        if refused is not None:
            pod.say(container, "Warning", "Failed", f"Error: {refused[0]}")
            _fail(pod, container, *refused)
            return
    recipe = container.recipe
    env: dict[str, str] = {}
    try:
        if recipe.takes_env:
            env = environment(kubelet.api.store, pod.key.namespace, container.spec)
        check_user(pod.pod, container.spec, recipe.image.runs_as_root)
    except ConfigError as error:
        pod.say(container, "Warning", "Failed", f"Error: {error}")
        _fail(pod, container, "CreateContainerConfigError", str(error))
        return
    pod.say(container, "Normal", "Created", recipe.created)
    yield kubelet.latency(START_TAKES)
    _run(pod, container, env)
    if fault := container.recipe.program.fault:
        _end_unstarted(pod, container, fault)
        return
    pod.say(container, "Normal", "Started", recipe.started)
    if recipe.post_start is not None:
        yield from _post_start(pod, container, recipe.post_start)


def _fail(pod: PodWorker, container: Container, reason: str, message: str) -> None:
    container.waits, pod.failed = (reason, message), True
    pod.kubelet.note_failure(pod)


def _run(pod: PodWorker, container: Container, env: Mapping[str, str]) -> None:
    kubelet, image, recipe = pod.kubelet, container.image, container.recipe
    program = recipe.program
    application = Application(
        behaviour_of(kubelet.images, image, program, env, pod.key.name),
        kubelet.clock.now,
        memory_limit=recipe.memory_limit,
        completes=container.kind == "init",
        files=program.files,
        takes_memory_at=program.course.memory[1] if program.course else 0.0,
    )
    attempt = 0 if container.run is None else container.run.attempt + 1
    container.previous = container.run
    stamp = kubelet.clock.timestamp()
    container.run = Run(application, attempt, kubelet.new_container_id(), stamp, image, env)
    container.run.message = program.message
    container.waits, pod.changed = None, True
    pod.look_for_end(container.run)


def _end_unstarted(pod: PodWorker, container: Container, why: str) -> None:
    """The runtime keeps what it could not start as a run that has ended. containerd's container_start.go"""
    assert container.run is not None
    pod.say(container, "Warning", "Failed", f"Error: {why}")
    container.run.end_unstarted(why)
    pod.look_for_end(container.run)
    _fail(pod, container, "RunContainerError", why)


def _post_start(pod: PodWorker, container: Container, hook: Hook) -> Iterator[float]:
    run = container.run
    assert run is not None
    yield hook.seconds
    why = hook.failure(pod, container)
    if not why:
        return
    pod.say(container, "Warning", "FailedPostStartHook", "PostStartHook failed")
    stop(pod, container, "FailedPostStartHook", grace=None)
    yield max(run.application.ends_at - pod.kubelet.clock.now, 0.0)
    _fail(pod, container, "PostStartHookError", why)
