"""Addresses and node ports of services: who has which, and which is free.

pkg/registry/core/service/ipallocator, portallocator; pkg/registry/core/service/storage/alloc.go
"""

from __future__ import annotations

from typing import Any

from gherkube.runners.history import DELETED, Change
from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.refusals import FieldError, invalid, wrong
from gherkube.runners.simulator.api.resources import RESOURCES
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.store import Store

SERVICE_NETWORK = "10.96.0.0/16"
"""The range of kind's service addresses; its first address is that of default/kubernetes."""
STATIC_ADDRESSES = 256
"""How many addresses at the range's start are left to those who ask for one by name."""
FIRST_PORT, LAST_PORT, FIRST_FREE_PORT = 30000, 32767, 30086
"""The range of node ports, and where it begins for those that the server chooses."""

_BASE, _SIZE = 10 << 24 | 96 << 16, 1 << 16
_WITH_NODE_PORTS = ("NodePort", "LoadBalancer")


class ServiceAllocator:
    """Gives services their addresses and node ports; a deleted service gives them back."""

    def __init__(self, store: Store, chance: Chance) -> None:
        self._chance = chance
        self._addresses: set[str] = set()
        self._ports: set[int] = set()
        store.watch("services", self._changed)

    def __call__(self, service: Object) -> Object:
        """The new service with an address and node ports; ApiError Invalid when it asks for taken ones."""
        return self.allocate(service, None)

    def allocate(self, service: Object, old: Object | None) -> Object:
        """The service with what it needs; `old`: the stored version of one that is updated."""
        spec = service["spec"]
        if spec.get("type") == "ExternalName":
            return service
        before: Object = old["spec"] if old is not None else {}
        errors: list[FieldError] = []
        address = spec.get("clusterIP") or self._free_address()
        if address not in ("None", before.get("clusterIP")):
            errors += self._check_address(address)
        spec = {**spec, "clusterIP": address, "clusterIPs": [address]}
        if spec.get("type") in _WITH_NODE_PORTS and "ports" in spec:
            spec["ports"] = self._node_ports(spec["ports"], before.get("ports", ()), errors)
        if (spec.get("type"), spec.get("externalTrafficPolicy")) == ("LoadBalancer", "Local"):
            spec["healthCheckNodePort"] = before.get("healthCheckNodePort") or self._free_port(self._ports)
        if errors:
            raise invalid(RESOURCES["services"], service["metadata"].get("name", ""), errors)
        return {**service, "spec": spec}

    def _check_address(self, address: str) -> list[FieldError]:
        why = ""
        if address in self._addresses:
            why = "provided IP is already allocated"
        elif not _in_network(address):
            why = (
                f"the provided IP ({address}) is not in the valid range. "
                f"The range of valid IPs is {SERVICE_NETWORK}"
            )
        return [wrong("spec.clusterIPs", [address], f"failed to allocate IP {address}: {why}")] if why else []

    def _node_ports(self, ports: list[Object], before: Any, errors: list[FieldError]) -> list[Object]:
        own = {port["nodePort"] for port in before if "nodePort" in port}
        taken = (self._ports - own) | {port["nodePort"] for port in ports if port.get("nodePort")}
        asked: set[int] = set()
        result = []
        for at, port in enumerate(ports):
            number = port.get("nodePort")
            if not number:
                number = self._free_port(taken)
                taken.add(number)
            elif not FIRST_PORT <= number <= LAST_PORT:
                errors.append(
                    wrong(
                        f"spec.ports[{at}].nodePort",
                        number,
                        "provided port is not in the valid range. "
                        f"The range of valid ports is {FIRST_PORT}-{LAST_PORT}",
                    )
                )
            elif number in asked or (number in self._ports and number not in own):
                errors.append(
                    wrong(f"spec.ports[{at}].nodePort", number, "provided port is already allocated")
                )
            asked.add(number)
            result.append({**port, "nodePort": number})
        return result

    def _free_address(self) -> str:
        while True:
            number = _BASE + self._chance.stream("services").randrange(STATIC_ADDRESSES + 1, _SIZE - 1)
            address = f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
            if address not in self._addresses:
                return address

    def _free_port(self, taken: set[int]) -> int:
        while True:
            port = self._chance.stream("services").randrange(FIRST_FREE_PORT, LAST_PORT + 1)
            if port not in taken:
                return port

    def _changed(self, change: Change) -> None:
        if change.old is not None:
            self._addresses.difference_update(_addresses_of(change.old))
            self._ports.difference_update(_ports_of(change.old))
        if change.type != DELETED:
            self._addresses.update(_addresses_of(change.object))
            self._ports.update(_ports_of(change.object))


def carry_over(service: Object, old: Object) -> None:
    """Completes an update in place with what the stored service was given.

    pkg/registry/core/service/storage/storage.go patchAllocatedValues, strategy.go dropTypeDependentFields
    """
    spec, before = service["spec"], old["spec"]
    if "ExternalName" not in (spec["type"], before.get("type")) and "clusterIP" not in spec:
        spec.update({field: before[field] for field in ("clusterIP", "clusterIPs") if field in before})
    if spec["type"] == "ExternalName" and spec.get("clusterIP") == before.get("clusterIP"):
        for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"):
            spec.pop(field, None)
    given = {(port["protocol"], port["port"]): port.get("nodePort") for port in before.get("ports", ())}
    had, has = before.get("type") in _WITH_NODE_PORTS, spec["type"] in _WITH_NODE_PORTS
    if had and not has:
        spec.pop("externalTrafficPolicy", None)
        spec.pop("healthCheckNodePort", None)
        spec.pop("allocateLoadBalancerNodePorts", None)
    for port in spec.get("ports", ()):
        kept = given.get((port["protocol"], port.get("port")))
        if has and kept and not port.get("nodePort"):
            port["nodePort"] = kept
        elif had and not has and port.get("nodePort") == kept:
            port.pop("nodePort", None)


def _in_network(address: str) -> bool:
    import ipaddress

    return ipaddress.ip_address(address) in ipaddress.ip_network(SERVICE_NETWORK)


def _addresses_of(service: Object) -> list[str]:
    return [address for address in service["spec"].get("clusterIPs", ()) if address != "None"]


def _ports_of(service: Object) -> list[int]:
    spec = service["spec"]
    ports = [port["nodePort"] for port in spec.get("ports", ()) if "nodePort" in port]
    return [*ports, spec["healthCheckNodePort"]] if "healthCheckNodePort" in spec else ports
