"""Every time phrase with every kind of statement, each seen to hold and to fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from gherkube.runners.errors import UsageError
from gherkube.runners.expectations.count import at_least, exactly, none
from gherkube.runners.expectations.endpoints import EndpointsStatement
from gherkube.runners.expectations.events import EventStatement
from gherkube.runners.expectations.failure import ExpectationFailed
from gherkube.runners.expectations.nodes import PodsOnNodes
from gherkube.runners.expectations.past import PodsHappened
from gherkube.runners.expectations.pods import PodsStatement
from gherkube.runners.expectations.statement import Statement
from gherkube.runners.expectations.time import AtSomeTime, Becomes, Past, Stays, Throughout
from gherkube.runners.expectations.workloads import WorkloadStatement
from tests.expectations.fakes import (
    SERVICE,
    WEB,
    Script,
    complete,
    deployment,
    endpoints,
    event,
    pod,
    pods,
    replica_set,
    service,
    three_pods,
)

READY_3 = PodsStatement(pods(), exactly(3), "ready")
A, B, C = (pod(name) for name in "abc")
BROKEN = pod("c", ready=False)


class Case(NamedTuple):
    """A statement, and how to make it false and true at a time in a script of three ready pods."""

    statement: Statement
    false: Callable[[Script, float], object]
    true: Callable[[Script, float], object]


def _deployments(false: object, true: object) -> tuple[Callable[[Script, float], object], ...]:
    return (
        lambda script, at: script.put(at, "deployments", false),  # type: ignore[arg-type]
        lambda script, at: script.put(at, "deployments", true),  # type: ignore[arg-type]
    )


def _failing(status: str) -> dict[str, object]:
    return {"conditions": [{"type": "Progressing", "status": status, "reason": "ProgressDeadlineExceeded"}]}


CASES = {
    "pods": Case(
        READY_3,
        lambda script, at: script.put(at, "pods", BROKEN),
        lambda script, at: script.put(at, "pods", C),
    ),
    "no pods": Case(
        PodsStatement(pods(), none(), "pending"),
        lambda script, at: script.put(at, "pods", pod("c", phase="Pending")),
        lambda script, at: script.put(at, "pods", C),
    ),
    "nodes": Case(
        PodsOnNodes(pods(), exactly(2)),
        lambda script, at: script.put(at, "pods", C),
        lambda script, at: script.put(at, "pods", pod("c", node="node-2")),
    ),
    "count of endpoints": Case(
        EndpointsStatement(SERVICE, exactly(2)),
        lambda script, at: script.put(at, "endpointslices", endpoints(A)),
        lambda script, at: script.put(at, "endpointslices", endpoints(A, B)),
    ),
    "only endpoints": Case(
        EndpointsStatement(SERVICE, only=pods(version="1")),
        lambda script, at: script.put(at, "pods", pod("d", of=2)).put(
            at, "endpointslices", endpoints(A, pod("d", of=2))
        ),
        lambda script, at: script.put(at, "endpointslices", endpoints(A)),
    ),
    "replicas": Case(
        WorkloadStatement.replicas(WEB, ready=exactly(3), available=at_least(2)),
        *_deployments(deployment(status={"readyReplicas": 3, "availableReplicas": 1}), complete()),
    ),
    "condition": Case(
        WorkloadStatement.condition(WEB, "Progressing", "False", "ProgressDeadlineExceeded"),
        *_deployments(deployment(status=_failing("True")), deployment(status=_failing("False"))),
    ),
    "matches": Case(
        WorkloadStatement.matches(WEB, {"status": {"updatedReplicas": 3}}),
        *_deployments(deployment(), complete()),
    ),
    "field": Case(
        WorkloadStatement.field(WEB, "spec.replicas", 3), *_deployments(complete(replicas=4), complete())
    ),
    "field is not": Case(
        WorkloadStatement.field(WEB, "spec.replicas", 3, negated=True),
        *_deployments(complete(), complete(replicas=4)),
    ),
    "replica sets": Case(
        WorkloadStatement.replica_sets(WEB, [3, 0]),
        lambda script, at: script.put(at, "replicasets", replica_set(2, replicas=1)),
        lambda script, at: script.put(at, "replicasets", replica_set(2, replicas=0)),
    ),
    "revisions": Case(
        WorkloadStatement.revisions(WEB, [1, 2]),
        lambda script, at: script.remove(at, "replicasets", replica_set(2)),
        lambda script, at: script.put(at, "replicasets", replica_set(2)),
    ),
    "image of a revision": Case(
        WorkloadStatement.revision_image(WEB, 2, "hello:2"),
        lambda script, at: script.remove(at, "replicasets", replica_set(2)),
        lambda script, at: script.put(at, "replicasets", replica_set(2)),
    ),
}
CASES_BY_NAME = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def story(case: Case) -> Script:
    """False from 5 to 10 s, true to 20 s, then false again."""
    script = three_pods().put(0, "services", service()).put(0, "replicasets", replica_set(2, replicas=1))
    script.put(0, "endpointslices", endpoints())
    case.false(script, 5)
    case.true(script, 10)
    case.false(script, 20)
    return script


@CASES_BY_NAME
def test_becomes_true_within_the_patience(case: Case) -> None:
    """Waits until it is so, and no longer."""
    script = story(case)
    script.judge(when=6).judge(case.statement, Becomes())
    assert script.now() == 10


@CASES_BY_NAME
def test_does_not_become_true(case: Case) -> None:
    """When the patience is over it has failed."""
    script = story(case)
    with pytest.raises(ExpectationFailed):
        script.judge(when=6, patience=3).judge(case.statement, Becomes())
    assert script.now() == 9


@CASES_BY_NAME
def test_stays(case: Case) -> None:
    """Is true now and for so long: a minute is a minute also where nothing happens."""
    script = story(case)
    script.judge(when=11).judge(case.statement, Stays(5))
    assert script.now() == 16


@CASES_BY_NAME
@pytest.mark.parametrize(("when", "seconds"), [(6, 2), (12, 10)], ids=["never was", "ends"])
def test_does_not_stay(case: Case, when: float, seconds: float) -> None:
    """Fails at once when it is not so now, and else when it ends."""
    script = story(case)
    with pytest.raises(ExpectationFailed):
        script.judge(when=when).judge(case.statement, Stays(seconds))
    assert script.now() == (6 if when == 6 else 20)


@CASES_BY_NAME
@pytest.mark.parametrize("time", [Throughout(), Past()], ids=["throughout", "past tense"])
def test_was_so_throughout(case: Case, time: Throughout | Past) -> None:
    """True from the window's start to now."""
    script = story(case)
    judge = script.judge(when=11)
    script.sleep(8)
    judge.judge(case.statement, time)


@CASES_BY_NAME
@pytest.mark.parametrize("when", [6, 11], ids=["at its start", "at its end"])
@pytest.mark.parametrize("time", [Throughout(), Past()], ids=["throughout", "past tense"])
def test_was_not_so_throughout(case: Case, time: Throughout | Past, when: float) -> None:
    """One moment at which it was false is enough, though it was true at others."""
    script = story(case)
    judge = script.judge(when=when)
    script.sleep(19 - when if when == 6 else 10)
    with pytest.raises(ExpectationFailed):
        judge.judge(case.statement, time)


@CASES_BY_NAME
def test_was_so_at_some_time(case: Case) -> None:
    """One moment is enough, also when it has passed."""
    script = story(case)
    judge = script.judge(when=6)
    script.sleep(30)
    judge.judge(case.statement, AtSomeTime())


@CASES_BY_NAME
def test_was_so_at_no_time(case: Case) -> None:
    """What was true before the window does not count."""
    script = story(case)
    judge = script.judge(when=21)
    script.sleep(10)
    with pytest.raises(ExpectationFailed):
        judge.judge(case.statement, AtSomeTime())


def test_a_window_can_start_at_a_noted_moment() -> None:
    """`since` takes the place of the first When."""
    script = story(CASES["pods"])
    judge = script.judge(when=6)
    script.sleep(5)
    noted = judge.moment("better")
    script.sleep(3)
    judge.judge(READY_3, Throughout(noted))
    with pytest.raises(ExpectationFailed):
        judge.judge(READY_3, Throughout())


def test_within_counts_from_the_last_when() -> None:
    """What became true later than that, or only before it, does not count; what did in between does."""
    script = story(CASES["pods"])
    judge = script.judge(when=6)
    script.sleep(9)
    judge.judge(READY_3, Becomes(5))
    with pytest.raises(ExpectationFailed):
        judge.judge(READY_3, Becomes(3))
    script.sleep(15)
    judge.judge(READY_3, Becomes(5))
    judge.last_when = 21.0
    with pytest.raises(ExpectationFailed):
        judge.judge(READY_3, Becomes(60))
    assert script.now() == 81


def test_deletions_count() -> None:
    """A pod that was deleted and came back within the window is seen."""
    script = three_pods().remove(3, "pods", A).put(3, "pods", pod("d"))
    judge = script.judge(when=1)
    script.sleep(5)
    with pytest.raises(ExpectationFailed):
        judge.judge(READY_3, Throughout())
    judge.judge(PodsStatement(pods(), exactly(2), "ready"), AtSomeTime())


def test_while_joins_two_judgements_about_the_same_moment() -> None:
    """Both have to be true at once, not one after the other."""
    script = three_pods().put(0, "nodes")
    script.put(2, "pods", pod("a", deleting=True)).put(3, "pods", pod("b", deleting=True))
    script.remove(4, "pods", pod("a")).put(5, "pods", pod("c", ready=False))
    judge = script.judge(when=1)
    script.sleep(10)
    two_go, one_ready = (
        PodsStatement(pods(), exactly(2), "terminating"),
        PodsStatement(pods(), exactly(1), "ready"),
    )
    judge.judge(two_go, AtSomeTime(), while_=one_ready)
    with pytest.raises(ExpectationFailed) as failed:
        judge.judge(two_go, AtSomeTime(), while_=PodsStatement(pods(), none(), "ready"))
    assert "while" in failed.value.failure.expected


@pytest.mark.parametrize("time", [Throughout(), AtSomeTime(), Past()])
def test_a_look_back_needs_a_when(time: Throughout | AtSomeTime | Past) -> None:
    """Without a When there is no window, so nothing is judged."""
    judge = three_pods().judge()
    judge.first_when = None
    with pytest.raises(UsageError, match="first When"):
        judge.judge(READY_3, time)


@pytest.mark.parametrize("time", [lambda: Becomes(0), lambda: Stays(0)])
def test_no_time_at_all_is_an_error(time: Callable[[], object]) -> None:
    """Zero seconds say nothing."""
    with pytest.raises(UsageError):
        time()


def test_a_moment_is_each_change_even_at_the_same_time() -> None:
    """What was so between two changes of one instant was so."""
    script = three_pods().put(2, "pods", BROKEN).put(2, "pods", C)
    judge = script.judge(when=1)
    script.sleep(5)
    with pytest.raises(ExpectationFailed):
        judge.judge(READY_3, Throughout())
    judge = three_pods().put(2, "pods", BROKEN).put(2, "pods", C).judge(when=1)
    judge.judge(PodsStatement(pods(), exactly(2), "ready"), Becomes(5))


def test_sums_are_asked_at_the_windows_end() -> None:
    """ "throughout, exactly 2 pods were created" is about the window as a whole."""
    script = three_pods().put(2, "pods", pod("d")).put(3, "pods", pod("e"))
    judge = script.judge(when=1)
    two = PodsHappened(pods(), exactly(2), "created")
    judge.judge(two, Becomes())
    assert script.now() == 3
    for time in (Throughout(), Past(), AtSomeTime(), Stays(1)):
        judge.judge(two, time)
    judge.judge(PodsHappened(pods(), exactly(1), "created"), AtSomeTime())
    with pytest.raises(ExpectationFailed):
        judge.judge(PodsHappened(pods(), exactly(1), "created"), Past())


def test_events_of_a_window_are_those_added_in_it() -> None:
    """A count that rose before the window is not its own."""
    script = three_pods().put(0, "events", event(1, A, "Failed", "ErrImagePull", 3))
    judge = script.judge(when=1)
    script.put(2, "events", event(1, A, "Failed", "ErrImagePull", 5)).sleep(5)
    judge.judge(EventStatement("Failed", pods(), "ErrImagePull", exactly(5)), Becomes())
    judge.judge(EventStatement("Failed", pods(), "ErrImagePull", exactly(2)), Past())
    with pytest.raises(ExpectationFailed):
        judge.judge(EventStatement("Failed", pods(), "ErrImagePull", exactly(5)), Past())


def test_what_was_so_before_and_is_no_more_did_not_become_true() -> None:
    """Three pods that were ready at the last When, and are two now, have to be three again in time."""
    script = three_pods().remove(5, "pods", A)
    judge = script.judge(when=1)
    script.sleep(10)
    with pytest.raises(ExpectationFailed):
        judge.judge(READY_3, Becomes(60))
    assert script.now() == 61
