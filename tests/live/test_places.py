"""`gherkube run --on A --on B` from outside."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gherkube.runners.cli.places import run_at_places
from tests.door.serving import PATIENCE, serving
from tests.live.conftest import Connect

GHERKUBE = (sys.executable, "-c", "from gherkube.runners.cli.main import main; main()")
FEATURE = """\
Feature: An update
  Scenario: It works
    Given deployment "web" runs 2 replicas of "hello:1"
    Then 2 pods are ready

  Scenario: It works on one of them
    Given deployment "web" runs 2 replicas of "hello:1"
    When I update it to "hello:2"
    Then within 1 hour, the rollout completes
"""
LONG = """\
Feature: Long
  Scenario: Long
    Given deployment "web" runs 2 replicas of "hello:1"
    When 3 hours pass
    Then 2 pods are ready
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
    (tmp_path / "gherkube.toml").write_text(f'patience = "{PATIENCE:g}s"\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def gherkube(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*GHERKUBE, "run", *arguments], capture_output=True, text=True, timeout=600)


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
    assert any("app:ErrImagePull" in life for life in lives["live"])
    assert "places disagree" in (project / "out" / "index.html").read_text()
    for name in ("simulator", "live"):
        assert (project / "out" / name / "index.html").is_file()
    assert len(list(ElementTree.parse(project / "all.xml").iter("testcase"))) == 4


@pytest.mark.parametrize(
    ("places", "options", "said"),
    [
        (["simulator", "simulator"], {}, "--on simulator is there twice; name each place once"),
        (["simulator", "live"], {"messages": "m.ndjson"}, "--messages is for one place"),
        (["simulator", "live"], {"report": "a.feature"}, "a.feature: cannot be written"),
        (["simulator", "kind"], {"context": "a"}, "--context says nothing to simulator and kind"),
    ],
)
def test_what_is_refused(
    places: list[str], options: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything runs."""
    assert run_at_places(places, ["a.feature"], options, []) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert said in told.err


def test_a_place_that_cannot_be_run_at(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Ends all of it, with what the place says; a feature that cannot be run ends it at the first place."""
    assert run_at_places(["live", "simulator"], ["a.feature"], {}, []) == 2
    said = capfd.readouterr()
    assert "--on live needs --context NAME" in said.out + said.err
    assert "on simulator" not in said.out
    (project / "a.feature").write_text("Feature: a\n  Scenario: b\n    Given nothing that is known\n")
    assert run_at_places(["simulator", "live"], ["a.feature"], {}, []) == 2
    said = capfd.readouterr()
    assert "a.feature:3" in said.out
    assert "on live" not in said.out


def test_a_run_that_is_stopped(other: Path, project: Path, connect: Connect) -> None:
    """The place that runs tidies up, and no other is begun."""
    (project / "a.feature").write_text(LONG)
    cluster = connect(other)

    def others() -> list[str]:
        labelled = cluster.api.list("namespaces", labels="gherkube.dev/run")
        return [name for each in labelled if (name := each["metadata"]["name"]) != cluster.namespace]

    live = ("--on", "live", "--context", "gherkube", "--kubeconfig", str(other))
    run = subprocess.Popen(
        [*GHERKUBE, "run", "a.feature", *live, "--on", "simulator"], stdout=subprocess.PIPE, text=True
    )
    assert cluster.clock.wait(
        lambda: any(cluster.api.list("deployments", name) for name in others()),
        PATIENCE,
        resources=("nodes",),
    )
    run.send_signal(signal.SIGINT)
    said = run.communicate(timeout=300)[0]
    assert run.returncode == 1
    assert "1 not run" in said
    assert "on simulator" not in said
    assert not others()
