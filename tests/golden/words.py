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
SELECTING = "--selector --field-selector --all"
FLAGS = {
    "annotate": f"{SELECTING} --overwrite",
    "apply": "--filename",
    "cordon": "",
    "create": "--filename --image --replicas --port --from --schedule --from-literal --tcp --clusterip "
    "--selector --min-available --max-unavailable --hard --value --global-default --description "
    "--preemption-policy",
    "delete": f"{SELECTING} --filename --cascade --now --grace-period --force --wait --ignore-not-found",
    "drain": "--ignore-daemonsets --delete-emptydir-data --force --pod-selector --timeout",
    "expose": f"{SELECTING} --port --target-port --type --name",
    "label": f"{SELECTING} --overwrite",
    "patch": "--patch --type --subresource",
    "replace": "--filename",
    "rollout_history": f"{SELECTING} --revision",
    "rollout_pause": SELECTING,
    "rollout_restart": SELECTING,
    "rollout_resume": SELECTING,
    "rollout_status": f"{SELECTING} --timeout --watch --revision",
    "rollout_undo": f"{SELECTING} --to-revision",
    "run": "--image --restart --labels --env --port --command",
    "scale": f"{SELECTING} --replicas --current-replicas --timeout",
    "set_env": SELECTING,
    "set_image": SELECTING,
    "set_resources": f"{SELECTING} --limits --requests --containers",
    "set_selector": SELECTING,
    "set_serviceaccount": SELECTING,
    "taint": f"{SELECTING} --overwrite",
    "uncordon": "",
    "wait": f"{SELECTING} --for --timeout",
}
"""By verb, the flags that are played."""
ALWAYS = frozenset({"--dry-run", "--list"})
"""What makes any verb change nothing."""
ALONE = ALWAYS | {
    *("--all", "--command", "--delete-emptydir-data", "--force", "--ignore-daemonsets", "--cascade"),
    *("--global-default", "--ignore-not-found", "--now", "--overwrite", "--wait", "--watch"),
}
"""Flags that stand alone or carry their value after `=`; the value of all others may be the next word."""


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


def taken_apart(verb: str, argv: Sequence[str]) -> Words:
    """Words and flags of what follows a verb. CannotJudge for a flag that is not played."""
    known = ALWAYS.union(FLAGS[verb].split())
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
        if flag not in known:
            raise CannotJudge(f"kubectl {verb.replace('_', ' ')} {flag} is not played here")
        said.append((flag, value if equals else "true" if flag in ALONE else next(rest)))
    return Words(words, said, list(rest))


def pairs(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The words without `=`, and those with it as pairs."""
    named = dict(word.split("=", 1) for word in words if "=" in word)
    return [word for word in words if "=" not in word], named


def listed(text: str) -> dict[str, str]:
    """The pairs of `a=b,c=d`."""
    return dict(pair.split("=", 1) for pair in text.split(",") if pair)
