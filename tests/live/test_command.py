"""`gherkube run --on live`, `gherkube check --on live` and `gherkube rbac` from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from gherkube.runners.live import access
from gherkube.runners.live.access import OWN, Need, manifest
from tests.door.serving import PATIENCE
from tests.live.conftest import Connect
from tests.live.proxy import Answer, Proxy

GHERKUBE = (sys.executable, "-c", "from gherkube.runners.cli.main import main; main()")
FEATURE = """\
Feature: A bad release
  Scenario: The tag does not exist
    Given image "hello:10" does not exist
    And deployment "web" runs 4 replicas of "hello:1"
    When I update it to "hello:10"
    Then 2 pods show ImagePullBackOff
    And throughout, at least 3 pods were ready
    When I undo the rollout
    Then four "hello:1" pods are running

  Scenario: Not so
    Given deployment "web" runs 2 replicas of "hello:1"
    When I scale it to 3 replicas
    Then within 5 seconds, exactly 9 pods are ready
"""
LONG = """\
Feature: Long
  Scenario: Long
    Given deployment "web" runs 2 replicas of "hello:1"
    When 30 minutes pass
    Then 2 pods are ready
"""
SETTINGS = f'patience = "{PATIENCE:g}s"\n'
ODD = """\
Feature: What a live cluster cannot do
  Scenario: Slow
    Given image "hello:2" takes 20 seconds to start listening
    And deployment "web" runs 2 replicas of "hello:1"
    When node "node-2" goes down
    Then 2 pods are ready
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with features, and a home that nothing else uses."""
    for name, text in (("bad.feature", FEATURE), ("odd.feature", ODD), ("gherkube.toml", SETTINGS)):
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def gherkube(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*GHERKUBE, *arguments], capture_output=True, text=True, check=False, timeout=600, env=os.environ
    )


def on(kubeconfig: Path) -> tuple[str, ...]:
    return ("--on", "live", "--context", "gherkube", "--kubeconfig", str(kubeconfig))


def test_a_run_on_a_live_cluster(plain: Path, connect: Connect) -> None:
    """The verdicts are those of the cluster; what a run made is gone; what fails tells how to run it."""
    cluster = connect(plain)
    before = cluster._api.raw("GET", "/gherkube/v1/images")
    done = gherkube("run", "bad.feature", *on(plain))
    assert done.returncode == 1
    assert "✓ The tag does not exist" in done.stdout
    assert "✗ Not so" in done.stdout
    assert "expected  within 5 seconds, exactly 9 pods ready" in done.stdout
    assert f"gherkube run bad.feature:11 --on live --context gherkube --kubeconfig {plain}" in done.stdout
    labelled = [
        each["metadata"]["name"] for each in cluster.api.list("namespaces", labels="gherkube.dev/run")
    ]
    assert labelled == [cluster.namespace]
    assert cluster._api.raw("GET", "/gherkube/v1/images") == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_leaves_nothing(plain: Path, connect: Connect, number: int) -> None:
    """Its namespace goes, and the scenario is told as not run."""
    Path("long.feature").write_text(LONG)
    cluster = connect(plain)

    def others() -> list[str]:
        labelled = cluster.api.list("namespaces", labels="gherkube.dev/run")
        return [name for each in labelled if (name := each["metadata"]["name"]) != cluster.namespace]

    process = subprocess.Popen(
        [*GHERKUBE, "run", "long.feature", *on(plain)], stdout=subprocess.PIPE, text=True
    )
    assert cluster.clock.wait(
        lambda: any(cluster.api.list("deployments", name) for name in others()),
        PATIENCE,
        resources=("nodes",),
    )
    process.send_signal(number)
    said = process.communicate(timeout=300)[0]
    assert process.returncode == 1
    assert "1 not run" in said
    assert not others()


def test_the_context_is_never_taken_in_silence(plain: Path) -> None:
    """Not even where there is only one."""
    done = gherkube("run", "--on", "live", "--kubeconfig", str(plain))
    assert done.returncode == 2
    assert "--on live needs --context NAME" in done.stdout + done.stderr


def test_production_is_left_alone(plain: Path, project: Path) -> None:
    """A target that is production refuses the first act, and that cannot be judged."""
    settings = f'[targets.prod]\ncontext = "gherkube"\nkubeconfig = "{plain}"\nproduction = true\n'
    (project / "gherkube.toml").write_text(settings)
    done = gherkube("run", "--on", "prod", "bad.feature")
    assert done.returncode == 3
    assert "refused by the fences of context 'gherkube': create (namespaces" in done.stdout
    assert "it is production, where nothing is done at all" in done.stdout


def test_a_cluster_that_is_no_gherkube_serve_is_not_asked_what_it_cannot_do(proxy: Proxy) -> None:
    """The scenario is over before anything is made."""
    proxy.rule = lambda _, path: Answer(404) if path.startswith("/gherkube") else None
    done = gherkube("run", "odd.feature", *on(proxy.kubeconfig))
    assert done.returncode == 3
    assert "how an image behaves cannot be established on a live cluster" in done.stdout
    assert not [path for method, path in proxy.asked if method == "POST" and "selfsubject" not in path]


def test_what_is_not_allowed_is_told_before_the_first_step(proxy: Proxy) -> None:
    """With the role that would grant it, and nothing was done."""
    denied = {"status": {"allowed": False}}
    proxy.rule = lambda _, path: Answer(201, body=denied) if "selfsubjectaccessreviews" in path else None
    done = gherkube("run", "bad.feature:11", *on(proxy.kubeconfig))
    assert done.returncode == 3
    assert "may not do what the scenarios need: " in done.stdout
    assert ", create deployments.apps in namespaces of its own, " in done.stdout
    assert "kind: ClusterRole" in done.stdout
    assert not [path for method, path in proxy.asked if method == "POST" and path.endswith("/namespaces")]


def test_a_role_for_features() -> None:
    """Exactly what the scenarios do, and what a run needs to see it."""
    done = gherkube("rbac", "bad.feature")
    assert done.returncode == 0, done.stderr
    [role] = yaml.safe_load_all(done.stdout)
    assert role["kind"] == "ClusterRole"
    allowed = verbs(role)
    assert allowed["deployments"] == {"create", "get", "list", "patch", "watch"}
    assert allowed["deployments/scale"] == {"patch"}
    assert allowed["pods"] == {"delete", "list", "watch"}
    assert allowed["namespaces"] == {"create", "delete", "get"}
    assert "services/proxy" not in allowed


def test_a_role_for_one_namespace() -> None:
    """What is cluster-wide stands in a role of its own, without making namespaces."""
    done = gherkube("rbac", "bad.feature", "--namespace", "shop")
    cluster, shop = yaml.safe_load_all(done.stdout)
    assert verbs(cluster) == {"namespaces": {"get"}, "nodes": {"list", "watch"}}
    assert (shop["kind"], shop["metadata"]["namespace"]) == ("Role", "shop")


def test_a_role_for_what_cannot_be_read() -> None:
    """Features that cannot be run have no role."""
    Path("wrong.feature").write_text("Feature: a\n  Scenario: b\n    Given nothing that is known\n")
    done = gherkube("rbac", "wrong.feature")
    assert (done.returncode, done.stdout) == (2, "")
    assert "wrong.feature:3" in done.stderr


def test_a_check_lists_what_a_live_cluster_cannot_vouch_for() -> None:
    """As notes: the features are right, another place can judge them."""
    done = gherkube("check", "--on", "live", "--json", ".")
    assert done.returncode == 0
    found = json.loads(done.stdout)["findings"]
    unvouched = [(each["file"], each["line"]) for each in found if each["rule"] == "cannot-judge"]
    assert unvouched == [("odd.feature", 3), ("odd.feature", 5)]
    assert gherkube("check", ".").returncode == 0


def verbs(role: Any) -> dict[str, set[str]]:
    return {name: set(rule["verbs"]) for rule in role["rules"] for name in rule["resources"]}


def test_needs_in_words() -> None:
    """As kubectl auth can-i is asked."""
    assert Need("list", "", "nodes").words == "list nodes"
    assert Need("patch", "apps", "deployments", "shop").words == "patch deployments.apps in namespace shop"
    assert Need("get", "", "pods", OWN).words == "get pods in namespaces of its own"


def test_a_role_groups_resources_of_the_same_verbs() -> None:
    """One rule for each group and set of verbs."""
    [role] = yaml.safe_load_all(
        manifest(
            [
                Need("get", "", "pods", OWN),
                Need("get", "", "services", OWN),
                Need("get", "apps", "deployments", OWN),
            ]
        )
    )
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["pods", "services"], "verbs": ["get"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]},
    ]
    assert access.refused([], "a") == ""
