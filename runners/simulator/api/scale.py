"""The scale subresource: how many replicas there should be, and are, whatever the kind.

pkg/registry/apps/deployment/storage/storage.go scaleFromDeployment
"""

from __future__ import annotations

from gherkube.runners.objects import Object
from gherkube.runners.selectors import selector_text
from gherkube.runners.simulator.api.refusals import invalid_kind, wrong

SCALABLE = frozenset({"deployments", "replicasets"})
_SHOWN = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(obj: Object) -> Object:
    """The Scale of a Deployment or ReplicaSet; spec.replicas is absent when it is 0."""
    spec, status = obj["spec"], obj["status"]
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {field: obj["metadata"][field] for field in _SHOWN},
        "spec": {"replicas": spec["replicas"]} if spec["replicas"] else {},
        "status": {"replicas": status.get("replicas", 0), "selector": selector_text(spec["selector"])},
    }


def scaled(obj: Object, scale: Object) -> Object:
    """The object with the Scale's number of replicas; ApiError Invalid when that is below 0."""
    replicas = scale.get("spec", {}).get("replicas", 0)
    if replicas < 0:
        error = wrong("spec.replicas", replicas, "must be greater than or equal to 0")
        raise invalid_kind("Scale.autoscaling", "autoscaling", "Scale", obj["metadata"]["name"], [error])
    return {**obj, "spec": {**obj["spec"], "replicas": replicas}}
