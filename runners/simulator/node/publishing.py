"""Working out a pod's status and writing it.

pkg/kubelet/kubelet_pods.go generateAPIPodStatus, pkg/kubelet/status/status_manager.go
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import ENDED, Object
from gherkube.runners.simulator.node import status as statuses
from gherkube.runners.simulator.node.status import FALSE, OWN, SCHEDULED, TRUE, Fact, Verdict

if TYPE_CHECKING:
    from gherkube.runners.simulator.node.pod import PodWorker


class Publisher:
    """Writes the status of one pod; knows since when its conditions are what they are."""

    __slots__ = ("_facts", "_pod")

    def __init__(self, pod: PodWorker) -> None:
        self._pod = pod
        self._facts: tuple[Fact, ...] = ()

    def publish(self, *, probe_first: bool = False) -> str:
        """Writes what the PLEG has shown; returns the phase that it comes to.

        `probe_first`: containers that run and are not ready let their readiness probe ask at once, and
        the write may wait for the answer.
        """
        pod = self._pod
        init, apps = self._containers(pod.default_wait, pod.as_of, over=False)
        phase = statuses.phase(pod.pod, init, apps, over=False)
        if probe_first and pod.prober is not None and pod.prober.trigger():
            return phase
        self._write(phase, init, apps, sandbox=pod.sandbox_at <= pod.as_of, held=phase in ENDED)
        return phase

    def write_end(self, lost: Object) -> None:
        """Writes that all containers are stopped for good; `lost` is the state of those that never ran."""
        pod = self._pod
        pod.as_of = pod.kubelet.clock.now
        init, apps = self._containers(lost, pod.as_of, over=True)
        self._write(statuses.phase(pod.pod, init, apps, over=True), init, apps, sandbox=False)

    def write_never_started(self, phase: str, state: Object) -> None:
        """Writes that phase for a pod whose sandbox is gone, and that state for all of its containers.

        Nothing else that its conditions said changes. status_manager.go TerminatePod
        """
        init: list[Object] = []
        apps: list[Object] = []
        for container in self._pod.containers:
            shown = container.compose(None, state, {}, ready=False, started=False)
            (apps if container.kind == "app" else init).append(shown)
        verdicts = (FALSE, *(verdict for _, verdict, _ in self._facts[1:4]))
        self._write(phase, init, apps, sandbox=False, verdicts=verdicts)

    def _containers(self, wait: Object, as_of: float, *, over: bool) -> tuple[list[Object], list[Object]]:
        pod = self._pod
        init: list[Object] = []
        apps: list[Object] = []
        for container in pod.containers:
            wanted = not over and not pod.deleting and container.waits is not None and pod.wants(container)
            shown = container.status(as_of, wait, wanted=wanted)
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
        verdicts: tuple[Verdict, ...] | None = None,
    ) -> None:
        pod = self._pod
        api = pod.kubelet.api
        stored = api.store.get("pods", pod.key)
        if stored is None or stored["metadata"]["uid"] != pod.pod["metadata"]["uid"]:
            return
        before = stored["status"].get("conditions", ())
        foreign = [each for each in before if each["type"] not in OWN] if len(before) != len(OWN) else []
        if verdicts is None:
            others = {each["type"]: each["status"] for each in foreign} if foreign else {}
            verdicts = statuses.verdicts(pod.pod, phase, init, apps, sandbox=sandbox, foreign=others)
        self._facts = self._since(verdicts, stored)
        generation = pod.pod["metadata"]["generation"]
        conditions = statuses.conditions(generation, self._facts)
        if foreign:
            conditions = [*foreign, *conditions]
        shown = phase
        if held:  # until the containers are stopped for good; status_manager.go mergePodStatus
            shown = "Running" if any("waiting" not in each["state"] for each in apps) else "Pending"
        status: Object = {"observedGeneration": generation, "phase": shown, "conditions": conditions}
        status["hostIP"], status["hostIPs"] = pod.kubelet.host_ip, pod.kubelet.host_ips
        if pod.sandbox_at <= pod.as_of:
            status["podIP"], status["podIPs"] = pod.ip, pod.ips
        status["startTime"] = pod.start_stamp
        if init:
            status["initContainerStatuses"] = init
        status["containerStatuses"] = apps
        status["qosClass"] = stored["status"]["qosClass"]
        try:
            api.put_status("pods", pod.pod, status, check=False)
        except ApiError:
            return

    def _since(self, verdicts: tuple[Verdict, ...], stored: Object) -> tuple[Fact, ...]:
        """The conditions, each since its status became what it is."""
        before, now = self._facts, self._pod.kubelet.clock.timestamp()
        if not before:
            scheduled = [
                each["lastTransitionTime"]
                for each in stored["status"].get("conditions", ())
                if each["type"] == SCHEDULED
            ]
            facts = [(type_, verdict, now) for type_, verdict in zip(OWN, verdicts, strict=False)]
            return (*facts, (SCHEDULED, TRUE, scheduled[0] if scheduled else now))
        facts = [
            was if was[1] == verdict else (was[0], verdict, was[2] if was[1][0] == verdict[0] else now)
            for was, verdict in zip(before, verdicts)  # noqa: B905 - the last, that it is scheduled, stays
        ]
        return (*facts, before[-1])
