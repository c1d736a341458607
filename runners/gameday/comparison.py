"""What was predicted of each round beside what happened, and what of it was a surprise.

The team predicts in its plan, the simulator in the rehearsal; what happened is read from the journal, whose
samples are about a second apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from gherkube.runners.gameday.timeline import Played, Sample, Told
from gherkube.runners.settings import duration

SLACK_SECONDS, SLACK_SHARE = 1.0, 0.1
"""A time is a surprise when it is further from the predicted band than this, whichever is more: samples and
clocks are not finer. The seconds are ours, also where those of the cluster pass faster."""
UNLIKELY = 0.05
"""An outcome is a surprise that fewer of the rehearsals came to."""


class Row(NamedTuple):
    """One thing that was predicted of a round: in words, what the team and the simulator said ("" where they
    said nothing) and what was; `surprises` says whom it surprised."""

    what: str
    team: str
    simulator: str
    actual: str
    surprises: tuple[str, ...] = ()


class Compared(NamedTuple):
    """A round with its rows; `says` are the team's words."""

    round: Played
    says: str
    rows: list[Row]


def compare(told: Told) -> list[Compared]:
    """All rounds that were begun."""
    planned = {str(each["name"]): each for each in told.plan.get("rounds") or ()}
    rehearsed = {str(each["name"]): each for each in (told.begin.get("prediction") or {}).get("rounds") or ()}
    found = []
    for round_ in told.rounds:
        team = (planned.get(round_.name) or {}).get("prediction") or {}
        rows = list(_rows(told, round_, team, rehearsed.get(round_.name) or {}))
        found.append(Compared(round_, str(team.get("says") or ""), rows))
    return found


def surprises(compared: Sequence[Compared]) -> Iterator[tuple[str, Row]]:
    """What surprised anybody, with the name of its round."""
    for each in compared:
        yield from ((each.round.name, row) for row in each.rows if row.surprises)


def during(told: Told, round_: Played) -> list[Sample]:
    """The samples of a round."""
    end = told.end if round_.end is None else round_.end
    return [each for each in told.samples if round_.begin <= each.at <= end]


# --- Rows


def _rows(told: Told, round_: Played, team: Mapping[str, Any], rehearsed: Mapping[str, Any]) -> Iterator[Row]:
    yield _outcome(round_, team, rehearsed)
    slack = SLACK_SECONDS * told.rate
    if round_.seconds is not None:
        within = team.get("within")
        yield _row(
            "time",
            round_.seconds,
            rehearsed.get("seconds"),
            most=duration(str(within)) if within is not None else None,
            unit=" s",
            slack=slack,
        )
    samples = during(told, round_)
    bands = rehearsed.get("fewest_ready") or {}
    workloads = dict.fromkeys([*bands, *(name for each in samples for name in each.pods)])
    for workload in workloads:
        ready = [each.pods[workload]["ready"] for each in samples if workload in each.pods]
        if ready:
            fewest = team.get("fewest-ready") if len(workloads) == 1 else None
            yield _row(f"fewest ready pods of {workload}", min(ready), bands.get(workload), least=fewest)
    lost = _lost(told, samples)
    if lost is not None:
        yield _row("requests lost", lost, rehearsed.get("lost"), most=team.get("most-lost"))
    gaps = [each.requests["longest_gap"] for each in samples if each.requests.get("longest_gap") is not None]
    if gaps and rehearsed.get("longest_gap"):
        yield _row(
            "longest time without an answer", max(gaps), rehearsed["longest_gap"], unit=" s", slack=slack
        )


def _outcome(round_: Played, team: Mapping[str, Any], rehearsed: Mapping[str, Any]) -> Row:
    shares: Mapping[str, float] = rehearsed.get("outcomes") or {}
    told = ", ".join(f"{name} {share:.0%}" for name, share in shares.items() if share)
    wanted = str(team.get("verdict") or "")
    surprised = []
    if wanted and wanted != round_.outcome:
        surprised.append("team")
    if shares and shares.get(round_.outcome, 0.0) < UNLIKELY:
        surprised.append("simulator")
    return Row("outcome", wanted, told, round_.outcome, tuple(surprised))


def _row(
    what: str,
    actual: float,
    band: Mapping[str, float] | None,
    *,
    least: float | None = None,
    most: float | None = None,
    unit: str = "",
    slack: float = 0.0,
) -> Row:
    """A number beside the team's bound and the band of the rehearsals; `slack`: of a time, in its seconds."""
    team = f"at least {_number(least)}{unit}" if least is not None else ""
    team = f"at most {_number(most)}{unit}" if most is not None else team
    surprised = []
    if (least is not None and actual < least) or (most is not None and actual > most):
        surprised.append("team")
    simulator = ""
    if band:
        low, high = band["p5"], band["p95"]
        simulator = f"{_number(low)}{unit}" if low == high else f"{_number(low)}–{_number(high)}{unit}"
        slack = max(slack, SLACK_SHARE * high) if slack else 0
        if not low - slack <= actual <= high + slack:
            surprised.append("simulator")
    return Row(what, team, simulator, f"{_number(actual)}{unit}", tuple(surprised))


def _lost(told: Told, samples: Sequence[Sample]) -> int | None:
    """How many requests were lost during these samples; None where none were sent."""
    counted = [each for each in samples if each.requests.get("sent")]
    if not counted:
        return None
    before = [each for each in told.samples if each.at < counted[0].at and each.requests.get("sent")]
    first = before[-1].requests["lost"] if before else 0
    return int(counted[-1].requests["lost"] - first)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
