"""The StatefulSet controller: pods with ordinals, made upwards, replaced and taken away downwards.

A pass over a set is pure until it acts: it looks at the pods that the cache shows, does the first thing
that is to be done (all of them where pod management is Parallel), and writes the status that it saw.
pkg/controller/statefulset/{stateful_set.go,stateful_set_control.go,stateful_set_utils.go}
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from gherkube.runners.errors import ApiError
from gherkube.runners.history import DELETED, Change
from gherkube.runners.objects import (
    ENDED,
    Key,
    Object,
    controller_of,
    is_deleting,
    is_ready,
    key_of,
)
from gherkube.runners.selectors import from_label_selector
from gherkube.runners.simulator.api.names import safe_encode
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.controllers.availability import Availability
from gherkube.runners.simulator.controllers.history import RevisionHistory, template_of
from gherkube.runners.simulator.controllers.ownership import (
    adopt,
    controller_or_none_in,
    none_in,
    reference_to,
    release,
)
from gherkube.runners.simulator.controllers.pod_control import slow_start
from gherkube.runners.simulator.controllers.runtime import Informers, WorkQueue
from gherkube.runners.simulator.controllers.statefulset_claims import SetClaims, with_claims
from gherkube.runners.simulator.events import EventRecorder

HASH, POD_NAME = "controller-revision-hash", "statefulset.kubernetes.io/pod-name"
INDEX = "apps.kubernetes.io/pod-index"


@dataclass
class Pass:
    """One look at a set: its pods by ordinal, its revisions, and the status that comes of it."""

    owner: Object
    pods: dict[int, Object]
    current: Object
    update: Object
    status: Object = field(default_factory=dict)

    @property
    def start(self) -> int:
        """The lowest ordinal."""
        return int(self.owner["spec"].get("ordinals", {}).get("start", 0))

    @property
    def end(self) -> int:
        """One more than the highest ordinal."""
        return self.start + int(self.owner["spec"]["replicas"])

    @property
    def is_parallel(self) -> bool:
        """Whether pods need not wait for each other to come and go."""
        return bool(self.owner["spec"]["podManagementPolicy"] == "Parallel")

    @property
    def partition(self) -> int:
        """The lowest ordinal that is updated. getStatefulSetPartition"""
        return int(self.owner["spec"]["updateStrategy"].get("rollingUpdate", {}).get("partition", 0))


class StatefulSetController:
    """Keeps the pods of every StatefulSet."""

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance) -> None:
        self._api = api
        self._events = EventRecorder(api, "statefulset-controller")
        self._claims = SetClaims(api, self._events)
        self._queue: WorkQueue[Key] = WorkQueue(api.clock, chance, self._sync)
        self._informers = informers
        self._sets = informers.of("statefulsets")
        self._sets.on_change(self._set_changed)
        self._follows_pods = False

    def _set_changed(self, change: Change) -> None:
        if not self._follows_pods:  # with the first set: most clusters have none
            self._follows_pods = True
            self._history = RevisionHistory(self._api, self._informers)
            self._pods = self._informers.of("pods")
            self._pods_of = self._pods.index(controller_or_none_in)
            self._pods.on_change(self._pod_changed)
        self._queue.add(change.key)

    def _pod_changed(self, change: Change) -> None:
        namespace = change.object["metadata"]["namespace"]
        for pod in (change.object, change.old):
            owner = controller_of(pod) if pod is not None else None
            if owner is not None and owner["kind"] == "StatefulSet":
                self._queue.add(Key(namespace, owner["name"]))
        if controller_of(change.object) is None and change.type != DELETED:
            for key, owner in self._sets.objects.items():
                if key.namespace == namespace and _fits(owner, change.object):
                    self._queue.add(key)

    def _sync(self, key: Key) -> None:
        owner = self._sets.get(key)
        if owner is None:
            return
        if not is_deleting(owner):
            self._history.adopt(owner)
        pods = self._claimed(owner)
        looked = self._look(owner, pods)
        try:
            if not is_deleting(owner):
                self._act(looked)
        finally:
            self._write(looked)
        used = {looked.current["metadata"]["name"], looked.update["metadata"]["name"]}
        self._history.truncate(owner, used | {_revision(pod) for pod in pods})
        self._look_again(key, looked)

    def _claimed(self, owner: Object) -> list[Object]:
        """The set's pods: its own, those that it adopts, without those that it lets go. claimPods"""
        namespace, uid = owner["metadata"]["namespace"], owner["metadata"]["uid"]
        claimed = []
        for pod in list(self._pods_of.get(uid, {}).values()):
            if _fits(owner, pod):
                claimed.append(pod)
            elif not is_deleting(owner):
                release(self._api, pod, uid)
        for pod in list(self._pods_of.get(none_in(namespace), {}).values()):
            wanted = _fits(owner, pod) and not is_deleting(pod) and not is_deleting(owner)
            if wanted and adopt(self._api, pod, owner):
                claimed.append(pod)
        return claimed

    def _look(self, owner: Object, pods: list[Object]) -> Pass:
        """The revisions and the status of the pods that are there. getStatefulSetRevisions, updateStatus"""
        update = self._settled_revision(owner)
        before = owner.get("status", {})
        current = next(
            (
                each
                for each in self._history.of(owner)
                if each["metadata"]["name"] == before.get("currentRevision")
            ),
            update,
        )
        by_ordinal = {ordinal(pod): pod for pod in pods}
        names = [each["metadata"]["name"] for each in (current, update)]
        ready = [pod for pod in pods if pod["status"].get("phase") == "Running" and is_ready(pod)]
        counts = {
            "replicas": len(pods),
            "readyReplicas": len(ready),
            "availableReplicas": sum(map(Availability(owner, self._api.clock), ready)),
            "currentReplicas": _count(pods, names[0]),
            "updatedReplicas": _count(pods, names[1]),
        }
        status = {
            "observedGeneration": owner["metadata"]["generation"],
            **counts,
            "currentRevision": names[0],
            "updateRevision": names[1],
            "collisionCount": before.get("collisionCount", 0),
        }
        return Pass(owner, by_ordinal, current, update, status)

    def _settled_revision(self, owner: Object) -> Object:
        metadata, template = owner["metadata"], owner["spec"]["template"]
        text = json.dumps({"spec": {"template": {**template, "$patch": "replace"}}}, sort_keys=True)
        hash_ = safe_encode(_fnv(text + str(owner.get("status", {}).get("collisionCount", 0))))
        labels = {**template["metadata"].get("labels", {}), "controller.kubernetes.io/hash": hash_}
        return self._history.settle(
            owner, f"{metadata['name']}-{hash_}", labels, metadata.get("annotations", {})
        )

    # What is done: updateStatefulSet.

    def _act(self, looked: Pass) -> None:
        if self._fill(looked):
            return
        if self._condemn(looked) and not looked.is_parallel:
            return
        if looked.owner["spec"]["updateStrategy"]["type"] != "OnDelete":
            self._update(looked)

    def _fill(self, looked: Pass) -> bool:
        """Makes the pods that are missing, upwards; whether the pass ends here. runForAll"""
        ordinals = range(looked.start, looked.end)
        if not looked.is_parallel:
            return any(self._fill_one(looked, at) for at in ordinals)
        _, failed = slow_start(ordinals, lambda at: self._fill_one(looked, at))
        if failed is not None:
            raise failed
        return False

    def _fill_one(self, looked: Pass, at: int) -> bool:
        """Makes a missing pod, deletes one that has ended; whether others wait for it. processReplica"""
        pod = looked.pods.get(at)
        if pod is None:
            self._create(looked, at)
        elif pod["status"].get("phase") in ENDED and not is_deleting(pod):
            self._delete(looked.owner, pod)
        elif not is_deleting(pod) and self._is_up(looked.owner, pod):
            if self._claims.own(looked.owner, pod, condemned=False):
                self._tell_update(looked.owner, pod)
            return False
        return True

    def _is_up(self, owner: Object, pod: Object) -> bool:
        return pod["status"].get("phase") == "Running" and Availability(owner, self._api.clock)(pod)

    def _condemn(self, looked: Pass) -> bool:
        """Takes away pods beyond the last ordinal, downwards; whether the pass ends here. processCondemned"""
        beyond = sorted(at for at in looked.pods if not looked.start <= at < looked.end)
        unhealthy = [at for at in sorted(looked.pods) if not self._is_healthy(looked.pods[at])]
        for at in reversed(beyond):
            self._claims.own(looked.owner, looked.pods[at], condemned=True)
        for at in reversed(beyond):
            pod = looked.pods[at]
            if is_deleting(pod):
                if not looked.is_parallel:
                    return True
                continue
            is_first = unhealthy[:1] == [at]
            if not looked.is_parallel and not is_first and not self._is_up(looked.owner, pod):
                return True
            self._delete(looked.owner, pod)
            self._let_go(looked, pod)
            if not looked.is_parallel:
                return True
        return bool(beyond)

    @staticmethod
    def _is_healthy(pod: Object) -> bool:
        return pod["status"].get("phase") == "Running" and is_ready(pod) and not is_deleting(pod)

    def _update(self, looked: Pass) -> None:
        """Deletes the highest pod that is of an older revision; waits for one that is not up."""
        wanted = looked.update["metadata"]["name"]
        for at in range(looked.end - 1, max(looked.start + looked.partition, looked.start) - 1, -1):
            pod = looked.pods.get(at)
            if pod is None:
                return
            if _revision(pod) != wanted and not is_deleting(pod):
                self._delete(looked.owner, pod)
                self._let_go(looked, pod)
                return
            if is_deleting(pod) or not self._is_up(looked.owner, pod):
                return

    @staticmethod
    def _let_go(looked: Pass, pod: Object) -> None:
        if _revision(pod) == looked.status["currentRevision"]:
            looked.status["currentReplicas"] -= 1

    def _create(self, looked: Pass, at: int) -> None:
        """newVersionedStatefulSetPod, stateful_pod_control.go CreateStatefulPod"""
        owner = looked.owner
        metadata, spec = owner["metadata"], owner["spec"]
        name = f"{metadata['name']}-{at}"
        revision = looked.current if self._is_of_current(looked, at) else looked.update
        template = template_of(revision)
        labels = {
            **template["metadata"].get("labels", {}),
            INDEX: str(at),
            HASH: revision["metadata"]["name"],
            POD_NAME: name,
        }
        annotations = template["metadata"].get("annotations")
        pod = {
            "metadata": {
                "name": name,
                "generateName": f"{metadata['name']}-",
                "namespace": metadata["namespace"],
                "labels": labels,
                **({"annotations": annotations} if annotations else {}),
                "ownerReferences": [reference_to(owner)],
            },
            "spec": with_claims(
                owner,
                name,
                {**template["spec"], "hostname": name, "subdomain": spec.get("serviceName", "")},
            ),
        }
        if not pod["spec"]["subdomain"]:
            del pod["spec"]["subdomain"]
        try:
            self._claims.make(owner, name)
            made = self._api.create_trusted("pods", pod)
        except ApiError as error:
            said = f"create Pod {name} in StatefulSet {metadata['name']} failed error: {error.message}"
            if error.reason != "AlreadyExists":
                self._events.record("StatefulSet", owner, "Warning", "FailedCreate", said)
            raise
        self._claims.own(owner, made, condemned=False)
        said = f"create Pod {name} in StatefulSet {metadata['name']} successful"
        self._events.record("StatefulSet", owner, "Normal", "SuccessfulCreate", said)

    @staticmethod
    def _is_of_current(looked: Pass, at: int) -> bool:
        """Whether a new pod of that ordinal is of the revision that is being left."""
        strategy = looked.owner["spec"]["updateStrategy"]
        if strategy["type"] == "RollingUpdate" and "rollingUpdate" not in strategy:
            return bool(at < looked.start + looked.owner.get("status", {}).get("currentReplicas", 0))
        return bool(strategy["type"] == "RollingUpdate" and at < looked.start + looked.partition)

    def _delete(self, owner: Object, pod: Object) -> None:
        name, of = pod["metadata"]["name"], owner["metadata"]["name"]
        self._api.delete("pods", name, pod["metadata"]["namespace"])
        said = f"delete Pod {name} in StatefulSet {of} successful"
        self._events.record("StatefulSet", owner, "Normal", "SuccessfulDelete", said)

    def _tell_update(self, owner: Object, pod: Object) -> None:
        said = f"update Pod {pod['metadata']['name']} in StatefulSet {owner['metadata']['name']} successful"
        self._events.record("StatefulSet", owner, "Normal", "SuccessfulUpdate", said)

    # What is written.

    def _write(self, looked: Pass) -> None:
        """updateStatefulSetStatus, completeRollingUpdate"""
        status, spec = looked.status, looked.owner["spec"]
        whole = status["updatedReplicas"] == status["readyReplicas"] == spec["replicas"]
        if spec["updateStrategy"]["type"] == "RollingUpdate" and whole:
            status["currentReplicas"] = status["updatedReplicas"]
            status["currentRevision"] = status["updateRevision"]
        kept = ("replicas", "availableReplicas", "collisionCount")
        written = {name: value for name, value in status.items() if value or name in kept}
        stored = self._api.store.get("statefulsets", key_of(looked.owner))
        if stored is not None and stored["metadata"]["uid"] == looked.owner["metadata"]["uid"]:
            self._api.put_status("statefulsets", stored, written, check=False)

    def _look_again(self, key: Key, looked: Pass) -> None:
        """Comes back when the next ready pod will have been ready for long enough."""
        due = map(Availability(looked.owner, self._api.clock).due_in, looked.pods.values())
        if left := [seconds for seconds in due if seconds]:
            self._queue.add_after(key, min(left))


def ordinal(pod: Object) -> int:
    """The number at the end of a pod's name."""
    return int(pod["metadata"]["name"].rpartition("-")[2])


def _fits(owner: Object, pod: Object) -> bool:
    """Whether a pod is one of the set's by its labels and its name. isMemberOf"""
    parent, _, number = pod["metadata"]["name"].rpartition("-")
    if parent != owner["metadata"]["name"] or not number.isdecimal():
        return False
    return from_label_selector(owner["spec"]["selector"])(pod["metadata"].get("labels", {}))


def _revision(pod: Object) -> str:
    return str(pod["metadata"].get("labels", {}).get(HASH, ""))


def _count(pods: list[Object], revision: str) -> int:
    return sum(_revision(pod) == revision and not is_deleting(pod) for pod in pods)


def _fnv(text: str) -> int:
    """FNV-1, 32 bits. history/controller_history.go HashControllerRevision"""
    value = 0x811C9DC5
    for byte in text.encode():
        value = (value * 0x01000193 & 0xFFFFFFFF) ^ byte
    return value
