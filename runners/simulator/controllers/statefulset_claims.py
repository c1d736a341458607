"""The claims of a StatefulSet's pods: made before them, kept for the next pod of that name, or not.

pkg/controller/statefulset/{stateful_pod_control.go,stateful_set_utils.go}
"""

from __future__ import annotations

from collections.abc import Iterator

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Key, Object, is_deleting
from gherkube.runners.simulator.api.claims import CLAIMS
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.controllers.ownership import reference_to
from gherkube.runners.simulator.events import EventRecorder


class SetClaims:
    """Makes the claims of pods, and says whose they are."""

    def __init__(self, api: ApiServer, events: EventRecorder) -> None:
        self._api, self._events = api, events

    def make(self, owner: Object, pod_name: str) -> None:
        """Makes those claims of a pod that are not there. createPersistentVolumeClaims"""
        about, labels = owner["metadata"], owner["spec"]["selector"].get("matchLabels", {})
        for name, template in _named(owner, pod_name):
            found = self._api.store.get(CLAIMS, Key(about["namespace"], name))
            if found is not None and is_deleting(found):
                raise ApiError(409, "Conflict", f"pvc {name} is being deleted")
            if found is not None:
                continue
            metadata = {key: each for key, each in template["metadata"].items() if key == "annotations"}
            metadata |= {"name": name, "namespace": about["namespace"]}
            metadata["labels"] = {**template["metadata"].get("labels", {}), **labels}
            done = f"create Claim {name} Pod {pod_name} in StatefulSet {about['name']}"
            try:
                self._api.create_trusted(CLAIMS, {"metadata": metadata, "spec": template["spec"]})
            except ApiError as error:
                said = f"{done} failed error: {error.message}"
                self._events.record("StatefulSet", owner, "Warning", "FailedCreate", said)
                raise
            self._events.record("StatefulSet", owner, "Normal", "SuccessfulCreate", f"{done} success")

    def own(self, owner: Object, pod: Object, *, condemned: bool) -> bool:
        """Lets go with the set, or with the pod, the claims that are to; whether one changed.

        updateClaimOwnerRefForSetAndPod
        """
        policy = owner["spec"]["persistentVolumeClaimRetentionPolicy"]
        with_pod = condemned and policy["whenScaled"] == "Delete"
        with_set = policy["whenDeleted"] == "Delete" and not with_pod
        wanted = [
            reference_to(each) for each, is_owner in ((owner, with_set), (_typed(pod), with_pod)) if is_owner
        ]
        uids = {owner["metadata"]["uid"], pod["metadata"]["uid"]}
        changed = False
        for name, _ in _named(owner, pod["metadata"]["name"]):
            claim = self._api.store.get(CLAIMS, Key(owner["metadata"]["namespace"], name))
            if claim is None or is_deleting(claim):
                continue
            metadata = claim["metadata"]
            before = metadata.get("ownerReferences", [])
            after = [each for each in before if each["uid"] not in uids] + wanted
            if before != after:
                changed = True
                metadata = {key: each for key, each in metadata.items() if key != "ownerReferences"}
                metadata |= {"ownerReferences": after} if after else {}
                self._api.replace_trusted(CLAIMS, {**claim, "metadata": metadata})
        return changed


def with_claims(owner: Object, pod_name: str, spec: Object) -> Object:
    """A pod's spec with the volumes that its claims are. updateStorage"""
    made = {template["metadata"]["name"]: name for name, template in _named(owner, pod_name)}
    if not made:
        return spec
    claimed = [{"name": name, "persistentVolumeClaim": {"claimName": of}} for name, of in made.items()]
    others = [volume for volume in spec.get("volumes", ()) if volume["name"] not in made]
    return {**spec, "volumes": [*claimed, *others]}


def _named(owner: Object, pod_name: str) -> Iterator[tuple[str, Object]]:
    """The names of a pod's claims, and what each is made of. getPersistentVolumeClaimName"""
    for template in owner["spec"].get("volumeClaimTemplates", ()):
        yield f"{template['metadata']['name']}-{pod_name}", template


def _typed(pod: Object) -> Object:
    return {"apiVersion": "v1", "kind": "Pod", **pod}
