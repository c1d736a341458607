"""What happens in a server, live in the terminal: workloads, pods and the last events."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from gherkube.runners.objects import Object

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gherkube.runners.simulator.cluster import Simulator

EVERY = 0.25
"""Real seconds between two looks."""
PODS, EVENTS = 20, 8
"""How many of each are shown at most."""


async def show(cluster: Simulator, stopped: asyncio.Event) -> None:
    """Shows it until it is stopped."""
    from rich.live import Live

    with Live(picture(cluster), screen=True, auto_refresh=False) as live:
        while not stopped.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), EVERY)
            live.update(picture(cluster), refresh=True)


def picture(cluster: Simulator) -> RenderableType:
    """All that is shown now."""
    from rich.console import Group

    api, now = cluster.api, cluster.clock.timestamp()
    pods = sorted(api.list("pods"), key=lambda pod: pod["metadata"]["creationTimestamp"], reverse=True)
    events = sorted(api.list("events"), key=lambda event: event.get("lastTimestamp") or "")
    return Group(
        f"[b]gherkube serve[/b]  {now}  {len(pods)} pods, {len(api.list('nodes'))} nodes",
        _table(cluster, "deployments", api.list("deployments")),
        _table(cluster, "pods", pods[:PODS]),
        _table(cluster, "events", events[-EVENTS:]),
    )


def _table(cluster: Simulator, resource: str, objects: list[Object]) -> RenderableType:
    from rich.table import Table

    from gherkube.runners.simulator.clock import EPOCH
    from gherkube.runners.simulator.server import tables

    now = EPOCH.timestamp() + cluster.clock.now()
    listing = {"metadata": {}, "items": objects}
    said = tables.table(cluster.api.resources[resource], listing, now=now)
    shown = [at for at, column in enumerate(said["columnDefinitions"]) if not column.get("priority")]
    table = Table(box=None, pad_edge=False, title=resource, title_justify="left")
    for at in shown:
        table.add_column(said["columnDefinitions"][at]["name"].upper(), no_wrap=True)
    for row in said["rows"]:
        table.add_row(*(str(row["cells"][at]) for at in shown))
    return table
