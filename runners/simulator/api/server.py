"""The API server: the verbs of REST on the simulator's objects.

`ApiServer` is what the outside sees (`runners.cluster.Api`), with decoding, defaults, validation and
admission; for the in-process controllers it has the trusted verbs of `writes.py`.
"""

from __future__ import annotations

from gherkube.runners.objects import Key, Object
from gherkube.runners.selectors import compile_fields, compile_labels
from gherkube.runners.simulator.api.refusals import not_found
from gherkube.runners.simulator.api.resources import resource_named, resource_of
from gherkube.runners.simulator.api.writes import Writes


class ApiServer(Writes):
    """The API of one simulated cluster."""

    def get(self, resource: str, name: str, namespace: str = "") -> Object:
        """One object; NotFound when it is not there."""
        info = resource_named(resource)
        found = self.store.get(resource, Key(namespace if info.namespaced else "", name))
        if found is None:
            raise not_found(info, name)
        return found

    def list(self, resource: str, namespace: str = "", *, labels: str = "", fields: str = "") -> list[Object]:
        """The objects that match, by namespace and name; all namespaces when "" is given."""
        resource_named(resource)
        by_labels, by_fields = compile_labels(labels), compile_fields(fields)
        found = [
            obj
            for obj in self.store.all(resource)
            if (not namespace or obj["metadata"].get("namespace") == namespace)
            and (not labels or by_labels(obj["metadata"].get("labels", {})))
            and (not fields or by_fields(obj))
        ]
        found.sort(key=lambda obj: (obj["metadata"].get("namespace", ""), obj["metadata"]["name"]))
        return found

    def create(self, obj: Object, *, namespace: str = "", dry_run: bool = False) -> Object:
        """Creates the object and returns it as stored."""
        info = resource_of(obj)
        if info.namespaced and "namespace" not in obj["metadata"]:
            obj = {**obj, "metadata": {**obj["metadata"], "namespace": namespace or "default"}}
        return self._insert(info, obj, dry_run=dry_run)
