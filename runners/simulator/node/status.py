"""A pod's status, as its kubelet works it out: phase, conditions, and the whole in stored order.

Parts that are equal for many pods (the conditions of pods that started in the same second) are made
once and shared.
pkg/kubelet/kubelet_pods.go getPhase, pkg/kubelet/status/generate.go
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from gherkube.runners.objects import ENDED, Object
from gherkube.runners.simulator.node.containers import Container

SANDBOX, INITIALIZED, READY, CONTAINERS_READY, SCHEDULED = OWN = (
    "PodReadyToStartContainers",
    "Initialized",
    "Ready",
    "ContainersReady",
    "PodScheduled",
)
"""The conditions that a kubelet owns, in stored order."""
CREATING: Object = {"waiting": {"reason": "ContainerCreating"}}
INITIALIZING: Object = {"waiting": {"reason": "PodInitializing"}}
SHARED = 8192
"""How many lists of conditions are kept for sharing."""

Verdict: TypeAlias = tuple[str, str, str]
"""A condition's status, reason and message; the latter two "" when there is none."""
TRUE: Verdict = ("True", "", "")
FALSE: Verdict = ("False", "", "")


class Fact(NamedTuple):
    """A condition: its type, verdict and lastTransitionTime."""

    type: str
    verdict: Verdict
    since: str


def phase(pod: Object, init: Sequence[Object], apps: Sequence[Object], *, over: bool) -> str:
    """The phase by the container statuses; `over`: the containers are stopped for good."""
    policy = pod["spec"].get("restartPolicy", "Always")
    waiting = running = stopped = succeeded = failed_init = pending_init = 0
    for status, spec in zip(init, pod["spec"].get("initContainers", ()), strict=False):
        state = status["state"]
        if spec.get("restartPolicy") == "Always":
            pending_init += not status["started"] and "terminated" not in state
        elif "terminated" in state:
            failed_init += state["terminated"]["exitCode"] != 0
        elif "terminated" in status["lastState"] and "waiting" in state:
            failed_init += status["lastState"]["terminated"]["exitCode"] != 0
        else:
            pending_init += 1
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
    if failed_init and policy == "Never":
        return "Failed"
    if waiting or (pending_init and not (running or stopped)):
        return "Pending"
    if running:
        return "Running"
    if over:
        return "Succeeded" if stopped == succeeded else "Failed"
    if policy == "Always":
        return "Running"
    if stopped == succeeded:
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def verdicts(
    pod: Object,
    phase: str,
    containers: Sequence[Container],
    as_of: float,
    *,
    sandbox: bool,
    initialized: bool,
    foreign: Mapping[str, str],
) -> tuple[Verdict, Verdict, Verdict, Verdict]:
    """What the conditions say: sandbox, initialized, ready, containers ready.

    `initialized`: an app container was started before. `foreign`: the status of each condition that
    others put on the pod (for readiness gates).
    """
    unready = [c.name for c in containers if c.kind == "sidecar" and not c.is_ready(as_of)]
    unready += [c.name for c in containers if c.kind == "app" and not c.is_ready(as_of)]
    if phase in ENDED:
        done: Verdict = ("False", "PodCompleted" if phase == "Succeeded" else "PodFailed", "")
        ready = containers_ready = done
    elif unready:
        ready = containers_ready = _not(
            "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]"
        )
    else:
        containers_ready, ready = TRUE, _gates(pod, foreign)
    if phase == "Succeeded":
        init: Verdict = ("True", "PodCompleted", "")
    elif initialized or len(containers) == len(pod["spec"]["containers"]):
        init = TRUE
    else:
        missing = [c.name for c in containers if c.kind != "app" and not _is_initialized(c, as_of)]
        text = f"containers with incomplete status: [{' '.join(missing)}]"
        init = _not("ContainersNotInitialized", text) if missing else TRUE
    return TRUE if sandbox else FALSE, init, ready, containers_ready


def _is_initialized(container: Container, as_of: float) -> bool:
    return container.is_started(as_of) if container.kind == "sidecar" else container.is_ready(as_of)


def _gates(pod: Object, foreign: Mapping[str, str]) -> Verdict:
    """status/generate.go GeneratePodReadyCondition"""
    problems = []
    for gate in pod["spec"].get("readinessGates", ()):
        type_ = gate["conditionType"]
        if type_ not in foreign:
            problems.append(f'corresponding condition of pod readiness gate "{type_}" does not exist.')
        elif foreign[type_] != "True":
            problems.append(f'the status of pod readiness gate "{type_}" is not "True", but {foreign[type_]}')
    return _not("ReadinessGatesNotReady", ", ".join(problems)) if problems else TRUE


def _not(reason: str, message: str) -> Verdict:
    return "False", reason, message


_conditions: dict[tuple[int, tuple[Fact, ...]], list[Object]] = {}


def conditions(generation: int, facts: tuple[Fact, ...]) -> list[Object]:
    """The conditions in the form of the API; the same list for the same facts."""
    known = _conditions.get((generation, facts))
    if known is None:
        if len(_conditions) >= SHARED:
            _conditions.clear()
        known = [_condition(generation, *fact) for fact in facts]
        _conditions[(generation, facts)] = known
    return known


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


def compose(
    generation: int,
    phase: str,
    conditions: list[Object],
    host_ip: str,
    pod_ip: str,
    start: str,
    init: list[Object],
    apps: list[Object],
    qos: str,
) -> Object:
    """The status of these parts, in stored order; `pod_ip` is "" as long as there is none."""
    hosts, addresses = _ips(host_ip), _ips(pod_ip)
    status: Object = {"observedGeneration": generation, "phase": phase, "conditions": conditions}
    status["hostIP"], status["hostIPs"] = host_ip, hosts
    if pod_ip:
        status["podIP"], status["podIPs"] = pod_ip, addresses
    status["startTime"] = start
    if init:
        status["initContainerStatuses"] = init
    status["containerStatuses"] = apps
    status["qosClass"] = qos
    return status


_known_ips: dict[str, list[Object]] = {}


def _ips(ip: str) -> list[Object]:
    known = _known_ips.get(ip)
    if known is None:
        if len(_known_ips) >= SHARED:
            _known_ips.clear()
        known = _known_ips[ip] = [{"ip": ip}]
    return known


def foreign_conditions(stored: Object) -> Iterable[Object]:
    """The conditions on a stored pod that are not its kubelet's."""
    return (each for each in stored.get("status", {}).get("conditions", ()) if each["type"] not in OWN)
