"""Claims of volumes: when they are bound, who waits for them, and whose they are in a StatefulSet."""

from typing import Any

import pytest

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object, condition, is_deleting
from gherkube.runners.simulator.cluster import Simulator
from tests.simulator.api.test_quota import quota, used
from tests.simulator.controllers.sets import change, running, stateful_set

CLAIM: Object = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Mi"}}}


def claim(name: str = "data", **spec: Any) -> Object:
    metadata = {"name": name, "namespace": "default"}
    kind = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    return {**kind, "metadata": metadata, "spec": {**CLAIM, **spec}}


def pod() -> Object:
    spec = {
        "containers": [{"name": "app", "image": "hello:1"}],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
        "terminationGracePeriodSeconds": 1,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": "default"},
        "spec": spec,
    }


def told(cluster: Simulator, kind: str) -> list[str]:
    events = cluster.api.list("events", "default")
    return [each["message"] for each in events if each["involvedObject"]["kind"] == kind]


def claims(cluster: Simulator) -> dict[str, Object]:
    return {each["metadata"]["name"]: each for each in cluster.api.list("persistentvolumeclaims", "default")}


def with_claims(**spec: Any) -> Object:
    return stateful_set(2, volumeClaimTemplates=[{"metadata": {"name": "vol"}, "spec": CLAIM}], **spec)


def test_a_claim_gets_a_volume_of_its_own() -> None:
    """Of the one class that there is, unless it names another."""
    cluster = Simulator()
    uid = cluster.api.create(claim())["metadata"]["uid"]
    cluster.clock.sleep(1)
    bound = claims(cluster)["data"]
    assert bound["spec"]["volumeName"] == f"pvc-{uid}"
    assert bound["spec"]["storageClassName"] == "standard"
    assert bound["status"]["phase"] == "Bound"
    assert bound["status"]["capacity"] == {"storage": "10Mi"}
    (volume,) = cluster.api.list("persistentvolumes")
    assert volume["spec"]["claimRef"]["name"] == "data"
    cluster.api.delete("persistentvolumeclaims", "data", "default")
    cluster.clock.sleep(1)
    assert cluster.api.list("persistentvolumes") == []


@pytest.mark.parametrize(
    ("class_", "said"),
    [
        ("nosuch", 'storageclass.storage.k8s.io "nosuch" not found'),
        ("", "no persistent volumes available for this claim and no storage class is set"),
    ],
)
def test_a_claim_that_gets_none_says_why(class_: str, said: str) -> None:
    """And stays pending."""
    cluster = Simulator()
    cluster.api.create(claim(storageClassName=class_))
    cluster.clock.sleep(1)
    assert claims(cluster)["data"]["status"] == {"phase": "Pending"}
    assert told(cluster, "PersistentVolumeClaim") == [said]


def test_a_pod_waits_for_its_claim() -> None:
    """First for it to be there, then for it to be bound."""
    cluster = Simulator()
    cluster.api.create(pod())
    cluster.clock.sleep(1)
    waiting = condition(cluster.api.get("pods", "a", "default"), "PodScheduled")
    assert waiting is not None
    assert waiting["message"].startswith('0/4 nodes are available: persistentvolumeclaim "data" not found.')
    cluster.api.create(claim())
    cluster.clock.sleep(5)
    assert cluster.api.get("pods", "a", "default")["status"]["phase"] == "Running"
    assert any("pod has unbound immediate PersistentVolumeClaims" in text for text in told(cluster, "Pod"))


def test_a_claim_in_use_is_protected() -> None:
    """It goes with the last pod that uses it."""
    cluster = Simulator()
    cluster.api.create(claim())
    cluster.api.create(pod())
    cluster.clock.sleep(5)
    cluster.api.delete("persistentvolumeclaims", "data", "default")
    cluster.clock.sleep(5)
    assert is_deleting(claims(cluster)["data"])
    cluster.api.delete("pods", "a", "default")
    cluster.clock.sleep(5)
    assert claims(cluster) == {}


def test_a_set_makes_the_claims_of_its_pods_and_keeps_them() -> None:
    """A pod that comes again finds its own."""
    cluster = running(with_claims())
    before = claims(cluster)
    assert sorted(before) == ["vol-db-0", "vol-db-1"]
    assert before["vol-db-0"]["metadata"]["labels"] == {"app": "db"}
    assert told(cluster, "StatefulSet")[0] == "create Claim vol-db-0 Pod db-0 in StatefulSet db success"
    change(cluster, replicas=0)
    cluster.clock.sleep(20)
    assert sorted(claims(cluster)) == ["vol-db-0", "vol-db-1"]


def test_claims_go_with_the_pod_or_the_set_when_they_are_to() -> None:
    """persistentVolumeClaimRetentionPolicy"""
    policy = {"whenScaled": "Delete", "whenDeleted": "Delete"}
    cluster = running(with_claims(persistentVolumeClaimRetentionPolicy=policy))
    owners = [each["metadata"]["ownerReferences"][0]["kind"] for each in claims(cluster).values()]
    assert owners == ["StatefulSet", "StatefulSet"]
    change(cluster, replicas=1)
    cluster.clock.sleep(20)
    assert sorted(claims(cluster)) == ["vol-db-0"]
    cluster.api.delete("statefulsets", "db", "default", propagation="Background")
    cluster.clock.sleep(20)
    assert claims(cluster) == {}


def test_claims_that_cannot_be() -> None:
    """As Kubernetes refuses them."""
    with pytest.raises(ApiError) as refused:
        Simulator().api.create({**claim(), "spec": {}})
    assert "spec.accessModes: Required value: at least 1 access mode is required" in refused.value.message
    assert "spec.resources[storage]: Required value" in refused.value.message


def test_a_claim_cannot_grow_or_shrink() -> None:
    """Its class does not say that it may; the quota counts what it asks for."""
    cluster = Simulator()
    cluster.api.create(quota({"requests.storage": "1Gi"}))
    cluster.clock.sleep(1)
    cluster.api.create(claim())
    cluster.clock.sleep(1)
    assert used(cluster) == {"requests.storage": "10Mi"}
    for size, said in (("20Mi", "must support resize"), ("1Mi", "can not be less than status.capacity")):
        change_to = {"spec": {"resources": {"requests": {"storage": size}}}}
        with pytest.raises(ApiError, match=said):
            cluster.api.patch("persistentvolumeclaims", "data", change_to, "default", type="merge")
