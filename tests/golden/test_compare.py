"""The comparison sees behaviour and nothing random."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.report.facts import Recording, facts, without_cycles
from gherkube.runners.report.likeness import Counts, judge
from gherkube.runners.report.names import Json
from tests.golden.compare import main
from tests.golden.fidelity import REAL, real

OWNER = {"kind": "Deployment", "name": "web", "uid": "d", "controller": True}


def seen(resource: str, obj: Json, kind: str = "MODIFIED") -> Json:
    return {"t": 1.0, "resource": resource, "type": kind, "object": obj}


def pod(suffix: str, phase: str, **metadata: Any) -> Json:
    owner = {"kind": "ReplicaSet", "name": "web-h1", "uid": "r", "controller": True}
    own = {"name": f"web-h1-{suffix}", "uid": suffix, "ownerReferences": [owner], **metadata}
    states = [{"name": "app", "ready": phase == "Running", "state": {phase.lower(): {}}}]
    return {"metadata": own, "status": {"phase": phase, "containerStatuses": states}}


def recording(
    suffix: str = "bcdfg", *, message: str = "Created pod: ", address: str = "10.0.0.1"
) -> Recording:
    replica_set = {
        "metadata": {
            "name": "web-h1",
            "annotations": {"deployment.kubernetes.io/revision": "1"},
            "ownerReferences": [OWNER],
        }
    }
    event = {
        "involvedObject": {"kind": "ReplicaSet", "name": "web-h1"},
        "type": "Normal",
        "reason": "SuccessfulCreate",
        "message": f"{message}web-h1-{suffix} at {address}",
        "metadata": {"name": "e"},
    }
    watch = [
        seen("replicasets", replica_set, "ADDED"),
        seen("events", event, "ADDED"),
        seen("pods", pod(suffix, "Pending"), "ADDED"),
        seen("pods", pod(suffix, "Running")),
    ]
    return Recording([], watch, [{"t": 2, "name": "end", "objects": {"pods": [pod(suffix, "Running")]}}])


def test_names_and_addresses_do_not_count() -> None:
    """Two runs that differ in what is random are the same."""
    one, other = facts(recording()), facts(recording("zxwvt", address="10.244.3.7"))
    assert one == other
    assert one["events"] == {
        ("ReplicaSet", "web#r1", "Normal", "SuccessfulCreate", "Created pod: web#r1-POD at ADDRESS")
    }
    assert one["lives"] == {("web#r1-POD", "starting", "Running 1/1")}
    assert one["bounds"] == {("web", "most pods", 1)}


def test_what_all_real_ones_show_has_to_be_there_and_what_one_shows_may_be() -> None:
    """Certain and allowed."""
    usual, odd = facts(recording()), facts(recording(message="Made pod: "))
    verdict = judge([usual, odd], odd, ["events", "states"])
    assert verdict.counts == {"events": Counts(0, 0, 1, 1), "states": Counts(1, 1, 1, 1)}
    verdict = judge([usual], odd, ["events"])
    assert [line.split(":")[0] for line in verdict.details()] == ["- events", "+ events"]
    assert verdict.counts["events"].score == 0.0


def test_the_score_is_the_harmonic_mean() -> None:
    """Of recall and precision; nothing to show and nothing shown is all."""
    assert Counts(3, 4, 1, 2).score == pytest.approx(0.6)
    assert Counts().score == 1.0


def test_a_cycle_counts_once() -> None:
    """Stretches of up to four."""
    assert without_cycles(list("xababab")) == ["x", "a", "b"]
    assert without_cycles(list("abcab")) == list("abcab")


def test_a_recording_is_like_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """The command, on the real recordings of one scenario."""
    folder = str(REAL[0] / "scale")
    assert main(["--real", folder, folder, "--details"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].endswith("overall 100.0%")


def test_the_two_real_recordings_differ_only_where_a_cluster_may() -> None:
    """The figures of a known pair."""
    first, second = real("self-heal")
    scores = {kind: round(counts.score, 3) for kind, counts in judge([first], second).counts.items()}
    assert scores["states"] == scores["moves"] == scores["bounds"] == 1.0
