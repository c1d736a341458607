"""Pods leave a node with a NoExecute taint: at once, or when they have tolerated it long enough.

pkg/controller/tainteviction/taint_eviction.go
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from gherkube.runners.errors import ApiError
from gherkube.runners.history import DELETED, Change
from gherkube.runners.objects import Key, Object, is_deleting, key_of
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.api.writes import disruption_target
from gherkube.runners.simulator.clock import Timer
from gherkube.runners.simulator.controllers.runtime import Informers
from gherkube.runners.simulator.events import EventRecorder

REASON, MESSAGE = "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint"


class PodsByNode(Protocol):
    """Who knows which pods are bound to a node."""

    def pods_on(self, name: str) -> list[Object]:
        """The pods that are bound to the node, as stored."""


class Eviction(NamedTuple):
    """A pod's planned deletion: since when its time runs, and the event that ends it."""

    since: float
    timer: Timer


class TaintEviction:
    """Plans, cancels and carries out the deletion of pods by the NoExecute taints of their nodes."""

    def __init__(self, api: ApiServer, informers: Informers, nodes: PodsByNode) -> None:
        self._api, self._clock, self._nodes = api, api.clock, nodes
        self._recorder = EventRecorder(api, "taint-eviction-controller")
        self._taints: dict[str, list[Object]] = {}
        self._planned: dict[Key, Eviction] = {}
        informers.of("nodes").on_change(self._node_changed)
        informers.of("pods").on_change(self._pod_changed)

    def _node_changed(self, change: Change) -> None:
        node = change.object
        name = node["metadata"]["name"]
        gone = change.type == DELETED
        taints = (
            [] if gone else [each for each in node["spec"].get("taints", ()) if each["effect"] == "NoExecute"]
        )
        if taints == self._taints.get(name, []):
            return
        if taints:
            self._taints[name] = taints
        else:
            del self._taints[name]
        for pod in self._nodes.pods_on(name):
            self._judge(pod, taints)

    def _pod_changed(self, change: Change) -> None:
        if not self._taints:
            return
        pod = change.object
        if change.type == DELETED or is_deleting(pod):
            planned = self._planned.pop(key_of(pod), None)
            if planned is not None:
                self._clock.cancel(planned.timer)
        elif (taints := self._taints.get(pod["spec"].get("nodeName", ""))) is not None:
            was = change.old
            if (
                was is None
                or "nodeName" not in was["spec"]
                or was["spec"].get("tolerations") != pod["spec"].get("tolerations")
            ):
                self._judge(pod, taints)

    def _judge(self, pod: Object, taints: list[Object]) -> None:
        """Plans the pod's deletion, or cancels it. processPodOnNode"""
        if is_deleting(pod):
            return
        key, now = key_of(pod), self._clock.now
        if not taints:
            self._cancel(pod)
            return
        used = _used_tolerations(pod, taints)
        if used is None:
            self._cancel(pod, silently=True)
            self._evict(key, pod["metadata"]["uid"])
            return
        limits = [each["tolerationSeconds"] for each in used if "tolerationSeconds" in each]
        if not limits:
            self._cancel(pod)
            return
        seconds = max(float(min(limits)), 0.0)
        planned, since = self._planned.get(key), now
        if planned is not None:
            since = planned.since
            if since + seconds < now + seconds:
                return
            self._cancel(pod)
        timer = self._clock.at(since + seconds, self._due, key, pod["metadata"]["uid"])
        self._planned[key] = Eviction(since, timer)

    def _cancel(self, pod: Object, *, silently: bool = False) -> None:
        planned = self._planned.pop(key_of(pod), None)
        if planned is not None:
            self._clock.cancel(planned.timer)
            if not silently:
                self._say(key_of(pod), "Cancelling deletion of Pod")

    def _due(self, key: Key, uid: str) -> None:
        del self._planned[key]
        self._evict(key, uid)

    def _evict(self, key: Key, uid: str) -> None:
        """Says why, and deletes the pod with its own grace period. addConditionAndDeletePod"""
        pod = self._api.store.get("pods", key)
        if pod is None or pod["metadata"]["uid"] != uid or is_deleting(pod):
            return
        self._say(key, "Marking for deletion Pod")
        conditions = disruption_target(pod, REASON, MESSAGE, self._clock.timestamp())
        try:
            self._api.put_status("pods", pod, {**pod["status"], "conditions": conditions}, check=False)
            self._api.delete("pods", key.name, key.namespace)
        except ApiError:
            return

    def _say(self, key: Key, what: str) -> None:
        about = {"apiVersion": "v1", "metadata": {"name": key.name, "namespace": key.namespace}}
        text = f"{what} {key.namespace}/{key.name}"
        self._recorder.record("Pod", about, "Normal", "TaintManagerEviction", text)


def _used_tolerations(pod: Object, taints: list[Object]) -> list[Object] | None:
    """The toleration that each taint meets; None when one is not tolerated. GetMatchingTolerations"""
    used = []
    for taint in taints:
        for toleration in pod["spec"].get("tolerations", ()):
            if tolerates(toleration, taint):
                used.append(toleration)
                break
        else:
            return None
    return used


def tolerates(toleration: Object, taint: Object) -> bool:
    """Whether a toleration covers a taint. component-helpers/scheduling/corev1 ToleratesTaint"""
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("key") not in (None, "", taint["key"]):
        return False
    if toleration.get("operator") == "Exists":
        return True
    return bool((toleration.get("value") or "") == (taint.get("value") or ""))
