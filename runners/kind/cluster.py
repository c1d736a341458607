"""A kind cluster as a `Cluster`: a live one, on nodes that gherkube made and so may break."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gherkube.runners import state
from gherkube.runners.errors import CannotJudge
from gherkube.runners.kind.faults import KindFaults
from gherkube.runners.kind.images import Foreseen, Images
from gherkube.runners.kind.nodes import Nodes
from gherkube.runners.kind.own import OwnImage
from gherkube.runners.kind.settings import KindSettings
from gherkube.runners.live.cluster import LiveCluster
from gherkube.runners.live.faults import MendedFaults
from gherkube.runners.target import KIND, Target

if TYPE_CHECKING:
    import docker

    from gherkube.runners.kind.clusters import Made


class KindCluster(LiveCluster):
    """A cluster of `Clusters` for one scenario, which has a namespace of its own there.

    `foreseen`: what the scenario will ask. `seat`: the descriptor that holds the lock of the cluster; it is
    closed with this.
    """

    def __init__(
        self,
        made: Made,
        foreseen: Foreseen,
        seat: int,
        engine: docker.DockerClient,
        settings: KindSettings,
    ) -> None:
        self._nodes = Nodes(engine, made.name)
        self._images = images_of(self._nodes, settings)
        try:
            self._images.ready(foreseen)
            super().__init__(Target(made.context, kubeconfig=str(made.kubeconfig), disposable=True), KIND)
        except BaseException:
            self._images.release()
            raise
        self._seat = seat

    def _find_served(self) -> None:
        """It is what it is."""

    def _make_faults(self) -> MendedFaults:
        """What can be broken here."""
        return KindFaults(self._nodes, self._images, self._api)

    def close(self) -> None:
        """Puts right, removes and ends as a live cluster does; then others may have it.

        Raises CannotJudge when another image ran than was made for the scenario.
        """
        began = hasattr(self, "_seat")
        ran = [change.object for change in self.history.since() if change.resource == "pods"] if began else []
        strangers = self._images.strangers(ran)
        try:
            super().close()
        finally:
            seat, self._seat = getattr(self, "_seat", -1), -1
            if seat >= 0:
                os.close(seat)
        if strangers:
            raise CannotJudge(f"another image than was made for them ran in {', '.join(strangers)}")


def images_of(nodes: Nodes, settings: KindSettings) -> Images:
    """The images of a cluster, with those of the project."""
    own = {name: OwnImage(str(source.build or "")) for name, source in settings.images.items()}
    locks = state.folder() / "clusters" / f"{nodes.cluster}.images"
    return Images(nodes, state.folder() / "cache", locks, own)
