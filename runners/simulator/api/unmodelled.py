"""What the simulator does not act on though a cluster would: a scenario that needs it is not judged.

One row for each field: which (a dotted path; `[]` stands for every element of a list) and why it
matters. What is not listed is either modelled or inert here: it changes nothing that a scenario can see
(annotations, securityContext, resizePolicy, …).
"""

from __future__ import annotations

from typing import Any

from gherkube.runners.errors import CannotJudge
from gherkube.runners.objects import Object

POD_FIELDS = (
    ("affinity.podAffinity", "pods are not placed beside other pods"),
    ("affinity.podAntiAffinity", "pods are not kept apart from other pods"),
    ("topologySpreadConstraints", "pods spread over nodes by the default constraints only"),
    ("priorityClassName", "no pod preempts another"),
    ("activeDeadlineSeconds", "no pod is ended at a deadline"),
    ("resourceClaims", "devices are not allocated"),
    ("resources", "requests of whole pods are not counted"),
    ("runtimeClassName", "there are no runtime classes"),
    ("evictionResponders", "the field is newer than Kubernetes 1.34"),
    ("schedulingGroup", "the field is newer than Kubernetes 1.34"),
    ("containers[].lifecycle.stopSignal", "containers are stopped by SIGTERM"),
    ("containers[].restartPolicyRules", "containers restart by their pod's policy only"),
    ("initContainers[].lifecycle.stopSignal", "containers are stopped by SIGTERM"),
    ("initContainers[].restartPolicyRules", "containers restart by their pod's policy only"),
)
INERT_VOLUMES = frozenset({"name", "configMap", "secret", "emptyDir", "downwardAPI", "projected", "hostPath"})
"""Volumes that are there at once; any other would have to be attached or provisioned."""
FIELDS: dict[str, tuple[tuple[str, str], ...]] = {
    "services": (("spec.trafficDistribution", "requests prefer no pod"),),
}


def check_modelled(resource: str, kind: str, obj: Object) -> None:
    """Raises CannotJudge when the object has a field that would matter on a cluster and does not here."""
    for path, why in FIELDS.get(resource, ()):
        _check(kind, "", path, obj, why)
    if resource == "pods":
        _check_pod_spec(kind, "spec.", obj["spec"])
    elif resource in ("deployments", "replicasets"):
        _check_pod_spec(kind, "spec.template.spec.", obj["spec"]["template"]["spec"])


def _check_pod_spec(kind: str, prefix: str, spec: Object) -> None:
    for path, why in POD_FIELDS:
        _check(kind, prefix, path, spec, why)
    for volume in spec.get("volumes", ()):
        for source in volume:
            if source not in INERT_VOLUMES:
                raise _not_modelled(kind, f"{prefix}volumes[].{source}", "such volumes are not provisioned")


def _check(kind: str, prefix: str, path: str, root: Object, why: str) -> None:
    if _is_set(root, path.split(".")):
        raise _not_modelled(kind, prefix + path, why)


def _is_set(part: Any, path: list[str]) -> bool:
    """Whether something that is not empty stands at the path."""
    if not path:
        return bool(part)
    inner = part.get(path[0].removesuffix("[]"))
    if inner is None:
        return False
    branches = inner if path[0].endswith("[]") else (inner,)
    return any(_is_set(branch, path[1:]) for branch in branches)


def _not_modelled(kind: str, path: str, why: str) -> CannotJudge:
    return CannotJudge(
        f"{kind} cannot be judged on the simulator: field {path} is not modelled ({why}); "
        "leave it out, or run the scenario on kind or a live cluster"
    )
