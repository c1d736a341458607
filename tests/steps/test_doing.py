"""What the Given and When sentences ask of a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.errors import ApiError, Refused, UsageError
from gherkube.steps.when_changes import with_tag
from gherkube.steps.world import World

from .conftest import Say


def deployment(world: World, name: str = "web", namespace: str = "default") -> Any:
    """The deployment as it is now."""
    return world.api.get("deployments", name, namespace)


def image(world: World, namespace: str = "default") -> str:
    """The image of its container."""
    found: str = deployment(world, namespace=namespace)["spec"]["template"]["spec"]["containers"][0]["image"]
    return found


@pytest.mark.parametrize(
    ("image", "tagged"),
    [
        ("acme/web:v1", "acme/web:v2"),
        ("web", "web:v2"),
        ("reg:5000/web", "reg:5000/web:v2"),
        ("reg:5000/acme/web:v1@sha256:abc", "reg:5000/acme/web:v2"),
    ],
)
def test_a_bare_version_is_a_tag_of_the_image_in_use(image: str, tagged: str) -> None:
    """A registry's port is no tag."""
    assert with_tag(image, "v2") == tagged


@pytest.mark.usefixtures("web")
def test_updating(world: World, say: Say) -> None:
    """To a tag, to a whole image, of a container by name."""
    say("when", "I update it to ${VERSION}")
    assert image(world) == "acme/web:v2"
    say("when", 'I update deployment "web" to "hello:2"')
    assert image(world) == "hello:2"
    say("when", 'I update container "app" of it to v3')
    assert image(world) == "hello:v3"
    with pytest.raises(Refused, match='unable to find container named "nginx"'):
        say("when", 'I update container "nginx" of it to v3')


@pytest.mark.usefixtures("web")
def test_scaling_patching_pausing(world: World, say: Say) -> None:
    """Verbs act as kubectl's do."""
    say("when", "I scale it to five replicas")
    say("when", 'I patch deployment "web" with', "spec: {strategy: {rollingUpdate: {maxSurge: 2}}}")
    say("when", "I pause the rollout")
    spec = deployment(world)["spec"]
    assert (spec["replicas"], spec["strategy"]["rollingUpdate"]["maxSurge"], spec["paused"]) == (5, 2, True)
    with pytest.raises(Refused, match="already paused"):
        say("when", 'I pause the rollout of deployment "web"')
    say("when", "I resume the rollout")
    say("when", "I restart the rollout")
    annotations = deployment(world)["spec"]["template"]["metadata"]["annotations"]
    assert annotations == {"kubectl.kubernetes.io/restartedAt": "2025-01-01T00:00:00Z"}


@pytest.mark.usefixtures("web")
def test_undoing_without_a_history_is_refused(say: Say) -> None:
    """By kubectl, in its words."""
    say("when", "I try to undo the rollout to revision 7")
    say("then", 'the attempt is refused with "unable to find specified revision 7 in history"')


def test_applying(world: World, say: Say) -> None:
    """A docstring or a file; what was applied may be left unnamed if it is alone."""
    text = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {version: v2}
"""
    say("when", "I apply", text)
    assert world.api.get("configmaps", "settings", "default")["data"] == {"version": "v2"}
    (world.base / "settings.yaml").write_text(text.replace("v2", "v3"))
    say("when", 'I apply the manifest "settings.yaml"')
    assert world.api.get("configmaps", "settings", "default")["data"] == {"version": "v3"}


def test_promoting_carries_images_and_nothing_else(world: World, say: Say) -> None:
    """From one namespace to another, container by container."""
    from gherkube.steps import manifests

    for place, tag, replicas in (("staging", "v2", 1), ("production", "v1", 3)):
        world.ensure_namespace(place)
        world.api.create(
            manifests.workload("deployments", "web", f"acme/web:{tag}", replicas), namespace=place
        )
    say("when", 'I promote deployment "web" from namespace "staging" to namespace "production"')
    assert image(world, "production") == "acme/web:v2"
    assert deployment(world, namespace="production")["spec"]["replicas"] == 3
    assert world.workload().namespace == "production"


@pytest.mark.usefixtures("web")
def test_services(world: World, say: Say) -> None:
    """For a deployment, exposed, and switched to other pods."""
    say("given", 'service "front" for deployment "web" on port 8080')
    say("when", 'I expose deployment "web" on port 8080 as a NodePort')
    front, web = (world.api.get("services", name, "default")["spec"] for name in ("front", "web"))
    assert (front["selector"], front["ports"][0]["port"], front["type"]) == (
        {"app": "web"},
        8080,
        "ClusterIP",
    )
    assert (web["selector"], web["ports"][0]["targetPort"], web["type"]) == ({"app": "web"}, 8080, "NodePort")
    say("when", 'service "front" switches to pods labelled "tier=front,version=green"')
    selector = world.api.get("services", "front", "default")["spec"]["selector"]
    assert selector == {"tier": "front", "version": "green"}
    with pytest.raises(UsageError, match="no selector of a service"):
        say("when", 'service "front" switches to pods labelled "tier in (a,b)"')


@pytest.mark.usefixtures("web")
def test_deleting(world: World, say: Say) -> None:
    """An object by name; what is absent is refused."""
    say("when", 'I delete deployment "web"')
    with pytest.raises(ApiError, match="not found"):
        deployment(world)
    with pytest.raises(Refused, match="not found"):
        say("when", 'I delete pod "absent"')


@pytest.mark.usefixtures("web")
def test_deleting_pods_takes_the_first_by_name(world: World, say: Say) -> None:
    """So many as said, no more than there are."""
    world.cluster.clock.wait(lambda: len(world.api.list("pods")) == 2, 10)
    first, second = (pod["metadata"]["name"] for pod in world.api.list("pods"))
    with pytest.raises(UsageError, match=f"there are: {first}, {second}"):
        say("when", "I delete 3 v1 pods")
    with pytest.raises(UsageError, match="leaves it open"):
        say("when", "I delete at least 1 pod")
    with pytest.raises(UsageError, match="version v9"):
        say("when", "I delete all v9 pods")
    say("when", 'I delete a pod of deployment "web"')
    left = [
        pod["metadata"]["name"]
        for pod in world.api.list("pods")
        if "deletionTimestamp" not in pod["metadata"]
    ]
    assert first not in left
    assert second in left


def test_nodes(world: World, say: Say) -> None:
    """N counts the nodes that take pods; they come before what stands on them, which a namespace does not."""
    say("given", 'namespace "production"')
    say("given", "a cluster with 5 nodes of 2 CPUs and 4Gi")
    assert list(world.cluster.node_names()) == [f"node-{n}" for n in range(1, 6)]
    assert world.api.get("nodes", "node-5")["status"]["allocatable"]["cpu"] == "2"
    say("when", 'I cordon node "node-1"')
    assert world.api.get("nodes", "node-1")["spec"]["unschedulable"] is True
    say("when", 'I uncordon node "node-1"')
    with pytest.raises(UsageError, match="come first"):
        say("given", "a cluster with 2 nodes")
    with pytest.raises(ApiError, match="not found"):
        say("when", 'node "node-9" goes down')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('deployment "web" runs "hello:1"', "how many replicas"),
        ('daemonset "web" runs 3 replicas of "hello:1"', "on all nodes"),
        ('it runs 3 replicas of "hello:1"', "does not run yet"),
        ('job "web" runs 3 replicas of "hello:1"', "from a manifest"),
        ("a cluster with no nodes", "at least 1 node"),
        ('a budget that keeps 2 pods of deployment "web" available', "at least"),
    ],
)
@pytest.mark.usefixtures("web")
def test_givens_that_cannot_be(say: Say, text: str, message: str) -> None:
    """Each says what to write instead."""
    with pytest.raises(UsageError, match=message):
        say("given", text)
