"""`kubectl rollout` undo, pause, resume and restart.

kubectl: pkg/polymorphichelpers/rollback.go, objectpauser.go, objectresumer.go, objectrestarter.go
"""

from __future__ import annotations

from typing import Any

from gherkube.runners.cluster import Api
from gherkube.runners.errors import Refused
from gherkube.runners.kubectl.diff import two_way
from gherkube.runners.kubectl.kinds import find, line
from gherkube.runners.kubectl.refusals import Outcome, asking
from gherkube.runners.kubectl.revisions import KEEPINGS, REVISION, Revision, revisions
from gherkube.runners.objects import Object

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
STAYS = frozenset(
    {
        LAST_APPLIED,
        REVISION,
        "deployment.kubernetes.io/revision-history",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.deployment.rollback.to",
    }
)
"""Annotations that an undo leaves as they are; all others come from the revision's ReplicaSet."""

RESTARTABLE = frozenset({"deployments", "statefulsets", "daemonsets"})
HASH = "pod-template-hash"


def undo(api: Api, resource: str, name: str, namespace: str, *, to_revision: int = 0) -> Outcome:
    """Puts the template of a revision back (0: of the last but one)."""
    _check_undoable(resource)
    with asking():
        workload = api.get(resource, name, namespace)
    revision = _revision(api, resource, workload, to_revision)
    if workload["spec"].get("paused"):
        raise Refused(
            "error: you cannot rollback a paused deployment; "
            "resume it first with 'kubectl rollout resume' and try again"
        )
    template = _without_hash(revision.template)
    if template == _without_hash(workload["spec"]["template"]):
        word = f"skipped rollback (current template already matches revision {to_revision})"
        return Outcome(line(resource, name, word), workload)
    with asking():
        if resource == "deployments":
            stored = api.patch(
                resource, name, _json_patch(workload, template, revision), namespace, type="json"
            )
        else:
            stored = api.patch(resource, name, revision.keeper["data"], namespace)
    return Outcome(line(resource, name, "rolled back"), stored)


def _json_patch(deployment: Object, template: Object, revision: Revision) -> list[Object]:
    mine = deployment["metadata"].get("annotations", {})
    annotations = {key: value for key, value in mine.items() if key in STAYS}
    annotations |= {key: value for key, value in revision.annotations.items() if key not in STAYS}
    return [
        {"op": "replace", "path": "/spec/template", "value": template},
        {"op": "replace", "path": "/metadata/annotations", "value": annotations},
    ]


def pause(api: Api, resource: str, name: str, namespace: str) -> Outcome:
    """Pauses a rollout."""
    return _set_paused(api, resource, name, namespace, True)


def resume(api: Api, resource: str, name: str, namespace: str) -> Outcome:
    """Resumes a paused rollout."""
    return _set_paused(api, resource, name, namespace, False)


def restart(api: Api, resource: str, name: str, namespace: str, *, at: str) -> Outcome:
    """Rolls all pods out anew by an annotation in the template; `at` is RFC 3339, in seconds."""
    called = f'{find(resource).full_resource} "{name}"'
    with asking():
        old = api.get(resource, name, namespace)
    if resource not in RESTARTABLE:
        raise Refused(f"error: {called} restarting is not supported")
    if old["spec"].get("paused"):
        raise Refused(f"error: {called} can't restart paused deployment (run rollout resume first)")
    if old["spec"]["template"].get("metadata", {}).get("annotations", {}).get(RESTARTED_AT) == at:
        raise Refused(
            f"error: failed to create patch for {name}: if restart has already been triggered within the "
            "past second, please wait before attempting to trigger another"
        )
    patch = {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: at}}}}}
    with asking():
        stored = api.patch(resource, name, patch, namespace)
    return Outcome(line(resource, name, "restarted"), stored)


def _set_paused(api: Api, resource: str, name: str, namespace: str, paused: bool) -> Outcome:
    full = find(resource).full_resource
    with asking():
        old = api.get(resource, name, namespace)
    if resource != "deployments":
        raise Refused(f'error: {full} "{name}" {"pausing" if paused else "resuming"} is not supported')
    if bool(old["spec"].get("paused")) == paused:
        raise Refused(f'error: {full} "{name}" is {"already paused" if paused else "not paused"}')
    spec: dict[str, Any] = {key: value for key, value in old["spec"].items() if key != "paused"}
    patch = two_way(old, {**old, "spec": {**spec, "paused": True} if paused else spec})
    with asking():
        stored = api.patch(resource, name, patch, namespace)
    return Outcome(line(resource, name, "paused" if paused else "resumed"), stored)


def _revision(api: Api, resource: str, workload: Object, number: int) -> Revision:
    metadata = workload["metadata"]
    known = revisions(api, resource, metadata["name"], metadata.get("namespace", "")) if number >= 0 else {}
    if number != 0:
        if number not in known:
            raise Refused(f"error: unable to find specified revision {number} in history")
        return known[number]
    if len(known) < 2:
        if resource == "deployments":
            raise Refused(f'error: no rollout history found for deployment "{metadata["name"]}"')
        raise Refused("error: no last revision to roll back to")
    return list(known.values())[-2]


def _without_hash(template: Object) -> Object:
    metadata = template.get("metadata", {})
    labels = {key: value for key, value in metadata.get("labels", {}).items() if key != HASH}
    return {**template, "metadata": {**metadata, "labels": labels}}


def _check_undoable(resource: str) -> None:
    if resource not in KEEPINGS:
        kind = find(resource)
        named = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
        raise Refused(f'error: no rollbacker has been implemented for "{named}"')
