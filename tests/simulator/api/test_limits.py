"""Limit ranges: what containers are given, and what is refused; the words are a real cluster's."""

from typing import Any

import pytest

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.cluster import Simulator
from tests.simulator.api.test_quota import pod

CONTAINER: Object = {
    "type": "Container",
    "default": {"cpu": "200m", "memory": "64Mi"},
    "defaultRequest": {"cpu": "100m"},
    "max": {"cpu": "500m"},
    "min": {"cpu": "50m"},
    "maxLimitRequestRatio": {"cpu": "4"},
}
POD: Object = {"type": "Pod", "max": {"cpu": "600m"}}


def limit_range(*limits: Object) -> Object:
    metadata = {"name": "lr", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": {"limits": list(limits)}}


def limited(*limits: Object) -> Simulator:
    found = Simulator()
    found.api.create(limit_range(*limits))
    return found


def test_what_is_not_said_is_filled_in() -> None:
    """Requests that nothing names are those of the limits; a note tells of it."""
    made = limited(CONTAINER, POD).api.create(pod("a"))
    assert made["spec"]["containers"][0]["resources"] == {
        "limits": {"cpu": "200m", "memory": "64Mi"},
        "requests": {"cpu": "100m", "memory": "64Mi"},
    }
    assert made["metadata"]["annotations"] == {
        "kubernetes.io/limit-ranger": (
            "LimitRanger plugin set: cpu, memory request for container app; "
            "cpu, memory limit for container app"
        )
    }
    assert made["status"]["qosClass"] == "Burstable"


def test_what_a_range_does_not_say_follows() -> None:
    """Defaults follow the largest, and requests the limits."""
    api = Simulator().api
    (limit,) = api.create(limit_range({"type": "Container", "max": {"cpu": "1"}}))["spec"]["limits"]
    assert limit["default"] == limit["defaultRequest"] == {"cpu": "1"}


@pytest.mark.parametrize(
    ("resources", "said"),
    [
        (
            {"limits": {"cpu": "1"}},
            (
                "[maximum cpu usage per Container is 500m, but limit is 1, "
                "maximum cpu usage per Pod is 600m, but limit is 1]"
            ),
        ),
        (
            {"limits": {"cpu": "300m"}, "requests": {"cpu": "60m"}},
            "cpu max limit to request ratio per Container is 4, but provided ratio is 5.000000",
        ),
        (
            {"limits": {"cpu": "80m"}, "requests": {"cpu": "40m"}},
            "minimum cpu usage per Container is 50m, but request is 40m",
        ),
    ],
)
def test_what_is_outside_is_refused(resources: Object, said: str) -> None:
    """Each container, and all of a pod together."""
    with pytest.raises(ApiError) as refused:
        limited(CONTAINER, POD).api.create(pod("a", resources))
    assert refused.value.message == f'pods "a" is forbidden: {said}'


def test_nothing_said_is_outside_too() -> None:
    """Of a kind of item that fills nothing in."""
    with pytest.raises(ApiError, match=r"maximum cpu usage per Pod is 600m\.  No limit is specified"):
        limited(POD).api.create(pod("a"))


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (
            {"type": "Container", "max": {"cpu": "1"}, "min": {"cpu": "2"}},
            [
                'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
                (
                    'spec.limits[0].defaultRequest[cpu]: Invalid value: "1": '
                    "min value 2 is greater than default request value 1"
                ),
                (
                    'spec.limits[0].default[cpu]: Invalid value: "2": '
                    "min value 2 is greater than default value 1"
                ),
            ],
        ),
        (
            {"type": "Pod", "default": {"cpu": "1"}},
            ["spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"],
        ),
    ],
)
def test_ranges_that_cannot_be(limit: Object, said: list[Any]) -> None:
    """As Kubernetes refuses them."""
    with pytest.raises(ApiError) as refused:
        limited(limit)
    causes = (refused.value.details or {})["causes"]
    assert [f"{cause['field']}: {cause['message']}" for cause in causes] == said
