"""The front: from a request to its answer, without any I/O.

Whatever a request may change depends only on the requests before it and the virtual times at which they
came, so a list of requests is all that has to be kept of a server's state.
"""

from __future__ import annotations

import sys
import traceback

from gherkube.runners.errors import ApiError, CannotJudge, UsageError
from gherkube.runners.simulator.api.resources import Resource
from gherkube.runners.simulator.client import VERSION
from gherkube.runners.simulator.clock import EPOCH
from gherkube.runners.simulator.cluster import Simulator
from gherkube.runners.simulator.server import discovery, forms, openapi
from gherkube.runners.simulator.server.calls import JSON, TEXT, Call, Reply
from gherkube.runners.simulator.server.negotiation import wanted
from gherkube.runners.simulator.server.paths import Target, no_such_path, parse
from gherkube.runners.simulator.server.verbs import Verbs, not_allowed

WINDOW = 100_000
"""How many changes back a watch may begin, and a list look."""
HEALTH = frozenset({"/healthz", "/livez", "/readyz"})
DISCOVERY_FORMS = frozenset({"APIGroupDiscoveryList"})


class Front:
    """Answers the requests to one simulated cluster."""

    def __init__(self, cluster: Simulator, *, window: int = WINDOW) -> None:
        self.cluster, self.window = cluster, window
        self._verbs = Verbs(cluster.api, window)

    def answer(self, call: Call) -> Reply:
        """The answer to any request but a watch; every refusal is a Status."""
        remarks = self.cluster.api.remarks
        remarks.clear()
        try:
            reply = self._answer(call)
        except Exception as error:
            reply = refusal(error)
        if not remarks:
            return reply
        warnings = [f'299 - "{_quoted(each)}"' for each in dict.fromkeys(remarks)]
        return Reply(reply.body, reply.code, reply.type, reply.headers, tuple(warnings))

    def now(self) -> float:
        """The virtual time in Unix seconds."""
        return EPOCH.timestamp() + self.cluster.clock.now()

    def resource_at(self, target: Target) -> Resource:
        """The resource that a path names. ApiError NotFound when there is none."""
        resource = self.cluster.api.resources.named(target.resource)
        if (resource.group, resource.version) != (target.group, target.version):
            raise no_such_path()
        if target.namespace and not resource.namespaced:
            raise no_such_path()
        return resource

    def _answer(self, call: Call) -> Reply:
        path = call.path.rstrip("/") or "/"
        fixed = self._fixed(path, call)
        if fixed is not None:
            if call.method not in ("GET", "HEAD"):
                raise not_allowed()
            return fixed
        target = parse(call.path)
        resource = self.resource_at(target)
        form = wanted(call.headers.get("accept", ""))
        reply = self._verbs.answer(resource, target, call)
        if not isinstance(reply.body, dict):
            return reply
        body = forms.shaped(reply.body, form, resource, call.query, self.now())
        return Reply(forms.encoded(body, form.type, pretty=call.asks("pretty")), reply.code, form.type)

    def _fixed(self, path: str, call: Call) -> Reply | None:
        """The answer to a path that names no stored object."""
        if path in HEALTH:
            return Reply("ok", type=TEXT)
        if path == "/version":
            return Reply(VERSION)
        parts = path.split("/")[1:]
        if parts[0] in ("api", "apis") and len(parts) <= (2 if parts[0] == "api" else 3):
            return self._discovery(parts, call)
        if parts[0] == "openapi":
            return self._openapi(parts[1:], call)
        return None

    def _openapi(self, parts: list[str], call: Call) -> Reply:
        """kube-openapi/pkg/handler3/handler.go; kubectl takes JSON where it also takes protobuf."""
        served = discovery.registry(self.cluster.api.resources.versions())
        wanted(call.headers.get("accept", ""))
        if parts == ["v2"]:
            return Reply(openapi.v2(served))
        if parts == ["v3"]:
            return Reply(openapi.v3_index(served))
        if parts[:1] == ["v3"]:
            return Reply(openapi.v3("/".join(parts[1:]), served))
        raise no_such_path()

    def _discovery(self, parts: list[str], call: Call) -> Reply:
        served = discovery.registry(self.cluster.api.resources.versions())
        if len(parts) == 1:
            form = wanted(call.headers.get("accept", ""), forms=DISCOVERY_FORMS)
            if form.what:
                type_ = f"{JSON};g=apidiscovery.k8s.io;v={form.version};as=APIGroupDiscoveryList"
                return Reply(discovery.aggregated(parts[0] == "api", form.version, served), type=type_)
            return Reply(discovery.core_versions() if parts[0] == "api" else discovery.groups(served))
        if parts[0] == "api":
            return Reply(discovery.resources("", parts[1], served))
        if len(parts) == 2:
            return Reply(discovery.group(parts[1], served))
        return Reply(discovery.resources(parts[1], parts[2], served))


def refusal(error: Exception) -> Reply:
    """The answer that says what went wrong."""
    if isinstance(error, CannotJudge | UsageError):
        error = ApiError(400, "BadRequest", str(error))
    if not isinstance(error, ApiError):
        traceback.print_exception(error, file=sys.stderr)
        error = ApiError(500, "InternalError", f"Internal error occurred: {type(error).__name__}: {error}")
    headers = {"Retry-After": "1"} if error.code == 429 else {}
    return Reply(error.status, error.code, headers=headers)


def _quoted(text: str) -> str:
    plain = "".join(each if each.isprintable() else " " for each in text)
    return plain.replace("\\", "\\\\").replace('"', '\\"')
