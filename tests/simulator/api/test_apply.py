"""Server-side apply: ownership of fields, conflicts, and what goes when nobody wants it any more."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.fieldsets import applied, decode, encode, spell
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance, Clock
from gherkube.runners.simulator.store import Store


def server() -> ApiServer:
    return ApiServer(Store(Clock()), Chance(1))


def web(**spec: Any) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": "hello:1"}]},
            },
            **spec,
        },
    }


def config(**data: str) -> Object:
    metadata = {"name": "c", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def apply(api: ApiServer, obj: Object, manager: str = "helm", *, force: bool = False) -> Object:
    resource = {"Deployment": "deployments", "ConfigMap": "configmaps"}[obj["kind"]]
    found, _ = api.apply(resource, obj["metadata"]["name"], obj, "default", manager=manager, force=force)
    return found


def owned(obj: Object) -> dict[tuple[str, str], Object]:
    """The FieldsV1 of each manager and operation."""
    return {(m["manager"], m["operation"]): m["fieldsV1"] for m in obj["metadata"].get("managedFields", ())}


def test_apply_creates_and_owns_what_it_names() -> None:
    """The first apply creates; its manager owns the fields that it named, not those that were defaulted."""
    api = server()
    obj, created = api.apply("deployments", "web", web(replicas=3), manager="helm")
    assert created
    assert obj["spec"]["strategy"]["type"] == "RollingUpdate"
    assert owned(obj) == {
        ("helm", "Apply"): {
            "f:spec": {
                "f:replicas": {},
                "f:selector": {},
                "f:template": {
                    "f:metadata": {"f:labels": {"f:app": {}}},
                    "f:spec": {"f:containers": {'k:{"name":"app"}': {".": {}, "f:name": {}, "f:image": {}}}},
                },
            }
        }
    }


def test_the_same_again_writes_nothing() -> None:
    """Applying what is there already leaves the object at its version."""
    api = server()
    first = apply(api, web(replicas=3))
    again, created = api.apply("deployments", "web", web(replicas=3), manager="helm")
    assert again is first
    assert not created


def test_conflict_names_owner_and_field() -> None:
    """A value that somebody else set is a conflict; forced, it is taken and the other owns it no more."""
    api = server()
    apply(api, web(replicas=3))
    api.patch("deployments", "web", {"spec": {"replicas": 5}}, "default", manager="kubectl-edit")
    with pytest.raises(ApiError) as caught:
        apply(api, web(replicas=3))
    assert (caught.value.code, caught.value.reason) == (409, "Conflict")
    assert caught.value.message == (
        'Apply failed with 1 conflict: conflict with "kubectl-edit" using apps/v1: .spec.replicas'
    )
    assert caught.value.details["causes"] == [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "kubectl-edit" using apps/v1',
            "field": ".spec.replicas",
        }
    ]
    forced = apply(api, web(replicas=3), force=True)
    assert forced["spec"]["replicas"] == 3
    assert list(owned(forced)) == [("helm", "Apply")]


def test_several_conflicts_are_listed_by_owner() -> None:
    """All fields that others own are told, owner by owner; nothing is written."""
    api = server()
    apply(api, web(replicas=3, minReadySeconds=1), "argo")
    before = api.get("deployments", "web", "default")
    with pytest.raises(ApiError) as caught:
        apply(api, web(replicas=4, minReadySeconds=2), "helm")
    assert caught.value.message == (
        'Apply failed with 2 conflicts: conflicts with "argo":\n- .spec.minReadySeconds\n- .spec.replicas'
    )
    assert api.get("deployments", "web", "default") is before


def test_same_value_is_shared() -> None:
    """Two who apply the same value own it both; it goes only when neither names it any more."""
    api = server()
    apply(api, config(a="1", b="1"), "one")
    apply(api, config(a="1"), "two")
    left = apply(api, config(b="1"), "one")
    assert left["data"] == {"a": "1", "b": "1"}
    gone = apply(api, config(), "two")
    assert gone["data"] == {"b": "1"}


def test_what_is_applied_no_more_goes() -> None:
    """A field, a list's item and a struct that its only owner leaves out are removed with their defaults."""
    api = server()
    full = web(replicas=3)
    full["metadata"]["labels"] = {"team": "shop"}
    full["spec"]["template"]["spec"]["containers"] = [
        {
            "name": "app",
            "image": "hello:1",
            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
            "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}},
        },
        {"name": "side", "image": "hello:2"},
    ]
    apply(api, full)
    less = web()
    less["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "B", "value": "2"}]
    left = apply(api, less)
    assert "labels" not in left["metadata"]
    assert left["spec"]["replicas"] == 1  # the default again
    (container,) = left["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [{"name": "B", "value": "2"}]
    assert "readinessProbe" not in container


def test_what_nobody_is_known_to_own_conflicts() -> None:
    """An object made before anybody was noted is owned by before-first-apply."""
    api = server()
    api.create(web(replicas=3))
    with pytest.raises(ApiError, match=r'"before-first-apply" using apps/v1: \.spec\.replicas'):
        apply(api, web(replicas=4))
    assert apply(api, web(replicas=3))["spec"]["replicas"] == 3


def test_annotations_of_controllers_stay() -> None:
    """What a controller wrote beside the applied annotations is not removed with them."""
    api = server()
    noted = config(a="1")
    noted["metadata"]["annotations"] = {"mine": "x"}
    first = apply(api, noted)
    there = {**first, "metadata": {**first["metadata"], "annotations": {"mine": "x", "theirs": "y"}}}
    api.replace_trusted("configmaps", there)
    assert apply(api, config(a="1"))["metadata"]["annotations"] == {"theirs": "y"}


def test_writes_own_what_they_change() -> None:
    """Create owns all of it; a patch what it changed; both fields of a value that is changed again move."""
    api = server()
    made = api.create(config(a="1", b="1"), manager="kubectl-create")
    assert owned(made) == {("kubectl-create", "Update"): {"f:data": {".": {}, "f:a": {}, "f:b": {}}}}
    patched = api.patch(
        "configmaps", "c", {"data": {"a": "2", "b": None}}, "default", manager="kubectl-patch"
    )
    assert owned(patched) == {
        ("kubectl-create", "Update"): {"f:data": {}},
        ("kubectl-patch", "Update"): {"f:data": {"f:a": {}}},
    }


def test_scale_and_status_own_by_subresource() -> None:
    """Who writes through a subresource is noted with it."""
    api = server()
    apply(api, web())
    scale = {"spec": {"replicas": 7}}
    api.patch("deployments", "web", scale, "default", subresource="scale", manager="kubectl")
    status = {"status": {"observedGeneration": 1}}
    obj = api.patch("deployments", "web", status, "default", subresource="status", manager="me")
    found = {
        (m["manager"], m["subresource"]): m["fieldsV1"]
        for m in obj["metadata"]["managedFields"]
        if "subresource" in m
    }
    assert found == {
        ("kubectl", "scale"): {"f:spec": {"f:replicas": {}}},
        ("me", "status"): {"f:status": {"f:observedGeneration": {}}},
    }


def test_managed_fields_can_be_given_and_forgotten() -> None:
    """A write that carries managedFields of its own puts them in place; apply may not carry any."""
    api = server()
    api.create(config(a="1"), manager="kubectl-create")
    given = [{"manager": "x", "operation": "Apply", "apiVersion": "v1", "fieldsV1": {"f:data": {"f:a": {}}}}]
    patch = {"metadata": {"managedFields": given}}
    obj = api.patch("configmaps", "c", patch, "default", type="merge", manager="kubectl")
    assert owned(obj) == {("x", "Apply"): {"f:data": {"f:a": {}}}}
    forgotten = {"metadata": {"managedFields": [{}]}}
    obj = api.patch("configmaps", "c", forgotten, "default", type="merge", manager="kubectl")
    assert "managedFields" not in obj["metadata"]
    bad = config(a="1")
    bad["metadata"]["managedFields"] = [{"manager": "x"}]
    with pytest.raises(ApiError, match=r"metadata\.managedFields must be nil"):
        apply(api, bad)


def test_dry_run_stores_nothing() -> None:
    """A dry run answers as the real one would and leaves the object as it is."""
    api = server()
    before = apply(api, web(replicas=3))
    answer, _ = api.apply("deployments", "web", web(replicas=4), "default", manager="helm", dry_run=True)
    assert answer["spec"]["replicas"] == 4
    assert api.get("deployments", "web", "default") is before


def test_spelling() -> None:
    """Fields are spelled as in the API server's messages."""
    path = ("f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}', "f:nodePort")
    assert spell(path) == '.spec.ports[port=80,protocol="TCP"].nodePort'
    assert spell(("f:metadata", "f:finalizers", 'v:"x"')) == '.metadata.finalizers[="x"]'


DATA = st.dictionaries(st.sampled_from("abcde"), st.sampled_from(["1", "2"]))


@given(st.lists(st.tuples(st.sampled_from(["one", "two", "three"]), DATA), min_size=1, max_size=6))
def test_each_owner_has_what_it_applied_last(acts: list[tuple[str, dict[str, str]]]) -> None:
    """Forced applies by several: what the last one applied is there, whatever else is there is owned by
    somebody whose last configuration names it, and nothing is there that nobody wants."""
    api = server()
    wanted: dict[str, dict[str, str]] = {}
    for manager, data in acts:
        wanted[manager] = data
        found = apply(api, config(**data), manager, force=True).get("data", {})
        assert data.items() <= found.items()
        assert found.keys() <= {key for each in wanted.values() for key in each}
        for key in found.keys() - data.keys():
            assert any(key in each for who, each in wanted.items() if who != manager)


@given(DATA, DATA)
def test_encoding_goes_both_ways(data: dict[str, str], labels: dict[str, str]) -> None:
    """A set of fields is the same after it was written as FieldsV1 and read again."""
    obj = config(**data)
    obj["metadata"]["labels"] = labels
    fields = applied(obj, "ConfigMap")
    assert decode(encode(fields)) == fields
