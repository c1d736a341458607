"""What the causes look at: the objects of one moment, and the events about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from gherkube.runners.expectations.events import count_of
from gherkube.runners.expectations.subjects import WorkloadRef
from gherkube.runners.expectations.view import RESOURCES, View
from gherkube.runners.history import History
from gherkube.runners.objects import Key, Object, condition, controller_of, key_of

LONGEST = 200
"""How long a message of Kubernetes is told."""


Output: TypeAlias = Callable[..., list[str]]
"""`Cluster.output`."""


class Scene:
    """The objects of a view, at `now` seconds of the run, with the events about them.

    `output` is that of the cluster, where the moment is the present.
    """

    def __init__(self, history: History, view: View, now: float, output: Output | None = None) -> None:
        self.view, self.now, self._output = view, now, output
        self._history = history
        self._events: dict[str, list[tuple[float, Object]]] | None = None

    def pods(self, namespace: str = "") -> list[Object]:
        """The pods of a namespace (of all when none is given)."""
        pods = self.view.of("pods").values()
        return [pod for pod in pods if not namespace or pod["metadata"]["namespace"] == namespace]

    def pods_of(self, owner: Object) -> list[Object]:
        """The pods that the object controls."""
        uid = owner["metadata"]["uid"]
        return [pod for pod in self.pods() if (ref := controller_of(pod)) is not None and ref["uid"] == uid]

    def workload_of(self, pod: Object) -> WorkloadRef | None:
        """The workload that a pod belongs to in the end, None where it belongs to none."""
        top, above = None, self.view.owner(pod)
        while above is not None:
            top, above = above, self.view.owner(above)
        if top is None:
            return None
        metadata = top["metadata"]
        return WorkloadRef(RESOURCES[top["kind"]], metadata.get("namespace", ""), metadata["name"])

    def node_of(self, pod: Object) -> Object | None:
        """The node that the pod is on."""
        return self.view.of("nodes").get(("", pod["spec"].get("nodeName", "")))

    def is_down(self, pod: Object) -> bool:
        """Whether the pod's node does not report, or reports that it is not ready."""
        node = self.node_of(pod)
        ready = condition(node, "Ready") if node is not None else None
        return ready is not None and ready["status"] != "True"

    def events(self, about: Object, *reasons: str) -> list[tuple[float, Object]]:
        """When each event about the object was last seen, oldest first; only those of the reasons, if any."""
        if self._events is None:
            self._events = self._find_events()
        found = self._events.get(about["metadata"].get("uid", ""), [])
        return [(at, event) for at, event in found if not reasons or event.get("reason") in reasons]

    def printed(self, pod: Object, container: str, *, previous: bool) -> list[str]:
        """The lines that the container's run, or the one before it, has printed, as far as that is known."""
        return self._output(key_of(pod), container, previous=previous) if self._output is not None else []

    def told(self, at: float, event: Object) -> str:
        """An event in words: `event 12 s ago (×4): Failed to pull image "hello:2": not found`."""
        count = count_of(event)
        many = f" (×{count})" if count > 1 else ""
        return f"event {self.now - at:.0f} s ago{many}: {essence(event.get('message', ''))}"

    def _find_events(self) -> dict[str, list[tuple[float, Object]]]:
        there = self.view.of("events")
        times: dict[Any, float] = {}
        for position, change in enumerate(self._history.since()):
            if position >= self.view.position:
                break
            if change.resource == "events":
                times[change.key] = change.at
        found: dict[str, list[tuple[float, Object]]] = {}
        for key, event in there.items():
            uid = (event.get("involvedObject") or event.get("regarding") or {}).get("uid", "")
            found.setdefault(uid, []).append((times.get(Key(*key), 0.0), event))
        for events in found.values():
            events.sort(key=lambda one: one[0])
        return found


def essence(message: str) -> str:
    """A message of Kubernetes without what repeats itself: of nested errors the first and the last."""
    message = " ".join(message.split())
    if message.startswith("Failed to pull image"):
        head, _, rest = message.partition('": ')
        return f'{head}": {rest.rpartition(": ")[2]}' if rest else message
    if message.startswith("Back-off restarting failed container"):
        return message.partition(" in pod ")[0]
    return message if len(message) <= LONGEST else f"{message[: LONGEST - 1]}…"


def listed(words: Iterable[str], most: int = 4) -> str:
    """Words one after another; of many the rest is counted."""
    found = list(words)
    return ", ".join(found[:most] + ([f"and {len(found) - most} more"] if len(found) > most else []))


def number(n: int, noun: str) -> str:
    """A number with its noun: `1 pod`, `2 pods`."""
    return f"{n} {noun}{'' if n == 1 else 's'}"
