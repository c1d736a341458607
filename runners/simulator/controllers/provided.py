"""What a cluster has without being asked: in each namespace an account for pods, and the service through
which pods reach the API.

pkg/controller/serviceaccount/serviceaccounts_controller.go, pkg/controlplane/controller/kubernetesservice
"""

from __future__ import annotations

from gherkube.runners.history import DELETED, Change
from gherkube.runners.objects import Key, Object, is_deleting
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.controllers.runtime import Informers, WorkQueue

ACCOUNTS, ACCOUNT = "serviceaccounts", "default"
SERVICE: Object = {
    "metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
    "spec": {
        "type": "ClusterIP",
        "clusterIP": "10.96.0.1",
        "ports": [{"name": "https", "protocol": "TCP", "port": 443, "targetPort": 6443}],
        "sessionAffinity": "None",
    },
}


class ProvidedController:
    """Gives each namespace its account, and gives it again when it was deleted."""

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance) -> None:
        self._api = api
        self._queue: WorkQueue[str] = WorkQueue(api.clock, chance, self._sync)
        namespaces = informers.of("namespaces")
        namespaces.on_change(self._namespace_changed)
        informers.of(ACCOUNTS).on_change(self._account_changed)
        for key in namespaces.objects:
            self._queue.add(key.name)
        api.create({"apiVersion": "v1", "kind": "Service", **SERVICE}, namespace="default")

    def _namespace_changed(self, change: Change) -> None:
        if change.type != DELETED:
            self._queue.add(change.object["metadata"]["name"])

    def _account_changed(self, change: Change) -> None:
        key = change.key
        if change.type == DELETED and key.name == ACCOUNT:
            self._queue.add(key.namespace)

    def _sync(self, name: str) -> None:
        namespace = self._api.store.get("namespaces", Key("", name))
        gone = namespace is None or is_deleting(namespace)
        if not gone and self._api.store.get(ACCOUNTS, Key(name, ACCOUNT)) is None:
            self._api.create_trusted(ACCOUNTS, {"metadata": {"name": ACCOUNT, "namespace": name}})
