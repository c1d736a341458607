"""The resources that the simulator models, and those that it knows but does not model.

What is known but not modelled can be named in a message: a scenario that needs it is not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from gherkube.runners.errors import ApiError, CannotJudge
from gherkube.runners.objects import Key, Object


class Custom(NamedTuple):
    """What a CustomResourceDefinition says of its resource, beside names.

    `schema`: what its objects hold; `columns`: additionalPrinterColumns; `scale`: where its numbers of
    replicas stand, as in the definition's subresources, or None.
    """

    singular: str
    categories: tuple[str, ...]
    schema: Object
    columns: tuple[Object, ...]
    scale: Object | None


class Resource(NamedTuple):
    """A resource of the API: what it is called, and what its objects have.

    `name` is unique: the plural, for custom resources with the group. `initial_status`: what a new
    object's status is, whatever was sent; None where it is kept as sent.
    """

    name: str
    group: str
    version: str
    kind: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    has_status: bool = False
    has_generation: bool = False
    initial_status: Object | None = None
    custom: Custom | None = None

    @property
    def plural(self) -> str:
        """As in paths: "deployments"."""
        return self.name.partition(".")[0]

    @property
    def singular(self) -> str:
        """As in "deployment"."""
        return self.custom.singular if self.custom else self.kind.lower()

    @property
    def api_version(self) -> str:
        """As in "apps/v1"."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def key(self, name: str, namespace: str) -> Key:
        """The key of an object; "" stands for the namespace "default" where there is one."""
        return Key((namespace or "default") if self.namespaced else "", name)

    @property
    def qualified(self) -> str:
        """As messages name it: "deployments.apps", "pods"."""
        return f"{self.plural}.{self.group}" if self.group else self.name

    @property
    def qualified_kind(self) -> str:
        """As messages about invalid objects name it: "Deployment.apps", "Pod"."""
        return f"{self.kind}.{self.group}" if self.group else self.kind


NO_REPLICAS = {"replicas": 0, "availableReplicas": 0}
NO_DAEMONS = dict.fromkeys(
    ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"), 0
)
NO_PODS = {"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0}

RESOURCES = {
    resource.name: resource
    for resource in (
        Resource("pods", "", "v1", "Pod", True, ("po",), True, True),
        Resource("replicasets", "apps", "v1", "ReplicaSet", True, ("rs",), True, True, {"replicas": 0}),
        Resource("deployments", "apps", "v1", "Deployment", True, ("deploy",), True, True, {}),
        Resource("statefulsets", "apps", "v1", "StatefulSet", True, ("sts",), True, True, NO_REPLICAS),
        Resource("daemonsets", "apps", "v1", "DaemonSet", True, ("ds",), True, True, NO_DAEMONS),
        Resource("controllerrevisions", "apps", "v1", "ControllerRevision"),
        Resource("services", "", "v1", "Service", True, ("svc",), True, False, {"loadBalancer": {}}),
        Resource("endpoints", "", "v1", "Endpoints", True, ("ep",)),
        Resource("endpointslices", "discovery.k8s.io", "v1", "EndpointSlice", has_generation=True),
        Resource("nodes", "", "v1", "Node", False, ("no",), True),
        Resource("namespaces", "", "v1", "Namespace", False, ("ns",), True, False, {"phase": "Active"}),
        Resource("events", "", "v1", "Event", True, ("ev",)),
        Resource("configmaps", "", "v1", "ConfigMap", True, ("cm",)),
        Resource("secrets", "", "v1", "Secret"),
        Resource("serviceaccounts", "", "v1", "ServiceAccount", True, ("sa",)),
        Resource("leases", "coordination.k8s.io", "v1", "Lease"),
        Resource(
            "poddisruptionbudgets", "policy", "v1", "PodDisruptionBudget", True, ("pdb",), True, True, NO_PODS
        ),
        Resource("jobs", "batch", "v1", "Job", True, (), True, True, {}),
        Resource("cronjobs", "batch", "v1", "CronJob", True, ("cj",), True, True, {}),
        Resource("resourcequotas", "", "v1", "ResourceQuota", True, ("quota",), True, False, {}),
        Resource("priorityclasses", "scheduling.k8s.io", "v1", "PriorityClass", False, ("pc",), False, True),
        Resource("limitranges", "", "v1", "LimitRange", True, ("limits",)),
        Resource("persistentvolumes", "", "v1", "PersistentVolume", False, ("pv",), True),
        Resource("persistentvolumeclaims", "", "v1", "PersistentVolumeClaim", True, ("pvc",), True),
    )
}
TYPE_META: dict[str, Object] = {
    resource.name: {"apiVersion": resource.api_version, "kind": resource.kind}
    for resource in RESOURCES.values()
}
"""By resource: what every object of it says of its type."""
NOT_MODELLED = {
    "horizontalpodautoscalers": ("autoscaling", "HorizontalPodAutoscaler"),
    "replicationcontrollers": ("", "ReplicationController"),
    "podtemplates": ("", "PodTemplate"),
    "storageclasses": ("storage.k8s.io", "StorageClass"),
    "ingresses": ("networking.k8s.io", "Ingress"),
    "ingressclasses": ("networking.k8s.io", "IngressClass"),
    "networkpolicies": ("networking.k8s.io", "NetworkPolicy"),
    "roles": ("rbac.authorization.k8s.io", "Role"),
    "rolebindings": ("rbac.authorization.k8s.io", "RoleBinding"),
    "clusterroles": ("rbac.authorization.k8s.io", "ClusterRole"),
    "clusterrolebindings": ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    "runtimeclasses": ("node.k8s.io", "RuntimeClass"),
    "customresourcedefinitions": ("apiextensions.k8s.io", "CustomResourceDefinition"),
    "mutatingwebhookconfigurations": ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    "validatingwebhookconfigurations": ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
}
"""By resource: group and kind."""
UNMODELLED_KINDS = frozenset(NOT_MODELLED.values())


class Resources:
    """The resources that one API server serves: those that are modelled, and any more that it keeps."""

    def __init__(self, more: Iterable[Resource] = ()) -> None:
        self._by_name = dict(RESOURCES)
        self._by_kind = {(resource.api_version, resource.kind): resource for resource in RESOURCES.values()}
        self._listeners: list[Callable[[Resource], object]] = []
        self.type_meta = dict(TYPE_META)
        """By resource: what every object of it says of its type."""
        for resource in more:
            self.add(resource)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._by_name.values())

    def versions(self) -> Iterator[Resource]:
        """The resources, each in every version in which it is served."""
        return iter(self._by_kind.values())

    def on_add(self, listener: Callable[[Resource], object]) -> None:
        """Calls the listener with each resource that is served from now on."""
        self._listeners.append(listener)

    def add(self, resource: Resource) -> None:
        """Serves one more, or another version of one."""
        self._by_kind[resource.api_version, resource.kind] = resource
        if resource.name not in self._by_name:
            self._by_name[resource.name] = resource
            self.type_meta[resource.name] = {"apiVersion": resource.api_version, "kind": resource.kind}
            for listener in self._listeners:
                listener(resource)

    def remove(self, name: str) -> None:
        """Serves a resource no more, in any version."""
        self._by_name.pop(name, None)
        self.type_meta.pop(name, None)
        self._by_kind = {kind: each for kind, each in self._by_kind.items() if each.name != name}

    def __getitem__(self, name: str) -> Resource:
        return self._by_name[name]

    def served(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource at that path, or None."""
        for resource in self._by_kind.values():
            if (resource.group, resource.version, resource.plural) == (group, version, plural):
                return resource
        return None

    def named(self, name: str) -> Resource:
        """The resource of that plural name.

        CannotJudge when it is known but not modelled, ApiError NotFound when it is unknown.
        """
        found = self._by_name.get(name)
        if found is not None:
            return found
        if name in NOT_MODELLED:
            raise not_modelled(NOT_MODELLED[name][1])
        raise ApiError(404, "NotFound", "the server could not find the requested resource")

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        """The resource of that kind, or None."""
        return self._by_kind.get((api_version, kind))

    def of(self, obj: Object) -> Resource:
        """The resource that an object's apiVersion and kind name. Raises as `named` does."""
        api_version, kind = obj.get("apiVersion", ""), obj.get("kind", "")
        try:
            found = self._by_kind.get((api_version, kind))
        except TypeError:  # no texts
            found = None
        if found is not None:
            return found
        group = api_version.rpartition("/")[0] if isinstance(api_version, str) else ""
        if isinstance(kind, str) and (group, kind) in UNMODELLED_KINDS:
            raise not_modelled(kind)
        raise ApiError(404, "NotFound", f'no matches for kind "{kind}" in version "{api_version}"')


def not_modelled(kind: str) -> CannotJudge:
    """What is raised for a kind that the simulator knows but does not model."""
    return CannotJudge(
        f"{kind} cannot be judged on the simulator: the kind is not modelled; "
        "run the scenario on kind or a live cluster"
    )
