"""A small fuzz that is always the same, and the laws themselves."""

from __future__ import annotations

import json

import pytest

from tests.server.fuzz import session
from tests.server.fuzz.session import Session, _wrong
from tests.server.fuzz.wire import Answer, Request
from tests.server.loopback import Loopback

WHOLE = Request("GET", "/api/v1/pods")


def test_hostile_requests_leave_the_server_as_it_was(
    http: Loopback, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is answered as the laws say, what is stored is sound, and the simulator runs on."""
    monkeypatch.setattr(session, "SLOW", 120.0)  # the machine may be busy
    port = http.client.server.port
    assert port
    fuzz = Session(port, "", http.run, lambda: "".join(each.message for each in caplog.records))
    findings = fuzz.fuzz(250)
    assert findings.sent >= 200
    assert not findings.wrong
    assert not fuzz.decodes()
    assert fuzz.rolls_out("afterwards")


def status(of: int, **more: object) -> Answer:
    """An answer with a Status."""
    said = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "R", "code": of, **more}
    return Answer(of, {}, json.dumps(said).encode())


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (WHOLE, status(404, code=400)),
        (WHOLE, status(404, reason="")),
        (WHOLE, status(404, kind="Pod")),
        (WHOLE, status(500, message="Internal error occurred: KeyError")),
        (WHOLE, Answer(400, {}, b"Bad Request")),
        (WHOLE, Answer(0, {}, b"")),
        (WHOLE, Answer(-1, {}, b"")),
        (WHOLE._replace(frame="HTTP/1.0"), Answer(500, {}, b"Internal Server Error")),
    ],
    ids=str,
)
def test_what_breaks_a_law_is_seen(request_: Request, answer: Answer) -> None:
    """Codes that do not agree, no Status, an internal error, no answer."""
    assert _wrong(request_, answer)


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (WHOLE, Answer(200, {}, b"{}")),
        (WHOLE, status(404)),
        (WHOLE, status(504, message="Timeout: Too large resource version: 9, current: 1")),
        (WHOLE._replace(frame="half a line"), Answer(-1, {}, b"")),
        (WHOLE._replace(method="BREW"), Answer(400, {}, b"Invalid method encountered")),
    ],
    ids=str,
)
def test_what_keeps_the_laws_is_let_through(request_: Request, answer: Answer) -> None:
    """Success, refusals with a Status, what a real API server says, half a request without an answer."""
    assert not _wrong(request_, answer)
