"""The deletion of a namespace: pods first, then all else, then itself."""

from gherkube.runners.objects import Key, Object, condition
from tests.simulator.controllers.workbench import Workbench, deployment


def populated(**settings: float) -> Workbench:
    """A cluster with a deployment of two pods in namespace "shop"."""
    bench = Workbench(**settings)  # type: ignore[arg-type]
    bench.api.create_trusted("namespaces", {"metadata": {"name": "shop"}})
    made = deployment(2, "hello:1")
    bench.api.create_trusted("deployments", {**made, "metadata": {**made["metadata"], "namespace": "shop"}})
    bench.run(5)
    return bench


def shop(bench: Workbench) -> Object | None:
    return bench.store.get("namespaces", Key("", "shop"))


def test_pods_go_first() -> None:
    """The rest is deleted only when no pods are left, the namespace last; the other namespaces stay."""
    bench = populated(gone_after=2.0)
    bench.deployment(1)
    bench.run(5)
    bench.api.delete("namespaces", "shop")
    bench.run(60)
    order = [each.resource for each in bench.store.log.since() if each.type == "DELETED"]
    order = [each for each in order if each != "events"]
    assert order == ["pods", "pods", "replicasets", "deployments", "namespaces"]
    left = {
        each["metadata"]["namespace"]
        for resource in bench.store.resources()
        for each in bench.store.all(resource)
        if each["metadata"].get("namespace")
    }
    assert left == {"default"}


def test_what_remains_is_told() -> None:
    """While pods are left the conditions say so, and nothing new is made in their place."""
    bench = populated(gone_after=20.0)
    bench.api.delete("namespaces", "shop")
    bench.run(4.9)
    assert len(bench.active()) == 2
    bench.run(5)
    found = shop(bench)
    assert found is not None
    assert found["status"]["phase"] == "Terminating"
    remaining = condition(found, "NamespaceContentRemaining")
    assert remaining is not None
    assert (remaining["status"], remaining["reason"]) == ("True", "SomeResourcesRemain")
    assert remaining["message"] == "Some resources are remaining: pods. has 2 resource instances"
    assert len(bench.api.list("pods", "shop")) == 2
    assert bench.events("FailedCreate") == []
    bench.run(10)
    assert shop(bench) == found


def test_stuck_pod_keeps_the_namespace() -> None:
    """A pod that never goes, as on a dead node, keeps its namespace; that is nothing but waiting."""
    bench = populated(gone_after=1e9)
    bench.api.delete("namespaces", "shop")
    bench.run(1000)
    waiting = set()
    for _ in range(10):
        bench.run(0.5)
        waiting.add(bench.clock.pending)
    assert min(waiting) == 2  # the two pods, whose end is far
    assert shop(bench) is not None
    assert bench.api.list("deployments", "shop") != []


def test_finalizers_remain() -> None:
    """An object with a finalizer keeps the namespace, which says of what and how many."""
    bench = populated()
    made = {"metadata": {"name": "kept", "namespace": "shop", "finalizers": ["example.com/wait"]}}
    bench.api.create_trusted("configmaps", made)
    bench.api.delete("namespaces", "shop")
    bench.run(60)
    found = shop(bench)
    assert found is not None
    finalizers = condition(found, "NamespaceFinalizersRemaining")
    assert finalizers is not None
    assert finalizers["message"] == (
        "Some content in the namespace has finalizers remaining: example.com/wait in 1 resource instances"
    )
    bench.api.remove_finalizer("configmaps", Key("shop", "kept"), "example.com/wait")
    bench.run(60)
    assert shop(bench) is None
