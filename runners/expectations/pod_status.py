"""The STATUS column of `kubectl get pods`. pkg/printers/internalversion/printers.go printPod"""

from __future__ import annotations

from gherkube.runners.objects import ENDED, Object


def pod_status(pod: Object) -> str:
    """What kubectl shows as the pod's STATUS: "Running", "ImagePullBackOff", "Init:0/1", "Terminating", …"""
    status = pod.get("status") or {}
    shown, initializing = _initializing(pod, status)
    if not initializing or _condition(status, "Initialized"):
        shown = _containers(status, shown)
    if "deletionTimestamp" in pod["metadata"]:
        if status.get("reason") == "NodeLost":
            return "Unknown"
        if status.get("phase") not in ENDED:
            return "Terminating"
    return shown


def _initializing(pod: Object, status: Object) -> tuple[str, bool]:
    shown = status.get("reason") or status.get("phase") or "Unknown"
    for one in status.get("conditions") or ():
        if one["type"] == "PodScheduled" and one.get("reason") == "SchedulingGated":
            shown = "SchedulingGated"
    specs = pod["spec"].get("initContainers") or ()
    sidecars = {spec["name"] for spec in specs if spec.get("restartPolicy") == "Always"}
    for index, container in enumerate(status.get("initContainerStatuses") or ()):
        state = container.get("state") or {}
        if (ended := state.get("terminated")) is not None:
            if ended.get("exitCode", 0) == 0:
                continue
            return f"Init:{_ended(ended)}", True
        if container["name"] in sidecars and container.get("started"):
            continue
        reason = (state.get("waiting") or {}).get("reason", "")
        if reason and reason != "PodInitializing":
            return f"Init:{reason}", True
        return f"Init:{index}/{len(specs)}", True
    return shown, False


def _containers(status: Object, shown: str) -> str:
    running = False
    failed = ""
    for container in reversed(status.get("containerStatuses") or ()):
        state = container.get("state") or {}
        if reason := (state.get("waiting") or {}).get("reason"):
            shown = reason
        elif (ended := state.get("terminated")) is not None:
            shown = _ended(ended)
            if ended.get("exitCode", 0) != 0:
                failed = shown
        elif container.get("ready") and "running" in state:
            running = True
    if shown != "Completed":
        return shown
    if running:
        return "Running" if _condition(status, "Ready") else "NotReady"
    return failed or shown


def _ended(state: Object) -> str:
    if reason := state.get("reason"):
        return str(reason)
    return f"Signal:{state['signal']}" if state.get("signal") else f"ExitCode:{state.get('exitCode', 0)}"


def _condition(status: Object, type_: str) -> bool:
    return any(one["type"] == type_ and one["status"] == "True" for one in status.get("conditions") or ())
