"""The embedded cluster: everything of the simulator, wired together behind the one door.

`Simulator` is a `runners.cluster.Cluster`. Nothing in it sleeps: waiting runs the next event until the
condition holds or the virtual deadline has passed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from importlib import import_module
from typing import TYPE_CHECKING, Any


from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance, Clock
from gherkube.runners.simulator.controllers.runtime import Informers
from gherkube.runners.simulator.log import Log
from gherkube.runners.simulator.scheduler import Scheduler
from gherkube.runners.simulator.store import Store

if TYPE_CHECKING:
    import kubernetes.client

CONTROL_PLANE = "control-plane"
CONTROL_PLANE_TAINT = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
CPU, MEMORY = "4", "8Gi"
"""What a node has when nothing is said about it."""


def _optional(module: str, name: str) -> Any:
    try:
        return getattr(import_module(f"gherkube.runners.simulator.{module}"), name)
    except (ImportError, AttributeError):
        return None


class Simulator:
    """A Kubernetes cluster in the process: a tainted control plane and `nodes` nodes that take pods.

    The same seed gives the same history, byte for byte.
    """

    name = "simulator"
    owns_namespaces = True

    def __init__(self, seed: int = 0, nodes: int = 3) -> None:
        self.seed = seed
        time, chance = Clock(), Chance(seed)
        self.store = Store(time)
        self.api = ApiServer(self.store, chance)
        self.clock = VirtualTime(self.store)
        manager = Informers(self.store, chance)
        for module, name in (
            ("deployment", "DeploymentController"),
            ("replicaset", "ReplicaSetController"),
            ("endpointslice", "EndpointSliceController"),
            ("endpoints", "EndpointsController"),
            ("garbage", "GarbageController"),
            ("namespace", "NamespaceController"),
        ):
            if (controller := _optional(f"controllers.{module}", name)) is not None:
                controller(self.api, manager, chance)
        self.scheduler = Scheduler(self.api, Informers(self.store, chance), chance)
        self._make_node = _optional("node.nodes", "make_node")
        images = _optional("node.images", "Images")
        kubelets = _optional("node.kubelet", "Kubelets")
        self.images = images() if images else None
        self.kubelets = kubelets(self.api, chance, self.images) if kubelets else None
        if (lifecycle := _optional("controllers.nodelifecycle", "NodeLifecycle")) is not None:
            lifecycle(self.api, manager, chance, self.kubelets)
        self._workers: list[str] = []
        self._add_node(CONTROL_PLANE, 0, CPU, MEMORY, [CONTROL_PLANE_TAINT])
        self.set_nodes(nodes)

    @property
    def history(self) -> Log:
        """Every change since the beginning."""
        return self.store.log

    def set_nodes(self, count: int, *, cpu: str = CPU, memory: str = MEMORY) -> None:
        """Makes it a cluster of that many nodes that take pods, `node-1` … each of that size."""
        for index in range(len(self._workers) + 1, count + 1):
            self._add_node(f"node-{index}", index, cpu or CPU, memory or MEMORY, [])
            self._workers.append(f"node-{index}")

    def node_names(self) -> list[str]:
        """The nodes that take pods, in order."""
        return list(self._workers)

    def close(self) -> None:
        """Nothing to end: the simulator is plain data."""

    def client(self) -> kubernetes.client.ApiClient:
        """An official client whose transport is in this process."""
        raise NotImplementedError

    def _add_node(self, name: str, index: int, cpu: str, memory: str, taints: list[dict[str, str]]) -> None:
        if self._make_node is not None:
            node = self._make_node(name, index, cpu, memory, taints)
        else:
            labels = {"kubernetes.io/hostname": name}
            room = {"cpu": cpu, "memory": memory, "pods": "110"}
            node = {
                "metadata": {"name": name, "labels": labels},
                "spec": {"taints": taints} if taints else {},
                "status": {"allocatable": room, "capacity": room},
            }
        self.api.create_trusted("nodes", node)
        if self.kubelets is not None:
            self.kubelets.add_node(name)


class VirtualTime:
    """The clock of the door: time passes only by running events."""

    def __init__(self, store: Store) -> None:
        self._store, self._clock = store, store.clock

    def now(self) -> float:
        """Seconds since the simulation began."""
        return self._clock.now

    def timestamp(self) -> str:
        """Now as the API writes times."""
        return self._clock.timestamp()

    def wait(self, condition: Callable[[], bool], within: float, *, resources: Collection[str] = ()) -> bool:
        """Runs events until the condition holds; False at the deadline, or when nothing is left to happen."""
        if condition():
            return True
        clock, deadline = self._clock, self._clock.now + within
        changed: list[object] = []
        ends = [self._store.watch(resource, changed.append) for resource in resources or ("",)]
        try:
            while (at := clock.next_at()) is not None:
                if at > deadline:
                    clock.run_until(deadline)
                    return False
                clock.step()
                if changed:
                    changed.clear()
                    if condition():
                        return True
            return False
        finally:
            for end in ends:
                end()

    def sleep(self, seconds: float) -> None:
        """Runs what happens in the next seconds."""
        self._clock.run_until(self._clock.now + seconds)

    def idle(self) -> bool:
        """Whether nothing but retries and periodic things is left to happen."""
        return self._clock.pending == 0
