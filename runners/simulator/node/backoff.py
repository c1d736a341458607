"""Back-off between attempts that failed: 10 s, doubled up to 5 minutes, forgotten after 10 minutes.

client-go/util/flowcontrol/backoff.go
"""

from __future__ import annotations

from collections.abc import Hashable

INITIAL, LONGEST, FORGOTTEN = 10.0, 300.0, 600.0


class BackOff:
    """The back-offs of one pod, by what failed; all times in seconds."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: dict[Hashable, tuple[float, float]] = {}

    def get(self, key: Hashable) -> float:
        """How long the current back-off is, 0 when there is none."""
        entry = self._entries.get(key)
        return entry[0] if entry else 0.0

    def holds_since(self, key: Hashable, failed_at: float, now: float) -> bool:
        """Whether, counted from that failure, it is too early to try again. IsInBackOffSince"""
        entry = self._entries.get(key)
        return entry is not None and failed_at - entry[1] <= FORGOTTEN and now - failed_at < entry[0]

    def holds(self, key: Hashable, now: float) -> bool:
        """Whether, counted from the last failure, it is too early to try again. IsInBackOffSinceUpdate"""
        entry = self._entries.get(key)
        return entry is not None and now - entry[1] <= FORGOTTEN and now - entry[1] < entry[0]

    def next(self, key: Hashable, failed_at: float, now: float) -> None:
        """Notes a failure and doubles the back-off. Next"""
        entry = self._entries.get(key)
        if entry is None or failed_at - entry[1] > FORGOTTEN:
            self._entries[key] = (INITIAL, now)
        else:
            self._entries[key] = (min(entry[0] * 2, LONGEST), now)


def duration(seconds: float) -> str:
    """A duration as Go prints it, cut to milliseconds: `820ms`, `1.234s`, `1m20s`, `5m0s`."""
    milliseconds = int(seconds * 1000 + 1e-6)
    if milliseconds < 1000:
        return f"{milliseconds}ms" if milliseconds else "0s"
    minutes, rest = divmod(milliseconds, 60_000)
    whole, part = divmod(rest, 1000)
    text = f"{whole}.{part:03}".rstrip("0").rstrip(".") + "s" if part else f"{whole}s"
    if not minutes:
        return text
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{text}" if hours else f"{minutes}m{text}"
