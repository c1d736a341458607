"""The Deployment controller: the steps of rollouts, the order of writes, conditions, revisions, events."""

from collections.abc import Callable
from itertools import count

import pytest

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Key, Object, condition
from gherkube.runners.simulator.controllers.deployment_templates import canonical, hash_of
from gherkube.runners.simulator.controllers.deployment_turn import DESIRED, REVISION
from tests.simulator.controllers.workbench import Workbench, deployment, rolling, template

WEB = Key("default", "web")


def one_by_one(first: float = 1.0, apart: float = 0.2) -> Callable[[Object], float]:
    """Pods that become ready one after another."""
    turns = count()
    return lambda _: first + apart * (next(turns) % 50)


def web(bench: Workbench) -> Object:
    found = bench.store.get("deployments", WEB)
    assert found is not None
    return found


def replica_sets(bench: Workbench) -> dict[str, Object]:
    """The replica sets by image."""
    return {
        each["spec"]["template"]["spec"]["containers"][0]["image"]: each
        for each in bench.api.list("replicasets")
    }


def steps(bench: Workbench, since: int = 0) -> list[str]:
    """Each new size of a replica set: image, former size (none for a new one), size."""
    found = []
    for change in bench.store.log.since(since):
        if change.resource != "replicasets" or change.type == "DELETED":
            continue
        image = change.object["spec"]["template"]["spec"]["containers"][0]["image"]
        size = change.object["spec"]["replicas"]
        before = change.old["spec"]["replicas"] if change.old is not None else ""
        if size != before:
            found.append(f"{image.split(':')[1]} {before}→{size}")
    return found


def conditions(bench: Workbench, since: int = 0) -> list[list[str]]:
    """The conditions of each write of the deployment, repetitions left out."""
    found: list[list[str]] = []
    for change in bench.store.log.since(since):
        if change.resource == "deployments":
            shown = [
                f"{each['type']}={each['status']} {each['reason']}"
                for each in change.object["status"].get("conditions", [])
            ]
            if not found or found[-1] != shown:
                found.append(shown)
    return found


def reason(bench: Workbench, type_: str = "Progressing") -> str:
    found = condition(web(bench), type_)
    return str(found["reason"]) if found is not None else ""


def revisions(bench: Workbench) -> dict[str, str]:
    """The revision of each image's replica set."""
    return {
        image: each["metadata"]["annotations"][REVISION]
        for image, each in sorted(replica_sets(bench).items())
    }


CREATED = "Progressing=True NewReplicaSetCreated"
UPDATED = "Progressing=True ReplicaSetUpdated"
DONE = "Progressing=True NewReplicaSetAvailable"
UP = "Available=True MinimumReplicasAvailable"
DOWN = "Available=False MinimumReplicasUnavailable"


def test_new_deployment() -> None:
    """The first writes: revision and condition alone, then the generation is observed, then the pods."""
    bench = Workbench(ready_after=1.0)
    bench.deployment()
    bench.run(5)
    assert conditions(bench) == [
        [],
        [CREATED],
        [CREATED, DOWN],
        [DOWN, UPDATED],
        [UP, DONE],
    ]
    writes = [each.object for each in bench.store.log.since() if each.resource == "deployments"]
    assert writes[1]["metadata"]["annotations"] == {REVISION: "1"}
    assert writes[1]["status"].keys() == {"conditions"}
    without = [{k: v for k, v in each["status"].items() if k != "conditions"} for each in writes[2:]]
    assert without == [
        {"observedGeneration": 1, "unavailableReplicas": 4},
        {"observedGeneration": 1, "replicas": 4, "updatedReplicas": 4, "unavailableReplicas": 4},
        {
            "observedGeneration": 1,
            "replicas": 4,
            "updatedReplicas": 4,
            "readyReplicas": 4,
            "availableReplicas": 4,
        },
    ]
    assert web(bench)["metadata"]["generation"] == 1
    name = replica_sets(bench)["hello:1"]["metadata"]["name"]
    assert bench.events("ScalingReplicaSet") == [f"Scaled up replica set {name} from 0 to 4"]
    progressing = condition(web(bench), "Progressing")
    assert progressing is not None
    assert progressing["message"] == f'ReplicaSet "{name}" has successfully progressed.'
    assert progressing["lastTransitionTime"] == "2025-01-01T00:00:00Z"
    assert progressing["lastUpdateTime"] == "2025-01-01T00:00:01Z"


def test_new_replica_set() -> None:
    """It is named after the hash of the template, which it also carries in labels, selector and template."""
    bench = Workbench()
    owner = bench.deployment(minReadySeconds=3)
    bench.run(1)
    (made,) = bench.api.list("replicasets")
    hash_ = made["metadata"]["labels"]["pod-template-hash"]
    assert made["metadata"]["name"] == f"web-{hash_}"
    assert set(hash_) <= set("456789bcdf")
    labels = {"app": "web", "pod-template-hash": hash_}
    assert made["metadata"]["labels"] == made["spec"]["template"]["metadata"]["labels"] == labels
    assert made["spec"]["selector"] == {"matchLabels": labels}
    assert made["spec"]["minReadySeconds"] == 3
    assert made["metadata"]["annotations"] == {
        REVISION: "1",
        "deployment.kubernetes.io/desired-replicas": "4",
        "deployment.kubernetes.io/max-replicas": "5",
    }
    assert made["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": "web",
            "uid": owner["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]


ROLLOUTS = [
    (4, rolling("25%", "25%"), "2 →1|1 4→3|2 1→2|1 3→2|2 2→3|1 2→1|2 3→4|1 1→0"),
    (3, rolling(0, 1), "2 →0|1 3→2|2 0→1|1 2→1|2 1→2|1 1→0|2 2→3"),
    (3, rolling(1, 0), "2 →1|1 3→2|2 1→2|1 2→1|2 2→3|1 1→0"),
    (3, rolling(0, "1%"), "2 →0|1 3→2|2 0→1|1 2→1|2 1→2|1 1→0|2 2→3"),
    (1, rolling("25%", "25%"), "2 →1|1 1→0"),
    (2, rolling("100%", 0), "2 →2|1 2→1|1 1→0"),
]


@pytest.mark.parametrize(("replicas", "strategy", "expected"), ROLLOUTS)
def test_rollout_steps(replicas: int, strategy: Object, expected: str) -> None:
    """Pods that become ready one by one give the recorded steps."""
    bench = Workbench(ready_after=one_by_one())
    bench.deployment(replicas, strategy=strategy)
    bench.run(30)
    before = len(bench.store.log)
    bench.set_image("hello:2")
    bench.run(60)
    assert steps(bench, before) == expected.split("|")
    assert reason(bench) == "NewReplicaSetAvailable"


def test_first_steps_of_ten() -> None:
    """10 replicas with surge 3 and 2 unavailable begin with 3 new, 8 old, 5 new."""
    bench = Workbench(ready_after=5.0)
    bench.deployment(10, strategy=rolling(3, 2))
    bench.run(30)
    before = len(bench.store.log)
    bench.set_image("hello:2")
    bench.run(3)
    assert steps(bench, before) == ["2 →3", "1 10→8", "2 3→5"]


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


def never_ready(image: str) -> Callable[[Object], float | None]:
    """Pods of an image that never become ready."""
    return lambda pod: None if pod["spec"]["containers"][0]["image"] == image else 1.0


def test_bad_image_stops_the_rollout() -> None:
    """Of 4 replicas 3 old ones stay and 2 new ones wait; the deadline passes; undo touches nothing else."""
    bench = Workbench(ready_after=never_ready("hello:404"))
    bench.deployment(4, progressDeadlineSeconds=15)
    bench.run(10)
    kept = {pod["metadata"]["name"] for pod in bench.active()}
    bench.set_image("hello:404")
    bench.run(10)
    assert bench.sizes() == {"hello:1": 3, "hello:404": 2}
    assert bench.clock.pending == 0
    numbers = web(bench)["status"]
    shown = [numbers.get(f"{name}Replicas") for name in ("ready", "updated", "available", "unavailable")]
    assert shown == [3, 2, 3, 2]
    started = condition(web(bench), "Progressing")
    bench.run(10)
    late = condition(web(bench), "Progressing")
    assert started is not None
    assert late is not None
    assert (late["status"], late["reason"]) == ("False", "ProgressDeadlineExceeded")
    assert (
        late["message"]
        == f'ReplicaSet "{replica_sets(bench)["hello:404"]["metadata"]["name"]}" has timed out progressing.'
    )
    assert int(late["lastUpdateTime"][17:19]) - int(started["lastUpdateTime"][17:19]) == 16
    before = len(bench.store.log)
    bench.set_image("hello:1")
    bench.run(10)
    assert steps(bench, before) == ["404 2→0", "1 3→4"]
    assert len(kept & {pod["metadata"]["name"] for pod in bench.active()}) == 3
    assert reason(bench) == "NewReplicaSetAvailable"


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


def test_recreate_waits_for_the_last_pod() -> None:
    """Nothing new is made before the last old pod is gone, be it Succeeded before or not."""
    bench = Workbench(gone_after=3.0)
    bench.deployment(2, strategy={"type": "Recreate"})
    bench.run(10)
    bench.set_image("hello:2")
    bench.run(2)
    assert bench.sizes() == {"hello:1": 0}
    assert web(bench)["status"].keys() == {"observedGeneration", "conditions"}
    assert reason(bench) == "NewReplicaSetAvailable"
    for pod in bench.api.list("pods"):
        bench.api.put_status("pods", pod, {**pod["status"], "phase": "Succeeded"})
    bench.run(0.5)
    assert bench.sizes() == {"hello:1": 0}
    bench.run(2)
    assert bench.sizes() == {"hello:1": 0, "hello:2": 2}
    gone = [each.at for each in bench.store.log.since() if each.resource == "pods" and each.type == "DELETED"]
    made = [
        each.at for each in bench.store.log.since() if each.resource == "replicasets" and each.type == "ADDED"
    ]
    assert 0 < made[-1] - gone[-1] < 0.1


def test_recreate_lets_ended_pods_be() -> None:
    """Once the old pods have ended, a turn for another reason goes on although they are still there."""
    bench = Workbench(gone_after=50.0)
    bench.deployment(2, strategy={"type": "Recreate"})
    bench.run(10)
    bench.set_image("hello:2")
    bench.run(2)
    for pod in bench.api.list("pods"):
        bench.api.put_status("pods", pod, {**pod["status"], "phase": "Succeeded"})
    bench.run(2)
    bench.update(minReadySeconds=1)
    bench.run(2)
    assert bench.sizes() == {"hello:1": 0, "hello:2": 2}


def test_rollover() -> None:
    """A third image while the second starts: the second goes first, then the third grows."""
    bench = Workbench(
        ready_after=lambda pod: 1.0 if pod["spec"]["containers"][0]["image"] != "hello:2" else None
    )
    bench.deployment(4)
    bench.run(10)
    bench.set_image("hello:2")
    bench.run(3)
    before = len(bench.store.log)
    bench.set_image("hello:3")
    bench.run(20)
    found = steps(bench, before)
    assert found[:3] == ["3 →0", "2 2→0", "3 0→2"]
    assert bench.sizes() == {"hello:1": 0, "hello:2": 0, "hello:3": 4}


def test_undo_moves_the_revision() -> None:
    """Going back to a template takes its replica set again, under a new number; the old one is history."""
    bench = Workbench()
    bench.deployment(2)
    for image in ("hello:2", "hello:3", "hello:2"):
        bench.run(20)
        bench.set_image(image)
    bench.run(20)
    assert revisions(bench) == {"hello:1": "1", "hello:2": "4", "hello:3": "3"}
    again = replica_sets(bench)["hello:2"]["metadata"]["annotations"]
    assert again["deployment.kubernetes.io/revision-history"] == "2"
    assert web(bench)["metadata"]["annotations"][REVISION] == "4"
    bench.set_image("hello:1")
    bench.run(20)
    bench.set_image("hello:2")
    bench.run(20)
    again = replica_sets(bench)["hello:2"]["metadata"]["annotations"]
    assert (again[REVISION], again["deployment.kubernetes.io/revision-history"]) == ("6", "2,4")


def test_scaling_makes_no_revision() -> None:
    """Another number of replicas, or another strategy, is no new revision."""
    bench = Workbench()
    bench.deployment(2)
    bench.run(5)
    bench.update(replicas=5, strategy=rolling(2, 1))
    bench.run(5)
    assert revisions(bench) == {"hello:1": "1"}
    assert len(bench.active()) == 5
    assert (
        replica_sets(bench)["hello:1"]["metadata"]["annotations"]["deployment.kubernetes.io/max-replicas"]
        == "7"
    )


def test_annotations_are_copied() -> None:
    """The change-cause and what else the Deployment is annotated with reach the revision; some do not."""
    bench = Workbench()
    made = deployment(1, "hello:1")
    made["metadata"]["annotations"] = {
        "kubernetes.io/change-cause": "first",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
    }
    bench.api.create_trusted("deployments", made)
    bench.run(5)
    annotations = replica_sets(bench)["hello:1"]["metadata"]["annotations"]
    assert annotations["kubernetes.io/change-cause"] == "first"
    assert "kubectl.kubernetes.io/last-applied-configuration" not in annotations


def test_proportional_scaling() -> None:
    """8 old and 5 new of 10 (surge 3), scaled to 15: 11 and 7, the larger written first."""
    bench = Workbench(ready_after=never_ready("hello:404"))
    bench.deployment(10, strategy=rolling(3, 2))
    bench.run(10)
    bench.set_image("hello:404")
    bench.run(10)
    assert bench.sizes() == {"hello:1": 8, "hello:404": 5}
    before = len(bench.store.log)
    bench.update(replicas=15)
    bench.run(5)
    assert steps(bench, before) == ["1 8→11", "404 5→7"]


def test_proportional_scaling_tells_all() -> None:
    """A replica set whose size stays is told the new numbers, too."""
    bench = Workbench(ready_after=never_ready("hello:404"))
    bench.deployment(10, strategy=rolling(3, 2))
    bench.run(10)
    bench.set_image("hello:404")
    bench.run(10)
    bench.update(replicas=11)
    bench.run(1)
    assert bench.sizes() == {"hello:1": 9, "hello:404": 5}
    told = [each["metadata"]["annotations"][DESIRED] for each in bench.api.list("replicasets")]
    assert told == ["11", "11"]


def test_smaller_surge_takes_nothing_back() -> None:
    """Where a rollout has more pods than a new maxSurge allows, the new replica set keeps its size."""
    bench = Workbench(ready_after=never_ready("hello:404"))
    bench.deployment(10, strategy=rolling(3, 2))
    bench.run(10)
    bench.set_image("hello:404")
    bench.run(10)
    bench.update(strategy=rolling(0, 2))
    bench.run(10)
    assert bench.sizes() == {"hello:1": 8, "hello:404": 5}


def report(bench: Workbench, image: str, count: int) -> None:
    """Writes a replica set's status by hand: that many pods, all available."""
    found = replica_sets(bench)[image]
    fields = ("replicas", "readyReplicas", "availableReplicas")
    status = {"observedGeneration": 1, **dict.fromkeys(fields, count)}
    bench.api.put_status("replicasets", found, status, check=False)
    bench.run(1)


def test_old_replica_set_that_lags_is_waited_for() -> None:
    """While an old replica set still reports more pods than it asks for, no old pods are taken."""
    bench = Workbench(counting=False)
    bench.deployment(4)
    bench.run(1)
    report(bench, "hello:1", 4)
    bench.set_image("hello:2")
    bench.run(1)
    assert bench.sizes() == {"hello:1": 3, "hello:2": 2}
    report(bench, "hello:2", 2)
    assert bench.sizes() == {"hello:1": 3, "hello:2": 2}
    report(bench, "hello:1", 3)
    assert bench.sizes()["hello:1"] == 1


def test_recreate_waits_for_the_status() -> None:
    """Recreate goes by what the old replica set reports, too, not by its pods alone."""
    bench = Workbench(counting=False)
    bench.deployment(2, strategy={"type": "Recreate"})
    bench.run(1)
    report(bench, "hello:1", 2)
    bench.set_image("hello:2")
    bench.run(1)
    assert bench.sizes() == {"hello:1": 0}
    report(bench, "hello:1", 0)
    assert bench.sizes() == {"hello:1": 0, "hello:2": 2}


def test_replica_set_scaled_by_hand_is_put_back() -> None:
    """Whatever a user makes of the replica set's size, the Deployment's counts."""
    bench = Workbench()
    bench.deployment(4)
    bench.run(5)
    for size in (9, 1):
        made = replica_sets(bench)["hello:1"]
        bench.api.replace_trusted("replicasets", {**made, "spec": {**made["spec"], "replicas": size}})
        bench.run(5)
        assert bench.sizes() == {"hello:1": 4}


def test_min_ready_seconds_reach_the_replica_set() -> None:
    """Another minReadySeconds is no new template: the replica set follows."""
    bench = Workbench()
    bench.deployment(1)
    for seconds, expected in ((7, 7), (0, None)):
        bench.run(5)
        bench.update(minReadySeconds=seconds)
        bench.run(5)
        assert replica_sets(bench)["hello:1"]["spec"].get("minReadySeconds") == expected
    assert revisions(bench) == {"hello:1": "1"}


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


def test_scale_to_zero_and_back() -> None:
    """From none, the newest template's replica set grows by the rollout itself."""
    bench = Workbench()
    bench.deployment(3)
    bench.run(5)
    bench.update(replicas=0)
    bench.run(5)
    assert (bench.sizes(), len(bench.active())) == ({"hello:1": 0}, 0)
    assert web(bench)["status"].keys() == {"observedGeneration", "conditions"}
    bench.update(replicas=2)
    bench.run(5)
    assert len(bench.active()) == 2


def test_template_and_replicas_at_once() -> None:
    """Where both change, what runs is scaled first and the rollout follows."""
    bench = Workbench()
    bench.deployment(2)
    bench.run(5)
    before = len(bench.store.log)
    bench.update(replicas=4, template=template("hello:2"))
    bench.run(20)
    assert steps(bench, before)[:2] == ["1 2→4", "2 →1"]
    assert bench.sizes() == {"hello:1": 0, "hello:2": 4}


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


def test_history_is_cleaned_up_while_paused() -> None:
    """A paused Deployment keeps its history within the limit."""
    bench = Workbench()
    bench.deployment(1)
    bench.run(10)
    bench.set_image("hello:2")
    bench.run(10)
    bench.update(paused=True, revisionHistoryLimit=0)
    bench.run(5)
    assert revisions(bench) == {"hello:2": "2"}


def test_history_limit() -> None:
    """Idle replica sets beyond the limit are deleted, the lowest revision first."""
    bench = Workbench()
    bench.deployment(1, revisionHistoryLimit=1)
    for image in ("hello:2", "hello:3"):
        bench.run(20)
        bench.set_image(image)
    bench.run(20)
    assert revisions(bench) == {"hello:2": "2", "hello:3": "3"}
    bench.update(revisionHistoryLimit=0)
    bench.run(5)
    assert revisions(bench) == {"hello:3": "3"}


def test_hash_collision() -> None:
    """Replica sets of somebody else under the new names: collisions are counted, another name found."""
    bench = Workbench()
    for collisions in (None, 1):
        hash_ = hash_of(canonical(template("hello:1")), collisions)
        bench.api.create_trusted("replicasets", stranger(f"web-{hash_}", 0, a="b"))
    bench.deployment(1)
    bench.run(5)
    assert web(bench)["status"]["collisionCount"] == 2
    assert len(bench.active()) == 1
    assert reason(bench) == "NewReplicaSetAvailable"


def stranger(name: str, replicas: int, **labels: str) -> Object:
    """A replica set that nobody controls."""
    return {
        "metadata": {"name": name, "namespace": "default", "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {**template("other:1"), "metadata": {"labels": labels}},
        },
    }


def test_saturated() -> None:
    """Where the new replica set has all its pods, old ones of another size go at once, not in proportion."""
    bench = Workbench()
    bench.deployment(2)
    bench.run(5)
    old = stranger("old", 2, app="web", tier="old")
    old["metadata"]["annotations"] = {DESIRED: "9"}
    bench.api.create_trusted("replicasets", old)
    bench.run(5)
    assert bench.sizes() == {"hello:1": 2, "other:1": 0}
    assert bench.events("ScalingReplicaSet")[1:] == ["Scaled down replica set old from 2 to 0"]


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


def test_adopts_by_selector() -> None:
    """An orphan replica set that the selector matches is adopted, and used if its template is the same."""
    bench = Workbench()
    bench.deployment(2)
    bench.run(5)
    pods = bench.active()
    bench.api.delete("deployments", "web", "default", propagation="Orphan")
    bench.run(5)
    assert all("ownerReferences" not in each["metadata"] for each in bench.api.list("replicasets"))
    owner = bench.deployment(2)
    bench.run(5)
    (adopted,) = bench.api.list("replicasets")
    assert [each["uid"] for each in adopted["metadata"]["ownerReferences"]] == [owner["metadata"]["uid"]]
    assert bench.active() == pods


def test_releases_by_selector() -> None:
    """A replica set that no longer matches runs on without an owner, and another is made."""
    bench = Workbench()
    bench.deployment(2)
    bench.run(5)
    (old,) = bench.api.list("replicasets")
    relabelled = {**old, "metadata": {**old["metadata"], "labels": {"app": "other"}}}
    bench.api.replace_trusted("replicasets", relabelled)
    bench.run(0.05)
    released = bench.api.get("replicasets", old["metadata"]["name"], "default")
    assert "ownerReferences" not in released["metadata"]


def test_server_side_rollback() -> None:
    """The deprecated annotation puts a revision's template back and goes; kubectl does without it."""
    bench = Workbench()
    bench.deployment(1)
    bench.run(5)
    ask(bench, "0")
    bench.run(5)
    assert bench.events("DeploymentRollbackRevisionNotFound") == ["Unable to find last revision."]
    bench.set_image("hello:2")
    bench.run(20)
    ask(bench, "0")
    bench.run(20)
    assert bench.sizes() == {"hello:1": 1, "hello:2": 0}
    assert "deprecated.deployment.rollback.to" not in web(bench)["metadata"]["annotations"]
    assert bench.events("DeploymentRollback") == ['Rolled back deployment "web" to revision 1']
    ask(bench, "77")
    bench.run(20)
    assert bench.events("DeploymentRollbackRevisionNotFound")[1:] == [
        "Unable to find the revision to rollback to."
    ]
    ask(bench, "3")
    bench.run(20)
    assert bench.events("DeploymentRollbackTemplateUnchanged") == [
        'The rollback revision contains the same template as current deployment "web"'
    ]


def ask(bench: Workbench, revision: str) -> None:
    """Asks for a rollback by annotation."""
    old = web(bench)
    annotations = {**old["metadata"]["annotations"], "deprecated.deployment.rollback.to": revision}
    bench.api.replace_trusted(
        "deployments", {**old, "metadata": {**old["metadata"], "annotations": annotations}}
    )


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
