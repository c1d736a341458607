"""The named specs of Kubernetes' end-to-end tests, and what is expected of each: `specs.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).parent / "specs.yaml"
PASSED, SKIPPED, FAILED = "passed", "skipped", "failed"


@dataclass(frozen=True, slots=True)
class Spec:
    """A spec by its full name, the outcome expected of it, and why it is not simply `passed`."""

    name: str
    expected: str = PASSED
    why: str = ""

    @property
    def alone(self) -> bool:
        """Whether it has a cluster of its own, since there is something about it."""
        return bool(self.why) and self.expected != SKIPPED

    @property
    def speed(self) -> float:
        """Virtual seconds a second. The specs poll every second or two of their own time, so that most find
        what they wait for at the first look; what measures time itself needs time as it is."""
        return 1 if self.alone and self.expected == PASSED else 10


def specs(words: list[str] | None = None) -> list[Spec]:
    """The specs of the table whose names contain one of the words; all when there are none."""
    table: dict[str, Any] = yaml.safe_load(TABLE.read_text())
    reasons = {key: (outcome, why) for outcome, each in table["reasons"].items() for key, why in each.items()}
    named = [Spec(name, *reasons.get(key, (key,))) for name, key in table["specs"].items()]
    return [spec for spec in named if not words or any(word in spec.name for word in words)]
