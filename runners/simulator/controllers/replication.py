"""The controller of ReplicationControllers, which is that of ReplicaSets.

pkg/controller/replication/replication_controller.go
"""

from __future__ import annotations

from gherkube.runners.simulator.controllers.replicaset import ReplicaSetController


class ReplicationManager(ReplicaSetController):
    """Keeps the pods of every ReplicationController at the number its spec names."""

    resource, component = "replicationcontrollers", "replication-controller"
