"""The scheduler gives pods the nodes that upstream would, and says in its words why there is none."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

CONTROL_PLANE = [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]
UNSCHEDULABLE = [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]
PREEMPTION = "no new claims to deallocate, preemption: 0/{n} nodes are available:"


@pytest.fixture
def kind(bench: Any) -> Any:
    """A tainted control plane and three nodes, as in the recordings."""
    bench.node("control-plane", taints=CONTROL_PLANE)
    for index in (1, 2, 3):
        bench.node(f"node-{index}")
    return bench


def test_a_pod_is_bound_and_says_so(kind: Any) -> None:
    """A pod that fits is bound in one write, without observedGeneration, and an event tells it."""
    kind.pod("web")
    kind.settle()
    node = kind.where("web")
    assert node in ("node-1", "node-2", "node-3")
    condition = kind.condition("web")
    assert condition["status"] == "True"
    assert "observedGeneration" not in condition
    (event,) = kind.events("web")
    assert (event["type"], event["reason"]) == ("Normal", "Scheduled")
    assert event["message"] == f"Successfully assigned default/web to {node}"
    assert event["source"] == {"component": "default-scheduler"}
    assert event["reportingComponent"] == "default-scheduler"


def test_too_much_cpu_reads_as_recorded(kind: Any) -> None:
    """More CPU than any node has: the message of golden/scenarios/unschedulable, in event and condition."""
    kind.pod("big", cpu="500")
    kind.settle()
    message = (
        "0/4 nodes are available: 1 node(s) had untolerated taint(s), 3 Insufficient cpu. "
        f"{PREEMPTION.format(n=4)} 4 Preemption is not helpful for scheduling."
    )
    condition = kind.condition("big")
    assert condition == {
        "type": "PodScheduled",
        "observedGeneration": 1,
        "status": "False",
        "lastProbeTime": None,
        "lastTransitionTime": "2025-01-01T00:00:00Z",
        "reason": "Unschedulable",
        "message": message,
    }
    (event,) = kind.events("big")
    assert (event["type"], event["reason"], event["message"]) == ("Warning", "FailedScheduling", message)


def test_a_selector_that_fits_nothing_reads_as_recorded(kind: Any) -> None:
    """A node selector that no node matches: the recorded message; a label lets the pod run at once."""
    kind.pod("nowhere", nodeSelector={"disk": "ssd"})
    kind.settle()
    assert kind.condition("nowhere")["message"] == (
        "0/4 nodes are available: 1 node(s) had untolerated taint(s), "
        "3 node(s) didn't match Pod's node affinity/selector. "
        f"{PREEMPTION.format(n=4)} 4 Preemption is not helpful for scheduling."
    )
    kind.change_node("node-2", labels={"disk": "ssd"})
    kind.settle()
    assert kind.where("nowhere") == "node-2"
    assert kind.clock.now < 1


def test_full_nodes_have_no_victims(kind: Any) -> None:
    """Nodes that are full now, but large enough, are told apart from those that could never do."""
    for name in "abc":
        kind.pod(name, cpu="3", owner="set")
    kind.pod("d", cpu="3", memory="9Gi", owner="other")
    kind.pod("e", cpu="3", owner="set")
    kind.settle()
    assert kind.condition("e")["message"] == (
        "0/4 nodes are available: 1 node(s) had untolerated taint(s), 3 Insufficient cpu. "
        f"{PREEMPTION.format(n=4)} 1 Preemption is not helpful for scheduling, "
        "3 No preemption victims found for incoming pod."
    )
    assert kind.condition("d")["message"].startswith(
        "0/4 nodes are available: 1 node(s) had untolerated taint(s), "
        "3 Insufficient cpu, 3 Insufficient memory. "
    )


def test_room_is_used_as_soon_as_it_appears(kind: Any) -> None:
    """A pod that waits for room gets it when another is gone or has ended; a terminating one still counts."""
    for name in "abcd":
        kind.pod(name, cpu="3")
    kind.settle()
    waiting = next(name for name in "abcd" if kind.where(name) is None)
    running = [name for name in "abcd" if name != waiting]
    kind.api.delete("pods", running[0], "default")
    kind.settle()
    assert kind.where(waiting) is None
    freed = kind.where(running[0])
    kind.gone(running[0])
    kind.settle()
    assert kind.where(waiting) == freed
    kind.pod("e", cpu="3")
    kind.settle()
    assert kind.where("e") is None
    ended = kind.api.get("pods", running[1], "default")
    kind.api.put_status("pods", ended, {**ended["status"], "phase": "Succeeded"}, check=False)
    kind.settle()
    assert kind.where("e") == kind.where(running[1])


def test_a_repeated_failure_raises_the_count_only(kind: Any) -> None:
    """Each pod that leaves wakes those that wait for room; the same answer only adds to the event."""
    kind.pod("small")
    kind.pod("big", cpu="500")
    kind.settle()
    version = kind.api.get("pods", "big", "default")["metadata"]["resourceVersion"]
    kind.gone("small")
    kind.settle()
    (event,) = kind.events("big")
    assert event["count"] == 2
    assert kind.api.get("pods", "big", "default")["metadata"]["resourceVersion"] == version


def test_what_cannot_help_wakes_nobody(kind: Any) -> None:
    """A label is no room: pods that wait for room are not tried again for it."""
    kind.pod("big", cpu="500")
    kind.settle()
    kind.change_node("node-1", labels={"disk": "ssd"})
    kind.settle()
    (event,) = kind.events("big")
    assert event["count"] == 1


def test_a_new_or_larger_node_is_room(kind: Any) -> None:
    """A node that comes, or grows, takes the pods that wait for room."""
    kind.pod("big", cpu="6")
    kind.pod("bigger", cpu="10")
    kind.settle()
    kind.node("node-4", cpu="8")
    kind.settle()
    assert kind.where("big") == "node-4"
    node = kind.api.get("nodes", "node-1")
    room = {"allocatable": {"cpu": "16", "memory": "8Gi", "pods": "110"}}
    kind.api.put_status("nodes", node, room)
    kind.settle()
    assert kind.where("bigger") == "node-1"


def test_five_minutes_are_a_reason_to_try_again(kind: Any) -> None:
    """An unschedulable pod is tried again when it has waited five minutes, at the next half minute."""
    kind.pod("big", cpu="500")
    kind.settle()
    assert kind.clock.next_at() == 330.0
    kind.clock.run_until(331.0)
    assert kind.events("big")[0]["count"] == 2


def test_cordoned_nodes(bench: Any) -> None:
    """A cordoned node is named as such, before its taint; uncordoned, it takes the pod, taint last."""
    bench.node("node-1", unschedulable=True, taints=UNSCHEDULABLE)
    bench.pod("web")
    bench.settle()
    assert bench.condition("web")["message"] == (
        "0/1 nodes are available: 1 node(s) were unschedulable. "
        f"{PREEMPTION.format(n=1)} 1 Preemption is not helpful for scheduling."
    )
    bench.change_node("node-1", unschedulable=False)
    bench.settle()
    assert "untolerated taint" in bench.condition("web")["message"]
    bench.change_node("node-1", taints=[])
    bench.settle()
    assert bench.where("web") == "node-1"


def test_no_nodes(bench: Any) -> None:
    """Without nodes there is a message of its own, and the first node takes the pod."""
    bench.pod("web")
    bench.settle()
    assert bench.condition("web")["message"] == "no nodes available to schedule pods"
    bench.node("node-1")
    bench.settle()
    assert bench.where("web") == "node-1"


def test_never_preempting(bench: Any) -> None:
    """A pod that never preempts says so."""
    bench.node("node-1")
    bench.pod("big", cpu="5", priority=10, preemption="Never")
    bench.settle()
    assert bench.condition("big")["message"].endswith(
        "preemption: not eligible due to preemptionPolicy=Never."
    )


@pytest.mark.parametrize(
    ("toleration", "tolerated"),
    [
        ({"key": "gpu", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"key": "gpu", "value": "yes", "effect": "NoSchedule"}, True),
        ({"key": "gpu", "operator": "Equal", "value": "yes"}, True),
        ({"key": "gpu", "value": "no"}, False),
        ({"key": "gpu"}, False),
        ({"key": "gpu", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "other", "operator": "Exists"}, False),
    ],
)
def test_tolerations(bench: Any, toleration: dict[str, str], tolerated: bool) -> None:
    """A toleration covers a taint by key, value and effect; what it leaves open covers all."""
    bench.node("node-1", taints=[{"key": "gpu", "value": "yes", "effect": "NoSchedule"}])
    bench.pod("web", tolerations=[toleration])
    bench.settle()
    assert (bench.where("web") == "node-1") is tolerated


@pytest.mark.parametrize(
    ("expression", "nodes"),
    [
        ({"key": "disk", "operator": "In", "values": ["ssd", "nvme"]}, {"a"}),
        ({"key": "disk", "operator": "NotIn", "values": ["ssd"]}, {"b", "c"}),
        ({"key": "disk", "operator": "Exists"}, {"a", "b"}),
        ({"key": "disk", "operator": "DoesNotExist"}, {"c"}),
        ({"key": "size", "operator": "Gt", "values": ["5"]}, {"b"}),
        ({"key": "size", "operator": "Lt", "values": ["6"]}, {"a"}),
    ],
)
def test_required_node_affinity(new_bench: Any, expression: dict[str, Any], nodes: set[str]) -> None:
    """Every operator of node affinity selects the nodes that it selects upstream."""
    found = set()
    for labels in ({"disk": "ssd", "size": "5"}, {"disk": "hdd", "size": "6"}, {"size": "x"}):
        bench = new_bench()
        bench.node("node-1", labels=labels)
        terms = [{"matchExpressions": [expression]}]
        affinity = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
        bench.pod("web", affinity={"nodeAffinity": affinity})
        bench.settle()
        if bench.where("web"):
            found.add({"ssd": "a", "hdd": "b"}.get(labels.get("disk", ""), "c"))
    assert found == nodes


def test_a_pod_that_names_its_nodes_looks_at_no_others(kind: Any) -> None:
    """As a daemon does. A term that names none is for all nodes."""
    named: list[Any] = [
        {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [name]}]}
        for name in ("node-1", "control-plane")
    ]
    labelled = {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}
    for pod, terms in (("named", named), ("any", [*named, labelled])):
        required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
        kind.pod(pod, cpu="100", affinity={"nodeAffinity": required})
    kind.settle()
    reasons = [kind.condition(name)["message"].partition(". ")[0] for name in ("named", "any")]
    said = "0/4 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s), 2 node(s) didn't"
    assert reasons == [
        f"{said} satisfy plugin(s) [NodeAffinity]",
        f"{said} match Pod's node affinity/selector",
    ]


def test_preferred_node_affinity(kind: Any) -> None:
    """A preference decides among nodes that all fit."""
    kind.change_node("node-3", labels={"disk": "ssd"})
    term = {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}
    preferred = [{"weight": 10, "preference": term}]
    affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}
    for index in range(3):
        kind.pod(f"web-{index}", affinity=affinity)
    kind.settle()
    assert {kind.where(f"web-{index}") for index in range(3)} == {"node-3"}


def test_soft_taints_are_avoided(bench: Any) -> None:
    """A node that prefers no pods gets them last."""
    bench.node("node-1", taints=[{"key": "slow", "effect": "PreferNoSchedule"}])
    bench.node("node-2")
    for index in range(4):
        bench.pod(f"web-{index}")
    bench.settle()
    assert {bench.where(f"web-{index}") for index in range(4)} == {"node-2"}


def test_host_ports(bench: Any) -> None:
    """Two pods that want the same port of a node cannot share it."""
    bench.node("node-1")
    bench.node("node-2")
    for index in range(3):
        bench.pod(f"web-{index}", host_port=8080)
    bench.settle()
    placed = [bench.where(f"web-{index}") for index in range(3)]
    assert sorted(node for node in placed if node) == ["node-1", "node-2"]
    waiting = f"web-{placed.index(None)}"
    assert bench.condition(waiting)["message"].startswith(
        "0/2 nodes are available: 2 node(s) didn't have free ports for the requested pod ports. "
    )
    bench.gone(f"web-{placed.index('node-2')}")
    bench.settle()
    assert bench.where(waiting) == "node-2"


def test_too_many_pods(bench: Any) -> None:
    """A node takes no more pods than it is made for, whatever they request."""
    bench.node("node-1", pods="2")
    for index in range(3):
        bench.pod(f"web-{index}")
    bench.settle()
    assert bench.condition("web-2")["message"].startswith("0/1 nodes are available: 1 Too many pods. ")


def test_extended_resources(bench: Any) -> None:
    """Resources of any name are counted."""
    bench.node("node-1", room={"example.com/gpu": "1"})
    gpu = {"resources": {"requests": {"example.com/gpu": "1"}}, "name": "app", "image": "hello:1"}
    bench.pod("one", containers=[gpu])
    bench.pod("two", containers=[gpu])
    bench.settle()
    assert bench.condition("two")["message"].startswith(
        "0/1 nodes are available: 1 Insufficient example.com/gpu. "
    )


def test_init_containers_and_sidecars(bench: Any) -> None:
    """A pod needs the most that it needs at any time: an init container beside the sidecars before it."""

    def container(cpu: str, **more: str) -> dict[str, Any]:
        return {"name": "c", "image": "hello:1", "resources": {"requests": {"cpu": cpu}}, **more}

    bench.node("node-1", cpu="3")
    sidecar = container("1", restartPolicy="Always")
    bench.pod("fits", containers=[container("1")], initContainers=[container("3"), sidecar])
    bench.settle()
    assert bench.where("fits") == "node-1"
    bench.gone("fits")
    bench.pod("large", containers=[container("1")], initContainers=[sidecar, container("3")])
    bench.settle()
    assert bench.where("large") is None


def test_pods_of_an_owner_spread(new_bench: Any) -> None:
    """Whatever the seed, a set's pods go one to each node before any gets a second."""
    for seed in range(10):
        bench = new_bench(seed)
        for index in range(4):
            bench.node(f"node-{index}")
        for index in range(8):
            bench.pod(f"web-{index}", owner="web")
        bench.settle()
        placed = [bench.where(f"web-{index}") for index in range(8)]
        assert len(set(placed[:4])) == 4
        assert set(Counter(placed).values()) == {2}


def test_spreading_weighs_more_than_half_a_node(new_bench: Any) -> None:
    """A set's second pod takes a half full node without a sibling: 200 + 50 against 132 + 97."""
    for seed in range(5):
        bench = new_bench(seed)
        bench.node("node-1")
        bench.node("node-2")
        bench.pod("load", cpu="2", memory="4Gi", nodeSelector={"kubernetes.io/hostname": "node-1"})
        bench.pod("web-0", owner="web", nodeSelector={"kubernetes.io/hostname": "node-2"})
        bench.settle()
        bench.pod("web-1", owner="web")
        bench.settle()
        assert bench.where("web-1") == "node-1"


def test_terminating_pods_leave_their_group(new_bench: Any) -> None:
    """A pod that is being deleted keeps its room but no longer keeps its siblings away."""
    for seed in range(10):
        bench = new_bench(seed)
        bench.node("node-1")
        bench.node("node-2")
        bench.pod("a", owner="web")
        bench.pod("b", owner="web")
        bench.settle()
        bench.api.delete("pods", "a", "default")
        bench.settle()
        bench.pod("c", owner="web")
        bench.settle()
        assert bench.where("c") == bench.where("a")


def test_zones_are_spread_over(new_bench: Any) -> None:
    """Where nodes say their zone, a set's pods spread over zones, too."""
    for seed in range(10):
        bench = new_bench(seed)
        for name, zone in (("a1", "a"), ("a2", "a"), ("b1", "b")):
            bench.node(name, labels={"topology.kubernetes.io/zone": zone})
        bench.pod("web-0", owner="web")
        bench.pod("web-1", owner="web")
        bench.settle()
        assert {str(bench.where(f"web-{index}"))[0] for index in (0, 1)} == {"a", "b"}


def test_the_emptier_node_is_better(new_bench: Any) -> None:
    """What a pod requests decides where the next one goes: to the node with the most left."""
    for seed in range(5):
        bench = new_bench(seed)
        bench.node("node-1")
        bench.node("node-2")
        bench.pod("a", cpu="2", memory="4Gi")
        bench.settle()
        bench.pod("b", cpu="1", memory="2Gi")
        bench.settle()
        assert bench.where("a") != bench.where("b")


def test_ties_are_chance_and_the_seed_decides(new_bench: Any) -> None:
    """Equal nodes are chosen at random, and the same seed chooses the same."""

    def first(seed: int) -> str:
        bench = new_bench(seed)
        for index in range(4):
            bench.node(f"node-{index}")
        bench.pod("web")
        bench.settle()
        return str(bench.where("web"))

    chosen = [first(seed) for seed in range(20)]
    assert len(set(chosen)) == 4
    assert chosen == [first(seed) for seed in range(20)]


def test_priority_goes_first(bench: Any) -> None:
    """Of pods that wait together, the most important gets the room."""
    bench.node("node-1", pods="1")
    bench.pod("low", priority=0)
    bench.pod("high", priority=10)
    bench.settle()
    assert bench.where("high") == "node-1"
    assert bench.where("low") is None


def test_gates_and_other_schedulers(bench: Any) -> None:
    """A gated pod waits for its gates to go, and asks for what it says then; foreign pods are left alone."""
    bench.node("node-1")
    bench.pod("gated", schedulingGates=[{"name": "wait"}])
    bench.pod("foreign", schedulerName="mine")
    bench.settle()
    assert bench.where("gated") is None
    assert bench.where("foreign") is None
    pod = bench.api.get("pods", "gated", "default")
    spec = {key: value for key, value in pod["spec"].items() if key != "schedulingGates"}
    spec["nodeSelector"] = {"disk": "ssd"}
    bench.store.put("pods", {**pod, "metadata": {**pod["metadata"]}, "spec": spec})
    bench.settle()
    assert bench.where("gated") is None
    bench.change_node("node-1", labels={"disk": "ssd"})
    bench.settle()
    assert bench.where("gated") == "node-1"


def test_a_removed_node_takes_its_room_along(bench: Any) -> None:
    """A node that is gone takes no pods; when it returns, the pods on it count again."""
    bench.node("node-1", cpu="2")
    bench.pod("a", cpu="2")
    bench.settle()
    bench.api.delete("nodes", "node-1")
    bench.pod("b", cpu="1")
    bench.settle()
    assert bench.where("b") is None
    bench.node("node-1", cpu="2")
    bench.settle()
    assert bench.where("b") is None
    assert "Insufficient cpu" in bench.condition("b")["message"]


def test_many_kinds_of_nodes_agree_with_a_plain_search(new_bench: Any) -> None:
    """The buckets find, after any history, a node of the score that a look at every node finds."""
    from random import Random

    from gherkube.runners.simulator.scheduler_view import View

    random = Random(7)
    for _ in range(20):
        bench = new_bench(random.randrange(1000))
        for index in range(12):
            bench.node(f"node-{index}", cpu=random.choice("248"))
        for index in range(40):
            cpu = random.choice(["100m", "500m", "1"])
            bench.pod(f"p-{index}", owner=random.choice(["x", "y", "z"]), cpu=cpu)
            if index % 3 == 2:
                bench.settle()
                placed = bench.scheduler._nodes.placed.values()
                bench.gone(random.choice(sorted(each.pod["metadata"]["name"] for each in placed)))
        bench.settle()
        nodes = bench.scheduler._nodes
        for demand, view in list(bench.scheduler._views.items()):
            fresh = View(nodes, demand)
            fresh._catch_up()
            view._catch_up()
            kept, anew = (
                {
                    key: sorted(place.node.name for place in bucket.nodes)
                    for key, bucket in each._buckets.items()
                }
                for each in (view, fresh)
            )
            assert kept == anew
