"""Plays scenarios on the simulator, in virtual time, and keeps what happened as `record` does.

Command lines become the API calls that kubectl makes. What kubectl only prints is not played.
"""

from __future__ import annotations

import random
import shlex
from collections.abc import Iterator
from typing import Any

from gherkube.runners.history import DELETED, Change
from gherkube.runners.jsonpath import find as find_path
from gherkube.runners.kubectl.kinds import find
from gherkube.runners.objects import Object
from gherkube.runners.report.facts import NOISY, Recording, checkpoint
from gherkube.runners.simulator.api.pods import ROOT_CERTIFICATES
from gherkube.runners.simulator.cluster import Simulator
from gherkube.runners.simulator.server.images import provide
from tests.golden.commands import PATIENCE, Commands
from tests.golden.recording import RESOURCES
from tests.golden.scenario import Scenario, Step

CPU, MEMORY = "2", "24683656Ki"
"""What each node of the recorded cluster had."""
COMMAND_SECONDS = 0.25
"""Median seconds from a command's start to its request; recordings: a line takes 0.1 to 1 s."""
FAULT_SECONDS = 0.6
"""What a node's stop or start took."""


def play(scenario: Scenario, seed: int) -> Recording:
    """Plays a scenario on a new simulator of three nodes."""
    return Player(scenario, seed).play()


class Player:
    """One scenario on one simulator."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self._scenario, self._namespace = scenario, scenario.namespace
        self._chance = random.Random(f"{seed}/kubectl")
        self._cluster = cluster = Simulator(seed=seed, nodes=0)
        cluster.set_nodes(3, cpu=CPU, memory=MEMORY)
        provide(cluster.images)
        cluster.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self._namespace}})
        given = {"name": ROOT_CERTIFICATES, "namespace": self._namespace}
        cluster.api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": given})
        cluster.clock.sleep(5.0)
        self._nodes = list(cluster.node_names())
        self._commands = Commands(cluster, self._namespace)
        self._start = self._last_change = cluster.clock.now()
        self._position = len(cluster.history)
        self._objects: dict[tuple[str, str], Object] = {}
        self._recording = Recording()
        for node in cluster.api.list("nodes"):
            self._keep(self._start, "LISTED", "nodes", node)

    def play(self) -> Recording:
        """Does all steps and returns what happened."""
        for step in self._scenario.steps:
            getattr(self, f"_{step.verb}")(step)
        self._catch_up()
        self._cluster.close()
        return self._recording

    # --- steps ---

    def _apply(self, step: Step) -> None:
        self._run(step, [step.verb, "-f", "-"], self._filled(step.value))

    _create = _apply

    def _kubectl_line(self, step: Step) -> None:
        self._run(step, shlex.split(self._filled(step.value)))

    def _settle(self, step: Step) -> None:
        self._act("settle", quiet=self._is_quiet_for(step.value, step.at_most or 120))
        self._state(str(step.number))

    def _until(self, step: Step) -> None:
        wanted = step.value
        kind = find(wanted["resource"])

        def printed() -> str:
            place = self._namespace if kind.namespaced else ""
            if "name" in wanted:
                obj: Object = self._cluster.api.get(kind.resource, wanted["name"], place)
            else:
                obj = {"items": self._cluster.api.list(kind.resource, place, labels=wanted["selector"])}
            return " ".join(map(str, find_path(obj, wanted["path"])))

        self._cluster.clock.wait(lambda: printed() == str(wanted["value"]), wanted.get("at-most", 120))
        self._act("until", wanted=wanted, got=printed())

    def _wait(self, step: Step) -> None:
        self._cluster.clock.sleep(step.value)
        self._act("wait", seconds=step.value)

    def _fault_line(self, step: Step) -> None:
        fault, node = self._filled(step.value).split()
        do = {"stop-node": self._cluster.faults.stop_node, "start-node": self._cluster.faults.start_node}[
            fault
        ]
        do(node)
        self._cluster.clock.sleep(FAULT_SECONDS)
        self._act("fault", argv=[fault, node], rc=0, stdout="", stderr="", seconds=FAULT_SECONDS)

    def _checkpoint(self, step: Step) -> None:
        self._state(step.value)

    # --- how ---

    def _run(self, step: Step, argv: list[str], stdin: str = "") -> None:
        begun = self._now()
        self._cluster.clock.sleep(COMMAND_SECONDS * self._chance.uniform(0.5, 2.0))
        said = self._commands.run(argv, stdin, step.at_most or PATIENCE)
        came = {} if said.rc is None else said._asdict()
        seconds = round(self._now() - begun, 3)
        shown = ["kubectl", "-n", self._namespace, *argv]
        self._act(step.action, argv=shown, stdin=stdin or None, **came, seconds=seconds)

    def _is_quiet_for(self, quiet: float, at_most: float) -> bool:
        clock = self._cluster.clock
        begun = last = self._last_change = clock.now()

        def changed() -> bool:
            self._catch_up()
            return self._last_change > last

        while clock.wait(changed, min(last + quiet, begun + at_most) - clock.now()):
            last = self._last_change
        clock.sleep(max(0.0, min(last + quiet, begun + at_most) - clock.now()))
        return last + quiet <= begun + at_most

    def _state(self, name: str) -> None:
        self._catch_up()
        objects = ((resource, obj) for (resource, _), obj in self._objects.items())
        self._recording.states.append(checkpoint(self._now(), name, objects))

    def _act(self, action: str, **said: Any) -> None:
        self._recording.actions.append({"t": round(self._now(), 3), "action": action, **said})

    def _now(self) -> float:
        return self._cluster.clock.now() - self._start

    def _filled(self, text: str) -> str:
        return Scenario.filled(text, self._namespace, self._nodes)

    def _catch_up(self) -> None:
        """Keeps what happened since it last was asked to."""
        for change in self._new_changes():
            if change.resource in RESOURCES:
                if change.object["metadata"].get("namespace") != self._namespace:
                    continue
            elif change.resource != "nodes":
                continue
            self._keep(change.at, change.type, change.resource, change.object)

    def _new_changes(self) -> Iterator[Change]:
        for change in self._cluster.history.since(self._position):
            self._position += 1
            yield change

    def _keep(self, at: float, kind: str, resource: str, obj: Object) -> None:
        line = {"t": round(at - self._start, 3), "resource": resource, "type": kind, "object": obj}
        self._recording.watch.append(line)
        key = (resource, obj["metadata"]["uid"])
        if kind == DELETED:
            self._objects.pop(key, None)
        else:
            self._objects[key] = obj
        if resource not in NOISY:
            self._last_change = at
