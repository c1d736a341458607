"""Commands in scenarios: the real kubectl in the simulator's time, and what keeps it to its cluster."""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

import pytest

from gherkube.runners import commands
from gherkube.runners.errors import CannotJudge, UsageError
from gherkube.runners.expectations.failure import ExpectationFailed
from gherkube.runners.simulator.cluster import Simulator
from gherkube.steps.world import World
from tests.steps.conftest import Say

needs_kubectl = pytest.mark.skipif(not commands.is_there("kubectl"), reason="there is no kubectl here")
needs_helm = pytest.mark.skipif(not commands.is_there("helm"), reason="there is no helm here")
in_virtual_time = pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"),
    reason="programs cannot be given a clock of their own here",
)
WEB = 'deployment "web" runs 4 replicas of "hello:1"'
SCRIPT = """\
#!{python}
import json, os, sys, urllib.request
config = open(os.environ["KUBECONFIG"]).read()
server = config.split("server: ")[1].split()[0]
with urllib.request.urlopen(server + "/api/v1/nodes") as answer:
    nodes = len(json.load(answer)["items"])
seen = {{"nodes": nodes, "config": config, "words": sys.argv[1:], "environment": dict(os.environ)}}
print(json.dumps(seen))
"""


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubectl of our own: it tells what it sees, and how many nodes the cluster has."""
    path = tmp_path / "bin" / "kubectl"
    path.parent.mkdir()
    path.write_text(SCRIPT.format(python=sys.executable))
    path.chmod(0o755)
    monkeypatch.setenv("GHERKUBE_KUBECTL", str(path))
    return path


def run(world: World, line: str) -> Any:
    return world.run(line)


def test_a_command_sees_its_cluster_and_nothing_of_the_user(
    world: World, fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its kubeconfig names the scenario's cluster and namespace; it is gone afterwards."""
    monkeypatch.setenv("KUBECONFIG", "/home/me/.kube/config")
    monkeypatch.setenv("AWS_SECRET", "x")
    world.namespace = "shop"
    told = json.loads(run(world, "kubectl get pods -o jsonpath='{.a b}'").output)
    assert (told["nodes"], told["words"]) == (4, ["get", "pods", "-o", "jsonpath={.a b}"])
    assert "namespace: shop" in told["config"]
    seen = told["environment"]
    assert "AWS_SECRET" not in seen
    assert seen["KUBECONFIG"].startswith(seen["HOME"])
    assert not os.path.exists(seen["HOME"])
    assert fake.exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("kubectl get pods | grep web", r"no shell that would know what \| means"),
        ("kubectl get pods > file", "what > means"),
        ("kubectl get pods && kubectl get nodes", "what && means"),
        ("kubectl get 'pods", "no command line: No closing quotation"),
        ("rm -rf /", "one of kubectl, helm, kustomize"),
        ("", "one of kubectl, helm, kustomize"),
        ("kubectl get pods --kubeconfig ~/.kube/config", "leave out --kubeconfig"),
        ("kubectl --server=https://10.0.0.1 get pods", "leave out --server"),
        ("helm list --kube-context staging", "leave out --kube-context"),
    ],
)
def test_a_line_that_is_no_command_of_the_scenario(line: str, message: str) -> None:
    """It is refused before anything is run, with what to do."""
    with pytest.raises(UsageError, match=message):
        commands.split(line)


@pytest.mark.usefixtures("fake")
def test_quotes_keep_words_together() -> None:
    """As in a shell; what would be its operators may stand in quotes."""
    line = 'kubectl patch deployment web -p \'{"spec": {"replicas": 3}}\' # "a | b"'
    assert commands.split(line)[3:] == ["web", "-p", '{"spec": {"replicas": 3}}', "#", "a | b"]


@pytest.mark.parametrize("tool", ["kubectl", "helm"])
def test_a_program_that_is_not_there(world: World, monkeypatch: pytest.MonkeyPatch, tool: str) -> None:
    """Nothing is judged, and how to get further is said."""
    monkeypatch.delenv(f"GHERKUBE_{tool.upper()}", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CannotJudge, match=f"there is no {tool} here: install it"):
        run(world, f"{tool} version")


def test_a_failure_has_to_be_judged(world: World, say: Say, fake: Path) -> None:
    """By a Then before the next command, or before the scenario ends."""
    fake.write_text("#!/bin/sh\necho no such thing\nexit 1\n")
    say("when", "I run `kubectl get pods`")
    with pytest.raises(ExpectationFailed, match="exit code 1"):
        world.settle_commands()
    with pytest.raises(ExpectationFailed, match="exit code 1"):
        say("when", "I run `kubectl get nodes`")
    say("then", 'the command fails with "no such"')
    world.settle_commands()
    say("when", "I run `kubectl get nodes`")


@needs_kubectl
@in_virtual_time
def test_a_time_out_is_virtual(world: World, say: Say) -> None:
    """20 seconds of it pass, to the second; the words are kubectl's own."""
    say("given", WEB)
    say("given", 'image "hello:2" does not exist')
    say("when", 'I update it to "hello:2"')
    before = world.cluster.clock.now()
    say("when", "I run `kubectl rollout status deployment/web --timeout=20s`")
    assert world.cluster.clock.now() - before == pytest.approx(20, abs=0.01)
    say("then", 'the command fails with "error: timed out waiting for the condition"')
    say("then", 'the output contains "2 out of 4 new replicas have been updated"')


@needs_kubectl
@in_virtual_time
def test_a_wait_ends_when_it_is_over(world: World, say: Say) -> None:
    """And not later: what happens afterwards is still to come."""
    say("given", WEB)
    say("given", 'image "hello:2" takes 30 seconds to pull')
    say("when", "I run `kubectl set image deployment/web app=hello:2`")
    say("when", "I run `kubectl rollout status deployment/web --timeout=10m`")
    say("then", 'the output contains "successfully rolled out"')
    assert 60 < world.cluster.clock.now() < 90


@needs_kubectl
@in_virtual_time
def test_what_sleeps_between_questions_sleeps_in_virtual_time(world: World, say: Say) -> None:
    """kubectl drain looks every second, and evicts again after five."""
    say("given", 'deployment "web" runs 3 replicas of "hello:1"')
    say("given", 'image "hello:1" takes 20 seconds to stop')
    before = world.cluster.clock.now()
    say("when", "I run `kubectl drain node-1`")
    say("then", "the command succeeds")
    assert world.cluster.clock.now() - before == pytest.approx(22, abs=2)


@needs_kubectl
@in_virtual_time
def test_a_command_that_would_never_end(world: World, say: Say) -> None:
    """It is ended after the patience, as a failure that shows what it printed."""
    say("given", WEB)
    before = world.cluster.clock.now()
    with pytest.raises(ExpectationFailed, match=r"still running; it printed: NAME +READY"):
        say("when", "I run `kubectl get pods --watch`")
    assert world.cluster.clock.now() - before == pytest.approx(300, abs=0.01)
    say("when", "I run `kubectl get pods --watch --request-timeout=400s`")
    assert world.cluster.clock.now() - before == pytest.approx(700, abs=0.1)


@needs_kubectl
def test_the_clock_of_a_command_is_the_clusters(say: Say) -> None:
    """Ages count from the scenario's time, not from that of the computer."""
    say("given", WEB)
    say("when", "1 hour passes")
    say("when", "I run `kubectl describe deployment web`")
    say("then", 'the output contains "60m "')


@needs_kubectl
@pytest.mark.parametrize(
    "line",
    ["kubectl create ingress web --rule=a/=web:80", "kubectl create role a --verb=get --resource=pods"],
)
def test_what_is_not_modelled_is_not_judged(say: Say, line: str) -> None:
    """Neither what a command says of it, nor whether it fails."""
    say("given", WEB)
    with pytest.raises(CannotJudge, match="not modelled"):
        say("when", f"I run `{line}`")


@needs_kubectl
def test_of_what_is_not_modelled_there_is_nothing(say: Say) -> None:
    """To look for it is no harm."""
    say("given", WEB)
    say("when", "I run `kubectl get all,ingresses`")
    say("then", 'the output contains "replicaset.apps/web-"')
    say("when", "I run `kubectl get ingress web`")
    say("then", 'the command fails with "(NotFound)"')


@needs_kubectl
@in_virtual_time
def test_one_seed_gives_one_history() -> None:
    """Also with commands in it."""

    def told() -> list[str]:
        world = World(Simulator(seed=3))
        for line in (
            "create deployment web --image=hello:1 --replicas=3",
            "rollout status deployment/web --timeout=1m",
            "scale deployment/web --replicas=5",
            "wait --for=jsonpath={.status.readyReplicas}=5 deployment/web --timeout=1m",
            "drain node-2",
        ):
            assert run(world, f"kubectl {line}").code == 0
        return [json.dumps([change.at, change.object]) for change in world.cluster.history.since()]

    assert told() == told()


@needs_kubectl
@in_virtual_time
def test_what_a_command_asks_at_once_comes_in_order() -> None:
    """kubectl evicts all pods of a node at the same time, each in a thread."""
    world = World(Simulator(nodes=2, seed=3))
    for line in (
        "create deployment web --image=hello:1 --replicas=12",
        "rollout status deployment/web",
        "drain node-2",
    ):
        assert run(world, f"kubectl {line}").code == 0
    evicted = [
        change.object["metadata"]["name"]
        for change in world.cluster.history.since()
        if change.resource == "pods"
        and change.object["metadata"].get("deletionTimestamp")
        and change.object["metadata"]["generation"] == 2
        and change.object["status"]["phase"] == "Running"
    ]
    first = list(dict.fromkeys(evicted))
    assert len(first) > 3
    assert first == sorted(first)


@needs_kubectl
def test_without_a_clock_of_its_own_a_command_goes_by_real_time(
    world: World, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On other systems: slower, and with the same end."""
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    say("when", "I run `kubectl create deployment web --image=hello:1`")
    before = world.cluster.clock.now()
    say("when", "I run `kubectl rollout status deployment/web --timeout=4m`")
    say("then", 'the output contains "successfully rolled out"')
    assert 0 < world.cluster.clock.now() - before < 240


@needs_kubectl
def test_a_kustomization_is_built(world: World, say: Say) -> None:
    """By kubectl, from the folder beside the feature; `${NAME}` in it is replaced."""
    folder = world.base / "overlays" / "staging"
    folder.mkdir(parents=True)
    (folder / "kustomization.yaml").write_text("resources: [web.yaml]\nnamePrefix: staging-\n")
    web = json.dumps(world_web()).replace("acme/web:v1", "acme/web:${VERSION}")
    (folder / "web.yaml").write_text(web)
    say("given", 'the kustomization "overlays/staging"')
    say("then", '2 v2 pods of deployment "staging-web" are ready')


@needs_kubectl
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is not there; it was looked for in"),
        ("resources: [absent.yaml]", "kustomize overlays` fails: .*absent.yaml"),
    ],
)
def test_a_kustomization_that_cannot_be_built(
    world: World, say: Say, content: str | None, message: str
) -> None:
    """What kubectl says of it is said."""
    if content is not None:
        (world.base / "overlays").mkdir()
        (world.base / "overlays" / "kustomization.yaml").write_text(content)
    with pytest.raises(UsageError, match=message):
        say("given", 'the kustomization "overlays"')


@needs_helm
def test_a_chart_is_installed_as_a_release(world: World, say: Say) -> None:
    """It can be upgraded, rolled back and looked at afterwards."""
    chart(world.base / "charts" / "web")
    say("given", 'the chart "charts/web" as release "shop"')
    say("then", '2 v1 pods of deployment "shop" are ready')
    say("when", "I run `helm upgrade shop charts/web --set tag=v2 --wait`")
    say("then", "the command succeeds")
    say("then", '2 v2 pods of deployment "shop" are ready')
    say("when", "I run `helm rollback shop`")
    say("then", '2 v1 pods of deployment "shop" are ready')
    with pytest.raises(UsageError, match=r"cannot be installed: .*in use"):
        say("given", 'the chart "charts/web" as release "shop"')


def chart(folder: Path) -> None:
    """A chart of one deployment, whose image's tag is a value."""
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 0.1.0\n")
    (folder / "values.yaml").write_text("tag: v1\n")
    text = json.dumps(world_web(), indent=1).replace("acme/web:v1", "acme/web:{{ .Values.tag }}")
    text = text.replace('"name": "web"', '"name": "{{ .Release.Name }}"', 1)
    (folder / "templates" / "web.yaml").write_text(text)


def world_web() -> Any:
    from gherkube.steps import manifests

    return manifests.workload("deployments", "web", "acme/web:v1", 2)
