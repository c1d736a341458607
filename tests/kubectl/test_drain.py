"""kubectl drain: cordon, evict, wait; what it refuses, and when it gives up."""

import pytest

from gherkube.runners import kubectl
from gherkube.runners.errors import Refused
from gherkube.runners.objects import Object
from gherkube.runners.simulator.cluster import Simulator
from tests.simulator.controllers.test_disruption import budget, deployment


def cluster(replicas: int = 3) -> Simulator:
    found = Simulator()
    found.api.create(deployment(replicas))
    found.clock.sleep(30)
    return found


def pods_on(found: Simulator, node: str) -> list[Object]:
    return found.api.list("pods", "default", fields=f"spec.nodeName={node}")


def test_drain() -> None:
    """The node is cordoned, its pods go, and what kubectl prints is said in order."""
    found, said = cluster(), list[str]()
    (pod,) = pods_on(found, "node-1")
    name = pod["metadata"]["name"]
    kubectl.drain(found.api, found.clock, "node-1", say=said.append)
    assert said == [
        "node/node-1 cordoned",
        f"evicting pod default/{name}",
        f"pod/{name} evicted",
        "node/node-1 drained",
    ]
    assert pods_on(found, "node-1") == []
    assert found.api.get("nodes", "node-1")["spec"]["unschedulable"] is True


def test_budget_is_waited_for() -> None:
    """An eviction that the budget refuses is tried again after five seconds, until it is let through."""
    found, said, warned = cluster(), list[str](), list[str]()
    found.api.create(budget(minAvailable=3))
    found.clock.sleep(1)
    kubectl.scale(found.api, "deployments", "web", "default", 4)
    (name,) = (pod["metadata"]["name"] for pod in pods_on(found, "node-1"))
    kubectl.drain(found.api, found.clock, "node-1", say=said.append, warn=warned.append)
    assert said[1] == said[2] == f"evicting pod default/{name}"
    assert warned[0] == (
        f'error when evicting pods/"{name}" -n "default" (will retry after 5s): '
        "Cannot evict pod as it would violate the pod's disruption budget."
    )
    assert said[-1] == "node/node-1 drained"


def test_timeout() -> None:
    """With pods left at the timeout it gives up when it would try again, and names them; they stay."""
    found = cluster()
    found.api.create(budget(minAvailable=3))
    found.clock.sleep(1)
    said, warned, begun = list[str](), list[str](), found.clock.now()
    with pytest.raises(Refused) as caught:
        kubectl.drain(found.api, found.clock, "node-1", timeout=8, say=said.append, warn=warned.append)
    assert found.clock.now() - begun == pytest.approx(10)
    (name,) = (pod["metadata"]["name"] for pod in pods_on(found, "node-1"))
    why = f'error when evicting pods/"{name}" -n "default": global timeout reached: 8s'
    assert said[1:] == 3 * [f"evicting pod default/{name}"]
    assert warned[1:] == [
        f'There are pending pods in node "node-1" when an error occurred: {why}',
        f"pod/{name}",
    ]
    assert caught.value.text.startswith(
        f'error when evicting pods/"{name}" -n "default" (will retry after 5s): '
        "Cannot evict pod as it would violate the pod's disruption budget.\n"
        f'error: unable to drain node "node-1" due to error: {why}, continuing command...\n'
    )
    assert caught.value.text.endswith(f"There are pending nodes to be drained:\n node-1\n{why}")
    assert len(pods_on(found, "node-1")) == 1


def test_bare_pods_need_force() -> None:
    """A pod that nobody would replace is only evicted when forced, with a warning."""
    found, said = Simulator(), list[str]()
    spec = {"containers": [{"name": "app", "image": "hello:1"}], "nodeName": "node-1"}
    found.api.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bare"}, "spec": spec})
    found.clock.sleep(10)
    with pytest.raises(Refused) as caught:
        kubectl.drain(found.api, found.clock, "node-1")
    assert caught.value.text == (
        'error: unable to drain node "node-1" due to error: cannot delete cannot delete Pods that declare no '
        "controller (use --force to override): default/bare, continuing command...\n"
        "There are pending nodes to be drained:\n node-1\n"
        "cannot delete cannot delete Pods that declare no controller (use --force to override): default/bare"
    )
    kubectl.drain(found.api, found.clock, "node-1", force=True, warn=said.append)
    assert said == ["Warning: deleting Pods that declare no controller: default/bare"]


def test_local_storage() -> None:
    """Pods with an emptyDir are refused unless their data may go; one thing is told of each pod."""
    found = Simulator()
    spec = {
        "containers": [{"name": "app", "image": "hello:1"}],
        "nodeName": "node-1",
        "volumes": [{"name": "data", "emptyDir": {}}],
    }
    for name in ("bare", "cache"):
        volumes = spec["volumes"] if name == "cache" else []
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}}
        found.api.create({**pod, "spec": {**spec, "volumes": volumes}})
    found.clock.sleep(10)
    with pytest.raises(Refused) as caught:
        kubectl.drain(found.api, found.clock, "node-1")
    assert (
        "[cannot delete cannot delete Pods that declare no controller (use --force to override): "
        "default/bare, "
        "cannot delete Pods with local storage (use --delete-emptydir-data to override): default/cache]"
    ) in caught.value.text
    kubectl.drain(found.api, found.clock, "node-1", force=True, delete_emptydir_data=True)
    assert pods_on(found, "node-1") == []


def test_no_such_node() -> None:
    """A node that is not there is the API server's refusal."""
    found = Simulator()
    with pytest.raises(Refused, match='nodes "node-9" not found'):
        kubectl.drain(found.api, found.clock, "node-9")
