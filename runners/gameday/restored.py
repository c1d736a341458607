"""A simulator with the objects of a snapshot: workloads run there as they did, and no rollout begins.

Objects keep names, uids, revisions and times of creation, and the clock begins when the snapshot was taken.
Pods start anew on their nodes: `settle` lets them, before anything is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from gherkube.runners.gameday.snapshot import TAKEN, Snapshot
from gherkube.runners.objects import TEMPLATED, Key, Object, is_ready, key_of
from gherkube.runners.quantities import cpu_milli, memory_bytes
from gherkube.runners.simulator.api.priority import SYSTEM
from gherkube.runners.simulator.clock import EPOCH
from gherkube.runners.simulator.cluster import Simulator
from gherkube.runners.simulator.node.nodes import healthy_conditions, node_info

SETTLES_WITHIN = 1800.0
"""Virtual seconds that pods which were ready get to be ready again."""
QUIET = 5.0
"""Virtual seconds after that for controllers to tell what they have seen."""
PULLS = ("ErrImagePull", "ImagePullBackOff")


def restore(snapshot: Snapshot, seed: int) -> Simulator:
    """A simulator of that seed with these objects; its pods have not started yet."""
    start = max(map(_seconds, (snapshot.taken, *_created(snapshot))))
    nodes = [
        _node(node, snapshot.reserved.get(node["metadata"]["name"], {}), start)
        for node in snapshot.of("nodes")
    ]
    simulator = Simulator(seed, nodes, keeps=True, start=start)
    store = simulator.store
    for namespace in snapshot.of("namespaces"):
        if store.get("namespaces", key_of(namespace)) is None:
            store.put("namespaces", _fresh(namespace))
    for obj in (*snapshot.of("configmaps"), *_supposed(snapshot)):
        store.put("configmaps" if obj["kind"] == "ConfigMap" else "secrets", _fresh(obj))
    _tell_images(simulator, snapshot)
    for made in _classes(snapshot):
        simulator.api.create_trusted("priorityclasses", made)
    known = {resource.name for resource in simulator.api.resources}
    for resource in TAKEN:
        if resource in known and resource != "configmaps":
            for obj in snapshot.of(resource):
                if store.get(resource, key_of(obj)) is None:
                    store.put(resource, _pod(obj) if resource == "pods" else _fresh(obj))
    simulator.catch_up()
    for node in snapshot.of("nodes"):
        if not is_ready(node):
            simulator.kubelets.stop(node["metadata"]["name"])
            simulator.network.down[node["metadata"]["name"]] = None
    return simulator


def settle(simulator: Simulator, snapshot: Snapshot) -> list[str]:
    """Lets the pods start; returns those that were ready and are not, by name."""
    awaited = [key_of(pod) for pod in snapshot.of("pods") if is_ready(pod)]

    def late() -> list[Key]:
        found = (simulator.store.get("pods", key) for key in awaited)
        return [key for key, pod in zip(awaited, found, strict=True) if pod is None or not is_ready(pod)]

    simulator.clock.wait(lambda: not late(), SETTLES_WITHIN, resources=("pods",))
    slowest = max((w["spec"].get("minReadySeconds", 0) for w in _workloads(snapshot)), default=0)
    simulator.clock.sleep(slowest + QUIET)
    return [key.name for key in late()]


def _created(snapshot: Snapshot) -> Iterator[str]:
    """When objects were made: a target's clock may be ahead of ours."""
    for resource in TAKEN:
        yield from (each["metadata"]["creationTimestamp"] for each in snapshot.of(resource))


def _seconds(stamp: str) -> float:
    return (datetime.fromisoformat(stamp) - EPOCH).total_seconds()


def _workloads(snapshot: Snapshot) -> Iterator[Object]:
    for resource in ("deployments", "statefulsets", "daemonsets"):
        yield from snapshot.of(resource)


def _fresh(obj: Object) -> Object:
    """The object with metadata of its own, into which the store writes."""
    return {**obj, "metadata": {**obj["metadata"]}}


def _pod(pod: Object) -> Object:
    """The pod as its node first hears of it."""
    scheduled = [each for each in pod["status"].get("conditions", ()) if each["type"] == "PodScheduled"]
    since = {"lastProbeTime": None, "lastTransitionTime": pod["metadata"]["creationTimestamp"]}
    status = {
        "phase": "Pending",
        "qosClass": pod["status"].get("qosClass", "BestEffort"),
        "conditions": [{**each, **since} for each in scheduled],
    }
    metadata = {"generation": 1, **pod["metadata"]}
    return {**pod, "metadata": metadata, "status": status}


def _node(node: Object, reserved: dict[str, int], now: float) -> Object:
    """The node with the room that is left to the pods in scope."""
    status = node["status"]
    name, room = node["metadata"]["name"], status.get("allocatable") or {}
    left = {
        **room,
        "cpu": f"{max(0, cpu_milli(room.get('cpu', 0)) - reserved.get('cpu', 0))}m",
        "memory": str(max(0, memory_bytes(room.get("memory", 0)) - reserved.get("memory", 0))),
        "pods": str(max(0, int(room.get("pods", 110)) - reserved.get("pods", 0))),
    }
    taints = [
        each for each in node["spec"].get("taints", ()) if not each["key"].startswith("node.kubernetes.io/")
    ]
    spec: dict[str, Any] = {key: value for key, value in node["spec"].items() if key != "taints"}
    spec |= {"taints": taints} if taints else {}
    return {
        **node,
        "spec": spec,
        "status": {
            **status,
            "images": [],
            "allocatable": left,
            "conditions": healthy_conditions(now),
            "nodeInfo": node_info(name),
        },
    }


def _classes(snapshot: Snapshot) -> Iterator[Object]:
    """The priority classes that templates name, with what the pods of them show; else of priority 0."""
    templates = (obj["spec"]["template"]["spec"] for resource in TEMPLATED for obj in snapshot.of(resource))
    named = (*templates, *(pod["spec"] for pod in snapshot.of("pods")))
    found = {spec["priorityClassName"]: spec for spec in named if "priorityClassName" in spec}
    for name, spec in sorted(found.items()):
        if name not in SYSTEM:
            yield {
                "metadata": {"name": name},
                "value": spec.get("priority", 0),
                "preemptionPolicy": spec.get("preemptionPolicy", "PreemptLowerPriority"),
            }


def _tell_images(simulator: Simulator, snapshot: Snapshot) -> None:
    """Which images nodes have, and which nobody could pull."""
    images = simulator.images
    for node in snapshot.of("nodes"):
        for image in node["status"].get("images", ()):
            images.pulled(image, node["metadata"]["name"])
    for pod in snapshot.of("pods"):
        states = {each["name"]: each for each in pod["status"].get("containerStatuses", ())}
        for container in pod["spec"]["containers"]:
            status, image = states.get(container["name"], {}), container["image"]
            waits = ((status.get("state") or {}).get("waiting") or {}).get("reason", "")
            if waits in PULLS:
                images.behave(image, exists=False)
            elif status.get("ready") and not images.of(image).exists:
                images.behave(image, exists=True)
    for pod in snapshot.of("pods"):
        if is_ready(pod) and (node_name := pod["spec"].get("nodeName")):
            for container in pod["spec"]["containers"]:
                images.pulled(container["image"], node_name)


def _supposed(snapshot: Snapshot) -> Iterable[Object]:
    """The Secrets that pods refer to, with the keys that they ask for, and nothing in them."""
    found: dict[Key, dict[str, str]] = {}
    templates = [workload["spec"]["template"]["spec"] for workload in _workloads(snapshot)]
    places = [workload["metadata"]["namespace"] for workload in _workloads(snapshot)]
    for pod in snapshot.of("pods"):
        templates.append(pod["spec"])
        places.append(pod["metadata"]["namespace"])
    for namespace, spec in zip(places, templates, strict=True):
        for name, keys in _secrets(spec):
            found.setdefault(Key(namespace, name), {}).update(dict.fromkeys(keys, ""))
    for (namespace, name), data in sorted(found.items()):
        metadata = {"name": name, "namespace": namespace, "uid": f"secret-{namespace}-{name}"}
        metadata["creationTimestamp"] = snapshot.taken
        yield {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": metadata, "data": data}


def _secrets(spec: Object) -> Iterator[tuple[str, list[str]]]:
    """The Secrets that a pod refers to, each with keys of it."""
    for container in (*spec["containers"], *(spec.get("initContainers") or ())):
        for source in container.get("envFrom") or ():
            if "secretRef" in source:
                yield source["secretRef"]["name"], []
        for each in container.get("env") or ():
            if reference := (each.get("valueFrom") or {}).get("secretKeyRef"):
                yield reference["name"], [reference["key"]]
    for volume in spec.get("volumes") or ():
        for source in (volume, *((volume.get("projected") or {}).get("sources") or ())):
            if (secret := source.get("secret")) is not None:
                name = secret.get("secretName") or secret.get("name")
                yield name, [item["key"] for item in secret.get("items") or ()]
