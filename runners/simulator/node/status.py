"""A pod's phase and conditions, as its kubelet works them out of the container statuses.

Parts that are equal for many pods (the conditions of pods that started in the same second) are made
once and shared.
pkg/kubelet/kubelet_pods.go getPhase, pkg/kubelet/status/generate.go
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

from gherkube.runners.objects import ENDED, Object

OWN = (
    "PodReadyToStartContainers",
    "Initialized",
    "Ready",
    "ContainersReady",
    (SCHEDULED := "PodScheduled"),
)
"""The conditions that a kubelet owns, in stored order."""
CREATING: Object = {"waiting": {"reason": "ContainerCreating"}}
INITIALIZING: Object = {"waiting": {"reason": "PodInitializing"}}
LOST: Object = {
    "terminated": {
        "exitCode": 137,
        "reason": "ContainerStatusUnknown",
        "message": "The container could not be located when the pod was terminated",
        "startedAt": None,
        "finishedAt": None,
    }
}
"""The state of a container that never ran when its pod has ended."""
SHARED = 8192
"""How many lists of conditions are kept for sharing."""

Verdict: TypeAlias = tuple[str, str, str]
"""A condition's status, reason and message; the latter two "" when there is none."""
TRUE: Verdict = ("True", "", "")
FALSE: Verdict = ("False", "", "")


Verdicts: TypeAlias = tuple[Verdict, Verdict, Verdict, Verdict]
"""What the conditions say: sandbox, initialized, ready, containers ready."""
COMPLETED: Verdict = ("False", "PodCompleted", "")
FAILED: Verdict = ("False", "PodFailed", "")
INITIALIZED_COMPLETED: Verdict = ("True", "PodCompleted", "")


def phase(pod: Object, init: Sequence[Object], apps: Sequence[Object], over: bool) -> str:
    """The phase by the container statuses; `over`: the containers are stopped for good."""
    waiting = running = stopped = succeeded = 0
    for status in apps:
        state = status["state"]
        if "running" in state:
            running += 1
        elif "terminated" in state:
            stopped += 1
            succeeded += state["terminated"]["exitCode"] == 0
        elif status["lastState"]:
            stopped += 1
        else:
            waiting += 1
    if init:
        failed_init, pending_init = _count_init(pod, init)
        if failed_init and pod["spec"].get("restartPolicy") == "Never":
            return "Failed"
        if pending_init and not (running or stopped):
            return "Pending"
    if waiting:
        return "Pending"
    if running:
        return "Running"
    if over:
        return "Succeeded" if stopped == succeeded else "Failed"
    policy = pod["spec"].get("restartPolicy", "Always")
    if policy == "Always":
        return "Running"
    if stopped == succeeded:
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def _count_init(pod: Object, init: Sequence[Object]) -> tuple[int, int]:
    """How many init containers have failed, and how many have yet to end or, as a sidecar, to start."""
    failed = pending = 0
    for status, spec in zip(init, pod["spec"]["initContainers"], strict=True):
        state = status["state"]
        if spec.get("restartPolicy") == "Always":
            pending += not status["started"] and "terminated" not in state
        elif "terminated" in state:
            failed += state["terminated"]["exitCode"] != 0
        elif "terminated" in status["lastState"] and "waiting" in state:
            failed += status["lastState"]["terminated"]["exitCode"] != 0
        else:
            pending += 1
    return failed, pending


def without_lost(
    pod: Object, init: Sequence[Object], apps: Sequence[Object]
) -> tuple[list[Object], list[Object]]:
    """The statuses of a pod that has ended: what should have run by then and does not wait any more is lost.

    status/status_manager.go TerminatePod, hasPodInitialized, initializedContainers
    """
    if not init:
        return [], list(map(_lost, apps))
    begun = [n for n, each in enumerate(init, 1) if "waiting" not in each["state"] or each["lastState"]]
    reached = max(begun, default=1)
    initialized = _has_initialized(pod, init[-1], apps)
    return [*map(_lost, init[:reached]), *init[reached:]], list(map(_lost, apps)) if initialized else [*apps]


def _has_initialized(pod: Object, last: Object, apps: Sequence[Object]) -> bool:
    if any("waiting" not in each["state"] or each["lastState"] for each in apps):
        return True
    if pod["spec"]["initContainers"][-1].get("restartPolicy") == "Always":
        return bool(last["started"])
    return "terminated" in last["state"] and bool(last["state"]["terminated"]["exitCode"] == 0)


def _lost(status: Object) -> Object:
    return status if "terminated" in status["state"] else {**status, "state": LOST}


def verdicts(
    pod: Object,
    phase: str,
    init: Sequence[Object],
    apps: Sequence[Object],
    sandbox: bool,
    foreign: Mapping[str, str],
) -> Verdicts:
    """What the conditions say.

    `init`, `apps`: the container statuses. `foreign`: the status of each condition that others put on
    the pod (for readiness gates).
    """
    unready: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    for each in apps:
        if not each["ready"]:
            unready += (each["name"],)
    if init:
        sidecars: tuple[str, ...] = ()
        for status, spec in zip(init, pod["spec"]["initContainers"], strict=True):
            is_sidecar = spec.get("restartPolicy") == "Always"
            if not status["started" if is_sidecar else "ready"]:
                missing += (status["name"],)
            if is_sidecar and not status["ready"]:
                sidecars += (status["name"],)
        unready = sidecars + unready
    if phase in ENDED:
        ready = containers_ready = COMPLETED if phase == "Succeeded" else FAILED
    elif unready:
        ready = containers_ready = _unready(unready)
    else:
        containers_ready, ready = TRUE, _gates(pod, foreign) if "readinessGates" in pod["spec"] else TRUE
    initialized = TRUE
    if phase == "Succeeded":
        initialized = INITIALIZED_COMPLETED
    elif missing and not any("waiting" not in each["state"] or each["lastState"] for each in apps):
        text = f"containers with incomplete status: [{' '.join(missing)}]"
        initialized = _not("ContainersNotInitialized", text)
    return TRUE if sandbox else FALSE, initialized, ready, containers_ready


@lru_cache(4096)
def _unready(names: tuple[str, ...]) -> Verdict:
    return _not("ContainersNotReady", f"containers with unready status: [{' '.join(names)}]")


def _gates(pod: Object, foreign: Mapping[str, str]) -> Verdict:
    """status/generate.go GeneratePodReadyCondition"""
    problems = []
    for gate in pod["spec"]["readinessGates"]:
        type_ = gate["conditionType"]
        if type_ not in foreign:
            problems.append(f'corresponding condition of pod readiness gate "{type_}" does not exist.')
        elif foreign[type_] != "True":
            problems.append(f'the status of pod readiness gate "{type_}" is not "True", but {foreign[type_]}')
    return _not("ReadinessGatesNotReady", ", ".join(problems)) if problems else TRUE


def _not(reason: str, message: str) -> Verdict:
    return "False", reason, message


@lru_cache(SHARED)
def since_when(before: Verdicts, verdicts: Verdicts, since: tuple[str, ...], now: str) -> tuple[str, ...]:
    """Since when each condition has its status, after a change of verdicts now; `since`: as it was before."""
    pairs = zip(before, verdicts, since)  # noqa: B905 - the last, that it is scheduled, stays
    return (*(then if was[0] == is_[0] else now for was, is_, then in pairs), since[-1])


@lru_cache(SHARED)
def conditions(generation: int, verdicts: Verdicts, since: tuple[str, ...]) -> list[Object]:
    """The conditions in the form of the API; the same list for the same facts.

    `since`: the lastTransitionTime of each, at last that of PodScheduled, which is always true.
    """
    return [_condition(generation, *facts) for facts in zip(OWN, (*verdicts, TRUE), since, strict=True)]


def _condition(generation: int, type_: str, verdict: Verdict, since: str) -> Object:
    status, reason, message = verdict
    condition: Object = {
        "type": type_,
        "observedGeneration": generation,
        "status": status,
        "lastProbeTime": None,
        "lastTransitionTime": since,
    }
    if reason:
        condition["reason"] = reason
    if message:
        condition["message"] = message
    return condition
