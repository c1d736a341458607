"""What a pod needs of a node, and what a node has for pods.

component-helpers/resource/helpers.go, pkg/scheduler/framework/types.go
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple, TypeAlias

from gherkube.runners.objects import Object
from gherkube.runners.quantities import cpu_milli, memory_bytes

UNASKED_CPU, UNASKED_MEMORY = 100, 200 * 2**20
"""What a container counts for in scoring when it requests nothing. pkg/scheduler/util/pod_resources.go"""
ANY_ADDRESS = "0.0.0.0"

HostPort: TypeAlias = tuple[str, str, int]
Others: TypeAlias = tuple[tuple[str, int], ...]


class Requests(NamedTuple):
    """Room: CPU in thousandths, memory in bytes, and other resources by name in whole units."""

    cpu: int
    memory: int
    others: tuple[tuple[str, int], ...]


class Allocatable(NamedTuple):
    """What a node has for pods."""

    cpu: int
    memory: int
    pods: int
    others: Others


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


def allocatable_of(obj: Object) -> Allocatable:
    """What a node has for pods, from its status."""
    status = obj.get("status", {})
    room = dict(status.get("allocatable") or status.get("capacity") or {})
    cpu, memory = cpu_milli(room.pop("cpu", 0)), memory_bytes(room.pop("memory", 0))
    pods = memory_bytes(room.pop("pods", 0))
    return Allocatable(cpu, memory, pods, tuple(sorted((name, memory_bytes(q)) for name, q in room.items())))
