"""The embedded cluster: everything of the simulator, wired together behind the one door.

`Simulator` is a `runners.cluster.Cluster`. Nothing in it sleeps: waiting runs the next event until the
condition holds or the virtual deadline has passed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from gherkube.runners.errors import CannotJudge, UsageError
from gherkube.runners.history import Change
from gherkube.runners.objects import Key, Object
from gherkube.runners.simulator import collector
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance, Clock
from gherkube.runners.simulator.controllers.autoscaler import AutoscalerController
from gherkube.runners.simulator.controllers.claims import ClaimController
from gherkube.runners.simulator.controllers.cronjob import CronJobController
from gherkube.runners.simulator.controllers.daemonset import DaemonSetController
from gherkube.runners.simulator.controllers.definitions import DefinitionController
from gherkube.runners.simulator.controllers.deployment import DeploymentController
from gherkube.runners.simulator.controllers.disruption import DisruptionController
from gherkube.runners.simulator.controllers.endpoints import EndpointsController
from gherkube.runners.simulator.controllers.endpointslice import EndpointSliceController
from gherkube.runners.simulator.controllers.endpointslicemirroring import EndpointSliceMirroringController
from gherkube.runners.simulator.controllers.garbage import GarbageController
from gherkube.runners.simulator.controllers.job import JobController
from gherkube.runners.simulator.controllers.job_ttl import JobTtlController
from gherkube.runners.simulator.controllers.namespace import NamespaceController
from gherkube.runners.simulator.controllers.nodelifecycle import NodeLifecycle
from gherkube.runners.simulator.controllers.podgc import PodGarbageController
from gherkube.runners.simulator.controllers.provided import ProvidedController
from gherkube.runners.simulator.controllers.quota import QuotaController
from gherkube.runners.simulator.controllers.replicaset import ReplicaSetController
from gherkube.runners.simulator.controllers.replication import ReplicationManager
from gherkube.runners.simulator.controllers.runtime import Informers
from gherkube.runners.simulator.controllers.statefulset import StatefulSetController
from gherkube.runners.simulator.log import Log
from gherkube.runners.simulator.network import Network
from gherkube.runners.simulator.node.images import Images
from gherkube.runners.simulator.node.kubelets import Kubelets
from gherkube.runners.simulator.node.nodes import make_node
from gherkube.runners.simulator.node.registration import LEASES, LEASES_NAMESPACE, register
from gherkube.runners.simulator.scheduler import Scheduler
from gherkube.runners.simulator.store import Store
from gherkube.runners.simulator.traffic import SimTraffic
from gherkube.runners.traffic import Request

if TYPE_CHECKING:
    import kubernetes.client

CONTROL_PLANE = "control-plane"
CONTROL_PLANE_TAINT = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
REQUESTS = "requests"
CPU, MEMORY = "4", "8Gi"
"""What a node has when nothing is said about it."""

CONTROLLERS = (
    DeploymentController,
    ReplicaSetController,
    EndpointSliceController,
    EndpointsController,
    EndpointSliceMirroringController,
    GarbageController,
    NamespaceController,
    DisruptionController,
    QuotaController,
    StatefulSetController,
    DaemonSetController,
    JobController,
    JobTtlController,
    CronJobController,
    PodGarbageController,
    ClaimController,
)


class Simulator:
    """A Kubernetes cluster in the process: a tainted control plane and `nodes` nodes that take pods.

    The same seed gives the same history, byte for byte.
    """

    name = "simulator"
    owns_namespaces = True

    def __init__(
        self,
        seed: int = 0,
        nodes: int | Sequence[Object] = 3,
        *,
        keeps: bool = False,
        start: float = 0.0,
        kind: str = "",
    ) -> None:
        """`nodes`: how many take pods, beside a control plane, or the very nodes that there are.

        `keeps`: see `ApiServer`. `start`: the virtual time at which it begins, in seconds since EPOCH.

        `kind`: nodes are named as kind names those of the cluster of that name, not `node-1`, `node-2`, …
        """
        collector.search()
        with collector.AtRest():
            self.seed = seed
            chance = Chance(seed)
            self.store = Store(Clock(start))
            self.api = ApiServer(self.store, chance, keeps=keeps)
            self.images = Images()
            self.kubelets = Kubelets(self.api, chance, self.images)
            self._keeps, self._kind, self._workers = keeps, kind, list[str]()
            self.control_plane = f"{kind}-{CONTROL_PLANE}" if kind else CONTROL_PLANE
            self._size = (CPU, MEMORY)
            if isinstance(nodes, int):
                self._add_node(self.control_plane, 0, [CONTROL_PLANE_TAINT])
                self.set_nodes(nodes)
            else:
                self._take_nodes(nodes)
            manager, schedules = Informers(self.store, chance), Informers(self.store, chance)
            self._caches = (manager, schedules)
            for controller in CONTROLLERS:
                controller(self.api, manager, chance)
            if keeps:
                DefinitionController(self.api, manager, chance)
                ProvidedController(self.api, manager, chance)
                ReplicationManager(self.api, manager, chance)
                AutoscalerController(self.api, manager, chance)
            NodeLifecycle(self.api, manager, chance, self.kubelets)
            Scheduler(self.api, schedules, chance)
            self.network = Network(self.store, chance)
            self.traffic = SimTraffic(self.store, chance, self.network, self.kubelets, self._workers)
            self.clock = VirtualTime(self.store, self.traffic)
            self.faults = SimFaults(self)

    @property
    def history(self) -> Log:
        """Every change since the beginning."""
        return self.store.log

    def set_nodes(self, count: int, *, cpu: str = "", memory: str = "") -> None:
        """Makes it a cluster of that many nodes that take pods, `node-1` … each of that size.

        UsageError when a node that would go has pods.
        """
        size = (cpu or CPU, memory or MEMORY)
        kept = count if size == self._size else 0
        for name in self._workers[kept:]:
            self._remove_node(name)
        del self._workers[kept:]
        self._size = size
        for index in range(len(self._workers) + 1, count + 1):
            name = f"node-{index}" if not self._kind else f"{self._kind}-worker{index if index > 1 else ''}"
            self._add_node(name, index, [])
            self._workers.append(name)

    def node_names(self) -> list[str]:
        """The nodes that take pods, in order."""
        return list(self._workers)

    def output(self, pod: Key, container: str, *, previous: bool = False) -> list[str]:
        """The lines that the container's run, or the one before it, has printed."""
        return [line.text for line in self.kubelets.output(pod, container, previous=previous) or ()]

    def catch_up(self) -> None:
        """Shows controllers all that was put into the store, as if they only began now."""
        for caches in self._caches:
            caches.catch_up()

    def client(self) -> kubernetes.client.ApiClient:
        """An official client whose transport is in this process."""
        from gherkube.runners.simulator.client import make_client

        return make_client(self.api, self.clock)

    def close(self) -> None:
        """Nothing to end: the simulator is plain data."""

    def _take_nodes(self, nodes: Sequence[Object]) -> None:
        """Adds these; those that take pods are its workers."""
        for node in nodes:
            self._join(node)
            name, taints = node["metadata"]["name"], node["spec"].get("taints", ())
            if CONTROL_PLANE_TAINT["key"] in {taint["key"] for taint in taints}:
                self.control_plane = name
            if not any(taint["effect"] != "PreferNoSchedule" for taint in taints):
                self._workers.append(name)

    def _add_node(self, name: str, index: int, taints: list[Object]) -> None:
        self._join(
            make_node(name, index, *self._size, taints, self.store.clock.now, self._kind or "gherkube")
        )

    def _join(self, made: Object) -> None:
        node = self.api.create_trusted("nodes", made)
        self.kubelets.add_node(node["metadata"]["name"])
        if self._keeps:
            register(self.api, node)

    def _remove_node(self, name: str) -> None:
        if any(pod["spec"].get("nodeName") == name for pod in self.store.all("pods")):
            raise UsageError(
                f"node {name} has pods: say how many nodes the cluster has, and of which size, "
                "before anything runs on it"
            )
        self.api.delete("nodes", name)
        if self._keeps:
            self.api.delete(LEASES, name, LEASES_NAMESPACE)


class SimFaults:
    """What breaks in the simulator, and mends."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def stop_node(self, name: str) -> None:
        """Power loss: kubelet and containers stop; the API server hears no more."""
        self._check(name)
        self._simulator.kubelets.stop(name)
        self._simulator.network.down[name] = None

    def start_node(self, name: str) -> None:
        """The node's power is back."""
        self._check(name)
        self._simulator.kubelets.start(name)
        self._simulator.network.down.pop(name, None)

    def behave(self, image: str, **behaviour: Any) -> None:
        """From now on containers of the image behave so; keywords as in `Behaviour` of node/images.py."""
        self._simulator.images.behave(image, **behaviour)

    def said_of(self, image: str) -> Object:
        """All that was said of an image: what `say_again` takes."""
        return {"metadata": {"name": image}, "behaves": self._simulator.images.said_of(image)}

    def say_again(self, said: Object) -> None:
        """From now on the image behaves just so."""
        self._simulator.images.say_again(said["metadata"]["name"], said["behaves"])

    def _check(self, name: str) -> None:
        names = self._simulator.node_names()
        if name == self._simulator.control_plane:
            raise CannotJudge("the simulator cannot do without its control plane: stop another node")
        if name not in names:
            raise UsageError(f'there is no node "{name}": the nodes are {", ".join(names)}')


class VirtualTime:
    """The clock of the door: time passes only by running events."""

    foresees = True

    def __init__(self, store: Store, traffic: SimTraffic) -> None:
        self._store, self._clock, self._traffic = store, store.clock, traffic
        self._watched: frozenset[str] | None = None
        """The resources that the last wait was for, of which `_changed` has the last change."""
        self._changed: deque[Change | Request] = deque(maxlen=1)
        self._ends: list[Callable[[], None]] = []

    def now(self) -> float:
        """Seconds since the simulation began."""
        return self._clock.now

    def timestamp(self) -> str:
        """Now as the API writes times."""
        return self._clock.timestamp()

    def wait(self, condition: Callable[[], bool], within: float, *, resources: Collection[str] = ()) -> bool:
        """Runs events until the condition holds; False at the deadline, or when nothing is left to happen.

        The condition is asked after each change of the resources; "requests" are those of the traffic.
        """
        if condition():
            return True
        clock, deadline = self._clock, self._clock.now + within
        changed = self._watch(frozenset(resources))
        with collector.AtRest():
            while clock.run(deadline, changed):
                changed.clear()
                if condition():
                    return True
            if clock.next_at() is not None:
                clock.run_until(deadline)
            return False

    def _watch(self, resources: frozenset[str]) -> deque[Change | Request]:
        """Where a change of these resources appears from now on; one wait mostly follows another like it."""
        changed = self._changed
        if resources != self._watched:
            for end in self._ends:
                end()
            self._watched = resources
            self._ends = [self._store.watch(resource, changed.append) for resource in resources or ("",)]
            if not resources or REQUESTS in resources:
                self._ends.append(self._traffic.watch(changed.append))
        changed.clear()
        return changed

    def sleep(self, seconds: float) -> None:
        """Runs what happens in the next seconds."""
        with collector.AtRest():
            self._clock.run_until(self._clock.now + seconds)

    def settle(self, resources: Collection[str] = ()) -> None:
        """Nothing to wait for: what happens is known at once."""

    def idle(self) -> bool:
        """Whether nothing but retries and periodic things is left to happen."""
        return self._clock.pending == 0
