"""The life of each pod as stretches of time, in one state each, grouped by what made it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from gherkube.runners.expectations.pod_status import pod_status
from gherkube.runners.expectations.revisions import revision_of
from gherkube.runners.expectations.subjects import images_of
from gherkube.runners.expectations.view import View
from gherkube.runners.history import DELETED, Change
from gherkube.runners.objects import Key, Object, is_active, is_deleting, is_ready, key_of

PENDING, STARTING, RUNNING, READY = "pending", "starting", "running", "ready"
TERMINATING, ENDED, FAILING = "terminating", "ended", "failing"
STATES = {
    PENDING: "pending: not on a node yet",
    STARTING: "starting: image and containers are being made ready",
    RUNNING: "running, not ready",
    READY: "ready",
    TERMINATING: "terminating",
    ENDED: "completed",
    FAILING: "failing: cannot pull, crashes, …",
}
"""The states that a pod's life is coloured by, and their words, in the order of a healthy life."""

_BY_STATUS = (
    (re.compile(r"Pending|SchedulingGated"), PENDING),
    (re.compile(r"ContainerCreating|PodInitializing|Init:\d+/\d+"), STARTING),
    (re.compile(r"Running|NotReady"), RUNNING),
    (re.compile(r"Completed|Succeeded"), ENDED),
    (re.compile(r"Terminating"), TERMINATING),
)


def state_of(pod: Object) -> tuple[str, str]:
    """The pod's state, and its STATUS as kubectl shows it ("ready" where that is Running)."""
    status = pod_status(pod)
    if is_deleting(pod):
        return TERMINATING, status
    state = next((state for pattern, state in _BY_STATUS if pattern.fullmatch(status)), FAILING)
    if state == RUNNING and is_ready(pod):
        return READY, READY
    return state, status if state != RUNNING else "running, not ready"


class Span(NamedTuple):
    """A stretch of a pod's life, in seconds since the scenario began."""

    start: float
    end: float
    state: str
    label: str


class Standing(NamedTuple):
    """From a time on, what a pod counts as; available after `minReadySeconds` of being ready."""

    at: float
    ready: bool
    active: bool


@dataclass(slots=True)
class Life:
    """One pod from its creation until it is gone (`gone` is None when it outlives the scenario)."""

    pod: Object
    created: float
    gone: float | None = None
    node: str = ""
    seen: list[tuple[float, str, str]] = field(default_factory=list)
    standings: list[Standing] = field(default_factory=list)

    def see(self, change: Change) -> None:
        """Takes in a change of the pod."""
        self.pod = pod = change.object
        self.node = pod["spec"].get("nodeName", "") or self.node
        if change.type == DELETED:
            self.gone = change.at
            self.standings.append(Standing(change.at, False, False))
            return
        state = state_of(pod)
        if not self.seen or self.seen[-1][1:] != state:
            self.seen.append((change.at, *state))
        standing = Standing(change.at, is_active(pod) and is_ready(pod), is_active(pod))
        if not self.standings or self.standings[-1][1:] != standing[1:]:
            self.standings.append(standing)

    @property
    def name(self) -> str:
        return str(self.pod["metadata"]["name"])

    @property
    def failed(self) -> bool:
        """Whether something was ever wrong with it."""
        return any(state == FAILING for _, state, _ in self.seen)

    def spans(self, end: float) -> list[Span]:
        """Its states one after another; `end` is where the scenario ends."""
        until = end if self.gone is None else self.gone
        ends = [*(at for at, _, _ in self.seen[1:]), until]
        return [Span(at, to, state, label) for (at, state, label), to in zip(self.seen, ends, strict=True)]


@dataclass(slots=True)
class Group:
    """The pods that one owner made: of a Deployment those of one revision.

    `workload` is what people named (None: pods without an owner), `revisions` the numbers that the
    ReplicaSet has had, one after another: an undo gives it a new one.
    """

    workload: tuple[str, Key] | None
    maker: str
    revisions: list[int]
    images: tuple[str, ...]
    lives: list[Life] = field(default_factory=list)


class Lives:
    """Follows all pods of a history."""

    def __init__(self) -> None:
        self._lives: dict[str, Life] = {}
        self._revisions: dict[str, list[int]] = {}

    def see(self, change: Change) -> None:
        """Takes in a change of a pod or a ReplicaSet."""
        uid = change.object["metadata"].get("uid", "")
        if change.resource == "pods":
            if uid not in self._lives:
                self._lives[uid] = Life(change.object, change.at)
            self._lives[uid].see(change)
        elif change.resource == "replicasets" and (revision := revision_of(change.object)):
            known = self._revisions.setdefault(uid, [])
            if revision not in known[-1:]:
                known.append(revision)

    def groups(self, view: View) -> list[Group]:
        """The pods by what made them, oldest revision first; `view` knows the owners."""
        groups: dict[str, Group] = {}
        for life in self._lives.values():
            maker = view.owner(life.pod)
            uid = maker["metadata"]["uid"] if maker else ""
            images = images_of(life.pod["spec"])
            place = f"{uid} {' '.join(images)}" if maker else life.pod["metadata"].get("namespace", "")
            if place not in groups:
                top = (view.owner(maker) or maker) if maker else None
                groups[place] = Group(
                    (top["kind"], key_of(top)) if top else None,
                    maker["metadata"]["name"] if maker else "",
                    self._revisions.get(uid, []),
                    images if maker else (),
                )
            groups[place].lives.append(life)
        return sorted(groups.values(), key=_place)


def _place(group: Group) -> tuple[bool, tuple[str, str], str, list[int]]:
    kind, key = group.workload or ("", Key("", ""))
    return group.workload is None, key, kind, group.revisions[:1]
