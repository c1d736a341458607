"""Why a pod is on no node, and what nodes and budgets keep from happening."""

from __future__ import annotations

from typing import Any

from gherkube.runners.expectations.causes.scene import Scene, listed, number
from gherkube.runners.expectations.pods import names
from gherkube.runners.objects import ENDED, Object, condition, is_deleting
from gherkube.runners.quantities import parse
from gherkube.runners.selectors import from_label_selector

UNREACHABLE = "node.kubernetes.io/unreachable"


def unscheduled(pod: Object) -> str:
    """What the scheduler says of a pod that it found no node for, without its talk of preemption."""
    found = condition(pod, "PodScheduled")
    if found is None or found["status"] == "True":
        return ""
    if found.get("reason") == "SchedulingGated":
        return f"is not scheduled: it waits for {_gates(pod)} to be lifted"
    message = " ".join(found.get("message", "").split())
    for end in (" no new claims to deallocate", " preemption: "):
        message = message.partition(end)[0]
    return f"is not scheduled: {message.rstrip(',. ') or found.get('reason', '')}"


def node_groups(scene: Scene, pod: Object) -> list[str]:
    """Why no node takes the pod, one line for those that refuse for the same reason.

    Only what taints, cordons, selectors and requests explain; of other nodes nothing is said.
    """
    groups: dict[str, list[str]] = {}
    for (_, name), node in sorted(scene.view.of("nodes").items()):
        if why := _refusal(scene, node, pod):
            groups.setdefault(why, []).append(name)
    return [f"node{'' if len(nodes) == 1 else 's'} {listed(nodes)}: {why}" for why, nodes in groups.items()]


def _gates(pod: Object) -> str:
    return listed(f'gate "{gate["name"]}"' for gate in pod["spec"].get("schedulingGates") or ())


def _refusal(scene: Scene, node: Object, pod: Object) -> str:
    if node["spec"].get("unschedulable"):
        return "cordoned"
    taints = [
        taint
        for taint in node["spec"].get("taints") or ()
        if taint["effect"] != "PreferNoSchedule" and not _tolerates(pod, taint)
    ]
    if taints:
        return f"taint {listed(_taint(taint) for taint in taints)}"
    labels = node["metadata"].get("labels") or {}
    wanted = pod["spec"].get("nodeSelector") or {}
    if missing := [f"{key}={value}" for key, value in wanted.items() if labels.get(key) != value]:
        return f"without label {listed(missing)}"
    return _lack(scene, node, pod)


def _taint(taint: Object) -> str:
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint['key']}{value}:{taint['effect']}"


def _tolerates(pod: Object, taint: Object) -> bool:
    """component-helpers/scheduling/corev1 ToleratesTaint"""
    return any(
        one.get("effect") in (None, "", taint["effect"])
        and one.get("key") in (None, "", taint["key"])
        and (one.get("operator") == "Exists" or (one.get("value") or "") == (taint.get("value") or ""))
        for one in pod["spec"].get("tolerations") or ()
    )


def _lack(scene: Scene, node: Object, pod: Object) -> str:
    there = (node.get("status") or {}).get("allocatable") or {}
    on_it = [
        one
        for one in scene.pods()
        if one["spec"].get("nodeName") == node["metadata"]["name"]
        and (one.get("status") or {}).get("phase") not in ENDED
    ]
    words = []
    for resource in ("cpu", "memory"):
        asked, has = _request(pod, resource), there.get(resource)
        if has is None or not asked:
            continue
        free = parse(has) - sum(_request(one, resource) for one in on_it)
        if asked > free:
            words.append(
                f"too little {resource}: the pod requests {_amount(asked, resource)}, "
                f"of {_amount(parse(has), resource)} there {_amount(free, resource)} is free"
            )
    if "pods" in there and len(on_it) >= parse(there["pods"]):
        words.append(f"it takes no more than {there['pods']} pods")
    return "; ".join(words)


def _request(pod: Object, resource: str) -> Any:
    return sum(
        parse(((one.get("resources") or {}).get("requests") or {}).get(resource, 0))
        for one in pod["spec"]["containers"]
    )


def _amount(value: Any, resource: str) -> str:
    if resource == "memory":
        return f"{float(value) / 2**20:.6g}Mi"
    return f"{float(value):.3g}"


def node_down(scene: Scene, pod: Object) -> str:
    """That the pod's node does not report."""
    node = scene.node_of(pod)
    ready = condition(node, "Ready") if node is not None else None
    if node is None or ready is None or ready["status"] == "True":
        return ""
    down = f"node {node['metadata']['name']} is down (Ready is {ready['status']}: {ready.get('reason', '')})"
    return down + _eviction(pod)


def _eviction(pod: Object) -> str:
    for one in pod["spec"].get("tolerations") or ():
        if one.get("key") == UNREACHABLE and "tolerationSeconds" in one and not is_deleting(pod):
            return f"; it is deleted when that has lasted {one['tolerationSeconds']} s"
    return ""


def blocked(scene: Scene, pods: list[Object]) -> list[str]:
    """The budgets that keep pods on nodes which are being emptied, that is, cordoned."""
    stay = [
        pod
        for pod in pods
        if not is_deleting(pod) and ((scene.node_of(pod) or {}).get("spec") or {}).get("unschedulable")
    ]
    lines: dict[str, None] = {}
    for pod in stay:
        for budget in scene.view.of("poddisruptionbudgets").values():
            if covers(budget, pod) and not (budget.get("status") or {}).get("disruptionsAllowed", 0):
                held = [one for one in stay if covers(budget, one)]
                which = f"{number(len(held), 'pod')} on a cordoned node ({names(held)})"
                lines[f"{told_budget(budget)}: it holds {which}"] = None
    return list(lines)


def covers(budget: Object, pod: Object) -> bool:
    """Whether the budget counts the pod."""
    return bool(
        budget["metadata"].get("namespace") == pod["metadata"].get("namespace")
        and from_label_selector(budget["spec"].get("selector"))(pod["metadata"].get("labels") or {})
    )


def told_budget(budget: Object) -> str:
    """A budget that allows no eviction, in words."""
    status = budget.get("status") or {}
    healthy, desired = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
    are = "is" if healthy == 1 else "are"
    must = f"{number(desired, 'pod')} must be healthy, {healthy} {are}"
    return f'budget "{budget["metadata"]["name"]}" allows no eviction: {must}'
