"""What is on its way between two ends: each look is at real connections of this machine."""

from __future__ import annotations

import platform
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from gherkube.runners.simulator.server import connections
from gherkube.runners.simulator.server.connections import Connections, End

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="only Linux tells of connections")
SERVER, CLIENT = 80, 4000
OPEN, SYN_SENT, FIN_WAIT1, CLOSE_WAIT = 1, 2, 4, 8


@pytest.fixture
def port() -> Iterator[socket.socket]:
    """A port of this machine that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def told(port: socket.socket) -> Iterator[Connections]:
    """What the kernel tells of them."""
    with closing(Connections(port.getsockname()[1])) as all_:
        yield all_


def test_what_the_server_has_not_read_is_on_its_way(port: socket.socket, told: Connections) -> None:
    """A connection that it has not taken, and bytes; what it has sent itself may wait for the client."""
    assert told.are_silent()
    with socket.create_connection(port.getsockname()) as client:
        assert not told.are_silent()
        server, _ = port.accept()
        with server:
            assert told.are_silent()
            client.sendall(b"what")
            assert not told.are_silent()
            assert server.recv(3) == b"wha"
            assert not told.are_silent()
            assert server.recv(3) == b"t"
            assert told.are_silent()
            server.sendall(b"this")
            assert told.are_silent()


def test_an_end_that_is_closed_is_silent(port: socket.socket, told: Connections) -> None:
    """Once the other knows of it; and so are connections that are gone, and those to other ports."""
    with socket.create_connection(port.getsockname()) as client:
        server, _ = port.accept()
        with server, socket.create_server(("127.0.0.1", 0)) as other:
            client.close()
            assert server.recv(1) == b""
            with socket.create_connection(other.getsockname()):
                assert told.are_silent()
        assert told.are_silent()


@pytest.mark.parametrize(
    ("ends", "silent"),
    [
        ([End(SERVER, CLIENT, OPEN, 0, 7, 5), End(CLIENT, SERVER, OPEN, 0, 5, 7)], True),
        ([End(SERVER, CLIENT, OPEN, 0, 7, 5), End(CLIENT, SERVER, OPEN, 0, 5, 6)], False),
        ([End(SERVER, CLIENT, OPEN, 0, 7, 4), End(CLIENT, SERVER, OPEN, 0, 5, 7)], False),
        ([End(CLIENT, SERVER, SYN_SENT, 0, 0, 0)], False),
        ([End(CLIENT, SERVER, OPEN, 0, 0, 0)], False),
        ([End(SERVER, CLIENT, OPEN, 0, 7, 5), End(CLIENT, SERVER, FIN_WAIT1, 0, 5, 7)], False),
        ([End(SERVER, CLIENT, CLOSE_WAIT, 0, 7, 6), End(CLIENT, SERVER, OPEN, 0, 5, 7)], True),
    ],
    ids=["still", "to the client", "to the server", "asks", "half open", "closes", "closed"],
)
def test_what_was_sent_and_is_not_there_is_on_its_way(
    ends: list[End], silent: bool, told: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the kernel has not handed over yet."""
    monkeypatch.setattr(told, "_port", SERVER)
    monkeypatch.setattr(told, "_ends", lambda: ends)
    assert told.are_silent() is silent


def test_a_kernel_that_does_not_tell_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, so that another way can be gone."""
    monkeypatch.setattr(connections, "SOCK_DIAG_BY_FAMILY", 99)
    with pytest.raises(OSError, match="does not tell of its connections"):
        Connections(80)
    monkeypatch.undo()
    monkeypatch.setattr(connections, "SENT_AT", 4096)
    with (
        socket.create_server(("127.0.0.1", 0)) as port,
        pytest.raises(OSError, match="does not count the bytes"),
    ):
        Connections(port.getsockname()[1])
