"""What a history shows in the end, without what is random: facts, by kind, that can be compared.

The same facts are made of recordings of clusters, and of the histories of scenarios (see `places_history`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gherkube.runners.report.names import Json, Names

KINDS = {
    "states": "at every checkpoint, each object's status in short",
    "events": "what the cluster said: kind, reason, message",
    "lives": "each pod's life as people see it: starting, Running 0/1, Terminating; a cycle counts once",
    "moves": "each workload's conditions, as they came to be",
    "bounds": "of each workload, most pods at once, and fewest available once it had been available",
    "outputs": "kubectl's exit codes and the lines it printed (of `rollout status` the last)",
}
"""What is compared."""

Fact = tuple[Hashable, ...]
Facts = dict[str, set[Fact]]

WORKLOADS = frozenset({"deployments", "replicasets", "statefulsets", "daemonsets", "jobs"})
NOT_IN_STATES = frozenset({"events", "services", "controllerrevisions"})
NOT_COUNTS = frozenset({"observedGeneration", "collisionCount"})
HICCUP = "failed to sync configmap cache"
"""Says a busy node; no behaviour."""
STARTING = frozenset({"ContainerCreating", "PodInitializing", ""})

NOISY = frozenset({"nodes", "leases"})
"""What changes by itself: no checkpoint holds it."""


@dataclass
class Recording:
    """Everything that a cluster said while a scenario was played; times are seconds since it began.

    `actions`: t, action, argv, rc, stdout, stderr, seconds. `watch`, the events: t, resource, type, object.
    `states`, the checkpoints: t, name, objects: {resource: [object]}.
    """

    actions: list[Json] = field(default_factory=list)
    watch: list[Json] = field(default_factory=list)
    states: list[Json] = field(default_factory=list)


def checkpoint(t: float, name: str, objects: Iterable[tuple[str, Json]]) -> Json:
    """The line of a checkpoint, of (resource, object) in any order."""
    state: dict[str, list[Json]] = {}
    for resource, obj in sorted(objects, key=lambda entry: (entry[0], entry[1]["metadata"]["name"])):
        if resource not in NOISY:
            state.setdefault(resource, []).append(obj)
    return {"t": round(t, 3), "name": name, "objects": state}


def without_cycles(states: Sequence[str]) -> list[str]:
    """The states with each stretch that repeats at once (up to four long) shown once."""
    out: list[str] = []
    for state in states:
        out.append(state)
        for size in (1, 2, 3, 4):
            if len(out) >= 2 * size and out[-size:] == out[-2 * size : -size]:
                del out[-size:]
                break
    return out


# --- what an object comes to, in short ------------------------------------------------------------


def conditions(names: Names, obj: Json) -> tuple[tuple[str, str, str, str], ...]:
    """The conditions as (type, status, reason, message), sorted."""
    return tuple(
        sorted(
            (c["type"], c["status"], c.get("reason", ""), names.plain(c.get("message", "")))
            for c in obj.get("status", {}).get("conditions") or []
        )
    )


def containers(pod: Json) -> list[Json]:
    """The statuses of the init containers, then of the containers."""
    status = pod.get("status", {})
    return (status.get("initContainerStatuses") or []) + (status.get("containerStatuses") or [])


def _container(status: Json) -> Fact:
    nothing: tuple[str, Json] = ("none", {})
    kind, body = next(iter((status.get("state") or {}).items()), nothing)
    last = (status.get("lastState") or {}).get("terminated") or {}
    return (
        status["name"],
        kind,
        (body or {}).get("reason", ""),
        (body or {}).get("exitCode", ""),
        bool(status.get("ready")),
        status.get("restartCount", 0) > 0,
        last.get("reason", ""),
    )


def short(names: Names, resource: str, obj: Json) -> Fact:
    """What a checkpoint says of the object."""
    metadata, status, spec = obj["metadata"], obj.get("status", {}), obj.get("spec", {})
    if resource == "pods":
        states = ((c["type"], c["status"], c.get("reason", "")) for c in status.get("conditions") or [])
        return (
            names.key(obj),
            status.get("phase"),
            status.get("reason", ""),
            "deletionTimestamp" in metadata,
            tuple(sorted(states)),
            tuple(_container(c) for c in containers(obj)),
        )
    if resource == "endpoints":
        subsets = obj.get("subsets") or []
        counts = ((len(s.get("addresses") or []), len(s.get("notReadyAddresses") or [])) for s in subsets)
        return (names.key(obj), tuple(counts))
    if resource == "endpointslices":
        ends = Counter(tuple(sorted((e.get("conditions") or {}).items())) for e in obj.get("endpoints") or [])
        return (names.key(obj), tuple(sorted(ends.items())))
    notes = {
        k: v for k, v in (metadata.get("annotations") or {}).items() if k.startswith("deployment.kubernetes")
    }
    return (
        names.key(obj),
        spec.get("replicas"),
        tuple(sorted(_counts(resource, obj).items())),
        conditions(names, obj),
        tuple(sorted(notes.items())),
    )


def _counts(resource: str, obj: Json) -> Json:
    status = obj.get("status", {})
    if resource == "resourcequotas":
        used = {f"used {key}": value for key, value in (status.get("used") or {}).items()}
        return {**(status.get("hard") or {}), **used}
    counts = {k: v for k, v in status.items() if isinstance(v, (int, bool)) and k not in NOT_COUNTS}
    if "observedGeneration" in status:
        counts["observed"] = status["observedGeneration"] == obj["metadata"].get("generation")
    return counts


def seen_as(pod: Json) -> str:
    """A pod's state as a person reads it off `kubectl get pods`; all of its start is one state."""
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating"
    status = pod.get("status", {})
    phase = status.get("reason") or status.get("phase")
    states = [
        (container["name"], state, (body or {}).get("reason", ""), bool(container.get("ready")))
        for container in containers(pod)
        for state, body in (container.get("state") or {}).items()
    ]
    waits = {f"{name}:{why}" for name, state, why, _ in states if state == "waiting" and why not in STARTING}
    if waits:
        return " ".join(sorted(waits))
    if phase == "Pending":
        return "starting"
    return f"{phase} {sum(ready for *_, ready in states)}/{len(states)}"


# --- what is compared ------------------------------------------------------------------------------


def facts(recording: Recording, namespaces: Collection[str] = ()) -> Facts:
    """All that a recording shows, by kind; `namespaces` are those whose names are random."""
    names = Names(recording.watch, namespaces)
    pods = [event for event in recording.watch if event["resource"] == "pods"]
    workloads = [event for event in recording.watch if event["resource"] in WORKLOADS]
    return {
        "states": set(_states(names, recording.states)),
        "events": set(_events(names, recording.watch)),
        "lives": set(_lives(names, pods)),
        "moves": set(_moves(names, workloads)),
        "bounds": set(_most_pods(names, pods)) | set(_fewest_available(workloads)),
        "outputs": set(_outputs(names, recording.actions)),
    }


def _states(names: Names, states: Sequence[Json]) -> Iterator[Fact]:
    for state in states:
        for resource, objects in state["objects"].items():
            if resource not in NOT_IN_STATES:
                yield from ((state["name"], resource, short(names, resource, obj)) for obj in objects)


def _events(names: Names, watch: Sequence[Json]) -> Iterator[Fact]:
    for event in (entry["object"] for entry in watch if entry["resource"] == "events"):
        if HICCUP in (event.get("message") or ""):
            continue
        about = event.get("involvedObject") or event.get("regarding") or {}
        message = names.plain(event.get("message") or event.get("note") or "")
        yield (
            about.get("kind"),
            names.of(about.get("name", "")),
            event.get("type"),
            event.get("reason"),
            message,
        )


def _lives(names: Names, pods: Sequence[Json]) -> Iterator[Fact]:
    lives: dict[str, list[str]] = {}
    for event in pods:
        pod = event["object"]
        life = lives.setdefault(pod["metadata"]["uid"], [names.key(pod)])
        life.append("gone" if event["type"] == "DELETED" else seen_as(pod))
    for life in lives.values():
        yield tuple(without_cycles(life))


def _moves(names: Names, workloads: Sequence[Json]) -> Iterator[Fact]:
    for event in workloads:
        if now := tuple(condition[:3] for condition in conditions(names, event["object"])):
            yield (event["resource"], names.key(event["object"]), now)


def _most_pods(names: Names, pods: Sequence[Json]) -> Iterator[Fact]:
    present: dict[str, str] = {}
    most: dict[str, int] = {}
    for event in pods:
        pod, root = event["object"], names.root(event["object"])
        if event["type"] == "DELETED" or pod["metadata"].get("deletionTimestamp"):
            present.pop(pod["metadata"]["uid"], None)
        else:
            present[pod["metadata"]["uid"]] = root
        most[root] = max(most.get(root, 0), sum(r == root for r in present.values()))
    yield from ((root, "most pods", count) for root, count in most.items())


def _fewest_available(workloads: Sequence[Json]) -> Iterator[Fact]:
    fewest: dict[str, int] = {}
    for deployment in (event["object"] for event in workloads if event["resource"] == "deployments"):
        name = deployment["metadata"]["name"]
        have = deployment.get("status", {}).get("availableReplicas", 0)
        if name in fewest or have >= deployment.get("spec", {}).get("replicas", 1):
            fewest[name] = min(fewest.get(name, have), have)
    yield from ((name, "fewest available", count) for name, count in fewest.items())


def _outputs(names: Names, actions: Sequence[Json]) -> Iterator[Fact]:
    for number, action in enumerate(actions):
        if "rc" not in action:
            continue
        words = [word for word in action["argv"] if not word.startswith("/")]
        yield (number, "exit code", action["rc"])
        for stream in ("stdout", "stderr"):
            printed = (
                re.sub(r"\s+", " ", text).strip()
                for text in names.plain(action.get(stream) or "").splitlines()
            )
            lines = [text for text in printed if text]
            if "status" in words and "rollout" in words:
                lines = lines[-1:]
            command = names.plain(" ".join(words[3:6]))
            yield from ((number, command, stream, text) for text in lines)
