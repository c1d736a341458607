"""Validation of pods and of the templates that pods are made of.

pkg/apis/core/validation/validation.go ValidatePodSpec, in its order
"""

from __future__ import annotations

from collections.abc import Iterator
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
from gherkube.runners.simulator.api.validation_meta import (
    Check,
    check_labels,
    is_dns_label,
    is_dns_subdomain,
    is_port_name,
    is_qualified_name,
)

NOT_NEGATIVE = "must be greater than or equal to 0"
PORT_RANGE = "must be between 1 and 65535, inclusive"
SOURCES = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
PROTOCOLS = ("SCTP", "TCP", "UDP")
RESTART_POLICIES = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
PROBE_NUMBERS = (
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
)
NEEDS_SIDECAR = "may not be set for init containers without restartPolicy=Always"


def check_pod_spec(spec: Object, field: str) -> Iterator[FieldError]:
    """What is wrong with a pod's spec that has its defaults."""
    volumes = spec.get("volumes", ())
    yield from check_volumes(volumes, f"{field}.volumes")
    known = {volume.get("name") for volume in volumes}
    grace = spec.get("terminationGracePeriodSeconds", 30)
    containers = spec.get("containers", ())
    if not containers:
        yield required(f"{field}.containers")
    names: set[str] = set()
    for at, container in enumerate(containers):
        path = f"{field}.containers[{at}]"
        yield from check_container(container, path, known)
        if container.get("name") in names:
            yield duplicate(f"{path}.name", container["name"])
        names.add(container.get("name", ""))
        yield from check_lifecycle(container, path, grace)
        for probe in PROBES:
            if probe in container:
                yield from check_probe(container[probe], probe, f"{path}.{probe}", grace)
        if "restartPolicy" in container:
            yield forbidden_field(f"{path}.restartPolicy", "may not be set for non-init containers")
    yield from check_host_ports(containers, f"{field}.containers")
    for at, container in enumerate(spec.get("initContainers", ())):
        path = f"{field}.initContainers[{at}]"
        yield from check_container(container, path, known)
        if container.get("name") in names:
            yield duplicate(f"{path}.name", container["name"])
        names.add(container.get("name", ""))
        yield from check_init_container(container, path, grace)
    if spec["restartPolicy"] not in RESTART_POLICIES:
        yield unsupported(f"{field}.restartPolicy", spec["restartPolicy"], RESTART_POLICIES)
    if spec["dnsPolicy"] not in DNS_POLICIES:
        yield unsupported(f"{field}.dnsPolicy", spec["dnsPolicy"], DNS_POLICIES)
    yield from check_labels(spec.get("nodeSelector"), f"{field}.nodeSelector")
    for name in ("serviceAccountName", "nodeName"):
        yield from _checked(is_dns_subdomain, spec.get(name), f"{field}.{name}")
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= 2**31 - 1:
        said = "must be between 1 and 2147483647, inclusive"
        yield wrong(f"{field}.activeDeadlineSeconds", deadline, said)
    for name in ("hostname", "subdomain"):
        yield from _checked(is_dns_label, spec.get(name), f"{field}.{name}")
    yield from check_tolerations(spec.get("tolerations", ()), f"{field}.tolerations")


def check_volumes(volumes: Any, field: str) -> Iterator[FieldError]:
    """ValidateVolumes"""
    names = set()
    for at, volume in enumerate(volumes):
        name = volume.get("name", "")
        if not name:
            yield required(f"{field}[{at}].name")
        yield from _checked(is_dns_label, name, f"{field}[{at}].name")
        if name and name in names:
            yield duplicate(f"{field}[{at}].name", name)
        names.add(name)
        for more in [source for source in volume if source != "name"][1:]:
            yield forbidden_field(f"{field}[{at}].{more}", "may not specify more than 1 volume type")


def check_container(container: Object, field: str, volumes: set[Any]) -> Iterator[FieldError]:
    """validateContainerCommon"""
    if not container.get("name"):
        yield required(f"{field}.name")
    yield from _checked(is_dns_label, container.get("name"), f"{field}.name")
    image = container.get("image")
    if not image:
        yield required(f"{field}.image")
    elif image != image.strip():
        yield wrong(f"{field}.image", image, "must not have leading or trailing whitespace")
    policy = container["terminationMessagePolicy"]
    if policy not in ("File", "FallbackToLogsOnError"):
        yield unsupported(f"{field}.terminationMessagePolicy", policy, ("File", "FallbackToLogsOnError"))
    yield from check_ports(container.get("ports", ()), f"{field}.ports")
    yield from check_env(container, field)
    yield from check_mounts(container.get("volumeMounts", ()), f"{field}.volumeMounts", volumes)
    if container["imagePullPolicy"] not in ("Always", "IfNotPresent", "Never"):
        allowed = ("Always", "IfNotPresent", "Never")
        yield unsupported(f"{field}.imagePullPolicy", container["imagePullPolicy"], allowed)
    yield from check_resources(container["resources"], f"{field}.resources")


def check_init_container(container: Object, field: str, grace: int) -> Iterator[FieldError]:
    """validateInitContainers: a sidecar may have what else only regular containers have."""
    policy = container.get("restartPolicy")
    if policy is not None and policy != "Always":
        yield unsupported(f"{field}.restartPolicy", policy, ("Always",))
    if policy == "Always":
        yield from check_lifecycle(container, field, grace)
    elif "lifecycle" in container:
        yield forbidden_field(f"{field}.lifecycle", NEEDS_SIDECAR)
    for probe in PROBES:
        if probe in container:
            if policy == "Always":
                yield from check_probe(container[probe], probe, f"{field}.{probe}", grace)
            else:
                yield forbidden_field(f"{field}.{probe}", NEEDS_SIDECAR)


def check_ports(ports: Any, field: str) -> Iterator[FieldError]:
    """validateContainerPorts"""
    names = set()
    for at, port in enumerate(ports):
        path, name = f"{field}[{at}]", port.get("name")
        yield from _checked(is_port_name, name, f"{path}.name")
        if name and not is_port_name(name):
            if name in names:
                yield duplicate(f"{path}.name", name)
            names.add(name)
        number = port.get("containerPort", 0)
        if number == 0:
            yield required(f"{path}.containerPort")
        elif not 1 <= number <= 65535:
            yield wrong(f"{path}.containerPort", number, PORT_RANGE)
        if not 0 <= port.get("hostPort", 0) <= 65535:
            yield wrong(f"{path}.hostPort", port["hostPort"], PORT_RANGE)
        if port["protocol"] not in PROTOCOLS:
            yield unsupported(f"{path}.protocol", port["protocol"], PROTOCOLS)


def check_host_ports(containers: Any, field: str) -> Iterator[FieldError]:
    """checkHostPortConflicts"""
    taken = set()
    for at, container in enumerate(containers):
        for port_at, port in enumerate(container.get("ports", ())):
            number = port.get("hostPort", 0)
            if number:
                key = f"{port['protocol']}/{port.get('hostIP', '')}/{number}"
                if key in taken:
                    yield duplicate(f"{field}[{at}].ports[{port_at}].hostPort", key)
                taken.add(key)


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
        source = variable.get("valueFrom")
        if source is not None:
            if not source:
                yield wrong(f"{path}.valueFrom", "", SOURCES)
            elif variable.get("value"):
                yield wrong(f"{path}.valueFrom", "", "may not be specified when `value` is not empty")
            elif len(source) > 1:
                said = "may not have more than one field specified at a time"
                yield wrong(f"{path}.valueFrom", "", said)


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


def check_resources(resources: Object, field: str) -> Iterator[FieldError]:
    """ValidateContainerResourceRequirements"""
    limits, requests = resources.get("limits", {}), resources.get("requests", {})
    for kind, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            for message in is_qualified_name(name):
                yield wrong(f"{field}.{kind}", name, message)
            if parse(amount) < 0:
                yield wrong(f"{field}.{kind}[{name}]", amount, NOT_NEGATIVE)
            if kind == "requests" and name in limits and parse(amount) > parse(limits[name]):
                said = f"must be less than or equal to {name} limit of {limits[name]}"
                yield wrong(f"{field}.requests", amount, said)


def check_probe(probe: Object, kind: str, field: str, grace: int) -> Iterator[FieldError]:
    """validateProbe, and what validateLivenessProbe and its kin add"""
    yield from check_handler(probe, ("exec", "httpGet", "tcpSocket", "grpc"), field, grace)
    for name in PROBE_NUMBERS:
        if probe.get(name, 0) < 0:
            yield wrong(f"{field}.{name}", probe[name], NOT_NEGATIVE)
    own_grace = probe.get("terminationGracePeriodSeconds")
    if own_grace is not None and own_grace <= 0:
        yield wrong(f"{field}.terminationGracePeriodSeconds", own_grace, "must be greater than 0")
    if kind == "readinessProbe":
        if own_grace is not None:
            said = "must not be set for readinessProbes"
            yield wrong(f"{field}.terminationGracePeriodSeconds", own_grace, said)
    elif probe["successThreshold"] != 1:
        yield wrong(f"{field}.successThreshold", probe["successThreshold"], "must be 1")


def check_lifecycle(container: Object, field: str, grace: int) -> Iterator[FieldError]:
    """validateLifecycle"""
    for hook in ("postStart", "preStop"):
        handler = container.get("lifecycle", {}).get(hook)
        if handler is not None:
            path = f"{field}.lifecycle.{hook}"
            yield from check_handler(handler, ("exec", "httpGet", "tcpSocket", "sleep"), path, grace)


def check_handler(handler: Object, forms: tuple[str, ...], field: str, grace: int) -> Iterator[FieldError]:
    """validateHandler: exactly one form, and what that needs"""
    said = [form for form in forms if form in handler]
    if not said:
        yield required(field, "must specify a handler type")
    for more in said[1:]:
        yield forbidden_field(f"{field}.{more}", "may not specify more than 1 handler type")
    for form in said[:1]:
        action = handler[form]
        if form == "exec" and not action.get("command"):
            yield required(f"{field}.exec.command")
        if form == "httpGet":
            if not action.get("path"):
                yield required(f"{field}.httpGet.path")
            if action["scheme"] not in ("HTTP", "HTTPS"):
                yield unsupported(f"{field}.httpGet.scheme", action["scheme"], ("HTTP", "HTTPS"))
        if form == "sleep" and not 0 <= action.get("seconds", 0) <= grace:
            said_of_sleep = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
            yield wrong(f"{field}.sleep", action.get("seconds", 0), said_of_sleep)
        if form in ("httpGet", "tcpSocket", "grpc"):
            yield from check_port(action.get("port", 0), f"{field}.{form}.port")


def check_port(port: int | str, field: str) -> Iterator[FieldError]:
    """ValidatePortNumOrName"""
    if isinstance(port, str):
        yield from (wrong(field, port, message) for message in is_port_name(port))
    elif not 1 <= port <= 65535:
        yield wrong(field, port, PORT_RANGE)


def check_tolerations(tolerations: Any, field: str) -> Iterator[FieldError]:
    """ValidateTolerations"""
    for at, toleration in enumerate(tolerations):
        path = f"{field}[{at}]"
        key, operator = toleration.get("key", ""), toleration.get("operator", "")
        effect = toleration.get("effect", "")
        yield from _checked(is_qualified_name, key, f"{path}.key")
        if not key and operator != "Exists":
            said = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            yield wrong(f"{path}.operator", operator, said)
        if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
            said = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            yield wrong(f"{path}.effect", effect, said)
        if operator == "Exists" and toleration.get("value"):
            yield wrong(f"{path}.operator", operator, "value must be empty when `operator` is 'Exists'")
        if operator not in ("", "Equal", "Exists"):
            yield unsupported(f"{path}.operator", operator, ("Equal", "Exists"))
        if effect and effect not in EFFECTS:
            yield unsupported(f"{path}.effect", effect, EFFECTS)


def _checked(check: Check, value: str | None, field: str) -> Iterator[FieldError]:
    for message in check(value) if value else ():
        yield wrong(field, value, message)
