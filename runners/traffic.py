"""Requests to services, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from gherkube.runners.objects import Key


class Request(NamedTuple):
    """One request to a service.

    `at`: when it was sent, seconds since the run began. `service`: whom it was for. `pod`: the name of
    the pod that took it, "" when none did. `image`: that pod's image. `code`: the HTTP status, 0 when
    there was no answer. `body`: the answer, or why there was none. `seconds`: how long it took.
    `through`: "service" or "node port".
    """

    at: float
    service: Key
    pod: str
    image: str
    code: int
    body: str
    seconds: float
    through: str

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
