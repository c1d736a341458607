"""Then: a rollout, its status and its history."""

from __future__ import annotations

from gherkube.runners.errors import UsageError
from gherkube.runners.expectations.count import Count
from gherkube.runners.expectations.statement import Statement
from gherkube.runners.expectations.workloads import WorkloadStatement
from gherkube.steps.phrases import Named, Version
from gherkube.steps.sentence import Topic
from gherkube.steps.world import World

TOPIC = Topic("then", "Rollout")


@TOPIC.says("the rollout [of {workload}] <completes>", "the rollout completes")
def completes(world: World, workload: Named | None = None) -> Statement:
    """As `kubectl rollout status` judges."""
    return WorkloadStatement.rollout(world.workload(workload), "completes")


@TOPIC.says("the rollout [of {workload}] <gets> stuck", "the rollout gets stuck")
def gets_stuck(world: World, workload: Named | None = None) -> Statement:
    """Nothing but retries is left to happen."""
    return WorkloadStatement.rollout(world.workload(workload), "stuck")


@TOPIC.says(
    "the rollout [of {workload}] <exceeds> its progress deadline", "the rollout exceeds its progress deadline"
)
def exceeds_deadline(world: World, workload: Named | None = None) -> Statement:
    return WorkloadStatement.rollout(world.workload(workload), "exceeds_deadline")


@TOPIC.says(
    "the rollout status [of {workload}] <says> {text}",
    'the rollout status says "2 out of 4 new replicas have been updated"',
)
def status_says(world: World, text: str, workload: Named | None = None) -> Statement:
    return WorkloadStatement.rollout(world.workload(workload), "status_says", text)


@TOPIC.says(
    "the rollout history [of {workload}] <shows> revisions {numbers}",
    "the rollout history shows revisions 1, 3 and 4",
)
def history(world: World, numbers: tuple[int, ...], workload: Named | None = None) -> Statement:
    return WorkloadStatement.revisions(world.workload(workload), numbers)


@TOPIC.says(
    "revision {revision:number} of the rollout history [of {workload}] <has> image {image:version}",
    'revision 2 of the rollout history has image "hello:2"',
)
def revision_image(world: World, revision: int, image: Version, workload: Named | None = None) -> Statement:
    return WorkloadStatement.revision_image(world.workload(workload), revision, image.image or image.tag)


@TOPIC.says(
    "there <are> {count:number} replica sets [of {workload}] with {numbers} replicas",
    "there are 3 replica sets with 4, 0 and 0 replicas",
)
def replica_sets_with(
    world: World, count: int, numbers: tuple[int, ...], workload: Named | None = None
) -> Statement:
    if len(numbers) != count:
        raise UsageError(f"{count} replica sets have {count} numbers of replicas, not {len(numbers)}")
    return WorkloadStatement.replica_sets(world.workload(workload), numbers)


@TOPIC.says("there <are> {count} replica sets [of {workload}]", "there are 2 replica sets")
def replica_sets(world: World, count: Count, workload: Named | None = None) -> Statement:
    return WorkloadStatement.so_many_replica_sets(world.workload(workload), count)
