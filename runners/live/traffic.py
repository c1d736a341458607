"""Requests to services, through the API server's proxy of services.

The API server chooses one of the ready endpoints and passes the answer on, so it works from wherever the
API is reached. It does not say which pod answered; an answer that names its pod does.
staging/src/k8s.io/apimachinery/pkg/util/proxy
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence

from urllib3.exceptions import HTTPError

from gherkube.runners.errors import CannotJudge, UsageError
from gherkube.runners.live.api import LiveApi
from gherkube.runners.live.clock import LiveClock
from gherkube.runners.live.connection import Connection, Unreachable
from gherkube.runners.objects import Key, Object
from gherkube.runners.traffic import Request

REQUESTS = "requests"
BUSY = 429
AGAIN = 0.1
"""Real seconds after which a request is sent again that the API server did not pass on."""


class LiveTraffic:
    """Sends requests and keeps what became of them."""

    def __init__(self, connection: Connection, api: LiveApi, clock: LiveClock) -> None:
        self._connection, self._api, self._clock = connection, api, clock
        self._flows: dict[Key, threading.Thread] = {}
        self._ended = threading.Event()
        self._sent: list[Request] = []

    @property
    def requests(self) -> Sequence[Request]:
        """All requests so far, in the order in which they were answered."""
        return self._sent

    def send(self, service: Key, count: int, *, through: str = "service") -> list[Request]:
        """Sends that many requests, one after another, and returns what became of them."""
        path = self._path(service, through)
        return [self._send(service, path) for _ in range(count)]

    def flow(self, service: Key, every: float) -> None:
        """Sends a request now and again every so many seconds, to the end of the run."""
        path = self._path(service, "service")
        flow = threading.Thread(target=self._flow, args=(service, path, every), daemon=True)
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

    def _path(self, service: Key, through: str) -> str:
        found = self._api.get("services", service.name, service.namespace)
        ports = found["spec"].get("ports")
        if not ports or not found["spec"].get("selector"):
            raise UsageError(
                f'service "{service.name}" has no ports, or selects no pods: no request can be sent to it'
            )
        if through != "service":
            raise CannotJudge(
                f"requests to the {through} of a service are not sent on {self._connection.context} yet: "
                "they go through the API server; send them to the service itself"
            )
        port = ports[0].get("name") or ports[0]["port"]
        return f"/api/v1/namespaces/{service.namespace}/services/{service.name}:{port}/proxy/"

    def _flow(self, service: Key, path: str, every: float) -> None:
        due = time.monotonic()
        while not self._ended.is_set():
            try:
                self._send(service, path)
            except CannotJudge as error:
                now = self._clock.now()
                self._clock.history.note_gap(now, now, f"no request could be sent to the service: {error}")
                return
            due += every / self._clock.rate
            now = time.monotonic()
            due = max(due, now - every / self._clock.rate)
            self._ended.wait(max(0.0, due - now))

    def _send(self, service: Key, path: str) -> Request:
        """One request, sent again where it was not passed on: that is no answer of the service."""
        clock, until = self._clock, time.monotonic() + 30.0
        while True:
            at = clock.now()
            try:
                response = self._connection.send("GET", path, accept="*/*")
                code, body = response.status, response.data.decode("utf-8", "replace")
            except (Unreachable, HTTPError) as error:
                if time.monotonic() > until:
                    raise CannotJudge(str(error)) from None
                code = BUSY
            if code not in (BUSY, 401, 403):
                break
            if time.monotonic() > until or code != BUSY:
                raise CannotJudge(f"the API server does not pass requests on to the service: {code} {body}")
            time.sleep(AGAIN)
        request = self._told(at, service, code, body)
        self._sent.append(request)
        clock.history.ring(REQUESTS)
        return request

    def _told(self, at: float, service: Key, code: int, body: str) -> Request:
        seconds = self._clock.now() - at
        if (status := _status(body)) is not None and code >= 500:
            return Request(at, service, "", "", 0, str(status.get("message")), seconds, "service")
        pod = self._answered(service, body)
        name = pod["metadata"]["name"] if pod else ""
        image = pod["spec"]["containers"][0]["image"] if pod else ""
        return Request(at, service, name, image, code, body.removesuffix("\n"), seconds, "service")

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
