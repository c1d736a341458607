"""When: kubectl rollout's verbs."""

from __future__ import annotations

from gherkube.runners import kubectl
from gherkube.steps.phrases import Named
from gherkube.steps.sentence import Topic
from gherkube.steps.world import World

TOPIC = Topic("when", "Rollout")


@TOPIC.says(
    "I undo the rollout [of {workload}] to revision {revision:number}", "I undo the rollout to revision 1"
)
@TOPIC.says("I undo the rollout [of {workload}]", "I undo the rollout")
def undo(world: World, workload: Named | None = None, revision: int = 0) -> None:
    ref = world.workload(workload)
    kubectl.undo(world.api, ref.resource, ref.name, ref.namespace, to_revision=revision)


@TOPIC.says("I pause the rollout [of {workload}]", "I pause the rollout")
def pause(world: World, workload: Named | None = None) -> None:
    ref = world.workload(workload)
    kubectl.pause(world.api, ref.resource, ref.name, ref.namespace)


@TOPIC.says("I resume the rollout [of {workload}]", "I resume the rollout")
def resume(world: World, workload: Named | None = None) -> None:
    ref = world.workload(workload)
    kubectl.resume(world.api, ref.resource, ref.name, ref.namespace)


@TOPIC.says("I restart the rollout [of {workload}]", "I restart the rollout")
def restart(world: World, workload: Named | None = None) -> None:
    ref = world.workload(workload)
    kubectl.restart(world.api, ref.resource, ref.name, ref.namespace, at=world.cluster.clock.timestamp())
