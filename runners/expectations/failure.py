"""An expectation that was not met, and the lines in which it is told."""

from __future__ import annotations

from dataclasses import dataclass, field

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
        lines = [*_labelled("expected", [self.expected]), *_labelled("found", [self.found])]
        if self.nearest:
            lines += _labelled("nearest", [self.nearest])
        lines += _labelled("why", self.why)
        if self.unreachable:
            lines.append(f"  cannot become true: {self.unreachable}")
        return lines + _labelled("history", [" · ".join(self.history)] if self.history else [])

    def rest(self) -> list[str]:
        """What the block leaves out: the whole history, and the objects."""
        import yaml

        lines = _labelled("all of it", self.whole)
        for obj in self.objects:
            kept = {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if k != "managedFields"}}
            lines += _labelled("object", yaml.safe_dump(kept, sort_keys=False).splitlines())
        return lines


class ExpectationFailed(GherkubeError):  # noqa: N818 - the outcome's name
    """A Then that is not so; `failure` has the evidence."""

    def __init__(self, failure: Failure) -> None:
        super().__init__("\n".join(failure.lines()))
        self.failure = failure


def _labelled(label: str, texts: list[str]) -> list[str]:
    return [f"  {label if not index else '':<9} {text}" for index, text in enumerate(texts)]
