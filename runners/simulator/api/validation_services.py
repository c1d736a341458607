"""Validation of services.

pkg/apis/core/validation/validation.go ValidateService, in its order
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
from gherkube.runners.simulator.api.validation_meta import (
    check_cidr,
    check_ip,
    check_labels,
    is_dns_label,
    is_dns_subdomain,
    is_qualified_name,
)
from gherkube.runners.simulator.api.validation_pods import PORT_RANGE, PROTOCOLS, check_port

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
FAMILIES = ("IPv4", "IPv6")
FAMILY_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
TRAFFIC_POLICIES = ("Cluster", "Local")
LONGEST_AFFINITY = 86400
"""Seconds."""
ONLY_BALANCED = "may only be used when `type` is 'LoadBalancer'"
NOT_EXTERNAL = "may not be set for ExternalName services"
NEEDS_NO_CHECK = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"


def check_service(service: Object) -> Iterator[FieldError]:
    """ValidateService"""
    spec = service["spec"]
    type_, ports = spec["type"], spec.get("ports", ())
    headless = spec.get("clusterIP") == "None"
    if not ports and not headless and type_ != "ExternalName":
        yield required("spec.ports")
    if headless and type_ in ("LoadBalancer", "NodePort"):
        yield wrong("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {type_} services")
    if type_ == "ExternalName":
        if spec.get("clusterIP"):
            yield forbidden_field("spec.clusterIPs", NOT_EXTERNAL)
        yield from _check_external_name(spec.get("externalName", ""))
    names: set[str] = set()
    for at, port in enumerate(ports):
        yield from _check_port(port, f"spec.ports[{at}]", names, len(ports) > 1)
    yield from check_labels(spec.get("selector"), "spec.selector")
    yield from _check_affinity(spec)
    if type_ != "ExternalName":
        yield from _check_addresses(spec, headless)
    for at, address in enumerate(spec.get("externalIPs", ())):
        yield from check_ip(address, f"spec.externalIPs[{at}]")
    if type_ not in TYPES:
        yield unsupported("spec.type", type_, TYPES)
    yield from _distinct_ports(ports, type_)
    yield from _check_balancer(spec)
    yield from _check_traffic(spec)


def check_service_update(new: Object, old: Object) -> Iterator[FieldError]:
    """ValidateServiceUpdate: the address stays, except where the type is or was ExternalName"""
    before, after = old["spec"], new["spec"]
    if "ExternalName" in (before["type"], after["type"]):
        return
    if after.get("clusterIP") != before.get("clusterIP"):
        yield wrong("spec.clusterIPs[0]", [after.get("clusterIP", "")], "may not change once set")


def _check_external_name(name: str) -> Iterator[FieldError]:
    if not name:
        yield required("spec.externalName")
    else:
        for message in is_dns_subdomain(name.removesuffix(".")):
            yield wrong("spec.externalName", name.removesuffix("."), message)


def _check_port(port: Object, field: str, names: set[str], named: bool) -> Iterator[FieldError]:
    """validateServicePort"""
    name, number = port.get("name", ""), port.get("port", 0)
    if named and not name:
        yield required(f"{field}.name")
    elif name:
        for message in is_dns_label(name):
            yield wrong(f"{field}.name", name, message)
        if name in names:
            yield duplicate(f"{field}.name", name)
        names.add(name)
    if not 1 <= number <= 65535:
        yield wrong(f"{field}.port", number, PORT_RANGE)
    if port["protocol"] not in PROTOCOLS:
        yield unsupported(f"{field}.protocol", port["protocol"], PROTOCOLS)
    yield from check_port(port["targetPort"], f"{field}.targetPort")
    if (protocol := port.get("appProtocol")) is not None:
        yield from (
            wrong(f"{field}.appProtocol", protocol, message) for message in is_qualified_name(protocol)
        )


def _check_affinity(spec: Object) -> Iterator[FieldError]:
    """validateClientIPAffinityConfig"""
    affinity, config = spec["sessionAffinity"], spec.get("sessionAffinityConfig")
    if affinity not in ("ClientIP", "None"):
        yield unsupported("spec.sessionAffinity", affinity, ("ClientIP", "None"))
    elif affinity == "None" and config is not None:
        said = "must not be set when session affinity is None"
        yield forbidden_field("spec.sessionAffinityConfig", said)
    elif affinity == "ClientIP" and config is not None:
        seconds = (config.get("clientIP") or {}).get("timeoutSeconds", 1)
        if not 0 < seconds <= LONGEST_AFFINITY:
            said = f"must be greater than 0 and less than {LONGEST_AFFINITY}"
            yield wrong("spec.sessionAffinityConfig.clientIP.timeoutSeconds", seconds, said)


def _check_addresses(spec: Object, headless: bool) -> Iterator[FieldError]:
    """ValidateServiceClusterIPsRelatedFields"""
    for at, family in enumerate(spec.get("ipFamilies", ())):
        if family not in FAMILIES:
            yield unsupported(f"spec.ipFamilies[{at}]", family, FAMILIES)
    policy = spec.get("ipFamilyPolicy")
    if policy is not None and policy not in FAMILY_POLICIES:
        yield unsupported("spec.ipFamilyPolicy", policy, FAMILY_POLICIES)
    if spec.get("clusterIP") and not headless:
        yield from check_ip(spec["clusterIP"], "spec.clusterIPs[0]")


def _distinct_ports(ports: Any, type_: str) -> Iterator[FieldError]:
    node_ports, numbers = set(), set()
    for at, port in enumerate(ports):
        path, number = f"spec.ports[{at}]", port.get("nodePort", 0)
        if number:
            if type_ == "ClusterIP":
                yield forbidden_field(f"{path}.nodePort", "may not be used when `type` is 'ClusterIP'")
            if (port["protocol"], number) in node_ports:
                yield duplicate(f"{path}.nodePort", number)
            node_ports.add((port["protocol"], number))
        key = (port["protocol"], port.get("port", 0))
        if key in numbers:
            shown = {"Name": "", "Protocol": key[0], "AppProtocol": None, "Port": key[1]}
            yield duplicate(path, {**shown, "TargetPort": 0, "NodePort": 0})
        numbers.add(key)


def _check_balancer(spec: Object) -> Iterator[FieldError]:
    """validateLoadBalancerSourceRanges, validateLoadBalancerClassField"""
    balances, ranges = spec["type"] == "LoadBalancer", spec.get("loadBalancerSourceRanges", ())
    if ranges and not balances:
        yield forbidden_field("spec.LoadBalancerSourceRanges", ONLY_BALANCED)
    for at, cidr in enumerate(ranges):
        yield from check_cidr(cidr, f"spec.LoadBalancerSourceRanges[{at}]")
    if "allocateLoadBalancerNodePorts" in spec and not balances:
        yield forbidden_field("spec.allocateLoadBalancerNodePorts", ONLY_BALANCED)
    if (class_ := spec.get("loadBalancerClass")) is not None:
        if not balances:
            yield forbidden_field("spec.loadBalancerClass", ONLY_BALANCED)
        yield from (wrong("spec.loadBalancerClass", class_, message) for message in is_qualified_name(class_))


def _check_traffic(spec: Object) -> Iterator[FieldError]:
    """validateServiceExternalTrafficPolicy, validateServiceInternalTrafficFieldsValue"""
    type_, policy = spec["type"], spec.get("externalTrafficPolicy")
    if type_ in ("LoadBalancer", "NodePort") or (type_ == "ClusterIP" and spec.get("externalIPs")):
        if not policy:
            yield required("spec.externalTrafficPolicy")
        elif policy not in TRAFFIC_POLICIES:
            yield unsupported("spec.externalTrafficPolicy", policy, TRAFFIC_POLICIES)
    elif policy:
        said = "may only be set for externally-accessible services"
        yield wrong("spec.externalTrafficPolicy", policy, said)
    if spec.get("healthCheckNodePort") and (type_, policy) != ("LoadBalancer", "Local"):
        yield wrong("spec.healthCheckNodePort", spec["healthCheckNodePort"], NEEDS_NO_CHECK)
    internal = spec.get("internalTrafficPolicy", "Cluster")
    if internal not in TRAFFIC_POLICIES:
        yield unsupported("spec.internalTrafficPolicy", internal, TRAFFIC_POLICIES)
