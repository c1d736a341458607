"""The proxies of services and pods: what the modelled application answers through the API server.

pkg/registry/core/service/storage/storage.go ResourceLocation, pkg/registry/core/pod/strategy.go
"""

from __future__ import annotations

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Key, Object
from gherkube.runners.simulator.api.refusals import bad_request
from gherkube.runners.simulator.cluster import Simulator
from gherkube.runners.simulator.network import SERVICE_NAME
from gherkube.runners.simulator.server.calls import TEXT, Reply
from gherkube.runners.simulator.server.paths import Target

DEFAULT_PORT = 80


def answer(cluster: Simulator, target: Target) -> Reply:
    """What comes back from the pod, or from one of the service's ready pods."""
    scheme, name, port = _parts(target.name)
    namespace = target.namespace or "default"
    if scheme not in ("", "http", "https"):
        raise bad_request(f'invalid {target.resource} request "{target.name}"')
    if target.resource == "services":
        pod, number = _endpoint(cluster, cluster.api.get("services", name, namespace), port)
    else:
        pod, number = Key(namespace, name), _pod_port(cluster.api.get("pods", name, namespace), port)
    reply = cluster.kubelets.request(pod, number, f"/{target.rest}")
    if not reply.code:
        found = cluster.store.get("pods", pod)
        ip = found["status"].get("podIP", "") if found else ""
        said = f"error trying to reach service: dial tcp {ip}:{number}: {reply.body}"
        raise ApiError(503, "ServiceUnavailable", said)
    end = "" if reply.body == pod.name else "\n"  # agnhost writes its hostname alone, programs a line
    return Reply(reply.body + end, reply.code, TEXT)


def _parts(text: str) -> tuple[str, str, str]:
    """Scheme, name and port of `[scheme:]name[:port]`."""
    parts = text.split(":")
    if len(parts) > 3 or not all(parts[:1]):
        raise bad_request(f'invalid service request "{text}"')
    if len(parts) == 3:
        return parts[0], parts[1], parts[2]
    return "", parts[0], parts[1] if len(parts) == 2 else ""


def _endpoint(cluster: Simulator, service: Object, port: str) -> tuple[Key, int]:
    """A ready pod of the service, by chance, and the port there."""
    metadata, ports = service["metadata"], service["spec"].get("ports", ())
    name = port
    if port.isdigit():
        named = next((each for each in ports if each["port"] == int(port)), None)
        if named is None:
            said = f'no service port {port} found for service "{metadata["name"]}"'
            raise ApiError(503, "ServiceUnavailable", said)
        name = named.get("name", "")
    ready = [
        (Key(endpoint["targetRef"]["namespace"], endpoint["targetRef"]["name"]), at["port"])
        for each in cluster.api.list(
            "endpointslices", metadata["namespace"], labels=f"{SERVICE_NAME}={metadata['name']}"
        )
        for at in each.get("ports") or ()
        if at.get("name", "") == name
        for endpoint in each.get("endpoints") or ()
        if endpoint.get("conditions", {}).get("ready") and "targetRef" in endpoint
    ]
    if not ready:
        said = f'no endpoints available for service "{metadata["name"]}"'
        raise ApiError(503, "ServiceUnavailable", said)
    return ready[int(cluster.api.chance.stream("apiserver-proxy").random() * len(ready))]


def _pod_port(pod: Object, port: str) -> int:
    if port.isdigit():
        return int(port)
    declared = [each for container in pod["spec"]["containers"] for each in container.get("ports", ())]
    for each in declared:
        if not port or each.get("name") == port:
            return int(each["containerPort"])
    if port:
        raise bad_request(f'no port named "{port}" in pod "{pod["metadata"]["name"]}"')
    return DEFAULT_PORT
