"""An expectation that was not met, and the lines in which it is told."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from gherkube.runners.errors import GherkubeError
from gherkube.runners.objects import Object


@dataclass
class Failure:
    """What was expected and what was found instead, why, and what had happened.

    `why` goes down the chain, one line each. `unreachable` says why it cannot become true any more, ""
    when it might have. `history` are the changes that led here, in short, and `whole` all of them.
    `nearest` is the nearest it came. `objects`: the workload, and a pod that was not well.
    """

    expected: str
    found: str
    why: list[str] = field(default_factory=list)
    unreachable: str = ""
    history: list[str] = field(default_factory=list)
    nearest: str = ""
    whole: list[str] = field(default_factory=list)
    objects: list[Object] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The block as it is shown, without the place of the step and what to do next."""
        lines = [
            *_labelled("expected", [self.expected]),
            *_labelled("found", self.found.splitlines() or [""]),
        ]
        if self.nearest:
            lines += _labelled("nearest", [self.nearest])
        lines += _labelled("why", self.why)
        if self.unreachable:
            lines.append(f"  cannot become true: {self.unreachable}")
        return lines + _labelled("history", [" · ".join(self.history)] if self.history else [])

    def rest(self) -> list[str]:
        """What the block leaves out: every entry of the history, and the status of the objects."""
        lines = _labelled("whole", self.whole)
        for obj in self.objects:
            name = f"{obj.get('kind', 'object')} {obj['metadata']['name']}"
            lines += _labelled("status", [name, *(f"  {line}" for line in _yaml(obj.get("status")))])
        return lines


def _yaml(value: Any) -> list[str]:
    import yaml

    shared_nothing = json.loads(json.dumps(value))
    return str(yaml.safe_dump(shared_nothing, sort_keys=False)).splitlines()


class ExpectationFailed(GherkubeError):  # noqa: N818 - the outcome's name
    """A Then that is not so; `failure` has the evidence."""

    def __init__(self, failure: Failure) -> None:
        super().__init__("\n".join(failure.lines()))
        self.failure = failure


def _labelled(label: str, texts: list[str]) -> list[str]:
    return [f"  {label if not index else '':<9} {text}" for index, text in enumerate(texts)]
