"""Limit ranges: what containers are given where they say nothing, and what they may say.

plugin/pkg/admission/limitranger/admission.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from gherkube.runners.objects import Object
from gherkube.runners.quantities import parse
from gherkube.runners.simulator.api.pods import with_requests
from gherkube.runners.simulator.api.quota import amount_in, shown
from gherkube.runners.simulator.api.refusals import forbidden
from gherkube.runners.simulator.api.resources import Resource
from gherkube.runners.simulator.store import Store

LIMITS = "limitranges"
ANNOTATION = "kubernetes.io/limit-ranger"
CONTAINERS = {"containers": "container", "initContainers": "init container"}

Amounts: TypeAlias = dict[str, str]
"""What is asked for, by the name of the resource."""


class LimitDefaults:
    """Gives the containers of a new pod what its namespace says they have."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, pod: Object) -> Object:
        """The pod with its requests and limits, and a note of those that it was given."""
        ranges = self._store.all(LIMITS) and ranges_of(self._store, pod["metadata"]["namespace"])
        if not ranges:
            return pod
        spec, metadata = dict(pod["spec"]), pod["metadata"]
        for field in CONTAINERS.keys() & spec.keys():
            spec[field] = [with_requests(container) for container in spec[field]]
        for each in ranges:
            given, notes = _defaults(each), list[str]()
            for field, word in CONTAINERS.items():
                if field in spec:
                    spec[field] = [_completed(container, given, word, notes) for container in spec[field]]
            if notes:
                noted = {ANNOTATION: f"LimitRanger plugin set: {'; '.join(notes)}"}
                metadata = {**metadata, "annotations": {**metadata.get("annotations", {}), **noted}}
        return {**pod, "metadata": metadata, "spec": spec}


def check_limits(store: Store, info: Resource, obj: Object) -> None:
    """Forbidden when a new object is outside what its namespace says of its kind."""
    check = CHECKED.get(info.name)
    for each in ranges_of(store, obj["metadata"].get("namespace", "")) if check is not None else ():
        assert check is not None
        limits = each["spec"].get("limits", ())
        if found := list(dict.fromkeys(why for limit in limits for why in check(limit, obj))):
            said = found[0] if len(found) == 1 else f"[{', '.join(found)}]"
            raise forbidden(info, obj["metadata"]["name"], said)


def ranges_of(store: Store, namespace: str) -> list[Object]:
    """The limit ranges of a namespace."""
    return [each for each in store.all(LIMITS) if each["metadata"]["namespace"] == namespace]


def _defaults(limit_range: Object) -> dict[str, Amounts]:
    """defaultContainerResourceRequirements"""
    given: dict[str, Amounts] = {"requests": {}, "limits": {}}
    for limit in limit_range["spec"].get("limits", ()):
        if limit["type"] == "Container":
            given["requests"] |= limit.get("defaultRequest", {})
            given["limits"] |= limit.get("default", {})
    return given


def _completed(container: Object, given: dict[str, Amounts], word: str, notes: list[str]) -> Object:
    """The container with what it does not say itself; told in the notes. mergeContainerResources"""
    resources = dict(container.get("resources", {}))
    for part, amounts in given.items():
        said = resources.get(part, {})
        if new := sorted(amounts.keys() - said.keys()):
            resources[part] = {**said, **{name: amounts[name] for name in new}}
            notes.append(f"{', '.join(new)} {part.removesuffix('s')} for {word} {container['name']}")
    return {**container, "resources": resources}


def _of_pod(limit: Object, pod: Object) -> Iterator[str]:
    """PodValidateLimitFunc"""
    spec = pod["spec"]
    if limit["type"] == "Container":
        for field in CONTAINERS:
            for container in spec.get(field, ()):
                resources = container.get("resources", {})
                yield from _problems(limit, resources.get("requests", {}), resources.get("limits", {}))
    elif limit["type"] == "Pod":
        yield from _problems(limit, _together(spec, "requests"), _together(spec, "limits"))


def _of_claim(limit: Object, claim: Object) -> Iterator[str]:
    """PersistentVolumeClaimValidateLimitFunc"""
    if limit["type"] == "PersistentVolumeClaim":
        requests = claim["spec"].get("resources", {}).get("requests", {})
        yield from _problems({**limit, "max": {}}, requests, {})
        yield from _problems({**limit, "min": {}}, requests, limit.get("max", {}))


def _together(spec: Object, part: str) -> Amounts:
    """What a pod's containers ask for together. podRequests, podLimits"""
    containers = [each for field in CONTAINERS for each in spec.get(field, ())]
    names = {name for each in containers for name in each.get("resources", {}).get(part, {})}
    return {name: shown(amount_in(spec, part, name)) for name in sorted(names)}


def _problems(limit: Object, requests: Amounts, limits: Amounts) -> Iterator[str]:
    """minConstraint, maxConstraint, limitRequestRatioConstraint"""
    per = f"per {limit['type']} is"
    for name, least in limit.get("min", {}).items():
        said = f"minimum {name} usage {per} {least}"
        if name not in requests:
            yield f"{said}.  No request is specified"
        elif parse(requests[name]) < parse(least):
            yield f"{said}, but request is {requests[name]}"
        elif name in limits and parse(limits[name]) < parse(least):
            yield f"{said}, but limit is {limits[name]}"
    for name, most in limit.get("max", {}).items():
        said = f"maximum {name} usage {per} {most}"
        if name not in limits:
            yield f"{said}.  No limit is specified"
        elif parse(limits[name]) > parse(most):
            yield f"{said}, but limit is {limits[name]}"
        elif name in requests and parse(requests[name]) > parse(most):
            yield f"{said}, but request is {requests[name]}"
    for name, ratio in limit.get("maxLimitRequestRatio", {}).items():
        said = f"{name} max limit to request ratio {per} {ratio}, but"
        if not parse(requests.get(name, "0")):
            yield f"{said} no request is specified or request is 0"
        elif not parse(limits.get(name, "0")):
            yield f"{said} no limit is specified or limit is 0"
        elif (found := parse(limits[name]) / parse(requests[name])) > parse(ratio):
            yield f"{said} provided ratio is {float(found):f}"


CHECKED: dict[str, Callable[[Object, Object], Iterator[str]]] = {
    "pods": _of_pod,
    "persistentvolumeclaims": _of_claim,
}
