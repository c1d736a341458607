"""Validation: what is wrong with an object that has its defaults, in the API server's order and words.

pkg/apis/apps/validation/validation.go, pkg/apis/core/validation/validation.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.claims import check_claim, check_claim_update
from gherkube.runners.simulator.api.custom import check_custom, check_definition
from gherkube.runners.simulator.api.priority import check_priority_class, check_priority_class_update
from gherkube.runners.simulator.api.refusals import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid,
    required,
    unsupported,
    wrong,
)
from gherkube.runners.simulator.api.resources import Resource
from gherkube.runners.simulator.api.validation_batch import check_cron_job, check_job, check_job_update
from gherkube.runners.simulator.api.validation_config import (
    check_config_map,
    check_immutable,
    check_secret,
    check_secret_update,
)
from gherkube.runners.simulator.api.validation_limits import check_limit_range
from gherkube.runners.simulator.api.validation_meta import (
    check_cidr,
    check_metadata,
    is_qualified_name,
)
from gherkube.runners.simulator.api.validation_pods import check_images, check_pod_spec
from gherkube.runners.simulator.api.validation_policy import (
    check_autoscaler,
    check_budget,
    check_quota,
    check_scopes_kept,
)
from gherkube.runners.simulator.api.validation_scheduling import EFFECTS
from gherkube.runners.simulator.api.validation_services import check_service, check_service_update
from gherkube.runners.simulator.api.validation_workloads import (
    check_daemon_set,
    check_deployment,
    check_replica_set,
    check_selector_kept,
    check_stateful_set,
    check_stateful_set_update,
)

POD_UPDATES = (
    "pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def validate(resource: Resource, obj: Object, old: Object | None = None) -> None:
    """Raises ApiError Invalid with all that is wrong with an object, or with its update from `old`."""
    before = None if old is None else old["metadata"]
    errors = list(check_metadata(resource.name, obj["metadata"], before))
    if old is None and resource.name == "pods":
        errors += check_gates(obj["spec"])
    if old is not None and resource.name in FIRST_CHECKS:
        errors += FIRST_CHECKS[resource.name](obj, old)
    if resource.custom is not None:
        errors += check_custom(resource, obj)
    elif resource.name in CHECKS:
        errors += CHECKS[resource.name](obj)
    if old is not None and resource.name in UPDATE_CHECKS:
        errors += UPDATE_CHECKS[resource.name](obj, old)
    if errors:
        raise invalid(resource, obj["metadata"].get("name", ""), errors)


def check_pod(pod: Object) -> Iterator[FieldError]:
    """ValidatePodCreate"""
    yield from check_pod_spec(pod["spec"], "spec")
    yield from check_images(pod["spec"], "spec")


def check_gates(spec: Object) -> Iterator[FieldError]:
    """ValidatePodCreate"""
    if spec.get("schedulingGates") and spec.get("nodeName"):
        yield forbidden_field("spec.nodeName", "cannot be set until all schedulingGates have been cleared")


def check_node(node: Object) -> Iterator[FieldError]:
    """ValidateNode: its addresses for pods, and its taints"""
    spec = node.get("spec", {})
    for at, cidr in enumerate(spec.get("podCIDRs") or filter(None, (spec.get("podCIDR"),))):
        yield from check_cidr(cidr, f"spec.podCIDRs[{at}]")
    seen = set()
    for at, taint in enumerate(spec.get("taints", ())):
        path, key, effect = f"metadata.taints[{at}]", taint.get("key", ""), taint.get("effect", "")
        for message in is_qualified_name(key):
            yield wrong(f"{path}.key", key, message)
        if not effect:
            yield required(f"{path}.effect")
        elif effect not in EFFECTS:
            yield unsupported(f"{path}.effect", effect, EFFECTS)
        if (key, effect) in seen:
            shown = {"Key": key, "Value": taint.get("value", ""), "Effect": effect, "TimeAdded": None}
            yield duplicate(path, shown)._replace(detail="taints must be unique by key and effect pair")
        seen.add((key, effect))


def check_pod_update(new: Object, old: Object) -> Iterator[FieldError]:
    """ValidatePodUpdate"""
    before, after = old["spec"], new["spec"]
    for field in ("containers", "initContainers"):
        if len(after.get(field, ())) != len(before.get(field, ())):
            yield forbidden_field(f"spec.{field}", "pod updates may not add or remove containers")
            return
    added = after.get("tolerations", [])
    if not all(each in added for each in before.get("tolerations", [])):
        said = "existing toleration can not be modified except its tolerationSeconds"
        yield forbidden_field("spec.tolerations", said)
    gates = [gate["name"] for gate in before.get("schedulingGates", ())]
    for at, gate in enumerate(after.get("schedulingGates", ())):
        if gate["name"] not in gates:
            said = f"only deletion is allowed, but found new scheduling gate '{gate['name']}'"
            yield forbidden_field(f"spec.schedulingGates[{at}].name", said)
    if gates:
        before, after = _ungated(before, after)
    if _without_updatable(before) != _without_updatable(after):
        yield forbidden_field("spec", POD_UPDATES)


def _ungated(before: Object, after: Object) -> tuple[Object, Object]:
    """Both without what may change while gates hold the pod: its node selector if it grows, node affinity."""
    if before.get("nodeSelector", {}).items() <= after.get("nodeSelector", {}).items():
        before, after = _without(before, "nodeSelector"), _without(after, "nodeSelector")
    affinities = (_without(spec.get("affinity", {}), "nodeAffinity") for spec in (before, after))
    before, after = (
        {**spec, "affinity": affinity} for spec, affinity in zip((before, after), affinities, strict=True)
    )
    return before, after


def _without(part: Object, field: str) -> Object:
    return {key: value for key, value in part.items() if key != field}


def _without_updatable(spec: Object) -> Object:
    free = ("containers", "initContainers", "activeDeadlineSeconds", "tolerations", "schedulingGates")
    kept = {key: value for key, value in spec.items() if key not in free}
    for field in ("containers", "initContainers"):
        kept[field] = [
            {key: value for key, value in container.items() if key != "image"}
            for container in spec.get(field, ())
        ]
    return kept


CHECKS: dict[str, Callable[[Object], Iterator[FieldError]]] = {
    "deployments": check_deployment,
    "replicasets": check_replica_set,
    "statefulsets": check_stateful_set,
    "daemonsets": check_daemon_set,
    "jobs": check_job,
    "cronjobs": check_cron_job,
    "pods": check_pod,
    "services": check_service,
    "configmaps": check_config_map,
    "secrets": check_secret,
    "nodes": check_node,
    "customresourcedefinitions": check_definition,
    "poddisruptionbudgets": check_budget,
    "resourcequotas": check_quota,
    "priorityclasses": check_priority_class,
    "limitranges": check_limit_range,
    "persistentvolumeclaims": check_claim,
    "horizontalpodautoscalers": check_autoscaler,
}
UPDATE_CHECKS: dict[str, Callable[[Object, Object], Iterator[FieldError]]] = {
    "configmaps": check_immutable,
    "secrets": check_secret_update,
    "resourcequotas": check_scopes_kept,
    "deployments": check_selector_kept,
    "replicasets": check_selector_kept,
    "statefulsets": check_stateful_set_update,
    "jobs": check_job_update,
    "pods": check_pod_update,
    "services": check_service_update,
    "priorityclasses": check_priority_class_update,
    "persistentvolumeclaims": check_claim_update,
}
FIRST_CHECKS: dict[str, Callable[[Object, Object], Iterator[FieldError]]] = {
    "daemonsets": check_selector_kept
}
"""What of an update is looked at before the object itself."""
