"""Whether waiting is in vain: what no retry brings about, until somebody acts."""

from __future__ import annotations

from gherkube.runners.expectations.causes.containers import PULLS, is_done, probe, statuses, volume, waits
from gherkube.runners.expectations.causes.nodes import unscheduled
from gherkube.runners.expectations.causes.ordinals import is_held
from gherkube.runners.expectations.causes.scene import Scene
from gherkube.runners.expectations.causes.workloads import refusal
from gherkube.runners.expectations.pods import restarts
from gherkube.runners.expectations.revisions import replica_sets, revision_of_pod
from gherkube.runners.expectations.statement import Subject
from gherkube.runners.expectations.subjects import PodSelector, WorkloadRef
from gherkube.runners.kubectl.revisions import KEEPINGS
from gherkube.runners.kubectl.status import ONLY_ROLLING, rollout_status
from gherkube.runners.objects import ENDED, Object, condition, is_active, is_deleting, is_ready
from gherkube.runners.quantities import parse

NOTHING = "nothing that is going on"
OWNERS = ("replicasets", "statefulsets", "daemonsets", "jobs")
"""What makes pods."""


def is_at_rest(scene: Scene) -> bool:
    """Whether everything is as it is meant to be, so that there is nothing to retry either."""
    view = scene.view
    return (
        all(_is_rolled_out(one) for resource in KEEPINGS for one in view.of(resource).values())
        and all(_is_up(node) for node in view.of("nodes").values())
        and all(
            not is_deleting(pod)
            and not _flaps(pod)
            and (is_ready(pod) or (pod.get("status") or {}).get("phase") in ENDED)
            for pod in scene.pods()
        )
        and not any(is_deleting(obj) for resource in view.objects for obj in view.of(resource).values())
    )


def is_uncertain(scene: Scene) -> bool:
    """Whether an attempt may come out differently from the one before.

    A container that was restarted, or has crashed, may come up once more. What a quota refused may be made
    when there is room again. A deployment of strategy Recreate goes on when it looks next though a pod that
    has ended is held.
    """
    pods = scene.pods()
    if any(map(_flaps, pods)):
        return True
    owners = [one for resource in OWNERS for one in scene.view.of(resource).values()]
    if any(_has_room(scene, words) for one in owners for words in refusal(scene, one)):
        return True
    held = any(is_deleting(pod) and (pod.get("status") or {}).get("phase") in ENDED for pod in pods)
    return held and any(
        (one["spec"].get("strategy") or {}).get("type") == "Recreate" and not rollout_status(one).done
        for one in scene.view.of("deployments").values()
    )


def reason(scene: Scene, subject: Subject | None) -> str:
    """What no retry brings about, in words; "" where nothing is known to be so."""
    ref = _owner(subject)
    obj = ref.find(scene.view) if ref is not None else None
    if ref is not None and obj is not None:
        if is_deleting(obj) and obj["metadata"].get("finalizers"):
            return f"{NOTHING} removes the finalizer of {ref.text}"
        if ref.resource == "deployments" and obj["spec"].get("paused"):
            return f"{NOTHING} resumes the rollout, which is paused"
        failed = condition(obj, "Failed")
        if ref.resource == "jobs" and failed is not None and failed["status"] == "True":
            return f"{NOTHING} runs {ref.text} again, which has failed"
        owners = [obj, *replica_sets(scene.view, ref)]
        if any(
            "exceeded quota" in words and not _has_room(scene, words) for words in refusal(scene, *owners)
        ):
            return f"{NOTHING} makes room in the quota"
    for pod in scene.pods():
        if ref is None or ref.owns(scene.view, pod):
            if is_deleting(pod) and pod["metadata"].get("finalizers"):
                return f"{NOTHING} removes the finalizer of pod {pod['metadata']['name']}"
            if is_active(pod) and not is_ready(pod) and (words := _held(scene, pod) or _lacks(scene, pod)):
                return words
    return ""


def unready(scene: Scene, subject: Subject | None) -> str:
    """The pod that stays as it is on a cluster that knows its future, in words; "" when all are ready."""
    ref = _owner(subject)
    for pod in scene.pods():
        if ref is None or ref.owns(scene.view, pod):
            name = pod["metadata"]["name"]
            if scene.is_down(pod):
                return f"{NOTHING} brings node {pod['spec']['nodeName']} back"
            if is_active(pod) and (words := probe(scene, pod)):
                which = words.partition("has not passed its ")[2].partition(" (")[0]
                return f"{NOTHING} lets pod {name} pass its {which}"
            if is_active(pod) and not is_ready(pod) and volume(scene, pod):
                return f"{NOTHING} gives pod {name} what it waits for"
    return ""


def _has_room(scene: Scene, refused: str) -> bool:
    """Whether the quota that refused something has room again, so that the next attempt may succeed."""
    quotas = scene.view.of("resourcequotas").values()
    full = [one.get("status") or {} for one in quotas if f'"{one["metadata"]["name"]}"' in refused]
    return bool(full) and all(
        parse(status.get("used", {}).get(what, 0)) < parse(hard)
        for status in full
        for what, hard in status.get("hard", {}).items()
    )


def _owner(subject: Subject | None) -> WorkloadRef | None:
    """The owner of the pods on which the subject depends; None where that may be any."""
    ref = subject.workload if isinstance(subject, PodSelector) else subject
    return None if ref is None or ref.resource == "services" else ref


def _held(scene: Scene, pod: Object) -> str:
    ref = scene.workload_of(pod)
    if ref is None or not is_held(scene, ref, pod):
        return ""
    return f"{NOTHING} replaces pod {pod['metadata']['name']} before it is ready or deleted"


def _lacks(scene: Scene, pod: Object) -> str:
    name = pod["metadata"]["name"]
    if unscheduled(pod):
        return f"{NOTHING} makes room for pod {name}"
    for _, why, message in waits(pod):
        if why in PULLS:
            revision = _revision(scene, pod)
            return f"{NOTHING} changes the image of {f'revision {revision}' if revision else f'pod {name}'}"
        if why == "CreateContainerConfigError":
            return f"{NOTHING} gives pod {name} what it waits for: {message}"
    return ""


def _revision(scene: Scene, pod: Object) -> int:
    """The revision of its workload that a pod is of, 0 where it has none."""
    workload = scene.workload_of(pod)
    return revision_of_pod(scene.view, workload, pod) if workload is not None else 0


def _is_rolled_out(workload: Object) -> bool:
    """Whether its controller has nothing more to do; one that is updated by hand never has."""
    status = rollout_status(workload)
    return status.done or status is ONLY_ROLLING


def _is_up(node: Object) -> bool:
    ready = condition(node, "Ready")
    return ready is not None and ready["status"] == "True"


def _flaps(pod: Object) -> bool:
    return is_active(pod) and (restarts(pod) > 0 or any(_has_crashed(pod, one) for one in statuses(pod)))


def _has_crashed(pod: Object, container: Object) -> bool:
    if "terminated" in (container.get("state") or {}):
        return not is_done(pod, container)
    return "terminated" in (container.get("lastState") or {})
