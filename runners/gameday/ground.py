"""What the checks before a game day look at, and what they find."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from gherkube.runners.gameday.plan import Plan
from gherkube.runners.gameday.rehearsal import Rehearsed
from gherkube.runners.gameday.simulated import FAULT, Write
from gherkube.runners.gameday.snapshot import Snapshot
from gherkube.runners.gameday.stage import Stage
from gherkube.runners.objects import Object, controller_of
from gherkube.runners.target import Target

if TYPE_CHECKING:
    from gherkube.runners.live.api import LiveApi
    from gherkube.runners.live.discovery import Discovery

OK, NOTE, AGAINST = "ok", "note", "against"


class Finding(NamedTuple):
    """What was looked at, and what was found: in order, to be known, or against the game day."""

    what: str
    state: str
    words: str
    more: tuple[str, ...] = ()


class Ground(NamedTuple):
    """What the checks look at."""

    plan: Plan
    stage: Stage
    target: Target | None
    taken: Snapshot
    played: Rehearsed
    api: LiveApi | None
    discovery: Discovery | None

    @property
    def live(self) -> tuple[LiveApi, Discovery, Target]:
        """The API of a target that is no simulator, what it serves, and the target."""
        assert self.api is not None
        assert self.discovery is not None
        assert self.target is not None
        return self.api, self.discovery, self.target

    @property
    def writes(self) -> list[Write]:
        """All that would be done."""
        return [each for round_ in self.played.writes for each in round_]

    @property
    def requests(self) -> list[Write]:
        """Those of them that the API server would be asked for."""
        return [each for each in self.writes if each.verb != FAULT]


def touched_by(writes: list[Write], taken: Snapshot) -> Iterator[str]:
    """What a round does, and the pods that are there now of what it does it to."""
    yield from dict.fromkeys(each.words for each in writes)
    for write in dict.fromkeys(each[:4] for each in writes if each.resource != "pods"):
        pods = [pod["metadata"]["name"] for pod in taken.of("pods") if is_of(pod, *write[1:], taken)]
        if pods:
            yield f"  {write[1]} {write[3]}, its pods now: {', '.join(pods)}"
    names = {pod["metadata"]["name"] for pod in taken.of("pods")}
    made = [each.name for each in writes if each.resource == "pods" and each.name not in names]
    if made:
        yield f"  of these, made by then: {', '.join(dict.fromkeys(made))}"


def pods_touched(writes: list[Write], taken: Snapshot) -> int:
    """How many pods a round touches: those of its workloads, those that go, those on nodes that go down."""
    found = {each.name for each in writes if each.resource == "pods"}
    for _, resource, namespace, name in {each[:4] for each in writes if _is_all_of_it(each)}:
        pods = (pod for pod in taken.of("pods") if is_of(pod, resource, namespace, name, taken))
        found |= {pod["metadata"]["name"] for pod in pods}
    return len(found)


def _is_all_of_it(write: Write) -> bool:
    """Whether its pods are touched, too: a node that takes no new ones keeps those that it has."""
    return write.resource != "nodes" or write.verb == FAULT


def is_of(pod: Object, resource: str, namespace: str, name: str, taken: Snapshot) -> bool:
    """Whether a pod belongs to a workload, by its controller or that one's, or runs on a node."""
    if resource == "nodes":
        return bool(pod["spec"].get("nodeName") == name)
    if pod["metadata"]["namespace"] != namespace:
        return False
    owner = controller_of(pod)
    if owner is not None and owner["kind"] == "ReplicaSet" and resource == "deployments":
        sets = {each["metadata"]["uid"]: each for each in taken.of("replicasets")}
        owner = controller_of(sets[owner["uid"]]) if owner["uid"] in sets else None
    return owner is not None and owner["kind"].lower() + "s" == resource and owner["name"] == name
