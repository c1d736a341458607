"""Which pods each service selects, and when that last mattered: what both endpoint controllers stand on.

Selections are kept up as pods and services change: a pod's labels lead to the services that may select
it, so a change of one pod looks at no other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from gherkube.runners.history import ADDED, DELETED, Change
from gherkube.runners.objects import ENDED, Key, Object, condition, is_ready, key_of
from gherkube.runners.simulator.controllers.runtime import Informers

Selector: TypeAlias = tuple[tuple[str, str], ...]
PortKey: TypeAlias = tuple[tuple[str, str, int, str], ...]
"""The ports of a group of endpoints: name, protocol, number, application protocol."""


class ServicePods:
    """The pods that each service selects.

    `wake(service)` is called when the service should be looked at again; what changed since the last
    look is in `touched`.
    """

    def __init__(self, informers: Informers, wake: Callable[[Key], object]) -> None:
        self._wake = wake
        self.services, self._pods = informers.of("services"), informers.of("pods")
        self.members: dict[Key, dict[Key, Object]] = {}
        self.touched: dict[Key, dict[Key, None]] = {}
        """By service, the pods that came, changed or went since the last look."""
        self._selectors: dict[Key, Selector] = {}
        self._by_pair: dict[tuple[str, str, str], dict[Key, Selector]] = {}
        for service in self.services.objects.values():
            self._select(key_of(service), service)
        self.services.on_change(self._service_changed)
        self._pods.on_change(self._pod_changed)

    def take_touched(self, service: Key) -> dict[Key, Object | None]:
        """The pods that were touched since the last call, with their newest state (None: not selected)."""
        members = self.members.get(service, {})
        return {pod: members.get(pod) for pod in self.touched.pop(service, ())}

    def _service_changed(self, change: Change) -> None:
        key = change.key
        if change.type == DELETED:
            self._select(key, None)
        elif change.old is None or change.old["spec"] != change.object["spec"] or change.type == ADDED:
            self._select(key, change.object)
        self._wake(key)

    def _select(self, key: Key, service: Object | None) -> None:
        """Finds the pods of a new or changed service; all that were or are selected count as touched."""
        old = self._selectors.pop(key, None)
        if old:
            pair = (key.namespace, *old[0])
            del self._by_pair[pair][key]
            if not self._by_pair[pair]:
                del self._by_pair[pair]
        touched = self.touched.setdefault(key, {})
        touched.update(dict.fromkeys(self.members.pop(key, ())))
        selector = tuple(sorted((service["spec"].get("selector") or {}).items())) if service else ()
        if not selector:
            self.touched.pop(key)
            return
        self._selectors[key] = selector
        self._by_pair.setdefault((key.namespace, *selector[0]), {})[key] = selector
        self.members[key] = {
            pod: obj
            for pod, obj in self._pods.objects.items()
            if pod.namespace == key.namespace and _matches(selector, obj["metadata"].get("labels") or {})
        }
        touched.update(dict.fromkeys(self.members[key]))

    def _pod_changed(self, change: Change) -> None:
        if not self._by_pair:
            return
        pod, old = change.object, change.old if change.type != ADDED else None
        metadata = pod["metadata"]
        key = Key(metadata["namespace"], metadata["name"])
        labels = metadata.get("labels") or {}
        now = self._selecting(key.namespace, labels) if change.type != DELETED else []
        before = now
        if old is not None and (change.type == DELETED or (old["metadata"].get("labels") or {}) != labels):
            before = self._selecting(key.namespace, old["metadata"].get("labels") or {})
        for service in now:
            self.members[service][key] = pod
            self.touched.setdefault(service, {})[key] = None
            if old is None or service not in before or facts(old) != facts(pod):
                self._wake(service)
        for service in before:
            if service not in now and self.members[service].pop(key, None) is not None:
                self.touched.setdefault(service, {})[key] = None
                self._wake(service)

    def _selecting(self, namespace: str, labels: dict[str, str]) -> list[Key]:
        return [
            service
            for pair in labels.items()
            for service, selector in self._by_pair.get((namespace, *pair), {}).items()
            if len(selector) == 1 or _matches(selector, labels)
        ]


class TriggerTimes:
    """When what a write of endpoints answers to happened.

    staging/src/k8s.io/endpointslice/util/trigger_time_tracker.go ComputeEndpointLastChangeTriggerTime
    """

    def __init__(self) -> None:
        self._pods: dict[Key, str] = {}
        self._known = False

    def of(self, service: Object, touched: dict[Key, Object | None]) -> str:
        """The earliest change of readiness among the pods since the last call, "" when there is none.

        Of a service that is new here, its creation.
        """
        changed: list[str] = []
        for key, pod in touched.items():
            ready = condition(pod, "Ready") if pod is not None else None
            if ready is None:
                self._pods.pop(key, None)
            elif (stamp := ready["lastTransitionTime"]) > self._pods.get(key, ""):
                changed.append(stamp)
                self._pods[key] = stamp
        if not self._known:
            self._known = True
            return str(service["metadata"]["creationTimestamp"])
        return min(changed, default="")


def facts(pod: Object) -> tuple[object, ...]:
    """All of a pod, its labels apart, that endpoints depend on.

    staging/src/k8s.io/endpointslice/util/controller_utils.go podEndpointsChanged
    """
    status = pod["status"]
    return (
        "deletionTimestamp" in pod["metadata"],
        status.get("phase") in ENDED,
        status.get("podIP"),
        pod["spec"].get("nodeName"),
        is_ready(pod),
    )


def belongs(pod: Object) -> bool:
    """Whether a selected pod has an endpoint: it has an address and has not ended. ShouldPodBeInEndpoints"""
    status = pod["status"]
    return bool(status.get("podIP")) and status.get("phase") not in ENDED


def ports_of(service: Object, pod: Object) -> PortKey:
    """The ports at which the pod answers for the service; a named target that the pod lacks is left out.

    staging/src/k8s.io/endpointslice/utils.go getEndpointPorts, FindPort
    """
    found = []
    for port in service["spec"].get("ports") or ():
        protocol = port.get("protocol", "TCP")
        target = port.get("targetPort", port["port"])
        number = target if isinstance(target, int) else _named_port(pod, target, protocol)
        if number is not None:
            found.append((port.get("name", ""), protocol, number, port.get("appProtocol", "")))
    return tuple(found)


def fixed_ports(service: Object) -> PortKey | None:
    """The ports of all pods of the service, or None when they depend on the pod."""
    targets = [port.get("targetPort", port["port"]) for port in service["spec"].get("ports") or ()]
    if any(isinstance(target, str) for target in targets):
        return None
    return ports_of(service, {})


def inherited_labels(service: Object) -> dict[str, str]:
    """The labels that endpoints take over from their service."""
    labels = dict(service["metadata"].get("labels") or {})
    labels.pop("service.kubernetes.io/headless", None)
    if service["spec"].get("clusterIP") == "None":
        labels["service.kubernetes.io/headless"] = ""
    return labels


def _matches(selector: Selector, labels: dict[str, str]) -> bool:
    return all(labels.get(name) == value for name, value in selector)


def _named_port(pod: Object, name: str, protocol: str) -> int | None:
    spec = pod["spec"]
    sidecars = [each for each in spec.get("initContainers", ()) if each.get("restartPolicy") == "Always"]
    for container in (*spec["containers"], *sidecars):
        for port in container.get("ports") or ():
            if port.get("name") == name and port.get("protocol", "TCP") == protocol:
                return int(port["containerPort"])
    return None
