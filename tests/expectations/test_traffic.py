"""Requests, endpoints, events and nodes."""

from __future__ import annotations

import pytest

from gherkube.runners.errors import UsageError
from gherkube.runners.expectations.count import Count, Share, at_least, at_most, every, exactly, none
from gherkube.runners.expectations.endpoints import EndpointsStatement
from gherkube.runners.expectations.events import EventStatement
from gherkube.runners.expectations.failure import ExpectationFailed
from gherkube.runners.expectations.nodes import PodsOnNodes
from gherkube.runners.expectations.requests import RequestsStatement
from gherkube.runners.expectations.statement import Statement
from gherkube.runners.expectations.subjects import PodSelector, WorkloadRef
from gherkube.runners.expectations.time import AtSomeTime, Becomes, Past, Stays, Throughout, Time
from gherkube.runners.objects import Key
from gherkube.runners.traffic import longest_gap
from tests.expectations.fakes import (
    SERVICE,
    WEB,
    Script,
    complete,
    endpoints,
    event,
    node,
    pod,
    pods,
    replica_set,
    service,
    three_pods,
)

ANSWERED = RequestsStatement.answered(SERVICE)


def traffic(*codes: int, every_seconds: float = 0.5, image: str = "hello:1") -> Script:
    """Requests from 1 s on, with these outcomes; one of ten is answered by another pod and version."""
    script = three_pods().put(0, "services", service())
    for index, code in enumerate(codes):
        other = index % 10 == 9
        script.ask(
            1 + index * every_seconds,
            code=code,
            pod="web-2-d" if other else f"web-1-{'abc'[index % 3]}",
            image="hello:2" if other else image,
            body="v=2" if other else "v=1",
        )
    return script


def says(script: Script, statement: Statement, time: Time) -> bool:
    judge = script.judge(when=1, patience=60)
    script.sleep(50 - script.now() if isinstance(time, Throughout | Past | AtSomeTime) else 0)
    try:
        judge.judge(statement, time)
    except ExpectationFailed:
        return False
    return True


@pytest.mark.parametrize(
    ("statement", "so", "otherwise"),
    [
        (ANSWERED, [200] * 20, [200] * 19 + [503]),
        (ANSWERED, [200, 404], [200, 0]),
        (RequestsStatement.answered(SERVICE, at_least(2)), [200, 200, 0], [200, 0, 0]),
        (RequestsStatement.unanswered(SERVICE, at_least(1)), [200, 0], [200, 200]),
        (RequestsStatement.unanswered(SERVICE, none()), [200, 200], [200, 500]),
        (RequestsStatement.by_version(SERVICE, "1"), [200] * 9, [200] * 10),
        (RequestsStatement.by_version(SERVICE, "hello:1"), [200] * 9, [200] * 8 + [0]),
        (RequestsStatement.by_pods(SERVICE, at_least(3)), [200] * 3, [200, 200, 0]),
        (RequestsStatement.by_pods(SERVICE, exactly(4)), [200] * 10, [200] * 9),
        (RequestsStatement.answered(SERVICE, Share(99, 100)), [200] * 99 + [0], [200] * 98 + [0] * 2),
        (RequestsStatement.answered(SERVICE, Share(50, 101, open=True)), [200, 200, 0], [200, 0]),
        (RequestsStatement.unanswered(SERVICE, Share(0, 50)), [200, 0], [200, 0, 0]),
        (RequestsStatement.unanswered(SERVICE, Share(-1, 50, open=True)), [200, 200, 0], [200, 0]),
        (RequestsStatement.so_many_by_version(SERVICE, Share(80, 98), "1"), [200] * 20, [200] * 9),
        (
            RequestsStatement.so_many_by_version(SERVICE, Share(80, 98), "1"),
            [200] * 20,
            [200] * 10 + [0] * 10,
        ),
        (RequestsStatement.so_many_by_version(SERVICE, at_least(1), "2"), [200] * 10, [200] * 9 + [0]),
        (RequestsStatement.so_many_by_version(SERVICE, exactly(9), "hello:1"), [200] * 10, [200] * 11),
        (RequestsStatement.so_many_by_version(SERVICE, every(), "1"), [200] * 9, [200] * 10),
        (RequestsStatement.answer_contains(SERVICE, "v="), [200] * 10, [200, 0]),
        (RequestsStatement.answer_contains(SERVICE, "v=1"), [200] * 9, [200] * 10),
        (RequestsStatement.gap(SERVICE, 2), [200, 0, 0, 0, 200], [200, 0, 0, 0, 0, 200]),
        (RequestsStatement.gap(SERVICE, 2), [200] * 30, [200, 0, 0, 0, 0, 0]),
        (RequestsStatement.gap(SERVICE, 2), [0, 0, 200], [0, 0, 0, 0, 0, 0, 200]),
        (RequestsStatement.longer_gap(SERVICE, 2), [200, 0, 0, 0, 0, 200], [200, 0, 0, 0, 200]),
    ],
    ids=lambda value: value.words if isinstance(value, RequestsStatement) else "",
)
def test_what_became_of_requests(statement: RequestsStatement, so: list[int], otherwise: list[int]) -> None:
    """Each judgement, of the requests that were sent and of those of a window, seen to hold and to fail."""
    for codes, expected in ((so, True), (otherwise, False)):
        for time in (Throughout(), Past()):
            assert says(traffic(*codes), statement, time) is expected
        script = traffic(*codes)
        script.sleep(50)
        assert says(script, statement.of(script.requests), Becomes()) is expected


@pytest.mark.parametrize("time", [Becomes(), Throughout(), Past(), AtSomeTime(), Stays(3)], ids=str)
def test_a_judgement_over_no_requests_fails(time: Time) -> None:
    """Whatever it says."""
    for statement in (
        ANSWERED,
        RequestsStatement.unanswered(SERVICE, none()),
        RequestsStatement.gap(SERVICE, 2),
        RequestsStatement.longer_gap(SERVICE, 2),
    ):
        assert not says(three_pods().put(0, "services", service()), statement, time)
    assert not says(traffic(200), RequestsStatement.answered(SERVICE).of([]), Becomes())


def test_requests_to_another_service_do_not_count() -> None:
    """Neither for nor against."""
    assert not says(traffic(200), RequestsStatement.answered(Key("default", "other")), Past())


def test_the_window_of_requests() -> None:
    """What was asked before it does not count."""
    script = traffic(0, 0, *[200] * 20)
    judge = script.judge(when=1)
    script.sleep(1)
    later = judge.moment("later")
    script.sleep(20)
    with pytest.raises(ExpectationFailed, match=r"20 of 22 answered; the first without at t\+0\.0 s"):
        judge.judge(ANSWERED, Throughout())
    judge.judge(ANSWERED, Throughout(later))


@pytest.mark.parametrize(
    ("statement", "so", "otherwise"),
    [
        (ANSWERED, [0, 200, 0], [0, 0, 0]),
        (RequestsStatement.answered(SERVICE, none()), [200, 0, 200], [200, 200]),
        (RequestsStatement.by_version(SERVICE, "2"), [200] * 10, [200] * 9),
        (RequestsStatement.unanswered(SERVICE, at_least(3)), [200] * 60 + [0] * 3, [200] * 60 + [0] * 2),
        (RequestsStatement.unanswered(SERVICE, at_least(30)), [0] * 30, [0] * 29),
        (RequestsStatement.unanswered(SERVICE, Share(50, 100)), [200] * 60 + [0] * 10, [200] * 60 + [0] * 9),
        (RequestsStatement.by_pods(SERVICE, at_least(3)), [200] * 3, [200] * 2),
        (RequestsStatement.longer_gap(SERVICE, 2), [200, 0, 0, 0, 0, 200], [200, 0, 0, 0, 200]),
    ],
    ids=lambda value: value.words if isinstance(value, RequestsStatement) else "",
)
def test_at_some_time(statement: RequestsStatement, so: list[int], otherwise: list[int]) -> None:
    """One that was so is enough; where a number or a time is told, so many in a row, or all."""
    assert says(traffic(*so), statement, AtSomeTime())
    assert not says(traffic(*otherwise), statement, AtSomeTime())


def test_where_requests_flow_the_next_twenty_are_meant() -> None:
    """Neither those before nor those after."""
    script = traffic(*[0] * 4, *[200] * 20, *[0] * 40)
    script.flowing = True
    judge = script.judge(when=2.9)
    judge.judge(ANSWERED, Becomes())
    assert 12.4 < script.now() < 12.8
    with pytest.raises(ExpectationFailed):
        judge.judge(ANSWERED, Becomes())


def test_with_a_time_any_twenty_in_a_row_will_do() -> None:
    """Within that time of the last When."""
    script = traffic(*[0] * 4, *[200] * 80)
    script.flowing = True
    assert says(script, ANSWERED, Becomes(20))
    script = traffic(*[0] * 60)
    script.flowing = True
    assert not says(script, ANSWERED, Becomes(20))


def test_a_time_that_is_over_is_looked_back_on() -> None:
    """What became true in it became true; what was true from its beginning, and is no more, did not."""
    for codes, expected in (
        ([0] * 4 + [200] * 30 + [0] * 40, True),
        ([200] * 30 + [0] * 40, False),
        ([0] * 44 + [200] * 30, False),
    ):
        script = traffic(*codes)
        script.flowing = True
        judge = script.judge(when=1)
        script.sleep(49)
        if expected:
            judge.judge(ANSWERED, Becomes(20))
            continue
        with pytest.raises(ExpectationFailed):
            judge.judge(ANSWERED, Becomes(20))


def test_who_answers_is_asked_when_the_nodes_know_the_endpoints() -> None:
    """As those are who are sent; a loss counts at once."""
    script = traffic(*[0] * 6, *[200] * 40)
    script.flowing = True
    script.put(2.9, "endpointslices", endpoints(pod("a")))
    script.judge(when=3).judge(RequestsStatement.by_pods(SERVICE, at_least(1)), Becomes())
    assert 13 < script.now() < 14.1
    script = traffic(*[0] * 6, *[200] * 40)
    script.flowing = True
    script.put(2.9, "endpointslices", endpoints(pod("a")))
    judge = script.judge(when=3)
    with pytest.raises(ExpectationFailed):
        judge.judge(ANSWERED, Becomes())


def test_for_some_time_all_that_are_asked_then_are_meant() -> None:
    """Those that flow in that time."""
    assert says(traffic(*[200] * 20, *[0] * 5), ANSWERED, Stays(5))
    assert not says(traffic(*[200] * 4, *[0] * 5), ANSWERED, Stays(5))


def test_requests_are_not_joined() -> None:
    """A request is no moment that others could be true at."""
    with pytest.raises(UsageError, match="while"):
        traffic(200).judge(when=1).judge(PodsOnNodes(pods(), exactly(1)), Becomes(), while_=ANSWERED)


def test_gaps() -> None:
    """Between the answered ones around the unanswered, and when it began."""
    script = traffic(200, 200, 0, 0, 200, 0, 200)
    script.sleep(50)
    assert longest_gap(script.requests) == (1.5, 1.5)
    assert longest_gap([one for one in script.requests if one.answered]) == (0.0, 0.0)


def test_endpoints_are_the_ready_ones() -> None:
    """Terminating and unready ones do not count; a slice of another service is not looked at."""
    a, b, gone = pod("a"), pod("b"), pod("c", deleting=True)
    script = (
        three_pods().put(0, "services", service()).put(0, "endpointslices", endpoints(a, b, others=[gone]))
    )
    judge = script.judge(patience=1)
    judge.judge(EndpointsStatement(SERVICE, exactly(2)), Becomes())
    with pytest.raises(ExpectationFailed, match=r"2 endpoints \(web-1-a, -b\)"):
        judge.judge(EndpointsStatement(SERVICE, exactly(3)), Becomes())


def test_endpoints_only_on_some_pods_are_at_least_one() -> None:
    """None at all is not "only"; one of others is told."""
    script = three_pods().put(0, "services", service()).put(0, "endpointslices", endpoints())
    only = EndpointsStatement(SERVICE, only=pods(version="1"))
    with pytest.raises(ExpectationFailed, match="0 endpoints"):
        script.judge(patience=1).judge(only, Becomes())
    script.put(0, "endpointslices", endpoints(pod("a"), pod("stranger", of=None)))
    script.put(0, "pods", pod("stranger", of=None))
    with pytest.raises(ExpectationFailed, match=r"1 of 2 endpoints are others \(stranger\)"):
        script.judge(patience=1).judge(only, Becomes())


def test_a_service_that_never_was_has_not_no_endpoints() -> None:
    """It is an error to ask."""
    with pytest.raises(ExpectationFailed, match='never was a service "web"'):
        three_pods().judge().judge(EndpointsStatement(SERVICE, none()), Becomes())
    with pytest.raises(UsageError):
        EndpointsStatement(SERVICE)


def test_events_are_counted_per_object() -> None:
    """The counts of all events of one pod that match are added up, never those of several pods."""
    a, b = pod("a"), pod("b")
    script = three_pods().put(0, "events", event(1, a, "Failed", "Error: ErrImagePull", 3))
    script.put(0, "events", event(2, b, "Failed", "Error: ErrImagePull", 2))
    script.put(5, "events", event(3, a, "Failed", "ErrImagePull again"))
    script.put(0, "events", event(4, a, "Failed", "Error: ImagePullBackOff", 9))
    script.put(0, "events", event(5, a, "BackOff", "Error: ErrImagePull", 9))
    judge = script.judge(patience=10)
    judge.judge(EventStatement("Failed", pods(), "ErrImagePull", at_least(4)), Becomes())
    assert script.now() == 5
    with pytest.raises(ExpectationFailed, match="4 times about web-1-a"):
        judge.judge(EventStatement("Failed", pods(), "ErrImagePull", at_least(5)), Becomes())
    judge.judge(EventStatement("Failed", pods(name="web-1-b"), "ErrImagePull", exactly(2)), Becomes())
    judge.judge(EventStatement("Killing", pods(), "", none()), Becomes())
    judge.judge(EventStatement("Failed", pods(), "ErrImagePull", at_most(4)), Becomes())


def test_events_about_objects_and_pods_that_are_gone() -> None:
    """An event outlives its pod; one about a workload is not one about its pods."""
    script = three_pods().put(0, "events", event(1, pod("a"), "Killing", "Stopping"))
    script.put(0, "events", event(2, complete(), "ScalingReplicaSet", "Scaled up", kind="Deployment"))
    script.put(0, "nodes", node("node-1")).remove(1, "pods", pod("a"))
    about_node = event(
        3,
        {**node("node-1"), "metadata": {**node("node-1")["metadata"], "namespace": ""}},
        "NodeNotReady",
        "",
        kind="Node",
    )
    script.put(1, "events", about_node)
    script.sleep(2)
    judge = script.judge(patience=1)
    judge.judge(EventStatement("Killing", pods()), Becomes())
    judge.judge(EventStatement("ScalingReplicaSet", WEB, "Scaled up"), Becomes())
    judge.judge(EventStatement("NodeNotReady", WorkloadRef("nodes", "", "node-1")), Becomes())
    for statement in (EventStatement("ScalingReplicaSet", pods()), EventStatement("Killing", WEB)):
        with pytest.raises(ExpectationFailed):
            judge.judge(statement, Becomes())


def test_events_about_any_object_of_a_kind() -> None:
    """One of them is enough; there has to be one."""
    script = three_pods().put(
        0, "events", event(1, replica_set(1), "FailedCreate", "exceeded quota", kind="ReplicaSet")
    )
    script.put(0, "nodes", node("node-1"))
    judge = script.judge(patience=1)
    judge.judge(EventStatement("FailedCreate", WorkloadRef("replicasets", "default", ""), "quota"), Becomes())
    judge.judge(EventStatement("NodeNotReady", WorkloadRef("nodes", "", ""), "", none()), Becomes())
    with pytest.raises(ExpectationFailed, match="no events about it"):
        judge.judge(EventStatement("FailedCreate", WorkloadRef("deployments", "default", "")), Becomes())
    for resource, namespace in (("statefulsets", "default"), ("replicasets", "other")):
        with pytest.raises(ExpectationFailed, match=r"there never was a (statefulset|replica set) in namesp"):
            judge.judge(EventStatement("X", WorkloadRef(resource, namespace, ""), "", none()), Becomes())


def test_pods_of_others_do_not_count_in_events() -> None:
    """A pod of another workload is not "a pod" of this one."""
    stranger = pod("stranger", of=None)
    script = three_pods().put(0, "pods", stranger).put(0, "events", event(1, stranger, "Failed", "x"))
    with pytest.raises(ExpectationFailed):
        script.judge(patience=1).judge(EventStatement("Failed", pods()), Becomes())
    script.judge().judge(EventStatement("Failed", PodSelector(None, "default")), Becomes())


@pytest.mark.parametrize(
    ("count", "so"), [(exactly(2), True), (at_least(3), False), (every(), True), (every(3), False)]
)
def test_nodes(count: object, so: bool) -> None:
    """All nodes are those that take pods."""
    script = three_pods().put(0, "nodes", node("control-plane", tainted=True))
    script.put(0, "pods", pod("b", node="node-2"), pod("gone", node="node-3", deleting=True))
    assert says(script, PodsOnNodes(pods(), count), Becomes()) is so  # type: ignore[arg-type]


@pytest.mark.parametrize("amount", [none(), at_most(5), Share(0, 50)])
@pytest.mark.parametrize(
    ("version", "so"), [("2", True), ("hello:2", True), ("7", False), ("hello:7", False)]
)
def test_a_version_that_never_was_is_none_that_does_not_answer(
    amount: Count | Share, version: str, so: bool
) -> None:
    """Whether a tag or an image is meant."""
    script = traffic(*[200] * 9).put(0, "pods", pod("d", of=2))
    assert says(script, RequestsStatement.so_many_by_version(SERVICE, amount, version), Past()) is so
