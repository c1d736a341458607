"""What `gherkube run` shows: a line a scenario while it runs, then what failed and why, and a summary."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

import pytest
from _pytest.terminal import TerminalReporter

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
from gherkube.runners.report.results import WORST_FIRST, Results, Verdict

MARKS = {
    PASSED: ("✓", {"green": True}),
    INTERNAL: ("!", {"red": True}),
    FAILED: ("✗", {"red": True}),
    UNUSABLE: ("✗", {"red": True}),
    CANNOT_JUDGE: ("?", {"yellow": True}),
    NOT_RUN: ("·", {"yellow": True}),
    SKIPPED: ("-", {"yellow": True}),
    EXPECTED: ("-", {"green": True}),
}
WORDS = {CANNOT_JUDGE: "cannot be judged here"}


class ScenarioReporter(TerminalReporter):  # type: ignore[misc]
    """Stands in the place of pytest's terminal reporter, and shows scenarios instead of tests.

    Its methods are those that pytest and other plugins (xdist) call; so it is one, though pytest would
    rather have nobody inherit.
    """

    def __init__(self, config: pytest.Config, results: Results) -> None:
        super().__init__(config)
        self.results = results
        self._feature = ""
        self._live = sys.stdout.isatty()
        self._fleeting = False
        self._ended = 0

    # --- While it runs

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Begins without a header."""
        self._session = session
        self._began = time.perf_counter()

    def pytest_collection(self) -> None:
        """Says nothing."""

    def report_collect(self, final: bool = False) -> None:
        """Says nothing."""

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Says nothing, but for --collect-only."""
        if session.config.option.collectonly:
            super().pytest_collection_finish(session)

    def pytest_runtest_logstart(self, nodeid: str) -> None:  # type: ignore[override]
        """On a terminal, shows what is running and how far the run is."""
        if self._live:
            self.flee(f"  {self._ended + 1}/{self.results.selected}  {nodeid.partition('::')[2]}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Says nothing: `verdict` does, after the last phase."""

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Says nothing."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Any:
        """Says nothing."""
        return (yield)

    def verdict(self, verdict: Verdict) -> None:
        """The line of a scenario that has ended."""
        self._ended += 1
        self._settle()
        if verdict.feature != self._feature:
            self._feature = verdict.feature
            self._tw.line(verdict.feature, bold=True)
        mark, colour = MARKS[verdict.outcome]
        self._tw.write(f"  {mark} {verdict.name}", **colour)
        self._tw.line(f" ({_notes(verdict)})", light=True)
        for note in verdict.notes:
            self._tw.line(f"      {note}", light=True)
        if self.verbosity > 0:
            for step in verdict.steps:
                self._tw.line(
                    f"      {seconds(step['at']):>8}  {step['step']}", light=step["outcome"] == PASSED
                )
        self._tw.flush()

    def flee(self, text: str) -> None:
        """Shows a line that the next one takes the place of."""
        self._tw.write(f"\r\x1b[2K{text[: self._tw.fullwidth - 1]}", flush=True, light=True)
        self._fleeting = True

    def _settle(self) -> None:
        if self._fleeting:
            self._tw.write("\r\x1b[2K")
            self._fleeting = False

    def ensure_newline(self) -> None:
        """Makes room for lines of others."""
        self._settle()
        super().ensure_newline()

    # --- When it has ended

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Any:  # type: ignore[override]
        """Tells what went wrong, and sums up."""
        try:
            return (yield)
        finally:
            self._tell(session)

    def _tell(self, session: pytest.Session) -> None:
        self._settle()
        if session.config.option.collectonly:
            return
        for text in self.results.problems.values():
            self._block(text, red=True)
        red = [each for each in self.results.verdicts if each.outcome in RED]
        told = [each for each in red if each.outcome != NOT_RUN or "\n" in each.text]
        for verdict in told:
            self._block(verdict.text, **MARKS[verdict.outcome][1])
            self._printed(verdict.printed)
        self._warned()
        if self.results.interrupted:
            self._tw.line("\nThe run was interrupted.", yellow=True)
        self._sum_up()

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Told in the summary."""

    def pytest_unconfigure(self) -> None:
        """Says nothing."""

    def pytest_terminal_summary(self) -> Any:
        """Says nothing."""
        return None

    def _block(self, text: str, **colour: bool) -> None:
        head, _, rest = text.partition("\n")
        self._tw.line()
        self._tw.line(head, bold=True, **colour)
        if rest:
            self._tw.line(rest)

    def _printed(self, sections: Sequence[tuple[str, str]]) -> None:
        for title, text in sections:
            if text.strip() and (self.verbosity > 0 or "teardown" not in title):
                self._tw.line(f"  {title.removeprefix('Captured ').removesuffix(' call')}")
                for line in text.rstrip().split("\n"):
                    self._tw.line(f"            {line}")

    def _warned(self) -> None:
        messages = dict.fromkeys(report.message.strip() for report in self.stats.get("warnings", ()))
        for message in messages:
            place, _, rest = message.partition("GherkubeWarning: ")
            if rest:
                self._tw.line(f"\n{place}warning: {rest.splitlines()[0]}", yellow=True)
            elif self.verbosity > 0:
                self._tw.line(f"\n{message}", yellow=True)

    def _sum_up(self) -> None:
        results = self.results
        counts = [(outcome, results.count(outcome)) for outcome in reversed(WORST_FIRST)]
        parts = [f"{count} {WORDS.get(outcome, outcome)}" for outcome, count in counts if count]
        if results.problems:
            files = len(results.problems)
            parts.append(f"{files} feature{'s' if files != 1 else ''} cannot be run as written")
        if not parts:
            return
        number = len(results.verdicts)
        times = [seconds(time.perf_counter() - self._began)]
        if virtual := sum(verdict.virtual or 0.0 for verdict in results.verdicts):
            times.insert(0, f"virtual {seconds(virtual)}")
        head = f"{number} scenario{'s' if number != 1 else ''}: " if number else ""
        bad = any(results.count(outcome) for outcome in RED) or results.problems
        colour = (
            {"red": True}
            if any(map(results.count, (INTERNAL, FAILED))) or results.problems
            else {"yellow": bool(bad)}
        )
        clock = f" ({', '.join(times)})" if number else ""
        self._tw.line()
        self._tw.line(f"{head}{', '.join(parts)}{clock}", bold=True, **(colour if bad else {"green": True}))


def _notes(verdict: Verdict) -> str:
    notes = [] if verdict.virtual is None else [f"virtual {seconds(verdict.virtual)}"]
    notes.append(seconds(verdict.seconds))
    if verdict.outcome not in (PASSED, FAILED):
        notes.insert(0, WORDS.get(verdict.outcome, verdict.outcome))
    if verdict.outcome == SKIPPED:
        notes.insert(1, verdict.text.splitlines()[-1] if verdict.text else "no reason given")
    return ", ".join(notes)


def seconds(seconds: float) -> str:
    """A time for readers: `4 ms`, `12.3 s`, `5 min 10 s`."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"
