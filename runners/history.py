"""What happened: every change of every watched object, with its time, deletions included.

A backend appends to a `History` and nobody changes what stands in it. Expectations read it; the
report and `--report` write it out. On the simulator it is the store's watch log itself; on a real
cluster it is what watches started before the first step have seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from gherkube.runners.objects import Key, Object

ADDED, MODIFIED, DELETED = "ADDED", "MODIFIED", "DELETED"


class Change(NamedTuple):
    """One watch event.

    `at`: seconds since the run began (virtual or real). `type`: ADDED, MODIFIED or DELETED.
    `resource`: the plural name, as in "pods". `object`: the new version, or, of a deletion, the last
    one. `old`: the version before, None when ADDED. `key`: that of the object.
    """

    at: float
    type: str
    resource: str
    object: Object
    old: Object | None
    key: Key


class History(Protocol):
    """The changes since the run began, oldest first."""

    def __len__(self) -> int:
        """How many changes there are: the position just after the last one."""

    def since(self, position: int = 0) -> Iterator[Change]:
        """The changes from that position on, oldest first."""

    def gap(self, since: float) -> str:
        """Why changes since that time may be missing; "" when none is."""
