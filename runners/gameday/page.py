"""The page of a running game day: live in a browser, with halt, gates and notes, on this computer only.

It listens on loopback. What it shows is sent as data over server-sent events, and the page's script writes it
as text: markup in the name of an object or in a note is never more than that. Whoever asks has to show the
token, which the address carries after its "#", so it stands in no request line, log or referrer. A page of
another origin can neither read (its origin is refused) nor act (no cookie stands for the token); a name that
an attacker lets point at loopback is refused by its Host.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakSet

from gherkube.runners.errors import UsageError
from gherkube.runners.gameday import notes

if TYPE_CHECKING:
    from aiohttp import web

TEMPLATES = Path(__file__).parent / "templates"
TOKENS = Path(__file__).parents[1] / "report" / "page" / "templates" / "tokens.css"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HEARTBEAT = 5.0
"""Seconds of silence after which a listener is told that the page is still there; the script counts on it."""
MOST_LISTENERS = 30
MOST_BYTES = 16 * 1024


class Control(Protocol):
    """What people ask of a running game day, from any thread."""

    def halt(self, by: str, why: str) -> None: ...
    def confirm(self, by: str) -> None: ...
    def refuse(self, by: str) -> None: ...
    def note(self, by: str, text: str, **finding: str) -> None: ...


class Page:
    """Serves the page from its own thread until `close`; `url` is where, with the token.

    UsageError when the port is taken; port 0 is any free one. The token is a new one unless it is given.
    """

    def __init__(self, control: Control, *, port: int = 0, token: str = "") -> None:
        self._control = control
        self.token = token or secrets.token_urlsafe(32)
        try:
            self._socket = socket.create_server(("127.0.0.1", port))
        except OSError as error:
            raise UsageError(
                f"--page: nothing can listen on port {port}: {error.strerror}; name another"
            ) from None
        port = self._socket.getsockname()[1]
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self.url = f"http://127.0.0.1:{port}/#{self.token}"
        self._told = ""
        self._gate: Mapping[str, Any] | None = None
        self._number = self._listeners = 0
        self._heard: WeakSet[asyncio.Transport] = WeakSet()
        self._closing = False
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._news = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="gameday-page", daemon=True)
        self._thread.start()
        self._ready.wait()

    def show(self, state: Mapping[str, Any]) -> None:
        """Sends the state (see `state.State`) to all who look; of states that come fast, the last."""
        if self._thread.is_alive():
            told = json.dumps(state, default=str)
            self._loop.call_soon_threadsafe(self._publish, told, state.get("gate"))

    def close(self) -> None:
        """Lets everybody who looks have the last state, and ends."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end)
            self._thread.join()

    # --- The server's thread

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        from aiohttp import web

        app = web.Application(middlewares=[_guard(self._refusal)], client_max_size=MOST_BYTES)
        app.router.add_get("/", self._file("live.html", "text/html"))
        app.router.add_get("/live.js", self._file("live.js", "text/javascript"))
        app.router.add_get("/live.css", self._file("live.css", "text/css"))
        app.router.add_get("/events", self._events)
        for name, act in (
            ("halt", self._halt),
            ("confirm", self._confirm),
            ("refuse", self._refuse),
            ("note", self._note),
        ):
            app.router.add_post(f"/{name}", _acting(act))
        app.on_response_prepare.append(_secure)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=2.0)
        await runner.setup()
        await web.SockSite(runner, self._socket).start()
        self._ready.set()
        while not self._closing:
            await self._news.wait()
        await runner.cleanup()
        for transport in list(self._heard):  # of those who did not take what was sent
            transport.abort()
        await asyncio.sleep(0)

    def _publish(self, told: str, gate: Mapping[str, Any] | None) -> None:
        self._told, self._gate, self._number = told, gate, self._number + 1
        self._wake()

    def _end(self) -> None:
        self._closing = True
        self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    def _file(self, name: str, kind: str) -> Callable[[web.Request], Any]:
        async def send(_: web.Request) -> web.Response:
            from aiohttp import web

            return web.Response(text=_text(name), content_type=kind, charset="utf-8")

        return send

    async def _events(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        if self._listeners >= MOST_LISTENERS:
            return web.json_response({"error": "too many look at this page already"}, status=503)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        self._listeners += 1
        if request.transport is not None:
            self._heard.add(request.transport)
        try:
            with suppress(ConnectionError):
                await self._tell(response)
        finally:
            self._listeners -= 1
        return response

    async def _tell(self, response: web.StreamResponse) -> None:
        seen = 0
        while True:
            if seen != self._number:
                seen = self._number
                now = datetime.now(UTC).isoformat()
                event = f'id: {seen}\ndata: {{"now": "{now}", "state": {self._told}}}\n\n'
                await response.write(event.encode())
            elif self._closing:
                return
            else:
                try:
                    await asyncio.wait_for(self._news.wait(), HEARTBEAT)
                except TimeoutError:
                    await response.write(b": still here\n\n")

    # --- Who may

    def _refusal(self, request: web.Request) -> tuple[int, str] | None:
        """Why a request is not answered, with the status that says so."""
        headers, own = request.headers, {f"http://{host}" for host in self._hosts}
        if headers.get("Host") not in self._hosts:
            return 421, "no page of this name is here"
        if headers.get("Origin", "") not in {"", *own}:
            return 403, "asked by a page of another origin"
        if headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            return 403, "asked by a page of another site"
        if request.path in ("/", "/live.js", "/live.css"):
            return None
        shown = headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(shown, f"Bearer {self.token}".encode()):
            return (
                401,
                "this needs the token of the running game day: open the address that its terminal shows",
            )
        if request.method == "POST" and request.content_type != "application/json":
            return 415, "what is asked has to be application/json"
        return None

    # --- What can be asked

    def _halt(self, asked: Mapping[str, Any]) -> None:
        why = notes.line(asked.get("why", ""), "why", notes.LONGEST_TEXT)
        self._control.halt(notes.name(asked.get("by")), why or "asked on the page")

    def _confirm(self, asked: Mapping[str, Any]) -> None:
        self._same_gate(asked)
        self._control.confirm(notes.name(asked.get("by")))

    def _refuse(self, asked: Mapping[str, Any]) -> None:
        self._same_gate(asked)
        self._control.refuse(notes.name(asked.get("by")))

    def _same_gate(self, asked: Mapping[str, Any]) -> None:
        """A page that shows what was may not open the gate that is now."""
        if not self._gate or asked.get("until") != self._gate["until"]:
            raise _StaleError("that gate is not open any more: look again")

    def _note(self, asked: Mapping[str, Any]) -> None:
        finding = notes.finding(**{key: asked.get(key, "") for key in ("severity", "owner", "retest")})
        self._control.note(notes.name(asked.get("by")), notes.words(asked.get("text")), **finding)


class _StaleError(ValueError):
    """It was asked of something that is over."""


def _acting(act: Callable[[Mapping[str, Any]], None]) -> Callable[[web.Request], Any]:
    """The handler of something that is asked for."""

    async def handle(request: web.Request) -> web.Response:
        from aiohttp import web

        try:
            asked = await request.json()
            if not isinstance(asked, dict):
                raise ValueError("an object is wanted")
            act(asked)
        except ValueError as wrong:
            status = 409 if isinstance(wrong, _StaleError) else 400
            return web.json_response({"error": str(wrong)}, status=status)
        return web.json_response({"done": True})

    return handle


def _guard(refusal: Callable[[web.Request], tuple[int, str] | None]) -> Any:
    """Lets through what is not refused; answers the rest."""
    from aiohttp import web

    @web.middleware
    async def guard(request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        refused = refusal(request)
        if refused is not None:
            status, why = refused
            return web.json_response({"error": why}, status=status)
        answer: web.StreamResponse = await handler(request)
        return answer

    return guard


async def _secure(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


@cache
def _text(name: str) -> str:
    """A file of the page; the style sheet begins with the colours of the report."""
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    if name.endswith(".css"):
        base = (TEMPLATES / "base.css").read_text(encoding="utf-8")
        return TOKENS.read_text(encoding="utf-8") + base + text
    return text
