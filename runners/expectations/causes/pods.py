"""Why pods are not as they are meant to be: of the table's rules, the first that applies names the cause."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from gherkube.runners.expectations.causes.containers import (
    ended,
    gate,
    killed_by,
    last_end,
    output,
    probe,
    statuses,
    volume,
    waiting,
)
from gherkube.runners.expectations.causes.nodes import node_down, node_groups, unscheduled
from gherkube.runners.expectations.causes.scene import Scene, essence, number
from gherkube.runners.expectations.pod_status import pod_status
from gherkube.runners.objects import Key, Object, is_active, is_deleting, is_ready

Rule: TypeAlias = Callable[[Scene, Object], str]
TOLD = 3
"""How many different causes are told of the pods of one owner."""


def unwell(scene: Scene, pods: Iterable[Object]) -> list[Object]:
    """Those of the pods that are not ready, or not long enough; terminating ones if there are no others."""
    found = [
        pod
        for pod in pods
        if pod_status(pod) != "Completed"
        and not (is_active(pod) and is_ready(pod) and not _ripens(scene, pod) and not node_down(scene, pod))
    ]
    return [pod for pod in found if not is_deleting(pod)] or found


def told_pods(scene: Scene, pods: Iterable[Object]) -> list[str]:
    """What each of the pods waits for, those that wait for the same told once, each with what says so."""
    lines: list[str] = []
    causes: dict[str, list[Object]] = {}
    for pod in sorted(pods, key=lambda pod: str(pod["metadata"]["name"])):
        causes.setdefault(cause(scene, pod), []).append(pod)
    for words, alike in list(causes.items())[:TOLD]:
        others = f" (and {len(alike) - 1} more alike)" if len(alike) > 1 else ""
        lines.append(f"└ pod {alike[0]['metadata']['name']}: {words}{others}")
        lines += [f"  └ {line}" for line in _evidence(scene, alike[0], words)]
    if len(causes) > TOLD:
        rest = sum(map(len, list(causes.values())[TOLD:]))
        lines.append(f"└ {number(rest, 'more pod')} for {number(len(causes) - TOLD, 'more reason')}")
    return lines


def cause(scene: Scene, pod: Object) -> str:
    """Why the pod is not as it is meant to be, in a few words."""
    for rule in RULES:
        if words := rule(scene, pod):
            return words
    return pod_status(pod)


def _evidence(scene: Scene, pod: Object, words: str) -> list[str]:
    """What says so, and is not in the words: the nodes that refuse, the container's output, the event."""
    if is_deleting(pod) or node_down(scene, pod):
        return []
    if unscheduled(pod):
        return node_groups(scene, pod)
    last = output(scene, pod)
    lines = [f"its output ends: {' · '.join(last)}"] if last else []
    reasons = ("Unhealthy",) if _is_killed_by_probe(scene, pod) or probe(scene, pod) else ()
    return lines + _newest(scene, pod, words, *reasons)


def _is_killed_by_probe(scene: Scene, pod: Object) -> bool:
    ends = ((one["name"], last_end(one)) for one in statuses(pod))
    return any(end is not None and killed_by(scene, pod, name, end) for name, end in ends)


def _newest(scene: Scene, pod: Object, words: str, *reasons: str) -> list[str]:
    """The newest warning about the pod; of those that say why something failed, rather one of them."""
    found = [one for one in scene.events(pod, *reasons) if one[1].get("type") == "Warning"]
    if not found:
        return _said_by_status(pod)
    at, event = max(found, key=lambda one: ("Failed to" in one[1].get("message", ""), one[0]))
    if essence(event.get("message", "")).rpartition(" : ")[2].removeprefix("Error: ") in words:
        return []
    return [scene.told(at, event)]


def _said_by_status(pod: Object) -> list[str]:
    """Where the events are gone, the message of the container that waits."""
    for container in statuses(pod):
        state = (container.get("state") or {}).get("waiting") or {}
        if state.get("reason") in ("ImagePullBackOff", "ErrImagePull") and state.get("message"):
            return [f"its status says: {essence(state['message'])}"]
    return []


def _deleted(scene: Scene, pod: Object) -> str:
    if not is_deleting(pod):
        return ""
    if finalizers := pod["metadata"].get("finalizers"):
        return f"is being deleted and waits for its finalizers: {', '.join(finalizers)}"
    grace = pod["metadata"].get("deletionGracePeriodSeconds", 0)
    return node_down(scene, pod) or f"is terminating, with a grace period of {grace} s"


def _unscheduled(_scene: Scene, pod: Object) -> str:
    return unscheduled(pod)


def _evicted(_scene: Scene, pod: Object) -> str:
    status = pod.get("status") or {}
    if status.get("phase") != "Failed" or not status.get("reason"):
        return ""
    return f"failed: {status['reason']}{': ' + status['message'] if status.get('message') else ''}"


def _ripens(scene: Scene, pod: Object) -> str:
    metadata = pod["metadata"]
    since = scene.view.ready_since.get(Key(metadata["namespace"], metadata["name"]))
    owner = scene.view.owner(pod)
    seconds = (owner or {}).get("spec", {}).get("minReadySeconds", 0)
    if since is None or scene.now - since >= seconds:
        return ""
    return f"is ready since {scene.now - since:.0f} s, and available after {seconds} s"


RULES: tuple[Rule, ...] = (
    _deleted,
    node_down,
    _unscheduled,
    _evicted,
    waiting,
    volume,
    ended,
    probe,
    gate,
    _ripens,
)
"""In the order in which they exclude one another."""
