"""Which things of a cluster the names in a scenario's sentences mean."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from gherkube.runners.errors import ApiError, CannotJudge, UsageError
from gherkube.runners.expectations.subjects import WorkloadRef
from gherkube.runners.objects import Key, Object, controller_of
from gherkube.steps.phrases import Named

if TYPE_CHECKING:
    from gherkube.runners.cluster import Api, Cluster

_PLACE = re.compile(r"node-([0-9]+)")
_NOWHERE = frozenset({"nodes", "namespaces"})
"""What is in no namespace."""
_RESOURCES: dict[str, str] = {
    "Deployment": "deployments",
    "StatefulSet": "statefulsets",
    "DaemonSet": "daemonsets",
    "Job": "jobs",
    "ReplicaSet": "replicasets",
}


class Names:
    """What was named so far: the workloads that are `known`, and which one is `it`.

    `namespace`: where things are that are not said to be elsewhere.
    """

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster, self.namespace = cluster, namespace
        self.it: WorkloadRef | None = None
        self.known: dict[WorkloadRef, None] = {}

    @property
    def api(self) -> Api:
        """The cluster's API."""
        return self.cluster.api

    def name(self, ref: WorkloadRef) -> WorkloadRef:
        """Takes note that the workload was named: from now on it is `it`."""
        self.known[ref] = None
        self.it = ref
        return ref

    def learn(self, objects: Iterable[Object]) -> list[WorkloadRef]:
        """Takes note of the workloads among objects that were not named one by one, and returns them."""
        found = [
            WorkloadRef(_RESOURCES[obj["kind"]], metadata.get("namespace", self.namespace), metadata["name"])
            for obj in objects
            if obj["kind"] in _RESOURCES and (metadata := obj["metadata"]).get("name")
        ]
        self.known |= dict.fromkeys(found)
        return found

    def workload(self, named: Named | None = None) -> WorkloadRef:
        """The workload that the words mean; None and `it` are the one last named.

        Raises UsageError where that is none, or may be several.
        """
        if named is None or not named.name:
            return self.it or self._only_one()
        return self.name(WorkloadRef(named.resource, self._namespace_of(named), named.name))

    def thing(self, named: Named) -> WorkloadRef:
        """Any object by name; a workload becomes `it`."""
        if not named.name or named.resource in _RESOURCES.values():
            return self.workload(named)
        name = self.node(named.name) if named.resource == "nodes" else named.name
        return WorkloadRef(named.resource, self._namespace_of(named), name)

    def any_of(self, kind: Named) -> WorkloadRef:
        """Any object of that kind, in the namespace of `it`."""
        namespace = self.it.namespace if self.it is not None else self.namespace
        return WorkloadRef(kind.resource, "" if kind.resource in _NOWHERE else namespace, "")

    def key(self, named: Named) -> Key:
        """Where a named thing is."""
        return self.thing(named).key

    def _namespace_of(self, named: Named) -> str:
        """A name without a namespace is in the run's own, or where alone a workload of that name is known."""
        if named.resource in _NOWHERE:
            return ""
        if named.namespace:
            return named.namespace
        places = [
            ref.namespace for ref in self.known if (ref.resource, ref.name) == (named.resource, named.name)
        ]
        if not places or self.namespace in places:
            return self.namespace
        if len(places) > 1:
            raise UsageError(
                f'"{named.name}" is in several namespaces ({", ".join(sorted(places))}): say which, '
                f'as in {named.resource.removesuffix("s")} "{named.name}" in namespace "{places[0]}"'
            )
        return places[0]

    def _only_one(self) -> WorkloadRef:
        candidates = list(self.known) or self._find_workloads()
        if len(candidates) == 1:
            return self.name(candidates[0])
        if not candidates:
            raise UsageError(
                f'there is no workload in namespace "{self.namespace}": begin with a Given, '
                'as in Given deployment "web" runs 3 replicas of "hello:1"'
            )
        raise UsageError(
            f"several workloads are there and none was named: {', '.join(r.text for r in candidates)}"
        )

    def _find_workloads(self) -> list[WorkloadRef]:
        found: list[WorkloadRef] = []
        for resource in _RESOURCES.values():
            try:
                objects = self.api.list(resource, self.namespace)
            except CannotJudge:  # a kind that this cluster does not have has no objects either
                continue
            found += [
                WorkloadRef(resource, self.namespace, obj["metadata"]["name"])
                for obj in objects
                if controller_of(obj) is None
            ]
        return found

    def node(self, name: str) -> str:
        """The node that is called so, or has this place: node-2 is the second of those that take pods."""
        names = list(self.cluster.node_names())
        found = _PLACE.fullmatch(name)
        if name in names or found is None or not 0 < int(found[1]) <= len(names):
            return name
        try:
            self.api.get("nodes", name)
        except ApiError as error:
            if error.reason != "NotFound":
                raise
            return names[int(found[1]) - 1]
        return name
