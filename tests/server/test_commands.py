"""When time may pass for a command: only once nothing is on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from gherkube.runners.simulator.cluster import Simulator
from gherkube.runners.simulator.server.app import Server
from gherkube.runners.simulator.server.clocked import Clocked, Sleep
from gherkube.runners.simulator.server.commands import TURNS, Drive
from gherkube.runners.simulator.server.pump import Pump

ASLEEP = Sleep(((1, "281 0x4 0xc0 0x80 0x7530 0x0 0x0 0x7ffc 0x48", "7 0 1"),))


class Command:
    """Sleeps whenever it is looked at; `sent`: what happens when it is looked at for that time."""

    def __init__(self, sent: dict[int, Callable[[], object]]) -> None:
        self.sent, self.looks = sent, 0

    def sleep(self) -> Sleep:
        self.sent.get(self.looks, lambda: None)()
        self.looks += 1
        return ASLEEP


class Requests:
    """A server that has so many requests to answer."""

    def __init__(self, *, in_flight: int = 0, unsent: int = 0) -> None:
        self.in_flight, self.unsent, self.asked = in_flight, unsent, 0

    def comes(self, turns: int) -> None:
        """A request is on its way: it is there after so many turns."""

        def turn(left: int) -> None:
            if left:
                asyncio.get_running_loop().call_soon(turn, left - 1)
            else:
                self.asked += 1

        turn(turns)


def sleeps(server: Requests, sent: dict[int, Callable[[], object]] | None = None) -> bool:
    """Whether time may pass."""
    cluster = Simulator(nodes=1)

    async def look() -> bool:
        drive = Drive(cluster, cast(Server, server), Pump(cluster.store.clock, "manual"), 60.0)
        return await drive._sleep(cast(Clocked, Command(sent or {}))) is not None

    return asyncio.run(look())


def test_time_passes_when_all_is_answered() -> None:
    """And the command sleeps."""
    assert sleeps(Requests())


def test_no_time_passes_while_a_request_is_answered() -> None:
    """Nor while the end of an answer waits to be sent."""
    assert not sleeps(Requests(in_flight=1))
    assert not sleeps(Requests(unsent=1))


def test_no_time_passes_while_a_request_is_on_its_way() -> None:
    """Whether it was sent before the command was first seen to sleep, or as late as can be."""
    for look in (0, 1):
        for turns in (1, TURNS - 1):
            server = Requests()
            assert not sleeps(server, {look: lambda server=server, turns=turns: server.comes(turns)})  # type: ignore[misc]
