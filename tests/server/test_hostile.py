"""Requests that nobody means well: refused in words, and nothing is the worse for it.

One test for each kind of hole that the fuzz (`fuzz/`) has found.
"""

from __future__ import annotations

import asyncio

import pytest

from gherkube.runners.objects import Object
from gherkube.runners.simulator.server.app import Limits
from tests.server.fuzz.objects import definition
from tests.server.fuzz.wire import FRAMES, Request, exchange
from tests.server.loopback import CONFIGMAPS, Loopback, deployment, loopback

YAML, JSON_PATCH = "application/yaml", "application/json-patch+json"
BOMB = b"a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 10)
)
MERGES = b"a0: &a0 {k: v}\n" + b"".join(
    b"a%d: &a%d {<<: [%s]}\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 10)
)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (BOMB, "excessive aliasing"),
        (MERGES, "excessive aliasing"),
        (b"a: &a [*a]", "excessive aliasing"),
        (b"- " * 300_000, "nested too deeply"),
        (b"[" * 300_000, "nested too deeply"),
        (b"{a: " * 200_000, "nested too deeply"),
        (b"- \n" * 320_000, "too long for YAML"),
    ],
    ids=["aliases", "merges", "holds itself", "sequences", "flow", "mappings", "long"],
)
def test_a_document_that_grows_or_is_deep_is_refused(http: Loopback, body: bytes, said: str) -> None:
    """Before it is built: a deep one would end the process, one of aliases fill the memory."""
    refused = http.ask("POST", CONFIGMAPS, body, content_type=YAML)
    assert (refused.code, said in refused.json["message"]) == (400, True)


@pytest.mark.parametrize("number", [b"1e999", b"-1e999", b"9" * 5_000])
def test_a_number_beyond_all_numbers_is_refused(http: Loopback, number: bytes) -> None:
    """It could not be answered as JSON again."""
    body = b'{"metadata":{"name":"a"},"data":{"a":' + number + b"}}"
    assert http.ask("POST", CONFIGMAPS, body).code == 400


def test_a_body_that_is_not_compressed_as_it_says_is_refused(http: Loopback) -> None:
    """400 with a Status, no internal error."""
    refused = http.ask("POST", CONFIGMAPS, b"{}", Content_Encoding="gzip")
    assert (refused.code, refused.json["reason"]) == (400, "BadRequest")


def test_a_patch_does_not_grow_without_bounds(http: Loopback) -> None:
    """Copies that double what is there, and more operations than an API server takes."""
    http.make("a", data={"a": "b"})
    doubles = [{"op": "copy", "from": "/data", "path": f"/data/{number}"} for number in range(60)]
    assert http.ask("PATCH", f"{CONFIGMAPS}/a", doubles, content_type=JSON_PATCH).code == 422
    tests = [{"op": "test", "path": "/kind", "value": "ConfigMap"}] * 10_001
    assert http.ask("PATCH", f"{CONFIGMAPS}/a", tests, content_type=JSON_PATCH).code == 413


def test_a_definition_can_be_written_back(http: Loopback) -> None:
    """With the finalizer that the server itself gave it, which names no domain."""
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    http.ask("POST", path, definition("things"))
    http.advance("1s")
    made = http.get(f"{path}/things.fuzz.example").json
    assert made["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    assert http.ask("PUT", f"{path}/things.fuzz.example", made).code == 200


def test_a_watch_of_HTTP_1_0_is_served(http: Loopback) -> None:  # noqa: N802
    """Without chunks, which it does not know."""
    http.make("a")
    port = http.client.server.port
    assert port
    answer = http.run(exchange(port, Request("GET", f"{CONFIGMAPS}?watch=1", frame="HTTP/1.0"), until=b"}\n"))
    assert (answer.code, b"ADDED" in answer.body) == (200, True)


@pytest.mark.parametrize("frame", sorted(FRAMES))
def test_what_is_hardly_HTTP_is_refused_quietly(  # noqa: N802
    http: Loopback, frame: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An answer below 500, or the connection's end; no traceback for what a client did wrong."""
    port = http.client.server.port
    assert port
    answer = http.run(exchange(port, Request("PATCH", CONFIGMAPS, (), b"{}", frame)))
    assert answer.code < 500
    assert http.get("/healthz").code == 200
    assert not caplog.records


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /healthz HT",
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
        b"POST /api/v1/namespaces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{",
    ],
    ids=["nothing", "half a line", "half a header", "half a body"],
)
def test_who_sends_nothing_more_is_let_go(sent: bytes) -> None:
    """Fifty such connections keep nobody from an answer, and end by themselves."""
    with loopback(limits=Limits(slow_client=0.5)) as http:
        port = http.client.server.port

        async def opened() -> asyncio.StreamReader:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            await writer.drain()
            kept.append(writer)
            return reader

        kept: list[asyncio.StreamWriter] = []
        readers = [http.run(opened()) for _ in range(50)]
        assert http.get("/healthz").code == 200
        for reader in readers:
            answered = http.run(reader.read())
            assert answered == b"" or b" 408 " in answered
        for writer in kept:
            writer.close()


@pytest.mark.parametrize("kind", ["deployments", "replicasets", "statefulsets", "daemonsets"])
@pytest.mark.parametrize(
    "term",
    [
        {"key": None, "operator": "In", "values": ["web"]},
        {"operator": "In", "values": ["web"]},
        {"key": "app"},
        {"key": "app", "operator": "="},
        {"key": "app", "operator": "!=", "values": None},
        {"key": "app", "operator": "Gt", "values": []},
    ],
    ids=str,
)
def test_half_a_requirement_is_invalid(http: Loopback, kind: str, term: Object) -> None:
    """422, whatever of it is missing."""
    obj = {**deployment(), "kind": None}
    obj["apiVersion"], obj["spec"]["selector"] = None, {"matchExpressions": [term]}
    assert http.ask("POST", f"/apis/apps/v1/namespaces/default/{kind}", obj).code == 422


def test_a_quantity_of_null_is_none_of_it(http: Loopback) -> None:
    """As Go reads it: 0."""
    quota = {"metadata": {"name": "q"}, "spec": {"hard": {"pods": None}}}
    path = "/api/v1/namespaces/default/resourcequotas"
    assert http.ask("POST", path, quota).json["spec"]["hard"] == {"pods": "0"}
