"""SPDY/3.1 as far as forwarding a port needs it: streams that are opened, carry bytes, and are closed.

draft-mbelshe-httpbis-spdy-00. Flow control is left out, as by the clients that speak it (moby/spdystream).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

VERSION = 3
SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY = 1, 2, 3, 6, 7
DATA = 0
FIN = 1
LONGEST = 1 << 20
"""Bytes of a frame, and of headers, that are taken at most."""
PLAIN_WORDS = """
options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age
allow authorization cache-control connection content-base content-encoding content-language content-length
content-location content-md5 content-range content-type date etag expect expires from host if-match
if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma
proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade
user-agent vary via warning www-authenticate method get status
"""
WORDS = (
    *PLAIN_WORDS.split(),
    "200 OK",
    "version",
    "HTTP/1.1",
    "url",
    "public",
    "set-cookie",
    "keep-alive",
    "origin",
)
REST = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized"
    "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,"
    "text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


def _text(text: bytes) -> bytes:
    return len(text).to_bytes(4, "big") + text


DICTIONARY = b"".join(_text(word.encode()) for word in WORDS) + REST.encode()
"""What compression of headers begins with; section 2.6.10.1 of the draft."""


class Malformed(Exception):  # noqa: N818 - what it says of what came
    """What came is no SPDY/3.1."""


class Frame(NamedTuple):
    """What the other side said; `type` DATA or a control frame's."""

    type: int
    stream: int
    is_last: bool
    data: bytes
    headers: Mapping[str, str]


class Connection:
    """One side of a connection: reads the other's frames, and writes its own."""

    def __init__(self) -> None:
        self._rest = b""
        self._unpack = zlib.decompressobj(zdict=DICTIONARY)
        self._pack = zlib.compressobj(zdict=DICTIONARY)

    def frames(self, received: bytes) -> Iterator[Frame]:
        """The frames that are whole by now. Raises Malformed."""
        self._rest += received
        while len(self._rest) >= 8:
            head, length = self._rest[:8], int.from_bytes(self._rest[5:8], "big")
            if length > LONGEST:
                raise Malformed("a frame is too long")
            if len(self._rest) < 8 + length:
                return
            body, self._rest = self._rest[8 : 8 + length], self._rest[8 + length :]
            yield self._frame(head, body)

    def reply(self, stream: int) -> bytes:
        """Accepts a stream."""
        nothing = self._pack.compress(bytes(4)) + self._pack.flush(zlib.Z_SYNC_FLUSH)
        return _control(SYN_REPLY, 0, _number(stream) + nothing)

    @staticmethod
    def data(stream: int, data: bytes, *, is_last: bool = False) -> bytes:
        """Bytes on a stream; the last ones close it for this side."""
        return _number(stream) + bytes([FIN * is_last]) + len(data).to_bytes(3, "big") + data

    @staticmethod
    def pong(ping: Frame) -> bytes:
        """Answers a ping."""
        return _control(PING, 0, _number(ping.stream))

    def _frame(self, head: bytes, body: bytes) -> Frame:
        first, is_last = int.from_bytes(head[:4], "big"), bool(head[4] & FIN)
        if not first >> 31:
            return Frame(DATA, first, is_last, body, {})
        if first >> 16 & 0x7FFF != VERSION or len(body) < 4:
            raise Malformed("this is no SPDY/3")
        kind, stream = first & 0xFFFF, int.from_bytes(body[:4], "big") & 0x7FFFFFFF
        headers = self._headers(body[10:]) if kind == SYN_STREAM else {}
        return Frame(kind, stream, is_last, b"", headers)

    def _headers(self, packed: bytes) -> dict[str, str]:
        try:
            block = self._unpack.decompress(packed, LONGEST)
        except zlib.error:
            raise Malformed("the headers cannot be read") from None
        if self._unpack.unconsumed_tail:
            raise Malformed("the headers are too long")
        texts, at = [], 4
        while at + 4 <= len(block):
            length = int.from_bytes(block[at : at + 4], "big")
            texts.append(block[at + 4 : at + 4 + length].decode("utf-8", "replace"))
            at += 4 + length
        return {name.lower(): value for name, value in zip(texts[::2], texts[1::2], strict=False)}


def _number(number: int) -> bytes:
    return number.to_bytes(4, "big")


def _control(kind: int, flags: int, body: bytes) -> bytes:
    return _number(1 << 31 | VERSION << 16 | kind) + bytes([flags]) + len(body).to_bytes(3, "big") + body
