"""postStart and preStop: how long they take, and whether they succeed.

A command takes as long and ends with the code that it says itself; one that says nothing of it succeeds at
once, or after as long as it says it sleeps. A request succeeds when the container's program answers it.
pkg/kubelet/lifecycle/handlers.go
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from gherkube.runners.objects import Object
from gherkube.runners.simulator.node.application import Answer, Question
from gherkube.runners.simulator.node.probes import port_number
from gherkube.runners.simulator.node.programs import course_of

if TYPE_CHECKING:
    from gherkube.runners.simulator.node.containers import Container
    from gherkube.runners.simulator.node.pod import PodWorker

_SLEEP = re.compile(r"\bsleep\s+([0-9.]+)([smh]?)")
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
COMMAND_TAKES = 0.02
"""Seconds that a command takes which does not sleep, and a request."""


class Hook(NamedTuple):
    """A lifecycle hook: its seconds, what it runs and with which exit code that ends, or whom it asks."""

    seconds: float
    command: tuple[str, ...] = ()
    code: int = 0
    port: int | None = None
    path: str = "/"

    def failure(self, pod: PodWorker, container: Container) -> str:
        """Why it fails now, or ""."""
        whose = f'for Container "{container.name}" in Pod "{pod.full_name}" failed - error'
        if self.code:
            line = " ".join(self.command)
            ended = f"command '{line}' exited with {self.code}: , message: \"\""
            return f"Exec lifecycle hook ([{line}]) {whose}: {ended}"
        if self.port is None or _answers(pod, container, self.port):
            return ""
        address = f"{pod.ip}:{self.port}"
        return (
            f'HTTP lifecycle hook ({self.path}) {whose}: Get "http://{address}{self.path}": '
            f"dial tcp {address}: connect: connection refused"
        )


def hook_of(container: Object, lifecycle: Object, name: str) -> Hook | None:
    """The hook of that name in a container's lifecycle, or None."""
    handler = lifecycle.get(name)
    if not handler:
        return None
    if "sleep" in handler:
        return Hook(float(handler["sleep"]["seconds"]))
    if "exec" in handler:
        command = tuple(handler["exec"].get("command", ()))
        if known := course_of(command):
            return Hook(known.seconds or COMMAND_TAKES, command, known.code)
        slept = sum(float(number) * _UNITS[unit] for number, unit in _SLEEP.findall(" ".join(command)))
        return Hook(slept or COMMAND_TAKES, command)
    request = handler.get("httpGet") or handler.get("tcpSocket")
    if not request:
        return Hook(COMMAND_TAKES)
    return Hook(COMMAND_TAKES, port=port_number(container, request["port"]), path=request.get("path", "/"))


def _answers(pod: PodWorker, container: Container, port: int) -> bool:
    run = container.run
    assert run is not None
    listens = port in container.ports(run.application.behaviour.port)
    return listens and run.application.answer(Question.LISTENING, pod.kubelet.clock.now) is Answer.OK
