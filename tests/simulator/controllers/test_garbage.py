"""The garbage collector: background, foreground, orphan; owners that are gone from the start."""

from gherkube.runners.objects import Key, Object, is_deleting
from tests.simulator.controllers.workbench import Workbench, template

WATCHED = ("deployments", "replicasets", "pods")


def gone(bench: Workbench) -> list[str]:
    """The resources of what was removed, in order."""
    return [each.resource for each in bench.store.log.since() if each.type == "DELETED"]


def begun(bench: Workbench) -> list[str]:
    """The resources whose deletion began, in order."""
    return [
        each.resource
        for each in bench.store.log.since()
        if each.resource in WATCHED and is_deleting(each.object) and each.old and not is_deleting(each.old)
    ]


def running() -> Workbench:
    bench = Workbench()
    bench.deployment(2)
    bench.run(5)
    return bench


def config(name: str, *owners: Object, **metadata: object) -> Object:
    """A config map owned by others."""
    references = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": each["metadata"]["name"],
            "uid": each["metadata"]["uid"],
        }
        for each in owners
    ]
    return {
        "metadata": {"name": name, "namespace": "default", "ownerReferences": references, **metadata},
    }


def test_background() -> None:
    """The owner goes at once; its dependents follow, theirs after them."""
    bench = running()
    bench.api.delete("deployments", "web", "default", propagation="Background")
    assert gone(bench) == ["deployments"]
    bench.run(10)
    assert gone(bench) == ["deployments", "replicasets", "pods", "pods"]


def test_foreground() -> None:
    """Deletion begins at the top, and the owners stay until what blocks them has gone."""
    bench = running()
    bench.api.delete("deployments", "web", "default", propagation="Foreground")
    bench.run(10)
    assert begun(bench) == ["deployments", "replicasets", "pods", "pods"]
    assert gone(bench) == ["pods", "pods", "replicasets", "deployments"]


def test_orphan() -> None:
    """The dependents lose the reference and stay."""
    bench = running()
    pods = bench.active()
    bench.api.delete("deployments", "web", "default", propagation="Orphan")
    bench.run(10)
    assert gone(bench) == ["deployments"]
    (replica_set,) = bench.api.list("replicasets")
    assert "ownerReferences" not in replica_set["metadata"]
    assert bench.active() == pods


def test_owner_that_never_was() -> None:
    """An object whose only owner is not there is deleted."""
    bench = Workbench()
    nobody = {"metadata": {"name": "nobody", "uid": "u-0"}}
    bench.api.create_trusted("configmaps", config("lost", nobody))
    bench.run(1)
    assert gone(bench) == ["configmaps"]


def test_owner_of_the_same_name_is_another() -> None:
    """A uid that differs is another object, so what it owned goes."""
    bench = Workbench()
    first = bench.api.create_trusted("configmaps", config("owner"))
    bench.api.create_trusted("configmaps", config("owned", first))
    bench.api.delete("configmaps", "owner", "default")
    bench.api.create_trusted("configmaps", config("owner"))
    bench.run(1)
    assert [each["metadata"]["name"] for each in bench.api.list("configmaps")] == ["owner"]


def test_one_owner_is_enough() -> None:
    """An object with an owner left only loses the reference to the other."""
    bench = Workbench()
    one = bench.api.create_trusted("configmaps", config("one"))
    two = bench.api.create_trusted("configmaps", config("two"))
    bench.api.create_trusted("configmaps", config("owned", one, two))
    bench.run(1)
    bench.api.delete("configmaps", "one", "default")
    bench.run(1)
    owned = bench.store.get("configmaps", Key("default", "owned"))
    assert owned is not None
    assert [each["name"] for each in owned["metadata"]["ownerReferences"]] == ["two"]


def test_unknown_kinds_of_owners_stay() -> None:
    """What is owned by a kind that is not known here is not touched."""
    bench = Workbench()
    made = config("owned")
    made["metadata"]["ownerReferences"] = [
        {"apiVersion": "example.com/v1", "kind": "Thing", "name": "t", "uid": "t-1"}
    ]
    bench.api.create_trusted("configmaps", made)
    bench.run(10)
    assert gone(bench) == []


def test_not_blocking_dependents_do_not_hold_up() -> None:
    """In the foreground an owner waits only for dependents that block it; the others go after it."""
    bench = Workbench()
    owner = bench.api.create_trusted("configmaps", config("owner"))
    bench.api.create_trusted("configmaps", config("owned", owner, finalizers=["example.com/wait"]))
    bench.run(1)
    bench.api.delete("configmaps", "owner", "default", propagation="Foreground")
    bench.run(1)
    left = bench.api.list("configmaps")
    assert [(each["metadata"]["name"], is_deleting(each)) for each in left] == [("owned", True)]


def test_bare_pods_and_strangers_stay() -> None:
    """Deleting a Deployment touches no pod but its own."""
    bench = running()
    made = {"metadata": {"name": "bare", "namespace": "default", "labels": {"app": "db"}}}
    bench.api.create_trusted("pods", {**made, "spec": template("hello:1")["spec"]})
    bench.api.delete("deployments", "web", "default")
    bench.run(10)
    assert [each["metadata"]["name"] for each in bench.api.list("pods")] == ["bare"]


def test_a_circle_of_owners_blocks_nobody() -> None:
    """The foreground deletion of one of three that own each other deletes all."""
    bench = Workbench()
    names = ("a", "b", "c")
    made = {name: bench.api.create_trusted("configmaps", config(name)) for name in names}
    for name, owner in zip(names, ("c", "a", "b"), strict=True):
        obj = made[name]
        reference = {**config("", made[owner])["metadata"]["ownerReferences"][0], "blockOwnerDeletion": True}
        metadata = {**obj["metadata"], "ownerReferences": [reference]}
        bench.api.replace_trusted("configmaps", {**obj, "metadata": metadata})
    bench.run(5)
    bench.api.delete("configmaps", "a", "default", propagation="Foreground")
    bench.run(10)
    assert sorted(gone(bench)) == ["configmaps"] * 3
