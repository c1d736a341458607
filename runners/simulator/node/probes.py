"""Probes: when they ask, what the answer comes to, and when asking next can make a difference.

A probe asks every period, counted from its worker's start. Most of that asking changes nothing, so
only those ticks become events of the clock at which the result changes, is on its way to, or an
`Unhealthy` event is due. The worker works them out from the moments at which the program's answers
change.
pkg/kubelet/prober/worker.go, prober.go
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import floor, inf
from typing import NamedTuple

from gherkube.runners.objects import Object
from gherkube.runners.simulator.clock import Clock, Timer
from gherkube.runners.simulator.node.application import Answer, Application, Question
from gherkube.runners.simulator.node.programs import Course, Look, course_of, look_of, why_not_there

READINESS, LIVENESS, STARTUP = "Readiness", "Liveness", "Startup"
FIELDS = (("startupProbe", STARTUP), ("livenessProbe", LIVENESS), ("readinessProbe", READINESS))
LIVE_PATHS = ("/healthz", "/livez")
"""Paths that ask, in a startup probe, whether the program lives, not whether it is ready."""
UNHEALTHY_TEXT = {Question.READY: "readiness check failed", Question.LIVE: "health check failed"}
EXEC = "rpc error: code = Unknown desc = failed to exec in container: failed to start exec"
NOT_EXECUTED = "OCI runtime exec failed: exec failed: unable to start container process"
"""How containerd and runc say that a command cannot be run in a container."""
ROUNDING = 1e-6


class Probe(NamedTuple):
    """A probe of a container's spec; times in seconds. `form` is httpGet, tcpSocket, exec or grpc."""

    role: str
    form: str
    question: Question
    port: int
    target: str
    initial_delay: int
    period: int
    timeout: int
    success_threshold: int
    failure_threshold: int
    grace: int | None
    course: Course | None = None
    """What its command does, where that is known."""
    look: Look | None = None
    """The file that its command looks for."""
    error: str = ""
    """Why it can never be asked."""

    def ask(self, application: Application, now: float) -> Answer:
        """What the program, or the probe's command beside it, would answer at that time."""
        if self.error:
            return Answer.ERROR
        if self.course is not None:
            if self.course.seconds > self.timeout:
                return Answer.TIMEOUT
            return Answer.UNHEALTHY if self.course.code else Answer.OK
        if self.look is not None and application.files is not None:
            return Answer.OK if application.has_file(self.look.file, now) else Answer.UNHEALTHY
        return application.answer(self.question, now)

    def seconds(self, answer: Answer) -> int:
        """How long it takes to come to that answer; a gRPC client tries to connect for as long as it may."""
        waits = answer is Answer.TIMEOUT or (self.form == "grpc" and answer is Answer.REFUSED)
        return self.timeout if waits else 0

    def complaint(self, answer: Answer, ip: str, new_id: Callable[[], str]) -> str:
        """What the Unhealthy event says of an answer that is not OK; `new_id`: of what was not started."""
        if answer is not Answer.ERROR:
            return f"{self.role} probe failed: {self.failure(answer, ip)}"
        why = self.error
        if self.form == "exec":
            why = f'{EXEC} "{new_id().rpartition("/")[2]}": {NOT_EXECUTED}: {why}: unknown'
        return f"{self.role} probe errored and resulted in unknown state: {why}"

    def failure(self, answer: Answer, ip: str) -> str:
        """What went wrong where it could be asked."""
        refused, timeout = answer is Answer.REFUSED, answer is Answer.TIMEOUT
        if self.form == "httpGet":
            scheme, _, path = self.target.partition(" ")
            url = f'Get "{scheme}://{ip}:{self.port}{path}": '
            if refused:
                return f"{url}dial tcp {ip}:{self.port}: connect: connection refused"
            if timeout:
                return f"{url}context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            return "HTTP probe failed with statuscode: 503"
        if self.form == "tcpSocket":
            return f"dial tcp {ip}:{self.port}: connect: connection refused"
        if self.form == "grpc":
            if refused or timeout:
                return (
                    f'timeout: failed to connect service "{ip}:{self.port}" within {self.timeout}s: '
                    "context deadline exceeded"
                )
            return 'service unhealthy (responded with "NOT_SERVING")'
        if timeout:
            return f'command timed out: "{self.target}" timed out after {self.timeout}s'
        if self.course is not None:
            return "".join(f"{text}\n" for _, text in self.course.lines)
        if self.look is not None:
            return self.look.complaint
        return UNHEALTHY_TEXT.get(self.question, "connection refused")


def probe_of(container: Object, field: str, role: str) -> Probe:
    """The probe that stands in that field of a container's spec."""
    spec = container[field]
    form = next(form for form in ("httpGet", "tcpSocket", "grpc", "exec") if form in spec)
    handler = spec[form]
    port, target = 0, ""
    argv = spec["exec"].get("command", ()) if form == "exec" else ()
    if form == "httpGet":
        target = f"{handler.get('scheme', 'HTTP').lower()} {handler.get('path', '/')}"
    elif form == "exec":
        target = " ".join(argv)
    if form != "exec":
        port = port_number(container, handler["port"])
    return Probe(
        role,
        form,
        _question(role, form, handler.get("path", "") if form == "httpGet" else ""),
        port,
        target,
        spec.get("initialDelaySeconds", 0),
        spec.get("periodSeconds", 10),
        spec.get("timeoutSeconds", 1),
        spec.get("successThreshold", 1),
        spec.get("failureThreshold", 3),
        spec.get("terminationGracePeriodSeconds"),
        course_of(argv),
        look_of(argv),
        _error(container, argv, handler.get("port"), port),
    )


def _error(container: Object, argv: Sequence[str], named: int | str | None, port: int) -> str:
    """Why it can never be asked: its command is not there, or no port has that name."""
    if argv:
        return why_not_there(container, argv)
    return f'strconv.Atoi: parsing "{named}": invalid syntax' if named and not port else ""


def port_number(container: Object, port: int | str) -> int:
    """A port by its number or by its name among the container's ports; 0 when there is none of the name."""
    if isinstance(port, int):
        return port
    for declared in container.get("ports", ()):
        if declared.get("name") == port:
            return int(declared["containerPort"])
    return int(port) if port.isdigit() else 0


def _question(role: str, form: str, path: str) -> Question:
    if form == "tcpSocket":
        return Question.LISTENING
    if role == LIVENESS or (role == STARTUP and path in LIVE_PATHS):
        return Question.LIVE
    return Question.READY


class Worker:
    """Asks one probe of one container, over all of its runs.

    `result` is what the kubelet goes by: None as long as a startup probe has not come to one. `asks` is
    how often it asks at its next tick: twice when it was triggered at that very moment.
    """

    __slots__ = (
        "_asked",
        "asks",
        "base",
        "earliest",
        "last_ok",
        "on_hold",
        "probe",
        "result",
        "run",
        "timer",
        "unreachable",
    )

    def __init__(self, probe: Probe, base: float, *, unreachable: bool) -> None:
        """`base`: when its ticker starts. `unreachable`: nothing of the container listens on its port."""
        self.probe, self.base, self.unreachable = probe, base, unreachable
        self.result: bool | None = None
        self.timer: Timer | None = None
        self.last_ok, self.run, self.on_hold = True, 0, False
        self.earliest, self._asked, self.asks = 0.0, False, 1

    def begin(self, application: Application) -> None:
        """Turns to a new run of the container, with the result that it begins with."""
        self.on_hold = self._asked = False
        self.earliest = floor(application.started_at) + float(self.probe.initial_delay)
        self.result = {READINESS: False, LIVENESS: True, STARTUP: None}[self.probe.role]

    def rest(self, clock: Clock) -> None:
        """Has no next tick."""
        if self.timer is not None:
            clock.cancel(self.timer)
            self.timer = None

    def ask(self, application: Application, now: float) -> Answer:
        """What the program would answer at that time."""
        return Answer.REFUSED if self.unreachable else self.probe.ask(application, now)

    def take(self, ok: bool) -> bool:
        """Counts a result; whether the one that the kubelet goes by has changed. worker.go doProbe"""
        if ok == self.last_ok:
            self.run += 1
        else:
            self.last_ok, self.run = ok, 1
        if self.run < (self.probe.success_threshold if ok else self.probe.failure_threshold):
            return False
        changed = self.result is not ok
        self.result = ok
        if not ok and self.probe.role != READINESS:
            self.on_hold, self.run = True, 0
        return changed

    def is_first(self) -> bool:
        """Whether this was not called before in this run."""
        asked, self._asked = self._asked, True
        return not asked

    def next_tick(self, now: float) -> float:
        """The first tick after that time at which the worker asks."""
        period = self.probe.period
        now = max(now, self.earliest - ROUNDING)
        return self.base + period * (floor((now - self.base) / period + ROUNDING) + 1)

    def next_due(self, application: Application, now: float, *, quiet: bool = False) -> tuple[float, bool]:
        """The next tick that makes a difference, and whether it can only repeat what was said before.

        The time is `inf` when there is none. `quiet`: no event would be recorded for another failure.
        """
        if self.on_hold:
            return inf, False
        if self.probe.error:
            return (inf, False) if quiet else (self.next_tick(now), True)
        tick = self.next_tick(now)
        while True:
            ok = self.ask(application, tick) is Answer.OK
            change = inf if self.unreachable else application.next_change(tick)
            settled = self.result is ok and self.last_ok is ok
            if not settled or (not ok and not quiet):
                return tick, settled and change == inf
            if change == inf:
                return inf, False
            tick = self.next_tick(change - ROUNDING)
