"""What the API server adds to a pod on its creation, beyond the defaults that a pod template gets too.

plugin/pkg/admission/{serviceaccount,defaulttolerationseconds,priority}, pkg/apis/core/v1/defaults.go
SetDefaults_Pod, pkg/apis/core/helper/qos/qos.go. Controllers make many pods of one template, so what
does not differ from pod to pod is worked out once for each template.
"""

from __future__ import annotations

from typing import NamedTuple

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Key, Object
from gherkube.runners.simulator.api.names import suffix
from gherkube.runners.simulator.api.refusals import forbidden
from gherkube.runners.simulator.api.resources import RESOURCES
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.store import Store

ROOT_CERTIFICATES = "kube-root-ca.crt"
"""The ConfigMap that each namespace is given, and given again: nobody has to look whether it is there."""
TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_SOURCE: Object = {
    "sources": [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": ROOT_CERTIFICATES, "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {
            "downwardAPI": {
                "items": [
                    {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
                ]
            }
        },
    ],
    "defaultMode": 420,
}
TOLERATED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
ADDED: Object = {"priority": 0, "preemptionPolicy": "PreemptLowerPriority", "enableServiceLinks": True}
DEFAULT_ACCOUNT = "default"
"""The service account that each namespace is given: nobody has to look whether it is there."""
GATED: Object = {
    "type": "PodScheduled",
    "status": "False",
    "lastProbeTime": None,
    "reason": "SchedulingGated",
    "message": "Scheduling is blocked due to non-empty scheduling gates",
}
"""What a pod with gates says of itself. pkg/registry/core/pod/strategy.go applySchedulingGatedCondition"""
KEPT = 1024
"""How many templates are remembered."""


class _Prepared(NamedTuple):
    """What all pods of one template have in common; `source` is the template's spec."""

    source: Object
    spec: Object
    status: Object
    volumes: list[Object]
    containers: dict[str, list[tuple[Object, list[Object] | None]]]
    mounts_token: bool


class PodAdmission:
    """Completes a pod that is about to be created."""

    def __init__(self, store: Store, chance: Chance) -> None:
        self._store, self._names = store, chance.stream("names")
        self._prepared: dict[int, _Prepared] = {}

    def __call__(self, pod: Object) -> Object:
        """The pod with its defaults and its first status; the template's spec is not touched.

        Forbidden when its service account, or the class that it names, is not there.
        """
        source = pod["spec"]
        prepared = self._prepared.get(id(source))
        if prepared is None or prepared.source is not source:
            prepared = self._prepare(source)
        spec = prepared.spec
        if spec["serviceAccountName"] != DEFAULT_ACCOUNT:
            self._check_account(pod["metadata"], spec["serviceAccountName"])
        if "runtimeClassName" in spec:
            self._check_runtime(pod["metadata"], spec["runtimeClassName"])
        if prepared.mounts_token:
            name = "kube-api-access-" + suffix(self._names)
            mount = {"name": name, "readOnly": True, "mountPath": TOKEN_PATH}
            spec = {**spec, "volumes": [*prepared.volumes, {"name": name, "projected": TOKEN_SOURCE}]}
            for field, containers in prepared.containers.items():
                spec[field] = [
                    container if mounts is None else {**container, "volumeMounts": [*mounts, mount]}
                    for container, mounts in containers
                ]
        status = prepared.status
        if spec.get("schedulingGates"):
            status = {
                **status,
                "conditions": [{**GATED, "lastTransitionTime": self._store.clock.timestamp()}],
            }
        return {**pod, "spec": spec, "status": status}

    def _check_account(self, metadata: Object, account: str) -> None:
        namespace = metadata["namespace"]
        if self._store.get("serviceaccounts", Key(namespace, account)) is None:
            why = f'serviceaccount "{account}" not found'
            raise _refusal(metadata, f"error looking up service account {namespace}/{account}: {why}")

    def _check_runtime(self, metadata: Object, name: str) -> None:
        """plugin/pkg/admission/runtimeclass/admission.go"""
        if self._store.get("runtimeclasses", Key("", name)) is None:
            raise _refusal(metadata, f'pod rejected: RuntimeClass "{name}" not found')

    def _prepare(self, source: Object) -> _Prepared:
        if len(self._prepared) >= KEPT:
            self._prepared.clear()
        spec = {**ADDED, **source, **_identity(source), "tolerations": tolerations_of(source)}
        fields = [field for field in ("initContainers", "containers") if field in source]
        for field in fields:
            spec[field] = [with_requests(container) for container in source[field]]
        prepared = self._prepared[id(source)] = _Prepared(
            source,
            spec,
            {"phase": "Pending", "qosClass": qos_class(spec)},
            source.get("volumes", []),
            {field: [(container, _mounts(container)) for container in spec[field]] for field in fields},
            source.get("automountServiceAccountToken", True),
        )
        return prepared


def _refusal(metadata: Object, why: str) -> ApiError:
    return forbidden(RESOURCES["pods"], metadata.get("name") or metadata["generateName"], why)


def qos_class(spec: Object) -> str:
    """The class of a pod by its requests and limits of cpu and memory. qos.go ComputePodQOS"""
    containers = [*spec.get("initContainers", ()), *spec["containers"]]
    amounts = [
        {kind: _compute(container.get("resources", {}).get(kind, {})) for kind in ("requests", "limits")}
        for container in containers
    ]
    if not any(each["requests"] or each["limits"] for each in amounts):
        return "BestEffort"
    guaranteed = all(len(each["limits"]) == 2 and each["requests"] == each["limits"] for each in amounts)
    return "Guaranteed" if guaranteed else "Burstable"


def _compute(amounts: Object) -> Object:
    return {name: amounts[name] for name in ("cpu", "memory") if amounts.get(name, "0") != "0"}


def _identity(spec: Object) -> Object:
    account = spec.get("serviceAccountName") or spec.get("serviceAccount") or DEFAULT_ACCOUNT
    return {"serviceAccountName": account, "serviceAccount": account}


def tolerations_of(spec: Object) -> list[Object]:
    """What the pod tolerates, and what every pod does. plugin/pkg/admission/defaulttolerationseconds"""
    tolerations: list[Object] = spec.get("tolerations", [])
    added = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
        for key in TOLERATED
        if not any(
            each.get("key", "") in ("", key) and each.get("effect", "") in ("", "NoExecute")
            for each in tolerations
        )
    ]
    return [*tolerations, *added]


def with_requests(container: Object) -> Object:
    """The container, requesting what it limits where it says nothing else."""
    resources = container.get("resources", {})
    limits, requests = resources.get("limits", {}), resources.get("requests", {})
    if limits.keys() <= requests.keys():
        return container
    return {**container, "resources": {**resources, "requests": {**limits, **requests}}}


def _mounts(container: Object) -> list[Object] | None:
    """The container's mounts; None when it mounts something of its own where the token goes."""
    mounts: list[Object] = container.get("volumeMounts", [])
    return None if any(mount["mountPath"] == TOKEN_PATH for mount in mounts) else mounts
