"""The ReplicaSet controller: numbers, order of writes, failures, adoption."""

import pytest

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Key, Object, condition
from gherkube.runners.simulator.controllers.ownership import adopt, release
from gherkube.runners.simulator.controllers.replicaset import BURST
from gherkube.runners.simulator.controllers.replicaset_tally import Tally
from gherkube.runners.simulator.controllers.replicaset_victims import Crowds
from tests.simulator.controllers.workbench import Workbench, template

WEB = Key("default", "web")


def replica_set(replicas: int, image: str = "hello:1", **spec: object) -> Object:
    return {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template(image),
            **spec,
        },
    }


def update(bench: Workbench, **spec: object) -> None:
    old = bench.store.get("replicasets", WEB)
    assert old is not None
    bench.api.replace_trusted("replicasets", {**old, "spec": {**old["spec"], **spec}})


def statuses(bench: Workbench, since: int = 0) -> list[tuple[int, ...]]:
    """The numbers of each written status: replicas, labelled, ready, available, observed generation."""
    fields = (
        "replicas",
        "fullyLabeledReplicas",
        "readyReplicas",
        "availableReplicas",
        "observedGeneration",
    )
    return [
        tuple(change.object["status"].get(field, 0) for field in fields)
        for change in bench.store.log.since(since)
        if change.resource == "replicasets" and change.type != "DELETED"
    ]


def status(bench: Workbench) -> Object:
    found = bench.store.get("replicasets", WEB)
    assert found is not None
    return dict(found["status"])


def bare_pod(name: str, labels: Object) -> Object:
    return {
        "metadata": {"name": name, "uid": name, "namespace": "default", "labels": labels},
        "spec": template("hello:1")["spec"],
    }


def refuse(bench: Workbench, after: int, error: ApiError) -> list[str]:
    """Lets the API server refuse pods after that many; returns the list of what is tried."""
    tried: list[str] = []

    def admit(pod: Object) -> Object:
        tried.append(pod["metadata"]["generateName"])
        if len(tried) > after:
            raise error
        return pod

    bench.api.admission["pods"].append(admit)
    return tried


QUOTA = ApiError(403, "Forbidden", 'pods "web-" is forbidden: exceeded quota')


def test_status_is_of_before_the_turn() -> None:
    """A new set is written at 0, observed at 0, then with its pods; a shrinking one repeats old numbers."""
    bench = Workbench(ready_after=1.0)
    bench.api.create_trusted("replicasets", replica_set(3))
    bench.run(5)
    assert statuses(bench) == [(0, 0, 0, 0, 0), (0, 0, 0, 0, 1), (3, 3, 0, 0, 1), (3, 3, 3, 3, 1)]
    before = len(bench.store.log)
    update(bench, replicas=2)
    bench.run(5)
    assert statuses(bench, before) == [(3, 3, 3, 3, 1), (3, 3, 3, 3, 2), (2, 2, 2, 2, 2)]


def test_pod_made_from_the_template() -> None:
    """A pod has the template's labels and annotations, a generated name, and the set as its controller."""
    bench = Workbench()
    made = replica_set(1)
    made["spec"]["template"]["metadata"]["annotations"] = {"note": "x"}
    owner = bench.api.create_trusted("replicasets", made)
    bench.run(1)
    (pod,) = bench.active()
    metadata = pod["metadata"]
    assert metadata["generateName"] == "web-"
    assert metadata["name"].startswith("web-")
    assert (metadata["labels"], metadata["annotations"]) == ({"app": "web"}, {"note": "x"})
    assert metadata["ownerReferences"] == [
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "name": "web",
            "uid": owner["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert bench.events("SuccessfulCreate") == [f"Created pod: {metadata['name']}"]


def test_image_change_replaces_nothing() -> None:
    """Pods stay as they are when the template changes; what is made later is of the new one."""
    bench = Workbench()
    bench.api.create_trusted("replicasets", replica_set(2))
    bench.run(5)
    before = bench.active()
    update(bench, template=template("hello:2"))
    bench.run(60)
    assert bench.active() == before
    bench.api.delete("pods", before[0]["metadata"]["name"], "default")
    bench.run(5)
    images = sorted(pod["spec"]["containers"][0]["image"] for pod in bench.active())
    assert images == ["hello:1", "hello:2"]


def test_terminating_and_ended_pods_are_replaced_at_once() -> None:
    """Pods that go or have ended do not count, so others take their place while they are still there."""
    bench = Workbench(gone_after=30)
    bench.api.create_trusted("replicasets", replica_set(3))
    bench.run(5)
    first, second, _ = bench.active()
    bench.api.delete("pods", first["metadata"]["name"], "default")
    bench.api.put_status("pods", second, {**second["status"], "phase": "Failed"})
    bench.run(2)
    assert len(bench.active()) == 3
    assert len(bench.api.list("pods")) == 5


def test_batches_double_until_one_fails() -> None:
    """Creation goes on in batches of 1, 2, 4, …; a batch with a failure is the last of its turn."""
    bench = Workbench()
    tried = refuse(bench, 3, QUOTA)
    bench.api.create_trusted("replicasets", replica_set(20))
    while not tried:
        bench.clock.step()
    assert len(tried) == 1 + 2 + 4


def test_replica_failure() -> None:
    """A failed creation is an event and the condition ReplicaFailure, kept until a turn succeeds."""
    bench = Workbench()
    refuse(bench, 1, QUOTA)
    bench.api.create_trusted("replicasets", replica_set(3))
    bench.run(2)
    found = condition({"status": status(bench)}, "ReplicaFailure")
    assert found == {
        "type": "ReplicaFailure",
        "status": "True",
        "lastTransitionTime": "2025-01-01T00:00:00Z",
        "reason": "FailedCreate",
        "message": QUOTA.message,
    }
    assert bench.events("FailedCreate")[0] == f"Error creating: {QUOTA.message}"
    bench.api.admission["pods"].pop()
    bench.run(60)
    assert "conditions" not in status(bench)
    assert len(bench.active()) == 3


@pytest.mark.parametrize("seed", range(6))
def test_the_condition_keeps_the_first_refusal(seed: int) -> None:
    """Each refusal names another pod, and several come before the first is written."""
    bench = Workbench(seed)
    metadata, limits = {"name": "few", "namespace": "default"}, {"pods": "0"}
    quota = bench.api.create_trusted("resourcequotas", {"metadata": metadata, "spec": {"hard": limits}})
    bench.api.put_status("resourcequotas", quota, {"hard": limits, "used": limits})
    bench.api.create_trusted("replicasets", replica_set(3))
    bench.run(2)
    found = condition({"status": status(bench)}, "ReplicaFailure")
    assert found is not None
    assert f"Error creating: {found['message']}" == bench.events("FailedCreate")[0]


def test_retries_back_off_without_end() -> None:
    """A set that cannot make its pods tries ever more rarely, at last every 1000 s, and never gives up."""
    bench = Workbench()
    tried = refuse(bench, 0, QUOTA)
    bench.api.create_trusted("replicasets", replica_set(1))
    bench.run(3000)
    before = len(tried)
    bench.run(5000)
    assert len(tried) - before == 5


def test_terminating_namespace_is_no_failure() -> None:
    """What a namespace that is being deleted refuses is neither an event nor a ReplicaFailure."""
    bench = Workbench()
    causes = {"causes": [{"reason": "NamespaceTerminating"}]}
    refuse(bench, 0, ApiError(403, "Forbidden", "being terminated", causes))
    bench.api.create_trusted("replicasets", replica_set(3))
    bench.run(10)
    assert status(bench) == {"replicas": 0, "observedGeneration": 1}
    assert bench.events() == []


def test_burst() -> None:
    """One turn makes at most 500 pods, and the next comes when the cache shows them all."""
    bench = Workbench()
    bench.api.create_trusted("replicasets", replica_set(2 * BURST + 1))
    seen = set()
    while len(bench.store.all("pods")) <= 2 * BURST and bench.clock.step():
        seen.add(len(bench.store.all("pods")))
    assert seen == {0, BURST, 2 * BURST, 2 * BURST + 1}


def test_adoption() -> None:
    """A matching pod that nobody controls is taken on and counted; one that is too many is deleted."""
    bench = Workbench()
    bench.api.create_trusted("pods", bare_pod("lonely", {"app": "web"}))
    bench.api.create_trusted("pods", bare_pod("other", {"app": "db"}))
    bench.run(2)
    owner = bench.api.create_trusted("replicasets", replica_set(2))
    bench.run(5)
    lonely = bench.api.get("pods", "lonely", "default")
    assert [each["uid"] for each in lonely["metadata"]["ownerReferences"]] == [owner["metadata"]["uid"]]
    assert lonely["metadata"]["generation"] == 1
    assert len(bench.active()) == 3
    assert len(bench.events("SuccessfulCreate")) == 1
    assert bench.events("SuccessfulDelete") == []
    bench.api.create_trusted("pods", bare_pod("late", {"app": "web"}))
    bench.run(5)
    assert len(bench.active()) == 3
    assert bench.store.get("pods", Key("default", "late")) is None


def test_no_adoption_by_who_goes() -> None:
    """What happened meanwhile counts: a set that goes adopts nothing, and what has gone is not adopted."""
    bench = Workbench(counting=False)
    made = replica_set(0)
    made["metadata"]["finalizers"] = ["example.com/wait"]
    owner = bench.api.create_trusted("replicasets", made)
    pod = bench.api.create_trusted("pods", bare_pod("lonely", {"app": "web"}))
    assert adopt(bench.api, pod, owner)
    release(bench.api, pod, owner["metadata"]["uid"])
    bench.api.delete("replicasets", "web", "default")
    assert not adopt(bench.api, pod, owner)
    bench.api.delete("pods", "lonely", "default")
    assert not adopt(bench.api, pod, owner)


def test_another_controllers_pod_is_left_alone() -> None:
    """A matching pod that somebody else controls is neither counted nor touched."""
    bench = Workbench()
    pod = bare_pod("theirs", {"app": "web"})
    reference = {
        "apiVersion": "example.com/v1",
        "kind": "Thing",
        "name": "t",
        "uid": "t-1",
        "controller": True,
    }
    pod["metadata"]["ownerReferences"] = [reference]
    bench.api.create_trusted("pods", pod)
    bench.api.create_trusted("replicasets", replica_set(1))
    bench.run(5)
    assert len(bench.active()) == 2
    theirs = bench.api.get("pods", "theirs", "default")
    assert theirs["metadata"]["ownerReferences"] == [reference]


def test_release() -> None:
    """A pod whose labels no longer match runs on without an owner; another takes its place."""
    bench = Workbench()
    bench.api.create_trusted("replicasets", replica_set(2))
    bench.run(5)
    pod = bench.active()[0]
    relabelled = {**pod, "metadata": {**pod["metadata"], "labels": {"app": "debug"}}}
    bench.api.replace_trusted("pods", relabelled)
    bench.run(5)
    released = bench.api.get("pods", pod["metadata"]["name"], "default")
    assert "ownerReferences" not in released["metadata"]
    assert len(bench.active()) == 3
    back = {**released, "metadata": {**released["metadata"], "labels": {"app": "web"}}}
    bench.api.replace_trusted("pods", back)
    bench.run(5)
    assert len(bench.active()) == 2


def test_pod_taken_over() -> None:
    """A pod that another controller has taken over is replaced."""
    bench = Workbench()
    bench.api.create_trusted("replicasets", replica_set(2))
    bench.run(5)
    pod = bench.active()[0]
    theirs = {"apiVersion": "example.com/v1", "kind": "Thing", "name": "t", "uid": "t-1", "controller": True}
    bench.api.replace_trusted("pods", {**pod, "metadata": {**pod["metadata"], "ownerReferences": [theirs]}})
    bench.run(5)
    assert len(bench.active()) == 3


def test_late_cache_makes_no_pod_twice() -> None:
    """Turns that come before the cache shows the pods of an earlier one make none, and delete none twice."""
    bench = Workbench(pod_lag=3.0)
    bench.api.create_trusted("replicasets", replica_set(3))
    bench.run(0.5)
    assert len(bench.active()) == 3
    update(bench, replicas=4)
    bench.run(1)
    assert len(bench.active()) == 3
    bench.run(20)
    assert len(bench.active()) == 4
    update(bench, replicas=2)
    bench.run(0.5)
    update(bench, replicas=1)
    bench.run(1)
    assert len(bench.active()) == 2
    bench.run(20)
    assert len(bench.active()) == 1
    assert len(bench.events("SuccessfulCreate")) == 4


def test_no_pods_for_a_set_that_goes() -> None:
    """A set that is being deleted makes no pods and deletes none."""
    bench = Workbench()
    made = replica_set(2)
    made["metadata"]["finalizers"] = ["example.com/wait"]
    bench.api.create_trusted("replicasets", made)
    bench.run(5)
    bench.api.delete("replicasets", "web", "default")
    bench.api.delete("pods", bench.active()[0]["metadata"]["name"], "default")
    bench.run(10)
    assert len(bench.active()) == 1
    assert status(bench)["replicas"] == 1


def test_min_ready_seconds() -> None:
    """A ready pod is available only when it has been ready that long, without anything else happening."""
    bench = Workbench(ready_after=0.5)
    bench.api.create_trusted("replicasets", replica_set(2, minReadySeconds=10))
    bench.run(9.9)
    assert (status(bench)["readyReplicas"], status(bench).get("availableReplicas")) == (2, None)
    bench.run(0.3)
    assert status(bench)["availableReplicas"] == 2
    bench.make_ready(bench.active()[0], ready=False)
    bench.run(1)
    bench.make_ready(bench.active()[0])
    bench.run(9)
    assert (status(bench)["readyReplicas"], status(bench)["availableReplicas"]) == (2, 1)
    bench.run(2)
    assert status(bench)["availableReplicas"] == 2


def test_ready_again_waits_again() -> None:
    """A pod that was unready meanwhile has to be ready for minReadySeconds from then on."""
    bench = Workbench(ready_after=0.5)
    bench.api.create_trusted("replicasets", replica_set(1, minReadySeconds=10))
    bench.run(3)
    bench.make_ready(bench.active()[0], ready=False)
    bench.run(2)
    bench.make_ready(bench.active()[0])
    bench.run(9)
    assert "availableReplicas" not in status(bench)
    bench.run(1.5)
    assert status(bench)["availableReplicas"] == 1


def test_unready_pod_is_not_due() -> None:
    """A pod is not due at the moment at which it would have become available had it stayed ready."""

    def pod(ready: str) -> Object:
        made = bare_pod("p", {"app": "web"})
        since = {"type": "Ready", "status": "True", "lastTransitionTime": f"2025-01-01T00:00:0{ready}Z"}
        return {**made, "status": {"conditions": [since]}}

    tally = Tally(replica_set(1, minReadySeconds=10), [pod("0")])
    tally.count(pod("0"), -1)
    tally.count(pod("5"), 1)
    assert (tally.ready, tally.available(12.0), tally.available(15.0)) == (1, 0, 1)


def test_shrinks_under_a_new_owner() -> None:
    """A ReplicaSet that a deployment takes on shrinks as the deployment's own do."""
    bench = Workbench(ready_after=0.5)
    alone = replica_set(3)
    bench.api.create_trusted(
        "replicasets", {**alone, "metadata": {**alone["metadata"], "labels": {"app": "web"}}}
    )
    bench.run(5)
    bench.deployment(3)
    bench.run(5)
    taken_on = bench.store.get("replicasets", WEB)
    assert taken_on is not None
    assert taken_on["metadata"]["ownerReferences"]
    bench.update(replicas=1)
    bench.run(5)
    assert len(bench.active()) == 1
    assert taken_on["metadata"]["uid"] == bench.active()[0]["metadata"]["ownerReferences"][0]["uid"]


def test_siblings_count_nodes_together() -> None:
    """The pods of an owner's ReplicaSets on a node are one number; a set that goes takes its own along."""
    pod = bare_pod("p", {"app": "web"})
    pod = {**pod, "spec": {**pod["spec"], "nodeName": "n"}, "status": {}}
    crowds = Crowds()
    one, other = (Tally(replica_set(1), [pod], crowds) for _ in range(2))
    assert crowds.on == {"n": 2}
    other.leave()
    assert one.crowds.on == {"n": 1}


def test_numbers_follow_the_spec() -> None:
    """minReadySeconds and the template's labels count anew for the pods that are there."""
    bench = Workbench(ready_after=0.5)
    bench.api.create_trusted("replicasets", replica_set(2))
    bench.run(5)
    update(bench, template=template("hello:1", tier="front"), minReadySeconds=3600)
    bench.run(1)
    assert status(bench) == {"replicas": 2, "readyReplicas": 2, "observedGeneration": 2}


@pytest.mark.parametrize("seed", range(20))
def test_tally_equals_a_count(seed: int) -> None:
    """Whatever happens to the pods, the numbers are those that counting them all would give."""
    bench = Workbench(seed, ready_after=lambda _: bench.chance.stream("test").uniform(0.1, 3))
    draw = bench.chance.stream("choice")
    bench.api.create_trusted("replicasets", replica_set(6))
    for _ in range(40):
        bench.run(draw.uniform(0, 1))
        pods = bench.active()
        if not pods:
            continue
        pod = draw.choice(pods)
        name, metadata = pod["metadata"]["name"], pod["metadata"]
        act = draw.randrange(6)
        if act == 0:
            bench.api.delete("pods", name, "default")
        elif act == 1:
            bench.make_ready(pod, ready=draw.random() < 0.5)
        elif act == 2:
            labels = draw.choice([{"app": "web"}, {"app": "db"}, {"app": "web", "x": "y"}])
            bench.api.replace_trusted("pods", {**pod, "metadata": {**metadata, "labels": labels}})
        elif act == 3:
            update(bench, replicas=draw.randrange(8))
        elif act == 4:
            bench.api.put_status("pods", pod, {**pod["status"], "phase": "Succeeded"})
        else:
            bench.api.create_trusted("pods", bare_pod(f"bare-{bench.clock.now}", {"app": "web"}))
    bench.run(10)
    owned = [pod for pod in bench.active() if pod["metadata"].get("ownerReferences")]
    assert all(pod["metadata"]["labels"]["app"] == "web" for pod in owned)
    assert (
        status(bench)["replicas"]
        == len(owned)
        == bench.api.get("replicasets", "web", "default")["spec"]["replicas"]
    )
    ready = sum(pod["status"]["conditions"][-1]["status"] == "True" for pod in owned)
    assert status(bench).get("readyReplicas", 0) == ready
