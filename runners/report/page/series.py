"""What a scenario's history file tells over time: pods, replica counts, requests, and what happened."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from gherkube.runners.expectations.story import story
from gherkube.runners.expectations.time import Moment
from gherkube.runners.expectations.view import View
from gherkube.runners.history import DELETED, Change
from gherkube.runners.objects import Key, Object, key_of
from gherkube.runners.report.page.lives import Group, Life, Lives
from gherkube.runners.simulator.controllers.deployment_turn import fenceposts

WORKLOADS = {"deployments", "replicasets", "statefulsets", "daemonsets", "jobs"}
WANTED = WORKLOADS | {"pods", "nodes", "services"}
"""The resources that the page tells of; lines of others are not even parsed."""
TOLD = {"deployments": "rollout", "nodes": "fault", "services": "rollout"}
"""What the story tells of these stands above the pods' lives, as this kind of mark."""
AFTER = 0.5
"""Seconds after the beginning of a When within which a change is taken for its doing."""


class Mark(NamedTuple):
    """Something that happened: `kind` is "act" (a When), "rollout" or "fault"."""

    at: float
    kind: str
    text: str


class Replicas(NamedTuple):
    """How many pods count as what from a time on."""

    at: float
    ready: int
    available: int
    active: int


class Bounds(NamedTuple):
    """How many pods a workload is to have from a time on: never fewer available than `low` (desired less
    maxUnavailable), never more active than `high` (desired and maxSurge)."""

    at: float
    desired: int
    low: int
    high: int


@dataclass(slots=True)
class Count:
    """The replica counts of a workload; `bounds` are empty where there are none to keep."""

    workload: tuple[str, Key]
    replicas: list[Replicas]
    bounds: list[Bounds]
    top: int


class Asked(NamedTuple):
    """A request: when, what took it ("" when lost), and why it was lost."""

    at: float
    image: str
    lost: str


@dataclass(slots=True)
class Series:
    """All of a scenario over time, from 0 to `end` seconds."""

    end: float = 0.0
    marks: list[Mark] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    requests: dict[str, list[Asked]] = field(default_factory=dict)
    sums: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What the history says in the end of the requests to each service."""


def series(lines: Iterable[str], steps: Sequence[dict[str, Any]], end: float) -> Series:
    """The series of a history file's lines; `steps` are the verdict's, `end` is when the scenario ended."""
    found, view, lives = Series(end), View(), Lives()
    bounds: dict[tuple[str, Key], list[Bounds]] = {}
    waits: dict[tuple[str, Key], int] = {}
    acts = [Mark(step["at"], "act", step["step"]) for step in steps if step.get("kind") == "when"]
    told: list[Change] = []
    for change in _changes(lines, found):
        view.apply(change)
        lives.see(change)
        if change.resource in TOLD:
            told.append(change)
        if change.resource in WORKLOADS:
            _limit(bounds, change)
            waits[_whose(change.object)] = change.object["spec"].get("minReadySeconds", 0)
    found.groups = lives.groups(view)
    found.counts = list(_counts(found.groups, bounds, waits))
    found.marks = sorted([*acts, *_told(told, view, acts)], key=lambda mark: mark.at)
    return found


# --- Reading


_CHANGE = re.compile(r'\{"at":[^,]+,"type":"\w+","resource":"(\w+)"')


def _changes(lines: Iterable[str], found: Series) -> Iterator[Change]:
    """The changes in the lines, each with the version before; requests go to `found`."""
    known: dict[tuple[str, Key], Object] = {}
    for line in lines:
        resource = _CHANGE.match(line)
        if resource and resource[1] not in WANTED:
            continue
        record = json.loads(line)
        found.end = max(found.end, record.get("at", 0.0))
        if "request" in record:
            _request(found, record["at"], record["request"])
        elif "requests" in record:
            found.sums[record["requests"]["service"]] = record["requests"]
        elif "object" in record:
            obj, key = record["object"], key_of(record["object"])
            old = known.pop((record["resource"], key), None)
            yield Change(record["at"], record["type"], record["resource"], obj, old, key)
            if record["type"] != DELETED:
                known[record["resource"], key] = obj


def _request(found: Series, at: float, request: dict[str, Any]) -> None:
    lost = ""
    if not 0 < request["code"] < 500:
        lost = f"status {request['code']}" if request["code"] else request["body"]
    found.requests.setdefault(request["service"], []).append(Asked(at, request["image"], lost))


def read(path: Path, steps: Sequence[dict[str, Any]], end: float) -> Series:
    """The series of a history file."""
    with path.open(encoding="utf-8") as lines:
        return series(lines, steps, end)


# --- What happened


class _One(tuple[Change]):
    """A history of one change."""

    def since(self, position: int = 0) -> Iterator[Change]:
        return iter(self[position:])

    def gap(self, since: float) -> str:
        del since
        return ""


def _told(changes: Iterable[Change], view: View, acts: Sequence[Mark]) -> Iterator[Mark]:
    """What the story says of the changes from the first When on, but for what a When has just said."""
    for change in changes:
        kind = TOLD[change.resource]
        if change.old is None or not acts or change.at < acts[0].at:
            continue
        if kind == "rollout" and any(act.at <= change.at <= act.at + AFTER for act in acts):
            continue
        for line in story(_One((change,)), view, None, Moment("", 0.0, 0)).whole:
            words = _REVISION.sub("", line.partition("  ")[2])
            yield Mark(change.at, kind, words)


_REVISION = re.compile(r" \(revision \d+\)$")
"""What the end of the run knows as this revision may have been another at the time."""


# --- Counts


def _whose(obj: Object) -> tuple[str, Key]:
    return obj["kind"], key_of(obj)


def _limit(bounds: dict[tuple[str, Key], list[Bounds]], change: Change) -> None:
    spec = change.object["spec"]
    desired = 0 if change.type == DELETED else spec.get("replicas")
    if desired is None:
        return
    low = high = desired
    rolling = change.resource == "deployments" and spec["strategy"]["type"] == "RollingUpdate"
    if rolling and desired:
        surge, unavailable = fenceposts(spec)
        low, high = desired - unavailable, desired + surge
    known = bounds.setdefault(_whose(change.object), [])
    found = Bounds(change.at, desired, low if rolling else 0, high)
    if not known or known[-1][1:] != found[1:]:
        known.append(found)


def _counts(
    groups: Iterable[Group], bounds: dict[tuple[str, Key], list[Bounds]], waits: dict[tuple[str, Key], int]
) -> Iterator[Count]:
    lives: dict[tuple[str, Key], list[Life]] = {}
    for group in groups:
        if group.workload is not None:
            lives.setdefault(group.workload, []).extend(group.lives)
    for workload, some in lives.items():
        replicas = _add_up(some, waits.get(workload, 0))
        limits = bounds.get(workload, [])
        top = max([*(each.active for each in replicas), *(each.high for each in limits), 1])
        yield Count(workload, replicas, limits, top)


def _add_up(lives: Iterable[Life], wait: int) -> list[Replicas]:
    """The counts over time; a pod is available after `wait` seconds of being ready."""
    deltas: list[tuple[float, int, int, int]] = []
    for life in lives:
        ready = active = False
        for n, (at, is_ready, is_active) in enumerate(life.standings):
            deltas.append((at, is_ready - ready, 0, is_active - active))
            then = life.standings[n + 1].at if n + 1 < len(life.standings) else None
            if is_ready and (then is None or then > at + wait):
                deltas.append((at + wait, 0, 1, 0))
                if then is not None:
                    deltas.append((then, 0, -1, 0))
            ready, active = is_ready, is_active
    counts = [0, 0, 0]
    found: list[Replicas] = []
    for at, *more in sorted(deltas):
        counts = [count + each for count, each in zip(counts, more, strict=True)]
        if found and found[-1].at == at:
            found.pop()
        if not found or list(found[-1][1:]) != counts:
            found.append(Replicas(at, *counts))
    return found


# --- Requests


class Bin(NamedTuple):
    """The requests of a stretch of time: how many each image answered, and how many were lost."""

    answered: Counter[str]
    lost: int


WIDTHS = tuple(n * 10.0**e for e in range(-2, 5) for n in (1, 2, 5))


def bins(requests: Sequence[Asked], end: float, most: int = 80) -> tuple[float, list[Bin]]:
    """The requests counted in at most so many stretches of equal, round width in seconds.

    Each is wide enough for two requests that are as far apart as these are on average.
    """
    apart = (requests[-1].at - requests[0].at) / len(requests)
    least = max(end / most, 2 * apart)
    width = next((width for width in WIDTHS if width >= least), WIDTHS[-1])
    found = [Bin(Counter(), 0) for _ in range(int(end / width) + 1)]
    for at, image, lost in requests:
        n = min(int(at / width + 1e-9), len(found) - 1)
        if lost:
            found[n] = found[n]._replace(lost=found[n].lost + 1)
        else:
            found[n].answered[image] += 1
    return width, found


def losses(requests: Iterable[Asked]) -> list[tuple[float, float, Counter[str]]]:
    """The stretches in which no request was answered: first and last loss, and the reasons."""
    found: list[tuple[float, float, Counter[str]]] = []
    going = False
    for at, _, lost in requests:
        if lost and going:
            found[-1][2][lost] += 1
            found[-1] = (found[-1][0], at, found[-1][2])
        elif lost:
            found.append((at, at, Counter([lost])))
        going = bool(lost)
    return found
