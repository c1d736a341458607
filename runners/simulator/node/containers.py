"""A container of a pod: what its spec comes to, and its runs.

What the kubelet knows of a run lags: it sees the runtime through the PLEG, which looks once a second.
So every question about a run is asked as of a moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import inf
from typing import NamedTuple

from gherkube.runners.objects import Object
from gherkube.runners.quantities import memory_bytes
from gherkube.runners.simulator.clock import Timer, timestamp
from gherkube.runners.simulator.node.application import Application
from gherkube.runners.simulator.node.hooks import Hook, hook_of
from gherkube.runners.simulator.node.images import parse_image
from gherkube.runners.simulator.node.probes import FIELDS, READINESS, STARTUP, Worker, probe_of

DEFAULT_PORT, WEB_PORT = 8080, 80
NO_STATE: Object = {}
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


class Words(NamedTuple):
    """How events name a container, and what they say of it; the same for all pods of a template."""

    path: str
    created: str
    started: str
    stopping: str


class Container:
    """A container of a pod on its node.

    `kind` is "app", "init" or "sidecar". `watched` is the run that its probes ask. `waits` is why it did
    not start, reason and message, as the last sync found it (the kubelet's reason cache).
    """

    __slots__ = (
        "_mounts",
        "_resources",
        "image",
        "kind",
        "last_pull_error",
        "name",
        "post_start",
        "pre_stop",
        "previous",
        "run",
        "spec",
        "waits",
        "watched",
        "words",
        "workers",
    )

    def __init__(self, spec: Object, kind: str) -> None:
        self.spec, self.kind = spec, kind
        self.name: str = spec["name"]
        self.image: str = spec["image"]
        self.words = _words(kind, self.name)
        self.post_start: Hook | None = None
        self.pre_stop: Hook | None = None
        if lifecycle := spec.get("lifecycle"):
            self.post_start = hook_of(spec, lifecycle, "postStart")
            self.pre_stop = hook_of(spec, lifecycle, "preStop")
        self.run: Run | None = None
        self.previous: Run | None = None
        self.watched: Run | None = None
        self.waits: tuple[str, str] | None = None
        self.last_pull_error = ""
        self.workers: list[Worker] = []
        self._mounts = [_mount(mount) for mount in spec.get("volumeMounts", ())]
        self._resources: Object = spec.get("resources", {})

    @property
    def memory_limit(self) -> float:
        """In bytes; `inf` without one."""
        limit = self.spec.get("resources", {}).get("limits", {}).get("memory")
        return inf if limit is None else float(memory_bytes(limit))

    def worker(self, role: str) -> Worker | None:
        """The worker of its probe of that role."""
        for worker in self.workers:
            if worker.probe.role == role:
                return worker
        return None

    def make_workers(self, now: float, port: int) -> None:
        """Starts the workers of its probes; `port`: where its program says it listens, 0 as declared."""
        spec = self.spec
        if self.kind == "init" or self.workers:
            return
        for field, role in FIELDS:
            if field in spec:
                probe = probe_of(spec, field, role)
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

    def _ready_and_started(self, run: Run, as_of: float) -> tuple[bool, bool]:
        """What its status says: of an init container that it is done, and runs; of others what probes say."""
        runs = run.application.ends_at > as_of
        if self.kind == "init":
            return not runs and run.application.exit_code == 0, runs
        if not self.workers:
            return runs, runs
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
        state, last = default_wait, NO_STATE
        ready = started = False
        if run is not None:
            state = run.state(as_of)
            is_kept = as_of - run.application.ends_at < KEPT
            if previous is not None and run.attempt > 0 and is_kept:
                last = previous.state(as_of)
            ready, started = self._ready_and_started(run, as_of)
        if wanted and self.waits is not None and "running" not in state:
            if "terminated" in state:
                last = state
            reason, message = self.waits
            state = {"waiting": {"reason": reason, "message": message} if message else {"reason": reason}}
        return self.compose(run, state, last, ready, started)

    def compose(self, run: Run | None, state: Object, last: Object, ready: bool, started: bool) -> Object:
        """A container status of these parts."""
        status: Object = {
            "name": self.name,
            "state": state,
            "lastState": last,
            "ready": ready,
            "restartCount": run.attempt if run is not None else 0,
        }
        if run is None:
            status["image"], status["imageID"] = self.image, ""
        else:
            image = parse_image(self.image)
            status["image"], status["imageID"], status["containerID"] = image.name, image.id, run.id
        status["started"] = started
        if run is not None:
            resources = self._resources
            if requests := resources.get("requests"):
                status["allocatedResources"] = requests
            status["resources"] = resources
        if self._mounts:
            status["volumeMounts"] = self._mounts
        return status


@lru_cache(256)
def _running(stamp: str) -> Object:
    """The state of all containers that started in that second."""
    return {"running": {"startedAt": stamp}}


@lru_cache(256)
def _words(kind: str, name: str) -> Words:
    path = f"spec.{'containers' if kind == 'app' else 'initContainers'}{{{name}}}"
    created, started = f"Created container: {name}", f"Started container {name}"
    return Words(path, created, started, f"Stopping container {name}")


def _is_web_server(image: str) -> bool:
    return parse_image(image).repository.rpartition("/")[2] in WEB_SERVERS


def _mount(mount: Object) -> Object:
    """How the status shows a mount of the spec."""
    shown = {"name": mount["name"], "mountPath": mount["mountPath"]}
    if mount.get("readOnly"):
        shown["readOnly"], shown["recursiveReadOnly"] = True, "Disabled"
    return shown
