"""What several places said of one run: outcomes, exit codes, and what histories differ in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from gherkube.runners.report.failure import CANNOT_JUDGE, EXPECTED, FAILED, INTERNAL, NOT_RUN, PASSED, SKIPPED
from gherkube.runners.report.junit import TAGS, write
from gherkube.runners.report.places import (
    DISAGREE,
    DISAGREEMENT,
    Compared,
    Place,
    as_json,
    compare,
    exit_code,
    write_junit,
)
from gherkube.runners.report.places_page import page
from gherkube.runners.report.places_table import lines_of, summary
from gherkube.runners.report.results import Results, Verdict

CODES = {PASSED: 0, FAILED: 1, CANNOT_JUDGE: 3, NOT_RUN: 1, INTERNAL: 5, EXPECTED: 0, SKIPPED: 4}


def pod(suffix: str, phase: str, image: str = "hello:1", **metadata: Any) -> dict[str, Any]:
    owner = {"kind": "ReplicaSet", "name": "web-h1", "uid": "r", "controller": True}
    own = {"name": f"web-h1-{suffix}", "namespace": "default", "uid": suffix, "ownerReferences": [owner]}
    states = [{"name": "app", "image": image, "ready": phase == "Running", "state": {phase.lower(): {}}}]
    return {"metadata": own | metadata, "status": {"phase": phase, "containerStatuses": states}}


def told(message: str, reason: str = "SuccessfulCreate", namespace: str = "default") -> dict[str, Any]:
    return {
        "metadata": {"name": message, "namespace": namespace},
        "involvedObject": {"kind": "ReplicaSet", "name": "web-h1"},
        "type": "Normal",
        "reason": reason,
        "message": message,
    }


def change(resource: str, obj: dict[str, Any]) -> dict[str, Any]:
    return {"at": 1.0, "type": "MODIFIED", "resource": resource, "object": obj}


def step(text: str, kind: str, changes: int) -> dict[str, Any]:
    return {"at": 0.5, "step": text, "kind": kind, "line": 4, "outcome": "passed", "changes": changes}


USUAL = [
    step("Given a", "given", 0),
    change("pods", pod("b", "Pending")),
    change("pods", pod("b", "Running")),
]


def place(folder: Path, name: str, outcome: str, lines: Sequence[Any] = USUAL, **more: Any) -> Place:
    """A place that played one scenario, as its report's folder tells it."""
    results = Results()
    text = "" if outcome == PASSED else f"a.feature:3  S\n  {outcome}"
    results.verdicts.append(
        Verdict("a.feature::S", "a.feature", "S", 3, outcome, text, seconds=2.5, virtual=1.5)
    )
    write(folder / name / "junit.xml", results)
    (folder / name / "history").mkdir()
    head = {"scenario": "S", "feature": "a.feature", "line": 3, "seed": 1}
    history = "".join(f"{json.dumps(line, separators=(',', ':'))}\n" for line in [head, *lines])
    (folder / name / "history" / "a-s.ndjson").write_text(history)
    return Place(name, folder / name, CODES[outcome], **more)


def held(folder: Path, one: str, other: str) -> tuple[Compared, int]:
    """The one scenario, and the exit code of all."""
    places = [place(folder, "simulator", one), place(folder, "kind", other)]
    [scenario] = compare(places)
    return scenario, exit_code(places, [scenario])


# --- Verdicts


@pytest.mark.parametrize(
    ("one", "other", "outcome", "code"),
    [
        (PASSED, PASSED, PASSED, 0),
        (FAILED, FAILED, FAILED, 1),
        (PASSED, FAILED, DISAGREE, DISAGREEMENT),
        (FAILED, PASSED, DISAGREE, DISAGREEMENT),
        (PASSED, EXPECTED, DISAGREE, DISAGREEMENT),
        (PASSED, CANNOT_JUDGE, CANNOT_JUDGE, 3),
        (FAILED, CANNOT_JUDGE, FAILED, 1),
        (PASSED, NOT_RUN, NOT_RUN, 1),
        (PASSED, INTERNAL, INTERNAL, 5),
        (PASSED, SKIPPED, SKIPPED, 4),
        (EXPECTED, EXPECTED, EXPECTED, 0),
    ],
)
def test_two_verdicts(tmp_path: Path, one: str, other: str, outcome: str, code: int) -> None:
    """Only what is judged at both can disagree; what is not judged somewhere is no pass."""
    scenario, found = held(tmp_path, one, other)
    assert (scenario.outcome, found) == (outcome, code)
    assert scenario.outcomes == [one, other]


def test_a_disagreement_hides_nothing_worse(tmp_path: Path) -> None:
    """Not what failed everywhere, nor what broke on the way, nor that a run was stopped."""
    places = [place(tmp_path, "simulator", PASSED), place(tmp_path, "kind", FAILED)]
    scenarios = compare(places)
    assert exit_code(places, scenarios) == DISAGREEMENT
    both = Compared("a.feature", "T", 9, [*scenarios[0].ended[1:]] * 2, [], {})
    assert exit_code(places, [*scenarios, both]) == 1
    places[1].code = 5
    assert exit_code(places, scenarios) == 5


def test_a_run_that_was_stopped(tmp_path: Path) -> None:
    """Its exit code counts, though all that it got to passed."""
    places = [place(tmp_path, "simulator", PASSED), place(tmp_path, "kind", PASSED)]
    places[1].code = 1
    assert exit_code(places, compare(places)) == 1


def test_a_scenario_that_one_place_did_not_get_to(tmp_path: Path) -> None:
    """Is not run there."""
    places = [place(tmp_path, "simulator", PASSED), Place("kind", tmp_path / "nowhere", 1)]
    [scenario] = compare(places)
    assert scenario.outcomes == [PASSED, NOT_RUN]
    assert (scenario.outcome, exit_code(places, [scenario])) == (NOT_RUN, 1)


def test_a_place_whose_disk_was_full(tmp_path: Path) -> None:
    """What it did not write to the end is not compared, or not run; nothing is taken for passed."""
    places = [place(tmp_path, "simulator", PASSED), place(tmp_path, "kind", PASSED)]
    file = places[1].folder / "history" / "a-s.ndjson"
    for text in (file.read_text()[:-40], ""):
        file.write_text(text)
        places[1] = Place("kind", tmp_path / "kind", 0)
        [scenario] = compare(places)
        assert (scenario.outcome, scenario.differences) == (PASSED, [])
    junit = places[1].folder / "junit.xml"
    junit.write_text(junit.read_text()[:100])
    places[1] = Place("kind", tmp_path / "kind", 1)
    [scenario] = compare(places)
    assert (scenario.outcomes, exit_code(places, [scenario])) == ([PASSED, NOT_RUN], 1)


# --- Histories


def differences(folder: Path, one: Sequence[Any], other: Sequence[Any]) -> list[str]:
    [scenario] = compare([place(folder, "simulator", PASSED, one), place(folder, "kind", PASSED, other)])
    return [line for difference in scenario.differences for line in lines_of(difference)]


def test_what_is_random_does_not_count(tmp_path: Path) -> None:
    """Names, namespaces, how often something is said, and whether an image was there."""
    own = {"namespace": "gherkube-1-a"}
    one = [*USUAL, change("events", told("Created pod: web-h1-b in default/web"))]
    other = [
        USUAL[0],
        change("pods", pod("zz", "Pending", **own)),
        change("pods", pod("zz", "Running", **own)),
        change("events", told("Created pod: web-h1-zz in gherkube-1-a/web", namespace="gherkube-1-a")),
        change("events", told("Pulling image hello:1", "Pulling", "gherkube-1-a")),
    ]
    named = {
        "metadata": {
            "name": "web-h1",
            "ownerReferences": [{"kind": "Deployment", "name": "web", "controller": True}],
        }
    }
    sets = [change("replicasets", {**named, "metadata": {**named["metadata"], "uid": "r"}})]
    assert differences(tmp_path, [*sets, *one], [*sets, *other]) == []


def test_how_a_pod_lived(tmp_path: Path) -> None:
    """In order, and what it was in the end."""
    ended = [*USUAL, change("pods", pod("b", "Failed"))]
    assert differences(tmp_path, USUAL, ended) == [
        "only on simulator  states  at the end: web-h1-POD Running 1/1",
        "only on kind  states  at the end: web-h1-POD Failed 0/1",
        "only on simulator  lives  web-h1-POD: starting → Running 1/1",
        "only on kind  lives  web-h1-POD: starting → Running 1/1 → Failed 0/1",
    ]


def test_what_pods_were_when_something_was_done(tmp_path: Path) -> None:
    """Of all that was known when a When began."""
    early = [USUAL[0], USUAL[1], step("When b", "when", 1), USUAL[2]]
    late = [USUAL[0], USUAL[1], USUAL[2], step("When b", "when", 2)]
    assert differences(tmp_path, early, late) == [
        "only on simulator  states  before “When b” (line 4): web-h1-POD starting",
        "only on kind  states  before “When b” (line 4): web-h1-POD Running 1/1",
    ]


def test_requests_that_were_lost(tmp_path: Path) -> None:
    """At one place only."""
    lost = {"at": 2.0, "request": {"service": "default/web", "code": 0, "image": "", "body": "refused"}}
    assert differences(tmp_path, USUAL, [*USUAL, lost]) == ["only on kind  requests  service web: lost"]


def test_what_is_left_to_chance_does_not_count(tmp_path: Path) -> None:
    """Where another seed shows it, too; nor does what only some seeds show have to be there."""
    other = [*USUAL, change("events", told("said by chance"))]
    seed = place(tmp_path, "seed", PASSED, other)
    for name, lines in (("plain", USUAL), ("chance", other)):
        (tmp_path / name).mkdir()
        places = [
            place(tmp_path / name, "simulator", PASSED, seeds=[seed.folder]),
            place(tmp_path / name, "kind", PASSED, lines),
        ]
        assert compare(places)[0].differences == []


def test_a_verdict_that_is_left_to_chance_is_told(tmp_path: Path) -> None:
    """With how many seeds it came out how."""
    seed = place(tmp_path, "seed", FAILED)
    [scenario] = compare(
        [place(tmp_path, "simulator", PASSED, seeds=[seed.folder]), place(tmp_path, "kind", FAILED)]
    )
    assert scenario.chance == {"simulator": {PASSED: 1, FAILED: 1}}


# --- How it is told


def test_results_for_tools_and_for_people(tmp_path: Path) -> None:
    """JSON, one JUnit file for all, and a page that says the same and escapes what it is told."""
    changed = [*USUAL, change("events", told("<script>"))]
    places = [place(tmp_path, "simulator", PASSED), place(tmp_path, "kind", FAILED, changed)]
    scenarios = compare(places)
    found = as_json(places, scenarios, DISAGREEMENT)
    assert [each["exit"] for each in found["places"]] == [0, 1]
    assert found["scenarios"][0]["places"]["kind"]["why"] == "a.feature:3  S\n  failed"
    assert list(found["scenarios"][0]["differences"][0]["only"]["events"]) == ["simulator", "kind"]
    write_junit(tmp_path / "all.xml", places)
    root = ElementTree.parse(tmp_path / "all.xml").getroot()
    assert [suite.get("name") for suite in root] == ["simulator: a.feature", "kind: a.feature"]
    assert (root.get("tests"), root.get("failures")) == ("2", "1")
    html = page(places, scenarios)
    assert "the places disagree" in html
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_the_summary(tmp_path: Path) -> None:
    """Counts what all places say together."""
    places = [place(tmp_path, "simulator", PASSED), place(tmp_path, "kind", FAILED, USUAL[:2])]
    words = "1 scenario on simulator and kind: 1 on which the places disagree; 1 history differs"
    assert summary(places, compare(places)) == words


def test_every_outcome_can_be_read_back() -> None:
    """JUnit says each in its own way."""
    assert len({kind for _, kind in TAGS.values()}) == len(TAGS)
