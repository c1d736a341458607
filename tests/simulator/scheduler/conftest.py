"""A bare control plane with nothing but the scheduler on it."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.objects import Key, Object
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance, Clock
from gherkube.runners.simulator.controllers.runtime import Informers
from gherkube.runners.simulator.scheduler import Scheduler
from gherkube.runners.simulator.store import Store


class Bench:
    """Nodes and pods, the scheduler, and what it did."""

    def __init__(self, seed: int = 1) -> None:
        self.clock = Clock()
        self.store = Store(self.clock)
        chance = Chance(seed)
        self.api = ApiServer(self.store, chance)
        self.scheduler = Scheduler(self.api, Informers(self.store, chance), chance)

    def node(self, name: str, *, labels: dict[str, str] | None = None, **spec: Any) -> Object:
        room = {
            "cpu": spec.pop("cpu", "4"),
            "memory": spec.pop("memory", "8Gi"),
            "pods": spec.pop("pods", "110"),
        }
        metadata = {"name": name, "labels": {"kubernetes.io/hostname": name, **(labels or {})}}
        room.update(spec.pop("room", {}))
        node = {"metadata": metadata, "spec": spec, "status": {"allocatable": room}}
        stored = self.api.create_trusted("nodes", node)
        self.settle()
        return stored

    def change_node(self, name: str, *, labels: dict[str, str] | None = None, **spec: Any) -> None:
        node = self.api.get("nodes", name)
        metadata = {**node["metadata"]}
        if labels is not None:
            metadata["labels"] = labels
        self.api.replace_trusted("nodes", {**node, "metadata": metadata, "spec": {**node["spec"], **spec}})

    def pod(self, name: str, *, owner: str = "", cpu: str = "", memory: str = "", **spec: Any) -> Object:
        requests = {k: v for k, v in (("cpu", cpu), ("memory", memory)) if v}
        container: Object = {"name": "app", "image": "hello:1", "resources": {"requests": requests}}
        if host_port := spec.pop("host_port", 0):
            container["ports"] = [{"containerPort": 80, "hostPort": host_port, "protocol": "TCP"}]
        metadata: Object = {"name": name, "namespace": spec.pop("namespace", "default")}
        if labels := spec.pop("labels", None):
            metadata["labels"] = labels
        if owner:
            metadata["ownerReferences"] = [
                {
                    "apiVersion": "apps/v1",
                    "kind": "ReplicaSet",
                    "name": owner,
                    "uid": owner,
                    "controller": True,
                }
            ]
        if priority := spec.pop("priority", 0):
            spec["priorityClassName"] = self.priority_class(priority, spec.pop("preemption", ""))
        spec = {"containers": [container], "schedulerName": "default-scheduler", **spec}
        pod = {"metadata": metadata, "spec": spec, "status": {"phase": "Pending"}}
        return self.api.create_trusted("pods", pod)

    def priority_class(self, value: int, preemption: str = "") -> str:
        """The name of a class of that priority, which is made if it is not there."""
        name = f"priority-{value}"
        policy = preemption or "PreemptLowerPriority"
        if self.store.get("priorityclasses", Key("", name)) is None:
            made = {"metadata": {"name": name}, "value": value, "preemptionPolicy": policy}
            self.api.create_trusted("priorityclasses", made)
        return name

    def settle(self) -> None:
        """Runs until nothing but retries is left."""
        while self.clock.pending:
            self.clock.step()

    def where(self, name: str) -> str | None:
        """The node of a pod."""
        pod = self.store.get("pods", Key("default", name))
        assert pod is not None
        node: str | None = pod["spec"].get("nodeName")
        return node

    def condition(self, name: str) -> Object:
        """The PodScheduled condition of a pod."""
        pod = self.store.get("pods", Key("default", name))
        assert pod is not None
        return next(c for c in pod["status"]["conditions"] if c["type"] == "PodScheduled")

    def events(self, name: str) -> list[Object]:
        """The events about a pod."""
        return [e for e in self.store.all("events") if e["involvedObject"]["name"] == name]

    def gone(self, name: str) -> None:
        """Removes a pod as its kubelet does at the end."""
        self.store.remove("pods", Key("default", name))


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def new_bench() -> type[Bench]:
    return Bench
