"""How objects come, change and go: what every write does, whoever asked for it.

The in-process controllers, scheduler and kubelets call these verbs directly. They are trusted: their
objects are not decoded, defaulted or validated again. The REST verbs of `server.py` end here, too.
staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from gherkube.runners.history import ADDED, DELETED, MODIFIED, Change
from gherkube.runners.objects import Key, Object, key_of
from gherkube.runners.simulator.api import names
from gherkube.runners.simulator.api.claims import CLAIMS, admit_claim
from gherkube.runners.simulator.api.deletion import Deletions
from gherkube.runners.simulator.api.jobs import with_selector
from gherkube.runners.simulator.api.limits import LIMITS, LimitDefaults, check_limits
from gherkube.runners.simulator.api.managers import Track
from gherkube.runners.simulator.api.pods import PodAdmission
from gherkube.runners.simulator.api.priority import PriorityAdmission
from gherkube.runners.simulator.api.quota import QUOTAS, quotas_with
from gherkube.runners.simulator.api.refusals import already_exists, conflict, forbidden, not_found
from gherkube.runners.simulator.api.resources import RESOURCES, Resource, Resources
from gherkube.runners.simulator.api.services import ServiceAllocator
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.store import Store

Admission: TypeAlias = Callable[[Object], Object]

ATTEMPTS = 8
"""How often a taken generated name is drawn anew. names/generate.go"""
NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
"""What the API server itself creates. pkg/controlplane/controller/systemnamespaces"""


class Writes(Deletions):
    """The trusted verbs; each raises ApiError when the server refuses."""

    def __init__(self, store: Store, chance: Chance, resources: Resources) -> None:
        super().__init__(store, resources)
        self.chance = chance
        self._names, self._uids = chance.stream("names"), names.uids(chance.stream("uids"))
        self._events, self._services = store.keyed("events"), ServiceAllocator(store, chance)
        self.admission: dict[str, list[Admission]] = {
            "pods": [LimitDefaults(store), PodAdmission(store, chance), PriorityAdmission(store)],
            "services": [self._services],
            CLAIMS: [admit_claim],
            "namespaces": [_complete_namespace],
        }
        """By resource: what completes or refuses (ApiError) a new object, in order."""
        self._open: set[str] = set()
        """The namespaces that take new objects."""
        store.watch("namespaces", self._namespace_changed)
        for name in NAMESPACES:
            self.create_trusted("namespaces", {"metadata": {"name": name}})

    def create_trusted(self, resource: str, obj: Object) -> Object:
        """Stores a new object with its name, uid, creationTimestamp, generation and first status."""
        return self._insert(self.resources[resource], obj)

    def create_event(self, event: Object) -> Key:
        """Stores a new event, of now and with its name; returns its key. Half of all changes are such."""
        metadata = event["metadata"]
        if metadata["namespace"] not in self._open:
            self._check_namespace(RESOURCES["events"], metadata)
        key = tuple.__new__(Key, (metadata["namespace"], metadata["name"]))
        if key in self._events:
            raise already_exists(RESOURCES["events"], key.name)
        metadata["uid"] = next(self._uids)
        metadata["creationTimestamp"] = event["lastTimestamp"]
        self.store.write(ADDED, "events", event, None, key)
        return key

    def replace_trusted(self, resource: str, obj: Object) -> Object:
        """Puts the object in the place of the stored one, whose status stays.

        Conflict when the stored one is not of the object's resourceVersion. Nothing is written when
        nothing changed; an object that is being deleted goes with its last finalizer.
        """
        stored = self._current(resource, obj)
        metadata, before = obj["metadata"], stored["metadata"]
        if metadata["resourceVersion"] != before["resourceVersion"]:
            raise conflict(self.resources[resource], metadata["name"])
        return self._update(self.resources[resource], stored, obj)

    def put_status(
        self,
        resource: str,
        obj: Object,
        status: Object,
        *,
        metadata: Object | None = None,
        check: bool = True,
    ) -> Object:
        """Writes a status, and the entries of `metadata` that are given; all else stays as stored.

        `check`: Conflict when the stored object is not of the object's resourceVersion (an update of
        the status); without it the status is put on whatever is stored (a patch, as the kubelet's).
        """
        stored = self._current(resource, obj)
        before = stored["metadata"]
        if check and obj["metadata"]["resourceVersion"] != before["resourceVersion"]:
            raise conflict(self.resources[resource], before["name"])
        return self.write_status(resource, key_of(stored), stored, status, metadata)

    def write_status(
        self, resource: str, key: Key, stored: Object, status: Object, metadata: Object | None = None
    ) -> Object:
        """As `put_status`, on the version that is stored."""
        before = stored["metadata"]
        if stored.get("status") == status and (metadata is None or metadata.items() <= before.items()):
            return stored
        new = {**before, **metadata} if metadata else {**before}
        written = {**stored, "metadata": new, "status": status}
        self.store.write(MODIFIED, resource, written, stored, key)
        return written

    def bind(self, pod: Key, node: str) -> Object:
        """Assigns a pod to a node and says so in its PodScheduled condition, in one write.

        pkg/registry/core/pod/storage/storage.go setPodHostAndAnnotations
        """
        stored = self.store.get("pods", pod)
        if stored is None:
            raise not_found(RESOURCES["pods"], pod.name)
        metadata, spec, status = stored["metadata"], stored["spec"], stored["status"]
        if "deletionTimestamp" in metadata:
            why = f"pod {pod.name} is being deleted, cannot be assigned to a host"
            raise conflict(RESOURCES["pods"], pod.name, why, "binding")
        if spec.get("nodeName"):
            why = f'pod {pod.name} is already assigned to node "{spec["nodeName"]}"'
            raise conflict(RESOURCES["pods"], pod.name, why, "binding")
        scheduled = {
            "type": "PodScheduled",
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": self.clock.timestamp(),
        }
        before = status.get("conditions")
        conditions = [scheduled] if not before else with_condition(before, scheduled)
        bound = {
            **stored,
            "metadata": {**metadata},
            "spec": {**spec, "nodeName": node},
            "status": {**status, "conditions": conditions},
        }
        self.store.write(MODIFIED, "pods", bound, stored, pod)
        return bound

    def _current(self, resource: str, obj: Object) -> Object:
        """The stored version of the same object: of its key and uid."""
        metadata = obj["metadata"]
        stored = self.store.get(resource, (metadata.get("namespace", ""), metadata["name"]))
        if stored is None or stored["metadata"]["uid"] != metadata["uid"]:
            raise not_found(self.resources[resource], metadata["name"])
        return stored

    def _insert(
        self, info: Resource, obj: Object, *, dry_run: bool = False, track: Track | None = None
    ) -> Object:
        metadata = obj["metadata"]
        if info.namespaced:
            self._check_namespace(info, metadata)
        for admit in self.admission.get(info.name, ()):
            obj = admit(obj)
        metadata = {
            **obj["metadata"],
            "name": self._name(info, metadata),
            "uid": next(self._uids),
            "creationTimestamp": self.clock.timestamp(),
        }
        if info.has_generation:
            metadata["generation"] = 1
        new = {**self.resources.type_meta[info.name], **obj, "metadata": metadata}
        if info.name == "jobs":
            new = with_selector(new)
        if info.initial_status is not None:
            new["status"] = info.initial_status
        elif info.custom and info.has_status:
            new.pop("status", None)
        if track is not None:
            new["metadata"]["managedFields"] = track(None, new)
        if self.store.all(LIMITS):
            check_limits(self.store, info, new)
        if self.store.all(QUOTAS):
            for quota in quotas_with(self.store, info, new):
                if not dry_run:
                    self.put_status(QUOTAS, quota, quota["status"], check=False)
        if not dry_run:
            self.store.write(ADDED, info.name, new, None, key_of(new))
        return new

    def _update(
        self,
        info: Resource,
        stored: Object,
        obj: Object,
        *,
        dry_run: bool = False,
        track: Track | None = None,
    ) -> Object:
        """Writes an update of the main resource: neither the status nor what the server owns changes.

        `track` says who owns its fields then.
        """
        before = stored["metadata"]
        new = {**obj, "metadata": {**obj["metadata"], **{k: before[k] for k in OWNED if k in before}}}
        if info.has_status and "status" in stored:
            new["status"] = stored["status"]
        elif info.has_status and info.custom:
            new.pop("status", None)
        if track is not None:
            new["metadata"].pop("managedFields", None)
            if owners := track(stored, new):
                new["metadata"]["managedFields"] = owners
        if new == stored:
            return stored
        if info.has_generation and _is_new_generation(info.name, stored, new):
            new["metadata"]["generation"] = before["generation"] + 1
        if dry_run:
            return new
        if self._is_let_go(before, new):
            return self.store.remove(info.name, key_of(stored))
        return self.store.put(info.name, new)

    def _check_namespace(self, info: Resource, metadata: Object) -> None:
        """plugin/pkg/admission/namespace/lifecycle/admission.go"""
        name = metadata["namespace"]
        if name in self._open:
            return
        if self.store.get("namespaces", ("", name)) is None:
            raise not_found(RESOURCES["namespaces"], name)
        causes = [
            {
                "reason": "NamespaceTerminating",
                "message": f"namespace {name} is being terminated",
                "field": "metadata.namespace",
            }
        ]
        why = f"unable to create new content in namespace {name} because it is being terminated"
        raise forbidden(info, metadata.get("name") or metadata["generateName"], why, causes)

    def _namespace_changed(self, change: Change) -> None:
        if change.type != DELETED and change.object["status"]["phase"] != "Terminating":
            self._open.add(change.key.name)
        else:
            self._open.discard(change.key.name)

    def _name(self, info: Resource, metadata: Object) -> str:
        """The name of a new object: its own, if free, or one from its generateName."""
        namespace, name = metadata.get("namespace", ""), metadata.get("name")
        if name:
            if self.store.get(info.name, (namespace, name)) is not None:
                raise already_exists(info, name)
            return str(name)
        base = metadata["generateName"][: names.MAX_BASE]
        for _ in range(ATTEMPTS):
            name = base + names.suffix(self._names)
            if self.store.get(info.name, (namespace, name)) is None:
                return str(name)
        raise already_exists(info, str(name))


OWNED = (
    "uid",
    "creationTimestamp",
    "generation",
    "resourceVersion",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
)
"""Metadata that an update cannot change."""


def with_condition(conditions: list[Object], new: Object) -> list[Object]:
    """The conditions with one of them set, in its place if it was there. podutil UpdatePodCondition"""
    result = [new if each["type"] == new["type"] else each for each in conditions]
    if not any(each is new for each in result):
        return [*result, new]
    return result


def disruption_target(pod: Object, reason: str, message: str, at: str) -> list[Object]:
    """The pod's conditions with DisruptionTarget among them: why someone ends it (at: an API timestamp)."""
    target = {
        "type": "DisruptionTarget",
        "observedGeneration": pod["metadata"].get("generation", 1),
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": at,
        "reason": reason,
        "message": message,
    }
    return with_condition(pod["status"].get("conditions", []), target)


def _is_new_generation(resource: str, stored: Object, new: Object) -> bool:
    """Whether an update changes what generation counts: each strategy.go's PrepareForUpdate."""
    before, after = stored["metadata"], new["metadata"]
    if resource == "endpointslices":
        changed = any(stored.get(field) != new.get(field) for field in ("endpoints", "ports"))
        return changed or before.get("labels") != after.get("labels")
    if stored.get("spec") != new.get("spec"):
        return True
    return resource == "deployments" and before.get("annotations") != after.get("annotations")


def _complete_namespace(namespace: Object) -> Object:
    """pkg/apis/core/v1/defaults.go SetDefaults_Namespace, namespace strategy.go PrepareForCreate"""
    metadata = namespace["metadata"]
    labels = {"kubernetes.io/metadata.name": metadata["name"], **metadata.get("labels", {})}
    return {
        **namespace,
        "metadata": {**metadata, "labels": labels},
        "spec": {**namespace.get("spec", {}), "finalizers": ["kubernetes"]},
    }
