"""Stand-ins, own images and broken nodes on a real cluster, which `gherkube run --on kind` makes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.kind
GHERKUBE = (sys.executable, "-c", "from gherkube.runners.cli.main import main; main()")
FEATURE = """\
Feature: What only a cluster of kind can vouch for
  Scenario: Images that do what is said of them
    Given image "shop:2" does not exist
    And image "shop:3" takes 3 seconds to pull
    And image "shop:3" becomes ready after 3 seconds
    And image "shop:3" answers requests with "Good morning"
    And image "shop:4" never becomes ready
    And image "shop:4" crashes after 1 second with exit code 3
    And deployment "shop" runs 2 replicas of "shop:1" with
      | readiness probe | http :8080/readyz every 1s |
    And service "shop" for deployment "shop" on port 8080
    When I send 4 requests to service "shop"
    Then every answer contains "shop | Running on: shop-"
    When I update it to "shop:2"
    Then 1 new pod shows ImagePullBackOff
    When I update it to "shop:3"
    Then the rollout completes
    When 10 seconds pass
    And I send 20 requests to service "shop"
    Then every answer contains "Good morning"
    And requests to service "shop" are answered by at least 2 different pods
    And requests to service "shop" are answered by "shop:3" only
    When I update it to "shop:4"
    Then 1 new pod has restarted
    And throughout, at least 2 pods were ready

  Scenario: An image of our own
    Given deployment "own" runs 1 replica of "own:1"
    When I scale it to 3 replicas
    Then 3 pods are ready
    And its "spec.template.spec.containers[0].image" is "own:1"

  Scenario: A node goes down, and another is cut off
    Given daemonset "agent" runs "agent:1"
    When node "node-2" goes down
    And node "node-1" is cut off
    Then no pods are ready
    When node "node-2" comes back
    Then exactly 1 pod on node "node-2" is ready
    And no pods on node "node-1" are ready

  Scenario: Whatever was broken is right again
    Given daemonset "agent" runs "agent:1"
    When I delete a pod on node "node-1"
    Then 2 pods are ready
"""
STEPS = """\
from pytest_bdd import parsers, when


@when(parsers.parse('node "{name}" is cut off'))
def cut_off(cluster, name):
    number = int(name.removeprefix("node-"))
    cluster.faults.cut_node(list(cluster.node_names())[number - 1])
"""
SETTINGS = """\
patience = "4m"
[kind.images]
"own:1" = {build = "own"}
"""
DOCKERFILE = """\
FROM scratch
COPY busybox /busybox
ENTRYPOINT ["/busybox", "sleep", "100000"]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the feature, a step of its own, and an image of its own."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("there is no busybox here to make an own image of")
    (tmp_path / "own").mkdir()
    shutil.copy(busybox, tmp_path / "own" / "busybox")
    for name, text in (
        ("a.feature", FEATURE),
        ("conftest.py", STEPS),
        ("gherkube.toml", SETTINGS),
        ("own/Dockerfile", DOCKERFILE),
    ):
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("GHERKUBE_STATE", str(tmp_path / "state"))
    return tmp_path


def test_images_and_nodes(project: Path) -> None:
    """All scenarios pass, one after another on one cluster; nothing is left in Docker."""
    image = os.environ.get("GHERKUBE_KIND_IMAGE")
    command = [*GHERKUBE, "run", "--on", "kind", "--nodes", "2", *(["--image", image] if image else [])]
    done = subprocess.run(
        [*command, "--report", "out"], cwd=project, capture_output=True, text=True, timeout=470, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 scenarios: 4 passed" in done.stdout
    assert not list(project.glob("state/runs/*/debts/*"))
    [cluster] = set(re.findall(r"kind cluster (gherkube-[0-9a-f]+-2)", done.stdout + done.stderr))
    names = ["docker", "ps", "--all", "--format", "{{.Names}}"]
    assert cluster not in subprocess.run(names, capture_output=True, text=True, check=True).stdout
