"""What is told when something is not so."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.expectations.causes import why
from gherkube.runners.expectations.count import Count, at_least, exactly, none
from gherkube.runners.expectations.failure import ExpectationFailed, Failure
from gherkube.runners.expectations.pods import PodsStatement, names
from gherkube.runners.expectations.subjects import PodSelector, WorkloadRef
from gherkube.runners.expectations.time import Becomes, Stays, Throughout
from gherkube.runners.objects import Object
from tests.expectations.fakes import (
    WEB,
    Script,
    complete,
    deployment,
    event,
    node,
    pod,
    pods,
    replica_set,
    service,
    three_pods,
)


def causes(script: Script, subject: WorkloadRef | PodSelector = WEB) -> list[str]:
    return why(script, subject)  # type: ignore[arg-type]


def limited(**more: Any) -> Object:
    """A pod whose container ended for want of memory."""
    found = pod("d", of=2, waiting="CrashLoopBackOff", restarts=3)
    status = {
        **found["status"]["containerStatuses"][0],
        "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
        **more,
    }
    return {**found, "status": {**found["status"], "containerStatuses": [status]}}


def crashing() -> Object:
    return limited(lastState={"terminated": {"exitCode": 3, "reason": "Error"}})


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (pod("d", of=2, waiting="ImagePullBackOff"), "container app waits: ImagePullBackOff"),
        (pod("d", of=2, waiting="ErrImagePull"), "container app waits: ErrImagePull"),
        (
            pod("d", of=2, image="Hello:2", waiting="InvalidImageName"),
            "container app waits: InvalidImageName: 'Hello:2'",
        ),
        (crashing(), "container app crashes: exit code 3, restarted 3 times"),
        (pod("d", of=2, exited=1, restarts=1), "container app crashes: exit code 1, restarted 1 time"),
        (limited(), "container app crashes: killed for want of memory (OOMKilled), restarted 3 times"),
        (
            pod("d", of=2, waiting="CreateContainerConfigError", message='configmap "settings" not found'),
            'container app waits: CreateContainerConfigError: configmap "settings" not found',
        ),
        (
            pod("d", of=2, waiting="CreateContainerConfigError", message='secret "key" not found'),
            'container app waits: CreateContainerConfigError: secret "key" not found',
        ),
        (
            pod("d", of=2, node="", phase="Pending", message="0/4 nodes are available: 4 Insufficient cpu."),
            "is not scheduled: 0/4 nodes are available: 4 Insufficient cpu",
        ),
        (pod("d", of=2, ready=False, node="node-9"), "node node-9 is down (Ready is Unknown: r)"),
        (
            pod(
                "d", of=2, ready=False, containers=[{"name": "app", "image": "hello:2", "readinessProbe": {}}]
            ),
            "container app runs, but has not passed its readiness probe",
        ),
        (
            {
                **pod("d", of=2, deleting=True),
                "metadata": {**pod("d", of=2, deleting=True)["metadata"], "finalizers": ["x/y"]},
            },
            "is being deleted and waits for its finalizers: x/y",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_keeps_a_pod_from_being_ready(bad: Object, told: str) -> None:
    """The chain goes from the deployment over its newest replica set to the pod and what it waits for."""
    script = three_pods().put(0, "deployments", deployment("hello:2", generation=2))
    script.put(0, "nodes", node("node-9", ready=False)).put(0, "replicasets", replica_set(2, replicas=1))
    script.put(0, "pods", bad)
    lines = causes(script)
    assert lines[0] == (
        'deployment "web" waits for replica set web-2 (revision 2, hello:2): its pod is not ready'
    )
    assert lines[1] == f"└ pod web-2-d: {told}"
    assert causes(script, pods(version="2")) == lines
    assert causes(script, PodSelector(None, "default", name="web-2-d")) == lines[1:]


def test_the_newest_warning_ends_the_chain() -> None:
    """With its age and how often it came; the one that says what failed goes first."""
    bad = pod("d", of=2, waiting="ImagePullBackOff")
    script = three_pods().put(0, "deployments", deployment("hello:2", generation=2))
    script.put(0, "replicasets", replica_set(2)).put(
        0, "pods", bad, pod("e", of=2, waiting="ImagePullBackOff")
    )
    script.put(4, "events", event(1, bad, "Failed", 'Failed to pull image "hello:2": not found', 4))
    script.put(9, "events", event(2, bad, "Failed", "Error: ImagePullBackOff", 6))
    script.put(9, "events", event(3, pod("a"), "Failed", "of another"))
    script.sleep(16)
    assert causes(script)[1:] == [
        "└ pod web-2-d: container app waits: ImagePullBackOff (and 1 more alike)",
        '  └ event 12 s ago (×4): Failed to pull image "hello:2": not found',
    ]


def test_what_keeps_a_deployment() -> None:
    """Paused, too late, unable to make pods; old pods that still terminate; nothing when all is well."""
    assert causes(three_pods()) == []
    script = three_pods().put(0, "deployments", deployment("hello:2", spec={"paused": True}))
    assert causes(script) == ['deployment "web" is paused, so that its new template is not rolled out']
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    failing = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: few"}
    script = three_pods().put(
        0,
        "deployments",
        deployment(spec={"progressDeadlineSeconds": 60}, status={"conditions": [late, failing]}),
    )
    assert causes(script) == [
        'deployment "web" exceeded its progress deadline of 60 s',
        'deployment "web" cannot make its pods: exceeded quota: few',
    ]
    script = three_pods().put(0, "deployments", complete("hello:2", 1))
    script.put(0, "replicasets", replica_set(1, replicas=0), replica_set(2, replicas=1))
    script.put(0, "pods", pod("d", of=2)).remove(0, "pods", pod("b"), pod("c"))
    script.put(0, "pods", pod("a", deleting=True))
    assert causes(script) == [
        "1 old pod still terminating (web-1-a)",
        "└ pod web-1-a: is terminating, with a grace period of 30 s",
    ]


def test_what_keeps_an_object_from_going() -> None:
    """Its finalizers are named."""
    going = {
        **complete(),
        "metadata": {**complete()["metadata"], "deletionTimestamp": "x", "finalizers": ["a/b"]},
    }
    script = three_pods().put(0, "deployments", going)
    assert causes(script) == ['deployment "web" is being deleted and waits for its finalizers: a/b']


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (
            service({"app": "wep"}),
            'service "web" selects "app=wep", which no pod has; there are pods with app=web',
        ),
        (service(target=9090), 'service "web" sends to port 9090, on which no pod listens; they have 8080'),
    ],
)
def test_what_keeps_a_service_from_pods(shown: Object, told: str) -> None:
    """A selector that matches nothing, a port that nobody listens on."""
    container = {"name": "app", "image": "hello:1", "ports": [{"containerPort": 8080}]}
    script = three_pods().put(0, "services", shown)
    script.put(0, "pods", *(pod(name, containers=[container]) for name in "abc"))
    assert causes(script, WorkloadRef("services", "default", "web")) == [told]


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (
            pod("d", of=2, waiting="ImagePullBackOff"),
            "nothing that is going on changes the image of revision 2",
        ),
        (
            pod("d", of=2, node="", phase="Pending", message="no room"),
            "nothing that is going on makes room for pod web-2-d",
        ),
        (
            pod("d", of=2, waiting="CreateContainerConfigError", message='secret "k" not found'),
            'nothing that is going on gives pod web-2-d what it waits for: secret "k" not found',
        ),
    ],
)
def test_fails_early_when_it_is_certain(bad: Object, told: str) -> None:
    """When nothing but retries is left, and a pod waits for what no retry brings."""
    script = three_pods().put(0, "deployments", deployment("hello:2", generation=2))
    script.put(0, "replicasets", replica_set(2)).put(3, "pods", bad)
    script.idle_from = 20
    with pytest.raises(ExpectationFailed) as failed:
        script.judge(when=1).judge(PodsStatement(pods(), exactly(4), "ready"), Becomes())
    assert 20 <= script.now() <= 26
    assert failed.value.failure.unreachable == told


@pytest.mark.parametrize(
    ("bad", "predicate", "argument"),
    [
        (crashing(), "ready", None),
        (pod("d", of=2, exited=1), "ready", None),
        (pod("d", of=2, waiting="ErrImagePull"), "show", "ImagePullBackOff"),
        (pod("d", of=2, waiting="ErrImagePull"), "restarted", None),
        (pod("d", of=2, ready=False), "ready", None),
    ],
)
def test_waits_as_long_as_it_is_not_certain(bad: Object, predicate: str, argument: Any) -> None:
    """A container that crashes comes up again, a status alternates: the patience is waited for."""
    script = three_pods().put(0, "deployments", deployment("hello:2", generation=2))
    script.put(0, "replicasets", replica_set(2)).put(3, "pods", bad)
    script.idle_from = 5
    with pytest.raises(ExpectationFailed) as failed:
        script.judge(when=1, patience=100).judge(
            PodsStatement(pods(), exactly(7), predicate, argument), Becomes()
        )
    assert script.now() == 101
    assert not failed.value.failure.unreachable


def test_a_paused_rollout_does_not_go_on() -> None:
    """Until somebody resumes it."""
    script = three_pods().put(0, "deployments", deployment("hello:2", spec={"paused": True}))
    script.idle_from = 1
    with pytest.raises(ExpectationFailed, match="nothing that is going on resumes the rollout"):
        script.judge().judge(PodsStatement(pods(revision="new"), exactly(3), "ready"), Becomes())


@pytest.mark.parametrize("count", [at_least(5), none()])
def test_what_was_found(count: Count) -> None:
    """Those of whom it is true by name, the others by version and status."""
    script = three_pods().put(0, "replicasets", replica_set(2))
    script.put(0, "pods", pod("c", waiting="ImagePullBackOff"), pod("d", of=2, ready=False))
    with pytest.raises(ExpectationFailed) as failed:
        script.judge(patience=1).judge(PodsStatement(pods(), count, "ready"), Becomes())
    alike = (
        'web-1-a, -b); 1 pod of "hello:1" shows ImagePullBackOff; 1 pod of "hello:2" shows Running, not ready'
    )
    assert failed.value.failure.found == f"2 ready ({alike}"


def test_the_nearest_that_it_came() -> None:
    """And when, where it is not so near now."""
    script = (
        three_pods().put(3, "pods", pod("d")).put(6, "pods", pod("d", ready=False), pod("a", ready=False))
    )
    with pytest.raises(ExpectationFailed) as failed:
        script.judge(when=1, patience=20).judge(PodsStatement(pods(), exactly(5), "ready"), Becomes())
    assert failed.value.failure.nearest == "4 ready at t+2.0 s"
    assert failed.value.failure.found.startswith("2 ready")


def test_a_moment_of_the_past_is_told() -> None:
    """When it was not so, with what had happened up to then."""
    script = three_pods().put(3, "deployments", complete("hello:2", 4)).put(4, "pods", pod("a", ready=False))
    script.put(5, "pods", pod("a")).put(6, "pods", pod("b", deleting=True)).remove(9, "pods", pod("b"))
    judge = script.judge(when=1)
    script.sleep(20)
    with pytest.raises(ExpectationFailed) as failed:
        judge.judge(PodsStatement(pods(), at_least(3), "ready"), Throughout())
    failure = failed.value.failure
    assert failure.expected == "throughout, at least 3 pods ready"
    assert failure.found.startswith("2 ready (web-1-b, -c)")
    assert failure.found.endswith("at t+3.0 s")
    assert failure.history == [
        "t+2.0 s  image set to hello:2",
        "t+2.0 s  web scaled 3→4",
        "t+3.0 s  web-1-a not ready",
    ]
    judge = three_pods().put(6, "pods", pod("b", deleting=True)).judge(when=1)
    with pytest.raises(ExpectationFailed, match=r"at t\+5\.0 s"):
        judge.judge(PodsStatement(pods(), at_least(3), "ready"), Stays(30))


def test_a_long_history_is_told_in_a_handful_of_entries() -> None:
    """Of the same owner's pods the same is told once, with how often and from when to when."""
    script = three_pods()
    for second in range(2, 40):
        reason = "ErrImagePull" if second % 2 else "ImagePullBackOff"
        script.put(second, "pods", pod("a", waiting=reason), pod("b", ready=second % 2 == 0))
    with pytest.raises(ExpectationFailed) as failed:
        script.judge(when=1, patience=50).judge(PodsStatement(pods(), exactly(9), "ready"), Becomes())
    assert failed.value.failure.history == [
        "t+1.0 s  web-1-a ImagePullBackOff",
        "t+2.0 s  web-1-a ErrImagePull",
        "t+2.0…38.0 s  web-1-b not ready (19 times)",
        "t+3.0…37.0 s  web-1-b ready (18 times)",
    ]
    assert len(failed.value.failure.whole) == 39


def test_too_long_a_story_leaves_out_what_matters_least() -> None:
    """First how pods came and went, and of what is left the middle, which is said."""
    script = three_pods()
    for second in range(2, 14):
        script.put(second, "deployments", complete(f"hello:{second}"))
        script.put(second, "pods", pod("new", of=None, uid=f"uid-{second}")).remove(
            second, "pods", pod("new", of=None)
        )
    with pytest.raises(ExpectationFailed) as failed:
        script.judge(when=1, patience=50).judge(PodsStatement(pods(), exactly(9), "ready"), Becomes())
    history = failed.value.failure.history
    assert len(history) == 9
    assert history[3] == "… 4 more"
    assert all("image set" in line for line in history[:3] + history[4:])


def test_the_story_tells_what_matters() -> None:
    """Of the workload, its replica sets and pods, and of nodes; nothing of others."""
    script = three_pods().put(2, "nodes", node("node-1", ready=False))
    script.put(2, "pods", pod("stranger", of=None)).put(3, "replicasets", replica_set(1, replicas=1))
    script.put(4, "pods", pod("a", restarts=1)).put(5, "deployments", complete(replicas=1))
    script.put(6, "deployments", deployment(replicas=1, spec={"paused": True}))
    script.put(7, "pods", pod("b", deleting=True)).remove(8, "pods", pod("b"))
    with pytest.raises(ExpectationFailed) as failed:
        script.judge(when=1, patience=50).judge(PodsStatement(pods(), exactly(9), "ready"), Becomes())
    assert [line.split("  ")[1] for line in failed.value.failure.history] == [
        "node node-1 is down (Ready Unknown)",
        "web-1 3→1",
        "web-1-a restarted",
        "web scaled 3→1",
        "web paused",
        "web-1-b deleted",
        "web-1-b gone",
    ]


def test_the_block() -> None:
    """As LANGUAGE.md shows it, but for the place and what to do next."""
    failure = Failure(
        expected="exactly 4 v2 pods running",
        found="3 running (web-6c9f-a, -b, -c)",
        why=['deployment "web" waits', "└ pod web-7d44-x: container app waits: ImagePullBackOff"],
        unreachable="nothing that is going on changes the image of revision 3",
        history=["t+0.0 s  image set to acme/web:v10 (revision 3)", "t+0.1 s  web-7d44 0→1"],
    )
    assert str(ExpectationFailed(failure)).splitlines() == [
        "  expected  exactly 4 v2 pods running",
        "  found     3 running (web-6c9f-a, -b, -c)",
        '  why       deployment "web" waits',
        "            └ pod web-7d44-x: container app waits: ImagePullBackOff",
        "  cannot become true: nothing that is going on changes the image of revision 3",
        "  history   t+0.0 s  image set to acme/web:v10 (revision 3) · t+0.1 s  web-7d44 0→1",
    ]


def test_names_are_short() -> None:
    """A name that shares its stem with the one before is told by its end; of many the rest is counted."""
    assert names([pod(name) for name in "cab"]) == "web-1-a, -b, -c"
    assert names([pod("a"), pod("a", of=2), pod("single", of=None)]) == "single, web-1-a, web-2-a"
    assert names([pod(name) for name in "abcdefgh"]) == "web-1-a, -b, -c, -d, -e, -f, and 2 more"
