"""The stage: scenarios are played on request, watched all the time, and nothing gets past the watch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gherkube.runners.errors import CannotJudge
from gherkube.runners.gameday.plan import Plan, Round, Sentence
from gherkube.runners.gameday.reading import read
from gherkube.runners.gameday.stage import Halted, Stage, with_stage
from gherkube.runners.simulator.cluster import Simulator
from gherkube.runners.target import Target
from tests.conftest import Project
from tests.door.serving import deployment

PLAN = """\
name: A day
goal: See
hypothesis: [{says: Two are enough, holds: ['at least 2 pods of deployment "web" are ready']}]
target: simulator
scope: {namespaces: [default]}
roles: {owner: Olga, operator: Otto}
steady-state: ['3 pods of deployment "web" are ready']
rounds: [{name: One, feature: day.feature}]
"""
FEATURE = """\
Feature: A day

  Scenario: Own steps and shipped ones
    Given deployment "web" runs 3 replicas of "hello:1"
    When I scale deployment "web" to 2 replicas
    And 5 seconds pass
    And my own step acts
    Then 2 pods of deployment "web" are ready

  Scenario: Otherwise
    Given deployment "web" runs 7 replicas of "hello:1"
    Then 7 pods of deployment "web" are ready

  Scenario: A command
    When I run `kubectl get pods`
    Then the command succeeds
"""
STEPS = """\
from pytest_bdd import when

@when("my own step acts")
def _(cluster, client):
    from kubernetes.client import CoreV1Api
    core = CoreV1Api(client)
    assert len(core.list_namespaced_pod("default").items) >= 2
    try:
        core.delete_collection_namespaced_pod("default")
    except Exception as refused:
        assert "neither held by fences nor written down" in str(refused)
    else:
        raise AssertionError("it deleted pods")
"""


@pytest.fixture
def staged(project: Project) -> Callable[[Callable[[Stage, Simulator], Any]], Any]:
    """Has something done on the stage of the plan, with a simulator on which the deployment runs."""
    project.write(gherkube__toml="", day__feature=FEATURE, conftest__py=STEPS)
    plan: Plan = read(project.file("day.gameday.yaml", PLAN))
    came: list[Any] = []

    def do(act: Callable[[Stage, Simulator], Any]) -> Any:
        def on(stage: Stage) -> int:
            cluster = Simulator(seed=1)
            cluster.api.create(deployment(replicas=3), namespace="default")
            cluster.clock.sleep(60)
            came.append(act(stage, cluster))
            return 0

        assert with_stage(plan, [], on) == 0
        return came.pop()

    return do


ROUND = Callable[[Callable[[Stage, Simulator], Any]], Any]


def play(stage: Stage, cluster: Simulator, number: int, watch: Callable[[], None] = lambda: None) -> Any:
    """Plays the scenario of that number."""
    feature = stage.scenarios(Round("One", _feature(stage)))
    return stage.play(feature[number], cluster, watch)


def _feature(stage: Stage) -> Any:
    return stage._plan.rounds[0].feature  # type: ignore[attr-defined]


def test_a_scenario_is_played_again_and_again(staged: ROUND) -> None:
    """Each time on the cluster that is given; a project's own steps and fixtures work there."""

    def act(stage: Stage, cluster: Simulator) -> list[Any]:
        looks: list[None] = []
        first = play(stage, cluster, 0, lambda: looks.append(None))
        cluster.api.patch("deployments", "web", {"spec": {"replicas": 3}}, "default")
        return [first, play(stage, cluster, 0), len(looks)]

    first, second, looks = staged(act)
    assert (first.outcome, second.outcome) == ("passed", "passed"), first.block
    assert [step["outcome"] for step in first.steps] == ["passed"] * 5
    assert looks > 3


def test_a_given_verifies(staged: ROUND) -> None:
    """Nothing is made on a game day, whatever the cluster would allow."""
    played = staged(lambda stage, cluster: play(stage, cluster, 1))
    assert played.outcome == "cannot be run"
    assert 'Deployment "web" is not as the Given says: spec.replicas' in played.block


def test_a_command_is_not_run(staged: ROUND) -> None:
    """Nobody would see what it changes."""
    played = staged(lambda stage, cluster: play(stage, cluster, 2))
    assert played.outcome == "cannot be judged"


@pytest.mark.parametrize("look", [1, 2, 5])
def test_a_watch_that_halts_ends_it_at_once(staged: ROUND, look: int) -> None:
    """Before an act, which is then not made, or while time passes."""

    def act(stage: Stage, cluster: Simulator) -> tuple[Any, Any, float]:
        left = [look]

        def watch() -> None:
            left[0] -= 1
            if left[0] <= 0:
                raise Halted("enough")

        before = cluster.clock.now()
        played = play(stage, cluster, 0, watch)
        replicas = cluster.api.get("deployments", "web", "default")["spec"]["replicas"]
        return played, replicas, cluster.clock.now() - before

    played, replicas, took = staged(act)
    assert played.outcome == "failed"
    assert "enough" in played.block
    assert replicas == (3 if look <= 2 else 2)
    assert took < 5


def test_sentences(staged: ROUND) -> None:
    """Any Then of the language, judged now; what is none is told."""

    def act(stage: Stage, cluster: Simulator) -> None:
        ready = Sentence('3 pods of deployment "web" are ready')
        assert stage.holds(ready, cluster, None).verdict is True
        assert stage.holds(Sentence('4 pods of deployment "web" are ready'), cluster, None).verdict is False
        assert (
            stage.holds(Sentence('every request to service "web" is answered'), cluster, None).verdict is None
        )
        assert stage.wrong(ready) == ""
        assert "is no Then of the language; near it is" in stage.wrong(Sentence("3 pods dance"))
        target = Target("any")
        assert stage.unvouched(stage.scenarios(Round("One", _feature(stage)))[0], target, breaks=False) == []

    staged(act)


def test_a_feature_that_cannot_be_run(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is done, and it is told why."""
    project.write(gherkube__toml="", day__feature=FEATURE)
    plan = read(project.file("day.gameday.yaml", PLAN))
    assert with_stage(plan, [], lambda _: 0) == 2
    assert "no step matches “And my own step acts”" in capsys.readouterr().err


def test_what_the_act_raises(staged: ROUND) -> None:
    """Comes out as it is."""

    def act(*_: object) -> None:
        raise CannotJudge("so it is")

    with pytest.raises(CannotJudge, match="so it is"):
        staged(act)
