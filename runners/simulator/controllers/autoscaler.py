"""The autoscaler of a cluster that measures nothing: it keeps to the bounds, and says what it cannot know.

pkg/controller/podautoscaler/horizontal.go
"""

from __future__ import annotations

from gherkube.runners.errors import ApiError
from gherkube.runners.history import DELETED, Change
from gherkube.runners.objects import Key, Object, condition
from gherkube.runners.simulator.api.scale import scale_of, scale_paths
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.api.writes import with_condition
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.controllers.runtime import Informers, WorkQueue
from gherkube.runners.simulator.events import EventRecorder, EventType

AUTOSCALERS = "horizontalpodautoscalers"
PERIOD = 15.0
"""Seconds between two looks, and until the first. --horizontal-pod-autoscaler-sync-period"""
NO_METRICS = (
    "unable to fetch metrics from resource metrics API: "
    "the server could not find the requested resource (get pods.metrics.k8s.io)"
)


class AutoscalerController:
    """Keeps the targets of autoscalers between their bounds."""

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance) -> None:
        self._api = api
        self._events = EventRecorder(api, "horizontal-pod-autoscaler")
        self._queue: WorkQueue[Key] = WorkQueue(api.clock, chance, self._sync)
        self._autoscalers = informers.of(AUTOSCALERS)
        self._autoscalers.on_change(self._changed)

    def _changed(self, change: Change) -> None:
        if change.type != DELETED:
            self._queue.add_after(change.key, PERIOD, retry=True)

    def _sync(self, key: Key) -> None:
        autoscaler = self._api.store.get(AUTOSCALERS, key)
        if autoscaler is None:
            return
        self._queue.add_after(key, PERIOD, retry=True)
        status = dict(autoscaler.get("status", {}))
        try:
            self._look(autoscaler, status)
        finally:
            status.setdefault("currentMetrics", None)
            status.setdefault("desiredReplicas", 0)
            self._api.put_status(AUTOSCALERS, autoscaler, status, check=False)

    def _look(self, autoscaler: Object, status: Object) -> None:
        """reconcileAutoscaler"""
        spec, namespace = autoscaler["spec"], autoscaler["metadata"]["namespace"]
        try:
            scale = self._scale(spec["scaleTargetRef"], namespace)
        except ApiError as error:
            self._tell(autoscaler, "Warning", "FailedGetScale", error.message)
            said = f"the HPA controller was unable to get the target's current scale: {error.message}"
            self._say(status, "AbleToScale", "False", "FailedGetScale", said)
            return
        said = "the HPA controller was able to get the target's current scale"
        self._say(status, "AbleToScale", "True", "SucceededGetScale", said)
        now = status["currentReplicas"] = scale["spec"].get("replicas", 0)
        least, most = spec.get("minReplicas", 1), spec["maxReplicas"]
        if now == 0 and least:
            said = "scaling is disabled since the replica count of the target is zero"
            self._say(status, "ScalingActive", "False", "ScalingDisabled", said)
            status["desiredReplicas"] = 0
        elif now > most:
            self._rescale(autoscaler, status, most, "Current number of replicas above Spec.MaxReplicas")
        elif now < least:
            self._rescale(autoscaler, status, least, "Current number of replicas below Spec.MinReplicas")
        else:
            self._measure(autoscaler, status)

    def _scale(self, target: Object, namespace: str) -> Object:
        info = self._api.resources.of(target)
        paths = scale_paths(info)
        if paths is None:
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        return scale_of(self._api.get(info.name, target["name"], namespace), paths)

    def _rescale(self, autoscaler: Object, status: Object, replicas: int, why: str) -> None:
        target, namespace = autoscaler["spec"]["scaleTargetRef"], autoscaler["metadata"]["namespace"]
        info = self._api.resources.of(target)
        body = {"spec": {"replicas": replicas}}
        self._api.patch(info.name, target["name"], body, namespace, type="merge", subresource="scale")
        self._tell(autoscaler, "Normal", "SuccessfulRescale", f"New size: {replicas}; reason: {why}")
        said = f"the HPA controller was able to update the target scale to {replicas}"
        self._say(status, "AbleToScale", "True", "SucceededRescale", said)
        status |= {"desiredReplicas": replicas, "lastScaleTime": self._api.clock.timestamp()}

    def _measure(self, autoscaler: Object, status: Object) -> None:
        """What becomes of metrics that nobody serves: computeReplicasForMetrics"""
        metrics = autoscaler["spec"].get("metrics", [])
        status["currentMetrics"] = [{"type": ""} for _ in metrics]
        problems = []
        for metric in metrics:
            if metric["type"] != "Resource":
                continue
            name = metric["resource"]["name"]
            measured = "utilization" if metric["resource"]["target"]["type"] == "Utilization" else "usage"
            problem = (
                f"failed to get {name} {measured}: unable to get metrics for resource {name}: {NO_METRICS}"
            )
            self._tell(autoscaler, "Warning", "FailedGetResourceMetric", problem)
            problems.append((name, problem))
        if not problems:
            return
        name, first = problems[0]
        said = f"the HPA was unable to compute the replica count: {first}"
        self._say(status, "ScalingActive", "False", "FailedGetResourceMetric", said)
        counted = f"{len(problems)} invalid out of {len(metrics)}"
        message = f"failed to get {name} resource metric value: {first}"
        message = f"invalid metrics ({counted}), first error is: {message}"
        self._tell(autoscaler, "Warning", "FailedComputeMetricsReplicas", message)

    def _say(self, status: Object, type_: str, value: str, reason: str, message: str) -> None:
        """setCondition: the time changes with the value only"""
        old = condition({"status": status}, type_)
        now = self._api.clock.timestamp()
        since = old["lastTransitionTime"] if old is not None and old["status"] == value else now
        new = {"type": type_, "status": value, "lastTransitionTime": since}
        new |= {"reason": reason, "message": message}
        status["conditions"] = with_condition(status.get("conditions", []), new)

    def _tell(self, autoscaler: Object, type_: EventType, reason: str, message: str) -> None:
        self._events.record("HorizontalPodAutoscaler", autoscaler, type_, reason, message)
