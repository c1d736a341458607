"""What a run leaves behind: each scenario's history in virtual time, and JUnit."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

FEATURE = """
    Feature: Releases
      Scenario: A new version
        Given deployment "web" runs 2 replicas of "hello:1"
        And service "web" for deployment "web" on port 8080
        When I update it to "hello:2"
        And I send 3 requests to service "web"
        Then the rollout completes

      Scenario: A version / that "does not exist"
        Given deployment "web" runs 2 replicas of "hello:1"
        And image "hello:2" does not exist
        When I update it to "hello:2"
        Then the rollout completes
"""


@pytest.fixture
def reported(project):
    """A project whose run has left its report in `out`."""
    project.file("features/release.feature", FEATURE)
    done = project.gherkube("run", "--seed", "42", "--report", "out")
    assert done.code == 1, done.out
    return project


def history(project, folder="out"):
    return {path.name: path.read_bytes() for path in (project.path / folder / "history").iterdir()}


def test_each_scenario_has_a_file_with_its_whole_history(reported):
    """Sentences, changes and requests in the order in which they happened, each with its virtual time."""
    files = history(reported)
    assert sorted(files) == [
        "features-release-a-new-version.ndjson",
        "features-release-a-version-that-does-not-exist.ndjson",
    ]
    head, *lines = map(json.loads, files["features-release-a-new-version.ndjson"].splitlines())
    assert head == {
        "scenario": "A new version",
        "feature": "features/release.feature",
        "line": 2,
        "seed": 42,
    }
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    steps = [line for line in lines if "step" in line]
    assert [step["step"].split()[0] for step in steps] == ["Given", "And", "When", "And", "Then"]
    assert {step["outcome"] for step in steps} == {"passed"}
    deleted = [line for line in lines if line.get("type") == "DELETED" and line["resource"] == "pods"]
    assert deleted
    requests = [line["request"] for line in lines if "request" in line]
    assert [request["service"] for request in requests] == ["default/web"] * 3
    assert {request["code"] for request in requests} == {200}
    *_, last = (
        json.loads(line)
        for line in files["features-release-a-version-that-does-not-exist.ndjson"].splitlines()
        if b'"step"' in line
    )
    assert last["outcome"] == "failed"


def test_the_same_seed_writes_the_same_bytes(reported):
    """In another process, with another hash seed, for a scenario alone, and in many processes."""
    first = history(reported)
    for number, hash_seed in enumerate(("0", "1", "4711")):
        reported.gherkube("run", "--seed", "42", "--report", f"again{number}", PYTHONHASHSEED=hash_seed)
        assert history(reported, f"again{number}") == first
    reported.gherkube("run", "features/release.feature:9", "--seed", "42", "--report", "alone")
    assert history(reported, "alone").items() < first.items()
    (reported.path / "gherkube.toml").touch()
    reported.pytest("-n", "2", "--gherkube-seed", "42", "--gherkube-report", "many", fresh=True)
    assert history(reported, "many") == first
    reported.gherkube("run", "--seed", "43", "--report", "other")
    assert history(reported, "other") != first


def test_junit_has_the_block_and_the_virtual_time(reported):
    """A suite a feature, a case a scenario."""
    root = ElementTree.parse(reported.path / "out/junit.xml").getroot()
    assert root.attrib.items() >= {"tests": "2", "failures": "1", "errors": "0", "skipped": "0"}.items()
    (suite,) = root
    assert suite.get("name") == "features/release.feature"
    good, bad = suite
    assert good.get("name") == "A new version"
    assert good.get("line") == "2"
    assert float(good.find("properties/property").get("value")) > 1
    failure = bad.find("failure")
    assert failure.get("message") == "features/release.feature:13  Then the rollout completes"
    assert "ErrImagePull" in failure.text or "ImagePullBackOff" in failure.text
    assert "next      gherkube run features/release.feature:9 --seed 42 --report out" in failure.text


def test_what_the_simulator_cannot_vouch_for(project):
    """Its own outcome in terminal, JUnit and exit code; plain pytest fails with those words."""
    project.write(
        gherkube__toml="",
        a__feature="Feature: F\n  Scenario: S\n    Given the manifest\n"
        "      ```\n      {apiVersion: v1, kind: PodTemplate, metadata: {name: few}}\n      ```\n"
        "    Then 3 pods are ready\n",
    )
    done = project.gherkube("run", "--junit", "junit.xml")
    assert done.code == 3, done.out
    assert project.junit() == {"S": "cannot-judge"}
    assert "  ? S (cannot be judged here" in done.out
    assert "a.feature:3  Given the manifest" in done.out
    assert "cannot be judged here:" in done.out
    assert "1 scenario: 1 cannot be judged here" in done.out
    done = project.pytest()
    assert done.code == 1
    assert "cannot be judged here:" in done.out


def test_an_attempt_that_nobody_judges(project):
    """“I try to” that succeeds, and no Then speaks of it."""
    project.write(
        a__feature="""
            Feature: F
              Scenario: S
                Given deployment "web" runs 1 replica of "hello:1"
                When I try to scale it to 2 replicas
                Then 2 pods are ready
        """
    )
    done = project.gherkube("run")
    assert done.code == 2, done.out
    assert "was not refused, and no Then says what came of it" in done.out


def test_own_steps_meet_the_shipped_ones(project):
    """They share the cluster, what the world knows, and the window that a When begins."""
    project.write(
        conftest__py="""
            from pytest_bdd import parsers, then, when

            @when(parsers.parse('somebody scales "{name}" to {n:d}'))
            def scale(cluster, name, n):
                cluster.api.patch("deployments", name, {"spec": {"replicas": n}}, "default")
                cluster.clock.sleep(5)

            @then(parsers.parse('the client sees {n:d} pods of "{name}"'))
            def sees(client, n, name):
                from kubernetes.client import CoreV1Api

                found = CoreV1Api(client).list_namespaced_pod("default", label_selector=f"app={name}")
                assert len(found.items) == n

            @then("it is the one")
            def one(world):
                assert world.it.name == "web"
        """,
        a__feature="""
            Feature: F
              Scenario: S
                Given deployment "web" runs 1 replica of "hello:1"
                When somebody scales "web" to 3
                Then the client sees 3 pods of "web"
                And 3 pods are ready
                And it is the one
                And exactly 2 pods were created
        """,
    )
    done = project.gherkube("run")
    assert done.code == 0, done.out


def test_a_cluster_that_cannot_be_closed_fails_the_scenario(project):
    """What goes wrong in the end is not lost."""
    project.write(
        conftest__py="""
            import pytest
            from gherkube.runners.simulator.cluster import Simulator

            @pytest.fixture
            def cluster():
                yield Simulator(seed=5)
                raise OSError("the cluster is stuck")
        """,
        a__feature="""
            Feature: F
              Scenario: S
                Given deployment "web" runs 1 replica of "hello:1"
                Then 1 pod is ready
        """,
    )
    done = project.gherkube("run", "--junit", "junit.xml")
    assert done.code == 1
    assert project.junit() == {"S": "failure"}
    assert "a.feature:2  S (after its last step)\n  raised    OSError: the cluster is stuck\n" in done.out
