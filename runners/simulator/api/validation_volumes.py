"""Validation of the volumes of a pod, and of where its containers mount them.

pkg/apis/core/validation/validation.go ValidateVolumes, validateVolumeSource, ValidateVolumeMounts
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from gherkube.runners.objects import Object
from gherkube.runners.quantities import parse
from gherkube.runners.simulator.api.refusals import (
    FieldError,
    duplicate,
    forbidden_field,
    required,
    unsupported,
    wrong,
)
from gherkube.runners.simulator.api.validation_env import KNOWN, SUBSCRIPTED, unknown_path
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


def check_volumes(volumes: Any, field: str, fine: set[str]) -> Iterator[FieldError]:
    """ValidateVolumes; `fine` gets the names of those with which nothing is wrong."""
    names = set()
    for at, volume in enumerate(volumes):
        name, path = volume.get("name", ""), f"{field}[{at}]"
        problems = list(_check_source(volume, path))
        if not name:
            problems.append(required(f"{path}.name"))
        problems += [wrong(f"{path}.name", name, message) for message in (is_dns_label(name) if name else ())]
        if name and name in names:
            problems.append(duplicate(f"{path}.name", name))
        names.add(name)
        if not problems:
            fine.add(name)
        yield from problems


def _check_source(volume: Object, field: str) -> Iterator[FieldError]:
    first, *more = [source for source in SOURCES if source in volume] or [""]
    needed = NEEDED.get(first)
    if needed and not (volume[first] or {}).get(needed):
        yield required(f"{field}.{first}.{needed}")
    yield from CHECKS[first](volume[first] or {}, f"{field}.{first}") if first in CHECKS else ()
    for source in more:
        yield forbidden_field(f"{field}.{source}", "may not specify more than 1 volume type")
    if first == "hostPath":
        path, type_ = volume[first].get("path", ""), volume[first].get("type", "")
        yield from _check_no_backsteps(path, f"{field}.hostPath.path")
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
        part = mount.get("subPath", "")
        if part.startswith("/"):
            yield wrong(f"{field}.subPath", part, "must be a relative path")
        else:
            yield from _check_no_backsteps(part, f"{field}.subPath")


def _check_empty(source: Object, field: str) -> Iterator[FieldError]:
    """validateEmptyDirVolumeSource"""
    limit = source.get("sizeLimit")
    if limit is not None and parse(limit) < 0:
        yield forbidden_field(f"{field}.sizeLimit", "SizeLimit field must be a valid resource quantity")


def _check_files(source: Object, field: str) -> Iterator[FieldError]:
    """validateConfigMapVolumeSource, validateSecretVolumeSource, validateKeyToPath"""
    yield from _check_mode(source, "defaultMode", field)
    for at, item in enumerate(source.get("items", ())):
        path = f"{field}.items[{at}]"
        for part in ("key", "path"):
            if not item.get(part):
                yield required(f"{path}.{part}")
        yield from _check_no_backsteps(item.get("path", ""), f"{path}.path")
        yield from _check_mode(item, "mode", path)


def _check_downward(source: Object, field: str) -> Iterator[FieldError]:
    """validateDownwardAPIVolumeSource"""
    yield from _check_mode(source, "defaultMode", field)
    for item in source.get("items", ()):
        path = (item.get("fieldRef") or {}).get("fieldPath", "")
        if path and not (path in KNOWN or SUBSCRIPTED.fullmatch(path)):
            yield unknown_path(path, f"{field}.fieldRef.fieldPath")


def _check_no_backsteps(path: str, field: str) -> Iterator[FieldError]:
    """validatePathNoBacksteps"""
    if ".." in path.split("/"):
        yield wrong(field, path, "must not contain '..'")


def _check_mode(part: Object, name: str, field: str) -> Iterator[FieldError]:
    mode = part.get(name, 0)
    if not 0 <= mode <= 0o777:
        yield wrong(f"{field}.{name}", mode, "must be a number between 0 and 0777 (octal), both inclusive")


CHECKS: dict[str, Callable[[Object, str], Iterator[FieldError]]] = {
    "configMap": _check_files,
    "downwardAPI": _check_downward,
    "emptyDir": _check_empty,
    "secret": _check_files,
}
