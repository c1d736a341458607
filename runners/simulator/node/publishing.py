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
        init, apps = self._containers(pod.default_wait)
        phase = self._phase(init, apps)
        if probe_first and pod.prober is not None and pod.prober.trigger():
            return phase
        shown = phase
        if phase in ENDED and not pod.outcome and any("running" in each["state"] for each in init):
            shown = "Running"  # sidecars are still to be stopped
        self._write(shown, init, apps, sandbox=pod.sandbox_at <= pod.as_of, held=shown in ENDED)
        return phase

    def write_stopped(self) -> bool:
        """Writes that all containers are stopped for good; whether the phase says that the pod has ended."""
        pod = self._pod
        pod.as_of = pod.kubelet.clock.now
        init, apps = self._containers(pod.default_wait, over=True)
        phase = self._phase(init, apps, over=True)
        ended = phase in ENDED
        if ended:
            init, apps = statuses.without_lost(pod.pod, init, apps)
        self._write(phase, init, apps, sandbox=False)
        return ended

    def write_failed(self) -> None:
        """Writes that the pod has ended though some containers never ran; its conditions stay.

        status_manager.go TerminatePod
        """
        pod = self._pod
        shown = statuses.without_lost(pod.pod, *self._containers(pod.default_wait, over=True))
        self._write("Failed", *shown, sandbox=False, verdicts=self._verdicts)

    def _phase(self, init: list[Object], apps: list[Object], *, over: bool = False) -> str:
        pod = self._pod
        if pod.outcome is None:
            return statuses.phase(pod.pod, init, apps, over=over)
        pod.say(None, "Normal", *pod.outcome)  # each time. active_deadline.go ShouldEvict
        return "Failed"

    def _containers(self, wait: Object, *, over: bool = False) -> tuple[list[Object], list[Object]]:
        pod = self._pod
        init: list[Object] = []
        apps: list[Object] = []
        for container in pod.containers:
            wanted = container.waits is not None and not over and not pod.deleting and pod.wants(container)
            shown = container.status(pod.as_of, wait, wanted)
            (apps if container.kind == "app" else init).append(shown)
        return init, apps

    def _write(
        self,
        phase: str,
        init: list[Object],
        apps: list[Object],
        *,
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
        status: Object = {
            "observedGeneration": generation,
            "phase": shown,
            "conditions": conditions,
            "hostIP": kubelet.host_ip,
            "hostIPs": kubelet.host_ips,
        }
        if pod.outcome and shown == phase:
            status["reason"], status["message"] = pod.outcome
        if pod.sandbox_at <= pod.as_of:
            status["podIP"], status["podIPs"] = pod.ip, pod.ips
        status["startTime"] = pod.start_stamp
        if init:
            status["initContainerStatuses"] = init
        if len(apps) > 1:  # SortedContainerStatuses
            apps = sorted(apps, key=itemgetter("name"))
        same = apps == old.get("containerStatuses")  # then the versions share them
        status["containerStatuses"] = old["containerStatuses"] if same else apps
        status["qosClass"] = old["qosClass"]
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
