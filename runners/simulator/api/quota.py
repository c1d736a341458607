"""Resource quotas: what a namespace may hold, and what of it is used.

staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go, pkg/quota/v1/evaluator
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TypeAlias

from gherkube.runners.objects import ENDED, Object
from gherkube.runners.quantities import parse
from gherkube.runners.simulator.api.refusals import forbidden
from gherkube.runners.simulator.api.resources import Resource
from gherkube.runners.simulator.api.schema import canonical_quantity
from gherkube.runners.simulator.store import Store

Usage: TypeAlias = dict[str, Fraction]

QUOTAS = "resourcequotas"
COMPUTE = {
    "cpu": ("requests", "cpu"),
    "memory": ("requests", "memory"),
    "requests.cpu": ("requests", "cpu"),
    "requests.memory": ("requests", "memory"),
    "requests.ephemeral-storage": ("requests", "ephemeral-storage"),
    "limits.cpu": ("limits", "cpu"),
    "limits.memory": ("limits", "memory"),
    "limits.ephemeral-storage": ("limits", "ephemeral-storage"),
}
"""What a quota counts of a pod's containers. evaluator/core/pods.go podComputeUsageHelper"""
MUST_SAY = frozenset(COMPUTE) - {"requests.ephemeral-storage", "limits.ephemeral-storage"}
"""What each container has to say when a quota counts it. pods.go Constraints"""
COUNTED = frozenset(
    {
        "configmaps",
        "persistentvolumeclaims",
        "pods",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "services",
    }
)
"""What a quota counts by its plain name; all else as `count/<resource>.<group>`."""


def quotas_with(store: Store, info: Resource, obj: Object) -> list[Object]:
    """The quotas as they are once the object is there, those that change; Forbidden when one is exceeded.

    What holds is what the controller has taken over into the status: of a new quota that is nothing yet.
    CheckRequest
    """
    namespace = obj["metadata"].get("namespace")
    quotas = [each for each in store.all(QUOTAS) if each["metadata"]["namespace"] == namespace]
    changed = []
    for quota in sorted(quotas, key=lambda each: str(each["metadata"]["name"])):
        status = quota["status"]
        limits = _amounts(status.get("hard", {}))
        usage = {name: amount for name, amount in usage_of(info, obj).items() if name in limits}
        if not usage or not covers(quota, info, obj):
            continue
        if info.name == "pods" and (missing := _missing(limits, obj)):
            raise _refusal(info, obj, f"failed quota: {_name(quota)}: must specify {missing}")
        used = _amounts(status.get("used", {}))
        if unknown := sorted(usage.keys() - used.keys()):
            raise _refusal(
                info, obj, f"status unknown for quota: {_name(quota)}, resources: {','.join(unknown)}"
            )
        over = sorted(name for name, n in usage.items() if n and used[name] + n > limits[name])
        if over:
            told = (
                f"{word}: {','.join(f'{name}={shown(amounts[name])}' for name in over)}"
                for word, amounts in (("requested", usage), ("used", used), ("limited", limits))
            )
            raise _refusal(info, obj, f"exceeded quota: {_name(quota)}, {', '.join(told)}")
        if any(usage.values()):
            now = {**used, **{name: used[name] + n for name, n in usage.items()}}
            changed.append({**quota, "status": {**status, "used": _told(now, limits)}})
    return changed


def usage_of(info: Resource, obj: Object) -> Usage:
    """What one object uses, by the names that a quota has for it."""
    usage: Usage = {f"count/{info.qualified}": Fraction(1)}
    if info.name in COUNTED:
        usage[info.name] = Fraction(1)
    if info.name == "services":
        type_, ports = obj["spec"]["type"], obj["spec"].get("ports", ())
        usage["services.nodeports"] = Fraction(len(ports) if type_ in ("NodePort", "LoadBalancer") else 0)
        usage["services.loadbalancers"] = Fraction(type_ == "LoadBalancer")
    elif info.name == "persistentvolumeclaims":
        usage["requests.storage"] = parse(
            obj["spec"].get("resources", {}).get("requests", {}).get("storage", "0")
        )
    elif info.name == "pods":
        if obj["status"].get("phase") in ENDED:
            return {"count/pods": Fraction(1)}
        usage |= {name: amount_in(obj["spec"], *where) for name, where in COMPUTE.items()}
    return usage


def total(info: Resource, objects: Iterable[Object], quota: Object) -> Usage:
    """What objects of one resource use of a quota."""
    used: Usage = {}
    for obj in objects:
        if covers(quota, info, obj):
            for name, amount in usage_of(info, obj).items():
                if name in hard(quota):
                    used[name] = used.get(name, Fraction(0)) + amount
    return used


def covers(quota: Object, info: Resource, obj: Object) -> bool:
    """Whether an object is within a quota's scopes. pods.go podMatchesScopeFunc"""
    if info.name != "pods":
        return not quota["spec"].get("scopes")
    ends = obj["spec"].get("activeDeadlineSeconds") is not None
    best_effort = obj["status"].get("qosClass") == "BestEffort"
    inside = {
        "Terminating": ends,
        "NotTerminating": not ends,
        "BestEffort": best_effort,
        "NotBestEffort": not best_effort,
    }
    return all(inside.get(scope, False) for scope in quota["spec"].get("scopes", ()))


def hard(quota: Object) -> Usage:
    """What a quota is to allow."""
    return _amounts(quota["spec"].get("hard", {}))


def status_of(quota: Object, used: Usage) -> Object:
    """The status of a quota of which that is used: from then on it holds. syncResourceQuota"""
    return {"hard": quota["spec"].get("hard", {}), "used": _told(used, hard(quota))}


def _amounts(told: Object) -> Usage:
    return {name: parse(text) for name, text in told.items()}


def _told(used: Usage, names: Iterable[str]) -> dict[str, str]:
    return {name: shown(used.get(name, Fraction(0))) for name in sorted(names)}


def shown(amount: Fraction) -> str:
    """An amount as a quantity."""
    if amount.denominator == 1 and amount and amount % 1024 == 0 and amount >= 1 << 20:
        return canonical_quantity(f"{amount.numerator // 1024}Ki")
    return canonical_quantity(f"{int(amount * 1000)}m")


def amount_in(spec: Object, part: str, name: str) -> Fraction:
    """The containers' amounts together, or the largest of an init container. PodRequests"""
    running = sum((_amount(each, part, name) for each in spec["containers"]), Fraction(0))
    first = max((_amount(each, part, name) for each in spec.get("initContainers", ())), default=Fraction(0))
    return max(running, first)


def _amount(container: Object, part: str, name: str) -> Fraction:
    return parse(container.get("resources", {}).get(part, {}).get(name, "0"))


def _missing(limits: Usage, pod: Object) -> str:
    """What the containers would have to say: `limits.cpu for: app; requests.memory for: app`."""
    containers = [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]
    found = ((name, list(_silent(containers, *COMPUTE[name]))) for name in sorted(limits) if name in MUST_SAY)
    return "; ".join(f"{name} for: {','.join(sorted(silent))}" for name, silent in found if silent)


def _silent(containers: Iterable[Object], part: str, name: str) -> Iterator[str]:
    for container in containers:
        if name not in container.get("resources", {}).get(part, {}):
            yield container["name"]


def _name(quota: Object) -> str:
    return str(quota["metadata"]["name"])


def _refusal(info: Resource, obj: Object, why: str) -> Exception:
    return forbidden(info, obj["metadata"].get("name", ""), why)
