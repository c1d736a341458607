"""Cucumber Messages as their readers see them: against the published schema, and what points at what."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SEVERITY = ("UNKNOWN", "PASSED", "SKIPPED", "PENDING", "UNDEFINED", "AMBIGUOUS", "FAILED")
"""How cucumber's own tools rank the statuses of a scenario's steps: the last one counts."""

REFERENCES = {
    "testCase": ("pickle", "pickleId"),
    "testCaseStarted": ("testCase", "testCaseId"),
    "testStepStarted": ("testCaseStarted", "testCaseStartedId"),
    "testStepFinished": ("testCaseStarted", "testCaseStartedId"),
    "testCaseFinished": ("testCaseStarted", "testCaseStartedId"),
    "testRunFinished": ("testRunStarted", "testRunStartedId"),
}
"""What must have been told before, by which id."""


class Messages:
    """The messages of a file, in order; AssertionError where they are not as they must be."""

    def __init__(self, path: Path) -> None:
        self.all: list[tuple[str, Any]] = []
        self.pickles: dict[str, Any] = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            envelope = json.loads(line)
            errors = [f"{list(error.path)}: {error.message}" for error in _validator().iter_errors(envelope)]
            assert not errors, (line, errors)
            self.all += envelope.items()
        self._check()

    def of(self, kind: str) -> list[Any]:
        """The messages of a kind."""
        return [message for each, message in self.all if each == kind]

    def steps(self) -> dict[tuple[str, int], list[tuple[str, str, str]]]:
        """By file and line of each scenario: text ("hook" of a hook), status and message of its steps."""
        texts = {step["id"]: step["text"] for pickle in self.pickles.values() for step in pickle["steps"]}
        cases = {case["id"]: case for case in self.of("testCase")}
        started = {each["id"]: cases[each["testCaseId"]] for each in self.of("testCaseStarted")}
        found: dict[tuple[str, int], list[tuple[str, str, str]]] = {}
        for case in started.values():
            found[self._place(case)] = []
        for each in self.of("testStepFinished"):
            case, result = started[each["testCaseStartedId"]], each["testStepResult"]
            (step,) = [step for step in case["testSteps"] if step["id"] == each["testStepId"]]
            text = texts[step["pickleStepId"]] if "pickleStepId" in step else "hook"
            found[self._place(case)].append((text, result["status"], result.get("message", "")))
        return found

    def statuses(self) -> dict[tuple[str, int], str]:
        """By file and line of each scenario: its status, as cucumber's tools find it."""
        return {
            place: max((status for _, status, _ in steps), key=SEVERITY.index, default="UNKNOWN")
            for place, steps in self.steps().items()
        }

    @property
    def success(self) -> bool:
        """What the end of the run says."""
        (finished,) = self.of("testRunFinished")
        success: bool = finished["success"]
        return success

    def _place(self, case: Any) -> tuple[str, int]:
        pickle = self.pickles[case["pickleId"]]
        return pickle["uri"], pickle["location"]["line"]

    def _check(self) -> None:
        """What is pointed at was told before, nothing twice, and what began also ended."""
        assert self.all[0][0] == "meta"
        assert self.all[-1][0] == "testRunFinished"
        ids: set[tuple[str, str]] = set()
        for kind, message in self.all:
            if kind in REFERENCES:
                before, key = REFERENCES[kind]
                assert (before, message[key]) in ids, (kind, message)
            if "id" in message:
                assert (kind, message["id"]) not in ids, (kind, message)
                ids.add((kind, message["id"]))
        self.pickles = {pickle["id"]: pickle for pickle in self.of("pickle")}
        for case in self.of("testCase"):
            sentences = [step["pickleStepId"] for step in case["testSteps"] if "pickleStepId" in step]
            assert sentences == [step["id"] for step in self.pickles[case["pickleId"]]["steps"]]
            for step in case["testSteps"]:
                assert ("hookId" in step) != ("pickleStepId" in step)
                assert "hookId" not in step or ("hook", step["hookId"]) in ids
                assert all(("stepDefinition", each) in ids for each in step.get("stepDefinitionIds", ()))
        steps = {step["id"] for case in self.of("testCase") for step in case["testSteps"]}
        for kind in ("testStepStarted", "testStepFinished"):
            assert {each["testStepId"] for each in self.of(kind)} == steps
        ended = [each["testCaseStartedId"] for each in self.of("testCaseFinished")]
        assert ended == [each["id"] for each in self.of("testCaseStarted")]
        assert len(ended) == len(self.pickles) == len(self.of("testCase"))


@cache
def _validator() -> Draft202012Validator:
    schema = json.loads((Path(__file__).parent / "run/messages.schema.json").read_text(encoding="utf-8"))
    return Draft202012Validator(schema)
