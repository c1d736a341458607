"""What the order of a StatefulSet makes wait: its pods come, go and are replaced one after another.

pkg/controller/statefulset/stateful_set_control.go updateStatefulSet
"""

from __future__ import annotations

from gherkube.runners.expectations.causes.scene import Scene, number
from gherkube.runners.expectations.revisions import MARKS, newest_mark, revision_of_pod, wanted_pods
from gherkube.runners.expectations.subjects import WorkloadRef
from gherkube.runners.objects import Object, is_active, is_deleting, is_ready


def is_ordered(workload: Object) -> bool:
    """Whether the workload's pods wait for each other."""
    policy = workload["spec"].get("podManagementPolicy", "OrderedReady")
    return bool(workload["kind"] == "StatefulSet" and policy == "OrderedReady")


def is_held(scene: Scene, ref: WorkloadRef, pod: Object) -> bool:
    """Whether a pod of an older revision is not replaced because it is not ready."""
    owner = ref.find(scene.view)
    if owner is None or not is_ordered(owner) or not is_active(pod) or is_ready(pod):
        return False
    newest = newest_mark(scene.view, ref)
    return newest is not None and MARKS[ref.resource].of_pod(pod) != newest


def order(scene: Scene, ref: WorkloadRef, owner: Object, pods: list[Object]) -> list[str]:
    """Who waits for whom: the pods that are not made or not updated yet."""
    if not is_ordered(owner):
        return []
    active = [pod for pod in pods if is_active(pod)]
    unready = sorted((pod for pod in pods if not is_ready(pod) or is_deleting(pod)), key=_ordinal)
    if not unready:
        return []
    first = unready[0]["metadata"]["name"]
    if is_held(scene, ref, unready[0]):
        revision = revision_of_pod(scene.view, ref, unready[0])
        return [
            f"pod {first} is still of revision {revision}: it is not replaced before it is ready or deleted"
        ]
    missing = (wanted_pods(owner) or 0) - len(pods)
    newest = newest_mark(scene.view, ref)
    old = [pod for pod in active if MARKS[ref.resource].of_pod(pod) != newest]
    waiting = [f"{number(missing, 'pod')} not made yet"] if missing > 0 else []
    waiting += [f"{number(len(old), 'pod')} of an older revision"] if old else []
    one = missing + len(old) == 1
    return [f"{' and '.join(waiting)} wait{'s' if one else ''} for pod {first}"] if waiting else []


def _ordinal(pod: Object) -> int:
    return int(pod["metadata"]["name"].rpartition("-")[2])
