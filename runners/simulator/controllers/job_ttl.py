"""Deletes Jobs some time after they have ended, where they say after how long.

pkg/controller/ttlafterfinished/ttlafterfinished_controller.go
"""

from __future__ import annotations

from gherkube.runners.history import DELETED, Change
from gherkube.runners.objects import Key, Object, condition, is_deleting
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.controllers.job import LAST, is_finished
from gherkube.runners.simulator.controllers.job_pods import seconds
from gherkube.runners.simulator.controllers.runtime import Informers, WorkQueue


class JobTtlController:
    """Looks at every Job that has ended and has a `ttlSecondsAfterFinished`."""

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance) -> None:
        self._api = api
        self._queue: WorkQueue[Key] = WorkQueue(api.clock, chance, self._sync)
        informers.of("jobs").on_change(self._job_changed)

    def _job_changed(self, change: Change) -> None:
        if change.type != DELETED and "ttlSecondsAfterFinished" in change.object["spec"]:
            self._queue.add(change.key)

    def _sync(self, key: Key) -> None:
        job = self._api.store.get("jobs", key)
        if job is None or is_deleting(job) or not is_finished(job):
            return
        left = _ended_at(job) + job["spec"]["ttlSecondsAfterFinished"] - self._now()
        if left > 0:
            self._queue.add_after(key, left)
        else:
            uid = job["metadata"]["uid"]
            self._api.delete("jobs", key.name, key.namespace, propagation="Foreground", uid=uid)

    def _now(self) -> float:
        return seconds(self._api.clock.timestamp()) + self._api.clock.now % 1


def _ended_at(job: Object) -> float:
    """jobFinishTime"""
    found = (condition(job, type_) for type_ in LAST.values())
    return max(seconds(each["lastTransitionTime"]) for each in found if each is not None)
