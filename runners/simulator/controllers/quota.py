"""The resource quota controller: counts what is used when a quota comes or changes, and when something goes.

pkg/controller/resourcequota/resource_quota_controller.go, replenishment
"""

from __future__ import annotations

from gherkube.runners.history import DELETED, Change
from gherkube.runners.objects import ENDED, Key
from gherkube.runners.simulator.api.quota import QUOTAS, Usage, status_of, total
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.controllers.runtime import Informer, Informers, WorkQueue

COUNTS = (
    *("pods", "services", "configmaps", "secrets", "deployments", "replicasets", "persistentvolumeclaims"),
    QUOTAS,
)
"""What is watched for objects that go, beside what a quota counts by its full name."""
COUNT = "count/"


class QuotaController:
    """Keeps the status of quotas."""

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance) -> None:
        self._api = api
        self._queue: WorkQueue[Key] = WorkQueue(api.clock, chance, self._sync)
        self._quotas = informers.of(QUOTAS)
        self._quotas.on_change(self._quota_changed)
        self._informers = informers
        self._counted: dict[str, Informer] = {}

    def _quota_changed(self, change: Change) -> None:
        counted = {each.removeprefix(COUNT) for each in change.object["spec"].get("hard", ())}
        for resource in self._api.resources:  # with the first quota: most clusters have none
            if resource.name in COUNTS or resource.qualified in counted:
                self._follow(resource.name)
        if change.type != DELETED and change.object["status"].get("hard") != change.object["spec"].get(
            "hard"
        ):
            self._queue.add(change.key)

    def _follow(self, resource: str) -> None:
        if resource not in self._counted:
            informer = self._counted[resource] = self._informers.of(resource)
            informer.on_change(self._object_changed)

    def _object_changed(self, change: Change) -> None:
        """Room appears when something is gone, or a pod has ended."""
        if change.type != DELETED and not _has_just_ended(change):
            return
        namespace = change.object["metadata"].get("namespace")
        for key in self._quotas.objects:
            if key.namespace == namespace:
                self._queue.add(key)

    def _sync(self, key: Key) -> None:
        quota = self._api.store.get(QUOTAS, key)
        if quota is None:
            return
        used: Usage = {}
        for resource, informer in self._counted.items():
            there = [obj for at, obj in informer.objects.items() if at.namespace == key.namespace]
            used |= total(self._api.resources[resource], there, quota)
        self._api.put_status(QUOTAS, quota, status_of(quota, used), check=False)


def _has_just_ended(change: Change) -> bool:
    if change.resource != "pods" or change.old is None:
        return False
    return change.object["status"].get("phase") in ENDED and change.old["status"].get("phase") not in ENDED
