"""Configuration, storage and who may do what, as `kubectl get` prints them.

pkg/printers/internalversion/printers.go printConfigMap, printPersistentVolumeClaim, printRoleBinding, …
"""

from __future__ import annotations

from gherkube.runners.objects import Object, is_deleting
from gherkube.runners.simulator.server.printers.cells import NONE, UNSET, Cells, age, name, printer

MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
OLD_CLASS = "volume.beta.kubernetes.io/storage-class"


def _config_map(obj: Object, now: float) -> Cells:
    return [name(obj), len(obj.get("data") or ()) + len(obj.get("binaryData") or ()), age(obj, now)]


def _secret(obj: Object, now: float) -> Cells:
    return [name(obj), obj.get("type", ""), len(obj.get("data") or ()), age(obj, now)]


def _service_account(obj: Object, now: float) -> Cells:
    return [name(obj), len(obj.get("secrets") or ()), age(obj, now)]


def _volume(obj: Object, now: float) -> Cells:
    spec, status = obj["spec"], obj.get("status") or {}
    claim = spec.get("claimRef")
    return [
        name(obj),
        str((spec.get("capacity") or {}).get("storage", 0)),
        _modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        _phase(obj),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        _class(obj),
        spec.get("volumeAttributesClassName", UNSET),
        status.get("reason", ""),
        age(obj, now),
        spec.get("volumeMode", UNSET),
    ]


def _claim(obj: Object, now: float) -> Cells:
    spec, status = obj["spec"], obj.get("status") or {}
    volume = spec.get("volumeName", "")
    return [
        name(obj),
        _phase(obj),
        volume,
        str((status.get("capacity") or {}).get("storage", 0)) if volume else "",
        _modes(status.get("accessModes")) if volume else "",
        _class(obj),
        spec.get("volumeAttributesClassName", UNSET),
        age(obj, now),
        spec.get("volumeMode", UNSET),
    ]


def _phase(obj: Object) -> str:
    return "Terminating" if is_deleting(obj) else str((obj.get("status") or {}).get("phase", ""))


def _class(obj: Object) -> str:
    """The storage class of a volume or claim; an annotation of old comes first."""
    annotations = obj["metadata"].get("annotations") or {}
    return str(annotations.get(OLD_CLASS, obj["spec"].get("storageClassName", "")))


def _modes(given: list[str] | None) -> str:
    return ",".join(short for mode, short in MODES.items() if mode in (given or ()))


def _storage_class(obj: Object, now: float) -> Cells:
    annotations = obj["metadata"].get("annotations") or {}
    default = any(annotations.get(each) == "true" for each in DEFAULT_CLASS)
    return [
        f"{name(obj)} (default)" if default else name(obj),
        obj["provisioner"],
        obj.get("reclaimPolicy", "Delete"),
        obj.get("volumeBindingMode", "Immediate"),
        obj.get("allowVolumeExpansion", False),
        age(obj, now),
    ]


def _driver(obj: Object, now: float) -> Cells:
    spec = obj["spec"]
    requests = spec.get("tokenRequests")
    return [
        name(obj),
        spec.get("attachRequired", True),
        spec.get("podInfoOnMount", False),
        spec.get("storageCapacity", False),
        UNSET if requests is None else ",".join(each["audience"] for each in requests),
        spec.get("requiresRepublish", False),
        ",".join(spec.get("volumeLifecycleModes") or ()) or NONE,
        age(obj, now),
    ]


def _driver_node(obj: Object, now: float) -> Cells:
    return [name(obj), len(obj["spec"].get("drivers") or ()), age(obj, now)]


def _attachment(obj: Object, now: float) -> Cells:
    spec, attached = obj["spec"], (obj.get("status") or {}).get("attached", False)
    volume = spec["source"].get("persistentVolumeName", "")
    return [name(obj), spec["attacher"], volume, spec["nodeName"], attached, age(obj, now)]


def _binding(obj: Object, now: float) -> Cells:
    role = obj["roleRef"]
    subjects = obj.get("subjects") or ()
    names = {
        kind: ", ".join(each["name"] for each in subjects if each["kind"] == kind)
        for kind in ("User", "Group")
    }
    accounts = ", ".join(
        f"{each.get('namespace', '')}/{each['name']}" for each in subjects if each["kind"] == "ServiceAccount"
    )
    return [
        name(obj),
        f"{role['kind']}/{role['name']}",
        age(obj, now),
        names["User"],
        names["Group"],
        accounts,
    ]


BINDING = printer("Name, Role, Age, Users*, Groups*, ServiceAccounts*", _binding)
PRINTERS = {
    "ConfigMap": printer("Name, Data, Age", _config_map),
    "Secret": printer("Name, Type, Data, Age", _secret),
    "ServiceAccount": printer("Name, Secrets, Age", _service_account),
    "PersistentVolume": printer(
        "Name, Capacity, Access Modes, Reclaim Policy, Status, Claim, StorageClass, VolumeAttributesClass, "
        "Reason, Age, VolumeMode*",
        _volume,
    ),
    "PersistentVolumeClaim": printer(
        "Name, Status, Volume, Capacity, Access Modes, StorageClass, VolumeAttributesClass, Age, VolumeMode*",
        _claim,
    ),
    "StorageClass.storage.k8s.io": printer(
        "Name, Provisioner, ReclaimPolicy, VolumeBindingMode, AllowVolumeExpansion, Age", _storage_class
    ),
    "CSIDriver.storage.k8s.io": printer(
        "Name, AttachRequired:boolean, PodInfoOnMount:boolean, StorageCapacity:boolean, TokenRequests, "
        "RequiresRepublish:boolean, Modes, Age",
        _driver,
    ),
    "CSINode.storage.k8s.io": printer("Name, Drivers:integer, Age", _driver_node),
    "VolumeAttachment.storage.k8s.io": printer(
        "Name, Attacher:name, PV, Node, Attached:boolean, Age", _attachment
    ),
    "RoleBinding.rbac.authorization.k8s.io": BINDING,
    "ClusterRoleBinding.rbac.authorization.k8s.io": BINDING,
}
