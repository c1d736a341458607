"""The objects of the cluster at a moment, kept up to date by reading the history on."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, TypeAlias

from gherkube.runners.history import DELETED, Change, History
from gherkube.runners.objects import Object, controller_of

RESOURCES = {
    "Pod": "pods",
    "ReplicaSet": "replicasets",
    "Deployment": "deployments",
    "StatefulSet": "statefulsets",
    "DaemonSet": "daemonsets",
    "Job": "jobs",
    "CronJob": "cronjobs",
    "ControllerRevision": "controllerrevisions",
    "Service": "services",
    "Node": "nodes",
}
"""The resources that a reference by kind may name."""
EMPTY: Object = {}
Place: TypeAlias = tuple[str, str]
"""A `Key`, or a plain tuple that equals it."""
KINDS = {resource: kind for kind, resource in RESOURCES.items()}


class View:
    """What there is, resource by resource, just before the change at `position` of a history.

    What was deleted is remembered in `gone` by its uid, since pods belong to their owners longer than
    these exist. `ready_since` has the time at which each ready pod was seen to become so.
    Times are told in words from `origin` on.
    """

    __slots__ = ("at", "gone", "objects", "origin", "position", "ready_since")

    def __init__(self) -> None:
        self.at = self.origin = 0.0
        self.position = 0
        self.objects: dict[str, dict[Place, Object]] = {}
        self.gone: dict[str, dict[str, Object]] = {}
        self.ready_since: dict[Place, float] = {}

    def of(self, resource: str) -> dict[Place, Object]:
        """The objects of a resource, in the order in which they were created."""
        return self.objects.get(resource) or {}

    def ever(self, resource: str) -> Iterator[Object]:
        """All objects of a resource that there are or were, each in its newest or last version."""
        yield from self.of(resource).values()
        yield from self.gone.get(resource, {}).values()

    def owner(self, obj: Object) -> Object | None:
        """The object that controls this one, also after its deletion; None when none is known."""
        ref = controller_of(obj)
        return self.referred(obj["metadata"].get("namespace", ""), ref) if ref is not None else None

    def referred(self, namespace: str, ref: Any) -> Object | None:
        """The object that a reference with kind, name and uid means, also after its deletion."""
        resource = RESOURCES.get(ref.get("kind", ""))
        if resource is None:
            return None
        uid = ref.get("uid")
        found = self.of(resource).get(("" if resource == "nodes" else namespace, ref["name"]))
        if found is not None and (uid is None or found["metadata"]["uid"] == uid or resource == "nodes"):
            return found
        return self.gone.get(resource, {}).get(uid or "")

    def apply(self, change: Change) -> None:
        """Moves on by one change."""
        self.position += 1
        self.at, kind, resource, obj, old, key = change
        if kind == DELETED:
            self.objects.get(resource, {}).pop(key, None)
            if resource in KINDS:
                self.gone.setdefault(resource, {})[obj["metadata"].get("uid", "")] = obj
            if resource == "pods":
                self.ready_since.pop(key, None)
            return
        try:
            self.objects[resource][key] = obj
        except KeyError:
            self.objects[resource] = {key: obj}
        if resource == "pods":
            status = obj.get("status", EMPTY)
            if old is None or status is not old.get("status"):
                self._note_readiness(key, status)

    def _note_readiness(self, key: Place, status: Object) -> None:
        for one in status.get("conditions", ()):
            if one["type"] == "Ready":
                if one["status"] != "True":
                    self.ready_since.pop(key, None)
                elif key not in self.ready_since:
                    self.ready_since[key] = self.at
                return

    def follow(self, history: History) -> Iterator[Change]:
        """The changes since this view's position, each applied before it is given."""
        apply = self.apply
        for change in history.since(self.position):
            apply(change)
            yield change

    def replay(self, history: History, resources: Collection[str]) -> Iterator[Change]:
        """As `follow`, but of these resources only; the view knows no news of others from then on."""
        position = self.position
        for change in history.since(position):
            position += 1
            if change[2] in resources:
                self.position = position - 1
                self.apply(change)
                yield change

    def move(self, history: History, until: int | None = None) -> View:
        """Moves on to that position (the end when none is given), and returns itself."""
        for change in history.since(self.position):
            if until is not None and self.position >= until:
                break
            self.apply(change)
        return self

    def told(self, at: float | None = None) -> str:
        """A time in words, that of the view when none is given: `t+1.2 s`."""
        return f"t+{(self.at if at is None else at) - self.origin:.1f} s"

    def copy(self) -> View:
        """Another view of the same moment."""
        twin = View()
        twin.at, twin.origin, twin.position = self.at, self.origin, self.position
        twin.objects = {resource: dict(objects) for resource, objects in self.objects.items()}
        twin.gone = {resource: dict(objects) for resource, objects in self.gone.items()}
        twin.ready_since = dict(self.ready_since)
        return twin
