# ruff: noqa: A002, ARG002 - the signatures of Api
"""A cluster that keeps what it is given and what it was asked, for verbs that only ask."""

from __future__ import annotations

from typing import Any

from gherkube.runners.errors import ApiError
from gherkube.runners.kubectl.kinds import find, kind_of
from gherkube.runners.objects import Object


class Asked:
    """An `Api` of stored objects; `requests` are the writes: (verb, what, body)."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Object] = {}
        self.requests: list[tuple[str, str, Any]] = []
        self.refusal: ApiError | None = None

    def add(self, obj: Object) -> Object:
        self.objects[kind_of(obj).resource, obj["metadata"]["name"]] = obj
        return obj

    def get(self, resource: str, name: str, namespace: str = "") -> Object:
        if (resource, name) not in self.objects:
            details = {"name": name, "kind": resource}
            raise ApiError(404, "NotFound", f'{find(resource).full_resource} "{name}" not found', details)
        return self.objects[resource, name]

    def list(self, resource: str, namespace: str = "", *, labels: str = "", fields: str = "") -> list[Object]:
        return [obj for (kind, _), obj in sorted(self.objects.items()) if kind == resource]

    def _write(self, verb: str, what: str, body: Any) -> None:
        self.requests.append((verb, what, body))
        if self.refusal:
            raise self.refusal

    def create(self, obj: Object, *, namespace: str = "", dry_run: bool = False) -> Object:
        self._write("create", kind_of(obj).resource, obj)
        return self.add(obj)

    def patch(
        self,
        resource: str,
        name: str,
        patch: Any,
        namespace: str = "",
        *,
        type: str = "strategic",
        **where: Any,
    ) -> Object:
        self._write(type, "/".join([resource, name, *filter(None, [where.get("subresource")])]), patch)
        return {**self.get(resource, name), "patched": True}

    def delete(self, resource: str, name: str, namespace: str = "", **how: Any) -> Object:
        self._write("delete", f"{resource}/{name}", how)
        return self.objects.pop((resource, name))


def deployment(**changes: Any) -> Object:
    """A Deployment as it is stored, of one container."""
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "app", "image": "hello:1", "ports": [{"containerPort": 8080}]}]},
    }
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "uid": "d-1",
            "generation": 1,
            "annotations": {"deployment.kubernetes.io/revision": "2", "note": "mine"},
        },
        "spec": {
            "replicas": 4,
            "selector": {"matchLabels": {"app": "web"}},
            "strategy": strategy,
            "template": template,
            **changes,
        },
    }


def replica_set(revision: int, image: str, **annotations: str) -> Object:
    """A ReplicaSet of "web" with that revision."""
    template = {
        "metadata": {"labels": {"app": "web", "pod-template-hash": f"h{revision}"}},
        "spec": {"containers": [{"name": "app", "image": image, "ports": [{"containerPort": 8080}]}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"web-h{revision}",
            "namespace": "shop",
            "annotations": {"deployment.kubernetes.io/revision": str(revision), **annotations},
            "ownerReferences": [{"kind": "Deployment", "name": "web", "uid": "d-1", "controller": True}],
        },
        "spec": {"replicas": 0, "template": template},
    }
