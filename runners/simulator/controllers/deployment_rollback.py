"""The rollback that a Deployment's annotation asks the controller for; kubectl's undo does without it.

pkg/controller/deployment/rollback.go
"""

from __future__ import annotations

from gherkube.runners.objects import Object
from gherkube.runners.simulator.controllers.deployment_revisions import (
    NOT_COPIED,
    ROLLBACK_TO,
    find_and_note,
    revision_of,
)
from gherkube.runners.simulator.controllers.deployment_scaling import with_new
from gherkube.runners.simulator.controllers.deployment_templates import without_hash
from gherkube.runners.simulator.controllers.deployment_turn import Turn

NOT_FOUND = "DeploymentRollbackRevisionNotFound"


def roll_back(turn: Turn) -> None:
    """Puts the template of the revision that is asked for (0: the last but one) in the Deployment's place."""
    new, old = find_and_note(turn, create=True)
    replica_sets = with_new(old, new)
    revision = int(turn.annotations[ROLLBACK_TO]) or _last_but_one(replica_sets)
    target = next((each for each in replica_sets if revision and revision_of(each) == revision), None)
    if not revision:
        turn.tell(NOT_FOUND, "Unable to find last revision.", "Warning")
    elif target is None:
        turn.tell(NOT_FOUND, "Unable to find the revision to rollback to.", "Warning")
    elif turn.templates.same(target, turn.deployment):
        message = f'The rollback revision contains the same template as current deployment "{turn.name}"'
        turn.tell("DeploymentRollbackTemplateUnchanged", message, "Warning")
    else:
        _write(turn, {"template": without_hash(target["spec"]["template"])}, _annotations(turn, target))
        turn.tell("DeploymentRollback", f'Rolled back deployment "{turn.name}" to revision {revision}')
        return
    _write(turn, {}, turn.annotations)


def _annotations(turn: Turn, target: Object) -> Object:
    """The Deployment's own annotations, and the others as the target has them. SetDeploymentAnnotationsTo"""
    own = {name: value for name, value in turn.annotations.items() if name in NOT_COPIED}
    theirs = target["metadata"].get("annotations", {})
    return own | {name: value for name, value in theirs.items() if name not in NOT_COPIED}


def _write(turn: Turn, spec: Object, annotations: Object) -> None:
    """updateDeploymentAndClearRollbackTo"""
    deployment = turn.deployment
    kept = {name: value for name, value in annotations.items() if name != ROLLBACK_TO}
    turn.api.replace_trusted(
        "deployments",
        {
            **deployment,
            "metadata": {**deployment["metadata"], "annotations": kept},
            "spec": {**deployment["spec"], **spec},
        },
    )


def _last_but_one(replica_sets: list[Object]) -> int:
    """The second highest revision, 0 when there is none. util LastRevision"""
    revisions = sorted({revision_of(each) for each in replica_sets}, reverse=True)
    return revisions[1] if len(revisions) > 1 else 0
