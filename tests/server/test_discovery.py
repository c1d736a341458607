"""What discovery tells kubectl: held against what a Kubernetes 1.34 API server answers."""

from __future__ import annotations

import pytest

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.resources import RESOURCES, Custom, Resource
from gherkube.runners.simulator.server import discovery

ALL = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]


def entries(group: str, version: str = "v1") -> dict[str, Object]:
    return {one["name"]: one for one in discovery.resources(group, version)["resources"]}


def test_a_deployment_is_listed_as_the_api_server_lists_it() -> None:
    """api/discovery/apis__apps__v1.json of Kubernetes 1.34, without the storage hash."""
    listed = entries("apps")
    assert listed["deployments"] == {
        "name": "deployments",
        "singularName": "deployment",
        "namespaced": True,
        "kind": "Deployment",
        "verbs": ALL,
        "shortNames": ["deploy"],
        "categories": ["all"],
    }
    assert listed["deployments/scale"] == {
        "name": "deployments/scale",
        "singularName": "",
        "namespaced": True,
        "group": "autoscaling",
        "version": "v1",
        "kind": "Scale",
        "verbs": ["get", "patch", "update"],
    }
    assert listed["deployments/status"]["kind"] == "Deployment"


def test_drain_finds_the_eviction_of_pods() -> None:
    """kubectl drain deletes pods unless the unaggregated list names pods/eviction of policy/v1."""
    eviction = entries("")["pods/eviction"]
    assert (eviction["group"], eviction["version"], eviction["kind"]) == ("policy", "v1", "Eviction")
    assert eviction["verbs"] == ["create"]


def test_every_modelled_resource_is_listed() -> None:
    """Discovery is made of the simulator's own table: what it serves is found."""
    for resource in RESOURCES.values():
        listed = entries(resource.group, resource.version)[resource.name]
        assert (listed["kind"], listed["namespaced"]) == (resource.kind, resource.namespaced)
        assert listed.get("shortNames", []) == list(resource.short_names)


def test_namespaces_cannot_be_deleted_as_a_collection() -> None:
    """Nor can reviews be listed."""
    assert "deletecollection" not in entries("")["namespaces"]["verbs"]
    assert entries("authorization.k8s.io")["selfsubjectaccessreviews"]["verbs"] == ["create"]


def test_lists_are_by_name_with_subresources_after_their_resource() -> None:
    """As the API server sorts them."""
    names = list(entries(""))
    assert names == sorted(names)


def test_groups_come_in_the_order_of_their_priority() -> None:
    """kubectl takes the first group that knows a name, so the order matters; core is not a group."""
    names = [group["name"] for group in discovery.groups()["groups"]]
    assert names[:2] == ["apps", "events.k8s.io"]
    assert names == sorted(names, key=discovery.GROUPS.index)
    assert discovery.groups()["groups"][0]["preferredVersion"] == {
        "groupVersion": "apps/v1",
        "version": "v1",
    }
    assert discovery.group("apps")["kind"] == "APIGroup"


@pytest.mark.parametrize("version", ["v2", "v2beta1"])
def test_aggregated_discovery_says_the_same_as_the_lists(version: str) -> None:
    """Core in the answer to /api, all other groups in that to /apis; nothing more, nothing less."""
    found = {}
    for core in (True, False):
        answer = discovery.aggregated(core, version)
        assert answer["apiVersion"] == f"apidiscovery.k8s.io/{version}"
        for item in answer["items"]:
            name = item["metadata"].get("name", "")
            assert core is (name == "")
            for each in item["versions"]:
                for resource in each["resources"]:
                    key = (name, each["version"], resource["resource"])
                    found[key] = resource
                    listed = entries(name, each["version"])[resource["resource"]]
                    assert listed["verbs"] == resource["verbs"]
                    assert listed["namespaced"] is (resource["scope"] == "Namespaced")
    deployment = found["apps", "v1", "deployments"]
    assert deployment["subresources"][0] == {
        "subresource": "scale",
        "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
        "verbs": ["get", "patch", "update"],
    }
    assert len({(group, name) for group, _, name in found}) >= len(RESOURCES)


def test_custom_resources_are_served_after_the_built_in_groups_newest_version_first() -> None:
    """A registry with more in it: v2 before v1 before v2beta1, as Kubernetes ranks versions."""
    custom = Custom("shop", ("all",), {}, (), {"specReplicasPath": ".spec.replicas"})
    more = [
        Resource("shops.acme.example", "acme.example", version, "Shop", True, ("sh",), True, custom=custom)
        for version in ("v1", "v2beta1", "v2", "v10", "first")
    ]
    registry = discovery.registry([*more, *RESOURCES.values()])
    last = discovery.groups(registry)["groups"][-1]
    assert last["name"] == "acme.example"
    assert [each["version"] for each in last["versions"]] == ["v10", "v2", "v1", "v2beta1", "first"]
    assert last["preferredVersion"]["version"] == "v10"
    names = [one["name"] for one in discovery.resources("acme.example", "v2", registry)["resources"]]
    assert names == ["shops", "shops/status", "shops/scale"]


def test_an_unknown_group_is_not_found() -> None:
    """In the API server's words."""
    for asked in (lambda: discovery.resources("acme.example", "v1"), lambda: discovery.group("")):
        with pytest.raises(ApiError, match="the server could not find the requested resource"):
            asked()
