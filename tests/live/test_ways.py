"""How requests get to a service, and what became of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from gherkube.runners.errors import ApiError, CannotJudge, UsageError
from gherkube.runners.live import traffic as module
from gherkube.runners.live import ways
from gherkube.runners.live.connection import Unreachable
from gherkube.runners.live.traffic import LiveTraffic, Log
from gherkube.runners.live.ways import Way, Ways
from gherkube.runners.objects import Key, Object
from gherkube.runners.traffic import Request, sum_up

WEB = Key("shop", "web")


class Api:
    """An API with one service, and whatever ingresses a test puts there."""

    def __init__(self, **spec: Any) -> None:
        ports = [{"port": 80, "nodePort": 30080}] if spec.get("type") == "NodePort" else [{"port": 80}]
        self.spec = {"ports": ports, "selector": {"app": "web"}, "clusterIP": "10.96.0.9"} | spec
        self.ingresses: list[Object] = []
        self.patched: list[Any] = []
        self.ready = True
        """Whether its only endpoint is."""

    def get(self, *_: str) -> Object:
        return {"metadata": {"name": "web"}, "spec": self.spec}

    def patch(self, _resource: str, _name: str, patch: Any, _namespace: str) -> Object:
        self.patched.append(patch)
        return {"spec": {"ports": [{"port": 80, "nodePort": 30099}]}}

    def list(self, resource: str, _namespace: str, *, labels: str = "") -> list[Object]:
        if resource == "endpointslices":
            assert labels == "kubernetes.io/service-name=web"
            return [{"endpoints": [{"conditions": {"ready": self.ready}}]}]
        if not self.ingresses:
            raise ApiError(403, "Forbidden", "ingresses is forbidden")
        return self.ingresses


def node(name: str, address: str, *, control_plane: bool = False, ready: bool = True) -> Object:
    labels = {"node-role.kubernetes.io/control-plane": ""} if control_plane else {}
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    addresses = [{"type": "Hostname", "address": name}, {"type": "InternalIP", "address": address}]
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {"addresses": addresses, "conditions": conditions},
    }


NODES = [node("a", "10.1.0.1"), node("b", "10.1.0.2", control_plane=True), node("c", "10.1.0.3", ready=False)]


def way_to(api: Api, *, urls: dict[str, str] | None = None, made: bool = False, to_nodes: bool = True) -> Way:
    found = Ways(api, urls or {}, lambda _: made, lambda: NODES if to_nodes else [])  # type: ignore[arg-type]
    return found.to(WEB)


@pytest.fixture(autouse=True)
def reached(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The hosts that are reached; a test may take some away."""
    hosts = {"10.1.0.1", "10.1.0.2", "10.1.0.3", "192.0.2.7"}

    def connect(url: str) -> None:
        if ways.urlsplit(url).hostname not in hosts:
            raise TimeoutError

    monkeypatch.setattr(ways, "_connect", connect)
    return hosts


@pytest.mark.parametrize("name", ["web", "shop/web"])
def test_the_settings_have_the_first_word(name: str) -> None:
    """By name, or by namespace and name."""
    way = way_to(Api(type="NodePort"), urls={name: "https://shop.example.com/"})
    assert way == Way("https://shop.example.com/, of the settings", ("https://shop.example.com/",))


def test_a_node_port_is_asked_where_nodes_are_reached() -> None:
    """At one node, one of the control plane if there is one that is ready."""
    assert way_to(Api(type="NodePort")) == Way("node port 30080 of 10.1.0.2", ("http://10.1.0.2:30080/",))


def test_a_service_of_the_run_gets_a_node_port() -> None:
    """Nobody else's does, nor one without an address of its own."""
    api = Api()
    assert way_to(api, made=True).urls == ("http://10.1.0.2:30099/",)
    assert api.patched == [{"spec": {"type": "NodePort"}}]
    for other, made in ((Api(), False), (Api(clusterIP="None"), True)):
        assert way_to(other, made=made).proxied
        assert not other.patched


def test_a_new_node_port_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The node refuses until it has heard of it; but where no pod is ready, it does so for ever."""
    refusals, waited, api = [1, 2, 3], [], Api()

    def connect(url: str) -> None:
        if ways.urlsplit(url).port == 30099 and refusals:
            raise ConnectionRefusedError

    def sleep(_: float) -> None:
        waited.append(refusals.pop())

    monkeypatch.setattr(ways, "_connect", connect)
    monkeypatch.setattr(ways.time, "sleep", sleep)
    assert way_to(api, made=True).urls == ("http://10.1.0.2:30099/",)
    assert waited == [3, 2, 1]
    refusals.append(4)
    api.ready = False
    assert way_to(api, made=True).urls == ("http://10.1.0.2:30099/",)
    assert waited == [3, 2, 1]


def test_an_ingress_that_leads_there() -> None:
    """By its address and the host that its rule is for; not one that leads elsewhere."""
    api = Api()

    def ingress(name: str, service: str) -> Object:
        path = {"path": "/shop", "backend": {"service": {"name": service}}}
        return {
            "metadata": {"name": name},
            "spec": {"rules": [{"host": "shop.example.com", "http": {"paths": [path]}}]},
            "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}},
        }

    api.ingresses = [ingress("other", "api"), ingress("front", "web")]
    way = way_to(api, to_nodes=False)
    assert way == Way('ingress "front" at shop.example.com', ("http://192.0.2.7/shop",), "shop.example.com")


def test_all_else_goes_through_the_api_server(reached: set[str]) -> None:
    """Where no node is reached, or they are only modelled."""
    expected = Way(
        "the API server's proxy", ("/api/v1/namespaces/shop/services/web:80/proxy/",), proxied=True
    )
    assert way_to(Api(type="NodePort"), to_nodes=False) == expected
    reached.clear()
    assert way_to(Api(type="NodePort"), made=True) == expected


def test_requests_to_the_node_port_itself(reached: set[str]) -> None:
    """On each ready node; nothing else will do."""
    api = Api(type="NodePort")

    def to_port() -> Way:
        return Ways(api, {}, lambda _: True, lambda: NODES).to_node_ports(WEB)  # type: ignore[arg-type]

    assert to_port().urls == ("http://10.1.0.2:30080/", "http://10.1.0.1:30080/")
    reached.clear()
    with pytest.raises(CannotJudge, match="nodes are not reached from here"):
        to_port()
    api.spec["ports"] = [{"port": 80}]
    with pytest.raises(UsageError, match="has no node port"):
        to_port()


def test_a_service_that_selects_nothing() -> None:
    """No request can be sent to it."""
    with pytest.raises(UsageError, match="selects no pods"):
        way_to(Api(selector=None))


# --- What became of them


class Shop(NamedTuple):
    """The address of a server; what hangs there, and what ends that."""

    url: str
    late: list[str]
    freed: threading.Event


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A server that says who it is and for which host."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/hangs":
                server.late.append(self.path)
                server.freed.wait(60)
            body = f"web-1 for {self.headers['Host']}\n".encode()
            self.send_response(503 if self.path == "/busy" else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 64
        freed = threading.Event()
        late: list[str] = []  # noqa: RUF012 - of this class alone

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield Shop(f"http://127.0.0.1:{server.server_port}", server.late, server.freed)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def traffic_by() -> Iterator[Callable[[Way], LiveTraffic]]:
    """Makes traffic that takes a given way, on a cluster with the pod web-1; closed at the end."""
    made: list[LiveTraffic] = []
    pod = {"metadata": {"name": "web-1"}, "spec": {"containers": [{"image": "hello:1"}]}}
    history = SimpleNamespace(known=lambda *_: [pod], ring=lambda *_: None)
    clock = SimpleNamespace(now=time.monotonic, rate=1.0, history=history)

    def traffic(way: Way) -> LiveTraffic:
        found = SimpleNamespace(to=lambda _: way)
        made.append(LiveTraffic(None, clock, found))  # type: ignore[arg-type]
        return made[-1]

    yield traffic
    for each in made:
        each.close()


def test_requests_go_the_way_that_was_chosen(shop: Shop, traffic_by: Callable[[Way], LiveTraffic]) -> None:
    """With the host of the rule; who answered is told by the answer; the way is told, too."""
    traffic = traffic_by(Way("the front door", (f"{shop.url}/", f"{shop.url}/busy"), "shop.example.com"))
    first, second = traffic.send(WEB, 2)
    assert (first.code, first.body, first.pod, first.image) == (
        200,
        "web-1 for shop.example.com",
        "web-1",
        "hello:1",
    )
    assert (second.code, second.answered, second.way) == (503, False, "the front door")
    assert traffic.told()[0].startswith('2 requests to service "web" through the front door: 1 lost')


def test_nobody_answers(traffic_by: Callable[[Way], LiveTraffic]) -> None:
    """The request is lost, and it says why."""
    [lost] = traffic_by(Way("nowhere", ("http://127.0.0.1:1/",))).send(WEB, 1)
    assert (lost.code, lost.pod) == (0, "")
    assert "refused" in lost.body


def test_requests_that_flow(shop: Shop, traffic_by: Callable[[Way], LiveTraffic]) -> None:
    """Again and again; all that were sent by now are told, and none is after the end."""
    traffic = traffic_by(Way("the front door", (f"{shop.url}/",)))
    traffic.flow(WEB, 0.01)
    while len(traffic.requests) < 20:
        assert traffic.flows(WEB)
    traffic.close()
    told = traffic.requests
    assert {request.way for request in told} == {"the front door"}
    assert traffic.requests == told


def test_what_hangs_holds_nothing_back(shop: Shop, traffic_by: Callable[[Way], LiveTraffic]) -> None:
    """Of a node that is gone each request hangs for long; those to the others are answered meanwhile."""
    traffic = traffic_by(Way("two nodes", (f"{shop.url}/", f"{shop.url}/hangs")))
    traffic.flow(WEB, 0.005)
    until = time.monotonic() + 60
    while len(shop.late) < 40:
        assert time.monotonic() < until
    shop.freed.set()
    traffic.close()


class Proxying:
    """A connection whose proxy says nothing in time; `up`: whether the API server itself does."""

    def __init__(self, *, up: bool) -> None:
        self.answers = lambda: up

    def send(self, *_: str, **__: str) -> None:
        raise Unreachable("the read operation timed out", unsent=False, late=True)


def test_a_service_that_is_late_behind_the_proxy(
    traffic_by: Callable[[Way], LiveTraffic], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is a lost request; but where the API server is silent, too, nobody knows."""
    monkeypatch.setattr(module, "ANSWERS", 0.0)
    traffic = traffic_by(Way("the proxy", ("/proxy/",), proxied=True))
    monkeypatch.setattr(traffic, "_connection", Proxying(up=True))
    [lost] = traffic.send(WEB, 1)
    assert (lost.code, lost.body) == (0, "the read operation timed out")
    monkeypatch.setattr(traffic, "_connection", Proxying(up=False))
    with pytest.raises(CannotJudge, match="does not pass requests on"):
        traffic.send(WEB, 1)


def test_a_request_that_could_not_be_sent_is_not_passed_over(
    shop: Shop, traffic_by: Callable[[Way], LiveTraffic], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the reason: nobody knows what would have become of it, so there is a gap."""
    traffic = traffic_by(Way("the front door", (f"{shop.url}/",)))
    gaps: list[str] = []
    monkeypatch.setattr(traffic._clock.history, "note_gap", lambda *gap: gaps.append(gap[2]), raising=False)
    monkeypatch.setattr(traffic, "_ask", lambda _: 1 / 0)
    traffic.flow(WEB, 0.001)
    traffic._flows[WEB].join(60)
    assert gaps[0] == "no request could be sent to the service: division by zero"
    assert traffic.requests == []


def test_answers_that_overtake_others() -> None:
    """They are told in the order of the requests, and when that is known."""
    log, one, two = Log(), *(request(at) for at in (1.0, 2.0))
    with log.turn() as first:
        with log.turn() as second:
            second.append(two)
        assert log.settled(0.0) == []
        first.append(one)
    assert log.settled(0.0) == [one, two]


def request(at: float, seconds: float = 0.1, code: int = 200) -> Request:
    return Request(at, WEB, "", "", code, "", seconds, "service")


def test_percentiles_losses_and_gaps() -> None:
    """Of the answered ones their times; a gap goes from one answer to the next."""
    requests = [request(n, seconds=n / 100, code=0 if n in (40, 41) else 200) for n in range(1, 101)]
    found = sum_up(requests)
    assert (found.sent, found.answered, found.lost, found.longest_gap) == (100, 98, 2, 3.0)
    assert (found.p50, found.p90, found.p99) == (0.51, 0.91, 1.0)
    assert sum_up([]) == (0, 0, 0, None, None, None, 0.0)
