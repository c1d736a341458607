"""Then: requests to services, and what became of them."""

from __future__ import annotations

from gherkube.runners.expectations.count import Count
from gherkube.runners.expectations.requests import RequestsStatement
from gherkube.steps.phrases import Named, Share, Version
from gherkube.steps.sentence import Topic
from gherkube.steps.world import World

TOPIC = Topic("then", "Requests")


@TOPIC.says("every request to {service} <is> answered", 'every request to service "web" is answered')
def all_answered(world: World, service: Named) -> RequestsStatement:
    key = world.key(service)
    return world.of_requests(RequestsStatement.answered(key))


@TOPIC.says(
    "{count} requests to {service} <are> answered", 'at least 19 requests to service "web" are answered'
)
def answered(world: World, count: Count, service: Named) -> RequestsStatement:
    return world.of_requests(RequestsStatement.answered(world.key(service), count))


@TOPIC.says(
    "{count} requests to {service} <go> unanswered", 'at least 1 request to service "web" went unanswered'
)
def unanswered(world: World, count: Count, service: Named) -> RequestsStatement:
    return world.of_requests(RequestsStatement.unanswered(world.key(service), count))


@TOPIC.says(
    "requests to {service} <are> answered by {version} only",
    'requests to service "web" are answered by v2 only',
)
def by_version(world: World, service: Named, version: Version) -> RequestsStatement:
    return world.of_requests(RequestsStatement.by_version(world.key(service), version.image or version.tag))


@TOPIC.says(
    "requests to {service} <are> answered by {count} different pods",
    'requests to service "web" are answered by at least 3 different pods',
)
def by_pods(world: World, service: Named, count: Count) -> RequestsStatement:
    return world.of_requests(RequestsStatement.by_pods(world.key(service), count))


@TOPIC.says(
    "{share} of requests to {service} <are> answered by {version}",
    'between 80% and 98% of requests to service "web" are answered by v1',
)
def by_share(world: World, share: Share, service: Named, version: Version) -> RequestsStatement:
    key = world.key(service)
    return world.of_requests(
        RequestsStatement.share(key, share.low, share.high, version.image or version.tag)
    )


@TOPIC.says(
    "requests to {service} <go> unanswered for at most {gap:duration}",
    'requests to service "web" went unanswered for at most 2 seconds',
)
def gap(world: World, service: Named, gap: float) -> RequestsStatement:
    return world.of_requests(RequestsStatement.gap(world.key(service), gap))


@TOPIC.says(
    "requests to {service} <go> unanswered for more than {gap:duration}",
    'requests to service "web" go unanswered for more than 5 seconds',
)
def longer_gap(world: World, service: Named, gap: float) -> RequestsStatement:
    return world.of_requests(RequestsStatement.longer_gap(world.key(service), gap))


@TOPIC.says("every answer <contains> {text}", 'every answer contains "v=2"')
def answers_contain(world: World, text: str) -> RequestsStatement:
    """The answers to the requests of the last “I send”, else of the service that requests flow to."""
    return world.of_requests(RequestsStatement.answer_contains(world.asked_service(), text))
