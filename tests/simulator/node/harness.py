"""A small world for the tests of nodes: a store, an API server, kubelets, and pods made by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gherkube.runners.objects import Key, Object
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance, Clock
from gherkube.runners.simulator.controllers.nodelifecycle import NodeLifecycle
from gherkube.runners.simulator.controllers.runtime import Informers
from gherkube.runners.simulator.node.images import Images
from gherkube.runners.simulator.node.kubelets import Kubelets, Reply
from gherkube.runners.simulator.node.nodes import make_node
from gherkube.runners.simulator.store import Store

LETTERS = {
    "PodReadyToStartContainers": "S",
    "Initialized": "I",
    "Ready": "R",
    "ContainersReady": "C",
    "PodScheduled": "P",
    "DisruptionTarget": "D",
}


class World:
    """Nodes node-1 … of which every one has hello:1, and a pod "web" on node-1 unless said otherwise."""

    def __init__(self, seed: int = 0, nodes: int = 1) -> None:
        self.clock, chance = Clock(), Chance(seed)
        self.store = Store(self.clock)
        self.api = ApiServer(self.store, chance)
        self.images = Images()
        self.images.preload("hello:1")
        self.kubelets = Kubelets(self.api, chance, self.images)
        NodeLifecycle(self.api, Informers(self.store, chance), chance, self.kubelets)
        for index in range(1, nodes + 1):
            self.api.create_trusted("nodes", make_node(f"node-{index}", index, "4", "8Gi"))
            self.kubelets.add_node(f"node-{index}")

    def pod(
        self,
        name: str = "web",
        *,
        node: str = "node-1",
        env: dict[str, str] | None = None,
        spec: Object | None = None,
        init: Sequence[Object] = (),
        **container: Any,
    ) -> None:
        """Creates a pod of hello:1 and binds it 40 ms later; keywords are fields of its container."""
        app: Object = {
            "name": "app",
            "image": "hello:1",
            "imagePullPolicy": "IfNotPresent",
            "ports": [{"containerPort": 8080}],
            "env": [{"name": key, "value": value} for key, value in (env or {}).items()],
            **container,
        }
        pod_spec = {"terminationGracePeriodSeconds": 5, **(spec or {}), "containers": [app]}
        if init:
            pod_spec["initContainers"] = list(init)
        self.api.create_trusted(
            "pods", {"metadata": {"name": name, "namespace": "default"}, "spec": pod_spec}
        )
        self.clock.after(0.04, self.api.bind, Key("default", name), node)

    def run(self, until: float) -> None:
        """Lets time pass until that second."""
        self.clock.run_until(until)

    def delete(self, name: str = "web", grace: int | None = None) -> None:
        """Deletes the pod."""
        self.api.delete("pods", name, "default", grace_period=grace)

    def stored(self, name: str = "web") -> Object | None:
        """The pod as stored."""
        return self.store.get("pods", Key("default", name))

    def ask(self, name: str = "web", port: int = 8080, path: str = "/") -> Reply:
        """A request to the pod, now."""
        return self.kubelets.request(Key("default", name), port, path)

    def story(self, since: int = 0) -> list[str]:
        """What was written and said since that position: pods' writes in short, events as `Reason`×count."""
        return [line for _, line in self.timed(since)]

    def timed(self, since: int = 0) -> Iterator[tuple[float, str]]:
        """The same, each with its time."""
        for change in self.store.log.since(since):
            obj = change.object
            if change.resource == "events":
                yield change.at, f"`{obj['reason']}`×{obj['count']}"
            elif change.resource == "pods":
                yield change.at, change.type if change.type == "DELETED" else write(obj)

    def messages(self, reason: str) -> list[str]:
        """The messages of all events of that reason."""
        return [each["message"] for each in self.store.all("events") if each["reason"] == reason]


def write(pod: Object) -> str:
    """A pod's write: generation/observed, phase, conditions, container states; g0 marks a grace of 0."""
    metadata, status = pod["metadata"], pod["status"]
    conditions = " ".join(
        LETTERS[each["type"]] + each["status"][0] + (f".{each['reason']}" if "reason" in each else "")
        for each in status.get("conditions", ())
    )
    containers = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
    parts = [
        f"{metadata['generation']}/{status.get('observedGeneration', '-')} {status['phase']}",
        f"[{conditions}]",
        *(_container(each) for each in containers),
    ]
    if metadata.get("deletionGracePeriodSeconds") == 0:
        parts.append("g0")
    return " ".join(parts)


def _container(status: Object) -> str:
    kind, detail = next(iter(status["state"].items()))
    text = kind if kind == "running" else f"{kind}:{detail['reason']}"
    if kind == "terminated":
        text += f"={detail['exitCode']}"
    if last := status["lastState"].get("terminated"):
        text += f"<{last['reason']}={last['exitCode']}"
    return text + ("+" if status["ready"] else "-") + str(status["restartCount"])


def http(path: str = "/readyz", *, port: int = 8080, period: int = 1, **fields: Any) -> Object:
    """An HTTP probe."""
    return {"httpGet": {"path": path, "port": port}, "periodSeconds": period, **fields}
