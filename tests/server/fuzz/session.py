"""A server under fuzz, and the laws that each of its answers, and its store after all of them, has to keep.

- An answer is a success or a refusal of 4xx whose body is a Status of the same code. Of 5xx only those of
  `SERVER_ERRORS`, which a real API server gives, too. An answer comes, and without a traceback.
- A refused request changes nothing: the newest version of the store is the same afterwards.
- What has a version never changes: the same object with the same resourceVersion reads the same.
- What the fuzz does not name is as it was before, byte for byte.
- Every stored object is one that the server itself takes: written back as it reads, it is accepted.
- The simulator still runs: a new deployment is rolled out.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from tests.server.fuzz.objects import SEEDS, Schemas, definition
from tests.server.fuzz.requests import NAMESPACE, Api, Served, anything
from tests.server.fuzz.wire import Answer, Request, exchange
from tests.server.loopback import deployment

KEPT = "unharmed"
SERVER_ERRORS = (
    (500, "resourceVersion should not be set on objects to be created"),
    (500, "unknown patch type: "),
    (500, "does not contain declared merge key: "),
    (501, "cannot be served"),  # exec, attach, port-forward: said in docs/serve.md
    (503, ""),  # a proxy without an endpoint
    (504, "Too large resource version"),
)
"""Codes and what the message says."""
STANDARD = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})
SLOW = 5.0
"""Real seconds after which an answer is worth a look."""


@dataclass
class Findings:
    """What was seen."""

    sent: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    wrong: dict[str, list[Request]] = field(default_factory=dict)
    """By what is wrong: the requests that showed it."""

    def add(self, what: str, request: Request) -> None:
        """Notes that something is wrong."""
        self.wrong.setdefault(what, []).append(request)


class Session:
    """Speaks to one server with a manual clock, over HTTP alone. `run` runs what is asked of the loop;
    `complaints` says what the server has written to its standard error since it was asked last."""

    def __init__(
        self,
        port: int,
        token: str,
        run: Callable[[Coroutine[Any, Any, Answer]], Answer],
        complaints: Callable[[], str],
    ) -> None:
        self._port, self._token, self._run, self._complaints = port, token, run, complaints
        self.findings = Findings()
        self._make_bystanders()
        self.api = Api(self._resources(), Schemas(self._read("/openapi/v2")))
        self._fill()
        self._version = self._changes()
        self._kept, self._seen = self._bystanders(), self._snapshot()

    def fuzz(self, requests: int, *, seed: int | None = None) -> Findings:
        """Sends so many requests; without a seed always the same."""

        @settings(
            max_examples=requests,
            derandomize=seed is None,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(request=anything(self.api))
        def send(request: Request) -> None:
            self.send(request)

        if seed is not None:
            from hypothesis import seed as seeded

            send = seeded(seed)(send)
        send()
        self._hold()
        return self.findings

    def send(self, request: Request) -> None:
        """Sends one, and looks at what comes of it."""
        begin = time.monotonic()
        answer = self._run(exchange(self._port, request, self._token))
        taken = time.monotonic() - begin
        self.findings.sent += 1
        self.findings.codes[answer.code] += 1
        if taken > SLOW:
            self.findings.add(f"slow: {request.method} {request.frame}", request)
        if wrong := _wrong(request, answer):
            self.findings.add(wrong, request)
        if said := self._complaints():
            lines = [line.strip() for line in said.strip().splitlines()]
            where = [line for line in lines if line.startswith("File ")]
            self.findings.add(f"traceback: {lines[-1][:150]} at {where[-1] if where else '?'}", request)
        newest = self._changes()
        if newest != self._version and answer.code >= 400 and request.is_whole:
            self.findings.add(f"refused with {answer.code}, but changed: {request.method}", request)
        self._version = newest
        if self.findings.sent % 500 == 0:
            self._hold()

    def rolls_out(self, name: str) -> bool:
        """Whether a new deployment is rolled out now."""
        path = f"/apis/apps/v1/namespaces/{KEPT}/deployments"
        self._ask("POST", path, deployment(name, replicas=3))
        self._ask("POST", "/gherkube/v1/clock/advance", {"seconds": 120})
        status = self._read(f"{path}/{name}").get("status", {})
        return bool(status.get("availableReplicas") == 3)

    def decodes(self) -> list[str]:
        """Which stored objects the server does not take as they are."""
        refused = []
        for served in self._listed():
            for obj in self._items(served):
                namespace = obj["metadata"].get("namespace")
                path = f"{served.prefix}{f'/namespaces/{namespace}' if namespace else ''}/{served.name}"
                sent = {"apiVersion": _version_of(served), "kind": served.kind, **obj}
                path += f"/{obj['metadata']['name']}?dryRun=All&fieldValidation=Strict"
                answer = self._ask("PUT", path, sent)
                if answer.code >= 400:
                    refused.append(f"{served.name} {answer.body.decode(errors='replace')[:300]}")
        return refused

    def _hold(self) -> None:
        """Holds the laws about the store."""
        nobody = Request("", "")
        if self._bystanders() != self._kept:
            self.findings.add("what nobody named has changed", nobody)
        now = self._snapshot()
        for each in now.keys() & self._seen.keys():
            if now[each] != self._seen[each]:
                self.findings.add(f"changed under the same version: {each[0]}", nobody)
        self._seen = now
        self._fill()
        self._version = self._changes()

    def _snapshot(self) -> dict[tuple[str, ...], bytes]:
        """A digest of every object, by resource, name and version."""
        found = {}
        for served in self._listed():
            for obj in self._items(served):
                metadata = obj["metadata"]
                key = served.prefix + served.name, metadata.get("namespace", ""), metadata["name"]
                digest = sha256(json.dumps(obj).encode()).digest()
                found[(*key, metadata["uid"], metadata["resourceVersion"])] = digest
        return found

    def _bystanders(self) -> str:
        """All objects of the namespace that the fuzz does not name; of what the cluster needs, the names."""
        kept = {
            served.name: self._items(served, f"/namespaces/{KEPT}")
            for served in self._listed()
            if served.namespaced
        }
        for events in ("events", "leases"):
            kept.pop(events)
        return json.dumps(kept)

    def _make_bystanders(self) -> None:
        for name in (KEPT, NAMESPACE):
            self._ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        where = f"/namespaces/{KEPT}"
        self._ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition("things"))
        self._ask("POST", f"/api/v1{where}/configmaps", {"metadata": {"name": "kept"}, "data": {"a": "b"}})
        self._ask("POST", f"/apis/apps/v1{where}/deployments", deployment("kept", replicas=3))
        ports = [{"port": 80, "targetPort": 8080}]
        service = {"metadata": {"name": "kept"}, "spec": {"selector": {"app": "kept"}, "ports": ports}}
        self._ask("POST", f"/api/v1{where}/services", service)
        self._ask("POST", "/gherkube/v1/clock/advance", {"seconds": 60})
        kept = {"apiVersion": "fuzz.example/v1", "kind": "Thing", "metadata": {"name": "kept"}}
        self._ask("POST", f"/apis/fuzz.example/v1{where}/things", {**kept, "spec": {"size": 2}})

    def _fill(self) -> None:
        """Makes what the fuzz may change, where it is not there (any more)."""
        for served in self.api.resources:
            if served.name in SEEDS and served.name != "customresourcedefinitions":
                where = f"/namespaces/{NAMESPACE}" if served.namespaced else ""
                for name in ("a", "web"):
                    body = {
                        "apiVersion": _version_of(served),
                        "kind": served.kind,
                        "metadata": {"name": name},
                    }
                    self._ask("POST", f"{served.prefix}{where}/{served.name}", {**body, **SEEDS[served.name]})

    def _resources(self) -> list[Served]:
        prefixes = ["/api/v1"]
        for group in self._read("/apis")["groups"]:
            prefixes += [f"/apis/{each['groupVersion']}" for each in group["versions"]]
        return [
            Served(prefix, each["name"], each["kind"], each["namespaced"])
            for prefix in prefixes
            for each in self._read(prefix)["resources"]
            if "/" not in each["name"]
        ]

    def _listed(self) -> list[Served]:
        unlisted = ("bindings", "reviews")
        return [each for each in self._resources() if not each.name.endswith(unlisted)]

    def _items(self, served: Served, within: str = "") -> list[Any]:
        listed = self._read(f"{served.prefix}{within}/{served.name}")
        items: list[Any] = listed.get("items") or []
        return items

    def _changes(self) -> int:
        return int(self._read("/gherkube/v1")["changes"])

    def _read(self, path: str) -> Any:
        return self._ask("GET", path).json

    def _ask(self, method: str, path: str, body: Any = None) -> Answer:
        """What a client asks that means well; once more while it is told to wait."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(method, path, [("Content-Type", b"application/json")], data)
        while (answer := self._run(exchange(self._port, request, self._token))).code == 429:
            time.sleep(0.1)
        return answer


def _is_http(request: Request) -> bool:
    """Whether the HTTP library understands it; what it does not, it refuses in a line of text."""
    path = request.path
    plain = path.isascii() and path.isprintable() and path.startswith(("/", "http://", "https://"))
    return request.is_whole and request.method in STANDARD and plain and len(path) < 30_000


def _version_of(served: Served) -> str:
    return served.prefix.removeprefix("/apis/").removeprefix("/api/")


def _wrong(request: Request, answer: Answer) -> str:
    """What is wrong with an answer; "" when nothing is."""
    code = answer.code
    if code <= 0:
        return "" if not request.is_whole or request.streams else f"no answer ({code}): {request.method}"
    if code < 400:
        return ""
    try:
        status = answer.json
    except ValueError:
        status = None
    if not isinstance(status, dict) or status.get("kind") != "Status":
        if request.method == "HEAD" or not _is_http(request):
            return "" if code < 500 else f"{code} to {request.frame}"
        return "" if "/proxy" in request.path else f"{code} without a Status: {answer.body[:60]!r}"
    said = str(status.get("message"))
    if code >= 500 and not any(code == known and part in said for known, part in SERVER_ERRORS):
        return f"{code}: {said[:150]}"
    needed = {"apiVersion": "v1", "status": "Failure", "code": code}
    if any(status.get(name) != value for name, value in needed.items()) or not (
        status.get("reason") or code == 500
    ):
        return f"a Status that is none: {str(status)[:150]}"
    return ""
