"""`pods/portforward`: HTTP requests through a forwarded port, answered by the modelled application.

Clients since Kubernetes 1.31 speak SPDY inside of a websocket. Each connection to the local port is a pair of
streams, one for its bytes and one for what goes wrong.
pkg/kubelet/cri/streaming/portforward, client-go/tools/portforward
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus

from gherkube.runners.objects import Key, key_of
from gherkube.runners.simulator.cluster import Simulator
from gherkube.runners.simulator.server import access, spdy
from gherkube.runners.simulator.server.calls import Call
from gherkube.runners.simulator.server.paths import parse

PROTOCOL = "SPDY/3.1+portforward.k8s.io"
LONGEST = 1 << 20
"""Bytes of a request that are taken at most."""


def is_asked_for(call: Call) -> bool:
    """Whether a request begins to forward ports, in the way that is understood here."""
    asked = call.headers.get("sec-websocket-protocol", "").replace(" ", "").split(",")
    return call.path.endswith("/portforward") and call.method == "GET" and PROTOCOL in asked


def begin(cluster: Simulator, call: Call, catch_up: Callable[[], object]) -> Forwarding:
    """What answers on that connection; see `Forwarding`. ApiError NotFound, Forbidden."""
    target = parse(call.path)
    access.check(access.pretended(call.headers), target, method=call.method, watches=False)
    pod = cluster.api.get("pods", target.name, target.namespace)
    return Forwarding(cluster, key_of(pod), catch_up)


class Forwarding:
    """What is said on one connection to the API server. `catch_up` lets time come to now."""

    def __init__(self, cluster: Simulator, pod: Key, catch_up: Callable[[], object]) -> None:
        self._cluster, self._pod, self._catch_up = cluster, pod, catch_up
        self._connection = spdy.Connection()
        self._errors: dict[str, int] = {}
        self._ports: dict[int, tuple[int, str]] = {}
        self._received: dict[int, bytes] = {}

    def answers(self, received: bytes) -> Iterator[bytes]:
        """What to say to that. Raises spdy.Malformed."""
        for frame in self._connection.frames(received):
            match frame.type:
                case spdy.SYN_STREAM:
                    self._open(frame)
                    yield self._connection.reply(frame.stream)
                case spdy.PING:
                    yield self._connection.pong(frame)
                case spdy.RST_STREAM:
                    self._forget(frame.stream)
                case spdy.DATA if frame.stream in self._ports:
                    yield from self._data(frame)

    def _open(self, frame: spdy.Frame) -> None:
        request, port = frame.headers.get("requestid", ""), frame.headers.get("port", "")
        if not port.isdecimal() or len(port) > 5:
            raise spdy.Malformed("a stream names no port")
        if frame.headers.get("streamtype") == "error":
            self._errors[request] = frame.stream
        else:
            self._ports[frame.stream] = int(port), request
            self._received[frame.stream] = b""

    def _data(self, frame: spdy.Frame) -> Iterator[bytes]:
        stream = frame.stream
        self._received[stream] += frame.data
        while (request := self._request(stream)) is not None:
            port, name = self._ports[stream]
            self._catch_up()
            reply = self._cluster.kubelets.request(self._pod, port, request)
            if not reply.code:
                error = self._errors.get(name)
                said = f"error forwarding port {port} to pod {self._pod.name}: {reply.body}"
                if error is not None:
                    yield self._connection.data(error, said.encode(), is_last=True)
                yield self._connection.data(stream, b"", is_last=True)
                self._forget(stream)
                return
            yield self._connection.data(stream, _response(reply.code, f"{reply.body}\n"))
        if frame.is_last or len(self._received[stream]) > LONGEST:
            yield from self._end(stream)

    def _request(self, stream: int) -> str | None:
        """The path of the next whole request on that stream, which is taken from it; None without one."""
        head, found, rest = self._received[stream].partition(b"\r\n\r\n")
        if not found:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = (line.partition(":") for line in lines)
        length = {name.strip().lower(): value.strip() for name, _, value in fields}.get("content-length", "0")
        size = int(length) if length.isdecimal() and len(length) < 9 else 0
        if len(rest) < size:
            return None
        self._received[stream] = rest[size:]
        words = first.split(" ")
        return words[1].partition("?")[0] if len(words) > 1 else "/"

    def _end(self, stream: int) -> Iterator[bytes]:
        yield self._connection.data(stream, b"", is_last=True)
        error = self._errors.pop(self._ports[stream][1], None)
        if error is not None:
            yield self._connection.data(error, b"", is_last=True)
        self._forget(stream)

    def _forget(self, stream: int) -> None:
        self._received.pop(stream, None)
        _, name = self._ports.pop(stream, (0, ""))
        self._errors.pop(name, None)


def _response(code: int, body: str) -> bytes:
    data = body.encode()
    head = f"HTTP/1.1 {code} {HTTPStatus(code).phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data
