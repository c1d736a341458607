"""`gherkube run --on A --on B` from outside."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.door.serving import serving

GHERKUBE = (sys.executable, "-c", "from gherkube.runners.cli.main import main; main()")
FEATURE = """\
Feature: An update
  Scenario: It works
    Given deployment "web" runs 2 replicas of "hello:1"
    Then 2 pods are ready

  Scenario: It works on one of them
    Given deployment "web" runs 2 replicas of "hello:1"
    When I update it to "hello:2"
    Then within 2 minutes, the rollout completes
"""


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a server on which one image does not exist."""
    folder = tmp_path_factory.mktemp("other")
    (folder / "images.yaml").write_text('- image "hello:2" does not exist\n')
    with serving(folder, "--http", "--images", str(folder / "images.yaml")) as kubeconfig:
        yield kubeconfig


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a feature."""
    (tmp_path / "a.feature").write_text(FEATURE)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def gherkube(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*GHERKUBE, "run", *arguments], capture_output=True, text=True, timeout=240)


def test_two_places_that_disagree(other: Path, project: Path) -> None:
    """Each is run and shown, then both side by side; the exit code says that they disagree."""
    live = ("--on", "live", "--context", "gherkube", "--kubeconfig", str(other))
    done = gherkube("a.feature", "--on", "simulator", *live, "--report", "out", "--junit", "all.xml")
    assert done.returncode == 6, done.stdout + done.stderr
    assert "on simulator with seeds 2 to 5" in done.stdout
    [row] = [line for line in done.stdout.splitlines() if "≠" in line]
    assert row.split()[:8] == ["≠", "It", "works", "on", "one", "of", "them", "✓"]
    assert "        only on live  " in done.stdout
    assert "2 scenarios on simulator and live: 1 passed, 1 on which the places disagree" in done.stdout
    told = json.loads((project / "out" / "places.json").read_text())
    assert [each["outcome"] for each in told["scenarios"]] == ["passed", "places disagree"]
    lives = told["scenarios"][1]["differences"][0]["only"]["lives"]
    assert "web#r2-POD: starting → app:ErrImagePull → app:ImagePullBackOff" in lives["live"]
    assert "places disagree" in (project / "out" / "index.html").read_text()
    for name in ("simulator", "live"):
        assert (project / "out" / name / "index.html").is_file()
    assert len(list(ElementTree.parse(project / "all.xml").iter("testcase"))) == 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--on", "simulator", "--on", "simulator"), "--on simulator is there twice; name each place once"),
        (("--on", "simulator", "--on", "live", "--messages", "m.ndjson"), "--messages is for one place"),
    ],
)
def test_what_is_refused(arguments: tuple[str, ...], said: str) -> None:
    """Before anything runs."""
    done = gherkube("a.feature", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_place_that_cannot_be_run_at(project: Path) -> None:
    """Ends all of it, with what the place says; a feature that cannot be run ends it at the first place."""
    done = gherkube("a.feature", "--on", "live", "--on", "simulator")
    assert done.returncode == 2
    assert "--on live needs --context NAME" in done.stdout + done.stderr
    assert "on simulator" not in done.stdout
    (project / "a.feature").write_text("Feature: a\n  Scenario: b\n    Given nothing that is known\n")
    done = gherkube("a.feature", "--on", "simulator", "--on", "live")
    assert done.returncode == 2
    assert "a.feature:3" in done.stdout
    assert "on live" not in done.stdout
