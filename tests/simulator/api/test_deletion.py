"""How objects go: grace periods, finalizers, preconditions, and what watchers see of it."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.objects import Key
from gherkube.runners.simulator.api.server import ApiServer
from tests.simulator.api.workshop import container, deployment, message, pod, refusal, server, service

P = Key("default", "p")


def running(api: ApiServer, **spec: Any) -> None:
    """A pod on a node."""
    api.create(pod(**spec))
    api.bind(P, "node-1")


def seen(api: ApiServer, since: int, resource: str = "pods") -> list[tuple[Any, ...]]:
    """The changes: time, type, generation, deletionTimestamp (from its minute on), grace period."""
    return [
        (
            round(change.at, 3),
            change.type,
            metadata.get("generation"),
            metadata.get("deletionTimestamp", "")[14:-1],
            metadata.get("deletionGracePeriodSeconds"),
        )
        for change in api.store.log.since(since)
        if change.resource == resource
        for metadata in [change.object["metadata"]]
    ]


def test_a_running_pod_is_deleted_gracefully() -> None:
    """The deletion is marked with the pod's grace; the kubelet's deletion removes it 10 ms later."""
    api = server()
    running(api, terminationGracePeriodSeconds=5)
    at = api.store.version
    assert api.delete("pods", "p", "default")["kind"] == "Pod"
    api.clock.run_until(1.5)
    api.delete("pods", "p", "default", grace_period=0)
    assert api.store.get("pods", P) is not None
    api.clock.run_until(9)
    assert seen(api, at) == [
        (0.0, "MODIFIED", 2, "00:05", 5),
        (1.5, "MODIFIED", 2, "00:01", 0),
        (1.51, "DELETED", 2, "00:01", 0),
    ]


def test_a_forced_deletion_is_done_at_once() -> None:
    """Grace 0 on a pod that was not being deleted: MODIFIED with generation + 1, then DELETED."""
    api = server()
    running(api)
    at = api.store.version
    api.delete("pods", "p", "default", grace_period=0)
    assert seen(api, at) == [(0.0, "MODIFIED", 2, "00:00", 0), (0.0, "DELETED", 2, "00:00", 0)]


@pytest.mark.parametrize("phase", ["", "Succeeded", "Failed"])
def test_a_pod_that_does_not_run_goes_at_once(phase: str) -> None:
    """Neither an unscheduled nor an ended pod has anything to be graceful about."""
    api = server()
    if phase:
        running(api)
        api.put_status("pods", api.get("pods", "p", "default"), {"phase": phase})
    else:
        api.create(pod())
    api.delete("pods", "p", "default")
    assert api.store.get("pods", P) is None


def test_a_second_deletion_only_shortens() -> None:
    """A longer or unnamed grace changes nothing, a shorter one counts from now; the generation stays."""
    api = server()
    running(api)
    api.delete("pods", "p", "default", grace_period=20)
    at = api.store.version
    api.delete("pods", "p", "default")
    api.delete("pods", "p", "default", grace_period=60)
    assert seen(api, at) == []
    api.delete("pods", "p", "default", grace_period=3)
    assert seen(api, at) == [(0.0, "MODIFIED", 2, "00:03", 3)]


def test_a_negative_grace_is_one_second() -> None:
    """As the pod strategy does."""
    api = server()
    running(api)
    assert api.delete("pods", "p", "default", grace_period=-1)["metadata"]["deletionGracePeriodSeconds"] == 1


def test_a_pods_finalizer_outlives_the_kubelet() -> None:
    """A pod with a finalizer stays after the kubelet's deletion until the finalizer is taken off."""
    api = server()
    obj = pod()
    obj["metadata"]["finalizers"] = ["example.com/wait"]
    api.create(obj)
    api.bind(P, "node-1")
    api.delete("pods", "p", "default")
    api.delete("pods", "p", "default", grace_period=0)
    api.clock.run_until(5)
    assert api.store.get("pods", P) is not None
    at = api.store.version
    api.remove_finalizer("pods", P, "example.com/wait")
    assert [entry[1] for entry in seen(api, at)] == ["DELETED"]


def test_the_removal_that_was_planned_spares_a_new_pod() -> None:
    """A pod of the same name, made in those 10 ms, is not the one to remove."""
    api = server()
    running(api)
    api.delete("pods", "p", "default")
    api.delete("pods", "p", "default", grace_period=0)
    api.store.remove("pods", P)
    api.create(pod())
    api.clock.run_until(1)
    assert api.store.get("pods", P) is not None


def test_what_has_no_finalizers_goes_at_once() -> None:
    """Background deletion of a Deployment answers with a Status that names it."""
    api = server()
    uid = api.create(deployment())["metadata"]["uid"]
    status = api.delete("deployments", "web", "default", propagation="Background")
    assert status["status"] == "Success"
    assert status["details"] == {"name": "web", "group": "apps", "kind": "deployments", "uid": uid}
    assert message(api.delete, "deployments", "web", "default") == 'deployments.apps "web" not found'


def test_a_deleted_service_is_given_back() -> None:
    """The answer to the deletion of a service is the service."""
    api = server()
    api.create(service())
    assert api.delete("services", "web", "default")["kind"] == "Service"


@pytest.mark.parametrize(
    ("policy", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")]
)
def test_a_policy_is_a_finalizer(policy: Any, finalizer: str) -> None:
    """Foreground and Orphan keep the object with a finalizer (generation + 1, grace 0) till it comes off."""
    api = server()
    api.create(deployment())
    at = api.store.version
    kept = api.delete("deployments", "web", "default", propagation=policy)
    assert kept["metadata"]["finalizers"] == [finalizer]
    assert seen(api, at, "deployments") == [(0.0, "MODIFIED", 2, "00:00", 0)]
    api.delete("deployments", "web", "default", propagation=policy)
    assert len(seen(api, at, "deployments")) == 1
    api.remove_finalizer("deployments", Key("default", "web"), finalizer)
    assert seen(api, at, "deployments")[1:] == [(0.0, "DELETED", 2, "00:00", 0)]


def test_the_last_finalizer_may_go_by_an_update() -> None:
    """An update that empties the finalizers of a deleting object removes it without a write of its own."""
    api = server()
    api.create(deployment())
    api.delete("deployments", "web", "default", propagation="Foreground")
    at = api.store.version
    api.patch("deployments", "web", {"metadata": {"finalizers": None}}, type="merge")
    assert [entry[1] for entry in seen(api, at, "deployments")] == ["DELETED"]


def test_a_finalizer_of_a_living_object_only_comes_off() -> None:
    """Without a deletion the object stays."""
    api = server()
    obj = deployment()
    obj["metadata"]["finalizers"] = ["example.com/wait"]
    api.create(obj)
    left = api.remove_finalizer("deployments", Key("default", "web"), "example.com/wait")
    assert "finalizers" not in left["metadata"]


def test_a_uid_is_a_precondition() -> None:
    """Another uid than the stored one is a conflict."""
    api = server()
    uid = api.create(pod())["metadata"]["uid"]
    error = refusal(api.delete, "pods", "p", "default", uid="other")
    assert (error.code, error.reason) == (409, "Conflict")
    assert error.message == (
        'Operation cannot be fulfilled on Pod "p": the UID in the precondition (other) does not match '
        f"the UID in record ({uid}). The object might have been deleted and then recreated"
    )
    api.delete("pods", "p", "default", uid=uid)


def test_a_namespace_goes_when_it_is_finalized() -> None:
    """Deletion makes it Terminating; it goes when "kubernetes" is taken off its spec."""
    api = server()
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ns"}})
    gone = api.delete("namespaces", "ns")
    assert gone["status"]["phase"] == "Terminating"
    assert "deletionGracePeriodSeconds" not in gone["metadata"]
    assert api.delete("namespaces", "ns") is gone
    api.remove_finalizer("namespaces", Key("", "ns"), "kubernetes")
    assert refusal(api.get, "namespaces", "ns").code == 404


def test_some_namespaces_may_not_go() -> None:
    """The server's own namespaces are kept."""
    said = 'namespaces "default" is forbidden: this namespace may not be deleted'
    assert message(server().delete, "namespaces", "default") == said


def test_an_eviction_is_a_deletion_with_a_condition() -> None:
    """The eviction API adds DisruptionTarget and deletes gracefully."""
    api = server()
    running(api)
    api.post("pods", "p", "eviction", {"metadata": {"name": "p"}, "deleteOptions": {"gracePeriodSeconds": 7}})
    obj = api.get("pods", "p", "default")
    assert obj["metadata"]["deletionGracePeriodSeconds"] == 7
    condition = obj["status"]["conditions"][-1]
    assert (condition["type"], condition["reason"]) == ("DisruptionTarget", "EvictionByEvictionAPI")
    assert condition["message"] == "Eviction API: evicting"


def test_a_namespace_can_be_finalized_from_outside() -> None:
    """The finalize subresource takes off the finalizers that are not sent, and only those."""
    api = server()
    stored = api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ns"}})
    assert api.replace(stored, subresource="finalize") is stored
    api.delete("namespaces", "ns")
    api.replace({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ns"}}, subresource="finalize")
    assert refusal(api.get, "namespaces", "ns").code == 404


@pytest.mark.parametrize(
    ("policy", "finalizers"), [(None, ["orphan"]), ("Background", []), ("Foreground", ["foregroundDeletion"])]
)
def test_pods_of_a_job_stay_unless_it_is_said_that_they_go(policy: Any, finalizers: list[str]) -> None:
    """As of old; kubectl always says."""
    api = server()
    template = {"spec": {"restartPolicy": "Never", "containers": [container()]}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": {"template": template}}
    api.create(job)
    api.delete("jobs", "j", "default", propagation=policy)
    found = api.store.get("jobs", Key("default", "j"))
    assert (found or {"metadata": {}})["metadata"].get("finalizers", []) == finalizers


def test_a_second_deletion_may_ask_for_another_policy() -> None:
    """Who no longer wants to wait for the dependents says so."""
    api = server()
    api.create({**deployment(), "metadata": {"name": "web", "finalizers": ["example.com/mine"]}})
    for policy, others in (("Foreground", ["foregroundDeletion"]), ("Background", [])):
        api.delete("deployments", "web", "default", propagation=policy)  # type: ignore[arg-type]
        found = api.get("deployments", "web", "default")["metadata"]
        assert (found["finalizers"], found["generation"]) == (["example.com/mine", *others], 2)
