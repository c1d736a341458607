"""Events in their newer group: the objects of the core group, with other names for their fields.

pkg/apis/core/v1/conversion.go, pkg/apis/events/v1/conversion.go
"""

from __future__ import annotations

from gherkube.runners.objects import Object

GROUP = "events.k8s.io"
RENAMED = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
}
"""By name in the core group."""
BACK = {new: old for old, new in RENAMED.items()}


def as_new(event: Object) -> Object:
    """An event of the core group as one of events.k8s.io; a list of them, too."""
    if "items" in event:
        return {**event, "apiVersion": f"{GROUP}/v1", "items": [as_new(item) for item in event["items"]]}
    renamed = {RENAMED.get(field, field): value for field, value in event.items()}
    return {**renamed, "apiVersion": f"{GROUP}/v1"}


def as_core(event: Object) -> Object:
    """An event of events.k8s.io, or a patch of one, as it is stored."""
    renamed = {BACK.get(field, field): value for field, value in event.items()}
    return {**renamed, "apiVersion": "v1"} if "apiVersion" in event else renamed
