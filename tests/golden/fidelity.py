"""Which scenarios are judged, and what the simulator shows of one beside the real recordings."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tests.golden.compare import Facts, Verdict, facts, judge
from tests.golden.recording import Recording, read

HERE = Path(__file__).parent
REAL = (HERE / "recordings", HERE / "again")

NOT_YET = {
    "daemonset-update": "DaemonSet",
    "drain-with-budget": "drain and PodDisruptionBudget",
    "jobs": "Job",
    "quota": "ResourceQuota",
    "statefulset-update": "StatefulSet",
}
"""Scenarios that need what the simulator does not model."""

JUDGED = sorted(folder.name for folder in REAL[0].iterdir() if folder.name not in NOT_YET)

KINDS = ("states", "events", "lives", "moves", "bounds")
"""What is judged of the simulator; kubectl's outputs are not played."""


def verdict(name: str, recording: Recording) -> Verdict:
    """Holds what was played against the real recordings of the scenario."""
    return judge(real(name), facts(recording), KINDS)


@cache
def real(name: str) -> tuple[Facts, ...]:
    """What the real recordings of a scenario show."""
    return tuple(facts(read(folder / name)) for folder in REAL)
