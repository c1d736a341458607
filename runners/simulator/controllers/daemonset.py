"""The DaemonSet controller: one pod on each node that qualifies.

pkg/controller/daemon/daemon_controller.go; what an update does is in `daemonset_update.py`.
"""

from __future__ import annotations

from gherkube.runners.errors import ApiError
from gherkube.runners.history import ADDED, DELETED, Change
from gherkube.runners.objects import ENDED, Key, Object, controller_of, is_deleting, is_ready, key_of
from gherkube.runners.selectors import from_label_selector
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.controllers.availability import Availability
from gherkube.runners.simulator.controllers.daemonset_nodes import for_node, qualifies, target_of
from gherkube.runners.simulator.controllers.daemonset_update import HASH, replaceable, surplus, to_delete
from gherkube.runners.simulator.controllers.deployment_templates import canonical, hash_of
from gherkube.runners.simulator.controllers.expectations import Expectations
from gherkube.runners.simulator.controllers.history import RevisionHistory
from gherkube.runners.simulator.controllers.ownership import (
    adopt,
    controller_or_none_in,
    none_in,
    reference_to,
    release,
)
from gherkube.runners.simulator.controllers.pod_control import PodControl, slow_start
from gherkube.runners.simulator.controllers.runtime import Informers, WorkQueue
from gherkube.runners.simulator.events import EventRecorder, EventType

BURST = 250
"""How many pods one turn makes or deletes at most. BurstReplicas"""
FIRST_BACKOFF, MAX_BACKOFF = 1.0, 900.0
"""Seconds until a failed pod of a node is replaced: doubled each time."""


class DaemonSetController:
    """Keeps the pods of every DaemonSet."""

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance) -> None:
        self._api, self._informers = api, informers
        self._chance = chance
        self._events = EventRecorder(api, "daemonset-controller")
        self._control = PodControl(api, self._events)
        self._expectations = Expectations()
        self._failures: dict[tuple[str, int, str], tuple[float, float]] = {}
        """By set, its generation and node: how long a failed pod waits, and since when."""
        self._queue: WorkQueue[Key] = WorkQueue(api.clock, chance, self._sync)
        self._sets, self._nodes = informers.of("daemonsets"), informers.of("nodes")
        self._sets.on_change(self._set_changed)
        self._follows = False

    # What the caches show.

    def _set_changed(self, change: Change) -> None:
        if not self._follows:  # with the first set: most clusters have none
            self._follows = True
            self._history = RevisionHistory(self._api, self._informers)
            self._pods_of = self._informers.of("pods").index(controller_or_none_in)
            self._informers.of("pods").on_change(self._pod_changed)
            self._nodes.on_change(self._node_changed)
        if change.type == DELETED:
            self._expectations.forget(change.key)
        self._queue.add(change.key)

    def _node_changed(self, change: Change) -> None:
        """A turn for the sets that a node is to get a pod of or to lose it; one that goes brings none.

        syncNodeUpdate
        """
        new, old = change.object, change.old
        if change.type == DELETED or (old is not None and _matters(new) == _matters(old)):
            return
        for key, owner in self._sets.objects.items():
            runs, stays = qualifies(owner, new)
            pods = self._pods_of.get(owner["metadata"]["uid"], {}).values()
            has = any(target_of(pod) == new["metadata"]["name"] for pod in pods)
            if (runs and not has) or (has and not stays):
                self._queue.add(key)

    def _pod_changed(self, change: Change) -> None:
        pod = change.object
        owner = controller_of(pod)
        if owner is None:
            for key, each in self._sets.objects.items():
                if key.namespace == pod["metadata"]["namespace"] and _selects(each, pod):
                    self._queue.add(key)
        elif owner["kind"] == "DaemonSet":
            key = Key(pod["metadata"]["namespace"], owner["name"])
            if change.type == ADDED:
                self._expectations.saw_creation(key)
            if change.type == DELETED or is_deleting(pod):
                self._expectations.saw_deletion(key, key_of(pod))
            self._queue.add(key)

    # A turn: syncDaemonSet.

    def _sync(self, key: Key) -> None:
        owner = self._sets.get(key)
        if owner is None:
            return
        if not is_deleting(owner):
            self._history.adopt(owner)
        revision = self._revision(owner)
        hash_ = revision["metadata"]["labels"][HASH]
        if not is_deleting(owner) and self._expectations.met(key, self._api.clock.now):
            by_node = self._by_node(owner)
            made = self._manage(key, owner, hash_, by_node)
            if not made:
                self._update(key, owner, hash_, by_node)
            elif made > 1:  # by the time that all are made the first have been seen: another turn is due
                return
            used = {pod["metadata"].get("labels", {}).get(HASH) for pods in by_node.values() for pod in pods}
            live = {
                each["metadata"]["name"]
                for each in self._history.of(owner)
                if each["metadata"]["labels"].get(HASH) in used
            }
            live.discard(revision["metadata"]["name"])
            self._history.truncate(owner, live | {revision["metadata"]["name"]}, counted=len(live))
        self._write(key, owner, hash_)

    def _revision(self, owner: Object) -> Object:
        metadata, template = owner["metadata"], owner["spec"]["template"]
        hash_ = hash_of(canonical(template), owner.get("status", {}).get("collisionCount"))
        labels = {**template["metadata"].get("labels", {}), HASH: hash_}
        return self._history.settle(
            owner, f"{metadata['name']}-{hash_}", labels, metadata.get("annotations", {})
        )

    def _by_node(self, owner: Object) -> dict[str, list[Object]]:
        """The set's pods by the node that they are for, ended ones that go left out. getNodesToDaemonPods"""
        namespace, uid = owner["metadata"]["namespace"], owner["metadata"]["uid"]
        found: dict[str, list[Object]] = {}
        for pod in list(self._pods_of.get(uid, {}).values()):
            if not _selects(owner, pod):
                release(self._api, pod, uid)
            elif not (is_deleting(pod) and pod["status"].get("phase") in ENDED):
                found.setdefault(target_of(pod), []).append(pod)
        for pod in list(self._pods_of.get(none_in(namespace), {}).values()):
            if _selects(owner, pod) and not is_deleting(pod) and adopt(self._api, pod, owner):
                found.setdefault(target_of(pod), []).append(pod)
        return found

    def _manage(self, key: Key, owner: Object, hash_: str, by_node: dict[str, list[Object]]) -> int:
        """Makes the pods that are missing, deletes those that should not be; how many of both. manage"""
        missing: list[str] = []
        doomed: list[Object] = []
        available = Availability(owner, self._api.clock)
        for node in self._shuffled():
            name = node["metadata"]["name"]
            pods = by_node.get(name, [])
            runs, stays = qualifies(owner, node)
            if runs and not pods:
                missing.append(name)
            elif stays:
                living = self._without_ended(key, owner, name, pods, doomed)
                doomed += surplus(owner, hash_, sorted(living, key=_age), available)
            else:
                doomed += [pod for pod in pods if not is_deleting(pod)]
        known = self._nodes.objects
        doomed += [
            pod
            for name, pods in by_node.items()
            if Key("", name) not in known
            for pod in pods
            if not pod["spec"].get("nodeName")
        ]
        self._change(key, owner, hash_, missing, doomed)
        return len(missing) + len(doomed)

    def _without_ended(
        self, key: Key, owner: Object, node: str, pods: list[Object], doomed: list[Object]
    ) -> list[Object]:
        """The pods that live; ended ones are to be deleted, failed ones after a while. podsShouldBeOnNode"""
        living = []
        for pod in pods:
            phase, name = pod["status"].get("phase"), "/".join(key_of(pod))
            if is_deleting(pod):
                continue
            if phase not in ENDED:
                living.append(pod)
                continue
            if phase == "Failed" and (wait := self._backoff(owner, node)):
                self._queue.add_after(key, wait, retry=True)
                continue
            type_: EventType = "Warning" if phase == "Failed" else "Normal"
            said = f"Found {phase.lower()} daemon pod {name} on node {node}, will try to "
            said += "kill it" if phase == "Failed" else "delete it"
            self._events.record("DaemonSet", owner, type_, f"{phase}DaemonPod", said)
            doomed.append(pod)
        return living

    def _backoff(self, owner: Object, node: str) -> float:
        """Seconds until a failed pod may be replaced, 0 for now; the next time it is twice as long.

        failedPodsBackoffKey
        """
        seen = owner.get("status", {}).get("observedGeneration", 0)
        now, at = self._api.clock.now, (owner["metadata"]["uid"], seen, node)
        delay, since = self._failures.get(at, (0.0, now))
        if now < since + delay:
            return since + delay - now
        forgotten = now - since > 2 * MAX_BACKOFF
        self._failures[at] = (
            FIRST_BACKOFF if not delay or forgotten else min(delay * 2, MAX_BACKOFF),
            now,
        )
        return 0.0

    def _update(self, key: Key, owner: Object, hash_: str, by_node: dict[str, list[Object]]) -> None:
        """Takes what is of an older template off, as far as it may. update.go rollingUpdate"""
        if owner["spec"]["updateStrategy"]["type"] != "RollingUpdate":
            return
        nodes = self._shuffled()
        wanted = {node["metadata"]["name"] for node in nodes if qualifies(owner, node)[0]}
        names = [node["metadata"]["name"] for node in nodes]
        pods = {name: by_node.get(name, []) for name in names if name in wanted or name in by_node}
        available = Availability(owner, self._api.clock)
        doomed = to_delete(owner, hash_, pods, wanted, available)
        surging = replaceable(owner, hash_, pods, wanted, available)
        self._change(key, owner, hash_, surging, doomed)

    def _change(self, key: Key, owner: Object, hash_: str, missing: list[str], doomed: list[Object]) -> None:
        """syncNodes"""
        missing, doomed = missing[:BURST], doomed[:BURST]
        if not missing and not doomed:
            return
        self._expectations.expect(key, len(missing), map(key_of, doomed), self._api.clock.now)
        references = [reference_to(owner)]
        made, failed = slow_start(
            missing, lambda node: self._control.create(for_node(owner, hash_, node), references)
        )
        self._expectations.saw_creation(key, len(missing) - made)
        for pod in doomed:
            try:
                self._control.delete(owner, pod)
            except ApiError as error:
                self._expectations.saw_deletion(key, key_of(pod))
                failed = failed or (None if error.code == 404 else error)
        if failed is not None:
            raise failed

    def _shuffled(self) -> list[Object]:
        """The nodes in the order of a Go map: none."""
        nodes = [self._nodes.objects[key] for key in sorted(self._nodes.objects)]
        self._chance.stream("daemons").shuffle(nodes)
        return nodes

    # What is written: updateDaemonSetStatus.

    def _write(self, key: Key, owner: Object, hash_: str) -> None:
        by_node = self._by_node(owner)
        available = Availability(owner, self._api.clock)
        counts = dict.fromkeys(COUNTS, 0)
        for node in self._nodes.objects.values():
            pods = sorted(by_node.get(node["metadata"]["name"], ()), key=_age)
            if not qualifies(owner, node)[0]:
                counts["numberMisscheduled"] += bool(pods)
                continue
            counts["desiredNumberScheduled"] += 1
            if pods:
                counts["currentNumberScheduled"] += 1
                counts["numberReady"] += is_ready(pods[0])
                counts["numberAvailable"] += available(pods[0])
                counts["updatedNumberScheduled"] += _is_of(pods[0], hash_)
        counts["numberUnavailable"] = counts["desiredNumberScheduled"] - counts["numberAvailable"]
        status = {
            **{name: count for name, count in counts.items() if count or name in ALWAYS},
            "observedGeneration": owner["metadata"]["generation"],
        }
        stored = self._api.store.get("daemonsets", key)
        if stored is not None and stored["metadata"]["uid"] == owner["metadata"]["uid"]:
            self._api.put_status("daemonsets", stored, status, check=False)
        due = (available.due_in(pod) for pods in by_node.values() for pod in pods)
        if left := [seconds for seconds in due if seconds]:
            self._queue.add_after(key, min(left))


ALWAYS = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
COUNTS = (*ALWAYS, "updatedNumberScheduled", "numberAvailable", "numberUnavailable")


def _selects(owner: Object, pod: Object) -> bool:
    return from_label_selector(owner["spec"]["selector"])(pod["metadata"].get("labels", {}))


def _matters(node: Object) -> tuple[object, ...]:
    return node["metadata"].get("labels"), node["spec"].get("taints"), node["spec"].get("unschedulable")


def _age(pod: Object) -> tuple[bool, str, str]:
    """Pods on nodes first, then the oldest. podByCreationTimestampAndPhase"""
    metadata = pod["metadata"]
    return "nodeName" not in pod["spec"], metadata["creationTimestamp"], metadata["name"]


def _is_of(pod: Object, hash_: str) -> bool:
    return bool(pod["metadata"].get("labels", {}).get(HASH) == hash_)
