"""Validation of what steers a pod to nodes: tolerations, affinity, spreading.

pkg/apis/core/validation/validation.go
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gherkube.runners.objects import PREFERRED, REQUIRED, Object
from gherkube.runners.simulator.api.refusals import FieldError, required, unsupported, wrong
from gherkube.runners.simulator.api.validation_meta import (
    check_expression,
    check_selector,
    is_dns_subdomain,
    is_qualified_name,
)

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")
WEIGHTS = range(1, 101)
EMPTY = "can not be empty"


def check_tolerations(tolerations: Any, field: str) -> Iterator[FieldError]:
    """ValidateTolerations"""
    for at, toleration in enumerate(tolerations):
        path = f"{field}[{at}]"
        key, operator = toleration.get("key", ""), toleration.get("operator", "")
        effect = toleration.get("effect", "")
        for message in is_qualified_name(key) if key else ():
            yield wrong(f"{path}.key", key, message)
        if not key and operator != "Exists":
            said = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            yield wrong(f"{path}.operator", operator, said)
        if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
            said = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            yield wrong(f"{path}.effect", effect, said)
        if operator == "Exists" and (value := toleration.get("value")):
            yield wrong(f"{path}.operator", value, "value must be empty when `operator` is 'Exists'")
        if operator not in ("", "Equal", "Exists"):
            yield unsupported(f"{path}.operator", operator, ("Equal", "Exists"))
        if effect and effect not in EFFECTS:
            yield unsupported(f"{path}.effect", effect, EFFECTS)


def check_affinity(affinity: Object, field: str) -> Iterator[FieldError]:
    """validateAffinity"""
    yield from _check_node_affinity(affinity.get("nodeAffinity") or {}, f"{field}.nodeAffinity")
    for kind in ("podAffinity", "podAntiAffinity"):
        yield from _check_pod_affinity(affinity.get(kind) or {}, f"{field}.{kind}")


def check_spreading(constraints: Any, field: str) -> Iterator[FieldError]:
    """validateTopologySpreadConstraints"""
    for at, constraint in enumerate(constraints):
        path, when = f"{field}[{at}]", constraint.get("whenUnsatisfiable", "")
        skew = constraint.get("maxSkew", 0)
        if skew <= 0:
            yield wrong(f"{path}.maxSkew", skew, "must be greater than zero")
        if not constraint.get("topologyKey"):
            yield required(f"{path}.topologyKey", EMPTY)
        if when not in UNSATISFIABLE:
            yield unsupported(f"{path}.whenUnsatisfiable", when, UNSATISFIABLE)
        yield from check_selector(constraint.get("labelSelector") or {}, f"{path}.labelSelector")


def _check_node_affinity(affinity: Object, field: str) -> Iterator[FieldError]:
    needed = affinity.get(REQUIRED)
    if needed is not None:
        path, terms = f"{field}.{REQUIRED}.nodeSelectorTerms", needed.get("nodeSelectorTerms") or ()
        if not terms:
            yield required(path, "must have at least one node selector term")
        for at, term in enumerate(terms):
            yield from _check_term(term, f"{path}[{at}]")
    for at, term in enumerate(affinity.get(PREFERRED) or ()):
        path = f"{field}.{PREFERRED}[{at}]"
        yield from _check_weight(term, path)
        yield from _check_term(term.get("preference") or {}, f"{path}.preference")


def _check_term(term: Object, field: str) -> Iterator[FieldError]:
    """ValidateNodeSelectorTerm"""
    for at, each in enumerate(term.get("matchExpressions") or ()):
        yield from check_expression(each, f"{field}.matchExpressions[{at}]", compares=True)
    for at, each in enumerate(term.get("matchFields") or ()):
        yield from _check_field(each, f"{field}.matchFields[{at}]")


def _check_field(term: Object, field: str) -> Iterator[FieldError]:
    """ValidateNodeFieldSelectorRequirement"""
    operator, values, key = term.get("operator", ""), term.get("values") or (), term.get("key", "")
    if operator not in ("In", "NotIn"):
        yield wrong(f"{field}.operator", operator, "not a valid selector operator")
    elif len(values) != 1:
        said = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        yield required(f"{field}.values", said)
    if key != "metadata.name":
        yield wrong(f"{field}.key", key, "not a valid field selector key")
        return
    for at, value in enumerate(values):
        yield from (wrong(f"{field}.values[{at}]", value, message) for message in is_dns_subdomain(value))


def _check_pod_affinity(affinity: Object, field: str) -> Iterator[FieldError]:
    for at, term in enumerate(affinity.get(REQUIRED) or ()):
        yield from _check_pod_term(term, f"{field}.{REQUIRED}[{at}]")
    for at, weighted in enumerate(affinity.get(PREFERRED) or ()):
        path = f"{field}.{PREFERRED}[{at}]"
        yield from _check_weight(weighted, path)
        yield from _check_pod_term(weighted.get("podAffinityTerm") or {}, f"{path}.podAffinityTerm")


def _check_pod_term(term: Object, field: str) -> Iterator[FieldError]:
    """validatePodAffinityTerm"""
    yield from check_selector(term.get("labelSelector") or {}, f"{field}.labelSelector")
    key = term.get("topologyKey", "")
    if not key:
        yield required(f"{field}.topologyKey", EMPTY)
    yield from (wrong(f"{field}.topologyKey", key, message) for message in is_qualified_name(key))


def _check_weight(term: Object, field: str) -> Iterator[FieldError]:
    weight = term.get("weight", 0)
    if weight not in WEIGHTS:
        yield wrong(f"{field}.weight", weight, "must be in the range 1-100")
