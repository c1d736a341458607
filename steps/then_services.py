"""Then: the endpoints of services."""

from __future__ import annotations

from gherkube.runners.expectations.count import Count
from gherkube.runners.expectations.endpoints import EndpointsStatement
from gherkube.runners.expectations.statement import Statement
from gherkube.steps.phrases import Named, Pods
from gherkube.steps.sentence import Topic
from gherkube.steps.world import World

TOPIC = Topic("then", "Endpoints")


@TOPIC.says("{service} <has> {count} endpoints", 'service "web" has 4 endpoints')
def endpoints(world: World, service: Named, count: Count) -> Statement:
    """The ready ones."""
    return EndpointsStatement(world.key(service), count=count)


@TOPIC.says("{service} <has> endpoints only on {pods}", 'service "web" has endpoints only on v2 pods')
def endpoints_only_on(world: World, service: Named, pods: Pods) -> Statement:
    key = world.key(service)
    return EndpointsStatement(key, only=world.pods(pods, behind=key.namespace))
