"""Autoscalers on a cluster that measures nothing: they keep to their bounds."""

from typing import Any

import pytest

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.cluster import Simulator
from tests.simulator.controllers.sets import stateful_set


def autoscaler(least: int = 2, most: int = 5, name: str = "db") -> Object:
    target = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": name}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "a", "namespace": "default"},
        "spec": {"scaleTargetRef": target, "minReplicas": least, "maxReplicas": most},
    }


def autoscaled(replicas: int, **bounds: Any) -> Simulator:
    cluster = Simulator(keeps=True)
    cluster.api.create(stateful_set(replicas))
    cluster.clock.sleep(10)
    cluster.api.create(autoscaler(**bounds))
    return cluster


def conditions(cluster: Simulator) -> list[tuple[str, str, str]]:
    found = cluster.api.get("horizontalpodautoscalers", "a", "default")["status"]["conditions"]
    return [(each["type"], each["status"], each["reason"]) for each in found]


def told(cluster: Simulator) -> list[tuple[str, str]]:
    events = cluster.api.list("events", "default")
    return [
        (each["reason"], each["message"])
        for each in events
        if each["involvedObject"]["kind"] == "HorizontalPodAutoscaler"
    ]


@pytest.mark.parametrize(
    ("replicas", "size", "why"), [(1, 2, "below Spec.MinReplicas"), (7, 5, "above Spec.MaxReplicas")]
)
def test_the_bounds_are_kept(replicas: int, size: int, why: str) -> None:
    """Fifteen seconds after it came; the status is as the target was found."""
    cluster = autoscaled(replicas)
    cluster.clock.sleep(14)
    assert told(cluster) == []
    cluster.clock.sleep(2)
    assert cluster.api.get("statefulsets", "db", "default")["spec"]["replicas"] == size
    said = f"New size: {size}; reason: Current number of replicas {why}"
    assert told(cluster) == [("SuccessfulRescale", said)]
    status = cluster.api.get("horizontalpodautoscalers", "a", "default")["status"]
    assert (status["currentReplicas"], status["desiredReplicas"]) == (replicas, size)
    assert conditions(cluster) == [("AbleToScale", "True", "SucceededRescale")]


def test_what_cannot_be_measured_is_told() -> None:
    """Nothing serves metrics."""
    cluster = autoscaled(2)
    cluster.clock.sleep(16)
    reasons = [reason for reason, _ in told(cluster)]
    assert reasons == ["FailedGetResourceMetric", "FailedComputeMetricsReplicas"]
    assert conditions(cluster) == [
        ("AbleToScale", "True", "SucceededGetScale"),
        ("ScalingActive", "False", "FailedGetResourceMetric"),
    ]


def test_a_target_that_is_not_there() -> None:
    """It says so."""
    cluster = autoscaled(2, name="nosuch")
    cluster.clock.sleep(16)
    assert told(cluster) == [("FailedGetScale", 'statefulsets.apps "nosuch" not found')]
    assert conditions(cluster) == [("AbleToScale", "False", "FailedGetScale")]


def test_bounds_that_cannot_be() -> None:
    """As Kubernetes refuses them."""
    with pytest.raises(ApiError, match="must be greater than or equal to `minReplicas`"):
        Simulator(keeps=True).api.create(autoscaler(most=1))
