"""The pod garbage collector: pods on a node that is no more, or is given up, are ended and deleted.

It looks every 20 seconds; here only while there are such pods or nodes.
pkg/controller/podgc/gc_controller.go
"""

from __future__ import annotations

from math import floor

from gherkube.runners.errors import ApiError
from gherkube.runners.history import ADDED, DELETED, Change
from gherkube.runners.objects import ENDED, Key, Object, is_deleting, is_ready, key_of
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.api.writes import disruption_target
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.controllers.runtime import Informers

LOOK_EVERY = 20.0
"""gcCheckPeriod"""
QUARANTINE = 40.0
"""Seconds that a node has to be missing. quarantineTime"""
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
"""The taint by which somebody says that a node that is not ready will not come back by itself."""
REASON, MESSAGE = "DeletionByPodGC", "PodGC: node no longer exists"


class PodGarbageController:
    """Deletes the pods of nodes that are gone, and those that should go of nodes that are given up."""

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance) -> None:
        self._api, self._clock = api, api.clock
        self._phase = chance.stream("podgc").random() * LOOK_EVERY
        self._missing: dict[str, float] = {}
        """Since when a node is known to be missing."""
        self._planned = False
        self._nodes, self._pods = informers.of("nodes"), informers.of("pods")
        self._nodes.on_change(self._node_changed)
        self._pods.on_change(self._pod_added, (ADDED,))

    def _node_changed(self, change: Change) -> None:
        if change.type == DELETED or _is_given_up(change.object):
            self._plan()

    def _pod_added(self, change: Change) -> None:
        if self._is_orphan(change.object):
            self._plan()

    def _is_orphan(self, pod: Object) -> bool:
        node = pod["spec"].get("nodeName")
        return node is not None and Key("", node) not in self._nodes.objects

    def _plan(self, *, retry: bool = False) -> None:
        if not self._planned:
            self._planned = True
            turns = floor((self._clock.now - self._phase) / LOOK_EVERY) + 1
            self._clock.at(self._phase + LOOK_EVERY * turns, self._look, retry=retry)

    def _look(self) -> None:
        """gcTerminating, gcOrphaned"""
        self._planned = False
        now = self._clock.now
        given_up = {key.name for key, node in self._nodes.objects.items() if _is_given_up(node)}
        for pod in list(self._pods.objects.values()) if given_up else ():
            if is_deleting(pod) and pod["spec"].get("nodeName") in given_up:
                self._end(pod)
        orphans = [pod for pod in self._pods.objects.values() if self._is_orphan(pod)]
        names = dict.fromkeys(pod["spec"]["nodeName"] for pod in orphans)
        self._missing = {name: self._missing.get(name, now) for name in names}
        for pod in orphans:
            if now - self._missing[pod["spec"]["nodeName"]] >= QUARANTINE:
                self._end(pod, because=(REASON, MESSAGE))
        if orphans or given_up:
            self._plan(retry=not orphans)

    def _end(self, pod: Object, because: tuple[str, str] | None = None) -> None:
        """markFailedAndDeletePodWithCondition"""
        key = key_of(pod)
        stored = self._api.store.get("pods", key)
        if stored is None or stored["metadata"]["uid"] != pod["metadata"]["uid"]:
            return
        failed = {**stored["status"], "phase": "Failed"}
        if because is not None:
            failed["conditions"] = disruption_target(stored, *because, self._clock.timestamp())
        try:
            if stored["status"].get("phase") not in ENDED:
                self._api.put_status("pods", stored, failed, check=False)
            self._api.delete("pods", key.name, key.namespace, grace_period=0)
        except ApiError:
            return


def _is_given_up(node: Object) -> bool:
    """Whether a node that is not ready has the taint that says so."""
    taints = node["spec"].get("taints", ())
    return any(each["key"] == OUT_OF_SERVICE for each in taints) and not is_ready(node)
