"""An HTTP proxy that misbehaves as networks and busy API servers do."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

WATCHES = "watch=1"


class Answer(NamedTuple):
    """An answer of the proxy itself: a Status of that code, or, with code 0, none at all.

    `after`: the request is passed on first, and its answer is lost.
    """

    code: int
    after: bool = False
    body: Any = None
    retry_after: str = ""


OWN = ("transfer-encoding", "content-length", "connection", "date", "server")
"""Headers that are the proxy's, not the upstream's."""
Rule = Callable[[str, str], Answer | None]
"""What the proxy answers itself, by method and path; None: it passes the request on."""


class Proxy(ThreadingHTTPServer):
    """Passes requests on to `upstream`, unless `rule` says otherwise.

    `cut`: after how many events it ends a watch. `held`: a part of the path of watches of which it passes
    on nothing until `free` is set. `ahead`: seconds by which its clock is. `asked`: method and path of what
    came so far.
    """

    daemon_threads = True

    def __init__(self, upstream: str, kubeconfig: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream, self.kubeconfig = urlsplit(upstream).netloc, kubeconfig
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.rule: Rule = lambda _method, _path: None
        self.cut: int | None = None
        self.held, self.free = "", threading.Event()
        self.ahead = 0.0
        self.asked: list[tuple[str, str]] = []
        self._lock = threading.Lock()

    def times(self, number: int, fits: Callable[[str, str], bool], answer: Answer) -> None:
        """Answers so the first times that it fits."""
        left = [number]

        def rule(method: str, path: str) -> Answer | None:
            with self._lock:
                if not fits(method, path) or not left[0]:
                    return None
                left[0] -= 1
                return answer

        self.rule = rule

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is none of its business."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Proxy

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path))
        answer = self.server.rule(self.command, self.path)
        if answer is not None and not answer.after:
            self._answer(answer)
            return
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=300)
        headers = {key: value for key, value in self.headers.items() if key.lower() != "host"}
        upstream.request(self.command, self.path, body or None, headers)
        try:
            response = upstream.getresponse()
            if answer is not None:
                response.read()
                self._answer(answer)
            elif WATCHES in self.path and response.status == 200:
                self._pass_watch(response)
            else:
                self._pass(response)
        finally:
            upstream.close()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815 - http.server's names

    def _answer(self, answer: Answer) -> None:
        if not answer.code:
            self.close_connection = True
            return
        status = {"kind": "Status", "message": "the proxy says so", "reason": "", "code": answer.code}
        data = json.dumps(answer.body or status).encode()
        self.send_response(answer.code)
        self.send_header("Content-Length", str(len(data)))
        if answer.retry_after:
            self.send_header("Retry-After", answer.retry_after)
        self.end_headers()
        self.wfile.write(data)

    def _pass(self, response: http.client.HTTPResponse) -> None:
        data = response.read()
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in OWN:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _pass_watch(self, response: http.client.HTTPResponse) -> None:
        passed = 0
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while self.server.cut is None or passed < self.server.cut:
            try:
                line = response.readline()
            except OSError:
                break
            if not line:
                break
            if self.server.held and self.server.held in self.path:
                self.server.free.wait(600)
            self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
            self.wfile.flush()
            passed += 1
        self.close_connection = True  # in the middle: without the end that a chunked answer has

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The time by the server's clock."""
        return super().date_time_string((timestamp or time.time()) + self.server.ahead)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing."""
