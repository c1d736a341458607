"""Kills a server that keeps its state while clients write to it, again and again, and looks at what is left.

python -m tests.server.crash [--kills 50] [--seed N]
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from random import Random
from typing import Any

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
WRITERS = 3


class Serving:
    """A server of its own process."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self._port = process, port

    def ask(
        self, method: str, path: str, body: Any = None, *, type_: str = "application/json"
    ) -> tuple[int, Any]:
        """Code and body of an answer."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=300)
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, {"Content-Type": type_})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


@contextmanager
def serving(folder: Path, *arguments: str, most: int = 0) -> Iterator[Serving]:
    """A server that keeps its state in the folder; `most`: how large a file may become, in bytes."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    kubeconfig = folder / "kubeconfig"
    command = [
        str(Path(sys.executable).with_name("gherkube")),
        "serve",
        "--http",
        "--state",
        str(folder / "state"),
    ]
    process = subprocess.Popen(
        [*command, "--kubeconfig", str(kubeconfig), *arguments],
        stdout=subprocess.PIPE,
        preexec_fn=limit if most else None,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline(), "the server did not start"
        port = re.search(r"http://127\.0\.0\.1:(\d+)", kubeconfig.read_text())
        assert port
        yield Serving(process, int(port[1]))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


class Client(threading.Thread):
    """Makes, changes and deletes objects of its own until the server is gone, and notes what was answered."""

    def __init__(
        self, server: Serving, number: int, turn: int, known: dict[str, Any], answered: threading.Semaphore
    ) -> None:
        super().__init__()
        self._answered = answered
        self._server, self._number, self._turn = server, number, turn
        self.known = known
        """By name: resourceVersion and data of the last answer, None when it was deleted."""
        self.asked: dict[str, list[Any]] = {}
        """By name: what was asked for, and perhaps done, but not answered."""
        self.answers = 0

    def run(self) -> None:
        """Writes until it cannot."""
        with suppress(OSError, HTTPException, ValueError):
            for step in range(10_000):
                name = f"of-{self._number}-{self._turn}-{step // 3}"
                self._write(name, step)

    def _write(self, name: str, step: int) -> None:
        data = None if step % 9 == 8 else {"step": str(step)}
        self.asked = {name: [data]}
        if step % 3 == 0:
            code, made = self._server.ask("POST", CONFIGMAPS, {"metadata": {"name": name}, "data": data})
        elif data is None:
            code, made = self._server.ask("DELETE", f"{CONFIGMAPS}/{name}")
        else:
            path, type_ = f"{CONFIGMAPS}/{name}", "application/merge-patch+json"
            code, made = self._server.ask("PATCH", path, {"data": data}, type_=type_)
        assert code < 300, made
        self.known[name] = None if data is None else (made["metadata"]["resourceVersion"], data)
        self.asked, self.answers = {}, self.answers + 1
        self._answered.release()


def kill_often(folder: Path, kills: int, random: Random) -> int:
    """Kills a server so many times; how many writes it had answered. AssertionError when one was lost."""
    known: dict[str, Any] = {}
    answered = 0
    for turn in range(kills):
        with serving(folder, "--clock", "fast" if turn % 2 else "real") as server:
            writes = threading.Semaphore(0)
            clients = [Client(server, number, turn, known, writes) for number in range(WRITERS)]
            for client in clients:
                client.start()
            for _ in range(random.randrange(1, 100)):
                assert writes.acquire(timeout=300), "no write is answered any more"
            server.process.kill()
            for client in clients:
                client.join()
        _tear(folder / "state", random)
        answered += sum(client.answers for client in clients)
        with serving(folder, "--clock", "manual") as server:
            _check(server, known, [client.asked for client in clients])
    return answered


def _tear(state: Path, random: Random) -> None:
    """Leaves the beginning of a line behind, as a crash of the computer would."""
    if random.random() < 0.3:
        with state.open("ab") as file:
            file.write(b'{"steps":12,"at":3.5,"method":"POST","pa'[: random.randrange(1, 40)])


def _check(server: Serving, known: dict[str, Any], asked: list[dict[str, list[Any]]]) -> None:
    """Holds what is there against what was answered; notes what became of what was not."""
    perhaps = {name: wanted for each in asked for name, wanted in each.items()}
    _, listed = server.ask("GET", CONFIGMAPS)
    there = {
        item["metadata"]["name"]: (item["metadata"]["resourceVersion"], item.get("data"))
        for item in listed["items"]
        if item["metadata"]["name"].startswith("of-")
    }
    for name in known.keys() | there.keys():
        found = there.get(name)
        if found != known.get(name):
            data = found and found[1]
            wanted = perhaps.get(name, ["nothing"])[0]
            assert data == wanted, (name, known.get(name), found)
            known[name] = found
    newest = max((int(each[0]) for each in known.values() if each), default=0)
    assert int(listed["metadata"]["resourceVersion"]) >= newest


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        answered = kill_often(Path(folder), args.kills, Random(args.seed))
    print(f"killed {args.kills} times; of {answered:,} answered writes none was lost")
    return 0


if __name__ == "__main__":
    sys.exit(main())
