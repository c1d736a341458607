"""Validation of what limits others: disruption budgets, resource quotas and autoscalers.

pkg/apis/{policy,core,autoscaling}/validation/validation.go
"""

from __future__ import annotations

from collections.abc import Iterator

from gherkube.runners.objects import Object
from gherkube.runners.quantities import parse
from gherkube.runners.simulator.api.go_values import go_value
from gherkube.runners.simulator.api.quota import COMPUTE, COUNTED
from gherkube.runners.simulator.api.refusals import IMMUTABLE, FieldError, unsupported, wrong
from gherkube.runners.simulator.api.validation_meta import check_selector, is_qualified_name
from gherkube.runners.simulator.api.validation_workloads import check_at_most_all, check_int_or_percent

EVICTION_POLICIES = ("AlwaysAllow", "IfHealthyBudget")
STANDARD = (
    frozenset(COMPUTE)
    | COUNTED
    | {
        *("ephemeral-storage", "requests.storage", "limits.ephemeral-storage"),
        *("services.nodeports", "services.loadbalancers"),
    }
)
"""What a quota may limit under a plain name. pkg/apis/core/helper/helpers.go IsStandardQuotaResourceName"""
OF_PODS = frozenset(COMPUTE) | {"pods"}
"""What a quota with scopes may limit; with BestEffort only pods. IsResourceQuotaScopeValidForResource"""
SCOPES = (
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
)
OPPOSITE = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))


def check_budget(budget: Object) -> Iterator[FieldError]:
    """ValidatePodDisruptionBudgetSpec"""
    spec = budget.get("spec", {})
    if "minAvailable" in spec and "maxUnavailable" in spec:
        shown = go_value(spec, "PodDisruptionBudgetSpec")
        yield wrong("spec", shown, "minAvailable and maxUnavailable cannot be both set")
    for field in ("minAvailable", "maxUnavailable"):
        if field in spec:
            yield from check_int_or_percent(spec[field], f"spec.{field}")
            yield from check_at_most_all(spec[field], f"spec.{field}")
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy is not None and policy not in EVICTION_POLICIES:
        yield unsupported("spec.unhealthyPodEvictionPolicy", policy, EVICTION_POLICIES)
    if "selector" in spec:
        yield from check_selector(spec["selector"], "spec.selector")


def check_quota(quota: Object) -> Iterator[FieldError]:
    """ValidateResourceQuotaSpec"""
    spec = quota.get("spec", {})
    for name, text in spec.get("hard", {}).items():
        field = f"spec.hard[{name}]"
        yield from (wrong(field, name, why) for why in _wrong_name(name))
        if parse(text) < 0:
            yield wrong(field, text, "must be greater than or equal to 0")
        elif parse(text).denominator != 1 and name not in COMPUTE:
            yield wrong(field, text, "must be an integer")
    if "scopes" in spec:
        yield from _check_scopes(spec["scopes"], spec.get("hard", {}))


def check_scopes_kept(new: Object, old: Object) -> Iterator[FieldError]:
    """ValidateResourceQuotaUpdate"""
    before, after = (each.get("spec", {}).get("scopes", []) for each in (old, new))
    if sorted(before) != sorted(after):
        yield wrong("spec.scopes", after, IMMUTABLE)


def _wrong_name(name: str) -> Iterator[str]:
    """ValidateResourceQuotaResourceName"""
    yield from is_qualified_name(name)
    if "/" not in name and name not in STANDARD:
        yield "must be a standard resource type or fully qualified"
        yield "must be a standard resource for quota"


def _check_scopes(scopes: list[str], hard: Object) -> Iterator[FieldError]:
    """validateResourceQuotaScopes"""
    for scope in scopes:
        if scope not in SCOPES:
            yield wrong("spec.scopes", scopes, "unsupported scope")
        allowed = {"pods"} if scope == "BestEffort" else OF_PODS
        if any(name not in allowed and "/" not in name for name in hard):
            yield wrong("spec.scopes", scopes, "unsupported scope applied to resource")
    if any(one in scopes and other in scopes for one, other in OPPOSITE):
        yield wrong("spec.scopes", scopes, "conflicting scopes")


def check_autoscaler(autoscaler: Object) -> Iterator[FieldError]:
    """validateHorizontalPodAutoscalerSpec, pkg/apis/autoscaling/validation"""
    spec = autoscaler["spec"]
    least, most = spec["minReplicas"], spec.get("maxReplicas", 0)
    if least < 1:
        yield wrong("spec.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        yield wrong("spec.maxReplicas", most, "must be greater than 0")
    if most < least:
        yield wrong("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
