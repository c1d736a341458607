"""`kubectl rollout` undo, pause, resume and restart.

kubectl: pkg/polymorphichelpers/rollback.go, objectpauser.go, objectresumer.go, objectrestarter.go
"""

from __future__ import annotations

from typing import Any

from gherkube.runners.cluster import Api
from gherkube.runners.errors import CannotJudge, Refused
from gherkube.runners.kubectl.diff import two_way
from gherkube.runners.kubectl.history import HASH, REVISION, revisions
from gherkube.runners.kubectl.kinds import find, line
from gherkube.runners.kubectl.refusals import Outcome, asking
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
NOT_MODELLED = frozenset({"statefulsets", "daemonsets"})


def undo(api: Api, resource: str, name: str, namespace: str, *, to_revision: int = 0) -> Outcome:
    """Puts the template of a revision back (0: of the last but one)."""
    _only_deployments(resource, "no rollbacker has been implemented for")
    with asking():
        deployment = api.get(resource, name, namespace)
    replica_set = _revision(api, deployment, to_revision)
    if deployment["spec"].get("paused"):
        raise Refused(
            "error: you cannot rollback a paused deployment; "
            "resume it first with 'kubectl rollout resume' and try again"
        )
    template = _without_hash(replica_set["spec"]["template"])
    if template == _without_hash(deployment["spec"]["template"]):
        word = f"skipped rollback (current template already matches revision {to_revision})"
        return Outcome(line(resource, name, word), deployment)
    mine, theirs = (obj["metadata"].get("annotations", {}) for obj in (deployment, replica_set))
    annotations = {key: value for key, value in mine.items() if key in STAYS}
    annotations |= {key: value for key, value in theirs.items() if key not in STAYS}
    patch = [
        {"op": "replace", "path": "/spec/template", "value": template},
        {"op": "replace", "path": "/metadata/annotations", "value": annotations},
    ]
    with asking():
        stored = api.patch(resource, name, patch, namespace, type="json")
    return Outcome(line(resource, name, "rolled back"), stored)


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


def _revision(api: Api, deployment: Object, number: int) -> Object:
    metadata = deployment["metadata"]
    known = revisions(api, metadata["name"], metadata.get("namespace", "")) if number >= 0 else {}
    if number != 0:
        if number not in known:
            raise Refused(f"error: unable to find specified revision {number} in history")
        return known[number]
    if len(known) < 2:
        raise Refused(f'error: no rollout history found for deployment "{metadata["name"]}"')
    return list(known.values())[-2]


def _without_hash(template: Object) -> Object:
    metadata = template.get("metadata", {})
    labels = {key: value for key, value in metadata.get("labels", {}).items() if key != HASH}
    return {**template, "metadata": {**metadata, "labels": labels}}


def _only_deployments(resource: str, refusal: str) -> None:
    kind = find(resource)
    if resource in NOT_MODELLED:
        raise CannotJudge(f"the history of a {kind.kind} is not modelled yet")
    if resource != "deployments":
        raise Refused(
            f'error: {refusal} "{kind.kind}.{kind.group}"'
            if kind.group
            else f'error: {refusal} "{kind.kind}"'
        )
