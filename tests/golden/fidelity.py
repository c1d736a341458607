"""Which scenarios are judged, and what the simulator shows of one beside the real recordings."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from gherkube.runners.report.facts import Facts, Recording, facts
from gherkube.runners.report.likeness import Verdict, judge
from tests.golden.recording import read

HERE = Path(__file__).parent
REAL = (HERE / "recordings", HERE / "again")

JUDGED = sorted(folder.name for folder in REAL[0].iterdir())


def verdict(name: str, recording: Recording) -> Verdict:
    """Holds what was played against the real recordings of the scenario.

    Of kubectl's outputs, those of the commands that were played: not of what only prints.
    """
    played = {number for number, action in enumerate(recording.actions) if "rc" in action}
    reals = [
        {**shown, "outputs": {fact for fact in shown["outputs"] if fact[0] in played}} for shown in real(name)
    ]
    return judge(reals, facts(recording))


@cache
def real(name: str) -> tuple[Facts, ...]:
    """What the real recordings of a scenario show."""
    return tuple(facts(read(folder / name)) for folder in REAL)
