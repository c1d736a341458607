"""Defaults: what the API server fills in where nothing was said.

pkg/apis/{core,apps,discovery}/v1/defaults.go. Each function completes in place an object that was
just decoded and that nobody else holds.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from gherkube.runners.objects import Object

TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
ALL_AT_ONCE = {"type": "Percent", "value": 100, "periodSeconds": 15}
SCALING = {
    "scaleUp": ({"type": "Pods", "value": 4, "periodSeconds": 15}, ALL_AT_ONCE),
    "scaleDown": (ALL_AT_ONCE,),
}
"""How fast an autoscaler that says something of it may go by itself. autoscaling/v2/defaults.go"""
UNLIMITED = 2**31 - 1
"""What a Job's failures are limited to where each index has a limit of its own."""


def set_defaults(resource: str, obj: Object) -> None:
    """Completes a decoded object of that resource."""
    complete = DEFAULTS.get(resource)
    if complete is not None:
        complete(obj)


def set_deployment(deployment: Object) -> None:
    """SetDefaults_Deployment"""
    spec = deployment.setdefault("spec", {})
    _fill(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    strategy = spec.setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        _fill(strategy.setdefault("rollingUpdate", {}), maxUnavailable="25%", maxSurge="25%")
    set_template(spec)


def set_replica_set(replica_set: Object) -> None:
    """SetDefaults_ReplicaSet"""
    spec = replica_set.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    set_template(spec)


def set_replication_controller(controller: Object) -> None:
    """SetDefaults_ReplicationController"""
    set_replica_set(controller)
    spec = controller["spec"]
    labels = spec["template"]["metadata"].get("labels")
    if labels:
        spec["selector"] = spec.get("selector") or dict(labels)
        controller.setdefault("metadata", {}).setdefault("labels", dict(labels))


def set_stateful_set(stateful_set: Object) -> None:
    """SetDefaults_StatefulSet"""
    spec = stateful_set.setdefault("spec", {})
    _fill(spec, replicas=1, revisionHistoryLimit=10, podManagementPolicy="OrderedReady")
    strategy = spec.setdefault("updateStrategy", {})
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
        strategy.setdefault("rollingUpdate", {})
    if strategy["type"] == "RollingUpdate" and "rollingUpdate" in strategy:
        strategy["rollingUpdate"].setdefault("partition", 0)
    _fill(
        spec.setdefault("persistentVolumeClaimRetentionPolicy", {}), whenDeleted="Retain", whenScaled="Retain"
    )
    spec["updateStrategy"].get("rollingUpdate", {}).pop("maxUnavailable", None)  # a feature that is off
    for claim in spec.get("volumeClaimTemplates", ()):
        _fill(claim, kind="PersistentVolumeClaim", apiVersion="v1")
        set_claim(claim)
    set_template(spec)


def set_claim(claim: Object) -> None:
    """SetDefaults_PersistentVolumeClaim"""
    claim.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
    claim.setdefault("status", {}).setdefault("phase", "Pending")


def set_daemon_set(daemon_set: Object) -> None:
    """SetDefaults_DaemonSet; the annotation is daemonset/strategy.go's"""
    spec = daemon_set.setdefault("spec", {})
    daemon_set["metadata"].setdefault("annotations", {}).setdefault(TEMPLATE_GENERATION, "1")
    _fill(spec, revisionHistoryLimit=10)
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        _fill(strategy.setdefault("rollingUpdate", {}), maxUnavailable=1, maxSurge=0)
    set_template(spec)


def set_job(job: Object) -> None:
    """SetDefaults_Job"""
    spec = job.setdefault("spec", {})
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    _fill(
        spec,
        parallelism=1,
        backoffLimit=UNLIMITED if "backoffLimitPerIndex" in spec else 6,
        completionMode="NonIndexed",
        suspend=False,
        podReplacementPolicy="Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed",
    )
    for rule in spec.get("podFailurePolicy", {}).get("rules", ()):
        for pattern in rule.get("onPodConditions", ()):
            pattern.setdefault("status", "True")
    set_template(spec)
    labels = job["spec"]["template"]["metadata"].get("labels")
    if labels and not job["metadata"].get("labels"):
        job["metadata"]["labels"] = dict(labels)


def set_cron_job(cron_job: Object) -> None:
    """SetDefaults_CronJob; of the Jobs that it makes only the pods' template is completed"""
    spec = cron_job.setdefault("spec", {})
    _fill(
        spec,
        concurrencyPolicy="Allow",
        suspend=False,
        successfulJobsHistoryLimit=3,
        failedJobsHistoryLimit=1,
    )
    template = spec.setdefault("jobTemplate", {})
    template.setdefault("metadata", {})
    set_template(template.setdefault("spec", {}))


def set_limit_range(limit_range: Object) -> None:
    """SetDefaults_LimitRangeItem"""
    for limit in limit_range.setdefault("spec", {}).get("limits", ()):
        if limit.get("type") == "Container":
            limits = {**limit.get("max", {}), **limit.get("default", {})}
            requests = {**limit.get("min", {}), **limits, **limit.get("defaultRequest", {})}
            given = {"default": limits, "defaultRequest": requests}
            limit |= {field: amounts for field, amounts in given.items() if amounts}


def set_autoscaler(autoscaler: Object) -> None:
    """pkg/apis/autoscaling/v2/defaults.go SetDefaults_HorizontalPodAutoscaler"""
    spec = autoscaler.setdefault("spec", {})
    spec.setdefault("minReplicas", 1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    for direction, policies in SCALING.items():
        if "behavior" in spec:
            given: Object = {"selectPolicy": "Max", "policies": [dict(each) for each in policies]}
            if direction == "scaleUp":
                given["stabilizationWindowSeconds"] = 0
            _fill(spec["behavior"].setdefault(direction, {}), **given)


def count_templates(daemon_set: Object, stored: Object) -> None:
    """Counts in an annotation how often a DaemonSet's template has changed. daemonset/strategy.go"""
    before = stored["metadata"].get("annotations", {}).get(TEMPLATE_GENERATION, "1")
    changed = daemon_set["spec"]["template"] != stored["spec"]["template"]
    annotations = daemon_set["metadata"].get("annotations", {})
    count = str(int(before) + 1) if changed else before
    daemon_set["metadata"]["annotations"] = {**annotations, TEMPLATE_GENERATION: count}


def set_template(spec: Object) -> None:
    """The pod template of a workload's spec."""
    template = spec.setdefault("template", {})
    template.setdefault("metadata", {})
    set_pod_spec(template.setdefault("spec", {}))


def set_pod(pod: Object) -> None:
    """SetDefaults_Pod, as far as pods do not share it with templates: see `pods.py` for the rest."""
    set_pod_spec(pod.setdefault("spec", {}))


def set_pod_spec(spec: Object) -> None:
    """SetDefaults_PodSpec"""
    _fill(
        spec,
        dnsPolicy="ClusterFirst",
        restartPolicy="Always",
        schedulerName="default-scheduler",
        terminationGracePeriodSeconds=30,
    )
    spec.setdefault("securityContext", {})
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    for field in ("initContainers", "containers"):
        for container in spec.get(field, ()):
            drop_disabled(container, field)
            set_container(container)
            if spec.get("hostNetwork"):
                for port in container.get("ports", ()):
                    port.setdefault("hostPort", port.get("containerPort"))
    for volume in spec.get("volumes", ()):
        set_volume(volume)


def drop_disabled(container: Object, field: str) -> None:
    """What the gate ContainerRestartRules would let in. pkg/api/pod/util.go dropDisabledFields"""
    if field == "containers" or container.get("restartPolicy") != "Always":
        container.pop("restartPolicy", None)


def set_container(container: Object) -> None:
    """SetDefaults_Container, SetDefaults_ContainerPort"""
    _fill(
        container,
        imagePullPolicy=pull_policy(container.get("image", "")),
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
    )
    container.setdefault("resources", {})
    for port in container.get("ports", ()):
        port.setdefault("protocol", "TCP")
    for env in container.get("env", ()):
        set_reference(env.get("valueFrom", {}))
    for field in ("livenessProbe", "readinessProbe", "startupProbe"):
        if field in container:
            _fill(
                container[field], timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3
            )
            set_handler(container[field])
    for handler in container.get("lifecycle", {}).values():
        if isinstance(handler, dict):
            set_handler(handler)


def set_handler(handler: Object) -> None:
    """SetDefaults_HTTPGetAction, and the empty service of a gRPC probe."""
    if "httpGet" in handler:
        _fill(handler["httpGet"], path="/", scheme="HTTP")
    if "grpc" in handler:
        handler["grpc"].setdefault("service", "")


def pull_policy(image: str) -> str:
    """Always for the tag "latest" and for no tag at all, else IfNotPresent."""
    name, _, digest = image.partition("@")
    _, colon, tag = name.rpartition("/")[2].partition(":")
    return "Always" if tag == "latest" or not (colon or digest) else "IfNotPresent"


def set_volume(volume: Object) -> None:
    """SetDefaults_Volume, and the modes of those that are files"""
    if len(volume) < 2:
        volume["emptyDir"] = {}
    for source in ("secret", "configMap", "downwardAPI", "projected"):
        if source in volume:
            volume[source].setdefault("defaultMode", 420)
    for item in volume.get("downwardAPI", {}).get("items", ()):
        set_reference(item)
    if "hostPath" in volume:
        volume["hostPath"].setdefault("type", "")
    for source in volume.get("projected", {}).get("sources", ()):
        for item in source.get("downwardAPI", {}).get("items", ()):
            set_reference(item)
        if "serviceAccountToken" in source:
            source["serviceAccountToken"].setdefault("expirationSeconds", 3600)


def set_reference(source: Object) -> None:
    """SetDefaults_ObjectFieldSelector, and the divisor that a quantity of nothing is"""
    if "fieldRef" in source:
        source["fieldRef"].setdefault("apiVersion", "v1")
    if "resourceFieldRef" in source:
        source["resourceFieldRef"].setdefault("divisor", "0")


def set_service(service: Object) -> None:
    """SetDefaults_Service, and the one address family that there is (storage/alloc.go)"""
    spec = service.setdefault("spec", {})
    type_ = spec.setdefault("type", "ClusterIP")
    if spec.setdefault("sessionAffinity", "None") == "ClientIP":
        client = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        client.setdefault("timeoutSeconds", 10800)
    for port in spec.get("ports", ()):
        port.setdefault("protocol", "TCP")
        port["targetPort"] = port.get("targetPort") or port.get("port", 0)
    if type_ in ("NodePort", "LoadBalancer") or (type_ == "ClusterIP" and spec.get("externalIPs")):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if type_ == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    if type_ != "ExternalName":
        _fill(spec, internalTrafficPolicy="Cluster", ipFamilyPolicy="SingleStack")
        spec.setdefault("ipFamilies", ["IPv4"])
        if "clusterIP" not in spec and spec.get("clusterIPs"):
            spec["clusterIP"] = spec["clusterIPs"][0]


def set_namespace(namespace: Object) -> None:
    """SetDefaults_Namespace: its name is a label, whatever is said"""
    metadata = namespace["metadata"]
    if name := metadata.get("name"):
        metadata["labels"] = {**(metadata.get("labels") or {}), "kubernetes.io/metadata.name": name}


def set_endpoints(endpoints: Object) -> None:
    """SetDefaults_Endpoints"""
    for subset in endpoints.get("subsets", ()):
        for port in subset.get("ports", ()):
            port.setdefault("protocol", "TCP")


def set_endpoint_slice(endpoint_slice: Object) -> None:
    """SetDefaults_EndpointPort"""
    for port in endpoint_slice.get("ports", ()):
        _fill(port, name="", protocol="TCP")


def set_secret(secret: Object) -> None:
    """SetDefaults_Secret; `stringData` is for writing only"""
    secret.setdefault("type", "Opaque")
    given = secret.pop("stringData", None)
    if given:
        encoded = {key: b64encode(text.encode()).decode() for key, text in given.items()}
        secret["data"] = {**secret.get("data", {}), **encoded}


def set_priority_class(priority_class: Object) -> None:
    """pkg/apis/scheduling/v1/defaults.go"""
    _fill(priority_class, value=0, preemptionPolicy="PreemptLowerPriority")


def set_storage_class(storage_class: Object) -> None:
    """pkg/apis/storage/v1/defaults.go"""
    _fill(storage_class, reclaimPolicy="Delete", volumeBindingMode="Immediate")


def _fill(part: Object, **defaults: Any) -> None:
    for field, value in defaults.items():
        part.setdefault(field, value)


DEFAULTS: dict[str, Callable[[Object], None]] = {
    "deployments": set_deployment,
    "replicasets": set_replica_set,
    "replicationcontrollers": set_replication_controller,
    "statefulsets": set_stateful_set,
    "daemonsets": set_daemon_set,
    "jobs": set_job,
    "cronjobs": set_cron_job,
    "limitranges": set_limit_range,
    "persistentvolumeclaims": set_claim,
    "horizontalpodautoscalers": set_autoscaler,
    "pods": set_pod,
    "services": set_service,
    "namespaces": set_namespace,
    "endpoints": set_endpoints,
    "endpointslices": set_endpoint_slice,
    "secrets": set_secret,
    "podtemplates": set_template,
    "priorityclasses": set_priority_class,
    "storageclasses": set_storage_class,
}
