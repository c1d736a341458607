"""A pod of higher priority takes the room of lower ones, and no more of it than it needs."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.objects import Key

HOPELESS = "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."


@pytest.fixture
def one(bench: Any) -> Any:
    """A node of 4 CPUs with three pods of different priority on it, which a budget does not protect."""
    bench.node("node-1")
    for name, priority in (("low", 1), ("middle", 5), ("high", 9)):
        bench.pod(name, cpu="1", priority=priority, labels={"app": name})
        bench.settle()
    return bench


def deleted(bench: Any) -> list[str]:
    """Who is gone: without a kubelet a pod on a node stays as it was when it was deleted."""
    return [
        pod["metadata"]["name"] for pod in bench.store.all("pods") if "deletionTimestamp" in pod["metadata"]
    ]


def test_the_least_important_go(one: Any) -> None:
    """As many as are needed; they are told why, and the pod says where room is made for it."""
    one.pod("urgent", cpu="2500m", priority=7)
    one.settle()
    assert deleted(one) == ["low", "middle"]
    message = "0/1 nodes are available: 1 Insufficient cpu."
    assert one.condition("urgent")["message"] == message
    urgent = one.store.get("pods", Key("default", "urgent"))
    assert urgent["status"]["nominatedNodeName"] == "node-1"
    (event,) = [each for each in one.events("low") if each["reason"] == "Preempted"]
    assert event["message"] == f"Preempted by pod {urgent['metadata']['uid']} on node node-1"
    low = one.store.get("pods", Key("default", "low"))
    target = next(each for each in low["status"]["conditions"] if each["type"] == "DisruptionTarget")
    assert (target["reason"], target["message"]) == (
        "PreemptionByScheduler",
        "default-scheduler: preempting to accommodate a higher priority pod",
    )


def test_it_gets_the_room_once_they_are_gone(one: Any) -> None:
    """Until then it removes nobody else."""
    one.pod("urgent", cpu="1500m", priority=7)
    one.settle()
    assert (deleted(one), one.where("urgent")) == (["low"], None)
    one.pod("other", cpu="3", priority=2)
    one.settle()
    one.gone("low")
    one.settle()
    assert (deleted(one), one.where("urgent")) == ([], "node-1")


def test_nobody_goes_in_vain(one: Any) -> None:
    """Where it would not fit even then, nobody goes; where nobody is lower, that is said."""
    one.pod("huge", cpu="3500m", priority=7)
    one.pod("equal", cpu="2", priority=1)
    one.pod("plain", cpu="2")
    one.settle()
    assert deleted(one) == []
    assert one.condition("huge")["message"].endswith(
        "preemption: 0/1 nodes are available: 1 Insufficient cpu."
    )
    for name in ("equal", "plain"):
        assert one.condition(name)["message"].endswith(HOPELESS)


def test_a_budget_is_spared_where_it_can_be(bench: Any) -> None:
    """Of two nodes the one is chosen where no budget is broken."""
    for name in ("node-1", "node-2"):
        bench.node(name)
        bench.pod(f"on-{name}", cpu="3", priority=1, labels={"app": name}, nodeName=name)
    bench.api.create_trusted(
        "poddisruptionbudgets",
        {
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "node-1"}}},
            "status": {"disruptionsAllowed": 0},
        },
    )
    bench.pod("urgent", cpu="3", priority=5)
    bench.settle()
    assert deleted(bench) == ["on-node-2"]


def test_who_keeps_it_away_goes(bench: Any) -> None:
    """Not only room: also a pod from which it wants to be apart, or that has its port."""
    for name in ("node-1", "node-2"):
        bench.node(name)
    selector = {"kubernetes.io/hostname": "node-1"}
    term = {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": "kubernetes.io/hostname"}
    bench.pod("web", labels={"app": "web"}, nodeName="node-1")
    bench.pod("port", host_port=80, nodeName="node-2")
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    bench.pod("urgent", priority=5, affinity=apart, nodeSelector=selector)
    bench.pod("ported", priority=5, host_port=80, nodeSelector={"kubernetes.io/hostname": "node-2"})
    bench.settle()
    assert sorted(deleted(bench)) == ["port", "web"]


def test_room_that_is_made_for_a_pod_is_not_given_to_another(bench: Any) -> None:
    """Each takes a victim of its own, and waits for it."""
    for name in ("node-1", "node-2"):
        bench.node(name)
        bench.pod(f"on-{name}", cpu="3", priority=1, nodeName=name)
    bench.settle()
    bench.pod("first", cpu="3", priority=5)
    bench.pod("second", cpu="3", priority=5)
    bench.settle()
    assert sorted(deleted(bench)) == ["on-node-1", "on-node-2"]
    one, other = (bench.store.get("pods", Key("default", name)) for name in ("first", "second"))
    assert one["status"]["nominatedNodeName"] != other["status"]["nominatedNodeName"]
    bench.gone(f"on-{other['status']['nominatedNodeName']}")
    bench.settle()
    assert bench.where("second") == other["status"]["nominatedNodeName"]
    assert bench.where("first") is None
    assert bench.condition("first")["message"].endswith(
        "preemption: not eligible due to a terminating pod on the nominated node."
    )
    bench.gone(f"on-{one['status']['nominatedNodeName']}")
    bench.settle()
    assert bench.where("first") == one["status"]["nominatedNodeName"]
