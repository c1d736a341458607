"""Causes as the objects, conditions and events of a real cluster tell them; hand-made."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.expectations.causes import why
from gherkube.runners.expectations.count import exactly
from gherkube.runners.expectations.failure import ExpectationFailed
from gherkube.runners.expectations.pods import PodsStatement
from gherkube.runners.expectations.subjects import PodSelector, WorkloadRef
from gherkube.runners.expectations.time import Becomes
from gherkube.runners.objects import Object
from tests.expectations.fakes import (
    WEB,
    Script,
    complete,
    deployment,
    event,
    named,
    node,
    pod,
    pods,
    replica_set,
    three_pods,
)

QUOTA = (
    'pods "web-2-x" is forbidden: exceeded quota: few, requested: pods=1,requests.cpu=500m, '
    "used: pods=3,requests.cpu=1500m, limited: pods=3,requests.cpu=4"
)


def causes(script: Script, subject: WorkloadRef | PodSelector = WEB) -> list[str]:
    return why(script, subject)  # type: ignore[arg-type]


def updating(**status: Any) -> Script:
    """Three pods of revision 1, and revision 2 that is to have one."""
    script = three_pods().put(0, "deployments", deployment("hello:2", generation=2, status=status))
    return script.put(0, "replicasets", replica_set(2, replicas=1))


def stateful(name: str) -> Object:
    return {"kind": "StatefulSet", "metadata": named(name), "spec": {"replicas": 2}, "status": {}}


def test_a_quota_that_the_deployment_tells_of() -> None:
    """By its condition ReplicaFailure, in numbers; and nothing but somebody makes room."""
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": QUOTA}
    script = updating(conditions=[failure])
    assert causes(script) == [
        'deployment "web" waits for replica set web-2 (revision 2, hello:2): its pod is not ready',
        (
            '└ exceeded quota: "few" has no room (pods: 3 of 3 used, 1 more requested, '
            "requests.cpu: 1500m of 4 used, 500m more requested)"
        ),
    ]
    script.idle_from = 5
    with pytest.raises(ExpectationFailed) as failed:
        script.judge().judge(PodsStatement(pods(revision="new"), exactly(1), "ready"), Becomes())
    assert failed.value.failure.unreachable == "nothing that is going on makes room in the quota"


def test_a_quota_that_has_room_again() -> None:
    """The next attempt may succeed, so waiting goes on."""
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": QUOTA}
    script = updating(conditions=[failure])
    hard = {"pods": "3", "requests.cpu": "4"}
    status = {"hard": hard, "used": {"pods": "2", "requests.cpu": "1"}}
    script.put(2, "resourcequotas", {"kind": "ResourceQuota", "metadata": named("few"), "status": status})
    script.idle_from = 5
    with pytest.raises(ExpectationFailed) as failed:
        script.judge().judge(PodsStatement(pods(revision="new"), exactly(1), "ready"), Becomes())
    assert failed.value.failure.unreachable == ""


def test_a_quota_that_only_an_event_tells_of() -> None:
    """As with a StatefulSet; no longer once the pods are there."""
    db = stateful("db")
    script = Script().put(0, "statefulsets", db)
    script.put(3, "events", event(1, db, "FailedCreate", f"create Pod db-0 failed error: {QUOTA}"))
    script.sleep(5)
    ref = WorkloadRef("statefulsets", "default", "db")
    [line] = causes(script, ref)
    assert line.startswith(
        'statefulset "db" cannot make its pods: exceeded quota: "few" has no room (pods: 3'
    )
    owned = [{**pod(name, of=None), "metadata": named(name, db)} for name in ("db-0", "db-1")]
    script.put(6, "pods", *owned).sleep(5)
    assert causes(script, ref) == []


def test_what_else_the_api_server_refuses() -> None:
    """In its own words."""
    message = 'pods "web-2-x" is forbidden: violates PodSecurity "restricted:latest"'
    script = updating(conditions=[{"type": "ReplicaFailure", "status": "True", "message": message}])
    assert causes(script)[1] == f"└ {message}"


def budget(*, allowed: int, healthy: int = 3, desired: int = 3, labels: Object | None = None) -> Object:
    return {
        "kind": "PodDisruptionBudget",
        "metadata": named("keep"),
        "spec": {"selector": {"matchLabels": labels or {"app": "web"}}},
        "status": {"disruptionsAllowed": allowed, "currentHealthy": healthy, "desiredHealthy": desired},
    }


def test_a_budget_that_keeps_pods_on_a_node() -> None:
    """Which is being emptied: cordoned. Not where evictions are allowed, nor pods that it does not cover."""
    cordoned = {**node("node-1"), "spec": {"unschedulable": True}}
    script = three_pods().put(0, "nodes", cordoned).put(0, "poddisruptionbudgets", budget(allowed=0))
    told = [
        (
            'budget "keep" allows no eviction: 3 pods must be healthy, 3 are: '
            "it holds 3 pods on a cordoned node (web-1-a, -b, -c)"
        )
    ]
    assert causes(script) == told
    assert causes(script, WorkloadRef("nodes", "", "node-1")) == told
    assert causes(script, PodSelector(None, "default", node="node-1")) == told
    script.put(1, "poddisruptionbudgets", budget(allowed=1)).sleep(1)
    assert causes(script) == []
    script.put(2, "poddisruptionbudgets", budget(allowed=0, labels={"app": "other"})).sleep(1)
    assert causes(script) == []
    script.put(3, "poddisruptionbudgets", budget(allowed=0)).put(3, "nodes", node("node-1")).sleep(1)
    assert causes(script) == []


def with_status(obj: Object, **status: Any) -> Object:
    return {**obj, "status": {**obj["status"], **status}}


GATED: Object = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": "Blocked"}
CONTAINERS_READY: Object = {"type": "ContainersReady", "status": "True"}
WAITING: Object = {
    "reason": "ImagePullBackOff",
    "message": 'Back-off pulling image "hello:2": ErrImagePull: rpc error: code = NotFound: not found',
}


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (
            with_status(
                pod("d", of=2, ready=False, phase="Failed"),
                reason="Evicted",
                message="The node was low on disk",
            ),
            ["failed: Evicted: The node was low on disk"],
        ),
        (
            with_status(
                pod("d", of=2, node="", schedulingGates=[{"name": "example.com/wait"}]), conditions=[GATED]
            ),
            ['is not scheduled: it waits for gate "example.com/wait" to be lifted'],
        ),
        (
            with_status(
                pod("d", of=2, ready=False, readinessGates=[{"conditionType": "example.com/lb"}]),
                conditions=[CONTAINERS_READY, {"type": "Ready", "status": "False"}],
            ),
            ['waits for its readiness gate "example.com/lb"'],
        ),
        (
            with_status(
                pod("d", of=2, ready=False),
                containerStatuses=[{"name": "app", "state": {"waiting": WAITING}, "restartCount": 0}],
            ),
            [
                "container app waits: ImagePullBackOff",
                (
                    'its status says: Back-off pulling image "hello:2": '
                    "ErrImagePull: rpc error: code = NotFound: not found"
                ),
            ],
        ),
    ],
)
def test_what_else_keeps_a_pod(bad: Object, told: list[str]) -> None:
    """Evicted, gated, not let in by its load balancer; and what its status says where events are gone."""
    lines = causes(updating().put(0, "pods", bad))[1:]
    assert [line.partition("└ ")[2].removeprefix("pod web-2-d: ") for line in lines] == told


def ended(message: str = "", code: int = 2) -> Object:
    state = {"terminated": {"exitCode": code, "reason": "Error", "message": message}}
    status = {
        "name": "app",
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": state,
        "restartCount": 4,
    }
    return with_status(pod("d", of=2, ready=False), containerStatuses=[status])


def test_the_last_lines_of_what_crashed() -> None:
    """The termination message, or else what was printed: the last three lines, if there are any."""
    script = updating().put(0, "pods", ended("one\ntwo\nthree\nfour\n"))
    script.printed["web-2-d", "app", False] = ["listening", "config.yaml: no such file"]
    assert causes(script)[2:] == ["  └ its output ends: two · three · four"]
    script.put(1, "pods", ended()).sleep(1)
    assert causes(script)[2:] == ["  └ its output ends: listening · config.yaml: no such file"]
    script.printed.clear()
    assert causes(script)[2:] == []


def test_a_pod_that_its_finalizer_holds() -> None:
    """It is named, and nobody but its owner lets go."""
    held = pod("a", deleting=True)
    held = {**held, "metadata": {**held["metadata"], "finalizers": ["example.com/hold"]}}
    script = three_pods().put(0, "pods", held).put(0, "deployments", complete(replicas=2))
    script.put(0, "replicasets", replica_set(1, replicas=2))
    selector = PodSelector(None, "default", name="web-1-a")
    assert causes(script, selector) == [
        "└ pod web-1-a: is being deleted and waits for its finalizers: example.com/hold"
    ]
    script.idle_from = 1
    with pytest.raises(ExpectationFailed, match="removes the finalizer of pod web-1-a"):
        script.judge().judge(PodsStatement(pods(), exactly(2), "exist"), Becomes())


def test_a_job_that_has_failed() -> None:
    """By its condition."""
    failed = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "too many"}
    job = {"kind": "Job", "metadata": named("migrate"), "spec": {}, "status": {"conditions": [failed]}}
    script = Script().put(0, "jobs", job)
    ref = WorkloadRef("jobs", "default", "migrate")
    assert causes(script, ref) == ['job "migrate" failed: BackoffLimitExceeded: too many']


def test_many_pods_are_told_by_their_causes() -> None:
    """Those alike once; of more than three causes the rest is counted."""
    bad = [
        pod(f"x{index}", of=2, waiting=reason)
        for index, reason in enumerate(("ErrImagePull", "A", "B", "C", "C"))
    ]
    lines = causes(updating().put(0, "pods", *bad, pod("y", of=2, waiting="ErrImagePull")))
    assert lines[1] == "└ pod web-2-x0: container app waits: ErrImagePull (and 1 more alike)"
    assert lines[-1] == "└ 2 more pods for 1 more reason"


def test_nothing_is_told_of_what_is_well() -> None:
    """Neither events of the past nor pods that have completed are causes."""
    done = pod("done", exited=0, ready=False, phase="Succeeded")
    script = three_pods().put(0, "pods", done)
    script.put(1, "events", event(1, pod("a"), "Failed", 'Failed to pull image "hello:1": not found')).sleep(
        2
    )
    assert causes(script) == []
    assert causes(script, PodSelector(None, "default", labels="app=web")) == []
