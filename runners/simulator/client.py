"""The official Kubernetes client for the simulator: its requests end in this process.

`Transport` stands where the client's connection pool would be. It takes HTTP apart into the verbs of
the API server, and puts answers and refusals together again. A watch runs the virtual clock: it goes
on to the next change, as if one had waited for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from gherkube.runners.cluster import PatchType
from gherkube.runners.errors import ApiError, CannotJudge, UsageError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.refusals import bad_request
from gherkube.runners.simulator.api.resources import Resource

if TYPE_CHECKING:
    import kubernetes.client
    import urllib3

    from gherkube.runners.cluster import Clock
    from gherkube.runners.simulator.api.server import ApiServer

HOST = "http://simulator"
PATH = re.compile(
    r"/(?:api|apis/(?P<group>[^/]+))/(?P<version>v[^/]+)"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/(?!status$|finalize$)))?"
    r"/(?P<resource>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<subresource>[^/]+))?)?"
)
PATCH_TYPES: dict[str, PatchType] = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
}
VERSION = {
    "major": "1",
    "minor": "34",
    "gitVersion": "v1.34.4",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "",
    "goVersion": "",
    "compiler": "gc",
    "platform": "linux/amd64",
}
WATCH_SECONDS = 1800.0
"""How long a watch stays open that names no time: apiserver `--min-request-timeout`."""


def make_client(api: ApiServer, clock: Clock) -> kubernetes.client.ApiClient:
    """An official client that speaks to the simulator's API; a watch lets its time pass."""
    from kubernetes import client

    configuration = client.Configuration()
    configuration.host = HOST
    configuration.proxy = None
    made = client.ApiClient(configuration)
    made.rest_client.pool_manager = cast("urllib3.PoolManager", Transport(api, clock))
    return made


class Call(NamedTuple):
    """A request, taken apart."""

    method: str
    resource: Resource
    namespace: str
    name: str
    subresource: str
    query: dict[str, str]
    content_type: str
    body: Any

    @property
    def dry_run(self) -> bool:
        """Whether nothing may be stored."""
        return self.query.get("dryRun") == "All"

    @property
    def selectors(self) -> dict[str, str]:
        """The selectors as the verbs take them."""
        return {"labels": self.query.get("labelSelector", ""), "fields": self.query.get("fieldSelector", "")}


class Transport:
    """What the client takes for its connection pool (`urllib3.PoolManager`)."""

    def __init__(self, api: ApiServer, clock: Clock) -> None:
        self._api, self._clock = api, clock

    def request(
        self,
        method: str,
        url: str,
        body: str | bytes | None = None,
        headers: dict[str, str] | None = None,
        **_: Any,
    ) -> urllib3.HTTPResponse:
        """Answers one request."""
        parts = urlsplit(url)
        if parts.path.rstrip("/") == "/version":
            return _response(HTTPStatus.OK, VERSION)
        try:
            call = self._call(method, parts.path, parts.query, body, headers or {})
            if method == "GET" and call.query.get("watch", "0").lower() not in ("0", "false"):
                return _stream(self._lines(call))
            return _response(HTTPStatus.CREATED if method == "POST" else HTTPStatus.OK, self._answer(call))
        except ApiError as refused:
            return _response(HTTPStatus(refused.code), refused.status)

    def clear(self) -> None:
        """Nothing to close."""

    def _call(
        self, method: str, path: str, query: str, body: str | bytes | None, headers: dict[str, str]
    ) -> Call:
        found = PATH.fullmatch(path)
        if found is None:
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        group, version, namespace, name, of, subresource = (
            unquote(found[part] or "")
            for part in ("group", "version", "namespace", "resource", "name", "subresource")
        )
        resource = self._api.resources.named(name)
        if (resource.group, resource.version) != (group, version):
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        content_type = next((v for k, v in headers.items() if k.lower() == "content-type"), "")
        sent = json.loads(body) if body else None
        return Call(
            method,
            resource,
            namespace,
            of,
            subresource,
            dict(parse_qsl(query)),
            content_type.split(";")[0].strip(),
            sent,
        )

    def _answer(self, call: Call) -> Object:
        if call.subresource in ("log", "exec", "attach", "portforward", "proxy", "ephemeralcontainers"):
            raise CannotJudge(f"{call.resource.name}/{call.subresource} is not modelled by the simulator")
        answers = {
            "GET": self._get if call.name else self._list,
            "POST": self._post,
            "PUT": self._put,
            "PATCH": self._patch,
            "DELETE": self._delete if call.name else self._delete_all,
        }
        return answers[call.method](call)

    def _get(self, call: Call) -> Object:
        subresource = call.subresource if call.subresource == "scale" else ""
        return self._api.get(call.resource.name, call.name, call.namespace, subresource=subresource)

    def _list(self, call: Call) -> Object:
        resource = call.resource
        return {
            "kind": f"{resource.kind}List",
            "apiVersion": resource.api_version,
            "metadata": {"resourceVersion": str(self._api.store.version)},
            "items": self._api.list(resource.name, call.namespace, **call.selectors),
        }

    def _post(self, call: Call) -> Object:
        if call.name:
            return self._api.post(call.resource.name, call.name, call.subresource, call.body, call.namespace)
        typed = {"apiVersion": call.resource.api_version, "kind": call.resource.kind, **call.body}
        return self._api.create(typed, namespace=call.namespace, dry_run=call.dry_run)

    def _put(self, call: Call) -> Object:
        resource, metadata = call.resource, {"name": call.name, **(call.body.get("metadata") or {})}
        if call.namespace:
            metadata.setdefault("namespace", call.namespace)
        if metadata["name"] != call.name:
            raise bad_request(
                f"the name of the object ({metadata['name']}) does not match "
                f"the name on the URL ({call.name})"
            )
        typed = {"apiVersion": resource.api_version, "kind": resource.kind, **call.body, "metadata": metadata}
        return self._api.replace(
            typed, subresource=call.subresource, resource=resource.name, dry_run=call.dry_run
        )

    def _patch(self, call: Call) -> Object:
        if call.content_type == "application/apply-patch+yaml":
            raise CannotJudge("server-side apply is not modelled by the simulator")
        if call.content_type not in PATCH_TYPES:
            known = ", ".join(PATCH_TYPES)
            raise ApiError(
                415,
                "UnsupportedMediaType",
                f"the body of the request was in an unknown format - accepted media types include: {known}",
            )
        return self._api.patch(
            call.resource.name,
            call.name,
            call.body,
            call.namespace,
            type=PATCH_TYPES[call.content_type],
            subresource=call.subresource,
            dry_run=call.dry_run,
        )

    def _delete(self, call: Call) -> Object:
        options = {**call.query, **(call.body or {})}
        grace = options.get("gracePeriodSeconds")
        return self._api.delete(
            call.resource.name,
            call.name,
            call.namespace,
            propagation=options.get("propagationPolicy"),
            grace_period=None if grace is None else int(grace),
            uid=(options.get("preconditions") or {}).get("uid", ""),
        )

    def _delete_all(self, call: Call) -> Object:
        listed = self._list(call)
        for obj in listed["items"]:
            metadata = obj["metadata"]
            self._delete(call._replace(name=metadata["name"], namespace=metadata.get("namespace", "")))
        return listed

    def _lines(self, call: Call) -> Generator[bytes, None, None]:
        """The lines of a watch: what there is to tell, and, as time passes, what more there is."""
        clock, store = self._clock, self._api.store
        limit = call.query.get("timeoutSeconds")
        end = clock.now() + (float(limit) if limit else WATCH_SECONDS)
        version = call.query.get("resourceVersion", "")
        while True:
            newest = store.version
            fields = {"namespace": call.namespace, "version": version, **call.selectors}
            if call.name:
                fields["fields"] = f"metadata.name={call.name}"
            for event in list(self._api.watch(call.resource.name, **fields)):
                yield json.dumps({"type": event.type, "object": event.object}).encode() + b"\n"
            version = str(newest)
            goes_on = clock.wait(
                lambda newest=newest: store.version > newest,  # type: ignore[misc]
                end - clock.now(),
                resources=(call.resource.name,),
            )
            if not goes_on:
                if limit:
                    return
                raise UsageError(
                    f"the watch of {call.resource.name} would wait for ever: nothing more happens to them in "
                    "the simulator; stop it at the event that you wait for, or give it timeout_seconds"
                )


def _response(code: HTTPStatus, obj: Object) -> urllib3.HTTPResponse:
    import urllib3

    return urllib3.HTTPResponse(
        body=BytesIO(json.dumps(obj).encode()),
        headers={"Content-Type": "application/json"},
        status=code.value,
        reason=code.phrase,
        preload_content=False,
    )


def _stream(lines: Generator[bytes, None, None]) -> urllib3.HTTPResponse:
    import urllib3

    class Stream(urllib3.HTTPResponse):
        """A response whose body comes line by line."""

        def stream(
            self, amt: int | None = None, decode_content: bool | None = None
        ) -> Generator[bytes, None, None]:
            del amt, decode_content
            return lines

    return Stream(
        status=200, reason="OK", headers={"Content-Type": "application/json"}, preload_content=False
    )
