"""What is said of a workload: its rollout, and what its fields are compared with."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.errors import UsageError
from gherkube.runners.expectations.count import exactly
from gherkube.runners.expectations.failure import ExpectationFailed
from gherkube.runners.expectations.subjects import WorkloadRef
from gherkube.runners.expectations.time import AtSomeTime, Becomes, Past, Stays
from gherkube.runners.expectations.workloads import WorkloadStatement
from gherkube.runners.objects import Object
from tests.expectations.fakes import WEB, complete, deployment, pod, replica_set, three_pods

COMPLETES = WorkloadStatement.rollout(WEB, "completes")
STUCK = WorkloadStatement.rollout(WEB, "stuck")


def test_a_rollout_completes_when_the_newest_generation_has() -> None:
    """What was complete before the change does not count, nor does what nobody has observed."""
    seen = complete("hello:2", generation=2)
    unseen = {**seen, "status": {**seen["status"], "observedGeneration": 1}}
    script = three_pods().put(1, "deployments", unseen)
    script.put(2, "deployments", deployment("hello:2", generation=2, status={"updatedReplicas": 1}))
    script.put(5, "deployments", seen)
    judge = script.judge(when=1)
    judge.judge(COMPLETES, Becomes())
    assert script.now() == 5
    judge.judge(COMPLETES, Past())
    judge.judge(COMPLETES, AtSomeTime())


def test_a_rollout_that_never_completed_in_the_window() -> None:
    """The state before the change is complete, but of another generation."""
    script = three_pods().put(2, "deployments", deployment("hello:2", generation=2))
    judge = script.judge(when=1, patience=10)
    script.sleep(5)
    for time in (Becomes(), Past(), AtSomeTime()):
        with pytest.raises(ExpectationFailed):
            judge.judge(COMPLETES, time)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ({"observedGeneration": 0}, "Waiting for deployment spec update to be observed..."),
        ({"updatedReplicas": 2}, "2 out of 3 new replicas have been updated..."),
        ({"updatedReplicas": 3, "replicas": 4}, "1 old replicas are pending termination..."),
        (
            {"updatedReplicas": 3, "replicas": 3, "availableReplicas": 1},
            "1 of 3 updated replicas are available...",
        ),
        (complete()["status"], 'deployment "web" successfully rolled out'),
        (
            {
                "conditions": [
                    {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
                ]
            },
            'error: deployment "web" exceeded its progress deadline',
        ),
    ],
)
def test_the_status_says_what_kubectl_says(status: Object, message: str) -> None:
    """Part of kubectl's line is enough, another line is not."""
    script = three_pods().put(0, "deployments", deployment(status=status))
    judge = script.judge(patience=1)
    judge.judge(WorkloadStatement.rollout(WEB, "status_says", message), Becomes())
    with pytest.raises(ExpectationFailed):
        judge.judge(WorkloadStatement.rollout(WEB, "status_says", message + "!"), Becomes())


def test_exceeding_the_deadline() -> None:
    """As the Progressing condition says, now or at some time."""
    late = {"conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]}
    script = three_pods().put(2, "deployments", deployment("hello:2", generation=2))
    script.put(9, "deployments", deployment("hello:2", generation=2, status=late))
    script.put(12, "deployments", complete("hello:2", generation=2))
    judge = script.judge(when=1)
    exceeds = WorkloadStatement.rollout(WEB, "exceeds_deadline")
    with pytest.raises(ExpectationFailed):
        judge.judge(exceeds, Past())
    judge.judge(exceeds, Becomes())
    assert script.now() == 9
    script.sleep(10)
    judge.judge(exceeds, Past())
    with pytest.raises(ExpectationFailed):
        judge.judge(exceeds, Becomes(5))


def test_stuck_is_when_nothing_but_retries_is_left() -> None:
    """Not as long as something is to come, and not when the rollout is complete; seen without any change."""
    script = three_pods().put(2, "deployments", deployment("hello:2", generation=2))
    script.idle_from = 7.5
    judge = script.judge(when=2, patience=20)
    judge.judge(STUCK, Becomes())
    assert 7.5 <= script.now() <= 8.5
    judge.judge(STUCK, Stays(3))
    done = three_pods()
    done.idle_from = 0
    with pytest.raises(ExpectationFailed):
        done.judge(patience=3).judge(STUCK, Becomes())


def test_stuck_no_more() -> None:
    """It does not stay stuck when something begins to happen, or when it completes."""
    script = three_pods().put(0, "deployments", deployment("hello:2", generation=2))
    script.put(4, "deployments", complete("hello:2", generation=2))
    script.idle_from = 0
    with pytest.raises(ExpectationFailed):
        script.judge(when=1).judge(STUCK, Stays(10))
    assert script.now() == 4


@pytest.mark.parametrize("time", [Past(), AtSomeTime()])
def test_stuck_cannot_be_told_of_the_past(time: Past | AtSomeTime) -> None:
    """The history does not say what was to come."""
    with pytest.raises(UsageError, match="present tense"):
        three_pods().judge().judge(STUCK, time)


def test_what_a_kind_does_not_have_cannot_be_asked_of_it() -> None:
    """A rollout and its history, a progress deadline, replica sets, a number of replicas."""
    replica_set, stateful_set, job = (
        WorkloadRef(resource, "default", "web") for resource in ("replicasets", "statefulsets", "jobs")
    )
    with pytest.raises(UsageError, match="has no rollout"):
        WorkloadStatement.rollout(replica_set, "completes")
    with pytest.raises(UsageError, match="has no rollout"):
        WorkloadStatement.revisions(job, [1])
    with pytest.raises(UsageError, match="has no progress deadline"):
        WorkloadStatement.rollout(stateful_set, "exceeds_deadline")
    with pytest.raises(UsageError, match="has no replica sets"):
        WorkloadStatement.replica_sets(stateful_set, [1])
    with pytest.raises(UsageError, match="has no replica sets"):
        WorkloadStatement.so_many_replica_sets(stateful_set, exactly(1))
    with pytest.raises(UsageError, match="has no number of up-to-date replicas"):
        WorkloadStatement.replicas(job, up_to_date=exactly(1))


@pytest.mark.parametrize(
    ("path", "value", "negated", "so"),
    [
        ("spec.replicas", 3, False, True),
        ("spec.replicas", "3", False, True),
        ("spec.replicas", 4, False, False),
        ("spec.replicas", 4, True, True),
        ("spec.replicas", 3, True, False),
        ("spec.paused", True, False, True),
        ("spec.paused", "true", False, True),
        ("spec.paused", 1, False, False),
        ("spec.template.spec.containers[0].image", "hello:1", False, True),
        ("spec.template.spec.containers[0].image", "hello:2", True, True),
        ("status.conditions[?(@.type=='Available')].status", "True", False, True),
        ("status.conditions[?(@.type=='Available')].status", True, False, False),
        ("status.conditions[?(@.type=='Available')].status", True, True, False),
        ("spec.template", "hello:1", True, False),
        ("spec.template.spec.containers", 3, True, False),
        ("status.conditions[*].status", "True", False, False),
        ("status.conditions[*].status", "True", True, False),
        ("status.conditions[*].status", "Unknown", True, True),
        ("spec.replcias", 3, False, False),
        ("spec.replcias", 3, True, False),
        ("status.conditions[?(@.type=='Nope')].status", "True", True, False),
    ],
)
def test_fields(path: str, value: Any, negated: bool, so: bool) -> None:
    """Text is compared as text, a number as a number.

    What is not there, is no single value, or is so in part only is neither so nor not so.
    """
    conditions = [{"type": "Available", "status": "True"}, {"type": "Progressing", "status": "False"}]
    shown = deployment(spec={"paused": True}, status={"conditions": conditions})
    judge = three_pods().put(0, "deployments", shown).judge(patience=1)
    statement = WorkloadStatement.field(WEB, path, value, negated)
    if so:
        judge.judge(statement, Becomes())
        return
    with pytest.raises(ExpectationFailed) as failed:
        judge.judge(statement, Becomes())
    if "replcias" in path or "Nope" in path:
        assert failed.value.failure.found == f'there is no "{path}"'


def test_a_part_of_a_workload() -> None:
    """All that is given has to be so, and an unknown field is refused before anything is judged."""
    judge = three_pods().judge(patience=1)
    judge.judge(WorkloadStatement.matches(WEB, {"spec": {"replicas": 3}}), Becomes())
    with pytest.raises(ExpectationFailed, match=r"spec\.replicas is 3, not 4"):
        judge.judge(WorkloadStatement.matches(WEB, {"spec": {"replicas": 4}}), Becomes())
    with pytest.raises(ExpectationFailed, match=r"there is no spec\.paused"):
        judge.judge(WorkloadStatement.matches(WEB, {"spec": {"paused": False}}), Becomes())
    with pytest.raises(UsageError, match=r"spec\.replicsa; did you mean replicas"):
        WorkloadStatement.matches(WEB, {"spec": {"replicsa": 3}})


def test_a_workload_that_is_gone_is_not_so() -> None:
    """Also what is negated."""
    script = three_pods().remove(1, "deployments", complete())
    judge = script.judge(when=2, patience=1)
    for statement in (
        COMPLETES,
        WorkloadStatement.field(WEB, "spec.replicas", 4, negated=True),
        WorkloadStatement.replicas(WEB, ready=exactly(3)),
    ):
        with pytest.raises(ExpectationFailed, match='there is no deployment "web"'):
            judge.judge(statement, Becomes())


def test_a_workload_that_never_was() -> None:
    """Is told so."""
    with pytest.raises(ExpectationFailed, match='there never was a deployment "wep"'):
        three_pods().judge(patience=1).judge(
            WorkloadStatement.replicas(WorkloadRef("deployments", "default", "wep"), ready=exactly(3)),
            Becomes(),
        )


def test_any_object_can_be_matched() -> None:
    """Pods and others by name are objects, too."""
    script = three_pods()
    ref = WorkloadRef("pods", "default", pod("a")["metadata"]["name"])
    script.judge().judge(WorkloadStatement.field(ref, "status.phase", "Running"), Becomes())


def test_how_many_replica_sets() -> None:
    """Whatever their replicas; those of others do not count."""
    script = three_pods().put(5, "replicasets", replica_set(2))
    judge = script.judge(when=1, patience=10)
    judge.judge(WorkloadStatement.so_many_replica_sets(WEB, exactly(1)), Stays(2))
    judge.judge(WorkloadStatement.so_many_replica_sets(WEB, exactly(2)), Becomes())
    with pytest.raises(ExpectationFailed, match=r"2 replica sets: web-1 \(revision 1\) with 3, web-2"):
        judge.judge(WorkloadStatement.so_many_replica_sets(WEB, exactly(3)), Becomes())
