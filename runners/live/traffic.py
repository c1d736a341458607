"""Requests to services, through the API server's proxy of services, or through the nodes' ports.

The API server chooses one of the ready endpoints and passes the answer on, so it works from wherever the
API is reached. It does not say which pod answered; an answer that names its pod does.
staging/src/k8s.io/apimachinery/pkg/util/proxy
"""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from gherkube.runners.errors import CannotJudge, UsageError
from gherkube.runners.live.api import LiveApi
from gherkube.runners.live.clock import LiveClock
from gherkube.runners.live.connection import Connection, Unreachable
from gherkube.runners.objects import Key, Object, is_ready
from gherkube.runners.traffic import Request

REQUESTS = "requests"
NODE_PORT = "node port"
CONNECTS, ANSWERS = 2.0, 30.0
"""Real seconds for a connection, and for an answer."""
BUSY = 429
AGAIN = 0.1
"""Real seconds after which a request is sent again that the API server did not pass on."""


class LiveTraffic:
    """Sends requests and keeps what became of them. `virtual`: the nodes are only modelled."""

    def __init__(
        self, connection: Connection, api: LiveApi, clock: LiveClock, *, virtual: bool = False
    ) -> None:
        self._connection, self._api, self._clock = connection, api, clock
        self._virtual, self._nodes, self._turns = virtual, urllib3.PoolManager(), itertools.count()
        self._flows: dict[Key, threading.Thread] = {}
        self._ended = threading.Event()
        self._sent: list[Request] = []

    @property
    def requests(self) -> Sequence[Request]:
        """All requests so far, in the order in which they were answered."""
        return self._sent

    def send(self, service: Key, count: int, *, through: str = "service") -> list[Request]:
        """Sends that many requests, one after another, and returns what became of them."""
        way = self._way(service, through)
        return [self._send(service, way, through) for _ in range(count)]

    def flow(self, service: Key, every: float) -> None:
        """Sends a request now and again every so many seconds, to the end of the run."""
        way = self._way(service, "service")
        flow = threading.Thread(target=self._flow, args=(service, way, every), daemon=True)
        self._flows[service] = flow
        flow.start()

    def flows(self, service: Key) -> bool:
        """Whether requests to the service flow by themselves."""
        return service in self._flows

    def close(self) -> None:
        """Ends all flows."""
        self._ended.set()
        for flow in self._flows.values():
            flow.join(5.0)

    def _way(self, service: Key, through: str) -> list[str]:
        """The addresses to ask, one of them each time."""
        found = self._api.get("services", service.name, service.namespace)
        ports = found["spec"].get("ports")
        if not ports or not found["spec"].get("selector"):
            raise UsageError(
                f'service "{service.name}" has no ports, or selects no pods: no request can be sent to it'
            )
        if through == NODE_PORT:
            return self._node_ports(service, found)
        port = ports[0].get("name") or ports[0]["port"]
        return [f"/api/v1/namespaces/{service.namespace}/services/{service.name}:{port}/proxy/"]

    def _node_ports(self, service: Key, found: Object) -> list[str]:
        port = found["spec"]["ports"][0].get("nodePort")
        if not port:
            raise UsageError(
                f'service "{service.name}" has no node port: make it a NodePort service, '
                "or send the requests to the service itself"
            )
        urls = [
            f"http://{address['address']}:{port}/"
            for node in self._clock.history.known("nodes")
            for address in node["status"].get("addresses", ())
            if is_ready(node) and address["type"] == "InternalIP"
        ]
        if self._virtual or not any(map(self._is_reached, urls)):
            raise CannotJudge(
                f"the nodes of {self._connection.context} are not reached from here ({', '.join(urls)}): "
                "send the requests to the service itself, which go through the API server"
            )
        return urls

    def _is_reached(self, url: str) -> bool:
        """Whether anybody answers there, be it that there is nobody."""
        host = urlsplit(url)
        try:
            socket.create_connection((host.hostname, host.port), CONNECTS).close()
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
        return True

    def _flow(self, service: Key, way: list[str], every: float) -> None:
        due = time.monotonic()
        while not self._ended.is_set():
            try:
                self._send(service, way, "service")
            except CannotJudge as error:
                now = self._clock.now()
                self._clock.history.note_gap(now, now, f"no request could be sent to the service: {error}")
                return
            due += every / self._clock.rate
            now = time.monotonic()
            due = max(due, now - every / self._clock.rate)
            self._ended.wait(max(0.0, due - now))

    def _send(self, service: Key, way: list[str], through: str) -> Request:
        at = self._clock.now()
        if through == NODE_PORT:
            code, body = self._ask_node(next(self._turns) % len(way), way)
        else:
            at, code, body = self._ask_proxy(way[0])
        seconds = self._clock.now() - at
        pod = self._answered(service, body) if code else None
        name = pod["metadata"]["name"] if pod else ""
        image = pod["spec"]["containers"][0]["image"] if pod else ""
        request = Request(at, service, name, image, code, body.removesuffix("\n"), seconds, through)
        self._sent.append(request)
        self._clock.history.ring(REQUESTS)
        return request

    def _ask_node(self, turn: int, way: list[str]) -> tuple[int, str]:
        """Code and body; each request has a connection of its own, as each client has."""
        timeout = urllib3.Timeout(connect=CONNECTS, read=ANSWERS)
        try:
            answer = self._nodes.request(
                "GET", way[turn], retries=False, timeout=timeout, headers={"Connection": "close"}
            )
        except HTTPError as error:
            return 0, str(error)
        return answer.status, answer.data.decode("utf-8", "replace")

    def _ask_proxy(self, path: str) -> tuple[float, int, str]:
        """When it was sent, code and body.

        What was not passed on is no answer of the service, and is sent again.
        """
        until = time.monotonic() + ANSWERS
        while True:
            at, code, body = self._clock.now(), BUSY, ""
            try:
                response = self._connection.send("GET", path, accept="*/*")
                code, body = response.status, response.data.decode("utf-8", "replace")
            except (Unreachable, HTTPError) as error:
                body = str(error)
            status = _status(body)
            if code in (401, 403) and status is not None:
                raise CannotJudge(f"the API server does not pass requests on to the service: {body}")
            if code != BUSY:
                return (
                    (at, 0, str(status.get("message")))
                    if status is not None and code >= 500
                    else (at, code, body)
                )
            if time.monotonic() > until:
                raise CannotJudge(f"the API server does not pass requests on to the service: {body}")
            time.sleep(AGAIN)

    def _answered(self, service: Key, body: str) -> Object | None:
        """The pod that an answer names."""
        for pod in self._clock.history.known("pods", service.namespace):
            if pod["metadata"]["name"] in body:
                return pod
        return None


def _status(body: str) -> Object | None:
    """The Status object that the API server itself answered with."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.get("kind") == "Status" else None
