"""Validation of as whom and with which rights containers run.

pkg/apis/core/validation/validation.go ValidateSecurityContext, validatePodSpecSecurityContext
"""

from __future__ import annotations

from collections.abc import Iterator

from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.refusals import FieldError, unsupported, wrong

MOST = 2**31 - 1
RANGE = f"must be between 0 and {MOST}, inclusive"
FIELDS = (
    *("capabilities", "privileged", "seLinuxOptions", "windowsOptions", "runAsUser", "runAsGroup"),
    *("runAsNonRoot", "readOnlyRootFilesystem", "allowPrivilegeEscalation", "procMount"),
    *("seccompProfile", "appArmorProfile"),
)
"""In the order of the internal type, whose names messages show."""
PROC_MOUNTS = ("Default", "Unmasked")
PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
SE_LINUX = "SELinuxOptions"


def check_security(context: Object, field: str) -> Iterator[FieldError]:
    """What is wrong with a container's security context."""
    yield from _check_ids(context, ("runAsUser", "runAsGroup"), field)
    mount = context.get("procMount")
    if mount is not None and mount not in PROC_MOUNTS:
        yield unsupported(f"{field}.procMount", mount, PROC_MOUNTS)
    yield from _check_profile(context, field)
    if context.get("allowPrivilegeEscalation") is False:
        said = "cannot set `allowPrivilegeEscalation` to false and"
        if context.get("privileged"):
            yield wrong(field, _internal(context), f"{said} `privileged` to true")
        if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or ()):
            yield wrong(field, _internal(context), f"{said} `capabilities.Add` CAP_SYS_ADMIN")


def check_pod_security(spec: Object, field: str) -> Iterator[FieldError]:
    """What is wrong with a pod's, and with what it shares with its node."""
    context = spec.get("securityContext") or {}
    yield from _check_ids(context, ("fsGroup", "runAsUser", "runAsGroup"), field)
    yield from _check_profile(context, field)
    for at, group in enumerate(context.get("supplementalGroups") or ()):
        if not 0 <= group <= MOST:
            yield wrong(f"{field}.supplementalGroups[{at}]", group, RANGE)
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        said = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield wrong(f"{field}.shareProcessNamespace", True, said)


def _check_profile(context: Object, field: str) -> Iterator[FieldError]:
    """validateSeccompProfileField"""
    profile = context.get("seccompProfile")
    if profile is not None and profile.get("type") not in PROFILES:
        yield unsupported(f"{field}.seccompProfile.type", profile.get("type", ""), PROFILES)


def _check_ids(context: Object, names: tuple[str, ...], field: str) -> Iterator[FieldError]:
    for name in names:
        number = context.get(name)
        if number is not None and not 0 <= number <= MOST:
            yield wrong(f"{field}.{name}", number, RANGE)


def _internal(context: Object) -> Object:
    """The context as the API server has it, with all fields and without their names in JSON."""
    shown = {field[0].upper() + field[1:]: context.get(field) for field in FIELDS}
    if capabilities := context.get("capabilities"):
        shown["Capabilities"] = {"Add": capabilities.get("add"), "Drop": capabilities.get("drop")}
    return {SE_LINUX if name == "SeLinuxOptions" else name: value for name, value in shown.items()}
