"""Validation of Jobs and CronJobs.

pkg/apis/batch/validation/validation.go
"""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gherkube.runners.errors import UsageError
from gherkube.runners.objects import Object
from gherkube.runners.schedules import Schedule
from gherkube.runners.selectors import from_label_selector
from gherkube.runners.simulator.api.go_values import go_template, go_value
from gherkube.runners.simulator.api.jobs import CONTROLLER_UID, NOT_GENERATED
from gherkube.runners.simulator.api.refusals import IMMUTABLE, FieldError, required, unsupported, wrong
from gherkube.runners.simulator.api.validation_job_policies import NEEDS_INDEXES, check_policies
from gherkube.runners.simulator.api.validation_meta import check_annotations, check_labels, check_selector
from gherkube.runners.simulator.api.validation_pods import NOT_NEGATIVE, check_pod_spec

NUMBERS = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
)
MODES = ("NonIndexed", "Indexed")
MOST_PARALLEL = 100_000
MOVES = {
    "metadata": ("labels", "annotations"),
    "spec": ("affinity", "nodeSelector", "tolerations", "schedulingGates"),
}
"""What may change of the template of a Job that is suspended and was never started."""
IN_TANDEM = "can only be modified in tandem with spec.parallelism"
NO_ZONE = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
CONCURRENCY = ("Allow", "Forbid", "Replace")
RESTARTS = ("OnFailure", "Never")
LONGEST_CRON_NAME = 52
"""Its Jobs add eleven characters. ValidateCronJobCreate"""
FIXED = ("completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy")
"""What no update of a Job changes, beside its selector and template."""


def check_job(job: Object) -> Iterator[FieldError]:
    """ValidateJob"""
    spec = job["spec"]
    yield from _check_spec(spec, "spec")
    if spec.get("manualSelector"):
        if "selector" not in spec:
            yield required("spec.selector")
            yield from _check_selected(spec)
        else:
            yield from check_selector(spec["selector"], "spec.selector")


def check_job_update(new: Object, old: Object) -> Iterator[FieldError]:
    """ValidateJobSpecUpdate: the template of a Job that has begun stays, and so does how many end it"""
    before, after = old["spec"], new["spec"]
    yield from _check_own_selector(new, old)
    if before.get("completions") != after.get("completions"):
        if after.get("completionMode") != "Indexed":
            yield wrong("spec.completions", after.get("completions"), IMMUTABLE)
        elif after.get("completions") != after["parallelism"]:
            yield wrong("spec.completions", after.get("completions"), IN_TANDEM)
    if before.get("selector") != after.get("selector"):
        yield wrong("spec.selector", after.get("selector"), IMMUTABLE)
    may_move = before["suspend"] and "startTime" not in old.get("status", {})
    if _kept(before["template"], may_move) != _kept(after["template"], may_move):
        yield wrong("spec.template", go_template(after["template"]), IMMUTABLE)
    for field in FIXED:
        if before.get(field) != after.get(field):
            shown = go_value(after.get(field), field[0].upper() + field[1:])
            yield wrong(f"spec.{field}", shown, IMMUTABLE)


def _check_own_selector(new: Object, old: Object) -> Iterator[FieldError]:
    """ValidateGeneratedSelector, ValidateJob"""
    spec = new["spec"]
    selector = spec.get("selector", {})
    own = {"matchLabels": {CONTROLLER_UID: old["metadata"]["uid"]}}
    if not spec.get("manualSelector") and selector != own:
        yield wrong("spec.selector", selector, NOT_GENERATED)
    yield from _check_selected(spec)


def _check_selected(spec: Object) -> Iterator[FieldError]:
    labels = spec["template"]["metadata"].get("labels")
    if not from_label_selector(spec.get("selector"))(labels or {}):
        said = "`selector` does not match template `labels`"
        yield wrong("spec.template.metadata.labels", labels, said)


def _kept(template: Object, may_move: bool) -> Object:
    """What of a template no update changes: of a Job that was never started, not where its pods may go.

    validatePodTemplateUpdate
    """
    if not may_move:
        return template
    metadata, spec = (
        {field: value for field, value in template[part].items() if field not in free}
        for part, free in MOVES.items()
    )
    return {"metadata": metadata, "spec": spec}


def check_cron_job(cron_job: Object) -> Iterator[FieldError]:
    """ValidateCronJobCreate, validateCronJobSpec"""
    name, spec = cron_job["metadata"].get("name", ""), cron_job["spec"]
    if len(name) > LONGEST_CRON_NAME:
        yield wrong("metadata.name", name, f"must be no more than {LONGEST_CRON_NAME} characters")
    schedule = spec.get("schedule", "")
    if not schedule:
        yield required("spec.schedule")
    elif "TZ" in schedule:
        yield wrong("spec.schedule", schedule, NO_ZONE)
    else:
        try:
            Schedule(schedule)
        except UsageError as error:
            yield wrong("spec.schedule", schedule, str(error))
    zone = spec.get("timeZone")
    if zone == "":
        yield wrong("spec.timeZone", zone, "timeZone must be nil or non-empty string")
    elif zone is not None and not _is_time_zone(zone):
        yield wrong("spec.timeZone", zone, f"unknown time zone {zone}")
    if spec.get("startingDeadlineSeconds", 0) < 0:
        yield wrong("spec.startingDeadlineSeconds", spec["startingDeadlineSeconds"], NOT_NEGATIVE)
    if spec["concurrencyPolicy"] not in CONCURRENCY:
        yield unsupported("spec.concurrencyPolicy", spec["concurrencyPolicy"], CONCURRENCY)
    yield from _check_spec(spec["jobTemplate"]["spec"], "spec.jobTemplate.spec")
    for field in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        if spec[field] < 0:
            yield wrong(f"spec.{field}", spec[field], NOT_NEGATIVE)


def _is_time_zone(name: str) -> bool:
    try:
        return bool(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def _check_spec(spec: Object, path: str) -> Iterator[FieldError]:
    """validateJobSpec"""
    for field in NUMBERS:
        if spec.get(field, 0) < 0:
            yield wrong(f"{path}.{field}", spec[field], NOT_NEGATIVE)
    if "maxFailedIndexes" in spec and "backoffLimitPerIndex" not in spec:
        yield required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    mode = spec.get("completionMode")
    if mode not in (None, *MODES):
        yield unsupported(f"{path}.completionMode", mode, MODES)
    elif mode == "Indexed":
        yield from _check_indexed(spec, path)
    else:
        for field in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if field in spec:
                yield wrong(f"{path}.{field}", spec[field], NEEDS_INDEXES)
    yield from check_policies(spec, path)
    template = spec["template"]
    yield from check_labels(template["metadata"].get("labels"), f"{path}.template.labels")
    yield from check_annotations(template["metadata"].get("annotations"), f"{path}.template.annotations")
    yield from check_pod_spec(template["spec"], f"{path}.template.spec")
    restart = template["spec"].get("restartPolicy", "Always")
    if restart == "Always":
        yield required(f"{path}.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"')
    elif restart not in RESTARTS:
        yield unsupported(f"{path}.template.spec.restartPolicy", restart, RESTARTS)
    elif restart != "Never" and "podFailurePolicy" in spec:
        why = 'only "Never" is supported when podFailurePolicy is specified'
        yield wrong(f"{path}.template.spec.restartPolicy", restart, why)


def _check_indexed(spec: Object, path: str) -> Iterator[FieldError]:
    if "completions" not in spec:
        yield required(f"{path}.completions", "when completion mode is Indexed")
    if spec["parallelism"] > MOST_PARALLEL:
        said = f"must be less than or equal to {MOST_PARALLEL} when completion mode is Indexed"
        yield wrong(f"{path}.parallelism", spec["parallelism"], said)
    if spec.get("maxFailedIndexes", 0) > spec.get("completions", 0):
        yield wrong(
            f"{path}.maxFailedIndexes",
            spec["maxFailedIndexes"],
            "must be less than or equal to completions",
        )
