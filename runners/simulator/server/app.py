"""The HTTP server: carries requests to the front and answers back, within limits.

The whole simulator runs on the event loop's thread: a request is answered between two of its events.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from weakref import WeakSet

from aiohttp import ClientError, WSMsgType, web
from aiohttp.http_exceptions import HttpProcessingError

from gherkube.runners.errors import ApiError
from gherkube.runners.simulator.api.refusals import bad_request
from gherkube.runners.simulator.server import logs, portforward
from gherkube.runners.simulator.server.admin import ADVANCE, CLOCK, Time
from gherkube.runners.simulator.server.calls import JSON, TEXT, Call, Reply
from gherkube.runners.simulator.server.forms import encoded
from gherkube.runners.simulator.server.front import HEALTH, Front, refusal
from gherkube.runners.simulator.server.paths import parse
from gherkube.runners.simulator.server.pump import Pump
from gherkube.runners.simulator.server.spdy import Malformed
from gherkube.runners.simulator.server.state import State, may_change
from gherkube.runners.simulator.server.watch import Watch

CLIENTS_FAULTS = (ConnectionError, HttpProcessingError, ClientError, web.RequestPayloadError)
LOGGER = logging.getLogger("gherkube.serve")
"""What the HTTP library says of its own defects; what clients do wrong, they are told."""
LOGGER.addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], CLIENTS_FAULTS)))

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
OPEN_PATHS = HEALTH | {"/version"}
"""What is answered to anybody, as by the role system:public-info-viewer."""
MARK_EVERY = 1.0
"""Real seconds between two notes of the time in the state."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server takes; sizes in bytes."""

    body: int = 3 * 1024 * 1024
    """staging/src/k8s.io/apiserver/pkg/server/config.go MaxRequestBodyBytes"""
    headers: int = 64 * 1024
    line: int = 32 * 1024
    connections: int = 1000
    in_flight: int = 400
    """Requests at once, long polls apart: `--max-requests-inflight`."""
    rate: int = 2000
    """Requests a second."""
    slow_client: float = 90.0
    """Real seconds after which a client is let go that does not ask, send its body, or take its answer."""

    def of_runner(self) -> dict[str, Any]:
        """The settings of an aiohttp runner that keeps within them."""
        return {
            "max_line_size": self.line,
            "max_field_size": self.headers,
            "keepalive_timeout": self.slow_client,
            "lingering_time": self.slow_client / 9,  # for the rest of a body that is refused
            "logger": LOGGER,
            "access_log": None,
        }


class Server:
    """The front over HTTP. `token`: what a client has to bear; "" lets everybody in."""

    def __init__(
        self,
        front: Front,
        pump: Pump,
        *,
        token: str = "",
        limits: Limits | None = None,
        state: State | None = None,
    ) -> None:
        self.front, self.pump, self._state = front, pump, state
        self._marked = 0.0
        self._token, self.limits = token, limits or Limits()
        self._time, self._rate = Time(pump), Rate(self.limits.rate)
        self._connections: WeakSet[asyncio.Transport] = WeakSet()
        self._in_flight = self.asked = 0
        self.admit: Callable[[Call], Awaitable[object]] | None = None
        """Waits until a request may be answered; None: at once."""
        self._watching: set[asyncio.Task[object]] = set()

    def app(self) -> web.Application:
        """The application, which lets time pass while it runs."""
        app = web.Application(
            client_max_size=self.limits.body, middlewares=[self._errors, self._access, self._bounded]
        )
        app.router.add_route("*", "/{path:.*}", self._handle)
        app.cleanup_ctx.append(self._run_pump)
        app.on_shutdown.append(self._end_watches)
        return app

    @property
    def in_flight(self) -> int:
        """How many requests are being answered, long polls apart; `asked` counts all that ever came."""
        return self._in_flight

    @property
    def unsent(self) -> int:
        """How many bytes of answers wait for their clients to take those before."""
        return sum(each.get_write_buffer_size() for each in self._connections if not each.is_closing())

    def close(self) -> None:
        """Lets go of the state."""
        if self._state is not None:
            self._state.close(self.pump.place())

    async def _run_pump(self, _app: web.Application):  # type: ignore[no-untyped-def]
        running = asyncio.ensure_future(self.pump.run())
        yield
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    async def _end_watches(self, _app: web.Application) -> None:
        for task in list(self._watching):
            task.cancel()

    @web.middleware
    async def _errors(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Every refusal is a Status, also those of the HTTP library."""
        try:
            return await handler(request)
        except web.HTTPRequestEntityTooLarge:
            said = f"Request entity too large: limit is {self.limits.body}"
            return _response(refusal(ApiError(413, "RequestEntityTooLarge", said)))
        except web.HTTPException as error:
            return _response(refusal(ApiError(error.status, error.reason.replace(" ", ""), error.reason)))
        except ConnectionError:  # the client has gone
            raise
        except Exception as error:
            return _response(refusal(error))

    @web.middleware
    async def _access(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Who may ask: whoever bears the token."""
        given = request.headers.get("Authorization", "")
        expected = f"Bearer {self._token}"
        known = hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
        if self._token and not known and request.path not in OPEN_PATHS:
            raise ApiError(401, "Unauthorized", "Unauthorized")
        if not self._token and not _is_direct(request.host):
            raise ApiError(403, "Forbidden", f"the host {request.host!r} is not this server's address")
        return await handler(request)

    @web.middleware
    async def _bounded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """How much may be asked at once."""
        if sum(len(name) + len(value) for name, value in request.raw_headers) > self.limits.headers:
            raise ApiError(431, "RequestHeaderFieldsTooLarge", "Request Header Fields Too Large")
        if request.transport is not None:
            self._connections.add(request.transport)
        busy = self._in_flight >= self.limits.in_flight or len(self._connections) > self.limits.connections
        if busy or not self._rate.allows(time.monotonic()):
            said = "Too many requests, please try again later."
            raise ApiError(429, "TooManyRequests", said, {"retryAfterSeconds": 1})
        self._in_flight += 1
        self.asked += 1
        try:
            return await handler(request)
        finally:
            self._in_flight -= 1

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.method not in METHODS:
            raise ApiError(405, "MethodNotAllowed", f"method {request.method} is not allowed")
        call = Call(
            request.method,
            request.rel_url.raw_path,
            dict(request.query),
            {name.lower(): value for name, value in request.headers.items()},
            await self._body(request),
        )
        if self.admit is not None:
            await self.admit(call)
        self.pump.catch_up()
        if call.path in (ADVANCE, CLOCK):
            reply = await self._time.answer(call)
            if self._state is not None:
                self._state.mark(self.pump.place(), safe=True)
            return _response(reply)
        if call.watches:
            return await self._watch(request, call)
        if call.path.endswith("/log") and call.method == "GET" and call.asks("follow"):
            reply = self.front.answer(call)
            return _response(reply) if reply.code >= 400 else await self._follow(request, call)
        if portforward.is_asked_for(call):
            return await self._forward(request, call)
        return _response(self.answer(call))

    async def _body(self, request: web.Request) -> bytes:
        if not request.body_exists:
            return b""
        try:
            async with asyncio.timeout(self.limits.slow_client):
                return await request.read()
        except TimeoutError:
            raise ApiError(408, "Timeout", "the body of the request did not come in time") from None
        except (web.RequestPayloadError, ClientError, HttpProcessingError) as error:
            raise bad_request(f"the body of the request cannot be read: {error}") from None

    def answer(self, call: Call) -> Reply:
        """The answer to any request but a watch, once it is kept."""
        if self._state is not None and may_change(call):
            self._state.request(call, self.pump.place())
        else:
            self._mark()
        reply = self.front.answer(call)
        self.pump.poke()
        return reply

    def _mark(self) -> None:
        """Keeps now and then how far time has come that clients have seen."""
        now = time.monotonic()
        if self._state is not None and now - self._marked >= MARK_EVERY:
            self._marked = now
            self._state.mark(self.pump.place())

    async def _watch(self, request: web.Request, call: Call) -> web.StreamResponse:
        try:
            watch = Watch(self.front, self.pump, call)
        except Exception as error:
            return _response(refusal(error))
        return await self._stream(request, watch.lines(), JSON)

    async def _follow(self, request: web.Request, call: Call) -> web.StreamResponse:
        target = parse(call.path)
        pod = self.front.cluster.api.get("pods", target.name, target.namespace)
        return await self._stream(request, logs.follow(self.front.cluster, self.pump, pod, call.query), TEXT)

    async def _forward(self, request: web.Request, call: Call) -> web.StreamResponse:
        """Carries the connections to a forwarded port until the client has had enough."""
        forwarding = portforward.begin(self.front.cluster, call, self.pump.catch_up)
        socket = web.WebSocketResponse(protocols=(portforward.PROTOCOL,), max_msg_size=portforward.LONGEST)
        await socket.prepare(request)
        with self._waiting():
            async for message in socket:
                if message.type is not WSMsgType.BINARY:
                    break
                for answer in forwarding.answers(message.data):
                    await socket.send_bytes(answer)
        await socket.close()
        return socket

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """While a request lasts for as long as its client likes: it does not count as one at work."""
        task = asyncio.current_task()
        assert task is not None
        self._watching.add(task)
        self._in_flight -= 1
        try:
            yield
        except (TimeoutError, ConnectionError, Malformed):
            pass
        finally:
            self._in_flight += 1
            self._watching.discard(task)

    async def _stream(
        self, request: web.Request, parts: AsyncIterator[bytes], type_: str
    ) -> web.StreamResponse:
        """Sends what comes, for as long as something may come."""
        response = web.StreamResponse(headers={"Content-Type": type_, "Cache-Control": "no-cache, private"})
        await response.prepare(request)
        with self._waiting():
            async for lines in parts:
                async with asyncio.timeout(self.limits.slow_client):
                    await response.write(lines)
            await response.write_eof()
        return response


class Rate:
    """Lets so many through a second, and as many at once."""

    def __init__(self, rate: int) -> None:
        self._rate, self._left, self._at = rate, float(rate), 0.0

    def allows(self, now: float) -> bool:
        """Whether one more may pass now."""
        self._left = min(self._rate, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def _is_direct(host: str) -> bool:
    """Whether a Host header names an address, not a name that a web page may have bent to it."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return name == "localhost"
    return True


def _response(reply: Reply) -> web.Response:
    if isinstance(reply.body, bytes):
        body = reply.body
    elif isinstance(reply.body, str):
        body = reply.body.encode()
    else:
        body = encoded(reply.body)
    response = web.Response(
        body=body, status=reply.code, headers={"Content-Type": reply.type, **reply.headers}
    )
    response.headers["Cache-Control"] = "no-cache, private"
    for warning in reply.warnings:
        response.headers.add("Warning", warning)
    return response
