"""Tables of kinds that no recording shows, and what all Tables have in common.

The expected rows are pkg/printers/internalversion/printers_test.go's kind of cases, in own words.
"""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.resources import Custom, Resource
from gherkube.runners.simulator.server import tables
from gherkube.runners.simulator.server.printers.cells import human
from tests.server.rendering import rendered

NOW = 1_700_000_000.0
BORN = "2023-11-14T22:12:20Z"  # a minute before
TEMPLATE = {"spec": {"containers": [{"name": "app", "image": "a:1"}, {"name": "side", "image": "b:2"}]}}


def made(name: str = "one", **fields: Any) -> Object:
    return {"metadata": {"name": name, "creationTimestamp": BORN}, **fields}


def resource(kind: str) -> Resource:
    kind, _, group = kind.partition(".")
    return Resource(f"{kind.lower()}s", group, "v1", kind)


def cells(kind: str, obj: Object) -> list[Any]:
    shown = tables.table(resource(kind), obj, now=NOW)
    assert len(shown["columnDefinitions"]) == len(shown["rows"][0]["cells"])
    return list(shown["rows"][0]["cells"])


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "<invalid>"),
        (-1.5, "0s"),
        (0.9, "0s"),
        (119.9, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (599, "9m59s"),
        (601, "10m"),
        (3 * 3600 - 1, "179m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 720, "3h12m"),
        (8 * 3600 + 720, "8h"),
        (47 * 3600, "47h"),
        (48 * 3600, "2d"),
        (50 * 3600, "2d2h"),
        (8 * 86400 + 3600, "8d"),
        (730 * 86400, "2y"),
        (731 * 86400, "2y1d"),
        (3000 * 86400, "8y"),
    ],
)
def test_durations_are_rounded_as_kubectl_rounds_them(seconds: float, shown: str) -> None:
    """Fewer units the longer they are."""
    assert human(seconds) == shown


def test_the_scale_of_a_workload_is_printed_as_a_scale() -> None:
    """kubectl get deployment web --subresource=scale"""
    scale = made(kind="Scale", spec={"replicas": 3}, status={"replicas": 2})
    shown = tables.table(resource("Deployment.apps"), scale, now=NOW)
    assert rendered(shown).splitlines() == [
        "NAME   DESIRED   AVAILABLE   AGE",
        "one    3         2           60s",
    ]


SPEC: dict[str, Any] = {"template": TEMPLATE, "selector": {"matchLabels": {"app": "web"}}}
WIDE = ["app,side", "a:1,b:2", "app=web"]
ROWS: list[tuple[str, Object, list[Any]]] = [
    ("Deployment.apps", made(spec={**SPEC, "replicas": 3}), ["one", "0/3", 0, 0, "60s", *WIDE]),
    (
        "ReplicationController",
        made(spec={"template": TEMPLATE, "replicas": 2, "selector": {"app": "web"}}, status={"replicas": 1}),
        ["one", 2, 1, 0, "60s", *WIDE],
    ),
    (
        "Job.batch",
        made(spec={**SPEC, "completions": None, "parallelism": 3}, status={"succeeded": 1}),
        ["one", "Running", "1/1 of 3", "", "60s", *WIDE],
    ),
    (
        "Job.batch",
        made(
            spec={**SPEC, "completions": 4},
            status={"startTime": BORN, "conditions": [{"type": "Suspended", "status": "True"}]},
        ),
        ["one", "Suspended", "0/4", "60s", "60s", *WIDE],
    ),
    (
        "CronJob.batch",
        made(
            spec={"schedule": "*/5 * * * *", "suspend": False, "jobTemplate": {"spec": SPEC}},
            status={"lastScheduleTime": BORN, "active": [{}]},
        ),
        ["one", "*/5 * * * *", "<none>", "False", 1, "60s", "60s", *WIDE],
    ),
    (
        "ControllerRevision.apps",
        {
            "metadata": {
                "name": "one",
                "creationTimestamp": BORN,
                "ownerReferences": [
                    {"controller": True, "kind": "StatefulSet", "apiVersion": "apps/v1", "name": "db"}
                ],
            },
            "revision": 2,
        },
        ["one", "statefulset.apps/db", 2, "60s"],
    ),
    (
        "PodTemplate",
        made(template={**TEMPLATE, "metadata": {"labels": {"b": "2", "a": "1"}}}),
        ["one", "app,side", "a:1,b:2", "a=1,b=2"],
    ),
    (
        "HorizontalPodAutoscaler.autoscaling",
        made(
            spec={
                "scaleTargetRef": {"kind": "Deployment", "name": "web"},
                "minReplicas": 1,
                "maxReplicas": 5,
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {
                            "name": "cpu",
                            "target": {"type": "Utilization", "averageUtilization": 80},
                        },
                    },
                    {"type": "Pods", "pods": {"target": {"averageValue": "10"}}},
                    {"type": "Pods", "pods": {"target": {"averageValue": "10"}}},
                ],
            },
            status={
                "currentReplicas": 2,
                "currentMetrics": [{"type": "Resource", "resource": {"current": {"averageUtilization": 50}}}],
            },
        ),
        ["one", "Deployment/web", "cpu: 50%/80%, <unknown>/10 + 1 more...", "1", 5, 2, "60s"],
    ),
    (
        "Service",
        made(
            spec={
                "type": "LoadBalancer",
                "clusterIPs": ["10.96.0.7"],
                "ports": [
                    {"port": 80, "nodePort": 30080, "protocol": "TCP"},
                    {"port": 53, "protocol": "UDP"},
                ],
                "selector": {"app": "web"},
            }
        ),
        ["one", "LoadBalancer", "10.96.0.7", "<pending>", "80:30080/TCP,53/UDP", "60s", "app=web"],
    ),
    (
        "Service",
        made(spec={"type": "ExternalName", "externalName": "example.org"}),
        ["one", "ExternalName", "<none>", "example.org", "<none>", "60s", "<none>"],
    ),
    ("Endpoints", made(), ["one", "<none>", "60s"]),
    (
        "Endpoints",
        made(
            subsets=[
                {
                    "addresses": [{"ip": f"10.0.0.{n}"} for n in range(4)],
                    "ports": [{"port": 80}, {"port": 81}],
                }
            ]
        ),
        ["one", "10.0.0.0:80,10.0.0.1:80,10.0.0.2:80 + 5 more...", "60s"],
    ),
    (
        "EndpointSlice.discovery.k8s.io",
        made(addressType="IPv4", endpoints=None, ports=None),
        ["one", "IPv4", "<unset>", "<unset>", "60s"],
    ),
    (
        "Ingress.networking.k8s.io",
        made(
            spec={
                "ingressClassName": "nginx",
                "rules": [{"host": f"{n}.example"} for n in "abcd"],
                "tls": [{}],
            },
            status={"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}},
        ),
        ["one", "nginx", "a.example,b.example,c.example + 1 more...", "1.2.3.4", "80, 443", "60s"],
    ),
    (
        "IngressClass.networking.k8s.io",
        made(spec={"controller": "x/y", "parameters": {"apiGroup": "g", "kind": "K", "name": "n"}}),
        ["one", "x/y", "K.g/n", "60s"],
    ),
    ("NetworkPolicy.networking.k8s.io", made(spec={"podSelector": {}}), ["one", "<none>", "60s"]),
    (
        "Event",
        made(
            type="Normal",
            reason="Pulled",
            involvedObject={"kind": "Pod", "name": "web", "fieldPath": "spec.containers{app}"},
            source={"component": "kubelet", "host": "node-1"},
            message=" done \n",
            firstTimestamp=BORN,
            lastTimestamp="2023-11-14T22:13:15Z",
            count=3,
        ),
        [
            *("5s", "Normal", "Pulled", "pod/web", "spec.containers{app}"),
            *("kubelet, node-1", "done", "60s", 3, "one"),
        ],
    ),
    (
        "Node",
        made(
            spec={"unschedulable": True},
            status={"conditions": [{"type": "Ready", "status": "Unknown"}], "nodeInfo": {}},
        ),
        [
            *("one", "NotReady,SchedulingDisabled", "<none>", "60s", "", "<none>", "<none>"),
            *("<unknown>", "<unknown>", "<unknown>"),
        ],
    ),
    ("Namespace", made(status={"phase": "Active"}), ["one", "Active", "60s"]),
    ("ConfigMap", made(data={"a": "1"}, binaryData={"b": ""}), ["one", 2, "60s"]),
    ("Secret", made(type="Opaque", data={"a": "MQ=="}), ["one", "Opaque", 1, "60s"]),
    ("ServiceAccount", made(), ["one", 0, "60s"]),
    ("Lease.coordination.k8s.io", made(spec={"holderIdentity": "node-1"}), ["one", "node-1", "60s"]),
    ("PriorityClass.scheduling.k8s.io", made(value=1000), ["one", 1000, False, "60s", ""]),
    (
        "ResourceQuota",
        made(status={"hard": {"pods": "5", "limits.cpu": "2", "cpu": "1"}, "used": {"pods": "2"}}),
        ["one", "cpu: 0/1, pods: 2/5", "limits.cpu: 0/2", "60s"],
    ),
    (
        "PersistentVolumeClaim",
        made(
            spec={"volumeName": "pv-1", "storageClassName": "fast", "volumeMode": "Filesystem"},
            status={
                "phase": "Bound",
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteMany", "ReadWriteOnce"],
            },
        ),
        ["one", "Bound", "pv-1", "1Gi", "RWO,RWX", "fast", "<unset>", "60s", "Filesystem"],
    ),
    (
        "StorageClass.storage.k8s.io",
        {
            **made(provisioner="x"),
            "metadata": {
                "name": "one",
                "creationTimestamp": BORN,
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
        },
        ["one (default)", "x", "Delete", "Immediate", False, "60s"],
    ),
    (
        "RoleBinding.rbac.authorization.k8s.io",
        made(
            roleRef={"kind": "Role", "name": "reader"},
            subjects=[
                {"kind": "User", "name": "eve"},
                {"kind": "ServiceAccount", "namespace": "ns", "name": "bot"},
            ],
        ),
        ["one", "Role/reader", "60s", "eve", "", "ns/bot"],
    ),
    (
        "CertificateSigningRequest.certificates.k8s.io",
        made(
            spec={"signerName": "s", "username": "u", "expirationSeconds": 3600},
            status={"conditions": [{"type": "Approved"}], "certificate": "x"},
        ),
        ["one", "60s", "s", "u", "60m", "Approved,Issued"],
    ),
    ("APIService.apiregistration.k8s.io", made(spec={}), ["one", "Local", "Unknown", "60s"]),
    ("ClusterRole.rbac.authorization.k8s.io", made(rules=[]), ["one", BORN]),
]


@pytest.mark.parametrize(("kind", "obj", "row"), ROWS, ids=[kind for kind, _, _ in ROWS])
def test_a_row_has_the_cells_of_the_real_printer(kind: str, obj: Object, row: list[Any]) -> None:
    """Wide cells included, numbers as numbers."""
    assert cells(kind, obj) == row


def container(name: str, restarts: int = 0, ready: bool = False, **state: Any) -> Object:
    return {"name": name, "restartCount": restarts, "ready": ready, "state": state}


def pod(inits: list[Object], own: list[Object], sidecars: tuple[str, ...] = (), **status: Any) -> Object:
    specs = [
        {"name": each["name"], **({"restartPolicy": "Always"} if each["name"] in sidecars else {})}
        for each in inits
    ]
    return made(
        spec={"initContainers": specs, "containers": [{"name": each["name"]} for each in own]},
        status={"phase": "Running", "initContainerStatuses": inits, "containerStatuses": own, **status},
    )


ENDED = {"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": "2023-11-14T22:12:50Z"}}
FAILED = {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": "2023-11-14T22:12:50Z"}}
PODS: dict[str, tuple[Object, list[str]]] = {
    "the second init container is at work": (
        pod([container("a", **ENDED), container("b", running={})], [container("app", waiting={})]),
        ["0/1", "Init:1/2", "0"],
    ),
    "an init container is restarted": (
        pod(
            [{**container("a", 2, waiting={"reason": "CrashLoopBackOff"}), "lastState": FAILED}],
            [container("app", waiting={"reason": "PodInitializing"})],
        ),
        ["0/1", "Init:CrashLoopBackOff", "2 (30s ago)"],
    ),
    "an init container's restarts are forgotten when it is done": (
        pod([container("a", 2, **ENDED)], [container("app", 0, True, running={})]),
        ["1/1", "Running", "0"],
    ),
    "a sidecar counts": (
        pod(
            [{**container("a", 1, True, running={}), "started": True, "lastState": FAILED}],
            [container("app", 0, True, running={})],
            ("a",),
        ),
        ["2/2", "Running", "1 (30s ago)"],
    ),
    "one of two containers is done": (
        pod([], [container("a", **ENDED), container("b", 0, True, running={})]),
        ["1/2", "NotReady", "0"],
    ),
    "a signal ended it": (
        pod([], [container("a", terminated={"exitCode": 137, "signal": 9})]),
        ["0/1", "Signal:9", "0"],
    ),
}


@pytest.mark.parametrize("told", PODS)
def test_a_pods_ready_status_and_restarts(told: str) -> None:
    """READY counts sidecars; RESTARTS counts init containers only while they are at work."""
    obj, row = PODS[told]
    assert cells("Pod", obj)[1:4] == row


def test_readiness_gates_and_addresses_are_for_wide_output() -> None:
    """A gate that no condition speaks of is not met."""
    obj = pod([], [], conditions=[{"type": "x/one", "status": "True"}], podIPs=[{"ip": "10.0.0.1"}])
    obj["spec"] |= {
        "nodeName": "node-1",
        "readinessGates": [{"conditionType": "x/one"}, {"conditionType": "x/two"}],
    }
    assert cells("Pod", obj)[5:] == ["10.0.0.1", "node-1", "<none>", "1/2"]


def test_an_ended_pods_row_says_so() -> None:
    """kubectl may leave such rows out."""
    shown = tables.table(resource("Pod"), pod([], [], phase="Failed"), now=NOW)
    assert shown["rows"][0]["conditions"] == [
        {"type": "Completed", "status": "True", "reason": "Failed", "message": "The pod failed."}
    ]


def test_a_list_keeps_its_version_and_where_to_go_on() -> None:
    """A Table is a list: kubectl watches from its version and continues from its token."""
    listing = {
        "metadata": {"resourceVersion": "7", "continue": "x", "remainingItemCount": 3},
        "items": [made(status={"phase": "Active"})],
    }
    shown = tables.table(resource("Namespace"), listing, now=NOW)
    assert shown["metadata"] == listing["metadata"]
    assert (shown["kind"], shown["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert shown["columnDefinitions"][0] == {
        "name": "Name",
        "type": "string",
        "format": "name",
        "description": "",
        "priority": 0,
    }
    assert tables.table(resource("Namespace"), listing, now=NOW, headers=False)["columnDefinitions"] is None


@pytest.mark.parametrize(
    ("include", "kind"), [("Metadata", "PartialObjectMetadata"), ("Object", "Namespace"), ("None", None)]
)
def test_rows_hold_what_was_asked_for(include: str, kind: str | None) -> None:
    """?includeObject="""
    row = tables.table(resource("Namespace"), made(), now=NOW, include=include)["rows"][0]
    assert (row["object"] or {}).get("kind") == kind


def shop(*columns: Object) -> Resource:
    custom = Custom("shop", (), {}, columns, None)
    return Resource("shops.acme.example", "acme.example", "v1", "Shop", custom=custom)


COLUMNS = [
    {"name": "Color", "type": "string", "jsonPath": ".spec.color"},
    {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
    {"name": "Open", "type": "boolean", "jsonPath": ".spec.open"},
    {"name": "Since", "type": "date", "jsonPath": ".status.since", "priority": 1},
]


def test_a_custom_resource_is_printed_by_its_own_columns() -> None:
    """additionalPrinterColumns; what is absent or of another type is empty."""
    first = made(spec={"color": "red", "size": 3.0, "open": True}, status={"since": BORN})
    second = made("two", spec={"size": "large"}, status={"since": "soon"})
    shown = tables.table(shop(*COLUMNS), {"metadata": {}, "items": [first, second]}, now=NOW)
    assert [row["cells"] for row in shown["rows"]] == [
        ["one", "red", 3, True, "60s"],
        ["two", None, None, None, "<invalid>"],
    ]
    assert rendered(shown).splitlines() == [
        "NAME   COLOR   SIZE   OPEN",
        "one    red     3      true",
        "two                   ",
    ]


def test_a_custom_resource_without_columns_shows_its_age() -> None:
    """A plain kind of Kubernetes shows when it was created."""
    assert rendered(tables.table(shop(), made(), now=NOW)).splitlines()[1] == "one    60s"
    assert rendered(tables.table(resource("Role"), made(), now=NOW)).splitlines()[0] == "NAME   CREATED AT"
