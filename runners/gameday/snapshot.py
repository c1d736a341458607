"""What there is of a target within a game day's scope, as a file that people can review.

The file holds no values of Secrets and ConfigMaps: Secrets are not asked for at all, of ConfigMaps the names
of their keys are kept. Nodes are kept with the room that pods of other namespaces take there. What is not
taken, and what the simulator does not act on, is listed in `left_out`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from gherkube.runners.errors import ApiError, CannotJudge, UsageError
from gherkube.runners.gameday.files import write
from gherkube.runners.gameday.plan import Scope
from gherkube.runners.objects import Object, controller_of, is_active
from gherkube.runners.simulator.api.unmodelled import check_modelled
from gherkube.runners.simulator.controllers.room import requests_of
from gherkube.runners.simulator.node.images import InvalidImageName, parse_image

TAKEN = (
    *("limitranges", "resourcequotas", "configmaps", "services", "poddisruptionbudgets"),
    *("horizontalpodautoscalers", "controllerrevisions", "cronjobs", "jobs", "deployments"),
    *("replicasets", "statefulsets", "daemonsets", "pods"),
)
"""What is taken of each namespace, owners before what they own."""
KEPT = {
    "limitranges": ("LimitRange", "nothing acts on it on the simulator"),
    "horizontalpodautoscalers": (
        "HorizontalPodAutoscaler",
        "on the simulator, which has no metrics, only its bounds count",
    ),
}
"""What is kept and does not do all that it does on a cluster: its kind, and what is to be said of it."""
SERVERS = ("managedFields", "resourceVersion", "selfLink")
"""Metadata that says nothing of what is there."""
DATA = ("data", "binaryData")
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
FORM = 1
"""The form of the file; a file of another one has to be taken again."""


class Reads(Protocol):
    """What is asked of an API here."""

    def get(self, resource: str, name: str, namespace: str = "") -> Object: ...
    def list(
        self, resource: str, namespace: str = "", *, labels: str = "", fields: str = ""
    ) -> list[Object]: ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Objects by resource, in a fixed order; `reserved`: of each node, what pods out of scope take there.

    `taken` is when, RFC 3339 in UTC.
    """

    target: str
    taken: str
    namespaces: tuple[str, ...]
    objects: dict[str, list[Object]]
    reserved: dict[str, dict[str, int]]
    left_out: tuple[str, ...]

    @property
    def text(self) -> str:
        """As it is written to a file: the same objects give the same text."""
        return json.dumps({"form": FORM, **asdict(self)}, indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    @property
    def sha256(self) -> str:
        """What tells it from others, in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def of(self, resource: str) -> list[Object]:
        """Its objects of a resource."""
        return self.objects.get(resource, [])

    def counted(self) -> str:
        """How much there is, in a line."""
        return ", ".join(f"{len(found)} {resource}" for resource, found in self.objects.items() if found)


def take(api: Reads, scope: Scope, target: str, taken: str) -> Snapshot:
    """Takes what is there now. Raises UsageError for a namespace that is not, CannotJudge without nodes."""
    objects: dict[str, list[Object]] = {"namespaces": [], **{resource: [] for resource in TAKEN}}
    left: dict[str, None] = {}
    for namespace in scope.namespaces:
        try:
            objects["namespaces"].append(_bare(api.get("namespaces", namespace)))
        except ApiError as error:
            if error.reason != "NotFound":
                raise
            raise UsageError(f'there is no namespace "{namespace}" on {target}') from None
        for resource in TAKEN:
            try:
                found = api.list(resource, namespace)
            except (ApiError, CannotJudge, UsageError) as error:
                left[f"{resource} in namespace {namespace}: {error}"] = None
                continue
            objects[resource] += _kept(resource, sorted(found, key=_age), left)
    images = {_full(each["image"]) for pod in objects["pods"] for each in pod["spec"]["containers"]}
    try:
        nodes = sorted(api.list("nodes"), key=lambda node: node["metadata"]["name"])
    except ApiError as error:
        raise CannotJudge(f"the nodes of {target} cannot be read: {error}") from None
    objects["nodes"] = [_node(node, images) for node in nodes]
    reserved = _reserved(api, scope, left)
    left["secrets: not read; those that pods refer to are supposed to be there, with the keys asked for"] = (
        None
    )
    return Snapshot(target, taken, scope.namespaces, objects, reserved, tuple(left))


def save(snapshot: Snapshot, path: Path) -> None:
    """Writes it. Raises UsageError."""
    write(path, snapshot.text)


def load(path: Path) -> Snapshot:
    """Reads it. Raises UsageError."""
    again = "take it again: gherkube gameday rehearse PLAN"
    try:
        said = json.loads(path.read_text("utf-8"))
        if said.pop("form") != FORM:
            raise UsageError(f"{path}: of another version of gherkube; {again}")
        said |= {name: tuple(said[name]) for name in ("namespaces", "left_out")}
        return Snapshot(**said)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; {again}") from None
    except json.JSONDecodeError as error:
        raise UsageError(f"{path}:{error.lineno}: not JSON: {error.msg}; {again}") from None
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError):
        raise UsageError(f"{path}: not a snapshot; {again}") from None


def _kept(resource: str, found: Iterable[Object], left: dict[str, None]) -> Iterator[Object]:
    """What is kept of the objects; what is not is told."""
    for obj in found:
        name = obj["metadata"]["name"]
        if resource == "pods" and not is_active(obj):
            left["pods that have ended, or were being deleted"] = None
            continue
        if resource in KEPT:
            kind, said = KEPT[resource]
            left[f"{kind} {name}: kept, {said}"] = None
        if resource == "configmaps":
            left["values of ConfigMaps: only the names of their keys are kept"] = None
            yield _without_values(_bare(obj))
            continue
        if controller_of(obj) is None:
            try:
                check_modelled(resource, str(obj["kind"]), obj)
            except CannotJudge as error:
                left[f"{name}: {_why(error)}"] = None
        yield _pod(obj) if resource == "pods" else _bare(obj)


def _without_values(config: Object) -> Object:
    """A ConfigMap with the names of its keys; kubectl's annotation holds the values, too."""
    metadata = {**config["metadata"]}
    if annotations := {k: v for k, v in metadata.pop("annotations", {}).items() if k != LAST_APPLIED}:
        metadata["annotations"] = annotations
    keys = {field: dict.fromkeys(sorted(config[field]), "") for field in DATA if config.get(field)}
    return {**config, "metadata": metadata, **keys}


def _why(error: CannotJudge) -> str:
    """What of an object is not modelled, without what to do about it in a scenario."""
    return str(error).partition(";")[0].replace(" cannot be judged on the simulator:", ":")


def _bare(obj: Object) -> Object:
    metadata = {key: value for key, value in obj["metadata"].items() if key not in SERVERS}
    return {**obj, "metadata": metadata}


def _pod(pod: Object) -> Object:
    """A pod with as much of its status as tells whether it is well."""
    status = pod.get("status") or {}
    kept: Object = {key: status[key] for key in ("phase", "qosClass", "podIP", "startTime") if key in status}
    kept["conditions"] = [
        {key: each[key] for key in ("type", "status") if key in each} for each in status.get("conditions", ())
    ]
    kept["containerStatuses"] = [
        {key: each.get(key) for key in ("name", "ready", "restartCount", "state")}
        for each in status.get("containerStatuses", ())
    ]
    return {**_bare(pod), "status": kept}


def _node(node: Object, images: set[str]) -> Object:
    """A node with what decides which pods it takes, and which images of the scope it has."""
    metadata, spec, status = node["metadata"], node["spec"], node["status"]
    there = sorted(
        images & {_full(name) for each in status.get("images") or () for name in each["names"] or ()}
    )
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": metadata["name"],
            "uid": metadata["uid"],
            "labels": metadata.get("labels") or {},
        },
        "spec": {
            key: spec[key] for key in ("podCIDR", "podCIDRs", "taints", "unschedulable") if spec.get(key)
        },
        "status": {
            **{key: status[key] for key in ("capacity", "allocatable", "addresses") if key in status},
            "conditions": [
                {key: each[key] for key in ("type", "status", "reason", "message") if key in each}
                for each in status.get("conditions", ())
            ],
            "images": there,
        },
    }


def _full(image: str) -> str:
    try:
        return parse_image(image).name
    except InvalidImageName:
        return image


def _reserved(api: Reads, scope: Scope, left: dict[str, None]) -> dict[str, dict[str, int]]:
    """What pods of other namespaces ask for, by node: thousandths of a CPU, bytes, pods."""
    try:
        pods = api.list("pods")
    except ApiError as error:
        left[f"pods of other namespaces, so nodes are taken for free of them: {error}"] = None
        return {}
    found: dict[str, dict[str, int]] = {}
    for pod in pods:
        node = pod["spec"].get("nodeName")
        if node and is_active(pod) and pod["metadata"]["namespace"] not in scope.namespaces:
            asked = requests_of(pod["spec"])
            room = found.setdefault(node, {"cpu": 0, "memory": 0, "pods": 0})
            room["cpu"] += asked.cpu
            room["memory"] += asked.memory
            room["pods"] += 1
    if found:
        left["pods of other namespaces: they count as room that is taken on their nodes"] = None
    return dict(sorted(found.items()))


def _age(obj: Object) -> tuple[str, str]:
    return obj["metadata"].get("creationTimestamp") or "", obj["metadata"]["name"]
