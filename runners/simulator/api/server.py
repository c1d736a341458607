"""The API server: the verbs of REST on the simulator's objects.

`ApiServer` is what the outside sees (`runners.cluster.Api`): what comes in is decoded, completed,
validated and admitted before it is written. For the in-process controllers it has the trusted verbs of
`writes.py`.
staging/src/k8s.io/apiserver/pkg/endpoints/handlers/{create,update,patch}.go
"""

from __future__ import annotations

import json
from typing import Any

from gherkube.runners.cluster import PatchType
from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Key, Object
from gherkube.runners.simulator.api import patches
from gherkube.runners.simulator.api.defaults import set_defaults
from gherkube.runners.simulator.api.reads import Reads
from gherkube.runners.simulator.api.refusals import (
    bad_request,
    conflict,
    invalid_request,
    not_found,
    wrong,
)
from gherkube.runners.simulator.api.resources import Resource, resource_named, resource_of
from gherkube.runners.simulator.api.scale import SCALABLE, scale_of, scaled
from gherkube.runners.simulator.api.schema import DecodingError, decode
from gherkube.runners.simulator.api.services import carry_over
from gherkube.runners.simulator.api.unmodelled import check_modelled
from gherkube.runners.simulator.api.validation import validate
from gherkube.runners.simulator.api.writes import OWNED, Writes, with_condition

SUCCESS: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


class ApiServer(Reads, Writes):
    """The API of one simulated cluster: `runners.cluster.Api`, and the trusted verbs of `Writes`."""

    def create(self, obj: Object, *, namespace: str = "", dry_run: bool = False) -> Object:
        """Creates the object and returns it as stored."""
        info = resource_of(obj)
        obj = _decoded(info, obj)
        metadata = obj.setdefault("metadata", {})
        if metadata.pop("resourceVersion", None) is not None:
            raise ApiError(500, "", "resourceVersion should not be set on objects to be created")
        for field in (*OWNED, "selfLink", "managedFields"):
            metadata.pop(field, None)
        _place(info, metadata, namespace or metadata.get("namespace") or "default")
        if info.namespaced:
            self._check_namespace(info, metadata)
        set_defaults(info.name, obj)
        validate(info, obj)
        check_modelled(info.name, info.kind, obj)
        return self._insert(info, obj, dry_run=dry_run)

    def replace(
        self, obj: Object, *, subresource: str = "", resource: str = "", dry_run: bool = False
    ) -> Object:
        """Puts the object in the place of the stored one; a stale resourceVersion is a Conflict.

        `subresource`: "" for all but the status, "status" for the status alone, "finalize" for a
        namespace's finalizers, "scale" when the object is the Scale of one of `resource`.
        """
        if subresource == "scale":
            named = obj["metadata"]
            info = resource_named(resource)
            stored = self._stored(info, named["name"], named.get("namespace", ""))
            return self._put_scale(info, stored, decode("Scale", obj), dry_run)
        info = resource_of(obj)
        obj = _decoded(info, obj)
        metadata = obj.setdefault("metadata", {})
        stored = self._stored(info, metadata.get("name", ""), metadata.get("namespace", ""))
        return self._write(info, stored, obj, subresource, dry_run)

    def patch(
        self,
        resource: str,
        name: str,
        patch: Any,
        namespace: str = "",
        *,
        type: PatchType = "strategic",  # noqa: A002 - the API's word
        subresource: str = "",
        dry_run: bool = False,
    ) -> Object:
        """Applies a patch to the object (or its Scale) and returns the new one."""
        info = resource_named(resource)
        stored = self._stored(info, name, namespace)
        if subresource == "scale":
            return self._put_scale(info, stored, _patched("Scale", scale_of(stored), patch, type), dry_run)
        return self._write(info, stored, _patched(info.kind, stored, patch, type), subresource, dry_run)

    def post(self, resource: str, name: str, subresource: str, body: Object, namespace: str = "") -> Object:
        """Creates under a subresource: pods/binding, pods/eviction."""
        info = resource_named(resource)
        stored = self._stored(info, name, namespace)
        if (resource, subresource) == ("pods", "binding"):
            self.bind(Key(stored["metadata"]["namespace"], name), body["target"]["name"])
            return SUCCESS
        if (resource, subresource) == ("pods", "eviction"):
            return self._evict(stored, body.get("deleteOptions") or {})
        raise _no_such_path()

    def _evict(self, pod: Object, options: Object) -> Object:
        """pkg/registry/core/pod/storage/eviction.go, for a cluster without disruption budgets"""
        metadata = pod["metadata"]
        if "deletionTimestamp" not in metadata and pod["spec"].get("nodeName"):
            disrupted = {
                "type": "DisruptionTarget",
                "status": "True",
                "lastProbeTime": None,
                "lastTransitionTime": self.clock.timestamp(),
                "reason": "EvictionByEvictionAPI",
                "message": "Eviction API: evicting",
            }
            conditions = with_condition(pod["status"].get("conditions", []), disrupted)
            self.put_status("pods", pod, {**pod["status"], "conditions": conditions})
        grace = options.get("gracePeriodSeconds")
        self.delete("pods", metadata["name"], metadata["namespace"], grace_period=grace)
        return SUCCESS

    def _put_scale(self, info: Resource, stored: Object, scale: Object, dry_run: bool) -> Object:
        if info.name not in SCALABLE:
            raise _no_such_path()
        version = stored["metadata"]["resourceVersion"]
        if scale["metadata"].get("resourceVersion", version) != version:
            raise conflict(info, stored["metadata"]["name"])
        return scale_of(self._update(info, stored, scaled(stored, scale), dry_run=dry_run))

    def _stored(self, info: Resource, name: str, namespace: str) -> Object:
        stored = self.store.get(info.name, info.key(name, namespace))
        if stored is None:
            raise not_found(info, name)
        return stored

    def _write(self, info: Resource, stored: Object, obj: Object, subresource: str, dry_run: bool) -> Object:
        """Writes a decoded new state of the stored object, or of one of its subresources."""
        before, metadata = stored["metadata"], obj["metadata"]
        _place(info, metadata, before.get("namespace", ""))
        if metadata["name"] != before["name"]:
            raise bad_request(
                f"the name of the object ({metadata['name']}) does not match "
                f"the name on the URL ({before['name']})"
            )
        asked, found = metadata.get("uid", before["uid"]), before["uid"]
        if asked != found:
            why = f"Precondition failed: UID in precondition: {asked}, UID in object meta: {found}"
            raise conflict(info, before["name"], why)
        if metadata.get("resourceVersion", before["resourceVersion"]) != before["resourceVersion"]:
            raise conflict(info, before["name"])
        for field in OWNED:
            metadata.pop(field, None)
        if subresource == "status" and info.has_status:
            changes = {"annotations": metadata["annotations"]} if "annotations" in metadata else None
            if dry_run:
                return {**stored, "status": obj.get("status", {})}
            return self.put_status(info.name, stored, obj.get("status", {}), metadata=changes)
        if subresource == "finalize" and info.name == "namespaces":
            for finalizer in stored["spec"].get("finalizers", ()):
                if finalizer not in obj.get("spec", {}).get("finalizers", ()):
                    stored = self.remove_finalizer("namespaces", Key("", before["name"]), finalizer)
            return stored
        if subresource:
            raise _no_such_path()
        set_defaults(info.name, obj)
        if info.name == "services":
            carry_over(obj, stored)
        validate(info, obj, stored)
        check_modelled(info.name, info.kind, obj)
        if info.name == "services":
            obj = self._services.allocate(obj, stored)
        return self._update(info, stored, obj, dry_run=dry_run)


def _no_such_path() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource")


def _decoded(info: Resource, obj: Object) -> Object:
    try:
        return decode(info.kind, obj)
    except DecodingError as error:
        said = f'{info.kind} in version "{info.version}" cannot be handled as a {info.kind}: {error}'
        raise bad_request(said) from None


def _patched(kind: str, stored: Object, patch: Any, type_: PatchType) -> Object:
    """The decoded object that the patch makes of the stored one. handlers/patch.go"""
    if type_ == "strategic":
        new = patches.strategic(stored, patch, kind)
    elif type_ == "merge":
        new = patches.merge(stored, patch)
    else:
        new = patches.json_patch(stored, patch)
    try:
        return decode(kind, new)
    except DecodingError as error:
        sent = json.dumps(patch, separators=(",", ":"))
        raise invalid_request([wrong("patch", sent, str(error))]) from None


def _place(info: Resource, metadata: Object, namespace: str) -> None:
    """Gives the metadata its namespace, which has to be that of the request."""
    if metadata.pop("namespace", namespace) != namespace:
        said = "the namespace of the provided object does not match the namespace sent on the request"
        raise bad_request(said)
    if info.namespaced:
        metadata["namespace"] = namespace
