"""What a cluster has without being asked: in each namespace an account for pods and the certificate of the
API, and the service through which pods reach it.

pkg/controller/serviceaccount/serviceaccounts_controller.go, pkg/controller/certificates/rootcacertpublisher,
pkg/controlplane/controller/kubernetesservice
"""

from __future__ import annotations

from gherkube.runners.history import DELETED, Change
from gherkube.runners.objects import Key, Object, is_deleting
from gherkube.runners.simulator.api.pods import ROOT_CERTIFICATES
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.controllers.runtime import Informers, WorkQueue

ACCOUNTS, ACCOUNT = "serviceaccounts", "default"
CONFIG_MAPS = "configmaps"
DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such "
    "as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across "
    "distributions of Kubernetes clusters."
)
CERTIFICATE = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"
GIVEN: dict[str, tuple[str, Object]] = {
    ACCOUNTS: (ACCOUNT, {}),
    CONFIG_MAPS: (ROOT_CERTIFICATES, {"data": {"ca.crt": CERTIFICATE}}),
}
"""By resource, what each namespace has of it: its name, and what it holds."""
NOTES = {CONFIG_MAPS: {"annotations": {"kubernetes.io/description": DESCRIPTION}}}
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
    """Gives each namespace what it has, and gives it again when it was deleted."""

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance) -> None:
        self._api = api
        self._queue: WorkQueue[str] = WorkQueue(api.clock, chance, self._sync)
        namespaces = informers.of("namespaces")
        namespaces.on_change(self._namespace_changed)
        for resource in GIVEN:
            informers.of(resource).on_change(self._given_changed)
        for key in namespaces.objects:
            self._queue.add(key.name)
        api.create({"apiVersion": "v1", "kind": "Service", **SERVICE}, namespace="default")

    def _namespace_changed(self, change: Change) -> None:
        if change.type != DELETED:
            self._queue.add(change.object["metadata"]["name"])

    def _given_changed(self, change: Change) -> None:
        key = change.key
        if change.type == DELETED and key.name == GIVEN[change.resource][0]:
            self._queue.add(key.namespace)

    def _sync(self, name: str) -> None:
        namespace = self._api.store.get("namespaces", Key("", name))
        gone = namespace is None or is_deleting(namespace)
        for resource, (given, holds) in GIVEN.items() if not gone else ():
            if self._api.store.get(resource, Key(name, given)) is None:
                metadata = {"name": given, "namespace": name, **NOTES.get(resource, {})}
                self._api.create_trusted(resource, {"metadata": metadata, **holds})
