"""Then: requests to services, and what became of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from gherkube.runners.expectations.count import Count, Share, every
from gherkube.runners.expectations.requests import Amount, RequestsStatement
from gherkube.runners.objects import Key
from gherkube.steps.phrases import Named, Version
from gherkube.steps.sentence import Topic
from gherkube.steps.world import World

TOPIC = Topic("then", "Requests")

Make: TypeAlias = Callable[..., RequestsStatement]


_REQUESTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("every request to {service}", {"<are>": "<is>", "<go>": "<goes>"}),
    ("{count} requests to {service}", {}),
    ("{share} of requests to {service}", {}),
)
"""How many requests something is said of, and how the verb is shown then."""


def _says(predicate: str, *examples: str) -> Callable[[Make], Make]:
    """Makes a sentence of each way to say how many, each with its example."""

    def add(make: Make) -> Make:
        def say(
            world: World,
            service: Named,
            count: Count | None = None,
            share: Share | None = None,
            **fields: Version,
        ) -> RequestsStatement:
            return world.of_requests(make(world.key(service), count or share or every(), **fields))

        verb, _, rest = predicate.partition(" ")
        for (requests, verbs), example in zip(_REQUESTS, examples, strict=True):
            TOPIC.says(f"{requests} {verbs.get(verb, verb)} {rest}", example)(say)
        return make

    return add


@_says(
    "<are> answered",
    'every request to service "web" is answered',
    'at least 19 requests to service "web" are answered',
    'at least 99% of requests to service "web" are answered',
)
def answered(service: Key, amount: Amount) -> RequestsStatement:
    return RequestsStatement.answered(service, amount)


@_says(
    "<go> unanswered",
    'every request to service "web" goes unanswered',
    'at least 1 request to service "web" went unanswered',
    'at most 1% of requests to service "web" went unanswered',
)
def unanswered(service: Key, amount: Amount) -> RequestsStatement:
    return RequestsStatement.unanswered(service, amount)


@_says(
    "<are> answered by {version}",
    'every request to service "web" is answered by v2',
    'at least 1 request to service "web" is answered by v2',
    'between 80% and 98% of requests to service "web" are answered by v1',
)
def by_version(service: Key, amount: Amount, version: Version) -> RequestsStatement:
    return RequestsStatement.so_many_by_version(service, amount, version.image or version.tag)


@TOPIC.says(
    "requests to {service} <are> answered by {version} only",
    'requests to service "web" are answered by v2 only',
)
def by_version_only(world: World, service: Named, version: Version) -> RequestsStatement:
    return world.of_requests(RequestsStatement.by_version(world.key(service), version.image or version.tag))


@TOPIC.says(
    "requests to {service} <are> answered by {count} different pods",
    'requests to service "web" are answered by at least 3 different pods',
)
def by_pods(world: World, service: Named, count: Count) -> RequestsStatement:
    return world.of_requests(RequestsStatement.by_pods(world.key(service), count))


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
