"""Preemption: which pods of lower priority go when one of higher priority fits nowhere.

pkg/scheduler/framework/preemption/preemption.go, pkg/scheduler/framework/plugins/defaultpreemption
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Key, Object, is_deleting, key_of
from gherkube.runners.simulator.api.eviction import BUDGETS, selects
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.api.writes import disruption_target
from gherkube.runners.simulator.controllers.room import HostPort, conflicting
from gherkube.runners.simulator.events import EventRecorder
from gherkube.runners.simulator.scheduler_around import Around
from gherkube.runners.simulator.scheduler_demand import Demand, Verdict
from gherkube.runners.simulator.scheduler_nodes import Node, Nodes, Placed, fit, priority_of
from gherkube.runners.simulator.scheduler_view import PORTS_TAKEN

REASON = "PreemptionByScheduler"
MESSAGE = "default-scheduler: preempting to accommodate a higher priority pod"
NEVER = "not eligible due to preemptionPolicy=Never."
WAITS = "not eligible due to a terminating pod on the nominated node."
NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"


class Candidate(NamedTuple):
    """A node, and who would have to leave it."""

    node: Node
    victims: list[Placed]
    violations: int
    """How many of them their disruption budget would keep."""


class Preemption:
    """Makes room for pods, and says why it cannot."""

    def __init__(self, api: ApiServer, nodes: Nodes, events: EventRecorder) -> None:
        self._api, self._nodes, self._events = api, nodes, events

    def candidate(
        self,
        pod: Object,
        demand: Demand,
        around: Around | None,
        rejections: Callable[[], Iterable[tuple[Node, Verdict]]],
        rejected: Iterable[tuple[Verdict, int]],
    ) -> Candidate | str:
        """The node where the least is lost when the pod takes its room, or why there is none.

        `rejections`: why the pod fits on no node, node by node; `rejected` the same in numbers.
        """
        if pod["spec"].get("preemptionPolicy") == "Never":
            return NEVER
        mine = priority_of(pod)
        if min(self._nodes.priorities, default=mine) >= mine:
            return _hopeless(rejected)
        if self._waits(pod, mine):
            return WAITS
        found, hopes, total = list[Candidate](), Counter[str](), 0
        budgets = self._api.store.all(BUDGETS)
        allowed = {key_of(each): each["status"].get("disruptionsAllowed", 0) for each in budgets}
        for node, verdict in rejections():
            total += 1
            if verdict.helpless:
                hopes[NOT_HELPFUL] += 1
                continue
            lower = [each for each in node.pods.values() if priority_of(each.pod) < mine]
            if not lower:
                hopes[NO_VICTIMS] += 1
                continue
            fits = _Room(node, demand, around)
            if still := fits.without(lower):
                hopes.update(still.reasons)
                continue
            kept, free = _split(lower, budgets, dict(allowed))
            victims = fits.least(lower, kept + free)
            found.append(Candidate(node, victims, sum(each in kept for each in victims)))
        return min(found, key=_loss) if found else unavailable(total, hopes)

    def clear(self, pod: Object, candidate: Candidate) -> None:
        """Deletes the victims, and says for whom. prepareCandidate"""
        for victim in candidate.victims:
            if not is_deleting(victim.pod):
                self._delete(victim.pod)
                uid, node = pod["metadata"]["uid"], candidate.node.name
                why = f"Preempted by pod {uid} on node {node}"
                self._events.record("Pod", victim.pod, "Normal", "Preempted", why)

    def _delete(self, victim: Object) -> None:
        stored = self._api.store.get("pods", key_of(victim))
        if stored is None:
            return
        conditions = disruption_target(stored, REASON, MESSAGE, self._api.clock.timestamp())
        try:
            self._api.put_status("pods", stored, {**stored["status"], "conditions": conditions}, check=False)
            self._api.delete("pods", victim["metadata"]["name"], victim["metadata"]["namespace"])
        except ApiError:
            return

    def _waits(self, pod: Object, mine: int) -> bool:
        """Whether room is being made for the pod already. PodEligibleToPreemptOthers"""
        node = self._nodes.by_name.get(pod["status"].get("nominatedNodeName", ""))
        return node is not None and any(
            is_deleting(each.pod) and priority_of(each.pod) < mine for each in node.pods.values()
        )


class _Room:
    """What is left on a node without some of its pods, as one pod sees it."""

    def __init__(self, node: Node, demand: Demand, around: Around | None) -> None:
        self._node, self._demand, self._around = node, demand, around

    def without(self, gone: Iterable[Placed]) -> Verdict | None:
        """Why the pod does not fit even then; None when it does."""
        leaving = {each.pod["metadata"]["uid"]: each for each in gone}
        if self._demand.ports and conflicting(self._demand.ports, self._ports(leaving)):
            return PORTS_TAKEN
        state = self._node.state_after(each.demand for each in leaving.values())
        full = fit(self._demand, state.allocatable, state.taken)
        if full is not None or self._around is None:
            return full
        return self._around.but_for(leaving.keys()).rejects(self._node)

    def least(self, lower: list[Placed], reprieved_first: list[Placed]) -> list[Placed]:
        """Who of the pods has to go, when all that can stay do. SelectVictimsOnNode"""
        gone, victims = list(lower), []
        for each in reprieved_first:
            gone.remove(each)
            if self.without(gone) is not None:
                gone.append(each)
                victims.append(each)
        return victims

    def _ports(self, leaving: dict[str, Placed]) -> list[HostPort]:
        return [
            port
            for uid, placed in self._node.pods.items()
            if uid not in leaving
            for port in placed.demand.ports
        ]


def _split(
    lower: list[Placed], budgets: Iterable[Object], allowed: dict[Key, int]
) -> tuple[list[Placed], list[Placed]]:
    """Those whose budget allows no disruption more, and the others; the most important first.

    filterPodsWithPDBViolation, pkg/scheduler/util/utils.go MoreImportantPod
    """
    kept, free = list[Placed](), list[Placed]()
    for placed in sorted(lower, key=lambda each: (-priority_of(each.pod), _started(each))):
        violates = False
        for budget in budgets:
            name = placed.pod["metadata"]["name"]
            if selects(budget, placed.pod) and name not in budget["status"].get("disruptedPods", {}):
                allowed[key_of(budget)] -= 1
                violates = violates or allowed[key_of(budget)] < 0
        (kept if violates else free).append(placed)
    return kept, free


def _started(placed: Placed) -> str:
    started: str = placed.pod["status"].get("startTime", "9999")
    return started


def _loss(candidate: Candidate) -> tuple[object, ...]:
    """What is lost: the candidate with the least is taken. pickOneNodeForPreemption"""
    priorities = [priority_of(each.pod) for each in candidate.victims]
    top = max(priorities, default=0)
    first = min((_started(each) for each in candidate.victims if priority_of(each.pod) == top), default="")
    return candidate.violations, top, sum(priorities), len(priorities), _Latest(first)


class _Latest(str):
    """A time of which the later is the less."""

    def __lt__(self, other: str) -> bool:
        return str.__gt__(self, other)


def _hopeless(rejected: Iterable[tuple[Verdict, int]]) -> str:
    """That no pod anywhere is of lower priority, as is found node by node."""
    hopes: Counter[str] = Counter()
    for verdict, nodes in rejected:
        hopes[NOT_HELPFUL if verdict.helpless else NO_VICTIMS] += nodes
    return unavailable(hopes.total(), hopes)


def unavailable(total: int, reasons: Counter[str]) -> str:
    """How many nodes do not take the pod, for what reason. pkg/scheduler/framework/types.go FitError.Error"""
    counted = ", ".join(sorted(f"{nodes} {reason}" for reason, nodes in reasons.items()))
    return f"0/{total} nodes are available: {counted}."
