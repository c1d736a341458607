"""Validation of pods and of the templates that pods are made of.

pkg/apis/core/validation/validation.go ValidatePodSpec, in its order
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gherkube.runners.objects import Object
from gherkube.runners.quantities import parse
from gherkube.runners.simulator.api.quota import COMPUTE, COUNTED
from gherkube.runners.simulator.api.refusals import (
    FieldError,
    duplicate,
    forbidden_field,
    required,
    unsupported,
    wrong,
)
from gherkube.runners.simulator.api.validation_env import check_env
from gherkube.runners.simulator.api.validation_meta import (
    Check,
    check_ip,
    check_labels,
    is_dns_label,
    is_dns_subdomain,
    is_http_header,
    is_port_name,
    is_qualified_name,
    is_search_domain,
)
from gherkube.runners.simulator.api.validation_scheduling import (
    check_affinity,
    check_spreading,
    check_tolerations,
)
from gherkube.runners.simulator.api.validation_security import check_pod_security, check_security
from gherkube.runners.simulator.api.validation_volumes import check_mounts, check_volumes

NOT_NEGATIVE = "must be greater than or equal to 0"
PORT_RANGE = "must be between 1 and 65535, inclusive"
PROTOCOLS = ("SCTP", "TCP", "UDP")
PREEMPTION_POLICIES = ("PreemptLowerPriority", "Never")
RESIZES = {"resourceName": ("cpu", "memory"), "restartPolicy": ("NotRequired", "RestartContainer")}
"""What a resize policy may say."""
RESTART_POLICIES = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
HUGE_PAGES = "hugepages-"
NATIVE = ("cpu", "memory", "ephemeral-storage")
"""The resources that containers may ask for by a simple name, besides huge pages."""
STANDARD = frozenset(COMPUTE) | COUNTED
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
    known: set[str] = set()
    yield from check_volumes(spec.get("volumes", ()), f"{field}.volumes", known)
    grace = spec.get("terminationGracePeriodSeconds", 30)
    containers = spec.get("containers", ())
    if not containers:
        yield required(f"{field}.containers")
    names: set[str] = set()
    is_on_host = spec.get("hostNetwork", False)
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
    yield from check_host_ports(containers, f"{field}.containers", is_on_host)
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
    yield from check_pod_security(spec, f"{field}.securityContext")
    yield from check_affinity(spec.get("affinity") or {}, f"{field}.affinity")
    yield from check_dns(spec, f"{field}.dnsConfig")
    for at, gate in enumerate(spec.get("readinessGates", ())):
        type_ = gate.get("conditionType", "")
        yield from _checked(is_qualified_name, type_, f"{field}.readinessGates[{at}].conditionType")
    yield from check_spreading(
        spec.get("topologySpreadConstraints", ()), f"{field}.topologySpreadConstraints"
    )
    for name in ("serviceAccountName", "nodeName"):
        yield from _checked(is_dns_subdomain, spec.get(name), f"{field}.{name}")
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= 2**31 - 1:
        said = "must be between 1 and 2147483647, inclusive"
        yield wrong(f"{field}.activeDeadlineSeconds", deadline, said)
    for name in ("hostname", "subdomain"):
        yield from _checked(is_dns_label, spec.get(name), f"{field}.{name}")
    yield from check_tolerations(spec.get("tolerations", ()), f"{field}.tolerations")
    for at, alias in enumerate(spec.get("hostAliases", ())):
        yield from check_ip(alias.get("ip", ""), f"{field}.hostAliases[{at}].ip")
        for host_at, host in enumerate(alias.get("hostnames", ())):
            yield from _checked(is_dns_subdomain, host, f"{field}.hostAliases[{at}].hostnames[{host_at}]")
    policy = spec.get("preemptionPolicy")
    if policy is not None and policy not in PREEMPTION_POLICIES:
        yield unsupported(f"{field}.preemptionPolicy", policy, PREEMPTION_POLICIES)
    gates = set()
    for at, gate in enumerate(spec.get("schedulingGates", ())):
        yield from _checked(is_qualified_name, gate["name"], f"{field}.schedulingGates[{at}]")
        if gate["name"] in gates:
            yield duplicate(f"{field}.schedulingGates[{at}]", gate["name"])
        gates.add(gate["name"])


def check_images(spec: Object, field: str) -> Iterator[FieldError]:
    """What of containers is looked at in pods only, not in templates. validateContainersOnlyForPod"""
    for kind in ("containers", "initContainers"):
        for at, container in enumerate(spec.get(kind, ())):
            image = container.get("image", "")
            if image != image.strip():
                said = "must not have leading or trailing whitespace"
                yield wrong(f"{field}.{kind}[{at}].image", image, said)


def check_dns(spec: Object, field: str) -> Iterator[FieldError]:
    """validatePodDNSConfig"""
    config, alone = spec.get("dnsConfig"), spec["dnsPolicy"] == "None"
    if config is None:
        if alone:
            yield required(field, "must provide `dnsConfig` when `dnsPolicy` is None")
        return
    if alone and not config.get("nameservers"):
        said = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        yield required(f"{field}.nameservers", said)
    for at, address in enumerate(config.get("nameservers", ())):
        yield from check_ip(address, f"{field}.nameservers[{at}]")
    for at, domain in enumerate(config.get("searches", ())):
        yield from _checked(is_search_domain, domain.removesuffix("."), f"{field}.searches[{at}]")


def check_container(container: Object, field: str, volumes: set[Any]) -> Iterator[FieldError]:
    """validateContainerCommon"""
    if not container.get("name"):
        yield required(f"{field}.name")
    yield from _checked(is_dns_label, container.get("name"), f"{field}.name")
    if not container.get("image"):
        yield required(f"{field}.image")
    policy = container["terminationMessagePolicy"]
    if policy not in ("File", "FallbackToLogsOnError"):
        yield unsupported(f"{field}.terminationMessagePolicy", policy, ("File", "FallbackToLogsOnError"))
    yield from check_ports(container.get("ports", ()), f"{field}.ports")
    yield from check_env(container, field)
    yield from check_mounts(container.get("volumeMounts", ()), f"{field}.volumeMounts", volumes)
    if container["imagePullPolicy"] not in ("Always", "IfNotPresent", "Never"):
        allowed = ("Always", "IfNotPresent", "Never")
        yield unsupported(f"{field}.imagePullPolicy", container["imagePullPolicy"], allowed)
    for resize in container.get("resizePolicy", ()):
        for part, said in RESIZES.items():
            if resize.get(part) not in said:
                yield unsupported(f"{field}.resizePolicy", resize.get(part, ""), said)
    yield from check_resources(container["resources"], f"{field}.resources")
    yield from check_security(container.get("securityContext") or {}, f"{field}.securityContext")


def check_init_container(container: Object, field: str, grace: int) -> Iterator[FieldError]:
    """validateInitContainers: a sidecar may have what else only regular containers have."""
    is_sidecar = "restartPolicy" in container
    if is_sidecar:
        yield from check_lifecycle(container, field, grace)
    elif "lifecycle" in container:
        yield forbidden_field(f"{field}.lifecycle", NEEDS_SIDECAR)
    for probe in PROBES:
        if probe in container:
            if is_sidecar:
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


def check_host_ports(containers: Any, field: str, is_on_host: bool) -> Iterator[FieldError]:
    """checkHostPortConflicts, validateHostNetwork; `is_on_host`: they have the node's own ports"""
    taken = set()
    for at, container in enumerate(containers):
        for port_at, port in enumerate(container.get("ports", ())):
            number = port.get("hostPort", 0)
            if number:
                key = f"{port['protocol']}/{port.get('hostIP', '')}/{number}"
                if key in taken:
                    yield duplicate(f"{field}[{at}].ports[{port_at}].hostPort", key)
                taken.add(key)
            if is_on_host and number != port.get("containerPort"):
                said = "must match `containerPort` when `hostNetwork` is true"
                yield wrong(f"{field}[{at}].ports[{port_at}].hostPort", number, said)


def check_resources(resources: Object, field: str) -> Iterator[FieldError]:
    """ValidateContainerResourceRequirements"""
    limits, requests = resources.get("limits", {}), resources.get("requests", {})
    for kind, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            yield from check_amount(name, amount, f"{field}.{kind}[{name}]")
            if kind == "requests":
                yield from check_limit(name, amount, limits, field)
    names = {*limits, *requests}
    if any(name.startswith(HUGE_PAGES) for name in names) and names.isdisjoint(("cpu", "memory")):
        yield forbidden_field(field, "HugePages require cpu or memory")


def check_amount(name: str, amount: Any, field: str) -> Iterator[FieldError]:
    """validateContainerResourceName, ValidateResourceQuantityValue"""
    yield from _checked(is_qualified_name, name, field)
    simple = "/" not in name
    if simple and not _is_native(name):
        if name not in STANDARD:
            yield wrong(field, name, "must be a standard resource type or fully qualified")
        yield wrong(field, name, "must be a standard resource for containers")
    if parse(amount) < 0:
        yield wrong(field, amount, NOT_NEGATIVE)
    elif not simple and parse(amount).denominator != 1:
        yield wrong(field, amount, "must be an integer")
    if name.startswith(HUGE_PAGES) and parse(amount) % parse(name.removeprefix(HUGE_PAGES)):
        yield wrong(field, amount, f"{amount} is not positive integer multiple of {name}")


def check_limit(name: str, amount: Any, limits: Object, field: str) -> Iterator[FieldError]:
    """What is shared may be asked for below its limit; anything else is asked for as limited."""
    shared = name in NATIVE or ("/" not in name and not name.startswith(HUGE_PAGES))
    if name not in limits:
        if not shared:
            yield required(f"{field}.limits", "Limit must be set for non overcommitable resources")
    elif not shared and parse(amount) != parse(limits[name]):
        yield wrong(f"{field}.requests", amount, f"must be equal to {name} limit of {limits[name]}")
    elif parse(amount) > parse(limits[name]):
        said = f"must be less than or equal to {name} limit of {limits[name]}"
        yield wrong(f"{field}.requests", amount, said)


def _is_native(name: str) -> bool:
    return name in NATIVE or name.startswith(HUGE_PAGES)


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
            for header in action.get("httpHeaders", ()):
                yield from _checked(is_http_header, header.get("name"), f"{field}.httpGet.httpHeaders")
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


def _checked(check: Check, value: str | None, field: str) -> Iterator[FieldError]:
    for message in check(value) if value else ():
        yield wrong(field, value, message)
