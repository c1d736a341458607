"""What a Job says of its failures and successes beyond numbers: which count, and when it is enough.

pkg/controller/job/{pod_failure_policy.go,success_policy.go,indexed_job_utils.go,backoff_utils.go}
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from gherkube.runners.objects import Object
from gherkube.runners.simulator.controllers.job_pods import (
    Failures,
    finished_at,
    has_failed,
    index_of,
    indexes,
    is_tracked,
)

FAILED_BEFORE = "batch.kubernetes.io/job-index-failure-count"
IGNORED_BEFORE = "batch.kubernetes.io/job-index-ignored-failure-count"
"""Annotations of a pod: how often its index had failed before."""


class Match(NamedTuple):
    """What becomes of a failed pod, and what is said of it where the Job fails for it."""

    action: str = "Count"
    message: str = ""


def replaces_failed_only(spec: Object) -> bool:
    """Whether a pod that is being deleted has to have ended before it counts. onlyReplaceFailedPods"""
    return spec.get("podReplacementPolicy") == "Failed" or "podFailurePolicy" in spec


def match(spec: Object, pod: Object) -> Match:
    """What the first rule that a failed pod fits says of it. matchPodFailurePolicy"""
    for index, rule in enumerate(spec.get("podFailurePolicy", {}).get("rules", ())):
        said = _of_exit_codes(rule, pod) if "onExitCodes" in rule else _of_conditions(rule, pod)
        if said:
            return Match(rule["action"], f"{said} matching {rule['action']} rule at index {index}")
    return Match()


def _of_exit_codes(rule: Object, pod: Object) -> str:
    """matchOnExitCodes"""
    wanted = rule["onExitCodes"]
    metadata = pod["metadata"]
    for kind in ("containerStatuses", "initContainerStatuses"):
        for container in pod["status"].get(kind, ()):
            code = container["state"].get("terminated", {}).get("exitCode", 0)
            named = wanted.get("containerName", container["name"]) == container["name"]
            if code and named and (code in wanted["values"]) == (wanted["operator"] == "In"):
                about = f"pod {metadata['namespace']}/{metadata['name']}"
                return f"Container {container['name']} for {about} failed with exit code {code}"
    return ""


def _of_conditions(rule: Object, pod: Object) -> str:
    """matchOnPodConditions"""
    metadata = pod["metadata"]
    wanted = {(each["type"], each.get("status", "True")) for each in rule.get("onPodConditions", ())}
    for found in pod["status"].get("conditions", ()):
        if (found["type"], found["status"]) in wanted:
            return f"Pod {metadata['namespace']}/{metadata['name']} has condition {found['type']}"
    return ""


def failure_of_the_job(spec: Object, pods: Iterable[Object]) -> str | None:
    """Why the Job fails for one of its pods, None when it does not. getFailJobMessage"""
    if "podFailurePolicy" in spec:
        for pod in pods:
            if has_failed(pod, only_ended=True) and (found := match(spec, pod)).action == "FailJob":
                return found.message
    return None


def success_of(spec: Object, done: Collection[int]) -> str | None:
    """Which rule says that it is enough, None when none does. matchSuccessPolicy"""
    for index, rule in enumerate(spec.get("successPolicy", {}).get("rules", ())):
        enough = len(done) >= rule.get("succeededCount", 1)
        if "succeededIndexes" in rule:
            wanted = indexes(rule["succeededIndexes"])
            enough = len(wanted & set(done)) >= rule.get("succeededCount", len(wanted))
        if done and enough:
            return f"Matched rules at index {index}"
    return None


# --- a limit for each index ---------------------------------------------------------------------


def has_limit_per_index(spec: Object) -> bool:
    """Whether each index may fail so and so often by itself."""
    return "backoffLimitPerIndex" in spec


def failed_indexes(job: Object, pods: Iterable[Object]) -> set[int]:
    """The indexes that will not be tried again. calculateFailedIndexes, isIndexFailed"""
    spec = job["spec"]
    failed = indexes(job["status"].get("failedIndexes", ""))
    for pod in pods:
        index = index_of(pod)
        if index is None or not is_tracked(pod) or not has_failed(pod, only_ended=replaces_failed_only(spec)):
            continue
        action = match(spec, pod).action
        spent = _count(pod, FAILED_BEFORE) >= spec["backoffLimitPerIndex"]
        if action == "FailIndex" or (action != "Ignore" and spent):
            failed.add(index)
    return {index for index in failed if index < spec["completions"]}


def last_failures(spec: Object, pods: Iterable[Object], settled: Collection[int]) -> dict[int, Object]:
    """Of each index that is to be tried again, the pod that failed last: it is kept until then.

    getPodsWithDelayedDeletionPerIndex
    """
    found: dict[int, Object] = {}
    for pod in pods:
        index = index_of(pod)
        if index is None or index in settled or not has_failed(pod, only_ended=replaces_failed_only(spec)):
            continue
        last = found.get(index)
        if last is None or (failures(last), finished_at(last)) <= (failures(pod), finished_at(pod)):
            found[index] = pod
    return found


def failures(pod: Object) -> int:
    """How often the pod's index had failed before it. getIndexAbsoluteFailureCount"""
    return _count(pod, FAILED_BEFORE) + _count(pod, IGNORED_BEFORE)


def told_failures(spec: Object, last: Object | None) -> dict[str, str]:
    """What a new pod says of its index: how often it failed. addIndexFailureCountAnnotation"""
    if last is None:
        return {FAILED_BEFORE: "0"}
    counts = match(spec, last).action != "Ignore"
    failed, ignored = _count(last, FAILED_BEFORE) + counts, _count(last, IGNORED_BEFORE) + (not counts)
    return {FAILED_BEFORE: str(failed), **({IGNORED_BEFORE: str(ignored)} if ignored else {})}


def wait_of(last: Object | None, now: float) -> float:
    """Seconds until an index is tried again. getRemainingTimePerIndex"""
    return 0.0 if last is None else Failures(failures(last) + 1, finished_at(last)).wait(now)


def _count(pod: Object, annotation: str) -> int:
    return int(pod["metadata"].get("annotations", {}).get(annotation, "0"))
