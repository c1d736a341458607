"""What a pod asks of a node: room, ports, tolerations and the labels that the node must have.

Pods of one template ask the same, so a `Demand` is made once and shared; the scheduler's decisions
depend on a pod through its demand alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, NamedTuple, TypeAlias

from gherkube.runners.objects import Object, controller_of
from gherkube.runners.quantities import cpu_milli, memory_bytes
from gherkube.runners.simulator.controllers.node_selection import Labels, node_term, selection
from gherkube.runners.simulator.controllers.tainteviction import tolerates

SPREAD_OWNERS = frozenset({"ReplicaSet", "ReplicationController", "StatefulSet"})
"""Owners whose pods spread over nodes without being told to. pkg/scheduler/framework/plugins/helper"""
UNASKED_CPU, UNASKED_MEMORY = 100, 200 * 2**20
"""What a container counts for in scoring when it requests nothing. pkg/scheduler/util/pod_resources.go"""
ASKED = ("tolerations", "nodeSelector", "affinity", "topologySpreadConstraints", "overhead", "resources")
"""The fields of a pod's spec, its containers' apart, that a demand is made of."""
ANY_ADDRESS = "0.0.0.0"
UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}

HostPort: TypeAlias = tuple[str, str, int]


class Requests(NamedTuple):
    """Room: CPU in thousandths, memory in bytes, and other resources by name in whole units."""

    cpu: int
    memory: int
    others: tuple[tuple[str, int], ...]


class Demand:
    """What all pods of one template ask of a node."""

    def __init__(self, pod: Object) -> None:
        spec = pod["spec"]
        self.requests = requests_of(spec)
        self.scored = scored_requests(spec)
        self.ports = host_ports(spec)
        self.tolerations: list[Object] = spec.get("tolerations", [])
        self.affinity = spec.get("affinity") or {}
        self.matches = selection(spec)
        node_affinity = self.affinity.get("nodeAffinity") or {}
        self.preferred = [
            (entry["weight"], node_term(entry["preference"]))
            for entry in node_affinity.get("preferredDuringSchedulingIgnoredDuringExecution", ())
        ]
        self.best_effort = not (self.requests.cpu or self.requests.memory or self.requests.others)
        self.group = group_of(pod)

    def preference(self, name: str, labels: Labels) -> int:
        """The summed weights of the preferred terms that the node matches."""
        return sum(weight for weight, term in self.preferred if term(name, labels))

    def tolerates(self, taint: Object) -> bool:
        """Whether one of the pod's tolerations covers the taint."""
        return any(tolerates(toleration, taint) for toleration in self.tolerations)


class Demands:
    """The demands of all pods, one object for those that ask the same."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Demand] = {}
        self._last: dict[str, tuple[tuple[Any, ...], Demand]] = {}

    def of(self, pod: Object) -> Demand:
        """The demand of a pod."""
        owner = controller_of(pod)
        asked = _asked(pod["spec"])
        if owner is not None and (last := self._last.get(owner["uid"])) is not None and last[0] == asked:
            return last[1]
        key = (group_of(pod), repr(asked))
        demand = self._known.get(key)
        if demand is None:
            demand = self._known[key] = Demand(pod)
        if owner is not None:
            self._last[owner["uid"]] = (asked, demand)
        return demand


def _asked(spec: Object) -> tuple[Any, ...]:
    """All of a pod's spec that a demand is made of."""
    asked = [*map(spec.get, ASKED)]
    for container in spec["containers"]:
        asked += container.get("resources"), container.get("ports")
    for container in spec.get("initContainers", ()):
        asked += container.get("resources"), container.get("restartPolicy")
    return tuple(asked)


def group_of(pod: Object) -> str:
    """The uid of the owner whose pods are spread over nodes by default, or ""."""
    owner = controller_of(pod)
    return owner["uid"] if owner is not None and owner["kind"] in SPREAD_OWNERS else ""


def requests_of(spec: Object) -> Requests:
    """The room that a pod needs: its containers and sidecars, or more if an init container needs more.

    component-helpers/resource/helpers.go PodRequests
    """
    return _sum(spec, lambda container: (container.get("resources") or {}).get("requests") or {})


def scored_requests(spec: Object) -> Requests:
    """The same, with the usual amounts for containers that request nothing."""

    def asked(container: Object) -> Object:
        requests: Object = (container.get("resources") or {}).get("requests") or {}
        if "cpu" in requests and "memory" in requests:
            return requests
        return {"cpu": f"{UNASKED_CPU}m", "memory": UNASKED_MEMORY, **requests}

    return _sum(spec, asked)


def _sum(spec: Object, asked: Callable[[Object], Object]) -> Requests:
    total: dict[str, int] = {}
    for container in spec["containers"]:
        _add(total, asked(container))
    sidecars: dict[str, int] = {}
    peak: dict[str, int] = {}
    for container in spec.get("initContainers", ()):
        if container.get("restartPolicy") == "Always":
            _add(sidecars, asked(container))
            _add(total, asked(container))
            now = sidecars
        else:
            now = dict(sidecars)
            _add(now, asked(container))
        for name, amount in now.items():
            peak[name] = max(peak.get(name, 0), amount)
    for name, amount in peak.items():
        total[name] = max(total.get(name, 0), amount)
    whole = (spec.get("resources") or {}).get("requests") or {}
    total.update({name: _amount(name, text) for name, text in whole.items()})
    _add(total, spec.get("overhead") or {})
    cpu, memory = total.pop("cpu", 0), total.pop("memory", 0)
    return Requests(cpu, memory, tuple(sorted((name, amount) for name, amount in total.items() if amount)))


def _add(total: dict[str, int], asked: Object) -> None:
    for name, text in asked.items():
        total[name] = total.get(name, 0) + _amount(name, text)


def _amount(name: str, text: str) -> int:
    return cpu_milli(text) if name == "cpu" else memory_bytes(text)


def host_ports(spec: Object) -> tuple[HostPort, ...]:
    """The ports of the node that the pod's containers take: address, protocol, port."""
    return tuple(
        (port.get("hostIP") or ANY_ADDRESS, port.get("protocol", "TCP"), port["hostPort"])
        for container in spec["containers"]
        for port in container.get("ports") or ()
        if port.get("hostPort")
    )


def conflicting(wanted: Collection[HostPort], used: Collection[HostPort]) -> bool:
    """Whether a wanted port is taken. pkg/scheduler/framework/types.go HostPortInfo.CheckConflict"""
    return any(
        mine[1:] == theirs[1:] and (mine[0] == theirs[0] or ANY_ADDRESS in (mine[0], theirs[0]))
        for mine in wanted
        for theirs in used
    )
