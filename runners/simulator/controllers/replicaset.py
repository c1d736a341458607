"""The ReplicaSet controller: as many active pods as asked for, no matter of which template.

pkg/controller/replicaset/replica_set.go
"""

from __future__ import annotations

from weakref import WeakValueDictionary

from gherkube.runners.errors import ApiError
from gherkube.runners.history import ADDED, DELETED, Change
from gherkube.runners.objects import Key, Object, condition, controller_of, is_active, is_deleting, key_of
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.controllers.expectations import Expectations
from gherkube.runners.simulator.controllers.ownership import (
    adopt,
    controller_or_none_in,
    controller_uid,
    namespace_of,
    none_in,
    reference_to,
    release,
)
from gherkube.runners.simulator.controllers.pod_control import PodControl, slow_start
from gherkube.runners.simulator.controllers.replicaset_tally import Tally, counts_by
from gherkube.runners.simulator.controllers.replicaset_victims import Crowds, choose
from gherkube.runners.simulator.controllers.runtime import Informers, WorkQueue
from gherkube.runners.simulator.events import EventRecorder

BURST = 500
"""How many pods one turn makes or deletes at most (`BurstReplicas`)."""
REFUSALS_TIME = 0.2
"""Median seconds that a turn takes whose creations are refused; golden/ recordings of quota."""


class ReplicaSetController:
    """Keeps the pods of every ReplicaSet at the number its spec names."""

    resource, component = "replicasets", "replicaset-controller"

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance) -> None:
        self._api, self._clock, self._chance = api, api.clock, chance
        self._pod_control = PodControl(api, EventRecorder(api, self.component))
        self._expectations = Expectations()
        self._queue: WorkQueue[Key] = WorkQueue(api.clock, chance, self._sync)
        self._tallies: dict[str, Tally] = {}
        self._crowds: WeakValueDictionary[str, Crowds] = WeakValueDictionary()
        self._references: dict[str, list[Object]] = {}
        self._refused: dict[Key, tuple[Object, ApiError]] = {}
        """The first refusals, and the counts of then, that no status tells of yet."""
        self._sets, self._pods = informers.of(self.resource), informers.of("pods")
        self._sets_in = self._sets.index(namespace_of)
        self._pods_of = self._pods.index(controller_or_none_in)
        self._sets.on_change(self._set_changed)
        self._pods.on_change(self._pod_changed)

    # What the caches show.

    def _set_changed(self, change: Change) -> None:
        replica_set, key = change.object, change.key
        uid = replica_set["metadata"]["uid"]
        tally = self._tallies.get(uid)
        if change.type == DELETED:
            self._forget(uid, key)
        elif tally is None or tally.counts_by != counts_by(replica_set):
            self._tally(uid, replica_set)
        self._queue.add(key)

    def _tally(self, uid: str, replica_set: Object) -> None:
        """Counts the pods of a ReplicaSet that is new, or that counts differently from now on."""
        if (before := self._tallies.get(uid)) is not None:
            before.leave()
        crowds = self._crowds.setdefault(controller_uid(replica_set) or uid, Crowds())
        tally = self._tallies[uid] = Tally(replica_set, self._pods_of.get(uid, {}).values(), crowds)
        orphans = self._pods_of.get(none_in(tally.key.namespace), {})
        tally.candidates = {
            key: None for key, pod in orphans.items() if tally.matches(pod["metadata"].get("labels", {}))
        }
        self._references[uid] = [reference_to(replica_set)]

    def _forget(self, uid: str, key: Key) -> None:
        self._expectations.forget(key)
        if (tally := self._tallies.pop(uid, None)) is not None:
            tally.leave()
            del self._references[uid]

    def _pod_changed(self, change: Change) -> None:
        _, kind, _, pod, old, key = change
        metadata, owner, before = pod["metadata"], controller_of(pod), old
        if old is not None and old["metadata"].get("ownerReferences") is not metadata.get("ownerReferences"):
            before = self._before(old, owner)
        if owner is None:
            if kind != DELETED:
                self._orphan_changed(pod, old)
            return
        tally = self._tallies.get(owner["uid"])
        if tally is None:
            return
        if kind == DELETED or "deletionTimestamp" in metadata:
            if before is None or "deletionTimestamp" not in before["metadata"]:
                self._expectations.saw_deletion(tally.key, key)
                if before is not None:
                    tally.count(before, -1)
        elif before is None:
            if kind == ADDED:
                self._expectations.saw_creation(tally.key)
            tally.count(pod, 1)
        else:
            tally.follow(before, pod)
        self._queue.add(tally.key)

    def _before(self, old: Object, owner: Object | None) -> Object | None:
        """The version before as its present owner counted it; one of another owner leaves that one."""
        was_of = controller_uid(old)
        if was_of == (owner and owner["uid"]):
            return old
        if (left := self._tallies.get(was_of or "")) is not None:
            left.count(old, -1)
            self._queue.add(left.key)
        return None

    def _orphan_changed(self, pod: Object, old: Object | None) -> None:
        """Lets every ReplicaSet whose selector matches the pod have a look at it."""
        labels = pod["metadata"].get("labels", {})
        if old is not None and controller_of(old) is None and labels == old["metadata"].get("labels", {}):
            return
        for replica_set in self._sets_in.get(pod["metadata"]["namespace"], {}).values():
            tally = self._tallies[replica_set["metadata"]["uid"]]
            if tally.matches(labels):
                tally.candidates[key_of(pod)] = None
                self._queue.add(tally.key)

    # A turn.

    def _sync(self, key: Key) -> int:
        replica_set = self._sets.get(key)
        if replica_set is None:
            return 0
        now = self._clock.now
        tally = self._tallies[replica_set["metadata"]["uid"]]
        may_act = self._expectations.met(key, now) and not is_deleting(replica_set)
        adopted = self._claim(replica_set, tally)
        counts = _counts(tally, adopted, replica_set, now)
        missing: int = replica_set["spec"]["replicas"] - counts["replicas"]
        error = self._manage(replica_set, tally, adopted, missing) if may_act and missing else None
        if error is not None and condition(replica_set, "ReplicaFailure") is None:
            takes = self._chance.latency(REFUSALS_TIME, "turn")
            first = self._refused.setdefault(key, (counts, error))
            self._clock.after(takes, self._write_failure, key, *first)
        else:
            self._write_status(replica_set, counts, error)
        if error is not None:
            raise error
        if (at := tally.next_available()) is not None:
            self._queue.add_after(key, at - now)
        return missing.bit_length() if may_act and missing > 0 else 0

    def _claim(self, replica_set: Object, tally: Tally) -> list[Object]:
        """Lets go of pods that no longer match; takes on matching orphans, and returns these.

        ClaimPods. The cache shows either only later, so a pod may be met here more than once.
        """
        if not (tally.strays or tally.candidates) or is_deleting(replica_set):
            return []
        for pod in tally.strays.values():
            release(self._api, pod, replica_set["metadata"]["uid"])
        orphans = self._pods_of.get(none_in(tally.key.namespace), {})
        tally.candidates = {
            key: None
            for key in tally.candidates
            if key in orphans and tally.matches(orphans[key]["metadata"].get("labels", {}))
        }
        pods = [orphans[key] for key in tally.candidates]
        return [pod for pod in pods if is_active(pod) and adopt(self._api, pod, replica_set)]

    def _manage(
        self, replica_set: Object, tally: Tally, adopted: list[Object], missing: int
    ) -> ApiError | None:
        """Makes what is missing or deletes what is too many; the first error. manageReplicas"""
        if missing > 0:
            return self._make(replica_set, tally, min(missing, BURST))
        return self._delete(replica_set, tally, adopted, min(-missing, BURST))

    def _make(self, replica_set: Object, tally: Tally, count: int) -> ApiError | None:
        self._expectations.expect_creations(tally.key, count, self._clock.now)
        references = self._references[replica_set["metadata"]["uid"]]
        made, error = slow_start(range(count), lambda _: self._pod_control.create(replica_set, references))
        self._expectations.saw_creation(tally.key, count - made)
        return error

    def _delete(
        self, replica_set: Object, tally: Tally, adopted: list[Object], count: int
    ) -> ApiError | None:
        now = self._clock.now
        if adopted or count >= len(tally.pods):
            victims = choose([*tally.pods.values(), *adopted], count, now, tally.crowds)
        else:
            victims = tally.ranking.first(count, now, tally.crowds)
        keys = [key_of(pod) for pod in victims]
        self._expectations.expect_deletions(tally.key, keys, now)
        failed: ApiError | None = None
        for key, pod in zip(keys, victims, strict=True):
            try:
                self._pod_control.delete(replica_set, pod)
            except ApiError as error:
                self._expectations.saw_deletion(tally.key, key)
                if error.code != 404 and failed is None:
                    failed = error
        return failed

    def _write_status(self, replica_set: Object, counts: Object, error: ApiError | None) -> None:
        """Writes the counts from before this turn's creations and deletions. updateReplicaSetStatus

        Upstream's update is tried again on the newest version after a conflict, so it always gets through.
        """
        status = {**counts, "observedGeneration": replica_set["metadata"]["generation"]}
        if error is not None:
            status["conditions"] = self._failure(replica_set, counts["replicas"], error)
        if status != replica_set.get("status", {}):
            self._api.put_status(self.resource, replica_set, status, check=False)

    def _write_failure(self, key: Key, counts: Object, error: ApiError) -> None:
        """Writes the first failure, when its requests have been answered."""
        self._refused.pop(key, None)
        stored = self._api.store.get(self.resource, key)
        if stored is not None and condition(stored, "ReplicaFailure") is None:
            self._write_status(stored, counts, error)

    def _failure(self, replica_set: Object, active: int, error: ApiError) -> list[Object]:
        """The conditions: ReplicaFailure as long as turns fail. calculateStatus"""
        present = condition(replica_set, "ReplicaFailure")
        if present is not None:
            return [present]
        failed = "FailedCreate" if active < replica_set["spec"]["replicas"] else "FailedDelete"
        return [
            {
                "type": "ReplicaFailure",
                "status": "True",
                "lastTransitionTime": self._clock.timestamp(),
                "reason": failed,
                "message": error.message,
            }
        ]


def _counts(tally: Tally, adopted: list[Object], replica_set: Object, now: float) -> Object:
    """What the status says of the pods; zeros are left out, but for `replicas`."""
    active, labeled, ready = len(tally.pods), tally.fully_labeled, tally.ready
    available = tally.available(now)
    if adopted:
        new = Tally(replica_set, adopted)
        active, labeled, ready = active + len(new.pods), labeled + new.fully_labeled, ready + new.ready
        available += new.available(now)
    counts: Object = {"replicas": active}
    if labeled:
        counts["fullyLabeledReplicas"] = labeled
    if ready:
        counts["readyReplicas"] = ready
    if available:
        counts["availableReplicas"] = available
    return counts
