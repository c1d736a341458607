"""One look at a Job: its pods, those that are not counted yet, and what they come to.

pkg/controller/job/job_controller.go syncJobCtx
"""

from __future__ import annotations

from dataclasses import dataclass

from gherkube.runners.objects import Object, is_ready
from gherkube.runners.simulator.controllers.job_pods import (
    has_failed,
    has_succeeded,
    index_of,
    indexes,
    seconds,
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
        return [pod for pod in self.uncounted if has_ended(pod) and pod["metadata"]["uid"] not in noted]

    @property
    def done(self) -> set[int]:
        """The indexes that have succeeded. calculateSucceededIndexes"""
        ended = {index for pod in self.pods if has_succeeded(pod) and (index := index_of(pod)) is not None}
        known = indexes(self.status.get("completedIndexes", "")) | ended
        return {index for index in known if index < self.spec["completions"]}

    @property
    def succeeded(self) -> int:
        """How many pods have succeeded, those included that are not added yet."""
        if self.is_indexed:
            return len(self.done)
        return self._sum("succeeded") + sum(map(has_succeeded, self.new))

    @property
    def failed(self) -> int:
        """How many pods have failed, those included that are not added yet."""
        return self._sum("failed") + sum(map(has_failed, self.new))

    def _sum(self, kind: str) -> int:
        return int(self.status.get(kind, 0)) + len(self.noted.get(kind, ()))


def has_ended(pod: Object) -> bool:
    """Whether the pod has succeeded or counts as failed."""
    return has_succeeded(pod) or has_failed(pod)


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
    """The lowest indexes that have neither succeeded nor a pod. firstPendingIndexes"""
    taken = looked.done | {index for pod in looked.active if (index := index_of(pod)) is not None}
    return [index for index in range(looked.spec["completions"]) if index not in taken][:count]
