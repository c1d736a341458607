"""Requests reach pods by the rules that their node has at that moment."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from gherkube.runners.errors import ApiError, CannotJudge, UsageError
from gherkube.runners.objects import Key
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.network import Proxy


@pytest.fixture
def web(bench: Any) -> Any:
    """A service with three pods, known to all nodes."""
    bench.service()
    bench.pods = [
        bench.pod(f"web-{index}", ip=f"10.244.{index}.2", node=f"node-{index}") for index in (1, 2, 3)
    ]
    bench.run()
    return bench


WEB = Key("default", "web")


def test_requests_are_shared_by_the_ready_pods(web: Any) -> None:
    """Each request goes to a pod at random and tells who answered, with what, through what, when."""
    requests = web.traffic.send(WEB, 60)
    assert {request.code for request in requests} == {200}
    assert set(Counter(request.pod for request in requests)) == {"web-1", "web-2", "web-3"}
    first = requests[0]
    assert (first.service, first.image, first.through) == (WEB, "hello:1", "service")
    assert first.body == f"{first.pod}:8080/"
    assert first.answered
    assert [request.at for request in requests] == sorted(request.at for request in requests)
    assert requests[1].at == first.at + first.seconds
    assert web.traffic.requests == requests


def test_nobody_there(bench: Any) -> None:
    """Without endpoints the connection is refused; without the service the client hears of no such host."""
    bench.service()
    bench.pod("web-1", ip="10.244.1.2", ready=False)
    bench.run()
    (request,) = bench.traffic.send(WEB, 1)
    assert (request.code, request.pod, request.body) == (0, "", "connection refused")
    with pytest.raises(ApiError, match='services "absent" not found'):
        bench.traffic.send(Key("default", "absent"), 1)
    bench.traffic.flow(WEB, 0.5)
    bench.api.delete("services", "web", "default")
    bench.run()
    assert bench.traffic.requests[-1].body == "no such host"


def test_node_ports(bench: Any) -> None:
    """A node port takes requests where there is one; where not, it says why."""
    bench.service(type="NodePort")
    bench.service("inner")
    bench.pod("web-1", ip="10.244.1.2")
    bench.run()
    (request,) = bench.traffic.send(WEB, 1, through="node port")
    assert (request.code, request.through) == (200, "node port")
    with pytest.raises(UsageError, match='service "inner" has no node port, because its type is ClusterIP'):
        bench.traffic.send(Key("default", "inner"), 1, through="node port")


def test_local_policy_keeps_to_the_node(bench: Any) -> None:
    """With traffic policy Local a node sends to its own pods only, and refuses where it has none."""
    bench.service(type="NodePort", externalTrafficPolicy="Local")
    bench.pod("web-1", ip="10.244.1.2", node="node-1")
    bench.run()
    requests = bench.traffic.send(WEB, 60, through="node port")
    share = sum(request.answered for request in requests)
    assert 0 < share < 60


def test_a_service_without_selector_cannot_be_judged(bench: Any) -> None:
    """Who answers for endpoints that somebody wrote by hand, the simulator cannot know."""
    bench.service(selector=None)
    with pytest.raises(CannotJudge):
        bench.traffic.send(WEB, 1)


def test_terminating_pods_serve_when_no_other_does(web: Any) -> None:
    """With nothing ready left, pods that terminate but still serve get the requests."""
    for pod in web.pods:
        web.terminate(pod)
    web.run()
    assert all(request.answered for request in web.traffic.send(WEB, 10))
    for pod in web.pods:
        web.status(pod, ready=False)
    web.run()
    assert not any(request.answered for request in web.traffic.send(WEB, 10))


def test_client_affinity(bench: Any) -> None:
    """With sessionAffinity ClientIP a client stays with its pod until that is gone."""
    bench.service(sessionAffinity="ClientIP")
    pods = {name: bench.pod(name, ip=f"10.244.1.{at}") for at, name in enumerate(("a", "b", "c"))}
    bench.run()
    bench.nodes[1:] = []
    before = {request.pod for request in bench.traffic.send(WEB, 20)}
    assert len(before) == 1
    bench.gone(pods[before.pop()])
    bench.run()
    assert len({request.pod for request in bench.traffic.send(WEB, 20)}) == 1


def test_client_affinity_has_its_time(bench: Any) -> None:
    """After so many seconds without a connection the client may come to another pod."""
    bench.service(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 5}})
    for at in range(8):
        bench.pod(f"web-{at}", ip=f"10.244.1.{at}")
    bench.run()
    bench.nodes[1:] = []
    found = set()
    for _ in range(20):
        found |= {request.pod for request in bench.traffic.send(WEB, 1)}
        bench.run(6.0)
    assert len(found) > 1


def lost(new_bench: Any, seed: int, *, stops_after: float) -> int:
    """How many of the requests each 10 ms are lost when one of two pods goes, and stops that much later."""
    bench = new_bench(seed)
    bench.service()
    pods = [bench.pod(f"web-{index}", ip=f"10.244.1.{index}") for index in (1, 2)]
    bench.run()
    bench.traffic.flow(WEB, 0.01)
    bench.run(1.0)
    bench.terminate(pods[0])
    bench.clock.after(stops_after, bench.programs.stopped.add, pods[0])
    bench.run(3.0)
    return sum(not request.answered for request in bench.traffic.requests)


def test_the_race_at_deletion(new_bench: Any) -> None:
    """A pod that stops at once loses requests until the nodes know; one that serves on for 2 s loses none."""
    at_once = [lost(new_bench, seed, stops_after=0.02) for seed in range(10)]
    assert sum(count > 0 for count in at_once) >= 8
    assert max(at_once) < 60
    assert [lost(new_bench, seed, stops_after=2.0) for seed in range(10)] == [0] * 10


def test_nodes_learn_at_most_once_a_second(new_bench: Any) -> None:
    """A change soon after another is programmed up to a second later, so more requests are lost to it."""

    def lost_to_the_second(seed: int) -> int:
        bench = new_bench(seed, nodes=1)
        bench.service()
        pods = [bench.pod(f"web-{index}", ip=f"10.244.1.{index}") for index in (1, 2, 3)]
        bench.run()
        bench.traffic.flow(WEB, 0.01)
        bench.terminate(pods[0])
        bench.run(0.2)
        bench.terminate(pods[1])
        bench.programs.stopped.add(pods[1])
        bench.run(2.0)
        return sum(not request.answered for request in bench.traffic.requests)

    assert all(15 <= lost_to_the_second(seed) <= 60 for seed in range(5))


def test_a_pod_that_is_gone_leaves_no_route(bench: Any) -> None:
    """Until the nodes know that a pod is gone, requests to it find no route, also if its name is back."""
    bench.service()
    pod = bench.pod("web-1", ip="10.244.1.2")
    bench.run()
    bench.gone(pod)
    assert bench.traffic.send(WEB, 1)[0].body == "no route to host"
    bench.pod("web-1", ip="10.244.1.3")
    assert bench.traffic.send(WEB, 1)[0].body == "no route to host"
    bench.run()
    assert bench.traffic.send(WEB, 1)[0].answered


def test_a_lone_change_is_learned_soon() -> None:
    """After a quiet time every node has a change within half a second: rounding makes none wait longer."""
    for seed in range(50):
        proxy = Proxy(Chance(seed), 0)
        changes: list[float] = []
        for count in range(1, 40):
            changes.append(2.0 * count + seed / 7)
            assert proxy.look(changes, 0, changes[-1] + 0.5) == count


def test_flowing_requests(web: Any) -> None:
    """Requests flow from now on, evenly, and keep nobody from telling that nothing else will happen."""
    assert not web.traffic.flows(WEB)
    start = web.clock.now
    web.traffic.flow(WEB, 0.25)
    web.run(1.0)
    assert web.traffic.flows(WEB)
    assert [request.at - start for request in web.traffic.requests] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert web.clock.pending == 0


def test_nodes_without_power_take_no_requests(web: Any) -> None:
    """Requests enter at nodes that are up; with none up there is no route."""
    web.network.down["node-1"] = None
    assert all(request.answered for request in web.traffic.send(WEB, 10))
    web.network.down.update(dict.fromkeys(web.nodes))
    (request,) = web.traffic.send(WEB, 1)
    assert (request.code, request.body) == (0, "no route to host")


def test_old_rules_are_forgotten(bench: Any) -> None:
    """However much changes, what no node needs any more is dropped, and requests go on."""
    bench.service()
    pod = bench.pod("web-1", ip="10.244.1.2")
    other = bench.pod("web-2", ip="10.244.1.3")
    for _ in range(1500):
        for ready in (False, True):
            bench.status(other, ready=ready)
            bench.run(0.1)
    assert len(bench.network._changes) <= 2_001
    assert len(bench.network._timelines[WEB]) <= 2_001
    assert bench.traffic.send(WEB, 1)[0].answered
    bench.gone(pod)
    bench.run()
    assert {request.pod for request in bench.traffic.send(WEB, 10)} == {"web-2"}
