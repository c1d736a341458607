"""Then: a workload, or any object by name: its replicas, conditions and fields."""

from __future__ import annotations

from typing import Any

from gherkube.runners.expectations.count import Count
from gherkube.runners.expectations.statement import Statement
from gherkube.runners.expectations.workloads import WorkloadStatement
from gherkube.steps import manifests
from gherkube.steps.phrases import IT, Named
from gherkube.steps.sentence import Topic
from gherkube.steps.world import World

TOPIC = Topic("then", "Workloads and objects")


@TOPIC.says(
    "{workload} <has> {tallies} replicas",
    'deployment "web" has 3 ready, 2 up-to-date and 3 available replicas',
)
def replicas(world: World, workload: Named, tallies: tuple[tuple[str, Count], ...]) -> Statement:
    counts = {word.replace("-", "_"): count for word, count in tallies}
    return WorkloadStatement.replicas(world.workload(workload), **counts)


@TOPIC.says("{workload} <has> {count} replicas", 'deployment "web" has 4 replicas')
def all_replicas(world: World, workload: Named, count: Count) -> Statement:
    return WorkloadStatement.replicas(world.workload(workload), total=count)


@TOPIC.says(
    "{workload} <has> condition {type:text} that <is> {status:text} [with reason {reason:text}]",
    'deployment "web" has condition "Progressing" that is "False" with reason "ProgressDeadlineExceeded"',
)
def condition(world: World, workload: Named, type: str, status: str, reason: str = "") -> Statement:  # noqa: A002
    return WorkloadStatement.condition(world.workload(workload), type, status, reason)


@TOPIC.says("{object:thing} <matches>", 'deployment "web" matches', docstring=True)
def matches(world: World, object: Named, docstring: str) -> Statement:  # noqa: A002
    return WorkloadStatement.matches(world.thing(object), manifests.partial(docstring, "the part to match"))


@TOPIC.says("its {path:text} <is> {value}", 'its "spec.replicas" is 3')
@TOPIC.says("the {path:text} of {object} <is> {value}", 'the "spec.replicas" of deployment "web" is 3')
def field(world: World, path: str, value: Any, object: Named = IT) -> Statement:  # noqa: A002
    return WorkloadStatement.field(world.thing(object), path, value)


@TOPIC.says("its {path:text} <is> not {value}", 'its "spec.replicas" is not 3')
@TOPIC.says(
    "the {path:text} of {object} <is> not {value}", 'the "spec.replicas" of deployment "web" is not 3'
)
def not_field(world: World, path: str, value: Any, object: Named = IT) -> Statement:  # noqa: A002
    return WorkloadStatement.field(world.thing(object), path, value, negated=True)
