"""Objects from sentences and from manifests, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.errors import UsageError
from gherkube.steps import manifests


def made(*rows: list[str], resource: str = "deployments") -> Any:
    """A workload with that table."""
    return manifests.workload(resource, "web", "hello:1", 4, list(rows))


def container(obj: Any) -> Any:
    """Its container."""
    return obj["spec"]["template"]["spec"]["containers"][0]


def test_runs_makes_a_labelled_workload_with_one_container() -> None:
    """The label app, one container app, containerPort 8080."""
    assert made() == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {
            "replicas": 4,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "containers": [{"name": "app", "image": "hello:1", "ports": [{"containerPort": 8080}]}]
                },
            },
        },
    }


def test_the_keys_of_the_table_are_fields() -> None:
    """Each key goes where Kubernetes has it."""
    spec = made(
        ["maxSurge", "1"],
        ["maxUnavailable", "25%"],
        ["minReadySeconds", "10"],
        ["progressDeadlineSeconds", "1 minute"],
        ["revisionHistoryLimit", "3"],
        ["grace period", "20 seconds"],
        ["label tier", "front"],
    )["spec"]
    assert spec["strategy"] == {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": "25%"}}
    assert (spec["minReadySeconds"], spec["progressDeadlineSeconds"], spec["revisionHistoryLimit"]) == (
        10,
        60,
        3,
    )
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] == 20
    assert spec["template"]["metadata"]["labels"] == {"app": "web", "tier": "front"}
    assert spec["selector"]["matchLabels"] == {"app": "web"}


def test_the_keys_of_the_container() -> None:
    """Probes, hooks, resources and environment are those of the container."""
    found = container(
        made(
            ["readiness probe", "http :8080/readyz every 1s"],
            ["startup probe", "tcp :8080 every 1s"],
            ["preStop sleep", "5 seconds"],
            ["cpu request", "500m"],
            ["memory limit", "64Mi"],
            ["env GREETING", "hi"],
            ["env NAME", "you"],
        )
    )
    assert found["readinessProbe"] == {"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 1}
    assert found["startupProbe"] == {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    assert found["lifecycle"] == {"preStop": {"sleep": {"seconds": 5}}}
    assert found["resources"] == {"requests": {"cpu": "500m"}, "limits": {"memory": "64Mi"}}
    assert found["env"] == [{"name": "GREETING", "value": "hi"}, {"name": "NAME", "value": "you"}]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("http :8080", {"httpGet": {"path": "/", "port": 8080}}),
        ("https :web/x", {"httpGet": {"path": "/x", "port": "web", "scheme": "HTTPS"}}),
        ("grpc :9000 after 5s", {"grpc": {"port": 9000}, "initialDelaySeconds": 5}),
        (
            "http :8080/readyz every 2 seconds timeout 1s failureThreshold 3",
            {
                "httpGet": {"path": "/readyz", "port": 8080},
                "periodSeconds": 2,
                "timeoutSeconds": 1,
                "failureThreshold": 3,
            },
        ),
        ("exec cat '/tmp/a b' every 5s", {"exec": {"command": ["cat", "/tmp/a b"]}, "periodSeconds": 5}),
    ],
)
def test_probes(text: str, meant: Any) -> None:
    """A probe is its kind and place, then its times, then Kubernetes' own fields."""
    assert manifests.probe(text) == meant


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (["maxSurg", "1"], "nearest is “maxSurge”"),
        (["readyness probe", "tcp :80"], "nearest is “readiness probe”"),
        (["labels", "x"], "not a key"),
        (["readiness probe", "http 8080"], "is no probe"),
        (["readiness probe", "tcp :8080/x"], "is no probe"),
        (["readiness probe", "http :8080 every 0.5s"], "whole number of seconds"),
        (["minReadySeconds", "soon"], "is no time"),
        (["revisionHistoryLimit", "few"], "whole number"),
        (["paused", "yes"], "neither true nor false"),
        (["args", "'x"], "no command line"),
        (["maxSurge"], "a key and a value"),
    ],
)
def test_mistakes_in_the_table(row: list[str], message: str) -> None:
    """Each says what is wrong, an unknown key with the nearest known."""
    with pytest.raises(UsageError, match=message):
        made(row)


def test_a_key_given_twice_is_an_error() -> None:
    """Which of the two is meant cannot be known."""
    with pytest.raises(UsageError, match="twice"):
        made(["maxSurge", "1"], ["maxSurge", "2"])


def test_a_key_that_the_kind_does_not_have_is_an_error() -> None:
    """A ReplicaSet has no strategy; that of a StatefulSet is called otherwise."""
    with pytest.raises(UsageError, match="a ReplicaSet has no maxSurge"):
        made(["maxSurge", "1"], resource="replicasets")
    spec = made(["maxUnavailable", "1"], resource="statefulsets")["spec"]
    assert spec["updateStrategy"] == {"rollingUpdate": {"maxUnavailable": 1}}


TWO = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: one}
data: {since: 2024-01-01}
---
# nothing here
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: two}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: three}}
"""


def test_documents_of_a_manifest() -> None:
    """All documents, Lists taken apart, empty ones left out; dates stay text."""
    found = manifests.documents(TWO, "x.yaml")
    assert [obj["metadata"]["name"] for obj in found] == ["one", "two", "three"]
    assert found[0]["data"] == {"since": "2024-01-01"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: ]", "x.yaml:1: this is not YAML"),
        ("a: 1\nb: 2\n c: 3\n", "x.yaml:3: this is not YAML"),
        ("kind: Pod\nspec:\n  a: 1\n  a: 2\n", "x.yaml:4: the key “a” is given twice"),
        ("---\n---\nkind: Pod\n", "x.yaml:3: the object has no apiVersion"),
        ("apiVersion: v1\nmetadata: {name: x}\n", "x.yaml:1: the object has no kind"),
        ("apiVersion: v1\nkind: Pod\n", "x.yaml:1: the Pod has no metadata.name"),
        ("- 1\n", "x.yaml:1: an object was expected"),
        ("", "x.yaml:1: there is no object"),
        ("!!python/object:os.system {}", "x.yaml:1: this is not YAML"),
        ("a: \0", "x.yaml: this is not YAML"),
    ],
)
def test_mistakes_in_a_manifest(text: str, message: str) -> None:
    """Each is told with its file and line."""
    with pytest.raises(UsageError) as caught:
        manifests.documents(text, "x.yaml")
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("text", ["", "3", "[1]", "{}", "a: 1\n---\nb: 2"])
def test_a_part_of_an_object_is_one_mapping(text: str) -> None:
    """All else would match anything, or nothing."""
    with pytest.raises(UsageError, match="one YAML mapping"):
        manifests.partial(text, "the patch")
