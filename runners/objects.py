"""Kubernetes objects as plain data, and the few questions that everybody asks them.

An object is the JSON that the API speaks, as nested dicts and lists. Objects are values: whoever
wants another one builds it (`{**obj, "status": new}`) and never changes one that came from a cluster.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

Object: TypeAlias = dict[str, Any]

TEMPLATED = ("deployments", "replicasets", "statefulsets", "daemonsets", "jobs")
"""The resources whose objects have a pod template."""

REQUIRED, PREFERRED = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)
"""The fields of an affinity: what must be, and what is wished."""


_new = tuple.__new__  # takes half as long as a NamedTuple's own


class Key(NamedTuple):
    """A name within a resource; `namespace` is "" for what is cluster-wide."""

    namespace: str
    name: str


def key_of(obj: Object) -> Key:
    """The key of an object."""
    metadata = obj["metadata"]
    return _new(Key, (metadata.get("namespace", ""), metadata["name"]))


def controller_of(obj: Object) -> Object | None:
    """The owner reference that controls the object, or None."""
    for owner in obj["metadata"].get("ownerReferences", ()):
        if owner.get("controller"):
            return owner  # type: ignore[no-any-return]
    return None


def condition(obj: Object, type_: str) -> Object | None:
    """The condition of that type in the object's status, or None."""
    for found in obj.get("status", {}).get("conditions", ()):
        if found["type"] == type_:
            return found  # type: ignore[no-any-return]
    return None


def is_deleting(obj: Object) -> bool:
    """Whether the object is being deleted (kubectl shows such pods as Terminating)."""
    return "deletionTimestamp" in obj["metadata"]


def is_active(pod: Object) -> bool:
    """Whether a ReplicaSet counts the pod: neither ended nor being deleted.

    pkg/controller/controller_utils.go IsPodActive
    """
    return "deletionTimestamp" not in pod["metadata"] and pod.get("status", {}).get("phase") not in ENDED


def is_ready(pod: Object) -> bool:
    """Whether the pod's Ready condition is True. pkg/api/v1/pod/util.go IsPodReady"""
    for found in pod.get("status", {}).get("conditions", ()):
        if found["type"] == "Ready":
            return found["status"] == "True"  # type: ignore[no-any-return]
    return False


def container_statuses(pod: Object) -> Iterator[Object]:
    """The statuses of all init containers, then of all containers."""
    status = pod.get("status", {})
    yield from status.get("initContainerStatuses", ())
    yield from status.get("containerStatuses", ())


INIT = "initContainers"


def containers(obj: Object) -> Iterator[tuple[str, Object]]:
    """The containers of a pod, or of what makes pods, each with the field that it stands in."""
    spec = obj.get("spec") or {}
    spec = (spec.get("jobTemplate") or {}).get("spec") or spec
    spec = (spec.get("template") or {}).get("spec") or spec
    for field in (INIT, "containers"):
        for container in spec.get(field) or ():
            yield field, container


ENDED = frozenset({"Succeeded", "Failed"})
