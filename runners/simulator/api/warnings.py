"""What the API server takes, and warns of: names that are no host names, and odd pod templates.

pkg/api/pod/warnings.go, pkg/apis/core/pods/helpers.go VisitContainersWithPath, the registries' strategy.go
WarningsOnCreate and WarningsOnUpdate
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gherkube.runners.objects import PREFERRED, REQUIRED, Object
from gherkube.runners.quantities import parse
from gherkube.runners.simulator.api.refusals import render
from gherkube.runners.simulator.api.validation_meta import is_dns_label

TEMPLATES = {
    "deployments": ("spec", "template"),
    "replicasets": ("spec", "template"),
    "statefulsets": ("spec", "template"),
    "daemonsets": ("spec", "template"),
    "replicationcontrollers": ("spec", "template"),
    "jobs": ("spec", "template"),
    "cronjobs": ("spec", "jobTemplate", "spec", "template"),
    "podtemplates": ("template",),
}
"""Where objects have their pod template."""
NAMED = "which can result in surprising behavior; a DNS label is recommended"
IN_PODS = f"metadata.name: this is used in Pod names and hostnames, {NAMED}"
NAMES = {
    **dict.fromkeys(("deployments", "replicasets", "replicationcontrollers", "jobs", "cronjobs"), IN_PODS),
    "pods": f"metadata.name: this is used in the Pod's hostname, {NAMED}",
}
"""Of which a name that is no DNS label is warned, and how."""
OLD_LABELS = {
    "beta.kubernetes.io/arch": ("v1.14", "kubernetes.io/arch"),
    "beta.kubernetes.io/os": ("v1.14", "kubernetes.io/os"),
    "beta.kubernetes.io/instance-type": ("v1.17", "node.kubernetes.io/instance-type"),
    "failure-domain.beta.kubernetes.io/region": ("v1.17", "topology.kubernetes.io/region"),
    "failure-domain.beta.kubernetes.io/zone": ("v1.17", "topology.kubernetes.io/zone"),
}
"""Labels of nodes: since when they are deprecated, and by what."""
OLD_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": ("v1.16", "priorityClassName"),
    "security.alpha.kubernetes.io/sysctls": ("v1.11", "sysctls"),
    "security.alpha.kubernetes.io/unsafe-sysctls": ("v1.11", "sysctls"),
}
"""Annotations of pods: since when they do nothing, and the field that does it."""


def of_new(resource: str, obj: Object) -> Iterator[str]:
    """The warnings about an object that is created."""
    if resource in NAMES and (messages := is_dns_label(obj["metadata"]["name"])):
        yield f"{NAMES[resource]}: [{' '.join(messages)}]"
    if resource == "pods":
        yield from _of_template(obj, "")
    else:
        yield from _of_workload(resource, obj)


def of_update(resource: str, obj: Object, old: Object) -> Iterator[str]:
    """The warnings about an object that is updated: only when that made another generation of it."""
    if resource in TEMPLATES and obj["metadata"].get("generation") != old["metadata"].get("generation"):
        yield from _of_workload(resource, obj)


def _of_workload(resource: str, obj: Object) -> Iterator[str]:
    if resource == "statefulsets" and obj["spec"]["revisionHistoryLimit"] < 0:
        said = "a negative value retains all historical revisions; a value >= 0 is recommended"
        yield f"spec.revisionHistoryLimit: {said}"
    template: Any = obj
    path = TEMPLATES.get(resource, ())
    for field in path:
        template = template.get(field) or {}
    if path:
        yield from _of_template(template, ".".join(path) + ".")


def _of_template(template: Object, at: str) -> Iterator[str]:
    """warningsForPodSpecAndMeta; `at` is where the template stands, with a dot at the end."""
    spec, at_spec = template.get("spec") or {}, f"{at}spec"
    for label in sorted(spec.get("nodeSelector") or {}):
        if label in OLD_LABELS:
            yield f"{at_spec}.nodeSelector[{label}]: {_deprecated(label)}"
    affinity = spec.get("affinity") or {}
    if "nodeAffinity" in affinity:
        yield from _of_node_affinity(affinity["nodeAffinity"], f"{at_spec}.affinity.nodeAffinity")
    yield from _of_spreading(spec, f"{at_spec}.topologySpreadConstraints")
    annotations = template.get("metadata", {}).get("annotations") or {}
    for key, (since, field) in OLD_ANNOTATIONS.items():
        if key in annotations:
            said = f'non-functional in {since}+; use the "{field}" field instead'
            yield f"{at}metadata.annotations[{key}]: {said}"
    yield from _of_repeated(spec, "hostAliases", "ip", at_spec)
    yield from _of_repeated(spec, "imagePullSecrets", "name", at_spec)
    for index, secret in enumerate(spec.get("imagePullSecrets", ())):
        if not secret.get("name"):
            yield f'{at_spec}.imagePullSecrets[{index}].name: invalid empty name ""'
    containers = [
        (f"{at_spec}.{kind}[{index}]", container)
        for kind in ("initContainers", "containers")
        for index, container in enumerate(spec.get(kind) or ())
    ]
    for volume in spec.get("volumes") or ():
        if volume.get("projected") is not None and not volume["projected"].get("sources"):
            yield f'volume "{volume["name"]}" (Projected) has no sources provided'
    for path, container in containers:
        if resources := container.get("resources"):
            yield from _of_fractions(resources, f"{path}.resources")
        yield from _of_env(container, f"{path}.env")
    yield from _of_ports(containers)
    if at and (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        said = "must be >= 0; negative values are invalid and will be treated as 1"
        yield f"{at_spec}.terminationGracePeriodSeconds: {said}"
    for kind in ("podAffinity", "podAntiAffinity"):
        if kind in affinity:
            yield from _of_pod_affinity(affinity[kind], f"{at_spec}.affinity.{kind}")


def _deprecated(label: str) -> str:
    since, new = OLD_LABELS[label]
    return f'deprecated since {since}; use "{new}" instead'


def _of_node_affinity(affinity: Object, at: str) -> Iterator[str]:
    terms = [
        (f"{at}.{REQUIRED}.nodeSelectorTerms[{index}]", term)
        for index, term in enumerate((affinity.get(REQUIRED) or {}).get("nodeSelectorTerms") or ())
    ]
    terms += [
        (f"{at}.{PREFERRED}[{index}].preference", term.get("preference") or {})
        for index, term in enumerate(affinity.get(PREFERRED) or ())
    ]
    for path, term in terms:
        for index, each in enumerate(term.get("matchExpressions") or ()):
            if (label := each.get("key", "")) in OLD_LABELS:
                yield f"{path}.matchExpressions[{index}].key: {label} is {_deprecated(label)}"


def _of_spreading(spec: Object, at: str) -> Iterator[str]:
    for index, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        if (label := constraint.get("topologyKey", "")) in OLD_LABELS:
            yield f"{at}[{index}].topologyKey: {label} is {_deprecated(label)}"
        yield from _of_selector(constraint, f"{at}[{index}]")


def _of_pod_affinity(affinity: Object, at: str) -> Iterator[str]:
    for index, term in enumerate(affinity.get(REQUIRED) or ()):
        yield from _of_selector(term, f"{at}.{REQUIRED}[{index}]")
    for index, weighted in enumerate(affinity.get(PREFERRED) or ()):
        yield from _of_selector(
            weighted.get("podAffinityTerm") or {}, f"{at}.{PREFERRED}[{index}].podAffinityTerm"
        )


def _of_selector(chooser: Object, at: str) -> Iterator[str]:
    if chooser.get("labelSelector") is None:
        yield f"{at}.labelSelector: a null labelSelector results in matching no pod"


def _of_repeated(spec: Object, field: str, key: str, at: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, item in enumerate(spec.get(field) or ()):
        value = item.get(key, "")
        if value in seen:
            yield f"{at}.{field}[{index}].{key}: duplicate {key} {render(value)}"
        seen.add(value)


def _of_fractions(resources: Object, at: str) -> Iterator[str]:
    for resource in ("memory", "ephemeral-storage"):
        for kind in ("limits", "requests"):
            amount = (resources.get(kind) or {}).get(resource)
            if amount is not None and parse(amount).denominator != 1:
                said = f'fractional byte value "{amount}" is invalid, must be an integer'
                yield f"{at}.{kind}[{resource}]: {said}"


def _of_env(container: Object, at: str) -> Iterator[str]:
    """A variable that is set again may build on what it was before, and on nothing else."""
    seen: set[str] = set()
    for index, variable in enumerate(container.get("env") or ()):
        name, value = variable.get("name", ""), variable.get("value", "")
        before = f"$({name})"
        if name in seen and ("valueFrom" in variable or value == before or before not in value):
            said = f"hides previous definition of {render(name)}, which may be dropped when using apply"
            yield f"{at}[{index}]: {said}"
        seen.add(name)


def _of_ports(containers: list[tuple[str, Object]]) -> Iterator[str]:
    """Ports that hide or overlap others, of all containers together."""
    known: dict[tuple[int, str], list[tuple[str, tuple[str, int]]]] = {}
    for path, container in containers:
        for index, port in enumerate(container.get("ports") or ()):
            at = f"{path}.ports[{index}]"
            here = ip, number = port.get("hostIP", ""), port.get("hostPort", 0)
            if ip and not number:
                yield f"{at}: hostIP set without hostPort: {_go_port(port)}"
            others = known.setdefault((port.get("containerPort", 0), port.get("protocol", "TCP")), [])
            for other, (other_ip, other_number) in others:
                if here == (other_ip, other_number):
                    yield f"{at}: duplicate port definition with {other}"
                elif not number or not other_number:
                    yield f"{at}: overlapping port definition with {other}"
                elif number == other_number and bool(ip) != bool(other_ip):
                    yield f"{at}: dangerously ambiguous port definition with {other}"
            others.append((at, here))


def _go_port(port: Object) -> str:
    """As Go's %+v shows it."""
    fields = {
        "Name": port.get("name", ""),
        "HostPort": port.get("hostPort", 0),
        "ContainerPort": port.get("containerPort", 0),
        "Protocol": port.get("protocol", ""),
        "HostIP": port.get("hostIP", ""),
    }
    return f"{{{' '.join(f'{name}:{value}' for name, value in fields.items())}}}"
