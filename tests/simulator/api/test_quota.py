"""Resource quotas: what is counted, what is refused, and when room appears again."""

from fractions import Fraction
from typing import Any

import pytest

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.quota import shown
from gherkube.runners.simulator.cluster import Simulator


def quota(hard: Object, name: str = "few", **spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"hard": hard, **spec},
    }


def pod(name: str, resources: Object | None = None, **spec: Any) -> Object:
    container = {"name": "app", "image": "hello:1", **({"resources": resources} if resources else {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": [container], **spec},
    }


def cluster(hard: Object, **spec: Any) -> Simulator:
    found = Simulator()
    found.api.create(quota(hard, **spec))
    found.clock.sleep(1)
    return found


def used(found: Simulator, name: str = "few") -> Object:
    status: Object = found.api.get("resourcequotas", name, "default")["status"]
    return dict(status["used"])


def test_status_begins_with_what_is_there() -> None:
    """A new quota is counted by its controller: what it allows, and what is used already."""
    found = Simulator()
    found.api.create(pod("a"))
    found.api.create(quota({"pods": "2", "services": "5"}))
    assert found.api.get("resourcequotas", "few", "default")["status"] == {}
    found.clock.sleep(1)
    assert found.api.get("resourcequotas", "few", "default")["status"] == {
        "hard": {"pods": "2", "services": "5"},
        "used": {"pods": "1", "services": "0"},
    }


def test_exceeded() -> None:
    """What would not fit is forbidden, with what was asked for, used and allowed; nothing is stored."""
    found = cluster({"pods": "1"})
    found.api.create(pod("a"))
    assert used(found) == {"pods": "1"}
    with pytest.raises(ApiError) as caught:
        found.api.create(pod("b"))
    assert (caught.value.code, caught.value.reason) == (403, "Forbidden")
    assert caught.value.message == (
        'pods "b" is forbidden: exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1'
    )
    assert used(found) == {"pods": "1"}


def test_only_what_is_exceeded_is_named() -> None:
    """Of several limits those that would be broken are named, in order."""
    found = cluster({"pods": "5", "requests.cpu": "1", "requests.memory": "64Mi"})
    with pytest.raises(ApiError) as caught:
        found.api.create(pod("b", {"requests": {"cpu": "1500m", "memory": "128Mi"}}))
    assert caught.value.message == (
        'pods "b" is forbidden: exceeded quota: few, requested: requests.cpu=1500m,requests.memory=128Mi, '
        "used: requests.cpu=0,requests.memory=0, limited: requests.cpu=1,requests.memory=64Mi"
    )


def test_containers_have_to_say() -> None:
    """Where cpu or memory is counted every container has to say how much it wants."""
    found = cluster({"limits.cpu": "2", "requests.memory": "1Gi"})
    with pytest.raises(ApiError) as caught:
        found.api.create(pod("b"))
    assert caught.value.message == (
        'pods "b" is forbidden: failed quota: few: must specify limits.cpu for: app; requests.memory for: app'
    )


def test_not_counted_yet() -> None:
    """Until the controller has looked at a quota, or at what it is to be now, that does not hold."""
    found = Simulator()
    found.api.create(quota({"pods": "1"}))
    for name in ("a", "b"):
        found.api.create(pod(name))
    found.clock.sleep(1)
    assert used(found) == {"pods": "2"}
    with pytest.raises(
        ApiError, match="exceeded quota: few, requested: pods=1, used: pods=2, limited: pods=1"
    ):
        found.api.create(pod("c"))
    found.api.patch("resourcequotas", "few", {"spec": {"hard": {"pods": "3"}}}, "default")
    with pytest.raises(ApiError, match="exceeded quota"):
        found.api.create(pod("c"))
    found.clock.sleep(1)
    found.api.create(pod("c"))


def test_not_counted() -> None:
    """What is limited has to be counted as well."""
    found = cluster({"pods": "1"})
    status = {"hard": {"pods": "1"}, "used": None}
    found.api.patch("resourcequotas", "few", {"status": status}, "default", subresource="status")
    with pytest.raises(ApiError, match="status unknown for quota: few, resources: pods"):
        found.api.create(pod("a"))


def test_room_appears_when_a_pod_goes() -> None:
    """A pod that was deleted makes room."""
    found = cluster({"pods": "1"})
    found.api.create(pod("a"))
    found.api.delete("pods", "a", "default", grace_period=0)
    found.clock.sleep(2)
    assert used(found) == {"pods": "0"}
    found.api.create(pod("b"))


def test_other_namespaces_are_free() -> None:
    """A quota counts its own namespace."""
    found = cluster({"pods": "0"})
    found.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}})
    other = pod("a")
    other["metadata"]["namespace"] = "other"
    found.api.create(other, namespace="other")
    assert [each["metadata"]["name"] for each in found.api.list("pods", "other")] == ["a"]


@pytest.mark.parametrize(
    ("obj", "name", "counts"),
    [
        (
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "default"}},
            "configmaps",
            True,
        ),
        (
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "default"}},
            "count/configmaps",
            True,
        ),
        (
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "default"}},
            "secrets",
            False,
        ),
    ],
)
def test_objects_are_counted(obj: Object, name: str, counts: bool) -> None:
    """Objects are counted by their resource, or by `count/` and it."""
    found = cluster({name: "3"})
    found.api.create(obj)
    assert used(found) == {name: "1" if counts else "0"}


def test_scopes() -> None:
    """A quota of best-effort pods does not count others."""
    found = cluster({"pods": "1"}, scopes=["BestEffort"])
    found.api.create(pod("a", {"requests": {"cpu": "1m"}}))
    assert used(found) == {"pods": "0"}
    found.api.create(pod("b"))
    with pytest.raises(ApiError, match="exceeded quota"):
        found.api.create(pod("c"))


def test_dry_run_uses_nothing() -> None:
    """A dry run is refused as the real one would be, and takes no room."""
    found = cluster({"pods": "1"})
    found.api.create(pod("a"), dry_run=True)
    assert used(found) == {"pods": "0"}


@pytest.mark.parametrize(
    ("hard", "message"),
    [
        ({"pods": "-1"}, "must be greater than or equal to 0"),
        ({"pods": "1500m"}, "must be an integer"),
    ],
)
def test_bad_quotas(hard: Object, message: str) -> None:
    """A quota of less than nothing, or of half a pod, is refused."""
    with pytest.raises(ApiError, match=message):
        Simulator().api.create(quota(hard))


@pytest.mark.parametrize(
    ("amount", "text"),
    [(Fraction(0), "0"), (Fraction(1500), "1500"), (Fraction(3, 2), "1500m"), (Fraction(1 << 27), "128Mi")],
)
def test_amounts_as_quantities(amount: Fraction, text: str) -> None:
    """Amounts are shown as quantities are."""
    assert shown(amount) == text


def test_room_appears_when_what_is_counted_by_its_full_name_goes() -> None:
    """Whatever its resource."""
    found = Simulator(keeps=True)
    found.api.create(quota({"count/podtemplates": "1"}))
    found.clock.sleep(2)
    obj = {
        "apiVersion": "v1",
        "kind": "PodTemplate",
        "metadata": {"name": "a", "namespace": "default"},
        "template": {"spec": {"containers": [{"name": "a", "image": "a:1"}]}},
    }
    found.api.create(obj)
    assert used(found) == {"count/podtemplates": "1"}
    found.api.delete("podtemplates", "a", "default")
    found.clock.sleep(2)
    assert used(found) == {"count/podtemplates": "0"}
