"""What a DaemonSet's rolling update takes away and adds, of the pods that there are on each node.

pkg/controller/daemon/update.go rollingUpdate
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import NamedTuple, TypeAlias

from gherkube.runners.objects import Object, is_deleting, is_ready
from gherkube.runners.simulator.controllers.deployment_turn import scaled_value

HASH, POD_GENERATION = "controller-revision-hash", "pod-template-generation"

ByNode: TypeAlias = Mapping[str, Sequence[Object]]


class OnNode(NamedTuple):
    """The pod of the current template and the one of an older; `clear` is False where there are more."""

    new: Object | None
    old: Object | None
    clear: bool


def found_on(pods: Sequence[Object], hash_: str) -> OnNode:
    """The pods of a node that are not being deleted. findUpdatedPodsOnNode"""
    new = [pod for pod in pods if not is_deleting(pod) and _hash(pod) == hash_]
    old = [pod for pod in pods if not is_deleting(pod) and _hash(pod) != hash_]
    if len(new) > 1 or len(old) > 1:
        return OnNode(None, None, False)
    return OnNode(new[0] if new else None, old[0] if old else None, True)


def surplus(
    owner: Object, hash_: str, living: Sequence[Object], available: Callable[[Object], bool]
) -> list[Object]:
    """What of a node's pods, the oldest first, is too much: all but one, or but one old and one new.

    Where the set may surge, the old one goes as soon as the new one serves, or when it does not serve
    itself. daemon_controller.go podsShouldBeOnNode
    """
    if len(living) < 2 or not _bounds(owner, 1)[0]:
        return list(living[1:])
    new = [pod for pod in living if _hash(pod) == hash_]
    old = [pod for pod in living if _hash(pod) != hash_]
    goes = bool(new and old) and (not is_ready(old[0]) or available(new[0]))
    return [*new[1:], *old[1:], *(old[:1] if goes else ())]


def to_delete(
    owner: Object, hash_: str, by_node: ByNode, wanted: Set[str], available: Callable[[Object], bool]
) -> list[Object]:
    """The old pods that go now: those that do not serve, and others while enough serve.

    `by_node` has all nodes that have pods of the set, `wanted` are those that should.
    """
    surge, unavailable = _bounds(owner, len(wanted))
    if surge:
        return _outdone(hash_, by_node, wanted, available)
    down, dead, candidates = 0, [], []
    for new, old, clear in (found_on(pods, hash_) for pods in by_node.values()):
        if not clear or (new is None) == (old is None):
            down += 1
        elif new is not None:
            down += not available(new)
        elif old is not None and not available(old):
            dead.append(old)
            down += 1
        elif old is not None and down < unavailable:
            candidates.append(old)
    return [*dead, *candidates[: max(0, unavailable - down)]]


def _outdone(
    hash_: str, by_node: ByNode, wanted: Set[str], available: Callable[[Object], bool]
) -> list[Object]:
    """The old pods beside which a new one serves; and those on nodes that should have none.

    Of the latter, those that serve stay until enough others do.
    """
    gone, spare, serving = list[Object](), list[Object](), 0
    for name, pods in by_node.items():
        new, old, clear = found_on(pods, hash_)
        first = old or new
        serving += clear and first is not None and available(first)
        if old is not None and new is not None:
            gone += [old] if available(new) else []
        elif old is not None and name not in wanted:
            (spare if available(old) else gone).append(old)
    return [*gone, *spare[: max(0, serving - len(wanted))]]


def replaceable(
    owner: Object, hash_: str, by_node: ByNode, wanted: Set[str], available: Callable[[Object], bool]
) -> list[str]:
    """The nodes that get a new pod beside their old one now, where the set may surge."""
    surge, _ = _bounds(owner, len(wanted))
    if not surge:
        return []
    surging, at_once, candidates = 0, list[str](), list[str]()
    for name, pods in by_node.items():
        new, old, clear = found_on(pods, hash_)
        if not clear or old is None:
            surging += not clear
        elif new is not None:
            surging += not available(new)
        elif name in wanted:
            (candidates if available(old) else at_once).append(name)
    return [*at_once, *candidates[: max(0, surge - surging)]]


def _bounds(owner: Object, desired: int) -> tuple[int, int]:
    """maxSurge and maxUnavailable as numbers, both rounded up. updatedDesiredNodeCounts"""
    rolling = owner["spec"]["updateStrategy"].get("rollingUpdate", {})
    surge = scaled_value(rolling.get("maxSurge", 0), desired, up=True)
    unavailable = scaled_value(rolling.get("maxUnavailable", 1), desired, up=True)
    return surge, unavailable if surge or unavailable else 1


def _hash(pod: Object) -> str:
    return str(pod["metadata"].get("labels", {}).get(HASH, ""))
