"""The named specs of Kubernetes' end-to-end tests, and what is expected of each: `specs.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).parent / "specs.yaml"
PASSED = "passed"


@dataclass(frozen=True, slots=True)
class Spec:
    """A spec by its full name, the outcome expected of it, and why it is not `passed`."""

    name: str
    expected: str = PASSED
    why: str = ""


def specs(words: list[str] | None = None) -> list[Spec]:
    """The specs of the table whose names contain one of the words; all when there are none."""
    table: dict[str, Any] = yaml.safe_load(TABLE.read_text())
    reasons = {key: (outcome, why) for outcome, each in table["reasons"].items() for key, why in each.items()}
    named = [Spec(name, *reasons.get(key, (key,))) for name, key in table["specs"].items()]
    return [spec for spec in named if not words or any(word in spec.name for word in words)]
