"""The verdicts of a run as JUnit XML: a suite a feature, a case a scenario.

`failure`: an expectation that was not met, or a step that raised. `error`: no verdict; its type says
why (`cannot-judge`, `cannot-run`, `not-run`, `internal`). `skipped`: skipped, or failed as expected.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from gherkube.runners.report.failure import (
    CANNOT_JUDGE,
    EXPECTED,
    FAILED,
    INTERNAL,
    NOT_RUN,
    SKIPPED,
    UNUSABLE,
)

if TYPE_CHECKING:
    from gherkube.runners.report.results import Results, Verdict

TAGS = {
    FAILED: ("failure", "failed"),
    CANNOT_JUDGE: ("error", "cannot-judge"),
    UNUSABLE: ("error", "cannot-run"),
    NOT_RUN: ("error", "not-run"),
    INTERNAL: ("error", "internal"),
    SKIPPED: ("skipped", "skipped"),
    EXPECTED: ("skipped", "failed-as-expected"),
}


def write(path: Path, results: Results) -> None:
    """Writes the file, and the folders above it."""
    root = Element("testsuites", name="gherkube")
    suites: dict[str, Element] = {}

    def suite(feature: str) -> Element:
        if feature not in suites:
            suites[feature] = SubElement(root, "testsuite", name=feature)
        return suites[feature]

    for verdict in sorted(results.verdicts, key=lambda each: (each.feature, each.line)):
        _case(suite(verdict.feature), verdict)
    for feature, text in results.problems.items():
        case = SubElement(suite(feature), "testcase", classname=feature, name="(the file)", time="0.000")
        _because(case, UNUSABLE, text)
    for each in (root, *suites.values()):
        _sum_up(each)
    indent(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _case(suite: Element, verdict: Verdict) -> None:
    case = SubElement(
        suite,
        "testcase",
        classname=_clean(verdict.feature),
        name=_clean(verdict.name),
        file=_clean(verdict.feature),
        line=str(verdict.line),
        time=f"{verdict.seconds:.3f}",
    )
    if verdict.virtual is not None:
        properties = SubElement(case, "properties")
        SubElement(properties, "property", name="virtual seconds", value=f"{verdict.virtual:.3f}")
    if verdict.outcome in TAGS:
        _because(case, verdict.outcome, verdict.text)
    for title, text in verdict.printed:
        if "stdout" in title or "stderr" in title:
            SubElement(case, "system-out" if "stdout" in title else "system-err").text = _clean(text)


def _because(case: Element, outcome: str, text: str) -> None:
    tag, kind = TAGS[outcome]
    text = _clean(text)
    SubElement(case, tag, type=kind, message=text.partition("\n")[0]).text = text


def _sum_up(element: Element) -> None:
    for name, tag in (
        ("tests", "testcase"),
        ("failures", "failure"),
        ("errors", "error"),
        ("skipped", "skipped"),
    ):
        element.set(name, str(sum(1 for _ in element.iter(tag))))
    element.set("time", f"{sum(float(case.get('time', 0)) for case in element.iter('testcase')):.3f}")


def _clean(text: str) -> str:
    """The text without the characters that XML cannot hold."""
    return re.sub(
        r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\N{REPLACEMENT CHARACTER}", text
    )
