"""When: the time phrases. What each means over the history is in `judge`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from gherkube.runners.errors import UsageError


class Moment(NamedTuple):
    """A moment of the run: `at` seconds since it began, just before a change's position in the history."""

    name: str
    at: float
    position: int


@dataclass(frozen=True, slots=True)
class Becomes:
    """Becomes true: within the patience, or within that many seconds of the last When."""

    within: float | None = None

    def __post_init__(self) -> None:
        if self.within is not None and self.within <= 0:
            raise UsageError("within no time at all nothing becomes true: give a time above zero")

    @property
    def text(self) -> str:
        return "" if self.within is None else f"within {duration(self.within)}, "


@dataclass(frozen=True, slots=True)
class Stays:
    """Is true now and stays so for that many seconds."""

    seconds: float

    def __post_init__(self) -> None:
        if self.seconds <= 0:
            raise UsageError("nothing stays true for no time at all: give a time above zero")

    @property
    def text(self) -> str:
        return f"for {duration(self.seconds)}, "


@dataclass(frozen=True)
class _Window:
    """A window of the past: it begins at a moment, or, where none is given, with the first When."""

    since: Moment | None = None


class Throughout(_Window):
    """Was true at every recorded moment of the window."""

    @property
    def text(self) -> str:
        return f"{_since(self.since)}throughout, "


class AtSomeTime(_Window):
    """Was true at one recorded moment of the window at least."""

    @property
    def text(self) -> str:
        return f"{_since(self.since)}at some time, "


class Past(_Window):
    """Was so, over the window: the past tense without a time phrase."""

    @property
    def text(self) -> str:
        return _since(self.since)


Time: TypeAlias = Becomes | Stays | Throughout | AtSomeTime | Past


def duration(seconds: float) -> str:
    """A time in words: "20 seconds", "1 minute", "1m30s"."""
    minutes, rest = divmod(seconds, 60)
    if not minutes:
        return f"{rest:g} second{'' if rest == 1 else 's'}"
    if not rest:
        return f"{minutes:g} minute{'' if minutes == 1 else 's'}"
    return f"{minutes:g}m{rest:g}s"


def _since(moment: Moment | None) -> str:
    return f'since the moment "{moment.name}", ' if moment is not None else ""
