"""What a cluster that is served shows of how its nodes joined: their leases, and the events of their start.

pkg/kubelet/kubelet_node_status.go, component-helpers/apimachinery/lease, nodelifecycle
"""

from __future__ import annotations

from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import timestamp
from gherkube.runners.simulator.events import EventRecorder

LEASES = "leases"
LEASES_NAMESPACE = "kube-node-lease"
LASTS = 40
"""Seconds for which a lease is good (nodeLeaseDurationSeconds)."""
TRIES = 6
"""How often a kubelet that starts sets its first status before its node is registered, as recorded."""
HEARD_AFTER = 2.0
"""Seconds from that to the node controller's word about a node."""
STARTED = (
    ("Starting", "Starting kubelet."),
    ("NodeHasSufficientMemory", ""),
    ("NodeHasNoDiskPressure", ""),
    ("NodeHasSufficientPID", ""),
    ("NodeAllocatableEnforced", "Updated Node Allocatable limit across pods"),
    ("NodeReady", ""),
)
"""Reason and message of what a kubelet says as it starts; "" for the usual message about a status."""


def register(api: ApiServer, node: Object) -> None:
    """Gives a new node its lease, and its first events."""
    name = node["metadata"]["name"]
    owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node["metadata"]["uid"]}
    metadata = {"name": name, "namespace": LEASES_NAMESPACE, "ownerReferences": [owner]}
    spec = {"holderIdentity": name, "leaseDurationSeconds": LASTS}
    api.create_trusted(LEASES, {"metadata": metadata, "spec": spec})
    kubelet, manager = EventRecorder(api, "kubelet", name), EventRecorder(api, "node-controller")
    for reason, message in STARTED:
        said = message or f"Node {name} status is now: {reason}"
        for _ in range(TRIES if "Sufficient" in reason or "NoDisk" in reason else 1):
            kubelet.record("Node", node, "Normal", reason, said)
    said = f"Node {name} event: Registered Node {name} in Controller"
    api.clock.after(HEARD_AFTER, manager.record, "Node", node, "Normal", "RegisteredNode", said)


def renewed(lease: Object, at: float) -> Object:
    """The lease as its node renewed it at that time."""
    micros = f"{timestamp(at)[:-1]}.{int(at % 1 * 1e6):06}Z"
    return {**lease, "spec": {**lease["spec"], "renewTime": micros}}
