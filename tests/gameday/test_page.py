"""The page of a running game day, asked over HTTP as browsers and attackers ask."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest

from gherkube.runners.errors import UsageError
from gherkube.runners.gameday.page import Page
from tests.gameday.people import UNTIL, Asked, gate, state


class Client:
    """Asks a page, unless told otherwise as its own script does."""

    def __init__(self, page: Page) -> None:
        self.port = int(page.url.split(":")[2].split("/")[0])
        self.token = page.token
        self.open: list[HTTPConnection | HTTPResponse] = []

    def close(self) -> None:
        """Hangs up."""
        for each in reversed(self.open):
            each.close()

    def ask(
        self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str | None
    ) -> HTTPResponse:
        """The answer; a header that is None is left out."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=300)
        said = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        said |= {name.replace("_", "-"): value for name, value in headers.items()}  # type: ignore[misc]
        content = raw if raw is not None else None if body is None else json.dumps(body).encode()
        sent = {name: value for name, value in said.items() if value is not None}
        connection.request(method, path, content, sent)
        answer = connection.getresponse()
        self.open += [connection, answer]
        return answer

    def told(self, answer: HTTPResponse) -> tuple[int, str]:
        """The status of an answer, and its error."""
        return answer.status, json.loads(answer.read()).get("error", "")

    def event(self, answer: HTTPResponse) -> dict[str, Any]:
        """The next event's data."""
        while line := answer.readline():
            if line.startswith(b"data:"):
                found: dict[str, Any] = json.loads(line[5:])
                return found
        raise AssertionError("there are no more events")


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def page(asked: Asked) -> Iterator[Page]:
    made = Page(asked)
    yield made
    made.close()


@pytest.fixture
def client(page: Page) -> Iterator[Client]:
    made = Client(page)
    yield made
    made.close()


ACTS = {
    "halt": {"by": "Vera", "why": "enough"},
    "confirm": {"by": "Olga Owner", "until": UNTIL},
    "refuse": {"by": "Olga Owner", "until": UNTIL},
    "note": {"by": "Vera", "text": "so"},
}


def test_states_are_told_as_they_come(page: Page, client: Client) -> None:
    """Whoever comes later, or again, is told the newest at once."""
    page.show(state(phase="checking"))
    first = client.ask("GET", "/events")
    assert first.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert client.event(first)["state"]["phase"] == "checking"
    page.show(state(phase="halting"))
    assert client.event(first)["state"]["phase"] == "halting"
    again = client.event(client.ask("GET", "/events"))
    assert again["state"]["phase"] == "halting"
    assert again["now"]


def test_the_end_is_told_before_it_closes(page: Page, client: Client) -> None:
    """Nobody is left with a state that is not the last."""
    page.show(state())
    answer = client.ask("GET", "/events")
    client.event(answer)
    page.show(state(phase="ended"))
    page.close()
    assert client.event(answer)["state"]["phase"] == "ended"
    assert answer.read().strip() == b""
    page.show(state())  # after the end nothing is shown, and nothing breaks


def test_what_is_asked_is_done(page: Page, client: Client, asked: Asked) -> None:
    """Halt, gate and notes, under the name of who asks, each as one line."""
    page.show(state(gate=gate()))
    client.event(client.ask("GET", "/events"))
    finding = {
        "by": "Vera",
        "text": "two\nlines\x1b[31m",
        "severity": "high",
        "owner": "Ann",
        "retest": "2026-12-01",
    }
    for path, body in [*ACTS.items(), ("note", finding), ("halt", {"by": "Vera"})]:
        assert client.ask("POST", f"/{path}", body).status == 200, path
    assert [asked.told.get_nowait() for _ in range(6)] == [
        ("halt", "Vera", "enough"),
        ("confirm", "Olga Owner"),
        ("refuse", "Olga Owner"),
        ("note", "Vera", "so", {}),
        ("note", "Vera", "two lines [31m", {"severity": "high", "owner": "Ann", "retest": "2026-12-01"}),
        ("halt", "Vera", "asked on the page"),
    ]


def test_a_gate_is_confirmed_by_whom_it_is_for(page: Page, client: Client, asked: Asked) -> None:
    """And by the owner; what the control refuses is told, and nothing is done."""
    asked.open_gate("operator")
    page.show(state(gate=gate()))
    client.event(client.ask("GET", "/events"))
    status, error = client.told(client.ask("POST", "/confirm", {"by": "Vera", "until": UNTIL}))
    assert status == 400
    assert "Otto Operator" in error
    assert asked.told.empty()


@pytest.mark.parametrize("act", ["confirm", "refuse"])
@pytest.mark.parametrize("now", [None, gate(until="2026-03-02T15:00:00.000Z")], ids=["none", "another"])
def test_a_gate_that_is_over_is_not_answered(
    page: Page, client: Client, asked: Asked, act: str, now: dict[str, str] | None
) -> None:
    """A page that was not told yet that another gate is open must not open that."""
    page.show(state(gate=now))
    client.event(client.ask("GET", "/events"))
    assert client.told(client.ask("POST", f"/{act}", ACTS[act]))[0] == 409
    assert asked.told.empty()


WITHOUT = [None, "", "Bearer ", "Bearer nonsense", "Basic dXNlcjpwYXNz", "Bearer \xff\xfe"]


@pytest.mark.parametrize("shown", WITHOUT)
def test_nothing_is_told_or_done_without_the_token(client: Client, asked: Asked, shown: str | None) -> None:
    """Neither state nor act; the page itself, which holds nothing, is served."""
    assert client.ask("GET", "/events", Authorization=shown).status == 401
    for act, body in ACTS.items():
        assert client.ask("POST", f"/{act}", body, Authorization=shown).status == 401
    assert client.ask("GET", "/", Authorization=shown).status == 200
    assert asked.told.empty()


@pytest.mark.parametrize("place", ["?token={token}", "?access_token={token}", "#{token}"])
def test_a_token_in_the_address_opens_nothing(client: Client, place: str) -> None:
    """Addresses end up in logs and histories: only the header counts."""
    path = "/events" + place.format(token=client.token)
    assert client.ask("GET", path, Authorization=None).status == 401
    cookie = f"token={client.token}"
    assert client.ask("POST", "/halt", ACTS["halt"], Authorization=None, Cookie=cookie).status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_other_origins_are_refused(client: Client, asked: Asked, headers: dict[str, str]) -> None:
    """Even with the token; and they are let read nothing."""
    said = {name: value.format(port=client.port) for name, value in headers.items()}
    for method, path, body in [("POST", "/halt", ACTS["halt"]), ("GET", "/events", None), ("GET", "/", None)]:
        answer = client.ask(method, path, body, **said)
        assert answer.status == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert client.ask("OPTIONS", "/halt", **said).status == 403
    assert asked.told.empty()


def test_its_own_origin_is_not_refused(client: Client) -> None:
    """As a browser sends it, by either name of this computer."""
    for name in ("127.0.0.1", "localhost"):
        host = f"{name}:{client.port}"
        said = {"Host": host, "Origin": f"http://{host}", "Sec_Fetch_Site": "same-origin"}
        assert client.ask("POST", "/note", ACTS["note"], **said).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "[::1]:{port}", ""]
)
def test_a_name_that_was_made_to_lead_here_is_refused(client: Client, asked: Asked, host: str) -> None:
    """DNS rebinding: the browser takes the attacker's page and this one for the same."""
    host = host.format(port=client.port)
    assert client.ask("GET", "/", Host=host).status in (400, 421)
    assert client.ask("POST", "/halt", ACTS["halt"], Host=host).status in (400, 421)
    assert asked.told.empty()


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_a_form_does_nothing(client: Client, asked: Asked, kind: str | None) -> None:
    """What a page of anybody can send without asking the browser first."""
    assert client.ask("POST", "/halt", ACTS["halt"], Content_Type=kind).status == 415
    assert client.ask("GET", "/halt").status == 405
    assert asked.told.empty()


@pytest.mark.parametrize(
    ("act", "body", "error"),
    [
        ("halt", [], "an object is wanted"),
        ("halt", {}, "by has to be text"),
        ("halt", {"by": "  "}, "by is empty"),
        ("halt", {"by": "x" * 81}, "at most 80"),
        ("halt", {"by": {"a": 1}}, "by has to be text"),
        ("note", {"by": "Vera", "text": ""}, "text is empty"),
        ("note", {"by": "Vera", "text": "x" * 2001}, "at most 2000"),
        ("note", {"by": "Vera", "text": "so", "severity": "awful"}, "low, medium, high"),
        ("note", {"by": "Vera", "text": "so", "owner": "Ann"}, "low, medium, high"),
        ("note", {"by": "Vera", "text": "so", "severity": "low", "retest": "soon"}, "2026-12-01"),
    ],
)
def test_what_is_wrong_is_told(client: Client, asked: Asked, act: str, body: Any, error: str) -> None:
    """In words, and nothing is done."""
    status, said = client.told(client.ask("POST", f"/{act}", body))
    assert (status, error in said) == (400, True), said
    assert asked.told.empty()


def test_what_is_no_json_or_too_much_is_refused(client: Client, asked: Asked) -> None:
    """Without a traceback."""
    assert client.ask("POST", "/note", raw=b"{").status == 400
    assert client.ask("POST", "/note", raw=b"\xff\xfe{}").status == 400
    assert client.ask("POST", "/note", raw=b'"' + b"x" * 20_000 + b'"').status == 413
    assert asked.told.empty()


def test_the_policy_lets_no_script_but_its_own_run(client: Client) -> None:
    """Nor lets another page frame it; nothing is inline, so nothing that is injected runs."""
    answer = client.ask("GET", "/")
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    for part in (
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for",
    ):
        assert part in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    text = answer.read().decode()
    assert "<script>" not in text
    assert " style=" not in text
    assert " onclick" not in text
    script = client.ask("GET", "/live.js").read().decode()
    assert not [
        word
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(")
        if word in script
    ]
    for path in ("/live.js", "/live.css", "/events", "/nothing"):
        assert client.ask("GET", path).headers["Content-Security-Policy"] == policy


def test_the_token_is_long_and_new_each_time(page: Page) -> None:
    """Nobody guesses it; the page's address holds it where browsers send it to nobody."""
    other = Page(Asked())
    try:
        assert other.token != page.token
        assert len(page.token) >= 40
        assert page.url.split("#")[1] == page.token
    finally:
        other.close()


def test_a_port_that_is_taken_is_told(client: Client) -> None:
    """As a user's mistake."""
    with pytest.raises(UsageError, match=str(client.port)):
        Page(Asked(), port=client.port)


def test_one_who_does_not_listen_holds_up_nobody(page: Page, client: Client) -> None:
    """States are sent to the others, and the page ends all the same."""
    page.show(state())
    deaf = client.ask("GET", "/events")
    hears = client.ask("GET", "/events")
    client.event(hears)
    for number in range(200):
        page.show(state("x" * 10_000, phase=f"phase {number}"))
    while client.event(hears)["state"]["phase"] != "phase 199":
        pass
    page.close()
    assert deaf.status == 200
