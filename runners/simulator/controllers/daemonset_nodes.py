"""Which nodes a DaemonSet's pods come to, and how a pod is made for one.

pkg/controller/daemon/util/daemonset_util.go
"""

from __future__ import annotations

from gherkube.runners.objects import REQUIRED, Object
from gherkube.runners.simulator.api.defaults import TEMPLATE_GENERATION
from gherkube.runners.simulator.controllers.daemonset_update import HASH, POD_GENERATION
from gherkube.runners.simulator.controllers.node_selection import selection
from gherkube.runners.simulator.controllers.tainteviction import tolerates

TOLERATED = (
    *((f"node.kubernetes.io/{what}", "NoExecute") for what in ("not-ready", "unreachable")),
    *(
        (f"node.kubernetes.io/{what}", "NoSchedule")
        for what in ("disk-pressure", "memory-pressure", "pid-pressure", "unschedulable")
    ),
)
"""What every daemon tolerates."""
TOLERATED_BY_HOSTS = (*TOLERATED, ("node.kubernetes.io/network-unavailable", "NoSchedule"))
"""What a daemon tolerates that needs no pod network."""


def qualifies(owner: Object, node: Object) -> tuple[bool, bool]:
    """Whether a pod of the set should come to a node, and whether one there may stay.

    daemon_controller.go NodeShouldRunDaemonPod
    """
    spec, metadata = owner["spec"]["template"]["spec"], node["metadata"]
    if spec.get("nodeName", metadata["name"]) != metadata["name"]:
        return False, False
    if not selection(spec)(metadata["name"], metadata.get("labels", {})):
        return False, False
    taints = [each for each in node["spec"].get("taints", ()) if each["effect"] != "PreferNoSchedule"]
    tolerations = _tolerations(spec) if taints else []
    refused = [taint["effect"] for taint in taints if not any(tolerates(each, taint) for each in tolerations)]
    return not refused, "NoExecute" not in refused


def target_of(pod: Object) -> str:
    """The node that a daemon's pod is on or for. util/daemonset_util.go GetTargetNodeName"""
    spec = pod["spec"]
    if spec.get("nodeName"):
        return str(spec["nodeName"])
    affinity = spec.get("affinity", {}).get("nodeAffinity", {})
    for term in affinity.get(REQUIRED, {}).get("nodeSelectorTerms", ()):
        for each in term.get("matchFields", ()):
            if each["key"] == "metadata.name" and len(each["values"]) == 1:
                return str(each["values"][0])
    return ""


def for_node(owner: Object, hash_: str, node: str) -> Object:
    """The set with its template as the pod of one node has it.

    daemonset_util.go CreatePodTemplate, ReplaceDaemonSetPodNodeNameNodeAffinity
    """
    template = owner["spec"]["template"]
    spec, metadata = template["spec"], template["metadata"]
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    affinity = spec.get("affinity", {})
    only = {**affinity.get("nodeAffinity", {}), REQUIRED: {"nodeSelectorTerms": [term]}}
    generation = owner["metadata"].get("annotations", {}).get(TEMPLATE_GENERATION, "1")
    labels = {**metadata.get("labels", {}), HASH: hash_, POD_GENERATION: generation}
    made = {
        "metadata": {**metadata, "labels": labels},
        "spec": {
            **spec,
            "affinity": {**affinity, "nodeAffinity": only},
            "tolerations": _tolerations(spec),
        },
    }
    return {**owner, "spec": {**owner["spec"], "template": made}}


def _tolerations(spec: Object) -> list[Object]:
    """The template's, and those of every daemon. util/daemonset_util.go AddOrUpdateDaemonPodTolerations"""
    known = TOLERATED_BY_HOSTS if spec.get("hostNetwork") else TOLERATED
    added = {(key, effect): {"key": key, "operator": "Exists", "effect": effect} for key, effect in known}
    given = [
        added.pop((each.get("key"), each.get("effect")), each) if each.get("operator") == "Exists" else each
        for each in spec.get("tolerations", ())
    ]
    return [*given, *added.values()]
