"""A container of a pod: what its spec comes to, and its runs.

What the kubelet knows of a run lags: it sees the runtime through the PLEG, which looks once a second.
So every question about a run is asked as of a moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from gherkube.runners.objects import Object
from gherkube.runners.simulator.clock import Timer, timestamp
from gherkube.runners.simulator.node.application import Application
from gherkube.runners.simulator.node.images import parse_image
from gherkube.runners.simulator.node.probes import READINESS, STARTUP, Worker
from gherkube.runners.simulator.node.recipes import NO_STATE, recipe_of

DEFAULT_PORT, WEB_PORT = 8080, 80
NEVER = "1970-01-01T00:00:00Z"
KEPT = 1.0
"""Seconds for which a run stays beside the next one when that ended. kubelet.go cleanUpContainersInPod"""
WEB_SERVERS = frozenset({"httpd", "nginx"})
"""Images, whatever registry they are from, that listen on `WEB_PORT` when nothing is said of ports."""


class Run:
    """One run of a container, from its start to its end; `image` and `env` are what it was started with."""

    __slots__ = (
        "_running",
        "_terminated",
        "application",
        "attempt",
        "end_timer",
        "env",
        "id",
        "image",
        "message",
        "started_at",
        "started_stamp",
    )

    def __init__(
        self, application: Application, attempt: int, id_: str, stamp: str, image: str, env: Mapping[str, str]
    ) -> None:
        self.application, self.attempt, self.id = application, attempt, id_
        self.image, self.env = image, env
        self.end_timer: Timer | None = None
        self.started_at, self.started_stamp = application.started_at, stamp
        self._running = _running(stamp)
        self._terminated: Object | None = None
        self.message = ""

    def has_ended(self, as_of: float) -> bool:
        """Whether the runtime showed its end at that time."""
        return self.application.ends_at <= as_of

    def state(self, as_of: float) -> Object:
        """The container state at that time: running or terminated."""
        application = self.application
        if application.ends_at > as_of:
            return self._running
        if self._terminated is None:
            self._terminated = {
                "terminated": {
                    "exitCode": application.exit_code,
                    "reason": application.reason,
                    "startedAt": self.started_stamp,
                    "finishedAt": timestamp(application.ends_at),
                    "containerID": self.id,
                }
            }
            if self.message:
                self._terminated["terminated"]["message"] = self.message
            if application.reason == "StartError":
                self._terminated["terminated"]["startedAt"] = NEVER
        return self._terminated

    def end_unstarted(self, why: str) -> None:
        """It could not be started: it has ended, with that message."""
        self.application.end_unstarted()
        self.message = why


class Container:
    """A container of a pod on its node.

    `kind` is "app", "init" or "sidecar". `watched` is the run that its probes ask. `waits` is why it did
    not start, reason and message, as the last sync found it (the kubelet's reason cache).
    """

    __slots__ = (
        "_mounts",
        "image",
        "kind",
        "last_pull_error",
        "name",
        "previous",
        "recipe",
        "run",
        "spec",
        "waits",
        "watched",
        "workers",
    )

    def __init__(self, spec: Object, kind: str = "app") -> None:
        self.kind = kind
        self.name: str = spec["name"]
        self.take(spec)
        self.run: Run | None = None
        self.previous: Run | None = None
        self.watched: Run | None = None
        self.waits: tuple[str, str] | None = None
        self.last_pull_error = ""
        self.workers: list[Worker] = []
        self._mounts = list(map(_mount, spec.get("volumeMounts", ())))

    def take(self, spec: Object) -> None:
        """Goes by that spec from now on."""
        self.spec, self.recipe = spec, recipe_of(spec, self.kind)
        self.image: str = spec["image"]

    def worker(self, role: str) -> Worker | None:
        """The worker of its probe of that role."""
        for worker in self.workers:
            if worker.probe.role == role:
                return worker
        return None

    def make_workers(self, now: float, port: int) -> None:
        """Starts the workers of its probes; `port`: where its program says it listens, 0 as declared."""
        if self.kind == "init" or self.workers:
            return
        for probe in self.recipe.probes:
            unreachable = probe.port not in self.ports(port) and not (probe.form == "exec" or probe.error)
            self.workers.append(Worker(probe, now, unreachable=unreachable))

    def ports(self, port: int) -> tuple[int, ...]:
        """Where its program listens: on `port` unless that is 0, else as declared, else by its image."""
        if port:
            return (port,)
        declared = tuple(p["containerPort"] for p in self.spec.get("ports", ()))
        return declared or (WEB_PORT if _is_web_server(self.image) else DEFAULT_PORT,)

    def current(self, as_of: float) -> Run | None:
        """Its newest run, if the runtime showed it at that time."""
        run = self.run
        return run if run is not None and run.started_at <= as_of else self.previous

    def run_of(self, id_: str, now: float) -> Run | None:
        """The run of that ID, if it is left: the last one always is."""
        for run in (self.run, self.previous):
            if run is not None and run.id == id_:
                kept = run is self.run or self.run is None or not self.run.has_ended(now - KEPT)
                return run if kept else None
        return None

    def is_running(self, as_of: float) -> bool:
        """Whether the runtime showed it running at that time."""
        run = self.current(as_of)
        return run is not None and run.application.ends_at > as_of

    def is_started(self, as_of: float) -> bool:
        """Whether it runs and its startup probe, if it has one, has succeeded."""
        return self.is_running(as_of) and self._passes(STARTUP)

    def _ready_and_started(self, run: Run, runs: bool) -> tuple[bool, bool]:
        """What its status says: of an init container that it is done, and runs; of others what probes say."""
        if self.kind == "init":
            return not runs and run.application.exit_code == 0, runs
        started = runs and self._passes(STARTUP)
        return started and self._passes(READINESS), started

    def _passes(self, role: str) -> bool:
        """Whether its probe of that role, if it has one, succeeded last."""
        worker = self.worker(role) if self.workers else None
        return worker is None or worker.result is True

    def status(self, as_of: float, default_wait: Object, wanted: bool) -> Object:
        """Its status at that time.

        `default_wait`: the state of a container that was never started. `wanted`: the next sync would
        start it, so that the reason why the last one did not shows.
        pkg/kubelet/kubelet_pods.go convertToAPIContainerStatuses
        """
        run, previous = self.run, self.previous
        if run is not None and run.started_at > as_of:
            run, previous = previous, None
        state, last, ready, started = default_wait, NO_STATE, False, False
        if run is not None:
            state, ends_at = run.state(as_of), run.application.ends_at
            if previous is not None and run.attempt > 0 and as_of - ends_at < KEPT:
                last = previous.state(as_of)
            ready = started = ends_at > as_of
            if self.workers or self.kind == "init":
                ready, started = self._ready_and_started(run, ready)
        if wanted and self.waits is not None and "running" not in state:
            if "terminated" in state:
                last = state
            reason, message = self.waits
            state = {"waiting": {"reason": reason, "message": message} if message else {"reason": reason}}
        if run is None:
            status = self.recipe.unborn.copy()
        else:
            status = self.recipe.born.copy()
            status["lastState"], status["restartCount"], status["containerID"] = last, run.attempt, run.id
            status["ready"], status["started"] = ready, started
        status["state"] = state
        if self._mounts:
            status["volumeMounts"] = self._mounts
        return status


@lru_cache(256)
def _running(stamp: str) -> Object:
    """The state of all containers that started in that second."""
    return {"running": {"startedAt": stamp}}


def _is_web_server(image: str) -> bool:
    return parse_image(image).repository.rpartition("/")[2] in WEB_SERVERS


def _mount(mount: Object) -> Object:
    """How the status shows a mount of the spec."""
    name, path = mount["name"], mount["mountPath"]
    if mount.get("readOnly"):
        return {"name": name, "mountPath": path, "readOnly": True, "recursiveReadOnly": "Disabled"}
    return {"name": name, "mountPath": path}
