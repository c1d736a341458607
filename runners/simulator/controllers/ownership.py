"""Who controls what: owner references, and how a controller takes on objects and lets them go.

pkg/controller/controller_ref_manager.go
"""

from __future__ import annotations

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object, controller_of, is_deleting, key_of
from gherkube.runners.simulator.api.server import ApiServer


def reference_to(owner: Object) -> Object:
    """The owner reference of what the owner controls. apimachinery/pkg/apis/meta/v1 NewControllerRef"""
    metadata = owner["metadata"]
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_uid(obj: Object) -> str | None:
    """The uid of the object's controller, or None."""
    for owner in obj["metadata"].get("ownerReferences", ()):
        if owner.get("controller"):
            return owner["uid"]  # type: ignore[no-any-return]
    return None


def controller_or_none_in(obj: Object) -> str:
    """For an index: the uid of the object's controller, or `none_in` its namespace where there is none."""
    metadata = obj["metadata"]
    for owner in metadata.get("ownerReferences", ()):  # asked of each version: without calls
        if owner.get("controller"):
            return owner["uid"]  # type: ignore[no-any-return]
    return none_in(metadata["namespace"])


def none_in(namespace: str) -> str:
    """Under what `controller_or_none_in` has the objects of a namespace that nobody controls."""
    return "none in " + namespace


def namespace_of(obj: Object) -> str | None:
    """The object's namespace."""
    namespace: str | None = obj["metadata"].get("namespace")
    return namespace


def adopt(api: ApiServer, obj: Object, owner: Object) -> bool:
    """Makes the owner the controller of an object; False when one of them has gone or is going.

    What happened meanwhile counts: the owner is read anew, and the reference is added to the object as
    it is stored now. ClaimPods, RecheckDeletionTimestamp, AdoptPod
    """
    live, stored = _stored(api, owner), _stored(api, obj)
    if live is None or is_deleting(live) or stored is None:
        return False
    controller = controller_of(stored)
    if controller is not None:
        return bool(controller["uid"] == owner["metadata"]["uid"])
    references = [*stored["metadata"].get("ownerReferences", ()), reference_to(owner)]
    _write(api, stored, {**stored["metadata"], "ownerReferences": references})
    return True


def release(api: ApiServer, obj: Object, owner_uid: str) -> None:
    """Takes the reference to that owner off an object, if both are still there. ReleasePod"""
    stored = _stored(api, obj)
    if stored is None:
        return
    metadata = {key: value for key, value in stored["metadata"].items() if key != "ownerReferences"}
    references = stored["metadata"].get("ownerReferences", ())
    if kept := [each for each in references if each["uid"] != owner_uid]:
        metadata["ownerReferences"] = kept
    _write(api, stored, metadata)


def _stored(api: ApiServer, obj: Object) -> Object | None:
    found = api.store.get(api.resources.of(obj).name, key_of(obj))
    return found if found is not None and found["metadata"]["uid"] == obj["metadata"]["uid"] else None


def _write(api: ApiServer, stored: Object, metadata: Object) -> None:
    api.replace_trusted(api.resources.of(stored).name, {**stored, "metadata": metadata})


def is_namespace_terminating(error: ApiError) -> bool:
    """Whether a creation was refused because its namespace is being deleted."""
    return any(cause["reason"] == "NamespaceTerminating" for cause in error.details.get("causes", ()))
