"""What a controller has done and its cache does not show yet; until it does, nothing more is done.

pkg/controller/controller_utils.go ControllerExpectations, UIDTrackingControllerExpectations
"""

from __future__ import annotations

from collections.abc import Iterable

from gherkube.runners.objects import Key

TIMEOUT = 300.0
"""Seconds after which what was expected is no longer waited for (`ExpectationsTimeout`)."""


class Expectations:
    """The creations and deletions that each owner still waits to see."""

    def __init__(self) -> None:
        self._expected: dict[Key, _Expected] = {}

    def expect_creations(self, owner: Key, count: int, now: float) -> None:
        """From now on the owner waits for that many objects to appear."""
        self._expected[owner] = _Expected(now, count, {})

    def expect_deletions(self, owner: Key, keys: Iterable[Key], now: float) -> None:
        """From now on the owner waits for these objects to go."""
        self._expected[owner] = _Expected(now, 0, dict.fromkeys(keys))

    def expect(self, owner: Key, creations: int, deletions: Iterable[Key], now: float) -> None:
        """From now on the owner waits for so many objects to appear, and for these to go."""
        self._expected[owner] = _Expected(now, creations, dict.fromkeys(deletions))

    def saw_creation(self, owner: Key, count: int = 1) -> None:
        """That many objects of the owner have appeared, or will not."""
        if (expected := self._expected.get(owner)) is not None:
            expected.creations -= count

    def saw_deletion(self, owner: Key, key: Key) -> None:
        """An object of the owner goes, or will not."""
        if (expected := self._expected.get(owner)) is not None:
            expected.deletions.pop(key, None)

    def met(self, owner: Key, now: float) -> bool:
        """Whether the owner waits for nothing, or has waited too long."""
        expected = self._expected.get(owner)
        return (
            expected is None
            or (expected.creations <= 0 and not expected.deletions)
            or now - expected.since > TIMEOUT
        )

    def forget(self, owner: Key) -> None:
        """The owner is gone."""
        self._expected.pop(owner, None)


class _Expected:
    __slots__ = ("creations", "deletions", "since")

    def __init__(self, since: float, creations: int, deletions: dict[Key, None]) -> None:
        self.since, self.creations, self.deletions = since, creations, deletions
