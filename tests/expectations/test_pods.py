"""Which pods are meant, and what is said of them at a moment."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.errors import UsageError
from gherkube.runners.expectations.count import Count, at_least, at_most, every, exactly, none
from gherkube.runners.expectations.failure import ExpectationFailed
from gherkube.runners.expectations.pods import PODS, PodsStatement
from gherkube.runners.expectations.subjects import PodSelector, WorkloadRef, tag_of
from gherkube.runners.expectations.time import Becomes, Stays, Throughout
from gherkube.runners.objects import Object
from tests.expectations.fakes import (
    Script,
    complete,
    deployment,
    named,
    node,
    pod,
    pods,
    replica_set,
    three_pods,
)

GOING = pod("x", deleting=True)
ENDED = pod("x", phase="Failed")
PENDING = pod("x", phase="Pending")
PULLING = pod("x", waiting="ImagePullBackOff")


def count_of(script: Script, selector: PodSelector, predicate: str = "exist", argument: Any = None) -> int:
    """How many pods it is true of, asked by counting up."""
    judge = script.judge(patience=0.001)
    for n in range(20):
        try:
            judge.judge(PodsStatement(selector, exactly(n) if n else none(), predicate, argument), Becomes())
        except ExpectationFailed:
            continue
        return n
    raise AssertionError


@pytest.mark.parametrize(
    ("predicate", "argument", "true", "false"),
    [
        ("active", None, PENDING, GOING),
        ("active", None, pod("x", ready=False), ENDED),
        ("running", None, pod("x"), pod("x", ready=False)),
        ("running", None, pod("x"), GOING),
        ("running", None, pod("x"), PENDING),
        ("ready", None, pod("x"), pod("x", ready=False)),
        ("ready", None, pod("x"), GOING),
        ("available", None, pod("x"), pod("x", ready=False)),
        ("pending", None, PENDING, pod("x")),
        ("pending", None, PULLING, pod("x", phase="Pending", deleting=True)),
        ("terminating", None, GOING, pod("x")),
        ("exist", None, GOING, None),
        ("show", "ImagePullBackOff", PULLING, pod("x", waiting="ErrImagePull")),
        ("show", "Terminating", GOING, pod("x")),
        ("show", "Running", pod("x", ready=False), GOING),
        ("restarted", None, pod("x", restarts=2), pod("x")),
        ("restarted", exactly(2), pod("x", restarts=2), pod("x", restarts=3)),
        ("on_node", "node-1", pod("x"), pod("x", node="node-2")),
        ("on_node", "node-1", pod("x"), GOING),
        ("match", {"spec": {"containers": [{"image": "hello:1"}]}}, pod("x"), pod("x", image="hello:2")),
        ("match", {"spec": {"nodeName": "node-1"}}, pod("x"), GOING),
    ],
)
def test_predicates(predicate: str, argument: Any, true: Object, false: Object | None) -> None:
    """Each predicate is true of one pod and false of another."""
    for shown, n in ((true, 1), (false, 0)):
        script = three_pods()
        script.remove(0, "pods", *(pod(name) for name in "abc"))
        if shown is not None:
            script.put(0, "pods", shown)
        assert count_of(script, pods(), predicate, argument) == n


def test_every_predicate_has_been_tried() -> None:
    """The table above misses none."""
    tried = {mark.args[1][i][0] for mark in test_predicates.pytestmark for i in range(len(mark.args[1]))}  # type: ignore[attr-defined]
    assert tried == set(PODS)


def test_available_asks_for_min_ready_seconds() -> None:
    """A pod is available when it has been ready for so long, though nothing changes then."""
    script = Script().put(0, "deployments", complete())
    script.put(0, "replicasets", replica_set(1, minReadySeconds=10))
    script.put(0, "pods", pod("a", ready=False)).put(3.5, "pods", pod("a")).put(60, "nodes", node("node-9"))
    judge = script.judge(when=1)
    available = PodsStatement(pods(), exactly(1), "available")
    judge.judge(PodsStatement(pods(), exactly(1), "ready"), Becomes())
    judge.judge(PodsStatement(pods(), none(), "available"), Stays(8))
    judge.judge(available, Becomes())
    assert 13 <= script.now() <= 14.5
    judge.judge(available, Stays(5))


@pytest.mark.parametrize(
    ("chosen", "n"),
    [
        ({}, 4),
        ({"version": "1"}, 3),
        ({"version": "2"}, 1),
        ({"image": "hello:2"}, 1),
        ({"revision": "new"}, 1),
        ({"revision": "old"}, 3),
        ({"name": "web-1-a"}, 1),
        ({"node": "node-2"}, 1),
        ({"labels": "tier=front"}, 1),
        ({"labels": "app=web", "version": "1"}, 3),
    ],
)
def test_which_pods_are_meant(chosen: dict[str, str], n: int) -> None:
    """By workload, version, image, revision, name, node and labels, and all of these together."""
    script = three_pods().put(0, "deployments", deployment("hello:2", generation=2))
    script.put(0, "replicasets", replica_set(2))
    script.put(0, "pods", pod("d", of=2, node="node-2", labels={"app": "web", "tier": "front"}))
    script.put(0, "pods", pod("stranger", of=None, image="hello:1"))
    assert count_of(script, pods(**chosen)) == n


def test_pods_without_a_workload_are_those_of_the_namespace() -> None:
    """Owned or not, but of this namespace only."""
    script = three_pods().put(0, "pods", pod("stranger", of=None))
    elsewhere = pod("far", of=None)
    elsewhere["metadata"]["namespace"] = "other"
    script.put(0, "pods", elsewhere)
    assert count_of(script, PodSelector(None, "default")) == 4
    assert count_of(script, PodSelector(None, "default", labels="app=web")) == 4
    assert count_of(script, PodSelector(None, "other")) == 1


def test_pods_belong_by_owner_not_by_label() -> None:
    """A pod that was released is not the workload's; one whose owner is gone still is."""
    script = three_pods()
    released = {**pod("a"), "metadata": named("web-1-a", labels={"app": "web"})}
    script.put(1, "pods", released).remove(2, "replicasets", replica_set(1)).remove(
        3, "deployments", complete()
    )
    script.sleep(5)
    assert count_of(script, pods()) == 2


def test_adopted_replica_sets_bring_their_pods() -> None:
    """Pods count from the moment at which their replica set gets its owner."""
    orphan = replica_set(1)
    orphan = {**orphan, "metadata": {k: v for k, v in orphan["metadata"].items() if k != "ownerReferences"}}
    script = Script().put(0, "deployments", complete()).put(0, "replicasets", orphan)
    script.put(0, "pods", pod("a")).put(5, "replicasets", replica_set(1))
    judge = script.judge(when=1)
    judge.judge(PodsStatement(pods(), exactly(1), "ready"), Becomes())
    assert script.now() == 5


def test_new_pods_are_those_of_the_template_that_the_deployment_has_now() -> None:
    """Between the change of the template and its replica set there are none; an undo makes old pods new."""
    script = three_pods().put(2, "deployments", deployment("hello:2", generation=2))
    script.put(3, "replicasets", replica_set(2)).put(4, "pods", pod("d", of=2))
    back = replica_set(1)
    back["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "3"}
    script.put(6, "deployments", deployment("hello:1", generation=3)).put(7, "replicasets", back)
    new = pods(revision="new")
    for at, n in ((1, 3), (2.5, 0), (3.5, 0), (5, 1), (8, 3)):
        script.sleep(at - script.now())
        assert count_of(script, new) == n
        if at > 2:  # before there is nothing that could be old
            assert count_of(script, pods(revision="old")) == (3 if at < 4 else 4) - n


def test_a_bare_replica_sets_new_pods_have_the_images_of_its_template() -> None:
    """A replica set has no revisions: what its template says now is new."""
    owner = {
        "kind": "ReplicaSet",
        "metadata": named("set"),
        "spec": {"template": {"spec": {"containers": [{"name": "app", "image": "hello:2"}]}}},
    }
    pods_of = [{**pod(f"set-{v}", of=None, image=f"hello:{v}")} for v in "112"]
    script = Script().put(0, "replicasets", owner)
    for index, one in enumerate(pods_of):
        script.put(0, "pods", {**one, "metadata": named(f"set-{index}", owner)})
    ref = WorkloadRef("replicasets", "default", "set")
    assert count_of(script, PodSelector(ref, "default", revision="new")) == 1
    assert count_of(script, PodSelector(ref, "default", revision="old")) == 2


@pytest.mark.parametrize(
    ("count", "holds"),
    [
        (exactly(3), True),
        (exactly(2), False),
        (exactly(3, of=4), True),
        (exactly(3, of=5), False),
        (exactly(3, of=3), False),
        (at_least(3), True),
        (at_least(4), False),
        (at_most(3), True),
        (at_most(2), False),
        (every(), False),
        (every(of=4), False),
    ],
)
def test_counts(count: Count, holds: bool) -> None:
    """Three of four are ready; a fifth, which is terminating, is not among those of whom it is asked."""
    script = three_pods().put(0, "pods", pod("d", ready=False), pod("e", deleting=True))
    judge = script.judge(patience=1)
    statement = PodsStatement(pods(), count, "ready")
    if holds:
        judge.judge(statement, Becomes())
    else:
        with pytest.raises(ExpectationFailed):
            judge.judge(statement, Becomes())


def test_three_of_four_may_be_of_the_replicas() -> None:
    """READY 3/4 is said of a workload that has more pods than replicas, too; not of a part of its pods."""
    script = (
        three_pods().put(0, "deployments", deployment("hello:2", 4)).put(0, "replicasets", replica_set(2))
    )
    script.put(0, "pods", *(pod(name, of=2, waiting="ImagePullBackOff") for name in "de"))
    judge = script.judge(patience=1)
    judge.judge(PodsStatement(pods(), exactly(3, of=4), "ready"), Becomes())
    judge.judge(PodsStatement(pods(), exactly(3, of=5), "ready"), Becomes())
    for statement in (
        PodsStatement(pods(), exactly(3, of=6), "ready"),
        PodsStatement(pods(), exactly(2, of=4), "ready"),
        PodsStatement(pods(version="1"), exactly(3, of=4), "ready"),
        PodsStatement(pods(), every(4), "ready"),
    ):
        with pytest.raises(ExpectationFailed):
            judge.judge(statement, Becomes())


def test_all_pods_of_none_are_never_so() -> None:
    """All of nothing says nothing; the terminating ones are among all of whom it is asked what they show."""
    script = three_pods()
    script.judge().judge(PodsStatement(pods(), every(), "ready"), Becomes())
    script.judge().judge(PodsStatement(pods(), every(3), "ready"), Becomes())
    script.put(0, "pods", pod("d", deleting=True))
    script.judge().judge(PodsStatement(pods(), every(), "ready"), Becomes())
    with pytest.raises(ExpectationFailed):
        script.judge(patience=1).judge(PodsStatement(pods(), every(), "show", "Running"), Becomes())
    script.remove(0, "pods", *(pod(name) for name in "abcd"))
    with pytest.raises(ExpectationFailed, match="there are no pods"):
        script.judge(patience=1).judge(PodsStatement(pods(), every(), "ready"), Becomes())


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        (
            PodSelector(WorkloadRef("deployments", "default", "wep"), "default"),
            'never was a deployment "wep"',
        ),
        (PodSelector(WorkloadRef("deployments", "other", "web"), "other"), 'in namespace "other"'),
        (pods(version="3"), "of version 3"),
        (pods(image="hallo:1"), "hallo:1"),
        (pods(labels="app=wep"), "app=wep"),
        (pods(name="web-1-z"), "web-1-z"),
        (pods(version="v1"), r'were hello:1 \(v1 is that very tag; for the other write "hello:1" pods\)'),
        (pods(node="node-9"), 'never was a node "node-9"'),
        (pods(revision="old"), "never had more than one revision"),
        (PodSelector(None, "default", labels="app=wep"), "app=wep"),
    ],
)
@pytest.mark.parametrize("count", [none(), at_most(3), exactly(1)], ids=lambda count: count.text)
@pytest.mark.parametrize("time", [Becomes(), Throughout(), Stays(3)], ids=lambda time: type(time).__name__)
def test_nothing_there_is_never_no_pods(
    selector: PodSelector, words: str, count: Count, time: Becomes | Throughout | Stays
) -> None:
    """What never matched anything is told to be so, and at once where "no pods" was asked for."""
    script = three_pods()
    with pytest.raises(ExpectationFailed, match=words) as failed:
        script.judge(patience=10).judge(PodsStatement(selector, count, "exist"), time)
    if isinstance(time, Becomes):
        assert script.now() == (10 if count == exactly(1) else 0)
    assert not failed.value.failure.why


@pytest.mark.parametrize(
    "selector",
    [
        pods(version="2"),
        pods(revision="new"),
        pods(node="node-2"),
        pods(image="hello:2"),
    ],
    ids=str,
)
def test_what_was_there_once_may_be_empty(selector: PodSelector) -> None:
    """A node, a revision, a version that a template has or pods had may have no pods now."""
    script = Script().put(0, "nodes", node("node-2")).put(0, "deployments", deployment("hello:2", 0))
    script.judge().judge(PodsStatement(selector, none(), "exist"), Becomes())


def test_what_is_to_come_is_waited_for() -> None:
    """A version that nothing had yet may still appear."""
    script = three_pods().put(4, "replicasets", replica_set(2)).put(5, "pods", pod("d", of=2))
    script.judge().judge(PodsStatement(pods(version="2"), exactly(1), "ready"), Becomes())
    assert script.now() == 5


def test_new_pods_of_no_workload_cannot_be_asked_for() -> None:
    """Only a workload has a newest revision."""
    with pytest.raises(UsageError, match="which workload"):
        PodSelector(None, "default", revision="new")


def test_a_misspelt_field_is_named() -> None:
    """A partial object is held against the fields that a pod can have."""
    with pytest.raises(UsageError, match=r"no field spec\.contaners; did you mean containers"):
        PodsStatement(pods(), every(), "match", {"spec": {"contaners": []}})


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("hello:2", "2"),
        ("hello", "latest"),
        ("registry:5000/hello", "latest"),
        ("registry:5000/a/hello:v2", "v2"),
        ("hello:v2@sha256:abc", "v2"),
        ("hello@sha256:abc", ""),
    ],
)
def test_tags(image: str, tag: str) -> None:
    """The version of an image is its tag; the registry's port is none."""
    assert tag_of(image) == tag


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (PodsStatement(pods(name="web-0"), every(), "ready"), 'pod "web-0" ready'),
        (PodsStatement(pods(), exactly(1), "restarted"), "exactly 1 pod that has restarted"),
        (
            PodsStatement(pods(), exactly(2), "restarted", at_least(3)),
            "exactly 2 pods that have restarted at",
        ),
        (
            PodsStatement(pods(), at_least(1), "match", {"kind": "Pod"}),
            "at least 1 pod that matches kind Pod",
        ),
    ],
)
def test_what_is_expected_is_told_as_it_was_said(statement: PodsStatement, words: str) -> None:
    """One pod, or several."""
    assert statement.text.startswith(words)
