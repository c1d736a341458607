"""The disruption controller: how many of a budget's pods may be disrupted now.

pkg/controller/disruption/disruption.go
"""

from __future__ import annotations

from datetime import datetime

from gherkube.runners.history import DELETED, Change
from gherkube.runners.objects import Key, Object, condition, controller_of, is_deleting, is_ready
from gherkube.runners.simulator.api.eviction import BUDGETS, selects
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.controllers.deployment_turn import scaled_value
from gherkube.runners.simulator.controllers.runtime import Informers, WorkQueue
from gherkube.runners.simulator.events import EventRecorder

DISRUPTED_FOR = 120.0
"""Seconds for which an evicted pod counts as gone while its deletion has not been seen. DeletionTimeout"""


UNMANAGED = (
    "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a result, "
    "the status of the PDB cannot be calculated correctly, which may result in undefined behavior. "
    'To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.'
)


class NoScaleError(Exception):
    """The number of pods that there should be cannot be told; the message says why."""


class DisruptionController:
    """Keeps the status of budgets."""

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance) -> None:
        self._api = api
        self._events = EventRecorder(api, "controllermanager")
        self._queue: WorkQueue[Key] = WorkQueue(api.clock, chance, self._sync)
        self._informers = informers
        self._budgets, self._pods = informers.of(BUDGETS), informers.of("pods")
        self._budgets.on_change(self._budget_changed)
        self._follows_pods = False

    def _budget_changed(self, change: Change) -> None:
        if not self._follows_pods:  # with the first budget: most clusters have none
            self._follows_pods = True
            self._pods.on_change(self._pod_changed)
        if change.type != DELETED:
            self._queue.add(change.key)

    def _pod_changed(self, change: Change) -> None:
        for key, budget in self._budgets.objects.items():
            if selects(budget, change.object) or (change.old is not None and selects(budget, change.old)):
                self._queue.add(key)

    def _sync(self, key: Key) -> None:
        budget = self._api.store.get(BUDGETS, key)
        if budget is None or is_deleting(budget):
            return
        pods = [pod for pod in self._pods.objects.values() if selects(budget, pod)]
        if not pods:
            self._events.record("PodDisruptionBudget", budget, "Normal", "NoPods", "No matching pods found")
        try:
            expected, desired = self._expected(budget, pods)
        except NoScaleError as error:
            why = str(error)
            self._events.record(
                "PodDisruptionBudget",
                budget,
                "Warning",
                "CalculateExpectedPodCountFailed",
                f"Failed to calculate the number of expected pods: {why}",
            )
            self._write(budget, {**budget["status"], "disruptionsAllowed": 0}, "SyncFailed", why)
            return
        disrupted = self._disrupted(key, budget, pods)
        healthy = sum(
            is_ready(pod) and not is_deleting(pod) and pod["metadata"]["name"] not in disrupted
            for pod in pods
        )
        allowed = max(0, healthy - desired) if expected > 0 else 0
        status = {
            "observedGeneration": budget["metadata"]["generation"],
            "disruptionsAllowed": allowed,
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "expectedPods": expected,
            **({"disruptedPods": disrupted} if disrupted else {}),
        }
        self._write(budget, status, "SufficientPods" if allowed else "InsufficientPods")

    def _expected(self, budget: Object, pods: list[Object]) -> tuple[int, int]:
        """How many pods there should be, and how many of them healthy. getExpectedPodCount"""
        spec = budget["spec"]
        if "maxUnavailable" in spec:
            expected = self._scale(budget, pods)
            return expected, max(0, expected - scaled_value(spec["maxUnavailable"], expected, up=True))
        least = spec.get("minAvailable", 1)
        if isinstance(least, int):
            return len(pods), least
        expected = self._scale(budget, pods)
        return expected, scaled_value(least, expected, up=True)

    def _scale(self, budget: Object, pods: list[Object]) -> int:
        """The replicas that the pods' controllers should have together. getExpectedScale"""
        scales: dict[str, int] = {}
        owners = {owner["uid"]: (pod, owner) for pod in pods if (owner := controller_of(pod)) is not None}
        for pod, owner in owners.values():
            found = self._scale_of(pod["metadata"]["namespace"], owner)
            if not found:
                gone = f'found no controllers for pod "{pod["metadata"]["name"]}"'
                raise NoScaleError(gone)
            scales |= found
        if any(controller_of(pod) is None for pod in pods):
            said = UNMANAGED.format(_told(budget["spec"]["selector"]))
            self._events.record("PodDisruptionBudget", budget, "Warning", "UnmanagedPods", said)
        return sum(scales.values())

    def _scale_of(self, namespace: str, reference: Object) -> dict[str, int]:
        """By uid of the controller, or of its controller, how many replicas it should have."""
        info = self._api.resources.of_kind(reference["apiVersion"], reference["kind"])
        found = info and self._informers.of(info.name).get(Key(namespace, reference["name"]))
        if not info or found is None or found["metadata"]["uid"] != reference["uid"]:
            return {}
        owner = controller_of(found)
        above = self._scale_of(namespace, owner) if owner and reference["kind"] == "ReplicaSet" else {}
        if above:
            return above
        if "replicas" not in found.get("spec", {}):
            gone = f"{info.qualified} does not implement the scale subresource"
            raise NoScaleError(gone)
        return {reference["uid"]: found["spec"]["replicas"]}

    def _disrupted(self, key: Key, budget: Object, pods: list[Object]) -> dict[str, str]:
        """The pods that were evicted and whose deletion has not been seen yet. buildDisruptedPodMap"""
        there = {pod["metadata"]["name"]: pod for pod in pods}
        now = datetime.fromisoformat(self._api.clock.timestamp())
        left = {}
        for name, since in budget["status"].get("disruptedPods", {}).items():
            age = (now - datetime.fromisoformat(since)).total_seconds()
            if name in there and not is_deleting(there[name]) and age < DISRUPTED_FOR:
                left[name] = since
                self._queue.add_after(key, DISRUPTED_FOR - age, retry=True)
        return left

    def _write(self, budget: Object, status: Object, reason: str, message: str = "") -> None:
        now = self._api.clock.timestamp()
        allowed = "True" if status["disruptionsAllowed"] else "False"
        before = condition(budget, "DisruptionAllowed")
        kept = before is not None and before["status"] == allowed
        status["conditions"] = [
            {
                "type": "DisruptionAllowed",
                "status": allowed,
                **(
                    {"observedGeneration": status["observedGeneration"]}
                    if "observedGeneration" in status
                    else {}
                ),
                "lastTransitionTime": before["lastTransitionTime"] if before and kept else now,
                "reason": reason,
                "message": message,
            }
        ]
        self._api.put_status(BUDGETS, budget, status)


def _told(selector: Object) -> str:
    """A label selector as Go prints it. apimachinery/pkg/apis/meta/v1/generated.pb.go String"""
    labels = "".join(f"{key}: {value}," for key, value in sorted(selector.get("matchLabels", {}).items()))
    expressions = "".join(
        f"LabelSelectorRequirement{{Key:{each['key']},Operator:{each['operator']},"
        f"Values:[{' '.join(each.get('values', ()))}],}},"
        for each in selector.get("matchExpressions", ())
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )
