"""Which nodes a pod selects: by its nodeSelector and its required node affinity.

staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from gherkube.runners.objects import REQUIRED, Object

Labels: TypeAlias = Mapping[str, str]
Matcher: TypeAlias = Callable[[str, Labels], bool]
"""A question about a node's name and labels."""


def selection(spec: Object) -> Matcher:
    """Whether a node is one that pods of this spec select. RequiredNodeAffinity.Match"""
    selector: dict[str, str] = spec.get("nodeSelector") or {}
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get(REQUIRED)
    terms = [node_term(term) for term in required["nodeSelectorTerms"]] if required else None

    if not selector and terms is None:
        return lambda _name, _labels: True

    def matches(name: str, labels: Labels) -> bool:
        if any(labels.get(key) != value for key, value in selector.items()):
            return False
        return terms is None or any(term(name, labels) for term in terms)

    return matches


def named(spec: Object) -> frozenset[str] | None:
    """The nodes that each term of its required affinity names, None where one of them names none.

    pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go PreFilter
    """
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms = [_named(term) for term in (affinity.get(REQUIRED) or {}).get("nodeSelectorTerms", ())]
    named = [names for names in terms if names is not None]
    return frozenset().union(*named) if terms and len(named) == len(terms) else None


def _named(term: Object) -> frozenset[str] | None:
    fields = term.get("matchFields") or ()
    values = [frozenset(each["values"]) for each in fields if each["operator"] == "In"]
    return values[0].intersection(*values) if values else None


def node_term(term: Object) -> Matcher:
    """A node selector term as a question about a node's name and labels; an empty one matches none."""
    labels = [_expression(expression) for expression in term.get("matchExpressions") or ()]
    fields = [_expression(expression) for expression in term.get("matchFields") or ()]
    if not labels and not fields:
        return lambda _name, _labels: False

    def matches(name: str, of: Labels) -> bool:
        named = {"metadata.name": name}
        return all(test(of) for test in labels) and all(test(named) for test in fields)

    return matches


def _expression(expression: Object) -> Callable[[Labels], bool]:
    key: str = expression["key"]
    values: list[str] = expression.get("values") or []
    tests: dict[str, Callable[[str | None], bool]] = {
        "In": lambda value: value in values,
        "NotIn": lambda value: value not in values,
        "Exists": lambda value: value is not None,
        "DoesNotExist": lambda value: value is None,
        "Gt": lambda value: _number(value) > _number(values[0]),
        "Lt": lambda value: _number(value) < _number(values[0]),
    }
    test = tests[expression["operator"]]
    return lambda labels: test(labels.get(key))


def _number(text: str | None) -> float:
    try:
        return int(text or "")
    except ValueError:
        return float("nan")
