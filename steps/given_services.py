"""Given: services, what comes to them, and disruption budgets."""

from __future__ import annotations

from gherkube.runners.errors import UsageError
from gherkube.runners.expectations.count import Count, at_least
from gherkube.runners.expectations.endpoints import EndpointsStatement
from gherkube.runners.expectations.subjects import WorkloadRef
from gherkube.runners.expectations.time import Becomes
from gherkube.runners.objects import Key, Object
from gherkube.steps import manifests
from gherkube.steps.phrases import Named
from gherkube.steps.sentence import Topic
from gherkube.steps.world import World

TOPIC = Topic("given", "Services")


@TOPIC.says(
    "{service} for {workload} on port {port:number} [as a {type}]",
    'service "web" for deployment "web" on port 8080',
)
def service(world: World, service: Named, workload: Named, port: int, type: str = "") -> None:  # noqa: A002
    """The service selects by the workload's matchLabels, and stands in its namespace by default."""
    ref = world.workload(workload)
    selector = _selector(world, ref)
    if selector.get("matchExpressions") or not selector.get("matchLabels"):
        raise UsageError(f"{ref.text} is not selected by labels alone, which is all that a service can do")
    made = manifests.service(service.name, selector["matchLabels"], port, type)
    place = service.namespace or ref.namespace
    world.establish(made, place)
    if _has_ready_pods(world, ref):
        world.judge.judge(EndpointsStatement(Key(place, service.name), count=at_least(1)), Becomes())
    world.settle(Key(place, service.name))


_BUDGET = 'a budget that keeps at least 2 pods of deployment "web" available'


@TOPIC.says("a budget that keeps {count} pods of {workload} available", _BUDGET)
def budget(world: World, count: Count, workload: Named) -> None:
    if count.high is not None or count.whole:
        raise UsageError(f"a budget keeps “at least” so many pods, not “{count.text}”: {_BUDGET}")
    ref = world.workload(workload)
    world.establish(manifests.budget(ref.name, _selector(world, ref), count.low), ref.namespace)


@TOPIC.says(
    "requests to {service} every {interval:duration}", 'requests to service "web" every 100 milliseconds'
)
def requests(world: World, service: Named, interval: float) -> None:
    key = world.key(service)
    world.api.get("services", key.name, key.namespace)
    world.cluster.traffic.flow(key, interval)
    world.asks(key)


def _selector(world: World, ref: WorkloadRef) -> Object:
    selector: Object = world.api.get(ref.resource, ref.name, ref.namespace)["spec"]["selector"]
    return selector


def _has_ready_pods(world: World, ref: WorkloadRef) -> bool:
    status = world.api.get(ref.resource, ref.name, ref.namespace).get("status") or {}
    return bool(status.get("readyReplicas"))
