"""A Docker Engine that knows the nodes of the fake kind's clusters, behind a socket of its own."""

from __future__ import annotations

import json
import os
import socketserver
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

CLUSTER, ROLE = "io.x-k8s.kind.cluster", "io.x-k8s.kind.role"
VERSION = {"Version": "28.0.0", "ApiVersion": "1.41", "MinAPIVersion": "1.24"}


class Engine(socketserver.ThreadingUnixStreamServer):
    """The engine of a folder of the fake kind. `asked`: method and path of each request."""

    daemon_threads = True

    def __init__(self, home: Path, socket: Path) -> None:
        self.home, self.socket_path = home, socket
        self.asked: list[str] = []
        self.info: dict[str, Any] = {**INFO, "DockerRootDir": str(home)}
        super().__init__(str(socket), Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        """Nobody answers any more."""
        self.shutdown()
        self._thread.join()
        self.server_close()
        self.socket_path.unlink()

    def containers(self) -> dict[str, dict[str, Any]]:
        """All nodes of all clusters, as `docker inspect` tells of them."""
        return {
            node: _container(node, each["name"])
            for path in sorted((self.home / "clusters").glob("*.json"))
            for each in [json.loads(path.read_text())]
            for node in each["nodes"]
        }

    def get_request(self) -> tuple[Any, Any]:
        request, _ = super().get_request()
        return request, ("engine", 0)


INFO: dict[str, Any] = {
    "ServerVersion": "28.0.0",
    "CgroupVersion": "2",
    "CgroupDriver": "systemd",
    "MemTotal": 16 << 30,
    "NCPU": 4,
    "SecurityOptions": [],
}


class Handler(BaseHTTPRequestHandler):
    """Answers what is asked of an engine here."""

    protocol_version = "HTTP/1.1"
    server: Engine

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        path, query = self._path()
        containers = self.server.containers()
        if path == "/_ping":
            self._answer(200, b"OK", "text/plain")
        elif path == "/version":
            self._tell(VERSION)
        elif path == "/info":
            self._tell(self.server.info)
        elif path == "/containers/json":
            wanted = json.loads(query.get("filters", ["{}"])[0]).get("label", [])
            self._tell([_short(each) for each in containers.values() if _has(each, wanted)])
        elif path.startswith("/containers/") and path.split("/")[2] in containers:
            self._tell(containers[path.split("/")[2]])
        elif path in ("/images/json", "/networks"):
            self._tell([])
        else:
            self._answer(404, b'{"message": "no such thing"}')

    def _path(self) -> tuple[str, dict[str, list[str]]]:
        self.server.asked.append(f"{self.command} {self.path}")
        parts = urlsplit(self.path)
        path = parts.path
        return (path[path.index("/", 1) :] if path.startswith("/v1.") else path), parse_qs(parts.query)

    def _tell(self, what: Any) -> None:
        self._answer(200, json.dumps(what).encode())

    def _answer(self, code: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _container(node: str, cluster: str) -> dict[str, Any]:
    role = "control-plane" if node.endswith("control-plane") else "worker"
    return {
        "Id": node,
        "Name": f"/{node}",
        "State": {"Status": "running"},
        "Config": {"Labels": {CLUSTER: cluster, ROLE: role}, "Image": "kindest/node:v1.34.0"},
        "NetworkSettings": {"Networks": {"kind": {"IPAddress": "172.18.0.9"}}},
    }


def _short(container: dict[str, Any]) -> dict[str, Any]:
    return {"Id": container["Id"], "Names": [container["Name"]], "Labels": container["Config"]["Labels"]}


def _has(container: dict[str, Any], labels: list[str]) -> bool:
    found = {f"{key}={value}" for key, value in container["Config"]["Labels"].items()}
    return set(labels) <= found


def socket_for(folder: Path) -> Path:
    """A path for a socket, which may not be long."""
    short = Path("/tmp") / f"gherkube-{os.getpid()}-{abs(hash(str(folder))) % 10**8}.sock"
    short.unlink(missing_ok=True)
    return short
