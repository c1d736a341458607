"""The cluster of a game day: a live one; on a kind cluster that gherkube made, nodes can be broken, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gherkube.runners import state
from gherkube.runners.errors import CannotJudge
from gherkube.runners.gameday.faults import MENDS
from gherkube.runners.live import served
from gherkube.runners.live.api import LiveApi
from gherkube.runners.live.cluster import LiveCluster
from gherkube.runners.live.faults import LiveFaults, ServedFaults
from gherkube.runners.objects import Object
from gherkube.runners.target import Target

STATES = {"stop_node": "stopped", "pause_node": "paused", "cut_node": "cut off", "slow_node": "slow"}
"""What the runs of kind clusters call the faults that they owe to put right."""


def cluster_at(target: Target) -> LiveCluster:
    """The cluster that a target means."""
    name = kind_of(target.context)
    return KindDay(target, name) if name else LiveCluster(target)


def kind_of(context: str) -> str:
    """The kind cluster of a context, where gherkube made it; "" elsewhere."""
    name = context.removeprefix("kind-")
    made = state.folder() / "clusters" / f"{name}.json"
    return name if name != context and made.is_file() else ""


class KindDay(LiveCluster):
    """A kind cluster that was there before the game day, and is after it."""

    def __init__(self, target: Target, kind: str) -> None:
        self._kind = kind
        super().__init__(target)

    def _make_faults(self) -> Any:
        from gherkube.runners.kind.engine import engine
        from gherkube.runners.kind.faults import KindFaults
        from gherkube.runners.kind.nodes import Nodes

        live = LiveFaults(self.name, self._api, lambda: self.namespace, self._allow)
        return KindFaults(Nodes(engine(), self._kind), _AsTheyAre(live), self._api)  # type: ignore[arg-type]


class _AsTheyAre:
    """The images of a cluster whose images nobody made for the day."""

    def __init__(self, faults: LiveFaults) -> None:
        self.behave = faults.behave

    def release(self) -> None:
        """Nothing is kept."""


class Mender:
    """Puts faults right that another process made, on a `gherkube serve` or a kind cluster."""

    def __init__(self, api: LiveApi) -> None:
        self._api, self._kind = api, kind_of(api.connection.context)
        found = None if self._kind else served.find(api)
        self._served = ServedFaults(found) if found is not None else None

    def put_right(self, fault: str, node: str) -> None:
        """That fault of a node. Raises CannotJudge where it cannot be."""
        if self._kind:
            container = self._api.get("nodes", node)["spec"]["providerID"].rpartition("/")[2]
            _mend_kind(self._kind, fault, container)
        elif self._served is not None and hasattr(self._served, MENDS[fault]):
            getattr(self._served, MENDS[fault])(node)
        else:
            raise CannotJudge(f'node "{node}" cannot be put right from here')

    def said_of(self, image: str) -> Object:
        """All that is said of an image now. Raises CannotJudge where nothing can be."""
        return self._serving(image).said_of(image)

    def say_again(self, said: Object) -> None:
        """Says just that of an image."""
        self._serving(said["metadata"]["name"]).say_again(said)

    def _serving(self, image: str) -> ServedFaults:
        if self._served is None:
            raise CannotJudge(f'nothing can be said of image "{image}": this is no gherkube serve')
        return self._served


def _mend_kind(cluster: str, fault: str, container: str) -> None:
    """Does what the run owes that made the fault; where it owes nothing any more, sees to it all the same."""
    from gherkube.runners.kind import faults
    from gherkube.runners.kind.engine import engine

    told = {"cluster": cluster, "container": container, "fault": STATES[fault]}
    owed = [
        debt
        for path in (state.folder() / "runs").glob("*/")
        for debt in state.Run(path.name).debts()
        if debt.kind == faults.DEBT and told.items() <= debt.data.items()
    ]
    data = {"kind": faults.DEBT, "words": "", "data": {**told, "address": ""}}
    for debt in owed or [state.Debt(Path(state.folder(), "none"), data)]:
        faults.undo(engine(), debt)
