"""One look at a Job: its pods, those that are not counted yet, and what they come to.

pkg/controller/job/job_controller.go syncJobCtx
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from gherkube.runners.objects import Object, is_deleting, is_ready
from gherkube.runners.simulator.controllers.job_pods import (
    has_failed,
    has_succeeded,
    index_of,
    indexes,
    is_terminating,
    is_tracked,
    seconds,
)
from gherkube.runners.simulator.controllers.job_policies import (
    failed_indexes,
    has_limit_per_index,
    last_failures,
    match,
    replaces_failed_only,
)


@dataclass
class Pass:
    """One look at a Job: its pods, those that are not counted yet, and what becomes of its status."""

    job: Object
    pods: list[Object]
    uncounted: list[Object]
    status: Object
    active: list[Object]
    made: int = 0
    end: tuple[str, str, str] | None = None
    """How it ends: the type, reason and message of a condition."""

    @property
    def spec(self) -> Object:
        """The Job's."""
        spec: Object = self.job["spec"]
        return spec

    @property
    def is_indexed(self) -> bool:
        """Whether each pod is for an index of its own."""
        return bool(self.spec["completionMode"] == "Indexed")

    @property
    def noted(self) -> dict[str, list[str]]:
        """The uids that are noted and not added yet."""
        noted: dict[str, list[str]] = self.status["uncountedTerminatedPods"]
        return noted

    @property
    def new(self) -> list[Object]:
        """Pods that have ended and are not noted yet. getNewFinishedPods"""
        noted = {uid for uids in self.noted.values() for uid in uids}
        return [
            pod
            for pod in self.uncounted
            if (has_succeeded(pod) or self.has_failed(pod)) and pod["metadata"]["uid"] not in noted
        ]

    @property
    def leaving(self) -> list[Object]:
        """Pods that nothing has to be learned of any more: they lose their finalizer. canRemoveFinalizer"""
        if is_deleting(self.job) or self.end is not None:
            return self.uncounted
        kept = {pod["metadata"]["uid"] for pod in self.last_failures.values()}
        return [
            pod
            for pod in self.uncounted
            if has_succeeded(pod) or (self.has_failed(pod) and pod["metadata"]["uid"] not in kept)
        ]

    @property
    def replaces_failed_only(self) -> bool:
        """Whether a pod that is being deleted has to have ended before it counts."""
        return replaces_failed_only(self.spec)

    def has_failed(self, pod: Object) -> bool:
        """Whether the pod counts as one that has failed."""
        return has_failed(pod, only_ended=self.replaces_failed_only)

    def counts_as(self, pod: Object) -> str | None:
        """What a pod that leaves is counted as, None when as nothing."""
        if has_succeeded(pod):
            return None if self.is_indexed else "succeeded"
        fails = self.end is not None and self.end[0] == "FailureTarget"
        counts = (fails or self.has_failed(pod)) and match(self.spec, pod).action != "Ignore"
        return "failed" if counts else None

    @cached_property
    def done(self) -> set[int]:
        """The indexes that have succeeded. calculateSucceededIndexes"""
        ended = _indexes_of(pod for pod in self.pods if has_succeeded(pod) and is_tracked(pod))
        known = indexes(self.status.get("completedIndexes", "")) | ended
        return {index for index in known if index < self.spec["completions"]}

    @cached_property
    def lost(self) -> set[int] | None:
        """The indexes that have failed for good; None where indexes have no limit of their own."""
        limited = self.is_indexed and has_limit_per_index(self.spec)
        return failed_indexes(self.job, self.pods) if limited else None

    @cached_property
    def last_failures(self) -> dict[int, Object]:
        """Of each index with a limit of its own that is to be tried again, the pod that failed last."""
        if self.lost is None:
            return {}
        return last_failures(self.spec, self.uncounted, self.done | self.lost | _indexes_of(self.active))

    @property
    def succeeded(self) -> int:
        """How many pods have succeeded, those included that are not added yet."""
        if self.is_indexed:
            return len(self.done)
        return self._sum("succeeded") + sum(map(has_succeeded, self.new))

    @property
    def failed(self) -> int:
        """How many pods have failed, those included that are not added yet."""
        return self._sum("failed") + sum(self.counts_as(pod) == "failed" for pod in self.new)

    def _sum(self, kind: str) -> int:
        return int(self.status.get(kind, 0)) + len(self.noted.get(kind, ()))


def removed_first(looked: Pass) -> list[Object]:
    """Active pods in the order in which they are given up. activePodsForRemoval"""
    return sorted(
        looked.active,
        key=lambda pod: (
            bool(pod["spec"].get("nodeName")),
            pod["status"].get("phase") == "Running",
            is_ready(pod),
            -seconds(pod["metadata"]["creationTimestamp"]),
        ),
    )


def free_indexes(looked: Pass, count: int) -> list[int]:
    """The lowest indexes that have neither ended nor a pod. firstPendingIndexes"""
    taken = looked.done | (looked.lost or set()) | _indexes_of(looked.active)
    if looked.replaces_failed_only:
        taken |= _indexes_of(filter(is_terminating, looked.pods))
    return [index for index in range(looked.spec["completions"]) if index not in taken][:count]


def _indexes_of(pods: Iterable[Object]) -> set[int]:
    return {index for pod in pods if (index := index_of(pod)) is not None}
