"""What the simulator does not act on though a cluster would: a scenario that needs it is not judged.

One row for each field: which (a dotted path; `[]` stands for every element of a list), why it matters,
and with which values where not with all. `INERT` are the fields that are kept and change nothing here;
all others are modelled (`tests/simulator/api/test_unmodelled.py` holds the three against the schema).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from gherkube.runners.errors import CannotJudge
from gherkube.runners.objects import TEMPLATED, Object


class Row(NamedTuple):
    """A field that is not modelled; `when` says with which values."""

    path: str
    why: str
    when: Callable[[Any], bool] = bool


def _all_but(*values: Any) -> Callable[[Any], bool]:
    return lambda value: bool(value) and value not in values


def _only(*values: Any) -> Callable[[Any], bool]:
    return lambda value: value in values


NEWER = "the field is newer than Kubernetes 1.34"
ELSEWHERE = "the answer would come from elsewhere"
PROFILES = "profiles on nodes are not modelled"
SECURITY = (
    Row("securityContext.seccompProfile.type", PROFILES, _only("Localhost")),
    Row("securityContext.appArmorProfile.type", PROFILES, _only("Localhost")),
    Row("securityContext.windowsOptions", "all nodes run Linux"),
)
PROBES = ("readinessProbe", "livenessProbe", "startupProbe")
HOOKS = ("lifecycle.preStop", "lifecycle.postStart")
CONTAINER = (
    *SECURITY,
    Row("env[].valueFrom.fileKeyRef", NEWER),
    *(Row(f"{each}.httpGet.host", ELSEWHERE) for each in (*PROBES, *HOOKS)),
    *(Row(f"{each}.httpGet.protocol", NEWER) for each in (*PROBES, *HOOKS)),
    *(Row(f"{each}.tcpSocket.host", ELSEWHERE) for each in PROBES),
    *(Row(f"{each}.grpc.mode", NEWER) for each in PROBES),
    *(Row(f"{each}.tcpSocket", "on a cluster such a hook fails") for each in HOOKS),
    Row("lifecycle.stopSignal", "containers are stopped by SIGTERM"),
    Row("resources.claims", "devices are not allocated"),
    Row("restartPolicyRules", "containers restart by their pod's policy only"),
    Row("volumeMounts[].bindMountOptions", NEWER),
)
POD = (
    *SECURITY,
    Row("securityContext.sysctls", "kernels of nodes are not modelled"),
    Row("ephemeralContainers", "containers are not added to a running pod"),
    Row("hostnameOverride", NEWER),
    Row("os.name", "all nodes run Linux", _all_but("linux")),
    Row("overhead", "there are no runtime classes"),
    Row("resourceClaims", "devices are not allocated"),
    Row("resources", "requests of whole pods are not counted"),
    Row("runtimeClassName", "there are no runtime classes"),
    Row("evictionResponders", NEWER),
    Row("schedulingGroup", NEWER),
    *(
        Row(f"{containers}[].{row.path}", row.why, row.when)
        for containers in ("containers", "initContainers")
        for row in CONTAINER
    ),
    Row("volumes[].emptyDir.medium", "huge pages are not modelled", lambda medium: "HugePages" in medium),
    Row(
        "volumes[].hostPath.type",
        "what is on a node's disk is not modelled",
        _all_but("DirectoryOrCreate", "FileOrCreate"),
    ),
    Row("volumes[].projected.sources[].clusterTrustBundle", "there are no trust bundles"),
    Row("volumes[].projected.sources[].podCertificate", "pods get no certificates"),
)
"""Of the spec of a pod."""
JOB = (
    Row("scheduling", NEWER),
    Row("managedBy", "no other controller runs Jobs"),
)
"""Of the spec of a Job."""
MODELLED_VOLUMES = frozenset(
    {
        *("name", "configMap", "secret", "emptyDir", "downwardAPI", "projected", "hostPath"),
        "persistentVolumeClaim",
    }
)
"""Volumes that are there at once, or as soon as they are claimed; any other would have to be attached."""
TOPOLOGY = "requests prefer no endpoint"
ROWS: dict[str, tuple[Row, ...]] = {
    "services": (
        Row("spec.trafficDistribution", TOPOLOGY),
        Row("spec.ipFamilies", "the cluster is of IPv4 only", lambda families: "IPv6" in families),
        Row("spec.ipFamilyPolicy", "the cluster is of IPv4 only", _only("RequireDualStack")),
        Row("spec.allocateLoadBalancerNodePorts", "node ports are always given", _only(False)),
        Row(
            "metadata.annotations.service§kubernetes§io/topology-mode",
            TOPOLOGY,
            _all_but("Disabled", "disabled"),
        ),
    ),
    "jobs": tuple(Row(f"spec.{row.path}", row.why, row.when) for row in JOB),
    "cronjobs": (
        *(Row(f"spec.jobTemplate.spec.{row.path}", row.why, row.when) for row in JOB),
        Row("spec.timeZone", "schedules are told in UTC", _all_but("Etc/UTC", "UTC")),
    ),
    "namespaces": (
        Row(
            "metadata.labels.pod-security§kubernetes§io/enforce",
            "no pod is refused for its security",
            _all_but("privileged"),
        ),
    ),
}
"""Of whole objects; `§` stands for a dot within a name."""
INERT = {
    "PodSpec": "dnsConfig dnsPolicy enableServiceLinks hostAliases hostIPC hostPID "
    "hostUsers imagePullSecrets setHostnameAsFQDN shareProcessNamespace",
    "Container": "args command resizePolicy stdin stdinOnce terminationMessagePath terminationMessagePolicy "
    "tty volumeDevices workingDir",
    "EnvVarSource": "resourceFieldRef",
    "ObjectFieldSelector": "apiVersion",
    "HTTPGetAction": "httpHeaders",
    "GRPCAction": "service",
    "VolumeMount": "mountPropagation subPath subPathExpr",
    "SecurityContext": "allowPrivilegeEscalation capabilities privileged procMount readOnlyRootFilesystem "
    "runAsGroup seLinuxOptions",
    "PodSecurityContext": "fsGroup fsGroupChangePolicy runAsGroup seLinuxChangePolicy seLinuxOptions "
    "supplementalGroups supplementalGroupsPolicy",
    "ServiceSpec": "externalIPs externalName healthCheckNodePort loadBalancerClass loadBalancerIP "
    "loadBalancerSourceRanges",
    "ServicePort": "appProtocol",
}
"""By struct: the fields that are kept and change nothing that a scenario sees."""


class _Place(NamedTuple):
    """A name in a tree of rows: that of a list or not, the place of its row, and what has rows within it."""

    is_list: bool
    row: int | None
    inner: _Tree


_Tree: TypeAlias = dict[str, _Place]


def _tree(rows: Sequence[Row]) -> _Tree:
    """The rows by the names of their paths: an object has few of the fields, and is walked but once."""
    root: _Tree = {}
    for at, row in enumerate(rows):
        tree, (*names, last) = root, row.path.split(".")
        for name in names:
            tree = tree.setdefault(_plain(name), _Place(name.endswith("[]"), None, {})).inner
        tree[_plain(last)] = _Place(False, at, {})
    return root


def _plain(name: str) -> str:
    return name.removesuffix("[]").replace("§", ".")


_POD_TREE = _tree(POD)
_TREES = {resource: _tree(rows) for resource, rows in ROWS.items()}


def check_modelled(resource: str, kind: str, obj: Object) -> None:
    """Raises CannotJudge when the object has a field that would matter on a cluster and does not here."""
    if resource in ROWS:
        _check(kind, "", ROWS[resource], _TREES[resource], obj)
    if resource == "pods":
        _check_pod_spec(kind, "spec.", obj["spec"])
    elif resource == "cronjobs":
        _check_pod_spec(
            kind,
            "spec.jobTemplate.spec.template.spec.",
            obj["spec"]["jobTemplate"]["spec"]["template"]["spec"],
        )
    elif resource in TEMPLATED:
        _check_pod_spec(kind, "spec.template.spec.", obj["spec"]["template"]["spec"])


def _check_pod_spec(kind: str, prefix: str, spec: Object) -> None:
    _check(kind, prefix, POD, _POD_TREE, spec)
    for volume in spec.get("volumes", ()):
        for source in volume:
            if source not in MODELLED_VOLUMES:
                raise _not_modelled(kind, f"{prefix}volumes[].{source}", "such volumes are not provisioned")


def _check(kind: str, prefix: str, rows: Sequence[Row], tree: _Tree, root: Object) -> None:
    found = min(_found(rows, tree, root), default=None)
    if found is not None:
        path, why, _ = rows[found]
        raise _not_modelled(kind, prefix + path.replace("§", "."), why)


def _found(rows: Sequence[Row], tree: _Tree, part: Object) -> Iterator[int]:
    """The places of the rows of what stands in that part of an object."""
    for name in tree.keys() & part.keys():
        is_list, row, inner = tree[name]
        value = part[name]
        if value is None:
            continue
        if row is not None and rows[row].when(value):
            yield row
        for each in (value if is_list else (value,)) if inner else ():
            yield from _found(rows, inner, each)


def _not_modelled(kind: str, path: str, why: str) -> CannotJudge:
    return CannotJudge(
        f"{kind} cannot be judged on the simulator: field {path} is not modelled ({why}); "
        "leave it out, or run the scenario on kind or a live cluster"
    )
