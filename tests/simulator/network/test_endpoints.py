"""EndpointSlices and Endpoints say of each pod behind a service what a real cluster's say."""

from __future__ import annotations

from typing import Any

from gherkube.runners.simulator.node.nodes import make_node

IP = "10.244.1.2"
TRIGGER = "endpoints.kubernetes.io/last-change-trigger-time"


def shown(slice_: Any) -> list[tuple[str, bool, bool, bool]]:
    """Address, ready, serving, terminating of each endpoint, in order."""
    return [
        (each["addresses"][0], *(each["conditions"][name] for name in ("ready", "serving", "terminating")))
        for each in slice_["endpoints"] or []
    ]


def trigger(obj: Any) -> str | None:
    """The last-change-trigger-time."""
    found: str | None = obj["metadata"].get("annotations", {}).get(TRIGGER)
    return found


def test_a_service_without_pods_has_a_placeholder(bench: Any) -> None:
    """One slice without endpoints and ports, and Endpoints without subsets, at once."""
    bench.service()
    bench.run()
    assert bench.slice()["endpoints"] is None
    assert bench.slice()["ports"] is None
    assert trigger(bench.slice()) == "2025-01-01T00:00:00Z"
    assert "subsets" not in bench.endpoints()


def test_the_slice_as_stored(bench: Any) -> None:
    """Labels, owner, name and fields are those of the recorded object."""
    bench.service(metadata={"labels": {"team": "a"}})
    pod = bench.pod("web-1", ip="10.244.1.2")
    bench.run()
    slice_, service = bench.slice(), bench.api.get("services", "web", "default")
    uid = bench.api.get("pods", pod.name, "default")["metadata"]["uid"]
    metadata = slice_["metadata"]
    assert metadata["name"].startswith("web-")
    assert metadata["generateName"] == "web-"
    assert metadata["labels"] == {
        "team": "a",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        "kubernetes.io/service-name": "web",
    }
    assert metadata["ownerReferences"] == [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "name": "web",
            "uid": service["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert slice_["addressType"] == "IPv4"
    assert slice_["ports"] == [{"name": "", "protocol": "TCP", "port": 8080}]
    assert slice_["endpoints"] == [
        {
            "addresses": ["10.244.1.2"],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "targetRef": {"kind": "Pod", "namespace": "default", "name": "web-1", "uid": uid},
            "nodeName": "node-1",
        }
    ]


def test_a_pods_way_through_the_slice(bench: Any) -> None:
    """Unready, ready, terminating, ended: conditions, one generation a write, each trigger time."""
    bench.service()
    bench.run()
    pod = bench.pod("web-1", ip="10.244.1.2", ready=False)
    bench.run()
    assert shown(bench.slice()) == [("10.244.1.2", False, False, False)]
    assert bench.slice()["metadata"]["generation"] == 2
    bench.status(pod, ready=True)
    bench.run()
    assert shown(bench.slice()) == [("10.244.1.2", True, True, False)]
    assert trigger(bench.slice()) == "2025-01-01T00:00:04Z"
    bench.terminate(pod)
    bench.run()
    assert shown(bench.slice()) == [("10.244.1.2", False, True, True)]
    assert trigger(bench.slice()) is None
    bench.status(pod, ready=False, phase="Succeeded")
    bench.run()
    assert shown(bench.slice()) == []
    assert trigger(bench.slice()) == "2025-01-01T00:00:08Z"
    assert bench.slice()["metadata"]["generation"] == 5


def test_new_endpoints_go_last(bench: Any) -> None:
    """The order is that of arrival; one that leaves does not shift the others."""
    bench.service()
    pods = [bench.pod(f"web-{index}", ip=f"10.244.1.{index}") for index in (3, 1, 2)]
    bench.run()
    assert [each[0] for each in shown(bench.slice())] == ["10.244.1.3", "10.244.1.1", "10.244.1.2"]
    bench.gone(pods[0])
    bench.pod("web-0", ip="10.244.1.0")
    bench.run()
    assert [each[0] for each in shown(bench.slice())] == ["10.244.1.1", "10.244.1.2", "10.244.1.0"]


def test_endpoints_are_sorted_and_drop_terminating_pods(bench: Any) -> None:
    """By address as text, unready ones apart, terminating ones left out; no write for what it hides."""
    bench.service()
    pods = [bench.pod(f"web-{index}", ip=f"10.244.3.{index}") for index in (3, 10)]
    bench.pod("web-2", ip="10.244.1.2", ready=False)
    bench.run()
    (subset,) = bench.endpoints()["subsets"]
    assert [each["ip"] for each in subset["addresses"]] == ["10.244.3.10", "10.244.3.3"]
    assert [each["ip"] for each in subset["notReadyAddresses"]] == ["10.244.1.2"]
    assert subset["ports"] == [{"port": 8080, "protocol": "TCP"}]
    assert bench.endpoints()["metadata"]["labels"] == {
        "endpoints.kubernetes.io/managed-by": "endpoint-controller"
    }
    bench.terminate(pods[0])
    bench.run()
    (subset,) = bench.endpoints()["subsets"]
    assert [each["ip"] for each in subset["addresses"]] == ["10.244.3.10"]
    version = bench.endpoints()["metadata"]["resourceVersion"]
    bench.status(pods[0], ready=False, phase="Succeeded")
    bench.run()
    assert bench.endpoints()["metadata"]["resourceVersion"] == version


def test_a_hundred_endpoints_fill_a_slice(bench: Any) -> None:
    """250 pods make three slices; when most of them go, the slices that empty go, too."""
    bench.service()
    pods = [bench.pod(f"web-{index}", ip=f"10.244.1.{index}") for index in range(250)]
    bench.run()
    assert sorted(len(each["endpoints"]) for each in bench.slices()) == [50, 100, 100]
    for pod in pods[:100]:
        bench.gone(pod)
    bench.run()
    assert sorted(len(each["endpoints"]) for each in bench.slices()) == [50, 100]
    for pod in pods[100:]:
        bench.gone(pod)
    bench.run()
    assert bench.slice()["endpoints"] is None


def test_more_than_a_thousand_addresses_are_cut(bench: Any) -> None:
    """Endpoints hold a thousand addresses and say that there are more."""
    bench.service()
    for index in range(1001):
        bench.pod(f"web-{index}", ip=f"10.244.{index // 250}.{index % 250}")
    bench.run()
    (subset,) = bench.endpoints()["subsets"]
    assert len(subset["addresses"]) == 1000
    annotations = bench.endpoints()["metadata"]["annotations"]
    assert annotations["endpoints.kubernetes.io/over-capacity"] == "truncated"


def test_the_selector_switches(bench: Any) -> None:
    """A new selector exchanges the endpoints; a label that changes takes its pod along."""
    bench.service()
    bench.pod("blue", ip="10.244.1.2", app="web")
    green = bench.pod("green", ip="10.244.1.3", app="green")
    bench.run()
    service = bench.api.get("services", "web", "default")
    bench.api.replace_trusted(
        "services",
        {
            **service,
            "metadata": {**service["metadata"]},
            "spec": {**service["spec"], "selector": {"app": "green"}},
        },
    )
    bench.run()
    assert [each[0] for each in shown(bench.slice())] == ["10.244.1.3"]
    pod = bench.api.get("pods", green.name, "default")
    bench.store.put("pods", {**pod, "metadata": {**pod["metadata"], "labels": {"app": "red"}}})
    bench.run()
    assert shown(bench.slice()) == []


def test_named_ports(bench: Any) -> None:
    """A named target is looked up in each pod; pods that differ in it are in slices of their own."""
    bench.service(port="http")
    bench.pod("web-1", ip="10.244.1.2")
    bench.run()
    other = bench.api.get("pods", "web-1", "default")
    containers = [{"name": "app", "image": "hello:2", "ports": [{"name": "http", "containerPort": 9090}]}]
    bench.api.create_trusted(
        "pods",
        {
            "metadata": {"name": "web-2", "namespace": "default", "labels": {"app": "web"}},
            "spec": {**other["spec"], "containers": containers},
        },
    )
    from gherkube.runners.objects import Key

    bench.status(Key("default", "web-2"), ip="10.244.1.3")
    bench.run()
    assert sorted(each["ports"][0]["port"] for each in bench.slices()) == [8080, 9090]
    assert [len(subset["addresses"]) for subset in bench.endpoints()["subsets"]] == [1, 1]


def test_the_target_port_changes(bench: Any) -> None:
    """Another target port changes the ports of the slice and of the Endpoints, and keeps the pods."""
    bench.service()
    bench.pod("web-1", ip="10.244.1.2")
    bench.run()
    name = bench.slice()["metadata"]["name"]
    service = bench.api.get("services", "web", "default")
    ports = [{"port": 80, "targetPort": 9090, "protocol": "TCP"}]
    new = {**service, "metadata": {**service["metadata"]}, "spec": {**service["spec"], "ports": ports}}
    bench.api.replace_trusted("services", new)
    bench.run()
    assert bench.slice()["metadata"]["name"] == name
    assert bench.slice()["ports"] == [{"name": "", "protocol": "TCP", "port": 9090}]
    assert shown(bench.slice()) == [("10.244.1.2", True, True, False)]
    assert bench.endpoints()["subsets"][0]["ports"] == [{"port": 9090, "protocol": "TCP"}]


def test_unready_addresses_can_be_published(bench: Any) -> None:
    """publishNotReadyAddresses makes every pod ready, also one that terminates."""
    bench.service(publishNotReadyAddresses=True)
    pod = bench.pod("web-1", ip="10.244.1.2", ready=False)
    bench.run()
    assert shown(bench.slice()) == [("10.244.1.2", True, False, False)]
    bench.terminate(pod)
    bench.run()
    assert shown(bench.slice()) == [("10.244.1.2", True, False, True)]
    assert len(bench.endpoints()["subsets"][0]["addresses"]) == 1


def test_a_slice_that_somebody_removed_is_made_again(bench: Any) -> None:
    """Slices are repaired when others delete or change them."""
    bench.service()
    bench.pod("web-1", ip="10.244.1.2")
    bench.run()
    bench.api.delete("endpointslices", bench.slice()["metadata"]["name"], "default")
    bench.run()
    assert [each[0] for each in shown(bench.slice())] == ["10.244.1.2"]
    slice_ = bench.slice()
    bench.api.replace_trusted(
        "endpointslices", {**slice_, "metadata": {**slice_["metadata"]}, "endpoints": []}
    )
    bench.run()
    assert [each[0] for each in shown(bench.slice())] == ["10.244.1.2"]


def test_a_deleted_service_takes_its_endpoints(bench: Any) -> None:
    """The Endpoints go with the service; its slices are the garbage collector's."""
    bench.service()
    bench.pod("web-1", ip="10.244.1.2")
    bench.run()
    bench.api.delete("services", "web", "default")
    bench.run()
    assert not list(bench.store.all("endpoints"))


def test_services_without_a_selector_are_left_alone(bench: Any) -> None:
    """Nothing is written for a service that selects no pods."""
    bench.service(selector=None)
    bench.run()
    assert bench.slices() == []


def test_named_ports_that_differ_make_subsets_by_port(bench: Any) -> None:
    """Each port with the pods that have it; a pod that has none of them is in no subset, but in a slice."""
    ports = [
        {"name": "one", "port": 80, "targetPort": "http", "protocol": "TCP"},
        {"name": "two", "port": 81, "targetPort": "web", "protocol": "TCP"},
        {"name": "three", "port": 82, "targetPort": 9999, "protocol": "TCP"},
    ]
    bench.service(ports=ports)
    bench.service("named", port="web", selector={"app": "web"})
    bench.pod("a", ip="10.244.1.2")
    bench.pod("b", ip="10.244.1.3", port_name="web")
    bench.run()
    found = {
        tuple(port["name"] for port in subset["ports"]): [each["ip"] for each in subset["addresses"]]
        for subset in bench.endpoints()["subsets"]
    }
    assert found == {
        ("one",): ["10.244.1.2"],
        ("two",): ["10.244.1.3"],
        ("three",): ["10.244.1.2", "10.244.1.3"],
    }
    (subset,) = bench.endpoints("named")["subsets"]
    assert [each["ip"] for each in subset["addresses"]] == ["10.244.1.3"]
    assert sum(len(each["endpoints"]) for each in bench.slices("named")) == 2


def test_endpoints_that_somebody_deleted_are_made_again(bench: Any) -> None:
    """As they were."""
    bench.service()
    bench.pod("a", ip="10.244.1.2")
    bench.run()
    before = bench.endpoints()["subsets"]
    bench.api.delete("endpoints", "web", "default")
    bench.run()
    assert bench.endpoints()["subsets"] == before


def test_endpoints_by_hand_are_mirrored(bench: Any) -> None:
    """Of a service without a selector: one slice a subset, which follows and goes with them."""
    bench.service("db", selector=None)
    ports = [{"port": 5432, "protocol": "TCP"}]
    subset = {"addresses": [{"ip": "10.9.8.7"}], "notReadyAddresses": [{"ip": "10.9.8.8"}], "ports": ports}
    note = {"kubectl.kubernetes.io/last-applied-configuration": "{}", "team": "a"}
    metadata = {"name": "db", "namespace": "default", "annotations": note}
    made = bench.api.create_trusted("endpoints", {"metadata": metadata, "subsets": [subset]})
    bench.run()
    (mirror,) = bench.slices("db")
    assert mirror["metadata"]["labels"] == {
        "kubernetes.io/service-name": "db",
        "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
    }
    assert mirror["metadata"]["annotations"] == {"team": "a"}
    assert mirror["metadata"]["ownerReferences"][0]["kind"] == "Endpoints"
    assert mirror["ports"] == [{"name": "", "port": 5432, "protocol": "TCP"}]
    assert [(each["addresses"], each["conditions"]) for each in mirror["endpoints"]] == [
        (["10.9.8.7"], {"ready": True}),
        (["10.9.8.8"], {"ready": False}),
    ]
    changed = {**made, "metadata": {**made["metadata"]}, "subsets": [{**subset, "notReadyAddresses": []}]}
    bench.api.replace_trusted("endpoints", changed)
    bench.run()
    (after,) = bench.slices("db")
    assert (after["metadata"]["name"], len(after["endpoints"])) == (mirror["metadata"]["name"], 1)
    bench.api.delete("endpoints", "db", "default")
    bench.run()
    assert bench.slices("db") == []


def test_a_pod_whose_node_is_gone_is_left_out_at_the_next_look(bench: Any) -> None:
    """And is looked at again until it is gone, too; whoever publishes what is not ready keeps it."""
    bench.service()
    bench.service("all", selector={"app": "web"}, publishNotReadyAddresses=True)
    pod = bench.pod("web-1", ip=IP, node="node-2")
    bench.run()
    bench.api.delete("nodes", "node-2")
    bench.run(1.0)
    assert [each[0] for each in shown(bench.slice())] == [IP]
    bench.status(pod, ready=False)
    bench.run(1.0)
    assert [[each[0] for each in shown(*bench.slices(name))] for name in ("web", "all")] == [[], [IP]]
    bench.api.create_trusted("nodes", make_node("node-2", 2, "4", "8Gi"))
    bench.run(5.0)
    assert [each[0] for each in shown(bench.slice())] == [IP]
