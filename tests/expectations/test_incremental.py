"""A verdict that was kept up change by change is the one that a fresh look gives, and costs little."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gherkube.runners.expectations.count import at_least, exactly
from gherkube.runners.expectations.endpoints import EndpointsStatement
from gherkube.runners.expectations.events import EventStatement
from gherkube.runners.expectations.nodes import PodsOnNodes
from gherkube.runners.expectations.pods import PODS, PodsStatement
from gherkube.runners.expectations.statement import Statement, Tracker
from gherkube.runners.expectations.subjects import WorkloadRef
from gherkube.runners.expectations.time import Becomes
from gherkube.runners.expectations.view import View
from gherkube.runners.expectations.workloads import WorkloadStatement
from gherkube.runners.objects import Object
from tests.expectations.fakes import (
    SERVICE,
    WEB,
    Script,
    deployment,
    endpoints,
    event,
    pod,
    pods,
    replica_set,
    three_pods,
)

ARGUMENTS: dict[str, Any] = {
    "show": "ImagePullBackOff",
    "restarted": exactly(1),
    "on_node": "node-1",
    "match": {"spec": {"nodeName": "node-2"}},
}
SELECTORS = [
    pods(),
    pods(version="1"),
    pods(revision="new"),
    pods(revision="old"),
    pods(labels="app=web", node="node-1"),
    pods(image="hello:2"),
    type(pods())(WorkloadRef("replicasets", "default", "web-1"), "default"),
    type(pods())(None, "default"),
]
STATEMENTS: list[Statement] = [
    *(
        PodsStatement(selector, exactly(2), predicate, ARGUMENTS.get(predicate))
        for selector, predicate in (
            *((pods(revision="new"), predicate) for predicate in PODS),
            *((selector, predicate) for selector in SELECTORS for predicate in ("ready", "available")),
        )
    ),
    PodsStatement(pods(), exactly(2, of=3), "ready"),
    *(PodsOnNodes(selector, exactly(2)) for selector in SELECTORS),
    *(EventStatement("Failed", selector, "x", exactly(3)) for selector in SELECTORS),
    EventStatement("Failed", WEB, "x", exactly(3)),
    EndpointsStatement(SERVICE, exactly(1)),
    EndpointsStatement(SERVICE, only=pods(revision="new")),
    WorkloadStatement.replica_sets(WEB, [1, 3]),
    WorkloadStatement.revisions(WEB, [1, 2]),
    WorkloadStatement.rollout(WEB, "completes"),
    WorkloadStatement.field(WEB, "spec.replicas", 2),
]


def orphaned(obj: Object) -> Object:
    """The object without its owner."""
    return {
        **obj,
        "metadata": {key: value for key, value in obj["metadata"].items() if key != "ownerReferences"},
    }


PODS_OF_ALL_KINDS = st.builds(
    pod,
    st.sampled_from("abc"),
    of=st.sampled_from([1, 2]),
    ready=st.booleans(),
    waiting=st.sampled_from(["", "", "ImagePullBackOff"]),
    restarts=st.integers(0, 1),
    deleting=st.booleans(),
    node=st.sampled_from(["node-1", "node-2"]),
)
SETS = st.builds(
    replica_set,
    st.sampled_from([1, 2]),
    replicas=st.integers(0, 3),
    minReadySeconds=st.sampled_from([0, 0, 4]),
)
CHANGES = st.one_of(
    st.tuples(st.just("pods"), st.one_of(PODS_OF_ALL_KINDS, PODS_OF_ALL_KINDS.map(orphaned))),
    st.tuples(st.just("pods"), PODS_OF_ALL_KINDS),
    st.tuples(st.just("replicasets"), st.one_of(SETS, SETS.map(orphaned))),
    st.tuples(
        st.just("deployments"),
        st.builds(deployment, st.sampled_from(["hello:1", "hello:2"]), st.integers(1, 3)),
    ),
    st.tuples(
        st.just("endpointslices"),
        st.builds(endpoints, st.builds(pod, st.sampled_from("abc"), of=st.sampled_from([1, 2]))),
    ),
    st.tuples(
        st.just("events"),
        st.builds(
            event,
            st.integers(1, 2),
            st.builds(pod, st.sampled_from("ab")),
            st.just("Failed"),
            st.sampled_from(["x", "xy"]),
            st.integers(1, 3),
        ),
    ),
)
HISTORIES = st.lists(
    st.tuples(st.booleans(), CHANGES, st.sampled_from([0.0, 0.5, 3.0])), min_size=1, max_size=25
)


def told(tracker: Tracker) -> tuple[bool, float]:
    return tracker.holds(), tracker.distance()


@settings(max_examples=60)
@given(HISTORIES)
def test_kept_up_is_the_same_as_made_anew(changes: list[tuple[bool, tuple[str, Object], float]]) -> None:
    """After every change, for every statement, whatever order the history has."""
    script = Script().put(0, "deployments", deployment()).put(0, "replicasets", replica_set(1))
    at = 0.0
    there: set[tuple[str, str]] = set()
    for goes, (resource, obj), later in changes:
        at += later
        key = resource, obj["metadata"]["name"]
        if goes and key in there and resource != "events":
            script.remove(at, resource, obj)
            there.discard(key)
        else:
            script.put(at, resource, obj)
            there.add(key)
    script.sleep(at)
    view = View()
    trackers = [(statement, statement.track(view)) for statement in STATEMENTS]
    for change in view.follow(script.history):
        for statement, tracker in trackers:
            before = told(tracker)
            if change.resource in statement.resources and not tracker.changed(change):
                assert told(tracker) == before, f"{statement.text}: another verdict after {change}"
            kept, fresh = told(tracker), told(statement.track(view))
            assert kept == fresh, f"{statement.text}: {tracker.found()} after {change}"


def test_only_changed_objects_are_looked_at() -> None:
    """A change of one pod asks about that pod only, and one of another resource about none."""
    asked: list[str] = []
    script = three_pods().put(2, "pods", pod("b", ready=False)).put(3, "events", event(1, pod("a"), "x", "y"))
    script.put(4, "deployments", deployment(replicas=4)).put(5, "replicasets", replica_set(1, replicas=4))
    rule = PODS["ready"]

    def test(one: Object, argument: Any) -> bool:
        asked.append(one["metadata"]["name"])
        return rule.test(one, argument)

    PODS["ready"] = rule._replace(test=test)
    try:
        tracker_view = View().move(script.history)
        tracker = PodsStatement(pods(), at_least(5), "ready").track(tracker_view)
        asked.clear()
        script.sleep(10)
        for change in tracker_view.follow(script.history):
            tracker.changed(change)
    finally:
        PODS["ready"] = rule
    assert asked == ["web-1-b"]


def test_waiting_asks_after_changes_of_its_resources_only() -> None:
    """A thousand changes of what it does not depend on wake nobody."""
    script = three_pods()
    for number in range(1000):
        script.put(1 + number / 1000, "events", event(number, pod("a"), "x", "y"))
    script.put(3, "pods", pod("d"))
    script.judge().judge(PodsStatement(pods(), exactly(4), "ready"), Becomes())
    assert script.asked < 10
