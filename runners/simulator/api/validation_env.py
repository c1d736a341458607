"""Validation of the variables of a container's environment.

pkg/apis/core/validation/validation.go ValidateEnv, ValidateEnvFrom
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.refusals import FieldError, required, unsupported, wrong
from gherkube.runners.simulator.api.validation_meta import is_dns_subdomain, is_qualified_name

SOURCES = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
WHOLE_SOURCES = "must specify one of: `configMapRef` or `secretRef`"
ONE_SOURCE = "may not have more than one field specified at a time"
REFERABLE = (
    *("metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName"),
    *("status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"),
)
"""What a variable may hold of its pod."""
KNOWN = {
    *REFERABLE,
    *("metadata.annotations", "metadata.labels", "spec.restartPolicy", "spec.schedulerName", "status.phase"),
}
"""What can be named of a pod. pkg/apis/core/pods/helpers.go ConvertDownwardAPIFieldLabel"""
SUBSCRIPTED = re.compile(r"(metadata\.(?:labels|annotations))\['(.*)'\]")


def check_env(container: Object, field: str) -> Iterator[FieldError]:
    """ValidateEnv, ValidateEnvFrom"""
    for at, variable in enumerate(container.get("env", ())):
        path, name = f"{field}.env[{at}]", variable.get("name", "")
        if not name:
            yield required(f"{path}.name")
        elif not (name.isascii() and name.isprintable()) or "=" in name:
            said = (
                "a valid environment variable name must consist only of printable ASCII characters "
                "other than '='"
            )
            yield wrong(f"{path}.name", name, said)
        if variable.get("valueFrom") is not None:
            yield from _check_source(variable, f"{path}.valueFrom")
    for at, source in enumerate(container.get("envFrom", ())):
        yield from _check_whole_source(source, f"{field}.envFrom", at)


def _check_source(variable: Object, field: str) -> Iterator[FieldError]:
    """validateEnvVarValueFrom"""
    source = variable["valueFrom"]
    if "fieldRef" in source:
        yield from _check_reference(source["fieldRef"].get("fieldPath", ""), f"{field}.fieldRef.fieldPath")
    for kind in ("configMapKeyRef", "secretKeyRef"):
        for part in ("name", "key") if kind in source else ():
            said = source[kind].get(part, "")
            if part == "name":
                yield from (
                    wrong(f"{field}.{kind}.name", said, message) for message in is_dns_subdomain(said)
                )
            elif not said:
                yield required(f"{field}.{kind}.{part}")
    if not source:
        yield wrong(field, "", SOURCES)
    elif variable.get("value"):
        yield wrong(field, "", "may not be specified when `value` is not empty")
    elif len(source) > 1:
        yield wrong(field, "", ONE_SOURCE)


def _check_reference(path: str, field: str) -> Iterator[FieldError]:
    """validateObjectFieldSelector"""
    if not path:
        yield required(field)
    elif subscripted := SUBSCRIPTED.fullmatch(path):
        kind, key = subscripted.groups()
        for message in is_qualified_name(key if kind.endswith("labels") else key.lower()):
            yield wrong(field, key, message)
    elif path not in KNOWN:
        yield unknown_path(path, field)
    elif path not in REFERABLE:
        yield unsupported(field, path, REFERABLE)


def unknown_path(path: str, field: str) -> FieldError:
    """The path names nothing that pods have. ConvertDownwardAPIFieldLabel"""
    return wrong(field, path, f"error converting fieldPath: field label not supported: {path}")


def _check_whole_source(source: Object, field: str, at: int) -> Iterator[FieldError]:
    kinds = [kind for kind in ("configMapRef", "secretRef") if kind in source]
    for kind in kinds:
        path, name = f"{field}[{at}].{kind}.name", source[kind].get("name", "")
        if not name:
            yield required(path)
        else:
            yield from (wrong(path, name, message) for message in is_dns_subdomain(name))
    if len(kinds) != 1:
        yield wrong(field, "", ONE_SOURCE if kinds else WHOLE_SOURCES)
