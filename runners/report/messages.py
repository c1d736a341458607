"""The verdicts of a run as Cucumber Messages, one JSON object a line, for the tools that read them.

A scenario is a test case, a sentence a test step; the sentence at which a scenario ended has the status
of the scenario's outcome and its block as message, the sentences after it are SKIPPED. What ended a
scenario outside of its sentences (a fixture, a mark, the end of the run) is told as a hook.

UNKNOWN is never written: who reads messages ranks it below PASSED, and SKIPPED for what nobody decided
to skip would look green. Times are of the wall clock. https://github.com/cucumber/messages
"""

from __future__ import annotations

import itertools
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest

from gherkube.runners.report.failure import CANNOT_JUDGE, EXPECTED, NOT_RUN, PASSED, SKIPPED, UNUSABLE
from gherkube.runners.report.results import Results, Verdict, clear, exit_code

STATUS = {
    PASSED: "PASSED",
    SKIPPED: "SKIPPED",
    EXPECTED: "SKIPPED",
    CANNOT_JUDGE: "PENDING",
    NOT_RUN: "PENDING",
}
"""The status of each outcome; of all others it is FAILED."""

SAID = {
    1: "something failed, or did not run",
    2: "something cannot be run as it is written",
    3: "something cannot be judged here",
    4: "nothing was judged: no scenario was selected, or all were skipped",
    5: "internal error",
}
"""What gherkube's exit codes say about a run that is no success."""

PROTOCOL = "34.0.0"

Envelope: TypeAlias = dict[str, Any]


class Definition(NamedTuple):
    """A step definition: its pattern, and its place as `file:line` ("" for gherkube's own)."""

    pattern: str
    place: str = ""


class Pickled(NamedTuple):
    """A scenario as Gherkin's compiler made it, and the line of each of its steps."""

    pickle: Any
    lines: list[int]


class Document(NamedTuple):
    """A feature file: its path as shown to users, its text (None if it cannot be read), what Gherkin's
    parser made of it (None if it cannot be parsed), and its scenarios by name.
    """

    uri: str
    text: str | None
    ast: Any
    scenarios: dict[str, Pickled]


class Problem(NamedTuple):
    """What is wrong in a line of a feature; `sentence` where it is a step with no definition or several."""

    line: int
    text: str
    sentence: str
    matches: list[list[str]]

    @property
    def status(self) -> str:
        """The status of the step."""
        return "AMBIGUOUS" if self.matches else "UNDEFINED"


class Ended(NamedTuple):
    """How a step of a scenario ended: its status, why, and seconds of the wall clock."""

    status: str
    message: str = ""
    begun: float = 0.0
    seconds: float = 0.0


class Messages:
    """A pytest plugin that writes the verdicts of a run to files, when it ends.

    `document` reads a feature file, `next_id` numbers what is told. UsageError when a file cannot be written.
    """

    def __init__(
        self,
        results: Results,
        paths: list[Path],
        document: Callable[[Path], Document],
        next_id: Callable[[], str],
    ) -> None:
        self.results, self.paths, self.document, self.next_id = results, paths, document, next_id
        self.started = time.time()
        self._problems: dict[str, list[Problem]] = {}
        self._told: dict[str, dict[str, Any]] = {}
        for path in paths:
            clear(path.parent, path.name)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Notes what is wrong with a feature."""
        if problems := getattr(report, "gherkube", None):
            self._problems[report.nodeid] = [Problem(*each) for each in problems]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notes when a scenario's sentences began, and what stands for them."""
        told = self._told.setdefault(report.nodeid, {"start": report.start})
        told |= getattr(report, "gherkube", {}) | {"stop": report.stop}

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        """Writes the files, whatever other hooks do."""
        try:
            yield
        finally:
            self._write(session)

    def _write(self, session: pytest.Session) -> None:
        code = exit_code(self.results, session.exitstatus)
        lines = [
            json.dumps(_given(each), ensure_ascii=False, separators=(",", ":")) + "\n"
            for each in self._envelopes(session.config.rootpath, code)
        ]
        for path in self.paths:
            with path.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
                file.writelines(lines)

    def _envelopes(self, root: Path, code: int) -> Iterator[Envelope]:
        teller = _Teller(self.next_id, self.started)
        features: dict[str, list[Verdict]] = {nodeid: [] for nodeid in self.results.problems}
        for verdict in self.results.verdicts:
            features.setdefault(verdict.nodeid.partition("::")[0], []).append(verdict)
        for nodeid, verdicts in features.items():
            if not nodeid.endswith(".feature"):
                continue
            document = self.document(root / nodeid)
            problems = self._problems.get(nodeid, [])
            teller.document(document, problems, [each.name for each in verdicts])
            for verdict in verdicts:
                told = self._told.get(verdict.nodeid, {"start": self.started, "stop": self.started})
                if verdict.name in document.scenarios:  # the file may have changed meanwhile
                    teller.verdict(document.scenarios[verdict.name], verdict, told)
        others = [text for nodeid, text in self.results.problems.items() if not nodeid.endswith(".feature")]
        yield from teller.envelopes(code, "\n\n".join(others))


class _Teller:
    """Makes the messages of a run: those that say what there is, and those that say what happened."""

    def __init__(self, next_id: Callable[[], str], started: float) -> None:
        self.next_id, self.started, self.run = next_id, started, next_id()
        self.there: list[Envelope] = []
        self.happened: list[Envelope] = []
        self._ids: dict[Any, str] = {}

    def envelopes(self, code: int, problem: str) -> Iterator[Envelope]:
        """All of them in order; `code` is gherkube's exit code, `problem` what is wrong beside features."""
        yield _meta()
        yield from self.there
        yield {"testRunStarted": {"id": self.run, "timestamp": _timestamp(self.started)}}
        yield from self.happened
        ended: Envelope = {
            "success": code == 0,
            "timestamp": _timestamp(time.time()),
            "message": SAID.get(code),
        }
        if problem:
            ended["exception"] = {"type": UNUSABLE, "message": problem}
        yield {"testRunFinished": ended | {"testRunStartedId": self.run}}

    def document(self, document: Document, problems: list[Problem], names: list[str]) -> None:
        """Tells a feature, what is wrong with it, and those of its scenarios that have a verdict."""
        uri = document.uri
        if document.text is not None:
            kind = "text/x.cucumber.gherkin+plain"
            self.there.append({"source": {"uri": uri, "data": document.text, "mediaType": kind}})
        if document.ast is not None:
            self.there.append({"gherkinDocument": document.ast | {"uri": uri}})
        wrong = [each for each in problems if not each.sentence]
        for each in wrong:
            source = {"uri": uri, "location": {"line": each.line}}
            self.there.append({"parseError": {"source": source, "message": each.text}})
        for name, pickled in document.scenarios.items():
            if problems or name in names:
                self.there.append({"pickle": pickled.pickle | {"uri": uri}})
            if problems:
                self._unbound(pickled, problems, uri)

    def _unbound(self, pickled: Pickled, problems: list[Problem], uri: str) -> None:
        """Tells a scenario of a feature that was not run."""
        found = {(each.line, each.sentence): each for each in problems if each.sentence}
        steps = pickled.pickle["steps"]
        unbound = [found.get((line, step["text"])) for line, step in zip(pickled.lines, steps, strict=True)]
        ended = [Ended(each.status, each.text) if each else Ended("SKIPPED") for each in unbound]
        plan = [each.matches if each else None for each in unbound]
        before = None
        if not any(unbound):
            why = "\n".join(f"{uri}:{each.line}: {each.text}" for each in problems)
            before = Ended("PENDING", f"{NOT_RUN}: the file cannot be run as it is written\n{why}")
        self._case(pickled.pickle, plan, [before, *ended, None], self.started, self.started)

    def verdict(self, pickled: Pickled, verdict: Verdict, told: dict[str, Any]) -> None:
        """Tells what became of a scenario; `told` is what its reports say."""
        start, stop = told["start"], told["stop"]
        begun = [*told.get("begun", ()), stop]
        ended: list[Ended | None] = [
            Ended("PASSED", begun=at, seconds=until - at) for at, until in itertools.pairwise(begun)
        ]
        bad = verdict.outcome != PASSED
        how = Ended(STATUS.get(verdict.outcome, "FAILED"), f"{verdict.outcome}: {verdict.text}", stop)
        before = how if bad and not ended else None
        inside = bool(ended) and verdict.steps[len(ended) - 1]["outcome"] != PASSED
        if bad and inside:
            last = ended[-1]
            assert last is not None
            ended[-1] = how._replace(begun=last.begun, seconds=last.seconds)
        after = how if bad and ended and not inside else None
        rest = [Ended("SKIPPED", begun=stop)] * (len(pickled.lines) - len(ended))
        self._case(pickled.pickle, told.get("plan", []), [before, *ended, *rest, after], start, stop)

    def _case(
        self,
        pickle: Any,
        plan: list[Any],
        ended: list[Ended | None],
        start: float,
        stop: float,
    ) -> None:
        """Tells a test case and its steps: the hook before, one for each sentence, the hook after."""
        case, began = self.next_id(), self.next_id()
        steps: list[tuple[Envelope, Ended]] = []
        before, *sentences, after = ended
        if before:
            steps.append(({"id": self.next_id(), "hookId": self._hook("BEFORE_TEST_CASE")}, before))
        for n, (step, how) in enumerate(zip(pickle["steps"], sentences, strict=True)):
            assert how is not None
            told: Envelope = {"id": self.next_id(), "pickleStepId": step["id"]}
            definitions = plan[n] if n < len(plan) else None
            if definitions is not None:
                told["stepDefinitionIds"] = [self._definition(Definition(*each)) for each in definitions]
                told["stepMatchArgumentsLists"] = [{"stepMatchArguments": []} for _ in definitions]
            steps.append((told, how))
        if after:
            steps.append(({"id": self.next_id(), "hookId": self._hook("AFTER_TEST_CASE")}, after))
        tell = self.happened.append
        tell(
            {
                "testCase": {
                    "id": case,
                    "pickleId": pickle["id"],
                    "testSteps": [step for step, _ in steps],
                    "testRunStartedId": self.run,
                }
            }
        )
        tell(
            {
                "testCaseStarted": {
                    "attempt": 0,
                    "id": began,
                    "testCaseId": case,
                    "timestamp": _timestamp(start),
                }
            }
        )
        for step, how in steps:
            at = {"testCaseStartedId": began, "testStepId": step["id"]}
            tell({"testStepStarted": at | {"timestamp": _timestamp(how.begun or start)}})
            tell({"testStepFinished": at | _finished(how, start)})
        end = {"testCaseStartedId": began, "timestamp": _timestamp(stop), "willBeRetried": False}
        tell({"testCaseFinished": end})

    def _hook(self, kind: str) -> str:
        """The id of the hook that stands for what happens before or after the sentences."""
        if kind not in self._ids:
            self._ids[kind] = self.next_id()
            hook = {"id": self._ids[kind], "name": "outside of the sentences", "type": kind}
            self.there.append({"hook": hook | {"sourceReference": {"uri": "gherkube"}}})
        return self._ids[kind]

    def _definition(self, definition: Definition) -> str:
        """The id of a step definition."""
        if definition not in self._ids:
            self._ids[definition] = self.next_id()
            uri, _, line = definition.place.rpartition(":")
            source: Envelope = {"uri": uri, "location": {"line": int(line)}} if uri else {"uri": "gherkube"}
            pattern = {"source": definition.pattern, "type": "CUCUMBER_EXPRESSION"}
            told = {"id": self._ids[definition], "pattern": pattern, "sourceReference": source}
            self.there.append({"stepDefinition": told})
        return self._ids[definition]


def _finished(how: Ended, start: float) -> Envelope:
    result: Envelope = {"status": how.status, "duration": _time(how.seconds), "message": how.message or None}
    return {"timestamp": _timestamp((how.begun or start) + how.seconds), "testStepResult": result}


def _meta() -> Envelope:
    return {
        "meta": {
            "protocolVersion": PROTOCOL,
            "implementation": {"name": "gherkube", "version": version("gherkube")},
            "runtime": {"name": platform.python_implementation(), "version": platform.python_version()},
            "os": {"name": platform.system(), "version": platform.release()},
            "cpu": {"name": platform.machine() or os.name},
        }
    }


def _time(seconds: float) -> Envelope:
    whole, nanos = divmod(max(0, round(seconds * 1e9)), 10**9)
    return {"seconds": whole, "nanos": nanos}


_timestamp = _time


def _given(value: Any) -> Any:
    """The value without what is None: Messages leave out what there is not."""
    if isinstance(value, dict):
        return {key: _given(each) for key, each in value.items() if each is not None}
    return [_given(each) for each in value] if isinstance(value, list) else value
