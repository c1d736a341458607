"""What rehearsals predict of a game day: a file that people review, and what happens is compared with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from os.path import lexists
from pathlib import Path
from typing import NamedTuple

from gherkube.runners.errors import UsageError
from gherkube.runners.gameday.files import write
from gherkube.runners.gameday.plan import Plan, fingerprint
from gherkube.runners.gameday.reading import shown
from gherkube.runners.report.failure import FAILED

AGAIN = "rehearse again: gherkube gameday rehearse PLAN"
HELD, BROKEN, NOT_JUDGED = "held", "broken", "not judged"
Shares = dict[str, float]
"""How often something came out so, from 0 to 1, by what it came to."""
Band = dict[str, float]
"""p5, p50 and p95: what one in twenty came to at most, the middle, and what one in twenty was above."""


class RoundRun(NamedTuple):
    """What one rehearsal of a round came to; virtual seconds. `gap`: the longest time without an answer."""

    outcome: str
    seconds: float
    fewest_ready: Mapping[str, int]
    lost: int
    gap: float


class Run(NamedTuple):
    """What one rehearsal came to: each hypothesis by what it says, and the rounds that were begun.

    `abort`: the abort condition that came true; `unsteady`: what of the steady state did not hold meanwhile;
    `unexpected`: what a round came to that neither passed nor was predicted by the team; `left`: what could
    not be put back.
    """

    hypothesis: Mapping[str, str]
    rounds: Sequence[RoundRun]
    abort: str = ""
    unsteady: Sequence[str] = ()
    unexpected: str = ""
    left: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class RoundPrediction:
    """A round; `begun`: how often it was come to."""

    name: str
    begun: float
    outcomes: Shares
    seconds: Band
    fewest_ready: dict[str, Band]
    lost: Band
    longest_gap: Band


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is predicted of a plan (its fingerprint) on a snapshot (its SHA-256), from so many runs.

    `aborts`: how often each abort condition came true; `unsteady`: how often a sentence of the steady state
    did not hold meanwhile; `unexpected`: how often a round neither passed nor came to what the team predicts,
    by what it came to; `left`: how often not all was put back.
    """

    fingerprint: str
    snapshot: str
    runs: int
    hypothesis: dict[str, Shares]
    rounds: tuple[RoundPrediction, ...]
    aborts: Shares
    unsteady: Shares
    unexpected: Shares
    left: float

    @property
    def text(self) -> str:
        """As it is written to a file: the same runs give the same text."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    @property
    def verdict(self) -> str:
        """Broken where any run broke a hypothesis or the steady state, or failed against the team's word."""
        shares = list(self.hypothesis.values())
        if self.unsteady or FAILED in self.unexpected or any(each["broken"] for each in shares):
            return BROKEN
        return NOT_JUDGED if self.unexpected or any(each["not_judged"] for each in shares) else HELD


def forecast(fingerprint: str, snapshot: str, names: Sequence[str], runs: Sequence[Run]) -> Forecast:
    """What the runs come to; `names` are the rounds'."""
    hypotheses = list(dict.fromkeys(says for run in runs for says in run.hypothesis))
    return Forecast(
        fingerprint,
        snapshot,
        len(runs),
        {
            says: {
                "held": _share(run.hypothesis[says] == HELD for run in runs),
                "broken": _share(run.hypothesis[says] == BROKEN for run in runs),
                "not_judged": _share(run.hypothesis[says] == NOT_JUDGED for run in runs),
            }
            for says in hypotheses
        },
        tuple(
            _round(name, [run.rounds[n] for run in runs if n < len(run.rounds)], len(runs))
            for n, name in enumerate(names)
        ),
        _shares([run.abort for run in runs if run.abort], len(runs)),
        _shares([each for run in runs for each in run.unsteady], len(runs)),
        _shares([run.unexpected for run in runs if run.unexpected], len(runs)),
        _share(bool(run.left) for run in runs),
    )


def save(found: Forecast, path: Path) -> None:
    """Writes it. Raises UsageError."""
    write(path, found.text)


def of(plan: Plan) -> Forecast | None:
    """That of a plan as it stands; None when it was never rehearsed.

    Raises UsageError for one that cannot be read, or of a plan or features that have changed since.
    """
    path = plan.beside("prediction")
    if not lexists(path):
        return None
    found = load(path)
    if found.fingerprint != fingerprint(plan):
        raise UsageError(f"the plan or a feature has changed since it was rehearsed; {AGAIN}")
    return found


def load(path: Path) -> Forecast:
    """Reads it. Raises UsageError."""
    try:
        said = json.loads(path.read_text("utf-8"))
        found = Forecast(**{**said, "rounds": tuple(RoundPrediction(**each) for each in said["rounds"])})
        _ = found.verdict  # which looks into all of it
    except OSError as error:
        raise UsageError(f"{shown(path)}: cannot be read: {error.strerror}; {AGAIN}") from None
    except (AttributeError, ValueError, KeyError, TypeError):
        raise UsageError(f"{shown(path)}: not a prediction; {AGAIN}") from None
    return found


def lines(found: Forecast) -> Iterator[str]:
    """What is predicted, for readers."""
    yield f"predicted from {found.runs} rehearsal{'s' if found.runs != 1 else ''}"
    for says, shares in found.hypothesis.items():
        yield f"  {_told(shares):<28} {says}"
    for round_ in found.rounds:
        begun = "" if round_.begun == 1 else f", begun in {round_.begun:.0%}"
        yield f"round {round_.name}: {_told(round_.outcomes) or 'never begun'}{begun}"
        if round_.outcomes:
            yield f"  takes            {_band(round_.seconds, ' s')}"
            for workload, band in round_.fewest_ready.items():
                yield f"  fewest ready     {_band(band)} of {workload}"
            gap = _band(round_.longest_gap, " s")
            yield f"  requests lost    {_band(round_.lost)}; longest time without an answer {gap}"
    for sentence, share in found.aborts.items():
        yield f"aborted in {share:.0%}: {sentence}"
    for sentence, share in found.unsteady.items():
        yield f"not steady in {share:.0%}: {sentence}"
    if found.left:
        yield f"not all put back in {found.left:.0%}"


def _round(name: str, runs: Sequence[RoundRun], of: int) -> RoundPrediction:
    workloads = list(dict.fromkeys(each for run in runs for each in run.fewest_ready))
    return RoundPrediction(
        name,
        round(len(runs) / of, 4),
        _shares([run.outcome for run in runs], len(runs)),
        band([run.seconds for run in runs]),
        {
            each: band([run.fewest_ready[each] for run in runs if each in run.fewest_ready])
            for each in workloads
        },
        band([run.lost for run in runs]),
        band([run.gap for run in runs]),
    )


def band(values: Sequence[float]) -> Band:
    """The band of the values, each of them one that came; empty for none."""
    ordered = sorted(values)
    return {
        name: round(ordered[ceil(part * len(ordered)) - 1], 3)
        for name, part in (("p5", 0.05), ("p50", 0.5), ("p95", 0.95))
        if ordered
    }


def _share(so: Iterable[bool]) -> float:
    said = list(so)
    return round(sum(said) / len(said), 4) if said else 0.0


def _shares(words: Sequence[str], of: int) -> Shares:
    """How often each word was said, the most frequent first."""
    counts = {word: words.count(word) for word in dict.fromkeys(words)}
    return {word: round(n / of, 4) for word, n in sorted(counts.items(), key=lambda each: -each[1])}


def _told(shares: Shares) -> str:
    return ", ".join(f"{word.replace('_', ' ')} {share:.0%}" for word, share in shares.items() if share)


def _band(found: Band, unit: str = "") -> str:
    low, middle, high = (_number(found[name]) for name in ("p5", "p50", "p95"))
    return f"{middle}{unit}" if low == high else f"{low}–{high}{unit} (mostly {middle})"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
