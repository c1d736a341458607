"""What makes pods and what watches over their number, as `kubectl get` prints it.

pkg/printers/internalversion/printers.go printDeployment, printReplicaSet, printJob, …
"""

from __future__ import annotations

from gherkube.runners.objects import Object, controller_of, is_deleting
from gherkube.runners.selectors import selector_text
from gherkube.runners.simulator.server.printers.cells import (
    NONE,
    TEMPLATE,
    UNKNOWN,
    UNSET,
    Cells,
    age,
    containers,
    human,
    labels,
    name,
    printer,
    seconds_of,
    selector,
    since,
    status_of,
)

JOB_CONDITIONS = ("Suspended", "FailureTarget", "SuccessCriteriaMet")
"""What a Job that is neither done nor being deleted shows as its status, the first that is True."""


def _deployment(obj: Object, now: float) -> Cells:
    spec, status = obj["spec"], obj.get("status") or {}
    return [
        name(obj),
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        age(obj, now),
        *containers(spec["template"]),
        selector_text(spec.get("selector")),
    ]


def _replica_set(obj: Object, now: float) -> Cells:
    return [*_replicas(obj, now), *containers(obj["spec"]["template"]), selector(obj["spec"].get("selector"))]


def _replication_controller(obj: Object, now: float) -> Cells:
    template = obj["spec"].get("template") or {"spec": {}}
    return [*_replicas(obj, now), *containers(template), labels(obj["spec"].get("selector"))]


def _replicas(obj: Object, now: float) -> Cells:
    status = obj.get("status") or {}
    desired = obj["spec"].get("replicas", 0)
    return [name(obj), desired, status.get("replicas", 0), status.get("readyReplicas", 0), age(obj, now)]


def _stateful_set(obj: Object, now: float) -> Cells:
    ready = (obj.get("status") or {}).get("readyReplicas", 0)
    desired = obj["spec"].get("replicas", 0)
    return [name(obj), f"{ready}/{desired}", age(obj, now), *containers(obj["spec"]["template"])]


def _daemon_set(obj: Object, now: float) -> Cells:
    status, template = obj.get("status") or {}, obj["spec"]["template"]
    counts = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    return [
        name(obj),
        *(status.get(count, 0) for count in counts),
        labels(template["spec"].get("nodeSelector")),
        age(obj, now),
        *containers(template),
        selector(obj["spec"].get("selector")),
    ]


def _job(obj: Object, now: float) -> Cells:
    spec, status = obj["spec"], obj.get("status") or {}
    begun, ended = status.get("startTime"), status.get("completionTime")
    took = human((seconds_of(ended) if ended else now) - seconds_of(begun)) if begun else ""
    return [
        name(obj),
        _job_status(obj),
        _completions(spec, status.get("succeeded", 0)),
        took,
        age(obj, now),
        *containers(spec["template"]),
        selector(spec.get("selector")),
    ]


def _job_status(job: Object) -> str:
    for done in ("Complete", "Failed"):
        if status_of(job, done) == "True":
            return done
    if is_deleting(job):
        return "Terminating"
    return next((each for each in JOB_CONDITIONS if status_of(job, each) == "True"), "Running")


def _completions(spec: Object, succeeded: int) -> str:
    wanted, side_by_side = spec.get("completions"), spec.get("parallelism", 0)
    if wanted is not None:
        return f"{succeeded}/{wanted}"
    return f"{succeeded}/1 of {side_by_side}" if side_by_side > 1 else f"{succeeded}/1"


def _cron_job(obj: Object, now: float) -> Cells:
    spec, status = obj["spec"], obj.get("status") or {}
    job = spec["jobTemplate"]["spec"]
    last, suspended = status.get("lastScheduleTime"), spec.get("suspend")
    return [
        name(obj),
        spec["schedule"],
        spec.get("timeZone", NONE),
        UNSET if suspended is None else "True" if suspended else "False",
        len(status.get("active") or ()),
        since(last, now) if last else NONE,
        age(obj, now),
        *containers(job["template"]),
        selector(job.get("selector")),
    ]


def _controller_revision(obj: Object, now: float) -> Cells:
    owner = controller_of(obj)
    shown = NONE
    if owner is not None:
        group, _, _ = owner["apiVersion"].rpartition("/")
        shown = f"{'.'.join(filter(None, (owner['kind'], group))).lower()}/{owner['name']}"
    return [name(obj), shown, obj["revision"], age(obj, now)]


def _budget(obj: Object, now: float) -> Cells:
    spec = obj["spec"]
    allowed = (obj.get("status") or {}).get("disruptionsAllowed", 0)
    bounds = [str(spec.get(bound, "N/A")) for bound in ("minAvailable", "maxUnavailable")]
    return [name(obj), *bounds, allowed, age(obj, now)]


def _scale(obj: Object, now: float) -> Cells:
    desired, found = obj["spec"].get("replicas", 0), obj["status"].get("replicas", 0)
    return [name(obj), desired, found, age(obj, now)]


def _autoscaler(obj: Object, now: float) -> Cells:
    spec, status = obj["spec"], obj.get("status") or {}
    target = spec["scaleTargetRef"]
    return [
        name(obj),
        f"{target['kind']}/{target['name']}",
        _metrics(spec.get("metrics") or (), status.get("currentMetrics") or ()),
        str(spec.get("minReplicas", UNSET)),
        spec["maxReplicas"],
        status.get("currentReplicas", 0),
        age(obj, now),
    ]


def _metrics(wanted: list[Object] | tuple[()], found: list[Object] | tuple[()]) -> str:
    if not wanted:
        return NONE
    shown = [_metric(metric, found[at] if at < len(found) else {}) for at, metric in enumerate(wanted)]
    first = ", ".join(shown[:2])
    return f"{first} + {len(shown) - 2} more..." if len(shown) > 2 else first


def _metric(wanted: Object, found: Object) -> str:
    """One metric: what it is, and what it should be. formatHPAMetrics"""
    kind = wanted["type"]
    field = kind[0].lower() + kind[1:]
    if field not in wanted:
        return "<unknown type>"
    target = wanted[field]["target"]
    current = (found.get(field) or {}).get("current") or {}
    if field in ("resource", "containerResource"):
        prefix = f"{wanted[field]['name']}: "
        if "averageValue" in target:
            return f"{prefix}{current.get('averageValue', UNKNOWN)}/{target['averageValue']}"
        return f"{prefix}{_percent(current, UNKNOWN)}/{_percent(target, '<auto>')}"
    if field == "pods":
        return f"{current.get('averageValue', UNKNOWN)}/{target['averageValue']}"
    if "averageValue" in target:
        return f"{current.get('averageValue', UNKNOWN)}/{target['averageValue']} (avg)"
    return f"{current.get('value', UNKNOWN)}/{target['value']}"


def _percent(value: Object, otherwise: str) -> str:
    return f"{value['averageUtilization']}%" if "averageUtilization" in value else otherwise


REPLICAS = "Name, Desired:integer, Current:integer, Ready:integer, Age"
PRINTERS = {
    "Deployment.apps": printer(f"Name, Ready, Up-to-date, Available, Age, {TEMPLATE}", _deployment),
    "ReplicaSet.apps": printer(f"{REPLICAS}, {TEMPLATE}", _replica_set),
    "ReplicationController": printer(f"{REPLICAS}, {TEMPLATE}", _replication_controller),
    "StatefulSet.apps": printer("Name, Ready, Age, Containers*, Images*", _stateful_set),
    "DaemonSet.apps": printer(
        "Name, Desired:integer, Current:integer, Ready:integer, Up-to-date:integer, Available:integer, "
        f"Node Selector, Age, {TEMPLATE}",
        _daemon_set,
    ),
    "Job.batch": printer(f"Name, Status, Completions, Duration, Age, {TEMPLATE}", _job),
    "CronJob.batch": printer(
        f"Name, Schedule, Timezone, Suspend:boolean, Active:integer, Last Schedule, Age, {TEMPLATE}",
        _cron_job,
    ),
    "ControllerRevision.apps": printer("Name, Controller, Revision, Age", _controller_revision),
    "PodDisruptionBudget.policy": printer(
        "Name, Min Available, Max Unavailable, Allowed Disruptions:integer, Age", _budget
    ),
    "HorizontalPodAutoscaler.autoscaling": printer(
        "Name, Reference, Targets, MinPods, MaxPods, Replicas, Age", _autoscaler
    ),
    "Scale.autoscaling": printer("Name, Desired:integer, Available:integer, Age", _scale),
}
