"""Validation of the volumes of a pod, and of where its containers mount them.

pkg/apis/core/validation/validation.go ValidateVolumes, validateVolumeSource, ValidateVolumeMounts
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.refusals import (
    FieldError,
    duplicate,
    forbidden_field,
    required,
    unsupported,
    wrong,
)
from gherkube.runners.simulator.api.validation_meta import is_dns_label

SOURCES = (
    *("emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs"),
    *("iscsi", "glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte"),
    *("downwardAPI", "fc", "flexVolume", "configMap", "azureFile", "vsphereVolume"),
    *("photonPersistentDisk", "portworxVolume", "azureDisk", "storageos", "projected", "scaleIO", "csi"),
    *("ephemeral", "image"),
)
"""In the order in which they are looked for."""
NEEDED = {
    "configMap": "name",
    "hostPath": "path",
    "persistentVolumeClaim": "claimName",
    "secret": "secretName",
}
"""What a source has to name."""
HOST_PATHS = (
    *("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"),
)


def check_volumes(volumes: Any, field: str) -> Iterator[FieldError]:
    """ValidateVolumes"""
    names = set()
    for at, volume in enumerate(volumes):
        name, path = volume.get("name", ""), f"{field}[{at}]"
        yield from _check_source(volume, path)
        if not name:
            yield required(f"{path}.name")
        for message in is_dns_label(name) if name else ():
            yield wrong(f"{path}.name", name, message)
        if name and name in names:
            yield duplicate(f"{path}.name", name)
        names.add(name)


def _check_source(volume: Object, field: str) -> Iterator[FieldError]:
    first, *more = [source for source in SOURCES if source in volume] or [""]
    needed = NEEDED.get(first)
    if needed and not (volume[first] or {}).get(needed):
        yield required(f"{field}.{first}.{needed}")
    for source in more:
        yield forbidden_field(f"{field}.{source}", "may not specify more than 1 volume type")
    if first == "hostPath":
        path, type_ = volume[first].get("path", ""), volume[first].get("type", "")
        if ".." in path.split("/"):
            yield wrong(f"{field}.hostPath.path", path, "must not contain '..'")
        if type_ not in HOST_PATHS:
            yield unsupported(f"{field}.hostPath.type", type_, HOST_PATHS)


def check_mounts(mounts: Any, field: str, volumes: set[Any]) -> Iterator[FieldError]:
    """ValidateVolumeMounts"""
    paths = set()
    for at, mount in enumerate(mounts):
        name, where = mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            yield required(f"{field}[{at}].name")
        if name not in volumes:
            yield FieldError(f"{field}[{at}].name", "Not found", "", f'"{name}"')
        if not where:
            yield required(f"{field}[{at}].mountPath")
        if where in paths:
            yield wrong(f"{field}[{at}].mountPath", where, "must be unique")
        paths.add(where)
