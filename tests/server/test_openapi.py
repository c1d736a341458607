"""OpenAPI as kubectl, clients and people read it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.merge_types import ATOMIC_LISTS, SETS
from gherkube.runners.simulator.api.patches import MERGE_KEYS
from gherkube.runners.simulator.api.resources import RESOURCES, Custom, Resource
from gherkube.runners.simulator.api.schema import table
from gherkube.runners.simulator.server import discovery, openapi

ROOT = Path(__file__).parents[2]
DEPLOYMENTS = "/apis/apps/v1/namespaces/{namespace}/deployments"


def references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)


def schema(path: str, name: str) -> Object:
    return dict(openapi.v3(path)["components"]["schemas"][name])


def test_the_data_is_what_the_tool_derives() -> None:
    """So that nobody edits it by hand, and its source is known."""
    subprocess.run([sys.executable, str(ROOT / "tools" / "derive_openapi.py"), "--check"], check=True)


@pytest.mark.parametrize("path", openapi.v3_index()["paths"])
def test_a_document_refers_to_nothing_that_it_does_not_hold(path: str) -> None:
    """A client may read one group's document and no other."""
    document = openapi.v3(path)
    held = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= held


def test_every_stored_kind_can_be_validated_and_dry_run() -> None:
    """kubectl looks for a patch operation marked with the kind that takes fieldValidation and dryRun."""
    for resource in RESOURCES.values():
        path = f"apis/{resource.group}/v1" if resource.group else "api/v1"
        mark = {"group": resource.group, "version": "v1", "kind": resource.kind}
        found = [
            {parameter["name"] for parameter in item["patch"]["parameters"]}
            for item in openapi.v3(path)["paths"].values()
            if "patch" in item and item["patch"]["x-kubernetes-group-version-kind"] == mark
        ]
        assert any({"fieldValidation", "dryRun"} <= names for names in found), resource.name


def test_operations_bear_the_marks_of_a_real_document() -> None:
    """api/openapi-spec/v3/apis__apps__v1_openapi.json of Kubernetes 1.34."""
    paths = openapi.v3("apis/apps/v1")["paths"]
    assert {
        method: told["x-kubernetes-action"]
        for method, told in paths[DEPLOYMENTS].items()
        if "x-kubernetes-action" in told
    } == {
        "post": "post",
        "delete": "deletecollection",
        "get": "list",
    }
    patch = paths[f"{DEPLOYMENTS}/{{name}}/scale"]["patch"]
    assert patch["operationId"] == "patchAppsV1NamespacedDeploymentScale"
    assert patch["x-kubernetes-group-version-kind"] == {
        "group": "autoscaling",
        "version": "v1",
        "kind": "Scale",
    }
    every = paths["/apis/apps/v1/deployments"]["get"]
    assert every["operationId"] == "listAppsV1DeploymentForAllNamespaces"
    core = openapi.v3("api/v1")["paths"]
    attach = core["/api/v1/namespaces/{namespace}/pods/{name}/attach"]["get"]
    assert (attach["operationId"], attach["x-kubernetes-action"]) == (
        "connectCoreV1GetNamespacedPodAttach",
        "connect",
    )


def test_a_field_is_described_and_its_values_are_named() -> None:
    """What `kubectl explain deployment.spec.strategy` prints."""
    strategy = schema("apis/apps/v1", "io.k8s.api.apps.v1.DeploymentSpec")["properties"]["strategy"]
    assert strategy["description"].startswith("The deployment strategy to use")
    assert strategy["x-kubernetes-patch-strategy"] == "retainKeys"
    assert strategy["allOf"] == [{"$ref": "#/components/schemas/io.k8s.api.apps.v1.DeploymentStrategy"}]
    kind = schema("apis/apps/v1", "io.k8s.api.apps.v1.DeploymentStrategy")["properties"]["type"]
    assert kind["enum"] == ["Recreate", "RollingUpdate"]


def test_lists_merge_as_the_simulator_merges_them() -> None:
    """What clients are told of strategic merge is what the simulator does with their patches."""
    structs: dict[str, dict[str, str]] = table()["structs"]
    compared = 0
    for name, definition in openapi.v2()["definitions"].items():
        struct = name.rpartition(".")[2]
        for field, told in (definition.get("properties") or {}).items():
            type_ = structs.get(struct, {}).get(field, "")
            if type_.startswith("[]"):
                merges = "merge" in told.get("x-kubernetes-patch-strategy", "")
                key = told.get("x-kubernetes-patch-merge-key", "a set") if merges else None
                assert merged_by(struct, field, type_.removeprefix("[]")) == key, (name, field)
                compared += 1
    assert compared > 100


def merged_by(struct: str, field: str, element: str) -> str | None:
    """The key by which the simulator merges a list, "a set", or None where it replaces it."""
    if (struct, field) in SETS:
        return "a set"
    return None if (struct, field) in ATOMIC_LISTS else MERGE_KEYS.get(element)


def test_the_index_names_each_document_with_a_hash_that_changes_with_it() -> None:
    """A client that knows the hash need not ask again; a new kind in a group changes that of its group."""
    plain = openapi.v3_index()["paths"]
    assert plain["apis/apps/v1"]["serverRelativeURL"].startswith("/openapi/v3/apis/apps/v1?hash=")
    assert openapi.v3_index()["paths"] == plain
    more = openapi.v3_index(discovery.registry([*RESOURCES.values(), shop()]))["paths"]
    assert {path for path in more if more[path] != plain.get(path)} == {"apis/acme.example/v1"}
    other = openapi.v3_index(discovery.registry([*RESOURCES.values(), shop("integer")]))["paths"]
    assert other["apis/acme.example/v1"] != more["apis/acme.example/v1"]


def shop(type_: str = "string") -> Resource:
    told = {
        "description": "Shop is where things are sold.",
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {"color": {"type": type_}}}},
    }
    custom = Custom("shop", (), told, (), None)
    return Resource("shops.acme.example", "acme.example", "v1", "Shop", True, ("sh",), custom=custom)


def test_a_custom_resource_is_explained_by_its_own_schema() -> None:
    """With what every object has: its type and metadata."""
    document = openapi.v3("apis/acme.example/v1", discovery.registry([shop()]))
    told = document["components"]["schemas"]["example.acme.v1.Shop"]
    assert list(told["properties"]) == ["spec", "apiVersion", "kind", "metadata"]
    assert told["x-kubernetes-group-version-kind"] == [
        {"group": "acme.example", "version": "v1", "kind": "Shop"}
    ]
    listing = document["components"]["schemas"]["example.acme.v1.ShopList"]["properties"]["items"]
    assert listing["items"] == {"$ref": "#/components/schemas/example.acme.v1.Shop"}
    assert "/apis/acme.example/v1/namespaces/{namespace}/shops/{name}" in document["paths"]


def test_v2_holds_all_groups_in_one_document() -> None:
    """References stay within it, bodies are parameters."""
    document = openapi.v2()
    assert set(references(document)) <= {f"#/definitions/{name}" for name in document["definitions"]}
    post = document["paths"][DEPLOYMENTS]["post"]
    assert post["parameters"][0] == {
        "name": "body",
        "in": "body",
        "required": True,
        "schema": {"$ref": "#/definitions/io.k8s.api.apps.v1.Deployment"},
    }
    assert "requestBody" not in json.dumps(document)
    assert document["definitions"]["io.k8s.apimachinery.pkg.api.resource.Quantity"]["type"] == "string"


def test_a_group_that_is_not_served_has_no_document() -> None:
    """In the API server's words."""
    with pytest.raises(ApiError, match="the server could not find the requested resource"):
        openapi.v3("apis/acme.example/v1")
