"""Runs on kind from outside: which clusters are made, shared, kept and removed, and what goes wrong."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gherkube.runners import state
from gherkube.runners.kind import cli
from gherkube.runners.live.journal import Journal
from tests.kind.conftest import Machine

SMALL = """\
Feature: Small
  Scenario: Scaled
    Given deployment "web" runs 1 replica of "hello:1"
    When I scale it to 2 replicas
    Then 2 pods are ready
"""
NODES = """\
Feature: Nodes
  Scenario: Two
    Given a cluster with 2 nodes
    And deployment "web" runs 2 replicas of "hello:1"
    Then 2 pods are ready

  Scenario: As many as there are
    Given deployment "web" runs 1 replica of "hello:1"
    Then 1 pod is ready

  Scenario: Two again
    Given a cluster with 2 nodes
    And deployment "web" runs 1 replica of "hello:1"
    Then 1 pod is ready
"""
LONG = """\
Feature: Long
  Scenario: Long
    Given deployment "web" runs 1 replica of "hello:1"
    When 30 minutes pass
    Then 1 pod is ready
"""


def waits(until: Callable[[], object], within: float = 300.0) -> None:
    """Waits for something that a process does."""
    end = time.monotonic() + within
    while not until():
        assert time.monotonic() < end
        time.sleep(0.02)


def configuration(machine: Machine, name: str) -> str:
    record = json.loads((machine.home / "clusters" / f"{name}.json").read_text())
    return str(record["config"])


def test_a_run_makes_a_cluster_and_removes_it(machine: Machine) -> None:
    """What takes its time is told; the user's kubeconfig is not there before, nor afterwards."""
    (machine.folder / "small.feature").write_text(SMALL)
    done = machine.gherkube("run", "--on", "kind", "--nodes", "1")
    assert done.code == 0, done.out
    assert "making it, with 1 nodes that take pods" in done.out
    assert "giving its nodes a registry" in done.out
    assert "✓ Scaled" in done.out
    assert machine.clusters() == []
    assert not list(state.folder().glob("runs/*"))
    assert not list(state.folder().glob("clusters/*.json"))
    assert not (Path.home() / ".kube").exists()


def test_scenarios_that_need_the_same_nodes_share_a_cluster(machine: Machine) -> None:
    """And the cluster has the nodes that they ask for; with --keep they stay, and it is said how they go."""
    (machine.folder / "nodes.feature").write_text(NODES)
    done = machine.gherkube("run", "--on", "kind", "--nodes", "1", "--keep")
    assert done.code == 0, done.out
    one, two = machine.clusters()
    assert (configuration(machine, one).count("worker"), configuration(machine, two).count("worker")) == (
        1,
        2,
    )
    assert done.out.count("making it") == 2
    assert f"`gherkube clean {one}` removes it" in done.out
    cleaned = machine.gherkube("clean", one, two)
    assert cleaned.code == 0, cleaned.out
    assert machine.clusters() == []


def test_a_cluster_is_used_again(machine: Machine) -> None:
    """It is made by the first run, left by all; `clean` by itself leaves it, too."""
    (machine.folder / "small.feature").write_text(SMALL)
    for made in (True, False):
        done = machine.gherkube("run", "--on", "kind", "--nodes", "1", "--reuse", "shop")
        assert done.code == 0, done.out
        assert ("making it" in done.out) is made
        assert machine.clusters() == ["shop"]
    other = machine.gherkube("run", "--on", "kind", "--nodes", "2", "--reuse", "shop")
    assert other.code == 2
    assert "cluster 'shop' has 1 nodes that take pods, not 2" in other.out
    cleaned = machine.gherkube("clean")
    assert (cleaned.code, machine.clusters()) == (0, ["shop"])
    assert "kept: kind cluster shop" in cleaned.out


def test_a_cluster_of_somebody_else_is_left_alone(machine: Machine) -> None:
    """Neither used nor removed, though its name was given."""
    (machine.home / "clusters").mkdir()
    theirs = machine.home / "clusters" / "theirs.json"
    theirs.write_text('{"name": "theirs", "nodes": ["theirs-control-plane"], "config": ""}')
    (machine.folder / "small.feature").write_text(SMALL)
    done = machine.gherkube("run", "--on", "kind", "--reuse", "theirs")
    assert done.code == 2
    assert "there is a kind cluster 'theirs' that gherkube did not make" in done.out
    cleaned = machine.gherkube("clean", "theirs")
    assert cleaned.code == 2
    assert "gherkube has made no such cluster" in cleaned.out
    assert machine.clusters() == ["theirs"]


def test_the_users_own_configuration_is_kept_to(machine: Machine) -> None:
    """What it says of a node holds for all of that role, and the image of the settings for all."""
    (machine.folder / "small.feature").write_text(SMALL)
    (machine.folder / "kind.yaml").write_text(
        "kind: Cluster\nnetworking: {podSubnet: 10.9.0.0/16}\n"
        "nodes:\n- role: worker\n  labels: {zone: a}\n- role: worker\n  labels: {zone: b}\n"
    )
    (machine.folder / "gherkube.toml").write_text(
        '[kind]\nnodes = 2\nimage = "acme/node:1"\nconfig = "kind.yaml"\n'
    )
    assert machine.gherkube("run", "--on", "kind", "--reuse", "shop").code == 0
    config = configuration(machine, "shop")
    assert "podSubnet: 10.9.0.0/16" in config
    assert (config.count("zone: a"), config.count("zone: b"), config.count("acme/node:1")) == (2, 0, 3)


def test_several_at_once(machine: Machine) -> None:
    """The processes of xdist share the clusters of the run."""
    scenarios = "".join(SMALL.partition("\n")[2].replace("Scaled", f"Scaled {n}") for n in range(4))
    (machine.folder / "small.feature").write_text(f"Feature: Small\n{scenarios}")
    (machine.folder / "conftest.py").write_text("import tests.kind.faked\n")  # in those processes, too
    run = machine.start("run", "--on", "kind", "--nodes", "1", "--workers-parallel", "2")
    said = run.communicate(timeout=600)[0]
    assert run.returncode == 0, said
    assert "4 passed" in said
    assert said.count("making it") == 1
    assert machine.clusters() == []
    assert not list(state.folder().glob("runs/*"))


def test_without_docker_nothing_is_judged(machine: Machine) -> None:
    """It is said what to do, once for each scenario, and that is not green."""
    machine.engine.stop()
    (machine.folder / "small.feature").write_text(SMALL)
    done = machine.gherkube("run", "--on", "kind")
    assert done.code == 3
    assert "Docker does not answer at unix://" in done.out
    assert "start it (Docker Desktop, or: sudo systemctl start docker)" in done.out


def test_without_kind_nothing_is_run(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said how to get it."""
    (machine.folder / "small.feature").write_text(SMALL)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    done = machine.gherkube("run", "--on", "kind")
    assert done.code == 2
    assert "there is no kind here, which makes the clusters: install it (https://kind.sigs" in done.out


def test_an_old_kind(machine: Machine) -> None:
    """Its version is looked at before it is asked for anything else."""
    machine.mode("old")
    (machine.folder / "small.feature").write_text(SMALL)
    done = machine.gherkube("run", "--on", "kind")
    assert done.code == 2
    assert "is kind v0.11.1; v0.20.0 or newer is needed" in done.out


def test_kind_fails_half_way(machine: Machine) -> None:
    """What there is of the cluster goes, its reason is told, and it is not tried again for each scenario."""
    machine.mode("fails")
    (machine.folder / "nodes.feature").write_text(NODES)
    done = machine.gherkube("run", "--on", "kind", "--nodes", "2")
    assert done.code == 3
    assert "failed (exit code 1): failed to create cluster: failed to pull image" in done.out
    assert (done.out.count("making it"), "3 cannot be judged here" in done.out) == (1, True)
    assert machine.clusters() == []
    assert machine.debts() == []


def test_kind_takes_too_long(machine: Machine) -> None:
    """It is ended after the time that the settings give it, and what it made is removed."""
    machine.mode("hangs")
    (machine.folder / "small.feature").write_text(SMALL)
    (machine.folder / "gherkube.toml").write_text('[kind]\ncreate-within = "2s"\n')
    done = machine.gherkube("run", "--on", "kind")
    assert done.code == 3
    assert "kind took longer than 2 s to make the cluster (it was at: " in done.out
    assert machine.clusters() == []
    assert machine.debts() == []


def test_what_kind_is_at() -> None:
    """Its last bullet, without pictures; it may not have said anything yet."""
    assert cli._doing(
        " • Ensuring node image 🖼  ...\n ✓ Ensuring node image\n • Preparing nodes 📦  ...\n"
    ) == ("Preparing nodes")
    assert cli._doing("") == "starting kind"


def test_a_run_that_is_stopped_while_a_cluster_is_made(machine: Machine) -> None:
    """Nothing is left of it."""
    machine.mode("hangs")
    (machine.folder / "small.feature").write_text(SMALL)
    run = machine.start("run", "--on", "kind")
    waits(machine.clusters)
    run.send_signal(signal.SIGINT)
    said = run.communicate(timeout=300)[0]
    assert run.returncode == 1
    assert "1 not run" in said
    assert machine.clusters() == []
    assert machine.debts() == []


def test_a_run_that_is_stopped_twice_says_what_it_leaves(machine: Machine) -> None:
    """It ends at once; `gherkube clean` does what it did not."""
    (machine.folder / "long.feature").write_text(LONG)
    run = machine.start("run", "--on", "kind", "--nodes", "1")
    waits(lambda: len(machine.debts()) == 3)  # what Docker has, the cluster, the namespace
    run.send_signal(signal.SIGINT)
    run.send_signal(signal.SIGINT)
    said = run.communicate(timeout=300)[0]
    assert run.returncode == 1
    if machine.debts():  # else it was quicker than the second signal
        assert "This run leaves:" in said
        assert "`gherkube clean` removes it" in said
    cleaned = machine.gherkube("clean")
    assert cleaned.code == 0, cleaned.out
    assert (machine.clusters(), machine.debts()) == ([], [])


@pytest.mark.parametrize("after", ["cluster begun", "namespace"])
def test_what_a_killed_run_leaves_is_cleaned(machine: Machine, after: str) -> None:
    """Whatever it was at; before that it is not touched, and `clean` says what it did."""
    machine.mode("hangs" if after == "cluster begun" else "")
    (machine.folder / "long.feature").write_text(LONG)
    run = machine.start("run", "--on", "kind", "--nodes", "1")
    waits(lambda: machine.clusters() and (after != "namespace" or len(machine.debts()) == 3))
    early = machine.gherkube("clean")
    assert "Nothing is left to clean up" in early.out
    assert machine.clusters()
    os.kill(run.pid, signal.SIGKILL)
    run.communicate(timeout=300)
    cleaned = machine.gherkube("clean")
    assert cleaned.code == 0, cleaned.out
    assert "removing kind cluster gherkube-" in cleaned.out
    assert (machine.clusters(), machine.debts()) == ([], [])
    assert not list(state.folder().glob("runs/*"))


@pytest.mark.parametrize(("kubeconfig", "left"), [("state/clusters/shop.kubeconfig", 0), ("theirs", 1)])
def test_what_was_changed_in_a_cluster_that_is_gone(
    machine: Machine, tmp_path: Path, kubeconfig: str, left: int
) -> None:
    """It went with a cluster of gherkube's own; of another one nobody knows whether it comes back."""
    path = state.Run("gone").folder / "undo" / "1.journal"
    journal = Journal.create(path)
    journal.write("begin", run="gone", context="kind-shop", kubeconfig=str(tmp_path / kubeconfig))
    journal.close()
    cleaned = machine.gherkube("clean")
    assert (cleaned.code, path.exists()) == (left, bool(left)), cleaned.out
    assert ("remove it where that cluster is gone for good" in cleaned.out) == bool(left)


def test_docker_that_dies_in_mid_run(machine: Machine) -> None:
    """The run goes to its end, is not green, and says what it leaves."""
    (machine.folder / "long.feature").write_text(
        LONG.replace("30 minutes", "2 seconds") + NODES.partition("\n")[2]
    )
    run = machine.start("run", "--on", "kind", "--nodes", "1")
    waits(lambda: len(machine.debts()) == 3)
    machine.engine.stop()
    said = run.communicate(timeout=300)[0]
    assert run.returncode != 0
    assert "Docker" in said
    assert "This run leaves:" in said


def test_options_of_kind_elsewhere(machine: Machine) -> None:
    """They mean nothing there."""
    (machine.folder / "small.feature").write_text(SMALL)
    done = machine.gherkube("run", "--nodes", "2", "--keep")
    assert done.code == 2
    assert "--nodes, --keep: for clusters that kind makes: say --on kind, too" in done.out
