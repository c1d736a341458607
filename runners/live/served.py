"""A `gherkube serve` behind a context: a live cluster whose nodes can be stopped and images told.

It is recognized by its admin endpoint, which no other API server has; see `docs/serve.md`.
"""

from __future__ import annotations

from typing import Any

from gherkube.runners.errors import ApiError, CannotJudge
from gherkube.runners.live.api import LiveApi

PREFIX = "/gherkube/v1"


class Served:
    """The admin endpoint of a server."""

    def __init__(self, api: LiveApi) -> None:
        self._api = api

    def ask(self, method: str, path: str = "", body: Any = None) -> Any:
        """What it answers. Raises ApiError."""
        return self._api.raw(method, PREFIX + path, body)

    @property
    def speed(self) -> float:
        """How many of its seconds pass in a real one."""
        clock = self.ask("GET", "/clock")
        if clock["mode"] == "manual":
            raise CannotJudge(
                "the time of this gherkube serve stands still: start it with --clock fast or real"
            )
        return float(clock["speed"])

    def is_idle(self) -> bool:
        """Whether nothing but retries is left to happen there."""
        return not self.ask("GET")["pending"]


def find(api: LiveApi) -> Served | None:
    """The admin endpoint, where there is one."""
    served = Served(api)
    try:
        found = served.ask("GET")
    except ApiError as error:
        if error.code == 429 or error.code >= 500:
            raise
        return None
    return served if isinstance(found, dict) and "pending" in found else None
