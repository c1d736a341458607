"""What scenarios need to be allowed on a live cluster: asked before the first step, and told as a role.

staging/src/k8s.io/api/authorization/v1 SelfSubjectAccessReview
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from gherkube.runners.live.api import LiveApi
from gherkube.runners.objects import Object

OWN = "*own*"
"""Stands for the namespaces that a run makes for itself."""
WATCHED = (
    ("", "events"),
    ("", "pods"),
    ("apps", "replicasets"),
    ("apps", "deployments"),
    ("apps", "statefulsets"),
    ("apps", "daemonsets"),
    ("apps", "controllerrevisions"),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
    ("", "services"),
    ("discovery.k8s.io", "endpointslices"),
    ("policy", "poddisruptionbudgets"),
    ("", "resourcequotas"),
)
"""What is watched of each namespace, by group; nodes beside it."""


class Need(NamedTuple):
    """One verb on one resource. `namespace`: "" for what is cluster-wide, OWN for the run's own."""

    verb: str
    group: str
    resource: str
    namespace: str = ""

    @property
    def words(self) -> str:
        """As kubectl auth can-i is asked."""
        name = f"{self.resource}.{self.group}" if self.group else self.resource
        place = {"": "", OWN: " in namespaces of its own"}.get(
            self.namespace, f" in namespace {self.namespace}"
        )
        return f"{self.verb} {name}{place}"


EVERYTHING = Need("*", "*", "*")


def base(namespaces: Collection[str], *, makes: bool, limits: bool = False) -> set[Need]:
    """What every scenario needs there; `makes`: it gets a namespace of its own, `limits`: with a quota."""
    needs = {Need("list", "", "nodes"), Need("watch", "", "nodes"), Need("get", "", "namespaces")}
    if makes:
        needs |= {Need(verb, "", "namespaces") for verb in ("create", "delete")}
        needs |= {Need("get", "", "serviceaccounts", OWN), Need("delete", "", "pods", OWN)}
        needs |= {Need("create", "", "resourcequotas", OWN)} if limits else set()
    for namespace in namespaces:
        needs |= {Need(verb, *each, namespace) for each in WATCHED for verb in ("list", "watch")}
        needs |= {Need("get", "", "pods/log", namespace)}
    return needs


def missing(api: LiveApi, needs: Iterable[Need]) -> list[Need]:
    """Those of which the API server says that they are not allowed; one question for whoever may do all."""
    if _is_allowed(api, EVERYTHING):
        return []
    return sorted(need for need in needs if not _is_allowed(api, need))


def refused(absent: Sequence[Need], context: str) -> str:
    """What is missing, and a role that would grant it; "" when nothing is."""
    if not absent:
        return ""
    listed = ", ".join(need.words for need in absent)
    return (
        f"the user of context {context!r} may not do what the scenarios need: {listed}; "
        f"this role, bound to the user, would grant it:\n{manifest(absent)}"
    )


def manifest(needs: Iterable[Need]) -> str:
    """A ClusterRole for what is cluster-wide or in namespaces to come, a Role for each other namespace."""
    import yaml

    rules: dict[str, dict[tuple[str, str], list[str]]] = {}
    for need in sorted(needs):
        place = "" if need.namespace in ("", OWN) else need.namespace
        verbs = rules.setdefault(place, {}).setdefault((need.group, need.resource), [])
        if need.verb not in verbs:
            verbs.append(need.verb)
    roles = [_role(place, found) for place, found in sorted(rules.items())]
    return yaml.safe_dump_all(roles, sort_keys=False, default_flow_style=None, width=110)


def _role(namespace: str, rules: dict[tuple[str, str], list[str]]) -> Object:
    by_verbs: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), verbs in rules.items():
        by_verbs.setdefault((group, tuple(verbs)), []).append(resource)
    metadata = {"name": "gherkube", **({"namespace": namespace} if namespace else {})}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role" if namespace else "ClusterRole",
        "metadata": metadata,
        "rules": [
            {"apiGroups": [group], "resources": resources, "verbs": list(verbs)}
            for (group, verbs), resources in by_verbs.items()
        ],
    }


def _is_allowed(api: LiveApi, need: Need) -> bool:
    resource, _, subresource = need.resource.partition("/")
    attributes = {"verb": need.verb, "group": need.group, "resource": resource}
    attributes |= {"subresource": subresource} if subresource else {}
    if need.namespace:
        attributes["namespace"] = "gherkube-own" if need.namespace == OWN else need.namespace
    review = api.review(
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
    )
    return bool(review["status"]["allowed"])
