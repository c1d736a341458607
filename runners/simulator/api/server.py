"""The API server: the verbs of REST on the simulator's objects.

`ApiServer` is what the outside sees (`runners.cluster.Api`): what comes in is decoded, completed,
validated and admitted before it is written. For the in-process controllers it has the trusted verbs of
`writes.py`.
staging/src/k8s.io/apiserver/pkg/endpoints/handlers/{create,update,patch}.go
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from gherkube.runners.cluster import PatchType
from gherkube.runners.errors import ApiError, CannotJudge
from gherkube.runners.objects import Key, Object, key_of
from gherkube.runners.simulator.api import warnings
from gherkube.runners.simulator.api.apply import apply
from gherkube.runners.simulator.api.bodies import SCALE, decode, patched
from gherkube.runners.simulator.api.claims import CLAIMS, check_resize
from gherkube.runners.simulator.api.custom import DEFINITIONS
from gherkube.runners.simulator.api.defaults import count_templates, set_defaults
from gherkube.runners.simulator.api.eviction import evict
from gherkube.runners.simulator.api.kept import ACTED_ON, kept_resources
from gherkube.runners.simulator.api.managers import APPLY, Manager, Track, managed_fields, updating
from gherkube.runners.simulator.api.pods import tolerations_of
from gherkube.runners.simulator.api.reads import Reads
from gherkube.runners.simulator.api.refusals import (
    IMMUTABLE,
    bad_request,
    conflict,
    invalid,
    no_such_path,
    not_found,
    wrong,
)
from gherkube.runners.simulator.api.required import check_required
from gherkube.runners.simulator.api.resources import RESOURCES, Resource, Resources
from gherkube.runners.simulator.api.scale import Paths, scale_of, scale_paths, scaled
from gherkube.runners.simulator.api.services import carry_over
from gherkube.runners.simulator.api.unmodelled import check_modelled
from gherkube.runners.simulator.api.validation import validate
from gherkube.runners.simulator.api.writes import OWNED, Writes
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.store import Store

FieldValidation: TypeAlias = Literal["Strict", "Warn", "Ignore"]
"""What becomes of unknown fields: refused, told as a remark, or dropped in silence."""
SUCCESS: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


class ApiServer(Reads, Writes):
    """The API of one simulated cluster: `runners.cluster.Api`, and the trusted verbs of `Writes`.

    `keeps`: also objects and fields that the simulator does not act on are stored and served, with a
    remark in `remarks`; without it they raise CannotJudge.
    """

    def __init__(self, store: Store, chance: Chance, *, keeps: bool = False) -> None:
        super().__init__(store, chance, Resources(kept_resources() if keeps else ()))
        self._keeps = keeps
        self.remarks: list[str] = []
        """What requests that keep, or do not validate strictly, left to say; whoever tells it clears it."""

    def create(
        self,
        obj: Object,
        *,
        namespace: str = "",
        dry_run: bool = False,
        field_validation: FieldValidation = "Strict",
        manager: str = "",
    ) -> Object:
        """Creates the object and returns it as stored.

        `manager`: who from then on owns its fields, in `managedFields`; "" leaves that unsaid.
        """
        info = self.resources.of(obj)
        obj = self._decoded(info, obj, field_validation)
        return self._create(info, obj, namespace, dry_run, self._updating(manager))

    def _create(
        self, info: Resource, obj: Object, namespace: str, dry_run: bool, track: Track | None
    ) -> Object:
        metadata = obj.setdefault("metadata", {})
        if metadata.pop("resourceVersion", None) is not None:
            raise ApiError(500, "", "resourceVersion should not be set on objects to be created")
        for field in (*OWNED, "selfLink"):
            metadata.pop(field, None)
        _place(info, metadata, namespace or metadata.get("namespace") or "default")
        if info.namespaced:
            self._check_namespace(info, metadata)
        set_defaults(info.name, obj)
        validate(info, obj)
        self._check_modelled(info, obj)
        new = self._insert(info, obj, dry_run=dry_run, track=track)
        self.remarks += warnings.of_new(info.name, new)
        return new

    def replace(
        self,
        obj: Object,
        *,
        subresource: str = "",
        resource: str = "",
        dry_run: bool = False,
        field_validation: FieldValidation = "Strict",
        manager: str = "",
    ) -> Object:
        """Puts the object in the place of the stored one; a stale resourceVersion is a Conflict.

        `subresource`: "" for all but the status, "status" for the status alone, "finalize" for a
        namespace's finalizers, "scale" when the object is the Scale of one of `resource`.
        """
        if subresource == "scale":
            named = obj["metadata"]
            info = self.resources.named(resource)
            stored = self._stored(info, named["name"], named.get("namespace", ""))
            track = self._updating(manager, subresource)
            return self._put_scale(info, stored, decode(SCALE, obj, None), dry_run, track)
        info = self.resources.of(obj)
        obj = self._decoded(info, obj, field_validation)
        metadata = obj.setdefault("metadata", {})
        stored = self._stored(info, metadata.get("name", ""), metadata.get("namespace", ""))
        track = self._updating(manager, subresource, metadata.get("managedFields"))
        return self._write(info, stored, obj, subresource, dry_run, track)

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
        field_validation: FieldValidation = "Strict",
        manager: str = "",
    ) -> Object:
        """Applies a patch to the object (or its Scale) and returns the new one."""
        info = self.resources.named(resource)
        stored = self._stored(info, name, namespace)
        unknown: list[str] | None = None if field_validation == "Strict" else []
        if subresource == "scale":
            scale = patched(SCALE, scale_of(stored, _paths(info)), patch, type, unknown)
            return self._put_scale(info, stored, scale, dry_run, self._updating(manager, subresource))
        new = patched(info, stored, patch, type, unknown)
        if (uid := new["metadata"].get("uid")) not in (None, stored["metadata"]["uid"]):
            raise invalid(info, name, [wrong("metadata.uid", uid, IMMUTABLE)])
        self._remark(unknown, field_validation)
        before, owners = (each["metadata"].get("managedFields", []) for each in (stored, new))
        track = self._updating(manager, subresource, None if owners == before else owners)
        return self._write(info, stored, new, subresource, dry_run, track)

    def apply(
        self,
        resource: str,
        name: str,
        config: Object,
        namespace: str = "",
        *,
        manager: str,
        force: bool = False,
        subresource: str = "",
        dry_run: bool = False,
        field_validation: FieldValidation = "Strict",
    ) -> tuple[Object, bool]:
        """Server-side apply: the new object, and whether it was created.

        Conflict names the fields of others that would change; `force` takes them.
        staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go applyPatcher
        """
        info = self.resources.named(resource)
        key = info.key(name, namespace)
        metadata = config.get("metadata") or {}
        if not isinstance(metadata, dict):
            raise bad_request("metadata has to be an object")
        config = {**config, "metadata": {**metadata, "name": name}}
        if config["metadata"].pop("managedFields", None):
            raise bad_request("metadata.managedFields must be nil")
        stored = self.store.get(info.name, key)
        if stored is None and subresource:
            raise not_found(info, name)
        decoded = self._decoded(info, config, field_validation)
        merged, owners = apply(
            stored,
            config,
            Manager(manager, APPLY, subresource),
            self.clock.timestamp(),
            lambda sent: self._decoded(info, sent, "Ignore"),
            force=force,
        )
        entries = managed_fields(owners)
        if stored is None:
            return self._create(info, decoded, key.namespace, dry_run, lambda *_: entries), True
        return self._write(info, stored, merged, subresource, dry_run, lambda *_: entries), False

    def _updating(
        self, manager: str, subresource: str = "", given: list[Object] | None = None
    ) -> Track | None:
        if not manager:
            return None
        return updating(manager, self.clock.timestamp(), subresource=subresource, given=given)

    def post(self, resource: str, name: str, subresource: str, body: Object, namespace: str = "") -> Object:
        """Creates under a subresource: pods/binding, pods/eviction."""
        info = self.resources.named(resource)
        stored = self._stored(info, name, namespace)
        if (resource, subresource) == ("pods", "binding"):
            self.bind(Key(stored["metadata"]["namespace"], name), body["target"]["name"])
            return SUCCESS
        if (resource, subresource) == ("pods", "eviction"):
            evict(self, stored, body.get("deleteOptions") or {})
            return SUCCESS
        raise no_such_path()

    def _put_scale(
        self, info: Resource, stored: Object, scale: Object, dry_run: bool, track: Track | None
    ) -> Object:
        paths = _paths(info)
        version = stored["metadata"]["resourceVersion"]
        if scale["metadata"].get("resourceVersion", version) != version:
            raise conflict(info, stored["metadata"]["name"])
        new = scaled(stored, scale, paths)
        return scale_of(self._updated(info, stored, new, dry_run, track), paths)

    def _updated(
        self, info: Resource, stored: Object, obj: Object, dry_run: bool, track: Track | None
    ) -> Object:
        new = self._update(info, stored, obj, dry_run=dry_run, track=track)
        self.remarks += warnings.of_update(info.name, new, stored)
        return new

    def _stored(self, info: Resource, name: str, namespace: str) -> Object:
        stored = self.store.get(info.name, info.key(name, namespace))
        if stored is None:
            raise not_found(info, name)
        return stored

    def _write(
        self,
        info: Resource,
        stored: Object,
        obj: Object,
        subresource: str,
        dry_run: bool,
        track: Track | None,
    ) -> Object:
        """Writes a decoded new state of the stored object, or of one of its subresources."""
        before, metadata = stored["metadata"], obj["metadata"]
        _place(info, metadata, before.get("namespace", ""))
        if not metadata.get("name"):
            said = f"the name of the object ({before['name']} based on URL) was undeterminable"
            raise bad_request(f"{said}: name must be provided")
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
        ends = metadata.get("deletionTimestamp")
        if ends is not None and "deletionTimestamp" not in before:
            problem = wrong("metadata.deletionTimestamp", ends, IMMUTABLE)
            raise invalid(info, before["name"], [problem])
        for field in OWNED:
            metadata.pop(field, None)
        if subresource == "status" and info.has_status:
            changes = {"annotations": metadata["annotations"]} if "annotations" in metadata else {}
            new = {**stored, "metadata": {**before, **changes}, "status": obj.get("status", {})}
            if track is not None:
                new["metadata"]["managedFields"] = changes["managedFields"] = track(stored, new)
            if dry_run:
                return new
            return self.write_status(info.name, key_of(stored), stored, new["status"], changes)
        if subresource == "finalize" and info.name == "namespaces":
            wanted = obj.get("spec", {}).get("finalizers", [])
            return self._update(info, stored, {**stored, "spec": {**stored["spec"], "finalizers": wanted}})
        if subresource:
            raise no_such_path()
        set_defaults(info.name, obj)
        if info.name == "services":
            carry_over(obj, stored)
        elif info.name == "daemonsets":
            count_templates(obj, stored)
        elif info.name == "namespaces":
            obj["spec"] = {**obj.get("spec", {}), "finalizers": stored["spec"].get("finalizers", [])}
        elif info.name == "pods":
            obj["spec"]["tolerations"] = tolerations_of(obj["spec"])
        validate(info, obj, stored)
        if info.name == CLAIMS:
            check_resize(obj, stored)
        self._check_modelled(info, obj)
        if info.name == "services":
            obj = self._services.allocate(obj, stored)
        return self._updated(info, stored, obj, dry_run, track)

    def _decoded(self, info: Resource, obj: Object, field_validation: FieldValidation) -> Object:
        unknown: list[str] | None = None if field_validation == "Strict" else []
        decoded = decode(info, obj, unknown)
        if info.custom is not None:
            decoded["apiVersion"] = self.resources[info.name].api_version
        self._remark(unknown, field_validation)
        return decoded

    def _remark(self, unknown: list[str] | None, field_validation: FieldValidation) -> None:
        if field_validation == "Warn":
            self.remarks += [f'unknown field "{path}"' for path in unknown or ()]

    def _check_modelled(self, info: Resource, obj: Object) -> None:
        if info.custom is not None or info.name == DEFINITIONS:
            return
        check_required(info, obj)
        if info.name in ACTED_ON:
            return
        if info.name not in RESOURCES:
            self.remarks.append(f"{info.kind} is kept, nothing acts on it in the simulator")
            return
        try:
            check_modelled(info.name, info.kind, obj)
        except CannotJudge as error:
            if not self._keeps:
                raise
            self.remarks.append(f"kept, nothing acts on it in the simulator: {error}".partition(";")[0])


def _paths(info: Resource) -> Paths:
    if (paths := scale_paths(info)) is None:
        raise no_such_path()
    return paths


def _place(info: Resource, metadata: Object, namespace: str) -> None:
    """Gives the metadata its namespace, which has to be that of the request."""
    if (metadata.pop("namespace", "") or namespace) != namespace:
        said = "the namespace of the provided object does not match the namespace sent on the request"
        raise bad_request(said)
    if info.namespaced:
        metadata["namespace"] = namespace
