"""Services, their endpoints and what lets traffic in, as `kubectl get` prints them.

pkg/printers/internalversion/printers.go printService, printEndpoints, printIngress, …
"""

from __future__ import annotations

from itertools import islice

from gherkube.runners.objects import Object
from gherkube.runners.simulator.server.printers.cells import (
    NONE,
    UNKNOWN,
    UNSET,
    Cells,
    age,
    few,
    labels,
    name,
    printer,
    selector,
)


def _service(obj: Object, now: float) -> Cells:
    spec = obj["spec"]
    addresses = spec.get("clusterIPs") or ()
    ports = ",".join(_port(port) for port in spec.get("ports") or ())
    return [
        name(obj),
        spec.get("type", ""),
        addresses[0] if addresses else NONE,
        _external(obj),
        ports or NONE,
        age(obj, now),
        labels(spec.get("selector")),
    ]


def _port(port: Object) -> str:
    node = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{node}/{port.get('protocol', 'TCP')}"


def _external(service: Object) -> str:
    """getServiceExternalIP"""
    spec = service["spec"]
    kind, own = spec.get("type"), spec.get("externalIPs") or []
    if kind in ("ClusterIP", "NodePort"):
        return ",".join(own) or NONE
    if kind == "LoadBalancer":
        return ",".join([*_entries(service), *own]) or "<pending>"
    return str(spec["externalName"]) if kind == "ExternalName" else UNKNOWN


def _entries(obj: Object) -> list[str]:
    """The addresses of a load balancer, sorted."""
    balancer = (obj.get("status") or {}).get("loadBalancer") or {}
    entries = balancer.get("ingress") or ()
    return sorted({each.get("ip") or each.get("hostname") or "" for each in entries} - {""})


def _endpoints(obj: Object, now: float) -> Cells:
    subsets = obj.get("subsets") or ()
    found = [
        f"{_host(address['ip'])}:{port['port']}" if port else address["ip"]
        for subset in subsets
        for port in subset.get("ports") or (None,)
        for address in subset.get("addresses") or ()
    ]
    return [name(obj), few(found) if subsets else NONE, age(obj, now)]


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _slice(obj: Object, now: float) -> Cells:
    ports = [str(port.get("port", port.get("name", "*"))) for port in obj.get("ports") or ()]
    found = [address for each in obj.get("endpoints") or () for address in each.get("addresses") or ()]
    return [name(obj), obj.get("addressType", ""), few(ports) or UNSET, few(found) or UNSET, age(obj, now)]


def _ingress(obj: Object, now: float) -> Cells:
    spec = obj["spec"]
    return [
        name(obj),
        spec.get("ingressClassName", NONE),
        _hosts(spec.get("rules") or []),
        ",".join(_entries(obj)),
        "80, 443" if spec.get("tls") else "80",
        age(obj, now),
    ]


def _hosts(rules: list[Object]) -> str:
    """The first three hosts; when there are three, each further rule counts as one more. formatHosts"""
    hosts = (rule["host"] for rule in rules if rule.get("host"))
    shown = list(islice(hosts, 3))
    third = [at for at, rule in enumerate(rules) if rule.get("host")][2:3]
    more = f" + {len(rules) - 3} more..." if third and len(rules) > third[0] + 1 else ""
    return (",".join(shown) or "*") + more


def _ingress_class(obj: Object, now: float) -> Cells:
    spec = obj["spec"]
    shown = NONE
    if parameters := spec.get("parameters"):
        group = f".{parameters['apiGroup']}" if "apiGroup" in parameters else ""
        shown = f"{parameters['kind']}{group}/{parameters['name']}"
    return [name(obj), spec.get("controller", ""), shown, age(obj, now)]


def _policy(obj: Object, now: float) -> Cells:
    return [name(obj), selector(obj["spec"].get("podSelector")), age(obj, now)]


PRINTERS = {
    "Service": printer("Name, Type, Cluster-IP, External-IP, Port(s), Age, Selector*", _service),
    "Endpoints": printer("Name, Endpoints, Age", _endpoints),
    "EndpointSlice.discovery.k8s.io": printer("Name, AddressType, Ports, Endpoints, Age", _slice),
    "Ingress.networking.k8s.io": printer("Name, Class, Hosts, Address, Ports, Age", _ingress),
    "IngressClass.networking.k8s.io": printer("Name, Controller, Parameters, Age", _ingress_class),
    "NetworkPolicy.networking.k8s.io": printer("Name, Pod-Selector, Age", _policy),
}
