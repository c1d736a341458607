"""What has to stand in objects that nothing else looks into, so that whoever prints them finds it there.

pkg/apis/{batch,autoscaling,rbac,storage,node,certificates,core}/validation/validation.go
"""

from __future__ import annotations

from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.refusals import invalid, required
from gherkube.runners.simulator.api.resources import Resource

REQUIRED = {
    "certificatesigningrequests": ("spec.request", "spec.signerName"),
    "clusterrolebindings": ("roleRef",),
    "controllerrevisions": ("revision",),
    "cronjobs": ("spec.schedule", "spec.jobTemplate.spec.template"),
    "daemonsets": ("spec.selector", "spec.template"),
    "horizontalpodautoscalers": ("spec.scaleTargetRef", "spec.maxReplicas"),
    "jobs": ("spec.template",),
    "podtemplates": ("template",),
    "replicationcontrollers": ("spec.template",),
    "rolebindings": ("roleRef",),
    "runtimeclasses": ("handler",),
    "statefulsets": ("spec.selector", "spec.template"),
    "storageclasses": ("provisioner",),
    "volumeattachments": ("spec.attacher", "spec.nodeName", "spec.source"),
}


def check_required(resource: Resource, obj: Object) -> None:
    """Raises ApiError Invalid when something is missing."""
    missing = [path for path in REQUIRED.get(resource.name, ()) if not _is_there(obj, path)]
    if missing:
        raise invalid(resource, obj["metadata"].get("name", ""), [required(path) for path in missing])


def _is_there(obj: Object, path: str) -> bool:
    found: object = obj
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found is not None
