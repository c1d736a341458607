"""`gherkube serve`: the simulator as an API server for kubectl and everything else that speaks its API."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import cast, get_args

from gherkube.runners.errors import UsageError


@dataclass(frozen=True, slots=True)
class Options:
    """What `gherkube serve` was asked for."""

    port: int = 0
    address: str = "127.0.0.1"
    http: bool = False
    kubeconfig: Path | None = None
    nodes: int = 3
    seed: int = 1
    manifests: Sequence[Path] = ()
    images: Path | None = None
    speed: float = 1.0
    clock: str = "real"
    state: Path | None = None
    top: bool = False
    command: Sequence[str] = field(default_factory=tuple)


def serve(options: Options) -> int:
    """Serves until it is interrupted, or until the command has ended; returns the exit code."""
    try:
        return asyncio.run(_serve(options))
    except UsageError as error:
        print(f"gherkube serve: {error}", file=sys.stderr)
        return 2


async def _serve(options: Options) -> int:
    from aiohttp import web

    from gherkube.runners.simulator.cluster import Simulator
    from gherkube.runners.simulator.server import kubeconfig, tls
    from gherkube.runners.simulator.server.app import Server
    from gherkube.runners.simulator.server.front import Front
    from gherkube.runners.simulator.server.pump import Mode, Pump

    if options.clock not in get_args(Mode):
        raise UsageError(f"--clock {options.clock}: say real, fast or manual")
    token = "" if options.http else secrets.token_urlsafe(32)
    context, authority = (None, b"") if options.http else tls.make(options.address)
    cluster = Simulator(options.seed, options.nodes, keeps=True)
    pump = Pump(cluster.store.clock, cast("Mode", options.clock), options.speed)
    server = Server(Front(cluster), pump, token=token)
    runner = web.AppRunner(server.app(), access_log=None, handle_signals=False, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, options.address, options.port, ssl_context=context)
        try:
            await site.start()
        except OSError as error:
            raise UsageError(
                f"cannot listen on {options.address} port {options.port}: {error.strerror}; name another"
            ) from None
        port = runner.addresses[0][1]
        url = f"{'http' if options.http else 'https'}://{_host(options.address)}:{port}"
        folder = None
        file = options.kubeconfig
        if file is None:
            folder = tempfile.mkdtemp(prefix="gherkube-")
            file = Path(folder) / "kubeconfig"
        kubeconfig.write(file, kubeconfig.text(url, token, authority))
        _warn(options)
        return await (_run(options.command, file) if options.command else _wait(file))
    finally:
        await runner.cleanup()


def _warn(options: Options) -> None:
    if not _is_loopback(options.address):
        print(f"warning: everybody who reaches {options.address} can reach this server", file=sys.stderr)


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


async def _wait(file: Path) -> int:
    print(f"export KUBECONFIG={file.absolute()}", flush=True)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stopped.set)
    await stopped.wait()
    return 0


async def _run(command: Sequence[str], file: Path) -> int:
    """Runs a command with KUBECONFIG set; its exit code."""
    environment = {**os.environ, "KUBECONFIG": str(file.absolute())}
    try:
        process = await asyncio.create_subprocess_exec(*command, env=environment)
    except OSError as error:
        raise UsageError(f"{command[0]} cannot be run: {error.strerror}") from None
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, _pass_on, process, each)
    code = await process.wait()
    return code if code >= 0 else 128 - code


def _pass_on(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)
