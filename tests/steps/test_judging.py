"""What the Then sentences state."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.errors import UsageError
from gherkube.runners.expectations.count import Share, at_least, at_most, every, exactly, none
from gherkube.runners.expectations.endpoints import EndpointsStatement
from gherkube.runners.expectations.events import EventStatement
from gherkube.runners.expectations.kept import KeptPods
from gherkube.runners.expectations.nodes import PodsOnNodes
from gherkube.runners.expectations.past import OneAtATime, PodsHappened
from gherkube.runners.expectations.pods import PodsStatement
from gherkube.runners.expectations.requests import RequestsStatement
from gherkube.runners.expectations.subjects import PodSelector, WorkloadRef
from gherkube.runners.expectations.time import Becomes, Past, Stays, Throughout
from gherkube.runners.expectations.workloads import WorkloadStatement
from gherkube.runners.objects import Key
from gherkube.steps.catalogue import CATALOGUE
from gherkube.steps.phrases import Named
from gherkube.steps.world import World

WEB = WorkloadRef("deployments", "default", "web")
PODS = PodSelector(WEB, "default")
V2 = PodSelector(WEB, "default", version="v2")
SERVICE = Key("default", "web")


@pytest.fixture
def web_is_it(world: World) -> None:
    """The deployment "web" was named, and a moment "x" noted."""
    world.workload(Named("deployments", "web"))
    world.note("x")


def stated(world: World, text: str, docstring: str | None = None) -> Any:
    """The statement that the sentence makes."""
    [match] = CATALOGUE.find("then", text)
    return match._act(world, None, docstring)


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("4 pods are ready", PodsStatement(PODS, exactly(4), "ready")),
        ("all 4 pods were available", PodsStatement(PODS, every(4), "available")),
        ("v2 pods are running", PodsStatement(V2, every(), "running")),
        ("no v2 pods exist", PodsStatement(V2, none(), "exist")),
        ("2 pods show ImagePullBackOff", PodsStatement(PODS, exactly(2), "show", "ImagePullBackOff")),
        ("a pod has restarted", PodsStatement(PODS, exactly(1), "restarted")),
        ("1 pod has restarted at least 3 times", PodsStatement(PODS, exactly(1), "restarted", at_least(3))),
        ('no pods run on node "node-2"', PodsStatement(PODS, none(), "on_node", "node-2")),
        (
            "at most 1 new pod is pending",
            PodsStatement(PodSelector(WEB, "default", revision="new"), at_most(1), "pending"),
        ),
        (
            'pod "db-0" is terminating',
            PodsStatement(PodSelector(None, "default", name="db-0"), every(), "terminating"),
        ),
        ("no pods were replaced", PodsHappened(PODS, none(), "replaced")),
        ("pods were deleted", PodsHappened(PODS, at_least(1), "deleted")),
        ("v2 pods were never restarted", PodsHappened(V2, none(), "restarted")),
        ("pods were replaced one at a time", OneAtATime(PODS)),
        ("pods run on at least 2 nodes", PodsOnNodes(PODS, at_least(2))),
        (
            "the 3 pods that were ready all along were never restarted",
            KeptPods(PODS, "ready all along", exactly(3), "never restarted"),
        ),
        ("the v2 pods that were ready all along are ready", KeptPods(V2, "ready all along", None, "ready")),
        ("the rollout completes", WorkloadStatement.rollout(WEB, "completes")),
        ('the rollout of deployment "web" got stuck', WorkloadStatement.rollout(WEB, "stuck")),
        ("the rollout exceeds its progress deadline", WorkloadStatement.rollout(WEB, "exceeds_deadline")),
        ('the rollout status says "2 out"', WorkloadStatement.rollout(WEB, "status_says", "2 out")),
        ("the rollout history shows revisions 1 and 3", WorkloadStatement.revisions(WEB, (1, 3))),
        (
            "revision 2 of the rollout history has image v2",
            WorkloadStatement.revision_image(WEB, 2, "v2"),
        ),
        (
            "there are 2 replica sets with 4 and 0 replicas",
            WorkloadStatement.replica_sets(WEB, (4, 0)),
        ),
        (
            'deployment "web" has 3 ready, 2 up-to-date and 3 available replicas',
            WorkloadStatement.replicas(WEB, ready=exactly(3), up_to_date=exactly(2), available=exactly(3)),
        ),
        ("it has 4 replicas", WorkloadStatement.replicas(WEB, total=exactly(4))),
        (
            'it has condition "Progressing" that is "False" with reason "X"',
            WorkloadStatement.condition(WEB, "Progressing", "False", "X"),
        ),
        ('its "spec.replicas" is 3', WorkloadStatement.field(WEB, "spec.replicas", 3)),
        ('its "spec.replicas" is not "3"', WorkloadStatement.field(WEB, "spec.replicas", "3", negated=True)),
        (
            'the "spec.type" of service "web" is "NodePort"',
            WorkloadStatement.field(WorkloadRef("services", "default", "web"), "spec.type", "NodePort"),
        ),
        (
            'an event "Failed" about a v2 pod says "x" at least 4 times',
            EventStatement("Failed", V2, "x", at_least(4)),
        ),
        ('an event "Failed" about a pod says "x"', EventStatement("Failed", PODS, "x")),
        ('no event "Failed" about it says "x"', EventStatement("Failed", WEB, "x", none())),
        (
            'an event "FailedCreate" about a replica set says "quota"',
            EventStatement("FailedCreate", WorkloadRef("replicasets", "default", ""), "quota"),
        ),
        (
            'no event "NodeNotReady" about a node says "x"',
            EventStatement("NodeNotReady", WorkloadRef("nodes", "", ""), "x", none()),
        ),
        ("there is 1 replica set", WorkloadStatement.so_many_replica_sets(WEB, exactly(1))),
        ('service "web" has 4 endpoints', EndpointsStatement(SERVICE, count=exactly(4))),
        (
            'service "web" has endpoints only on v2 pods',
            EndpointsStatement(SERVICE, only=PodSelector(None, "default", version="v2")),
        ),
        ('service "web" has endpoints only on pods of it', EndpointsStatement(SERVICE, only=PODS)),
        (
            'service "web" has endpoints only on new pods',
            EndpointsStatement(SERVICE, only=PodSelector(WEB, "default", revision="new")),
        ),
        ('every request to service "web" is answered', RequestsStatement.answered(SERVICE)),
        (
            'at least 1 request to service "web" went unanswered',
            RequestsStatement.unanswered(SERVICE, at_least(1)),
        ),
        ('requests to service "web" are answered by v2 only', RequestsStatement.by_version(SERVICE, "v2")),
        (
            'requests to service "web" are answered by at least 3 different pods',
            RequestsStatement.by_pods(SERVICE, at_least(3)),
        ),
        (
            'between 80% and 98% of requests to service "web" are answered by "hello:1"',
            RequestsStatement.so_many_by_version(SERVICE, Share(80, 98), "hello:1"),
        ),
        (
            'at least one request to service "web" was answered by v2',
            RequestsStatement.so_many_by_version(SERVICE, at_least(1), "v2"),
        ),
        (
            'every request to service "web" is answered by v2',
            RequestsStatement.so_many_by_version(SERVICE, every(), "v2"),
        ),
        (
            'at least 99.9% of requests to service "web" were answered',
            RequestsStatement.answered(SERVICE, Share(99.9, 100)),
        ),
        (
            'fewer than 1% of requests to service "web" went unanswered',
            RequestsStatement.unanswered(SERVICE, Share(-1, 1, open=True)),
        ),
        (
            'requests to service "web" went unanswered for at most 2 seconds',
            RequestsStatement.gap(SERVICE, 2),
        ),
        (
            'requests to service "web" go unanswered for more than 5 seconds',
            RequestsStatement.longer_gap(SERVICE, 5),
        ),
    ],
)
@pytest.mark.usefixtures("web_is_it")
def test_statements(world: World, text: str, statement: Any) -> None:
    """Each sentence is one statement, of the subject that its words mean here."""
    assert stated(world, text) == statement


@pytest.mark.usefixtures("web_is_it")
def test_statements_about_kept_pods_and_parts(world: World) -> None:
    """A moment is that which was noted; a docstring is the part to match."""
    kept = stated(world, 'the 2 pods that were there at the moment "x" still exist')
    assert kept == KeptPods(PODS, world.moment("x"), exactly(2), "exist")
    gone = stated(world, 'the v2 pods that were there at the moment "x" were replaced')
    assert gone == KeptPods(V2, world.moment("x"), None, "replaced")
    ready = KeptPods(PODS, "ready all along", None, "ready")
    for text in (
        "the pods that were ready all along are ready",
        "the pods that were ready all along are still ready",
    ):
        assert stated(world, text) == ready
    part = {"spec": {"nodeName": "node-1"}}
    assert stated(world, "v2 pods match", "spec: {nodeName: node-1}") == PodsStatement(
        V2, every(), "match", part
    )
    status = {"status": {"updatedReplicas": 2}}
    assert stated(world, "it matches", "status: {updatedReplicas: 2}") == WorkloadStatement.matches(
        WEB, status
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("there are 3 replica sets with 4 and 0 replicas", "3 numbers"),
        ('the rollout status says ""', "nothing between the quotes"),
        ('every answer contains ""', "nothing between the quotes"),
        ('the 2 pods that were there at the moment "y" still exist', "no moment “y”"),
    ],
)
@pytest.mark.usefixtures("web_is_it")
def test_sentences_that_say_nothing_are_errors(world: World, text: str, message: str) -> None:
    """They would hold always or never."""
    with pytest.raises(UsageError, match=message):
        stated(world, text)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("4 pods are ready", Becomes()),
        ("within 2 minutes, 4 pods are ready", Becomes(120)),
        ("for a minute, no pods are pending", Stays(60)),
        ("throughout, at least 3 pods were ready", Throughout()),
        ("no pods were created", Past()),
    ],
)
@pytest.mark.usefixtures("web_is_it")
def test_what_is_judged(world: World, monkeypatch: pytest.MonkeyPatch, text: str, time: Any) -> None:
    """The statement goes to the judge with its time, and with what was so meanwhile."""
    seen: list[Any] = []
    monkeypatch.setattr(world.judge, "judge", lambda *args, **kwargs: seen.append((args, kwargs)))
    [match] = CATALOGUE.find("then", text)
    match.run(world)
    [(args, kwargs)] = seen
    assert args == (stated(world, text), time)
    assert kwargs["while_"] is None


@pytest.mark.usefixtures("web_is_it")
def test_while_is_judged_at_the_same_moment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both statements go to the judge together."""
    seen: list[Any] = []
    monkeypatch.setattr(world.judge, "judge", lambda *args, **kwargs: seen.append((args, kwargs)))
    [match] = CATALOGUE.find("then", "at some time, 4 pods were terminating while 4 v2 pods were running")
    match.run(world)
    [(args, kwargs)] = seen
    assert args[0] == PodsStatement(PODS, exactly(4), "terminating")
    assert kwargs["while_"] == PodsStatement(V2, exactly(4), "running")


def test_requests_are_those_of_the_last_sending(world: World) -> None:
    """Of its service; where none were sent, the judge takes those that flow."""
    other = Key("default", "other")
    world.asks(SERVICE, [])
    world.asks(other)
    assert stated(world, 'every request to service "web" is answered').requests == []
    assert stated(world, 'every request to service "other" is answered').requests is None
    assert stated(world, 'every answer contains "v=2"').service == other


@pytest.mark.parametrize(
    ("text", "table", "docstring", "message"),
    [
        ("4 pods are ready", [["a"]], None, "takes no table"),
        ("4 pods are ready", None, "a", "takes no docstring"),
        ("v2 pods match", None, None, "needs a docstring"),
        ("v2 pods match while it matches", None, "a: 1", "takes one docstring"),
    ],
)
def test_what_stands_under_a_sentence_must_fit(
    world: World, text: str, table: Any, docstring: Any, message: str
) -> None:
    """Nothing is overlooked in silence."""
    [match] = CATALOGUE.find("then", text)
    with pytest.raises(UsageError, match=message):
        match.run(world, table, docstring)
