"""A rehearsal plays the plan on the simulator with the target's objects, and predicts the same each time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gherkube.runners.errors import UsageError
from gherkube.runners.gameday import prediction
from gherkube.runners.gameday.measures import fewest_ready, lost_requests
from gherkube.runners.gameday.plan import Scope
from gherkube.runners.gameday.prediction import BROKEN, HELD, NOT_JUDGED, RoundRun, Run, band, forecast
from gherkube.runners.gameday.simulated import SimulatedTarget
from gherkube.runners.live.fences import Fenced
from gherkube.runners.objects import Key, Object, is_ready
from gherkube.runners.simulator.cluster import Simulator
from gherkube.runners.target import Target
from gherkube.runners.traffic import Request
from tests.conftest import Project
from tests.door.serving import deployment, service

PLAN = """\
name: Day
goal: Know
hypothesis:
  - says: Three serve
    holds: ['throughout, at least 3 pods of deployment "web" were ready']
target: simulator
scope: {namespaces: [default], workloads: [deployment/web]}
roles: {owner: Olga, operator: Otto}
steady-state: ['at least 3 pods of deployment "web" are ready']
rounds:
  - {name: Good, feature: day.feature, scenario: Good, pause: 5s}
  - {name: Bad, feature: day.feature, scenario: Bad}
abort-when: ['fewer than 2 pods of deployment "web" are ready']
rehearsal:
  runs: 2
  given:
    - 'deployment "web" runs 4 replicas of "hello:1"'
    - 'image "hello:9" does not exist'
"""
FEATURE = """\
Feature: Day
  Scenario: Good
    When I update deployment "web" to "hello:2"
    Then within 2 minutes, the rollout completes

  Scenario: Bad
    When I update deployment "web" to "hello:9"
    Then within 1 minute, 2 new pods show ImagePullBackOff
    When I undo the rollout
    Then within 1 minute, the rollout completes
"""


@pytest.fixture
def day(project: Project) -> Project:
    """A project with a plan for the simulator."""
    project.file("day.gameday.yaml", PLAN)
    project.file("day.feature", FEATURE)
    project.file("gherkube.toml", "")
    return project


def change(project: Project, name: str, before: str, after: str) -> None:
    """Changes a file."""
    path = project.path / name
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after))


def predicted(project: Project) -> dict[str, Any]:
    """What was written."""
    found: dict[str, Any] = json.loads((project.path / "day.prediction.json").read_text())
    return found


def test_a_day_that_will_go_well(day: Project) -> None:
    """Exit code 0, a table, and two files to review."""
    done = day.gherkube("gameday", "rehearse", "day.gameday.yaml")
    assert done.code == 0, done.out
    assert "held 100%" in done.out
    assert "round Bad: passed 100%" in done.out
    assert "wrote day.snapshot.json" in done.out
    found = predicted(day)
    assert found["runs"] == 2
    assert found["hypothesis"] == {"Three serve": {"held": 1.0, "broken": 0.0, "not_judged": 0.0}}
    good, bad = found["rounds"]
    assert (good["name"], good["outcomes"]) == ("Good", {"passed": 1.0})
    assert bad["fewest_ready"] == {"deployment/web": {"p5": 3, "p50": 3, "p95": 3}}


def test_the_same_seeds_predict_the_same(day: Project) -> None:
    """Byte for byte: in other processes, and from the file of the snapshot."""
    day.gherkube("gameday", "rehearse", "day.gameday.yaml")
    first = [(day.path / f"day.{what}.json").read_bytes() for what in ("prediction", "snapshot")]
    day.gherkube("gameday", "rehearse", "day.gameday.yaml", PYTHONHASHSEED="7")
    assert [(day.path / f"day.{what}.json").read_bytes() for what in ("prediction", "snapshot")] == first
    done = day.gherkube("gameday", "rehearse", "day.gameday.yaml", "--from", "day.snapshot.json")
    assert (day.path / "day.prediction.json").read_bytes() == first[0]
    assert "wrote day.snapshot.json" not in done.out


def test_a_hypothesis_that_will_break(day: Project) -> None:
    """Exit code 1: the bad image takes one pod of four."""
    change(
        day, "day.gameday.yaml", 'at least 3 pods of deployment "web" were', '4 pods of deployment "web" were'
    )
    done = day.gherkube("gameday", "rehearse", "day.gameday.yaml")
    assert done.code == 1
    assert predicted(day)["hypothesis"]["Three serve"]["broken"] == 1.0


def test_a_hypothesis_that_nobody_can_judge(day: Project) -> None:
    """Exit code 3: no such moment was noted."""
    said = 'throughout, at least 3 pods of deployment "web" were ready'
    change(day, "day.gameday.yaml", said, 'since the moment "x", no pods of deployment "web" were created')
    done = day.gherkube("gameday", "rehearse", "day.gameday.yaml", "--runs", "1")
    assert done.code == 3
    assert predicted(day)["hypothesis"]["Three serve"]["not_judged"] == 1.0


def test_a_steady_state_that_will_break(day: Project) -> None:
    """Breaks the day, whatever its hypothesis says."""
    change(day, "day.gameday.yaml", "steady-state: ['at least 3", "steady-state: ['at least 4")
    done = day.gherkube("gameday", "rehearse", "day.gameday.yaml", "--runs", "1")
    assert done.code == 1
    assert 'not steady in 100%: at least 4 pods of deployment "web" are ready' in done.out


def test_a_day_that_would_be_aborted(day: Project) -> None:
    """At once: the round is halted, the next one is never begun, and nothing more is held to be true."""
    change(day, "day.gameday.yaml", "fewer than 2 pods", "fewer than 4 pods")
    done = day.gherkube("gameday", "rehearse", "day.gameday.yaml", "--runs", "1")
    assert done.code == 3
    assert 'aborted in 100%: fewer than 4 pods of deployment "web" are ready' in done.out
    good, bad = predicted(day)["rounds"]
    assert (good["outcomes"], bad["begun"], bad["outcomes"]) == ({"halted": 1.0}, 0.0, {})


def test_a_round_that_will_fail_says_why(day: Project) -> None:
    """With the block of the failure; the rounds after it are not come to."""
    change(
        day,
        "day.feature",
        "within 2 minutes, the rollout completes",
        "within 1 second, the rollout completes",
    )
    done = day.gherkube("gameday", "rehearse", "day.gameday.yaml", "--runs", "2")
    assert done.code == 1
    assert "round Good: failed 100%" in done.out
    assert done.out.count("day.feature:4  Then within 1 second, the rollout completes") == 1
    assert "round Bad: never begun" in done.out


def test_a_failure_that_is_predicted_goes_on(day: Project) -> None:
    """The team expects it."""
    change(
        day,
        "day.feature",
        "within 2 minutes, the rollout completes",
        "within 1 second, the rollout completes",
    )
    change(day, "day.gameday.yaml", "scenario: Good,", "scenario: Good, prediction: {verdict: failed},")
    day.gherkube("gameday", "rehearse", "day.gameday.yaml", "--runs", "1")
    assert predicted(day)["rounds"][1]["begun"] == 1.0


def test_a_round_that_cannot_be_played_predicts_nothing(day: Project) -> None:
    """Exit code 3, though the hypothesis held for as long as it went."""
    change(day, "day.feature", 'When I update deployment "web" to "hello:9"', "When I run `kubectl get pods`")
    done = day.gherkube("gameday", "rehearse", "day.gameday.yaml", "--runs", "1")
    assert done.code == 3
    assert predicted(day)["unexpected"] == {"cannot be judged": 1.0}


def test_a_round_is_put_back_before_the_next(day: Project) -> None:
    """Each finds what there was at the beginning, and what it finds it does not make."""
    given = '    Given deployment "web" runs 4 replicas of "hello:1"\n'
    change(day, "day.feature", "  Scenario: Good\n", f"  Scenario: Good\n{given}")
    change(day, "day.gameday.yaml", "{name: Bad,", "{name: Again,")
    change(day, "day.gameday.yaml", "scenario: Bad}", "scenario: Good}")
    done = day.gherkube("gameday", "rehearse", "day.gameday.yaml", "--runs", "1")
    assert "round Again: passed 100%" in done.out


def test_images_behave_as_the_plan_says(day: Project) -> None:
    """A slow image makes a slow round."""
    day.gherkube("gameday", "rehearse", "day.gameday.yaml", "--runs", "1")
    fast = predicted(day)["rounds"][0]["seconds"]["p50"]
    slow = "    - 'image \"hello:2\" takes 20 seconds to pull'\n"
    (day.path / "day.gameday.yaml").write_text(PLAN + slow)
    day.gherkube("gameday", "rehearse", "day.gameday.yaml", "--runs", "1")
    assert predicted(day)["rounds"][0]["seconds"]["p50"] > fast + 20


def test_what_is_no_snapshot_is_refused(day: Project) -> None:
    """Usage, without a traceback."""
    day.file("x.json", "{}")
    done = day.gherkube("gameday", "rehearse", "day.gameday.yaml", "--from", "x.json")
    assert (done.code, "not a snapshot" in done.out) == (2, True)


# --- Numbers


def run(verdict: str, *rounds: RoundRun, **more: Any) -> Run:
    """A run of one hypothesis."""
    return Run({"h": verdict}, rounds, **more)


def test_shares_and_bands() -> None:
    """Of all runs, and of those in which a round was begun."""
    one = RoundRun("passed", 10.0, {"deployment/web": 3}, 0, 0.0)
    two = RoundRun("failed", 20.0, {"deployment/web": 2}, 4, 1.5)
    found = forecast("f", "s", ["a", "b"], [run(HELD, one, two), run(BROKEN, two), run(NOT_JUDGED, one)])
    assert found.hypothesis["h"] == {"held": 0.3333, "broken": 0.3333, "not_judged": 0.3333}
    assert found.rounds[0].outcomes == {"passed": 0.6667, "failed": 0.3333}
    assert found.rounds[1].begun == 0.3333
    assert found.rounds[0].seconds == {"p5": 10.0, "p50": 10.0, "p95": 20.0}
    assert found.verdict == BROKEN


@pytest.mark.parametrize(
    ("runs", "verdict"),
    [
        ([run(HELD)], HELD),
        ([run(HELD), run(NOT_JUDGED)], NOT_JUDGED),
        ([run(HELD)] * 19 + [run(BROKEN)], BROKEN),
        ([run(HELD, unsteady=["x"])], BROKEN),
        ([run(HELD, unexpected="failed")], BROKEN),
        ([run(HELD), run(HELD, unexpected="cannot be judged")], NOT_JUDGED),
    ],
)
def test_the_worst_run_is_the_verdict(runs: list[Run], verdict: str) -> None:
    """One in twenty is enough."""
    assert forecast("f", "s", [], runs).verdict == verdict


def test_a_band_holds_only_what_came() -> None:
    """No pods and a half."""
    assert band([1, 2, 3, 4, 100]) == {"p5": 1, "p50": 3, "p95": 100}
    assert band([]) == {}


def test_a_prediction_is_read_as_it_was_written(tmp_path: Path) -> None:
    """And what is none is refused."""
    found = forecast("f", "s", ["a"], [run(HELD, RoundRun("passed", 1.0, {}, 0, 0.0))])
    prediction.save(found, tmp_path / "p.json")
    assert prediction.load(tmp_path / "p.json") == found
    (tmp_path / "p.json").write_text('{"rounds": []}')
    with pytest.raises(UsageError, match="rehearse again"):
        prediction.load(tmp_path / "p.json")


def test_the_fewest_ready_pods_are_those_of_the_stretch() -> None:
    """Of workloads in scope; from where it began, however few there were before."""
    simulator = Simulator(1)
    for name in ("web", "other"):
        simulator.api.create(deployment(name, replicas=3), namespace="default")
    simulator.clock.sleep(30)
    scope, since = Scope(("default",), ("deployment/web",)), len(simulator.history)
    assert fewest_ready(simulator.history, scope, 0) == {"deployment/web": 0}
    assert fewest_ready(simulator.history, scope, since) == {"deployment/web": 3}
    simulator.api.patch("deployments", "web", {"spec": {"replicas": 1}}, "default")
    simulator.clock.sleep(30)
    assert fewest_ready(simulator.history, scope, since) == {"deployment/web": 1}
    assert set(fewest_ready(simulator.history, Scope(("default",)), since)) == {
        "deployment/web",
        "deployment/other",
    }


def test_lost_requests_are_those_of_the_time() -> None:
    """Of each service for itself."""

    def request(at: float, code: int, name: str = "web") -> Request:
        return Request(at, Key("default", name), "", "", code, "", 0.1, "service")

    sent = [request(0, 0), request(1, 200), request(2, 0), request(3, 503), request(4, 200), request(9, 0)]
    assert lost_requests(sent, 1.0, 5.0) == (2, 3.0)
    assert lost_requests([*sent, request(2, 200, "other")], 1.0, 5.0) == (2, 3.0)
    assert lost_requests([], 1.0, 5.0) == (0, 0.0)


# --- The simulator in the place of a target


@pytest.fixture
def simulator() -> Simulator:
    """With a deployment that runs."""
    made = Simulator(1)
    made.api.create(deployment("web", replicas=3), namespace="default")
    made.api.create(service("web"), namespace="default")
    made.clock.sleep(30)
    return made


def standing(simulator: Simulator) -> dict[str, Object]:
    """What users said of everything."""
    return {
        f"{resource}/{obj['metadata']['name']}": obj["spec"]
        for resource in ("deployments", "services", "poddisruptionbudgets")
        for obj in simulator.api.list(resource, "default")
    }


def test_what_is_done_is_noted_and_put_back(simulator: Simulator) -> None:
    """In order; what puts it back, and what was refused, is not among it."""
    target, before = SimulatedTarget(simulator, Scope(("default",))), standing(simulator)
    api = target.api
    api.patch("deployments", "web", {"spec": {"replicas": 5}}, "default")
    api.delete("services", "web", "default")
    pod = simulator.api.list("pods", "default")[0]["metadata"]["name"]
    api.delete("pods", pod, "default")
    with pytest.raises(Exception, match="not found"):
        api.patch("deployments", "absent", {"spec": {"replicas": 5}}, "default")
    node = target.node_names()[0]
    target.faults.stop_node(node)
    simulator.clock.sleep(60)
    assert [each.words for each in target.writes] == [
        'patch deployments "web" in namespace "default"',
        'delete services "web" in namespace "default"',
        f'delete pods "{pod}" in namespace "default"',
        f'node "{node}" goes down',
    ]
    assert target.put_back() == []
    assert len(target.writes) == 4
    simulator.clock.sleep(60)
    after = standing(simulator)
    assert after["deployments/web"] == before["deployments/web"]
    assert after["services/web"]["selector"] == before["services/web"]["selector"]
    assert is_ready(simulator.api.get("nodes", node))


@pytest.mark.parametrize(
    ("fences", "scope", "why"),
    [
        ({"production": True}, Scope(("default",)), "it is production"),
        ({"namespaces": ("shop",)}, Scope(("default",)), "its namespaces are shop"),
        ({"namespaces": ("default",), "acts": ("scale",)}, Scope(("default",)), "its acts are scale"),
        ({"disposable": True}, Scope(("default",), ("deployment/db",)), "out of the scope"),
    ],
)
def test_fences_hold_in_a_rehearsal(
    simulator: Simulator, fences: dict[str, Any], scope: Scope, why: str
) -> None:
    """Those of the target and that of the scope; what they refuse is remembered, and not done."""
    target = SimulatedTarget(simulator, scope, Target("x", **fences))
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "hello:2"}]}}}}
    with pytest.raises(Fenced, match=why):
        target.api.patch("deployments", "web", patch, "default")
    assert target.writes == []
    assert len(target.refused) == 1
    assert why in target.refused[0]


def test_how_many_nodes_there_are_cannot_be_said(simulator: Simulator) -> None:
    """They are looked at, as on a live cluster."""
    target = SimulatedTarget(simulator, Scope(("default",)))
    target.set_nodes(3)
    with pytest.raises(UsageError, match="the target has 3 nodes"):
        target.set_nodes(4)
