"""Reading: lists by selectors, watches from a version."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.errors import ApiError, CannotJudge
from gherkube.runners.objects import Key
from gherkube.runners.selectors import (
    compile_labels,
    from_label_selector,
    from_map,
    match_fields,
    selector_text,
)
from gherkube.runners.simulator.api.server import ApiServer
from tests.simulator.api.workshop import deployment, message, pod, refusal, server


def labelled(api: ApiServer, name: str, **labels: str) -> None:
    obj = pod(name)
    obj["metadata"]["labels"] = labels
    api.create(obj)


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("", "abc"),
        ("app=web", "ab"),
        ("app == web", "ab"),
        ("app!=web", "c"),
        ("tier in (front, back)", "ab"),
        ("tier notin (front)", "bc"),
        ("tier", "ab"),
        ("!tier", "c"),
        ("app=web,tier=back", "b"),
        ("tier in (front),app", "a"),
        ("n>4", "b"),
        ("n<5", "a"),
        ("app=", ""),
    ],
)
def test_lists_by_labels(selector: str, found: str) -> None:
    """Every form of a label selector; absent keys match `!=` and `notin`."""
    api = server()
    labelled(api, "b", app="web", tier="back", n="5")
    labelled(api, "a", app="web", tier="front", n="4")
    labelled(api, "c")
    assert "".join(obj["metadata"]["name"] for obj in api.list("pods", labels=selector)) == found


@pytest.mark.parametrize(
    ("selector", "said"),
    [
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("a,", "found '', expected: identifier after ','"),
        ("=a", "found '=', expected: !, identifier, or 'end of string'"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a in (b", "unable to parse requirement: found '', expected: ',', or ')'"),
        ("a (b)", "unable to parse requirement: found '(', expected: in, notin, =, ==, !=, gt, lt"),
        (
            "a>b",
            (
                'unable to parse requirement: values[0]: Invalid value: "b": '
                "for 'Gt', 'Lt' operators, the value must be an integer"
            ),
        ),
    ],
)
def test_what_is_no_selector_is_a_bad_request(selector: str, said: str) -> None:
    """400 in the words of the labels package."""
    error = refusal(server().list, "pods", labels=selector)
    assert (error.code, error.reason, error.message) == (400, "BadRequest", said)


def test_selectors_of_objects() -> None:
    """A LabelSelector: None matches nothing, {} everything, expressions as they say."""
    assert not from_label_selector(None)({"a": "b"})
    assert from_label_selector({})({})
    terms = [{"key": "t", "operator": "In", "values": ["y", "x"]}, {"key": "n", "operator": "DoesNotExist"}]
    selector = {"matchLabels": {"a": "b"}, "matchExpressions": terms}
    assert from_label_selector(selector)({"a": "b", "t": "x"})
    assert not from_label_selector(selector)({"a": "b", "t": "x", "n": ""})
    assert selector_text(selector) == "a=b,!n,t in (x,y)"
    assert compile_labels(selector_text(selector))({"a": "b", "t": "y"})
    assert from_map({"a": "b", "c": "d"})({"a": "b", "c": "d", "e": "f"})
    assert not from_map({"a": "b"})({"a": "c"})
    assert not from_map({})({})


def test_lists_by_fields() -> None:
    """`=`, `==` and `!=` on what the resource can be selected by; absent is "" or false."""
    api = server()
    api.create(pod("a"))
    api.create(pod("b"))
    api.bind(Key("default", "b"), "node-1")

    def found(fields: str) -> list[str]:
        return [obj["metadata"]["name"] for obj in api.list("pods", fields=fields)]

    assert found("spec.nodeName=node-1") == ["b"]
    assert found("spec.nodeName=") == ["a"]
    assert found("metadata.name!=a,status.phase==Pending") == ["b"]
    assert found("spec.hostNetwork=false") == ["a", "b"]
    assert match_fields("spec.nodeName=node-1", api.get("pods", "b", "default"))


def test_unknown_fields_are_bad_requests() -> None:
    """Each resource names its own fields, or says which two there are."""
    api = server()
    assert message(api.list, "pods", fields="spec.x=1") == "field label not supported: spec.x"
    assert message(api.list, "deployments", fields="spec.x=1") == (
        '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"'
    )
    assert message(api.list, "pods", fields="x") == "invalid selector: 'x'; can't understand 'x'"


def test_lists_are_sorted_by_namespace_and_name() -> None:
    """All namespaces, or one."""
    api = server()
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}})
    for namespace, name in (("default", "y"), ("default", "x"), ("a", "z")):
        api.create(pod(name), namespace=namespace)
    assert [obj["metadata"]["name"] for obj in api.list("pods")] == ["z", "x", "y"]
    assert [obj["metadata"]["name"] for obj in api.list("pods", "default")] == ["x", "y"]


def test_absent_and_unknown() -> None:
    """NotFound names the object; an unknown kind is not there; a known, unmodelled one cannot be judged."""
    api = server()
    assert message(api.get, "deployments", "x", "default") == 'deployments.apps "x" not found'
    assert message(api.get, "pods", "x", "default") == 'pods "x" not found'
    assert refusal(api.list, "flowers").code == 404
    unknown = {"apiVersion": "extensions/v1beta1", "kind": "Deployment", "metadata": {"name": "x"}}
    said = 'no matches for kind "Deployment" in version "extensions/v1beta1"'
    assert message(api.create, unknown) == said
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "x"}}
    for call in (lambda: api.create(policy), lambda: api.list("networkpolicies")):
        with pytest.raises(CannotJudge, match="NetworkPolicy cannot be judged on the simulator"):
            call()


def told(events: Any) -> list[tuple[str, str]]:
    return [(event.type, event.object["metadata"]["name"]) for event in events]


def test_a_watch_goes_on_from_a_version() -> None:
    """From a version: what came after it; without one: what is there."""
    api = server()
    api.create(pod("a"))
    version = str(api.store.version)
    api.create(pod("b"))
    api.create(deployment())
    api.delete("pods", "a", "default")
    changes = [("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "a")]
    assert told(api.watch("pods", "default", version)) == changes
    assert told(api.watch("pods", "other", version)) == []
    assert told(api.watch("pods", "default")) == [("ADDED", "b")]
    assert told(api.watch("pods", "default", str(api.store.version))) == []


def test_a_watch_sees_objects_come_into_its_selector_and_leave_it() -> None:
    """Beginning to match is ADDED; ceasing is DELETED with the last matching state at the new version."""
    api = server()
    start = str(api.store.version)
    labelled(api, "a", app="web")
    labelled(api, "b")
    api.patch("pods", "b", {"metadata": {"labels": {"app": "web"}}})
    api.patch("pods", "a", {"metadata": {"labels": {"app": "other"}}})
    events = list(api.watch("pods", "default", start, labels="app=web"))
    assert told(events) == [("ADDED", "a"), ("ADDED", "b"), ("DELETED", "a")]
    assert events[-1].object["metadata"]["labels"] == {"app": "web"}
    assert events[-1].object["metadata"]["resourceVersion"] == str(api.store.version)


def test_a_version_to_come_cannot_be_watched() -> None:
    """A version that the server has not reached yet is a Timeout."""
    api = server()
    with pytest.raises(ApiError, match="Too large resource version: 99, current: 4") as caught:
        api.watch("pods", version="99")
    assert caught.value.code == 504
