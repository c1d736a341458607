"""Pods that wait for a node, and whether what happened may help one that was rejected: queueing hints.

pkg/scheduler/backend/queue/scheduling_queue.go, isSchedulableAfter… of the filter plugins
"""

from __future__ import annotations

from gherkube.runners.objects import Object
from gherkube.runners.simulator.scheduler_around import AFFINITY, SPREAD
from gherkube.runners.simulator.scheduler_demand import Demand
from gherkube.runners.simulator.scheduler_nodes import Node, fit
from gherkube.runners.simulator.scheduler_view import STATIC
from gherkube.runners.simulator.scheduler_wishes import NamespaceLabels, wishes_of

ROOM = frozenset({"NodeResourcesFit", "NodePorts"})
"""The filters that a pod's leaving may help, whichever it is."""
AROUND = frozenset({AFFINITY, SPREAD})
"""The filters that a pod's coming or leaving may help, if they look at it."""


class Waiting:
    """A pod that has no node yet."""

    __slots__ = ("demand", "errors", "plugins", "pod", "queued", "since", "wishes")

    def __init__(self, pod: Object, demand: Demand) -> None:
        self.pod, self.demand, self.wishes = pod, demand, wishes_of(pod)
        self.queued = False
        self.plugins: frozenset[str] = frozenset()
        """The filters that rejected nodes for it at the last try."""
        self.since = 0.0
        self.errors = 0

    def helped_by_node(self, node: Node, before: Node | None) -> bool:
        """Whether a new or changed node may take the pod: it passes where it did not before."""
        if before is None:
            return True
        demand, plugins = self.demand, self.plugins
        if "NodeResourcesFit" in plugins and before.state.allocatable != node.state.allocatable:
            return fit(demand, node.state.allocatable, before.state.taken) is None
        if plugins & AROUND and any(
            before.labels.get(key) != node.labels.get(key) for key in self.wishes.keys
        ):
            return True
        return any(
            plugin in plugins and fails(demand, before) and not fails(demand, node)
            for plugin, fails, _ in STATIC
        )

    def helped_by_pod(self, gone: Object | None, come: Object | None, namespaces: NamespaceLabels) -> bool:
        """Whether it may help that a pod left its node, came to one, or is another than it was."""
        mine = self.wishes
        if AFFINITY in self.plugins:
            if come is not None and any(term.selects(come, namespaces) for term in mine.near):
                return True
            if gone is not None and (
                any(term.selects(gone, namespaces) for term in mine.apart)
                or any(term.selects(self.pod, namespaces) for term in wishes_of(gone).apart)
            ):
                return True
        return SPREAD in self.plugins and any(
            pod is not None and mine.counts(self.pod, pod) for pod in (gone, come)
        )
