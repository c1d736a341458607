"""The official client speaks to the simulator as to any cluster."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.errors import CannotJudge, UsageError
from gherkube.runners.simulator.cluster import Simulator

kubernetes = pytest.importorskip("kubernetes")
client, watch = kubernetes.client, pytest.importorskip("kubernetes.watch")


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(seed=1)


@pytest.fixture
def apps(simulator: Simulator) -> Any:
    return client.AppsV1Api(simulator.client())


@pytest.fixture
def core(simulator: Simulator) -> Any:
    return client.CoreV1Api(simulator.client())


def deployment(name: str = "web", replicas: int = 2) -> Any:
    """A deployment in the client's own types."""
    labels = {"app": name}
    container = client.V1Container(
        name="app", image="hello:1", ports=[client.V1ContainerPort(container_port=8080)]
    )
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels=labels), spec=client.V1PodSpec(containers=[container])
    )
    return client.V1Deployment(
        metadata=client.V1ObjectMeta(name=name),
        spec=client.V1DeploymentSpec(
            replicas=replicas, selector=client.V1LabelSelector(match_labels=labels), template=template
        ),
    )


def test_typed_calls(apps: Any) -> None:
    """Create, read, list, patch, replace and delete in the client's own types."""
    made = apps.create_namespaced_deployment("default", deployment())
    assert made.metadata.uid
    assert made.spec.strategy.rolling_update.max_surge == "25%"
    assert apps.read_namespaced_deployment("web", "default").spec.replicas == 2
    assert [d.metadata.name for d in apps.list_namespaced_deployment("default").items] == ["web"]
    assert [d.metadata.name for d in apps.list_deployment_for_all_namespaces().items] == ["web"]
    assert apps.list_namespaced_deployment("default", label_selector="app=other").items == []
    patched = apps.patch_namespaced_deployment("web", "default", {"spec": {"paused": True}})
    assert patched.spec.paused is True
    assert patched.spec.replicas == 2
    patched.spec.replicas = 3
    assert apps.replace_namespaced_deployment("web", "default", patched).metadata.generation == 3
    apps.delete_namespaced_deployment("web", "default")
    with pytest.raises(client.ApiException) as caught:
        apps.read_namespaced_deployment("web", "default")
    assert caught.value.status == 404


def test_patch_types(apps: Any) -> None:
    """An object is a strategic merge, a list a JSON patch, and a content type of one's own is kept."""
    apps.create_namespaced_deployment("default", deployment())
    image = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "hello:2"}]}}}}
    merged = apps.patch_namespaced_deployment("web", "default", image)
    assert merged.spec.template.spec.containers[0].ports[0].container_port == 8080
    listed = apps.patch_namespaced_deployment(
        "web", "default", [{"op": "replace", "path": "/spec/replicas", "value": 5}]
    )
    assert listed.spec.replicas == 5


def test_scale_and_status(apps: Any, simulator: Simulator) -> None:
    """The scale and status subresources."""
    apps.create_namespaced_deployment("default", deployment())
    scale = apps.read_namespaced_deployment_scale("web", "default")
    assert scale.spec.replicas == 2
    apps.patch_namespaced_deployment_scale("web", "default", {"spec": {"replicas": 4}})
    assert simulator.api.get("deployments", "web", "default")["spec"]["replicas"] == 4
    status = apps.patch_namespaced_deployment_status("web", "default", {"status": {"replicas": 9}})
    assert status.status.replicas == 9
    assert status.spec.replicas == 4


def test_namespaces_and_nodes(core: Any) -> None:
    """Cluster-wide resources, and a namespace's own path."""
    assert "default" in [each.metadata.name for each in core.list_namespace().items]
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name="staging")))
    assert core.read_namespace("staging").status.phase == "Active"
    names = [node.metadata.name for node in core.list_node().items]
    assert names == ["control-plane", "node-1", "node-2", "node-3"]


def test_refusals_are_exceptions(apps: Any) -> None:
    """What the API server refuses is an ApiException with the server's Status as its body."""
    import json

    apps.create_namespaced_deployment("default", deployment())
    with pytest.raises(client.ApiException) as caught:
        apps.create_namespaced_deployment("default", deployment())
    assert (caught.value.status, caught.value.reason) == (409, "Conflict")
    status = json.loads(caught.value.body)
    assert (status["kind"], status["reason"]) == ("Status", "AlreadyExists")
    assert status["message"] == 'deployments.apps "web" already exists'


def test_watch_from_a_version(core: Any, apps: Any, simulator: Simulator) -> None:
    """A watch runs the virtual clock: it sees a pod come to life, in typed objects, without waiting."""
    version = core.list_namespaced_pod("default").metadata.resource_version
    apps.create_namespaced_deployment("default", deployment(replicas=1))
    stream = watch.Watch()
    types = []
    for event in stream.stream(core.list_namespaced_pod, "default", resource_version=version):
        types.append(event["type"])
        if event["object"].status.phase == "Running":
            stream.stop()
    assert types[0] == "ADDED"
    assert set(types[1:]) == {"MODIFIED"}
    assert simulator.clock.now() < 10


def test_watch_ends_with_its_time(core: Any) -> None:
    """A watch with a timeout ends then; one without, in a cluster where nothing happens, says so."""
    events = list(watch.Watch().stream(core.list_namespace, timeout_seconds=5))
    assert {event["type"] for event in events} == {"ADDED"}
    with pytest.raises(UsageError, match="would wait for ever"):
        list(watch.Watch().stream(core.list_namespace))


def test_delete_options(core: Any, simulator: Simulator) -> None:
    """Grace period and selection of what to delete."""
    pod = client.V1Pod(
        metadata=client.V1ObjectMeta(name="p", labels={"app": "p"}),
        spec=client.V1PodSpec(containers=[client.V1Container(name="app", image="hello:1")]),
    )
    core.create_namespaced_pod("default", pod)
    simulator.clock.sleep(5)
    going = core.delete_namespaced_pod("p", "default", grace_period_seconds=7)
    assert going.metadata.deletion_grace_period_seconds == 7
    core.create_namespaced_config_map("default", client.V1ConfigMap(metadata=client.V1ObjectMeta(name="a")))
    core.delete_collection_namespaced_config_map("default")
    assert "a" not in [each.metadata.name for each in core.list_namespaced_config_map("default").items]


def test_what_is_not_there(simulator: Simulator) -> None:
    """What the simulator does not model cannot be judged; a path that no API has is not found."""
    made = simulator.client()
    with pytest.raises(CannotJudge, match="PodTemplate"):
        client.CoreV1Api(made).list_namespaced_pod_template("default")
    with pytest.raises(CannotJudge, match="pods/log"):
        client.CoreV1Api(made).read_namespaced_pod_log("x", "default")
    with pytest.raises(client.ApiException) as caught:
        client.CustomObjectsApi(made).list_namespaced_custom_object("example.com", "v1", "default", "toys")
    assert caught.value.status == 404
    assert client.VersionApi(made).get_code().git_version == "v1.34.4"
