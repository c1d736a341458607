"""Cron schedules: the next time that one names."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gherkube.runners.errors import UsageError
from gherkube.runners.schedules import Schedule

BEGIN = datetime(2025, 1, 1, 0, 0, 30, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("* * * * *", "2025-01-01 00:01"),
        ("*/15 * * * *", "2025-01-01 00:15"),
        ("5,10 3 * * *", "2025-01-01 03:05"),
        ("0 9-17/4 * * mon-fri", "2025-01-01 09:00"),
        ("30 2 29 2 *", "2028-02-29 02:30"),
        ("0 0 13 * fri", "2025-01-03 00:00"),
        ("0 0 * * sun", "2025-01-05 00:00"),
        ("0 0 1 JUN ?", "2025-06-01 00:00"),
        ("10/20 * * * *", "2025-01-01 00:10"),
        ("@hourly", "2025-01-01 01:00"),
        ("@weekly", "2025-01-05 00:00"),
    ],
)
def test_the_next_time(schedule: str, expected: str) -> None:
    """After half a minute past midnight of New Year 2025; of two days either will do."""
    at = Schedule(schedule).next(BEGIN.timestamp())
    assert at is not None
    assert datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M") == expected


def test_a_date_that_never_comes() -> None:
    """There is no thirtieth of February."""
    assert Schedule("0 0 30 2 *").next(BEGIN.timestamp()) is None


@given(st.integers(0, 59), st.integers(0, 23), st.integers(0, 2 * 10**9))
def test_the_next_time_lies_ahead_within_a_day(minute: int, hour: int, after: int) -> None:
    """Of a daily schedule, and it is of that minute and hour."""
    at = Schedule(f"{minute} {hour} * * *").next(after)
    assert at is not None
    assert 0 < at - after <= 86400
    found = datetime.fromtimestamp(at, UTC)
    assert (found.minute, found.hour, found.second) == (minute, hour, 0)


@pytest.mark.parametrize(
    "text", ["", "* * * *", "60 * * * *", "* 24 * * *", "x * * * *", "5-1 * * * *", "*/0 * * * *"]
)
def test_what_is_no_schedule(text: str) -> None:
    """It is refused with what is wrong."""
    with pytest.raises(UsageError):
        Schedule(text)
