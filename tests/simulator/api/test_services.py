"""Addresses and node ports of services."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from gherkube.runners.simulator.api.server import ApiServer
from tests.simulator.api.workshop import message, server, service

LOWEST = ip_address("10.96.1.1")


def node_port(name: str = "web", number: int = 0) -> Any:
    port = {"port": 8080, "nodePort": number} if number else {"port": 8080}
    return service(name, type="NodePort", ports=[port])


def port_of(obj: Any) -> int:
    number: int = obj["spec"]["ports"][0]["nodePort"]
    return number


def test_a_service_gets_an_address() -> None:
    """One above the static band of the range, that nobody else has."""
    api = server()
    addresses = [api.create(service(f"s{n}"))["spec"]["clusterIP"] for n in range(50)]
    assert len(set(addresses)) == 50
    assert all(LOWEST <= ip_address(each) <= ip_address("10.96.255.254") for each in addresses)


def test_node_ports_are_drawn_above_the_static_band() -> None:
    """30086 and above, each once."""
    api = server()
    ports = [port_of(api.create(node_port(f"s{n}"))) for n in range(50)]
    assert len(set(ports)) == 50
    assert all(30086 <= port <= 32767 for port in ports)


def test_taken_and_impossible_ones_are_refused() -> None:
    """Addresses and ports that are taken or out of range, in the allocator's words."""
    api = server()
    assert port_of(api.create(node_port(number=30001))) == 30001
    port = 'Service "x" is invalid: spec.ports[0].nodePort: Invalid value: '
    assert message(api.create, node_port("x", 30001)) == port + "30001: provided port is already allocated"
    assert message(api.create, node_port("x", 80)) == (
        port + "80: provided port is not in the valid range. The range of valid ports is 30000-32767"
    )
    api.create(service("fixed", clusterIP="10.96.0.10"))
    address = 'Service "x" is invalid: spec.clusterIPs: Invalid value: '
    assert message(api.create, service("x", clusterIP="10.96.0.10")) == (
        address + '["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated'
    )
    assert message(api.create, service("x", clusterIP="10.0.0.1")) == (
        address + '["10.0.0.1"]: failed to allocate IP 10.0.0.1: the provided IP (10.0.0.1) is not in the '
        "valid range. The range of valid IPs is 10.96.0.0/16"
    )


def test_what_a_deleted_service_had_is_free_again() -> None:
    """Deletion gives address and node port back."""
    api = server()
    obj = api.create(node_port(number=30001))
    api.delete("services", "web", "default")
    again = node_port(number=30001)
    again["spec"]["clusterIP"] = obj["spec"]["clusterIP"]
    assert api.create(again)["spec"]["clusterIP"] == obj["spec"]["clusterIP"]


def test_a_headless_service_has_no_address() -> None:
    """`clusterIP: None` stays so."""
    assert server().create(service(clusterIP="None"))["spec"]["clusterIPs"] == ["None"]


def changed(api: ApiServer, **spec: Any) -> Any:
    return api.patch("services", "web", {"spec": spec}, type="merge")["spec"]


def test_an_update_keeps_what_was_given() -> None:
    """Changing the selector or replacing the ports keeps address and node port; changing the type gives
    and takes node ports."""
    api = server()
    old = api.create(node_port())["spec"]
    new = changed(api, selector={"app": "green"}, ports=[{"port": 8080, "targetPort": 9090}])
    assert new["clusterIP"] == old["clusterIP"]
    assert new["ports"][0]["nodePort"] == old["ports"][0]["nodePort"]
    plain = changed(api, type="ClusterIP")
    assert "nodePort" not in plain["ports"][0]
    assert "externalTrafficPolicy" not in plain
    assert changed(api, type="NodePort")["ports"][0]["nodePort"] >= 30086


def test_an_address_cannot_change() -> None:
    """Once set, it stays."""
    api = server()
    api.create(service())
    assert message(api.patch, "services", "web", {"spec": {"clusterIP": "10.96.5.5"}}) == (
        'Service "web" is invalid: spec.clusterIPs[0]: Invalid value: ["10.96.5.5"]: may not change once set'
    )
