"""postStart and preStop: how long they take, and whether they succeed.

There is no program to run: a command succeeds at once, or after as long as it says it sleeps. A
request succeeds when the container's program answers it.
pkg/kubelet/lifecycle/handlers.go
"""

from __future__ import annotations

import re
from typing import NamedTuple

from gherkube.runners.objects import Object
from gherkube.runners.simulator.node.probes import port_number

_SLEEP = re.compile(r"\bsleep\s+([0-9.]+)([smh]?)")
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
COMMAND_TAKES = 0.02
"""Seconds that a command takes which does not sleep, and a request."""


class Hook(NamedTuple):
    """A lifecycle hook: how many seconds it takes, and the port that it asks (None: it asks nobody)."""

    seconds: float
    port: int | None


def hook_of(container: Object, lifecycle: Object, name: str) -> Hook | None:
    """The hook of that name in a container's lifecycle, or None."""
    handler = lifecycle.get(name)
    if not handler:
        return None
    if "sleep" in handler:
        return Hook(float(handler["sleep"]["seconds"]), None)
    if "exec" in handler:
        command = " ".join(handler["exec"].get("command", ()))
        slept = sum(float(number) * _UNITS[unit] for number, unit in _SLEEP.findall(command))
        return Hook(slept or COMMAND_TAKES, None)
    request = handler.get("httpGet") or handler.get("tcpSocket")
    return Hook(COMMAND_TAKES, port_number(container, request["port"]) if request else None)
