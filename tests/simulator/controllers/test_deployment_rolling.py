"""Deployments: the steps of a rollout, and the arithmetic of surge and unavailable."""

import pytest

from gherkube.runners.objects import Object, condition
from gherkube.runners.simulator.controllers.deployment_turn import DESIRED, REVISION
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
    replica_sets,
    revisions,
    stranger,
    web,
)
from tests.simulator.controllers.workbench import Workbench, rolling, template


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
