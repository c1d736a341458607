"""Requests to services on a live cluster, and what became of them; how they get there: see `ways`.

Who answered is not told, but where an answer names its pod: in its header `Gherkube-Pod`, or in its body.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

import urllib3
from urllib3.exceptions import HTTPError

from gherkube.runners.errors import CannotJudge
from gherkube.runners.live.clock import LiveClock
from gherkube.runners.live.connection import Connection, Unreachable, refusal
from gherkube.runners.live.ways import CONNECTS, Way, Ways
from gherkube.runners.objects import Key, Object
from gherkube.runners.traffic import Request, sum_up

REQUESTS = "requests"
NODE_PORT = "node port"
ANSWERS = 30.0
"""Real seconds for an answer."""
AT_ONCE = 512
"""How many requests of a flow may be on their way: those that a node which is gone does not answer, too."""
BUSY = 429
AGAIN = 0.1
"""Real seconds after which a request is sent again that the API server did not pass on."""


BY = "Gherkube-Pod"
"""The header in which an image that gherkube made says who answers: its pod's host name."""
HOSTNAME = 63
"""How much of a pod's name its host name has at most. pkg/kubelet/util TruncatePodHostnameIfNeeded"""


class Answer(NamedTuple):
    """What came back: when it was asked, the HTTP code (0: nothing), the body, and the pod, if it says so."""

    at: float
    code: int
    body: str
    by: str = ""


class LiveTraffic:
    """Sends requests and keeps what became of them."""

    def __init__(self, connection: Connection, clock: LiveClock, ways: Ways) -> None:
        self._connection, self._clock, self._ways = connection, clock, ways
        self._pool, self._turns = urllib3.PoolManager(maxsize=AT_ONCE), itertools.count()
        self._flows: dict[Key, threading.Thread] = {}
        self._ended = threading.Event()
        self._log = Log()

    @property
    def requests(self) -> Sequence[Request]:
        """All requests so far, in the order in which they were sent; waits for those on their way."""
        return self._log.settled(CONNECTS + ANSWERS)

    def send(self, service: Key, count: int, *, through: str = "service") -> list[Request]:
        """Sends that many requests, one after another, and returns what became of them."""
        way = self._ways.to_node_ports(service) if through == NODE_PORT else self._ways.to(service)
        return [self._send(service, way, through) for _ in range(count)]

    def flow(self, service: Key, every: float) -> None:
        """Sends a request now and again every so many seconds, to the end of the run."""
        way = self._ways.to(service)
        flow = threading.Thread(target=self._flow, args=(service, way, every), daemon=True)
        self._flows[service] = flow
        flow.start()

    def flows(self, service: Key) -> bool:
        """Whether requests to the service flow by themselves."""
        return service in self._flows

    def told(self) -> list[str]:
        """In a sentence each, which way requests to a service went and what became of them."""
        requests = self._log.settled(0.0)
        found = dict.fromkeys((request.service, request.way) for request in requests)
        return [_told(*each, [one for one in requests if (one.service, one.way) == each]) for each in found]

    def close(self) -> None:
        """Ends all flows."""
        self._ended.set()
        for flow in self._flows.values():
            flow.join(CONNECTS + ANSWERS)

    def _flow(self, service: Key, way: Way, every: float) -> None:
        """A slow answer holds no later request back, unless so many are on their way."""
        due, pause = time.monotonic(), every / self._clock.rate
        free = threading.Semaphore(AT_ONCE)

        def send() -> None:
            try:
                self._send(service, way, "service")
            except Exception as error:  # nobody else would hear of it, and the request would be missed
                now = self._clock.now()
                self._clock.history.note_gap(now, now, f"no request could be sent to the service: {error}")
                self._ended.set()
            finally:
                free.release()

        with ThreadPoolExecutor(AT_ONCE) as pool:
            while not self._ended.is_set():
                free.acquire()
                pool.submit(send)
                now = time.monotonic()
                due = max(due + pause, now - pause)
                self._ended.wait(max(0.0, due - now))

    def _send(self, service: Key, way: Way, through: str) -> Request:
        with self._log.turn() as turn:
            answer = self._ask_proxy(way.urls[0]) if way.proxied else self._ask(way)
            seconds = self._clock.now() - answer.at
            pod = self._answered(service, answer) if answer.code else None
            name = pod["metadata"]["name"] if pod else ""
            image = pod["spec"]["containers"][0]["image"] if pod else ""
            body = answer.body.removesuffix("\n")
            request = Request(answer.at, service, name, image, answer.code, body, seconds, through, way.words)
            turn.append(request)
        self._clock.history.ring(REQUESTS)
        return request

    def _ask(self, way: Way) -> Answer:
        """What comes back; each request has a connection of its own, as each client has."""
        url = way.urls[next(self._turns) % len(way.urls)]
        timeout = urllib3.Timeout(connect=CONNECTS, read=ANSWERS)
        headers = {"Connection": "close", **({"Host": way.host} if way.host else {})}
        at = self._clock.now()
        try:
            answer = self._pool.request("GET", url, retries=False, timeout=timeout, headers=headers)
        except HTTPError as error:
            return Answer(at, 0, str(error))
        return Answer(at, answer.status, answer.data.decode("utf-8", "replace"), answer.headers.get(BY, ""))

    def _ask_proxy(self, path: str) -> Answer:
        """The same through the API server. What it did not pass on is no answer, and is sent again.

        What comes back too late was passed on, as long as the API server answers for itself.
        """
        until = time.monotonic() + ANSWERS
        while True:
            at, code, body, by = self._clock.now(), BUSY, "", ""
            try:
                response = self._connection.send("GET", path, accept="*/*")
                code, body = response.status, response.data.decode("utf-8", "replace")
                by = response.headers.get(BY, "")
            except (Unreachable, HTTPError) as error:
                body = str(error)
                if isinstance(error, Unreachable) and error.late and self._connection.answers():
                    return Answer(at, 0, body)
            status = _status(body)
            if code in (401, 403) and status is not None:
                if not self._connection.is_coming_up(refusal(code, body.encode())):
                    raise CannotJudge(f"the API server does not pass requests on to the service: {body}")
                code = BUSY
            if code != BUSY:
                if status is not None and code >= 500:
                    return Answer(at, 0, str(status.get("message")))
                return Answer(at, code, body, by)
            if time.monotonic() > until:
                raise CannotJudge(f"the API server does not pass requests on to the service: {body}")
            time.sleep(AGAIN)

    def _answered(self, service: Key, answer: Answer) -> Object | None:
        """The pod that an answer names."""
        pods = {pod["metadata"]["name"]: pod for pod in self._clock.history.known("pods", service.namespace)}
        named = [
            name for name in pods if (name[:HOSTNAME] == answer.by if answer.by else name in answer.body)
        ]
        return pods[max(named, key=len)] if named else None


class Log:
    """Requests in the order in which they were sent, though their answers come in another."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._turns = 0
        self._early: dict[int, list[Request]] = {}
        self._settled: list[Request] = []
        self._next = 0

    @contextmanager
    def turn(self) -> Iterator[list[Request]]:
        """For one request: what it comes to is put into the list (nothing, when it was not sent at all)."""
        with self._news:
            number, self._turns = self._turns, self._turns + 1
        came: list[Request] = []
        try:
            yield came
        finally:
            with self._news:
                self._early[number] = came
                while self._next in self._early:
                    self._settled += self._early.pop(self._next)
                    self._next += 1
                self._news.notify_all()

    def settled(self, seconds: float) -> list[Request]:
        """Those that have come to their end; those that were sent by now get so many seconds for it."""
        with self._news:
            until = self._turns
            self._news.wait_for(lambda: self._next >= until, seconds)
            return list(self._settled)


def _told(service: Key, way: str, requests: Sequence[Request]) -> str:
    sent, _, lost, p50, _, p99, gap = sum_up(requests)
    took = f", half of them within {1000 * p50:.0f} ms, 99% within {1000 * p99:.0f} ms" if p50 and p99 else ""
    gone = f"{lost} lost{f', {gap:.2f} s at the longest' if gap else ''}" if lost else "none lost"
    return f'{sent} requests to service "{service.name}" through {way}: {gone}{took}'


def _status(body: str) -> Object | None:
    """The Status object that the API server itself answered with."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.get("kind") == "Status" else None
