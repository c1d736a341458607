"""`gherkube serve`: the simulator as an API server for kubectl and everything else that speaks its API."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import re
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from gherkube.runners.errors import ApiError, UsageError

if TYPE_CHECKING:
    from gherkube.runners.simulator.server.app import Server
    from gherkube.runners.simulator.server.pump import Mode

SEED, NODES = 1, 3
FILES = 8192
STOPS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Options:
    """What `gherkube serve` was asked for; None where nothing was said."""

    port: int = 0
    address: str = "127.0.0.1"
    http: bool = False
    kubeconfig: Path | None = None
    nodes: int | None = None
    kind: str | None = None
    seed: int | None = None
    manifests: Sequence[Path] = ()
    images: Path | None = None
    speed: float = 1.0
    clock: str = "real"
    state: Path | None = None
    top: bool = False
    command: Sequence[str] = ()


def serve(options: Options) -> int:
    """Serves until it is interrupted, or until the command has ended; returns the exit code."""
    gc.disable()  # until all is imported: nearly nothing of that is ever garbage
    try:
        return asyncio.run(_serve(options))
    except UsageError as error:
        print(f"gherkube serve: {error}", file=sys.stderr)
        return 2


def _allow_connections() -> None:
    """As many open files as connections may be, and more: without one nobody is answered, not even 429."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < FILES and (hard < 0 or hard > soft):
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES if hard < 0 else min(FILES, hard), hard))


async def _serve(options: Options) -> int:
    _check(options)
    _allow_connections()
    async with _listening(options) as (server, file):
        if options.command:
            return await _run(options.command, file)
        print(f"export KUBECONFIG={file.absolute()}", flush=True)
        stopped = asyncio.Event()
        for each in STOPS:
            asyncio.get_running_loop().add_signal_handler(each, stopped.set)
        if options.top:
            from gherkube.runners.cli.top import show

            await show(server.front.cluster, stopped)
        await stopped.wait()
        return 0


@contextlib.asynccontextmanager
async def _listening(options: Options) -> AsyncIterator[tuple[Server, Path]]:
    """A server that listens, and its kubeconfig; both are gone afterwards."""
    with _no_authorities():
        from aiohttp import web

    from gherkube.runners.simulator.server import kubeconfig, runs, tls

    token = "" if options.http else secrets.token_urlsafe(32)
    context, authority = (None, b"") if options.http else tls.make(options.address)
    server = make_server(options, token)
    runner = web.AppRunner(
        server.app(),
        handle_signals=False,
        shutdown_timeout=1,
        **server.limits.of_runner(),
    )
    await runner.setup()
    file = options.kubeconfig or runs.folder() / f"kubeconfig-{os.getpid()}"
    try:
        try:
            await web.TCPSite(runner, options.address, options.port, ssl_context=context).start()
        except OSError as error:
            where = f"{options.address} port {options.port}"
            raise UsageError(f"cannot listen on {where}: {error.strerror}; name another") from None
        url = f"{'http' if options.http else 'https'}://{_host(options.address)}:{runner.addresses[0][1]}"
        kubeconfig.write(file, kubeconfig.text(url, token, authority))
        runs.note(runs.Run(os.getpid(), url, str(file.absolute())))
        gc.freeze()
        gc.enable()
        yield server, file
    finally:
        runs.forget(os.getpid())
        if options.kubeconfig is None:
            file.unlink(missing_ok=True)
        await runner.cleanup()
        server.close()


@contextlib.contextmanager
def _no_authorities() -> Iterator[None]:
    """aiohttp reads all certificates that the system trusts when it is imported: a tenth of a second for a
    server that asks nobody."""
    before = {name: os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")}
    os.environ.update(dict.fromkeys(before, os.devnull))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def make_server(options: Options, token: str) -> Server:
    """The server as the options say, with what its state, images and manifests say. Raises UsageError."""
    from gherkube.runners.simulator.clock import EPOCH
    from gherkube.runners.simulator.cluster import Simulator
    from gherkube.runners.simulator.server.app import Server
    from gherkube.runners.simulator.server.front import Front
    from gherkube.runners.simulator.server.images import provide
    from gherkube.runners.simulator.server.pump import Pump
    from gherkube.runners.simulator.server.state import Origin, State

    start = 0.0 if options.clock == "manual" else time.time() - EPOCH.timestamp()
    seed = SEED if options.seed is None else options.seed
    origin = Origin(seed, NODES if options.nodes is None else options.nodes, start, options.kind or "")
    state = State(options.state, origin) if options.state else None
    if state is not None:
        _check_origin(options, state.origin)
        origin = state.origin
    cluster = Simulator(origin.seed, origin.nodes, keeps=True, start=origin.start, kind=origin.kind)
    provide(cluster.images)
    front = Front(cluster)
    pump = Pump(cluster.store.clock, cast("Mode", options.clock), options.speed)
    is_new = not (state and state.play(front, pump))
    server = Server(front, pump, token=token, state=state)
    if is_new:
        if options.images:
            _ask(server, options.images, "PATCH", "/gherkube/v1/images", said_in(options.images))
        for path in options.manifests:
            _create(server, path)
    return server


def said_in(path: Path) -> Any:
    """What a YAML file says. Raises UsageError."""
    import yaml

    try:
        return yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None


def _create(server: Server, path: Path) -> None:
    """Creates all objects of a manifest."""
    import yaml

    try:
        documents = list(yaml.safe_load_all(path.read_text()))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    for document in documents:
        if document is None:
            continue
        if not isinstance(document, dict):
            raise UsageError(f"{path}: not an object: {document!r}")
        for obj in document["items"] if document.get("kind") == "List" else [document]:
            _ask(server, path, "POST", _path_of(server, path, obj), obj)


def _path_of(server: Server, path: Path, obj: Any) -> str:
    try:
        resource = server.front.cluster.api.resources.of(obj)
    except ApiError as error:
        raise UsageError(f"{path}: {error}") from None
    namespace = (obj.get("metadata") or {}).get("namespace") or "default"
    prefix = f"/apis/{resource.api_version}" if resource.group else "/api/v1"
    return (
        f"{prefix}/namespaces/{namespace}/{resource.plural}"
        if resource.namespaced
        else (f"{prefix}/{resource.plural}")
    )


def _ask(server: Server, file: Path, method: str, path: str, body: Any) -> None:
    from gherkube.runners.simulator.server.calls import Call

    headers = {"content-type": "application/json", "user-agent": "gherkube"}
    reply = server.answer(Call(method, path, {}, headers, json.dumps(body, default=str).encode()))
    if reply.code >= 400:
        raise UsageError(f"{file}: {reply.body['message']}")


def _check(options: Options) -> None:
    if options.clock not in ("real", "fast", "manual"):
        raise UsageError(f"--clock {options.clock}: say real, fast or manual")
    if options.kind and not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", options.kind):
        raise UsageError(f"--kind-name {options.kind}: it becomes part of names: say a-z, 0-9, - and .")
    if not _is_loopback(options.address):
        print(f"warning: whoever reaches {options.address} can reach this server", file=sys.stderr)


def _check_origin(options: Options, origin: Any) -> None:
    for name, asked, found in (
        ("seed", options.seed, origin.seed),
        ("nodes", options.nodes, origin.nodes),
        ("kind-name", options.kind, origin.kind),
    ):
        if asked is not None and asked != found:
            raise UsageError(
                f"{options.state} was begun with --{name} {found}: leave --{name} out, or name a new file"
            )


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


async def _run(command: Sequence[str], file: Path) -> int:
    """Runs a command with KUBECONFIG set; its exit code."""
    environment = {**os.environ, "KUBECONFIG": str(file.absolute())}
    try:
        process = await asyncio.create_subprocess_exec(*command, env=environment)
    except OSError as error:
        raise UsageError(f"{command[0]} cannot be run: {error.strerror}") from None
    for each in STOPS:
        asyncio.get_running_loop().add_signal_handler(each, _pass_on, process, each)
    code = await process.wait()
    return code if code >= 0 else 128 - code


def _pass_on(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)
