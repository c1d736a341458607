"""What the control plane does about nodes: those not heard of, taints, and the pods that must leave.

Nothing here runs by the clock while all is well: when a node falls silent, the moment at which the
monitor will notice is worked out.
pkg/controller/nodelifecycle/node_lifecycle_controller.go; facts §3
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import ceil
from typing import Protocol

from gherkube.runners.history import DELETED, Change
from gherkube.runners.objects import Key, Object, condition
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance, Timer, timestamp
from gherkube.runners.simulator.controllers.runtime import Informers
from gherkube.runners.simulator.controllers.tainteviction import PodsByNode, TaintEviction
from gherkube.runners.simulator.events import EventRecorder

MONITOR_EVERY = 5.0
"""Seconds between two looks at all nodes (node-monitor-period)."""
GRACE = 50.0
"""Seconds without a sign of life after which a node is Unknown (node-monitor-grace-period)."""
TAINT_LOOP = 0.1
"""Seconds between two turns of the loop that adds NoExecute taints."""
TAINT_EVERY, TAINT_EVERY_DISRUPTED = 10.0, 100.0
"""Seconds between two nodes that get the NoExecute taint: usually, and in a large, disrupted zone."""
DISRUPTED_NODES, DISRUPTED_SHARE, LARGE_ZONE = 3, 0.55, 50
"""A zone with that many nodes, and that share of them, not ready is disrupted; in one of so few nobody
has to leave then."""
TAINTING_TAKES = 0.015
"""Median seconds from a node's change to its NoSchedule taints; facts §8.1."""

UNREACHABLE, NOT_READY = "node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
BY_CONDITION = (
    ("Ready", "False", NOT_READY),
    ("Ready", "Unknown", UNREACHABLE),
    ("MemoryPressure", "True", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "True", "node.kubernetes.io/disk-pressure"),
    ("PIDPressure", "True", "node.kubernetes.io/pid-pressure"),
    ("NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"),
)
"""Which status of which condition brings which NoSchedule taint."""
MANAGED = (*(key for _, _, key in BY_CONDITION), UNSCHEDULABLE)
SILENT = ("NodeStatusUnknown", "Kubelet stopped posting node status.")
POSTED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


class Heartbeats(PodsByNode, Protocol):
    """What is heard of the nodes' kubelets; times in seconds since the simulation began."""

    def last_seen(self, name: str) -> float:
        """When the node's kubelet renewed its lease last."""

    def last_reported(self, name: str) -> float:
        """When the node's kubelet posted its status last."""

    def on_silence(self, listener: Callable[[str], object]) -> None:
        """Calls the listener with the name of each node that stops."""


class NodeLifecycle:
    """Marks silent nodes Unknown, taints nodes by their conditions, and makes pods leave them."""

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance, kubelets: Heartbeats) -> None:
        self._api, self._clock, self._chance, self._kubelets = api, api.clock, chance, kubelets
        self._recorder = EventRecorder(api, "node-controller")
        self._phase = chance.stream("nodelifecycle").random() * MONITOR_EVERY
        self._watching: dict[str, Timer] = {}
        self._tainting: set[str] = set()
        self._to_taint: deque[str] = deque()
        self._taint_timer: Timer | None = None
        self._next_taint_at = 0.0
        self._not_ready: dict[str, None] = {}
        self._ready_count = 0
        TaintEviction(api, informers, kubelets)
        for node in informers.of("nodes").objects.values():
            self._count(node["metadata"]["name"], ready=_is_ready(node), gone=False, was_known=False)
        informers.of("nodes").on_change(self._node_changed)
        kubelets.on_silence(self._silenced)

    # --- the monitor ---------------------------------------------------------------------------

    def _next_look(self, moment: float) -> float:
        """The monitor's first look at or after that moment."""
        return self._phase + MONITOR_EVERY * ceil((moment - self._phase) / MONITOR_EVERY)

    def _silenced(self, name: str) -> None:
        """Plans when the monitor misses the node: a grace after the look that saw its last renewal."""
        if (planned := self._watching.pop(name, None)) is not None:
            self._clock.cancel(planned)
        last = self._kubelets.last_seen(name)
        missed = max(self._next_look(last) + GRACE, self._clock.now)
        self._watching[name] = self._clock.at(missed, self._missed, name, last)

    def _missed(self, name: str, last: float) -> None:
        del self._watching[name]
        node = self._api.store.get("nodes", Key("", name))
        if node is None or self._kubelets.last_seen(name) != last:
            return
        if (ready := condition(node, "Ready")) is not None and ready["status"] == "Unknown":
            return
        self._api.put_status("nodes", node, self._unknown(node, name), check=False)
        why = f"Node {name} status is now: NodeNotReady"
        self._recorder.record("Node", node, "Normal", "NodeNotReady", why)
        self._clock.after(self._chance.latency(TAINTING_TAKES, "nodelifecycle"), self._mark_pods, name)

    def _unknown(self, node: Object, name: str) -> Object:
        """The status of a node that is not heard of. tryUpdateNodeHealth"""
        now = self._clock.timestamp()
        heard = timestamp(self._kubelets.last_reported(name))
        status = node["status"]
        conditions = [
            {
                **each,
                "status": "Unknown",
                "reason": SILENT[0],
                "message": SILENT[1],
                "lastHeartbeatTime": heard,
                "lastTransitionTime": now,
            }
            if each["type"] in POSTED and each["status"] != "Unknown"
            else each
            for each in status.get("conditions", ())
        ]
        return {**status, "conditions": conditions}

    def _mark_pods(self, name: str) -> None:
        """Says of each pod on the node that it is not ready. controller/util/node MarkPodsNotReady"""
        now = self._clock.timestamp()
        for pod in self._kubelets.pods_on(name):
            ready = condition(pod, "Ready")
            if ready is None or ready["status"] == "False":
                continue
            off = {key: value for key, value in ready.items() if key not in ("reason", "message")}
            off["status"], off["lastTransitionTime"] = "False", now
            conditions = [off if each is ready else each for each in pod["status"]["conditions"]]
            self._api.put_status("pods", pod, {**pod["status"], "conditions": conditions}, check=False)
            self._recorder.record("Pod", pod, "Warning", "NodeNotReady", "Node is not ready")

    # --- taints --------------------------------------------------------------------------------

    def _node_changed(self, change: Change) -> None:
        name = change.object["metadata"]["name"]
        was_known = change.old is not None
        gone = change.type == DELETED
        ready = not gone and _is_ready(change.object)
        self._count(name, ready=ready, gone=gone, was_known=was_known)
        if gone:
            return
        if name not in self._tainting and _wanted_taints(change.object) != _managed_taints(change.object):
            self._tainting.add(name)
            self._clock.after(self._chance.latency(TAINTING_TAKES, "nodelifecycle"), self._taint, name)
        if was_known and ready != _is_ready(change.old or {}):
            self._disruption_changed()
            if ready:
                self._clock.at(self._next_look(self._clock.now), self._reachable, name)
            else:
                self._to_taint.append(name)
                self._plan_tainting()

    def _count(self, name: str, *, ready: bool, gone: bool, was_known: bool) -> None:
        if was_known:
            if name in self._not_ready:
                del self._not_ready[name]
            else:
                self._ready_count -= 1
        if ready:
            self._ready_count += 1
        elif not gone:
            self._not_ready[name] = None

    def _taint(self, name: str) -> None:
        """Gives the node the NoSchedule taints that its conditions call for. doNoScheduleTaintingPass"""
        self._tainting.discard(name)
        node = self._api.store.get("nodes", Key("", name))
        if node is None:
            return
        wanted, now = _wanted_taints(node), self._clock.timestamp()
        present = node["spec"].get("taints", [])
        kept = [each for each in present if not _is_managed(each) or each["key"] in wanted]
        have = {each["key"] for each in kept if _is_managed(each)}
        added = [{"key": key, "effect": "NoSchedule", "timeAdded": now} for key in wanted if key not in have]
        self._write_taints(node, [*kept, *added])

    def _write_taints(self, node: Object, taints: list[Object]) -> None:
        spec = {key: value for key, value in node["spec"].items() if key != "taints"}
        if taints:
            spec["taints"] = taints
        self._api.replace_trusted("nodes", {**node, "spec": spec})

    def _interval(self) -> float | None:
        """Seconds between two nodes that get the NoExecute taint; None: none gets it. ComputeZoneState"""
        not_ready, ready = len(self._not_ready), self._ready_count
        if not ready:
            return None
        if not_ready >= DISRUPTED_NODES and not_ready / (not_ready + ready) >= DISRUPTED_SHARE:
            return TAINT_EVERY_DISRUPTED if not_ready + ready > LARGE_ZONE else None
        return TAINT_EVERY

    def _disruption_changed(self) -> None:
        """With no node ready nobody has to leave: the fault is rather the network's. handleDisruption"""
        if not self._ready_count:
            for name in self._not_ready:
                self._remove_no_execute(name)
                if name not in self._to_taint:
                    self._to_taint.append(name)
        self._plan_tainting()

    def _plan_tainting(self) -> None:
        if self._taint_timer is not None:
            self._clock.cancel(self._taint_timer)
            self._taint_timer = None
        if self._to_taint and self._interval() is not None:
            turn = TAINT_LOOP * (1 + self._chance.stream("nodelifecycle").random()) / 2
            self._taint_timer = self._clock.at(
                max(self._clock.now + turn, self._next_taint_at), self._taint_next
            )

    def _taint_next(self) -> None:
        """Gives one node the NoExecute taint. doNoExecuteTaintingPass"""
        self._taint_timer = None
        interval = self._interval()
        name = self._to_taint.popleft()
        node = self._api.store.get("nodes", Key("", name))
        if node is not None and interval is not None and name in self._not_ready:
            self._next_taint_at = self._clock.now + interval
            ready = condition(node, "Ready")
            key = UNREACHABLE if ready is None or ready["status"] == "Unknown" else NOT_READY
            present = node["spec"].get("taints", [])
            if not any(each["key"] == key and each["effect"] == "NoExecute" for each in present):
                taint = {"key": key, "effect": "NoExecute", "timeAdded": self._clock.timestamp()}
                self._write_taints(node, [*present, taint])
        self._plan_tainting()

    def _reachable(self, name: str) -> None:
        """The monitor sees that the node is well again. markNodeAsReachable"""
        if name not in self._not_ready:
            if name in self._to_taint:
                self._to_taint.remove(name)
            self._remove_no_execute(name)

    def _remove_no_execute(self, name: str) -> None:
        node = self._api.store.get("nodes", Key("", name))
        if node is None:
            return
        present = node["spec"].get("taints", [])
        kept = [
            each
            for each in present
            if each["effect"] != "NoExecute" or each["key"] not in (UNREACHABLE, NOT_READY)
        ]
        if len(kept) < len(present):
            self._write_taints(node, kept)


def _is_ready(node: Object) -> bool:
    ready = condition(node, "Ready")
    return ready is not None and ready["status"] == "True"


def _is_managed(taint: Object) -> bool:
    return taint["effect"] == "NoSchedule" and taint["key"] in MANAGED


def _managed_taints(node: Object) -> list[str]:
    return sorted(each["key"] for each in node["spec"].get("taints", ()) if _is_managed(each))


def _wanted_taints(node: Object) -> list[str]:
    by_type = {each["type"]: each["status"] for each in node["status"].get("conditions", ())}
    wanted = [key for type_, status, key in BY_CONDITION if by_type.get(type_) == status]
    if node["spec"].get("unschedulable"):
        wanted.append(UNSCHEDULABLE)
    return sorted(wanted)
