"""The scheduler: gives each new pod the best node that it fits on, or says why there is none.

One pod a turn: the one of the highest priority that waits longest. The decision is made in a `View`;
a pod that fits nowhere waits until something happens that the filters which rejected it care about.
pkg/scheduler/schedule_one.go, pkg/scheduler/backend/queue/scheduling_queue.go
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from itertools import count
from math import floor

from gherkube.runners.errors import ApiError
from gherkube.runners.history import ADDED, DELETED, Change
from gherkube.runners.objects import ENDED, Key, Object, condition, is_deleting, key_of
from gherkube.runners.simulator.api.claims import CLAIMS, claims_of
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.api.writes import with_condition
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.controllers.runtime import Informers
from gherkube.runners.simulator.events import EventRecorder
from gherkube.runners.simulator.scheduler_demand import Demand, Demands
from gherkube.runners.simulator.scheduler_nodes import Node, Nodes
from gherkube.runners.simulator.scheduler_view import STATIC, Verdict, View, fit

NAME = "default-scheduler"
CYCLE = 0.004
"""Median seconds that a pod takes from the queue to its node; golden/ recordings."""
FLUSH_AFTER, FLUSH_EVERY = 300.0, 30.0
"""After five minutes, looked at each 30 s, a pod is tried again whatever happened. scheduling_queue.go"""
BACKOFF, LONGEST_BACKOFF = 1.0, 10.0
EVENT_LENGTH = 1024
"""Event messages are cut to this. schedule_one.go truncateMessage"""
VIEWS = 200
"""How many views are kept; the oldest goes first."""


class Waiting:
    """A pod that has no node yet."""

    __slots__ = ("demand", "errors", "plugins", "pod", "queued", "since")

    def __init__(self, pod: Object, demand: Demand) -> None:
        self.pod, self.demand = pod, demand
        self.queued = False
        self.plugins: frozenset[str] = frozenset()
        """The filters that rejected nodes for it at the last try."""
        self.since = 0.0
        self.errors = 0


class Scheduler:
    """Binds pods to nodes. `informers` are its own."""

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance) -> None:
        self._api, self._clock, self._chance = api, api.clock, chance
        self._random = chance.stream("scheduling")
        self._events = EventRecorder(api, NAME)
        self._demands = Demands()
        self._nodes = Nodes()
        self._views: dict[Demand, View] = {}
        self._waiting: dict[Key, Waiting] = {}
        self._rejected: dict[Key, Waiting] = {}
        """Those of them that fitted nowhere and wait for something to happen."""
        self._queue: list[tuple[int, int, int, Key]] = []
        self._order = count()
        self._busy = False
        self._flushing = False
        self._pods = informers.of("pods")
        nodes = informers.of("nodes")
        for node in nodes.objects.values():
            self._nodes.put(node)
        for pod in self._pods.objects.values():
            self._pod_added(key_of(pod), pod)
        self._pods.on_change(self._pod_changed)
        nodes.on_change(self._node_changed)
        informers.of(CLAIMS).on_change(self._claim_changed)

    # What happens around it

    def _pod_changed(self, change: Change) -> None:
        _, kind, _, pod, old, key = change
        uid = pod["metadata"]["uid"]
        if kind == DELETED or pod["status"].get("phase") in ENDED:
            self._pod_left(key, uid)
        elif (placed := self._nodes.placed.get(uid)) is not None:
            self._nodes.refresh(placed, pod)
        elif kind == ADDED or pod["spec"].get("nodeName"):
            self._pod_added(key, pod)
        else:
            self._pod_updated(key, pod, old)

    def _pod_added(self, key: Key, pod: Object) -> None:
        spec = pod["spec"]
        if node := spec.get("nodeName"):
            self._forget(key)
            if pod.get("status", {}).get("phase") not in ENDED:
                self._nodes.place(pod, node, self._demands.of(pod))
        elif spec.get("schedulerName", NAME) == NAME:
            waiting = self._waiting[key] = Waiting(pod, self._demands.of(pod))
            if not spec.get("schedulingGates"):
                self._activate(key, waiting)

    def _pod_updated(self, key: Key, pod: Object, old: Object | None) -> None:
        waiting = self._waiting.get(key)
        if waiting is None:
            return
        waiting.pod = pod
        if old is None or old["spec"] is pod["spec"] or old["spec"] == pod["spec"]:
            return
        waiting.demand = self._demands.of(pod)
        if not waiting.queued and not pod["spec"].get("schedulingGates"):
            self._activate(key, waiting)

    def _pod_left(self, key: Key, uid: str) -> None:
        self._forget(key)
        if self._nodes.remove(uid) and self._rejected:
            self._wake(lambda waiting: bool(waiting.plugins & ROOM))

    def _forget(self, key: Key) -> None:
        self._waiting.pop(key, None)
        self._rejected.pop(key, None)

    def _node_changed(self, change: Change) -> None:
        name = change.object["metadata"]["name"]
        if change.type == DELETED:
            self._nodes.drop(name)
            return
        old = change.old if change.type != ADDED else None
        if old is not None and _facts(old) == _facts(change.object):
            return
        node = self._nodes.put(change.object)
        before = Node(old) if old is not None else None
        self._wake(lambda waiting: _helps(waiting, node, before))

    def _claim_changed(self, _: Change) -> None:
        self._wake(lambda waiting: VOLUMES in waiting.plugins)

    def _wake(self, helps: Callable[[Waiting], bool]) -> None:
        """Tries the pods again for which what happened may help: upstream's queueing hints."""
        for key, waiting in list(self._rejected.items()):
            if helps(waiting):
                self._activate(key, waiting, again=True)

    def _flush(self) -> None:
        """Tries again the pods that have waited too long: flushUnschedulablePodsLeftover."""
        self._flushing = False
        late = self._clock.now - FLUSH_AFTER
        self._wake(lambda waiting: waiting.since <= late)
        self._plan_flush()

    def _plan_flush(self) -> None:
        if self._rejected and not self._flushing:
            self._flushing = True
            due = min(waiting.since for waiting in self._rejected.values()) + FLUSH_AFTER
            self._clock.at((floor(due / FLUSH_EVERY) + 1) * FLUSH_EVERY, self._flush, retry=True)

    # The queue

    def _activate(self, key: Key, waiting: Waiting, *, again: bool = False) -> None:
        """Puts the pod into the queue; one that failed before gives way to those that did not."""
        waiting.queued = True
        self._rejected.pop(key, None)
        heappush(self._queue, (again, -waiting.pod["spec"].get("priority", 0), next(self._order), key))
        self._go_on()

    def _go_on(self) -> None:
        if self._queue and not self._busy:
            self._busy = True
            self._clock.after(self._chance.latency(CYCLE, "scheduling cycle"), self._turn)

    def _turn(self) -> None:
        self._busy = False
        while self._queue:
            key = heappop(self._queue)[3]
            waiting = self._waiting.get(key)
            if waiting is not None and waiting.queued:
                waiting.queued = False
                if not is_deleting(waiting.pod):
                    self._schedule(key, waiting)
                    break
        self._go_on()

    # One pod

    def _schedule(self, key: Key, waiting: Waiting) -> None:
        pod = waiting.pod
        if (why := self._missing_volume(pod)) is not None:
            self._reject(key, waiting, frozenset({VOLUMES}), why)
            return
        node = self._view(waiting.demand).best(self._random)
        if node is None:
            self._fail(key, waiting)
            return
        try:
            self._api.bind(key, node.name)
        except ApiError:
            waiting.errors += 1
            delay = min(BACKOFF * 2 ** (waiting.errors - 1), LONGEST_BACKOFF)
            self._clock.after(delay, self._retry, key, waiting)
            return
        del self._waiting[key]
        self._nodes.place(pod, node.name, waiting.demand)
        message = f"Successfully assigned {key.namespace}/{key.name} to {node.name}"
        self._events.record("Pod", pod, "Normal", "Scheduled", message)

    def _retry(self, key: Key, waiting: Waiting) -> None:
        if self._waiting.get(key) is waiting and not waiting.queued:
            self._activate(key, waiting, again=True)

    def _missing_volume(self, pod: Object) -> str | None:
        """Why a claim of the pod keeps it from every node, None when none does.

        volumerestrictions, volumebinding/volume_binding.go PreFilter
        """
        for key in claims_of(pod):
            claim = self._api.store.get(CLAIMS, key)  # it was written well before the pod
            why = (
                f'persistentvolumeclaim "{key.name}" not found'
                if claim is None
                else f'persistentvolumeclaim "{key.name}" is being deleted'
                if is_deleting(claim)
                else "pod has unbound immediate PersistentVolumeClaims"
                if claim["status"].get("phase") != "Bound"
                else None
            )
            if why is not None:
                return f"0/{len(self._nodes.by_name)} nodes are available: {why}. not found"
        return None

    def _fail(self, key: Key, waiting: Waiting) -> None:
        """Says why the pod fits nowhere."""
        rejected = list(self._view(waiting.demand).rejected())
        plugins = frozenset(verdict.plugin for verdict, _ in rejected) or NO_NODES
        preempts = waiting.pod["spec"].get("preemptionPolicy") != "Never"
        self._reject(key, waiting, plugins, fit_error(rejected, preempts=preempts))

    def _reject(self, key: Key, waiting: Waiting, plugins: frozenset[str], message: str) -> None:
        """Lets the pod wait, and says why in an event and in its PodScheduled condition."""
        pod = waiting.pod
        waiting.plugins = plugins
        waiting.since = self._clock.now
        self._rejected[key] = waiting
        self._plan_flush()
        shown = message if len(message) <= EVENT_LENGTH else f"{message[: EVENT_LENGTH - 4]} ..."
        self._events.record("Pod", pod, "Warning", "FailedScheduling", shown)
        self._mark(pod, message)

    def _mark(self, pod: Object, message: str) -> None:
        old = condition(pod, "PodScheduled")
        now = self._clock.timestamp()
        new = {
            "type": "PodScheduled",
            "observedGeneration": pod["metadata"].get("generation", 1),
            "status": "False",
            "lastProbeTime": None,
            "lastTransitionTime": old["lastTransitionTime"] if old and old["status"] == "False" else now,
            "reason": "Unschedulable",
            "message": message,
        }
        status = pod["status"]
        conditions = with_condition(status.get("conditions", []), new)
        try:
            self._api.put_status("pods", pod, {**status, "conditions": conditions}, check=False)
        except ApiError:
            return  # the pod is gone

    def _view(self, demand: Demand) -> View:
        view = self._views.pop(demand, None) or View(self._nodes, demand)
        self._views[demand] = view
        if len(self._views) > VIEWS:
            del self._views[next(iter(self._views))]
        return view


ROOM = frozenset({"NodeResourcesFit", "NodePorts"})
"""The filters that a pod's leaving may help."""
NO_NODES = frozenset({"no nodes"})
VOLUMES = "VolumeBinding"


def _facts(node: Object) -> tuple[object, ...]:
    spec = node.get("spec", {})
    return (
        node["metadata"].get("labels"),
        spec.get("taints"),
        spec.get("unschedulable", False),
        node.get("status", {}).get("allocatable"),
    )


def _helps(waiting: Waiting, node: Node, before: Node | None) -> bool:
    """Whether a new or changed node may take a pod that was rejected: it passes where it did not before.

    isSchedulableAfterNodeChange of the filter plugins
    """
    if before is None:
        return True
    demand, plugins = waiting.demand, waiting.plugins
    if "NodeResourcesFit" in plugins and before.state.allocatable != node.state.allocatable:
        return fit(demand, node.state.allocatable, before.state.taken) is None
    return any(
        plugin in plugins and fails(demand, before) and not fails(demand, node) for plugin, fails, _ in STATIC
    )


def fit_error(rejected: Iterable[tuple[Verdict, int]], *, preempts: bool) -> str:
    """Why no node takes the pod, in upstream's words. pkg/scheduler/framework/types.go FitError.Error"""
    verdicts = list(rejected)
    total = sum(nodes for _, nodes in verdicts)
    if not total:
        return "no nodes available to schedule pods"
    reasons: Counter[str] = Counter()
    hopes: Counter[str] = Counter()
    for verdict, nodes in verdicts:
        hopes[NOT_HELPFUL if verdict.helpless else NO_VICTIMS] += nodes
        for reason in verdict.reasons:
            reasons[reason] += nodes
    if preempts:
        preemption = _unavailable(total, hopes)
    else:
        preemption = "not eligible due to preemptionPolicy=Never."
    return f"{_unavailable(total, reasons)} no new claims to deallocate, preemption: {preemption}"


def _unavailable(total: int, reasons: Counter[str]) -> str:
    counted = ", ".join(sorted(f"{nodes} {reason}" for reason, nodes in reasons.items()))
    return f"0/{total} nodes are available: {counted}."


NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"
