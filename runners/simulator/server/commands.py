"""Runs a command against a simulator that stands still but for it: both live in one virtual time.

While the command does anything, or something is on its way between it and the simulator, no time passes. When
all its threads sleep at once, a request of it is answered: of several, the one that is first in order. When
there is none, time goes on: to the next event that a watch of the command hears of, or to the moment until
which the command sleeps, whichever is first. So a wait takes no longer than what has to be computed, a
time-out ends it at its virtual second and in the words of the command itself, and one seed gives one history
also with programs of many threads.

Where a program cannot be given a clock of its own (see `clocked`, `connections`), time passes as it does for
everybody.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack, closing
from math import inf
from typing import IO, TypeAlias

from aiohttp import web

from gherkube.runners.commands import Program
from gherkube.runners.errors import ApiError, CannotJudge, UsageError
from gherkube.runners.simulator.api.kept import KEPT
from gherkube.runners.simulator.api.refusals import not_found
from gherkube.runners.simulator.api.resources import Resource, not_modelled
from gherkube.runners.simulator.cluster import Simulator
from gherkube.runners.simulator.server import forms, kubeconfig
from gherkube.runners.simulator.server.app import Limits, Server
from gherkube.runners.simulator.server.calls import Call, Reply
from gherkube.runners.simulator.server.clocked import Clocked, Sleep
from gherkube.runners.simulator.server.connections import Connections
from gherkube.runners.simulator.server.front import Front
from gherkube.runners.simulator.server.negotiation import wanted
from gherkube.runners.simulator.server.paths import Target, parse
from gherkube.runners.simulator.server.pump import Pump

TURNS = 12
"""Turns of the event loop within which whatever has arrived is answered."""
PAUSE = 0.0002
"""Real seconds between two looks at a command that is busy."""
NOT_IMPLEMENTED = 501
MANY = 1_000_000
LIMITS = Limits(connections=MANY, in_flight=MANY, rate=MANY)
"""One command, whose requests wait for one another, may have as many as it likes."""
Order: TypeAlias = tuple[str, str, tuple[tuple[str, str], ...], bytes]
SILENCE = 60.0
"""Real seconds after which a command that only sleeps, and for which no time passes, is given up."""


def run(cluster: Simulator, program: Program, *, namespace: str, within: float) -> tuple[int | None, str]:
    """Exit code and output of the command; no code when it was to go on after `within` virtual seconds.

    Raises CannotJudge when it asked for what the simulator does not model, UsageError when it cannot be run.
    """
    front = JudgingFront(cluster)
    with tempfile.TemporaryFile() as output:
        code = asyncio.run(_serve(front, program, namespace, within, output))
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    if front.trouble is not None:
        raise front.trouble
    return code, text


class JudgingFront(Front):
    """A front that vouches for what it answers: what the simulator does not model is there, but empty, and to
    ask for more of it is the scenario's trouble."""

    trouble: Exception | None = None

    def served(self) -> Iterable[Resource]:
        """What is modelled, and what is not."""
        known = list(super().served())
        kinds = {(resource.api_version, resource.kind) for resource in known}
        return known + [each for each in KEPT if (each.api_version, each.kind) not in kinds]

    def resource_at(self, target: Target) -> Resource:
        """The resource that a path names. CannotJudge when it is not modelled."""
        if (unmodelled := self._unmodelled(target)) is not None:
            self.trouble = self.trouble or not_modelled(unmodelled.kind)
            raise self.trouble
        return super().resource_at(target)

    def _answer(self, call: Call) -> Reply:
        try:
            return self._nothing(call) or super()._answer(call)
        except ApiError as error:
            if error.code == NOT_IMPLEMENTED:
                self.trouble = self.trouble or CannotJudge(
                    f"{error}; run the scenario on kind or a live cluster"
                )
            raise
        except UsageError:
            raise
        except Exception as error:
            self.trouble = self.trouble or error
            raise

    def _nothing(self, call: Call) -> Reply | None:
        """What there is of a kind that is not modelled: an empty list."""
        if call.method != "GET" or not call.path.startswith(("/api/", "/apis/")):
            return None
        try:
            target = parse(call.path)
        except ApiError:  # not a path of objects
            return None
        if (resource := self._unmodelled(target)) is None:
            return None
        if target.name:
            raise not_found(resource, target.name)
        form = wanted(call.headers.get("accept", ""))
        version = {"resourceVersion": str(self.cluster.store.version)}
        kind = {"kind": f"{resource.kind}List", "apiVersion": resource.api_version}
        body = forms.shaped(
            {**kind, "metadata": version, "items": []}, form, resource, call.query, self.now()
        )
        return Reply(forms.encoded(body, form.type), type=form.type)

    def _unmodelled(self, target: Target) -> Resource | None:
        path = target.group, target.version, target.resource
        found = next((each for each in KEPT if (each.group, each.version, each.plural) == path), None)
        return found if found and self.cluster.api.resources.served(*path) is None else None


class JudgingPump(Pump):
    """A pump that keeps what goes wrong in the simulator."""

    defect: Exception | None = None

    def _step(self, target: float) -> bool:
        try:
            return self._clock.step(target)
        except Exception as error:
            self.defect = error
            raise


class Drive:
    """One command, and the time that it has."""

    def __init__(self, cluster: Simulator, server: Server, pump: Pump, within: float) -> None:
        self._clock, self._server, self._pump = cluster.clock, server, pump
        self._end = self._clock.now() + within
        self._held: list[tuple[Order, asyncio.Future[None]]] = []

    async def clocked(self, command: Clocked, connections: Connections) -> int | None:
        """Lets it end, and virtual time pass where it waits; its exit code."""
        self._server.admit = self._turn
        seen, since = None, time.monotonic()
        while (code := command.process.poll()) is None:
            await _turns()
            sleep = _sleep(command, connections)
            if sleep is None or sleep != seen:
                seen, since = sleep, time.monotonic()
            if sleep is not None and await self._is_silent():
                if self._answer_next():
                    continue
                if self._clock.now() >= self._end:
                    return None
                if self._let_time_pass(sleep, command):
                    continue
            _give_up(since)
            await asyncio.sleep(PAUSE)
        return code

    async def _turn(self, call: Call) -> None:
        """Waits until the command sleeps, and no request is to be answered before this one.

        In which order the threads of a program send what they ask at once is chance, so it is put in order.
        """
        held = _order(call), asyncio.get_running_loop().create_future()
        self._held.append(held)
        try:
            await held[1]
        finally:
            self._held.remove(held)

    def _answer_next(self) -> bool:
        """Has the first of the requests answered; False when none waits."""
        if not self._held:
            return False
        min(self._held, key=lambda held: held[0])[1].set_result(None)
        return True

    def _let_time_pass(self, sleep: Sleep, command: Clocked) -> bool:
        """Until the command hears of something, or the time has come for which it waits; False when it waits
        for neither."""
        timers = sleep.timers().values()
        if not (timers or self._pump.long_polls):
            return False
        self._pump.go_on(min(self._clock.now() + min(timers, default=inf), self._end))
        command.set(self._clock.now())
        command.wake(sleep)
        return True

    async def _is_silent(self) -> bool:
        """Whether no request comes, and all that came wait for their turn or are answered to the end."""
        asked = self._server.asked
        await _turns()
        in_work = self._server.in_flight - len(self._held)
        return self._server.asked == asked and not in_work and not self._server.unsent

    async def unclocked(self, command: subprocess.Popen[bytes]) -> int | None:
        """Lets it end while time passes as it does; its exit code."""
        self._pump.set("real", 1.0)
        while (code := command.poll()) is None and self._clock.now() < self._end:
            await asyncio.sleep(0.005)
        return code


async def _serve(
    front: JudgingFront, program: Program, namespace: str, within: float, output: IO[bytes]
) -> int | None:
    """Serves the cluster on a loopback port while the command runs; its exit code."""
    pump = JudgingPump(front.cluster.store.clock, "manual")
    server = Server(front, pump, limits=LIMITS)
    runner = web.AppRunner(server.app(), access_log=None, handle_signals=False, shutdown_timeout=0)
    with socket.create_server(("127.0.0.1", 0)) as port:
        await runner.setup()
        try:
            await web.SockSite(runner, port).start()
            number = port.getsockname()[1]
            program.use(kubeconfig.text(f"http://127.0.0.1:{number}", "", b"", namespace))
            drive = Drive(front.cluster, server, pump, within)
            return await _drive(drive, front.cluster, number, program, output)
        finally:
            await runner.cleanup()
            if pump.defect is not None:
                raise pump.defect


async def _drive(
    drive: Drive, cluster: Simulator, port: int, program: Program, output: IO[bytes]
) -> int | None:
    with ExitStack() as opened:
        try:
            connections = opened.enter_context(closing(Connections(port)))
            command = Clocked(
                program.command,
                cluster.clock.now(),
                environment=program.environment,
                folder=program.folder,
                output=output,
            )
        except OSError:
            return await _unclocked(drive, program, output)
        opened.enter_context(closing(command))
        return await drive.clocked(command, connections)


async def _unclocked(drive: Drive, program: Program, output: IO[bytes]) -> int | None:
    process = subprocess.Popen(
        program.command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=program.environment,
        cwd=program.folder,
    )
    try:
        return await drive.unclocked(process)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _sleep(command: Clocked, connections: Connections) -> Sleep | None:
    """What the command sleeps in until it is told something, or time passes; None while it does anything.

    By the first look at the connections all that it was told is there, and has woken it; by the second all
    that it has sent is here. In between it sleeps, and nobody reads or tells anything.
    """
    if command.sleep() is None or not connections.are_silent():
        return None
    sleep = command.sleep()
    return sleep if connections.are_silent() else None


async def _turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


def _order(call: Call) -> Order:
    return call.path, call.method, tuple(sorted(call.query.items())), call.body


def _give_up(seen: float) -> None:
    if time.monotonic() - seen > SILENCE:
        raise UsageError(
            f"the command did nothing for {SILENCE:g} seconds of real time: it waits for something "
            "that this cluster has not"
        )
