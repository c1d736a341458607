"""What is served beside stored objects: logs, proxies, reviews, access, limits, the admin endpoint."""

from __future__ import annotations

import pytest

from gherkube.runners.errors import UsageError
from gherkube.runners.simulator.node.images import FIELDS
from gherkube.runners.simulator.server.admin import seconds
from gherkube.runners.simulator.server.app import Limits, Rate
from gherkube.runners.simulator.server.images import behaviours
from gherkube.steps.given_images import _BEHAVIOURS
from tests.server.loopback import CONFIGMAPS, DEPLOYMENTS, PODS, Loopback, deployment, loopback

SERVICE = "/api/v1/namespaces/default/services"


def serve_web(http: Loopback, **more: object) -> str:
    """A deployment with a service; the name of its first pod."""
    http.ask("POST", DEPLOYMENTS, deployment(**more))  # type: ignore[arg-type]
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    spec = {"selector": {"app": "web"}, "ports": ports}
    http.ask("POST", SERVICE, {"metadata": {"name": "web"}, "spec": spec})
    http.advance("10s")
    return str(http.get(PODS).json["items"][0]["metadata"]["name"])


def test_the_proxies_answer_as_the_application_does(http: Loopback) -> None:
    """By the service's port number or name, and by the pod's port."""
    pod = serve_web(http, replicas=1)
    said = f"hello | Running on: {pod} | v=1\n".encode()
    for path in (f"{SERVICE}/web:80/proxy/", f"{SERVICE}/web:http/proxy/x/y", f"{PODS}/{pod}:8080/proxy/"):
        assert http.get(path).body == said
    assert http.get(f"{PODS}/{pod}/proxy/readyz").body == b"ok\n"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("web:81", 'no service port 81 found for service "web"'),
        ("web:other", 'no endpoints available for service "web"'),
    ],
)
def test_a_proxy_without_a_way_is_unavailable(http: Loopback, name: str, said: str) -> None:
    """503, as the API server words it."""
    serve_web(http)
    refused = http.get(f"{SERVICE}/{name}/proxy/")
    assert (refused.code, refused.json["message"]) == (503, said)


def test_logs_are_what_the_container_printed(http: Loopback) -> None:
    """When it listens, what it makes of SIGTERM; the previous run's on request."""
    http.ask("PATCH", "/gherkube/v1/images", ['image "hello:1" takes 3 seconds to start listening'])
    pod = serve_web(http, replicas=1)
    lines = http.get(f"{PODS}/{pod}/log").body.decode().splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == ["starting, this takes 3s", "listening on :8080"]
    assert http.get(f"{PODS}/{pod}/log?tailLines=1").body.decode().endswith(":8080\n")
    previous = http.get(f"{PODS}/{pod}/log?previous=true")
    assert previous.json["message"] == f'previous terminated container "app" in pod "{pod}" not found'
    assert http.get(f"{PODS}/{pod}/log?container=x").json["message"] == (
        f"container x is not valid for pod {pod}"
    )


def test_a_container_that_waits_has_no_log(http: Loopback) -> None:
    """400 with the reason for which it waits."""
    http.ask("PATCH", "/gherkube/v1/images", {"hello:1": "does not exist"})
    pod = serve_web(http, replicas=1)
    refused = http.get(f"{PODS}/{pod}/log")
    assert refused.code == 400
    assert f'container "app" in pod "{pod}" is waiting to start: ' in refused.json["message"]


def test_what_was_said_of_an_image_is_put_back(http: Loopback) -> None:
    """What GET told of it, with PUT: it behaves just so, and others as they do; null says nothing of it."""
    images = "/gherkube/v1/images"
    name, other = "docker.io/library/hello:2", "docker.io/library/hello:3"
    http.ask("PATCH", images, {"hello:2": "takes 3 seconds to stop", "hello:3": "never becomes ready"})
    before = http.get(images).json
    http.ask("PATCH", images, {"hello:2": ["crashes after 5 seconds", "does not exist"]})
    put = http.ask("PUT", images, {"hello:2": before[name]})
    assert (put.code, put.json) == (200, before)
    assert http.ask("PUT", images, {name: None}).json == {k: v for k, v in before.items() if k != name}
    assert before[other] == {"never_ready": True}


@pytest.mark.parametrize(
    "body",
    [
        ['image "hello:2" does not exist'],
        {"hello:2": "does not exist"},
        {"hello:2": {"sings": True}},
        {"hello:2": {"never_ready": "yes"}},
        {"hello:2": {"stop_seconds": True}},
        {"Hello:2:3": None},
    ],
)
def test_what_get_never_told_of_an_image_is_refused(http: Loopback, body: object) -> None:
    """And nothing is changed."""
    before = http.get("/gherkube/v1/images").json
    refused = http.ask("PUT", "/gherkube/v1/images", body)
    assert (refused.code, refused.json["reason"]) == (400, "BadRequest")
    assert http.get("/gherkube/v1/images").json == before


@pytest.mark.parametrize("subresource", ["exec", "attach", "portforward"])
def test_what_has_no_program_is_refused_with_its_reason(http: Loopback, subresource: str) -> None:
    """Never a bare 404."""
    pod = serve_web(http)
    refused = http.ask("POST", f"{PODS}/{pod}/{subresource}?command=ls")
    assert refused.code == 501
    assert subresource in refused.json["message"]


@pytest.mark.parametrize(
    ("group", "resource", "status"),
    [
        ("authorization.k8s.io", "selfsubjectaccessreviews", {"allowed": True}),
        ("authentication.k8s.io", "selfsubjectreviews", None),
    ],
)
def test_reviews_are_answered_and_not_stored(
    http: Loopback, group: str, resource: str, status: object
) -> None:
    """kubectl auth can-i, kubectl auth whoami."""
    before = http.cluster.store.version
    answer = http.ask("POST", f"/apis/{group}/v1/{resource}", {"spec": {}})
    assert answer.code == 201
    assert answer.json["status"] == status or answer.json["status"]["userInfo"]["username"]
    assert http.cluster.store.version == before


def test_a_service_account_gets_a_token(http: Loopback) -> None:
    """kubectl create token; it opens nothing."""
    http.ask("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "bob"}})
    token = http.ask("POST", "/api/v1/namespaces/default/serviceaccounts/bob/token", {"spec": {}})
    assert (token.code, token.json["status"]["expirationTimestamp"]) == (201, "2025-01-01T01:00:00Z")


def test_only_the_bearer_of_the_token_is_let_in() -> None:
    """All others get 401, but for health and version."""
    with loopback(token="secret") as http:
        assert http.get(PODS).json["reason"] == "Unauthorized"
        assert http.get(PODS, Authorization="Bearer secreT").code == 401
        assert http.get("/gherkube/v1").code == 401
        assert http.get(PODS, Authorization="Bearer secret").code == 200
        assert (http.get("/healthz").body, http.get("/version").json["minor"]) == (b"ok", "34")


def test_what_is_too_large_is_refused() -> None:
    """413 for a body, 431 for headers; both as a Status."""
    with loopback(limits=Limits(body=1000, headers=2000)) as http:
        large = http.ask("POST", CONFIGMAPS, b"x" * 1001)
        assert (large.code, large.json["reason"]) == (413, "RequestEntityTooLarge")
        assert http.get(PODS, X_Long="x" * 2000).code == 431


def test_too_many_at_once_have_to_come_again() -> None:
    """429 with Retry-After."""
    with loopback(limits=Limits(in_flight=0)) as http:
        refused = http.get(PODS)
        assert (refused.code, refused.headers["Retry-After"]) == (429, "1")


def test_too_many_in_a_second_have_to_wait() -> None:
    """The rate is bounded, too: so many pass at once, and so many more in each second."""
    with loopback(limits=Limits(rate=0)) as http:
        assert http.get("/healthz").code == 429
    rate = Rate(3)
    assert [rate.allows(7.0) for _ in range(4)] == [True, True, True, False]
    assert [rate.allows(at) for at in (7.25, 7.5, 7.6, 8.0)] == [False, True, False, True]
    assert [rate.allows(60.0) for _ in range(4)] == [True, True, True, False]


def test_a_name_that_a_web_page_made_up_is_not_let_in(http: Loopback) -> None:
    """Without a token only who asks for the address itself, or localhost, gets an answer."""
    assert http.get("/version", Host="evil.example:80").code == 403
    assert http.get("/version", Host="localhost:1234").code == 200
    assert http.get("/version", Host="[::1]:1234").code == 200


def test_a_log_is_followed_to_its_end(http: Loopback) -> None:
    """Lines come as they are printed; it ends with the container."""
    http.ask("PATCH", "/gherkube/v1/images", {"hello:1": "takes 3 seconds to stop"})
    pod = serve_web(http, replicas=1)
    with http.watch(f"{PODS}/{pod}/log?follow=true") as following:
        assert b"listening on :8080" in following.line()
        http.ask("DELETE", f"{PODS}/{pod}")
        http.advance("2s")
        assert b"asked to stop, serving for another 3s" in following.line()
        http.advance("1m")
        while line := following.line():
            assert b"stopped" in line


def test_nodes_are_stopped_and_started(http: Loopback) -> None:
    """Through the admin endpoint, which refuses what is no node."""

    def ready() -> str:
        conditions = http.get("/api/v1/nodes/node-1").json["status"]["conditions"]
        return next(str(each["status"]) for each in conditions if each["type"] == "Ready")

    assert http.ask("POST", "/gherkube/v1/nodes/node-1/stop").code == 200
    http.advance("1m")
    assert ready() == "Unknown"
    http.ask("POST", "/gherkube/v1/nodes/node-1/start")
    http.advance("1m")
    assert ready() == "True"
    refused = http.ask("POST", "/gherkube/v1/nodes/node-9/stop")
    assert (refused.code, "there is no node" in refused.json["message"]) == (400, True)
    assert http.ask("DELETE", "/gherkube/v1/nodes/node-1/stop").code == 405
    assert http.get("/gherkube/v1/nothing").code == 404


def test_the_clock_is_set_and_read(http: Loopback) -> None:
    """Mode and speed; what cannot be a clock is refused."""
    assert http.get("/gherkube/v1/clock").json["mode"] == "manual"
    http.advance("1m30s")
    assert http.get("/gherkube/v1/clock").json["now"] == 90.0
    for wrong in ({"mode": "slow"}, {"speed": 0}, {"speed": "x"}, {"pace": 1}, []):
        assert http.ask("PATCH", "/gherkube/v1/clock", wrong).code == 400
    for wrong in ("", "x", "-5", 0, 1e300, None, "1m2"):
        assert http.ask("POST", "/gherkube/v1/clock/advance", {"seconds": wrong}).code == 400


def test_another_seed_gives_other_chances(http: Loopback) -> None:
    """From then on; names that were drawn stay."""
    assert http.ask("PATCH", "/gherkube/v1/seed", {"seed": 7}).json["seed"] == 7
    assert http.ask("PATCH", "/gherkube/v1/seed", {"seed": -1}).code == 400


@pytest.mark.parametrize("example", [example for _, example, _ in _BEHAVIOURS])
def test_every_sentence_about_images_can_be_said(example: str) -> None:
    """Those of the language, and no others; both ways of writing them mean the same."""
    ((image, behaviour),) = behaviours([example])
    assert behaviour.keys() <= FIELDS
    rest = example.split('" ', 1)[1]
    assert list(behaviours({image: rest})) == list(behaviours({image: [rest]})) == [(image, behaviour)]


@pytest.mark.parametrize(
    "said", [["it is fine"], {"hello:1": "is fine"}, {"UPPER:1": "does not exist"}, [1], 5]
)
def test_nonsense_about_images_is_refused(said: object) -> None:
    """With what could be said instead."""
    with pytest.raises(UsageError):
        list(behaviours(said))


def test_times_are_numbers_or_texts() -> None:
    """As in 90, 90s, 1m30s, 1h."""
    assert [seconds(each) for each in (90, "90", "90s", "1m30s", "1h")] == [90, 90, 90, 90, 3600]


DEPLOYMENT = bytes.fromhex(
    "6b3873000a150a07617070732f7631120a4465706c6f796d656e7412ad010a1f0a0377656212001a0022002a0032003800"
    "42005a0a0a03617070120377656212"
    "7c0803120c0a0a0a0361707012037765621a620a1c0a0012001a0022002a003200380042005a0a0a036170701203776562"
    "124212240a0568656c6c6f120768656c6c6f3a312a0042006a007200800100880100900100a201001a00320042004a0052"
    "00580060006800820100"
    "8a01009a0100c20100220"
    "20a00280038001a0c08001000180020002800380"
    "01a002200"
)
"""What `kubectl create deployment web --image=hello:1 --replicas=3` sends."""


def test_an_object_in_protobuf_is_read(http: Loopback) -> None:
    """kubectl's typed commands send it without asking; the answer is JSON."""
    made = http.ask("POST", DEPLOYMENTS, DEPLOYMENT, content_type="application/vnd.kubernetes.protobuf")
    assert (made.code, made.json["spec"]["replicas"]) == (201, 3)
    assert made.json["spec"]["template"]["spec"]["containers"][0]["image"] == "hello:1"


def test_a_protobuf_that_is_cut_off_is_refused(http: Loopback) -> None:
    """Wherever it is cut: malformed, or less of an object than there has to be."""
    for cut in range(len(DEPLOYMENT) - 4):  # behind that, two empty fields of the envelope
        refused = http.ask(
            "POST", DEPLOYMENTS, DEPLOYMENT[:cut], content_type="application/vnd.kubernetes.protobuf"
        )
        assert 400 <= refused.code < 500, cut


def test_a_cluster_has_what_every_cluster_has(http: Loopback) -> None:
    """An account in each namespace, which comes again when it is deleted, and the service of the API."""
    accounts = "/api/v1/namespaces/default/serviceaccounts"
    http.advance("1s")
    assert http.get(f"{SERVICE}/kubernetes").json["spec"]["clusterIP"] == "10.96.0.1"
    first = http.get(f"{accounts}/default").json["metadata"]["uid"]
    http.ask("DELETE", f"{accounts}/default")
    http.advance("1s")
    assert http.get(f"{accounts}/default").json["metadata"]["uid"] not in ("", first)
    http.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "new"}})
    http.advance("1s")
    assert http.get("/api/v1/namespaces/new/serviceaccounts/default").code == 200


def test_who_one_only_pretends_to_be_may_nothing(http: Loopback) -> None:
    """`kubectl --as`: reviews say no, requests and watches are refused; a master may everything."""
    review, spec = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"spec": {}}
    for headers, allowed in (
        ({}, True),
        ({"Impersonate_User": "eve"}, False),
        ({"Impersonate_User": "eve", "Impersonate_Group": "system:masters"}, True),
    ):
        assert http.ask("POST", review, spec, **headers).json["status"] == {"allowed": allowed}
        assert http.get(PODS, **headers).code == (200 if allowed else 403)
    refused = http.get(f"{PODS}?watch=1", Impersonate_User="eve").json["message"]
    assert refused == (
        'pods is forbidden: User "eve" cannot watch resource "pods" in API group "" '
        'in the namespace "default"'
    )
    who = http.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, Impersonate_User="eve")
    assert who.json["status"]["userInfo"]["username"] == "eve"


def test_endpoints_are_answered_with_a_warning(http: Loopback) -> None:
    """They are deprecated since 1.33."""
    warned = http.get("/api/v1/namespaces/default/endpoints").warnings
    assert warned == ["v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"]


def test_a_nodes_lease_is_as_it_was_last_renewed(http: Loopback) -> None:
    """Of a node that has stopped it is old; nothing is written for it."""
    path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
    http.ask("POST", "/gherkube/v1/nodes/node-1/stop", {})
    http.advance("1h")
    changes = http.get("/gherkube/v1").json["changes"]
    renewed = {each["metadata"]["name"]: each["spec"]["renewTime"] for each in http.get(path).json["items"]}
    assert renewed["node-1"] < "2025-01-01T00:01" < "2025-01-01T00:59" < renewed["node-2"]
    assert http.get(f"{path}/node-2").json["spec"]["holderIdentity"] == "node-2"
    assert http.get("/gherkube/v1").json["changes"] == changes


def test_a_json_patch_that_does_not_apply_says_as_little_as_a_real_one(http: Loopback) -> None:
    """A Status without causes."""
    http.make("one")
    patch = [{"op": "test", "path": "/data", "value": 1}]
    type_ = "application/json-patch+json"
    refused = http.ask("PATCH", "/api/v1/namespaces/default/configmaps/one", patch, content_type=type_).json
    assert (refused["code"], refused["details"]) == (422, {})
    assert refused["message"] == "the server rejected our request due to an error in our request"


def test_a_cut_off_body_is_told_as_go_tells_it(http: Loopback) -> None:
    """encoding/json"""
    refused = http.ask("POST", "/api/v1/namespaces/default/configmaps", b'{"metadata":')
    assert (refused.code, refused.json["message"]) == (400, "unexpected end of JSON input")


def test_replication_controllers_keep_their_pods(http: Loopback) -> None:
    """As replica sets do, by a plain selector, which is the template's labels unless one is named."""
    controllers = "/api/v1/namespaces/default/replicationcontrollers"
    template = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "a", "image": "hello:1"}]},
    }
    made = http.ask("POST", controllers, {"metadata": {"name": "old"}, "spec": {"template": template}})
    assert (made.json["spec"]["selector"], made.json["spec"]["replicas"], made.warnings) == (
        {"a": "b"},
        1,
        [],
    )
    http.advance("10s")
    assert http.get(f"{controllers}/old").json["status"]["availableReplicas"] == 1
    pod = http.get(PODS).json["items"][0]["metadata"]
    assert pod["ownerReferences"][0]["kind"] == "ReplicationController"
    http.ask("DELETE", f"{PODS}/{pod['name']}")
    http.advance("60s")
    again = http.get(PODS).json["items"]
    assert [each["metadata"]["name"] != pod["name"] for each in again] == [True]


def test_a_hostname_is_answered_without_a_line_end(http: Loopback) -> None:
    """As agnhost's serve-hostname does; clients compare it with the pod's name."""
    container = {
        "name": "a",
        "image": "registry.k8s.io/e2e-test-images/agnhost:2",
        "args": ["serve-hostname"],
    }
    http.ask("POST", PODS, {"metadata": {"name": "p"}, "spec": {"containers": [container]}})
    http.advance("10s")
    assert http.get(f"{PODS}/p:8080/proxy/").body == b"p"
