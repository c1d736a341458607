"""When: time passes, requests are sent, commands are run."""

from __future__ import annotations

from gherkube.runners.errors import UsageError
from gherkube.steps.phrases import Named
from gherkube.steps.sentence import Topic
from gherkube.steps.world import World

TOPIC = Topic("when", "Time, requests and commands")


@TOPIC.says("{time:duration} pass", "30 seconds pass")
def passes(world: World, time: float) -> None:
    world.cluster.clock.sleep(time)
    world.let_pass()


@TOPIC.says("I note the moment {name:text}", 'I note the moment "before the release"')
def note(world: World, name: str) -> None:
    world.note(name)


@TOPIC.says("I send {count:number} requests to {service}", 'I send 20 requests to service "web"')
def send(world: World, count: int, service: Named) -> None:
    _send(world, count, service, "service")


@TOPIC.says(
    "I send {count:number} requests to the node port of {service}",
    'I send 20 requests to the node port of service "web"',
)
def send_to_node_port(world: World, count: int, service: Named) -> None:
    _send(world, count, service, "node port")


def _send(world: World, count: int, service: Named, through: str) -> None:
    """Sends when the nodes know the present endpoints: the race before that is for requests that flow."""
    if not count:
        raise UsageError("send at least 1 request")
    key = world.key(service)
    world.api.get("services", key.name, key.namespace)
    world.settle(key)
    world.asks(key, world.cluster.traffic.send(key, count, through=through))
    world.let_pass()


@TOPIC.says("I run {command}", "I run `kubectl rollout status deployment/web --timeout=20s`")
def run(world: World, command: str) -> None:
    world.run(command)
    world.let_pass()
