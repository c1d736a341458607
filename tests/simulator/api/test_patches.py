"""The three kinds of patches, and the scale subresource."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.simulator.api import patches
from gherkube.runners.simulator.api.server import ApiServer
from tests.simulator.api.workshop import Json, container, deployment, message, refusal, server

POD: Json = {"spec": {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "2"}]}}


def strategic(patch: Json, old: Json = POD) -> Any:
    return patches.strategic(old, patch, "Pod")


def names(obj: Json) -> list[str]:
    return [each["name"] for each in obj["spec"]["containers"]]


def test_lists_of_containers_merge_by_name() -> None:
    """An element with a known key is changed in its place, a new one is added after those named before it."""
    patch = {"spec": {"containers": [{"name": "b", "image": "3"}, {"name": "c", "image": "4"}]}}
    assert strategic(patch)["spec"]["containers"] == [
        {"name": "a", "image": "1"},
        {"name": "b", "image": "3"},
        {"name": "c", "image": "4"},
    ]
    assert names(POD) == ["a", "b"]


def test_new_elements_come_before_those_that_a_patch_does_not_name() -> None:
    """Elements are ordered as the patch names them, and as they stood where they were there before."""
    assert names(strategic({"spec": {"containers": [{"name": "c"}]}})) == ["c", "a", "b"]
    assert names(strategic({"spec": {"containers": [{"name": "b"}, {"name": "c"}]}})) == ["a", "b", "c"]
    old: Json = {"metadata": {"finalizers": ["a", "b"]}}
    new = strategic({"metadata": {"finalizers": ["c"]}}, old)
    assert new["metadata"]["finalizers"] == ["c", "a", "b"]


def test_a_list_that_was_not_there_is_taken_as_it_is() -> None:
    """Two elements with one key stay two, and none needs a key. Recorded: hostAliases of one address."""
    twice = [{"ip": "10.0.0.1", "hostnames": ["a"]}, {"ip": "10.0.0.1", "hostnames": ["b"]}]
    assert strategic({"spec": {"hostAliases": twice}})["spec"]["hostAliases"] == twice
    gone = [{"ip": "10.0.0.1", "$patch": "delete"}, *twice]
    assert strategic({"spec": {"hostAliases": gone}})["spec"]["hostAliases"] == twice


def test_other_lists_are_replaced() -> None:
    """Commands, arguments and tolerations are replaced whole."""
    old: Json = {"spec": {"tolerations": [{"key": "a"}], "containers": [{"name": "a", "args": ["1", "2"]}]}}
    new = strategic(
        {"spec": {"tolerations": [{"key": "b"}], "containers": [{"name": "a", "args": ["3"]}]}}, old
    )
    assert new["spec"] == {"tolerations": [{"key": "b"}], "containers": [{"name": "a", "args": ["3"]}]}


def test_null_deletes() -> None:
    """A null takes a field away and leaves no trace where there was none."""
    new = strategic({"metadata": {"labels": {"a": None, "b": "x"}}}, {"metadata": {"labels": {"a": "y"}}})
    assert new == {"metadata": {"labels": {"b": "x"}}}
    assert strategic({"metadata": {"labels": {"a": None, "b": "x"}}}, {}) == {
        "metadata": {"labels": {"b": "x"}}
    }


def test_directives_delete_and_replace() -> None:
    """`$patch` deletes an element, replaces a list, replaces a map."""
    assert names(strategic({"spec": {"containers": [{"$patch": "delete", "name": "a"}]}})) == ["b"]
    replaced = [{"name": "z"}, {"$patch": "replace"}]
    assert strategic({"spec": {"containers": replaced}})["spec"]["containers"] == [{"name": "z"}]
    old = {"spec": {"nodeSelector": {"a": "1"}}}
    patch = {"spec": {"nodeSelector": {"$patch": "replace", "b": "2"}}}
    assert strategic(patch, old) == {"spec": {"nodeSelector": {"b": "2"}}}
    assert strategic({"spec": {"nodeSelector": {"$patch": "delete"}}}, old) == {"spec": {"nodeSelector": {}}}


def test_an_order_can_be_asked_for() -> None:
    """`$setElementOrder` orders what it names; what it does not name stays where it stood."""
    order = [{"name": "c"}, {"name": "a"}]
    patch = {"spec": {"$setElementOrder/containers": order, "containers": [{"name": "c", "image": "4"}]}}
    assert names(strategic(patch)) == ["c", "a", "b"]
    only_order = {"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}}
    assert names(strategic(only_order)) == ["b", "a"]


def test_sets_grow_and_shrink() -> None:
    """Finalizers are a set: elements are added once, and removed by `$deleteFromPrimitiveList`."""
    old = {"metadata": {"finalizers": ["a", "b"]}}
    assert strategic({"metadata": {"finalizers": ["b", "c"]}}, old)["metadata"]["finalizers"] == [
        "a",
        "b",
        "c",
    ]
    less = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}
    assert strategic(less, old)["metadata"]["finalizers"] == ["b"]


def test_retained_keys_clear_the_others() -> None:
    """`$retainKeys` leaves only what it names: a volume changes its source, a strategy its type."""
    old = {"spec": {"volumes": [{"name": "v", "emptyDir": {}}]}}
    volume = {"name": "v", "configMap": {"name": "c"}, "$retainKeys": ["name", "configMap"]}
    new = strategic({"spec": {"volumes": [volume]}}, old)
    assert new["spec"]["volumes"] == [{"name": "v", "configMap": {"name": "c"}}]
    api = server()
    api.create(deployment())
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert api.patch("deployments", "web", patch)["spec"]["strategy"] == {"type": "Recreate"}


def test_an_element_needs_its_key() -> None:
    """A container without a name cannot be merged."""
    error = refusal(strategic, {"spec": {"containers": [{"image": "x"}]}})
    assert (error.code, error.message) == (500, "map: map[image:x] does not contain declared merge key: name")


def test_ports_merge_by_what_their_struct_says() -> None:
    """A container's ports merge by containerPort."""
    api = server()
    api.create(deployment(pod={"containers": [container(ports=[{"containerPort": 8080}])]}))
    more = {"name": "app", "ports": [{"containerPort": 8080, "name": "http"}, {"containerPort": 9090}]}
    new = api.patch("deployments", "web", {"spec": {"template": {"spec": {"containers": [more]}}}})
    assert new["spec"]["template"]["spec"]["containers"][0]["ports"] == [
        {"containerPort": 8080, "name": "http", "protocol": "TCP"},
        {"containerPort": 9090, "protocol": "TCP"},
    ]


def test_a_merge_patch_replaces_lists() -> None:
    """RFC 7386: null deletes, maps merge, all else is replaced."""
    patch = {"spec": {"containers": [{"name": "b"}]}, "x": None, "y": {"z": None, "w": 1}}
    assert patches.merge({**POD, "x": 1}, patch) == {"spec": {"containers": [{"name": "b"}]}, "y": {"w": 1}}


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ({"op": "add", "path": "/l/1", "value": 9}, {"l": [1, 9, 2], "m": {"a/b": 1}}),
        ({"op": "add", "path": "/l/-", "value": 9}, {"l": [1, 2, 9], "m": {"a/b": 1}}),
        ({"op": "remove", "path": "/l/0"}, {"l": [2], "m": {"a/b": 1}}),
        ({"op": "replace", "path": "/m/a~1b", "value": 2}, {"l": [1, 2], "m": {"a/b": 2}}),
        ({"op": "test", "path": "/l/0", "value": 1}, {"l": [1, 2], "m": {"a/b": 1}}),
        ({"op": "copy", "from": "/l", "path": "/m/c"}, {"l": [1, 2], "m": {"a/b": 1, "c": [1, 2]}}),
        ({"op": "move", "from": "/l/0", "path": "/m/c"}, {"l": [2], "m": {"a/b": 1, "c": 1}}),
    ],
)
def test_a_json_patch_edits(operation: Json, result: Json) -> None:
    """Each operation of RFC 6902; the old object stays as it was."""
    old: Json = {"l": [1, 2], "m": {"a/b": 1}}
    assert patches.json_patch(old, [operation]) == result
    assert old == {"l": [1, 2], "m": {"a/b": 1}}


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        (
            {"op": "replace", "path": "/x/y", "value": 1},
            "replace operation does not apply: doc is missing path: /x/y: missing value",
        ),
        (
            {"op": "remove", "path": "/l/7"},
            "remove operation does not apply: doc is missing path: /l/7: missing value",
        ),
        ({"op": "test", "path": "/l/0", "value": 5}, "testing value /l/0 failed: test failed"),
        ({"op": "shift", "path": "/l"}, "Unexpected kind: shift"),
    ],
)
def test_a_json_patch_that_does_not_apply_is_refused(operation: Json, why: str) -> None:
    """The message says little, the cause what it was."""
    error = refusal(patches.json_patch, {"l": [1, 2]}, [operation])
    assert (error.code, error.reason) == (422, "Invalid")
    assert error.message == "the server rejected our request due to an error in our request"
    assert error.details["causes"] == [{"reason": "UnexpectedServerResponse", "message": why}]


def test_a_version_in_a_patch_is_a_precondition() -> None:
    """A patch that names another resourceVersion than the stored one conflicts."""
    api = server()
    api.create(deployment())
    patch = {"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 2}}
    for kind in ("strategic", "merge"):
        assert refusal(api.patch, "deployments", "web", patch, type=kind).reason == "Conflict"


def test_a_patch_is_decoded_strictly() -> None:
    """Unknown fields and wrong types in a patch are refused with the patch."""
    api = server()
    api.create(deployment())
    error = refusal(api.patch, "deployments", "web", {"spec": {"foo": 1}})
    assert (error.code, error.message) == (
        422,
        (
            ' "" is invalid: patch: Invalid value: "map[spec:map[foo:1]]": '
            'strict decoding error: unknown field "spec.foo"'
        ),
    )
    assert "unrecognized type: int32" in message(api.patch, "deployments", "web", {"spec": {"replicas": "x"}})


def test_a_dry_run_writes_nothing() -> None:
    """It answers as the real thing would."""
    api = server()
    api.create(deployment(), dry_run=True)
    assert api.list("deployments") == []
    api.create(deployment())
    before = api.store.version
    assert api.patch("deployments", "web", {"spec": {"replicas": 7}}, dry_run=True)["spec"]["replicas"] == 7
    assert api.store.version == before


def scale(api: ApiServer, replicas: int) -> Json:
    patch = {"spec": {"replicas": replicas}}
    return api.patch("deployments", "web", patch, type="merge", subresource="scale")


def test_scale_is_a_subresource() -> None:
    """It shows and sets the number of replicas; 0 is left out, as Go leaves it out."""
    api = server()
    api.create(deployment())
    assert scale(api, 5)["spec"] == {"replicas": 5}
    stored = api.get("deployments", "web", "default")
    assert (stored["spec"]["replicas"], stored["metadata"]["generation"]) == (5, 2)
    assert scale(api, 0)["spec"] == {}
    shown = api.get("deployments", "web", "default", subresource="scale")
    assert shown["status"] == {"replicas": 0, "selector": "app=web"}
    assert message(scale, api, -1) == (
        'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: '
        "must be greater than or equal to 0"
    )


def test_a_scale_can_be_put() -> None:
    """A Scale that was read may be put back changed, once."""
    api = server()
    api.create(deployment())
    old = api.get("deployments", "web", "default", subresource="scale")
    new = {**old, "spec": {"replicas": 3}}
    assert api.replace(new, subresource="scale", resource="deployments")["spec"] == {"replicas": 3}
    assert refusal(api.replace, new, subresource="scale", resource="deployments").reason == "Conflict"


def test_a_status_can_be_put() -> None:
    """The status subresource takes the status and annotations, nothing else."""
    api = server()
    stored = api.create(deployment())
    new = {**stored, "spec": {**stored["spec"], "replicas": 9}, "status": {"replicas": 4, "readyReplicas": 0}}
    result = api.replace(new, subresource="status")
    assert (result["spec"]["replicas"], result["status"]) == (1, {"replicas": 4})
    assert refusal(api.replace, new, subresource="status").reason == "Conflict"


def test_names_have_to_agree() -> None:
    """The object's name and namespace are those of the request; its uid that of the stored one."""
    api = server()
    api.create(deployment())
    said = "the namespace of the provided object does not match the namespace sent on the request"
    assert message(api.patch, "deployments", "web", {"metadata": {"namespace": "x"}}) == said
    assert (
        message(api.create, {**deployment(), "metadata": {"name": "a", "namespace": "x"}}, namespace="y")
        == said
    )
    assert "does not match the name on the URL" in message(
        api.patch, "deployments", "web", {"metadata": {"name": "x"}}
    )
    assert message(api.patch, "deployments", "web", {"metadata": {"uid": "x"}}).endswith(
        'metadata.uid: Invalid value: "x": field is immutable'
    )
    stored = api.get("deployments", "web", "default")
    assert "Precondition failed: UID in precondition: x" in message(
        api.replace, {**stored, "metadata": {**stored["metadata"], "uid": "x"}}
    )


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"replicas": "many"}, 'map[replicas:many]]": unrecognized type: int32'),
        ({"template": "x"}, 'map[template:x]]": cannot restore struct from: string'),
        ({"selector": {"matchLabels": "x"}}, 'matchLabels:x]]]": cannot restore map from string'),
    ],
)
def test_a_strategic_patch_of_a_wrong_type_is_refused_in_the_converters_words(spec: Json, why: str) -> None:
    """Recorded of a real cluster; JSON merge patches are refused in those of encoding/json."""
    api = server()
    api.create(deployment())
    assert refusal(api.patch, "deployments", "web", {"spec": spec}).message.endswith(why)
    merged = refusal(api.patch, "deployments", "web", {"spec": spec}, type="merge")
    assert "json: cannot unmarshal string into Go" in merged.message


def test_a_refused_patch_is_shown_without_the_lists_that_were_merged() -> None:
    """Recorded of a real cluster: merging takes the lists with an order out of the patch."""
    api = server()
    api.create(deployment())
    wrong = {"name": "app", "command": "sh"}
    spec = {"$setElementOrder/containers": [{"name": "app"}], "containers": [wrong], "hostname": "x"}
    said = message(api.patch, "deployments", "web", {"spec": {"template": {"spec": spec}}})
    assert 'Invalid value: "map[spec:map[template:map[spec:map[hostname:x]]]]": cannot restore slice' in said


def test_a_strategic_patch_that_is_no_object_is_refused_in_the_decoders_words() -> None:
    """Recorded of a real cluster: `kubectl patch deploy web -p nonsense`."""
    api = server()
    api.create(deployment())
    for patch, word in (("nonsense", "string"), ([1], "array"), (1, "number")):
        assert message(api.patch, "deployments", "web", patch) == (
            f"json: cannot unmarshal {word} into Go value of type map[string]interface {{}}"
        )


def test_a_dry_run_counts_the_generation() -> None:
    """As `kubectl diff` shows it; the stored object stays as it was."""
    api = server()
    api.create(deployment())
    tried = api.patch("deployments", "web", {"spec": {"replicas": 7}}, dry_run=True)
    assert tried["metadata"]["generation"] == 2
    assert api.get("deployments", "web")["metadata"]["generation"] == 1
