"""Custom resources: their definition is served, and their schema holds."""

from typing import Any

import pytest

from gherkube.runners.errors import ApiError, CannotJudge
from gherkube.runners.objects import Object
from gherkube.runners.simulator.cluster import Simulator

NAME = "crontabs.stable.example.com"
SPEC: Object = {
    "type": "object",
    "required": ["cronSpec"],
    "properties": {
        "cronSpec": {"type": "string", "pattern": "^[0-9*]+$", "maxLength": 5},
        "image": {"type": "string", "default": "busybox"},
        "replicas": {"type": "integer", "minimum": 1, "maximum": 10},
        "mode": {"type": "string", "enum": ["fast", "slow"]},
        "ports": {"type": "array", "maxItems": 1, "items": {"type": "integer"}},
        "port": {"x-kubernetes-int-or-string": True},
        "notes": {"type": "object", "additionalProperties": {"type": "string"}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "even": {"type": "integer", "multipleOf": 2, "nullable": True},
        "one": {
            "type": "object",
            "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
            "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
        },
    },
}
STATUS: Object = {"type": "object", "properties": {"replicas": {"type": "integer"}}}


def definition(**changes: Any) -> Object:
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": {
            "status": {},
            "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
        },
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC, "status": STATUS}}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": NAME},
        "spec": {
            "group": "stable.example.com",
            "scope": "Namespaced",
            "names": {"plural": "crontabs", "kind": "CronTab", "shortNames": ["ct"]},
            "versions": [version],
            **changes,
        },
    }


def crontab(name: str = "a", **spec: Any) -> Object:
    return {
        "apiVersion": "stable.example.com/v1",
        "kind": "CronTab",
        "metadata": {"name": name},
        "spec": {"cronSpec": "*", **spec},
    }


def cluster() -> Simulator:
    found = Simulator(keeps=True)
    found.api.create(definition())
    found.clock.sleep(1)
    return found


def test_definition_is_established() -> None:
    """Once its names are accepted the definition says so, and its resource is served."""
    status = cluster().api.get("customresourcedefinitions", NAME)["status"]
    assert [(each["type"], each["status"]) for each in status["conditions"]] == [
        ("NamesAccepted", "True"),
        ("Established", "True"),
    ]
    assert status["acceptedNames"]["listKind"] == "CronTabList"
    assert status["storedVersions"] == ["v1"]


def test_objects_are_stored_with_defaults() -> None:
    """Defaults are filled in; the status is another subresource's; generation counts the spec."""
    api = cluster().api
    made = api.create({**crontab(), "status": {"replicas": 7}})
    assert made["spec"] == {"cronSpec": "*", "image": "busybox"}
    assert "status" not in made
    changed = api.patch(NAME, "a", {"spec": {"replicas": 3}}, type="merge")
    assert changed["metadata"]["generation"] == 2
    counted = api.patch(NAME, "a", {"status": {"replicas": 3}}, type="merge", subresource="status")
    assert (counted["status"], counted["metadata"]["generation"]) == ({"replicas": 3}, 2)


def test_scale() -> None:
    """The scale subresource reads and writes where the definition says."""
    api = cluster().api
    api.create(crontab(replicas=2))
    api.patch(NAME, "a", {"spec": {"replicas": 4}}, type="merge", subresource="scale")
    assert api.get(NAME, "a")["spec"]["replicas"] == 4
    assert api.get(NAME, "a", subresource="scale")["spec"] == {"replicas": 4}


NONE_VALID = "spec.one in body must validate one and only one schema (oneOf). Found none valid"
WRONG = [
    (
        {"cronSpec": "x"},
        "spec.cronSpec: Invalid value: \"x\": spec.cronSpec in body should match '^[0-9*]+$'",
    ),
    ({"cronSpec": "123456"}, "spec.cronSpec: Too long: may not be more than 5 bytes"),
    (
        {"replicas": 0},
        "spec.replicas: Invalid value: 0: spec.replicas in body should be greater than or equal to 1",
    ),
    (
        {"replicas": 11},
        "spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10",
    ),
    (
        {"replicas": "5"},
        'spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"',
    ),
    ({"mode": "x"}, 'spec.mode: Unsupported value: "x": supported values: "fast", "slow"'),
    ({"ports": [1, 2]}, "spec.ports: Too many: 2: must have at most 1 items"),
    (
        {"ports": ["a"]},
        'spec.ports[0]: Invalid value: "string": spec.ports[0] in body must be of type integer: "string"',
    ),
    ({"even": 3}, "spec.even: Invalid value: 3: spec.even in body should be a multiple of 2"),
    (
        {"one": {}},
        f"spec.one: Invalid value: {{}}: {NONE_VALID}",
    ),
]


@pytest.mark.parametrize(("spec", "message"), WRONG)
def test_wrong_values_are_refused(spec: Object, message: str) -> None:
    """What the schema forbids is refused in the API server's words."""
    api = cluster().api
    with pytest.raises(ApiError) as caught:
        api.create(crontab(**spec))
    assert caught.value.code == 422
    assert caught.value.message == f'CronTab.stable.example.com "a" is invalid: {message}'


RIGHT: list[Object] = [
    {"port": 80},
    {"port": "http"},
    {"notes": {"any": "text"}},
    {"free": {"deep": [{"er": 1}]}},
    {"even": None},
    {"one": {"a": "x"}},
]


@pytest.mark.parametrize("spec", RIGHT)
def test_right_values_are_kept(spec: Object) -> None:
    """What the schema allows stays as it was sent."""
    made = cluster().api.create(crontab(**spec))
    assert spec.items() <= made["spec"].items()


def test_missing_field() -> None:
    """A required field that is not there is named."""
    bad = crontab()
    del bad["spec"]["cronSpec"]
    with pytest.raises(ApiError, match=r"spec\.cronSpec: Required value"):
        cluster().api.create(bad)


def test_unknown_fields() -> None:
    """Unknown fields are refused; where validation is not strict they are pruned, and told when asked."""
    api = cluster().api
    with pytest.raises(ApiError, match=r'strict decoding error: unknown field "spec\.foo"'):
        api.create(crontab(foo=1))
    made = api.create(crontab(foo=1), field_validation="Warn")
    assert "foo" not in made["spec"]
    assert api.remarks == ['unknown field "spec.foo"']


def test_no_strategic_merge() -> None:
    """A custom resource takes no strategic merge patch."""
    api = cluster().api
    api.create(crontab())
    with pytest.raises(ApiError) as caught:
        api.patch(NAME, "a", {"spec": {"replicas": 3}})
    assert caught.value.code == 415


def test_objects_go_with_their_definition() -> None:
    """Deleting the definition deletes its objects first; then nothing is served there any more."""
    found = cluster()
    found.api.create(crontab())
    found.api.delete("customresourcedefinitions", NAME)
    assert found.api.get("customresourcedefinitions", NAME)["metadata"]["deletionTimestamp"]
    found.clock.sleep(5)
    for resource, name in (("customresourcedefinitions", NAME), (NAME, "a")):
        with pytest.raises(ApiError) as caught:
            found.api.get(resource, name)
        assert caught.value.code == 404


def test_owned_by_a_custom_resource() -> None:
    """The garbage collector follows owners of any kind that is served."""
    found = cluster()
    owner = found.api.create(crontab())
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": "CronTab",
        "name": "a",
        "uid": owner["metadata"]["uid"],
    }
    metadata = {"name": "owned", "ownerReferences": [reference]}
    found.api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    found.clock.sleep(5)
    assert found.api.get("configmaps", "owned")
    found.api.delete(NAME, "a")
    found.clock.sleep(5)
    with pytest.raises(ApiError):
        found.api.get("configmaps", "owned")


BAD_DEFINITIONS = [
    ({"scope": ""}, r"spec\.scope: Required value"),
    ({"group": "other.example.com"}, r'must be spec\.names\.plural\+"\."\+spec\.group'),
    ({"versions": []}, "must have exactly one version marked as storage version"),
    (
        {
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {"a": {"type": "string", "pattern": "("}},
                        }
                    },
                }
            ]
        },
        "must be a valid regular expression",
    ),
]


@pytest.mark.parametrize(("changes", "message"), BAD_DEFINITIONS)
def test_bad_definitions(changes: Object, message: str) -> None:
    """A definition that cannot be served is refused."""
    with pytest.raises(ApiError, match=message):
        Simulator(keeps=True).api.create(definition(**changes))


def test_scenarios_do_not_keep_definitions() -> None:
    """In a scenario nothing acts on a custom resource, so nothing is judged."""
    with pytest.raises(CannotJudge):
        Simulator().api.create(definition())
