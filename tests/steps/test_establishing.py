"""What a Given establishes: it waits until it is so, and says why when it never will be."""

from __future__ import annotations

import pytest

from gherkube.runners.errors import UsageError
from gherkube.runners.expectations.failure import ExpectationFailed
from gherkube.steps.catalogue import CATALOGUE
from gherkube.steps.world import World

from .conftest import Say

MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: "hello:${VERSION}", ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
"""


def test_runs_waits_until_all_replicas_are_available(world: World, say: Say) -> None:
    """Of a deployment and of a replica set."""
    say("given", 'deployment "web" runs four replicas of "hello:1"')
    assert world.api.get("deployments", "web", "default")["status"]["availableReplicas"] == 4
    say("given", 'replica set "set" runs 2 replicas of "hello:1"')
    assert world.api.get("replicasets", "set", "default")["status"]["availableReplicas"] == 2
    assert world.workload().name == "set"


def test_runs_takes_the_table(world: World, say: Say) -> None:
    """Its keys are set before the workload is made."""
    say(
        "given",
        'deployment "web" runs 1 replica of "hello:1" with',
        [["maxSurge", "3"], ["env PORT", "9000"]],
    )
    spec = world.api.get("deployments", "web", "default")["spec"]
    assert spec["strategy"]["rollingUpdate"]["maxSurge"] == 3


def test_a_namespace_that_is_named_is_made(world: World, say: Say) -> None:
    """Where the run may."""
    say("given", 'deployment "web" in namespace "shop" runs 1 replica of "hello:1"')
    say("then", "1 pod is ready")
    assert world.api.get("namespaces", "shop")


def test_what_never_becomes_available_is_told_with_its_cause(say: Say) -> None:
    """The Given fails, not the Then that comes after it."""
    say("given", 'image "acme/web:1" does not exist')
    with pytest.raises(ExpectationFailed, match="container app waits: ErrImagePull"):
        say("given", 'deployment "web" runs 2 replicas of "acme/web:1"')


def test_a_manifest_is_applied_and_waited_for(world: World, say: Say) -> None:
    """From a file, with settings filled in; its only workload need not be named."""
    (world.base / "web.yaml").write_text(MANIFEST)
    say("given", 'the manifest "web.yaml"')
    say("when", 'I send 20 requests to service "web" in namespace "shop"')
    say("then", 'every request to service "web" in namespace "shop" is answered')
    say("then", 'every answer contains "v=2"')
    say("then", "2 v2 pods are ready")


def test_mistakes_in_a_manifest_are_told_with_file_and_line(world: World, say: Say) -> None:
    """Beside those of the cluster."""
    (world.base / "web.yaml").write_text("kind: Pod\n")
    with pytest.raises(UsageError, match=r"web\.yaml:1: the object has no apiVersion"):
        say("given", 'the manifest "web.yaml"')


def test_a_service_answers_as_soon_as_it_is_given(world: World, say: Say) -> None:
    """So that requests that flow lose none before anything happens."""
    say("given", 'deployment "web" runs 2 replicas of "hello:1"')
    say("given", 'service "web" for deployment "web" on port 8080')
    say("given", 'requests to service "web" every 100 milliseconds')
    say("when", "10 seconds pass")
    say("then", 'throughout, every request to service "web" was answered')
    assert len(world.cluster.traffic.requests) > 90


def test_a_service_of_nothing_is_given_all_the_same(say: Say) -> None:
    """Without ready pods there is nothing to wait for."""
    say("given", 'deployment "web" runs 0 replicas of "hello:1"')
    say("given", 'service "web" for deployment "web" on port 8080')
    say("then", 'service "web" has no endpoints')


@pytest.mark.parametrize(
    "example",
    [s.example for s in CATALOGUE.sentences if s.topic == "Images"],
    ids=lambda example: example[16:],
)
def test_every_behaviour_of_images_is_known(say: Say, example: str) -> None:
    """Each sentence is taken by the simulator."""
    say("given", example)


def test_a_node_that_runs_a_pod_goes_down(world: World, say: Say) -> None:
    """The first by name that runs such a pod; none is an error that says where pods are."""
    say("given", 'deployment "web" runs 1 replica of "hello:v1"')
    say("when", 'I note the moment "x"')
    with pytest.raises(UsageError, match="was of version v2"):
        say("when", "a node that runs a v2 pod goes down")
    [pod] = world.api.list("pods", "default")
    say("when", "a node that runs a v1 pod goes down")
    node, name = pod["spec"]["nodeName"], pod["metadata"]["name"]
    say("then", f'within 10 minutes, pod "{name}" is terminating')
    say("then", "within 10 minutes, 1 pod was created")
    say("then", f'the "metadata.name" of node "{node}" is "{node}"')


def test_a_story_whole(say: Say) -> None:
    """A bad release, its effects, and the way back."""
    say("given", 'deployment "web" runs 4 replicas of "acme/web:v2"')
    say("given", 'image "acme/web:v10" does not exist')
    say("when", "I update it to v10")
    say("then", "2 pods show ImagePullBackOff")
    say("then", "throughout, at least 3 pods were ready")
    say("when", "I undo the rollout")
    say("then", "four v2 pods are running")
    say("then", "the 3 pods that were ready all along were never restarted")
    with pytest.raises(ExpectationFailed, match="throughout, no v10 pods existing"):
        say("then", "throughout, no v10 pods existed")
