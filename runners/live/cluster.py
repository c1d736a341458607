"""A context of a kubeconfig as a `Cluster`: everything of the live backend, wired together."""

from __future__ import annotations

import re
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from gherkube.runners.errors import ApiError, CannotJudge
from gherkube.runners.live import served
from gherkube.runners.live.access import WATCHED
from gherkube.runners.live.api import LiveApi
from gherkube.runners.live.changes import Changes
from gherkube.runners.live.clock import LiveClock
from gherkube.runners.live.connection import connect
from gherkube.runners.live.discovery import Discovery
from gherkube.runners.live.faults import FencedFaults, LiveFaults, MendedFaults, ServedFaults
from gherkube.runners.live.fences import Act, Fences
from gherkube.runners.live.guard import GuardedApi
from gherkube.runners.live.history import LiveHistory
from gherkube.runners.live.namespace import Namespaces
from gherkube.runners.live.rest import Rest
from gherkube.runners.live.served import Served
from gherkube.runners.live.traffic import LiveTraffic
from gherkube.runners.live.ways import Ways
from gherkube.runners.objects import Key
from gherkube.runners.target import Target

if TYPE_CHECKING:
    import kubernetes.client

SKEW = 2.0
"""Seconds by which the server's clock may seem to differ, since it tells whole seconds."""


class LiveCluster:
    """A live cluster for one scenario, which gets a namespace of its own there. `name`: its context's."""

    def __init__(self, target: Target, name: str = "") -> None:
        self.name = name or target.context
        self._connection = connection = connect(target.context, target.kubeconfig)
        self._fences = fences = Fences(target, connection)
        self._discovery = Discovery(connection)
        self._api = LiveApi(connection, self._discovery)
        now = time.time()
        skew = connection.clock_skew(now)
        self._served = self._find_served()
        self._target = fences.target = target._replace(
            disposable=target.disposable or self._served is not None
        )
        self.owns_namespaces = self._served is not None
        """Whether the cluster is there for the scenario alone, its nodes too."""
        self.clock = LiveClock(
            now + (skew if abs(skew) > SKEW else 0.0), self._served.speed if self._served else 1.0
        )
        self.clock.at_rest = Rest(self.clock, self._served)
        self.faults = self._make_faults()
        self.traffic = LiveTraffic(connection, self.clock, self._ways())
        self._namespaces, self._changes = Namespaces(self._api, target.quota), Changes(self._api)
        self.api = GuardedApi(self._api, fences, self._namespaces, self._changes, self._look_at)
        self.namespace = target.namespace
        self._seen: set[str] = set()
        self._nodes_in_order: list[str] = []
        self.said: list[str] = []
        """What was put back at the end, for the user to know."""
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def _find_served(self) -> Served | None:
        """The admin endpoint, where the cluster is a `gherkube serve`."""
        return served.find(self._api)

    def _make_faults(self) -> MendedFaults:
        """What can be broken here."""
        live = LiveFaults(self.name, self._api, lambda: self.namespace, self._allow)
        return FencedFaults(ServedFaults(self._served) if self._served else live, self._fences)

    def _allow(self, act: Act) -> None:
        """Raises Fenced where the fences do not allow that."""
        self._fences.check(act, owned=act.namespace in self._namespaces)

    def _ways(self) -> Ways:
        """How requests get to services from here."""
        return Ways(
            self._api,
            self._target.urls,
            made=lambda namespace: self._target.disposable and namespace in self._namespaces,
            nodes=lambda: [] if self._served else self.history.known("nodes"),
        )

    def _begin(self) -> None:
        """Makes the namespace, and begins to watch."""
        if self.namespace:
            self._api.get("namespaces", self.namespace)
        else:
            self._fences.check(Act("create", "namespaces", "", "for the scenario"), owned=True)
            self.namespace = self._namespaces.make()
        self.history.watch(self._connection, self._api, self._discovery.named("nodes"))
        self._look_at(self.namespace)
        self._number_nodes()
        self._api.wrote = self.history.catch_up

    @property
    def history(self) -> LiveHistory:
        """What the watches have seen."""
        return self.clock.history

    def owns(self, namespace: str) -> bool:
        """Whether a Given may establish there; where not, it verifies."""
        if namespace in self._namespaces:
            return True
        return self._target.disposable and not self._is_there(namespace)

    def _is_there(self, namespace: str) -> bool:
        try:
            self._api.get("namespaces", namespace)
        except ApiError as error:
            if error.reason != "NotFound":
                raise
            return False
        return True

    def _look_at(self, namespace: str) -> None:
        """Watches a namespace from now on."""
        if not namespace or namespace in self._seen or not self._is_there(namespace):
            return
        self._seen.add(namespace)
        for _, name in WATCHED:
            self.history.watch(self._connection, self._api, self._discovery.named(name), namespace)
        self.history.take()

    def set_nodes(self, count: int, *, cpu: str = "", memory: str = "") -> None:
        """Makes it a cluster of that many nodes; CannotJudge where they are what they are."""
        self.faults.set_nodes(count, cpu, memory)
        self.clock.settle(["nodes"])
        self._number_nodes()

    def node_names(self) -> list[str]:
        """The nodes that took pods when the scenario began, in order, whatever became of them since."""
        return self._nodes_in_order

    def _number_nodes(self) -> None:
        names = [
            node["metadata"]["name"]
            for node in self.history.known("nodes")
            if not any(taint["effect"] != "PreferNoSchedule" for taint in node["spec"].get("taints") or ())
        ]
        self._nodes_in_order = sorted(names, key=_natural)

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

    def kubeconfig(self, namespace: str) -> str:
        """A kubeconfig for a command, which no fence can hold: so only for a cluster that is disposable."""
        self._fences.check_commands()
        if self.clock.rate != 1.0:
            raise CannotJudge(
                f"a command counts seconds of its own, and those of {self.name} pass "
                f"{self.clock.rate:g} times as fast: start it without --speed"
            )
        return self._connection.kubeconfig(namespace)

    def close(self) -> None:
        """Puts right what was broken, removes what was made, ends watches and connections.

        All of it is tried, whatever goes wrong; what did is raised.
        """
        with ExitStack() as last_first:
            last_first.callback(self._connection.close)
            last_first.callback(self.history.close)
            last_first.callback(self.faults.reshape)
            last_first.callback(self._namespaces.remove)
            last_first.callback(self._put_back)
            last_first.callback(self.faults.mend)
            last_first.callback(self.traffic.close)
            self._api.wrote = lambda *_: None

    def _put_back(self) -> None:
        self.said = self._changes.put_back()


def _natural(name: str) -> list[str | int]:
    """By which names are in the order in which people count: worker2 before worker10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"([0-9]+)", name)]
