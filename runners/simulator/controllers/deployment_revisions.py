"""The ReplicaSet of a Deployment's present template, found or made, with its revision; history cleaned up.

pkg/controller/deployment/sync.go getNewReplicaSet, cleanupDeployment; util SetNewReplicaSetAnnotations
"""

from __future__ import annotations

from collections.abc import Sequence

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Key, Object, controller_of, is_deleting
from gherkube.runners.simulator.controllers.deployment_status import condition_in, mark
from gherkube.runners.simulator.controllers.deployment_templates import hash_of, with_hash
from gherkube.runners.simulator.controllers.deployment_turn import (
    ANNOTATION,
    DESIRED,
    MAX,
    NO_LIMIT,
    REVISION,
    Turn,
    by_age,
    scaled,
    size_of,
    total_size,
)
from gherkube.runners.simulator.controllers.ownership import is_namespace_terminating, reference_to

HISTORY = ANNOTATION + "revision-history"
ROLLBACK_TO = "deprecated.deployment.rollback.to"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
NOT_COPIED = frozenset({LAST_APPLIED, REVISION, HISTORY, DESIRED, MAX, ROLLBACK_TO})
"""Annotations that a Deployment and its ReplicaSets have each for themselves."""
MAX_HISTORY = 2000
"""How long the list of former revisions may be, in characters."""


def asks_for_rollback(turn: Turn) -> bool:
    """Whether the annotation that asks for a rollback is there and names a revision. getRollbackTo"""
    text: str = turn.annotations.get(ROLLBACK_TO, "")
    return text.lstrip("-").isdecimal()


def find(turn: Turn) -> tuple[Object | None, list[Object]]:
    """The ReplicaSet of the present template (of several, the oldest), and all others, oldest first."""
    text = turn.templates.text
    wanted = text(turn.deployment)
    for each in turn.replica_sets:
        if text(each) == wanted:
            return each, [other for other in turn.replica_sets if other is not each]
    return None, turn.replica_sets


def find_and_note(turn: Turn, *, create: bool = False) -> tuple[Object | None, list[Object]]:
    """As `find`, with annotations, minReadySeconds and the Deployment's revision brought up to date.

    `create`: makes the new ReplicaSet where there is none. getAllReplicaSetsAndSyncRevision
    """
    if turn.noted is not None:
        return turn.noted
    new, old = find(turn)
    revision = max(map(revision_of, old), default=0) + 1
    if new is not None:
        return _note(turn, new, old, revision), old
    return _make(turn, old, revision) if create else None, old


def revision_of(replica_set: Object) -> int:
    """The number of a ReplicaSet's revision, 0 when it has none. util Revision"""
    text = replica_set["metadata"].get("annotations", {}).get(REVISION, "")
    return int(text) if text.lstrip("-").isdecimal() else 0


def wanted_of_new(turn: Turn, replica_sets: Sequence[Object], size: int) -> int:
    """What size the new ReplicaSet, now of `size`, should have beside the others. util NewRSNewReplicas"""
    if not turn.is_rolling:
        return turn.replicas
    room = turn.replicas + turn.surge - total_size(replica_sets)
    return size + min(room, turn.replicas - size) if room > 0 else size


def clean_up(turn: Turn, old: list[Object]) -> None:
    """Deletes old ReplicaSets beyond the history limit that stand idle. cleanupDeployment"""
    limit = turn.spec.get("revisionHistoryLimit", NO_LIMIT)
    if limit == NO_LIMIT:
        return
    alive = sorted(
        (each for each in old if not is_deleting(each)), key=lambda each: (revision_of(each), by_age(each))
    )
    for each in alive[: max(0, len(alive) - limit)]:
        status, metadata = each["status"], each["metadata"]
        if (
            status["replicas"]
            or size_of(each)
            or metadata["generation"] > status.get("observedGeneration", 0)
        ):
            continue
        try:
            turn.api.delete("replicasets", metadata["name"], metadata["namespace"])
        except ApiError as error:
            if error.code != 404:
                raise


def _note(turn: Turn, new: Object, old: list[Object], revision: int) -> Object:
    """What is noted of a new ReplicaSet that is there already; returns it as it is then."""
    before = new["metadata"].get("annotations", {})
    annotations = _annotations(turn, before, revision)
    min_ready = turn.spec.get("minReadySeconds", 0)
    if annotations != before or min_ready != new["spec"].get("minReadySeconds", 0):
        spec = new["spec"]
        if min_ready != spec.get("minReadySeconds", 0):
            spec = _with_min_ready(spec, min_ready)
        metadata = {**new["metadata"], "annotations": annotations}
        return turn.api.replace_trusted("replicasets", {**new, "metadata": metadata, "spec": spec})
    changed = _note_revision(turn, annotations.get(REVISION, ""))
    if turn.deadline is not None and condition_in(turn.status, "Progressing") is None:
        mark(turn, "True", "FoundNewReplicaSet", f'Found new replica set "{new["metadata"]["name"]}"')
        changed = True
    if changed:
        turn.save()
    turn.noted = new, old
    return new


def _make(turn: Turn, old: list[Object], revision: int) -> Object:
    """Makes the new ReplicaSet, sized as the strategy wants it at once."""
    size = wanted_of_new(turn, old, 0)
    wanted = _new_replica_set(turn, size, revision)
    name = wanted["metadata"]["name"]
    try:
        made = turn.api.create_trusted("replicasets", wanted)
        turn.templates.note(made, turn.templates.text(turn.deployment))
    except ApiError as error:
        if error.reason != "AlreadyExists":
            _say_it_failed(turn, name, error)
            raise
        made = _existing(turn, wanted, error)
        if _note_revision(turn, str(revision)):
            turn.save()
        return made
    if size:
        turn.tell("ScalingReplicaSet", scaled(name, 0, size))
    changed = _note_revision(turn, str(revision))
    if turn.deadline is not None:
        mark(turn, "True", "NewReplicaSetCreated", f'Created new replica set "{name}"')
        changed = True
    if changed:
        turn.save()
    return made


def _new_replica_set(turn: Turn, size: int, revision: int) -> Object:
    deployment, spec = turn.deployment, turn.spec
    hash_ = hash_of(turn.templates.text(deployment), turn.status.get("collisionCount"))
    template = spec["template"]
    labels = with_hash(template["metadata"].get("labels", {}), hash_)
    selector = spec["selector"]
    new_spec = {
        "replicas": size,
        "selector": {**selector, "matchLabels": with_hash(selector.get("matchLabels", {}), hash_)},
        "template": {**template, "metadata": {**template["metadata"], "labels": labels}},
    }
    return {
        "metadata": {
            "name": f"{turn.name}-{hash_}",
            "namespace": deployment["metadata"]["namespace"],
            "labels": labels,
            "annotations": {**_annotations(turn, {}, revision), **turn.size_annotations()},
            "ownerReferences": [reference_to(deployment)],
        },
        "spec": _with_min_ready(new_spec, spec.get("minReadySeconds", 0)),
    }


def _existing(turn: Turn, wanted: Object, error: ApiError) -> Object:
    """The ReplicaSet that has the name already, if it is the Deployment's own.

    Otherwise two templates share a hash: the collision is counted, and the error ends the turn.
    """
    name, namespace = wanted["metadata"]["name"], wanted["metadata"]["namespace"]
    found = turn.replica_set(Key(namespace, name))
    if found is None:
        raise error
    controller = controller_of(found)
    if (
        controller is not None
        and controller["uid"] == turn.deployment["metadata"]["uid"]
        and turn.templates.same(found, turn.deployment)
    ):
        return found
    turn.status = {**turn.status, "collisionCount": turn.status.get("collisionCount", 0) + 1}
    turn.save()
    raise error


def _say_it_failed(turn: Turn, name: str, error: ApiError) -> None:
    if is_namespace_terminating(error):
        return
    message = f'Failed to create new replica set "{name}": {error.message}'
    if turn.deadline is not None:
        mark(turn, "False", "ReplicaSetCreateError", message)
        turn.save()
    turn.tell("ReplicaSetCreateError", message, "Warning")


def _note_revision(turn: Turn, revision: str) -> bool:
    """Gives the Deployment that revision; whether it had another. util SetDeploymentRevision"""
    if turn.annotations.get(REVISION) == revision:
        return False
    turn.annotations = {**turn.annotations, REVISION: revision}
    return True


def _annotations(turn: Turn, before: Object, revision: int) -> Object:
    """The annotations of a ReplicaSet: the Deployment's, and the highest revision.

    A revision that it had before is kept in its history. SetNewReplicaSetAnnotations
    """
    annotations = before.copy()
    for name, value in turn.annotations.items():
        if name not in NOT_COPIED:
            annotations[name] = value
    former = before.get(REVISION)
    if former is not None and former and not former.lstrip("-").isdecimal():
        return annotations
    if int(former or 0) < revision:
        annotations[REVISION] = str(revision)
        if former is not None:
            annotations[HISTORY] = _history(before.get(HISTORY, ""), former)
    return annotations


def _history(before: str, former: str) -> str:
    revisions = [*(before.split(",") if before else ()), former]
    while len(",".join(revisions)) > MAX_HISTORY:
        del revisions[0]
    return ",".join(revisions)


def _with_min_ready(spec: Object, seconds: int) -> Object:
    """A ReplicaSet's spec with minReadySeconds, which is left out when 0."""
    rest = {name: value for name, value in spec.items() if name != "minReadySeconds"}
    return {**rest, "minReadySeconds": seconds} if seconds else rest
