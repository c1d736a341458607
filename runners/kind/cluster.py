"""A kind cluster as a `Cluster`: a live one, on nodes that gherkube made and so may break."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gherkube.runners.kind.settings import KindSettings
from gherkube.runners.live.cluster import LiveCluster
from gherkube.runners.live.faults import LiveFaults, MendedFaults
from gherkube.runners.target import KIND, Target

if TYPE_CHECKING:
    import docker

    from gherkube.runners.kind.clusters import Made


class KindCluster(LiveCluster):
    """A cluster of `Clusters` for one scenario, which has a namespace of its own there.

    `seat`: the descriptor that holds the lock of the cluster; it is closed with this.
    """

    def __init__(self, made: Made, seat: int, engine: docker.DockerClient, settings: KindSettings) -> None:
        self._made, self._engine, self._settings = made, engine, settings
        super().__init__(Target(made.context, kubeconfig=str(made.kubeconfig), disposable=True), KIND)
        self._seat = seat

    def _find_served(self) -> None:
        """It is what it is."""

    def _make_faults(self) -> MendedFaults:
        """What can be broken here."""
        return LiveFaults(self.name, self._api, lambda: self.namespace)

    def close(self) -> None:
        """Puts right, removes and ends as a live cluster does; then others may have it."""
        try:
            super().close()
        finally:
            seat, self._seat = getattr(self, "_seat", -1), -1
            if seat >= 0:
                os.close(seat)
