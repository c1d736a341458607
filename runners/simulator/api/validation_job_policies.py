"""Validation of what a Job says of its failures and successes beyond numbers.

pkg/apis/batch/validation/validation.go validatePodFailurePolicy, validateSuccessPolicy
"""

from __future__ import annotations

from collections.abc import Iterator

from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.go_values import go_value
from gherkube.runners.simulator.api.refusals import (
    FieldError,
    duplicate,
    required,
    unsupported,
    wrong,
)
from gherkube.runners.simulator.api.validation_meta import is_qualified_name
from gherkube.runners.simulator.api.validation_pods import NOT_NEGATIVE

ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
NEEDS_INDEXES = "requires indexed completion mode"
OPERATORS = ("In", "NotIn")
STATUSES = ("False", "True", "Unknown")
NO_RULES = "at least one rules must be specified when the successPolicy is specified"
NO_CRITERION = "at least one of succeededCount or succeededIndexes must be specified"


def check_policies(spec: Object, path: str) -> Iterator[FieldError]:
    """What is wrong with a Job's podFailurePolicy, successPolicy and podReplacementPolicy."""
    if "podFailurePolicy" in spec:
        containers = [
            each["name"]
            for kind in ("containers", "initContainers")
            for each in spec["template"]["spec"].get(kind, ())
        ]
        for index, rule in enumerate(spec["podFailurePolicy"].get("rules", ())):
            yield from _check_rule(spec, rule, f"{path}.podFailurePolicy.rules[{index}]", containers)
    if "successPolicy" in spec:
        if spec.get("completionMode") != "Indexed":
            shown = go_value({"rules": [], **spec["successPolicy"]}, "SuccessPolicy")
            yield wrong(f"{path}.successPolicy", shown, NEEDS_INDEXES)
        else:
            yield from _check_success(spec, f"{path}.successPolicy.rules")
    allowed = ("Failed",) if "podFailurePolicy" in spec else ("Failed", "TerminatingOrFailed")
    if (replacement := spec.get("podReplacementPolicy", "Failed")) not in allowed:
        yield unsupported(f"{path}.podReplacementPolicy", replacement, allowed)


def _check_rule(spec: Object, rule: Object, path: str, containers: list[str]) -> Iterator[FieldError]:
    """validatePodFailurePolicyRule"""
    action = rule.get("action", "")
    if not action:
        yield required(f"{path}.action", _one_of(ACTIONS))
    elif action == "FailIndex" and "backoffLimitPerIndex" not in spec:
        yield wrong(f"{path}.action", action, "requires the backoffLimitPerIndex to be set")
    elif action not in ACTIONS:
        yield unsupported(f"{path}.action", action, ACTIONS)
    if "onExitCodes" in rule:
        yield from _check_exit_codes(rule["onExitCodes"], f"{path}.onExitCodes", containers)
    for index, pattern in enumerate(rule.get("onPodConditions", ())):
        yield from _check_pattern(pattern, f"{path}.onPodConditions[{index}]")
    if "onExitCodes" in rule and rule.get("onPodConditions"):
        yield FieldError(
            path, "Invalid value", "specifying both OnExitCodes and OnPodConditions is not supported"
        )
    if "onExitCodes" not in rule and not rule.get("onPodConditions"):
        yield FieldError(
            path, "Invalid value", "specifying one of OnExitCodes and OnPodConditions is required"
        )


def _check_pattern(pattern: Object, path: str) -> Iterator[FieldError]:
    type_ = pattern.get("type", "")
    yield from (wrong(f"{path}.type", type_, why) for why in is_qualified_name(type_))
    if not (status := pattern.get("status", "")):
        yield required(f"{path}.status", _one_of(STATUSES))
    elif status not in STATUSES:
        yield unsupported(f"{path}.status", status, STATUSES)


def _check_exit_codes(wanted: Object, path: str, containers: list[str]) -> Iterator[FieldError]:
    operator, values = wanted.get("operator", ""), wanted.get("values", [])
    if not operator:
        yield required(f"{path}.operator", _one_of(OPERATORS))
    elif operator not in OPERATORS:
        yield unsupported(f"{path}.operator", operator, OPERATORS)
    if (name := wanted.get("containerName")) is not None and name not in containers:
        why = "must be one of the container or initContainer names in the pod template"
        yield wrong(f"{path}.containerName", name, why)
    if not values:
        yield wrong(f"{path}.values", None, "at least one value is required")
    for index, value in enumerate(values):
        if operator == "In" and value == 0:
            yield wrong(f"{path}.values[{index}]", value, "must not be 0 for the In operator")
        if value in values[:index]:
            yield duplicate(f"{path}.values[{index}]", value)
    if values != sorted(values):
        yield wrong(f"{path}.values", values, "must be ordered")


def _check_success(spec: Object, path: str) -> Iterator[FieldError]:
    """validateSuccessPolicy, validateSuccessPolicyRule"""
    rules, completions = spec["successPolicy"].get("rules", ()), spec.get("completions", 0)
    if not rules:
        yield required(path, NO_RULES)
    for index, rule in enumerate(rules):
        count, count_path = rule.get("succeededCount"), f"{path}[{index}].succeededCount"
        if count is None and "succeededIndexes" not in rule:
            yield required(f"{path}[{index}]", NO_CRITERION)
        if count is None:
            continue
        if count < 0:
            yield wrong(count_path, count, NOT_NEGATIVE)
        if count > completions:
            why = f"must be less than or equal to {completions} (the number of specified completions)"
            yield wrong(count_path, count, why)


def _one_of(words: tuple[str, ...]) -> str:
    return "valid values: [" + " ".join(f'"{word}"' for word in words) + "]"
