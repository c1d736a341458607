"""Node objects, as a kubelet registers them.

pkg/kubelet/kubelet_node_status.go, nodestatus/setters.go
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from gherkube.runners.objects import Object
from gherkube.runners.simulator.clock import timestamp

VERSION = "v1.34.4"
CONTROL_PLANE_LABELS = {
    "node-role.kubernetes.io/control-plane": "",
    "node.kubernetes.io/exclude-from-external-load-balancers": "",
}
PODS = "110"
"""How many pods a node takes (kubelet's maxPods)."""
HEALTHY = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)
"""Type, status, reason and message of a node's conditions while its kubelet is well, in order."""


def make_node(
    name: str,
    index: int,
    cpu: str,
    memory: str,
    taints: Sequence[Object] = (),
    now: float = 0.0,
    cluster: str = "gherkube",
) -> Object:
    """A node that is Ready since `now`; `index` gives it its addresses, 0 is the control plane's.

    `cpu` and `memory` are quantities, all of which pods may use; `cluster`: whose node it is on kind.
    """
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        **(CONTROL_PLANE_LABELS if index == 0 else {}),
    }
    cidr = f"10.{244 + (index >> 8)}.{index & 255}.0/24"
    address = 2 + index
    room = {
        "cpu": cpu,
        "ephemeral-storage": "264212084Ki",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "memory": memory,
        "pods": PODS,
    }
    spec: Object = {"podCIDR": cidr, "podCIDRs": [cidr], "providerID": f"kind://docker/{cluster}/{name}"}
    if taints:
        spec["taints"] = list(taints)
    return {
        "metadata": {
            "name": name,
            "labels": labels,
            "annotations": {
                "node.alpha.kubernetes.io/ttl": "0",
                "volumes.kubernetes.io/controller-managed-attach-detach": "true",
            },
        },
        "spec": spec,
        "status": {
            "capacity": room,
            "allocatable": room,
            "conditions": healthy_conditions(now),
            "addresses": [
                {
                    "type": "InternalIP",
                    "address": f"172.{18 + (address >> 16)}.{address >> 8 & 255}.{address & 255}",
                },
                {"type": "Hostname", "address": name},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": node_info(name),
        },
    }


def healthy_conditions(now: float, before: Sequence[Object] = ()) -> list[Object]:
    """The conditions that a kubelet which is well posts at that time, after those posted before."""
    stamp = timestamp(now)
    known = {condition["type"]: condition for condition in before}
    return [
        {
            "type": type_,
            "status": status,
            "lastHeartbeatTime": stamp,
            "lastTransitionTime": known[type_]["lastTransitionTime"]
            if type_ in known and known[type_]["status"] == status
            else stamp,
            "reason": reason,
            "message": message,
        }
        for type_, status, reason, message in HEALTHY
    ]


def node_info(name: str, boot: int = 0) -> Object:
    """What a node says of its system; `boot` counts how often it was started again."""
    machine = sha256(name.encode()).hexdigest()[:32]
    booted = sha256(f"{name}/{boot}".encode()).hexdigest()
    return {
        "machineID": machine,
        "systemUUID": machine,
        "bootID": f"{booted[:8]}-{booted[8:12]}-{booted[12:16]}-{booted[16:20]}-{booted[20:32]}",
        "kernelVersion": "6.1.0",
        "osImage": "Debian GNU/Linux 12 (bookworm)",
        "containerRuntimeVersion": "containerd://1.6.20",
        "kubeletVersion": VERSION,
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": "amd64",
    }
