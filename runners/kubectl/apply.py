"""`kubectl apply`, `kubectl create` and `kubectl patch`.

Apply is the client-side one: a three-way merge of what was applied last, the manifest and what is live.
kubectl: pkg/cmd/apply/apply.go, patcher.go, pkg/cmd/create, pkg/cmd/patch/patch.go
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from gherkube.runners.cluster import Api, PatchType
from gherkube.runners.errors import ApiError, Refused
from gherkube.runners.kubectl.diff import three_way
from gherkube.runners.kubectl.kinds import Kind, kind_of, line
from gherkube.runners.kubectl.refusals import Outcome, asking, text_of
from gherkube.runners.kubectl.rollout import LAST_APPLIED
from gherkube.runners.objects import Object, is_deleting

NO_ANNOTATION = (
    "Warning: resource {resource}/{name} is missing the " + LAST_APPLIED + " annotation which is required by "
    "kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl "
    "create --save-config or kubectl apply. The missing annotation will be patched automatically."
)
IS_DELETING = "Warning: Detected changes to resource {name} which is currently being deleted."


def apply(api: Api, manifest: Object, namespace: str, *, source: str = "STDIN") -> Outcome:
    """Makes the object what the manifest says: created, configured or unchanged.

    What the manifest said last time and does not say any more is taken out; what it never said stays.
    `source` is the manifest's name in messages.
    """
    kind, wanted = _placed(manifest, namespace)
    metadata = wanted["metadata"]
    name, place = metadata["name"], metadata.get("namespace", "")
    wanted = _annotated(wanted)
    try:
        live = api.get(kind.resource, name, place)
    except ApiError as error:
        if error.reason != "NotFound":
            raise Refused(text_of(error, _retrieving(kind, wanted, source)), error) from error
        with asking(f'creating "{source}"'):
            stored = api.create(wanted, namespace=place)
        return Outcome(line(kind.resource, name, "created"), stored)
    last = live["metadata"].get("annotations", {}).get(LAST_APPLIED, "")
    warnings = [] if last else [NO_ANNOTATION.format(resource=kind.resource, name=name)]
    patch = three_way(json.loads(last) if last else {}, wanted, live)
    if not patch:
        return Outcome(line(kind.resource, name, "unchanged"), live, tuple(warnings))
    if is_deleting(live):
        warnings.append(IS_DELETING.format(name=name))
    with asking(_applying(kind, wanted, source, patch)):
        stored = api.patch(kind.resource, name, patch, place)
    return Outcome(line(kind.resource, name, "configured"), stored, tuple(warnings))


def apply_all(
    api: Api, manifests: Iterable[Object], namespace: str, *, source: str = "STDIN"
) -> list[Outcome]:
    """Applies one manifest after another; goes on after a refusal, and raises all refusals at the end."""
    outcomes, refusals = [], []
    for manifest in filter(None, manifests):
        try:
            outcomes.append(apply(api, manifest, namespace, source=source))
        except Refused as refusal:
            refusals.append(refusal)
    if refusals:
        raise (
            refusals[0]
            if len(refusals) == 1
            else Refused("\n".join(r.text for r in refusals), refusals[0].error)
        )
    return outcomes


def create(api: Api, manifest: Object, namespace: str, *, source: str = "STDIN") -> Outcome:
    """Creates the object; refused when it is there."""
    kind, wanted = _placed(manifest, namespace)
    with asking(f'creating "{source}"' if source else ""):
        stored = api.create(wanted, namespace=wanted["metadata"].get("namespace", ""))
    return Outcome(line(kind.resource, stored["metadata"]["name"], "created"), stored)


def patch(
    api: Api,
    resource: str,
    name: str,
    namespace: str,
    patch: Any,
    *,
    type: PatchType = "strategic",  # noqa: A002 - kubectl's word
) -> Outcome:
    """Sends a patch as it is."""
    with asking():
        old = api.get(resource, name, namespace)
        new = api.patch(resource, name, patch, namespace, type=type)
    same = old["metadata"].get("resourceVersion") == new["metadata"].get("resourceVersion")
    return Outcome(line(resource, name, "patched (no change)" if same else "patched"), new)


def _placed(manifest: Object, namespace: str) -> tuple[Kind, Object]:
    """The manifest with its namespace filled in; refused when it names another than the one given."""
    kind = kind_of(manifest)
    metadata = manifest.get("metadata") or {}
    if not metadata.get("name") and not metadata.get("generateName"):
        raise Refused(f"error: resource name may not be empty ({kind.kind})")
    if kind.namespaced and namespace:
        own = metadata.get("namespace") or namespace
        if own != namespace:
            raise Refused(
                f'error: the namespace from the provided object "{own}" does not match the namespace '
                f"\"{namespace}\". You must pass '--namespace={own}' to perform this operation."
            )
        metadata = {**metadata, "namespace": own}
    return kind, {**manifest, "metadata": metadata}


def _annotated(manifest: Object) -> Object:
    """The manifest with itself as its last-applied annotation: compact JSON, sorted keys, a final newline."""
    metadata = manifest["metadata"]
    annotations = {k: v for k, v in (metadata.get("annotations") or {}).items() if k != LAST_APPLIED}
    bare = {**manifest, "metadata": {**metadata, "annotations": annotations}}
    annotated = {**annotations, LAST_APPLIED: _compact(bare) + "\n"}
    return {**manifest, "metadata": {**metadata, "annotations": annotated}}


def _described(kind: Kind, wanted: Object) -> str:
    version, metadata = wanted["apiVersion"], wanted["metadata"]
    version = version if "/" in version else f"/{version}"
    return (
        f'Resource: "{version}, Resource={kind.resource}", GroupVersionKind: "{version}, Kind={kind.kind}"\n'
        f'Name: "{metadata["name"]}", Namespace: "{metadata.get("namespace", "")}"'
    )


def _applying(kind: Kind, wanted: Object, source: str, sent: Object) -> str:
    return f'applying patch:\n{_compact(sent)}\nto:\n{_described(kind, wanted)}\nfor: "{source}"'


def _retrieving(kind: Kind, wanted: Object, source: str) -> str:
    return f'retrieving current configuration of:\n{_described(kind, wanted)}\nfrom server for: "{source}"'


def _compact(obj: Object) -> str:
    return json.dumps(obj, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
