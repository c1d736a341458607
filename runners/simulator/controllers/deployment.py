"""The Deployment controller: rolls ReplicaSets from one pod template to the next.

pkg/controller/deployment/deployment_controller.go
"""

from __future__ import annotations

from collections.abc import Iterator

from gherkube.runners.history import DELETED, Change
from gherkube.runners.objects import ENDED, Key, Object, controller_of, is_deleting, key_of
from gherkube.runners.selectors import LabelTest, from_label_selector
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.controllers import deployment_scaling as scaling
from gherkube.runners.simulator.controllers.deployment_revisions import asks_for_rollback, find_and_note
from gherkube.runners.simulator.controllers.deployment_rollback import roll_back
from gherkube.runners.simulator.controllers.deployment_rolling import recreate, roll
from gherkube.runners.simulator.controllers.deployment_status import check_paused, sync_status
from gherkube.runners.simulator.controllers.deployment_templates import Templates
from gherkube.runners.simulator.controllers.deployment_turn import Tools, Turn
from gherkube.runners.simulator.controllers.ownership import (
    adopt,
    controller_or_none_in,
    controller_uid,
    namespace_of,
    none_in,
    release,
)
from gherkube.runners.simulator.controllers.runtime import Informers, WorkQueue
from gherkube.runners.simulator.events import EventRecorder

RETRIES = 15
"""How often a turn that failed is taken again."""


class DeploymentController:
    """Brings the ReplicaSets of every Deployment to what its spec asks for."""

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance) -> None:
        self._api = api
        self._queue: WorkQueue[Key] = WorkQueue(api.clock, chance, self._sync, retries=RETRIES)
        self._deployments, self._sets = informers.of("deployments"), informers.of("replicasets")
        pods = informers.of("pods")
        recorder = EventRecorder(api, "deployment-controller")
        self._selectors: dict[str, LabelTest] = {}
        self._tools = Tools(api, recorder, Templates(), self._sets.get)
        self._in_namespace = self._deployments.index(namespace_of)
        self._sets_of = self._sets.index(controller_or_none_in)
        self._pods_of = pods.index(controller_or_none_in)
        self._deployments.on_change(self._deployment_changed)
        self._sets.on_change(self._set_changed)
        pods.on_change(self._pod_deleted, (DELETED,))

    # What the caches show.

    def _deployment_changed(self, change: Change) -> None:
        if change.type == DELETED:
            self._tools.templates.forget(change.object)
            self._selectors.pop(change.object["metadata"]["uid"], None)
        self._queue.add(change.key)

    def _set_changed(self, change: Change) -> None:
        new, old = change.object, change.old
        owner = former = controller_uid(new)
        references = new["metadata"].get("ownerReferences")
        if old is None or old["metadata"].get("ownerReferences") is not references:
            former = controller_uid(old) if old is not None else None
        if former is not None and former != owner:
            self._enqueue_owner(old)
        if change.type == DELETED:
            self._tools.templates.forget(new)
        if owner is not None:
            self._enqueue_owner(new)
        elif change.type != DELETED and (
            old is None
            or former is not None
            or old["metadata"].get("labels") != new["metadata"].get("labels")
        ):
            for deployment in self._in_namespace.get(new["metadata"]["namespace"], {}).values():
                if _selects(deployment, new):
                    self._queue.add(key_of(deployment))

    def _pod_deleted(self, change: Change) -> None:
        """Lets a Deployment that recreates go on when its last pod has gone. deletePod"""
        if controller_uid(change.object) in self._pods_of:
            return
        replica_set = self._owner(self._sets.objects, change.object)
        deployment = self._owner(self._deployments.objects, replica_set)
        if (
            deployment is not None
            and deployment["spec"]["strategy"]["type"] == "Recreate"
            and not any(each["metadata"]["uid"] in self._pods_of for each in self._owned(deployment))
        ):
            self._queue.add(key_of(deployment))

    def _enqueue_owner(self, replica_set: Object | None) -> None:
        deployment = self._owner(self._deployments.objects, replica_set)
        if deployment is not None:
            self._queue.add(key_of(deployment))

    @staticmethod
    def _owner(owners: dict[Key, Object], obj: Object | None) -> Object | None:
        """The controller of an object among those that the cache shows. resolveControllerRef"""
        reference = controller_of(obj) if obj is not None else None
        if obj is None or reference is None:
            return None
        owner = owners.get(tuple.__new__(Key, (obj["metadata"]["namespace"], reference["name"])))
        return owner if owner is not None and owner["metadata"]["uid"] == reference["uid"] else None

    def _owned(self, deployment: Object) -> list[Object]:
        return list(self._sets_of.get(deployment["metadata"]["uid"], {}).values())

    # A turn.

    def _sync(self, key: Key) -> None:
        """syncDeployment"""
        deployment = self._deployments.get(key)
        if deployment is None:
            return
        turn = Turn(self._tools, deployment, self._claim(deployment))
        if deployment["spec"]["selector"] == {}:
            self._refuse_to_select_all(turn)
        elif is_deleting(deployment):
            new, old = find_and_note(turn)
            sync_status(turn, new, scaling.with_new(old, new))
        else:
            self._reconcile(turn, key)

    def _reconcile(self, turn: Turn, key: Key) -> None:
        check_paused(turn)
        if turn.spec.get("paused"):
            scaling.sync(turn)
        elif asks_for_rollback(turn):
            roll_back(turn)
        elif scaling.is_scaling(turn):
            scaling.sync(turn)
        elif turn.is_rolling:
            roll(turn, lambda delay: self._look_again(key, delay))
        else:
            recreate(
                turn,
                lambda delay: self._look_again(key, delay),
                lambda new: any(self._running(turn.replica_sets, new)),
            )

    def _look_again(self, key: Key, delay: float) -> None:
        self._queue.add_after(key, delay, retry=True)

    def _running(self, replica_sets: list[Object], new: Object | None) -> Iterator[Object]:
        """The pods of the ReplicaSets, but for the new one, that have not ended. oldPodsRunning"""
        for each in replica_sets:
            if new is None or each["metadata"]["uid"] != new["metadata"]["uid"]:
                for pod in self._pods_of.get(each["metadata"]["uid"], {}).values():
                    if pod["status"].get("phase") not in ENDED:
                        yield pod

    def _claim(self, deployment: Object) -> list[Object]:
        """The Deployment's ReplicaSets: releases those that no longer match, adopts orphans that do.

        ClaimReplicaSets
        """
        metadata = deployment["metadata"]
        matches = self._selector(deployment)
        claimed = []
        for each in self._owned(deployment):
            if matches(each["metadata"].get("labels", {})):
                claimed.append(each)
            elif not is_deleting(deployment):
                release(self._api, each, metadata["uid"])
        orphans = self._sets_of.get(none_in(metadata["namespace"]))
        if orphans and not is_deleting(deployment):
            claimed += [
                each
                for each in list(orphans.values())
                if not is_deleting(each)
                and matches(each["metadata"].get("labels", {}))
                and adopt(self._api, each, deployment)
            ]
        return claimed

    def _selector(self, deployment: Object) -> LabelTest:
        """The test that its selector, which cannot change, comes to."""
        uid = deployment["metadata"]["uid"]
        test = self._selectors.get(uid)
        if test is None:
            test = self._selectors[uid] = from_label_selector(deployment["spec"]["selector"])
        return test

    @staticmethod
    def _refuse_to_select_all(turn: Turn) -> None:
        message = "This deployment is selecting all pods. A non-empty selector is required."
        turn.tell("SelectingAll", message, "Warning")
        generation = turn.deployment["metadata"]["generation"]
        if turn.status.get("observedGeneration", 0) < generation:
            turn.status = {**turn.status, "observedGeneration": generation}
            turn.save()


def _selects(deployment: Object, replica_set: Object) -> bool:
    matches = from_label_selector(deployment["spec"]["selector"])
    return matches(replica_set["metadata"].get("labels", {}))
