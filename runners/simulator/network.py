"""The data path: which pod a connection to a service reaches, from the node at which it enters.

Every node has rules of its own, which its kube-proxy writes some time after a service or slice has
changed: the first change at once, further ones together at most once a second. So for a moment nodes
send to pods that are going, or gone: the race between SIGTERM and the removal of endpoints.
Nobody wakes up for that: what a node knows is worked out when a connection enters it.
pkg/proxy/topology.go CategorizeEndpoints, pkg/proxy/iptables/proxier.go, pkg/proxy/runner
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from random import Random
from typing import NamedTuple

from gherkube.runners.history import DELETED, Change
from gherkube.runners.objects import Key, Object
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.store import Store

SERVICE_NAME = "kubernetes.io/service-name"
WATCH_LAG = 0.015
"""Median seconds from a write to the kube-proxy that watches."""
RUN = 0.030
"""Median seconds that a kube-proxy takes to write its rules."""
MIN_PERIOD = 1.0
"""Seconds from one run to the next at least (`minSyncPeriod`)."""
AFFINITY = 10_800.0
"""Seconds for which sessionAffinity ClientIP holds by default."""
REMEMBERED, FORGET_AFTER = 2_000, 10.0
"""So many changes are kept, then those go that each node has long since learned of."""


class Target(NamedTuple):
    """Where a connection goes: a pod, its port, and the node it is on."""

    pod: Key
    uid: str
    port: int
    node: str


class Rules:
    """What a node does with connections to one service: the service and slices as they once were."""

    def __init__(self, service: Object | None, slices: tuple[Object, ...]) -> None:
        self.service, self._slices = service, slices

    def candidates(self, port: str, node: str) -> list[Target]:
        """The endpoints of a service port that are sent to: ready ones, else those that go but still serve.

        `node`: only those of that node ("": of all nodes).
        """
        for among in self._endpoints:
            targets = among.get(port, [])
            if node:
                targets = [target for target in targets if target.node == node]
            if targets:
                return targets
        return []

    @cached_property
    def _endpoints(self) -> tuple[dict[str, list[Target]], dict[str, list[Target]]]:
        """By port name, the endpoints that are ready, and those that are terminating but serve."""
        ready: dict[str, list[Target]] = {}
        going: dict[str, list[Target]] = {}
        for each in self._slices:
            ports = [(port.get("name", ""), port["port"]) for port in each["ports"] or ()]
            for endpoint in each["endpoints"] or ():
                conditions, pod = endpoint["conditions"], endpoint["targetRef"]
                usable = conditions["serving"] and conditions["terminating"]
                among = ready if conditions["ready"] else going if usable else None
                if among is not None:
                    key = Key(pod["namespace"], pod["name"])
                    for name, number in ports:
                        target = Target(key, pod["uid"], number, endpoint["nodeName"])
                        among.setdefault(name, []).append(target)
        return ready, going


class Proxy:
    """The kube-proxy of one node: how much of what happened its rules show."""

    def __init__(self, chance: Chance, behind: int) -> None:
        self._chance = chance
        self._lag = chance.latency(WATCH_LAG, "kube-proxy")
        self._run = chance.latency(RUN, "kube-proxy")
        self._last = -MIN_PERIOD
        self.learned = behind
        """How many of the changes are in the rules."""

    def look(self, changes: list[float], first: int, now: float) -> int:
        """Catches up to that time; `changes` are their times, the first of them the `first`th of all."""
        self.learned = max(self.learned, first)
        while self.learned - first < len(changes):
            start = max(changes[self.learned - first] + self._lag, self._last + MIN_PERIOD)
            if start + self._run > now:
                break
            self.learned = max(self.learned + 1, first + bisect_right(changes, start - self._lag))
            self._last = start
            self._run = self._chance.latency(RUN, "kube-proxy")
        return self.learned


class Network:
    """All nodes' rules, and the nodes that are up."""

    def __init__(self, store: Store, chance: Chance) -> None:
        self._clock, self._chance = store.clock, chance
        self.down: dict[str, None] = {}
        """The nodes that are without power."""
        self._proxies: dict[str, Proxy] = {}
        self._changes: list[float] = []
        self._first = 0
        self._timelines: dict[Key, list[tuple[int, Rules]]] = {}
        self._services: dict[Key, Object] = {}
        self._slices: dict[Key, dict[str, Object]] = {}
        self._sticky: dict[tuple[str, Key], tuple[str, float]] = {}
        store.watch("services", self._service_changed)
        store.watch("endpointslices", self._slice_changed)

    @cached_property
    def _random(self) -> Random:
        return self._chance.stream("connections")

    def connect(self, node: str, service: Key, port: str, *, local: bool) -> Target | None:
        """Where a connection to a service's port goes that enters at the node; None: it is refused.

        `local`: only pods of that node are sent to (traffic policy Local).
        """
        rules = self._rules(node, service)
        if rules is None or rules.service is None:
            return None
        targets = rules.candidates(port, node if local else "")
        if not targets:
            return None
        if rules.service["spec"].get("sessionAffinity") == "ClientIP":
            client = rules.service["spec"].get("sessionAffinityConfig", {}).get("clientIP", {})
            return self._stick(node, service, targets, client.get("timeoutSeconds", AFFINITY))
        return targets[int(self._random.random() * len(targets))]

    def _stick(self, node: str, service: Key, targets: list[Target], seconds: float) -> Target:
        """The target of the last connection for so many seconds; any, and remembered, after that."""
        uid, until = self._sticky.get((node, service), ("", 0.0))
        chosen = next((target for target in targets if target.uid == uid), None)
        if chosen is None or self._clock.now > until:
            chosen = targets[int(self._random.random() * len(targets))]
        self._sticky[node, service] = chosen.uid, self._clock.now + seconds
        return chosen

    def _rules(self, node: str, service: Key) -> Rules | None:
        """The node's rules for a service as they are now."""
        timeline = self._timelines.get(service)
        if timeline is None:
            return None
        proxy = self._proxies.get(node)
        if proxy is None:
            proxy = self._proxies[node] = Proxy(self._chance, self._first)
        learned = proxy.look(self._changes, self._first, self._clock.now)
        at = bisect_right(timeline, learned, key=lambda entry: entry[0]) - 1
        return timeline[at][1] if at >= 0 else None

    def _service_changed(self, change: Change) -> None:
        key = change.key
        if change.type == DELETED:
            self._services.pop(key, None)
        elif change.old is not None and change.old["spec"] is change.object["spec"]:
            return
        else:
            self._services[key] = change.object
        self._note(key)

    def _slice_changed(self, change: Change) -> None:
        metadata = change.object["metadata"]
        key = Key(metadata["namespace"], metadata.get("labels", {}).get(SERVICE_NAME, ""))
        slices = self._slices.setdefault(key, {})
        if change.type == DELETED:
            slices.pop(metadata["name"], None)
        else:
            slices[metadata["name"]] = change.object
        self._note(key)

    def _note(self, service: Key) -> None:
        self._changes.append(self._clock.now)
        rules = Rules(self._services.get(service), tuple(self._slices.get(service, {}).values()))
        self._timelines.setdefault(service, []).append((self._first + len(self._changes), rules))
        if (
            len(self._changes) > REMEMBERED
            and self._changes[REMEMBERED // 2] < self._clock.now - FORGET_AFTER
        ):
            self._forget(REMEMBERED // 2)

    def _forget(self, cut: int) -> None:
        """Drops the oldest changes and all rules that no node has any more."""
        del self._changes[:cut]
        self._first += cut
        for timeline in self._timelines.values():
            newest = bisect_right(timeline, self._first, key=lambda entry: entry[0]) - 1
            del timeline[: max(newest, 0)]
