"""Working out a pod's status and writing it.

pkg/kubelet/kubelet_pods.go generateAPIPodStatus, pkg/kubelet/status/status_manager.go
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from gherkube.runners.objects import ENDED, Object, condition
from gherkube.runners.simulator.node import status as statuses
from gherkube.runners.simulator.node.status import OWN, SCHEDULED, Verdicts

if TYPE_CHECKING:
    from gherkube.runners.simulator.node.pod import PodWorker


ORDER = (
    *(
        "observedGeneration",
        "phase",
        "conditions",
        "hostIP",
        "hostIPs",
        "reason",
        "message",
        "podIP",
        "podIPs",
    ),
    *("startTime", "initContainerStatuses", "containerStatuses", "qosClass"),
)
"""The entries of a pod's status, in stored order."""
RARE = ("reason", "message", "initContainerStatuses")
WITH_ADDRESS: Object = dict.fromkeys(each for each in ORDER if each not in RARE)
WITHOUT_ADDRESS: Object = dict.fromkeys(each for each in WITH_ADDRESS if each not in ("podIP", "podIPs"))
"""To copy one and fill in its entries costs less than to build a status from nothing."""


class Publisher:
    """Writes the status of one pod; knows since when its conditions are what they are."""

    __slots__ = ("_pod", "_since", "_verdicts")

    def __init__(self, pod: PodWorker) -> None:
        self._pod = pod
        self._verdicts: Verdicts | None = None
        self._since: tuple[str, ...] = ()
        """Since when each condition has its status."""

    def publish(self, *, probe_first: bool = False) -> str:
        """Writes what the PLEG has shown; returns the phase that it comes to.

        `probe_first`: containers that run and are not ready let their readiness probe ask at once, and
        the write may wait for the answer.
        """
        pod = self._pod
        init, apps = self._containers(False)
        phase = statuses.phase(pod.pod, init, apps, False) if pod.outcome is None else self._fail()
        if probe_first and pod.prober is not None and pod.prober.trigger():
            return phase
        shown, ended = phase, phase in ENDED
        if ended and not pod.outcome and any("running" in each["state"] for each in init):
            shown, ended = "Running", False  # sidecars are still to be stopped
        self._write(shown, init, apps, pod.sandbox_at <= pod.as_of, ended)
        return phase

    def write_stopped(self) -> bool:
        """Writes that all containers are stopped for good; whether the phase says that the pod has ended."""
        pod = self._pod
        pod.as_of = pod.kubelet.clock.now
        init, apps = self._containers(True)
        phase = statuses.phase(pod.pod, init, apps, True) if pod.outcome is None else self._fail()
        ended = phase in ENDED
        if ended:
            init, apps = statuses.without_lost(pod.pod, init, apps)
        self._write(phase, init, apps, False)
        return ended

    def write_failed(self) -> None:
        """Writes that the pod has ended though some containers never ran; its conditions stay.

        status_manager.go TerminatePod
        """
        pod = self._pod
        shown = statuses.without_lost(pod.pod, *self._containers(True))
        self._write("Failed", *shown, False, verdicts=self._verdicts)

    def _fail(self) -> str:
        """Says why the pod has failed, each time; returns that phase. active_deadline.go ShouldEvict"""
        assert self._pod.outcome is not None
        self._pod.say(None, "Normal", *self._pod.outcome)
        return "Failed"

    def _containers(self, over: bool) -> tuple[list[Object], list[Object]]:
        """The statuses of the init containers and of the others; `over`: none is to be started again."""
        pod = self._pod
        init: list[Object] = []
        apps: list[Object] = []
        as_of, default_wait = pod.as_of, pod.default_wait
        for container in pod.containers:
            wanted = container.waits is not None and not over and not pod.deleting and pod.wants(container)
            shown = container.status(as_of, default_wait, wanted)
            if container.kind == "app":
                apps.append(shown)
            else:
                init.append(shown)
        return init, apps

    def _write(
        self,
        phase: str,
        init: list[Object],
        apps: list[Object],
        sandbox: bool,
        held: bool = False,
        verdicts: Verdicts | None = None,
    ) -> None:
        pod = self._pod
        kubelet = pod.kubelet
        stored = kubelet.api.store.get("pods", pod.key)
        if stored is None or stored["metadata"]["uid"] != pod.uid:
            return
        old = stored["status"]
        before = old.get("conditions", ())
        foreign = [each for each in before if each["type"] not in OWN] if len(before) != len(OWN) else []
        if verdicts is None:
            others = {each["type"]: each["status"] for each in foreign} if foreign else {}
            verdicts = statuses.verdicts(pod.pod, phase, init, apps, sandbox, others)
        if verdicts != self._verdicts:
            self._note(verdicts, stored)
        generation = pod.pod["metadata"]["generation"]
        conditions = statuses.conditions(generation, verdicts, self._since)
        if foreign:
            conditions = [*foreign, *conditions]
        shown = phase
        if held:  # until the containers are stopped for good; status_manager.go mergePodStatus
            shown = "Running" if any("waiting" not in each["state"] for each in apps) else "Pending"
        if len(apps) > 1:  # SortedContainerStatuses
            apps = sorted(apps, key=itemgetter("name"))
        if apps == old.get("containerStatuses"):  # then the versions share them
            apps = old["containerStatuses"]
        if pod.sandbox_at <= pod.as_of:
            status = WITH_ADDRESS.copy()
            status["podIP"], status["podIPs"] = pod.ip, pod.ips
        else:
            status = WITHOUT_ADDRESS.copy()
        status["observedGeneration"], status["phase"], status["conditions"] = generation, shown, conditions
        status["hostIP"], status["hostIPs"] = kubelet.host_ip, kubelet.host_ips
        status["startTime"], status["containerStatuses"] = pod.start_stamp, apps
        status["qosClass"] = old["qosClass"]
        ended = pod.outcome if shown == phase else None
        if init or ended:
            if init:
                status["initContainerStatuses"] = init
            if ended:
                status["reason"], status["message"] = ended
            status = {field: status[field] for field in ORDER if field in status}
        kubelet.api.write_status("pods", pod.key, stored, status)

    def _note(self, verdicts: Verdicts, stored: Object) -> None:
        """Takes note of verdicts that are new, and of when a status became another."""
        before, now = self._verdicts, self._pod.kubelet.clock.timestamp()
        self._verdicts = verdicts
        if before is None:
            scheduled = condition(stored, SCHEDULED)
            self._since = (now, now, now, now, scheduled["lastTransitionTime"] if scheduled else now)
            return
        self._since = statuses.since_when(before, verdicts, self._since, now)
