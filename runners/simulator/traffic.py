"""Requests to services: each takes the data path of that moment and gets what the pod's program answers.

A client is somewhere in the cluster: its requests enter at any node that is up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from random import Random
from typing import Protocol

from gherkube.runners.errors import CannotJudge, UsageError
from gherkube.runners.objects import Key, Object
from gherkube.runners.simulator.api.refusals import not_found
from gherkube.runners.simulator.api.resources import RESOURCES
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.network import Network, Target
from gherkube.runners.simulator.store import Store
from gherkube.runners.traffic import Request

ROUND_TRIP = 0.003
"""Median seconds of a request, the program's own time apart."""
NODE_PORT = "node port"


class Reply(Protocol):
    """What a pod's program answers: an HTTP code (0: nothing), a body, and how many seconds it takes."""

    @property
    def code(self) -> int: ...
    @property
    def body(self) -> str: ...
    @property
    def seconds(self) -> float: ...


class Programs(Protocol):
    """Whoever runs the pods' programs: the kubelets."""

    def request(self, pod: Key, port: int, path: str = "/") -> Reply:
        """What the pod's program answers at that port right now."""


class SimTraffic:
    """Sends requests in virtual time and keeps what became of them."""

    def __init__(
        self,
        store: Store,
        chance: Chance,
        network: Network,
        programs: Programs,
        nodes: Sequence[str],
    ) -> None:
        self._store, self._clock, self._network, self._programs = store, store.clock, network, programs
        self._chance, self._nodes = chance, nodes
        self._flows: dict[Key, None] = {}
        self.requests: list[Request] = []
        self._watchers: list[Callable[[Request], object]] = []

    @cached_property
    def _random(self) -> Random:
        return self._chance.stream("clients")

    def send(self, service: Key, count: int, *, through: str = "service") -> list[Request]:
        """Sends that many requests, one after another, and returns what became of them.

        NotFound when there is no such service; UsageError when it has no node port to go through.
        """
        self._check(service, through)
        sent = []
        for _ in range(count):
            request = self._send(service, through)
            sent.append(request)
            self._clock.run_until(request.at + request.seconds)
        return sent

    def flow(self, service: Key, every: float) -> None:
        """Sends a request now and again every so many seconds, to the end of the run."""
        self._check(service, "service")
        self._flows[service] = None
        self._repeat(service, every)

    def watch(self, watcher: Callable[[Request], object]) -> Callable[[], None]:
        """Calls the watcher with each request that is answered; returns how to stop."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def flows(self, service: Key) -> bool:
        """Whether requests to the service flow by themselves."""
        return service in self._flows

    def _repeat(self, service: Key, every: float) -> None:
        self._send(service, "service")
        self._clock.after(every, self._repeat, service, every, retry=True)

    def _check(self, service: Key, through: str) -> None:
        found = self._store.get("services", service)
        if found is None:
            raise not_found(RESOURCES["services"], service.name)
        if not found["spec"].get("selector") or not found["spec"].get("ports"):
            raise CannotJudge(
                f'requests to service "{service.name}" are not modelled by the simulator: '
                "it has no selector, or no ports"
            )
        if through == NODE_PORT and not found["spec"]["ports"][0].get("nodePort"):
            kind = found["spec"].get("type", "ClusterIP")
            raise UsageError(
                f'service "{service.name}" has no node port, because its type is {kind}: '
                "make it a NodePort service, or send the requests to the service itself"
            )

    def _send(self, service: Key, through: str) -> Request:
        at, seconds = self._clock.now, self._chance.latency(ROUND_TRIP, "traffic")
        found = self._store.get("services", service)
        up, down = self._nodes, self._network.down
        if down:
            up = [name for name in up if name not in down]
        pod, image, code, body = "", "", 0, "connection refused"
        if found is None:
            body = "no such host"
        elif not up:
            body = "no route to host"
        else:
            node = up[int(self._random.random() * len(up))]
            target = self._target(found, service, node, through)
            if target is not None:
                pod, image, code, body, more = self._ask(target)
                seconds += more
        request = Request(at, service, pod, image, code, body, seconds, through)
        self.requests.append(request)
        for watcher in self._watchers:
            watcher(request)
        return request

    def _ask(self, target: Target) -> tuple[str, str, int, str, float]:
        """What the pod answers: its name, image, code, body and seconds."""
        pod = self._store.get("pods", target.pod)
        if pod is None or pod["metadata"]["uid"] != target.uid:
            return "", "", 0, "no route to host", 0.0
        reply = self._programs.request(target.pod, target.port)
        if not reply.code:
            return "", "", 0, reply.body, reply.seconds
        return target.pod.name, _image(pod, target.port), reply.code, reply.body, reply.seconds

    def _target(self, service: Object, key: Key, node: str, through: str) -> Target | None:
        spec = service["spec"]
        policy = "externalTrafficPolicy" if through == NODE_PORT else "internalTrafficPolicy"
        port = spec["ports"][0].get("name", "")
        return self._network.connect(node, key, port, local=spec.get(policy) == "Local")


def _image(pod: Object, port: int) -> str:
    """The image of the container that has the port, or of the first."""
    containers = pod["spec"]["containers"]
    for container in containers:
        if any(each.get("containerPort") == port for each in container.get("ports") or ()):
            return str(container["image"])
    return str(containers[0]["image"])
