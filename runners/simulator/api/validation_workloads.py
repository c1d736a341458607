"""Validation of workloads: what has a selector, a pod template, and a strategy for changing pods.

pkg/apis/apps/validation/validation.go
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gherkube.runners.objects import Object
from gherkube.runners.selectors import from_label_selector
from gherkube.runners.simulator.api.claims import check_claim
from gherkube.runners.simulator.api.go_values import go_value
from gherkube.runners.simulator.api.refusals import (
    IMMUTABLE,
    FieldError,
    forbidden_field,
    required,
    unsupported,
    wrong,
)
from gherkube.runners.simulator.api.validation_meta import (
    check_annotations,
    check_labels,
    check_selector,
    is_dns_label,
)
from gherkube.runners.simulator.api.validation_pods import NOT_NEGATIVE, check_pod_spec

NO_PERCENT = (
    "a valid percent string must be a numeric string followed by an ending '%' "
    "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
)
_PERCENT, _DIGITS = re.compile("[0-9]+%"), re.compile("[+-]?[0-9]+")
POLICIES = ("OrderedReady", "Parallel")
STRATEGIES = ("RollingUpdate", "OnDelete")
RETENTIONS = ("Retain", "Delete")
KEPT_IN_SETS = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
    "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
    "'minReadySeconds' are forbidden"
)
FREE_IN_SETS = frozenset(
    {
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    }
)


def check_deployment(deployment: Object) -> Iterator[FieldError]:
    """ValidateDeploymentSpec"""
    spec = deployment["spec"]
    yield from not_negative(spec, "replicas")
    yield from check_selector_and_template(spec)
    yield from check_strategy(spec["strategy"])
    yield from not_negative(spec, "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")
    deadline = spec["progressDeadlineSeconds"]
    if deadline <= spec.get("minReadySeconds", 0):
        yield wrong("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def check_replica_set(replica_set: Object) -> Iterator[FieldError]:
    """ValidateReplicaSetSpec"""
    yield from not_negative(replica_set["spec"], "replicas", "minReadySeconds")
    yield from check_selector_and_template(replica_set["spec"])


def check_selector_and_template(spec: Object, kind: str = "ReplicaSet") -> Iterator[FieldError]:
    """The selector and ValidatePodTemplateSpecForReplicaSet"""
    selector, template = spec.get("selector"), spec["template"]
    if selector is None:
        yield required("spec.selector")
    else:
        problems = list(check_selector(selector, "spec.selector"))
        if not selector:
            problems.append(
                wrong("spec.selector", _as_go(selector), "empty selector is invalid for deployment")
            )
        yield from problems
        if any(problem.field.endswith((".operator", ".values")) for problem in problems):
            yield wrong("spec.selector", _as_go(selector), "invalid label selector")
            return
    metadata, pod = template["metadata"], template["spec"]
    labels = metadata.get("labels")
    if not from_label_selector(selector)(labels or {}):
        said = "`selector` does not match template `labels`"
        yield wrong("spec.template.metadata.labels", labels and dict(sorted(labels.items())), said)
    yield from check_labels(labels, "spec.template.labels")
    yield from check_annotations(metadata.get("annotations"), "spec.template.annotations")
    yield from check_pod_spec(pod, "spec.template.spec")
    if pod["restartPolicy"] != "Always":
        yield unsupported("spec.template.spec.restartPolicy", pod["restartPolicy"], ["Always"])
    if "activeDeadlineSeconds" in pod:
        said = f"activeDeadlineSeconds in {kind} is not Supported"
        yield forbidden_field("spec.template.spec.activeDeadlineSeconds", said)


def check_strategy(strategy: Object) -> Iterator[FieldError]:
    """ValidateDeploymentStrategy, ValidateRollingUpdateDeployment"""
    type_, rolling = strategy["type"], strategy.get("rollingUpdate")
    if type_ == "Recreate":
        if rolling is not None:
            said = "may not be specified when strategy `type` is 'Recreate'"
            yield forbidden_field("spec.strategy.rollingUpdate", said)
    elif type_ != "RollingUpdate":
        shown = {"Type": type_, "RollingUpdate": None if rolling is None else {}}
        yield unsupported("spec.strategy", shown, ("Recreate", "RollingUpdate"))
    elif rolling is not None:
        path = "spec.strategy.rollingUpdate"
        unavailable, surge = rolling["maxUnavailable"], rolling["maxSurge"]
        yield from check_int_or_percent(unavailable, f"{path}.maxUnavailable")
        yield from check_int_or_percent(surge, f"{path}.maxSurge")
        if _number(unavailable) == 0 and _number(surge) == 0:
            yield wrong(f"{path}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0")
        yield from check_at_most_all(unavailable, f"{path}.maxUnavailable")


def check_at_most_all(value: int | str, field: str) -> Iterator[FieldError]:
    """IsNotMoreThan100Percent"""
    if _is_percent(value) and _number(value) > 100:
        yield wrong(field, value, "must not be greater than 100%")


def check_int_or_percent(value: int | str, field: str) -> Iterator[FieldError]:
    """ValidatePositiveIntOrPercent"""
    if isinstance(value, str):
        if not _is_percent(value):
            yield wrong(field, value, NO_PERCENT)
    elif value < 0:
        yield wrong(field, value, NOT_NEGATIVE)


def check_selector_kept(new: Object, old: Object) -> Iterator[FieldError]:
    """The selector of a Deployment or ReplicaSet cannot change: strategy.go ValidateUpdate"""
    selector = new["spec"].get("selector")
    if selector != old["spec"].get("selector"):
        yield wrong("spec.selector", _as_go(selector), IMMUTABLE)


def _as_go(selector: Object | None) -> Object | None:
    """A LabelSelector with its fields in the order in which Go writes them."""
    if selector is None:
        return None
    labels, terms = selector.get("matchLabels", {}), selector.get("matchExpressions", ())
    ordered: Object = {"matchLabels": dict(sorted(labels.items()))} if labels else {}
    if terms:
        fields = ("key", "operator", "values")
        ordered["matchExpressions"] = [{f: term[f] for f in fields if f in term} for term in terms]
    return ordered


def not_negative(spec: Object, *fields: str) -> Iterator[FieldError]:
    for field in fields:
        if spec.get(field, 0) < 0:
            yield wrong(f"spec.{field}", spec[field], NOT_NEGATIVE)


def _is_percent(value: int | str) -> bool:
    return isinstance(value, str) and _PERCENT.fullmatch(value) is not None


def _number(value: int | str) -> int:
    """getIntOrPercentValue: a text that is no number counts as 0"""
    if isinstance(value, int):
        return value
    digits = value.removesuffix("%")
    return int(digits) if _DIGITS.fullmatch(digits) else 0


def check_stateful_set(stateful_set: Object) -> Iterator[FieldError]:
    """ValidateStatefulSetSpec"""
    spec = stateful_set["spec"]
    policy, strategy = spec["podManagementPolicy"], spec["updateStrategy"]
    if policy not in POLICIES:
        yield wrong("spec.podManagementPolicy", policy, f"must be '{POLICIES[0]}' or '{POLICIES[1]}'")
    if strategy["type"] not in STRATEGIES:
        shown = go_value(strategy, "StatefulSetUpdateStrategy")
        yield wrong("spec.updateStrategy", shown, f"must be '{STRATEGIES[0]}' or '{STRATEGIES[1]}'")
    if strategy["type"] == "OnDelete" and "rollingUpdate" in strategy:
        shown = go_value(strategy, "StatefulSetUpdateStrategy")["RollingUpdate"]
        said = "only allowed for updateStrategy 'RollingUpdate'"
        yield wrong("spec.updateStrategy.rollingUpdate", shown, said)
    partition = strategy.get("rollingUpdate", {}).get("partition", 0)
    if partition < 0:
        yield wrong("spec.updateStrategy.rollingUpdate.partition", partition, NOT_NEGATIVE)
    for field, retention in spec["persistentVolumeClaimRetentionPolicy"].items():
        if retention not in RETENTIONS:
            path = f"spec.persistentVolumeClaimRetentionPolicy.{field}"
            yield unsupported(path, retention, RETENTIONS)
    yield from not_negative(spec, "replicas", "minReadySeconds")
    if (start := spec.get("ordinals", {}).get("start", 0)) < 0:
        yield wrong("spec.ordinals.start", start, NOT_NEGATIVE)
    yield from check_selector_and_template(_with_claimed_volumes(spec))
    if name := spec.get("serviceName"):
        yield from (wrong("spec.serviceName", name, message) for message in is_dns_label(name))
    for at, claim in enumerate(spec.get("volumeClaimTemplates", ())):
        yield from check_claim(claim, f"spec.volumeClaimTemplates[{at}].spec")


def _with_claimed_volumes(spec: Object) -> Object:
    """The spec of a set whose pods may mount what they claim. ValidatePodTemplateSpecForStatefulSet"""
    names = [claim["metadata"].get("name", "") for claim in spec.get("volumeClaimTemplates", ())]
    if not names:
        return spec
    claimed = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names]
    template = spec["template"]
    others = [each for each in template["spec"].get("volumes", ()) if each["name"] not in names]
    volumes = {**template["spec"], "volumes": [*others, *claimed]}
    return {**spec, "template": {**template, "spec": volumes}}


def check_stateful_set_update(new: Object, old: Object) -> Iterator[FieldError]:
    """ValidateStatefulSetUpdate"""
    before, after = (
        {field: value for field, value in each["spec"].items() if field not in FREE_IN_SETS}
        for each in (old, new)
    )
    if before != after:
        yield forbidden_field("spec", KEPT_IN_SETS)


def check_daemon_set(daemon_set: Object) -> Iterator[FieldError]:
    """ValidateDaemonSetSpec, ValidateDaemonSetUpdateStrategy"""
    spec = daemon_set["spec"]
    yield from check_selector_and_template(spec, "DaemonSet")
    yield from not_negative(spec, "minReadySeconds", "revisionHistoryLimit")
    strategy = spec["updateStrategy"]
    if strategy["type"] not in STRATEGIES:
        shown = go_value(strategy, "DaemonSetUpdateStrategy")
        yield unsupported("spec.updateStrategy", shown, STRATEGIES)
    elif strategy["type"] == "RollingUpdate":
        yield from _check_daemon_rolling(strategy["rollingUpdate"], "spec.updateStrategy.rollingUpdate")


def _check_daemon_rolling(rolling: Object, path: str) -> Iterator[FieldError]:
    unavailable, surge = rolling["maxUnavailable"], rolling["maxSurge"]
    for field, value in (("maxUnavailable", unavailable), ("maxSurge", surge)):
        yield from check_int_or_percent(value, f"{path}.{field}")
        yield from check_at_most_all(value, f"{path}.{field}")
    if _number(unavailable) and _number(surge):
        yield wrong(f"{path}.maxSurge", surge, "may not be set when maxUnavailable is non-zero")
    if not _number(unavailable) and not _number(surge):
        yield required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0")
