"""How the parts of an object are owned and merged: each field alone, or a list, map or struct as one.

Server-side apply and its field ownership need to know this of every list and map. What stands in no
table below is as the API has it by default: a struct and a map field by field, a list as one.
The `+listType`, `+listMapKey`, `+mapType` and `+structType` markers of staging/src/k8s.io/api
"""

from __future__ import annotations

KEYS: dict[str, tuple[str, ...]] = {
    "Container": ("name",),
    "ContainerPort": ("containerPort", "protocol"),
    "DeploymentCondition": ("type",),
    "EnvVar": ("name",),
    "EphemeralContainer": ("name",),
    "HostAlias": ("ip",),
    "LocalObjectReference": ("name",),
    "NamespaceCondition": ("type",),
    "NodeAddress": ("type",),
    "NodeCondition": ("type",),
    "ObjectReference": ("name",),
    "OwnerReference": ("uid",),
    "PodCondition": ("type",),
    "PodIP": ("ip",),
    "PodResourceClaim": ("name",),
    "PodSchedulingGate": ("name",),
    "ReplicaSetCondition": ("type",),
    "ServicePort": ("port", "protocol"),
    "TopologySpreadConstraint": ("topologyKey", "whenUnsatisfiable"),
    "Volume": ("name",),
    "VolumeDevice": ("devicePath",),
    "VolumeMount": ("mountPath",),
}
"""Lists that are maps (`listType=map`): by the struct of their items, the fields that tell items apart."""
KEY_DEFAULTS = {"protocol": "TCP"}
"""What a key that is left out counts as."""
SETS = frozenset({("ObjectMeta", "finalizers"), ("NodeSpec", "podCIDRs")})
"""Lists of texts that are sets (`listType=set`), by struct and field."""
ATOMIC_LISTS = frozenset(
    {
        ("ServiceAccount", "imagePullSecrets"),
        ("EndpointSubset", "addresses"),
        ("CronJobStatus", "active"),
    }
)
"""Lists that are replaced as one although their items are of a struct with keys, by struct and field."""
ATOMIC_STRUCTS = frozenset(
    {
        "ConfigMapKeySelector",
        "EndpointAddress",
        "EndpointPort",
        "LabelSelector",
        "LocalObjectReference",
        "NodeSelector",
        "NodeSelectorTerm",
        "ObjectFieldSelector",
        "ObjectReference",
        "OwnerReference",
        "ResourceFieldSelector",
        "SecretKeySelector",
        "SecretReference",
        "TypedLocalObjectReference",
    }
)
"""Structs that are owned and replaced as one (`structType=atomic`)."""
ATOMIC_MAPS = frozenset(
    {("PodSpec", "nodeSelector"), ("ServiceSpec", "selector"), ("ReplicationControllerSpec", "selector")}
)
"""Maps that are owned and replaced as one (`mapType=atomic`), by struct and field."""
