"""EndpointSlices: which pods stand behind a service, and in what state each is.

Only the pods that changed are looked at, and only the slices that hold them are written.
pkg/controller/endpointslice, staging/src/k8s.io/endpointslice/reconciler.go
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gherkube.runners.errors import ApiError
from gherkube.runners.history import DELETED, Change
from gherkube.runners.objects import Key, Object, is_deleting, is_ready, key_of
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.controllers.runtime import Informers, WorkQueue
from gherkube.runners.simulator.controllers.service_pods import (
    PortKey,
    ServicePods,
    TriggerTimes,
    belongs,
    fixed_ports,
    inherited_labels,
    ports_of,
)

MAX_ENDPOINTS = 100
"""How many endpoints a slice holds at most (`--max-endpoints-per-slice`)."""
RETRIES, BACKOFF = 15, (1.0, 1000.0)
"""How often a turn that failed is taken again, and after how many seconds. defaultSyncBackOff"""
SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY, MANAGER = "endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io"
TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"
ZONE = "topology.kubernetes.io/zone"


class EndpointSliceController:
    """Keeps the slices of every service that selects pods."""

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance) -> None:
        self._api = api
        self._queue: WorkQueue[Key] = WorkQueue(
            api.clock, chance, self._sync, retries=RETRIES, backoff=BACKOFF
        )
        self._pods = ServicePods(informers, self._queue.add)
        self._nodes = informers.of("nodes")
        self._slices = informers.of("endpointslices")
        self._by_service = self._slices.index(_service_of)
        self._slices.on_change(self._slice_changed)
        self._known: dict[Key, _Slices] = {}
        self._triggers: dict[Key, TriggerTimes] = {}

    def _slice_changed(self, change: Change) -> None:
        """Repairs slices that somebody else changed; echoes of own writes are known by their version."""
        service = _service_of(change.object)
        known = self._known.get(service) if service is not None else None
        if service is None or known is None:
            return
        own = known.slices.get(change.object["metadata"]["name"])
        if own is None:
            return
        version = int(change.object["metadata"]["resourceVersion"])
        if change.type == DELETED or version > int(own["metadata"]["resourceVersion"]):
            self._forget(service)
            self._queue.add(service)

    def _forget(self, service: Key) -> None:
        """Drops what is known of a service's slices; the next sync looks at all its pods again."""
        known = self._known.pop(service, None)
        touched = self._pods.touched.setdefault(service, {})
        touched.update(dict.fromkeys(self._pods.members.get(service, ())))
        if known is not None:
            touched.update(dict.fromkeys(known.where))

    def _sync(self, key: Key) -> None:
        service = self._pods.services.get(key)
        if service is None:
            self._known.pop(key, None)
            self._triggers.pop(key, None)
            self._pods.touched.pop(key, None)
            return
        if not service["spec"].get("selector") or service["spec"].get("type") == "ExternalName":
            return
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _Slices(self._stored_slices(key))
        touched = self._pods.take_touched(key)
        trigger = self._triggers.setdefault(key, TriggerTimes()).of(service, touched)
        skipped: dict[Key, None] = {}
        try:
            endpoints = self._endpoints(service, touched, skipped)
            self._write(known, service, trigger, known.plan(service, endpoints))
        except ApiError as refused:
            self._forget(key)
            if not any(
                cause.get("reason") == "NamespaceTerminating" for cause in refused.details.get("causes", ())
            ):
                raise
        if skipped:  # to be looked at again, as long as they are there
            self._pods.touched.setdefault(key, {}).update(skipped)
            raise ApiError(404, "NotFound", f"skipping Pod {next(iter(skipped)).name}: Node Not Found")

    def _stored_slices(self, service: Key) -> list[Object]:
        stored = [self._api.store.get("endpointslices", key) for key in self._by_service.get(service, ())]
        return [each for each in stored if each is not None]

    def _endpoints(
        self, service: Object, touched: dict[Key, Object | None], skipped: dict[Key, None]
    ) -> Iterator[tuple[Key, Object | None, PortKey]]:
        """What each touched pod is to the service now: its endpoint and ports, or None.

        Those whose node is not there are `skipped`, unless addresses are shown whatever becomes of the pods.
        """
        fixed, publish = fixed_ports(service), service["spec"].get("publishNotReadyAddresses", False)
        for key, pod in touched.items():
            if pod is None or not belongs(pod):
                yield key, None, ()
                continue
            node = self._nodes.get(Key("", pod["spec"]["nodeName"]))
            if node is None and not publish:
                skipped[key] = None
                yield key, None, ()
            else:
                ports = fixed if fixed is not None else ports_of(service, pod)
                yield key, self._endpoint(service, pod, node), ports

    @staticmethod
    def _endpoint(service: Object, pod: Object, node: Object | None) -> Object:
        """staging/src/k8s.io/endpointslice/utils.go podToEndpoint"""
        metadata, spec = pod["metadata"], pod["spec"]
        serving, terminating = is_ready(pod), is_deleting(pod)
        publish = service["spec"].get("publishNotReadyAddresses", False)
        endpoint: Object = {
            "addresses": [pod["status"]["podIP"]],
            "conditions": {
                "ready": publish or (serving and not terminating),
                "serving": serving,
                "terminating": terminating,
            },
            "targetRef": {
                "kind": "Pod",
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
            "nodeName": spec["nodeName"],
        }
        if node is not None and (zone := (node["metadata"].get("labels") or {}).get(ZONE)):
            endpoint["zone"] = zone
        if spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]:
            endpoint["hostname"] = spec["hostname"]
        return endpoint

    def _write(self, known: _Slices, service: Object, trigger: str, plan: _Plan) -> None:
        """Creates, updates, then deletes, as reconciler.go finalize does."""
        api, namespace = self._api, service["metadata"]["namespace"]
        for body in plan.create:
            known.put(api.create_trusted("endpointslices", _new_slice(service, body, trigger)))
        labels = slice_labels(service)
        for name, body in plan.update.items():
            old = known.slices[name]
            annotations = {**old["metadata"].get("annotations", {}), TRIGGER_TIME: trigger}
            if not trigger:
                del annotations[TRIGGER_TIME]
            metadata = {**old["metadata"], "labels": labels, "annotations": annotations}
            if not annotations:
                del metadata["annotations"]
            known.put(api.replace_trusted("endpointslices", {**old, "metadata": metadata, **body}))
        for name in plan.delete:
            api.delete("endpointslices", name, namespace)
            del known.slices[name]


class _Plan:
    """What a sync writes: bodies (`endpoints`, `ports`) to create or to put under a name, names to delete."""

    def __init__(self) -> None:
        self.create: list[Object] = []
        self.update: dict[str, Object] = {}
        self.delete: list[str] = []


class _Slices:
    """The slices of one service as last written, and which of them holds which pod."""

    def __init__(self, stored: list[Object]) -> None:
        self.slices: dict[str, Object] = {}
        self.where: dict[Key, str] = {}
        for each in stored:
            self.put(each)

    def put(self, written: Object) -> None:
        """Takes over a slice as it is stored now."""
        name = written["metadata"]["name"]
        self.slices[name] = written
        for endpoint in written["endpoints"] or ():
            self.where[_pod_of(endpoint)] = name

    def plan(self, service: Object, wanted: Iterator[tuple[Key, Object | None, PortKey]]) -> _Plan:
        """What to write so that the slices show the wanted endpoints. reconcileByPortMapping"""
        changed, new = self._apply(wanted)
        plan = _Plan()
        for name, endpoints in changed.items():
            kept = [endpoint for endpoint in endpoints.values() if endpoint is not None]
            if kept:
                plan.update[name] = {"endpoints": kept, "ports": self.slices[name]["ports"]}
            else:
                plan.delete.append(name)
        labels = slice_labels(service)
        for name, each in self.slices.items():
            if name not in changed and each["metadata"]["labels"] != labels:
                plan.update[name] = {"endpoints": each["endpoints"], "ports": each["ports"]}
        for ports, homeless in new.items():
            self._fill(plan, _port_list(ports), homeless)
        self._reuse(plan)
        return plan

    def _apply(
        self, wanted: Iterator[tuple[Key, Object | None, PortKey]]
    ) -> tuple[dict[str, dict[Key, Object | None]], dict[PortKey, list[Object]]]:
        """The endpoints by pod of each slice that changes, and the endpoints that have no place yet."""
        changed: dict[str, dict[Key, Object | None]] = {}
        new: dict[PortKey, list[Object]] = {}
        for pod, endpoint, ports in wanted:
            name = self.where.get(pod)
            if name is not None:
                slice_ = self.slices[name]
                endpoints = changed.get(name) or {_pod_of(each): each for each in slice_["endpoints"]}
                moves = endpoint is not None and slice_["ports"] != _port_list(ports)
                if not moves and endpoints[pod] == endpoint:
                    continue
                changed[name] = endpoints
                endpoints[pod] = None if moves else endpoint
                if endpoint is None or moves:
                    del self.where[pod]
                if not moves:
                    continue
            if endpoint is not None:
                new.setdefault(ports, []).append(endpoint)
        return changed, new

    def _fill(self, plan: _Plan, ports: list[Object], endpoints: list[Object]) -> None:
        """Finds places: in slices that are written anyway, in one with just enough room, in new ones."""
        left = list(endpoints)
        for body in sorted(plan.update.values(), key=lambda body: -len(body["endpoints"] or ())):
            if left and body["ports"] == ports:
                room = MAX_ENDPOINTS - len(body["endpoints"])
                body["endpoints"] = body["endpoints"] + left[:room]
                del left[:room]
        while left:
            name = self._fullest(plan, ports, len(left)) if len(left) < MAX_ENDPOINTS else None
            if name is not None:
                plan.update[name] = {"endpoints": self.slices[name]["endpoints"] + left, "ports": ports}
                return
            plan.create.append({"endpoints": left[:MAX_ENDPOINTS], "ports": ports})
            del left[:MAX_ENDPOINTS]

    def _fullest(self, plan: _Plan, ports: list[Object], more: int) -> str | None:
        """The unchanged slice that comes closest to full with that many more. getSliceToFill"""
        best: str | None = None
        size = -1
        for name, each in self.slices.items():
            if name in plan.update or name in plan.delete or each["ports"] != ports:
                continue
            count = len(each["endpoints"] or ())
            if size < count <= MAX_ENDPOINTS - more:
                best, size = name, count
        return best

    def _reuse(self, plan: _Plan) -> None:
        """Leaves a placeholder when no slice would be left, and turns deletions into updates. finalize"""
        placeholders = [name for name, each in self.slices.items() if each["endpoints"] is None]
        if plan.create or len(placeholders) < len(self.slices):
            plan.delete += [name for name in placeholders if name not in plan.update]
        if len(plan.delete) == len(self.slices) and not plan.create:
            plan.create.append(PLACEHOLDER)
        while plan.create and plan.delete:
            plan.update[plan.delete.pop(0)] = plan.create.pop()


PLACEHOLDER: Object = {"endpoints": None, "ports": None}
"""What is left of the slices of a service without pods."""


def slice_labels(service: Object) -> dict[str, str]:
    """The labels of a service's slices. staging/src/k8s.io/endpointslice/utils.go setEndpointSliceLabels"""
    labels = inherited_labels(service)
    labels.update({MANAGED_BY: MANAGER, SERVICE_NAME: service["metadata"]["name"]})
    return labels


def _new_slice(service: Object, body: Object, trigger: str) -> Object:
    metadata = service["metadata"]
    return {
        "metadata": {
            "generateName": f"{metadata['name']}-",
            "namespace": metadata["namespace"],
            "labels": slice_labels(service),
            **({"annotations": {TRIGGER_TIME: trigger}} if trigger else {}),
            "ownerReferences": [
                {
                    "apiVersion": "v1",
                    "kind": "Service",
                    "name": metadata["name"],
                    "uid": metadata["uid"],
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "addressType": "IPv4",
        **body,
    }


def _port_list(ports: PortKey) -> list[Object]:
    return [
        {"name": name, "protocol": protocol, "port": number, **({"appProtocol": app} if app else {})}
        for name, protocol, number, app in ports
    ]


def _pod_of(endpoint: Object) -> Key:
    reference: dict[str, Any] = endpoint["targetRef"]
    return Key(reference["namespace"], reference["name"])


def _service_of(slice_: Object) -> Key | None:
    """The service whose slice this controller keeps."""
    labels = slice_["metadata"].get("labels") or {}
    if labels.get(MANAGED_BY) != MANAGER or SERVICE_NAME not in labels:
        return None
    return Key(key_of(slice_).namespace, labels[SERVICE_NAME])
