"""Eviction: a pod is deleted, unless a disruption budget needs it.

pkg/registry/core/pod/storage/eviction.go
"""

from __future__ import annotations

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import ENDED, Object, is_ready
from gherkube.runners.selectors import from_label_selector
from gherkube.runners.simulator.api.writes import Writes, with_condition

BUDGETS = "poddisruptionbudgets"
REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
SEVERAL = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."


def evict(api: Writes, pod: Object, options: Object, *, dry_run: bool = False) -> None:
    """Evicts a pod; ApiError TooManyRequests when its budget allows no disruption now."""
    metadata = pod["metadata"]
    if not _goes_anyway(pod):
        budgets = [each for each in api.store.all(BUDGETS) if selects(each, pod)]
        if len(budgets) > 1:
            raise ApiError(500, "", SEVERAL)
        for budget in budgets:
            if not _passes_unready(budget, pod):
                _take_disruption(api, budget, metadata["name"], dry_run)
    if dry_run:
        return
    if "deletionTimestamp" not in metadata and pod["spec"].get("nodeName"):
        disrupted = {
            "type": "DisruptionTarget",
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": api.clock.timestamp(),
            "reason": "EvictionByEvictionAPI",
            "message": "Eviction API: evicting",
        }
        conditions = with_condition(pod["status"].get("conditions", []), disrupted)
        api.put_status("pods", pod, {**pod["status"], "conditions": conditions})
    grace = options.get("gracePeriodSeconds")
    api.delete("pods", metadata["name"], metadata["namespace"], grace_period=grace)


def selects(budget: Object, pod: Object) -> bool:
    """Whether a budget is about a pod; one without a selector is about none."""
    selector = budget["spec"].get("selector")
    if selector is None or budget["metadata"]["namespace"] != pod["metadata"]["namespace"]:
        return False
    return from_label_selector(selector)(pod["metadata"].get("labels") or {})


def _goes_anyway(pod: Object) -> bool:
    """Pods that nobody counts on: pending, ended, or being deleted. canIgnorePDB"""
    return "deletionTimestamp" in pod["metadata"] or pod["status"].get("phase") in (*ENDED, "Pending")


def _passes_unready(budget: Object, pod: Object) -> bool:
    """An unready pod disrupts nothing where enough others are healthy, or where the budget says so."""
    if is_ready(pod):
        return False
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget["status"]
    healthy, desired = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
    return bool(healthy >= desired > 0)


def _take_disruption(api: Writes, budget: Object, pod: str, dry_run: bool) -> None:
    """checkAndDecrement"""
    metadata, status = budget["metadata"], budget["status"]
    name = metadata["name"]
    if status.get("observedGeneration", 0) < metadata["generation"]:
        raise _too_many(f"The disruption budget {name} is still being processed by the server.", 10)
    allowed = status["disruptionsAllowed"]
    if allowed <= 0:
        needs, has = status["desiredHealthy"], status["currentHealthy"]
        raise _too_many(f"The disruption budget {name} needs {needs} healthy pods and has {has} currently")
    if dry_run:
        return
    disrupted = {**status.get("disruptedPods", {}), pod: api.clock.timestamp()}
    api.put_status(BUDGETS, budget, {**status, "disruptionsAllowed": allowed - 1, "disruptedPods": disrupted})


def _too_many(why: str, retry_after: int = 0) -> ApiError:
    details: Object = {"causes": [{"reason": "DisruptionBudget", "message": why}]}
    if retry_after:
        details["retryAfterSeconds"] = retry_after
    return ApiError(429, "TooManyRequests", REFUSED, details)
