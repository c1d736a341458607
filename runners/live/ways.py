"""How requests get to a service from here: which way is chosen, and why.

1. the URL that the target's settings give for it;
2. a node port, where the nodes' addresses can be reached: what a client sees, with all that a node has not
   heard of yet. A service of type ClusterIP in a namespace that the run made becomes a NodePort for that;
3. the address of an Ingress that leads to it;
4. the API server's proxy of services, which works from wherever the API can be reached, and takes one of
   the ready endpoints of the moment itself.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

from gherkube.runners.errors import ApiError, CannotJudge, UsageError
from gherkube.runners.live.api import LiveApi
from gherkube.runners.objects import Key, Object, is_ready

CONNECTS = 2.0
"""Real seconds for a connection."""
COMES_WITHIN = 30.0
"""Real seconds that a node may take to open a port, where a pod is there to answer."""
KUBE_PROXY = 10256
"""Where a node answers, if only that nobody is there: kube-proxy's own port for its health."""
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


class Way(NamedTuple):
    """`words` tell it; `urls` are asked in turn; `host`: the Host header, where it is not the URL's.

    `proxied`: the URL is a path of the API server.
    """

    words: str
    urls: tuple[str, ...]
    host: str = ""
    proxied: bool = False


class Ways:
    """Finds the ways to services. `urls`: those of the settings, by "NAMESPACE/NAME" or name.

    `made`: whether the run made a namespace. `nodes`: the nodes now; none where they are only modelled.
    """

    def __init__(
        self,
        api: LiveApi,
        urls: Mapping[str, str],
        made: Callable[[str], bool],
        nodes: Callable[[], list[Object]],
    ) -> None:
        self._api, self._urls, self._made, self._nodes = api, urls, made, nodes

    def to(self, service: Key) -> Way:
        """The way of a client. UsageError when no request can be sent to it."""
        found = self._service(service)
        ways = (self._by_url, self._by_node, self._by_ingress)
        return next((way for each in ways if (way := each(service, found))), None) or _by_proxy(
            service, found
        )

    def to_node_ports(self, service: Key) -> Way:
        """The service's port on each of the ready nodes. Raises CannotJudge where they are not reached."""
        found = self._service(service)
        port = found["spec"]["ports"][0].get("nodePort")
        if not port:
            raise UsageError(
                f'service "{service.name}" has no node port: make it a NodePort service, '
                "or send the requests to the service itself"
            )
        urls = tuple(f"http://{address}:{port}/" for address in self._addresses())
        if not any(map(_is_reached, urls)):
            raise CannotJudge(
                f"the nodes are not reached from here ({', '.join(urls) or 'they are only modelled'}): "
                "send the requests to the service itself, which go through the API server"
            )
        return Way(f"node port {port} of {len(urls)} nodes", urls)

    def _service(self, service: Key) -> Object:
        found = self._api.get("services", service.name, service.namespace)
        if not found["spec"].get("ports") or not found["spec"].get("selector"):
            raise UsageError(
                f'service "{service.name}" has no ports, or selects no pods: no request can be sent to it'
            )
        return found

    def _by_url(self, service: Key, _: Object) -> Way | None:
        url = self._urls.get(f"{service.namespace}/{service.name}") or self._urls.get(service.name)
        return Way(f"{url}, of the settings", (url,)) if url else None

    def _by_node(self, service: Key, found: Object) -> Way | None:
        """Through one node, as one client would come; a node of the control plane goes down last."""
        address = next(iter(self._addresses()), None)
        if address is None or not _is_reached(f"http://{address}:{KUBE_PROXY}/"):
            return None
        port = found["spec"]["ports"][0].get("nodePort") or self._opened(service, found)
        if not port:
            return None
        url = f"http://{address}:{port}/"
        until = time.monotonic() + COMES_WITHIN
        while not _is_open(url) and self._has_ready(service) and time.monotonic() < until:
            time.sleep(0.1)
        return Way(f"node port {port} of {address}", (url,))

    def _has_ready(self, service: Key) -> bool:
        slices = self._api.list(
            "endpointslices", service.namespace, labels=f"kubernetes.io/service-name={service.name}"
        )
        endpoints = (each for found in slices for each in found.get("endpoints") or ())
        return any((each.get("conditions") or {}).get("ready") is not False for each in endpoints)

    def _opened(self, service: Key, found: Object) -> int | None:
        """The node port that the service gets for it, where it is the run's own."""
        if not self._made(service.namespace) or found["spec"].get("clusterIP") in (None, "None"):
            return None
        with suppress(ApiError):
            patch = {"spec": {"type": "NodePort"}}
            made = self._api.patch("services", service.name, patch, service.namespace)
            port: int = made["spec"]["ports"][0]["nodePort"]
            return port
        return None

    def _by_ingress(self, service: Key, _: Object) -> Way | None:
        try:
            ingresses = self._api.list("ingresses", service.namespace)
        except (ApiError, UsageError):  # not allowed, or not served
            return None
        for ingress in ingresses:
            for host, path in _leading_to(ingress, service.name):
                for at in (ingress.get("status", {}).get("loadBalancer") or {}).get("ingress") or ():
                    url = f"http://{at.get('ip') or at.get('hostname')}{path}"
                    if _is_reached(url):
                        words = f'ingress "{ingress["metadata"]["name"]}" at {host or url}'
                        return Way(words, (url,), host)
        return None

    def _addresses(self) -> Iterator[str]:
        """The addresses of the ready nodes, those of the control plane first."""
        ready = [node for node in self._nodes() if is_ready(node)]
        for node in sorted(
            ready, key=lambda node: CONTROL_PLANE not in (node["metadata"].get("labels") or {})
        ):
            for address in node["status"].get("addresses", ()):
                if address["type"] == "InternalIP":
                    yield address["address"]


def _by_proxy(service: Key, found: Object) -> Way:
    port = found["spec"]["ports"][0]
    name = port.get("name") or port["port"]
    path = f"/api/v1/namespaces/{service.namespace}/services/{service.name}:{name}/proxy/"
    return Way("the API server's proxy", (path,), proxied=True)


def _leading_to(ingress: Object, service: str) -> Iterator[tuple[str, str]]:
    """Host and path of each rule that leads to the service."""
    for rule in ingress["spec"].get("rules") or ():
        for path in (rule.get("http") or {}).get("paths") or ():
            if (path["backend"].get("service") or {}).get("name") == service:
                yield rule.get("host", "").replace("*", "any"), path.get("path") or "/"


def _is_reached(url: str) -> bool:
    """Whether anybody answers there, be it that there is nobody."""
    try:
        _connect(url)
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return True


def _is_open(url: str) -> bool:
    """Whether somebody listens there."""
    try:
        _connect(url)
    except OSError:
        return False
    return True


def _connect(url: str) -> None:
    parts = urlsplit(url)
    socket.create_connection((parts.hostname, parts.port or 80), CONNECTS).close()
