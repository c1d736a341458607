"""What the simulator does not act on is not judged; what is inert is stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gherkube.runners.errors import CannotJudge
from gherkube.runners.simulator.api.schema import table
from gherkube.runners.simulator.api.unmodelled import INERT, POD, ROWS, Row
from tests.simulator.api.workshop import Json, container, deployment, pod, server, service

SHARE = {"name": "v", "nfs": {"server": "s", "path": "/"}}


@pytest.mark.parametrize(
    ("obj", "said"),
    [
        (
            deployment(pod={"volumes": [SHARE]}),
            (
                "Deployment cannot be judged on the simulator: "
                "field spec.template.spec.volumes[].nfs is not modelled"
            ),
        ),
        (
            pod(runtimeClassName="kata"),
            "Pod cannot be judged on the simulator: field spec.runtimeClassName is not modelled",
        ),
        (
            pod(containers=[container(lifecycle={"stopSignal": "SIGUSR1"})], os={"name": "linux"}),
            "field spec.containers[].lifecycle.stopSignal is not modelled",
        ),
        (service(trafficDistribution="PreferClose"), "field spec.trafficDistribution is not modelled"),
    ],
)
def test_a_field_that_matters_is_named(obj: Json, said: str) -> None:
    """The message names the kind, the field, why, and what to do."""
    with pytest.raises(CannotJudge) as caught:
        server().create(obj)
    assert said in str(caught.value)
    assert "run the scenario on kind or a live cluster" in str(caught.value)


def test_a_patch_cannot_bring_it_in() -> None:
    """Updates are looked at as creations are; nothing is written."""
    api = server()
    api.create(service())
    with pytest.raises(CannotJudge):
        api.patch("services", "web", {"spec": {"trafficDistribution": "PreferClose"}})
    assert "trafficDistribution" not in api.get("services", "web", "default")["spec"]


def test_what_is_inert_is_stored() -> None:
    """Config maps as volumes, security contexts and the like change nothing that a scenario sees."""
    spec: dict[str, Any] = {
        "volumes": [{"name": "c", "configMap": {"name": "c"}}, {"name": "e", "emptyDir": {}}],
        "securityContext": {"runAsNonRoot": True},
        "hostNetwork": False,
    }
    stored = server().create(pod(**spec))
    assert stored["spec"]["securityContext"] == {"runAsNonRoot": True}


def test_a_row_may_be_of_some_values_only() -> None:
    """What is as on every cluster is taken; what a cluster would act on is not."""
    api = server()
    api.create(pod("linux", os={"name": "linux"}, preemptionPolicy="PreemptLowerPriority", priority=0))
    api.create(service(ipFamilyPolicy="PreferDualStack"))
    api.create(service("open", type="LoadBalancer", allocateLoadBalancerNodePorts=True))
    fine = {"name": "h", "hostPath": {"path": "/x", "type": "DirectoryOrCreate"}}
    api.create(pod("disk", volumes=[fine]))
    for wrong in (
        pod(os={"name": "windows"}),
        pod(volumes=[{"name": "h", "hostPath": {"path": "/x", "type": "Directory"}}]),
        pod(containers=[container(securityContext={"seccompProfile": {"type": "Localhost"}})]),
        service("two", ipFamilies=["IPv6"]),
        service("two", type="LoadBalancer", allocateLoadBalancerNodePorts=False),
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": "n", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
        },
    ):
        with pytest.raises(CannotJudge):
            api.create(wrong)


def plain(type_: str) -> str:
    return type_.lstrip("[]{}").rstrip("?")


def rows() -> Iterator[tuple[str, str, Row]]:
    """Each row with the struct and field at the end of its path; a row that leads nowhere fails here."""
    structs = table()["structs"]
    roots = {
        "services": "Service",
        "namespaces": "Namespace",
        "statefulsets": "StatefulSet",
        "jobs": "Job",
        "cronjobs": "CronJob",
    }
    of_objects = ((roots[resource], row) for resource, each in ROWS.items() for row in each)
    for struct, row in (*of_objects, *(("PodSpec", row) for row in POD)):
        *before, last = row.path.split(".")
        for step in before:
            type_ = structs[struct][step.removesuffix("[]")]
            assert type_.startswith("[]") == step.endswith("[]"), row
            if type_.startswith("{}"):  # labels and annotations: the last step is a key
                break
            struct = plain(type_)
        else:
            assert last in structs[struct], row
            yield struct, last, row


OPAQUE = {"ObjectMeta", "LabelSelector", "NodeAffinity", "Volume"}
"""Structs that are modelled as a whole, or whose own table says which parts are (MODELLED_VOLUMES)."""
MODELLED = {
    "Affinity": "nodeAffinity podAffinity podAntiAffinity",
    "ClientIPConfig": "timeoutSeconds",
    "ConfigMapEnvSource": "name optional",
    "ConfigMapKeySelector": "key name optional",
    "Container": "env envFrom image imagePullPolicy lifecycle livenessProbe name ports readinessProbe "
    "resources restartPolicy securityContext startupProbe volumeMounts",
    "ContainerPort": "containerPort hostIP hostPort name protocol",
    "DeploymentSpec": "minReadySeconds paused progressDeadlineSeconds replicas revisionHistoryLimit selector "
    "strategy template",
    "DeploymentStrategy": "rollingUpdate type",
    "EnvFromSource": "configMapRef prefix secretRef",
    "EnvVar": "name value valueFrom",
    "EnvVarSource": "configMapKeyRef fieldRef secretKeyRef",
    "ObjectFieldSelector": "fieldPath",
    "ExecAction": "command",
    "GRPCAction": "port",
    "HTTPGetAction": "path port scheme",
    "Lifecycle": "postStart preStop",
    "LifecycleHandler": "exec httpGet sleep",
    **dict.fromkeys(
        ("PodAffinity", "PodAntiAffinity"),
        "preferredDuringSchedulingIgnoredDuringExecution requiredDuringSchedulingIgnoredDuringExecution",
    ),
    "PodAffinityTerm": "labelSelector matchLabelKeys mismatchLabelKeys namespaceSelector namespaces "
    "topologyKey",
    "PodReadinessGate": "conditionType",
    "PodSchedulingGate": "name",
    "PodSecurityContext": "appArmorProfile runAsNonRoot runAsUser seccompProfile",
    "PodSpec": "activeDeadlineSeconds affinity automountServiceAccountToken containers hostNetwork hostname "
    "initContainers nodeName nodeSelector os preemptionPolicy priority priorityClassName readinessGates "
    "restartPolicy schedulerName schedulingGates securityContext serviceAccount serviceAccountName "
    "subdomain terminationGracePeriodSeconds tolerations topologySpreadConstraints volumes",
    "PodTemplateSpec": "metadata spec",
    "Probe": "exec failureThreshold grpc httpGet initialDelaySeconds periodSeconds successThreshold "
    "tcpSocket terminationGracePeriodSeconds timeoutSeconds",
    "ReplicaSetSpec": "minReadySeconds replicas selector template",
    "ResourceRequirements": "limits requests",
    "RollingUpdateDeployment": "maxSurge maxUnavailable",
    "SecretEnvSource": "name optional",
    "SecretKeySelector": "key name optional",
    "SecurityContext": "appArmorProfile runAsNonRoot runAsUser seccompProfile",
    "ServicePort": "name nodePort port protocol targetPort",
    "ServiceSpec": "clusterIP clusterIPs externalTrafficPolicy internalTrafficPolicy ports "
    "publishNotReadyAddresses selector sessionAffinity sessionAffinityConfig type",
    "SessionAffinityConfig": "clientIP",
    "SleepAction": "seconds",
    "TCPSocketAction": "port",
    "Toleration": "effect key operator tolerationSeconds value",
    "TopologySpreadConstraint": "labelSelector matchLabelKeys maxSkew minDomains nodeAffinityPolicy "
    "nodeTaintsPolicy topologyKey whenUnsatisfiable",
    "WeightedPodAffinityTerm": "podAffinityTerm weight",
    "VolumeMount": "mountPath name readOnly recursiveReadOnly",
}
"""By struct: the fields that something in the simulator acts on."""


def test_every_field_is_modelled_or_inert_or_not_judged() -> None:
    """None is left out by mistake: a field that a new schema brings has to be put into one of the three."""
    structs = table()["structs"]
    not_judged: dict[str, dict[str, bool]] = {}
    for struct, field, row in rows():
        known = not_judged.setdefault(struct, {})
        known[field] = known.get(field, False) or row.when is bool
    to_do, seen, found = ["PodSpec", "DeploymentSpec", "ReplicaSetSpec", "ServiceSpec"], set(), {}
    while to_do:
        struct = to_do.pop()
        seen.add(struct)
        refused, inert = not_judged.get(struct, {}), INERT.get(struct, "").split()
        modelled = MODELLED.get(struct, "").split()
        assert not {*modelled} & {*inert}, struct
        assert not {field for field, whole in refused.items() if whole} & {*modelled, *inert}, struct
        assert {*modelled, *inert} <= structs[struct].keys(), struct
        found[struct] = structs[struct].keys() - {*modelled, *inert} - refused.keys()
        further = structs[struct].keys() - {*inert} - {field for field, whole in refused.items() if whole}
        types = {plain(structs[struct][field]) for field in further}
        to_do += sorted((types & structs.keys()) - OPAQUE - seen - {*to_do})
    assert {struct: fields for struct, fields in found.items() if fields} == {
        "AppArmorProfile": {"localhostProfile"},  # their types say that they matter
        "SeccompProfile": {"localhostProfile"},
    }
    assert {*MODELLED, *INERT} <= seen


def test_every_inert_field_is_documented() -> None:
    """Whoever reads what the simulator leaves out finds all of it."""
    text = (Path(__file__).parents[3] / "docs" / "fidelity.md").read_text(encoding="utf-8")
    section = text.partition("## What is kept and changes nothing")[2].partition("\n## ")[0]
    for struct, fields in INERT.items():
        missing = [field for field in fields.split() if f"`{field}`" not in section]
        assert not missing, (struct, missing)
