"""Whether a kubelet takes a pod that did not come to it by the scheduler: one that named its node.

pkg/kubelet/lifecycle/predicate.go, pkg/scheduler/scheduler.go AdmissionCheck
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from gherkube.runners.objects import ENDED, Object
from gherkube.runners.simulator.controllers.node_selection import selection
from gherkube.runners.simulator.controllers.room import (
    allocatable_of,
    conflicting,
    host_ports,
    requests_of,
)
from gherkube.runners.simulator.controllers.tainteviction import tolerates


class Rejection(NamedTuple):
    """Why a pod may not run: the reason of its status, and the message of its event."""

    reason: str
    message: str


def rejection(pod: Object, node: Object, others: Iterable[Object]) -> Rejection | None:
    """Why the pod may not run on the node beside the others, or None."""
    spec, running = pod["spec"], [each["spec"] for each in others if each["status"].get("phase") not in ENDED]
    metadata = node["metadata"]
    if short := _short_of(spec, node, running):
        return short
    if not selection(spec)(metadata["name"], metadata.get("labels", {})):
        return _failed("NodeAffinity", "node(s) didn't match Pod's node affinity/selector")
    if any(conflicting(host_ports(spec), host_ports(each)) for each in running):
        return _failed("NodePorts", "node(s) didn't have free ports for the requested pod ports")
    for taint in node["spec"].get("taints", ()):
        tolerated = any(tolerates(each, taint) for each in spec.get("tolerations", ()))
        if taint["effect"] == "NoExecute" and not tolerated:
            return _failed("TaintToleration", "node(s) had taints that the pod didn't tolerate")
    return None


def _short_of(spec: Object, node: Object, running: list[Object]) -> Rejection | None:
    """fitsRequest; what the node has nothing of at all is not asked for (removeMissingExtendedResources)"""
    room, asked, taken = allocatable_of(node), requests_of(spec), [requests_of(each) for each in running]
    for name, wants, used, has in (
        ("pods", 1, len(running), room.pods),
        ("cpu", asked.cpu, sum(each.cpu for each in taken), room.cpu),
        ("memory", asked.memory, sum(each.memory for each in taken), room.memory),
    ):
        if wants and wants > has - used:
            why = (
                f"Node didn't have enough resource: {name}, requested: {wants}, used: {used}, capacity: {has}"
            )
            return Rejection(f"OutOf{name}", why)
    return None


def _failed(predicate: str, why: str) -> Rejection:
    return Rejection(predicate, f"Predicate {predicate} failed: {why}")
