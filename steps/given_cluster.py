"""Given: the cluster itself, its namespaces, and quotas."""

from __future__ import annotations

from gherkube.runners.errors import CannotJudge, UsageError
from gherkube.steps import manifests
from gherkube.steps.sentence import Topic
from gherkube.steps.world import World

TOPIC = Topic("given", "Cluster")


@TOPIC.says("a cluster with {count:number} nodes", "a cluster with 3 nodes")
@TOPIC.says(
    "a cluster with {count:number} nodes of {cpus} and {memory}", "a cluster with 2 nodes of 4 CPUs and 8Gi"
)
def nodes(world: World, count: int, cpus: str = "", memory: str = "") -> None:
    """N counts the nodes that take pods; a size is that of each of them."""
    if not count:
        raise UsageError("a cluster has at least 1 node")
    if not world.cluster.owns_namespaces:
        _check_nodes(world, count)
        if cpus:  # on kind it was made so
            world.cluster.set_nodes(count, cpu=cpus, memory=memory)
        return
    if world.established:
        raise UsageError("the nodes come first: put “Given a cluster with …” before all that stands on them")
    world.cluster.set_nodes(count, cpu=cpus, memory=memory)


def _check_nodes(world: World, count: int) -> None:
    found = list(world.cluster.node_names())
    if len(found) != count:
        raise CannotJudge(
            f"{world.cluster.name} has {len(found)} nodes that take pods, not {count}: {', '.join(found)}"
        )


@TOPIC.says("namespace {name:text}", 'namespace "production"')
def namespace(world: World, name: str) -> None:
    world.ensure_namespace(name)


@TOPIC.says("a quota of {count:number} pods", "a quota of 10 pods")
def quota(world: World, count: int) -> None:
    world.establish(manifests.quota(count))
