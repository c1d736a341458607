"""Asking a pod's probes, and what their results bring about.

pkg/kubelet/prober/prober_manager.go, worker.go; pkg/kubelet/kubelet.go handleProbeSync
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from gherkube.runners.simulator.node.application import Answer
from gherkube.runners.simulator.node.configuration import literal_env
from gherkube.runners.simulator.node.containers import Container
from gherkube.runners.simulator.node.images import InvalidImageName
from gherkube.runners.simulator.node.probes import READINESS, STARTUP, Worker

if TYPE_CHECKING:
    from gherkube.runners.simulator.node.pod import PodWorker

FIRST_ASKED = 0.02
"""Seconds from a status that says running, not ready to the readiness probe that it triggers."""
FALLS_TOGETHER = 0.2
"""With a tick that is due within so many seconds of such a trigger, the probe asks twice; facts §1.8."""
WRITTEN_TOGETHER = 0.25
"""How often that probe's result is written together with the status that triggered it; facts §1.8."""
WARNINGS = 25
"""How many warnings about a pod are recorded before the recorder drops them (its burst)."""


class Prober:
    """The workers of all probes of one pod; its containers hold them."""

    __slots__ = ("_pod",)

    def __init__(self, pod: PodWorker) -> None:
        """Starts the workers' tickers, now."""
        self._pod = pod
        kubelet = pod.kubelet
        for container in pod.containers:
            try:
                port = kubelet.images.of(container.image, literal_env(container.spec)).port
            except InvalidImageName:
                port = 0
            container.make_workers(kubelet.clock.now, port)

    def notice(self) -> None:
        """Turns to the runs that the PLEG has shown since the last sync."""
        as_of = self._pod.as_of
        for container in self._pod.containers:
            run = container.current(as_of) if container.workers else None
            if run is None:
                continue
            if run.has_ended(as_of):
                self.stop(container)
            elif run is not container.watched:
                container.watched = run
                for worker in container.workers:
                    worker.begin(run.application)
                self.plan(container)

    def stop(self, container: Container, *roles: str) -> None:
        """Stops the container's probes of those roles; all, when none is named, and it is no longer ready."""
        for worker in container.workers:
            if not roles or worker.probe.role in roles:
                worker.rest(self._pod.kubelet.clock)
                if not roles and worker.probe.role == READINESS:
                    worker.result = False

    def rest(self) -> None:
        """Asks nobody any more."""
        for container in self._pod.containers:
            for worker in container.workers:
                worker.rest(self._pod.kubelet.clock)

    def plan(self, container: Container) -> None:
        """Works out when asking the container makes a difference next, as after a change of its program."""
        for worker in container.workers:
            self._plan(container, worker)

    def trigger(self) -> bool:
        """Lets readiness probes ask at once; whether the status waits to be written with the result."""
        clock, waits = self._pod.kubelet.clock, False
        at = clock.now + FIRST_ASKED
        for container in self._pod.containers:
            worker = container.worker(READINESS) if container.workers else None
            run = container.watched
            if worker is None or worker.result is not False or run is None:
                continue
            if not container.is_started(self._pod.as_of):
                continue
            worker.base = at
            if at < worker.earliest:
                self._plan(container, worker)
                continue
            if worker.ask(run.application, at) is Answer.OK:
                chance = self._pod.kubelet.chance.stream("kubelet").random()
                alone = len(self._pod.containers) == worker.probe.success_threshold == 1
                waits = waits or (alone and chance < WRITTEN_TOGETHER)
            elif worker.timer is not None and worker.timer[0] <= at + FALLS_TOGETHER:
                worker.asks = 2
            worker.rest(self._pod.kubelet.clock)
            worker.timer = clock.at(at, self._tick, container, worker)
        return waits

    def _plan(self, container: Container, worker: Worker) -> None:
        worker.rest(self._pod.kubelet.clock)
        pod, run, role = self._pod, container.watched, worker.probe.role
        if run is None or (role == STARTUP) == container.is_started(pod.as_of):
            return
        if pod.deleting and role != READINESS:
            return
        due, retry = worker.next_due(run.application, pod.kubelet.clock.now, quiet=pod.warnings >= WARNINGS)
        if due < inf:
            worker.timer = pod.kubelet.clock.at(due, self._tick, container, worker, retry=retry)

    def _tick(self, container: Container, worker: Worker) -> None:
        clock, run = self._pod.kubelet.clock, container.watched
        assert run is not None
        answer = worker.ask(run.application, clock.now)
        took = worker.probe.seconds(answer)
        if took:
            worker.timer = clock.after(took, self._take, container, worker, answer)
        else:
            self._take(container, worker, answer)

    def _take(self, container: Container, worker: Worker, answer: Answer) -> None:
        worker.timer, asks, worker.asks = None, worker.asks, 1
        for _ in range(asks):
            self._count(container, worker, answer)
        self._plan(container, worker)

    def _count(self, container: Container, worker: Worker, answer: Answer) -> None:
        """worker.go doProbe"""
        pod, probe = self._pod, worker.probe
        ok = answer is Answer.OK
        if not ok:
            pod.say(
                container,
                "Warning",
                "Unhealthy",
                probe.complaint(answer, pod.ip, pod.kubelet.new_container_id),
            )
        if answer is Answer.ERROR:
            return
        changed = worker.take(ok)
        if not ok and probe.role == READINESS and worker.is_first():
            pod.request_sync()
        if changed:
            self._heed(container, probe.role, ok=ok)

    def _heed(self, container: Container, role: str, *, ok: bool) -> None:
        pod = self._pod
        if role == READINESS:
            pod.publisher.publish()
        elif not ok:
            pod.stop_reasons[container.name] = role
            pod.request_sync()
        elif role == STARTUP:
            pod.publisher.publish()
            self.plan(container)
            pod.request_sync()
