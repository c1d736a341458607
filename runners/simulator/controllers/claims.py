"""Claims of volumes: each gets a volume of its own at once, and stays while a pod uses it.

There is one storage class, `standard`, as kind has it.
pkg/controller/volume/persistentvolume/pv_controller.go, pvcprotection/pvc_protection_controller.go
"""

from __future__ import annotations

from gherkube.runners.history import DELETED, Change
from gherkube.runners.objects import ENDED, Key, Object, is_deleting
from gherkube.runners.simulator.api.claims import CLAIMS, CLASS, PROTECTION, VOLUMES, claims_of, is_bound
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.controllers.runtime import Informers, WorkQueue
from gherkube.runners.simulator.events import EventRecorder, EventType

PROVISIONER = "kubernetes.io/host-path"
ASKED = {
    "volume.beta.kubernetes.io/storage-provisioner": PROVISIONER,
    "volume.kubernetes.io/storage-provisioner": PROVISIONER,
}
BOUND = {"pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes"}
"""Annotations of a claim: who makes its volume, and that it has one."""
RESYNC = 15.0
"""Seconds until a claim that gets no volume is looked at again. DefaultSyncPeriod of the binder"""


class ClaimController:
    """Gives claims their volumes."""

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance) -> None:
        self._api = api
        self._events = EventRecorder(api, "persistentvolume-controller")
        self._queue: WorkQueue[Key] = WorkQueue(api.clock, chance, self._sync)
        self._informers = informers
        self._claims = informers.of(CLAIMS)
        self._claims.on_change(self._claim_changed)
        self._follows_pods = False

    def _claim_changed(self, change: Change) -> None:
        if not self._follows_pods:  # with the first claim: most clusters have none
            self._follows_pods = True
            self._pods = self._informers.of("pods")
            self._pods.on_change(self._pod_changed)
        if change.type != DELETED:
            self._queue.add(change.key)
        elif (volume := change.object["spec"].get("volumeName")) and self._api.store.get(
            VOLUMES, Key("", volume)
        ):
            self._api.delete(VOLUMES, volume)

    def _pod_changed(self, change: Change) -> None:
        if change.type == DELETED or change.object["status"].get("phase") in ENDED:
            for claim in claims_of(change.object):
                self._queue.add(claim)

    def _sync(self, key: Key) -> None:
        claim = self._api.store.get(CLAIMS, key)
        if claim is None:
            return
        if is_deleting(claim):
            self._release(key, claim)
        elif claim["status"].get("phase") == "Bound":
            return
        elif is_bound(claim):
            status = {"phase": "Bound", "accessModes": claim["spec"]["accessModes"]}
            status["capacity"] = claim["spec"]["resources"]["requests"]
            self._api.put_status(CLAIMS, claim, status, check=False)
        elif (name := claim["spec"].get("storageClassName", "")) == CLASS:
            self._provide(claim)
        else:
            self._complain(key, claim, name)

    def _provide(self, claim: Object) -> None:
        """provisionClaim, then bind; each step is a turn of its own."""
        annotations = claim["metadata"].get("annotations", {})
        if not annotations.keys() >= ASKED.keys():
            self._annotate(claim, ASKED)
            return
        name = f"pvc-{claim['metadata']['uid']}"
        if self._api.store.get(VOLUMES, Key("", name)) is None:
            self._api.create_trusted(VOLUMES, _volume_for(claim, name))
            said = f"Successfully provisioned volume {name} using {PROVISIONER}"
            self._tell(claim, "Normal", "ProvisioningSucceeded", said)
        self._annotate(claim, BOUND, volumeName=name)

    def _annotate(self, claim: Object, annotations: dict[str, str], **spec: str) -> None:
        metadata = claim["metadata"]
        noted = {**metadata, "annotations": {**metadata.get("annotations", {}), **annotations}}
        self._api.replace_trusted(CLAIMS, {**claim, "metadata": noted, "spec": {**claim["spec"], **spec}})

    def _complain(self, key: Key, claim: Object, name: str) -> None:
        """Says why there is no volume, again and again. syncUnboundClaim, provisionClaimOperation"""
        if name:
            said = f'storageclass.storage.k8s.io "{name}" not found'
            self._tell(claim, "Warning", "ProvisioningFailed", said)
        else:
            said = "no persistent volumes available for this claim and no storage class is set"
            self._tell(claim, "Normal", "FailedBinding", said)
        self._queue.add_after(key, RESYNC, retry=True)

    def _release(self, key: Key, claim: Object) -> None:
        """Lets a claim go that no pod on a node uses any more. pvcprotection processPVC"""
        used = any(
            key in claims_of(pod) and pod["spec"].get("nodeName") for pod in self._api.store.all("pods")
        )
        if not used and PROTECTION in claim["metadata"].get("finalizers", ()):
            self._api.remove_finalizer(CLAIMS, key, PROTECTION)

    def _tell(self, claim: Object, type_: EventType, reason: str, message: str) -> None:
        self._events.record("PersistentVolumeClaim", claim, type_, reason, message)


def _volume_for(claim: Object, name: str) -> Object:
    metadata, spec = claim["metadata"], claim["spec"]
    return {
        "metadata": {
            "name": name,
            "annotations": {
                "kubernetes.io/createdby": "hostpath-dynamic-provisioner",
                "pv.kubernetes.io/bound-by-controller": "yes",
                "pv.kubernetes.io/provisioned-by": PROVISIONER,
            },
        },
        "spec": {
            "capacity": spec["resources"]["requests"],
            "hostPath": {"path": f"/tmp/hostpath_pv/{metadata['uid']}", "type": ""},
            "accessModes": spec["accessModes"],
            "claimRef": {
                "kind": claim["kind"],
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
                "apiVersion": claim["apiVersion"],
                "resourceVersion": metadata["resourceVersion"],
            },
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": CLASS,
            "volumeMode": spec["volumeMode"],
        },
        "status": {"phase": "Bound"},
    }
