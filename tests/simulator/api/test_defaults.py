"""Defaults that the recordings do not show."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.simulator.api.defaults import pull_policy
from tests.simulator.api.workshop import Json, container, deployment, message, pod, server, service


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("hello:1", "IfNotPresent"),
        ("hello:latest", "Always"),
        ("hello", "Always"),
        ("registry:5000/hello", "Always"),
        ("registry:5000/hello:1", "IfNotPresent"),
        ("hello@sha256:abc", "IfNotPresent"),
    ],
)
def test_the_pull_policy_follows_the_tag(image: str, policy: str) -> None:
    """Always for "latest", said or meant; a digest is as good as a tag."""
    assert pull_policy(image) == policy


def in_pod(**spec: Any) -> Json:
    stored: Json = server().create(deployment(pod=spec))["spec"]["template"]["spec"]
    return stored


def test_probes_and_hooks_are_completed() -> None:
    """Numbers of probes, path and scheme of requests, the empty service of gRPC."""
    numbers = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
    request = {"port": 80, "path": "/", "scheme": "HTTP"}
    stored = in_pod(
        containers=[
            container(
                readinessProbe={"httpGet": {"port": 80}, "periodSeconds": 2},
                livenessProbe={"grpc": {"port": 81}},
                lifecycle={"preStop": {"httpGet": {"port": 80}}},
            )
        ]
    )["containers"][0]
    assert stored["readinessProbe"] == {**numbers, "periodSeconds": 2, "httpGet": request}
    assert stored["livenessProbe"] == {**numbers, "grpc": {"port": 81, "service": ""}}
    assert stored["lifecycle"]["preStop"]["httpGet"] == request


def test_volumes_are_completed() -> None:
    """Modes of files; a volume without a source is an empty directory."""
    volumes = [
        {"name": "c", "configMap": {"name": "c"}},
        {"name": "e"},
        {"name": "h", "hostPath": {"path": "/"}},
    ]
    assert in_pod(volumes=volumes)["volumes"] == [
        {"name": "c", "configMap": {"name": "c", "defaultMode": 420}},
        {"name": "e", "emptyDir": {}},
        {"name": "h", "hostPath": {"path": "/", "type": ""}},
    ]


def test_the_service_account_stands_there_twice() -> None:
    """The deprecated field follows the newer one."""
    stored = in_pod(serviceAccountName="robot")
    assert stored["serviceAccount"] == stored["serviceAccountName"] == "robot"


def test_ports_on_the_hosts_network_are_the_hosts() -> None:
    """With hostNetwork a container's port is the host's."""
    ports = [{"containerPort": 80}]
    stored = in_pod(hostNetwork=True, containers=[container(ports=ports)])
    assert stored["containers"][0]["ports"] == [{"containerPort": 80, "protocol": "TCP", "hostPort": 80}]


def test_two_host_ports_cannot_be_the_same() -> None:
    """A port of the host is taken once in a pod."""
    ports = [{"containerPort": 80, "hostPort": 80}, {"containerPort": 81, "hostPort": 80}]
    said = message(server().create, pod(containers=[container(ports=ports)]))
    assert said == ('Pod "p" is invalid: spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//80"')


def test_texts_of_a_secret_are_stored_as_data() -> None:
    """`stringData` is for writing only; it wins over data, and the type is Opaque."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    stored = server().create({**secret, "data": {"a": "eA==", "b": "eA=="}, "stringData": {"b": "hi"}})
    assert (stored["type"], stored["data"]) == ("Opaque", {"a": "eA==", "b": "aGk="})
    assert "stringData" not in stored
    assert "data" not in server().create(secret)
    assert message(server().create, {**secret, "data": {"a": "!"}}) == (
        'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 0'
    )


def test_a_session_lasts_three_hours() -> None:
    """ClientIP affinity has a time-out; a load balancer gets node ports."""
    stored = server().create(service(sessionAffinity="ClientIP", type="LoadBalancer"))["spec"]
    assert stored["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}
    assert stored["allocateLoadBalancerNodePorts"] is True
    assert "nodePort" in stored["ports"][0]


@pytest.mark.parametrize(
    ("taints", "said"),
    [
        ([{"key": "a"}], "metadata.taints[0].effect: Required value"),
        (
            [{"key": "a", "effect": "Never"}],
            (
                'metadata.taints[0].effect: Unsupported value: "Never": '
                'supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"'
            ),
        ),
        (
            [{"key": "a", "effect": "NoSchedule"}, {"key": "a", "effect": "NoSchedule", "value": "x"}],
            (
                'metadata.taints[1]: Duplicate value: {"Key":"a","Value":"x",'
                '"Effect":"NoSchedule","TimeAdded":null}: '
                "taints must be unique by key and effect pair"
            ),
        ),
    ],
)
def test_wrong_taints_are_refused(taints: list[Json], said: str) -> None:
    """A taint has an effect that there is, and stands on a node once."""
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "spec": {"taints": taints}}
    assert message(server().create, node) == f'Node "n" is invalid: {said}'


def test_a_good_node_keeps_its_status() -> None:
    """A node says at once what it has: its status is stored with it."""
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "n"},
        "status": {"capacity": {"cpu": "4"}},
    }
    node["spec"] = {"taints": [{"key": "a", "effect": "NoSchedule"}]}
    assert server().create(node)["status"] == {"capacity": {"cpu": "4"}}
