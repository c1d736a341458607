"""Endpoints, the older form of what EndpointSlices say: one object a service, without terminating pods.

The addresses are kept sorted, and only the pods that changed are looked at.
pkg/controller/endpoint/endpoints_controller.go
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import NamedTuple

from gherkube.runners.errors import ApiError
from gherkube.runners.history import DELETED, Change
from gherkube.runners.objects import Key, Object, is_deleting, is_ready
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

MAX_ADDRESSES = 1000
"""How many addresses the object holds at most (`maxCapacity`)."""
TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
MANAGED_BY, MANAGER = "endpoints.kubernetes.io/managed-by", "endpoint-controller"


class EndpointsController:
    """Keeps the Endpoints object of every service that selects pods."""

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance) -> None:
        self._api = api
        self._queue: WorkQueue[Key] = WorkQueue(api.clock, chance, self._sync)
        self._pods = ServicePods(informers, self._queue.add)
        self._known: dict[Key, _Addresses] = {}
        informers.of("endpoints").on_change(self._endpoints_changed)

    def _endpoints_changed(self, change: Change) -> None:
        """What somebody deleted is made again. onEndpointsDelete"""
        if change.type == DELETED and change.key in self._known:
            self._queue.add(change.key)

    def _sync(self, key: Key) -> None:
        service = self._pods.services.get(key)
        if service is None:
            self._known.pop(key, None)
            self._pods.touched.pop(key, None)
            if self._api.store.get("endpoints", key) is not None:
                self._api.delete("endpoints", key.name, key.namespace)
            return
        if not service["spec"].get("selector") or service["spec"].get("type") == "ExternalName":
            return
        known = self._known.setdefault(key, _Addresses())
        touched = self._pods.take_touched(key)
        trigger = known.triggers.of(service, touched)
        publish = service["spec"].get("publishNotReadyAddresses", False)
        fixed = fixed_ports(service)
        for pod_key, pod in touched.items():
            known.take_out(pod_key)
            if pod is not None and belongs(pod) and (publish or not is_deleting(pod)):
                ports = fixed if fixed is not None else ports_of(service, pod)
                if not ports and fixed is None:
                    continue  # none of its ports is called as the service's are
                known.put(pod_key, _Place(ports, publish or is_ready(pod), _address(pod)))
        self._write(service, known, trigger)

    def _write(self, service: Object, known: _Addresses, trigger: str) -> None:
        metadata = service["metadata"]
        key = Key(metadata["namespace"], metadata["name"])
        stored = self._api.store.get("endpoints", key)
        subsets, cut = known.subsets()
        labels = {**inherited_labels(service), MANAGED_BY: MANAGER}
        annotations = {TRIGGER_TIME: trigger} if trigger else {}
        if cut:
            annotations[OVER_CAPACITY] = "truncated"
        if stored is not None:
            before = stored["metadata"]
            if stored.get("subsets", []) == subsets and before.get("labels") == labels:
                return
            others = {
                name: value
                for name, value in before.get("annotations", {}).items()
                if name not in (TRIGGER_TIME, OVER_CAPACITY)
            }
            annotations = {**others, **annotations}
        base = stored or {"metadata": {"name": key.name, "namespace": key.namespace}}
        new: Object = {**base, "metadata": {**base["metadata"], "labels": labels}, "subsets": subsets}
        new["metadata"]["annotations"] = annotations
        if not annotations:
            del new["metadata"]["annotations"]
        if not subsets:
            del new["subsets"]
        try:
            if stored is None:
                self._api.create_trusted("endpoints", new)
            else:
                self._api.replace_trusted("endpoints", new)
        except ApiError as refused:
            if refused.reason != "Forbidden":  # the namespace is being deleted
                raise


class _Place(NamedTuple):
    """Where a pod stands: its group of ports, whether it is ready, and its address."""

    ports: PortKey
    ready: bool
    address: Object


class _Addresses:
    """The addresses of one service by group of ports, those that are ready and the others, sorted by IP."""

    def __init__(self) -> None:
        self.triggers = TriggerTimes()
        self._places: dict[Key, _Place] = {}
        self._sorted: dict[PortKey, dict[bool, list[Object]]] = {}

    def put(self, pod: Key, place: _Place) -> None:
        """Adds a pod's address."""
        self._places[pod] = place
        lists = self._sorted.setdefault(place.ports, {True: [], False: []})
        insort(lists[place.ready], place.address, key=_ip)

    def take_out(self, pod: Key) -> None:
        """Takes a pod's address out, if it is there."""
        place = self._places.pop(pod, None)
        if place is None:
            return
        lists = self._sorted[place.ports]
        among = lists[place.ready]
        at = bisect_left(among, _ip(place.address), key=_ip)
        while among[at] is not place.address:
            at += 1
        del among[at]
        if not lists[True] and not lists[False]:
            del self._sorted[place.ports]

    def _groups(self) -> dict[PortKey, dict[bool, list[Object]]]:
        """The addresses by the ports that all of them have, and no others. RepackSubsets"""
        if len(self._sorted) < 2:
            return self._sorted
        by_port: dict[PortKey, dict[bool, list[Object]]] = {}
        for ports, lists in self._sorted.items():
            for port in ports:
                whole = by_port.setdefault((port,), {True: [], False: []})
                for ready, some in lists.items():
                    whole[ready] = sorted(whole[ready] + some, key=_ip)
        alike: dict[tuple[tuple[str, ...], ...], PortKey] = {}
        for ports, lists in sorted(by_port.items()):
            who = tuple(tuple(map(_ip, lists[ready])) for ready in (True, False))
            alike[who] = alike.get(who, ()) + ports
        return {ports: by_port[ports[:1]] for ports in alike.values()}

    def subsets(self) -> tuple[list[Object], bool]:
        """The subsets as the object holds them, and whether some addresses had to be left out."""
        left, total = MAX_ADDRESSES, len(self._places)
        subsets = []
        for ports, lists in sorted(self._groups().items()):
            subset: Object = {}
            for field, ready in (("addresses", True), ("notReadyAddresses", False)):
                if some := lists[ready][:left]:
                    subset[field] = some
                    left -= len(some)
            subset["ports"] = [_port(*port) for port in ports]
            subsets.append(subset)
        return subsets, total > MAX_ADDRESSES


def _address(pod: Object) -> Object:
    metadata = pod["metadata"]
    reference = {
        "kind": "Pod",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }
    return {"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"], "targetRef": reference}


def _port(name: str, protocol: str, number: int, app: str) -> Object:
    port: Object = {"name": name} if name else {}
    port.update(port=number, protocol=protocol)
    if app:
        port["appProtocol"] = app
    return port


def _ip(address: Object) -> str:
    return str(address["ip"])
