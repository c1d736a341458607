"""A control plane with the endpoint controllers, the data path and programs that do as they are told."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from gherkube.runners.objects import Key, Object
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance, Clock
from gherkube.runners.simulator.controllers.endpoints import EndpointsController
from gherkube.runners.simulator.controllers.endpointslice import EndpointSliceController
from gherkube.runners.simulator.controllers.endpointslicemirroring import EndpointSliceMirroringController
from gherkube.runners.simulator.controllers.runtime import Informers
from gherkube.runners.simulator.network import Network
from gherkube.runners.simulator.node.nodes import make_node
from gherkube.runners.simulator.store import Store
from gherkube.runners.simulator.traffic import SimTraffic


class Reply(NamedTuple):
    code: int
    body: str
    seconds: float


class Programs:
    """What runs in the pods: each answers until it is stopped."""

    def __init__(self) -> None:
        self.stopped: set[Key] = set()

    def request(self, pod: Key, port: int, path: str = "/") -> Reply:
        if pod in self.stopped:
            return Reply(0, "connection refused", 0.0)
        return Reply(200, f"{pod.name}:{port}{path}", 0.001)


class Bench:
    """Services, pods and requests."""

    def __init__(self, seed: int = 1, nodes: int = 3) -> None:
        self.clock = Clock()
        self.store = Store(self.clock)
        chance = Chance(seed)
        self.api = ApiServer(self.store, chance)
        self.nodes = [f"node-{index + 1}" for index in range(nodes)]
        for number, name in enumerate(self.nodes, 1):
            self.api.create_trusted("nodes", make_node(name, number, "4", "8Gi"))
        informers = Informers(self.store, chance)
        EndpointSliceController(self.api, informers, chance)
        EndpointsController(self.api, informers, chance)
        EndpointSliceMirroringController(self.api, informers, chance)
        self.network = Network(self.store, chance)
        self.programs = Programs()
        self.traffic = SimTraffic(self.store, chance, self.network, self.programs, self.nodes)

    def service(self, name: str = "web", port: Any = 8080, **spec: Any) -> Key:
        ports = spec.pop("ports", [{"port": 80, "targetPort": port, "protocol": "TCP"}])
        metadata = {"name": name, "namespace": "default", **spec.pop("metadata", {})}
        spec = {"selector": {"app": name}, "ports": ports, **spec}
        self.api.create_trusted("services", {"metadata": metadata, "spec": spec})
        return Key("default", name)

    def pod(
        self,
        name: str,
        *,
        ip: str,
        app: str = "web",
        ready: bool = True,
        node: str = "node-1",
        port_name: str = "http",
    ) -> Key:
        ports = [{"name": port_name, "containerPort": 8080}]
        containers = [{"name": "app", "image": "hello:1", "ports": ports}]
        pod: Object = {
            "metadata": {"name": name, "namespace": "default", "labels": {"app": app}},
            "spec": {"containers": containers, "nodeName": node},
        }
        self.api.create_trusted("pods", pod)
        key = Key("default", name)
        self.status(key, ip=ip, ready=ready)
        return key

    def status(self, pod: Key, *, ip: str = "", ready: bool = True, phase: str = "Running") -> None:
        stored = self.store.get("pods", pod)
        assert stored is not None
        stamp = self.clock.timestamp()
        before = next(iter(stored["status"].get("conditions", [])), None)
        if before is not None and before["status"] == str(ready):
            stamp = before["lastTransitionTime"]
        status = {
            "phase": phase,
            "podIP": ip or stored["status"]["podIP"],
            "conditions": [{"type": "Ready", "status": str(ready), "lastTransitionTime": stamp}],
        }
        self.api.put_status("pods", stored, status, check=False)

    def terminate(self, pod: Key) -> None:
        self.api.delete("pods", pod.name, pod.namespace)

    def gone(self, pod: Key) -> None:
        self.store.remove("pods", pod)

    def run(self, seconds: float = 2.0) -> None:
        self.clock.run_until(self.clock.now + seconds)

    def slices(self, service: str = "web") -> list[Object]:
        return [
            each
            for each in self.store.all("endpointslices")
            if each["metadata"]["labels"]["kubernetes.io/service-name"] == service
        ]

    def slice(self) -> Object:
        (only,) = self.slices()
        return only

    def endpoints(self, service: str = "web") -> Object:
        found = self.store.get("endpoints", Key("default", service))
        assert found is not None
        return found


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def new_bench() -> type[Bench]:
    return Bench
