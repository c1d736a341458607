"""Ports that are forwarded: what goes through the streams, and kubectl's own end of them."""

from __future__ import annotations

import re
import subprocess
import urllib.request
import zlib
from pathlib import Path

import pytest

from gherkube.runners.objects import Key
from gherkube.runners.simulator.cluster import Simulator
from gherkube.runners.simulator.server import spdy
from gherkube.runners.simulator.server.portforward import Forwarding
from tests.server.kubectls import any_kubectl, served
from tests.server.loopback import deployment

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Client:
    """The other side: opens streams, says bytes, keeps what comes back."""

    def __init__(self) -> None:
        self.cluster = Simulator(seed=1)
        self.cluster.api.create(deployment(replicas=1))
        self.cluster.clock.sleep(20)
        (pod,) = self.cluster.api.list("pods", "default")
        self.pod = pod["metadata"]["name"]
        self._forwarding = Forwarding(self.cluster, Key("default", self.pod), lambda: None)
        self._pack = zlib.compressobj(zdict=spdy.DICTIONARY)
        self.said: dict[int, bytes] = {}
        self.kinds: list[tuple[int, int]] = []

    def say(self, sent: bytes, size: int = 1 << 20) -> None:
        """Sends bytes, so many at a time."""
        for at in range(0, len(sent), size):
            for answer in self._forwarding.answers(sent[at : at + size]):
                kind = 0 if answer[0] < 128 else answer[3]
                stream = int.from_bytes(answer[0:4] if not kind else answer[8:12], "big")
                self.kinds.append((kind, stream))
                if not kind:
                    self.said[stream] = self.said.get(stream, b"") + answer[8:]

    def syn(self, stream: int, **headers: str) -> bytes:
        """The frame that opens a stream."""
        texts = [text.encode() for pair in headers.items() for text in pair]
        block = len(headers).to_bytes(4, "big") + b"".join(len(t).to_bytes(4, "big") + t for t in texts)
        packed = self._pack.compress(block) + self._pack.flush(zlib.Z_SYNC_FLUSH)
        body = stream.to_bytes(4, "big") + bytes(6) + packed
        return b"\x80\x03\x00\x01\x00" + len(body).to_bytes(3, "big") + body

    def pair(self, first: int, port: str = "8080") -> bytes:
        """The streams of one connection: for errors, and for bytes."""
        common = {"port": port, "requestid": str(first)}
        return self.syn(first, streamtype="error", **common) + self.syn(
            first + 2, streamtype="data", **common
        )


def test_requests_are_answered_by_the_pod() -> None:
    """One after another on a connection, in whatever pieces they come, and on several connections."""
    client = Client()
    client.say(client.pair(1) + client.pair(5), size=7)
    assert client.kinds == [(spdy.SYN_REPLY, stream) for stream in (1, 3, 5, 7)]
    post = b"POST /x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
    client.say(spdy.Connection.data(3, GET + post) + spdy.Connection.data(7, GET), size=5)
    answer = f"hello | Running on: {client.pod} | v=1\n"
    assert client.said[3].decode().count(answer) == 2
    head, _, body = client.said[7].decode().partition("\r\n\r\n")
    assert (head.splitlines()[0], f"Content-Length: {len(body)}" in head, body) == (
        "HTTP/1.1 200 OK",
        True,
        answer,
    )
    client.say(spdy.Connection.data(3, b"", is_last=True))
    assert client.kinds[-2:] == [(spdy.DATA, 3), (spdy.DATA, 1)]


def test_a_port_where_nothing_listens_is_told() -> None:
    """On the stream for errors; both are closed."""
    client = Client()
    client.say(client.pair(1, "99") + spdy.Connection.data(3, GET))
    assert client.said[1].decode() == f"error forwarding port 99 to pod {client.pod}: connection refused"
    assert client.said[3] == b""


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n"[:8].replace(b"G", b"\x90"),
        b"\x80\x03\x00\x01\x00\xff\xff\xff",
        b"\x80\x02\x00\x01\x00\x00\x00\x04\x00\x00\x00\x01",
        b"\x80\x03\x00\x01\x00\x00\x00\x0e\x00\x00\x00\x01" + bytes(6) + b"abcd",
    ],
)
def test_what_is_no_spdy_ends_the_connection(sent: bytes) -> None:
    """Other versions, frames without end, headers that cannot be read."""
    with pytest.raises(spdy.Malformed):
        Client().say(sent)


def test_a_stream_without_a_port_ends_the_connection() -> None:
    """A hostile client gets no further."""
    client = Client()
    with pytest.raises(spdy.Malformed):
        client.say(client.syn(1, streamtype="data", requestid="1"))


def test_kubectl_forwards_a_port(tmp_path: Path) -> None:
    """What answers at its end is the modelled application."""
    kubectl = any_kubectl()
    with served(tmp_path, "--clock", "fast") as kubeconfig:
        command = [kubectl, "--kubeconfig", kubeconfig]
        create = ["create", "deployment", "web", "--image=hello:2", "--port=8080"]
        subprocess.run([*command, *create], check=True, capture_output=True)
        subprocess.run([*command, "rollout", "status", "deployment/web"], check=True, capture_output=True)
        forward = [*command, "port-forward", "deployment/web", ":8080", "--address", "127.0.0.1"]
        with subprocess.Popen(forward, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            found = re.match(r"Forwarding from (127.0.0.1:\d+) -> 8080", process.stdout.readline())
            assert found is not None
            for _ in range(2):
                with urllib.request.urlopen(f"http://{found[1]}/", timeout=300) as answer:
                    assert re.fullmatch(r"hello \| Running on: web-\S+ \| v=2\n", answer.read().decode())
            process.terminate()
