"""`kubectl expose`.

kubectl: pkg/cmd/expose/expose.go, pkg/polymorphichelpers mapBasedSelectorForObject
"""

from __future__ import annotations

from gherkube.runners.cluster import Api
from gherkube.runners.errors import Refused
from gherkube.runners.kubectl.kinds import find, line
from gherkube.runners.kubectl.refusals import Outcome, asking
from gherkube.runners.objects import Object

EXPOSABLE = frozenset({"deployments", "replicasets", "replicationcontrollers", "services", "pods"})
PLAIN_SELECTORS = frozenset({"Service", "ReplicationController"})
NO_SELECTOR = "error: couldn't retrieve selectors via --selector flag or introspection"
LONGEST = 63
"""Characters of a service's name; a longer one is cut."""


def expose(
    api: Api,
    resource: str,
    name: str,
    namespace: str,
    *,
    port: int | None = None,
    target_port: int | str | None = None,
    type: str = "",  # noqa: A002 - the Service's field
    as_name: str = "",
) -> Outcome:
    """Makes a Service that selects the object's pods; its ports are the containers' when none is given."""
    kind = find(resource)
    if resource not in EXPOSABLE:
        raise Refused(f"error: cannot expose a {kind.kind}" + (f".{kind.group}" if kind.group else ""))
    with asking():
        obj = api.get(resource, name, namespace)
    selector = _selector(obj)
    open_ports = _ports(obj)
    numbers = [port] if port is not None else [number for number, _ in open_ports]
    if not numbers:
        raise Refused(
            "error: couldn't find port via --port flag or introspection\n"
            "See 'kubectl expose -h' for help and examples"
        )
    protocols = dict(open_ports)
    ports: list[Object] = []
    for position, number in enumerate(numbers, 1):
        entry: Object = {"name": f"port-{position}"} if len(numbers) > 1 else {}
        entry |= {"protocol": protocols.get(number, "TCP"), "port": number}
        ports.append({**entry, "targetPort": number if target_port is None else target_port})
    service: Object = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": (as_name or name)[:LONGEST], "namespace": namespace},
        "spec": {"ports": ports, "selector": selector},
    }
    if labels := obj["metadata"].get("labels"):
        service["metadata"]["labels"] = labels
    if type:
        service["spec"]["type"] = type
    with asking():
        stored = api.create(service, namespace=namespace)
    return Outcome(line("services", stored["metadata"]["name"], "exposed"), stored)


def _selector(obj: Object) -> dict[str, str]:
    kind = obj["kind"]
    if kind == "Pod":
        labels: dict[str, str] = obj["metadata"].get("labels", {})
        nothing = "the pod has no labels and cannot be exposed"
    else:
        selector = obj["spec"].get("selector") or {}
        if selector.get("matchExpressions"):
            raise Refused(f"{NO_SELECTOR}: couldn't convert expressions to map-based selector format")
        labels = selector if kind in PLAIN_SELECTORS else selector.get("matchLabels", {})
        nothing = f"invalid {kind.lower()}: no selectors, therefore cannot be exposed"
    if not labels:
        raise Refused(f"{NO_SELECTOR}: {nothing}")
    return labels


def _ports(obj: Object) -> list[tuple[int, str]]:
    spec = obj["spec"]
    if obj["kind"] == "Service":
        return [(entry["port"], entry.get("protocol", "TCP")) for entry in spec.get("ports", ())]
    pod_spec = spec if obj["kind"] == "Pod" else spec["template"]["spec"]
    return [
        (entry["containerPort"], entry.get("protocol", "TCP"))
        for container in pod_spec["containers"]
        for entry in container.get("ports", ())
    ]
