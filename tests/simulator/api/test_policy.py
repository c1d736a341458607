"""Budgets, quotas and sets that cannot be, in a real cluster's words."""

import pytest

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.cluster import Simulator
from tests.simulator.api.test_quota import quota
from tests.simulator.controllers.sets import daemon_set, rolling, stateful_set


def budget(**spec: object) -> Object:
    metadata = {"name": "web", "namespace": "default"}
    selector = {"matchLabels": {"app": "web"}}
    kind = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget"}
    return {**kind, "metadata": metadata, "spec": {"selector": selector, **spec}}


BOTH = (
    '{"MinAvailable":1,"Selector":{"matchLabels":{"app":"web"}},"MaxUnavailable":"30%",'
    '"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set'
)
WRONG_NAME = (
    '[spec.hard[nosuch]: Invalid value: "nosuch": must be a standard resource type or fully qualified, '
    'spec.hard[nosuch]: Invalid value: "nosuch": must be a standard resource for quota]'
)
RECREATE = '{"Type":"Recreate","RollingUpdate":null}'
RETENTION = {"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Never"}}


@pytest.mark.parametrize(
    ("obj", "said"),
    [
        (budget(minAvailable=1, maxUnavailable="30%"), f"spec: Invalid value: {BOTH}"),
        (
            budget(maxUnavailable="150%"),
            'spec.maxUnavailable: Invalid value: "150%": must not be greater than 100%',
        ),
        (quota({"nosuch": "3"}), WRONG_NAME),
        (quota({"pods": "3"}, scopes=["Wrong"]), 'spec.scopes: Invalid value: ["Wrong"]: unsupported scope'),
        (
            quota({"services": "3"}, scopes=["BestEffort"]),
            'spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource',
        ),
        (
            quota({"pods": "3"}, scopes=["BestEffort", "NotBestEffort"]),
            'spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes',
        ),
        (
            stateful_set(updateStrategy={"type": "Recreate"}),
            f"spec.updateStrategy: Invalid value: {RECREATE}: must be 'RollingUpdate' or 'OnDelete'",
        ),
        (
            stateful_set(**RETENTION),
            'whenScaled: Unsupported value: "Never": supported values: "Retain", "Delete"',
        ),
        (stateful_set(ordinals={"start": -2}), "spec.ordinals.start: Invalid value: -2"),
        (
            daemon_set(updateStrategy={"type": "Recreate"}),
            f'Unsupported value: {RECREATE}: supported values: "RollingUpdate", "OnDelete"',
        ),
        (
            daemon_set(updateStrategy=rolling(maxUnavailable="120%")),
            'maxUnavailable: Invalid value: "120%": must not be greater than 100%',
        ),
    ],
)
def test_what_cannot_be(obj: Object, said: str) -> None:
    """Each is refused for what is wrong with it."""
    with pytest.raises(ApiError) as refused:
        Simulator().api.create(obj)
    assert said in refused.value.message


def test_what_is_off_is_dropped() -> None:
    """A StatefulSet's maxUnavailable needs a feature that 1.34 has off."""
    made = Simulator().api.create(stateful_set(updateStrategy=rolling(maxUnavailable=2, partition=1)))
    assert made["spec"]["updateStrategy"]["rollingUpdate"] == {"partition": 1}
