"""A scenario of the judge: what is played against a cluster, as YAML.

`name`, `about`, and `steps`, each step one of

    apply: MANIFEST          kubectl apply -f - (a refusal is recorded, not fatal)
    create: MANIFEST         kubectl create -f -
    kubectl: ARGS            any kubectl command line (shell-quoted), in the namespace
    settle: SECONDS          until nothing changed for SECONDS (at most `at-most`, 120); keeps a checkpoint
    until: {resource, name|selector, path, value, at-most}   until a jsonpath prints the value
    wait: SECONDS
    fault: TEXT              stop-node NODE, start-node NODE
    checkpoint: NAME         keep the state of everything

`$NS` in a text is the scenario's namespace; `$NODE1`, `$NODE2`, … are the nodes that take pods.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

SCENARIOS = Path(__file__).parent / "scenarios"

VERBS = {
    "apply": "apply",
    "create": "create",
    "kubectl": "kubectl_line",
    "settle": "settle",
    "until": "until",
    "wait": "wait",
    "fault": "fault_line",
    "checkpoint": "checkpoint",
}
"""The words of a step, and what a player calls the method that does it."""


class Step(NamedTuple):
    """A step: its place (from 1), its word, a player's verb for it, its value, and its limit in seconds."""

    number: int
    action: str
    verb: str
    value: Any
    at_most: float | None


class Scenario(NamedTuple):
    """What is played."""

    name: str
    about: str
    steps: tuple[Step, ...]

    @property
    def namespace(self) -> str:
        """Where it is played unless something else is said."""
        return f"g-{self.name}"

    @staticmethod
    def filled(text: str, namespace: str, nodes: Sequence[str]) -> str:
        """The text with the namespace and the nodes' names in it."""
        text = text.replace("$NS", namespace)
        for number, node in enumerate(nodes, 1):
            text = text.replace(f"$NODE{number}", node)
        return text


def load(path: Path) -> Scenario:
    """The scenario in a file."""
    said = yaml.safe_load(path.read_text())
    return Scenario(said["name"], said["about"], tuple(_step(*step) for step in enumerate(said["steps"], 1)))


def _step(number: int, said: dict[str, Any]) -> Step:
    at_most = said.get("at-most")
    words = [word for word in said if word != "at-most"]
    if len(words) != 1 or words[0] not in VERBS:
        raise SystemExit(f"step {number}: no such action: {', '.join(words)}")
    return Step(number, words[0], VERBS[words[0]], said[words[0]], at_most)
