"""The trusted verbs: what every write does to metadata, status and version, and when it is refused."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Key, Object
from gherkube.runners.simulator.api.names import ALPHABET, safe_encode
from tests.simulator.api.workshop import Json, container, deployment, message, pod, refusal, server

STALE = "the object has been modified; please apply your changes to the latest version and try again"


def config(name: str = "c", **fields: Any) -> Json:
    return {"metadata": {"name": name, "namespace": "default"}, **fields}


def test_a_new_object_gets_what_the_server_gives() -> None:
    """uid, creationTimestamp, generation 1, resourceVersion, type and the first status."""
    api = server()
    api.clock.run_until(61.5)
    obj = api.create_trusted(
        "replicasets",
        {
            "metadata": {"name": "w", "namespace": "default"},
            "spec": {"replicas": 1},
            "status": {"replicas": 7},
        },
    )
    metadata = obj["metadata"]
    assert (obj["apiVersion"], obj["kind"], obj["status"]) == ("apps/v1", "ReplicaSet", {"replicas": 0})
    assert uuid.UUID(metadata["uid"]).version == 4
    assert metadata["creationTimestamp"] == "2025-01-01T00:01:01Z"
    assert (metadata["generation"], metadata["resourceVersion"]) == (1, str(api.store.version))


def test_kinds_without_generation_have_none() -> None:
    """ConfigMaps, Services, Nodes and Namespaces have no generation."""
    assert "generation" not in server().create_trusted("configmaps", config())["metadata"]


def test_generated_names_are_cut_and_safe() -> None:
    """A generated name keeps 58 characters of its base and adds five of the safe alphabet."""
    metadata = {"generateName": "x" * 60, "namespace": "default"}
    name = server().create_trusted("configmaps", {"metadata": metadata})["metadata"]["name"]
    assert name[:58] == "x" * 58
    assert len(name) == 63
    assert set(name[58:]) <= set(ALPHABET)


def test_one_seed_gives_the_same_names_and_uids() -> None:
    """Names and uids depend on the seed and nothing else."""

    def made(seed: int) -> Object:
        metadata = {"generateName": "x-", "namespace": "default"}
        created: Object = server(seed).create_trusted("configmaps", {"metadata": metadata})
        return created

    assert made(1) == made(1)
    assert made(1)["metadata"]["name"] != made(2)["metadata"]["name"]
    assert made(1)["metadata"]["uid"] != made(2)["metadata"]["uid"]


def test_digits_are_encoded_as_upstream() -> None:
    """The digits of a hash are mapped to `4 5 6 7 8 9 b c d f`."""
    assert safe_encode(1234567890) == "56789bcdf4"


def test_a_taken_name_is_refused() -> None:
    """AlreadyExists, 409, names the resource with its group."""
    api = server()
    api.create(deployment())
    error = refusal(api.create, deployment())
    assert (error.code, error.reason) == (409, "AlreadyExists")
    assert error.message == 'deployments.apps "web" already exists'


def test_a_namespace_has_to_be_there() -> None:
    """Creation into a missing namespace is NotFound, into a terminating one Forbidden with its cause."""
    api = server()
    assert message(api.create, deployment(), namespace="nope") == 'namespaces "nope" not found'
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "old"}})
    api.delete("namespaces", "old")
    error = refusal(api.create, deployment(), namespace="old")
    assert (error.code, error.reason) == (403, "Forbidden")
    assert error.message == (
        'deployments.apps "web" is forbidden: unable to create new content in namespace old '
        "because it is being terminated"
    )
    assert error.details["causes"][0]["reason"] == "NamespaceTerminating"


def test_a_namespace_is_labelled_with_its_name() -> None:
    """A namespace has its name as a label, the finalizer "kubernetes" and the phase Active."""
    created = server().create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ns"}})
    assert created["metadata"]["labels"] == {"kubernetes.io/metadata.name": "ns"}
    assert (created["spec"], created["status"]) == ({"finalizers": ["kubernetes"]}, {"phase": "Active"})


def test_admission_can_refuse() -> None:
    """A hook that raises keeps a new object out of the store."""
    api = server()

    def full(_obj: Object) -> Object:
        raise ApiError(403, "Forbidden", "exceeded quota")

    api.admission["pods"].append(full)
    assert message(api.create, pod()) == "exceeded quota"
    assert api.list("pods") == []


def test_a_stale_update_conflicts() -> None:
    """replace_trusted takes only the stored version; what is gone or made anew is NotFound."""
    api = server()
    old = api.create(deployment())
    api.put_status("deployments", old, {"replicas": 1})
    error = refusal(api.replace_trusted, "deployments", old)
    assert (error.code, error.reason) == (409, "Conflict")
    assert error.message == f'Operation cannot be fulfilled on deployments.apps "web": {STALE}'
    api.delete("deployments", "web", "default")
    assert message(api.replace_trusted, "deployments", old) == 'deployments.apps "web" not found'
    api.create(deployment())
    assert refusal(api.replace_trusted, "deployments", old).code == 404


def test_generation_counts_changes_of_the_spec() -> None:
    """Generation rises with the spec, on Deployments with annotations too; not with labels or status."""
    api = server()
    obj = api.create(deployment())

    def change(**parts: Any) -> int:
        nonlocal obj
        metadata = {**obj["metadata"], **parts.pop("metadata", {})}
        obj = api.replace_trusted("deployments", {**obj, **parts, "metadata": metadata})
        generation: int = obj["metadata"]["generation"]
        return generation

    assert change(metadata={"labels": {"a": "b"}}) == 1
    assert change(metadata={"annotations": {"a": "b"}}) == 2
    assert change(spec={**obj["spec"], "replicas": 3}) == 3
    obj = api.put_status("deployments", obj, {"replicas": 1}, metadata={"annotations": {"c": "d"}})
    assert obj["metadata"]["generation"] == 3
    assert obj["metadata"]["annotations"] == {"c": "d"}


def test_a_pods_generation_counts_its_spec() -> None:
    """Labels and binding do not raise a pod's generation, another image does."""
    api = server()
    obj = api.create(pod())
    obj = api.replace_trusted("pods", {**obj, "metadata": {**obj["metadata"], "labels": {"a": "b"}}})
    assert obj["metadata"]["generation"] == 1
    assert api.bind(Key("default", "p"), "node-1")["metadata"]["generation"] == 1
    image = {"spec": {"containers": [{"name": "app", "image": "hello:2"}]}}
    assert api.patch("pods", "p", image)["metadata"]["generation"] == 2


def test_an_endpoint_slices_generation_counts_its_content() -> None:
    """Endpoints, ports and labels raise it; the trigger-time annotation does not."""
    api = server()
    obj = api.create_trusted("endpointslices", config("s", addressType="IPv4", endpoints=[], ports=[]))
    metadata = {**obj["metadata"], "annotations": {"t": "1"}}
    obj = api.replace_trusted("endpointslices", {**obj, "metadata": metadata})
    assert obj["metadata"]["generation"] == 1
    obj = api.replace_trusted("endpointslices", {**obj, "endpoints": [{"addresses": ["10.0.0.1"]}]})
    assert obj["metadata"]["generation"] == 2


def test_nothing_changed_is_nothing_written() -> None:
    """Updates, status writes and patches that change nothing make no new version."""
    api = server()
    obj = api.create(deployment())
    api.create(pod())
    before = api.store.version
    assert api.replace_trusted("deployments", {**obj, "metadata": {**obj["metadata"]}}) is obj
    assert api.put_status("deployments", obj, {}) is obj
    assert api.put_status("deployments", obj, {}, metadata={"name": "web"}) is obj
    for resource, name in (("deployments", "web"), ("pods", "p"), ("namespaces", "default")):
        api.patch(resource, name, {})
    assert api.store.version == before


def test_an_update_keeps_the_status_and_a_status_write_all_else() -> None:
    """Main resource and status are written apart."""
    api = server()
    obj = api.create(deployment())
    obj = api.put_status("deployments", {**obj, "spec": {}}, {"replicas": 2})
    assert obj["spec"]["replicas"] == 1
    obj = api.replace_trusted("deployments", {**obj, "status": {"replicas": 9}, "spec": {**obj["spec"]}})
    assert obj["status"] == {"replicas": 2}


def test_a_status_is_put_on_what_is_stored() -> None:
    """With check a stale status conflicts; without it, it goes onto the newest version."""
    api = server()
    old = api.create(pod())
    api.bind(Key("default", "p"), "node-1")
    assert refusal(api.put_status, "pods", old, {"phase": "Running"}).reason == "Conflict"
    new = api.put_status("pods", old, {"phase": "Running"}, check=False)
    assert (new["spec"]["nodeName"], new["status"]) == ("node-1", {"phase": "Running"})
    api.delete("pods", "p", "default", grace_period=0)
    assert refusal(api.put_status, "pods", old, {}, check=False).reason == "NotFound"


def test_binding_sets_the_node_and_the_condition_in_one_write() -> None:
    """PodScheduled turns True in its place, without reason, message and observedGeneration."""
    api = server()
    obj = api.create(pod())
    unschedulable = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no"}
    obj = api.put_status("pods", obj, {**obj["status"], "conditions": [unschedulable, {"type": "X"}]})
    before = api.store.version
    bound = api.bind(Key("default", "p"), "node-1")
    assert api.store.version == before + 1
    assert bound["spec"]["nodeName"] == "node-1"
    scheduled = {
        "type": "PodScheduled",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": "2025-01-01T00:00:00Z",
    }
    assert bound["status"]["conditions"] == [scheduled, {"type": "X"}]


def test_a_pod_is_bound_once_and_only_while_it_lives() -> None:
    """Binding a bound, a deleted or an absent pod is refused."""
    api = server()
    api.create(pod())
    key = Key("default", "p")
    body = {"target": {"kind": "Node", "name": "node-1"}}
    assert api.post("pods", "p", "binding", body)["status"] == "Success"
    assert message(api.bind, key, "node-2") == (
        'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "node-1"'
    )
    api.delete("pods", "p", "default")
    assert message(api.bind, key, "node-2").endswith("pod p is being deleted, cannot be assigned to a host")
    assert message(api.bind, Key("default", "q"), "node-2") == 'pods "q" not found'


def test_objects_are_values() -> None:
    """No write changes an object that came out before."""
    api = server()
    obj = api.create(pod())
    before = repr(obj)
    api.bind(Key("default", "p"), "node-1")
    api.put_status("pods", obj, {"phase": "Running"}, check=False)
    api.patch("pods", "p", {"metadata": {"labels": {"a": "b"}}})
    api.delete("pods", "p", "default")
    assert repr(obj) == before


@pytest.mark.parametrize("field", ["uid", "creationTimestamp", "deletionTimestamp"])
def test_what_the_server_owns_cannot_be_set(field: str) -> None:
    """What a creator says of the server's metadata is ignored."""
    obj = deployment()
    obj["metadata"][field] = "2020-01-01T00:00:00Z"
    assert server().create(obj)["metadata"].get(field) != "2020-01-01T00:00:00Z"


def test_a_pod_is_completed_by_what_it_asks() -> None:
    """Requests follow limits, own tolerations and token mounts stay, the class follows the resources."""
    own = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 5}
    own = {**own, "effect": "NoExecute"}
    limits = {"cpu": "1", "memory": "1Gi"}
    spec = server().create(
        pod(containers=[container(resources={"limits": limits})], tolerations=[own], priority=None)
    )
    assert spec["spec"]["containers"][0]["resources"]["requests"] == limits
    assert [(each["key"], each["tolerationSeconds"]) for each in spec["spec"]["tolerations"]] == [
        ("node.kubernetes.io/not-ready", 5),
        ("node.kubernetes.io/unreachable", 300),
    ]
    assert spec["status"] == {"phase": "Pending", "qosClass": "Guaranteed"}
    burstable = pod("q", containers=[container(resources={"requests": {"cpu": "1"}})])
    assert server().create(burstable)["status"]["qosClass"] == "Burstable"
    bare = server().create(pod("r", automountServiceAccountToken=False))
    assert "volumes" not in bare["spec"]
    assert "volumeMounts" not in bare["spec"]["containers"][0]


def test_pods_of_one_template_share_it_and_differ_in_their_token() -> None:
    """The template is worked out once; each pod has a token volume of its own name."""
    api = server()
    template = api.create(deployment())["spec"]["template"]["spec"]

    def made() -> Json:
        metadata = {"generateName": "web-", "namespace": "default"}
        created: Json = api.create_trusted("pods", {"metadata": metadata, "spec": template})["spec"]
        return created

    one, two = made(), made()
    assert one["tolerations"] is two["tolerations"]
    assert one["volumes"][0]["name"] != two["volumes"][0]["name"]
    assert one["volumes"][0]["name"] == one["containers"][0]["volumeMounts"][0]["name"]
    assert "volumes" not in template
