"""Requests: from those that a client would send to those that none would, about what the server serves."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.server.fuzz.objects import METADATA, SEEDS, Schemas, definition
from tests.server.fuzz.patches import DELETIONS, DIRECTIVES, OPERATIONS
from tests.server.fuzz.pools import (
    ACCEPTS,
    ADMIN,
    ADMIN_BODIES,
    HEADERS,
    HOSTILE_PATHS,
    JSON,
    METHODS,
    PATCHES,
    QUERIES,
    SAID,
    SUBRESOURCES,
    TYPES,
)
from tests.server.fuzz.values import (
    BROKEN_JSON,
    BROKEN_YAML,
    HOSTILE,
    NAMES,
    PROTOBUF,
    TEXTS,
    altered,
    damaged,
    seldom,
)
from tests.server.fuzz.wire import FRAMES, Request

NAMESPACE = "fuzz"


class Served(NamedTuple):
    """A resource that is served."""

    prefix: str
    name: str
    kind: str
    namespaced: bool


class Api(NamedTuple):
    """What a server serves."""

    resources: list[Served]
    schemas: Schemas


@st.composite
def anything(draw: st.DrawFn, api: Api) -> Request:
    """Any request to such a server; most are about objects."""
    among = [objects(api)] * 7 + [paths(), admin(), framed(api), protobuf()]
    request: Request = draw(among[draw(st.integers(0, len(among) - 1))])
    return request


@st.composite
def objects(draw: st.DrawFn, api: Api) -> Request:
    """Requests about objects: with bodies, patches, options."""
    known = [each for each in api.resources if each.name in SEEDS]
    served = draw(st.sampled_from(api.resources if seldom(draw, 4) else known))
    method = draw(
        st.sampled_from(
            ("GET", "GET", "POST", "POST", "POST", "PUT", "PUT", "PATCH", "PATCH", "PATCH", "PATCH", "DELETE")
        )
    )
    named = seldom(draw, 6) if method == "POST" else not seldom(draw, 10)
    name = draw(st.sampled_from(TEXTS if seldom(draw, 10) else NAMES)) if named else ""
    if served.name == "customresourcedefinitions" and name:
        name = "things.fuzz.example"
    if method == "DELETE" and not name and not served.namespaced:
        method = "GET"  # all nodes may be deleted, but then nothing is left to be unharmed
    path = _path(draw, served, name)
    if name and seldom(draw, 4):
        path += f"/{draw(st.sampled_from(SUBRESOURCES))}"
    type_, body = _body(draw, api, served, method, name)
    query = draw(queries(method))
    if type_ == PATCHES["apply"] and not seldom(draw, 8):
        query = f"{query or '?'}&fieldManager=fuzz"
    types = [("Content-Type", type_.encode("latin-1"))] if type_ else []
    return Request(method, path + query, draw(headers()) + types, body)


@st.composite
def protobuf(draw: st.DrawFn) -> Request:
    """What kubectl sends as protobuf, damaged."""
    known = (
        ("apis/apps/v1", "deployments"),
        ("api/v1", "services"),
        ("apis/policy/v1", "poddisruptionbudgets"),
    )
    (prefix, name), body = draw(
        st.sampled_from(list(zip((*known, ("api/v1", "resourcequotas")), PROTOBUF, strict=True)))
    )
    type_ = ("Content-Type", b"application/vnd.kubernetes.protobuf")
    return Request("POST", f"/{prefix}/namespaces/{NAMESPACE}/{name}", [type_], draw(damaged(body)))


@st.composite
def paths(draw: st.DrawFn) -> Request:
    """Hostile paths, with any method."""
    path = draw(st.sampled_from(HOSTILE_PATHS)) + (draw(queries("GET")) if draw(st.booleans()) else "")
    return Request(draw(st.sampled_from(METHODS)), path, draw(headers()))


@st.composite
def admin(draw: st.DrawFn) -> Request:
    """Nonsense to the admin endpoint."""
    path = "/gherkube/v1/" + draw(st.sampled_from(ADMIN))
    value = draw(st.one_of(st.sampled_from(ADMIN_BODIES), HOSTILE))
    body = draw(st.one_of(st.just(json.dumps(value).encode()), st.sampled_from(BROKEN_JSON)))
    method = draw(st.sampled_from(("GET", "POST", "PATCH", "PUT", "DELETE")))
    return Request(method, path, [("Content-Type", JSON.encode())], body)


@st.composite
def framed(draw: st.DrawFn, api: Api) -> Request:
    """Bytes that are hardly HTTP any more."""
    request: Request = draw(objects(api))
    return request._replace(frame=draw(st.sampled_from(sorted(FRAMES))))


def _path(draw: st.DrawFn, served: Served, name: str) -> str:
    namespace = f"/namespaces/{NAMESPACE}" if served.namespaced else ""
    if served.namespaced and seldom(draw, 20):
        namespace = draw(st.sampled_from(("", "/namespaces/no-such", "/namespaces/", "/namespaces/%20")))
    return f"{served.prefix}{namespace}/{served.name}" + (f"/{_quoted(name)}" if name else "")


def _body(draw: st.DrawFn, api: Api, served: Served, method: str, name: str) -> tuple[str, bytes | None]:
    """Content type and body."""
    if method == "GET" and not seldom(draw, 10):
        return "", None
    if seldom(draw, 8):
        yaml = draw(st.booleans())
        text = draw(st.sampled_from(BROKEN_YAML if yaml else BROKEN_JSON))
        return draw(st.sampled_from(("application/yaml", PATCHES["apply"]) if yaml else TYPES)), text
    type_ = JSON
    if method == "PATCH":
        kind = draw(st.sampled_from(sorted(PATCHES)))
        type_, value = PATCHES[kind], _patch(draw, api, kind, served, name)
    elif method == "DELETE":
        value = draw(st.one_of(st.none(), DELETIONS, altered({"preconditions": {"uid": "x"}})))
    else:
        value = _object(draw, api, served, name or draw(st.sampled_from(NAMES)))
    body = json.dumps(value).encode()
    if len(body) < 100_000 and seldom(draw, 10):
        body = draw(damaged(body))
    if seldom(draw, 15):
        type_ = draw(st.sampled_from(TYPES))
    return type_, body


def _object(draw: st.DrawFn, api: Api, served: Served, name: str) -> Any:
    how = draw(st.sampled_from(("seed", "altered", "altered", "altered", "schema", "schema", "hostile")))
    if how == "hostile":
        return draw(HOSTILE)
    metadata: dict[str, Any] = {"name": name}
    for extra in draw(st.lists(st.sampled_from(sorted(METADATA)), max_size=2)):
        metadata[extra] = METADATA[extra]
    version = served.prefix.removeprefix("/apis/").removeprefix("/api/")
    whole = {"apiVersion": version, "kind": served.kind, "metadata": metadata}
    if served.name == "customresourcedefinitions":
        whole |= definition("things")
    elif how == "schema" or served.name not in SEEDS:
        made = api.schemas.made(draw, served.kind)
        whole = {**whole, **made, "metadata": metadata} if isinstance(made, dict) else made
    else:
        whole |= SEEDS[served.name]
    return draw(altered(whole)) if how == "altered" else whole


def _patch(draw: st.DrawFn, api: Api, kind: str, served: Served, name: str) -> Any:
    if kind == "json":
        return draw(st.one_of(OPERATIONS, OPERATIONS, altered([{"op": "test", "path": "/a", "value": 1}])))
    whole = _object(draw, api, served, name)
    if kind == "apply" or not isinstance(whole, dict):
        return whole
    whole = {key: value for key, value in whole.items() if key not in ("apiVersion", "kind")}
    return draw(altered(whole, DIRECTIVES)) if kind == "strategic" else whole


@st.composite
def queries(draw: st.DrawFn, method: str) -> str:
    """A query, or none."""
    if draw(st.integers(0, 2)):
        return ""
    chosen = draw(
        st.lists(st.tuples(st.sampled_from(QUERIES), st.sampled_from(SAID)), min_size=1, max_size=4)
    )
    if method == "GET" and seldom(draw, 4):
        chosen.append(("watch", "1"))
    if seldom(draw, 6):
        chosen.append((draw(st.sampled_from(QUERIES)), draw(st.sampled_from(TEXTS))))
    return "?" + "&".join(f"{name}={_quoted(value)}" for name, value in chosen)


@st.composite
def headers(draw: st.DrawFn) -> list[tuple[str, bytes]]:
    chosen = draw(st.lists(st.sampled_from(HEADERS), max_size=1)) if seldom(draw, 6) else []
    if seldom(draw, 8):
        chosen = [*chosen, ("Accept", draw(st.sampled_from(ACCEPTS)))]
    return [(name, value.encode("latin-1")) for name, value in chosen]


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text.encode("utf-8", "surrogatepass"), safe="")[:20_000]
