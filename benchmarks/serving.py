"""A server and plain HTTP to it, for the benchmarks that need one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

PODS = "/api/v1/namespaces/default/pods"
JSON = "application/json"


class Served:
    """A running server: its process, its kubeconfig, and a connection that stays open."""

    def __init__(self, process: subprocess.Popen[bytes], kubeconfig: Path, port: int) -> None:
        self.pid, self.kubeconfig, self.port = process.pid, kubeconfig, port
        self._connection = HTTPConnection("127.0.0.1", port)

    def ask(self, method: str, path: str, body: Any = None, *, type_: str = JSON) -> bytes:
        """The body of the answer, which has to be a success."""
        data = None if body is None else json.dumps(body)
        self._connection.request(method, path, data, {"Content-Type": type_, "Accept": JSON})
        response = self._connection.getresponse()
        read = response.read()
        assert response.status < 300, read
        return read

    def advance(self, seconds: float) -> None:
        """Lets virtual time pass."""
        self.ask("POST", "/gherkube/v1/clock/advance", {"seconds": seconds})

    def cpu(self) -> float:
        """Seconds of CPU that the process has had."""
        return cpu(self.pid)

    def memory(self) -> int:
        """Megabytes that the process holds."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") >> 20


@contextmanager
def serving(*arguments: str) -> Iterator[Served]:
    """A server over plain HTTP."""
    with tempfile.TemporaryDirectory() as folder:
        kubeconfig = Path(folder) / "kubeconfig"
        gherkube = str(Path(sys.executable).with_name("gherkube"))
        command = [gherkube, "serve", "--http", "--kubeconfig", str(kubeconfig), *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        try:
            assert process.stdout is not None
            process.stdout.readline()
            port = re.search(r"http://127\.0\.0\.1:(\d+)", kubeconfig.read_text())
            assert port
            yield Served(process, kubeconfig, int(port[1]))
        finally:
            process.terminate()
            process.wait()


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pod(name: str) -> dict[str, Any]:
    """A pod of one container."""
    container = {"name": "app", "image": "hello:1", "ports": [{"containerPort": 8080}]}
    metadata = {"name": name, "labels": {"app": name.partition("-")[0]}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}


def seconds(run: Any) -> float:
    """How long a call takes."""
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin
