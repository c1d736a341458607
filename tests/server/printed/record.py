"""Asks a real API server for the Tables of the objects in objects.yaml, and keeps its answers.

    python tests/server/printed/record.py https://127.0.0.1:6443 TOKEN

An API server with etcd is enough; nothing else must be running that changes objects. What it answered
is kept in tables.json.gz: one Table a resource, rows with their objects, and the time of the answer.
"""

from __future__ import annotations

import base64
import gzip
import json
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
DELETED = {"leaves", "lost"}
"""Pods that are deleted, and kept by a finalizer."""


class Server:
    """The API server to ask."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token
        self._trust = ssl._create_unverified_context()

    def ask(self, method: str, path: str, body: Any = None, accept: str = "application/json") -> Any:
        """The answer; what is there already is left."""
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Accept": accept,
            "Content-Type": "application/json",
        }
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, context=self._trust) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            told = refused.read().decode()
            if refused.code != 409:
                print(f"{method} {path}: {told}", file=sys.stderr)
        return None

    def path_of(self, obj: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Where objects of a kind are, and what discovery says of them."""
        start = f"/apis/{obj['apiVersion']}" if "/" in obj["apiVersion"] else f"/api/{obj['apiVersion']}"
        found = self.ask("GET", start)["resources"]
        told = next(each for each in found if each["kind"] == obj["kind"] and "/" not in each["name"])
        space = "/namespaces/printed" if told["namespaced"] else ""
        return f"{start}{space}/{told['name']}", told


def request_text() -> str:
    """A certificate request, as a CertificateSigningRequest carries it."""
    command = [
        "openssl",
        "req",
        "-new",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "/dev/null",
        "-subj",
        "/CN=x",
    ]
    return base64.b64encode(subprocess.run(command, capture_output=True, check=True).stdout).decode()


def main(url: str, token: str) -> None:
    """Makes the objects and keeps the Tables."""
    server = Server(url, token)
    server.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "printed"}})
    paths: dict[str, dict[str, Any]] = {}
    for obj in yaml.safe_load_all((HERE / "objects.yaml").read_text().replace("REQUEST", request_text())):
        path, told = server.path_of(obj)
        made = server.ask("POST", path, obj)
        if made and obj.get("status"):
            server.ask("PUT", f"{path}/{made['metadata']['name']}/status", {**made, "status": obj["status"]})
        if obj["metadata"]["name"] in DELETED:
            server.ask("DELETE", f"{path}/{obj['metadata']['name']}")
        if obj["kind"] == "CustomResourceDefinition":
            time.sleep(3)  # until it is served
        paths[path] = {"apiVersion": obj["apiVersion"], **told}
    paths["/api/v1/namespaces"] = {"apiVersion": "v1", "kind": "Namespace", "namespaced": False}
    paths["/apis/apiregistration.k8s.io/v1/apiservices"] = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "namespaced": False,
    }
    kept = []
    for path, told in paths.items():
        table = server.ask("GET", f"{path}?includeObject=Object", accept=TABLE)
        for row in table["rows"]:
            row["object"]["metadata"].pop("managedFields", None)
        kept.append({"path": path, **told, "now": time.time(), "table": table})
    (HERE / "tables.json.gz").write_bytes(gzip.compress(json.dumps(kept).encode(), mtime=0))
    print(f"{len(kept)} tables, {sum(len(each['table']['rows']) for each in kept)} rows")


if __name__ == "__main__":
    main(*sys.argv[1:])
