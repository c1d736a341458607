"""Requests: from those that a client would send to those that none would, about what the server serves."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.server.fuzz.objects import METADATA, SEEDS, Schemas, definition
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
JSON = "application/json"
PATCHES = {
    "json": "application/json-patch+json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}
SUBRESOURCES = (
    *(
        "status",
        "scale",
        "log",
        "exec",
        "attach",
        "portforward",
        "proxy",
        "proxy/x/../y",
        "eviction",
        "binding",
    ),
    *("token", "ephemeralcontainers", "resize", "finalize", "approval", "nothing", "status/x", ""),
)
QUERIES = (
    *(
        "labelSelector",
        "fieldSelector",
        "limit",
        "continue",
        "resourceVersion",
        "resourceVersionMatch",
        "watch",
    ),
    *(
        "timeoutSeconds",
        "allowWatchBookmarks",
        "sendInitialEvents",
        "dryRun",
        "fieldValidation",
        "fieldManager",
    ),
    *(
        "force",
        "pretty",
        "propagationPolicy",
        "gracePeriodSeconds",
        "orphanDependents",
        "includeObject",
        "follow",
    ),
    *(
        "container",
        "tailLines",
        "sinceSeconds",
        "sinceTime",
        "limitBytes",
        "previous",
        "timestamps",
        "timeout",
    ),
)
SAID = (
    *(
        "",
        "0",
        "1",
        "true",
        "True",
        "false",
        "All",
        "Strict",
        "Ignore",
        "Warn",
        "Foreground",
        "Orphan",
        "Exact",
    ),
    *(
        "NotOlderThan",
        "Object",
        "None",
        "app",
        "app=web",
        "app in (web,job)",
        "app notin (",
        "!app",
        "a=b=c",
        "==,=",
    ),
    *(
        "metadata.name=web",
        "metadata.name!=a",
        "status.phase=Running",
        "spec.nodeName=",
        "x.y=z",
        "=",
        "app in ()",
    ),
    *(
        "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhL2IifQ",
        "eyJ2IjoxfQ",
        "e30",
        "W10",
        "9" * 25,
        "-9" * 9,
    ),
    *(
        "18446744073709551616",
        "1.5",
        "-1",
        "500",
        "1e3",
        "٣",
        "²",
        "m" * 200,
        "app in (" + "x," * 3_000 + "x)",
    ),
)
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
ACCEPTS = (
    *(
        JSON,
        "*/*",
        "application/yaml",
        TABLE,
        f"{TABLE},{JSON}",
        TABLE.replace("v=v1", "v=v9"),
        "text/html",
        "",
        ";",
    ),
    *(
        "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
        "application/json;as=Nonsense",
        ",,,;;=;q=x",
    ),
    *(
        "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1beta1",
        "application/json;q=nan,*/*;q=inf",
    ),
    *(
        "application/vnd.kubernetes.protobuf",
        "application/vnd.kubernetes.protobuf,application/json",
        "a/b" * 900,
    ),
    *(
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        "application/cbor",
        "application/json;as",
    ),
    "application/json;g=apidiscovery.k8s.io;v=v7;as=APIGroupDiscoveryList",
)
TYPES = (
    *(
        JSON,
        "application/yaml",
        *PATCHES.values(),
        "application/vnd.kubernetes.protobuf",
        "text/plain",
        "",
        ";",
    ),
    *(
        "application/json; charset=utf-7",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
    ),
    *(
        "application/json;charset=\xff",
        "x/" + "y" * 900,
        "application/cbor",
        "application/anything+json",
        "nonsense",
    ),
)
METHODS = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "get",
    "BREW",
    "PROPFIND",
)
HEADERS = (
    ("User-Agent", "kubectl/v1.34 (linux)"),
    ("User-Agent", "x" * 300),
    ("User-Agent", "\xff\x80"),
    ("Authorization", "Bearer wrong"),
    ("Authorization", "Basic eA=="),
    ("Authorization", "\xff"),
    ("Host", "evil.example"),
    ("Host", ""),
    ("Host", "[::1"),
    ("Cookie", "a=b; " * 300),
    ("X-Forwarded-For", "1.2.3.4"),
    ("Impersonate-User", "nobody"),
    ("If-Match", "*"),
    ("Range", "bytes=0-"),
    ("Content-Encoding", "gzip"),
)
HOSTILE_PATHS = (
    *(
        "/",
        "//",
        "///api//v1",
        "/api",
        "/apis",
        "/api/v1/",
        "/api/v2/pods",
        "/apis/apps",
        "/apis/apps/v1/",
        "*",
    ),
    *("/api/v1/../../etc/passwd", "/api/v1/%2e%2e/%2e%2e/x", "/..", "/.", "/%2e", "/%00", "/api/v1/pods%00"),
    *("/api/v1/namespaces/%2e%2e/pods", "/api/v1/namespaces/fuzz/pods/%2e%2e", "/api/v1/namespaces//pods"),
    *(
        "/api/v1/namespaces/fuzz/pods/a%2fb",
        "/api/v1/namespaces/fuzz/pods/%ff",
        "/api/v1/namespaces/fuzz/pods/%",
    ),
    *(
        "/api/v1/namespaces/fuzz/pods/%zz",
        "/api/v1/namespaces/fuzz/pods/%u1234",
        "/api/v1/pods?%ff=%fe",
        "/api/v1/pods?",
    ),
    *(
        "/api/v1/pods?&&&==&",
        "/api/v1/pods?labelSelector=%",
        "/api/v1/pods#x",
        "/api/v1/pods;x=y",
        "/api/v1/pods\\x",
    ),
    *(
        "http://evil.example/api/v1/pods",
        "https://127.0.0.1/version",
        "api/v1/pods",
        "/api/v1/\x7f",
        "/api/v1/ß",
    ),
    *(
        "/" + "a" * 30_000,
        "/" + "a/" * 8_000,
        "/api/v1/namespaces/fuzz/pods/" + "x" * 300,
        "/" + "%41" * 5_000,
    ),
    *(
        "/api/v1/pods?" + "a=b&" * 3_000,
        "/openapi/v2",
        "/openapi/v3",
        "/openapi/v3/",
        "/openapi/v3/api/v1",
        "/openapi",
    ),
    *(
        "/openapi/v3/../x",
        "/openapi/v3/apis/no/v1",
        "/openapi/v2/x",
        "/version",
        "/version/x",
        "/healthz",
        "/livez/ping",
    ),
    *(
        "/metrics",
        "/logs",
        "/debug/pprof",
        "/.well-known/openid-configuration",
        "/api/v1/watch/pods",
        "/apis/no/v1/x",
    ),
    *(
        "/api/v1/namespaces/fuzz/services/web:80:x:y/proxy/",
        "/api/v1/namespaces/fuzz/services/::/proxy",
        "/favicon.ico",
    ),
    *(
        "/api/v1/namespaces/fuzz/pods/web:99999999999999999999/proxy/",
        "/api/v1/namespaces/fuzz/pods/web:٣/proxy/",
    ),
    *("/api/v1/namespaces/fuzz/pods/http:web:x/proxy/../..", "/api/v1/nodes/node-1/proxy/metrics", "/ui"),
)
ADMIN = (
    "",
    "clock",
    "images",
    "seed",
    "clock/advance",
    "nodes/node-9/stop",
    "nodes/%00/start",
    "nodes",
    "x/y",
    "..",
)
ADMIN_BODIES: tuple[Any, ...] = (
    *(
        {"seconds": 1},
        {"seconds": "2s"},
        {"seconds": -1},
        {"seconds": 1e300},
        {"seconds": "1e9"},
        {"seconds": "9" * 99 + "h"},
    ),
    *(
        {"mode": "slow"},
        {"mode": "manual"},
        {"mode": []},
        {"speed": 0},
        {"speed": "x"},
        {"speed": {}},
        {"seed": -1},
        {"seed": 5},
    ),
    *(
        {"seed": 1 << 70},
        {"seed": "x"},
        {"fuzz:1": "never becomes ready"},
        {"fuzz:1": []},
        {"fuzz:1": {"a": 1}},
        {"": ""},
    ),
    *(
        ['image "fuzz:2" does not exist'],
        ["nonsense"],
        [None],
        [[]],
        'image "x"',
        {"fuzz:1": "takes 99999999999 years to pull"},
    ),
    *(
        {"fuzz:3": "takes 3 seconds to start listening"},
        {"seconds": None},
        {"seconds": True},
        {"seconds": "٣"},
        None,
        5,
    ),
)


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


POINTERS = st.sampled_from(
    (
        *(
            "",
            "/",
            "/a",
            "//",
            "/metadata/name",
            "/metadata/labels/app",
            "/metadata/labels/a~1b",
            "/metadata/labels/~",
        ),
        *(
            "/metadata/labels/~2",
            "/spec",
            "/spec/replicas",
            "/spec/template/spec/containers/0/image",
            "/spec/ports/-",
        ),
        *(
            "/spec/template/spec/containers/-",
            "/spec/template/spec/containers/-1",
            "/spec/template/spec/containers/01",
        ),
        *(
            "/spec/template/spec/containers/1e0",
            "/spec/template/spec/containers/" + "9" * 30,
            "/data/a",
            "/data",
            "/status",
        ),
        *(
            "/metadata",
            "/kind",
            "/apiVersion",
            "/metadata/uid",
            "/metadata/resourceVersion",
            "/metadata/managedFields",
        ),
        *(
            "metadata",
            "/spec/" + "x/" * 300,
            "/metadata/annotations/٣",
            "/spec/containers/²",
            "/spec/containers/+0",
        ),
    )
)
OPERATIONS = st.one_of(
    st.lists(
        st.fixed_dictionaries(
            {
                "op": st.sampled_from(("add", "remove", "replace", "move", "copy", "test", "other", None)),
                "path": POINTERS,
            },
            optional={"value": HOSTILE, "from": POINTERS},
        ),
        max_size=4,
    ),
    st.sampled_from(
        (
            [{"op": "add", "path": "/metadata/annotations", "value": {"a": "b" * 1000}}]
            + [
                {"op": "copy", "from": "/metadata/annotations", "path": f"/metadata/annotations/{n}"}
                for n in range(40)
            ],
            [{"op": "copy", "from": "/spec", "path": "/spec/x"}] * 25,
            [{"op": "test", "path": "/kind", "value": "x"}] * 20_000,
        )
    ),
)
DIRECTIVES = st.one_of(
    HOSTILE,
    st.sampled_from(
        (
            *(
                {"$patch": "replace"},
                {"$patch": "delete"},
                {"$patch": "merge"},
                {"$patch": "nonsense"},
                {"$patch": []},
            ),
            *(
                {"$retainKeys": ["type"]},
                {"$retainKeys": "type"},
                {"$retainKeys": [{}]},
                {"$patch": "delete", "name": "app"},
            ),
            *(
                {"$deleteFromPrimitiveList/finalizers": ["x"]},
                {"$deleteFromPrimitiveList/finalizers": {}},
                {"$setElementOrder/": 1},
            ),
            *(
                {"$setElementOrder/containers": [{"name": "app"}]},
                {"$setElementOrder/containers": [5]},
                [{"$patch": "replace"}],
            ),
            *(
                {"$setElementOrder/finalizers": ["b", "a"]},
                [{"$patch": "delete", "name": "app"}],
                [{"name": None}],
                [{}],
                [[]],
            ),
        )
    ),
)
DELETIONS = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.just("DeleteOptions"),
        "apiVersion": st.sampled_from(("v1", "meta.k8s.io/v1", "x")),
        "gracePeriodSeconds": st.sampled_from((0, 1, 30, -1, None, "5", 1 << 40)),
        "propagationPolicy": st.sampled_from(("Background", "Foreground", "Orphan", "Other", 5)),
        "preconditions": st.sampled_from(({}, {"uid": "x"}, {"resourceVersion": "1"}, {"uid": 5}, [], "x")),
        "dryRun": st.sampled_from((["All"], [], "All", ["x"], None)),
    },
)


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
