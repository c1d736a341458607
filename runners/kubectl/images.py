"""`kubectl set image` and `kubectl set env`.

kubectl: pkg/cmd/set/set_image.go, set_env.go
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gherkube.runners.cluster import Api
from gherkube.runners.errors import Refused
from gherkube.runners.kubectl.diff import two_way
from gherkube.runners.kubectl.kinds import line
from gherkube.runners.kubectl.refusals import Outcome, asking
from gherkube.runners.objects import Object, containers

EVERY = "*"
"""Stands for all containers and init containers."""


def set_image(api: Api, resource: str, name: str, namespace: str, images: Mapping[str, str]) -> Outcome:
    """Sets the image of the named containers (`*`: of all); no output when nothing changes.

    A container that is not there is refused, after the others were changed.
    """
    if not images:
        raise Refused("error: at least one image update is required")
    if EVERY in images and len(images) > 1:
        raise Refused(
            "error: all containers are already specified by *, but saw more than one "
            "container_name=container_image pairs"
        )
    with asking():
        old = api.get(resource, name, namespace)

    def changed(container: Object) -> Object:
        image = images.get(EVERY, images.get(container["name"]))
        return container if image is None else {**container, "image": image}

    known = {EVERY, *(container["name"] for _, container in containers(old))}
    outcome = _send(api, resource, old, _with_containers(old, changed), "image updated")
    if unknown := [container for container in images if container not in known]:
        lines = [f'error: unable to find container named "{container}"' for container in unknown]
        raise Refused("\n".join(lines))
    return outcome


def set_env(api: Api, resource: str, name: str, namespace: str, env: Mapping[str, str | None]) -> Outcome:
    """Sets environment variables in all containers; None takes one out. No output when nothing changes."""
    if not env:
        raise Refused("error: at least one environment variable must be provided")
    with asking():
        old = api.get(resource, name, namespace)

    def changed(container: Object) -> Object:
        before = container.get("env", [])
        after = [
            _variable(entry["name"], env) or entry
            for entry in before
            if env.get(entry["name"], "") is not None
        ]
        known = {entry["name"] for entry in before}
        after += [entry for key in env if key not in known and (entry := _variable(key, env))]
        rest = {key: value for key, value in container.items() if key != "env"}
        return {**rest, "env": after} if after else rest

    new = _with_containers(old, changed, fields=("containers",))
    return _send(api, resource, old, new, "env updated")


def _variable(name: str, env: Mapping[str, str | None]) -> Object | None:
    value = env.get(name)
    if value is None:
        return None
    return {"name": name, "value": value} if value else {"name": name}


def _pod_spec(obj: Object) -> Object:
    spec: Object = obj["spec"]
    if obj["kind"] == "Pod":
        return spec
    if "jobTemplate" in spec:
        spec = spec["jobTemplate"]["spec"]
    return spec["template"]["spec"]  # type: ignore[no-any-return]


def _with_containers(
    obj: Object,
    change: Callable[[Object], Object],
    *,
    fields: tuple[str, ...] = ("initContainers", "containers"),
) -> Object:
    spec = _pod_spec(obj)
    lists = {field: [change(container) for container in spec[field]] for field in fields if field in spec}
    return _replaced(obj, spec, {**spec, **lists})


def _replaced(obj: Object, part: Object, new: Object) -> Object:
    """The object with `part`, one of the maps in it, replaced."""
    if obj is part:
        return new
    for field in ("spec", "jobTemplate", "template"):
        if field in obj and isinstance(obj[field], dict):
            return {**obj, field: _replaced(obj[field], part, new)}
    return obj


def _send(api: Api, resource: str, old: Object, new: Object, word: str) -> Outcome:
    patch = two_way({"spec": old["spec"]}, {"spec": new["spec"]})  # nothing else changes
    if not patch:
        return Outcome("", old)
    metadata = old["metadata"]
    with asking():
        stored = api.patch(resource, metadata["name"], patch, metadata.get("namespace", ""))
    return Outcome(line(resource, metadata["name"], word), stored)
