"""Derives runners/simulator/server/openapi.json.gz: the schemas of Kubernetes' kinds and all said of them.

    python tools/derive_openapi.py          # writes the file
    python tools/derive_openapi.py --check  # says whether the written one still is what would be derived

The source is the OpenAPI document of Kubernetes 1.34 (Apache-2.0, the Kubernetes authors) as the package
kubernetes-validate carries it: field descriptions, types, and the `x-kubernetes-` marks of lists and
patches, all in full. (The models of the kubernetes package have neither the marks nor the descriptions of
fields that are objects.) That package tightens the document to validate manifests; this takes that back.
A running API server adds which values a field may have, which the published document leaves out: those
are the table below, from `+enum` types in staging/src/k8s.io/api.
"""

from __future__ import annotations

import gzip
import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent.parent / "runners" / "simulator" / "server" / "openapi.json.gz"
SOURCE = "kubernetes-json-schema/v1.34.0-local/_definitions.json"

GROUP_VERSIONS = {
    ("", "v1"),
    ("admissionregistration.k8s.io", "v1"),
    ("apiextensions.k8s.io", "v1"),
    ("apiregistration.k8s.io", "v1"),
    ("apps", "v1"),
    ("authentication.k8s.io", "v1"),
    ("authorization.k8s.io", "v1"),
    ("autoscaling", "v1"),
    ("autoscaling", "v2"),
    ("batch", "v1"),
    ("certificates.k8s.io", "v1"),
    ("coordination.k8s.io", "v1"),
    ("discovery.k8s.io", "v1"),
    ("events.k8s.io", "v1"),
    ("networking.k8s.io", "v1"),
    ("node.k8s.io", "v1"),
    ("policy", "v1"),
    ("rbac.authorization.k8s.io", "v1"),
    ("scheduling.k8s.io", "v1"),
    ("storage.k8s.io", "v1"),
}
"""Whose kinds the file holds."""

NO_KINDS = ("io.k8s.apimachinery.pkg.apis.meta.v1.Patch",)
"""What paths refer to beside kinds."""

REPLACED = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {
        "description": "Quantity is a number with an optional suffix, as in 500m, 64Mi or 1.5.",
        "type": "string",
    },
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {
        "description": "IntOrString is a number or a text.",
        "format": "int-or-string",
        "type": "string",
    },
}

PROTOCOLS, OPERATORS = "SCTP TCP UDP", "DoesNotExist Exists In NotIn"
EFFECTS, PULLS = "NoExecute NoSchedule PreferNoSchedule", "Always IfNotPresent Never"
NAMES = (
    "ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT RTMAX RTMIN SEGV "
    "STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ"
)
REAL_TIME = (*(f"RTMIN+{number}" for number in range(1, 16)), *(f"RTMAX-{number}" for number in range(1, 15)))
SIGNALS = " ".join(sorted(f"SIG{name}" for name in (*NAMES.split(), *REAL_TIME)))
VALUES = {
    "admissionregistration.v1.MutatingWebhook.failurePolicy": "Fail Ignore",
    "admissionregistration.v1.MutatingWebhook.matchPolicy": "Equivalent Exact",
    "admissionregistration.v1.MutatingWebhook.sideEffects": "None NoneOnDryRun Some Unknown",
    "admissionregistration.v1.ValidatingWebhook.failurePolicy": "Fail Ignore",
    "admissionregistration.v1.ValidatingWebhook.matchPolicy": "Equivalent Exact",
    "admissionregistration.v1.ValidatingWebhook.sideEffects": "None NoneOnDryRun Some Unknown",
    "apiextensions.v1.ValidationRule.reason": (
        "FieldValueDuplicate FieldValueForbidden FieldValueInvalid FieldValueRequired"
    ),
    "apps.v1.DaemonSetUpdateStrategy.type": "OnDelete RollingUpdate",
    "apps.v1.DeploymentStrategy.type": "Recreate RollingUpdate",
    "apps.v1.StatefulSetSpec.podManagementPolicy": "OrderedReady Parallel",
    "apps.v1.StatefulSetUpdateStrategy.type": "OnDelete RollingUpdate",
    "batch.v1.CronJobSpec.concurrencyPolicy": "Allow Forbid Replace",
    "batch.v1.JobSpec.completionMode": "Indexed NonIndexed",
    "batch.v1.JobSpec.podReplacementPolicy": "Failed TerminatingOrFailed",
    "batch.v1.PodFailurePolicyOnExitCodesRequirement.operator": "In NotIn",
    "batch.v1.PodFailurePolicyRule.action": "Count FailIndex FailJob Ignore",
    "core.v1.AppArmorProfile.type": "Localhost RuntimeDefault Unconfined",
    "core.v1.AzureDiskVolumeSource.cachingMode": "None ReadOnly ReadWrite",
    "core.v1.AzureDiskVolumeSource.kind": "Dedicated Managed Shared",
    "core.v1.Container.imagePullPolicy": PULLS,
    "core.v1.Container.terminationMessagePolicy": "FallbackToLogsOnError File",
    "core.v1.ContainerPort.protocol": PROTOCOLS,
    "core.v1.ContainerStatus.stopSignal": SIGNALS,
    "core.v1.EndpointPort.protocol": PROTOCOLS,
    "core.v1.EphemeralContainer.imagePullPolicy": PULLS,
    "core.v1.EphemeralContainer.terminationMessagePolicy": "FallbackToLogsOnError File",
    "core.v1.HTTPGetAction.scheme": "HTTP HTTPS",
    "core.v1.HostPathVolumeSource.type": (
        " BlockDevice CharDevice Directory DirectoryOrCreate File FileOrCreate Socket"
    ),
    "core.v1.ImageVolumeSource.pullPolicy": PULLS,
    "core.v1.Lifecycle.stopSignal": SIGNALS,
    "core.v1.ModifyVolumeStatus.status": "InProgress Infeasible Pending",
    "core.v1.NamespaceStatus.phase": "Active Terminating",
    "core.v1.NodeSelectorRequirement.operator": "DoesNotExist Exists Gt In Lt NotIn",
    "core.v1.NodeStatus.phase": "Pending Running Terminated",
    "core.v1.PersistentVolumeClaimSpec.volumeMode": "Block Filesystem",
    "core.v1.PersistentVolumeClaimStatus.phase": "Bound Lost Pending",
    "core.v1.PersistentVolumeSpec.persistentVolumeReclaimPolicy": "Delete Recycle Retain",
    "core.v1.PersistentVolumeSpec.volumeMode": "Block Filesystem",
    "core.v1.PersistentVolumeStatus.phase": "Available Bound Failed Pending Released",
    "core.v1.PodSecurityContext.fsGroupChangePolicy": "Always OnRootMismatch",
    "core.v1.PodSecurityContext.supplementalGroupsPolicy": "Merge Strict",
    "core.v1.PodSpec.dnsPolicy": "ClusterFirst ClusterFirstWithHostNet Default None",
    "core.v1.PodSpec.preemptionPolicy": "Never PreemptLowerPriority",
    "core.v1.PodSpec.restartPolicy": "Always Never OnFailure",
    "core.v1.PodStatus.phase": "Failed Pending Running Succeeded Unknown",
    "core.v1.PodStatus.qosClass": "BestEffort Burstable Guaranteed",
    "core.v1.PortStatus.protocol": PROTOCOLS,
    "core.v1.ScopedResourceSelectorRequirement.operator": OPERATORS,
    "core.v1.ScopedResourceSelectorRequirement.scopeName": (
        "BestEffort CrossNamespacePodAffinity NotBestEffort NotTerminating PriorityClass Terminating "
        "VolumeAttributesClass"
    ),
    "core.v1.SeccompProfile.type": "Localhost RuntimeDefault Unconfined",
    "core.v1.SecurityContext.procMount": "Default Unmasked",
    "core.v1.ServicePort.protocol": PROTOCOLS,
    "core.v1.ServiceSpec.externalTrafficPolicy": "Cluster Local",
    "core.v1.ServiceSpec.internalTrafficPolicy": "Cluster Local",
    "core.v1.ServiceSpec.ipFamilyPolicy": "PreferDualStack RequireDualStack SingleStack",
    "core.v1.ServiceSpec.sessionAffinity": "ClientIP None",
    "core.v1.ServiceSpec.type": "ClusterIP ExternalName LoadBalancer NodePort",
    "core.v1.Taint.effect": EFFECTS,
    "core.v1.Toleration.effect": EFFECTS,
    "core.v1.Toleration.operator": "Equal Exists",
    "core.v1.TopologySpreadConstraint.nodeAffinityPolicy": "Honor Ignore",
    "core.v1.TopologySpreadConstraint.nodeTaintsPolicy": "Honor Ignore",
    "core.v1.TopologySpreadConstraint.whenUnsatisfiable": "DoNotSchedule ScheduleAnyway",
    "core.v1.VolumeMount.mountPropagation": "Bidirectional HostToContainer None",
    "discovery.v1.EndpointSlice.addressType": "FQDN IPv4 IPv6",
    "discovery.v1.EndpointPort.protocol": PROTOCOLS,
    "networking.v1.HTTPIngressPath.pathType": "Exact ImplementationSpecific Prefix",
    "networking.v1.IngressPortStatus.protocol": PROTOCOLS,
    "networking.v1.NetworkPolicyPort.protocol": PROTOCOLS,
    "policy.v1.PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy": "AlwaysAllow IfHealthyBudget",
    "scheduling.v1.PriorityClass.preemptionPolicy": "Never PreemptLowerPriority",
    "storage.v1.StorageClass.reclaimPolicy": "Delete Recycle Retain",
    "storage.v1.StorageClass.volumeBindingMode": "Immediate WaitForFirstConsumer",
}
"""By field: the values it may have, with a space between; one at the start stands for the empty text."""


def derive() -> dict[str, Any]:
    """Where the schemas are from, and the schemas by name, as the `definitions` of OpenAPI v2."""
    loose = {name: loosened(schema) for name, schema in source().items()} | REPLACED
    for field, values in VALUES.items():
        struct, _, name = field.rpartition(".")
        (schema,) = (schema for full, schema in loose.items() if full.endswith(f".{struct}"))
        add_values(schema["properties"][name], values.split(" "))
    wanted, to_do = set(), [*NO_KINDS, *(name for name, schema in loose.items() if is_wanted(schema))]
    while to_do:
        if (name := to_do.pop()) not in wanted:
            wanted.add(name)
            to_do += references(loose[name])
    return {
        "source": f"Kubernetes 1.34 (Apache-2.0, the Kubernetes authors), by kubernetes-validate, {SOURCE}",
        "definitions": {name: loose[name] for name in sorted(wanted)},
    }


def source() -> dict[str, Any]:
    """The definitions that the package carries."""
    found = find_spec("kubernetes_validate")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("kubernetes-validate is not installed: pip install --group dev, then again")
    with (Path(found.submodule_search_locations[0]) / SOURCE).open() as file:
        return dict(json.load(file)["$defs"])


def loosened(schema: Any) -> Any:
    """A schema as Kubernetes publishes it: references within the document, no null, no fixed kinds."""
    if isinstance(schema, list):
        return [loosened(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    new = {key: loosened(value) for key, value in schema.items()}
    if isinstance(new.get("type"), list):
        new["type"] = new["type"][0]
    if isinstance(new.get("$ref"), str):
        new["$ref"] = "#/definitions/" + new["$ref"].rpartition("/")[2]
    for field in ("apiVersion", "kind"):
        if isinstance(told := new.get("properties", {}).get(field), dict):
            told.pop("enum", None)
    return new


def add_values(field: dict[str, Any], values: list[str]) -> None:
    """Names the values of a field, in its description too, as an API server does."""
    listed = "".join(f'\n - `"{value}"`' for value in values)
    field["enum"] = values
    field["description"] = f"{field.get('description', '')}\n\nPossible enum values:{listed}"


def is_wanted(schema: dict[str, Any]) -> bool:
    """Whether a schema is that of a kind of the groups above."""
    kinds = schema.get("x-kubernetes-group-version-kind", ())
    return any((kind["group"], kind["version"]) in GROUP_VERSIONS for kind in kinds)


def references(schema: Any) -> list[str]:
    """The names of all schemas that one refers to."""
    if isinstance(schema, list):
        return [name for item in schema for name in references(item)]
    if not isinstance(schema, dict):
        return []
    own = [schema["$ref"].removeprefix("#/definitions/")] if isinstance(schema.get("$ref"), str) else []
    return own + [name for value in schema.values() for name in references(value)]


def main() -> int:
    """Writes the file, or with --check compares it; 1 when they differ."""
    text = json.dumps(derive(), separators=(",", ":"), sort_keys=True)
    if "--check" in sys.argv[1:]:
        same = gzip.decompress(FILE.read_bytes()).decode() == text
        print(f"{FILE}: {'as derived' if same else 'not as derived; run tools/derive_openapi.py'}")
        return 0 if same else 1
    FILE.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{FILE}: {len(text)} bytes, {FILE.stat().st_size} packed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
