"""The ready endpoints of a service, as its EndpointSlices have them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gherkube.runners.errors import UsageError
from gherkube.runners.expectations.count import Count
from gherkube.runners.expectations.pods import short
from gherkube.runners.expectations.statement import Check, Sight, Statement, Tracker
from gherkube.runners.expectations.subjects import POD_RESOURCES, PodSelector, Selected, WorkloadRef
from gherkube.runners.expectations.view import View
from gherkube.runners.history import Change
from gherkube.runners.objects import Key

SERVICE = "kubernetes.io/service-name"


@dataclass(frozen=True)
class EndpointsStatement(Statement):
    """The service has so many ready endpoints; or all it has, and at least one, are pods meant by `only`."""

    service: Key
    count: Count | None = None
    only: PodSelector | None = None

    @property
    def resources(self) -> frozenset[str]:
        return POD_RESOURCES | {"endpointslices"}

    @property
    def steady(self) -> bool:
        return True

    def __post_init__(self) -> None:
        if (self.count is None) == (self.only is None):
            raise UsageError("say of endpoints either how many there are, or on which pods only")

    @property
    def text(self) -> str:
        service = f'service "{self.service.name}"'
        if self.count is not None:
            return f"{service} with {self.count.text} endpoint{'s' if self.count.plural else ''}"
        assert self.only is not None
        return f"{service} with endpoints only on {self.only.noun()}"

    @property
    def subject(self) -> WorkloadRef:
        return WorkloadRef("services", self.service.namespace, self.service.name)

    @property
    def admits_nothing(self) -> bool:
        return self.count is not None and self.count.admits_none

    def missing(self, view: View) -> str:
        return self.subject.missing(view) or (self.only.missing(view) if self.only is not None else "")

    def track(self, view: View) -> Tracker:
        selected = Selected(self.only, view) if self.only is not None else None

        def look(view: View) -> Sight:
            ready = list(ready_endpoints(view, self.service))
            found = f"{len(ready)} endpoint{'' if len(ready) == 1 else 's'}"
            pods = [(endpoint.get("targetRef") or {}).get("name", "?") for endpoint in ready]
            found += f" ({short(pods)})" if pods else ""
            if selected is None:
                assert self.count is not None
                away = self.count.distance(len(ready), len(ready))
                return Sight(not away, found, away)
            others = []
            for endpoint, name in zip(ready, pods, strict=True):
                pod = view.referred(self.service.namespace, endpoint.get("targetRef") or {"name": ""})
                if pod is None or not selected.includes(pod):
                    others.append(name)
            if others:
                found = f"{len(others)} of {len(ready)} endpoints are others ({short(others)})"
            return Sight(bool(ready) and not others, found)

        def concerns(change: Change) -> bool:
            if change.resource == "endpointslices":
                return is_of(change.object, self.service)
            return selected is not None and (change.resource == "pods" or selected.upset(change))

        return Check(view, look, concerns)


def is_of(endpoint_slice: Any, service: Key) -> bool:
    """Whether an EndpointSlice is one of that service."""
    metadata = endpoint_slice["metadata"]
    return bool(
        metadata.get("namespace") == service.namespace
        and (metadata.get("labels") or {}).get(SERVICE) == service.name
    )


def ready_endpoints(view: View, service: Key) -> Iterator[Any]:
    """The endpoints that take requests; one that does not say so is ready."""
    for endpoint_slice in view.of("endpointslices").values():
        if is_of(endpoint_slice, service):
            for endpoint in endpoint_slice.get("endpoints") or ():
                if (endpoint.get("conditions") or {}).get("ready") is not False:
                    yield endpoint
