"""Deployments: conditions, deadlines, pausing, and what is refused."""

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object, condition
from tests.simulator.controllers.deployments import (
    CREATED,
    DONE,
    DOWN,
    UP,
    UPDATED,
    conditions,
    never_ready,
    one_by_one,
    reason,
    web,
)
from tests.simulator.controllers.workbench import Workbench, rolling, template


def test_rollout_conditions() -> None:
    """In a rollout Progressing stays last but when Available flips; it comes last then."""
    bench = Workbench(ready_after=1.0)
    bench.deployment(2, strategy=rolling(0, 2))
    bench.run(5)
    before = len(bench.store.log)
    bench.set_image("hello:2")
    bench.run(10)
    assert conditions(bench, before) == [[UP, DONE], [UP, CREATED], [UP, UPDATED], [UP, DONE]]
    pod = bench.active()[0]
    bench.update(strategy=rolling(1, 0))
    bench.run(1)
    before = len(bench.store.log)
    bench.make_ready(pod, ready=False)
    bench.run(1)
    bench.make_ready(bench.api.get("pods", pod["metadata"]["name"], "default"))
    bench.run(1)
    assert conditions(bench, before) == [[DONE, DOWN], [DONE, UP]]


def test_no_deadline_no_progressing() -> None:
    """Without a deadline there is no Progressing condition, and an existing one goes."""
    bench = Workbench()
    bench.deployment(2)
    bench.run(5)
    bench.update(progressDeadlineSeconds=2**31 - 1)
    bench.run(5)
    assert conditions(bench)[-1] == [UP]
    bench.update(progressDeadlineSeconds=60)
    bench.run(5)
    assert conditions(bench)[-2:] == [[UP, "Progressing=True FoundNewReplicaSet"], [UP, DONE]]


def test_progress_is_noted_each_time() -> None:
    """Each progress renews lastUpdateTime though the reason stays; lastTransitionTime stays, too."""
    bench = Workbench(ready_after=one_by_one(1.0, 2.0))
    bench.deployment(3)
    bench.run(10)
    progress = [
        (each["lastUpdateTime"][-3:-1], each["lastTransitionTime"][-3:-1])
        for change in bench.store.log.since()
        if change.resource == "deployments"
        for each in change.object["status"].get("conditions", [])
        if each["reason"] == "ReplicaSetUpdated"
    ]
    assert list(dict.fromkeys(progress)) == [("00", "00"), ("01", "00"), ("03", "00")]


def test_nothing_to_do_after_the_deadline() -> None:
    """A complete Deployment that falls short of pods long after its deadline makes no work."""
    bench = Workbench()
    bench.deployment(2, progressDeadlineSeconds=10)
    bench.run(60)
    bench.make_ready(bench.active()[0], ready=False)
    bench.run(5)
    assert (bench.clock.pending, bench.clock.next_at()) == (0, None)


def test_no_deadline_before_progress() -> None:
    """Back to an old template without any progress seen, the deadline does not run."""
    bench = Workbench()
    bench.deployment(2, strategy=rolling(1, 0), progressDeadlineSeconds=30)
    bench.run(10)
    bench.set_image("hello:2")
    bench.run(20)

    def admit(_: Object) -> Object:
        raise ApiError(403, "Forbidden", "exceeded quota")

    bench.api.admission["pods"].append(admit)
    bench.set_image("hello:1")
    bench.run(1000)
    assert reason(bench) == "NewReplicaSetAvailable"
    assert bench.sizes() == {"hello:1": 1, "hello:2": 2}


def test_pause_and_resume() -> None:
    """Paused, a new template makes nothing but scaling acts; resumed, the rollout runs."""
    bench = Workbench()
    bench.deployment(2)
    bench.run(5)
    before = len(bench.store.log)
    bench.update(paused=True)
    bench.run(2)
    assert conditions(bench, before) == [[UP, DONE], [UP, "Progressing=Unknown DeploymentPaused"]]
    bench.set_image("hello:2")
    bench.run(2)
    assert bench.sizes() == {"hello:1": 2}
    assert "updatedReplicas" not in web(bench)["status"]
    bench.update(replicas=3)
    bench.run(2)
    assert bench.sizes() == {"hello:1": 3}
    before = len(bench.store.log)
    bench.update(paused=False)
    bench.run(20)
    assert bench.sizes() == {"hello:1": 0, "hello:2": 3}
    progress = [each for shown in conditions(bench, before) for each in shown if each[0] == "P"]
    assert list(dict.fromkeys(progress)) == [
        "Progressing=Unknown DeploymentPaused",
        "Progressing=Unknown DeploymentResumed",
        UPDATED,
        DONE,
    ]


def test_late_rollout_stays_late_when_paused() -> None:
    """Pausing does not hide that the deadline has passed."""
    bench = Workbench(ready_after=never_ready("hello:404"))
    bench.deployment(2, progressDeadlineSeconds=15)
    bench.run(10)
    bench.set_image("hello:404")
    bench.run(30)
    bench.update(paused=True)
    bench.run(10)
    assert reason(bench) == "ProgressDeadlineExceeded"


def test_paused_without_pods_scales_the_newest() -> None:
    """With no pods and no replica set of the present template, the newest one takes the replicas."""
    bench = Workbench()
    bench.deployment(1)
    bench.run(10)
    bench.set_image("hello:2")
    bench.run(10)
    bench.update(replicas=0)
    bench.run(10)
    bench.update(paused=True, template=template("hello:3"))
    bench.run(5)
    bench.update(replicas=2)
    bench.run(5)
    assert bench.sizes() == {"hello:1": 0, "hello:2": 2}


def test_replica_set_refused() -> None:
    """Where the replica set cannot be made, condition and event say why; after 15 retries it rests."""
    bench = Workbench()
    tried = []

    def admit(made: Object) -> Object:
        tried.append(made["metadata"]["name"])
        raise ApiError(403, "Forbidden", "no")

    bench.api.admission["replicasets"] = [admit]
    bench.deployment(1)
    bench.run(1000)
    message = f'Failed to create new replica set "{tried[0]}": no'
    found = condition(web(bench), "Progressing")
    assert found is not None
    assert (found["status"], found["reason"], found["message"]) == ("False", "ReplicaSetCreateError", message)
    assert bench.events("ReplicaSetCreateError")[0] == message
    bench.run(10_000)
    assert 16 <= len(tried) <= 18


def test_terminating_namespace_is_no_failure() -> None:
    """What a namespace that is being deleted refuses is neither an event nor a condition."""
    bench = Workbench()

    def admit(_: Object) -> Object:
        raise ApiError(403, "Forbidden", "no", {"causes": [{"reason": "NamespaceTerminating"}]})

    bench.api.admission["replicasets"] = [admit]
    bench.deployment(1)
    bench.run(10)
    assert (web(bench)["status"], bench.events()) == ({}, [])


def test_pods_refused() -> None:
    """The ReplicaFailure of the new replica set shows on the Deployment, and goes with it."""
    bench = Workbench()

    def admit(_: Object) -> Object:
        raise ApiError(403, "Forbidden", "exceeded quota")

    bench.api.admission["pods"].append(admit)
    bench.deployment(1)
    bench.run(2)
    found = condition(web(bench), "ReplicaFailure")
    assert found is not None
    assert (found["status"], found["reason"], found["message"]) == ("True", "FailedCreate", "exceeded quota")
    assert found["lastUpdateTime"] == found["lastTransitionTime"]
    bench.api.admission["pods"].pop()
    bench.run(60)
    assert condition(web(bench), "ReplicaFailure") is None
    assert reason(bench) == "NewReplicaSetAvailable"


def test_tenth_scaling_event_is_combined() -> None:
    """From the tenth different message on, ScalingReplicaSet events are combined."""
    bench = Workbench(ready_after=one_by_one())
    bench.deployment(4)
    for image in ("hello:2", "hello:3"):
        bench.run(30)
        bench.set_image(image)
    bench.run(30)
    messages = bench.events("ScalingReplicaSet")
    assert not any(each.startswith("(combined") for each in messages[:9])
    assert all(each.startswith("(combined from similar events): Scaled ") for each in messages[9:])
    assert len(messages) > 10
