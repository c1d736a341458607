"""On how many nodes pods run."""

from __future__ import annotations

from dataclasses import dataclass

from gherkube.runners.expectations.count import Count
from gherkube.runners.expectations.statement import Statement, Tracker
from gherkube.runners.expectations.subjects import POD_RESOURCES, PodSelector, Selected
from gherkube.runners.expectations.view import Place, View
from gherkube.runners.history import DELETED, Change
from gherkube.runners.objects import is_active


@dataclass(frozen=True)
class PodsOnNodes(Statement):
    """The active pods are on so many different nodes; "all" are the nodes that take pods."""

    selector: PodSelector
    count: Count

    @property
    def resources(self) -> frozenset[str]:
        return POD_RESOURCES | {"nodes"}

    @property
    def steady(self) -> bool:
        return True

    @property
    def text(self) -> str:
        return f"{self.selector.noun()} on {self.count.text} node{'s' if self.count.plural else ''}"

    @property
    def subject(self) -> PodSelector:
        return self.selector

    @property
    def admits_nothing(self) -> bool:
        return self.count.admits_none

    def track(self, view: View) -> Tracker:
        return _NodesTracker(self, view)


class _NodesTracker(Tracker):
    def __init__(self, statement: PodsOnNodes, view: View) -> None:
        self._statement, self._view = statement, view
        self._selected = Selected(statement.selector, view)
        self._start()

    def _start(self) -> None:
        self._node: dict[Place, str] = {}
        for key, pod in self._view.of("pods").items():
            if is_active(pod) and self._selected.includes(pod) and (node := pod["spec"].get("nodeName")):
                self._node[key] = node

    def changed(self, change: Change) -> bool:
        if change.resource != "pods":
            if self._selected.upset(change):
                self._start()
            return True
        pod, key = change.object, change.key
        node = pod["spec"].get("nodeName")
        if change.type != DELETED and node and is_active(pod) and self._selected.includes(pod):
            self._node[key] = node
        else:
            self._node.pop(key, None)
        return True

    def _used(self) -> list[str]:
        return sorted(set(self._node.values()))

    def _there(self) -> int:
        return sum(
            not any(taint["effect"] != "PreferNoSchedule" for taint in node["spec"].get("taints") or ())
            for node in self._view.of("nodes").values()
        )

    def holds(self) -> bool:
        return not self.distance()

    def distance(self) -> float:
        return self._statement.count.distance(len(self._used()), self._there())

    def nearest(self) -> str:
        return f"on {len(self._used())}" if self._node else ""

    def found(self) -> str:
        used = self._used()
        return f"they are on {len(used)}: {', '.join(used)}" if used else "they are on no node"
