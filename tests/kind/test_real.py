"""Runs on real kind clusters: what they leave in Docker, and what `gherkube clean` puts right on nodes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gherkube.runners import state
from tests.kind.test_runs import SMALL, waits

pytestmark = pytest.mark.kind
GHERKUBE = (sys.executable, "-c", "from gherkube.runners.cli.main import main; main()")
NAME = "gherkube-test-real"
DOWN = """\
Feature: Down
  Scenario: A node goes down
    Given deployment "web" runs 1 replica of "hello:1"
    When node "node-1" goes down
    And 10 minutes pass
    Then 1 pod is ready
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project whose runs use one cluster, which is gone afterwards."""
    made = tmp_path_factory.mktemp("project")
    image = os.environ.get("GHERKUBE_KIND_IMAGE", "")
    (made / "gherkube.toml").write_text("[kind]\nnodes = 1\n" + (f'image = "{image}"\n' if image else ""))
    (made / "small.feature").write_text(SMALL)
    (made / "down.feature").write_text(DOWN)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        patch.setenv("GHERKUBE_STATE", str(made / "state"))
        patch.setenv("KUBECONFIG", str(made / "the-users-own"))
        yield made
        subprocess.run([*GHERKUBE, "clean", NAME], check=True, timeout=200)
    assert containers() == {}
    assert not (made / "the-users-own").exists()


def containers() -> dict[str, str]:
    """The containers of the cluster, and how they are."""
    command = ["docker", "ps", "-a", "--filter", f"name={NAME}", "--format", "{{.Names}} {{.State}}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return dict(line.split() for line in said.splitlines())  # type: ignore[misc]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*GHERKUBE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


@pytest.mark.usefixtures("folder")
def test_a_cluster_is_made_and_used_again() -> None:
    """The second run makes none."""
    for made in (True, False):
        done = run("run", "--on", "kind", "--reuse", NAME, "small.feature")
        assert done.returncode == 0, done.stdout
        assert ("making it" in done.stdout) is made
    assert set(containers().values()) == {"running"}
    assert run("clean").returncode == 0


@pytest.mark.usefixtures("folder")
def test_a_node_that_a_killed_run_took_down_is_put_right() -> None:
    """It runs again, and the scenario's namespace is gone: the next run passes."""
    process = subprocess.Popen([*GHERKUBE, "run", "--on", "kind", "--reuse", NAME, "down.feature"])
    waits(lambda: "exited" in containers().values(), 300.0)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    cleaned = run("clean")
    assert cleaned.returncode == 0, cleaned.stdout
    assert f"node {NAME}-worker is stopped: put right" in cleaned.stdout
    assert set(containers().values()) == {"running"}
    assert not list(state.folder().glob("runs/*"))
    assert run("run", "--on", "kind", "--reuse", NAME, "small.feature").returncode == 0
