"""What somebody says during a game day, held to one line each: a name, a note, a finding.

ValueError says what is wrong with it.
"""

from __future__ import annotations

from datetime import date

SEVERITIES = ("low", "medium", "high")
LONGEST_NAME, LONGEST_TEXT = 80, 2000


def line(value: object, what: str, longest: int) -> str:
    """The value as one line without control characters; "" where nothing is said."""
    if not isinstance(value, str) or len(value) > longest:
        raise ValueError(f"{what} has to be text of at most {longest} characters")
    return " ".join("".join(each if each.isprintable() else " " for each in value).split())


def name(value: object, what: str = "by") -> str:
    """Who says it."""
    found = line(value, what, LONGEST_NAME)
    if not found:
        raise ValueError(f"{what} is empty: say who you are")
    return found


def words(value: object, what: str = "text") -> str:
    """What is said."""
    found = line(value, what, LONGEST_TEXT)
    if not found:
        raise ValueError(f"{what} is empty")
    return found


def finding(severity: object = "", owner: object = "", retest: object = "") -> dict[str, str]:
    """What makes a note a finding: `severity`, and where said `owner` and `retest`, a date as 2026-12-01.

    Empty for a mere note; only a finding has an owner and a re-test.
    """
    said = {
        "severity": line(severity, "severity", LONGEST_NAME),
        "owner": line(owner, "owner", LONGEST_NAME),
        "retest": line(retest, "retest", LONGEST_NAME),
    }
    found = {key: value for key, value in said.items() if value}
    if found and found.get("severity") not in SEVERITIES:
        raise ValueError(f"the severity of a finding is one of {', '.join(SEVERITIES)}")
    if "retest" in found:
        try:
            found["retest"] = date.fromisoformat(found["retest"]).isoformat()
        except ValueError:
            raise ValueError("retest has to be a date as 2026-12-01") from None
    return found
