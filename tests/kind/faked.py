"""The command `gherkube` on fake kind clusters: the simulators behind them need no images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gherkube.fixtures import progress
from gherkube.runners.kind import cluster


class NoImages:
    """Stands in the place of `Images`."""

    def __init__(self, *_: object) -> None: ...
    def install(self) -> None: ...
    def ready(self, _: object) -> None: ...
    def behave(self, image: str, **_: Any) -> None: ...
    def release(self) -> None: ...
    def strangers(self, _: Iterable[Any]) -> list[str]:
        return []


cluster.Images = NoImages  # type: ignore[misc,assignment]
progress.AGAIN = 3600.0  # nothing is told twice, however slow the machine

if __name__ == "__main__":
    from gherkube.runners.cli.main import main

    main()
