"""Given: workloads that run."""

from __future__ import annotations

from gherkube.runners.errors import UsageError
from gherkube.runners.expectations.subjects import WorkloadRef
from gherkube.runners.expectations.time import Becomes
from gherkube.runners.expectations.workloads import WorkloadStatement
from gherkube.steps import manifests
from gherkube.steps.phrases import Named
from gherkube.steps.sentence import Topic
from gherkube.steps.world import World

TOPIC = Topic("given", "Workloads")

Table = list[list[str]]


@TOPIC.says(
    "{workload} runs {replicas:number} replicas of {image:text}",
    'deployment "web" runs 4 replicas of "hello:1"',
)
def runs(world: World, workload: Named, replicas: int, image: str) -> None:
    _run(world, workload, image, replicas)


@TOPIC.says(
    "{workload} runs {replicas:number} replicas of {image:text} with",
    'deployment "web" runs four replicas of "hello:1" with',
    table=True,
)
def runs_with(world: World, workload: Named, replicas: int, image: str, table: Table) -> None:
    _run(world, workload, image, replicas, table)


@TOPIC.says("{workload} runs {image:text}", 'daemonset "agent" runs "hello:1"')
def runs_everywhere(world: World, workload: Named, image: str) -> None:
    _run(world, workload, image, None)


@TOPIC.says("{workload} runs {image:text} with", 'daemonset "agent" runs "hello:1" with', table=True)
def runs_everywhere_with(world: World, workload: Named, image: str, table: Table) -> None:
    _run(world, workload, image, None, table)


def _run(world: World, named: Named, image: str, replicas: int | None, table: Table | None = None) -> None:
    """Makes the workload and waits until all its replicas are available."""
    if not named.name:
        raise UsageError('“it” does not run yet: name it, as in deployment "web"')
    if named.resource not in manifests.KINDS:
        raise UsageError(
            f"a {named.resource.removesuffix('s')} is made from a manifest: Given the manifest …"
        )
    if named.resource == "daemonsets" and replicas is not None:
        raise UsageError(f'a daemonset runs on all nodes: daemonset "{named.name}" runs "{image}"')
    if named.resource != "daemonsets" and replicas is None:
        raise UsageError(f'say how many replicas, as in "{named.name}" runs 3 replicas of "{image}"')
    ref = world.workload(named)
    world.establish(manifests.workload(named.resource, named.name, image, replicas, table), ref.namespace)
    wait_until_available(world, ref)


def wait_until_available(world: World, ref: WorkloadRef) -> None:
    """Waits for all replicas, up to the patience; ExpectationFailed says why they are not there."""
    if ref.resource == "jobs":  # a job ends, it does not become available
        return
    if ref.resource == "deployments":
        statement = WorkloadStatement.rollout(ref, "completes")
    else:
        statement = WorkloadStatement.all_available(ref)
    world.judge.judge(statement, Becomes())
