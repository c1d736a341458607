"""Why a container does not run, or is not ready."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from gherkube.runners.expectations.causes.scene import Scene
from gherkube.runners.expectations.time import duration
from gherkube.runners.objects import Object, condition

PULLS = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
STARTING = frozenset({"ContainerCreating", "PodInitializing"})
KILLED = re.compile(r"ontainer (\S+) failed (liveness|startup) probe")
OUTPUT = 3
"""How many of the last lines of a container's output are told."""


def statuses(pod: Object) -> list[Object]:
    """The statuses of all containers of a pod, those of the init containers first."""
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def waits(pod: Object) -> Iterator[tuple[Object, str, str]]:
    """The containers that wait, each with the reason and its message."""
    for container in statuses(pod):
        if (waiting := (container.get("state") or {}).get("waiting")) is not None:
            yield container, waiting.get("reason", ""), waiting.get("message", "")


def waiting(scene: Scene, pod: Object) -> str:
    """Why a container waits, if one does."""
    for container, reason, message in waits(pod):
        if reason == "CrashLoopBackOff":
            return crash(scene, pod, container)
        if reason == "InvalidImageName":
            return f"container {container['name']} waits: {reason}: {container.get('image', '')!r}"
        if reason in PULLS:
            return f"container {container['name']} waits: {reason}"
        if reason not in STARTING:
            return f"container {container['name']} waits: {reason}{': ' + message if message else ''}"
    return ""


def volume(scene: Scene, pod: Object) -> str:
    """The volume that the pod waits for, if one cannot be mounted."""
    if not any(reason in STARTING for _, reason, _ in waits(pod)):
        return ""
    for _, event in reversed(scene.events(pod, "FailedMount", "FailedAttachVolume")):
        message = " ".join(event.get("message", "").split())
        named = re.search(r'volume "([^"]+)"\s*:\s*(.+)', message)
        return f"waits for volume {named[1]}: {named[2]}" if named else f"waits for a volume: {message}"
    return ""


def ended(scene: Scene, pod: Object) -> str:
    """How a container ended that should run."""
    for container in statuses(pod):
        if "terminated" in (container.get("state") or {}) and not is_done(pod, container):
            return crash(scene, pod, container)
    return ""


def is_done(pod: Object, container: Object) -> bool:
    """Whether a container that has ended did so as it should."""
    inits = {one["name"] for one in pod["spec"].get("initContainers") or ()}
    fine = container["state"]["terminated"].get("exitCode", 0) == 0
    return fine and (container["name"] in inits or pod["spec"].get("restartPolicy") != "Always")


def crash(scene: Scene, pod: Object, container: Object) -> str:
    """How a container ended last, and how often it was restarted."""
    name = container["name"]
    times = container.get("restartCount", 0)
    again = f", restarted {times} time{'' if times == 1 else 's'}" if times else ""
    end = last_end(container)
    if end is None:
        return f"container {name} crashes{again}"
    if end.get("reason") == "OOMKilled":
        limit = _limit(pod, name)
        return f"container {name} crashes: killed for want of memory (OOMKilled{limit}){again}"
    if role := killed_by(scene, pod, name, end):
        return f"container {name} is killed: it fails its {role} probe{told_probe(pod, name, role)}{again}"
    return f"container {name} crashes: exit code {end.get('exitCode', '?')}{_lived(end)}{again}"


def output(scene: Scene, pod: Object) -> list[str]:
    """The last lines that a container which crashed has left: its termination message, or what it printed."""
    for container in statuses(pod):
        end = last_end(container)
        if end is not None and end.get("exitCode"):
            lines = (end.get("message") or "").strip().splitlines()
            runs = "running" in (container.get("state") or {})
            return (lines or scene.printed(pod, container["name"], previous=runs))[-OUTPUT:]
    return []


def last_end(container: Object) -> Object | None:
    """How the container ended last."""
    states = [container.get(at) or {} for at in ("state", "lastState")]
    return next((state["terminated"] for state in states if "terminated" in state), None)


def killed_by(scene: Scene, pod: Object, name: str, end: Object) -> str:
    """The probe for whose sake the kubelet made that end, "" when the container ended by itself."""
    for _, event in reversed(scene.events(pod, "Killing")):
        found = KILLED.search(event.get("message", ""))
        if found is not None and found[1] == name and _just_before(event, end, pod):
            return found[2]
    return ""


def _just_before(event: Object, end: Object, pod: Object) -> bool:
    said, finished = event.get("lastTimestamp"), end.get("finishedAt")
    if not said or not finished:
        return True
    seconds = (datetime.fromisoformat(finished) - datetime.fromisoformat(said)).total_seconds()
    return -2 <= seconds <= (pod["spec"].get("terminationGracePeriodSeconds") or 30) + 3


def _lived(end: Object) -> str:
    started, finished = end.get("startedAt"), end.get("finishedAt")
    if not started or not finished:
        return ""
    seconds = (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds()
    return f" after {seconds:.0f} s" if seconds >= 1 else " at once"


def _limit(pod: Object, name: str) -> str:
    for spec in pod["spec"]["containers"]:
        if spec["name"] == name:
            limit = ((spec.get("resources") or {}).get("limits") or {}).get("memory")
            return f", its limit is {limit}" if limit else ""
    return ""


def probe(scene: Scene, pod: Object) -> str:
    """The probe that a running container has not passed."""
    known = {one["name"]: one for one in (pod.get("status") or {}).get("containerStatuses") or ()}
    for spec in pod["spec"]["containers"]:
        status = known.get(spec["name"]) or {}
        if "running" not in (status.get("state") or {}) or status.get("ready"):
            continue
        role = asked(spec, status)
        if role:
            runs = f"container {spec['name']} runs{_again(scene, pod, status)}"
            return f"{runs}, but has not passed its {role} probe{told_probe(pod, spec['name'], role)}"
    return ""


def asked(spec: Object, status: Object) -> str:
    """The probe that a running container has yet to pass, "" when there is none."""
    if "startupProbe" in spec and not status.get("started"):
        return "startup"
    return "readiness" if "readinessProbe" in spec else ""


def _again(scene: Scene, pod: Object, status: Object) -> str:
    end = (status.get("lastState") or {}).get("terminated")
    if end is None:
        return ""
    role = killed_by(scene, pod, status["name"], end)
    how = f"it failed its {role} probe" if role else f"it ended with exit code {end.get('exitCode', '?')}"
    return f" again after {how}"


def told_probe(pod: Object, name: str, role: str) -> str:
    """A probe as the language writes it: ` (http :8080/readyz every 1 second)`."""
    spec: Object = next((one for one in pod["spec"]["containers"] if one["name"] == name), {})
    found = spec.get(f"{role}Probe") or {}
    if http := found.get("httpGet"):
        how = f"http :{http.get('port', '')}{http.get('path', '/')}"
    elif tcp := found.get("tcpSocket"):
        how = f"tcp :{tcp.get('port', '')}"
    elif command := found.get("exec"):
        how = f"exec {' '.join(command.get('command') or ())}"
    elif grpc := found.get("grpc"):
        how = f"grpc :{grpc.get('port', '')}"
    else:
        return ""
    return f" ({how} every {duration(found.get('periodSeconds') or 10)})"


def gate(_scene: Scene, pod: Object) -> str:
    """The readiness gate that nobody has opened though all containers are ready."""
    ready = condition(pod, "ContainersReady")
    if ready is None or ready["status"] != "True":
        return ""
    for wanted in pod["spec"].get("readinessGates") or ():
        found = condition(pod, wanted["conditionType"])
        if found is None or found["status"] != "True":
            return f'waits for its readiness gate "{wanted["conditionType"]}"'
    return ""
