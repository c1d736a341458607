"""The revisions of a workload's rollout, wherever its kind keeps them.

A Deployment keeps them in its ReplicaSets, a StatefulSet and a DaemonSet in ControllerRevisions.
kubectl: pkg/polymorphichelpers/history.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from gherkube.runners.cluster import Api
from gherkube.runners.kubectl.refusals import asking
from gherkube.runners.objects import Object, controller_of

REVISION = "deployment.kubernetes.io/revision"
CHANGE_CAUSE = "kubernetes.io/change-cause"


class Revision(NamedTuple):
    """A revision: its pod template, and the object that keeps it."""

    template: Object
    keeper: Object

    @property
    def cause(self) -> str:
        """What the change was made for, "" when that was not noted."""
        return str(self.annotations.get(CHANGE_CAUSE, ""))

    @property
    def annotations(self) -> Object:
        """The annotations of the object that keeps it."""
        found: Object = self.keeper["metadata"].get("annotations") or {}
        return found


class Keeping(NamedTuple):
    """How revisions are kept: in objects of which resource, and where in one its number and template are."""

    resource: str
    number: Callable[[Object], int]
    template: Callable[[Object], Object]


def number_of(replica_set: Object) -> int:
    """The revision of a ReplicaSet or a Deployment, 0 when it has none yet."""
    number = (replica_set["metadata"].get("annotations") or {}).get(REVISION, "")
    return int(number) if number.isdigit() else 0


def _of_controller_revision(revision: Object) -> Object:
    template = revision["data"]["spec"]["template"]
    return {field: value for field, value in template.items() if field != "$patch"}


_REPLICA_SETS = Keeping("replicasets", number_of, lambda replica_set: replica_set["spec"]["template"])
_CONTROLLER_REVISIONS = Keeping(
    "controllerrevisions",
    lambda revision: int(revision["revision"]),
    _of_controller_revision,
)
KEEPINGS: dict[str, Keeping] = {
    "deployments": _REPLICA_SETS,
    "statefulsets": _CONTROLLER_REVISIONS,
    "daemonsets": _CONTROLLER_REVISIONS,
}
"""The kinds of workloads that have a rollout history."""


def revisions_among(keeping: Keeping, owner: Object, objects: Iterable[Object]) -> dict[int, Revision]:
    """The revisions of the owner that are kept in these objects, ascending."""
    uid = owner["metadata"]["uid"]
    found: dict[int, Revision] = {}
    for obj in objects:
        controller = controller_of(obj)
        if controller is not None and controller["uid"] == uid and (number := keeping.number(obj)):
            found[number] = Revision(keeping.template(obj), obj)
    return dict(sorted(found.items()))


def revisions(api: Api, resource: str, name: str, namespace: str) -> dict[int, Revision]:
    """The revisions of a workload, ascending; the present one is the last."""
    keeping = KEEPINGS[resource]
    with asking():
        owner = api.get(resource, name, namespace)
        return revisions_among(keeping, owner, api.list(keeping.resource, namespace))
