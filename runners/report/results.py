"""What became of every scenario of a run, however pytest ran it (in this process or in many).

A pytest plugin: it puts the reports of a scenario's phases together as one `Verdict`, and knows what
was selected and never ran. The terminal, JUnit and the exit code are all made from it, so they agree.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gherkube.runners.errors import UsageError
from gherkube.runners.report.failure import (
    CANNOT_JUDGE,
    EXPECTED,
    FAILED,
    INTERNAL,
    NOT_RUN,
    PASSED,
    RED,
    SKIPPED,
    UNUSABLE,
)

WORST_FIRST = (*RED, SKIPPED, EXPECTED, PASSED)


@dataclass(slots=True)
class Verdict:
    """How a scenario ended.

    `feature` is its file as shown to users, `name` unique in it, `text` the block that tells why it did
    not pass, `step` the sentence at which it ended, `seconds` of the wall clock, `virtual` those of its
    cluster's clock (None where it had no cluster), `printed` what its own steps wrote,
    `rest` the sentences after that one, `history` its history file's name within the report's folder ("":
    there is none), `notes` what is told of it besides.
    """

    nodeid: str
    feature: str
    name: str
    line: int = 0
    outcome: str = PASSED
    text: str = ""
    step: str = ""
    seconds: float = 0.0
    virtual: float | None = None
    printed: list[tuple[str, str]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)
    history: str = ""
    notes: list[str] = field(default_factory=list)

    def add(self, report: pytest.TestReport) -> None:
        """Takes in the report of a phase."""
        told = getattr(report, "gherkube", {})
        outcome = told.get("outcome", report.outcome)
        self.seconds += report.duration
        self.line = told.get("line", self.line)
        self.name = told.get("name", self.name)
        self.feature = told.get("feature", self.feature)
        self.virtual = told.get("virtual", self.virtual)
        self.steps = told.get("steps", self.steps)
        self.rest = told.get("rest", self.rest)
        self.history = told.get("history", self.history)
        self.notes = told.get("notes", self.notes)
        if outcome != PASSED:
            self.text = "\n\n".join(filter(None, (self.text, _text(report))))
            self.step = self.step or told.get("step", "")
        self.outcome = min(self.outcome, outcome, key=WORST_FIRST.index)
        self.printed = list(report.sections)

    def unrun(self, why: str) -> None:
        """Takes note that it did not come to its end."""
        self.outcome = min(self.outcome, NOT_RUN, key=WORST_FIRST.index)
        self.text = self.text or why


def _unknown(nodeid: str) -> Verdict:
    """The verdict of which nothing is known yet but where it is."""
    feature, _, name = nodeid.partition("::")
    return Verdict(nodeid, feature, name)


def _text(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):  # of a skip: file, line, reason
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return report.longreprtext


class Results:
    """All verdicts of a run, in the order in which they came.

    `problems`: why features could not be collected, by file. `features`: the files that were found.
    `on_verdict` is called with each verdict when it is final.
    """

    def __init__(self, on_verdict: Callable[[Verdict], object] = lambda _: None) -> None:
        self.verdicts: list[Verdict] = []
        self.problems: dict[str, str] = {}
        self.features: set[str] = set()
        self.interrupted = False
        self._on_verdict = on_verdict
        self._running: dict[str, Verdict] = {}
        self._selected: dict[str, Verdict] = {}
        self._called: set[str] = set()

    @property
    def selected(self) -> int:
        """How many scenarios were to run."""
        return len(self._selected)

    def count(self, outcome: str) -> int:
        """How many scenarios ended so."""
        return sum(verdict.outcome == outcome for verdict in self.verdicts)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Notes what is going to run."""
        for item in items:
            path, line, name = item.reportinfo()
            path = os.path.relpath(path, item.config.invocation_params.dir)
            self._selected[item.nodeid] = Verdict(item.nodeid, path, name, (line or 0) + 1)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Notes what is going to run in other processes."""
        self._selected |= {nodeid: _unknown(nodeid) for nodeid in ids if nodeid not in self._selected}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Notes what could not be collected."""
        if report.nodeid.endswith(".feature"):
            self.features.add(report.nodeid)
        if report.failed:
            self.problems[report.nodeid] = report.longreprtext

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Takes in a phase; after the last one the verdict is final.

        What a hook made of the report of a scenario meanwhile does not count.
        """
        if getattr(report, "gherkube", {}).get("outcome") in RED and not report.failed:
            report.outcome = "failed"
            report.__dict__.pop("wasxfail", None)
        verdict = self._running.get(report.nodeid)
        if verdict is None:
            verdict = self._selected.get(report.nodeid) or _unknown(report.nodeid)
            self._running[report.nodeid] = verdict
        verdict.add(report)
        if report.when == "call":
            self._called.add(report.nodeid)
        if report.when not in ("setup", "call"):  # a worker that died reports no phase at all
            self._end(verdict)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Notes that the run was stopped from outside (pytest itself stops one for problems)."""
        self.interrupted = not isinstance(excinfo.value, pytest.Session.Interrupted)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """What was selected and did not come to its end has not been judged."""
        self.close(session)

    def close(self, session: pytest.Session) -> None:
        """Makes the verdicts of what has none yet."""
        if session.config.option.collectonly:
            return
        if self.problems and not self.verdicts:
            return
        done = {verdict.nodeid for verdict in self.verdicts}
        for nodeid, verdict in self._selected.items():
            if nodeid not in done:
                verdict.unrun("the run ended before this scenario did")
                self._end(verdict)

    def _end(self, verdict: Verdict) -> None:
        if verdict.outcome == PASSED and verdict.nodeid not in self._called:
            verdict.unrun("its steps were not run, only its fixtures")
        self._running.pop(verdict.nodeid, None)
        self.verdicts.append(verdict)
        self._on_verdict(verdict)


def exit_code(results: Results, ended: int) -> int:
    """gherkube's exit code for a run; `ended` is the one that pytest gave.

    0 passed, 1 failed or interrupted, 2 cannot be run, 3 cannot be judged here, 4 nothing selected, 5
    internal error.
    """
    if ended == pytest.ExitCode.INTERNAL_ERROR or results.count(INTERNAL):
        return 5
    if ended == pytest.ExitCode.USAGE_ERROR or results.problems:
        return 2
    for outcome, code in ((FAILED, 1), (NOT_RUN, 1), (UNUSABLE, 2), (CANNOT_JUDGE, 3)):
        if results.count(outcome):
            return code
    if ended == pytest.ExitCode.NO_TESTS_COLLECTED:
        return 4 if results.features else 2
    if ended != pytest.ExitCode.OK or results.interrupted:
        return 1
    return 0 if results.count(PASSED) + results.count(EXPECTED) else 4


class JUnit:
    """Writes the verdicts of a run as JUnit XML, when it ends. UsageError when the file cannot be."""

    def __init__(self, results: Results, path: Path) -> None:
        self.results, self.path = results, path.absolute()
        clear(path.parent, path.name)

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self) -> Iterator[None]:
        """Writes the file, whatever other hooks do."""
        from gherkube.runners.report.junit import write

        try:
            yield
        finally:
            write(self.path, self.results)


def clear(folder: Path, pattern: str) -> None:
    """Makes the folder, and removes what an earlier run left in it: that says nothing about this one."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob(pattern):
            if not path.is_char_device():  # /dev/stdout
                path.unlink()
    except OSError as error:
        raise UsageError(f"{error.filename}: cannot be written: {error.strerror}") from None
