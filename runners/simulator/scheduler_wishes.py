"""What a pod wishes of the pods around it: to be beside some, apart from others, spread among its own.

pkg/scheduler/framework/types.go AffinityTerm, podtopologyspread/common.go topologySpreadConstraint
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from gherkube.runners.objects import PREFERRED, REQUIRED, Object
from gherkube.runners.selectors import LabelTest, from_label_selector

AMONG_PODS = ("podAffinity", "podAntiAffinity")

NamespaceLabels: TypeAlias = Callable[[str], Mapping[str, str]]
"""Tells the labels of a namespace."""


class Term(NamedTuple):
    """Pods that another is to be beside or apart from, and what beside means."""

    key: str
    """The label of nodes whose value makes them one place."""
    labels: LabelTest
    namespaces: frozenset[str]
    among: LabelTest | None
    """A test of the labels of further namespaces."""
    weight: int

    def selects(self, pod: Object, namespaces: NamespaceLabels) -> bool:
        """Whether the term is about that pod."""
        metadata = pod["metadata"]
        place = metadata["namespace"]
        if place not in self.namespaces and (self.among is None or not self.among(namespaces(place))):
            return False
        return self.labels(metadata.get("labels") or {})


class Constraint(NamedTuple):
    """How unevenly pods may lie over the places that a label of nodes makes."""

    key: str
    skew: int
    labels: LabelTest
    counts_itself: bool
    least_domains: int
    honors_affinity: bool
    honors_taints: bool


class Wishes:
    """Those of one pod.

    `near`, `apart`: required; `liked`: preferred, with negative weights what is disliked; `hard` and
    `soft`: the spread that must be and that should be.
    """

    def __init__(self, pod: Object) -> None:
        spec = pod["spec"]
        affinity = spec.get("affinity") or {}
        near, apart = ((affinity.get(kind) or {}) for kind in AMONG_PODS)
        self.near = tuple(_term(term, pod) for term in near.get(REQUIRED) or ())
        self.apart = tuple(_term(term, pod) for term in apart.get(REQUIRED) or ())
        self.liked = tuple(
            _term(entry["podAffinityTerm"], pod, sign * entry["weight"])
            for terms, sign in ((near, 1), (apart, -1))
            for entry in terms.get(PREFERRED) or ()
        )
        labels = pod["metadata"].get("labels") or {}
        spreads = [
            (said["whenUnsatisfiable"], _constraint(said, labels))
            for said in spec.get("topologySpreadConstraints") or ()
        ]
        self.hard = tuple(each for what, each in spreads if what == "DoNotSchedule")
        self.soft = tuple(each for what, each in spreads if what == "ScheduleAnyway")
        self.keys = frozenset(
            [term.key for term in (*self.near, *self.apart)] + [constraint.key for constraint in self.hard]
        )
        """The labels of nodes on which it depends where the pod may be."""

    def counts(self, mine: Object, other: Object) -> bool:
        """Whether the spread that must be counts the other pod."""
        there = other["metadata"]
        return there["namespace"] == mine["metadata"]["namespace"] and any(
            constraint.labels(there.get("labels") or {}) for constraint in self.hard
        )


NONE = Wishes({"metadata": {"namespace": ""}, "spec": {}})


def wishes_of(pod: Object) -> Wishes:
    """What a pod wishes of others; `NONE` itself where it says nothing of them."""
    spec = pod["spec"]
    affinity = spec.get("affinity")
    if spec.get("topologySpreadConstraints") or (affinity and any(map(affinity.get, AMONG_PODS))):
        return Wishes(pod)
    return NONE


def _term(said: Object, pod: Object, weight: int = 0) -> Term:
    named = frozenset(said.get("namespaces") or ())
    among = said.get("namespaceSelector")
    if not named and among is None:
        named = frozenset({pod["metadata"]["namespace"]})
    return Term(
        said["topologyKey"],
        from_label_selector(_narrowed(said, pod["metadata"].get("labels") or {})),
        named,
        None if among is None else from_label_selector(among),
        weight,
    )


def _constraint(said: Object, labels: dict[str, str]) -> Constraint:
    test = from_label_selector(_narrowed(said, labels))
    return Constraint(
        said["topologyKey"],
        said["maxSkew"],
        test,
        test(labels),
        said.get("minDomains", 1),
        said.get("nodeAffinityPolicy", "Honor") == "Honor",
        said.get("nodeTaintsPolicy", "Ignore") == "Honor",
    )


def _narrowed(said: Object, labels: dict[str, str]) -> Object | None:
    """The label selector, with what the pod's own labels say where their keys are named.

    pkg/registry/core/pod/strategy.go applyLabelKeysToLabelSelector
    """
    selector: Object | None = said.get("labelSelector")
    own = [
        {"key": key, "operator": operator, "values": [labels[key]]}
        for field, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn"))
        for key in said.get(field) or ()
        if key in labels
    ]
    if selector is None or not own:
        return selector
    return {**selector, "matchExpressions": [*(selector.get("matchExpressions") or ()), *own]}
