"""Derives runners/simulator/api/schema.json from the models of the installed kubernetes package.

    python tools/derive_schema.py          # writes the table
    python tools/derive_schema.py --check  # says whether the written one still is what would be derived

Importing those models takes about a second, so the simulator reads this table instead. It holds, for
each kind that the simulator models and all that such an object is made of, the fields and their types:
`string`, `int32`, `int64`, `float64`, `bool`, `time`, `bytes`, `quantity`, `intstr`, `any`, `[]T`, `{}T`
(a map), or the name of a struct in the table. A type ending in `?` is left out when it is zero, as Go's
`omitempty` does with fields that are no pointers. The models do not say which integers are of 64 bits,
which texts are quantities, and which fields are left out: that is what the tables below add.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any, get_args

API = Path(__file__).parent.parent / "runners" / "simulator" / "api"
TABLE, MORE = API / "schema.json", API / "schema_kept.json"

KINDS = {
    "Pod": "V1Pod",
    "ReplicaSet": "V1ReplicaSet",
    "Deployment": "V1Deployment",
    "Service": "V1Service",
    "Endpoints": "V1Endpoints",
    "EndpointSlice": "V1EndpointSlice",
    "Node": "V1Node",
    "Namespace": "V1Namespace",
    "Event": "CoreV1Event",
    "ConfigMap": "V1ConfigMap",
    "Secret": "V1Secret",
    "ServiceAccount": "V1ServiceAccount",
    "Lease": "V1Lease",
    "Scale": "V1Scale",
    "Binding": "V1Binding",
    "Eviction": "V1Eviction",
    "StatefulSet": "V1StatefulSet",
    "DaemonSet": "V1DaemonSet",
    "ControllerRevision": "V1ControllerRevision",
    "Job": "V1Job",
    "CronJob": "V1CronJob",
    "PodDisruptionBudget": "V1PodDisruptionBudget",
    "ResourceQuota": "V1ResourceQuota",
    "PriorityClass": "V1PriorityClass",
    "LimitRange": "V1LimitRange",
    "PersistentVolume": "V1PersistentVolume",
    "PersistentVolumeClaim": "V1PersistentVolumeClaim",
}
KEPT_KINDS = {
    "HorizontalPodAutoscaler": "V2HorizontalPodAutoscaler",
    "ReplicationController": "V1ReplicationController",
    "PodTemplate": "V1PodTemplate",
    "StorageClass": "V1StorageClass",
    "VolumeAttachment": "V1VolumeAttachment",
    "CSIDriver": "V1CSIDriver",
    "CSINode": "V1CSINode",
    "Ingress": "V1Ingress",
    "IngressClass": "V1IngressClass",
    "NetworkPolicy": "V1NetworkPolicy",
    "Role": "V1Role",
    "RoleBinding": "V1RoleBinding",
    "ClusterRole": "V1ClusterRole",
    "ClusterRoleBinding": "V1ClusterRoleBinding",
    "RuntimeClass": "V1RuntimeClass",
    "CertificateSigningRequest": "V1CertificateSigningRequest",
    "MutatingWebhookConfiguration": "V1MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration": "V1ValidatingWebhookConfiguration",
    "CustomResourceDefinition": "V1CustomResourceDefinition",
}
"""Kinds that are only kept: a table of their own, which a run of features does not read."""
PLAIN = {
    "str": "string",
    "int": "int32",
    "float": "float64",
    "bool": "bool",
    "datetime": "time",
    "bytes": "bytes",
}
INT64 = {
    "activeDeadlineSeconds",
    "deletionGracePeriodSeconds",
    "expirationSeconds",
    "fsGroup",
    "generation",
    "gracePeriodSeconds",
    "observedGeneration",
    "runAsGroup",
    "runAsUser",
    "seconds",
    "sizeBytes",
    "supplementalGroups",
    "terminationGracePeriodSeconds",
    "tolerationSeconds",
}
QUANTITIES = {
    "allocatable",
    "allocatedResources",
    "averageValue",
    "capacity",
    "default",
    "defaultRequest",
    "divisor",
    "hard",
    "limits",
    "max",
    "maxLimitRequestRatio",
    "min",
    "overhead",
    "podFixed",
    "requests",
    "sizeLimit",
    "used",
}
LEFT_OUT = {
    "Container": {"stdin", "stdinOnce", "tty"},
    "ContainerPort": {"hostPort"},
    "DeploymentSpec": {"minReadySeconds", "paused"},
    "DeploymentStatus": {
        "availableReplicas",
        "observedGeneration",
        "readyReplicas",
        "replicas",
        "unavailableReplicas",
        "updatedReplicas",
    },
    "EphemeralContainer": {"stdin", "stdinOnce", "tty"},
    "Event": {"count"},
    "NodeSpec": {"unschedulable"},
    "ObjectMeta": {"generation"},
    "PodSpec": {"hostIPC", "hostNetwork", "hostPID"},
    "Probe": {
        "failureThreshold",
        "initialDelaySeconds",
        "periodSeconds",
        "successThreshold",
        "timeoutSeconds",
    },
    "ReplicaSetSpec": {"minReadySeconds"},
    "ReplicaSetStatus": {
        "availableReplicas",
        "fullyLabeledReplicas",
        "observedGeneration",
        "readyReplicas",
    },
    "ScaleSpec": {"replicas"},
    "ServicePort": {"nodePort"},
    "ServiceSpec": {"healthCheckNodePort", "publishNotReadyAddresses"},
    "VolumeMount": {"readOnly"},
}
"""Numbers and truth values that are left out when they are zero."""
KEPT = {
    "ContainerStatus": {"image", "imageID"},
    "DiscoveryV1EndpointPort": {"name"},
    "Event": {"reportingComponent", "reportingInstance"},
    "HTTPHeader": {"value"},
    "PersistentVolumeClaimSpec": {"storageClassName"},
}
"""Texts that stand there even when they are empty."""


def derive(of: dict[str, str] = KINDS, known: Collection[str] = ()) -> dict[str, Any]:
    """A table: `kinds` (kind → struct) and `structs` (struct → field → type), without the known structs."""
    import kubernetes.client as models

    structs: dict[str, dict[str, str]] = {}
    to_do = list(of.values())
    while to_do:
        model = to_do.pop()
        if (name := struct_name(model)) not in structs and name not in known:
            structs[name] = fields_of(getattr(models, model), name, to_do)
    kinds = {kind: struct_name(model) for kind, model in of.items()}
    return {"kinds": kinds, "structs": dict(sorted(structs.items()))}


def struct_name(model: str) -> str:
    """The name of the Go struct behind a model: V1PodSpec is PodSpec, CoreV1Event is Event."""
    return model.removeprefix("Core").removeprefix("V1").removeprefix("V2")


def fields_of(model: Any, struct: str, to_do: list[str]) -> dict[str, str]:
    """The fields of a model and their types; what else those need is added to `to_do`."""
    return {
        model.attribute_map[attribute]: field_type(model, struct, attribute, written, to_do)
        for attribute, written in sorted(model.openapi_types.items())
    }


def field_type(model: Any, struct: str, attribute: str, written: str, to_do: list[str]) -> str:
    """The type of one field, from what the model calls it (`List[V1Container]`)."""
    field = model.attribute_map[attribute]
    prefix = ""
    while written.startswith(("List[", "Dict[str, ")):
        prefix += "[]" if written.startswith("List[") else "{}"
        written = (
            written[len("List[") : -1] if written.startswith("List[") else written[len("Dict[str, ") : -1]
        )
    if written == "object":
        return prefix + ("intstr" if is_int_or_string(model, attribute) else "any")
    if written not in PLAIN:
        to_do.append(written)
        return prefix + struct_name(written)
    if written == "str":
        if field in QUANTITIES:
            return prefix + "quantity"
        left_out = not prefix and field not in KEPT.get(struct, ())
        return prefix + "string" + "?" * left_out
    plain = "int64" if written == "int" and field in INT64 else PLAIN[written]
    return prefix + plain + "?" * (field in LEFT_OUT.get(struct, ()))


def is_int_or_string(model: Any, attribute: str) -> bool:
    """Whether a field that the model calls an object takes a number or a text."""
    taken = str(get_args(model.model_fields[attribute].annotation))
    return "int" in taken and "str" in taken


def main() -> int:
    """Writes the table, or with --check compares it; 1 when they differ."""
    table = derive()
    different = 0
    for path, derived in ((TABLE, table), (MORE, derive(KEPT_KINDS, table["structs"]))):
        text = json.dumps(derived, separators=(",", ":")) + "\n"
        if "--check" in sys.argv[1:]:
            same = path.read_text() == text
            print(f"{path}: {'as derived' if same else 'not as derived; run tools/derive_schema.py'}")
            different += not same
        else:
            path.write_text(text)
            print(f"{path}: {len(text)} bytes")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
