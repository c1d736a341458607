"""Jobs: how many pods at a time, what is tried again and when, how they end; and when CronJobs make one."""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gherkube.runners.errors import ApiError
from gherkube.runners.history import ADDED, DELETED
from gherkube.runners.objects import ENDED, Object, condition, is_deleting
from gherkube.runners.simulator.cluster import Simulator
from gherkube.runners.simulator.controllers.job_pods import TRACKING, indexes, told_indexes
from gherkube.runners.simulator.controllers.job_policies import FAILED_BEFORE
from gherkube.runners.simulator.controllers.ownership import reference_to
from tests.simulator.controllers.sets import moments, pods


def template(image: str = "work:1", restart: str = "Never") -> Object:
    return {"spec": {"restartPolicy": restart, "containers": [{"name": "app", "image": image}]}}


def job(**spec: Any) -> Object:
    metadata = {"name": "work", "namespace": "default"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {"template": template(), **spec},
    }


def begun(obj: Object, *, seed: int = 0, **behaviour: Any) -> Simulator:
    """A cluster with the Job, whose image ends after 3 seconds unless it is said to behave otherwise."""
    cluster = Simulator(seed=seed)
    cluster.faults.behave("work:1", **{"crash_after": 3, "exit_code": 0, **behaviour})
    cluster.api.create(obj)
    return cluster


def status(cluster: Simulator, name: str = "work") -> Object:
    shown: Object = cluster.api.get("jobs", name, "default")["status"]
    return shown


def ended(cluster: Simulator) -> list[str]:
    """The types of the Job's conditions that are true."""
    return [each["type"] for each in status(cluster).get("conditions", ()) if each["status"] == "True"]


def reasons(cluster: Simulator, kind: str = "Job") -> list[str]:
    events = cluster.api.list("events", "default")
    return [event["reason"] for event in events if event["involvedObject"]["kind"] == kind]


@settings(max_examples=15)
@given(st.integers(0, 6), st.integers(1, 4), st.booleans(), st.integers(0, 99))
def test_as_many_succeed_as_are_to_and_never_more_at_a_time(
    completions: int, parallelism: int, indexed: bool, seed: int
) -> None:
    """And each is counted once; of an indexed Job each index succeeds once."""
    mode = {"completionMode": "Indexed"} if indexed else {}
    cluster = begun(job(completions=completions, parallelism=parallelism, **mode), seed=seed)
    cluster.clock.sleep(90.0)
    shown = status(cluster)
    assert ended(cluster) == ["SuccessCriteriaMet", "Complete"]
    assert shown.get("succeeded", 0) == len(pods(cluster)) == completions
    assert (shown["uncountedTerminatedPods"], shown["terminating"], shown["ready"]) == ({}, 0, 0)
    running = [[p for p in there if p["status"].get("phase") not in ENDED] for there in moments(cluster)]
    assert max(map(len, running), default=0) <= parallelism
    assert not any(TRACKING in pod["metadata"].get("finalizers", ()) for pod in pods(cluster))
    if indexed:
        assert indexes(shown.get("completedIndexes", "")) == set(range(completions))


@pytest.mark.parametrize(("limit", "times"), [(0, 1), (1, 2), (3, 4)])
def test_failures_are_tried_again_until_there_were_too_many(limit: int, times: int) -> None:
    """Each time after twice as long: 10, 20, 40 seconds after the failure before."""
    cluster = begun(job(backoffLimit=limit), exit_code=1)
    cluster.clock.sleep(200.0)
    assert ended(cluster) == ["FailureTarget", "Failed"]
    assert status(cluster)["failed"] == times == len(pods(cluster))
    failed = condition({"status": status(cluster)}, "Failed")
    assert failed is not None
    assert failed["reason"] == "BackoffLimitExceeded"
    assert reasons(cluster).count("BackoffLimitExceeded") == 1
    made = [one.at for one in cluster.history.since() if one.resource == "pods" and one.old is None]
    waits = [later - earlier for earlier, later in pairwise(made)]
    assert all(wait > 10 * 2**number for number, wait in enumerate(waits))


def test_containers_that_are_restarted_count_as_well() -> None:
    """With restartPolicy OnFailure there is one pod, until its containers were restarted too often."""
    cluster = begun(job(backoffLimit=2, template=template(restart="OnFailure")), exit_code=1)
    cluster.clock.sleep(200.0)
    assert "Failed" in ended(cluster)
    assert len([one for one in cluster.history.since() if one.resource == "pods" and one.old is None]) == 1


def test_a_deadline_ends_what_runs() -> None:
    """Its pods are deleted, and count as failed; it has failed once they are gone."""
    cluster = begun(
        job(activeDeadlineSeconds=20, parallelism=2, completions=2), crash_after=900, stop_seconds=5
    )
    cluster.clock.sleep(19.0)
    assert status(cluster)["active"] == 2
    cluster.clock.sleep(60.0)
    failed = condition({"status": status(cluster)}, "Failed")
    assert failed is not None
    assert failed["reason"] == "DeadlineExceeded"
    assert [pod for pod in pods(cluster) if pod["status"]["phase"] not in ENDED] == []
    assert status(cluster)["failed"] == 2


def test_suspended_and_resumed() -> None:
    """Suspending deletes what runs without counting it; resuming begins anew."""
    cluster = begun(job(), crash_after=30)
    cluster.clock.sleep(10.0)
    cluster.api.patch("jobs", "work", {"spec": {"suspend": True}}, "default", type="merge")
    cluster.clock.sleep(20.0)
    assert pods(cluster) == []
    assert ended(cluster) == ["Suspended"]
    cluster.api.patch("jobs", "work", {"spec": {"suspend": False}}, "default", type="merge")
    cluster.clock.sleep(60.0)
    assert "Complete" in ended(cluster)
    assert "failed" not in status(cluster)
    assert {"Suspended", "Resumed", "Completed"} <= set(reasons(cluster))


def test_a_deleted_pod_counts_as_failed_and_is_replaced() -> None:
    """After the back-off of a failure, which is counted from its deletion. getFinishedTime"""
    cluster = begun(job(), crash_after=30, stop_seconds=5)
    cluster.clock.sleep(10.0)
    cluster.api.delete("pods", pods(cluster)[0]["metadata"]["name"], "default")
    cluster.clock.sleep(90.0)
    assert (status(cluster)["failed"], status(cluster)["succeeded"]) == (1, 1)
    made = [each.at for each in cluster.history.since() if (each.resource, each.type) == ("pods", ADDED)]
    assert 20.0 <= made[1] <= 22.0


def test_a_pod_without_its_owner_is_taken_on_again_and_one_without_its_labels_let_go() -> None:
    """A pod that nobody controls belongs to the Job whose selector matches it."""
    cluster = begun(job(), crash_after=300)
    cluster.clock.sleep(5.0)
    pod = deepcopy(pods(cluster)[0])
    owners = pod["metadata"].pop("ownerReferences")
    cluster.api.replace(pod)
    cluster.clock.sleep(5.0)
    pod = deepcopy(pods(cluster)[0])
    assert pod["metadata"]["ownerReferences"] == owners
    del pod["metadata"]["labels"]
    cluster.api.replace(pod)
    cluster.clock.sleep(5.0)
    names = {each["metadata"]["name"]: "ownerReferences" in each["metadata"] for each in pods(cluster)}
    assert names.pop(pod["metadata"]["name"]) is False
    assert list(names.values()) == [True]


def test_a_job_of_another_manager_is_left_alone() -> None:
    """No status, no pods; where what is not modelled is kept."""
    cluster = Simulator(keeps=True)
    cluster.api.create(job(managedBy="example.com/manager"))
    cluster.clock.sleep(10.0)
    assert (status(cluster), pods(cluster)) == ({}, [])


def test_parallelism_may_change_while_it_runs() -> None:
    """Pods too many are deleted, and do not count."""
    cluster = begun(job(completions=4, parallelism=4), crash_after=60)
    cluster.clock.sleep(10.0)
    cluster.api.patch("jobs", "work", {"spec": {"parallelism": 1}}, "default", type="merge")
    cluster.clock.sleep(20.0)
    assert len(pods(cluster)) == 1
    assert "failed" not in status(cluster)


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
def test_its_pods_go_with_it(propagation: Any) -> None:
    """Whatever finalizers they have."""
    cluster = begun(job(completions=3, parallelism=3), crash_after=60)
    cluster.clock.sleep(10.0)
    cluster.api.delete("jobs", "work", "default", propagation=propagation)
    cluster.clock.sleep(30.0)
    assert pods(cluster) == []
    assert cluster.api.list("jobs", "default") == []


def test_a_job_that_has_ended_is_deleted_after_its_time_to_live() -> None:
    """In the foreground, with its pods."""
    cluster = begun(job(ttlSecondsAfterFinished=30))
    cluster.clock.sleep(25.0)
    assert "Complete" in ended(cluster)
    cluster.clock.sleep(30.0)
    assert cluster.api.list("jobs", "default") == pods(cluster) == []


def test_its_selector_and_labels_are_its_own() -> None:
    """Of its uid and name, in both spellings; pods of an indexed Job know their index."""
    cluster = begun(job(completions=2, completionMode="Indexed"))
    cluster.clock.sleep(5.0)
    stored = cluster.api.get("jobs", "work", "default")
    uid = stored["metadata"]["uid"]
    assert stored["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    (pod,) = pods(cluster)
    labels = pod["metadata"]["labels"]
    assert (labels["job-name"], labels["controller-uid"]) == ("work", uid)
    assert pod["spec"]["hostname"] == "work-0"
    assert pod["metadata"]["name"].startswith("work-0-")
    assert pod["spec"]["containers"][0]["env"][0]["name"] == "JOB_COMPLETION_INDEX"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (job(template=template(restart="Always")), 'valid values: "OnFailure", "Never"'),
        (job(parallelism=-1), "spec.parallelism: Invalid value: -1"),
        (job(completionMode="Indexed", parallelism=2), "when completion mode is Indexed"),
        (job(completionMode="Some"), 'supported values: "NonIndexed", "Indexed"'),
    ],
)
def test_what_is_refused(wrong: Object, message: str) -> None:
    """As the API server says it."""
    with pytest.raises(ApiError) as refused:
        Simulator().api.create(wrong)
    assert message in str(refused.value)


def test_a_template_cannot_be_changed() -> None:
    """Nor what else decides which pods there are."""
    cluster = begun(job())
    with pytest.raises(ApiError, match="field is immutable"):
        cluster.api.patch("jobs", "work", {"spec": {"completions": 7}}, "default", type="merge")
    change = {"spec": {"template": template("other:1")}}
    with pytest.raises(ApiError, match="field is immutable"):
        cluster.api.patch("jobs", "work", change, "default", type="merge")


def test_a_selector_has_to_be_asked_for() -> None:
    """Its own label is added to it before it is looked at."""
    given_one = {"selector": {"matchLabels": {"a": "b"}}}
    with pytest.raises(
        ApiError, match=r'"a":"b","batch.kubernetes.io/controller-uid":".*`selector` not auto'
    ):
        Simulator().api.create(job(**given_one))


def test_an_exit_code_fails_the_job() -> None:
    """podFailurePolicy: pods that are running then are stopped; the limit does not matter."""
    rules = [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}]
    cluster = begun(job(backoffLimit=5, podFailurePolicy={"rules": rules}), exit_code=42)
    assert cluster.clock.wait(lambda: "Failed" in ended(cluster), 60)
    (pod,) = pods(cluster)
    assert status(cluster)["conditions"][-1]["message"] == (
        f"Container app for pod default/{pod['metadata']['name']} failed with exit code 42 "
        "matching FailJob rule at index 0"
    )
    assert status(cluster)["failed"] == 1
    assert cluster.api.get("jobs", "work", "default")["spec"]["podReplacementPolicy"] == "Failed"


def test_a_failure_that_is_ignored_is_not_counted() -> None:
    """The pod is replaced all the same."""
    rules = [{"action": "Ignore", "onExitCodes": {"operator": "In", "values": [7]}}]
    cluster = begun(job(backoffLimit=0, podFailurePolicy={"rules": rules}), exit_code=7)
    assert cluster.clock.wait(lambda: len(pods(cluster)) == 2, 60)
    assert "failed" not in status(cluster)
    assert ended(cluster) == []


def test_indexes_fail_by_themselves() -> None:
    """backoffLimitPerIndex: each is tried again as often; the rest goes on, and the Job fails at the end."""
    cluster = begun(
        job(completionMode="Indexed", completions=2, parallelism=2, backoffLimitPerIndex=1), exit_code=1
    )
    assert cluster.clock.wait(lambda: "Failed" in ended(cluster), 120)
    assert status(cluster)["failedIndexes"] == "0,1"
    assert status(cluster)["failed"] == 4
    assert reasons(cluster)[-1] == "FailedIndexes"
    told = [each["metadata"]["annotations"][FAILED_BEFORE] for each in pods(cluster)]
    assert sorted(told) == ["0", "0", "1", "1"]


def test_too_many_indexes_fail() -> None:
    """maxFailedIndexes: what still runs is stopped, and counted as failed."""
    spec = {"completionMode": "Indexed", "completions": 4, "backoffLimitPerIndex": 0, "maxFailedIndexes": 1}
    cluster = begun(job(parallelism=2, **spec), exit_code=1)
    assert cluster.clock.wait(lambda: "Failed" in ended(cluster), 120)
    assert status(cluster)["conditions"][-1]["reason"] == "MaxFailedIndexesExceeded"


def test_a_success_policy_ends_the_job_early() -> None:
    """What still runs is stopped and counts as nothing."""
    rules = [{"succeededIndexes": "0", "succeededCount": 1}]
    policy = {"successPolicy": {"rules": rules}}
    cluster = begun(job(completionMode="Indexed", completions=3, parallelism=1, **policy))
    assert cluster.clock.wait(lambda: "Complete" in ended(cluster), 60)
    assert status(cluster)["conditions"][0]["reason"] == "SuccessPolicy"
    assert status(cluster)["conditions"][0]["message"] == "Matched rules at index 0"
    assert (status(cluster)["completedIndexes"], status(cluster).get("failed", 0)) == ("0", 0)


def test_a_pod_is_replaced_only_once_it_has_ended() -> None:
    """podReplacementPolicy Failed: a pod that ends well when it is stopped has done its work."""
    cluster = begun(job(podReplacementPolicy="Failed"), crash_after=None)
    cluster.clock.sleep(5)
    (pod,) = pods(cluster)
    cluster.api.delete("pods", pod["metadata"]["name"], "default")
    cluster.clock.sleep(0.1)
    assert len(pods(cluster)) == 1
    assert status(cluster).get("failed", 0) == 0


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            {"maxFailedIndexes": 1},
            "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
        ),
        ({"backoffLimitPerIndex": 1}, "Invalid value: 1: requires indexed completion mode"),
        ({"successPolicy": {"rules": [{"succeededCount": 1}]}}, "requires indexed completion mode"),
        (
            {"podFailurePolicy": {"rules": [{"action": "FailIndex", "onPodConditions": [{"type": "X"}]}]}},
            'rules[0].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
        ),
        (
            {"podFailurePolicy": {"rules": [{"action": "Ignore"}]}},
            "rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required",
        ),
    ],
)
def test_policies_that_cannot_be(spec: Any, said: str) -> None:
    """As Kubernetes refuses them."""
    with pytest.raises(ApiError) as refused:
        Simulator().api.create(job(**spec))
    assert said in str(refused.value)


def test_a_pod_that_is_refused_is_tried_again_after_a_second() -> None:
    """Then after two, and so on: each time an event."""
    cluster = Simulator()
    hard = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "default"}}
    cluster.api.create({**hard, "spec": {"hard": {"pods": "0"}}})
    cluster.clock.sleep(1)
    cluster.api.create(job())
    cluster.clock.sleep(5)
    assert reasons(cluster) == ["FailedCreate"] * 3


def test_the_template_of_a_job_that_never_began_may_move() -> None:
    """Where its pods go, not what they run; what it would have been is shown as Go writes it."""
    api = Simulator().api
    api.create(job(suspend=True))
    move = {"spec": {"template": {"spec": {"nodeSelector": {"a": "b"}}}}}
    api.patch("jobs", "work", move, "default", type="merge")
    other = {"spec": {"template": template("other:1")}}
    with pytest.raises(ApiError) as refused:
        api.patch("jobs", "work", other, "default", type="merge")
    assert '"InitContainers":null,"Containers":[{"Name":"app","Image":"other:1",' in refused.value.message


@given(st.sets(st.integers(0, 30)))
def test_indexes_as_text(numbers: set[int]) -> None:
    """Written and read again they are the same."""
    assert indexes(told_indexes(numbers)) == numbers


def test_indexes_by_example() -> None:
    """Runs of three and more are ranges."""
    assert told_indexes({0, 1, 2, 5, 7, 8}) == "0-2,5,7,8"


def cron_job(schedule: str = "* * * * *", **spec: Any) -> Object:
    metadata = {"name": "tick", "namespace": "default"}
    jobs = {"spec": {"template": template()}}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": metadata,
        "spec": {"schedule": schedule, "jobTemplate": jobs, **spec},
    }


def times(cluster: Simulator) -> list[int]:
    """When Jobs were made, in seconds."""
    return [int(one.at) for one in cluster.history.since() if one.resource == "jobs" and one.old is None]


def test_a_job_at_each_time_of_the_schedule() -> None:
    """Named after its minute; of those that have ended the last three stay."""
    cluster = begun(cron_job("*/2 * * * *"))
    cluster.clock.sleep(610.0)
    assert times(cluster) == [120, 240, 360, 480, 600]
    names = [each["metadata"]["name"] for each in cluster.api.list("jobs", "default")]
    assert len(names) == 3
    assert all(int(name.rpartition("-")[2]) % 2 == 0 for name in names)
    assert {"SuccessfulCreate", "SawCompletedJob", "SuccessfulDelete"} == set(reasons(cluster, "CronJob"))


@pytest.mark.parametrize(
    ("policy", "made", "gone"), [("Allow", [60, 120, 180], 0), ("Replace", [60, 120, 180], 2)]
)
def test_what_is_still_running_when_the_next_is_due(policy: str, made: list[int], gone: int) -> None:
    """It runs beside the next, or is deleted for it."""
    cluster = begun(cron_job(concurrencyPolicy=policy), crash_after=900)
    cluster.clock.sleep(200.0)
    assert times(cluster) == made
    deleted = [one for one in cluster.history.since() if one.resource == "jobs" and one.type == DELETED]
    assert len(deleted) == gone


def test_one_that_must_not_run_beside_another_waits() -> None:
    """The most recent time that was missed has its Job when the one before has ended."""
    cluster = begun(cron_job(concurrencyPolicy="Forbid"), crash_after=90)
    cluster.clock.sleep(200.0)
    assert times(cluster)[0] == 60
    assert 150 <= times(cluster)[1] <= 160
    assert "JobAlreadyActive" in reasons(cluster, "CronJob")


def test_suspended_it_makes_none() -> None:
    """Resumed it makes up for the last one."""
    cluster = begun(cron_job(suspend=True))
    cluster.clock.sleep(150.0)
    assert times(cluster) == []
    cluster.api.patch("cronjobs", "tick", {"spec": {"suspend": False}}, "default", type="merge")
    cluster.clock.sleep(5.0)
    assert times(cluster) == [150]


def test_too_many_times_missed() -> None:
    """It is remarked, and the last one is made up for all the same; after its deadline none is."""
    text = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
    for spec, said, made in (({}, [text], 1), ({"startingDeadlineSeconds": 20}, [], 0)):
        cluster = begun(cron_job(suspend=True, **spec))
        cluster.clock.sleep(60.0 * 101 + 30)
        cluster.api.patch("cronjobs", "tick", {"spec": {"suspend": False}}, "default", type="merge")
        cluster.clock.sleep(5.0)
        events = cluster.api.list("events", "default")
        assert [each["message"] for each in events if each["reason"] == "TooManyMissedTimes"] == said
        assert len(times(cluster)) == made


def test_its_jobs_go_with_it() -> None:
    """And their pods."""
    cluster = begun(cron_job())
    cluster.clock.sleep(130.0)
    cluster.api.delete("cronjobs", "tick", "default")
    cluster.clock.sleep(30.0)
    assert cluster.api.list("jobs", "default") == []
    assert not [pod for pod in pods(cluster) if not is_deleting(pod)]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (cron_job("never"), "expected exactly 5 fields, found 1"),
        (cron_job("61 * * * *"), "above maximum"),
        (cron_job(concurrencyPolicy="Some"), 'supported values: "Allow", "Forbid", "Replace"'),
        (cron_job(""), "spec.schedule: Required value"),
        (cron_job(timeZone="bad-time-zone"), "unknown time zone bad-time-zone"),
    ],
)
def test_what_is_refused_of_a_cron_job(wrong: Object, message: str) -> None:
    """A schedule that is none, an unknown policy."""
    with pytest.raises(ApiError) as refused:
        Simulator().api.create(wrong)
    assert message in str(refused.value)


def test_a_job_made_by_hand_is_none_that_a_cron_job_expects() -> None:
    """It says so while it runs; the time of its success counts all the same."""
    cluster = Simulator()
    cluster.faults.behave("work:1", crash_after=3, exit_code=0)
    owner = cluster.api.create(cron_job("0 0 1 1 *"))
    by_hand = job()
    by_hand["metadata"]["ownerReferences"] = [reference_to(owner)]
    cluster.api.create(by_hand)
    cluster.clock.sleep(10)
    assert set(reasons(cluster, "CronJob")) == {"UnexpectedJob"}
    shown = cluster.api.get("cronjobs", "tick", "default")["status"]
    assert shown == {"lastSuccessfulTime": status(cluster)["completionTime"]}
