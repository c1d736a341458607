"""The scale subresource: how many replicas there should be, and are, whatever the kind.

pkg/registry/apps/deployment/storage/storage.go scaleFromDeployment,
staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresource/etcd.go ScaleREST
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from gherkube.runners.objects import Object
from gherkube.runners.selectors import selector_text
from gherkube.runners.simulator.api.refusals import invalid_kind, wrong
from gherkube.runners.simulator.api.resources import Resource

_SHOWN = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


class Paths(NamedTuple):
    """Where an object has its number of replicas, wanted and found, and the selector of its pods."""

    spec: Sequence[str] = ("spec", "replicas")
    status: Sequence[str] = ("status", "replicas")
    selector: Sequence[str] = ("spec", "selector")


SCALABLE = dict.fromkeys(("deployments", "replicasets", "replicationcontrollers", "statefulsets"), Paths())


def scale_paths(info: Resource) -> Paths | None:
    """Where the objects of a resource have their scale; None where they have none."""
    if info.custom is None or info.custom.scale is None:
        return SCALABLE.get(info.name)
    paths = (
        info.custom.scale.get(f"{each}Path", "")
        for each in ("specReplicas", "statusReplicas", "labelSelector")
    )
    return Paths(*(path.removeprefix(".").split(".") for path in paths))


def scale_of(obj: Object, paths: Paths) -> Object:
    """The Scale of an object; spec.replicas is absent when it is 0."""
    replicas, selector = _at(obj, paths.spec), _at(obj, paths.selector)
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {field: obj["metadata"][field] for field in _SHOWN},
        "spec": {"replicas": replicas} if replicas else {},
        "status": {
            "replicas": _at(obj, paths.status) or 0,
            "selector": selector_text(selector) if isinstance(selector, dict) else selector or "",
        },
    }


def scaled(obj: Object, scale: Object, paths: Paths) -> Object:
    """The object with the Scale's number of replicas; ApiError Invalid when that is below 0."""
    replicas = scale.get("spec", {}).get("replicas", 0)
    if replicas < 0:
        error = wrong("spec.replicas", replicas, "must be greater than or equal to 0")
        raise invalid_kind("Scale.autoscaling", "autoscaling", "Scale", obj["metadata"]["name"], [error])
    return _with(obj, paths.spec, replicas)


def _at(obj: Object, path: Sequence[str]) -> Any:
    found: Any = obj
    for field in path:
        found = found.get(field) if isinstance(found, dict) else None
    return found


def _with(obj: Object, path: Sequence[str], value: Any) -> Object:
    field, *rest = path
    return {**obj, field: _with(obj.get(field, {}), rest, value) if rest else value}
