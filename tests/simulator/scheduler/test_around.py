"""Pods are placed beside other pods, apart from them, or spread over places, as upstream would."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

HOST, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"


def term(app: str, key: str = HOST, **more: Any) -> dict[str, Any]:
    return {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": key, **more}


def required(kind: str, *terms: dict[str, Any]) -> dict[str, Any]:
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}}


def preferred(kind: str, what: dict[str, Any], weight: int = 10) -> dict[str, Any]:
    entry = {"weight": weight, "podAffinityTerm": what}
    return {kind: {"preferredDuringSchedulingIgnoredDuringExecution": [entry]}}


def spread(app: str, when: str = "DoNotSchedule", key: str = HOST, **more: Any) -> list[dict[str, Any]]:
    selector = {"matchLabels": {"app": app}}
    return [{"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": when, "labelSelector": selector, **more}]


@pytest.fixture
def three(bench: Any) -> Any:
    """Three nodes, two of them in zone a."""
    for name, zone in (("node-1", "a"), ("node-2", "a"), ("node-3", "b")):
        bench.node(name, labels={ZONE: zone})
    return bench


def placed(bench: Any, *names: str) -> list[str | None]:
    bench.settle()
    return [bench.where(name) for name in names]


def refusal(bench: Any, name: str) -> str:
    """Why a pod fits nowhere, without the number of nodes and what follows about preemption."""
    message: str = bench.condition(name)["message"]
    return message.partition(": ")[2].partition(". no new claims")[0]


def test_pods_that_want_to_be_apart_take_a_node_each(three: Any) -> None:
    """The one too many waits, and takes the place of the first that leaves."""
    apart = required("podAntiAffinity", term("web"))
    for name in ("w1", "w2", "w3", "w4"):
        three.pod(name, labels={"app": "web"}, affinity=apart)
        three.settle()
    nodes = placed(three, "w1", "w2", "w3", "w4")
    assert sorted(filter(None, nodes)) == ["node-1", "node-2", "node-3"]
    assert refusal(three, "w4") == "3 node(s) didn't match pod anti-affinity rules"
    three.gone("w2")
    assert placed(three, "w4") == [nodes[1]]


def test_who_runs_is_asked_too(three: Any) -> None:
    """A pod may not go where one is that wants to be apart from it."""
    three.pod("loner", affinity=required("podAntiAffinity", term("web", key=ZONE)), nodeName="node-1")
    three.settle()
    three.pod("w1", labels={"app": "web"})
    assert placed(three, "w1") == ["node-3"]
    three.pod("w2", labels={"app": "web"}, nodeSelector={ZONE: "a"})
    three.settle()
    assert refusal(three, "w2") == (
        "1 node(s) didn't match Pod's node affinity/selector, "
        "2 node(s) didn't satisfy existing pods anti-affinity rules"
    )


def test_a_pod_follows_the_one_that_it_wants(three: Any) -> None:
    """It waits until that one is there, and goes to the same place."""
    three.pod("cache", affinity=required("podAffinity", term("web")))
    three.settle()
    assert refusal(three, "cache") == "3 node(s) didn't match pod affinity rules"
    three.pod("w1", labels={"app": "web"}, nodeName="node-2")
    assert placed(three, "cache") == ["node-2"]


def test_the_first_of_those_that_want_one_another_may_begin(three: Any) -> None:
    """Its own labels are what it wants."""
    for name in ("w1", "w2", "w3"):
        three.pod(name, labels={"app": "web"}, affinity=required("podAffinity", term("web")))
    assert len({*placed(three, "w1", "w2", "w3")}) == 1


def test_terms_are_about_their_own_namespace(three: Any) -> None:
    """Unless they name others, or select them by label."""
    three.api.create_trusted("namespaces", {"metadata": {"name": "shop", "labels": {"team": "shop"}}})
    three.pod("w1", namespace="shop", labels={"app": "web"}, nodeName="node-3")
    three.pod("own", affinity=required("podAffinity", term("web")))
    three.pod("named", affinity=required("podAffinity", term("web", namespaces=["shop"])))
    selector = {"matchLabels": {"team": "shop"}}
    three.pod("chosen", affinity=required("podAffinity", term("web", namespaceSelector=selector)))
    assert placed(three, "own", "named", "chosen") == [None, "node-3", "node-3"]


def test_preferences_decide_between_nodes(three: Any) -> None:
    """What is liked draws, what is disliked repels; neither forbids."""
    three.pod("w1", labels={"app": "web"}, nodeName="node-2")
    three.pod("friend", affinity=preferred("podAffinity", term("web")))
    three.pod("foe", affinity=preferred("podAntiAffinity", term("web", key=ZONE)))
    assert placed(three, "friend", "foe") == ["node-2", "node-3"]


def test_a_spread_that_must_be_holds(three: Any) -> None:
    """No node has two more than another that counts; cordoned ones count, too."""
    three.change_node("node-3", unschedulable=True)
    three.settle()
    for name in ("w1", "w2", "w3"):
        three.pod(name, labels={"app": "web"}, topologySpreadConstraints=spread("web"))
        three.settle()
    assert sorted(filter(None, placed(three, "w1", "w2", "w3"))) == ["node-1", "node-2"]
    assert refusal(three, "w3") == (
        "1 node(s) were unschedulable, 2 node(s) didn't match pod topology spread constraints"
    )
    three.change_node("node-3", unschedulable=False)
    assert placed(three, "w3") == ["node-3"]


def test_nodes_without_the_label_do_not_count(bench: Any) -> None:
    """A label that a node gets later lets the pod go there."""
    node = bench.node("node-1")
    bench.pod("w1", labels={"app": "web"}, topologySpreadConstraints=spread("web", key=ZONE))
    bench.settle()
    assert (
        refusal(bench, "w1")
        == "1 node(s) didn't match pod topology spread constraints (missing required label)"
    )
    bench.change_node("node-1", labels={**node["metadata"]["labels"], ZONE: "a"})
    assert placed(bench, "w1") == ["node-1"]


def test_a_spread_counts_by_what_the_pod_names(three: Any) -> None:
    """`matchLabelKeys` leave out the pods of another revision; `minDomains` asks for more places."""
    keyed = spread("web", key=ZONE, matchLabelKeys=["rev"])
    for name, rev in (("old1", "1"), ("new1", "2"), ("new2", "2")):
        three.pod(name, labels={"app": "web", "rev": rev}, topologySpreadConstraints=keyed)
        three.settle()
    new1, new2 = placed(three, "new1", "new2")
    assert (new1 == "node-3") != (new2 == "node-3")
    for name in ("m1", "m2", "m3"):
        constraint = spread("many", key=ZONE, minDomains=3)
        three.pod(name, labels={"app": "many"}, topologySpreadConstraints=constraint)
        three.settle()
    assert placed(three, "m3") == [None]


def test_a_spread_that_should_be_is_a_preference(three: Any) -> None:
    """Zones come before nodes when only zones are asked for."""
    zones: Counter[str] = Counter()
    for index in range(6):
        name = f"w{index}"
        soft = spread("web", "ScheduleAnyway", key=ZONE)
        three.pod(name, labels={"app": "web"}, topologySpreadConstraints=soft)
        (node,) = placed(three, name)
        zones["b" if node == "node-3" else "a"] += 1
    assert zones == {"a": 3, "b": 3}
