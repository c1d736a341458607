"""What the API takes and warns of; the texts are recorded of a real cluster."""

from __future__ import annotations

import pytest

from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance, Clock
from gherkube.runners.simulator.store import Store
from tests.simulator.api.workshop import Json, container, deployment, pod, server

HIDES = 'hides previous definition of "A", which may be dropped when using apply'
LABEL = "can result in surprising behavior; a DNS label is recommended: [must not contain dots]"
NO_SELECTOR = "a null labelSelector results in matching no pod"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def warned(api: ApiServer, obj: Json) -> list[str]:
    """What is said when the object is created; nothing is kept of it."""
    api.remarks.clear()
    api.create(obj, dry_run=True)
    return api.remarks


def env(*values: str) -> Json:
    return container(env=[{"name": "A", "value": value} for value in values])


def port(**more: object) -> Json:
    return {"containerPort": 8080, **more}


@pytest.mark.parametrize(
    ("spec", "field", "said"),
    [
        ({"containers": [env("1", "2")]}, "containers[0].env[1]", HIDES),
        ({"containers": [env("1", "$(A)2")]}, "", ""),
        ({"containers": [env("1", "$(A)")]}, "containers[0].env[1]", HIDES),
        (
            {"containers": [container(ports=[port()]), container(name="b", ports=[port()])]},
            "containers[1].ports[0]",
            "duplicate port definition with SPEC.containers[0].ports[0]",
        ),
        (
            {"containers": [container(ports=[port(hostPort=80)]), container(name="b", ports=[port()])]},
            "containers[1].ports[0]",
            "overlapping port definition with SPEC.containers[0].ports[0]",
        ),
        (
            {"containers": [container(ports=[port(hostIP="1.1.1.1")])]},
            "containers[0].ports[0]",
            "hostIP set without hostPort: {Name: HostPort:0 ContainerPort:8080 Protocol:TCP HostIP:1.1.1.1}",
        ),
        ({"imagePullSecrets": [{"name": ""}]}, "imagePullSecrets[0].name", 'invalid empty name ""'),
        (
            {"nodeSelector": {"beta.kubernetes.io/os": "linux"}},
            "nodeSelector[beta.kubernetes.io/os]",
            'deprecated since v1.14; use "kubernetes.io/os" instead',
        ),
        (
            {"hostAliases": [{"ip": "10.0.0.1", "hostnames": [name]} for name in "ab"]},
            "hostAliases[1].ip",
            'duplicate ip "10.0.0.1"',
        ),
        (
            {"containers": [container(resources={"requests": {"memory": "128m"}})]},
            "containers[0].resources.requests[memory]",
            'fractional byte value "128m" is invalid, must be an integer',
        ),
    ],
)
def test_odd_pods_are_warned_of(spec: Json, field: str, said: str) -> None:
    """Of a pod, and with another path of the template of a workload."""
    api = server()
    api.create_trusted("serviceaccounts", {"metadata": {"name": "default", "namespace": "default"}})
    for obj, path in ((pod(**spec), "spec"), (deployment(pod=spec), "spec.template.spec")):
        wanted = [f"{path}.{field}: {said}".replace("SPEC", path)] if field else []
        assert warned(api, obj) == wanted


def test_affinity_and_spreading_are_warned_of() -> None:
    """Old labels of nodes, and selectors that match no pod."""
    api = ApiServer(Store(Clock()), Chance(0), keeps=True)
    expression = {"key": "beta.kubernetes.io/arch", "operator": "Exists"}
    affinity = {
        "nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}},
        "podAntiAffinity": {REQUIRED: [{"topologyKey": "kubernetes.io/hostname"}]},
    }
    spread = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
    obj = deployment(pod={"affinity": affinity, "topologySpreadConstraints": [spread]})
    at = "spec.template.spec"
    key = f"{at}.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0].matchExpressions[0].key"
    old = 'beta.kubernetes.io/arch is deprecated since v1.14; use "kubernetes.io/arch" instead'
    assert [each for each in warned(api, obj) if each.startswith(at)] == [
        f"{key}: {old}",
        f"{at}.topologySpreadConstraints[0].labelSelector: {NO_SELECTOR}",
        f"{at}.affinity.podAntiAffinity.{REQUIRED}[0].labelSelector: {NO_SELECTOR}",
    ]


def test_a_name_that_is_no_host_name_is_warned_of() -> None:
    """Once, when the object is created."""
    api = server()
    api.create(deployment("a.b"))
    assert api.remarks == [f"metadata.name: this is used in Pod names and hostnames, which {LABEL}"]
    api.remarks.clear()
    api.patch("deployments", "a.b", {"spec": {"paused": True}})
    assert api.remarks == []
    api.create_trusted("serviceaccounts", {"metadata": {"name": "default", "namespace": "default"}})
    assert warned(api, pod("a.b")) == [f"metadata.name: this is used in the Pod's hostname, which {LABEL}"]


def test_an_update_warns_when_it_makes_another_generation() -> None:
    """Scaling and annotating a deployment do, labels do not."""
    api = server()
    api.create(deployment(pod={"containers": [env("1", "2")]}))
    said = [f"spec.template.spec.containers[0].env[1]: {HIDES}"]
    for change, remarks in (
        ({"metadata": {"labels": {"x": "y"}}}, []),
        ({"metadata": {"annotations": {"x": "y"}}}, said),
        ({"spec": {"replicas": 3}}, said),
    ):
        api.remarks.clear()
        api.patch("deployments", "web", change)
        assert api.remarks == remarks
    api.remarks.clear()
    api.patch("deployments", "web", {"spec": {"replicas": 4}}, subresource="scale", type="merge")
    assert api.remarks == said
