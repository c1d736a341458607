"""Live runs on a real cluster that gherkube did not make: `.ci/test-kind` makes it, with kind alone.

The only image that scenarios use is one that every node of Kubernetes has.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from kubernetes import client, config

pytestmark = pytest.mark.kind
GHERKUBE = (sys.executable, "-c", "from gherkube.runners.cli.main import main; main()")
CLUSTER = os.environ.get("GHERKUBE_KIND_CLUSTER", "")
KUBECONFIG = os.environ.get("GHERKUBE_KIND_KUBECONFIG", "")
ON = ("--on", "live", "--context", f"kind-{CLUSTER}", "--kubeconfig", KUBECONFIG)
FEATURE = """\
Feature: A deployment
  Scenario: It is scaled
    Given deployment "web" runs 2 replicas of "{image}"
    When I scale it to 3 replicas
    Then 3 pods are ready
    And throughout, at least 2 pods were ready

  Scenario: A pod goes, and another comes
    Given deployment "web" runs 2 replicas of "{image}"
    When I delete a pod of deployment "web"
    Then 2 pods are ready

  Scenario: It is never so
    Given deployment "web" runs 1 replica of "{image}"
    When I scale it to 2 replicas
    Then within 2 seconds, exactly 9 pods are ready
"""
LONG = """\
Feature: A deployment
  Scenario: It is restarted, and so is the API server
    Given deployment "web" runs 2 replicas of "{image}"
    When 30 seconds pass
    And I restart the rollout
    Then within 4 minutes, the rollout completes
    And exactly 2 pods are ready
"""


@pytest.fixture(scope="module")
def core() -> client.CoreV1Api:
    """The cluster, as somebody else sees it."""
    if not CLUSTER:
        pytest.fail("`make test-kind` makes the cluster that this needs")
    return client.CoreV1Api(config.new_client_from_config(KUBECONFIG, context=f"kind-{CLUSTER}"))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, core: client.CoreV1Api) -> Path:
    """A folder with features about the image of pauses, as the nodes have it."""
    names = [name for node in core.list_node().items for image in node.status.images for name in image.names]
    pause = next(name for name in names if "/pause:" in name)
    (tmp_path / "a.feature").write_text(FEATURE.format(image=pause))
    (tmp_path / "long.feature").write_text(LONG.format(image=pause))
    monkeypatch.setenv("GHERKUBE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ours(core: client.CoreV1Api) -> list[str]:
    """The namespaces that runs of gherkube made."""
    return [each.metadata.name for each in core.list_namespace(label_selector="gherkube.dev/run").items]


def test_simulator_and_cluster_agree(project: Path, core: client.CoreV1Api) -> None:
    """Verdict by verdict, also where it is red; nothing is left."""
    command = [*GHERKUBE, "run", "a.feature", "--on", "simulator", *ON, "--report", "out"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1, done.stdout + done.stderr
    told = json.loads((project / "out" / "places.json").read_text())
    assert [each["outcome"] for each in told["scenarios"]] == ["passed", "passed", "failed"], done.stdout
    assert ours(core) == []


@pytest.mark.usefixtures("project")
def test_the_api_server_is_restarted_in_mid_scenario(core: client.CoreV1Api) -> None:
    """Its container is killed and comes again; the scenario goes on."""
    command = [*GHERKUBE, "run", "long.feature", *ON]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        until = time.monotonic() + 120
        while not [pod for name in ours(core) for pod in core.list_namespaced_pod(name).items]:
            assert run.poll() is None
            assert time.monotonic() < until
        kill = "kill $(pidof kube-apiserver)"
        subprocess.run(["docker", "exec", f"{CLUSTER}-control-plane", "sh", "-c", kill], check=True)
        said, _ = run.communicate(timeout=400)
    finally:
        run.kill()
        run.communicate()
    assert run.returncode == 0, said
    assert "1 scenario: 1 passed" in said
    assert ours(core) == []
