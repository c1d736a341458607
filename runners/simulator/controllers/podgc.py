"""The pod garbage collector: pods on a node that is no more are ended and deleted.

It looks every 20 seconds; here only while there are such pods.
pkg/controller/podgc/gc_controller.go
"""

from __future__ import annotations

from math import floor

from gherkube.runners.errors import ApiError
from gherkube.runners.history import ADDED, DELETED, Change
from gherkube.runners.objects import ENDED, Key, Object, key_of
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.api.writes import disruption_target
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.controllers.runtime import Informers

LOOK_EVERY = 20.0
"""gcCheckPeriod"""
QUARANTINE = 40.0
"""Seconds that a node has to be missing. quarantineTime"""
REASON, MESSAGE = "DeletionByPodGC", "PodGC: node no longer exists"


class PodGarbageController:
    """Deletes the pods of nodes that are gone."""

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance) -> None:
        self._api, self._clock = api, api.clock
        self._phase = chance.stream("podgc").random() * LOOK_EVERY
        self._missing: dict[str, float] = {}
        """Since when a node is known to be missing."""
        self._planned = False
        self._nodes, self._pods = informers.of("nodes"), informers.of("pods")
        self._nodes.on_change(self._plan, (DELETED,))
        self._pods.on_change(self._pod_added, (ADDED,))

    def _pod_added(self, change: Change) -> None:
        if self._is_orphan(change.object):
            self._plan()

    def _is_orphan(self, pod: Object) -> bool:
        node = pod["spec"].get("nodeName")
        return node is not None and Key("", node) not in self._nodes.objects

    def _plan(self, _: Change | None = None) -> None:
        if not self._planned:
            self._planned = True
            turns = floor((self._clock.now - self._phase) / LOOK_EVERY) + 1
            self._clock.at(self._phase + LOOK_EVERY * turns, self._look)

    def _look(self) -> None:
        """gcOrphaned"""
        self._planned = False
        now = self._clock.now
        orphans = [pod for pod in self._pods.objects.values() if self._is_orphan(pod)]
        names = dict.fromkeys(pod["spec"]["nodeName"] for pod in orphans)
        self._missing = {name: self._missing.get(name, now) for name in names}
        for pod in orphans:
            if now - self._missing[pod["spec"]["nodeName"]] >= QUARANTINE:
                self._end(pod)
        if orphans:
            self._plan()

    def _end(self, pod: Object) -> None:
        """markFailedAndDeletePodWithCondition"""
        key = key_of(pod)
        stored = self._api.store.get("pods", key)
        if stored is None or stored["metadata"]["uid"] != pod["metadata"]["uid"]:
            return
        status = stored["status"]
        try:
            if status.get("phase") not in ENDED:
                self._api.put_status("pods", stored, self._failed(stored), check=False)
            self._api.delete("pods", key.name, key.namespace, grace_period=0)
        except ApiError:
            return

    def _failed(self, pod: Object) -> Object:
        conditions = disruption_target(pod, REASON, MESSAGE, self._clock.timestamp())
        return {**pod["status"], "phase": "Failed", "conditions": conditions}
