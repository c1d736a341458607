"""What a pod asks of a node: room, ports, tolerations and the labels that the node must have.

Pods of one template ask the same, so a `Demand` is made once and shared; the scheduler's decisions
depend on a pod through its demand alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from gherkube.runners.objects import PREFERRED, Object, controller_of
from gherkube.runners.simulator.controllers.node_selection import Labels, named, node_term, selection
from gherkube.runners.simulator.controllers.room import host_ports, requests_of, scored_requests
from gherkube.runners.simulator.controllers.tainteviction import tolerates

SPREAD_OWNERS = frozenset({"ReplicaSet", "ReplicationController", "StatefulSet"})
"""Owners whose pods spread over nodes without being told to. pkg/scheduler/framework/plugins/helper"""
ASKED = ("tolerations", "nodeSelector", "affinity", "topologySpreadConstraints", "overhead", "resources")
"""The fields of a pod's spec, its containers' apart, that a demand is made of."""
UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
HARD = ("NoSchedule", "NoExecute")


class Verdict(NamedTuple):
    """Why a node does not fit: the plugin, its reasons, and whether removing pods could help."""

    plugin: str
    reasons: tuple[str, ...]
    helpless: bool


class Demand:
    """What all pods of one template ask of a node."""

    def __init__(self, pod: Object) -> None:
        spec = pod["spec"]
        self.requests = requests_of(spec)
        self.scored = scored_requests(spec)
        self.ports = host_ports(spec)
        self.tolerations: list[Object] = spec.get("tolerations", [])
        self.affinity = spec.get("affinity") or {}
        self.matches, self.named = selection(spec), named(spec)
        node_affinity = self.affinity.get("nodeAffinity") or {}
        self.preferred = [
            (entry["weight"], node_term(entry["preference"])) for entry in node_affinity.get(PREFERRED, ())
        ]
        self.takes_any = not (self.affinity or spec.get("nodeSelector"))
        """Whether it is all the same to it what labels a node has."""
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
    """The uid of the owner whose pods are spread over nodes by default, or "".

    Pods that say themselves how they spread go by that.
    """
    if pod["spec"].get("topologySpreadConstraints"):
        return ""
    owner = controller_of(pod)
    return owner["uid"] if owner is not None and owner["kind"] in SPREAD_OWNERS else ""
