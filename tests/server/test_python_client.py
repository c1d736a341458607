"""The official Python client against `gherkube serve`: typed and dynamic, watches, informers, leases."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.server.loopback import deployment
from tests.server.serving import serving

kubernetes = pytest.importorskip("kubernetes")
client, config, dynamic = kubernetes.client, kubernetes.config, pytest.importorskip("kubernetes.dynamic")
utils, watch = pytest.importorskip("kubernetes.utils"), pytest.importorskip("kubernetes.watch")
informer = pytest.importorskip("kubernetes.informer")
ApiException = client.exceptions.ApiException
SPEED = "30"
"""A watch of 30 seconds ends after one."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The kubeconfig of a server."""
    with serving(tmp_path_factory.mktemp("server"), "--speed", SPEED) as kubeconfig:
        yield kubeconfig


@pytest.fixture
def api(server: str) -> Iterator[Any]:
    """A client that is closed afterwards."""
    with config.new_client_from_config(server) as made:
        yield made


@pytest.fixture
def core(api: Any) -> Any:
    """Its core API."""
    return client.CoreV1Api(api)


@pytest.fixture
def apps(api: Any) -> Any:
    """Its apps API."""
    return client.AppsV1Api(api)


@pytest.fixture
def place(api: Any, request: pytest.FixtureRequest) -> str:
    """A namespace of the test's own."""
    name = request.node.name.replace("_", "-").partition("[")[0][:60].rstrip("-")
    client.CoreV1Api(api).create_namespace({"metadata": {"name": name}})
    return name


@pytest.fixture
def dyn(api: Any) -> Any:
    """A dynamic client, which reads discovery."""
    return dynamic.DynamicClient(api)


def first(found: Callable[[Any], bool], *listed: Any, **options: Any) -> Any:
    """The first event of a watch that fits."""
    with closing(watch.Watch().stream(*listed, timeout_seconds=600, **options)) as stream:
        return next(each for each in stream if found(each))


def configmap(name: str, **data: str) -> Any:
    """A ConfigMap as plain data."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_typed_objects_come_back_typed(apps: Any, place: str) -> None:
    """With all that the API server fills in; scale, status and deletion too."""
    made = apps.create_namespaced_deployment(place, deployment())
    assert (made.spec.strategy.type, made.spec.template.spec.termination_grace_period_seconds) == (
        "RollingUpdate",
        30,
    )
    assert made.metadata.creation_timestamp.tzinfo is not None
    scale = apps.read_namespaced_deployment_scale("web", place)
    scale.spec.replicas = 3
    scale.metadata.resource_version = None  # the controllers write it, too
    assert apps.replace_namespaced_deployment_scale("web", place, scale).spec.replicas == 3
    first(lambda each: each["object"].status.available_replicas == 3, apps.list_namespaced_deployment, place)
    status = apps.read_namespaced_deployment_status("web", place).status
    assert {each.type: each.status for each in status.conditions}["Available"] == "True"
    apps.delete_namespaced_deployment("web", place)
    with pytest.raises(ApiException) as refused:
        apps.read_namespaced_deployment("web", place)
    assert refused.value.status == 404


def test_an_exception_holds_the_status(core: Any, place: str) -> None:
    """As the API server words it: code, reason, message and details."""
    core.create_namespaced_config_map(place, configmap("a"))
    with pytest.raises(ApiException) as twice:
        core.create_namespaced_config_map(place, configmap("a"))
    status = json.loads(twice.value.body)
    assert (twice.value.status, twice.value.reason, status["reason"]) == (409, "Conflict", "AlreadyExists")
    assert status["message"] == 'configmaps "a" already exists'
    assert status["details"] == {"name": "a", "kind": "configmaps"}
    with pytest.raises(ApiException) as wrong:
        core.create_namespaced_config_map(place, configmap("A_"))
    causes = json.loads(wrong.value.body)["details"]["causes"]
    assert (wrong.value.status, causes[0]["field"], causes[0]["reason"]) == (
        422,
        "metadata.name",
        "FieldValueInvalid",
    )
    stale = core.read_namespaced_config_map("a", place)
    core.patch_namespaced_config_map("a", place, {"data": {"x": "1"}})
    with pytest.raises(ApiException) as conflict:
        core.replace_namespaced_config_map("a", place, stale)
    assert "the object has been modified" in json.loads(conflict.value.body)["message"]
    with pytest.raises(ApiException) as absent:
        client.CustomObjectsApi(core.api_client).list_namespaced_custom_object("a.io", "v1", place, "things")
    assert absent.value.status == 404


@pytest.mark.parametrize(
    ("type_", "patch", "containers"),
    [
        (
            "application/strategic-merge-patch+json",
            {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "hello:2"}]}}}},
            [("app", "hello:2", 8080)],
        ),
        (
            "application/merge-patch+json",
            {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "hello:3"}]}}}},
            [("app", "hello:3", None)],
        ),
        (
            "application/json-patch+json",
            [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "hello:4"}],
            [("app", "hello:4", 8080)],
        ),
    ],
)
def test_patches_of_three_types(dyn: Any, place: str, type_: str, patch: Any, containers: Any) -> None:
    """Strategic merge keeps what a list has, merge replaces it, JSON patches name what they change."""
    resource = dyn.resources.get(api_version="apps/v1", kind="Deployment")
    resource.create(deployment(), namespace=place)
    new = resource.patch(patch, name="web", namespace=place, content_type=type_).to_dict()
    found = [
        (each["name"], each["image"], each.get("ports", [{}])[0].get("containerPort"))
        for each in new["spec"]["template"]["spec"]["containers"]
    ]
    assert found == containers
    resource.delete(name="web", namespace=place)
    client.CoreV1Api(dyn.client).delete_namespace(place)
    namespaces = client.CoreV1Api(dyn.client).list_namespace
    first(lambda each: each["type"] == "DELETED" and each["object"].metadata.name == place, namespaces)


def test_server_side_apply(dyn: Any, core: Any, place: str) -> None:
    """Owners of fields, a conflict, force, and the field that nobody applies any more."""
    resource = dyn.resources.get(api_version="v1", kind="ConfigMap")

    def apply(manager: str, force: bool = False, **data: str) -> Any:
        body = {**configmap("a", **data), "metadata": {"name": "a", "namespace": place}}
        return resource.server_side_apply(body, field_manager=manager, force_conflicts=force)

    apply("one", x="1", y="1")
    with pytest.raises(ApiException) as conflict:
        apply("two", x="2")
    assert conflict.value.status == 409
    assert 'conflict with "one"' in json.loads(conflict.value.body)["message"]
    apply("two", force=True, x="2")
    assert apply("one", y="1").data.to_dict() == {"x": "2", "y": "1"}
    assert apply("two").to_dict()["data"] == {"y": "1"}
    owners = {each.manager for each in core.read_namespaced_config_map("a", place).metadata.managed_fields}
    assert "one" in owners


def test_a_watch_goes_on_where_a_list_was(core: Any, place: str) -> None:
    """From its resource version; it ends at its time-out, without an error."""
    core.create_namespaced_config_map(place, configmap("before"))
    version = core.list_namespaced_config_map(place).metadata.resource_version
    core.create_namespaced_config_map(place, configmap("a"))
    core.patch_namespaced_config_map("a", place, {"data": {"x": "1"}})
    core.delete_namespaced_config_map("a", place)
    watcher = watch.Watch()
    stream = watcher.stream(
        core.list_namespaced_config_map, place, resource_version=version, timeout_seconds=30
    )
    seen = [(each["type"], each["object"].metadata.name) for each in stream]
    assert seen == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
    assert int(watcher.resource_version) > int(version)


def test_a_watch_without_a_version_begins_with_what_is_there(core: Any, place: str) -> None:
    """Selectors hold for what is told; a raw watch gives plain data."""
    for name, tier in (("a", "front"), ("b", "back")):
        body = configmap(name)
        core.create_namespaced_config_map(
            place, {**body, "metadata": {**body["metadata"], "labels": {"tier": tier}}}
        )
    stream = watch.Watch().stream(
        core.list_namespaced_config_map, place, label_selector="tier=front", timeout_seconds=15
    )
    assert [(each["type"], each["raw_object"]["metadata"]["name"]) for each in stream] == [("ADDED", "a")]


def test_a_version_to_come_is_refused(core: Any, place: str) -> None:
    """What cannot be continued is told with the API's code, so that a client lists anew."""
    newest = int(core.list_namespaced_config_map(place).metadata.resource_version)
    with pytest.raises(ApiException) as refused:
        core.list_namespaced_config_map(
            place, resource_version=str(newest + 10_000), resource_version_match="Exact"
        )
    assert refused.value.status == 504


def test_lists_come_in_chunks(core: Any, place: str) -> None:
    """`limit` and `_continue` give each object once."""
    for number in range(7):
        core.create_namespaced_config_map(place, configmap(f"m{number}"))
    names: list[str] = []
    token = None
    while True:
        found = core.list_namespaced_config_map(place, limit=3, _continue=token)
        names += [each.metadata.name for each in found.items]
        if not (token := found.metadata._continue):
            break
    assert [name for name in names if name.startswith("m")] == [f"m{number}" for number in range(7)]


def test_the_dynamic_client_finds_resources(dyn: Any, place: str) -> None:
    """By kind, plural and short name, with its verbs; it watches, and lists over all namespaces."""
    assert dyn.resources.get(api_version="apps/v1", kind="StatefulSet").namespaced
    assert dyn.resources.get(short_names=["netpol"]).kind == "NetworkPolicy"
    assert not dyn.resources.get(kind="Node").namespaced
    with pytest.raises(dynamic.exceptions.ResourceNotFoundError):
        dyn.resources.get(api_version="v1", kind="Nothing")
    resource = dyn.resources.get(api_version="v1", kind="ConfigMap")
    resource.create(configmap("a", x="1"), namespace=place)
    assert resource.get(name="a", namespace=place).data.x == "1"
    names = {(each.metadata.namespace, each.metadata.name) for each in resource.get().items}
    assert (place, "a") in names
    events = list(resource.watch(namespace=place, field_selector="metadata.name=a", timeout=15))
    assert [(each["type"], each["object"].metadata.name) for each in events] == [("ADDED", "a")]
    with pytest.raises(dynamic.exceptions.NotFoundError):
        resource.get(name="b", namespace=place)


def test_create_from_yaml(api: Any, place: str, tmp_path: Any, apps: Any) -> None:
    """All documents of a file, in the namespace that is said; what is there already is told of."""
    file = tmp_path / "all.yaml"
    file.write_text("\n---\n".join(json.dumps(each) for each in (deployment(), configmap("a"))))
    utils.create_from_yaml(api, str(file), namespace=place)
    assert apps.read_namespaced_deployment("web", place).spec.replicas == 2
    with pytest.raises(utils.FailToCreateError) as twice:
        utils.create_from_yaml(api, str(file), namespace=place)
    assert [each.reason for each in twice.value.api_exceptions] == ["Conflict", "Conflict"]


def test_custom_resources(api: Any, dyn: Any, place: str) -> None:
    """A definition is established, and then its objects are served, checked and watched."""
    names = {"plural": "ships", "singular": "ship", "kind": "Ship"}
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {"masts": {"type": "integer"}}}},
    }
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    definition = {
        "metadata": {"name": "ships.sea.io"},
        "spec": {"group": "sea.io", "scope": "Namespaced", "names": names, "versions": [version]},
    }
    extensions = client.ApiextensionsV1Api(api)
    extensions.create_custom_resource_definition(definition)
    first(
        lambda each: "Established" in [c.type for c in each["object"].status.conditions or ()],
        extensions.list_custom_resource_definition,
    )
    custom = client.CustomObjectsApi(api)
    ship = {"apiVersion": "sea.io/v1", "kind": "Ship", "metadata": {"name": "a"}, "spec": {"masts": 3}}
    custom.create_namespaced_custom_object("sea.io", "v1", place, "ships", ship)
    with pytest.raises(ApiException) as wrong:
        custom.patch_namespaced_custom_object(
            "sea.io", "v1", place, "ships", "a", {"spec": {"masts": "many"}}
        )
    assert wrong.value.status == 422
    dyn.resources.invalidate_cache()
    found = dyn.resources.get(api_version="sea.io/v1", kind="Ship").get(namespace=place)
    assert [each.spec.masts for each in found.items] == [3]


def test_an_informer_keeps_up(core: Any, place: str) -> None:
    """Its cache holds what is there, and handlers hear of what changes."""
    core.create_namespaced_config_map(place, configmap("before"))
    told: dict[str, threading.Event] = {each: threading.Event() for each in ("ADDED", "MODIFIED", "DELETED")}
    keeper = informer.SharedInformer(core.list_namespaced_config_map, namespace=place)
    for type_, event in told.items():

        def heard(obj: Any, event: threading.Event = event) -> None:
            if obj.metadata.name == "a":
                event.set()

        keeper.add_event_handler(type_, heard)
    keeper.start()
    try:
        core.create_namespaced_config_map(place, configmap("a"))
        assert told["ADDED"].wait(300)
        core.patch_namespaced_config_map("a", place, {"data": {"x": "1"}})
        assert told["MODIFIED"].wait(300)
        assert keeper.cache.get_by_key(f"{place}/before") is not None
        core.delete_namespaced_config_map("a", place)
        assert told["DELETED"].wait(300)
        assert keeper.cache.get_by_key(f"{place}/a") is None
    finally:
        keeper.stop()


def test_one_of_two_candidates_leads(api: Any, place: str) -> None:
    """Leader election over a Lease: the second one is not let in while the first renews."""
    from kubernetes.leaderelection import electionconfig, leaderelection
    from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

    def candidate(name: str) -> Any:
        lock = LeaseLock("leader", place, name)
        lock.api_instance = client.CoordinationV1Api(api)
        made = electionconfig.Config(lock, 15, 10, 1, lambda *_: None, lambda: None)
        return leaderelection.LeaderElection(made)

    first, second = candidate("first"), candidate("second")
    assert first.try_acquire_or_renew()
    assert not second.try_acquire_or_renew()
    assert first.try_acquire_or_renew()
    lease = client.CoordinationV1Api(api).read_namespaced_lease("leader", place)
    assert lease.spec.holder_identity == "first"
    assert lease.spec.renew_time >= lease.spec.acquire_time


def test_a_pod_is_evicted_and_its_log_read(apps: Any, core: Any, place: str) -> None:
    """Subresources: log, eviction."""
    apps.create_namespaced_deployment(place, deployment(replicas=1))
    event = first(lambda each: each["object"].status.phase == "Running", core.list_namespaced_pod, place)
    pod = event["object"]
    assert "listening on :8080" in core.read_namespaced_pod_log(pod.metadata.name, place)
    eviction = {"metadata": {"name": pod.metadata.name, "namespace": place}}
    core.create_namespaced_pod_eviction(pod.metadata.name, place, eviction)
    since = pod.metadata.resource_version  # it may be gone by now
    goes = first(
        lambda each: each["object"].metadata.deletion_timestamp,
        core.list_namespaced_pod,
        place,
        resource_version=since,
    )
    assert goes["object"].metadata.name == pod.metadata.name


def test_an_eviction_that_a_budget_forbids(apps: Any, core: Any, api: Any, place: str) -> None:
    """Is refused without Retry-After, so that a client decides by itself when to try again."""
    apps.create_namespaced_deployment(place, deployment(replicas=1))
    first(lambda each: each["object"].status.available_replicas, apps.list_namespaced_deployment, place)
    budget = {
        "metadata": {"name": "web"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
    }
    policies = client.PolicyV1Api(api)
    policies.create_namespaced_pod_disruption_budget(place, budget)
    budgets = policies.list_namespaced_pod_disruption_budget
    first(lambda each: each["object"].status and each["object"].status.current_healthy, budgets, place)
    (pod,) = core.list_namespaced_pod(place).items
    with pytest.raises(ApiException) as refused:
        core.create_namespaced_pod_eviction(
            pod.metadata.name, place, {"metadata": {"name": pod.metadata.name}}
        )
    assert (refused.value.status, "Retry-After" in refused.value.headers) == (429, False)
    assert "disruption budget" in json.loads(refused.value.body)["message"]


def test_an_empty_namespace_is_none(core: Any, place: str) -> None:
    """helm writes its releases so."""
    for write in (core.create_namespaced_config_map, None):
        body = configmap("a", x="1")
        body["metadata"]["namespace"] = ""
        if write is None:
            core.replace_namespaced_config_map("a", place, body)
        else:
            write(place, body)
    assert core.read_namespaced_config_map("a", place).data == {"x": "1"}


def test_the_version_is_told(api: Any) -> None:
    """That of Kubernetes."""
    assert client.VersionApi(api).get_code().git_version.startswith("v1.34")
