"""Discovery: what an API server says of the resources that it serves.

Three forms of one registry: the list of groups, the list of resources of a group and version, and
aggregated discovery, which is both in one answer. A registry is what is `Served`; without one, the
functions speak of the kinds built into Kubernetes 1.34 that the simulator serves.
apiserver/pkg/endpoints/installer.go, apiserver/pkg/endpoints/discovery/aggregated
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from itertools import groupby
from typing import NamedTuple

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.resources import RESOURCES, Resource
from gherkube.runners.simulator.server.versions import SECONDS

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
CHANGED = ("get", "patch", "update")
PROXIED = ("create", "delete", "get", "patch", "update")
STREAMED = ("create", "get")


class Subresource(NamedTuple):
    """A subresource; `kind` "" stands for its parent's, `group` and `version` "" for its parent's."""

    name: str
    verbs: tuple[str, ...] = CHANGED
    kind: str = ""
    group: str = ""
    version: str = ""


class Served(NamedTuple):
    """A resource with what discovery adds to it."""

    resource: Resource
    categories: tuple[str, ...] = ()
    subresources: tuple[Subresource, ...] = ()
    verbs: tuple[str, ...] = VERBS


STATUS = Subresource("status")
SCALE = Subresource("scale", CHANGED, "Scale", "autoscaling", "v1")

SUBRESOURCES = {
    "pods": (
        Subresource("attach", STREAMED, "PodAttachOptions"),
        Subresource("binding", ("create",), "Binding"),
        Subresource("ephemeralcontainers"),
        Subresource("eviction", ("create",), "Eviction", "policy", "v1"),
        Subresource("exec", STREAMED, "PodExecOptions"),
        Subresource("log", ("get",)),
        Subresource("portforward", STREAMED, "PodPortForwardOptions"),
        Subresource("proxy", PROXIED, "PodProxyOptions"),
        Subresource("resize"),
        STATUS,
    ),
    "services": (Subresource("proxy", PROXIED, "ServiceProxyOptions"), STATUS),
    "nodes": (Subresource("proxy", PROXIED, "NodeProxyOptions"), STATUS),
    "namespaces": (Subresource("finalize", ("update",)), STATUS),
    "serviceaccounts": (Subresource("token", ("create",), "TokenRequest", "authentication.k8s.io", "v1"),),
    "deployments": (SCALE, STATUS),
    "replicasets": (SCALE, STATUS),
    "statefulsets": (SCALE, STATUS),
    "replicationcontrollers": (SCALE, STATUS),
    "certificatesigningrequests": (Subresource("approval"), STATUS),
}
"""By resource; those not named here have a status where the resource has one."""

CATEGORIES = {
    **dict.fromkeys(
        (
            "cronjobs",
            "daemonsets",
            "deployments",
            "horizontalpodautoscalers",
            "jobs",
            "pods",
            "replicasets",
            "replicationcontrollers",
            "services",
            "statefulsets",
        ),
        ("all",),
    ),
    **dict.fromkeys(
        (
            "apiservices",
            "customresourcedefinitions",
            "mutatingwebhookconfigurations",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
            "validatingwebhookconfigurations",
        ),
        ("api-extensions",),
    ),
}
FEWER_VERBS = {"namespaces": tuple(verb for verb in VERBS if verb != "deletecollection")}

UNSTORED = (
    Resource("bindings", "", "v1", "Binding"),
    Resource("selfsubjectreviews", "authentication.k8s.io", "v1", "SelfSubjectReview", False),
    Resource("tokenreviews", "authentication.k8s.io", "v1", "TokenReview", False),
    Resource("localsubjectaccessreviews", "authorization.k8s.io", "v1", "LocalSubjectAccessReview"),
    Resource("selfsubjectaccessreviews", "authorization.k8s.io", "v1", "SelfSubjectAccessReview", False),
    Resource("selfsubjectrulesreviews", "authorization.k8s.io", "v1", "SelfSubjectRulesReview", False),
    Resource("subjectaccessreviews", "authorization.k8s.io", "v1", "SubjectAccessReview", False),
)
"""What can be created and is answered, but never stored."""
GROUPS = (
    "",
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "resource.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "storagemigration.k8s.io",
)
"""Kubernetes' groups, the most important first; others follow by name.

pkg/controlplane/apiserver/aggregator.go DefaultGenericAPIServicePriorities
"""


@cache
def built_in() -> tuple[Served, ...]:
    """The kinds of Kubernetes that the simulator serves."""
    return registry(RESOURCES.values())


def registry(resources: Iterable[Resource]) -> tuple[Served, ...]:
    """What is served when these resources are, each in all its versions, with what is not stored."""
    return (
        *(of(resource) for resource in (*resources, *(second.resource for second in SECONDS.values()))),
        *(Served(resource, verbs=("create",)) for resource in UNSTORED),
    )


def of(resource: Resource) -> Served:
    """A resource with what discovery says of it."""
    name, custom = resource.name, resource.custom
    plain = (STATUS,) if resource.has_status else ()
    if custom is not None:
        return Served(resource, custom.categories, (*plain, SCALE) if custom.scale else plain)
    return Served(
        resource,
        CATEGORIES.get(name, ()),
        SUBRESOURCES.get(name, plain),
        FEWER_VERBS.get(name, VERBS),
    )


def core_versions() -> Object:
    """The answer to /api: an APIVersions."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def groups(served: Iterable[Served] | None = None) -> Object:
    """The answer to /apis: an APIGroupList."""
    names = _by_group(served)
    return {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [_group(name, versions) for name, versions in names.items() if name],
    }


def group(name: str, served: Iterable[Served] | None = None) -> Object:
    """The answer to /apis/NAME: an APIGroup. ApiError NotFound when nothing of the group is served."""
    versions = _by_group(served).get(name)
    if not versions or not name:
        raise _not_found()
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)}


def resources(group: str, version: str, served: Iterable[Served] | None = None) -> Object:
    """The answer to /api/v1 (group "") and /apis/GROUP/VERSION: an APIResourceList.

    ApiError NotFound when nothing of the group and version is served.
    """
    found = _by_group(served).get(group, {}).get(version)
    if found is None:
        raise _not_found()
    entries = [entry for each in found for entry in _entries(each)]
    return {
        "kind": "APIResourceList",
        **({"apiVersion": "v1"} if group else {}),
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": entries,
    }


def aggregated(core: bool, version: str = "v2", served: Iterable[Served] | None = None) -> Object:
    """Aggregated discovery of /api (`core`) or /apis: an APIGroupDiscoveryList of v2 or v2beta1."""
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": [
            {
                "metadata": {"name": name, "creationTimestamp": None}
                if name
                else {"creationTimestamp": None},
                "versions": [
                    {
                        "version": each,
                        "resources": [_discovered(one) for one in found],
                        "freshness": "Current",
                    }
                    for each, found in versions.items()
                ],
            }
            for name, versions in _by_group(served).items()
            if core is (name == "")
        ],
    }


def _by_group(served: Iterable[Served] | None) -> dict[str, dict[str, list[Served]]]:
    """What is served by group and version, the preferred ones first, each list by name."""
    ordered = sorted(built_in() if served is None else served, key=_rank)
    return {
        name: {version: list(found) for version, found in groupby(each, lambda one: one.resource.version)}
        for name, each in groupby(ordered, lambda one: one.resource.group)
    }


def _rank(one: Served) -> tuple[object, ...]:
    name, version = one.resource.group, one.resource.version
    place = GROUPS.index(name) if name in GROUPS else len(GROUPS)
    return place, name, version_rank(version), version, one.resource.plural


def version_rank(version: str) -> tuple[int, ...]:
    """Sorts versions as Kubernetes does: v10, v2, v1, v2beta1, v1beta2, v1alpha1, then all others.

    apimachinery/pkg/version/helpers.go CompareKubeAwareVersionStrings
    """
    parts = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", version)
    if parts is None:
        return (3,)
    major, stage, minor = parts.groups()
    return ({None: 0, "beta": 1, "alpha": 2}[stage], -int(major), -int(minor or 0))


def _group(name: str, versions: Iterable[str]) -> Object:
    told = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": told, "preferredVersion": told[0]}


def _entries(one: Served) -> list[Object]:
    resource = one.resource
    entry: Object = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(one.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if one.categories:
        entry["categories"] = list(one.categories)
    return [entry, *(_subresource_entry(resource, sub) for sub in one.subresources)]


def _subresource_entry(resource: Resource, sub: Subresource) -> Object:
    return {
        "name": f"{resource.plural}/{sub.name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        **({"group": sub.group, "version": sub.version} if sub.group else {}),
        "kind": sub.kind or resource.kind,
        "verbs": list(sub.verbs),
    }


def _discovered(one: Served) -> Object:
    resource = one.resource
    told: Object = {
        "resource": resource.plural,
        "responseKind": {"group": "", "version": "", "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(one.verbs),
    }
    if resource.short_names:
        told["shortNames"] = list(resource.short_names)
    if one.categories:
        told["categories"] = list(one.categories)
    if one.subresources:
        told["subresources"] = [
            {
                "subresource": sub.name,
                "responseKind": {
                    "group": sub.group,
                    "version": sub.version,
                    "kind": sub.kind or resource.kind,
                },
                "verbs": list(sub.verbs),
            }
            for sub in one.subresources
        ]
    return told


def _not_found() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource")
