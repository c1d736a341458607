"""Then: events."""

from __future__ import annotations

from gherkube.runners.expectations.count import Count, at_least, none
from gherkube.runners.expectations.events import EventStatement
from gherkube.runners.expectations.statement import Statement
from gherkube.steps.phrases import Named, Pods
from gherkube.steps.sentence import Topic
from gherkube.steps.world import World

TOPIC = Topic("then", "Events")

_ONCE = at_least(1)


@TOPIC.says(
    "an event {reason:text} about a {pods} <says> {text}",
    'an event "Failed" about a pod says "ImagePullBackOff"',
)
@TOPIC.says(
    "an event {reason:text} about a {pods} <says> {text} {times}",
    'an event "Failed" about a pod says "ErrImagePull" at least 4 times',
)
def about_pods(world: World, reason: str, pods: Pods, text: str, times: Count = _ONCE) -> Statement:
    return EventStatement(reason, world.pods(pods), text, times)


@TOPIC.says(
    "an event {reason:text} about {object} <says> {text}",
    'an event "ScalingReplicaSet" about deployment "web" says "Scaled up"',
)
@TOPIC.says(
    "an event {reason:text} about {object} <says> {text} {times}",
    'an event "ScalingReplicaSet" about deployment "web" says "Scaled up" at least 2 times',
)
def about_object(world: World, reason: str, object: Named, text: str, times: Count = _ONCE) -> Statement:  # noqa: A002
    return EventStatement(reason, world.thing(object), text, times)


@TOPIC.says(
    "an event {reason:text} about a {kind} <says> {text}",
    'an event "FailedCreate" about a replica set says "exceeded quota"',
)
@TOPIC.says(
    "an event {reason:text} about a {kind} <says> {text} {times}",
    'an event "FailedCreate" about a replica set says "exceeded quota" at least 2 times',
)
def about_kind(world: World, reason: str, kind: Named, text: str, times: Count = _ONCE) -> Statement:
    return EventStatement(reason, world.any_of(kind), text, times)


@TOPIC.says(
    "no event {reason:text} about a {pods} <says> {text}",
    'no event "Unhealthy" about a pod says "probe failed"',
)
def none_about_pods(world: World, reason: str, pods: Pods, text: str) -> Statement:
    return EventStatement(reason, world.pods(pods), text, none())


@TOPIC.says(
    "no event {reason:text} about {object} <says> {text}",
    'no event "DeploymentRollback" about deployment "web" says "web"',
)
def none_about_object(world: World, reason: str, object: Named, text: str) -> Statement:  # noqa: A002
    return EventStatement(reason, world.thing(object), text, none())


@TOPIC.says(
    "no event {reason:text} about a {kind} <says> {text}",
    'no event "FailedCreate" about a replica set says "exceeded quota"',
)
def none_about_kind(world: World, reason: str, kind: Named, text: str) -> Statement:
    return EventStatement(reason, world.any_of(kind), text, none())
