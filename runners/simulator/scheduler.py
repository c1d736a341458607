"""The scheduler: gives each new pod the best node that it fits on, or says why there is none.

One pod a turn: the one of the highest priority that waits longest. The decision is made in a `View`;
a pod that fits nowhere waits until something happens that the filters which rejected it care about.
pkg/scheduler/schedule_one.go, pkg/scheduler/backend/queue/scheduling_queue.go
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
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
from gherkube.runners.simulator.scheduler_around import SPREAD, Around, around
from gherkube.runners.simulator.scheduler_demand import Demand, Demands, Verdict
from gherkube.runners.simulator.scheduler_hints import AROUND, ROOM, Waiting
from gherkube.runners.simulator.scheduler_nodes import Claim, Node, Nodes, priority_of
from gherkube.runners.simulator.scheduler_preemption import Preemption, unavailable
from gherkube.runners.simulator.scheduler_view import View
from gherkube.runners.simulator.scheduler_wishes import wishes_of

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


class Scheduler:
    """Binds pods to nodes. `informers` are its own."""

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance) -> None:
        self._api, self._clock = api, api.clock
        self._random, self._cycles = chance.stream("scheduling"), chance.latencies("scheduling cycle")
        self._events = EventRecorder(api, NAME)
        self._demands = Demands()
        self._nodes = Nodes()
        self._placed = self._nodes.placed
        self._preemption = Preemption(api, self._nodes, self._events)
        self._namespaces = informers.of("namespaces").objects
        self._views: dict[Demand, View] = {}
        self._waiting: dict[Key, Waiting] = {}
        self._rejected: dict[Key, Waiting] = {}
        """Those of them that fitted nowhere and wait for something to happen."""
        self._lookers: dict[Key, Waiting] = {}
        """Those of these that were rejected for the pods around them."""
        self._queue: dict[tuple[bool, int], deque[Key]] = {}
        """By what goes first: pods that did not fail before, then those of higher priority."""
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
        metadata = pod["metadata"]
        if kind == DELETED or pod["status"].get("phase") in ENDED:
            self._pod_left(key, pod)
        elif (placed := self._placed.get(metadata["uid"])) is not None:
            placed.pod = pod
            if placed.counted and "deletionTimestamp" in metadata:
                self._nodes.leave_group(placed)
            if self._lookers and old is not None and _labels(old) != _labels(pod):
                self._stir(old, pod)
        elif kind == ADDED or pod["spec"].get("nodeName"):
            self._pod_added(key, pod)
        else:
            self._pod_updated(key, pod, old)

    def _pod_added(self, key: Key, pod: Object) -> None:
        spec = pod["spec"]
        if node := spec.get("nodeName"):
            self._forget(key)
            if pod.get("status", {}).get("phase") not in ENDED:
                self._nodes.place(pod, node, self._demands.of(pod), wishes_of(pod))
                self._stir(None, pod)
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
        waiting.demand, waiting.wishes = self._demands.of(pod), wishes_of(pod)
        if not waiting.queued and not pod["spec"].get("schedulingGates"):
            self._activate(key, waiting)

    def _pod_left(self, key: Key, pod: Object) -> None:
        self._forget(key)
        if self._nodes.remove(pod["metadata"]["uid"]) and self._rejected:
            self._wake(lambda waiting: bool(waiting.plugins & ROOM))
            self._stir(pod, None)

    def _stir(self, gone: Object | None, come: Object | None) -> None:
        """Tries the pods again that look at what pods are around them."""
        for key, waiting in list(self._lookers.items()):
            if waiting.helped_by_pod(gone, come, self._namespace_labels):
                self._activate(key, waiting, again=True)

    def _namespace_labels(self, name: str) -> dict[str, str]:
        namespace = self._namespaces.get(Key("", name))
        return _labels(namespace) if namespace else {}

    def _forget(self, key: Key) -> None:
        waiting = self._waiting.pop(key, None)
        if waiting is not None:
            self._nodes.claims.pop(waiting.pod["metadata"]["uid"], None)
            self._rejected.pop(key, None)
            self._lookers.pop(key, None)

    def _node_changed(self, change: Change) -> None:
        name = change.object["metadata"]["name"]
        if change.type == DELETED:
            self._nodes.drop(name)
            self._wake(lambda waiting: SPREAD in waiting.plugins)
            return
        old = change.old if change.type != ADDED else None
        if old is not None and _facts(old) == _facts(change.object):
            return
        node = self._nodes.put(change.object)
        before = Node(old) if old is not None else None
        self._wake(lambda waiting: waiting.helped_by_node(node, before))

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
        self._lookers.pop(key, None)
        turn = again, -waiting.pod["spec"].get("priority", 0)
        if turn not in self._queue:
            self._queue[turn] = deque()
        self._queue[turn].append(key)
        self._go_on()

    def _go_on(self) -> None:
        if self._queue and not self._busy:
            self._busy = True
            self._clock.at(self._clock.now + self._cycles.draw(CYCLE), self._turn)

    def _turn(self) -> None:
        self._busy = False
        while self._queue:
            first = min(self._queue)
            keys = self._queue[first]
            key = keys.popleft()
            if not keys:
                del self._queue[first]
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
        demand, wishes = waiting.demand, waiting.wishes
        others = around(pod, wishes, demand, self._nodes, self._namespace_labels)
        node = self._view(demand).best(self._random, others)
        if node is None:
            self._fail(key, waiting, others)
            return
        try:
            self._api.bind(key, node.name)
        except ApiError:
            waiting.errors += 1
            delay = min(BACKOFF * 2 ** (waiting.errors - 1), LONGEST_BACKOFF)
            self._clock.after(delay, self._retry, key, waiting)
            return
        del self._waiting[key]
        self._nodes.place(pod, node.name, demand, wishes)
        if self._lookers:
            self._stir(None, pod)
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

    def _fail(self, key: Key, waiting: Waiting, others: Around | None) -> None:
        """Says why the pod fits nowhere; makes room for it where pods of lower priority can go."""
        pod, view = waiting.pod, self._view(waiting.demand)
        rejected = list(view.rejected(others))
        plugins = frozenset(verdict.plugin for verdict, _ in rejected) or NO_NODES
        found = self._preemption.candidate(
            pod, waiting.demand, others, lambda: view.rejections(others), rejected
        )
        if isinstance(found, str):
            self._reject(key, waiting, plugins, fit_error(rejected, found))
            return
        self._reject(key, waiting, plugins, fit_error(rejected, None), found.node.name)
        claim = Claim(found.node.name, priority_of(pod), waiting.demand)
        self._nodes.claims[pod["metadata"]["uid"]] = claim
        self._preemption.clear(pod, found)

    def _reject(
        self, key: Key, waiting: Waiting, plugins: frozenset[str], message: str, nominated: str = ""
    ) -> None:
        """Lets the pod wait, and says why in an event and in its PodScheduled condition.

        `nominated`: the node on which room is made for it.
        """
        pod = waiting.pod
        waiting.plugins = plugins
        waiting.since = self._clock.now
        self._rejected[key] = waiting
        if waiting.plugins & AROUND:
            self._lookers[key] = waiting
        self._plan_flush()
        shown = message if len(message) <= EVENT_LENGTH else f"{message[: EVENT_LENGTH - 4]} ..."
        self._events.record("Pod", pod, "Warning", "FailedScheduling", shown)
        self._mark(pod, message, nominated)

    def _mark(self, pod: Object, message: str, nominated: str) -> None:
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
        status = {**status, "conditions": with_condition(status.get("conditions", []), new)}
        if nominated:
            status["nominatedNodeName"] = nominated
        try:
            self._api.put_status("pods", pod, status, check=False)
        except ApiError:
            return  # the pod is gone

    def _view(self, demand: Demand) -> View:
        view = self._views.pop(demand, None) or View(self._nodes, demand)
        self._views[demand] = view
        if len(self._views) > VIEWS:
            del self._views[next(iter(self._views))]
        return view


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


def fit_error(rejected: Iterable[tuple[Verdict, int]], preemption: str | None) -> str:
    """Why no node takes the pod, in upstream's words. pkg/scheduler/framework/types.go FitError.Error

    `preemption`: what came of looking for pods to remove; None when some were found.
    """
    reasons: Counter[str] = Counter()
    total = 0
    for verdict, nodes in rejected:
        total += nodes
        for reason in verdict.reasons:
            reasons[reason] += nodes
    if not total:
        return "no nodes available to schedule pods"
    said = unavailable(total, reasons)
    return said if preemption is None else f"{said} no new claims to deallocate, preemption: {preemption}"


def _labels(pod: Object) -> dict[str, str]:
    return pod["metadata"].get("labels") or {}
