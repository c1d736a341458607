"""Cron schedules: which minutes one names.

Five fields (minute, hour, day of the month, month, day of the week) of numbers, names, ranges, lists and
steps, or a word such as `@hourly`. Of the two days either will do where both are given.
github.com/robfig/cron/v3 parser.go, spec.go
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from gherkube.runners.errors import UsageError


class Range(NamedTuple):
    """What may stand in a field."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
RANGES = (
    Range("minute", 0, 59),
    Range("hour", 0, 23),
    Range("day of the month", 1, 31),
    Range("month", 1, 12, MONTHS),
    Range("day of the week", 0, 6, DAYS),
)
WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
MOST_DAYS = 366 * 5
"""How far ahead is looked: a date that exists comes within that."""


class Schedule:
    """A schedule; UsageError when its text is none."""

    def __init__(self, text: str) -> None:
        fields = WORDS.get(text, text).split()
        if len(fields) != len(RANGES):
            raise UsageError(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
        parsed = [_field(field, range_) for field, range_ in zip(fields, RANGES, strict=True)]
        self._minutes, self._hours, self._days, self._months, self._weekdays = parsed
        self._either = not (fields[2].startswith(("*", "?")) or fields[4].startswith(("*", "?")))

    def next(self, after: float) -> float | None:
        """The next moment that it names after another, in Unix seconds (UTC); None where there is none."""
        begin = datetime.fromtimestamp(after, UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        day = begin.replace(hour=0, minute=0)
        for _ in range(MOST_DAYS):
            if self._is_on(day):
                for hour in sorted(self._hours):
                    for minute in sorted(self._minutes):
                        if (at := day.replace(hour=hour, minute=minute)) >= begin:
                            return at.timestamp()
            day += timedelta(days=1)
        return None

    def _is_on(self, day: datetime) -> bool:
        if day.month not in self._months:
            return False
        of_month, of_week = day.day in self._days, day.isoweekday() % 7 in self._weekdays
        return of_month or of_week if self._either else of_month and of_week


def _field(text: str, of: Range) -> frozenset[int]:
    return frozenset(number for part in text.split(",") for number in _part(part, of))


def _part(text: str, of: Range) -> range:
    span, slash, step = text.partition("/")
    if span in ("*", "?"):
        low, high = of.low, of.high
    else:
        first, dash, last = span.partition("-")
        low = _number(first, of)
        high = _number(last, of) if dash else (of.high if slash else low)
    if high < low:
        raise UsageError(f"beginning of range ({low}) beyond end of range ({high}): {text}")
    every = int(step) if step.isdecimal() else 0 if slash else 1
    if not every:
        raise UsageError(f"step of range should be a positive number: {text}")
    return range(low, high + 1, every)


def _number(text: str, of: Range) -> int:
    if text.lower() in of.names:
        return of.names.index(text.lower()) + of.low
    if not text.isdecimal():
        raise UsageError(f"failed to parse int from {text}: the {of.name} is no number")
    number = int(text)
    if not of.low <= number <= of.high:
        where = "below minimum" if number < of.low else "above maximum"
        raise UsageError(
            f"end of range ({number}) {where} ({of.low if number < of.low else of.high}): {text}"
        )
    return number
