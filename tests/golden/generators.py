"""The objects that kubectl makes of flags: `kubectl create KIND` and `kubectl run`.

kubectl: pkg/cmd/create, pkg/cmd/run/run.go
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from gherkube.runners.errors import Refused
from gherkube.runners.objects import Object
from tests.golden.words import Words, listed, pairs


class Generator(NamedTuple):
    """How an object is made of a name and what was said; what kubectl says first when that is refused."""

    make: Callable[[str, Words], Object]
    failed: str = ""


def deployment(name: str, said: Words) -> Object:
    """The label app=NAME, a container for each image, called like it; the first one has the port."""
    images, labels = said.every("--image"), {"app": name}
    if len(images) > 1 and said.command:
        raise Refused("error: cannot specify multiple --image options and command")
    containers = [{"name": _called(image), "image": image, "resources": {}} for image in images]
    containers[0] |= _ports(said) | _command(said)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": said.number("--replicas") or 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
            "strategy": {},
        },
    }


def pod(name: str, said: Words) -> Object:
    """`kubectl run`"""
    container = {"name": name, "image": said.flags["--image"], "resources": {}} | _ports(said)
    if env := said.every("--env"):
        container["env"] = [{"name": key, "value": value} for key, value in pairs(env)[1].items()]
    if said.command:
        container["command" if "--command" in said.flags else "args"] = said.command
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": listed(said.flags.get("--labels", f"run={name}"))},
        "spec": {
            "containers": [container],
            "restartPolicy": said.flags.get("--restart", "Always"),
            "dnsPolicy": "ClusterFirst",
        },
    }


def job(name: str, said: Words) -> Object:
    """A job of one container."""
    template = _template(name, said, "Never")
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": template}


def job_of(name: str, cron_job: Object) -> Object:
    """A job as that cron job would make it now."""
    template, owner = cron_job["spec"]["jobTemplate"], cron_job["metadata"]
    before = template.get("metadata") or {}
    by = {"apiVersion": "batch/v1", "kind": "CronJob", "name": owner["name"], "uid": owner["uid"]}
    metadata: Object = {
        "name": name,
        "annotations": {"cronjob.kubernetes.io/instantiate": "manual", **before.get("annotations", {})},
        "labels": before.get("labels", {}),
        "ownerReferences": [{**by, "controller": True}],
    }
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"]}


def cron_job(name: str, said: Words) -> Object:
    """A cron job whose jobs are called like it."""
    template = {"metadata": {"name": name}, "spec": _template(name, said, "OnFailure")}
    spec = {"schedule": said.flags["--schedule"], "jobTemplate": template}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name}, "spec": spec}


def config_map(name: str, said: Words) -> Object:
    """Of literals."""
    data = pairs(said.every("--from-literal"))[1]
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def secret(name: str, said: Words) -> Object:
    """Of literals."""
    literals = pairs(said.every("--from-literal"))[1].items()
    data = {key: b64encode(value.encode()).decode() for key, value in literals}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}


def plain(version: str, kind: str) -> Callable[[str, Words], Object]:
    """Makes objects that have nothing but a name."""
    return lambda name, _: {"apiVersion": version, "kind": kind, "metadata": {"name": name}}


def service(type_: str) -> Callable[[str, Words], Object]:
    """Makes services of the label app=NAME."""

    def make(name: str, said: Words) -> Object:
        labels = {"app": name}
        spec: Object = {"type": type_, "selector": labels, "ports": list(map(_port, said.every("--tcp")))}
        if "--clusterip" in said.flags:
            spec["clusterIP"] = said.flags["--clusterip"]
        metadata = {"name": name, "labels": labels}
        return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}

    return make


def budget(name: str, said: Words) -> Object:
    """A disruption budget."""
    bounds = {"--min-available": "minAvailable", "--max-unavailable": "maxUnavailable"}
    spec: Object = {field: _number(said.flags[flag]) for flag, field in bounds.items() if flag in said.flags}
    if not spec:
        raise Refused("error: one of min-available or max-unavailable must be specified")
    spec["selector"] = {"matchLabels": listed(said.flags["--selector"])}
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": spec,
    }


def quota(name: str, said: Words) -> Object:
    """A quota of hard limits."""
    spec = {"hard": listed(said.flags.get("--hard", ""))}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name}, "spec": spec}


def priority_class(name: str, said: Words) -> Object:
    """A priority class."""
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": said.number("--value") or 0,
        "globalDefault": "--global-default" in said.flags,
        "description": said.flags.get("--description", ""),
        "preemptionPolicy": said.flags.get("--preemption-policy", "PreemptLowerPriority"),
    }


GENERATORS: Mapping[str, Generator] = {
    "deployment": Generator(deployment, "failed to create deployment: "),
    "job": Generator(job, "failed to create job: "),
    "cronjob": Generator(cron_job, "failed to create cronjob: "),
    "configmap": Generator(config_map, "failed to create configmap: "),
    "secret generic": Generator(secret, "failed to create secret "),
    "serviceaccount": Generator(plain("v1", "ServiceAccount"), "failed to create serviceaccount: "),
    "service clusterip": Generator(service("ClusterIP"), "failed to create ClusterIP service: "),
    "service nodeport": Generator(service("NodePort"), "failed to create NodePort service: "),
    "poddisruptionbudget": Generator(budget, "failed to create poddisruptionbudgets: "),
    "quota": Generator(quota, "failed to create quota: "),
    "priorityclass": Generator(priority_class, "failed to create priorityclass: "),
    "namespace": Generator(plain("v1", "Namespace")),
}
"""By the words of `kubectl create` that say what is made."""
SHORT = {
    "cj": "cronjob",
    "cm": "configmap",
    "deploy": "deployment",
    "ns": "namespace",
    "pc": "priorityclass",
    "pdb": "poddisruptionbudget",
    "resourcequota": "quota",
    "sa": "serviceaccount",
    "svc": "service",
}


def of(what: Sequence[str]) -> Generator | None:
    """The generator that those words of `kubectl create` name, or None."""
    return GENERATORS.get(" ".join([SHORT.get(what[0], what[0]), *what[1:]]))


def _called(image: str) -> str:
    return image.rsplit("/", 1)[-1].partition("@")[0].partition(":")[0]


def _ports(said: Words) -> Object:
    port = said.number("--port")
    return {} if port is None else {"ports": [{"containerPort": port}]}


def _command(said: Words) -> Object:
    return {"command": said.command} if said.command else {}


def _template(name: str, said: Words, restart: str) -> Object:
    container = {"name": name, "image": said.flags["--image"], "resources": {}} | _command(said)
    return {"template": {"metadata": {}, "spec": {"containers": [container], "restartPolicy": restart}}}


def _port(text: str) -> Object:
    """Of `80` or `80:8080`."""
    port, _, target = text.partition(":")
    open_ = {"name": text.replace(":", "-"), "protocol": "TCP", "port": int(port)}
    return {**open_, "targetPort": _number(target or port)}


def _number(text: str) -> int | str:
    return int(text) if text.isdigit() else text
