"""Nodes, namespaces, events and what else a cluster has, as `kubectl get` prints it.

pkg/printers/internalversion/printers.go printNode, printEvent, …;
kube-aggregator/pkg/registry/apiservice/etcd/etcd.go ConvertToTable
"""

from __future__ import annotations

from gherkube.runners.objects import Object, condition
from gherkube.runners.simulator.server.printers.cells import (
    NONE,
    UNKNOWN,
    Cells,
    age,
    human,
    name,
    printer,
    since,
    status_of,
)

ROLE = "node-role.kubernetes.io/"


def _node(obj: Object, now: float) -> Cells:
    status = obj.get("status") or {}
    info = status.get("nodeInfo") or {}
    ready = status_of(obj, "Ready")
    shown = ["Ready" if ready == "True" else "NotReady" if ready else "Unknown"]
    if obj["spec"].get("unschedulable"):
        shown.append("SchedulingDisabled")
    return [
        name(obj),
        ",".join(shown),
        ",".join(_roles(obj)) or NONE,
        age(obj, now),
        info.get("kubeletVersion", ""),
        _address(status, "InternalIP"),
        _address(status, "ExternalIP"),
        *(info.get(field) or UNKNOWN for field in ("osImage", "kernelVersion", "containerRuntimeVersion")),
    ]


def _roles(node: Object) -> list[str]:
    """findNodeRoles"""
    labels = node["metadata"].get("labels") or {}
    roles = {key.removeprefix(ROLE) for key in labels if key.startswith(ROLE)}
    return sorted((roles | {labels.get("kubernetes.io/role", "")}) - {""})


def _address(status: Object, type_: str) -> str:
    addresses = status.get("addresses") or ()
    return next((str(each["address"]) for each in addresses if each["type"] == type_), NONE)


def _event(obj: Object, now: float) -> Cells:
    """An event of either group: events.k8s.io calls involvedObject `regarding`, and message `note`."""
    first = since(
        obj.get("firstTimestamp") or obj.get("deprecatedFirstTimestamp") or obj.get("eventTime"), now
    )
    last = obj.get("lastTimestamp") or obj.get("deprecatedLastTimestamp")
    count = obj.get("count") or obj.get("deprecatedCount") or 1
    seen = since(last, now) if last else first
    if series := obj.get("series"):
        seen, count = since(series.get("lastObservedTime"), now), series.get("count", 0)
    about = obj.get("involvedObject") or obj.get("regarding") or {}
    kind = about.get("kind", "").lower()
    return [
        seen,
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{kind}/{about['name']}" if about.get("name") else kind,
        about.get("fieldPath", ""),
        _source(obj),
        (obj.get("message") or obj.get("note") or "").strip(),
        first,
        count,
        name(obj),
    ]


def _source(event: Object) -> str:
    """formatEventSource"""
    source = event.get("source") or event.get("deprecatedSource") or {}
    component = (
        source.get("component") or event.get("reportingComponent") or event.get("reportingController") or ""
    )
    instance = source.get("host") or event.get("reportingInstance")
    return f"{component}, {instance}" if instance else component


def _namespace(obj: Object, now: float) -> Cells:
    return [name(obj), (obj.get("status") or {}).get("phase", ""), age(obj, now)]


def _lease(obj: Object, now: float) -> Cells:
    return [name(obj), obj["spec"].get("holderIdentity", ""), age(obj, now)]


def _priority_class(obj: Object, now: float) -> Cells:
    preemption = obj.get("preemptionPolicy", "")
    return [name(obj), obj.get("value", 0), obj.get("globalDefault", False), age(obj, now), preemption]


def _runtime_class(obj: Object, now: float) -> Cells:
    return [name(obj), obj["handler"], age(obj, now)]


def _quota(obj: Object, now: float) -> Cells:
    status = obj.get("status") or {}
    hard, used = status.get("hard") or {}, status.get("used") or {}
    shown: dict[bool, list[str]] = {False: [], True: []}
    for resource in sorted(hard):
        shown[resource.startswith("limits.")].append(f"{resource}: {used.get(resource, 0)}/{hard[resource]}")
    return [name(obj), ", ".join(shown[False]), ", ".join(shown[True]), age(obj, now)]


def _signing_request(obj: Object, now: float) -> Cells:
    spec = obj["spec"]
    seconds = spec.get("expirationSeconds")
    return [
        name(obj),
        age(obj, now),
        spec.get("signerName") or NONE,
        spec.get("username", ""),
        NONE if seconds is None else human(seconds),
        _signing_status(obj.get("status") or {}),
    ]


def _signing_status(status: Object) -> str:
    """extractCSRStatus"""
    types = {each["type"] for each in status.get("conditions") or ()}
    shown = [next((each for each in ("Denied", "Approved") if each in types), "Pending")]
    shown += ["Failed"] if "Failed" in types else []
    shown += ["Issued"] if status.get("certificate") else []
    return ",".join(shown)


def _api_service(obj: Object, now: float) -> Cells:
    service = obj["spec"].get("service")
    available = condition(obj, "Available") or {"status": "Unknown"}
    shown = available["status"]
    if shown != "True" and available.get("reason"):
        shown = f"{shown} ({available['reason']})"
    return [
        name(obj),
        f"{service['namespace']}/{service['name']}" if service else "Local",
        shown,
        age(obj, now),
    ]


def _webhooks(obj: Object, now: float) -> Cells:
    return [name(obj), len(obj.get("webhooks") or ()), age(obj, now)]


EVENT = printer(
    "Last Seen, Type, Reason, Object, Subobject*, Source*, Message, First Seen*, Count*, Name*", _event
)
WEBHOOKS = printer("Name, Webhooks:integer, Age", _webhooks)
PRINTERS = {
    "Node": printer(
        "Name, Status, Roles, Age, Version, "
        "Internal-IP*, External-IP*, OS-Image*, Kernel-Version*, Container-Runtime*",
        _node,
    ),
    "Event": EVENT,
    "Event.events.k8s.io": EVENT,
    "Namespace": printer("Name, Status, Age", _namespace),
    "Lease.coordination.k8s.io": printer("Name, Holder, Age", _lease),
    "PriorityClass.scheduling.k8s.io": printer(
        "Name, Value:integer, Global-Default:boolean, Age, PreemptionPolicy", _priority_class
    ),
    "RuntimeClass.node.k8s.io": printer("Name, Handler, Age", _runtime_class),
    "ResourceQuota": printer("Name, Request, Limit, Age", _quota),
    "CertificateSigningRequest.certificates.k8s.io": printer(
        "Name, Age, SignerName, Requestor, RequestedDuration, Condition", _signing_request
    ),
    "APIService.apiregistration.k8s.io": printer("Name, Service, Available, Age", _api_service),
    "MutatingWebhookConfiguration.admissionregistration.k8s.io": WEBHOOKS,
    "ValidatingWebhookConfiguration.admissionregistration.k8s.io": WEBHOOKS,
}
