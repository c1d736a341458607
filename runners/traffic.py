"""Requests to services, and what became of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from gherkube.runners.objects import Key


class Request(NamedTuple):
    """One request to a service.

    `at`: when it was sent, seconds since the run began. `service`: whom it was for. `pod`: the name of
    the pod that took it, "" when none did. `image`: that pod's image. `code`: the HTTP status, 0 when
    there was no answer. `body`: the answer, or why there was none. `seconds`: how long it took.
    `through`: "service" or "node port". `way`: how it got there, where there is more than one way.
    """

    at: float
    service: Key
    pod: str
    image: str
    code: int
    body: str
    seconds: float
    through: str
    way: str = ""

    @property
    def answered(self) -> bool:
        """Whether an answer came that is not an error of the server (below 500)."""
        return 0 < self.code < 500


class Traffic(Protocol):
    """Sends requests and keeps what became of them, oldest first."""

    @property
    def requests(self) -> Sequence[Request]: ...

    def send(self, service: Key, count: int, *, through: str = "service") -> list[Request]:
        """Sends that many requests, one after another, and returns what became of them."""

    def flow(self, service: Key, every: float) -> None:
        """Sends a request every so many seconds from now to the end of the run."""

    def flows(self, service: Key) -> bool:
        """Whether requests to the service flow by themselves."""


class Summary(NamedTuple):
    """What became of many requests; all times in seconds, those of latency None where none was answered.

    `longest_gap`: see the function.
    """

    sent: int
    answered: int
    lost: int
    p50: float | None
    p90: float | None
    p99: float | None
    longest_gap: float


def sum_up(requests: Sequence[Request]) -> Summary:
    """The summary of requests in the order in which they were sent."""
    took = sorted(request.seconds for request in requests if request.answered)
    gap = longest_gap(requests)[0] if requests else 0.0
    p50, p90, p99 = (took[math.ceil(share * len(took)) - 1] if took else None for share in (0.5, 0.9, 0.99))
    return Summary(len(requests), len(took), len(requests) - len(took), p50, p90, p99, gap)


def longest_gap(requests: Sequence[Request]) -> tuple[float, float]:
    """The longest time between two answered requests around unanswered ones, and when it began.

    Before the first and after the last answer a gap is as long as what was asked in it shows.
    """
    longest, begin = 0.0, 0.0
    start, failing = requests[0].at, False
    for request in requests:
        if failing and request.at - start > longest:
            longest, begin = request.at - start, start
        if request.answered:
            start, failing = request.at, False
        else:
            failing = True
            longest, begin = max((longest, begin), (request.at - start, start))
    return longest, begin
