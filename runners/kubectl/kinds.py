"""How kubectl names things: kinds by their plural, singular and short names, and the lines it prints."""

from __future__ import annotations

from typing import NamedTuple

from gherkube.runners.errors import CannotJudge, Refused
from gherkube.runners.objects import Object


class Kind(NamedTuple):
    """A kind as kubectl knows it; `short` are its short names."""

    resource: str
    kind: str
    group: str
    namespaced: bool = True
    short: tuple[str, ...] = ()

    @property
    def full_resource(self) -> str:
        """As errors name it: deployments.apps, pods."""
        return f"{self.resource}.{self.group}" if self.group else self.resource

    @property
    def full_kind(self) -> str:
        """As results name it: deployment.apps, pod."""
        return f"{self.kind.lower()}.{self.group}" if self.group else self.kind.lower()


KINDS = (
    Kind("pods", "Pod", "", short=("po",)),
    Kind("services", "Service", "", short=("svc",)),
    Kind("configmaps", "ConfigMap", "", short=("cm",)),
    Kind("secrets", "Secret", ""),
    Kind("serviceaccounts", "ServiceAccount", "", short=("sa",)),
    Kind("endpoints", "Endpoints", "", short=("ep",)),
    Kind("events", "Event", "", short=("ev",)),
    Kind("nodes", "Node", "", namespaced=False, short=("no",)),
    Kind("namespaces", "Namespace", "", namespaced=False, short=("ns",)),
    Kind("replicationcontrollers", "ReplicationController", "", short=("rc",)),
    Kind("resourcequotas", "ResourceQuota", "", short=("quota",)),
    Kind("limitranges", "LimitRange", "", short=("limits",)),
    Kind("persistentvolumeclaims", "PersistentVolumeClaim", "", short=("pvc",)),
    Kind("deployments", "Deployment", "apps", short=("deploy",)),
    Kind("replicasets", "ReplicaSet", "apps", short=("rs",)),
    Kind("statefulsets", "StatefulSet", "apps", short=("sts",)),
    Kind("daemonsets", "DaemonSet", "apps", short=("ds",)),
    Kind("controllerrevisions", "ControllerRevision", "apps"),
    Kind("jobs", "Job", "batch"),
    Kind("cronjobs", "CronJob", "batch", short=("cj",)),
    Kind("endpointslices", "EndpointSlice", "discovery.k8s.io"),
    Kind("poddisruptionbudgets", "PodDisruptionBudget", "policy", short=("pdb",)),
    Kind("priorityclasses", "PriorityClass", "scheduling.k8s.io", namespaced=False, short=("pc",)),
    Kind("horizontalpodautoscalers", "HorizontalPodAutoscaler", "autoscaling", short=("hpa",)),
)

_BY_NAME = {
    name: kind
    for kind in KINDS
    for name in (
        kind.resource,
        kind.kind.lower(),
        *kind.short,
        *((f"{kind.resource}.{kind.group}", kind.full_kind) if kind.group else ()),
    )
}
_BY_KIND = {kind.kind: kind for kind in KINDS}


def find(name: str) -> Kind:
    """The kind of that plural, singular or short name ("deploy", "deployments.apps").

    Refused when there is none.
    """
    kind = _BY_NAME.get(name.lower())
    if kind is None:
        raise Refused(f'error: the server doesn\'t have a resource type "{name}"')
    return kind


def kind_of(obj: Object) -> Kind:
    """The kind that a manifest is of.

    Refused when its kind is missing; CannotJudge when it is none of Kubernetes' own that are known here,
    since a cluster may serve it all the same.
    """
    name = obj.get("kind", "")
    if not name:
        raise Refused("error: Object 'Kind' is missing in the manifest")
    kind = _BY_KIND.get(name)
    if kind is None:
        raise CannotJudge(
            f"nothing is known here of kind {name!r} in version {obj.get('apiVersion', '')!r}: "
            "correct its spelling, or run the scenario where the kind is served"
        )
    return kind


def line(resource: str, name: str, word: str) -> str:
    """A line of result: `deployment.apps/web scaled`."""
    return f"{find(resource).full_kind}/{name} {word}"
