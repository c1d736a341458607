"""What a target of the settings allows: every act is held against it, in this one place, before it is made.

What the run made itself it may do with as it likes, unless the target is production.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from gherkube.runners.errors import CannotJudge
from gherkube.runners.live.connection import Connection
from gherkube.runners.objects import Object
from gherkube.runners.target import ACTS, Target

NODES = ("nodes", "node faults")
"""Kinds of acts that touch whoever has pods there: not allowed unless they are named."""


class Act(NamedTuple):
    """Something that is to be done: `kind` is one of `ACTS`, `pods` how many it touches, `words` tell it."""

    kind: str
    resource: str
    namespace: str
    name: str
    pods: int = 0

    @property
    def words(self) -> str:
        """As a refusal names it."""
        place = f' in namespace "{self.namespace}"' if self.namespace else ""
        return f'{self.kind} ({self.resource} "{self.name}"{place})'


class Fenced(CannotJudge):
    """An act that a fence refused."""


class Fences:
    """The fences of one target, for one scenario."""

    def __init__(self, target: Target, connection: Connection) -> None:
        self.target, self._touched = target, 0
        self._check_place(connection)

    def check(self, act: Act, *, owned: bool) -> None:
        """Raises Fenced where the target does not allow it; else counts the pods that it touches."""
        target = self.target
        if target.production:
            self._refuse(act, "it is production, where nothing is done at all")
        if owned or target.disposable:
            return
        if not act.namespace and act.kind not in NODES:
            self._refuse(act, "it would change what all namespaces share, and the cluster is not disposable")
        allowed = [act for act in ACTS if act not in NODES] if target.acts is None else target.acts
        if act.kind not in allowed:
            self._refuse(act, f"its acts are {', '.join(allowed) or 'none'}")
        places = {target.namespace, *target.namespaces} - {""}
        if act.namespace and act.namespace not in places:
            told = ", ".join(sorted(places)) or "only those that the run makes"
            self._refuse(act, f"its namespaces are {told}")
        self._touched += act.pods
        if target.most_pods is not None and self._touched > target.most_pods:
            self._refuse(act, f"its most-pods is {target.most_pods}, and this would make it {self._touched}")

    def check_commands(self) -> None:
        """Raises Fenced where a command could do what no fence sees."""
        if self.target.production or not self.target.disposable:
            raise Fenced(
                f"refused by the fences of context {self.target.context!r}: a command is not held by fences, "
                "so none is run on a cluster that is not disposable"
            )

    def _refuse(self, act: Act, why: str) -> None:
        raise Fenced(f"refused by the fences of context {self.target.context!r}: {act.words}: {why}")

    def _check_place(self, connection: Connection) -> None:
        """Raises Fenced when the context leads to another cluster than the target says."""
        target = self.target
        if target.server and target.server.rstrip("/") != connection.server:
            self._elsewhere("server", target.server, connection.server)
        wanted = target.ca.replace(":", "").lower()
        if wanted and wanted != connection.fingerprint:
            self._elsewhere("ca", target.ca, connection.fingerprint or "none")

    def _elsewhere(self, what: str, wanted: str, found: str) -> None:
        raise Fenced(
            f"refused by the fences of context {self.target.context!r}: its {what} must be {wanted}, "
            f"and is {found}: the context leads to another cluster than the settings mean"
        )


IMAGES = frozenset(("spec", "template", "spec", field) for field in ("name", "image"))
"""What a patch of images consists of."""


def kind_of_patch(resource: str, patch: Any, subresource: str = "") -> str:
    """Which kind of act a patch is."""
    if resource == "nodes":
        return "nodes"
    paths = set(_paths(patch)) if isinstance(patch, dict) else {()}
    if subresource == "scale" or paths == {("spec", "replicas")}:
        return "scale"
    if all(len(path) == 5 and (*path[:3], path[4]) in IMAGES for path in paths):
        return "image"
    return "change"


def pods_of(obj: Object) -> int:
    """How many pods a change of the object touches: those of a workload, or the pod itself."""
    if obj.get("kind") == "Pod":
        return 1
    spec = obj.get("spec") or {}
    return int(spec.get("replicas") or 0) if "template" in spec else 0


def _paths(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of what a patch says, but for the order of lists."""
    if isinstance(value, dict):
        if not value:
            yield path
        for key, each in value.items():
            if not key.startswith("$"):
                yield from _paths(each, (*path, key))
    elif isinstance(value, list) and value:
        for each in value:
            yield from _paths(each, path)
    else:
        yield path
