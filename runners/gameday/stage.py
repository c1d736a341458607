"""Where a game day's scenarios and sentences are played: all that runners know of features and steps.

The stage is one session of pytest, so a project's own steps, fixtures and conftest.py work on a game day as
they do in `gherkube run`. It is set up in `gherkube.fixtures.stage`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, Protocol

import pytest

from gherkube.runners.cluster import Cluster
from gherkube.runners.errors import GherkubeError
from gherkube.runners.expectations.time import Moment
from gherkube.runners.gameday.plan import Plan, Round, Sentence
from gherkube.runners.live.access import Need
from gherkube.runners.settings import Settings
from gherkube.runners.target import Target


class Scenario(NamedTuple):
    """A scenario of a round: its file, its name there, the line it begins at, and its sentences."""

    path: Path
    name: str
    line: int
    steps: list[str]


class Played(NamedTuple):
    """What a scenario came to.

    `outcome` as `gherkube run` tells it, `block` says why it did not pass, `steps` as in `Verdict.steps`,
    `seconds` are real ones.
    """

    outcome: str
    block: str
    steps: list[dict[str, Any]]
    seconds: float


class Held(NamedTuple):
    """Whether a sentence is so (None: that cannot be judged), and what was found."""

    verdict: bool | None
    words: str


class Halted(GherkubeError):  # noqa: N818 - what happened
    """Nothing more is to be done. Raised by `watch`, it ends the scenario that is being played."""


class Stage(Protocol):
    """Plays scenarios, again and again if asked, and judges sentences."""

    settings: Settings

    def scenarios(self, round_: Round) -> list[Scenario]:
        """Those of a round, in the order in which they are played. UsageError when there are none."""

    def needs(self, scenario: Scenario, namespace: str) -> set[Need]:
        """What its sentences ask of a cluster; things are in that namespace unless they say otherwise."""

    def unvouched(self, scenario: Scenario, target: Target, *, breaks: bool) -> list[str]:
        """Its sentences that a target cannot vouch for, unless it is a `gherkube serve`; each with why.

        `breaks`: whether its nodes can be broken.
        """

    def play(self, scenario: Scenario, cluster: Cluster, watch: Callable[[], None]) -> Played:
        """Plays it there. `watch` is called at each news and before each act, and may raise Halted."""

    def blocking(self, frame: FrameType | None) -> str:
        """The sentence of a scenario whose own code a stack is in; "" while gherkube's is at work."""

    def wrong(self, sentence: Sentence) -> str:
        """Why it is no Then of the language; "" when it is one."""

    def holds(self, sentence: Sentence, cluster: Cluster, since: Moment | None) -> Held:
        """Whether a Then is so: now, without waiting, where `since` is None; else as said, from there on."""

    def establish(self, sentences: Iterable[Sentence], cluster: Cluster) -> None:
        """Does what the Givens say, one after another. UsageError for what is none."""


FIXED = (
    "--gherkube",
    "--gherkube-stage",
    "--capture=no",
    "--override-ini=addopts=",
    "-p",
    "no:cacheprovider",
)
"""The options of the session; those that the project has for its tests do not count."""


class Playing:
    """The plugin by which the session knows what it is for; `code` is what `act` returned."""

    def __init__(self, plan: Plan, act: Callable[[Stage], int]) -> None:
        self.plan, self.act = plan, act
        self.code: int | None = None
        self.error: BaseException | None = None
        """What `act` raised."""
        self.problems: list[str] = []
        """Why features could not be collected."""

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Takes pytest's reporter away."""
        if config.pluginmanager.has_plugin("terminalreporter"):
            config.pluginmanager.unregister(name="terminalreporter")


def with_stage(plan: Plan, options: Iterable[str], act: Callable[[Stage], int]) -> int:
    """Runs `act` within a session that has collected the plan's features; returns what it returns.

    `options` are those of the pytest plugin ("--gherkube-set=VERSION=v2"). 2, and said on standard error,
    when a feature cannot be run as it is written.
    """
    playing = Playing(plan, act)
    features = dict.fromkeys(str(round_.feature) for round_ in plan.rounds)
    pytest.main([*FIXED, *options, *features], [playing])
    if playing.error is not None:
        raise playing.error
    if playing.code is not None:
        return playing.code
    for problem in playing.problems:
        print(problem, file=sys.stderr)
    return 2
