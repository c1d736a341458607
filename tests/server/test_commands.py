"""When time may pass for a command, and in which order its requests are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import cast

import pytest

from gherkube.runners.errors import UsageError
from gherkube.runners.simulator.cluster import Simulator
from gherkube.runners.simulator.server import commands
from gherkube.runners.simulator.server.app import Server
from gherkube.runners.simulator.server.calls import Call
from gherkube.runners.simulator.server.clocked import Clocked, Sleep
from gherkube.runners.simulator.server.commands import TURNS, Drive
from gherkube.runners.simulator.server.connections import Connections
from gherkube.runners.simulator.server.pump import Pump

WAITS = Sleep(((1, "281 0x4 0xc0 0x80 0x7530 0x0 0x0 0x7ffc 0x48", "7 0 1"),))
"""For 30 seconds."""
SLEEPS = Sleep(((1, "202 0xc0 0x80 0x0 0x0 0x0 0x0 0x7ffc 0x48", "7 0 1"),))
"""For nothing."""


class Command:
    """A program that ends after so many looks; `sleep`: what it sleeps in."""

    def __init__(self, sleep: Sleep = WAITS, looks: int = 4) -> None:
        self.asleep, self.looks, self.process = sleep, looks, self
        self.woken_at: list[float] = []

    def poll(self) -> int | None:
        self.looks -= 1
        return 0 if self.looks < 0 else None

    def sleep(self) -> Sleep:
        return self.asleep

    def set(self, now: float) -> None:
        self.woken_at.append(now)

    def wake(self, _: Sleep) -> None:
        """It sleeps on."""


class Wires:
    """Connections on which something is at each look, or not."""

    def __init__(self, silent: Iterable[bool] = ()) -> None:
        self.looks = iter(silent)

    def are_silent(self) -> bool:
        return next(self.looks, True)


class Requests:
    """A server that has so many requests to answer."""

    def __init__(self, *, in_flight: int = 0, unsent: int = 0) -> None:
        self.in_flight, self.unsent, self.asked = in_flight, unsent, 0
        self.admit: Callable[[Call], Awaitable[None]] | None = None
        self.answered: list[str] = []

    def comes(self, turns: int) -> None:
        """A request was read: it is noticed after so many turns."""

        def turn(left: int) -> None:
            if left:
                asyncio.get_running_loop().call_soon(turn, left - 1)
            else:
                self.asked += 1

        turn(turns)

    async def ask(self, call: Call) -> None:
        self.in_flight += 1
        assert self.admit is not None
        await self.admit(call)
        self.answered.append(f"{call.method} {call.path}")
        self.in_flight -= 1


def driven(
    command: Command, server: Requests, wires: Wires | None = None, begin: Callable[[], object] = lambda: None
) -> int | None:
    """The exit code of a command that has 60 seconds."""
    cluster = Simulator(nodes=1)

    async def drive() -> int | None:
        drives = Drive(cluster, cast(Server, server), Pump(cluster.store.clock, "manual"), 60.0)
        asyncio.get_running_loop().call_soon(begin)
        return await drives.clocked(cast(Clocked, command), cast(Connections, wires or Wires()))

    return asyncio.run(drive())


def passed(server: Requests, wires: Wires | None = None) -> bool:
    """Whether time passes for a command that sleeps."""
    command = Command(looks=1)
    assert driven(command, server, wires) == 0
    return command.woken_at == [30.0]


def test_time_passes_when_all_is_answered() -> None:
    """Up to the moment for which the command waits, and no further than it has time."""
    assert passed(Requests())
    command = Command()
    assert driven(command, Requests()) is None
    assert command.woken_at == [30.0, 60.0]


def test_no_time_passes_while_a_request_is_answered() -> None:
    """Nor while the end of an answer waits to be sent."""
    assert not passed(Requests(in_flight=1))
    assert not passed(Requests(unsent=1))


@pytest.mark.parametrize("silent", [[False], [True, False]])
def test_no_time_passes_while_something_is_on_its_way(silent: list[bool]) -> None:
    """To the command, which may not have been woken yet; or from it."""
    assert not passed(Requests(), Wires(silent))


@pytest.mark.parametrize("turns", [1, TURNS - 1])
def test_no_time_passes_before_a_request_is_noticed(turns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """That was read when the command was seen to sleep."""
    server = Requests()

    def asleep(*_: object) -> Sleep:
        server.comes(turns)
        return WAITS

    monkeypatch.setattr(commands, "_sleep", asleep)
    assert not passed(server)


def test_requests_are_answered_in_order() -> None:
    """Whichever thread of a program came first, and one by one; time passes afterwards."""
    server, command = Requests(), Command(looks=8)
    calls = [Call("POST", "/b"), Call("GET", "/b"), Call("GET", "/a", {"x": "2"}), Call("GET", "/a")]
    asked = []

    def begin() -> None:
        asked.extend(asyncio.ensure_future(server.ask(call)) for call in calls)

    assert driven(command, server, begin=begin) is None
    assert server.answered == ["GET /a", "GET /a", "GET /b", "POST /b"]
    assert command.woken_at == [30.0, 60.0]


def test_a_command_that_waits_for_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while of real time."""
    monkeypatch.setattr(commands, "SILENCE", 0.0)
    with pytest.raises(UsageError, match="waits for something that this cluster has not"):
        driven(Command(SLEEPS), Requests())
