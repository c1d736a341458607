"""Pods and templates of pods, as `kubectl get` prints them.

pkg/printers/internalversion/printers.go printPod, printPodTemplate
"""

from __future__ import annotations

from gherkube.runners.objects import Object
from gherkube.runners.pod_status import init_containers, is_past_init, pod_status, sidecars
from gherkube.runners.simulator.server.printers.cells import (
    NONE,
    Cells,
    age,
    containers,
    labels,
    name,
    printer,
    since,
    status_of,
)


def _pod(pod: Object, now: float) -> Cells:
    status, spec = pod.get("status") or {}, pod["spec"]
    total = len(spec.get("containers") or ()) + len(sidecars(pod))
    addresses = status.get("podIPs") or ()
    return [
        name(pod),
        f"{_ready(pod)}/{total}",
        pod_status(pod),
        _restarts(pod, now),
        age(pod, now),
        (addresses[0].get("ip") if addresses else "") or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        _gates(pod),
    ]


def _ready(pod: Object) -> int:
    """How many sidecars and containers are ready."""
    kept = sidecars(pod)
    count = sum(
        bool(each["name"] in kept and each.get("started") and each.get("ready") and not _done(each))
        for each in init_containers(pod)[0]
    )
    if is_past_init(pod):
        count += sum(_is_running(each) for each in (pod.get("status") or {}).get("containerStatuses") or ())
    return count


def _done(container: Object) -> bool:
    ended = (container.get("state") or {}).get("terminated")
    return ended is not None and ended.get("exitCode", 0) == 0


def _is_running(container: Object) -> bool:
    state = container.get("state") or {}
    return bool(container.get("ready")) and "running" in state


def _restarts(pod: Object, now: float) -> str:
    """How often the containers were restarted, and how long ago the last time."""
    counted = _restarted(pod)
    count = sum(each.get("restartCount", 0) for each in counted)
    ends = [
        ended["finishedAt"]
        for each in counted
        if (ended := (each.get("lastState") or {}).get("terminated")) and ended.get("finishedAt")
    ]
    return f"{count} ({since(max(ends), now)} ago)" if count and ends else str(count)


def _restarted(pod: Object) -> list[Object]:
    """Whose restarts count: init containers only while they are at work, sidecars always."""
    entered = init_containers(pod)[0]
    if not is_past_init(pod):
        return entered
    kept = sidecars(pod)
    own = (pod.get("status") or {}).get("containerStatuses") or ()
    return [*(each for each in entered if each["name"] in kept), *own]


def _gates(pod: Object) -> str:
    gates = pod["spec"].get("readinessGates") or ()
    met = sum(status_of(pod, gate["conditionType"]) == "True" for gate in gates)
    return f"{met}/{len(gates)}" if gates else NONE


def _template(obj: Object, _now: float) -> Cells:
    template = obj["template"]
    return [name(obj), *containers(template), labels(template.get("metadata", {}).get("labels"))]


PRINTERS = {
    "Pod": printer("Name, Ready, Status, Restarts, Age, IP*, Node*, Nominated Node*, Readiness Gates*", _pod),
    "PodTemplate": printer("Name, Containers, Images, Pod Labels", _template),
}

COMPLETED = {
    "Succeeded": "The pod has completed successfully.",
    "Failed": "The pod failed.",
}
"""By phase: what the row's condition Completed says."""


def conditions(pod: Object) -> list[Object]:
    """The conditions of a pod's row: whether it has ended, which `kubectl` may leave out."""
    phase = (pod.get("status") or {}).get("phase", "")
    if phase not in COMPLETED:
        return []
    return [{"type": "Completed", "status": "True", "reason": phase, "message": COMPLETED[phase]}]
