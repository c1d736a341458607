"""What a scenario's history file shows, as facts that do not depend on where it was played.

Scenarios do not wait until all is quiet, so of the moments before each When and at the end only what
pods are is compared. Whether a node had an image already is no behaviour.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from gherkube.runners.history import DELETED
from gherkube.runners.objects import Object
from gherkube.runners.report.facts import Fact, Facts, Recording, facts, seen_as
from gherkube.runners.report.names import Json, Names

COMPARED = {
    "states": "what pods were before each When, and at the end",
    "events": "what the cluster said: of what, reason, message",
    "lives": "each pod's life, in order",
    "moves": "each workload's conditions, as they came to be",
    "bounds": "of each workload, most pods at once and fewest available",
    "requests": "with which status requests were answered, and whether any were lost",
}
"""What is compared of two histories of a scenario."""

WATCHED = frozenset(
    {"pods", "events", "deployments", "replicasets", "statefulsets", "daemonsets", "jobs", "nodes"}
)
"""What every place tells of."""
OF_PLACE = frozenset({"Pulling", "Pulled"})
"""Events that say what a node had before."""
_RESOURCE = re.compile(r'\{"at":[^,]+,"type":"\w+","resource":"(\w+)"')
"""How a line of a change begins: those of other resources are not even parsed."""


def read(path: Path) -> Facts:
    """The facts of a history file, by kind."""
    recording, shown = Recording(), set[Fact]()
    steps: list[Json] = []
    with path.open(encoding="utf-8") as lines:
        for number, line in _wanted(lines):
            if "step" in line:
                steps.append(line)
            elif "request" in line:
                shown.add(_request(line["request"]))
            elif "object" in line:
                recording.watch.append(line | {"number": number})
    namespaces = {event["object"]["metadata"].get("namespace", "") for event in recording.watch} - {""}
    found = facts(recording, namespaces)
    del found["outputs"]
    pods = [event for event in recording.watch if event["resource"] == "pods"]
    return found | {
        "states": set(_states(Names(recording.watch), pods, steps)),
        "events": {(*about, _without_counts(str(message))) for *about, message in found["events"]},
        "requests": shown,
    }


def _without_counts(message: str) -> str:
    """How many replicas a rollout adds in one go is chance: as many as were ready when it looked."""
    message = message.removeprefix("(combined from similar events): ")
    return re.sub(r"\b(from|to) \d+\b", r"\1 N", message)


def _wanted(lines: Iterable[str]) -> Iterator[tuple[int, Json]]:
    """The lines that matter, each with how many changes stand above it."""
    number = 0
    for line in lines:
        resource = _RESOURCE.match(line)
        if resource is None or resource[1] in WATCHED:
            found: Json = json.loads(line)
            if resource is None or resource[1] != "events" or not _is_of_place(found["object"]):
                yield number, found
        number += resource is not None


def _states(names: Names, pods: Sequence[Json], steps: Sequence[Json]) -> Iterator[Fact]:
    """What pods that are not being deleted are seen as, before each When that follows other sentences."""
    moments = [
        (step["changes"], f"before “{step['step']}” (line {step['line']})")
        for before, step in pairwise(steps)
        if step["kind"] == "when" != before["kind"]
    ]
    there: dict[str, Json] = {}
    ahead = iter(pods)
    event = next(ahead, None)
    for until, moment in [*moments, (math.inf, "at the end")]:
        while event is not None and event["number"] < until:
            there[event["object"]["metadata"]["uid"]] = event
            event = next(ahead, None)
        for last in there.values():
            if last["type"] != DELETED and seen_as(last["object"]) != "Terminating":
                yield (moment, names.key(last["object"]), seen_as(last["object"]))


def _is_of_place(event: Object) -> bool:
    about = event.get("involvedObject") or event.get("regarding") or {}
    return event.get("reason") in OF_PLACE or about.get("kind") == "Node"


def _request(request: Json) -> Fact:
    service = request["service"].rpartition("/")[2]
    answered = 0 < request["code"] < 500
    return (service, f"answered with {request['code']}" if answered else "lost")


# --- In words


def told(kind: str, fact: Fact) -> str:
    """A fact as people read it."""
    return _WORDS[kind](*fact)


def _event(about: str, name: str, kind: str, reason: str, message: str) -> str:
    del kind
    return f"{about} {name}: {reason}: {message}"


def _move(resource: str, name: str, conditions: Sequence[tuple[str, str, str]]) -> str:
    said = ", ".join(f"{kind}={status} ({reason})" for kind, status, reason in conditions)
    return f"{resource.removesuffix('s')} {name}: {said}"


_WORDS: dict[str, Callable[..., str]] = {
    "states": "{0}: {1} {2}".format,
    "events": _event,
    "lives": lambda pod, *life: f"{pod}: {' → '.join(life)}",
    "moves": _move,
    "bounds": "{0}: {1}: {2}".format,
    "requests": "service {0}: {1}".format,
}
