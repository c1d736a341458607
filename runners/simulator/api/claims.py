"""Claims of volumes: what the API server adds to them, and which of them a pod uses.

pkg/apis/core/v1/defaults.go SetDefaults_PersistentVolumeClaim, plugin/pkg/admission/storage
"""

from __future__ import annotations

from collections.abc import Iterator

from gherkube.runners.objects import Key, Object
from gherkube.runners.quantities import parse
from gherkube.runners.simulator.api.refusals import (
    FieldError,
    forbidden,
    forbidden_field,
    required,
    unsupported,
)
from gherkube.runners.simulator.api.resources import RESOURCES

CLAIMS, VOLUMES = "persistentvolumeclaims", "persistentvolumes"
CLASS = "standard"
"""The storage class of claims that name none."""
PROTECTION = "kubernetes.io/pvc-protection"
MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
NO_RESIZE = (
    "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must "
    "support resize"
)
FIXED = (
    "spec is immutable after creation except resources.requests and "
    "volumeAttributesClassName for bound claims"
)


def admit_claim(claim: Object) -> Object:
    """A new claim with its class, and protected while it is in use.

    storage/storageclass/setdefault, storage/storageobjectinuseprotection
    """
    metadata = claim["metadata"]
    finalizers = [*metadata.get("finalizers", ()), PROTECTION]
    return {
        **claim,
        "metadata": {**metadata, "finalizers": list(dict.fromkeys(finalizers))},
        "spec": {"storageClassName": CLASS, **claim["spec"]},
        "status": {"phase": "Pending"},
    }


def claims_of(pod: Object) -> list[Key]:
    """The claims that a pod uses."""
    claims = []
    for volume in pod["spec"].get("volumes", ()):
        if "persistentVolumeClaim" in volume:
            name = volume["persistentVolumeClaim"]["claimName"]
            claims.append(Key(pod["metadata"]["namespace"], name))
    return claims


def is_bound(claim: Object) -> bool:
    """Whether the claim has its volume."""
    return bool(claim["spec"].get("volumeName"))


def check_claim(claim: Object, field: str = "spec") -> Iterator[FieldError]:
    """ValidatePersistentVolumeClaimSpec; `field`: where the claim's spec stands."""
    spec = claim["spec"]
    if not spec.get("accessModes"):
        yield required(f"{field}.accessModes", "at least 1 access mode is required")
    for mode in spec.get("accessModes", ()):
        if mode not in MODES:
            yield unsupported(f"{field}.accessModes", mode, MODES)
    if "storage" not in spec.get("resources", {}).get("requests", {}):
        yield required(f"{field}.resources[storage]")


def check_claim_update(new: Object, old: Object) -> Iterator[FieldError]:
    """ValidatePersistentVolumeClaimUpdate"""
    free = ("resources", "volumeAttributesClassName") if is_bound(old) else ()
    before, after = ({k: v for k, v in each["spec"].items() if k not in free} for each in (old, new))
    if before != after:
        yield forbidden_field("spec", FIXED)
    had, wants = (each["spec"]["resources"]["requests"]["storage"] for each in (old, new))
    if parse(wants) < parse(had):
        field = "spec.resources.requests.storage"
        yield forbidden_field(field, "field can not be less than status.capacity")


def check_resize(claim: Object, old: Object) -> None:
    """Forbidden when a claim asks for more: its class has no room.

    storage/persistentvolume/resize
    """
    had, wants = (each["spec"]["resources"]["requests"]["storage"] for each in (old, claim))
    if parse(wants) > parse(had):
        raise forbidden(RESOURCES[CLAIMS], claim["metadata"]["name"], NO_RESIZE)
