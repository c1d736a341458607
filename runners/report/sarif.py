"""Findings as SARIF 2.1.0, which code review shows beside the lines.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from gherkube.runners.report.findings import RULES, Finding, Findings, place_of

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "%SRCROOT%"
"""What paths are relative to, by SARIF's convention: the folder in which the check was started."""


def as_sarif(findings: Findings, start: Path) -> str:
    """The log of one run; `start` is the folder that the findings' paths are seen from."""
    found = findings.sorted
    driver = {
        "name": "gherkube",
        "version": version("gherkube"),
        "rules": [
            {
                "id": name,
                "shortDescription": {"text": rule.help},
                "help": {"text": rule.help},
                "defaultConfiguration": {"level": rule.level},
            }
            for name, rule in RULES.items()
        ],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"uri": f"{start.resolve().as_uri()}/"}},
        "results": [_result(finding) for finding in found],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _result(finding: Finding) -> dict[str, Any]:
    apart = "\n" if finding.then.startswith(" ") else "; " if finding.then else ""
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": list(RULES).index(finding.rule),
        "level": finding.level,
        "message": {"text": f"{finding.what}{apart}{finding.then}"},
        "locations": [_location(finding.file, finding.line)],
    }
    if finding.places:
        result["relatedLocations"] = [_location(*place_of(place)) for place in finding.places]
    return result


def _location(file: str, line: int) -> dict[str, Any]:
    path = PurePath(file)
    where: dict[str, Any] = (
        {"uri": path.as_uri()} if path.is_absolute() else {"uri": quote(path.as_posix()), "uriBaseId": ROOT}
    )
    return {"physicalLocation": {"artifactLocation": where, "region": {"startLine": line}}}
