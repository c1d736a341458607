"""One turn of a Deployment: what was read of it, and what the turn has changed so far.

Upstream passes a copy of the Deployment through its functions, and each may change it and write it.
All those writes carry the resourceVersion that was read, so a second write in one turn is refused and
the turn is taken again; the sequences of writes that are seen of a real cluster come from this.
pkg/controller/deployment
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Literal, NamedTuple

from gherkube.runners.objects import Key, Object
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.controllers.deployment_templates import Templates
from gherkube.runners.simulator.events import EventRecorder

ANNOTATION = "deployment.kubernetes.io/"
DESIRED, MAX, REVISION = ANNOTATION + "desired-replicas", ANNOTATION + "max-replicas", ANNOTATION + "revision"
NO_LIMIT = 2**31 - 1
"""As progressDeadlineSeconds or revisionHistoryLimit: there is none."""


class Tools(NamedTuple):
    """What every turn works with; `replica_set` reads the cache."""

    api: ApiServer
    recorder: EventRecorder
    templates: Templates
    replica_set: Callable[[Key], Object | None]


class Turn:
    """A Deployment as read, with its ReplicaSets, oldest first.

    `status` and `annotations` are the Deployment's as this turn has them by now. `noted`: its new and
    old ReplicaSets, once all that is to be noted of them is.
    """

    def __init__(self, tools: Tools, deployment: Object, replica_sets: Iterable[Object]) -> None:
        self.api, self.recorder, self.templates, self.replica_set = tools
        self.deployment, self.spec = deployment, deployment["spec"]
        self.name: str = deployment["metadata"]["name"]
        self.replica_sets = sorted(replica_sets, key=by_age)
        self.status: Object = deployment.get("status") or {}
        self.annotations: Object = deployment["metadata"].get("annotations", {})
        self.noted: tuple[Object, list[Object]] | None = None
        self.replicas: int = self.spec["replicas"]
        self.surge, self.unavailable = fenceposts(self.spec)
        seconds: int = self.spec.get("progressDeadlineSeconds", NO_LIMIT)
        self.deadline = seconds if seconds != NO_LIMIT else None
        """progressDeadlineSeconds, None when there is none. HasProgressDeadline"""

    @property
    def is_rolling(self) -> bool:
        """Whether the strategy is RollingUpdate."""
        return bool(self.spec["strategy"]["type"] == "RollingUpdate")

    def save(self) -> None:
        """Writes status and annotations as they are by now; Conflict when something was written since."""
        annotations = self.annotations
        before = self.deployment["metadata"].get("annotations", {})
        changed = {"annotations": annotations} if annotations != before else None
        self.api.put_status("deployments", self.deployment, self.status, metadata=changed)

    def tell(self, reason: str, message: str, type_: Literal["Normal", "Warning"] = "Normal") -> None:
        """Records an event about the Deployment."""
        self.recorder.record("Deployment", self.deployment, type_, reason, message)

    def resize(self, replica_set: Object, size: int) -> Object:
        """Gives a ReplicaSet that size, unless it has it; returns it as it is then.

        sync.go scaleReplicaSetAndRecordEvent
        """
        return replica_set if size_of(replica_set) == size else self.resize_or_annotate(replica_set, size)

    def resize_or_annotate(self, replica_set: Object, size: int) -> Object:
        """Gives a ReplicaSet that size and fresh annotations; returns it as it is then. scaleReplicaSet"""
        before = size_of(replica_set)
        metadata = replica_set["metadata"]
        annotations = {**metadata.get("annotations", {}), **self.size_annotations()}
        if before == size and annotations == metadata.get("annotations"):
            return replica_set
        resized = self.api.replace_trusted(
            "replicasets",
            {
                **replica_set,
                "metadata": {**metadata, "annotations": annotations},
                "spec": {**replica_set["spec"], "replicas": size},
            },
        )
        if before != size:
            self.tell("ScalingReplicaSet", scaled(metadata["name"], before, size))
        return resized

    def size_annotations(self) -> Object:
        """What a ReplicaSet is told of the Deployment's size. util SetReplicasAnnotations"""
        return {DESIRED: str(self.replicas), MAX: str(self.replicas + self.surge)}


def fenceposts(spec: Object) -> tuple[int, int]:
    """How many pods there may be beyond `replicas`, and how many of these may be unavailable.

    util MaxSurge, MaxUnavailable, ResolveFenceposts
    """
    if spec["strategy"]["type"] != "RollingUpdate":
        return 0, 0
    rolling = spec["strategy"]["rollingUpdate"]
    return _fenceposts(rolling["maxSurge"], rolling["maxUnavailable"], spec["replicas"])


@lru_cache(1024)
def _fenceposts(most: int | str, fewest: int | str, replicas: int) -> tuple[int, int]:
    surge = scaled_value(most, replicas, up=True)
    unavailable = scaled_value(fewest, replicas, up=False)
    if surge == unavailable == 0:
        unavailable = 1
    return surge, min(unavailable, replicas)


def scaled_value(value: int | str, total: int, *, up: bool) -> int:
    """A number, or a percentage of the total, rounded up or down. intstr GetScaledValueFromIntOrPercent"""
    if isinstance(value, int):
        return value
    hundredths = int(value[:-1]) * total
    return -(-hundredths // 100) if up else hundredths // 100


def by_age(obj: Object) -> tuple[str, str]:
    """Sorts the oldest first, those of one second by name. ReplicaSetsByCreationTimestamp"""
    metadata = obj["metadata"]
    return metadata["creationTimestamp"], metadata["name"]


def size_of(replica_set: Object) -> int:
    """The number of pods that its spec asks for."""
    size: int = replica_set["spec"]["replicas"]
    return size


def total_size(replica_sets: Iterable[Object]) -> int:
    """The pods that their specs ask for. GetReplicaCountForReplicaSets"""
    return sum(map(size_of, replica_sets))


def total(replica_sets: Iterable[Object], field: str) -> int:
    """The sum of a number in their statuses."""
    return sum([each["status"].get(field, 0) for each in replica_sets])


def scaled(name: str, before: int, after: int) -> str:
    """The message of a ScalingReplicaSet event, as of Kubernetes 1.32."""
    return f"Scaled {'up' if before < after else 'down'} replica set {name} from {before} to {after}"
