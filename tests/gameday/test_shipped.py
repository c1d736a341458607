"""The game days that are shipped: whole, with a prediction of the plan as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from gherkube.runners.gameday import prediction
from gherkube.runners.gameday.plan import SUFFIX, Plan, fingerprint
from gherkube.runners.gameday.reading import read

ROOT = Path(__file__).parents[2]
PLANS = sorted((ROOT / "features" / "gamedays").glob(f"*/*{SUFFIX}"))


@pytest.fixture(params=PLANS, ids=lambda path: path.parent.name)
def plan(request: pytest.FixtureRequest) -> Plan:
    return read(request.param)


def test_there_are_six() -> None:
    """Those that the docs tell of, each in its section."""
    told = (ROOT / "docs" / "gamedays.md").read_text()
    assert [path.parent.name for path in PLANS if f": `{path.parent.name}`\n" in told] == [
        *("bad-image", "dependency", "drain", "node-lost", "quota", "rollback"),
    ]


def test_the_prediction_is_of_the_plan_as_it_stands(plan: Plan) -> None:
    """After a change: gherkube gameday rehearse PLAN."""
    found = prediction.load(plan.beside("prediction"))
    assert found.fingerprint == fingerprint(plan)
    assert found.verdict == prediction.HELD
    assert found.runs >= 20


def test_every_scenario_is_a_round_and_each_is_predicted_by_the_team(plan: Plan) -> None:
    """Smallest first, with a gate before the first; something ends the day by itself."""
    (feature,) = {round_.feature for round_ in plan.rounds}
    scenarios = [line.split(": ", 1)[1] for line in feature.read_text().split("\n") if "Scenario:" in line]
    assert [round_.scenario for round_ in plan.rounds] == scenarios
    assert all(round_.prediction.says and round_.prediction.verdict for round_ in plan.rounds)
    assert all(round_.prediction.within and round_.prediction.pods for round_ in plan.rounds)
    assert plan.gate is not None
    assert len(plan.abort) >= 2
    assert all(hypothesis.holds for hypothesis in plan.hypothesis)
