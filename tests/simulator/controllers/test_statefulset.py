"""StatefulSets: who is made, replaced and taken away, in which order, and what that waits for."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gherkube.runners.objects import Object, controller_of, is_deleting
from gherkube.runners.simulator.cluster import Simulator
from tests.simulator.controllers.sets import (
    born,
    change,
    images,
    is_up,
    moments,
    pods,
    rolling,
    running,
    stateful_set,
    status,
    template,
    update,
)

PARALLEL = {"podManagementPolicy": "Parallel"}


def names(cluster: Simulator) -> list[str]:
    return [pod["metadata"]["name"] for pod in pods(cluster)]


def ordinals(made: list[str]) -> list[int]:
    return [int(name.rpartition("-")[2]) for name in made]


@settings(max_examples=15)
@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 99))
def test_pods_come_upwards_and_go_downwards_each_when_the_one_before_is_up(
    before: int, after: int, seed: int
) -> None:
    """At every moment the pods are db-0 to db-N, and but for the highest they are up."""
    cluster = running(stateful_set(before), seed=seed)
    since = len(cluster.history)
    change(cluster, replicas=after)
    cluster.clock.sleep(60.0)
    assert names(cluster) == [f"db-{number}" for number in range(after)]
    for there in moments(cluster, since):
        by_name = sorted(there, key=lambda pod: str(pod["metadata"]["name"]))
        assert ordinals([pod["metadata"]["name"] for pod in by_name]) == list(range(len(there)))
        assert all(is_up(pod) for pod in by_name[:-1])


@settings(max_examples=15)
@given(st.integers(1, 5), st.integers(0, 5), st.booleans(), st.integers(0, 99))
def test_an_update_goes_downwards_to_the_partition_with_one_pod_down(
    replicas: int, partition: int, parallel: bool, seed: int
) -> None:
    """Whatever the pod management: pods below the partition stay, the others are replaced one by one."""
    policy = PARALLEL if parallel else {}
    cluster = running(
        stateful_set(replicas, updateStrategy=rolling(partition=partition), **policy), seed=seed
    )
    since = len(cluster.history)
    update(cluster, "db:2")
    cluster.clock.sleep(90.0)
    kept = min(partition, replicas)
    assert images(cluster) == ["db:1"] * kept + ["db:2"] * (replicas - kept)
    assert ordinals(born(cluster, since)) == list(range(replicas - 1, kept - 1, -1))
    assert all(sum(map(is_up, there)) >= replicas - 1 for there in moments(cluster, since))


def test_parallel_pods_come_and_go_together() -> None:
    """They do not wait for each other."""
    cluster = Simulator()
    cluster.api.create(stateful_set(4, **PARALLEL))
    cluster.clock.sleep(0.5)
    assert names(cluster) == ["db-0", "db-1", "db-2", "db-3"]
    cluster.clock.sleep(30.0)
    change(cluster, replicas=0)
    cluster.clock.sleep(0.5)
    assert all(map(is_deleting, pods(cluster)))


def test_updated_by_hand() -> None:
    """With OnDelete nothing is replaced until somebody deletes it."""
    cluster = running(stateful_set(updateStrategy={"type": "OnDelete"}))
    update(cluster, "db:2")
    cluster.clock.sleep(30.0)
    assert images(cluster) == ["db:1"] * 3
    cluster.api.delete("pods", "db-1", "default")
    cluster.clock.sleep(30.0)
    assert images(cluster) == ["db:1", "db:2", "db:1"]


def test_a_pod_that_is_deleted_comes_back_under_its_name_as_it_was() -> None:
    """Below the partition that is of the revision that is being left."""
    cluster = running(stateful_set(updateStrategy=rolling(partition=2)))
    update(cluster, "db:2")
    cluster.clock.sleep(30.0)
    uid = pods(cluster)[0]["metadata"]["uid"]
    cluster.api.delete("pods", "db-0", "default")
    cluster.clock.sleep(30.0)
    assert images(cluster) == ["db:1", "db:1", "db:2"]
    assert pods(cluster)[0]["metadata"]["uid"] != uid


def test_a_bad_revision_blocks_until_its_pod_is_deleted() -> None:
    """Also after the template was put back. pkg/controller/statefulset stateful_set_control.go"""
    cluster = running(stateful_set())
    cluster.faults.behave("db:2", exists=False)
    update(cluster, "db:2")
    cluster.clock.sleep(60.0)
    assert images(cluster) == ["db:1", "db:1", "db:2"]
    update(cluster, "db:1")
    cluster.clock.sleep(60.0)
    assert images(cluster) == ["db:1", "db:1", "db:2"]
    assert status(cluster, "statefulsets")["readyReplicas"] == 2
    cluster.api.delete("pods", "db-2", "default")
    cluster.clock.sleep(30.0)
    assert images(cluster) == ["db:1"] * 3
    assert status(cluster, "statefulsets")["readyReplicas"] == 3


def test_min_ready_seconds_keep_the_next_one_waiting() -> None:
    """A pod is available when it has been ready for so long."""
    cluster = Simulator()
    cluster.api.create(stateful_set(3, minReadySeconds=20))
    cluster.clock.sleep(15.0)
    assert names(cluster) == ["db-0"]
    shown = status(cluster, "statefulsets")
    assert (shown["readyReplicas"], shown["availableReplicas"]) == (1, 0)
    cluster.clock.sleep(15.0)
    assert len(names(cluster)) == 2
    cluster.clock.sleep(60.0)
    assert status(cluster, "statefulsets")["availableReplicas"] == 3


def test_a_pod_that_has_ended_is_made_anew() -> None:
    """Failed as well as Succeeded."""
    cluster = running(stateful_set(2))
    pod = pods(cluster)[1]
    cluster.api.put_status("pods", pod, {**pod["status"], "phase": "Failed"}, check=False)
    cluster.clock.sleep(30.0)
    assert pods(cluster)[1]["metadata"]["uid"] != pod["metadata"]["uid"]
    assert all(map(is_up, pods(cluster)))


def orphan(name: str) -> Object:
    spec = template("db:1", "db")["spec"]
    metadata = {"name": name, "namespace": "default", "labels": {"app": "db"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def test_pods_without_an_owner_are_taken_on_by_name_and_labels() -> None:
    """One of another name is left alone, whatever its labels."""
    cluster = Simulator()
    for name in ("db-0", "other-0"):
        cluster.api.create(orphan(name))
    cluster.clock.sleep(10.0)
    cluster.api.create(stateful_set(2))
    cluster.clock.sleep(30.0)
    owners = {pod["metadata"]["name"]: controller_of(pod) for pod in pods(cluster)}
    assert owners["other-0"] is None
    assert all(owner is not None for name, owner in owners.items() if name != "other-0")
    assert sorted(owners) == ["db-0", "db-1", "other-0"]


def test_ordinals_may_start_later() -> None:
    """spec.ordinals.start; names and indices follow it."""
    cluster = running(stateful_set(2, ordinals={"start": 5}))
    assert names(cluster) == ["db-5", "db-6"]
    indices = [pod["metadata"]["labels"]["apps.kubernetes.io/pod-index"] for pod in pods(cluster)]
    assert indices == ["5", "6"]


def test_revisions_rise_and_are_used_again() -> None:
    """An old template's revision gets the highest number; there are no more than the limit keeps."""
    cluster = running(stateful_set(1, revisionHistoryLimit=1))
    for image in ("db:2", "db:1", "db:3", "db:4"):
        update(cluster, image)
        cluster.clock.sleep(30.0)
    kept = sorted(each["revision"] for each in cluster.api.list("controllerrevisions", "default"))
    assert kept == [4, 5]
    assert all(later > earlier for earlier, later in pairwise(kept))


def test_what_a_pod_is_told_of_itself() -> None:
    """Hostname and subdomain, and labels that name it and its revision."""
    cluster = running(stateful_set(1))
    (pod,) = pods(cluster)
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("db-0", "db")
    labels = pod["metadata"]["labels"]
    assert labels["statefulset.kubernetes.io/pod-name"] == "db-0"
    assert labels["controller-revision-hash"] == status(cluster, "statefulsets")["currentRevision"]


@pytest.mark.parametrize(("quota", "made"), [("2", 2), ("0", 0)])
def test_a_quota_stops_it_and_more_room_lets_it_go_on(quota: str, made: int) -> None:
    """The refusal is an event of the set."""
    cluster = Simulator()
    metadata = {"name": "few", "namespace": "default"}
    few = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": metadata,
        "spec": {"hard": {"pods": quota}},
    }
    cluster.api.create(few)
    cluster.clock.sleep(1.0)
    cluster.api.create(stateful_set(3))
    cluster.clock.sleep(60.0)
    assert len(pods(cluster)) == made
    said = [
        event["message"]
        for event in cluster.api.list("events", "default")
        if event["reason"] == "FailedCreate"
    ]
    assert any(f"create Pod db-{made} in StatefulSet db failed error" in text for text in said)
    cluster.api.patch("resourcequotas", "few", {"spec": {"hard": {"pods": "9"}}}, "default", type="merge")
    cluster.clock.sleep(600.0)
    assert len(pods(cluster)) == 3


def test_revisions_that_nobody_controls_are_adopted() -> None:
    """A set that was deleted without its pods and is made again goes on with its history."""
    cluster = running(stateful_set(1))
    cluster.api.delete("statefulsets", "db", "default", propagation="Orphan")
    cluster.clock.sleep(5)
    cluster.api.create(stateful_set(1, "db:2"))
    cluster.clock.sleep(20)
    revisions = cluster.api.list("controllerrevisions", "default")
    assert sorted(each["revision"] for each in revisions) == [1, 2]
    assert all(controller_of(each) is not None for each in revisions)


def test_the_last_one_goes_only_when_it_has_been_ready_for_long_enough() -> None:
    """Condemned pods are waited for as others are. processCondemned"""
    cluster = running(stateful_set(3))
    change(cluster, minReadySeconds=20)
    cluster.clock.sleep(25.0)
    cluster.api.delete("pods", "db-2", "default")
    cluster.clock.sleep(8.0)
    change(cluster, replicas=2)
    cluster.clock.sleep(5.0)
    assert len(pods(cluster)) == 3
    cluster.clock.sleep(20.0)
    assert len(pods(cluster)) == 2


def test_a_stranger_of_a_pods_name_is_waited_for_in_silence() -> None:
    """stateful_pod_control.go CreateStatefulPod"""
    cluster = Simulator()
    stranger = {**template("other:1", "other"), "apiVersion": "v1", "kind": "Pod"}
    cluster.api.create({**stranger, "metadata": {"name": "db-0", "labels": {"app": "other"}}})
    cluster.api.create(stateful_set(1))
    cluster.clock.sleep(5.0)
    reasons = {each["reason"] for each in cluster.api.list("events", "default")}
    assert "FailedCreate" not in reasons
    cluster.api.delete("pods", "db-0", "default")
    cluster.clock.sleep(30.0)
    assert images(cluster) == ["db:1"]
