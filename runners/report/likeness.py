"""How alike histories are: what one kind of cluster shows for certain, or may show, and another does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gherkube.runners.report.facts import KINDS, Fact, Facts


class Counts(NamedTuple):
    """How many facts: certain and shown, certain, shown and allowed, shown."""

    found: int = 0
    certain: int = 0
    allowed: int = 0
    shown: int = 0

    def plus(self, other: Counts) -> Counts:
        """Both together."""
        return Counts(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def score(self) -> float:
        """The harmonic mean of recall and precision, 0 to 1."""
        recall = self.found / self.certain if self.certain else 1.0
        precision = self.allowed / self.shown if self.shown else 1.0
        return 2 * recall * precision / (recall + precision) if recall + precision else 0.0


@dataclass(frozen=True)
class Verdict:
    """A recording beside the real ones: by kind, the counts, what is missing and what is too much."""

    counts: dict[str, Counts]
    missing: dict[str, set[Fact]]
    extra: dict[str, set[Fact]]

    def details(self) -> Iterator[str]:
        """One line for each fact that is missing (-) or too much (+)."""
        for sign, facts_of in (("-", self.missing), ("+", self.extra)):
            for kind, found in facts_of.items():
                for fact in sorted(found, key=repr):
                    yield f"{sign} {kind}: {json.dumps(fact, ensure_ascii=False)}"


def judge(reals: Sequence[Facts], shown: Facts, kinds: Sequence[str] = tuple(KINDS)) -> Verdict:
    """Holds what a recording shows against what the real ones show."""
    counts, missing, extra = {}, {}, {}
    for kind in kinds:
        certain = set.intersection(*(real[kind] for real in reals))
        allowed = set.union(*(real[kind] for real in reals))
        mine = shown[kind]
        counts[kind] = Counts(len(certain & mine), len(certain), len(mine & allowed), len(mine))
        missing[kind], extra[kind] = certain - mine, mine - allowed
    return Verdict(counts, missing, extra)


def total(verdicts: Sequence[Verdict]) -> dict[str, float]:
    """The score of each kind over several scenarios: their facts are added up first."""
    sums: dict[str, Counts] = {}
    for verdict in verdicts:
        for kind, counts in verdict.counts.items():
            sums[kind] = sums.get(kind, Counts()).plus(counts)
    return {kind: counts.score for kind, counts in sums.items()}


def row(name: str, scores: dict[str, float]) -> str:
    """A line of the table."""
    return f"{name:26}" + "".join(f"{kind} {100 * score:5.1f}%  " for kind, score in scores.items())
