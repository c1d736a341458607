"""A snapshot holds what is in scope and no secrets, and a simulator made of it runs as the target did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from gherkube.runners.errors import ApiError, UsageError
from gherkube.runners.gameday import snapshot
from gherkube.runners.gameday.plan import Scope
from gherkube.runners.gameday.restored import restore, settle
from gherkube.runners.gameday.snapshot import Snapshot, load, save, take
from gherkube.runners.objects import Key, Object, is_ready
from gherkube.runners.simulator.cluster import Simulator

SCOPE, TAKEN = Scope(("default",)), "2025-01-01T01:00:00+00:00"
WORKLOADS = ("deployments", "replicasets", "statefulsets", "daemonsets", "controllerrevisions")

NEVER = {"preemptionPolicy": "Never"}


def workload(kind: str, name: str, image: str = "hello:1", **spec: Any) -> Object:
    """A workload of one container."""
    labels = {"app": name}
    container = {"name": "app", "image": image, "ports": [{"containerPort": 8080}]}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            **spec,
        },
    }


def update(simulator: Simulator, resource: str, name: str, image: str) -> None:
    """Another image."""
    containers = [{"name": "app", "image": image}]
    simulator.api.patch(
        resource, name, {"spec": {"template": {"spec": {"containers": containers}}}}, "default"
    )


def taken(simulator: Simulator, scope: Scope = SCOPE) -> Snapshot:
    """A snapshot of it, when it says it is."""
    return take(simulator.api, scope, "there", simulator.clock.timestamp().replace("Z", "+00:00"))


def counts(simulator: Simulator) -> dict[str, Any]:
    """What controllers say of workloads, by name; how each pod is."""
    found: dict[str, Any] = {
        f"{resource}/{obj['metadata']['name']}": {
            "spec": obj.get("spec"),
            "revision": obj.get("revision"),
            **{key: value for key, value in (obj.get("status") or {}).items() if key != "conditions"},
        }
        for resource in WORKLOADS
        for obj in simulator.api.list(resource, "default")
    }
    pods = simulator.api.list("pods", "default")
    return found | {
        f"pod/{pod['metadata']['name']}": (pod["spec"]["nodeName"], is_ready(pod)) for pod in pods
    }


@examples(max_examples=15)
@given(
    seed=st.integers(0, 99),
    replicas=st.integers(0, 5),
    updates=st.integers(0, 2),
    kinds=st.sets(st.sampled_from(["StatefulSet", "DaemonSet"])),
)
@example(seed=29, replicas=2, updates=2, kinds=set())  # a controller that sees pods late makes another
def test_a_restored_simulator_is_as_the_target_and_quiet(
    seed: int, replicas: int, updates: int, kinds: set[str]
) -> None:
    """The same objects, counts, revisions and pods on the same nodes; nothing is created, nothing goes."""
    target = Simulator(seed)
    target.api.create(workload("Deployment", "web", replicas=replicas))
    if "StatefulSet" in kinds:
        target.api.create(workload("StatefulSet", "db", replicas=2, serviceName="db"))
    if "DaemonSet" in kinds:
        target.api.create(workload("DaemonSet", "agent"))
    for number in range(updates):
        target.clock.sleep(60)
        update(target, "deployments", "web", f"hello:{number + 2}")
        if "StatefulSet" in kinds:
            update(target, "statefulsets", "db", f"hello:{number + 2}")
    target.clock.sleep(120)
    shot = taken(target)
    restored = restore(shot, seed + 1)
    before = len(restored.history)
    assert settle(restored, shot) == []
    assert counts(restored) == counts(target)
    changes = restored.history.since(before)
    watched = [each for each in changes if each.resource in (*WORKLOADS, "pods")]
    assert {each.type for each in watched} <= {"MODIFIED"}
    assert restored.clock.idle()


def test_a_rollout_goes_on_from_a_restored_simulator() -> None:
    """Revisions count on, and an undo finds the templates from before."""
    target = Simulator(1)
    target.api.create(workload("Deployment", "web", replicas=3))
    target.clock.sleep(60)
    update(target, "deployments", "web", "hello:2")
    target.clock.sleep(60)
    shot = taken(target)
    restored = restore(shot, 5)
    settle(restored, shot)
    update(restored, "deployments", "web", "hello:1")
    restored.clock.sleep(60)
    web = restored.api.get("deployments", "web", "default")
    assert web["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"
    assert web["status"]["updatedReplicas"] == web["status"]["readyReplicas"] == 3
    assert len(restored.api.list("replicasets", "default")) == 2


def test_what_is_secret_is_not_in_it() -> None:
    """No values of Secrets or ConfigMaps, not even those that kubectl notes; pods start all the same."""
    target = Simulator(1, keeps=True)
    noted = {"kubectl.kubernetes.io/last-applied-configuration": '{"data":{"word":"hush"}}'}
    for kind, data in (("Secret", "stringData"), ("ConfigMap", "data")):
        metadata = {"name": "words", "annotations": noted}
        target.api.create({"apiVersion": "v1", "kind": kind, "metadata": metadata, data: {"word": "hush"}})
    web = workload("Deployment", "web", replicas=2)
    spec = web["spec"]["template"]["spec"]
    spec["containers"][0]["env"] = [
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "words", "key": "word"}}},
        {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "words", "key": "word"}}},
    ]
    spec["volumes"] = [{"name": "v", "secret": {"secretName": "words"}}]
    target.api.create(web)
    target.clock.sleep(60)
    shot = taken(target)
    assert "hush" not in shot.text
    assert settle(restored := restore(shot, 1), shot) == []
    assert restored.store.get("secrets", Key("default", "words")) is not None


def test_pods_elsewhere_take_their_room() -> None:
    """What pods out of scope ask for is no room for those in it."""
    target = Simulator(1, 1)
    target.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}})
    web = workload("Deployment", "web", replicas=1)
    asks = {"requests": {"cpu": "1500m"}}
    web["spec"]["template"]["spec"]["containers"][0]["resources"] = asks
    target.api.create(web, namespace="other")
    target.api.create(web)
    target.clock.sleep(60)
    shot = taken(target)
    assert shot.reserved == {"node-1": {"cpu": 1500, "memory": 0, "pods": 1}}
    restored = restore(shot, 1)
    settle(restored, shot)
    restored.api.patch("deployments", "web", {"spec": {"replicas": 2}}, "default")
    restored.clock.sleep(60)
    assert restored.api.get("deployments", "web", "default")["status"]["readyReplicas"] == 1


def test_images_are_as_the_target_shows_them() -> None:
    """What could not be pulled there cannot be pulled here."""
    target = Simulator(1)
    target.api.create(workload("Deployment", "web", replicas=4))
    target.clock.sleep(60)
    target.images.behave("hello:9", exists=False)
    update(target, "deployments", "web", "hello:9")
    target.clock.sleep(60)
    shot = taken(target)
    restored = restore(shot, 1)
    settle(restored, shot)
    restored.clock.sleep(60)
    assert not restored.images.of("hello:9").exists
    assert restored.api.get("deployments", "web", "default")["status"]["readyReplicas"] == 3


def test_nodes_are_those_of_the_target() -> None:
    """Their names, their taints and which of them are down."""
    target = Simulator(1, 3, kind="prod")
    target.api.create(workload("DaemonSet", "agent"))
    target.api.patch("nodes", "prod-worker2", {"spec": {"unschedulable": True}})
    target.clock.sleep(60)
    target.faults.stop_node("prod-worker3")
    target.clock.sleep(120)
    restored = restore(taken(target), 1)
    assert restored.control_plane == "prod-control-plane"
    assert restored.node_names() == ["prod-worker", "prod-worker2", "prod-worker3"]
    restored.clock.sleep(120)
    assert not is_ready(restored.api.get("nodes", "prod-worker3"))
    assert is_ready(restored.api.get("nodes", "prod-worker2"))


def test_pods_keep_their_priority() -> None:
    """The class is not read: what it says is seen in the pods."""
    target = Simulator(1)
    target.api.create_trusted("priorityclasses", {"metadata": {"name": "high"}, "value": 7, **NEVER})
    web = workload("Deployment", "web", replicas=1)
    web["spec"]["template"]["spec"]["priorityClassName"] = "high"
    target.api.create(web)
    target.clock.sleep(60)
    restored = restore(taken(target), 1)
    (pod,) = restored.api.list("pods", "default")
    restored.api.delete("pods", pod["metadata"]["name"], "default")
    restored.clock.sleep(60)
    (new,) = restored.api.list("pods", "default")
    assert (new["spec"]["priority"], new["spec"]["preemptionPolicy"]) == (7, "Never")


def test_what_is_left_out_is_listed() -> None:
    """What the simulator does not act on, what was not read, what has ended."""
    target = Simulator(1, keeps=True)
    web = workload("Deployment", "web", replicas=1)
    web["spec"]["template"]["spec"]["runtimeClassName"] = "kata"
    target.api.create(web)
    scaler = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "maxReplicas": 3,
    }
    target.api.create(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "web"},
            "spec": scaler,
        }
    )
    left = "\n".join(taken(target).left_out)
    assert "HorizontalPodAutoscaler web: kept, on the simulator, which has no metrics" in left
    assert "web: Deployment: field spec.template.spec.runtimeClassName is not modelled" in left
    assert "secrets: not read" in left


def test_what_may_not_be_listed_is_left_out() -> None:
    """One kind that the API refuses keeps nobody from a snapshot of the others."""
    target = Simulator(1)
    target.api.create(workload("Deployment", "web", replicas=1))

    class Refusing:
        get = target.api.get

        @staticmethod
        def list(resource: str, namespace: str = "", **more: str) -> list[Object]:
            if resource == "configmaps":
                raise ApiError(403, "Forbidden", "configmaps is forbidden")
            return target.api.list(resource, namespace, **more)

    shot = take(Refusing(), SCOPE, "there", TAKEN)
    assert "configmaps in namespace default: configmaps is forbidden" in shot.left_out
    assert shot.of("deployments")


def test_a_snapshot_is_the_same_text_again(tmp_path: Path) -> None:
    """Written and read, and taken twice."""
    target = Simulator(1)
    target.api.create(workload("Deployment", "web", replicas=2))
    target.clock.sleep(60)
    shot = taken(target)
    save(shot, tmp_path / "x.json")
    assert load(tmp_path / "x.json").text == shot.text == taken(target).text


@pytest.mark.parametrize("text", ["", "[]", '{"form": 1}', '{"form": 99}', "{"])
def test_what_is_no_snapshot_is_refused(tmp_path: Path, text: str) -> None:
    """With what to do about it."""
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(UsageError, match="take it again"):
        load(tmp_path / "x.json")


def test_a_namespace_that_is_not_there_is_told() -> None:
    """And nothing is taken."""
    with pytest.raises(UsageError, match='no namespace "absent" on there'):
        take(Simulator(1).api, Scope(("absent",)), "there", TAKEN)


def test_the_order_is_fixed() -> None:
    """Owners before what they own, the oldest first."""
    assert list(snapshot.TAKEN).index("replicasets") > list(snapshot.TAKEN).index("deployments")
    assert json.loads(taken(Simulator(1)).text)["form"] == snapshot.FORM
