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

from gherkube.runners.objects import ENDED, Key, Object
from gherkube.runners.simulator.clock import Timer, seconds_of
from gherkube.runners.simulator.events import EventType
from gherkube.runners.simulator.node.backoff import BackOff
from gherkube.runners.simulator.node.containers import Container, Run
from gherkube.runners.simulator.node.images import parse_image
from gherkube.runners.simulator.node.prober import Prober
from gherkube.runners.simulator.node.publishing import Publisher
from gherkube.runners.simulator.node.starting import start_what_is_missing
from gherkube.runners.simulator.node.status import CREATING, INITIALIZING
from gherkube.runners.simulator.node.termination import terminate, wind_up

if TYPE_CHECKING:
    from gherkube.runners.simulator.node.kubelet import Kubelet

RETRY_AFTER, RETRY_JITTER = 10.0, 0.5
"""Seconds from a sync that failed to the next, and which share of that it may take longer. pod_workers.go"""
DEADLINE_EXCEEDED = ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
TOLD_AFTER = 0.06
"""Median seconds from a look of the PLEG to the syncs that it brings: they come one after another."""


class PodWorker:
    """One pod on one node; made when the kubelet hears of the pod."""

    __slots__ = (
        "_again",
        "_final",
        "_generator",
        "_owed",
        "_timer",
        "as_of",
        "backoff",
        "changed",
        "containers",
        "default_wait",
        "deleting",
        "done_at",
        "failed",
        "ip",
        "ips",
        "key",
        "kubelet",
        "outcome",
        "over",
        "pod",
        "prober",
        "publisher",
        "pulling",
        "retrying",
        "sandbox_at",
        "start_stamp",
        "stop_reasons",
        "uid",
        "warnings",
    )

    def __init__(self, kubelet: Kubelet, pod: Object, key: Key) -> None:
        self.kubelet, self.pod, self.key = kubelet, pod, key
        self.uid: str = pod["metadata"]["uid"]
        spec = pod["spec"]
        self.containers = list(map(Container, spec["containers"]))
        self.default_wait = CREATING
        if "initContainers" in spec:
            first = [Container(each, _kind(each)) for each in spec["initContainers"]]
            self.containers, self.default_wait = first + self.containers, INITIALIZING
        self.backoff = BackOff()
        self.publisher = Publisher(self)
        self.prober: Prober | None = None
        self.ip, self.sandbox_at = "", inf
        self.ips: list[Object] = []
        self.start_stamp = ""
        self.outcome: tuple[str, str] | None = None
        """Why the pod failed whatever its containers did: reason and message."""
        self.stop_reasons: dict[str, str] = {}
        self.as_of = self.done_at = -inf
        self.changed = self.failed = self.deleting = self.over = self.pulling = self.retrying = False
        self.warnings = 0
        self._again = self._final = self._owed = False
        self._generator: Iterator[float] | None = None
        self._timer: Timer | None = None

    # --- what others tell it ------------------------------------------------------------------

    def begin(self) -> None:
        """The first sync, now."""
        self._note_start()
        self._watch_deadline()
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
                container.take(spec)
                if container.is_running(self.kubelet.clock.now):
                    self.stop_reasons[container.name] = "definition changed"
        self._watch_deadline()
        self.request_sync()

    def abandon(self) -> None:
        """The pod is gone from the API: what still runs is killed, within two seconds."""
        now = self.kubelet.clock.now
        for container in self.containers:
            if container.run is not None and container.run.application.runs(now):
                if not self.deleting:
                    self.say(container, "Normal", "Killing", container.recipe.stopping)
                container.run.application.terminate(now, now + 2.0)
        self.freeze()

    def freeze(self) -> None:
        """Nothing more happens by itself: its node has no power, or the pod is gone."""
        self._cancel()
        if self.prober is not None:
            self.prober.rest()

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
        self.backoff = BackOff()
        self._again, self.done_at = False, -inf
        self.begin()

    def reconsider(self) -> None:
        """Something that its retries may have waited for has changed: the next one is no mere repetition."""
        if self._timer is not None:
            when, call, _, retry = self._timer
            if retry:
                self._at(when, call)

    def relearn(self, image: str) -> None:
        """Something was said about the image of that full name: the programs that run it heed it."""
        kubelet = self.kubelet
        for container in self.containers:
            run = container.run
            if run is None or parse_image(run.image).name != image:
                continue
            if run.application.become(kubelet.images.of(run.image, run.env), kubelet.clock.now):
                self.look_for_end(run)
                if self.prober is not None and run is container.watched:
                    self.prober.plan(container)

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
        phase = self.show()
        if phase in ENDED:
            self.over = True
            self._drive(wind_up(self))
        elif self.is_missing_something():
            self.changed = self.failed = False
            self._drive(start_what_is_missing(self))
        else:
            self.done_at = now

    def show(self) -> str:
        """Takes note of what the PLEG has shown, and publishes it; returns the phase."""
        if self.prober is not None:
            self.prober.notice()
        return self.publisher.publish(probe_first=True)

    def make_sandbox(self) -> None:
        """The pod has its sandbox, and with it its address, from now on."""
        self.ip, self.sandbox_at = self.kubelet.new_ip(self.pod), self.kubelet.clock.now
        self.ips = [{"ip": self.ip}]

    def begin_probing(self) -> None:
        """Starts the workers of its probes, if it has any."""
        for container in self.containers:
            if self.prober is None and container.recipe.has_probes:
                self.prober = Prober(self)

    def is_missing_something(self) -> bool:
        """Whether the runtime is not yet what the spec says."""
        if self.sandbox_at == inf or self.stop_reasons:
            return True
        for container in self.containers:  # noqa: SIM110 - a third of what any() takes
            if self.is_to_start(container):
                return True
        return False

    def is_to_start(self, container: Container) -> bool:
        """Whether the container does not run, as far as the PLEG has shown, and should."""
        run = container.run
        return run is None or (run.application.ends_at <= self.as_of and self.wants(container))

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

    def look_for_end(self, run: Run) -> None:
        """Plans the sync that the PLEG's first look after the run's end brings, and no other for that run."""
        if run.end_timer is not None:
            self.kubelet.clock.cancel(run.end_timer)
            run.end_timer = None
        moment = run.application.ends_at
        if moment < inf:
            run.end_timer = self.kubelet.clock.at(self.kubelet.look_after(moment), self._looked, moment)

    def _looked(self, moment: float) -> None:
        ended = any(c.run is not None and c.run.application.ends_at == moment for c in self.containers)
        if (
            ended
            and not self.deleting
            and self.kubelet.pods.get(self.key) is self
            and self.kubelet.syncs_pods
        ):
            # In its first look after the start the PLEG has seen two things, the sandbox and the end, and
            # the sync for the second is still owed when the first one is over.
            first = self.kubelet.look_after(self.sandbox_at)
            self._owed = first == self.kubelet.look_after(moment)
            self.request_sync()

    def _drive(self, generator: Iterator[float]) -> None:
        self._generator = generator
        self._resume()

    def _resume(self) -> None:
        assert self._generator is not None
        delay = next(self._generator, None)
        if delay is not None:
            clock = self.kubelet.clock
            self._timer = clock.at(clock.now + delay, self._resume, retry=self.retrying)
            return
        self._timer = self._generator = None
        self.done_at = self.kubelet.clock.now
        if self._final or (self.over and not self.deleting):
            return
        if self.deleting:
            self._at(self._next_look_after_done(), self._terminate)
        elif self.changed or self._again:
            self._again, self._owed = self._owed, False
            self._at(self._next_look_after_done(), self.sync)
        elif self.failed:
            jitter = 1 + RETRY_JITTER * self.kubelet.chance.stream("kubelet").random()
            self._at(self.done_at + RETRY_AFTER * jitter, self.sync, retry=True)

    def _note_start(self) -> None:
        if not self.start_stamp:
            self.start_stamp = self.kubelet.clock.timestamp()

    def _watch_deadline(self) -> None:
        if "activeDeadlineSeconds" in self.pod["spec"]:
            deadline = self.pod["spec"]["activeDeadlineSeconds"]
            ends_at = max(seconds_of(self.start_stamp) + deadline, self.kubelet.clock.now)
            self.kubelet.clock.at(self.kubelet.look_after(ends_at), self._check_deadline, deadline)

    def _check_deadline(self, deadline: int) -> None:
        """Ends the pod unless it has ended, or was given another deadline. pkg/kubelet/active_deadline.go"""
        kubelet = self.kubelet
        is_here = kubelet.pods.get(self.key) is self and kubelet.syncs_pods
        if self.over or self.deleting or not is_here:
            return
        if self.pod["spec"].get("activeDeadlineSeconds") == deadline:
            self.outcome, self.over = DEADLINE_EXCEEDED, True
            self._cancel()
            self.show()
            self._drive(wind_up(self))

    def _terminate(self) -> None:
        self._note_start()
        self._final = self.over = True
        self._drive(terminate(self))

    def _hasten(self) -> None:
        if self._final and self._timer is not None:
            self.kubelet.clock.cancel(self._timer)
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
            self.kubelet.clock.cancel(self._timer)
        self._timer = self.kubelet.clock.at(when, call, retry=retry)

    def _cancel(self) -> None:
        if self._timer is not None:
            self.kubelet.clock.cancel(self._timer)
            self._timer = None
        if self._generator is not None:
            self._generator.close()  # type: ignore[attr-defined]
            self._generator, self.retrying = None, False
            self.done_at = self.kubelet.clock.now

    # --- events --------------------------------------------------------------------------------

    def say(self, container: Container | None, type_: EventType, reason: str, message: str) -> None:
        """Records an event about the pod, or about a container of it."""
        if type_ == "Warning":
            self.warnings += 1
        path = container.recipe.path if container is not None else ""
        self.kubelet.recorder.record("Pod", self.pod, type_, reason, message, path)

    @property
    def full_name(self) -> str:
        """The pod as back-off messages name it."""
        return f"{self.key.name}_{self.key.namespace}({self.uid})"


def _kind(spec: Object) -> str:
    return "sidecar" if spec.get("restartPolicy") == "Always" else "init"
