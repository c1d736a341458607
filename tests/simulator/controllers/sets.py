"""StatefulSets and DaemonSets on a whole cluster, and what is seen of their pods over time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gherkube.runners.history import DELETED
from gherkube.runners.objects import Object, controller_of, is_deleting, is_ready
from gherkube.runners.simulator.cluster import Simulator

PROBE = {"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 1}


def template(image: str, app: str, **spec: Any) -> Object:
    """A pod template of one container with a readiness probe."""
    container = {"name": "app", "image": image, "readinessProbe": PROBE}
    return {
        "metadata": {"labels": {"app": app}},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 2, **spec},
    }


def stateful_set(replicas: int = 3, image: str = "db:1", **spec: Any) -> Object:
    """A StatefulSet "db"."""
    wanted = {"replicas": replicas, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}}}
    return _set("StatefulSet", "db", {**wanted, "template": template(image, "db"), **spec})


def daemon_set(image: str = "agent:1", **spec: Any) -> Object:
    """A DaemonSet "agent"."""
    wanted = {"selector": {"matchLabels": {"app": "agent"}}, "template": template(image, "agent")}
    return _set("DaemonSet", "agent", {**wanted, **spec})


def _set(kind: str, name: str, spec: Object) -> Object:
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec}


def rolling(**limits: int | str) -> Object:
    """A rolling update with these limits."""
    return {"type": "RollingUpdate", "rollingUpdate": limits}


def running(obj: Object, *, nodes: int = 3, seed: int = 0) -> Simulator:
    """A cluster on which the set has come up."""
    cluster = Simulator(seed=seed, nodes=nodes)
    cluster.api.create(obj)
    cluster.clock.sleep(40.0)
    return cluster


def change(cluster: Simulator, **spec: Any) -> None:
    """Changes the spec of the set that there is."""
    (found,) = [
        (resource, obj)
        for resource in ("statefulsets", "daemonsets")
        for obj in cluster.api.list(resource, "default")
    ]
    resource, obj = found
    cluster.api.patch(resource, obj["metadata"]["name"], {"spec": spec}, "default", type="merge")


def update(cluster: Simulator, image: str) -> None:
    """Gives the set's template another image."""
    (kind,) = {pod["metadata"]["labels"]["app"] for pod in pods(cluster)}
    change(cluster, template=template(image, kind))


def pods(cluster: Simulator) -> list[Object]:
    """The pods, by name."""
    return cluster.api.list("pods", "default")


def images(cluster: Simulator) -> list[str]:
    """The images of the pods, by the pods' names."""
    return [pod["spec"]["containers"][0]["image"] for pod in pods(cluster)]


def status(cluster: Simulator, resource: str) -> Object:
    """The status of the only object of a resource."""
    ((obj),) = cluster.api.list(resource, "default")
    shown: Object = obj["status"]
    return shown


def moments(cluster: Simulator, since: int = 0) -> Iterator[list[Object]]:
    """The pods after each change of one, from a position of the history on."""
    there: dict[str, Object] = {}
    for position, each in enumerate(cluster.history.since()):
        if each.resource != "pods" or controller_of(each.object) is None:
            continue
        if each.type == DELETED:
            there.pop(each.object["metadata"]["name"], None)
        else:
            there[each.object["metadata"]["name"]] = each.object
        if position >= since:
            yield list(there.values())


def born(cluster: Simulator, since: int = 0) -> list[str]:
    """The names of the pods in the order in which they were made."""
    changes = list(cluster.history.since(since))
    return [one.object["metadata"]["name"] for one in changes if one.resource == "pods" and one.old is None]


def is_up(pod: Object) -> bool:
    """Whether a pod is there to stay, and ready."""
    return is_ready(pod) and not is_deleting(pod)
