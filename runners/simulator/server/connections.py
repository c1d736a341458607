"""What is on its way on this machine between a port of 127.0.0.1 and its clients, as the kernel knows it.

What one end has sent is not at once at the other: the kernel hands it over when it gets to it. How much each
end has sent and received it tells through a netlink socket: sock_diag(7), include/uapi/linux/tcp.h tcp_info.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

SOCK_DIAG, SOCK_DIAG_BY_FAMILY = 4, 20
REQUEST_DUMP = 0x301
"""NLM_F_REQUEST and NLM_F_DUMP, netlink(7)."""
DONE, FAILED = 3, 2
HEADER = struct.Struct("=IHHII")
REQUEST = struct.Struct("=BBBBI48s")
"""inet_diag_req_v2: family, protocol, what else is to be told, states, which socket (here: any)."""
TCP_INFO = 2
ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, TIME_WAIT, CLOSE, CLOSE_WAIT = range(1, 9)
LAST_ACK, CLOSING = 9, 11
OPENING = frozenset({SYN_SENT, SYN_RECV})
HAS_CLOSED = frozenset({FIN_WAIT1, LAST_ACK, CLOSING})
HEARD_NO_CLOSE = frozenset({ESTABLISHED, FIN_WAIT1, FIN_WAIT2})
ASKED = 0xFFF & ~(1 << TIME_WAIT | 1 << CLOSE)
SOURCE, LOOPBACK = slice(8, 12), socket.inet_aton("127.0.0.1")
ATTRIBUTES_AT = 72
RECEIVED_AT, UNSENT_AT, SENT_AT = 128, 144, 200
"""Where tcp_info has tcpi_bytes_received, tcpi_notsent_bytes, and tcpi_bytes_sent with those sent again."""
LARGEST = 1 << 16


class End(NamedTuple):
    """One end of a connection: its ports, its state, bytes; of a listening one, unread connections."""

    port: int
    other: int
    state: int
    unread: int
    sent: int
    received: int


class Connections:
    """The connections to a port. Making it raises OSError where the kernel does not tell of them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, SOCK_DIAG)
        try:
            self._ends()
        except OSError:
            self.close()
            raise

    def are_silent(self) -> bool:
        """Whether all that either end has sent is at the other, and the server's end has been read."""
        ends = {(end.port, end.other): end for end in self._ends()}
        return all(self._is_silent(end, ends.get((end.other, end.port))) for end in ends.values())

    def close(self) -> None:
        """Asks no more."""
        self._netlink.close()

    def _is_silent(self, end: End, other: End | None) -> bool:
        if end.state in OPENING or (end.port == self._port and end.unread):
            return False
        if end.state in HAS_CLOSED:
            return other is None or other.state not in HEARD_NO_CLOSE
        if end.state != ESTABLISHED:
            return True
        return other is not None and (other.state != ESTABLISHED or end.sent == other.received)

    def _ends(self) -> list[End]:
        request = REQUEST.pack(socket.AF_INET, socket.IPPROTO_TCP, 1 << TCP_INFO - 1, 0, ASKED, b"")
        self._netlink.send(
            HEADER.pack(HEADER.size + len(request), SOCK_DIAG_BY_FAMILY, REQUEST_DUMP, 0, 0) + request
        )
        ends = [_end(told) for told in self._told() if told[SOURCE] == LOOPBACK]
        return [end for end in ends if self._port in (end.port, end.other)]

    def _told(self) -> Iterator[bytes]:
        """What the kernel answers, socket by socket."""
        while True:
            rest = self._netlink.recv(LARGEST)
            while rest:
                length, kind, *_ = HEADER.unpack_from(rest)
                if kind == DONE:
                    return
                if kind == FAILED:
                    (number,) = struct.unpack_from("=i", rest, HEADER.size)
                    raise OSError(-number, "the kernel does not tell of its connections")
                yield rest[HEADER.size : length]
                rest = rest[(length + 3) & ~3 :]


def _end(told: bytes) -> End:
    """The end that an inet_diag_msg tells of. OSError when the kernel is too old to count its bytes."""
    port, other = struct.unpack_from(">HH", told, 4)
    (unread,) = struct.unpack_from("=I", told, 56)
    sent = received = 0
    at = ATTRIBUTES_AT
    while at < len(told):
        length, kind = struct.unpack_from("=HH", told, at)
        if kind == TCP_INFO:
            info = told[at + 4 : at + length]
            if len(info) < SENT_AT + 16:
                raise OSError("the kernel does not count the bytes of its connections")
            (received,) = struct.unpack_from("=Q", info, RECEIVED_AT)
            (unsent,) = struct.unpack_from("=I", info, UNSENT_AT)
            all_sent, again = struct.unpack_from("=QQ", info, SENT_AT)
            sent = all_sent - again + unsent
        at += (length + 3) & ~3
    if told[1] == CLOSE_WAIT:
        unread = max(0, unread - 1)  # the close itself counts as a byte
    return End(port, other, told[1], unread, sent, received)
