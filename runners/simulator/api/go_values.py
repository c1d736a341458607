"""Values as messages show them where the API server writes out its own, internal structs.

Those have no JSON names: every field stands there under its Go name, also when nothing was said.
pkg/apis/core/types.go, pkg/apis/apps/types.go, pkg/apis/policy/types.go
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from gherkube.runners.objects import Object

ZEROS: dict[str, Any] = {"": "", "?": None, "0": 0, "!": False}
"""What a field is when nothing was said: by the sign after its name in the table."""
KEY = "Name Key Optional?"
PROBE = "Exec? HTTPGet? TCPSocket?"
SOURCES = (
    "HostPath EmptyDir GCEPersistentDisk AWSElasticBlockStore GitRepo Secret NFS ISCSI Glusterfs "
    "PersistentVolumeClaim RBD Quobyte FlexVolume Cinder CephFS Flocker DownwardAPI FC AzureFile ConfigMap "
    "VsphereVolume AzureDisk PhotonPersistentDisk Projected PortworxVolume ScaleIO StorageOS CSI Ephemeral "
    "Image"
)
IDENTITY = "SELinuxOptions? WindowsOptions? RunAsUser? RunAsGroup? RunAsNonRoot?"
STRUCTS = {
    "Spec": "Volumes? InitContainers? Containers? EphemeralContainers? RestartPolicy "
    "TerminationGracePeriodSeconds? ActiveDeadlineSeconds? DNSPolicy NodeSelector? ServiceAccountName "
    "AutomountServiceAccountToken? NodeName SecurityContext? ImagePullSecrets? Hostname Subdomain "
    "SetHostnameAsFQDN? Affinity? SchedulerName Tolerations? HostAliases? PriorityClassName Priority? "
    "PreemptionPolicy? DNSConfig? ReadinessGates? RuntimeClassName? Overhead? EnableServiceLinks? "
    "TopologySpreadConstraints? OS? SchedulingGates? ResourceClaims? Resources? HostnameOverride?",
    "PodSecurityContext": "HostNetwork! HostPID! HostIPC! ShareProcessNamespace? HostUsers? "
    f"{IDENTITY} SupplementalGroups? SupplementalGroupsPolicy? FSGroup? FSGroupChangePolicy? Sysctls? "
    "SeccompProfile? AppArmorProfile? SELinuxChangePolicy?",
    "Containers": "Name Image Command? Args? WorkingDir Ports? EnvFrom? Env? Resources? ResizePolicy? "
    "RestartPolicy? RestartPolicyRules? VolumeMounts? VolumeDevices? LivenessProbe? ReadinessProbe? "
    "StartupProbe? Lifecycle? TerminationMessagePath TerminationMessagePolicy ImagePullPolicy "
    "SecurityContext? Stdin! StdinOnce! TTY!",
    "SecurityContext": f"Capabilities? Privileged? {IDENTITY} ReadOnlyRootFilesystem? "
    "AllowPrivilegeEscalation? ProcMount? SeccompProfile? AppArmorProfile?",
    "Volumes": "Name " + " ".join(f"{source}?" for source in SOURCES.split()),
    "EmptyDir": "Medium SizeLimit?",
    "HostPath": "Path Type",
    "Secret": "SecretName Items? DefaultMode? Optional?",
    "ConfigMap": "Name Items? DefaultMode? Optional?",
    "Items": "Key Path Mode?",
    "PersistentVolumeClaim": "ClaimName ReadOnly!",
    "Ports": "Name HostPort0 ContainerPort0 Protocol HostIP",
    "EnvFrom": "Prefix ConfigMapRef? SecretRef?",
    "ConfigMapRef": "Name Optional?",
    "SecretRef": "Name Optional?",
    "Env": "Name Value ValueFrom?",
    "ValueFrom": "FieldRef? ResourceFieldRef? ConfigMapKeyRef? SecretKeyRef? FileKeyRef?",
    "FieldRef": "APIVersion FieldPath",
    "ConfigMapKeyRef": KEY,
    "SecretKeyRef": KEY,
    "Resources": "Limits? Requests? Claims?",
    "VolumeMounts": "Name ReadOnly! RecursiveReadOnly? MountPath SubPath MountPropagation? SubPathExpr",
    "Probe": f"{PROBE} GRPC? InitialDelaySeconds0 TimeoutSeconds0 PeriodSeconds0 SuccessThreshold0 "
    "FailureThreshold0 TerminationGracePeriodSeconds?",
    "Hook": f"{PROBE} Sleep?",
    "HTTPGet": "Path Port0 Host Scheme HTTPHeaders?",
    "TCPSocket": "Port0 Host",
    "Lifecycle": "PostStart? PreStop? StopSignal?",
    "Capabilities": "Add? Drop?",
    "SeccompProfile": "Type LocalhostProfile?",
    "Affinity": "NodeAffinity? PodAffinity? PodAntiAffinity?",
    "NodeAffinity": "RequiredDuringSchedulingIgnoredDuringExecution? "
    "PreferredDuringSchedulingIgnoredDuringExecution?",
    "NodeSelectorTerms": "MatchExpressions? MatchFields?",
    "Tolerations": "Key Operator Value Effect TolerationSeconds?",
    "StatefulSetUpdateStrategy": "Type RollingUpdate?",
    "StatefulSetRolling": "Partition0 MaxUnavailable?",
    "DaemonSetUpdateStrategy": "Type RollingUpdate?",
    "DaemonSetRolling": "MaxUnavailable? MaxSurge?",
    "PodFailurePolicy": "Rules?",
    "FailureRules": "Action OnExitCodes? OnPodConditions?",
    "OnExitCodes": "ContainerName? Operator Values?",
    "OnPodConditions": "Type Status",
    "PodDisruptionBudgetSpec": "MinAvailable? Selector? MaxUnavailable? UnhealthyPodEvictionPolicy?",
}
"""By struct, its fields in their order."""
ALIASES = {
    "InitContainers": "Containers",
    "LivenessProbe": "Probe",
    "ReadinessProbe": "Probe",
    "StartupProbe": "Probe",
    "PostStart": "Hook",
    "PreStop": "Hook",
    ("Spec", "SecurityContext"): "PodSecurityContext",
    ("StatefulSetUpdateStrategy", "RollingUpdate"): "StatefulSetRolling",
    ("DaemonSetUpdateStrategy", "RollingUpdate"): "DaemonSetRolling",
    ("PodFailurePolicy", "Rules"): "FailureRules",
}
"""Of what struct a field is that is not named as it: by its name, or by its struct and name."""
MAPS = frozenset({"NodeSelector", "Limits", "Requests", "Overhead"})
PUBLIC = frozenset({"Selector"})
"""Fields of structs that have JSON names."""
OF_HOST = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers")
"""Fields of a pod's spec that internally are of its security context."""


def go_template(template: Object) -> Object:
    """A pod template as Go writes it."""
    metadata, spec = template.get("metadata", {}), template["spec"]
    context = {field: spec[field] for field in OF_HOST if field in spec}
    shown = {**spec, "securityContext": {**context, **spec.get("securityContext", {})}}
    kept = {field: metadata[field] for field in ("labels", "annotations") if field in metadata}
    return {**kept, "Spec": go_value(shown, "Spec")}


def go_value(value: Any, struct: str) -> Any:
    """A value of a struct in the table as Go writes it; of one that is not, its fields are only renamed."""
    if isinstance(value, list):
        return [go_value(each, struct) for each in value]
    if not isinstance(value, dict) or struct in PUBLIC:
        return value
    if struct in MAPS:
        return dict(sorted(value.items()))
    if struct not in STRUCTS:
        named = {name[:1].upper() + name[1:]: each for name, each in value.items()}
        return {name: go_value(each, name) for name, each in named.items()}
    return {
        name: go_value(value[said], ALIASES.get((struct, name)) or ALIASES.get(name, name))
        if (said := _said(name)) in value
        else ZEROS[sign]
        for name, sign in _fields(struct)
    }


@cache
def _fields(struct: str) -> list[tuple[str, str]]:
    return [(word.rstrip("?!0"), word[-1] if word[-1] in "?!0" else "") for word in STRUCTS[struct].split()]


@cache
def _said(name: str) -> str:
    """The JSON name of a field: DNSPolicy is dnsPolicy, TTY is tty."""
    return re.sub(r"^([A-Z]+(?=[A-Z][a-z])|[A-Z]+(?![a-z])|[A-Z])", lambda found: found[0].lower(), name)
