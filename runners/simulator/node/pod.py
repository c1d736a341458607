"""A pod on its node: the kubelet's worker that brings the runtime to what the spec says.

A sync is strictly ordered: first the status is worked out, from what the PLEG has shown of the runtime
and from why the last sync could not start a container, and is published; then the runtime is brought
along (`starting.py`, `termination.py`), which takes time. So the reason of a failure shows one sync
later than it happens. The next sync comes with the PLEG's next look when this one changed the
runtime, or 10 to 15 seconds later when it failed; else only when something happens.
pkg/kubelet/kubelet.go SyncPod, pod_workers.go podWorkerLoop, completeWork
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf
from typing import TYPE_CHECKING

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import ENDED, Object, key_of
from gherkube.runners.simulator.clock import Timer
from gherkube.runners.simulator.node import status as statuses
from gherkube.runners.simulator.node.application import Answer
from gherkube.runners.simulator.node.backoff import BackOff
from gherkube.runners.simulator.node.configuration import literal_env
from gherkube.runners.simulator.node.containers import Container
from gherkube.runners.simulator.node.images import InvalidImageName
from gherkube.runners.simulator.node.probes import LIVENESS, READINESS, ROUNDING, STARTUP, Worker
from gherkube.runners.simulator.node.starting import start_what_is_missing
from gherkube.runners.simulator.node.status import Fact, Verdict
from gherkube.runners.simulator.node.termination import terminate, wind_up

if TYPE_CHECKING:
    from gherkube.runners.simulator.node.kubelet import Kubelet

RETRY_AFTER, RETRY_JITTER = 10.0, 0.5
"""Seconds from a sync that failed to the next, and how much longer it may take. pod_workers.go"""
TOLD_AFTER = 0.06
"""Median seconds from a look of the PLEG to the syncs that it brings: they come one after another."""
FIRST_ASKED = 0.02
"""Seconds from a status that says running, not ready to the readiness probe that it triggers."""
WRITTEN_TOGETHER = 0.25
"""How often that probe's result is written together with the status that triggered it; facts §1.8."""
WARNINGS = 25
"""How many warnings about a pod are recorded before the recorder drops them (its burst)."""


class PodWorker:
    """One pod on one node; made when the kubelet hears of the pod."""

    __slots__ = (
        "_again",
        "_facts",
        "_final",
        "_generator",
        "_timer",
        "as_of",
        "backoff",
        "changed",
        "containers",
        "deleting",
        "done_at",
        "failed",
        "ip",
        "key",
        "kubelet",
        "over",
        "pod",
        "pulling",
        "pulls",
        "retrying",
        "sandbox_at",
        "start_stamp",
        "stop_reasons",
        "warnings",
    )

    def __init__(self, kubelet: Kubelet, pod: Object) -> None:
        self.kubelet, self.pod, self.key = kubelet, pod, key_of(pod)
        spec = pod["spec"]
        self.containers = [Container(each, _kind(each)) for each in spec.get("initContainers", ())]
        self.containers += [Container(each, "app") for each in spec["containers"]]
        self.backoff, self.pulls = BackOff(), BackOff()
        self.ip, self.sandbox_at = "", inf
        self.start_stamp = ""
        self.stop_reasons: dict[str, str] = {}
        self.as_of = self.done_at = -inf
        self.changed = self.failed = self.deleting = self.over = self.pulling = self.retrying = False
        self.warnings = 0
        self._again = self._final = False
        self._generator: Iterator[float] | None = None
        self._timer: Timer | None = None
        self._facts: tuple[Fact, ...] = ()

    # --- what others tell it ------------------------------------------------------------------

    def begin(self) -> None:
        """The first sync, now."""
        self._note_start()
        if self.deleting:
            self._terminate()
        else:
            self.sync()

    def delete(self, pod: Object) -> None:
        """The pod is to be deleted (or sooner than was said before)."""
        self.pod = pod
        if self.deleting:
            self._hasten()
            return
        self.deleting = True
        if self._generator is None or self.pulling:
            self._cancel()
            self._at(self._next_look_after_done(), self._terminate)

    def update(self, pod: Object) -> None:
        """The pod's spec or a condition of others has changed."""
        self.pod = pod
        by_name = {each["name"]: each for each in pod["spec"]["containers"]}
        for container in self.containers:
            spec = by_name.get(container.name)
            if container.kind == "app" and spec is not None and spec["image"] != container.image:
                container.spec, container.image = spec, spec["image"]
                if container.is_running(self.kubelet.clock.now):
                    self.stop_reasons[container.name] = "definition changed"
        self.request_sync()

    def abandon(self) -> None:
        """The pod is gone from the API: what still runs is killed, within two seconds."""
        now = self.kubelet.clock.now
        for container in self.containers:
            if container.run is not None and container.run.application.runs(now):
                if not self.deleting:
                    self.say(container, "Normal", "Killing", f"Stopping container {container.name}")
                container.run.application.terminate(now, now + 2.0)
        self.freeze()

    def freeze(self) -> None:
        """Nothing more happens by itself: its node has no power, or the pod is gone."""
        self._cancel()
        for container in self.containers:
            for worker in container.workers:
                _cancel_timer(worker)

    def revive(self, stopped_at: float) -> None:
        """The power that its node lost then is back: what ran is lost, and so is the sandbox."""
        found_at = self.kubelet.looked_at(self.kubelet.clock.now)
        for container in self.containers:
            run = container.run
            if run is not None and run.application.ends_at > stopped_at:
                run.application.lose(found_at)
            container.waits = None
        if self.sandbox_at < inf:
            self.kubelet.free(self.ip)
            self.ip, self.sandbox_at = "", inf
        self.backoff, self.pulls = BackOff(), BackOff()
        self._again, self.done_at = False, -inf
        self.begin()

    def reconsider(self) -> None:
        """Something that its retries may have waited for has changed: the next one is no mere repetition."""
        timer = self._timer
        if timer is not None and timer.retry:
            self._at(timer.at, timer.call)

    def request_sync(self) -> None:
        """Lets a sync come as soon as the PLEG has looked after the last one."""
        if self.deleting or self.over:
            return
        if self._generator is not None:
            self._again = True
        else:
            self._at(self._next_look_after_done(), self.sync)

    # --- the sync ------------------------------------------------------------------------------

    def sync(self) -> None:
        """Publishes the status and brings the runtime along."""
        self._timer = None
        now = self.kubelet.clock.now
        self.as_of = self.kubelet.looked_at(now)
        self.watch_containers()
        phase = self.publish(triggers=True)
        if phase in ENDED:
            self.over = True
            self._drive(wind_up(self))
        elif self.is_missing_something():
            self.changed = self.failed = False
            self._drive(start_what_is_missing(self))
        else:
            self.done_at = now

    def is_missing_something(self) -> bool:
        """Whether the runtime is not yet what the spec says."""
        if self.sandbox_at == inf or self.stop_reasons:
            return True
        now = self.kubelet.clock.now
        return any(
            (run := container.run) is None or (run.application.ends_at <= now and self.wants(container))
            for container in self.containers
        )

    def wants(self, container: Container) -> bool:
        """Whether a container that does not run is to be started (again). ShouldContainerBeRestarted"""
        run = container.run
        if run is None or container.kind == "sidecar":
            return True
        policy = self.pod["spec"].get("restartPolicy", "Always")
        failed = run.application.exit_code != 0
        if container.kind == "init":
            return failed and policy != "Never"
        return policy == "Always" or (failed and policy == "OnFailure")

    def look_after(self, moment: float) -> None:
        """Plans the sync that the PLEG's first look after that moment brings: a container ends then."""
        self.kubelet.clock.at(self.kubelet.look_after(moment), self._looked, moment)

    def _looked(self, moment: float) -> None:
        ended = any(c.run is not None and c.run.application.ends_at == moment for c in self.containers)
        if ended and not self.deleting and self.kubelet.pods.get(self.key) is self and self.kubelet.is_up:
            self.request_sync()

    def _drive(self, generator: Iterator[float]) -> None:
        self._generator = generator
        self._resume()

    def _resume(self) -> None:
        assert self._generator is not None
        delay = next(self._generator, None)
        if delay is not None:
            self._timer = self.kubelet.clock.after(delay, self._resume, retry=self.retrying)
            return
        self._timer = self._generator = None
        self.done_at = self.kubelet.clock.now
        if self._final or (self.over and not self.deleting):
            return
        if self.deleting:
            self._at(self._next_look_after_done(), self._terminate)
        elif self.changed or self._again:
            self._again = False
            self._at(self._next_look_after_done(), self.sync)
        elif self.failed:
            jitter = 1 + RETRY_JITTER * self.kubelet.chance.stream("kubelet").random()
            self._at(self.done_at + RETRY_AFTER * jitter, self.sync, retry=True)

    def _note_start(self) -> None:
        if not self.start_stamp:
            self.start_stamp = self.kubelet.clock.timestamp()

    def _terminate(self) -> None:
        self._note_start()
        self._final = self.over = True
        self._drive(terminate(self))

    def _hasten(self) -> None:
        if self._final and self._timer is not None:
            self._timer.cancel()
            self.shorten()
            self._resume()

    def shorten(self) -> None:
        """Applies a grace period that became shorter to what is being stopped."""
        now = self.kubelet.clock.now
        grace = float(self.pod["metadata"]["deletionGracePeriodSeconds"])
        for container in self.containers:
            if container.run is not None and container.run.application.runs(now):
                application = container.run.application
                application.terminate(min(application.term_at, now), now + max(grace, 2.0))

    def _next_look_after_done(self) -> float:
        now, look = self.kubelet.clock.now, self.kubelet.look_after(self.done_at)
        return now if look <= now else look + self.kubelet.latency(TOLD_AFTER)

    def _at(self, when: float, call: Callable[[], object], *, retry: bool = False) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.kubelet.clock.at(when, call, retry=retry)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._generator is not None:
            self._generator.close()  # type: ignore[attr-defined]
            self._generator = None
            self.done_at = self.kubelet.clock.now

    # --- the status ----------------------------------------------------------------------------

    def publish(self, *, triggers: bool = False, as_of: float | None = None, stopped: bool = False) -> str:
        """Works out the status and writes it; returns the phase that it comes to.

        `triggers`: a container that runs and is not ready lets its readiness probe ask at once.
        `as_of`: what of the runtime is known; what the PLEG has shown, unless given. `stopped`: all
        containers are stopped for good.
        """
        as_of = self.as_of if as_of is None else as_of
        has_init = len(self.containers) > 1 and self.containers[0].kind != "app"
        wait = statuses.INITIALIZING if has_init else statuses.CREATING
        init: list[Object] = []
        apps: list[Object] = []
        for container in self.containers:
            shown = container.status(
                as_of, wait, deleting=self.deleting, wanted=container.run is None or self.wants(container)
            )
            (apps if container.kind == "app" else init).append(shown)
        phase = statuses.phase(self.pod, init, apps, over=stopped)
        if triggers and self._trigger(as_of):
            return phase
        held = phase in ENDED and not stopped
        self.write(
            phase,
            init,
            apps,
            as_of,
            sandbox=self.sandbox_at <= as_of and not stopped,
            shown="" if not held else self._held(apps),
        )
        return phase

    @staticmethod
    def _held(apps: list[Object]) -> str:
        """The phase that shows until the containers are stopped for good. status_manager.go mergePodStatus"""
        return "Running" if any("waiting" not in each["state"] for each in apps) else "Pending"

    def write(
        self,
        phase: str,
        init: list[Object],
        apps: list[Object],
        as_of: float,
        *,
        sandbox: bool,
        shown: str = "",
        verdicts: tuple[Verdict, ...] | None = None,
    ) -> None:
        """Writes the status with these container statuses; `shown`: the phase to write in place of `phase`.

        `verdicts`: what the first four conditions say, when it does not follow from the rest.
        """
        api = self.kubelet.api
        stored = api.store.get("pods", self.key)
        if stored is None or stored["metadata"]["uid"] != self.pod["metadata"]["uid"]:
            return
        foreign = list(statuses.foreign_conditions(stored)) if self._has_foreign(stored) else []
        if verdicts is None:
            verdicts = statuses.verdicts(
                self.pod,
                phase,
                self.containers,
                as_of,
                sandbox=sandbox,
                initialized=any("waiting" not in each["state"] or each["lastState"] for each in apps),
                foreign={each["type"]: each["status"] for each in foreign},
            )
        generation = self.pod["metadata"]["generation"]
        conditions = statuses.conditions(generation, self._since(verdicts, stored))
        if foreign:
            conditions = [*foreign, *conditions]
        status = statuses.compose(
            generation,
            shown or phase,
            conditions,
            self.kubelet.host_ip,
            self.ip if self.sandbox_at <= as_of else "",
            self.start_stamp,
            init,
            apps,
            stored["status"]["qosClass"],
        )
        try:
            api.put_status("pods", self.pod, status, check=False)
        except ApiError:
            return

    def settled(self) -> tuple[Verdict, ...]:
        """What the first four conditions said last, but for the sandbox, which is gone."""
        return (statuses.FALSE, *(fact.verdict for fact in self._facts[1:4]))

    def _has_foreign(self, stored: Object) -> bool:
        return len(stored["status"].get("conditions", ())) > len(statuses.OWN) or not self._facts

    def _since(self, verdicts: tuple[Verdict, ...], stored: Object) -> tuple[Fact, ...]:
        """The conditions, each since its status became what it is."""
        before = self._facts
        now = self.kubelet.clock.timestamp()
        if not before:
            scheduled = next(
                (c for c in stored["status"].get("conditions", ()) if c["type"] == statuses.SCHEDULED), None
            )
            facts = [
                Fact(type_, verdict, now) for type_, verdict in zip(statuses.OWN, verdicts, strict=False)
            ]
            facts.append(
                Fact(statuses.SCHEDULED, statuses.TRUE, scheduled["lastTransitionTime"] if scheduled else now)
            )
        else:
            facts = [
                was
                if was.verdict == verdict
                else Fact(was.type, verdict, was.since if was.verdict[0] == verdict[0] else now)
                for was, verdict in zip(before, verdicts, strict=False)
            ]
            facts.append(before[-1])
        self._facts = tuple(facts)
        return self._facts

    # --- probes --------------------------------------------------------------------------------

    def make_workers(self) -> None:
        """Starts the workers of all probes."""
        now = self.kubelet.clock.now
        for container in self.containers:
            try:
                port = self.kubelet.images.of(container.image, literal_env(container.spec)).port
            except InvalidImageName:
                port = 0
            container.make_workers(now, port)

    def watch_containers(self) -> None:
        """Lets the probes turn to runs that the PLEG has shown since the last sync."""
        for container in self.containers:
            if not container.workers:
                continue
            run = container.current(self.as_of)
            if run is not None and run.has_ended(self.as_of):
                self.stop_probes(container)
            elif run is not None and run is not container.watched:
                container.watched = run
                for worker in container.workers:
                    worker.begin(run.application)
                    self._plan(container, worker)

    def stop_probes(self, container: Container, *roles: str) -> None:
        """Stops the container's probes (of those roles); what it was ready for no longer counts."""
        for worker in container.workers:
            if not roles or worker.probe.role in roles:
                _cancel_timer(worker)
                if not roles and worker.probe.role == READINESS:
                    worker.result = False

    def plan_again(self, container: Container) -> None:
        """Works out again when asking makes a difference: the program's answers have changed."""
        for worker in container.workers:
            self._plan(container, worker)

    def _plan(self, container: Container, worker: Worker) -> None:
        _cancel_timer(worker)
        run, role = container.watched, worker.probe.role
        if run is None or (role == STARTUP) == container.is_started(self.as_of):
            return
        if self._final and role != READINESS:
            return
        quiet = self.warnings >= WARNINGS
        due, retry = worker.next_due(run.application, self.kubelet.clock.now, quiet=quiet)
        if due < inf:
            worker.timer = self.kubelet.clock.at(due, self._ask, container, worker, retry=retry)

    def _trigger(self, as_of: float) -> bool:
        """Lets readiness probes ask at once; whether the status waits to be written with the result."""
        clock = self.kubelet.clock
        waits = False
        for container in self.containers:
            worker = container.worker(READINESS) if container.workers else None
            if worker is None or worker.result is not False or not container.is_started(as_of):
                continue
            at = clock.now + FIRST_ASKED
            if worker.timer is None or worker.timer.at > at + ROUNDING:
                worker.base = at
            if at < worker.earliest:
                self._plan(container, worker)
                continue
            assert container.watched is not None
            ok = worker.ask(container.watched.application, at) is Answer.OK
            together = ok and self.kubelet.chance.stream("kubelet").random() < WRITTEN_TOGETHER
            waits = waits or (together and worker.probe.success_threshold == 1 and len(self.containers) == 1)
            if worker.timer is not None and worker.timer.at <= at + ROUNDING:
                worker.asks = 2
                continue
            _cancel_timer(worker)
            worker.timer = clock.at(at, self._ask, container, worker)
        return waits

    def _ask(self, container: Container, worker: Worker) -> None:
        """One tick of a probe. worker.go doProbe"""
        worker.timer, asks, worker.asks = None, worker.asks, 1
        for _ in range(asks):
            self._ask_once(container, worker)
        self._plan(container, worker)

    def _ask_once(self, container: Container, worker: Worker) -> None:
        assert container.watched is not None
        probe, now = worker.probe, self.kubelet.clock.now
        answer = worker.ask(container.watched.application, now)
        ok = answer is Answer.OK
        changed = worker.take(ok)
        if not ok:
            self.say(
                container,
                "Warning",
                "Unhealthy",
                f"{probe.role} probe failed: {probe.failure(answer, self.ip)}",
            )
            if probe.role == READINESS and worker.is_first():
                self.request_sync()
        if changed:
            self._heed(container, worker, ok=ok)

    def _heed(self, container: Container, worker: Worker, *, ok: bool) -> None:
        """What a probe's new result brings about. kubelet.go handleProbeSync"""
        role = worker.probe.role
        if role == READINESS:
            self.publish()
        elif ok and role == STARTUP:
            self.publish()
            self.plan_again(container)
            self.request_sync()
        elif not ok:
            self.stop_reasons[container.name] = LIVENESS if role == LIVENESS else STARTUP
            self.request_sync()

    # --- events --------------------------------------------------------------------------------

    def say(self, container: Container | None, type_: str, reason: str, message: str) -> None:
        """Records an event about the pod, or about a container of it."""
        if type_ == "Warning":
            self.warnings += 1
        path = container.field_path if container is not None else ""
        self.kubelet.recorder.record("Pod", self.pod, type_, reason, message, path)  # type: ignore[arg-type]

    @property
    def full_name(self) -> str:
        """The pod as back-off messages name it."""
        return f"{self.key.name}_{self.key.namespace}({self.pod['metadata']['uid']})"


def _kind(spec: Object) -> str:
    return "sidecar" if spec.get("restartPolicy") == "Always" else "init"


def _cancel_timer(worker: Worker) -> None:
    if worker.timer is not None:
        worker.timer.cancel()
        worker.timer = None
