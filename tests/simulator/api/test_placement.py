"""Where a pod may go and how important it is: what the API server refuses, adds, and lets change."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.errors import ApiError
from tests.simulator.api.workshop import pod, server, service

GATES = [{"name": "example.com/a"}, {"name": "example.com/b"}]


def priority_class(name: str, value: int, **fields: Any) -> dict[str, Any]:
    metadata = {"name": name}
    version = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
    return {**version, "metadata": metadata, "value": value, **fields}


def apart(**term: Any) -> dict[str, Any]:
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            {"topologySpreadConstraints": [{"maxSkew": 0, "whenUnsatisfiable": "Sometimes"}]},
            (
                "[spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero, "
                "spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty, "
                'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "Sometimes": '
                'supported values: "DoNotSchedule", "ScheduleAnyway"]'
            ),
        ),
        (
            {"affinity": apart(labelSelector={"matchLabels": {"a": "b"}})},
            (
                "podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: "
                "Required value: can not be empty"
            ),
        ),
        (
            {"schedulingGates": GATES, "nodeName": "node-1"},
            "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared",
        ),
    ],
)
def test_what_cannot_be_asked_for_is_refused(spec: dict[str, Any], said: str) -> None:
    """In the words that were recorded."""
    with pytest.raises(ApiError) as caught:
        server().create(pod(**spec))
    assert said in str(caught.value)


def test_node_affinity_needs_a_term() -> None:
    """And each of its expressions an operator that fits its values."""
    required = "requiredDuringSchedulingIgnoredDuringExecution"

    def said(terms: list[Any]) -> str:
        affinity = {"nodeAffinity": {required: {"nodeSelectorTerms": terms}}}
        with pytest.raises(ApiError) as caught:
            server().create(pod(affinity=affinity))
        return str(caught.value)

    assert "nodeSelectorTerms: Required value: must have at least one node selector term" in said([])
    expression = {"key": "disk", "operator": "Gt", "values": ["1", "2"]}
    assert "must be specified single value when `operator` is 'Lt' or 'Gt'" in said(
        [{"matchExpressions": [expression]}]
    )


def test_gates_show_and_can_only_be_taken_off() -> None:
    """While they hold the pod, its node selector may grow."""
    api = server()
    gated = api.create(pod(schedulingGates=GATES))
    (condition,) = gated["status"]["conditions"]
    assert (condition["status"], condition["reason"]) == ("False", "SchedulingGated")
    assert condition["message"] == "Scheduling is blocked due to non-empty scheduling gates"
    api.patch("pods", "p", {"spec": {"nodeSelector": {"disk": "ssd"}}})
    with pytest.raises(ApiError, match="pod updates may not change fields"):
        api.patch("pods", "p", {"spec": {"nodeSelector": {"disk": "hdd"}}})
    api.patch("pods", "p", {"spec": {"schedulingGates": None}}, type="merge")
    with pytest.raises(ApiError) as caught:
        api.patch("pods", "p", {"spec": {"schedulingGates": [{"name": "c"}]}})
    assert str(caught.value).endswith(
        "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'c'"
    )


def test_a_pod_has_the_priority_of_its_class() -> None:
    """Or of the class for those that name none, or of the cluster's own, or 0."""
    api = server()
    assert api.create(pod("plain"))["spec"]["priority"] == 0
    api.create(priority_class("low", 5, preemptionPolicy="Never"))
    low = api.create(pod("low", priorityClassName="low"))["spec"]
    assert (low["priority"], low["preemptionPolicy"]) == (5, "Never")
    critical = api.create(pod("critical", priorityClassName="system-node-critical"))["spec"]
    assert critical["priority"] == 2_000_001_000
    api.create(priority_class("usual", 7, globalDefault=True))
    usual = api.create(pod("usual"))["spec"]
    assert (usual["priority"], usual["priorityClassName"]) == (7, "usual")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"priorityClassName": "nope"}, "no PriorityClass with name nope was found"),
        (
            {"priority": 7},
            (
                "the integer value of priority (7) must not be provided in pod spec; "
                "priority admission controller computed 0 from the given PriorityClass name"
            ),
        ),
    ],
)
def test_a_priority_comes_from_a_class_only(spec: dict[str, Any], said: str) -> None:
    """Recorded refusals."""
    with pytest.raises(ApiError) as caught:
        server().create(pod(**spec))
    assert str(caught.value) == f'pods "p" is forbidden: {said}'


def test_classes_stay_as_they_are() -> None:
    """Users' priorities end at a thousand million, and do not change."""
    api = server()
    with pytest.raises(ApiError, match="maximum allowed value of a user defined priority is 1000000000"):
        api.create(priority_class("big", 2_000_000_000))
    with pytest.raises(ApiError, match="error: system-x is not a known system priority class"):
        api.create(priority_class("system-x", 5))
    api.create(priority_class("low", 5))
    with pytest.raises(ApiError, match=r"value: Forbidden: may not be changed in an update\."):
        api.patch("priorityclasses", "low", {"value": 6})
    with pytest.raises(ApiError, match='preemptionPolicy: Invalid value: "Never": field is immutable'):
        api.patch("priorityclasses", "low", {"preemptionPolicy": "Never"})


def test_finalizers_come_before_the_deletion() -> None:
    """While an object is being deleted they can only be taken off."""
    api = server()
    held = {"name": "held", "finalizers": ["example.com/hold"]}
    api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": held})
    api.delete("configmaps", "held", "default")
    with pytest.raises(ApiError) as caught:
        api.patch("configmaps", "held", {"metadata": {"finalizers": ["example.com/more"]}})
    assert str(caught.value).endswith(
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, "
        'found new finalizers []string{"example.com/more"}'
    )


def test_an_external_name_is_needed_and_takes_the_address_away() -> None:
    """Of a service that becomes one of that type."""
    api = server()
    api.create(service())
    with pytest.raises(ApiError, match=r"spec\.externalName: Required value"):
        api.patch("services", "web", {"spec": {"type": "ExternalName"}})
    spec = api.patch("services", "web", {"spec": {"type": "ExternalName", "externalName": "example.com"}})[
        "spec"
    ]
    assert "clusterIP" not in spec
