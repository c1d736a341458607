"""How objects are read: get, list and watch, with their selectors.

staging/src/k8s.io/apiserver/pkg/endpoints/handlers/{get,watch}.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from gherkube.runners.errors import ApiError
from gherkube.runners.history import ADDED, DELETED
from gherkube.runners.objects import Object
from gherkube.runners.selectors import compile_fields, compile_labels, field_terms, parse
from gherkube.runners.simulator.api.refusals import bad_request, no_such_path, not_found
from gherkube.runners.simulator.api.resources import Resources
from gherkube.runners.simulator.api.scale import scale_of, scale_paths
from gherkube.runners.simulator.api.validation_meta import is_label_value
from gherkube.runners.simulator.store import Store

COMMON_FIELDS = frozenset({"metadata.name", "metadata.namespace"})
FIELDS = {
    "pods": {
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    },
    "jobs": {"status.successful"},
    "nodes": {"spec.unschedulable"},
    "namespaces": {"status.phase"},
    "secrets": {"type"},
    "services": {"spec.clusterIP", "spec.type"},
    "events": {
        *(
            f"involvedObject.{field}"
            for field in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
        ),
        "reason",
        "reportingComponent",
        "source",
        "type",
    },
}
"""By what else than name and namespace objects can be selected. pkg/apis/core/v1/conversion.go"""


class WatchEvent(NamedTuple):
    """What a watcher is told: ADDED, MODIFIED or DELETED, and the object's new (or last) state."""

    type: str
    object: Object


class Reads:
    """The verbs that change nothing."""

    store: Store
    resources: Resources

    def get(self, resource: str, name: str, namespace: str = "", *, subresource: str = "") -> Object:
        """One object, or its Scale; NotFound when it is not there."""
        info = self.resources.named(resource)
        found = self.store.get(resource, info.key(name, namespace))
        if found is None:
            raise not_found(info, name)
        if subresource != "scale":
            return found
        paths = scale_paths(info)
        if paths is None:
            raise no_such_path()
        return scale_of(found, paths)

    def list(self, resource: str, namespace: str = "", *, labels: str = "", fields: str = "") -> list[Object]:
        """The objects that match, by namespace and name; all namespaces when "" is given."""
        self.resources.named(resource)
        test = selector(resource, namespace, labels, fields)
        found = [obj for obj in self.store.all(resource) if test(obj)]
        found.sort(key=lambda obj: (obj["metadata"].get("namespace", ""), obj["metadata"]["name"]))
        return found

    def watch(
        self, resource: str, namespace: str = "", version: str = "", *, labels: str = "", fields: str = ""
    ) -> Iterator[WatchEvent]:
        """The changes after a resourceVersion, up to the newest; "" and "0" begin with what is there.

        An object that begins to match the selectors is ADDED, one that ceases to is DELETED (with its
        last matching state under the new version). To go on, watch again from `store.version`. The log
        keeps everything, so no version is too old; one that is still to come is a Timeout.
        """
        self.resources.named(resource)
        test = selector(resource, namespace, labels, fields)
        if version in ("", "0"):
            return iter(
                [
                    WatchEvent(ADDED, obj)
                    for obj in self.list(resource, namespace, labels=labels, fields=fields)
                ]
            )
        if not version.isdigit():
            raise bad_request(f"invalid resource version: {version!r}")
        if int(version) > self.store.version:
            said = f"Too large resource version: {version}, current: {self.store.version}"
            raise ApiError(504, "Timeout", f"Timeout: {said}")
        return self._changes(resource, test, int(version))

    def _changes(self, resource: str, test: Callable[[Object], bool], version: int) -> Iterator[WatchEvent]:
        for change in self.store.log.since(version):  # every change raises the version by one
            if change.resource != resource:
                continue
            matched = change.old is not None and test(change.old)
            matches = change.type != DELETED and test(change.object)
            if matches:
                yield WatchEvent(change.type if matched else ADDED, change.object)
            elif matched and change.old is not None:
                newest = change.object["metadata"]["resourceVersion"]
                metadata = {**change.old["metadata"], "resourceVersion": newest}
                yield WatchEvent(DELETED, {**change.old, "metadata": metadata})


def selector(resource: str, namespace: str, labels: str, fields: str) -> Callable[[Object], bool]:
    """A test of a resource's objects; BadRequest when a selector is none, or names an unknown field."""
    by_labels, by_fields = compile_labels(labels), compile_fields(fields)
    _check_values(labels)
    for path, _, _ in field_terms(fields):
        if path not in COMMON_FIELDS and path not in FIELDS.get(resource, ()):
            raise _unknown_field(resource, path)

    def test(obj: Object) -> bool:
        metadata = obj["metadata"]
        return (
            (not namespace or metadata.get("namespace") == namespace)
            and (not labels or by_labels(metadata.get("labels", {})))
            and (not fields or by_fields(obj))
        )

    return test


@lru_cache(maxsize=4096)
def _check_values(labels: str) -> None:
    """BadRequest when a label selector asks for values that no label has. labels.NewRequirement"""
    for term in parse(labels):
        for at, value in enumerate(term.values):
            for message in is_label_value(value):
                said = f'values[{at}][{term.key}]: Invalid value: "{value}": {message}'
                raise bad_request(f"unable to parse requirement: {said}")


def _unknown_field(resource: str, path: str) -> ApiError:
    if resource in FIELDS:
        return bad_request(f"field label not supported: {path}")
    known = ", ".join(f'"{field}"' for field in sorted(COMMON_FIELDS))
    return bad_request(f'"{path}" is not a known field selector: only {known}')
