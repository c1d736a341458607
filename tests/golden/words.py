"""A kubectl command line taken apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from gherkube.runners.errors import CannotJudge

UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
SHORT_FLAGS = {
    "-c": "--containers",
    "-f": "--filename",
    "-l": "--selector",
    "-n": "--namespace",
    "-o": "--output",
    "-p": "--patch",
}
WITH_VALUE = frozenset(
    {
        *("--selector", "--field-selector", "--patch", "--filename", "--output", "--namespace", "--type"),
        *("--replicas", "--current-replicas", "--image", "--port", "--target-port", "--name", "--timeout"),
        *("--to-revision", "--revision", "--grace-period", "--from-literal", "--for", "--env", "--labels"),
        *("--restart", "--schedule", "--from", "--tcp", "--min-available", "--max-unavailable", "--hard"),
        *("--value", "--description", "--preemption-policy"),
        *("--limits", "--requests", "--containers", "--pod-selector", "--subresource", "--clusterip"),
    }
)
"""Flags whose value may be the next word."""
ALONE = frozenset(
    {
        *("--all", "--command", "--delete-emptydir-data", "--dry-run", "--force", "--ignore-daemonsets"),
        *("--cascade", "--ignore-not-found", "--list", "--now", "--overwrite", "--wait", "--watch"),
        "--global-default",
    }
)
"""Flags that stand alone or carry their value after `=`."""


class Words(NamedTuple):
    """Words, flags by their long name in their order, and what stands behind `--`."""

    words: list[str]
    said: list[tuple[str, str]]
    command: list[str]

    @property
    def flags(self) -> dict[str, str]:
        """The flags; of one that was said more than once the last."""
        return dict(self.said)

    def every(self, flag: str) -> list[str]:
        """All values of a flag that may be said more than once."""
        return [value for name, value in self.said if name == flag]

    def number(self, flag: str) -> int | None:
        """A flag's value as a number."""
        return int(self.flags[flag]) if flag in self.flags else None

    def seconds(self, flag: str) -> float:
        """A flag's value as seconds: "1m30s"; 0 when it was not said."""
        parts = re.findall(r"([\d.]+)(ms|h|m|s)", self.flags.get(flag, ""))
        return sum(float(number) * UNITS[unit] for number, unit in parts)

    def is_rehearsal(self) -> bool:
        """Whether nothing is to be changed."""
        return self.flags.get("--dry-run", "none") != "none" or "--list" in self.flags


def taken_apart(argv: Sequence[str]) -> Words:
    """Words and flags of a command line, without `kubectl`. CannotJudge for a flag that is not known here."""
    words: list[str] = []
    said: list[tuple[str, str]] = []
    rest = iter(argv)
    for word in rest:
        if word == "--":
            break
        if not word.startswith("-") or word == "-":
            words.append(word)
            continue
        flag, equals, value = word.partition("=")
        flag = SHORT_FLAGS.get(flag, flag)
        if flag not in WITH_VALUE | ALONE:
            raise CannotJudge(f"kubectl's flag {flag} is not played here")
        said.append((flag, value if equals else next(rest) if flag in WITH_VALUE else "true"))
    return Words(words, said, list(rest))


def pairs(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The words without `=`, and those with it as pairs."""
    named = dict(word.split("=", 1) for word in words if "=" in word)
    return [word for word in words if "=" not in word], named


def listed(text: str) -> dict[str, str]:
    """The pairs of `a=b,c=d`."""
    return dict(pair.split("=", 1) for pair in text.split(",") if pair)
