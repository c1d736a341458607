"""Mirrors Endpoints that somebody wrote by hand, of services that select no pods, into EndpointSlices.

pkg/controller/endpointslicemirroring/{endpointslicemirroring_controller,reconciler,utils}.go
"""

from __future__ import annotations

from gherkube.runners.errors import ApiError
from gherkube.runners.history import Change
from gherkube.runners.objects import Key, Object
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.controllers.endpointslice import MANAGED_BY, SERVICE_NAME, TRIGGER_TIME
from gherkube.runners.simulator.controllers.ownership import reference_to
from gherkube.runners.simulator.controllers.runtime import Informers, WorkQueue

MANAGER = "endpointslicemirroring-controller.k8s.io"
SKIP = "endpointslice.kubernetes.io/skip-mirror"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
NOT_COPIED = (LAST_APPLIED, TRIGGER_TIME)


class EndpointSliceMirroringController:
    """Keeps the slices of Endpoints that no controller writes."""

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance) -> None:
        self._api = api
        self._queue: WorkQueue[Key] = WorkQueue(api.clock, chance, self._sync)
        self._services, self._slices = informers.of("services"), informers.of("endpointslices")
        self._mirrored = self._slices.index(_mirrored_of)
        self._services.on_change(self._changed)
        informers.of("endpoints").on_change(self._changed)

    def _changed(self, change: Change) -> None:
        service = self._services.get(change.key)
        if change.key in self._mirrored or (service is not None and not service["spec"].get("selector")):
            self._queue.add(change.key)

    def _sync(self, key: Key) -> None:
        endpoints, service = self._api.store.get("endpoints", key), self._services.get(key)
        wanted = _bodies(endpoints) if endpoints and service and _is_mirrored(endpoints, service) else []
        stored = (self._api.store.get("endpointslices", each) for each in self._mirrored.get(key, ()))
        there = [each for each in stored if each is not None]
        try:
            for body in wanted:
                same = next((each for each in there if each.get("ports") == body["ports"]), None)
                if same is None:
                    assert endpoints is not None
                    self._api.create_trusted("endpointslices", {**_metadata_of(endpoints), **body})
                    continue
                there.remove(same)
                if same["endpoints"] != body["endpoints"]:
                    self._api.replace_trusted(
                        "endpointslices", {**same, "metadata": {**same["metadata"]}, **body}
                    )
            for each in there:
                self._api.delete("endpointslices", each["metadata"]["name"], key.namespace)
        except ApiError as refused:
            if refused.reason not in ("Forbidden", "NotFound"):  # the namespace or the slice goes anyway
                raise


def _mirrored_of(slice_: Object) -> Key | None:
    labels = slice_["metadata"].get("labels", {})
    if labels.get(MANAGED_BY) != MANAGER:
        return None
    return Key(slice_["metadata"]["namespace"], labels[SERVICE_NAME])


def _is_mirrored(endpoints: Object, service: Object) -> bool:
    labels = endpoints["metadata"].get("labels", {})
    return not service["spec"].get("selector") and labels.get(SKIP) != "true"


def _metadata_of(endpoints: Object) -> Object:
    """newEndpointSlice"""
    metadata = endpoints["metadata"]
    name, labels = metadata["name"], metadata.get("labels", {})
    made: Object = {
        "generateName": f"{name}-",
        "namespace": metadata["namespace"],
        "labels": {**labels, SERVICE_NAME: name, MANAGED_BY: MANAGER},
        "ownerReferences": [reference_to(endpoints)],
    }
    notes = {key: value for key, value in metadata.get("annotations", {}).items() if key not in NOT_COPIED}
    if notes:
        made["annotations"] = notes
    return {"metadata": made}


def _bodies(endpoints: Object) -> list[Object]:
    """What the slices hold, one a subset."""
    return [
        {
            "addressType": "IPv4",
            "endpoints": [
                _endpoint(address, ready)
                for field, ready in (("addresses", True), ("notReadyAddresses", False))
                for address in subset.get(field, ())
            ],
            "ports": [{"name": "", **port} for port in subset.get("ports", ())],
        }
        for subset in endpoints.get("subsets", ())
    ]


def _endpoint(address: Object, ready: bool) -> Object:
    """addressToEndpoint"""
    more: Object = {
        field: address[field] for field in ("hostname", "nodeName", "targetRef") if field in address
    }
    return {"addresses": [address["ip"]], "conditions": {"ready": ready}, **more}
