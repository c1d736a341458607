"""Then: pods. Every sentence is one of `SUBJECTS` with one of their predicates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from gherkube.runners.expectations.count import Count, at_least, every, exactly, none
from gherkube.runners.expectations.kept import Kept, KeptPods
from gherkube.runners.expectations.nodes import PodsOnNodes
from gherkube.runners.expectations.past import Happening, OneAtATime, PodsHappened
from gherkube.runners.expectations.pods import PodsStatement
from gherkube.runners.expectations.statement import Statement
from gherkube.steps import manifests
from gherkube.steps.phrases import Pods
from gherkube.steps.sentence import Topic
from gherkube.steps.world import World

TOPIC = Topic("then", "Pods")

Fields = dict[str, Any]


class State(NamedTuple):
    """What a pod is at a moment: in words, an example, the name of the predicate, and the field it needs."""

    words: str
    example: str
    name: str
    field: str = ""


STATES = (
    State("<are> active", "are active", "active"),
    State("<are> running", "are running", "running"),
    State("<are> ready", "are ready", "ready"),
    State("<are> available", "are available", "available"),
    State("<are> pending", "are pending", "pending"),
    State("<are> terminating", "are terminating", "terminating"),
    State("<exist>", "exist", "exist"),
    State("<show> {status}", "show ImagePullBackOff", "show", "status"),
    State("<have> restarted", "have restarted", "restarted"),
    State("<have> restarted {times}", "have restarted 3 times", "restarted", "times"),
    State("<run> on node {on:text}", 'run on node "node-1"', "on_node", "on"),
    State("<match>", "match", "match", "docstring"),
)

HAPPENINGS: tuple[Happening, ...] = ("created", "deleted", "replaced", "restarted")


class Subject(NamedTuple):
    """Of whom it is said: in words, an example, and how the words become a statement of a state."""

    words: str
    example: str
    state: Callable[[World, Fields, str, Any], Statement]


def _counted(world: World, fields: Fields, state: str, argument: Any) -> Statement:
    return PodsStatement(world.pods(fields["pods"]), fields["count"], state, argument)


def _all(world: World, fields: Fields, state: str, argument: Any) -> Statement:
    return PodsStatement(world.pods(fields["pods"]), every(), state, argument)


def _ready_all_along(world: World, fields: Fields, state: str, argument: Any) -> Statement:
    return _kept(world, fields, "ready all along", state, argument)


def _there_at(world: World, fields: Fields, state: str, argument: Any) -> Statement:
    return _kept(world, fields, world.moment(fields["moment"]), state, argument)


def _kept(world: World, fields: Fields, kept: Kept, state: str, argument: Any) -> Statement:
    count = exactly(fields["count"]) if "count" in fields else None
    return KeptPods(world.pods(fields["pods"]), kept, count, state, argument)


COUNTED = Subject("{count} {pods}", "4 pods", _counted)
ALL = Subject("{pods}", "v2 pods", _all)
READY_ALL_ALONG = Subject(
    "the [{count:number}] {pods} that were ready all along",
    "the 3 pods that were ready all along",
    _ready_all_along,
)
THERE_AT = Subject(
    "the [{count:number}] {pods} that were there at the moment {moment:text}",
    'the v1 pods that were there at the moment "before the release"',
    _there_at,
)


def _says_state(subject: Subject, state: State) -> None:
    docstring = state.field == "docstring"

    @TOPIC.says(f"{subject.words} {state.words}", f"{subject.example} {state.example}", docstring=docstring)
    def judge(world: World, **fields: Any) -> Statement:
        argument: Any = fields.get(state.field)
        if docstring:
            argument = manifests.partial(argument, "the part to match")
        elif state.name == "on_node":
            argument = world.node(argument)
        return subject.state(world, fields, state.name, argument)


def _says_happening(what: Happening) -> None:
    @TOPIC.says(f"{{count}} {{pods}} were {what}", f"no v1 pods were {what}")
    def counted(world: World, count: Count, pods: Pods) -> Statement:
        return PodsHappened(world.pods(pods), count, what)

    @TOPIC.says(f"{{pods}} were {what}", f"v1 pods were {what}")
    def any_of_them(world: World, pods: Pods) -> Statement:
        return PodsHappened(world.pods(pods), at_least(1), what)

    @TOPIC.says(f"{{pods}} were never {what}", f"v1 pods were never {what}")
    def none_of_them(world: World, pods: Pods) -> Statement:
        return PodsHappened(world.pods(pods), none(), what)


def _still(state: State) -> State:
    """The state with “still” in its place: `are still ready`, `still exist`."""
    verb, _, rest = state.words.partition(" ")
    return state._replace(words=f"<are> [still] {rest}" if verb == "<are>" else f"[still] {state.words}")


for _state in STATES:
    _says_state(COUNTED, _state)
    _says_state(ALL, _state)
for _what in HAPPENINGS:
    _says_happening(_what)
for _subject, _fates in (
    (READY_ALL_ALONG, ("never restarted",)),
    (THERE_AT, ("never restarted", "restarted", "deleted", "replaced")),
):
    for _state in STATES:
        _says_state(_subject, _still(_state))
    for _fate in _fates:
        _says_state(_subject, State(f"were {_fate}", f"were {_fate}", _fate))


@TOPIC.says("{pods} were replaced one at a time", "pods were replaced one at a time")
def one_at_a_time(world: World, pods: Pods) -> Statement:
    return OneAtATime(world.pods(pods))


@TOPIC.says("{pods} <run> on {count} nodes", "pods run on at least 2 nodes")
def on_nodes(world: World, pods: Pods, count: Count) -> Statement:
    return PodsOnNodes(world.pods(pods), count)
