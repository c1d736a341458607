"""How much room there is for what a game day does: in quotas, under budgets, and on nodes for the surge."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from math import ceil

from gherkube.runners.gameday.snapshot import Snapshot
from gherkube.runners.objects import Object, is_active
from gherkube.runners.quantities import cpu_milli, memory_bytes, parse
from gherkube.runners.simulator.controllers.room import requests_of

Touched = Collection[tuple[str, str, str]]
"""What is touched: resource, namespace, name."""


def rooms(taken: Snapshot, touched: Touched) -> Iterator[tuple[str, str, bool]]:
    """What of it, how much there is in words, and whether it is enough."""
    for quota in taken.of("resourcequotas"):
        yield _quota(quota)
    for budget in taken.of("poddisruptionbudgets"):
        status = budget.get("status") or {}
        allowed, name = status.get("disruptionsAllowed", 0), budget["metadata"]["name"]
        yield (
            "budgets",
            f"{name} allows {allowed} of {status.get('expectedPods', 0)} pods to go now",
            allowed > 0,
        )
    for deployment in taken.of("deployments"):
        metadata = deployment["metadata"]
        if ("deployments", metadata["namespace"], metadata["name"]) in touched:
            yield _surge(deployment, taken)


def _quota(quota: Object) -> tuple[str, str, bool]:
    status = quota.get("status") or {}
    hard, used = status.get("hard") or {}, status.get("used") or {}
    words = ", ".join(f"{name} {used.get(name, 0)} of {hard[name]}" for name in sorted(hard))
    full = any(parse(used.get(name, 0)) >= parse(hard[name]) for name in hard)
    return "quotas", f"{quota['metadata']['name']}: {words or 'not counted yet'}", not full


def _surge(deployment: Object, taken: Snapshot) -> tuple[str, str, bool]:
    """Whether the pods that a rolling update adds find room on nodes beside those that are there."""
    spec = deployment["spec"]
    rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
    surge = _of(rolling.get("maxSurge", 0), spec.get("replicas", 1))
    room = sum(_fitting(node, spec["template"]["spec"], taken) for node in taken.of("nodes"))
    name = f"deployment/{deployment['metadata']['name']}"
    return "nodes", f"room for {room} more pods of {name}, whose surge is {surge}", room >= surge


def _of(share: int | str, replicas: int) -> int:
    """A number of pods, or a percentage of the replicas, rounded up as a surge is."""
    return ceil(int(share.rstrip("%")) * replicas / 100) if isinstance(share, str) else share


def _fitting(node: Object, pod: Object, taken: Snapshot) -> int:
    """How many such pods find room on a node."""
    if node["spec"].get("unschedulable") or any(
        taint["effect"] != "PreferNoSchedule" for taint in node["spec"].get("taints", ())
    ):
        return 0
    name, asked = node["metadata"]["name"], requests_of(pod)
    reserved, room = taken.reserved.get(name, {}), node["status"].get("allocatable") or {}
    there = [each for each in taken.of("pods") if each["spec"].get("nodeName") == name and is_active(each)]
    used = [requests_of(each["spec"]) for each in there]
    left = [int(room.get("pods", 110)) - reserved.get("pods", 0) - len(there)]
    if asked.cpu:
        free = cpu_milli(room.get("cpu", 0)) - reserved.get("cpu", 0) - sum(each.cpu for each in used)
        left.append(free // asked.cpu)
    if asked.memory:
        free = memory_bytes(room.get("memory", 0)) - reserved.get("memory", 0)
        left.append((free - sum(each.memory for each in used)) // asked.memory)
    return max(0, min(left))
