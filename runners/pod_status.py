"""The STATUS column of `kubectl get pods`. pkg/printers/internalversion/printers.go printPod"""

from __future__ import annotations

from gherkube.runners.objects import ENDED, Object

STATUSES = (
    *("Pending", "Running", "Succeeded", "Failed", "Unknown"),
    *("Completed", "Error", "NotReady", "Terminating", "Terminated", "SchedulingGated"),
    *("ContainerCreating", "PodInitializing", "CrashLoopBackOff", "OOMKilled", "DeadlineExceeded"),
    *("ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "ImageInspectError", "InvalidImageName"),
    *("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError"),
    *("PreCreateHookError", "PreStartHookError", "PostStartHookError", "ContainerCannotRun"),
    *("ContainerStatusUnknown", "Evicted", "Preempting", "NodeLost", "NodeAffinity", "NodeShutdown"),
    *("Shutdown", "UnexpectedAdmissionError", "OutOfcpu", "OutOfmemory", "OutOfpods"),
)
"""What is shown as a rule; a container runtime may have reasons of its own."""


def pod_status(pod: Object) -> str:
    """What kubectl shows as the pod's STATUS: "Running", "ImagePullBackOff", "Init:0/1", "Terminating", …"""
    status = pod.get("status") or {}
    shown = status.get("reason") or status.get("phase") or "Unknown"
    for one in status.get("conditions") or ():
        if one["type"] == "PodScheduled" and one.get("reason") == "SchedulingGated":
            shown = "SchedulingGated"
    entered, at_work = init_containers(pod)
    if at_work:
        count = len(pod["spec"].get("initContainers") or ())
        shown = f"Init:{_initial(entered[-1]) or f'{len(entered) - 1}/{count}'}"
    if is_past_init(pod):
        shown = _containers(status, shown)
    if "deletionTimestamp" in pod["metadata"]:
        if status.get("reason") == "NodeLost":
            return "Unknown"
        if status.get("phase") not in ENDED:
            return "Terminating"
    return shown


def sidecars(pod: Object) -> set[str]:
    """The names of the init containers that keep running."""
    specs = pod["spec"].get("initContainers") or ()
    return {spec["name"] for spec in specs if spec.get("restartPolicy") == "Always"}


def init_containers(pod: Object) -> tuple[list[Object], bool]:
    """The statuses of the init containers up to the one at work, and whether one is at work."""
    entered, kept = [], sidecars(pod)
    for container in (pod.get("status") or {}).get("initContainerStatuses") or ():
        entered.append(container)
        ended = (container.get("state") or {}).get("terminated")
        if ended is not None and ended.get("exitCode", 0) == 0:
            continue
        if container["name"] not in kept or not container.get("started"):
            return entered, True
    return entered, False


def is_past_init(pod: Object) -> bool:
    """Whether the pod's own containers decide what is shown."""
    return not init_containers(pod)[1] or _condition(pod.get("status") or {}, "Initialized")


def _initial(container: Object) -> str:
    """Why an init container is not done, "" when it just takes its time."""
    state = container.get("state") or {}
    if (ended := state.get("terminated")) is not None:
        return _ended(ended)
    reason = (state.get("waiting") or {}).get("reason", "")
    return "" if reason == "PodInitializing" else str(reason)


def _containers(status: Object, shown: str) -> str:
    running = False
    for container in reversed(status.get("containerStatuses") or ()):
        state = container.get("state") or {}
        if reason := (state.get("waiting") or {}).get("reason"):
            shown = reason
        elif (ended := state.get("terminated")) is not None:
            shown = _ended(ended)
        elif container.get("ready") and "running" in state:
            running = True
    if shown == "Completed" and running:
        return "Running" if _condition(status, "Ready") else "NotReady"
    return shown


def _ended(state: Object) -> str:
    if reason := state.get("reason"):
        return str(reason)
    return f"Signal:{state['signal']}" if state.get("signal") else f"ExitCode:{state.get('exitCode', 0)}"


def _condition(status: Object, type_: str) -> bool:
    return any(one["type"] == type_ and one["status"] == "True" for one in status.get("conditions") or ())
