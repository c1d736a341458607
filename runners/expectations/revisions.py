"""The revisions of a workload at a moment: what keeps them, and which of them a pod is of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from gherkube.runners.kubectl.revisions import KEEPINGS, number_of
from gherkube.runners.objects import Object, controller_of

if TYPE_CHECKING:
    from gherkube.runners.expectations.subjects import WorkloadRef
    from gherkube.runners.expectations.view import View

HASH = "pod-template-hash"
REVISION_HASH = "controller-revision-hash"

revision_of = number_of


class Mark(NamedTuple):
    """By what a pod is known to be of a revision: the same text of what keeps it and of the pod."""

    of_keeper: Callable[[Object], str]
    of_pod: Callable[[Object], str]


def _label(obj: Object) -> str:
    return str((obj["metadata"].get("labels") or {}).get(REVISION_HASH, ""))


MARKS: dict[str, Mark] = {
    "deployments": Mark(
        lambda replica_set: str(replica_set["metadata"]["uid"]),
        lambda pod: str((controller_of(pod) or {}).get("uid", "")),
    ),
    "statefulsets": Mark(lambda revision: str(revision["metadata"]["name"]), _label),
    "daemonsets": Mark(_label, _label),
}
"""For each kind of workload that has revisions."""


def keepers(view: View, ref: WorkloadRef) -> list[Object]:
    """What keeps the revisions of a workload, by revision; none of a kind that has none."""
    keeping = KEEPINGS.get(ref.resource)
    if keeping is None:
        return []
    found = (one for one in view.of(keeping.resource).values() if ref.owns(view, one))
    return sorted(found, key=keeping.number)


def newest_keeper(view: View, ref: WorkloadRef) -> Object | None:
    """What keeps the newest revision, None when it is not made yet.

    It is the one of the workload's template; of several, that of the highest revision.
    pkg/controller/deployment/util FindNewReplicaSet
    """
    found, obj, keeping = keepers(view, ref), ref.find(view), KEEPINGS.get(ref.resource)
    if obj is not None and keeping is not None:
        found = [one for one in found if same_template(keeping.template(one), obj["spec"]["template"])]
    return found[-1] if found else None


def newest_mark(view: View, ref: WorkloadRef) -> str | None:
    """The mark of the pods of the newest revision, None when it is not made yet."""
    keeper = newest_keeper(view, ref)
    return None if keeper is None else MARKS[ref.resource].of_keeper(keeper)


def has_one_revision(view: View, ref: WorkloadRef) -> bool:
    """Whether it is a workload with revisions, and never had a template but the one it has."""
    keeping = KEEPINGS.get(ref.resource)
    if keeping is None:
        return False
    ever = [keeping.template(one) for one in view.ever(keeping.resource) if ref.owns(view, one)]
    owner = ref.find(view)
    templates = [*ever, *((owner["spec"]["template"],) if owner is not None else ())]
    return len(ever) <= 1 and all(same_template(each, templates[0]) for each in templates)


def replica_sets(view: View, ref: WorkloadRef) -> list[Object]:
    """The ReplicaSets of a deployment, by revision; none of another workload."""
    return keepers(view, ref) if ref.resource == "deployments" else []


def revision_of_pod(view: View, ref: WorkloadRef, pod: Object) -> int:
    """The number of the revision that a pod of the workload is of, 0 where it is not known."""
    keeping, mark = KEEPINGS.get(ref.resource), MARKS.get(ref.resource)
    if keeping is None or mark is None:
        return 0
    same = (one for one in keepers(view, ref) if mark.of_keeper(one) == mark.of_pod(pod))
    return next(map(keeping.number, same), 0)


def same_template(one: Object, other: Object) -> bool:
    """Whether two pod templates are equal but for the hash label. util EqualIgnoreHash"""
    if one is other:
        return True
    if one["spec"] is not other["spec"] and one["spec"] != other["spec"]:
        return False
    return _metadata(one) == _metadata(other)


def _metadata(template: Object) -> tuple[Any, Any]:
    metadata = template.get("metadata") or {}
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH}
    return labels, metadata.get("annotations") or {}


def wanted_pods(workload: Object) -> int | None:
    """How many pods a workload is to have; None of a kind that does not say."""
    desired = (workload.get("status") or {}).get("desiredNumberScheduled")
    replicas = workload["spec"].get("replicas", desired)
    return None if replicas is None else int(replicas)
