"""The contract of the one door: what every backend does alike."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import pytest

from gherkube.runners import kubectl
from gherkube.runners.errors import ApiError, CannotJudge
from gherkube.runners.expectations.count import exactly
from gherkube.runners.expectations.failure import ExpectationFailed
from gherkube.runners.expectations.judge import Judge
from gherkube.runners.expectations.pods import PodsStatement
from gherkube.runners.expectations.subjects import WorkloadRef
from gherkube.runners.expectations.time import Becomes
from gherkube.runners.expectations.workloads import WorkloadStatement
from gherkube.runners.history import ADDED, DELETED, MODIFIED
from gherkube.runners.objects import Key, container_statuses, is_active, is_ready
from gherkube.steps.phrases import Pods
from gherkube.steps.world import World
from tests.door.conftest import Place
from tests.door.serving import PATIENCE, configmap, deployment, service


def run(place: Place, name: str = "web", image: str = "hello:1", replicas: int = 2) -> Judge:
    """Makes a deployment and waits for its pods."""
    cluster, namespace = place
    cluster.api.create(deployment(name, image, replicas), namespace=namespace)
    judge = Judge(cluster, patience=PATIENCE)
    judge.judge(
        WorkloadStatement.rollout(WorkloadRef("deployments", namespace, name), "completes"), Becomes()
    )
    return judge


def expose(place: Place) -> Key:
    """Makes a service for the two pods of the deployment, and waits until requests get to them."""
    cluster, namespace = place
    cluster.api.create(service(), namespace=namespace)

    def reaches_both() -> bool:
        slices = cluster.api.list("endpointslices", namespace)
        endpoints = [endpoint for each in slices for endpoint in each.get("endpoints") or ()]
        return [endpoint["conditions"]["ready"] for endpoint in endpoints] == [True, True]

    assert cluster.clock.wait(reaches_both, PATIENCE)
    cluster.clock.sleep(5)  # until the nodes have heard of it
    return Key(namespace, "web")


# --- The API


def test_what_is_created_is_got(place: Place) -> None:
    """An object comes back with what the server gave it, and is found by name."""
    made = place.cluster.api.create(configmap("notes", a="1"), namespace=place.namespace)
    assert made["metadata"]["uid"]
    assert made["metadata"]["namespace"] == place.namespace
    got = place.cluster.api.get("configmaps", "notes", place.namespace)
    assert got == made
    assert (got["apiVersion"], got["kind"]) == ("v1", "ConfigMap")


def test_a_dry_run_stores_nothing(place: Place) -> None:
    """It is answered as if it were made."""
    made = place.cluster.api.create(configmap("notes"), namespace=place.namespace, dry_run=True)
    assert made["metadata"]["name"] == "notes"
    with pytest.raises(ApiError, match="not found"):
        place.cluster.api.get("configmaps", "notes", place.namespace)


def test_lists_select(place: Place) -> None:
    """By labels and fields, in the order of names; each object says its kind."""
    api, namespace = place.cluster.api, place.namespace
    for name in ("c", "a", "b"):
        api.create(configmap(name), namespace=namespace)
    api.patch("configmaps", "b", {"metadata": {"labels": {"kind": "other"}}}, namespace)
    found = api.list("configmaps", namespace, labels="kind=note")
    assert [each["metadata"]["name"] for each in found] == ["a", "c"]
    assert {each["kind"] for each in found} == {"ConfigMap"}
    found = api.list("configmaps", namespace, fields="metadata.name=c")
    assert [each["metadata"]["name"] for each in found] == ["c"]


def test_refusals_have_the_status_of_the_server(place: Place) -> None:
    """Code, reason, message and details."""
    with pytest.raises(ApiError) as caught:
        place.cluster.api.get("pods", "nobody", place.namespace)
    error = caught.value
    assert (error.code, error.reason) == (404, "NotFound")
    assert error.message == 'pods "nobody" not found'
    assert error.details["kind"] == "pods"


@pytest.mark.parametrize(
    ("type_", "patch"),
    [
        ("strategic", {"data": {"a": None, "b": "2"}}),
        ("merge", {"data": {"a": None, "b": "2"}}),
        ("json", [{"op": "remove", "path": "/data/a"}, {"op": "add", "path": "/data/b", "value": "2"}]),
    ],
)
def test_patches(place: Place, type_: Any, patch: Any) -> None:
    """All three types."""
    api, namespace = place.cluster.api, place.namespace
    api.create(configmap("notes", a="1"), namespace=namespace)
    assert api.patch("configmaps", "notes", patch, namespace, type=type_)["data"] == {"b": "2"}


def test_a_stale_replace_is_a_conflict(place: Place) -> None:
    """Whoever replaces an object must have seen its newest version."""
    api, namespace = place.cluster.api, place.namespace
    made = api.create(configmap("notes", a="1"), namespace=namespace)
    new = api.replace({**made, "data": {"a": "2"}})
    assert new["data"] == {"a": "2"}
    with pytest.raises(ApiError) as caught:
        api.replace({**made, "data": {"a": "3"}})
    assert (caught.value.code, caught.value.reason) == (409, "Conflict")


def test_a_delete_may_demand_a_uid(place: Place) -> None:
    """Another uid is a conflict; without it the object goes."""
    api, namespace = place.cluster.api, place.namespace
    api.create(configmap("notes"), namespace=namespace)
    with pytest.raises(ApiError) as caught:
        api.delete("configmaps", "notes", namespace, uid="another")
    assert caught.value.reason == "Conflict"
    api.delete("configmaps", "notes", namespace)
    with pytest.raises(ApiError, match="not found"):
        api.get("configmaps", "notes", namespace)


def test_subresources(place: Place) -> None:
    """Scale is patched, eviction is posted."""
    run(place)
    api, namespace = place.cluster.api, place.namespace
    kubectl.scale(api, "deployments", "web", namespace, 3)
    assert api.get("deployments", "web", namespace)["spec"]["replicas"] == 3
    pod = api.list("pods", namespace, labels="app=web")[0]["metadata"]["name"]
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
    api.post("pods", pod, "eviction", body, namespace)
    with suppress(ApiError):
        assert "deletionTimestamp" in api.get("pods", pod, namespace)["metadata"]


# --- Time


def test_time_passes(place: Place) -> None:
    """Sleeping lets that much of the cluster's time pass."""
    clock = place.cluster.clock
    before = clock.now()
    clock.sleep(2)
    assert clock.now() - before >= 2
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", clock.timestamp())


def test_waiting_ends_when_it_is_so(place: Place) -> None:
    """A condition that holds is not waited for; one that comes to hold is waited for that long."""
    cluster, namespace = place
    assert cluster.clock.wait(lambda: True, 100)
    cluster.api.create(deployment(), namespace=namespace)

    def both_ready() -> bool:
        return sum(map(is_ready, cluster.api.list("pods", namespace))) == 2

    assert cluster.clock.wait(both_ready, PATIENCE, resources=("pods",))


def test_waiting_ends_in_time(place: Place) -> None:
    """False when the condition never held."""
    clock = place.cluster.clock
    before = clock.now()
    assert not clock.wait(lambda: False, 3, resources=("pods",))
    assert clock.now() - before < PATIENCE


# --- History


def test_what_is_written_is_in_the_history_at_once(place: Place) -> None:
    """Each write as a change, in order, with the version before it."""
    cluster, namespace = place
    api, history = cluster.api, cluster.history
    cluster.clock.settle()
    position = len(history)
    made = api.create(service(), namespace=namespace)
    patched = api.patch("services", "web", {"metadata": {"labels": {"a": "1"}}}, namespace)
    api.delete("services", "web", namespace)
    found = [change for change in history.since(position) if change.resource == "services"]
    assert [change.type for change in found] == [ADDED, MODIFIED, DELETED]
    assert [change.object["metadata"].get("labels") for change in found[:2]] == [None, {"a": "1"}]
    assert found[0].old is None
    assert found[1].old is not None
    assert found[1].old["metadata"]["uid"] == made["metadata"]["uid"] == patched["metadata"]["uid"]
    assert found[0].at <= found[1].at <= found[2].at <= cluster.clock.now()


def test_the_history_tells_the_whole_of_a_rollout(place: Place) -> None:
    """Every pod is seen to come, to become ready and to go; nothing is missing."""
    judge = run(place, replicas=3)
    cluster, namespace = place
    start = judge.moment()
    kubectl.set_image(cluster.api, "deployments", "web", namespace, {"app": "hello:2"})
    ref = WorkloadRef("deployments", namespace, "web")
    judge.last_when = cluster.clock.now()
    judge.judge(WorkloadStatement.rollout(ref, "completes"), Becomes())
    assert cluster.clock.wait(
        lambda: len(cluster.api.list("pods", namespace)) == 3, PATIENCE, resources=("pods",)
    )
    cluster.clock.settle()
    pods = [change for change in cluster.history.since(start.position) if change.resource == "pods"]
    assert sum(change.type == ADDED for change in pods) == 3
    assert sum(change.type == DELETED for change in pods) == 3
    became = [c for c in pods if c.old is not None and is_ready(c.object) and not is_ready(c.old)]
    assert len(became) == 3
    assert not cluster.history.gap(start.at)


def test_the_nodes_are_there_from_the_start(place: Place) -> None:
    """What was there before is in the history, too."""
    seen = {c.object["metadata"]["name"] for c in place.cluster.history.since() if c.resource == "nodes"}
    assert set(place.cluster.node_names()) == {"node-1", "node-2", "node-3"} < seen


# --- Traffic


def test_requests_are_answered_by_pods(place: Place) -> None:
    """Each request says who answered what, and when."""
    run(place)
    cluster, namespace = place
    sent = cluster.traffic.send(expose(place), 8)
    assert [request.code for request in sent] == [200] * 8
    pods = {pod["metadata"]["name"] for pod in cluster.api.list("pods", namespace)}
    assert {request.pod for request in sent} <= pods
    assert {request.image for request in sent} == {"hello:1"}
    assert "Running on" in sent[0].body
    assert [*cluster.traffic.requests] == sent


def test_requests_to_a_service_without_pods_go_unanswered(place: Place) -> None:
    """No answer is code 0, and the reason stands in the place of the answer."""
    cluster, namespace = place
    cluster.api.create(service(), namespace=namespace)
    cluster.clock.sleep(2)
    [request] = cluster.traffic.send(Key(namespace, "web"), 1)
    assert (request.code, request.pod, request.answered) == (0, "", False)
    assert request.body


def test_requests_to_nobody(place: Place) -> None:
    """A service that is not there is an error of whoever asks."""
    with pytest.raises(ApiError, match="not found"):
        place.cluster.traffic.send(Key(place.namespace, "web"), 1)


def test_requests_flow(place: Place) -> None:
    """They go on by themselves while time passes."""
    run(place)
    cluster, key = place.cluster, expose(place)
    assert not cluster.traffic.flows(key)
    cluster.traffic.flow(key, 0.5)
    assert cluster.traffic.flows(key)
    assert cluster.clock.wait(lambda: len(cluster.traffic.requests) >= 5, PATIENCE, resources=("requests",))
    assert all(request.answered for request in cluster.traffic.requests)


# --- Faults


def test_images_behave_as_told(place: Place) -> None:
    """A deployment of an image that never becomes ready has no ready pod."""
    cluster, namespace = place
    cluster.faults.behave("broken:1", never_ready=True)
    obj = deployment(image="broken:1")
    probe = {"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 1}
    obj["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = probe
    cluster.api.create(obj, namespace=namespace)

    def run_both() -> bool:
        statuses = [each for pod in cluster.api.list("pods", namespace) for each in container_statuses(pod)]
        return ["running" in each["state"] for each in statuses] == [True, True]

    assert cluster.clock.wait(run_both, PATIENCE, resources=("pods",))
    cluster.clock.sleep(20)
    pods = cluster.api.list("pods", namespace)
    assert len(pods) == 2
    assert not any(map(is_ready, pods))


def test_a_node_goes_down_and_comes_back(place: Place) -> None:
    """Its Ready condition tells, after the grace period of the node controller."""
    cluster = place.cluster

    def ready() -> bool:
        return is_ready(cluster.api.get("nodes", "node-2"))

    assert ready()
    cluster.faults.stop_node("node-2")
    assert cluster.clock.wait(lambda: not ready(), PATIENCE, resources=("nodes",))
    cluster.faults.start_node("node-2")
    assert cluster.clock.wait(ready, PATIENCE, resources=("nodes",))


def test_what_cannot_be_done_cannot_be_judged(place: Place) -> None:
    """A backend that cannot send to node ports says so; it never answers for others."""
    run(place)
    cluster, namespace = place
    cluster.api.create({**service(), "spec": {**service()["spec"], "type": "NodePort"}}, namespace=namespace)
    cluster.clock.sleep(5)
    key = Key(namespace, "web")
    if cluster.name == "simulator":
        sent = cluster.traffic.send(key, 3, through="node port")
        assert [request.through for request in sent] == ["node port"] * 3
    else:
        with pytest.raises(CannotJudge, match="are not reached from here"):
            cluster.traffic.send(key, 3, through="node port")


# --- The rest


def test_containers_print(place: Place) -> None:
    """The lines of a container's run; none of a run that never was."""
    run(place)
    cluster, namespace = place
    pod = cluster.api.list("pods", namespace)[0]["metadata"]["name"]
    assert cluster.output(Key(namespace, pod), "app")
    assert cluster.output(Key(namespace, pod), "app", previous=True) == []


def test_the_official_client_sees_the_same(place: Place) -> None:
    """A user's own steps get an ApiClient for the same cluster."""
    from kubernetes import client

    run(place)
    listed = client.CoreV1Api(place.cluster.client()).list_namespaced_pod(place.namespace)
    there = place.cluster.api.list("pods", place.namespace)
    assert {pod.metadata.name for pod in listed.items} == {pod["metadata"]["name"] for pod in there}


def test_a_deleted_pod_is_replaced(place: Place) -> None:
    """A whole story through the door."""
    run(place, replicas=3)
    cluster, namespace = place
    gone = cluster.api.list("pods", namespace)[0]["metadata"]["name"]
    cluster.api.delete("pods", gone, namespace)

    def replaced() -> bool:
        pods = [pod for pod in cluster.api.list("pods", namespace) if is_active(pod)]
        return sum(map(is_ready, pods)) == 3 and gone not in {pod["metadata"]["name"] for pod in pods}

    assert cluster.clock.wait(replaced, PATIENCE, resources=("pods",))


@pytest.mark.parametrize("moment", ["terminating", "pending"])
def test_what_is_so_for_a_moment_only_is_seen(place: Place, moment: str) -> None:
    """Between a When and the next Then nothing is missed, though time may not wait for them."""
    run(place, replicas=3)
    cluster, namespace = place
    world = World(cluster, namespace=namespace)
    world.name(WorkloadRef("deployments", namespace, "web"))
    world.judge.patience = PATIENCE
    with world.acting("it"):
        if moment == "terminating":
            name = cluster.api.list("pods", namespace)[0]["metadata"]["name"]
            kubectl.delete(cluster.api, "pods", name, namespace)
        else:
            kubectl.scale(cluster.api, "deployments", "web", namespace, 4)
    if not cluster.clock.foresees:
        cluster.clock.sleep(20)
    statement = PodsStatement(world.pods(Pods()), exactly(1), moment)
    world.judge.judge(statement, Becomes())
    then = 3 if moment == "terminating" else 4

    def is_over() -> bool:
        pods = cluster.api.list("pods", namespace)
        return len(pods) == then and all(is_ready(pod) and is_active(pod) for pod in pods)

    assert cluster.clock.wait(is_over, PATIENCE, resources=("pods",))
    with world.acting("it"):
        cluster.clock.sleep(20)
        world.let_pass()
    world.judge.patience = 5
    with pytest.raises(ExpectationFailed):
        world.judge.judge(statement, Becomes())
