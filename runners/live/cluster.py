"""A context of a kubeconfig as a `Cluster`: everything of the live backend, wired together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gherkube.runners.errors import CannotJudge
from gherkube.runners.live import served
from gherkube.runners.live.api import LiveApi
from gherkube.runners.live.clock import LiveClock
from gherkube.runners.live.connection import connect
from gherkube.runners.live.discovery import Discovery, Resource
from gherkube.runners.live.faults import NoFaults, ServedFaults
from gherkube.runners.live.history import LiveHistory
from gherkube.runners.live.namespace import Namespaces
from gherkube.runners.live.rest import Rest
from gherkube.runners.live.traffic import LiveTraffic
from gherkube.runners.objects import Key, Object
from gherkube.runners.target import Target

if TYPE_CHECKING:
    import kubernetes.client

WATCHED = (
    "events",
    "pods",
    "replicasets",
    "deployments",
    "statefulsets",
    "daemonsets",
    "jobs",
    "services",
    "endpointslices",
    "poddisruptionbudgets",
    "resourcequotas",
)
"""The resources of a namespace that are watched; nodes beside them."""
SKEW = 2.0
"""Seconds by which the server's clock may seem to differ, since it tells whole seconds."""


class LiveCluster:
    """A live cluster for one scenario, which gets a namespace of its own there."""

    owns_namespaces = False

    def __init__(self, target: Target) -> None:
        self.name = context = target.context
        self._connection = connection = connect(context, target.kubeconfig)
        self._discovery = Discovery(connection)
        self.api = LiveApi(connection, self._discovery)
        self._served = served.find(connection)
        now = time.time()
        skew = connection.clock_skew(now)
        self.clock = LiveClock(
            now + (skew if abs(skew) > SKEW else 0.0), self._served.speed if self._served else 1.0
        )
        self.clock.at_rest = Rest(self.clock, self.api, self._served)
        self.faults = ServedFaults(self._served) if self._served else NoFaults(context)
        self.traffic = LiveTraffic(connection, self.api, self.clock)
        self._namespaces = Namespaces(self.api)
        self.namespace = ""
        try:
            self.namespace = self._namespaces.make()
            self.history.watch(connection, self.api, self._discovery.named("nodes"))
            self.look_at(self.namespace)
        except BaseException:
            self.close()
            raise
        self.api.wrote = self._wrote

    @property
    def history(self) -> LiveHistory:
        """What the watches have seen."""
        return self.clock.history

    def owns(self, namespace: str) -> bool:
        """Whether a Given may establish there; where not, it verifies."""
        return namespace in self._namespaces

    def look_at(self, namespace: str) -> None:
        """Watches a namespace from now on."""
        for name in WATCHED:
            self.history.watch(self._connection, self.api, self._discovery.named(name), namespace)

    def set_nodes(self, count: int, *, cpu: str = "", memory: str = "") -> None:
        """Raises CannotJudge: its nodes are what they are."""
        del cpu, memory
        raise CannotJudge(f"{self.name} cannot be made a cluster of {count} nodes")

    def node_names(self) -> list[str]:
        """The nodes that take pods, in order."""
        return sorted(
            node["metadata"]["name"]
            for node in self.history.known("nodes")
            if not any(taint["effect"] != "PreferNoSchedule" for taint in node["spec"].get("taints") or ())
        )

    def output(self, pod: Key, container: str, *, previous: bool = False) -> list[str]:
        """The lines that the container's run, or the one before it, has printed; none if they are gone."""
        path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}/log"
        query = {"container": container, "previous": str(previous).lower(), "tailLines": 20}
        response = self._connection.send("GET", path, query, accept="*/*")
        data = response.data
        return data.decode("utf-8", "replace").splitlines() if response.status == 200 else []

    def client(self) -> kubernetes.client.ApiClient:
        """An official client for this context."""
        return self._connection.client

    def close(self) -> None:
        """Puts right what was broken, removes the namespaces that were made, ends watches and connections."""
        try:
            self.traffic.close()
            self.api.wrote = lambda *_: None
            self.faults.mend()
            self._namespaces.remove()
        finally:
            self.history.close()
            self._connection.close()

    def _wrote(self, resource: Resource, namespace: str, name: str, written: Object) -> None:
        self.history.catch_up(resource, namespace, name, written)
