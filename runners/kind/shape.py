"""What a scenario needs of a kind cluster. Scenarios that need the same share one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """`nodes`: how many take pods; None: as many as there are.

    `alone`: why nobody else may use the cluster meanwhile; "": others may, each in a namespace of its own.
    """

    nodes: int | None = None
    alone: str = ""
