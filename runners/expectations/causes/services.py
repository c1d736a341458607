"""Why a service does not reach pods."""

from __future__ import annotations

from gherkube.runners.expectations.causes.pods import TOLD
from gherkube.runners.expectations.causes.scene import Scene, listed
from gherkube.runners.expectations.causes.workloads import ROLLING, of_pods, strategy
from gherkube.runners.expectations.revisions import HASH
from gherkube.runners.expectations.subjects import WorkloadRef
from gherkube.runners.objects import Object, is_deleting
from gherkube.runners.selectors import from_map


def of_service(scene: Scene, ref: WorkloadRef, obj: Object, *, rolling: bool = False) -> list[str]:
    """A selector that no pod has, a port on which no pod listens, pods that are not ready.

    `rolling`: what the rolling updates of the workloads behind it may do, too.
    """
    selector = obj["spec"].get("selector") or {}
    if not selector:
        return []
    shown = ",".join(f"{key}={value}" for key, value in selector.items())
    chosen = from_map(selector)
    here = scene.pods(ref.namespace)
    pods = [pod for pod in here if chosen(pod["metadata"].get("labels") or {})]
    if not pods:
        labels = sorted({_labels(pod) for pod in here})
        others = f"; there are pods with {' and '.join(labels[:TOLD])}" if labels else ""
        return [f'{ref.text} selects "{shown}", which no pod has{others}']
    standing = [pod for pod in pods if not is_deleting(pod)]
    lines = [*_ports(ref, obj, pods), *of_pods(scene, f'{ref.text} selects "{shown}"', standing)]
    behind = [
        one
        for resource in ROLLING
        for namespace, name in scene.view.of(resource)
        if (one := WorkloadRef(resource, namespace, name)) and any(one.owns(scene.view, p) for p in pods)
    ]
    return [*(words for one in behind if rolling and lines for words in strategy(scene, one)), *lines]


def _ports(ref: WorkloadRef, obj: Object, pods: list[Object]) -> list[str]:
    declared = {
        known
        for pod in pods
        for container in pod["spec"]["containers"]
        for port in container.get("ports") or ()
        for known in (port.get("containerPort"), port.get("name"))
        if known is not None
    }
    lines = []
    for port in obj["spec"].get("ports") or ():
        target = port.get("targetPort") or port.get("port")
        if (declared or isinstance(target, str)) and target not in declared:
            there = listed(sorted(map(str, declared))) or "none by name"
            lines.append(f"{ref.text} sends to port {target}, on which no pod listens; they have {there}")
    return lines


def _labels(pod: Object) -> str:
    labels = pod["metadata"].get("labels") or {}
    return ",".join(f"{key}={value}" for key, value in labels.items() if key != HASH) or "no labels"
