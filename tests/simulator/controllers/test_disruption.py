"""Disruption budgets: how many pods may be evicted, and who may not be."""

from typing import Any

import pytest

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object, is_deleting
from gherkube.runners.simulator.cluster import Simulator

BODY = {"apiVersion": "policy/v1", "kind": "Eviction"}
PROBE = {"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 1}


def deployment(replicas: int) -> Object:
    container = {"name": "app", "image": "hello:1", "readinessProbe": PROBE}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
        },
    }


def budget(name: str = "web", **spec: Any) -> Object:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec},
    }


def cluster(replicas: int = 4, **spec: Any) -> Simulator:
    found = Simulator()
    found.faults.behave("hello:1", ready_after=5)
    found.api.create(deployment(replicas))
    found.api.create(budget(**spec))
    found.clock.sleep(30)
    return found


def status(found: Simulator) -> Object:
    shown: Object = found.api.get("poddisruptionbudgets", "web", "default")["status"]
    return shown


def counts(found: Simulator) -> tuple[int, int, int, int]:
    shown = status(found)
    return tuple(  # type: ignore[return-value]
        shown[field] for field in ("expectedPods", "desiredHealthy", "currentHealthy", "disruptionsAllowed")
    )


def evict(found: Simulator) -> str:
    """Evicts a pod, of those that nobody has evicted yet the one that is oldest; its name."""
    pods = [pod for pod in found.api.list("pods", "default") if not is_deleting(pod)]
    name: str = min(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))["metadata"]["name"]
    found.api.post("pods", name, "eviction", BODY, "default")
    return name


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"minAvailable": 3}, (4, 3, 4, 1)),
        ({"minAvailable": 9}, (4, 9, 4, 0)),
        ({"minAvailable": "50%"}, (4, 2, 4, 2)),
        ({"minAvailable": "60%"}, (4, 3, 4, 1)),
        ({"maxUnavailable": 1}, (4, 3, 4, 1)),
        ({"maxUnavailable": "30%"}, (4, 2, 4, 2)),
        ({"maxUnavailable": 0}, (4, 4, 4, 0)),
        ({}, (4, 1, 4, 3)),
    ],
)
def test_arithmetic(spec: Object, expected: tuple[int, int, int, int]) -> None:
    """What is wanted, healthy and allowed, of numbers and percentages (rounded up)."""
    assert counts(cluster(**spec)) == expected


def test_condition() -> None:
    """The condition says whether a disruption is allowed."""
    for spec, told in (
        ({"minAvailable": 3}, ("True", "SufficientPods", "")),
        ({"minAvailable": 4}, ("False", "InsufficientPods", "")),
    ):
        (condition,) = status(cluster(**spec))["conditions"]
        assert condition["type"] == "DisruptionAllowed"
        assert (condition["status"], condition["reason"], condition["message"]) == told


def test_eviction_takes_a_disruption() -> None:
    """An evicted pod counts as gone at once; the next eviction is refused until it was replaced."""
    found = cluster(minAvailable=3)
    name = evict(found)
    assert status(found)["disruptedPods"].keys() == {name}
    assert status(found)["disruptionsAllowed"] == 0
    gone = found.api.get("pods", name, "default")
    (disrupted,) = [each for each in gone["status"]["conditions"] if each["type"] == "DisruptionTarget"]
    assert (disrupted["reason"], disrupted["message"]) == ("EvictionByEvictionAPI", "Eviction API: evicting")
    found.clock.sleep(1)
    with pytest.raises(ApiError) as caught:
        evict(found)
    assert (caught.value.code, caught.value.reason) == (429, "TooManyRequests")
    assert caught.value.message == "Cannot evict pod as it would violate the pod's disruption budget."
    assert caught.value.details["causes"] == [
        {
            "reason": "DisruptionBudget",
            "message": "The disruption budget web needs 3 healthy pods and has 3 currently",
        }
    ]
    found.clock.sleep(60)
    assert "disruptedPods" not in status(found)
    evict(found)


def test_deletion_ignores_budgets() -> None:
    """Only evictions are held back: a delete is not."""
    found = cluster(minAvailable=4)
    pod = found.api.list("pods", "default")[0]["metadata"]["name"]
    assert "deletionTimestamp" in found.api.delete("pods", pod, "default")["metadata"]


def test_not_looked_at_yet() -> None:
    """A budget that its controller has not seen lets nobody go, and says when to come again."""
    found = Simulator()
    found.api.create(deployment(1))
    found.clock.sleep(30)
    found.api.create(budget(minAvailable=0))
    with pytest.raises(ApiError) as caught:
        evict(found)
    assert caught.value.details["retryAfterSeconds"] == 10
    assert caught.value.details["causes"][0]["message"] == (
        "The disruption budget web is still being processed by the server."
    )


def test_two_budgets() -> None:
    """A pod with two budgets cannot be evicted at all."""
    found = cluster(minAvailable=1)
    found.api.create(budget("other", minAvailable=1))
    found.clock.sleep(1)
    with pytest.raises(ApiError, match="more than one PodDisruptionBudget") as caught:
        evict(found)
    assert caught.value.code == 500


@pytest.mark.parametrize(("policy", "passes"), [("AlwaysAllow", True), ("IfHealthyBudget", False)])
def test_unready_pods(policy: str, passes: bool) -> None:
    """An unready pod goes where its budget always lets such go, or where enough others are healthy."""
    found = Simulator()
    found.faults.behave("hello:1", never_ready=True)
    found.api.create(deployment(2))
    found.api.create(budget(minAvailable=1, unhealthyPodEvictionPolicy=policy))
    found.clock.sleep(30)
    if passes:
        evict(found)
    else:
        with pytest.raises(ApiError, match="would violate"):
            evict(found)


def test_pods_that_nobody_counts_on() -> None:
    """A pending pod is evicted whatever the budget says."""
    found = Simulator(nodes=0)
    found.api.create(deployment(1))
    found.api.create(budget(minAvailable=1))
    found.clock.sleep(5)
    (pod,) = found.api.list("pods", "default")
    evict(found)
    assert pod["metadata"]["name"] not in {each["metadata"]["name"] for each in found.api.list("pods")}


def test_budget_of_none() -> None:
    """A budget that selects nothing says so in an event."""
    found = Simulator()
    found.api.create(budget(minAvailable=1))
    found.clock.sleep(1)
    (event,) = found.api.list("events", "default")
    assert (event["reason"], event["message"]) == ("NoPods", "No matching pods found")
    assert event["source"]["component"] == "controllermanager"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"minAvailable": 1, "maxUnavailable": 1}, "minAvailable and maxUnavailable cannot be both set"),
        ({"minAvailable": "x"}, "a valid percent string"),
        ({"minAvailable": -1}, "must be greater than or equal to 0"),
        ({"minAvailable": 1, "unhealthyPodEvictionPolicy": "Never"}, 'Unsupported value: "Never"'),
    ],
)
def test_bad_budgets(spec: Object, message: str) -> None:
    """What no budget can be is refused."""
    with pytest.raises(ApiError, match=message):
        Simulator().api.create(budget(**spec))


def events(found: Simulator, reason: str) -> list[str]:
    return [each["message"] for each in found.api.list("events", "default") if each["reason"] == reason]


def test_pods_that_nobody_controls_are_warned_about() -> None:
    """Where the number of pods that there should be is asked of their controllers."""
    found = cluster(maxUnavailable=1)
    container = {"name": "app", "image": "hello:1"}
    metadata = {"name": "bare", "labels": {"app": "web"}}
    found.api.create(
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}
    )
    found.clock.sleep(5)
    (said,) = events(found, "UnmanagedPods")
    selector = (
        "&LabelSelector{MatchLabels:map[string]string{app: web,},"
        "MatchExpressions:[]LabelSelectorRequirement{},}"
    )
    assert said.startswith(f"Pods selected by this PodDisruptionBudget (selector: {selector}) were found")
    assert counts(found)[:2] == (4, 3)


def test_pods_whose_controller_is_gone_cannot_be_counted() -> None:
    """Nothing may be disrupted then."""
    found = cluster(maxUnavailable=1)
    (replica_set,) = found.api.list("replicasets", "default")
    found.api.delete("deployments", "web", "default", propagation="Background")
    found.clock.sleep(0.5)
    assert replica_set["metadata"]["name"]
    condition = status(found)["conditions"][0]
    assert (condition["status"], condition["reason"]) == ("False", "SyncFailed")
    assert condition["message"].startswith('found no controllers for pod "web-')
