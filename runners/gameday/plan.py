"""A game day as it is planned: what should hold, where, who, in which rounds, and when to stop.

`reading` makes a `Plan` of a file NAME.gameday.yaml; all times are in seconds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

Occasion = Literal["start", "gate", "abort", "end", "incident"]
"""When a hook is called; "incident": before anything is done, where status 0 means that there is none."""

RUNS = 20
"""How often a plan is rehearsed unless it says otherwise."""
LIMIT = 3600.0
"""How long a game day may take unless the plan says otherwise."""
ROUND_LIMIT = 900.0
"""How long a round may take unless the plan says otherwise."""
FOLDER = "gamedays"
"""Where journals and reports go unless the plan says otherwise."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the language without its keyword, and its line in the plan."""

    text: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What is believed, in words, and the sentences that have to hold for it to be true."""

    says: str
    holds: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be touched: namespaces, workloads in them ("deployment/web"); `out`: what is left alone."""

    namespaces: tuple[str, ...]
    workloads: tuple[str, ...] = ()
    out: tuple[str, ...] = ()

    @property
    def namespace(self) -> str:
        """Where things are that a sentence does not say to be elsewhere."""
        return self.namespaces[0]


@dataclass(frozen=True, slots=True)
class Roles:
    """Who does what; the owner has the authority to halt."""

    owner: str
    operator: str
    observers: tuple[str, ...] = ()
    reporter: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """When the game day may begin and has to be over; both with a time zone."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Gate:
    """Who has to confirm, and within which time; when it is over, the game day halts."""

    who: str
    within: float
    says: str = ""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a team expects of a round: in words, and in bounds that are compared with what happens.

    `within`: the longest it takes; `pods`: the fewest ready pods; `lost`: the most requests lost.
    """

    says: str = ""
    verdict: Literal["passed", "failed", ""] = ""
    within: float | None = None
    pods: int | None = None
    lost: int | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """One feature file, or one scenario of it (`scenario`: its name), that is played."""

    name: str
    feature: Path
    scenario: str = ""
    prediction: Prediction = Prediction()
    gate: Gate | None = None
    pause: float = 0.0
    limit: float = ROUND_LIMIT
    line: int = 0


@dataclass(frozen=True, slots=True)
class Hook:
    """A command that is run, or an address that is posted to."""

    on: Occasion
    command: tuple[str, ...] = ()
    url: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """Something to look at: a dashboard, a runbook, a channel."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How often the simulator plays the plan, and what is said to it before: Given sentences.

    They tell how images behave, and, where the target is the simulator itself, all that is there.
    """

    runs: int = RUNS
    given: tuple[Sentence, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """Where the journal and the report go: a folder, from the plan's."""

    folder: str = FOLDER


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole game day."""

    path: Path
    name: str
    goal: str
    hypothesis: tuple[Hypothesis, ...]
    target: str
    scope: Scope
    roles: Roles
    window: Window | None
    steady: tuple[Sentence, ...]
    rounds: tuple[Round, ...]
    abort: tuple[Sentence, ...] = ()
    limit: float = LIMIT
    gate: Gate | None = None
    links: tuple[Link, ...] = ()
    hooks: tuple[Hook, ...] = ()
    rehearsal: Rehearsal = Rehearsal()
    report: ReportSettings = ReportSettings()

    @property
    def folder(self) -> Path:
        """The folder of journal and report."""
        return self.path.parent / self.report.folder

    def beside(self, what: str) -> Path:
        """A file beside the plan: `what` is snapshot, prediction or check."""
        return self.path.with_name(f"{stem(self.path)}.{what}.json")


SUFFIX = ".gameday.yaml"


def stem(path: Path) -> str:
    """The plan's file name without what all plans' names end in."""
    return path.name.removesuffix(SUFFIX).removesuffix(".yaml").removesuffix(".yml")


NAMED = re.compile(r'\b(?:manifest|kustomization|chart) "([^"]+)"')
"""A file or folder that a sentence of a feature reads."""


def files(plan: Plan) -> list[Path]:
    """The plan, its features, and what these read: what a change of makes it another game day."""
    found = [plan.path]
    for feature in dict.fromkeys(each.feature for each in plan.rounds):
        found.append(feature)
        for name in NAMED.findall(feature.read_text("utf-8", "replace")):
            found += _whole(feature.parent / name)
    return list(dict.fromkeys(found))


def _whole(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(each for each in path.rglob("*") if each.is_file())
    elif path.is_file():
        yield path


def fingerprint(plan: Plan) -> str:
    """SHA-256, in hex, of the bytes of the plan's file, its features and what these read, in their order."""
    digest = hashlib.sha256()
    for path in files(plan):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
