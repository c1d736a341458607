"""The admin endpoint, `/gherkube/v1/…`: what no Kubernetes API has, because no cluster could be asked for it.

GET /gherkube/v1: seed, time, nodes. PUT /gherkube/v1/nodes, POST …/nodes/NAME/stop and …/start.
GET, PATCH, PUT and DELETE /gherkube/v1/images. GET and PATCH /gherkube/v1/clock, POST …/clock/advance.
PATCH /gherkube/v1/seed.
"""

from __future__ import annotations

import re
from typing import Any

from gherkube.runners.errors import UsageError
from gherkube.runners.objects import Object
from gherkube.runners.quantities import FORM, parse
from gherkube.runners.simulator.cluster import Simulator
from gherkube.runners.simulator.server.calls import Call, Reply, success
from gherkube.runners.simulator.server.images import behaviours, duration, exactly
from gherkube.runners.simulator.server.negotiation import body_of
from gherkube.runners.simulator.server.paths import no_such_path
from gherkube.runners.simulator.server.pump import MODES, Mode, Pump
from gherkube.runners.simulator.server.verbs import not_allowed

PREFIX = "/gherkube/v1"
CLOCK, ADVANCE = f"{PREFIX}/clock", f"{PREFIX}/clock/advance"
DAY = 86_400.0
MOST_NODES = 5000
MOST = 3650 * DAY
"""How far time is advanced at most."""


class Admin:
    """Answers requests below PREFIX, but for those about time: see `Time`."""

    def __init__(self, cluster: Simulator) -> None:
        self._cluster = cluster

    def answer(self, call: Call) -> Reply:
        """The answer. Raises ApiError, UsageError."""
        parts = call.path.removeprefix(PREFIX).strip("/").split("/")
        match parts, call.method:
            case [""], "GET":
                return Reply(self._overview())
            case ["nodes", name, "stop"], "POST":
                self._cluster.faults.stop_node(name)
            case ["nodes", name, "start"], "POST":
                self._cluster.faults.start_node(name)
            case ["nodes"], "PUT":
                self._set_nodes(body_of(call))
                return Reply(self._overview())
            case ["images"], "GET":
                return Reply(self._images())
            case ["images"], "PUT":
                for image, said in exactly(body_of(call)):
                    self._cluster.images.say_again(image, said)
                return Reply(self._images())
            case ["images"], "PATCH" | "POST":
                for image, behaviour in list(behaviours(body_of(call))):
                    self._cluster.faults.behave(image, **behaviour)
                return Reply(self._images())
            case ["images"], "DELETE":
                self._cluster.images.forget()
                return Reply(self._images())
            case ["seed"], "PATCH" | "PUT" | "POST":
                self._cluster.api.chance.reseed(_number(body_of(call), "seed"))
                return Reply(self._overview())
            case ["" | "nodes" | "images" | "seed"] | ["nodes", _, "stop" | "start"], _:
                raise not_allowed()
            case _:
                raise no_such_path()
        return Reply(success())

    def _set_nodes(self, body: Any) -> None:
        sizes = {"cpu", "memory"}
        if not isinstance(body, dict) or body.keys() - {"count", *sizes}:
            raise UsageError('the nodes are set by {"count": 3, "cpu": "4", "memory": "8Gi"}')
        count = _number(body, "count")
        if count > MOST_NODES:
            raise UsageError(f"{count} nodes are too many: at most {MOST_NODES}")
        for text in (str(body[field]) for field in sizes & body.keys()):
            if not FORM.fullmatch(text) or parse(text) <= 0:
                raise UsageError(f"{text!r} is no quantity, as 4, 500m or 8Gi are")
        self._cluster.set_nodes(count, cpu=str(body.get("cpu", "")), memory=str(body.get("memory", "")))

    def _overview(self) -> Object:
        cluster = self._cluster
        down = cluster.network.down
        nodes = [cluster.control_plane, *cluster.node_names()]
        return {
            "seed": cluster.api.chance.seed,
            "now": cluster.clock.now(),
            "time": cluster.clock.timestamp(),
            "pending": cluster.store.clock.pending,
            "changes": cluster.store.version,
            "nodes": [{"name": name, "up": name not in down} for name in nodes],
        }

    def _images(self) -> Object:
        return {name: self._cluster.images.said_of(name) for name in self._cluster.images.said()}


class Time:
    """Answers requests about the clock."""

    def __init__(self, pump: Pump) -> None:
        self._pump = pump

    async def answer(self, call: Call) -> Reply:
        """The answer, once the time that was asked for has passed. Raises ApiError, UsageError."""
        body = body_of(call)
        if call.path == ADVANCE:
            if call.method != "POST":
                raise not_allowed()
            await self._pump.advance(seconds(body.get("seconds") if isinstance(body, dict) else None))
        elif call.method in ("PATCH", "PUT", "POST"):
            self._set(body)
        elif call.method != "GET":
            raise not_allowed()
        pump = self._pump
        return Reply({"mode": pump.mode, "speed": pump.speed, "now": pump.now(), "steps": pump.steps})

    def _set(self, body: Any) -> None:
        if not isinstance(body, dict) or body.keys() - {"mode", "speed"}:
            raise UsageError('the clock is set by {"mode": "real", "fast" or "manual", "speed": a number}')
        mode, speed = body.get("mode", self._pump.mode), body.get("speed", self._pump.speed)
        if mode not in MODES:
            raise UsageError(f"the clock's mode is real, fast or manual, not {mode!r}")
        if type(speed) not in (int, float) or not 0.001 <= speed <= 100_000:
            raise UsageError(f"the clock's speed is a number from 0.001 to 100000, not {speed!r}")
        known: Mode = mode
        self._pump.set(known, float(speed))


def seconds(value: Any) -> float:
    """How long is meant by a number, or by a text such as 5m. Raises UsageError."""
    if isinstance(value, str) and re.fullmatch(r"\d+(?:\.\d+)?", value):
        value = float(value)
    elif isinstance(value, str) and re.fullmatch(r"(?=.)(?:\d+h)?(?:\d+m)?(?:\d+s)?", value):
        value = duration(value)
    if type(value) not in (int, float) or not 0 < value <= MOST:
        raise UsageError(
            f"{value!r} is no time that can pass: say seconds, or 90s, 5m, 1h30m; at most 3650 days"
        )
    return float(value)


def _number(body: Any, field: str) -> int:
    value = body.get(field) if isinstance(body, dict) else None
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise UsageError(f'say {{"{field}": a whole number from 0 on}}')
    return value
