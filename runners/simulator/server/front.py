"""The front: from a request to its answer, without any I/O.

Whatever a request may change depends only on the requests before it and the virtual times at which they
came, so a list of requests is all that has to be kept of a server's state.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterable

from gherkube.runners.errors import ApiError, CannotJudge, UsageError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.refusals import bad_request
from gherkube.runners.simulator.api.resources import Resource
from gherkube.runners.simulator.client import VERSION
from gherkube.runners.simulator.clock import EPOCH
from gherkube.runners.simulator.cluster import Simulator
from gherkube.runners.simulator.node.registration import LEASES, LEASES_NAMESPACE, renewed
from gherkube.runners.simulator.server import (
    access,
    discovery,
    forms,
    logs,
    openapi,
    openapi_protobuf,
    proxy,
    versions,
)
from gherkube.runners.simulator.server.admin import Admin
from gherkube.runners.simulator.server.calls import JSON, TEXT, Call, Reply
from gherkube.runners.simulator.server.negotiation import not_acceptable, wanted
from gherkube.runners.simulator.server.paths import Target, no_such_path, parse
from gherkube.runners.simulator.server.verbs import Verbs, not_allowed, object_of

WINDOW = 100_000
"""How many changes back a watch may begin, and a list look."""
HEALTH = frozenset({"/healthz", "/livez", "/readyz"})
REFUSED = {
    "exec": "the containers of the simulator hold no programs to run",
    "ephemeralcontainers": "the containers of the simulator hold no programs to debug",
    "attach": "the containers of the simulator hold no programs to attach to",
    "portforward": "speak SPDY inside of a websocket, as kubectl does since 1.31, or use the proxy of the "
    "service or pod (kubectl proxy, or kubectl get --raw)",
}
"""Why a subresource of pods is not there."""
ENDPOINTS = re.compile(r"^/api/v1/(watch/)?(namespaces/[^/]+/)?endpoints(/|$)")
ENDPOINTS_REMARK = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
"""pkg/registry/core/endpoint/strategy.go, staging/src/k8s.io/api/core/v1 APILifecycleDeprecated"""
UNSAID = "UnexpectedServerResponse"
"""A cause that the API server keeps to itself: why a JSON patch does not apply."""
DISCOVERY_FORMS = frozenset({"APIGroupDiscoveryList"})


class Front:
    """Answers the requests to one simulated cluster."""

    def __init__(self, cluster: Simulator, *, window: int = WINDOW) -> None:
        self.cluster, self.window, self.texts = cluster, window, forms.Texts()
        self._verbs, self._admin = Verbs(cluster.api, window), Admin(cluster)

    def answer(self, call: Call) -> Reply:
        """The answer to any request but a watch; every refusal is a Status."""
        remarks = self.cluster.api.remarks
        remarks.clear()
        try:
            reply = self._answer(call)
        except Exception as error:
            reply = refusal(error)
        if "/endpoints" in call.path and reply.code < 400 and ENDPOINTS.search(call.path):
            remarks.append(ENDPOINTS_REMARK)
        if not remarks:
            return reply
        warnings = [f'299 - "{_quoted(each)}"' for each in dict.fromkeys(remarks)]
        return Reply(reply.body, reply.code, reply.type, reply.headers, tuple(warnings))

    def now(self) -> float:
        """The virtual time in Unix seconds."""
        return EPOCH.timestamp() + self.cluster.clock.now()

    def served(self) -> Iterable[Resource]:
        """The resources that there are, each in every version."""
        return self.cluster.api.resources.versions()

    def resource_at(self, target: Target) -> Resource:
        """The resource that a path names. ApiError NotFound when there is none."""
        found = self.cluster.api.resources.served(target.group, target.version, target.resource)
        found = found or versions.served(target.group, target.version, target.resource)
        if found is None or (target.namespace and not found.namespaced):
            raise no_such_path()
        return found

    def _answer(self, call: Call) -> Reply:
        path = call.path.rstrip("/") or "/"
        if path.startswith("/gherkube/"):
            return self._admin.answer(call)
        if (fixed := self._fixed(path, call)) is not None:
            if call.method not in ("GET", "HEAD"):
                raise not_allowed()
            return fixed
        target = parse(call.path)
        form = wanted(call.headers.get("accept", ""))
        if (unstored := self._unstored(target, call)) is not None:
            if form.what:
                raise not_acceptable()
            return unstored
        access.check(access.pretended(call.headers), target, method=call.method, watches=False)
        resource = self.resource_at(target)
        reply = self._beside(target, call) or self._verbs.answer(resource, target, call)
        if not isinstance(reply.body, dict):
            return reply
        found = self._renewed(reply.body) if resource.name == LEASES and call.method == "GET" else reply.body
        text = forms.said(found, form, resource, call.query, self.now(), self.texts)
        return Reply(text, reply.code, form.type)

    def _renewed(self, leases: Object) -> Object:
        """A lease, or a list of them: a node's as it is now, for to store each renewal would be history."""
        if "items" in leases:
            return {**leases, "items": [self._renewed(lease) for lease in leases["items"]]}
        name, nodes = leases["metadata"]["name"], self.cluster.kubelets
        if leases["metadata"]["namespace"] != LEASES_NAMESPACE or not nodes.knows(name):
            return leases
        return renewed(leases, nodes.last_seen(name))

    def _unstored(self, target: Target, call: Call) -> Reply | None:
        """The answer to what is created and answered, but never stored."""
        for resource in discovery.UNSTORED:
            if (resource.group, resource.version, resource.name) != (*target[:2], target.resource):
                continue
            if call.method != "POST" or target.name:
                raise not_allowed()
            body = object_of(call)
            if resource.name == "bindings":
                bound = target._replace(resource="pods", name=_name_in(body), subresource="binding")
                return self._verbs.answer(self.cluster.api.resources["pods"], bound, call)
            typed = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": {}, **body}
            return Reply(access.reviewed(resource.name, typed, access.pretended(call.headers)), 201)
        return None

    def _beside(self, target: Target, call: Call) -> Reply | None:
        """The answer of a subresource that is no part of the object."""
        api, where = self.cluster.api, (target.resource, target.subresource)
        if where in (("services", "proxy"), ("pods", "proxy")):
            return proxy.answer(self.cluster, target)
        if where[0] == "pods" and where[1] in REFUSED:
            raise ApiError(501, "NotImplemented", f"{where[1]} cannot be served: {REFUSED[where[1]]}")
        if where == ("pods", "log") and call.method == "GET":
            pod = api.get("pods", target.name, target.namespace)
            return Reply(logs.log(self.cluster, pod, call.query), type=TEXT)
        if where == ("serviceaccounts", "token") and call.method == "POST":
            account = api.get("serviceaccounts", target.name, target.namespace)
            return Reply(access.token_of(account, object_of(call), self.cluster.clock.now()), 201)
        return None

    def _fixed(self, path: str, call: Call) -> Reply | None:
        """The answer to a path that names no stored object."""
        if path in HEALTH:
            return Reply("ok", type=TEXT)
        if path == "/version":
            return Reply(VERSION)
        if path == "/":
            return Reply(
                {"paths": ["/api", "/apis", *sorted(HEALTH), "/openapi/v2", "/openapi/v3", "/version"]}
            )
        parts = path.split("/")[1:]
        if parts[0] in ("api", "apis") and len(parts) <= (2 if parts[0] == "api" else 3):
            return self._discovery(parts, call)
        if parts[0] == "openapi":
            return self._openapi(parts[1:], call)
        return None

    def _openapi(self, parts: list[str], call: Call) -> Reply:
        """kube-openapi/pkg/handler3/handler.go; kubectl takes JSON where it also takes protobuf."""
        served = discovery.registry(self.served())
        accepted = call.headers.get("accept", "")
        if parts == ["v2"] and accepted.startswith(openapi_protobuf.MEDIA):
            return Reply(openapi_protobuf.encode(openapi.v2(served)), type=openapi_protobuf.TYPE)
        wanted(accepted)
        if parts == ["v2"]:
            return Reply(openapi.v2(served))
        if parts == ["v3"]:
            return Reply(openapi.v3_index(served))
        if parts[:1] == ["v3"]:
            return Reply(openapi.v3("/".join(parts[1:]), served))
        raise no_such_path()

    def _discovery(self, parts: list[str], call: Call) -> Reply:
        served = discovery.registry(self.served())
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


def _name_in(body: Object) -> str:
    name = (body.get("metadata") or {}).get("name")
    if not isinstance(name, str) or not name:
        raise bad_request("name is required")
    return name


def refusal(error: Exception) -> Reply:
    """The answer that says what went wrong."""
    if isinstance(error, CannotJudge | UsageError):
        error = ApiError(400, "BadRequest", str(error))
    if not isinstance(error, ApiError):
        traceback.print_exception(error, file=sys.stderr)
        error = ApiError(500, "InternalError", f"Internal error occurred: {type(error).__name__}: {error}")
    after = error.details.get("retryAfterSeconds")
    headers = {"Retry-After": str(after)} if after else {}
    status = error.status
    if error.reason == "NotFound":
        status.setdefault("details", {})  # kubectl debug takes them for given
    if any(cause.get("reason") == UNSAID for cause in error.details.get("causes", ())):
        status["details"] = {}
    return Reply(status, error.code, headers=headers)


def _quoted(text: str) -> str:
    plain = "".join(each if each.isprintable() else " " for each in text)
    return plain.replace("\\", "\\\\").replace('"', '\\"')
