"""`kubectl rollout history`: the revisions of a workload, and what it prints of them.

kubectl: pkg/polymorphichelpers/history.go, pkg/describe/describe.go DescribePodTemplate
"""

from __future__ import annotations

from collections.abc import Iterator

from gherkube.runners.cluster import Api
from gherkube.runners.errors import Refused
from gherkube.runners.kubectl.kinds import find
from gherkube.runners.kubectl.revisions import CHANGE_CAUSE, KEEPINGS, Revision, revisions
from gherkube.runners.objects import Object

NONE = "<none>"


def history(api: Api, resource: str, name: str, namespace: str, *, revision: int = 0) -> str:
    """The text of `rollout history`, or, of one revision, that of `--revision=N`."""
    kind = find(resource)
    if resource not in KEEPINGS:
        raise Refused(f'error: no history viewer has been implemented for "{kind.full_kind}"')
    known = revisions(api, resource, name, namespace)
    head = f"{kind.full_kind}/{name}"
    if revision > 0:
        if revision not in known:
            raise Refused("error: unable to find the specified revision")
        return f"{head} with revision #{revision}\n{_template(known[revision])}\n"
    if not known:
        return f"{head} \nNo rollout history found.\n"
    rows = [
        ("REVISION", "CHANGE-CAUSE"),
        *((str(number), found.cause or NONE) for number, found in known.items()),
    ]
    width = max(len(row[0]) for row in rows) + 2
    return f"{head} \n" + "".join(f"{first:<{width}}{second}\n" for first, second in rows) + "\n"


def _template(revision: Revision) -> str:
    metadata, spec = revision.template.get("metadata", {}), revision.template["spec"]
    annotations = dict(metadata.get("annotations", {}))
    if revision.cause and revision.keeper["kind"] == "ReplicaSet":
        annotations[CHANGE_CAUSE] = revision.cause
    lines = ["Pod Template:", *_pairs("  Labels:", metadata.get("labels", {}), "=")]
    if annotations:
        lines += _pairs("  Annotations:", annotations, ": ")
    if account := spec.get("serviceAccountName"):
        lines.append(f"  Service Account:\t{account}")
    for title, field in (("  Init Containers:", "initContainers"), ("  Containers:", "containers")):
        if spec.get(field):
            lines.append(title)
            lines += [text for container in spec[field] for text in _container(container)]
    lines += _volumes(spec.get("volumes", []))
    lines += _pairs("  Node-Selectors:", spec.get("nodeSelector", {}), "=")
    tolerations = sorted(_toleration(toleration) for toleration in spec.get("tolerations", ()))
    lines.append("  Tolerations:\t" + "\n\t".join(tolerations or [NONE]))
    return "\n".join(lines) + "\n"


def _pairs(title: str, pairs: dict[str, str], between: str) -> Iterator[str]:
    texts = [f"{key}{between}{value}" for key, value in sorted(pairs.items())] or [NONE]
    yield f"{title}\t{texts[0]}"
    yield from (f"\t{text}" for text in texts[1:])


def _container(container: Object) -> Iterator[str]:
    yield f"   {container['name']}:"
    yield f"    Image:\t{container['image']}"
    ports = container.get("ports", [])
    plural = "s" if len(ports) > 1 else ""
    yield f"    Port{plural}:\t" + (", ".join(f"{p['containerPort']}/{p['protocol']}" for p in ports) or NONE)
    yield f"    Host Port{plural}:\t" + (
        ", ".join(f"{p.get('hostPort', 0)}/{p['protocol']}" for p in ports) or NONE
    )
    for title, field in (("Command", "command"), ("Args", "args")):
        if container.get(field):
            yield f"    {title}:"
            yield from (f"      {word}" for word in container[field])
    for title, field in (("Limits", "limits"), ("Requests", "requests")):
        if amounts := container.get("resources", {}).get(field):
            yield f"    {title}:"
            yield from (f"      {key}:\t{value}" for key, value in sorted(amounts.items()))
    for title, field in (
        ("Liveness", "livenessProbe"),
        ("Readiness", "readinessProbe"),
        ("Startup", "startupProbe"),
    ):
        if field in container:
            yield f"    {title}:\t{_probe(container[field])}"
    if env := container.get("env"):
        yield "    Environment:"
        yield from (f"      {entry['name']}:\t{_value(entry)}" for entry in env)
    else:
        yield f"    Environment:\t{NONE}"
    if mounts := container.get("volumeMounts"):
        yield "    Mounts:"
        for mount in sorted(mounts, key=lambda mount: str(mount["mountPath"])):
            access = "ro" if mount.get("readOnly") else "rw"
            yield f"      {mount['mountPath']} from {mount['name']} ({access})"
    else:
        yield f"    Mounts:\t{NONE}"


def _value(entry: Object) -> str:
    source = entry.get("valueFrom")
    if source is None:
        return str(entry.get("value", ""))
    if "fieldRef" in source:
        return f" ({source['fieldRef'].get('apiVersion', 'v1')}:{source['fieldRef']['fieldPath']})"
    for field, title in (("configMapKeyRef", "config map"), ("secretKeyRef", "secret")):
        if (ref := source.get(field)) is not None:
            optional = str(ref.get("optional", False)).lower()
            return f"<set to the key '{ref['key']}' of {title} '{ref['name']}'>  Optional: {optional}"
    return ""


def _probe(probe: Object) -> str:
    timing = (
        f"delay={probe.get('initialDelaySeconds', 0)}s timeout={probe.get('timeoutSeconds', 1)}s "
        f"period={probe.get('periodSeconds', 10)}s #success={probe.get('successThreshold', 1)} "
        f"#failure={probe.get('failureThreshold', 3)}"
    )
    if (http := probe.get("httpGet")) is not None:
        scheme = http.get("scheme", "HTTP").lower()
        return f"http-get {scheme}://{http.get('host', '')}:{http['port']}{http.get('path', '/')} {timing}"
    if (tcp := probe.get("tcpSocket")) is not None:
        return f"tcp-socket {tcp.get('host', '')}:{tcp['port']} {timing}"
    if (grpc := probe.get("grpc")) is not None:
        return f"grpc <pod>:{grpc['port']} {grpc.get('service', '')} {timing}"
    return f"exec [{' '.join(probe.get('exec', {}).get('command', ()))}] {timing}"


VOLUMES = {
    "configMap": "ConfigMap (a volume populated by a ConfigMap)",
    "secret": "Secret (a volume populated by a Secret)",
    "emptyDir": "EmptyDir (a temporary directory that shares a pod's lifetime)",
    "hostPath": "HostPath (bare host directory volume)",
    "persistentVolumeClaim": "PersistentVolumeClaim "
    "(a reference to a PersistentVolumeClaim in the same namespace)",
    "projected": "Projected (a volume that contains injected data from multiple sources)",
}


def _volumes(volumes: list[Object]) -> Iterator[str]:
    if not volumes:
        yield f"  Volumes:\t{NONE}"
        return
    yield "  Volumes:"
    for volume in volumes:
        kind = next((field for field in volume if field != "name"), "emptyDir")
        yield f"   {volume['name']}:"
        yield f"    Type:\t{VOLUMES.get(kind, NONE)}"
        source = volume.get(kind, {})
        if kind in ("configMap", "secret"):
            name = source.get("name", source.get("secretName", ""))
            yield f"    {'Name' if kind == 'configMap' else 'SecretName'}:\t{name}"
            yield f"    Optional:\t{str(source.get('optional', False)).lower()}"


def _toleration(toleration: Object) -> str:
    text = str(toleration.get("key", ""))
    if toleration.get("value"):
        text += f"={toleration['value']}"
    if toleration.get("effect"):
        text += f":{toleration['effect']}"
    if toleration.get("operator") == "Exists" and not toleration.get("value"):
        text += " op=Exists" if text else "op=Exists"
    if (seconds := toleration.get("tolerationSeconds")) is not None:
        text += f" for {seconds}s"
    return text
