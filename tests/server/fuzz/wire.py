"""HTTP/1.1 by hand: bytes as they are, so that what no client library would send can be sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

PATIENCE = 120.0
"""Real seconds after which a whole request without an answer hangs."""
BRIEFLY = 0.05
"""Real seconds for which more of a stream, or of an answer to half a request, is waited for."""


class Request(NamedTuple):
    """What is sent. `frame`: as what the body is framed, and what else is wrong with the bytes."""

    method: str
    path: str
    headers: Sequence[tuple[str, bytes]] = ()
    body: bytes | None = None
    frame: str = "whole"

    @property
    def is_whole(self) -> bool:
        """Whether a server has all that it needs for an answer."""
        return self.frame == "whole"

    @property
    def streams(self) -> bool:
        """Whether the answer may be one that does not end."""
        query = self.path.lower().partition("?")[2]
        return self.method == "GET" and ("watch" in query or "follow" in query)

    def raw(self, token: str) -> bytes:
        """The bytes."""
        body = b"" if self.body is None else self.body
        lines = [f"{self.method} {self.path} ".encode("utf-8", "surrogatepass") + b"HTTP/1.1"]
        given = {name.lower() for name, _ in self.headers}
        if "host" not in given:
            lines.append(b"Host: 127.0.0.1")
        if token and "authorization" not in given:
            lines.append(b"Authorization: Bearer " + token.encode())
        lines += [name.encode() + b": " + value for name, value in self.headers]
        lines.append(b"Connection: close")
        return FRAMES[self.frame](lines, body)


class Answer(NamedTuple):
    """What came back; code 0: the connection was closed without a word, -1: nothing came in time."""

    code: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; raises ValueError."""
        return json.loads(self.body)


def _sized(lines: list[bytes], body: bytes, length: object) -> bytes:
    return b"\r\n".join([*lines, f"Content-Length: {length}".encode(), b"", body])


def _chunked(lines: list[bytes], body: bytes, size: str, end: bytes = b"\r\n0\r\n\r\n") -> bytes:
    return b"\r\n".join([*lines, b"Transfer-Encoding: chunked", b"", size.encode() + b"\r\n" + body]) + end


def _whole(lines: list[bytes], body: bytes) -> bytes:
    return _sized(lines, body, len(body))


FRAMES = {
    "whole": _whole,
    "chunked": lambda lines, body: _chunked(lines, body or b"x", f"{len(body or b'x'):x}"),
    "chunk too large": lambda lines, body: _chunked(lines, body, f"{len(body) + 9:x}"),
    "chunk too small": lambda lines, body: _chunked(lines, body + b"12345", f"{len(body):x}"),
    "chunk of no number": lambda lines, body: _chunked(lines, body, "zz"),
    "chunk below zero": lambda lines, body: _chunked(lines, body, "-5"),
    "chunk of endless size": lambda lines, body: _chunked(lines, body, "f" * 5000),
    "chunks without end": lambda lines, body: _chunked(lines, body, f"{len(body):x}", b"\r\n"),
    "chunk extension": lambda lines, body: _chunked(lines, body, f"{len(body):x};{'a=b;' * 2000}"),
    "longer than said": lambda lines, body: _sized(lines, body + b" {}", max(0, len(body) - 1)),
    "shorter than said": lambda lines, body: _sized(lines, body, len(body) + 10),
    "length below zero": lambda lines, body: _sized(lines, body, -1),
    "length of no number": lambda lines, body: _sized(lines, body, "many"),
    "length beyond all": lambda lines, body: _sized(lines, body, 1 << 70),
    "lengths that differ": lambda lines, body: _sized([*lines, b"Content-Length: 3"], body, len(body)),
    "length and chunked": lambda lines, body: _sized(
        [*lines, b"Transfer-Encoding: chunked"], body, len(body)
    ),
    "no length": lambda lines, body: b"\r\n".join([*lines, b"", body]),
    "bare line feeds": lambda lines, body: _whole(lines, body).replace(b"\r\n", b"\n"),
    "no end of headers": lambda lines, _: b"\r\n".join(lines),
    "half a line": lambda lines, _: lines[0][:9],
    "nul in a header": lambda lines, body: _whole([*lines, b"X-Nul: a\0b"], body),
    "name of a header with a space": lambda lines, body: _whole([*lines, b"X Y: z"], body),
    "folded header": lambda lines, body: _whole([*lines, b"X-Fold: a\r\n b"], body),
    "header without a colon": lambda lines, body: _whole([*lines, b"nothing"], body),
    "ten thousand headers": lambda lines, body: _whole([*lines, *[b"X-Flood: y"] * 10_000], body),
    "one long header": lambda lines, body: _whole([*lines, b"X-Long: " + b"y" * 200_000], body),
    "many long headers": lambda lines, body: _whole([*lines, *[b"X-Long: " + b"y" * 4_000] * 30], body),
    "upgrade": lambda lines, body: _whole([*lines, b"Connection: Upgrade", b"Upgrade: SPDY/3.1"], body),
    "websocket": lambda lines, body: _whole(
        [*lines, b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: eA=="], body
    ),
    "expects 100": lambda lines, body: _whole([*lines, b"Expect: 100-continue"], body),
    "expects nonsense": lambda lines, body: _whole([*lines, b"Expect: miracles"], body),
    "gzip that is none": lambda lines, body: _whole([*lines, b"Content-Encoding: gzip"], body),
    "deflate that is none": lambda lines, body: _whole([*lines, b"Content-Encoding: deflate"], body),
    "unknown encoding": lambda lines, body: _whole([*lines, b"Content-Encoding: snappy"], body),
    "HTTP/1.0": lambda lines, body: _whole([lines[0].replace(b"1.1", b"1.0"), *lines[1:]], body),
    "HTTP/2": lambda _lines, _: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/9": lambda lines, body: _whole([lines[0].replace(b"1.1", b"9.9"), *lines[1:]], body),
    "no version": lambda lines, body: _whole([lines[0].rpartition(b" ")[0], *lines[1:]], body),
    "two hosts": lambda lines, body: _whole([*lines, b"Host: evil.example"], body),
    "TLS": lambda _lines, _: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
    "no HTTP": lambda _lines, body: body + b"\r\n\r\n",
}
"""By name: the lines of the head and the body, framed."""


async def exchange(port: int, request: Request, token: str = "", until: bytes = b"") -> Answer:
    """Sends a request on a connection of its own; what came back, up to these bytes where they are named."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
    is_brief = not until and (request.streams or not request.is_whole)
    try:
        writer.write(request.raw(token))
        with suppress(ConnectionError, TimeoutError):
            await asyncio.wait_for(writer.drain(), PATIENCE)
        read = await _read(reader, BRIEFLY if is_brief else PATIENCE, until)
    finally:
        writer.close()
        with suppress(ConnectionError, TimeoutError):
            await asyncio.wait_for(writer.wait_closed(), 1)
    return read


async def _read(reader: asyncio.StreamReader, patience: float, until: bytes) -> Answer:
    """An answer, up to those bytes, or the end of the connection or of patience."""
    data, ended = b"", False
    try:
        async with asyncio.timeout(patience):
            while part := await reader.read(1 << 16):
                data += part
                if until and until in data:
                    break
            ended = not part
    except ConnectionError:
        ended = True
    except TimeoutError:
        pass
    while data.startswith(b"HTTP/1.1 100"):
        data = data.partition(b"\r\n\r\n")[2]
    if not data:
        return Answer(0 if ended else -1, {}, b"")
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = _unchunked(body)
    return Answer(int(status.split()[1]), headers, body)


def _unchunked(body: bytes) -> bytes:
    parts = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size or b"0", 16)
        parts.append(rest[:length])
        body = rest[length + 2 :]
    return b"".join(parts)
