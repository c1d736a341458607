"""How many: the numbers of the language, each with the words that it is told in."""

from __future__ import annotations

from dataclasses import dataclass

from gherkube.runners.errors import UsageError


@dataclass(frozen=True, slots=True)
class Count:
    """From `low` to `high` (None: no upper end), of exactly `of` in all where that is given.

    `whole` asks for all of them, and of none there is no all: it never holds for a total of 0.
    """

    low: int
    high: int | None
    of: int | None = None
    text: str = ""
    whole: bool = False

    def __post_init__(self) -> None:
        if self.of is not None and self.low > self.of:
            raise UsageError(f'"{self.text}" cannot be: {self.low} is more than {self.of}')
        if self.high is not None and self.low > self.high:
            raise UsageError(f'"{self.text}" cannot be: {self.low} is more than {self.high}')

    def holds(self, n: int, total: int) -> bool:
        """Whether `n` out of `total` is what this count asks for."""
        return not self.distance(n, total)

    def distance(self, n: int, total: int) -> int:
        """How far `n` out of `total` is from what this count asks for; 0 when it holds."""
        away = abs(total - self.of) if self.of is not None else 0
        if self.whole:
            return away + (total - n or (0 if total else 1))
        if n < self.low:
            return away + self.low - n
        return away + (n - self.high if self.high is not None and n > self.high else 0)

    @property
    def plural(self) -> bool:
        """Whether a noun after it is in the plural."""
        return (self.low if self.high is None else self.high) != 1

    @property
    def admits_none(self) -> bool:
        """Whether it holds where there is nothing at all."""
        return self.holds(0, 0)


def exactly(n: int, of: int | None = None) -> Count:
    """Exactly that many; with `of`, out of exactly so many."""
    return Count(n, n, of, f"exactly {n}" if of is None else f"{n} of {of}")


def at_least(n: int) -> Count:
    """That many or more."""
    return Count(n, None, text=f"at least {n}")


def at_most(n: int) -> Count:
    """That many or fewer."""
    return Count(0, n, text=f"at most {n}")


def between(low: int, high: int) -> Count:
    """From `low` to `high`, both included."""
    return Count(low, high, text=f"between {low} and {high}")


def none() -> Count:
    """Not one."""
    return Count(0, 0, text="no")


def every(of: int | None = None) -> Count:
    """All of them, and there is at least one; with `of`, there are exactly so many."""
    return Count(0, None, of, "all" if of is None else f"all {of}", whole=True)


@dataclass(frozen=True, slots=True)
class Share:
    """From `low` to `high` per cent of a whole; `open`: more than the one and fewer than the other."""

    low: float
    high: float
    open: bool = False

    @property
    def text(self) -> str:
        """As people write it."""
        if self.open:
            return f"fewer than {self.high:g}%" if self.low < 0 else f"more than {self.low:g}%"
        if self.low == self.high:
            return f"{self.low:g}%"
        if not self.low:
            return f"at most {self.high:g}%"
        return f"at least {self.low:g}%" if self.high == 100 else f"between {self.low:g}% and {self.high:g}%"

    def holds(self, n: int, total: int) -> bool:
        """Whether `n` out of `total`, which is not 0, is such a share."""
        percent = 100 * n / total
        return self.low < percent < self.high if self.open else self.low <= percent <= self.high
