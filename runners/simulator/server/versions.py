"""What is served in a second group or version, too: the stored objects, said otherwise.

pkg/apis/core/v1/conversion.go, pkg/apis/events/v1/conversion.go, pkg/apis/autoscaling/v1/conversion.go
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.resources import Resource

RENAMED = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
}
"""Fields of an event, by name in the core group."""
BACK = {new: old for old, new in RENAMED.items()}
AUTOSCALERS = "horizontalpodautoscalers"
USE = "targetCPUUtilizationPercentage"
"""All that autoscaling/v1 knows of metrics."""


class Second(NamedTuple):
    """A resource in its second group or version, and how its objects become others."""

    resource: Resource
    stored_as: str
    """The apiVersion of what is stored."""
    to_served: Callable[[Object], Object]
    to_stored: Callable[[Object], Object]


def served(group: str, version: str, name: str) -> Resource | None:
    """The resource at that path, or None."""
    found = SECONDS.get((group, version, name))
    return found.resource if found else None


def is_second(resource: Resource) -> bool:
    """Whether its objects are stored otherwise than they are said."""
    return (resource.group, resource.version, resource.name) in SECONDS


def as_served(resource: Resource, obj: Object) -> Object:
    """What is stored, or a list of it, as it is said."""
    second = SECONDS[resource.group, resource.version, resource.name]
    if "items" in obj:
        items = [as_served(resource, item) for item in obj["items"]]
        return {**obj, "apiVersion": resource.api_version, "items": items}
    return {**second.to_served(obj), "apiVersion": resource.api_version}


def as_stored(resource: Resource, obj: Object) -> Object:
    """What is sent, or a patch of it, as it is stored."""
    second = SECONDS[resource.group, resource.version, resource.name]
    new = second.to_stored(obj)
    return {**new, "apiVersion": second.stored_as} if "apiVersion" in obj else new


def _new_event(event: Object) -> Object:
    return {RENAMED.get(field, field): value for field, value in event.items()}


def _core_event(event: Object) -> Object:
    return {BACK.get(field, field): value for field, value in event.items()}


def _old_autoscaler(autoscaler: Object) -> Object:
    spec, status = dict(autoscaler["spec"]), dict(autoscaler.get("status", {}))
    for metric in spec.pop("metrics", ()):
        if metric.get("resource", {}).get("name") == "cpu":
            target = metric["resource"].get("target", {})
            if "averageUtilization" in target:
                spec[USE] = target["averageUtilization"]
    spec.pop("behavior", None)
    status = {name: value for name, value in status.items() if name not in ("conditions", "currentMetrics")}
    return {**autoscaler, "spec": spec, "status": {"currentReplicas": 0, "desiredReplicas": 0, **status}}


def _new_autoscaler(autoscaler: Object) -> Object:
    spec = autoscaler.get("spec")
    if not isinstance(spec, dict) or USE not in spec:
        return autoscaler
    target = {"type": "Utilization", "averageUtilization": spec[USE]}
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    spec = {name: value for name, value in spec.items() if name != USE}
    return {**autoscaler, "spec": {**spec, "metrics": [metric]}}


SECONDS = {
    (second.resource.group, second.resource.version, second.resource.name): second
    for second in (
        Second(
            Resource("events", "events.k8s.io", "v1", "Event", True, ("ev",)), "v1", _new_event, _core_event
        ),
        Second(
            Resource(AUTOSCALERS, "autoscaling", "v1", "HorizontalPodAutoscaler", True, ("hpa",), True),
            "autoscaling/v2",
            _old_autoscaler,
            _new_autoscaler,
        ),
    )
}
"""By group, version and name."""
