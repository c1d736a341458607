"""Objects for the cluster: those that sentences describe, and those that manifests hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from gherkube.runners.errors import UsageError
from gherkube.runners.objects import Object
from gherkube.steps.phrases import FIELDS, duration

KINDS: dict[str, tuple[str, str]] = {
    "deployments": ("apps/v1", "Deployment"),
    "replicasets": ("apps/v1", "ReplicaSet"),
    "statefulsets": ("apps/v1", "StatefulSet"),
    "daemonsets": ("apps/v1", "DaemonSet"),
}
"""The workloads that "runs" makes: resource → (apiVersion, kind)."""

CONTAINER, PORT = "app", 8080


# --- What "runs" makes ------------------------------------------------------------------------


def workload(
    resource: str, name: str, image: str, replicas: int | None, table: list[list[str]] | None = None
) -> Object:
    """A workload with the label `app: <name>` and one container `app` with containerPort 8080.

    `replicas` is None where the kind has none. `table` holds rows of a key and a value; see `KEYS`.
    """
    version, kind = KINDS[resource]
    labels = {"app": name}
    container = {"name": CONTAINER, "image": image, "ports": [{"containerPort": PORT}]}
    spec: Object = {
        "selector": {"matchLabels": dict(labels)},
        "template": {"metadata": {"labels": dict(labels)}, "spec": {"containers": [container]}},
    }
    if replicas is not None:
        spec = {"replicas": replicas, **spec}
    if resource == "statefulsets":
        spec["serviceName"] = name
    obj: Object = {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "labels": dict(labels)},
        "spec": spec,
    }
    seen: set[str] = set()
    for row in table or ():
        if len(row) != 2:
            raise UsageError(f"a row of this table has a key and a value, not {len(row)} cells: {row}")
        key, value = row
        if key in seen:
            raise UsageError(f"the key “{key}” stands in the table twice")
        seen.add(key)
        _set(obj, resource, key, value)
    return obj


def service(name: str, selector: dict[str, str], port: int, type_: str = "") -> Object:
    """A Service that sends what comes to `port` to the same port of the selected pods."""
    spec: Object = {"selector": selector, "ports": [{"port": port, "targetPort": port}]}
    if type_:
        spec["type"] = type_
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def namespace(name: str) -> Object:
    """A Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def budget(name: str, selector: Object, at_least: int) -> Object:
    """A PodDisruptionBudget that keeps that many pods available."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": {"minAvailable": at_least, "selector": selector},
    }


def quota(pods: int) -> Object:
    """A ResourceQuota of that many pods."""
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "pods"},
        "spec": {"hard": {"pods": str(pods)}},
    }


# --- The keys of the table --------------------------------------------------------------------


def _integer(text: str) -> int:
    if not re.fullmatch(r"-?\d+", text):
        raise UsageError(f"“{text}” is not a whole number")
    return int(text)


def _number_or_percent(text: str) -> int | str:
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def _seconds(text: str) -> int:
    """Whole seconds: `10`, or a duration such as `10 seconds` or `1m30s`."""
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    if not re.fullmatch(FIELDS["duration"].looks, text):
        raise UsageError(f"“{text}” is no time: write it as 10, 10 seconds, 10s or 1m30s")
    seconds = duration(text)
    if seconds != int(seconds):
        raise UsageError(f"“{text}” is not a whole number of seconds, which Kubernetes asks for here")
    return int(seconds)


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise UsageError(f"“{text}” is neither true nor false")
    return text == "true"


_PROBE_TIMES = {"every": "periodSeconds", "after": "initialDelaySeconds", "timeout": "timeoutSeconds"}
_PROBE_NUMBERS = (
    "failureThreshold",
    "successThreshold",
    *_PROBE_TIMES.values(),
    "terminationGracePeriodSeconds",
)
_OPTION = rf" ({'|'.join((*_PROBE_TIMES, *_PROBE_NUMBERS))}) (\d\S*(?: (?:seconds?|minutes?))?)$"
_NETWORK = r"(https?|tcp|grpc) :(\d+|[a-z][a-z0-9-]*)(/\S*)?"


def probe(text: str) -> Object:
    """A probe: `http :8080/readyz every 1s`, `tcp :8080`, `grpc :9000 after 5s`, `exec cat /ready every 5s`.

    Behind it may stand `every`, `after` and `timeout` with a time, and Kubernetes' own fields
    (`failureThreshold 3`).
    """
    options: Object = {}
    what = text
    while (found := re.search(_OPTION, what)) is not None:
        options = {_PROBE_TIMES.get(found[1], found[1]): _seconds(found[2]), **options}
        what = what[: found.start()]
    return {**_probe_action(what, text), **options}


def _probe_action(what: str, text: str) -> Object:
    if what.startswith("exec "):
        return {"exec": {"command": _words(what[5:])}}
    found = re.fullmatch(_NETWORK, what)
    if found is None or (found[3] and found[1] in ("tcp", "grpc")):
        raise UsageError(
            f"“{text}” is no probe: write it as http :8080/readyz every 1s, tcp :8080 every 1s, "
            "grpc :9000 every 1s or exec cat /ready every 1s"
        )
    port = _number_or_percent(found[2])
    if found[1] == "tcp":
        return {"tcpSocket": {"port": port}}
    if found[1] == "grpc":
        return {"grpc": {"port": port}}
    action: Object = {"path": found[3] or "/", "port": port}
    if found[1] == "https":
        action["scheme"] = "HTTPS"
    return {"httpGet": action}


def _words(text: str) -> list[str]:
    """The words of a command line, as a shell would take them apart."""
    import shlex

    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"“{text}” is no command line: {error}") from None


def _port(text: str) -> list[Object]:
    return [{"containerPort": _integer(text)}]


_SPEC, _POD, _APP, _ROLLING = "spec", "pod", "container", "rolling"

KEYS: dict[str, tuple[str, tuple[str, ...], Callable[[str], Any]]] = {
    "maxSurge": (_ROLLING, ("maxSurge",), _number_or_percent),
    "maxUnavailable": (_ROLLING, ("maxUnavailable",), _number_or_percent),
    "strategy": (_ROLLING, ("type",), str),
    "minReadySeconds": (_SPEC, ("minReadySeconds",), _seconds),
    "progressDeadlineSeconds": (_SPEC, ("progressDeadlineSeconds",), _seconds),
    "revisionHistoryLimit": (_SPEC, ("revisionHistoryLimit",), _integer),
    "podManagementPolicy": (_SPEC, ("podManagementPolicy",), str),
    "partition": (_ROLLING, ("partition",), _integer),
    "paused": (_SPEC, ("paused",), _boolean),
    "grace period": (_POD, ("terminationGracePeriodSeconds",), _seconds),
    "terminationGracePeriodSeconds": (_POD, ("terminationGracePeriodSeconds",), _seconds),
    "restartPolicy": (_POD, ("restartPolicy",), str),
    "nodeName": (_POD, ("nodeName",), str),
    "readiness probe": (_APP, ("readinessProbe",), probe),
    "liveness probe": (_APP, ("livenessProbe",), probe),
    "startup probe": (_APP, ("startupProbe",), probe),
    "preStop sleep": (_APP, ("lifecycle", "preStop", "sleep", "seconds"), _seconds),
    "cpu request": (_APP, ("resources", "requests", "cpu"), str),
    "cpu limit": (_APP, ("resources", "limits", "cpu"), str),
    "memory request": (_APP, ("resources", "requests", "memory"), str),
    "memory limit": (_APP, ("resources", "limits", "memory"), str),
    "imagePullPolicy": (_APP, ("imagePullPolicy",), str),
    "containerPort": (_APP, ("ports",), _port),
    "command": (_APP, ("command",), _words),
    "args": (_APP, ("args",), _words),
}
"""The keys of the table: where in the object the value goes, and how its text is read."""

NAMED_KEYS = ("label", "annotation", "env", "nodeSelector")
"""Keys with a name behind them, as in `label tier`."""

_ORDERED = frozenset({"podManagementPolicy", "partition"})
_NOT_OF: dict[str, frozenset[str]] = {
    "deployments": _ORDERED,
    "replicasets": _ORDERED
    | {"maxSurge", "maxUnavailable", "strategy", "progressDeadlineSeconds", "revisionHistoryLimit", "paused"},
    "statefulsets": frozenset({"maxSurge", "progressDeadlineSeconds", "paused"}),
    "daemonsets": _ORDERED | {"progressDeadlineSeconds", "paused"},
}
_STRATEGY = {"deployments": "strategy", "statefulsets": "updateStrategy", "daemonsets": "updateStrategy"}


def _set(obj: Object, resource: str, key: str, value: str) -> None:
    spec = obj["spec"]
    template = spec["template"]
    container = template["spec"]["containers"][0]
    kind, _, name = key.partition(" ")
    if kind in NAMED_KEYS and name:
        if kind == "env":
            container.setdefault("env", []).append({"name": name, "value": value})
        elif kind == "nodeSelector":
            template["spec"].setdefault("nodeSelector", {})[name] = value
        else:
            template["metadata"].setdefault(f"{kind}s", {})[name] = value
        return
    if key not in KEYS:
        raise UsageError(_unknown_key(key))
    if key in _NOT_OF[resource]:
        raise UsageError(f"a {obj['kind']} has no {key}")
    root, path, read = KEYS[key]
    if root == _ROLLING:
        path = (_STRATEGY[resource], *(() if key == "strategy" else ("rollingUpdate",)), *path)
    place = {_SPEC: spec, _ROLLING: spec, _POD: template["spec"], _APP: container}[root]
    for step in path[:-1]:
        place = place.setdefault(step, {})
    place[path[-1]] = read(value)


def _unknown_key(key: str) -> str:
    from difflib import get_close_matches

    names = [*KEYS, *(f"{kind} {key.partition(' ')[2] or 'NAME'}" for kind in NAMED_KEYS)]
    near = get_close_matches(key, names, n=1, cutoff=0.0)
    return f"“{key}” is not a key of this table; the nearest is “{near[0]}”. All: {', '.join(names)}"


# --- What manifests hold ----------------------------------------------------------------------


@cache
def _loader() -> Any:
    """A YAML loader that leaves dates as text, as Kubernetes' own does."""
    import yaml

    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc, valid-type]
        yaml_implicit_resolvers = {  # noqa: RUF012 - yaml's own way
            first: [(tag, regexp) for tag, regexp in resolvers if not tag.endswith(":timestamp")]
            for first, resolvers in base.yaml_implicit_resolvers.items()
        }

    return Loader


def composed(text: str, source: str, line: int = 1) -> Iterator[tuple[int, Any, Any]]:
    """The documents of a text, each with the line it begins at and its node (yaml's, with marks).

    Broken YAML and keys given twice are a UsageError.
    """
    import yaml

    loader = _loader()(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            _refuse_twins(node, source, line)
            yield node.start_mark.line + line, loader.construct_document(node), node
    except yaml.MarkedYAMLError as broken:
        mark = broken.problem_mark or broken.context_mark
        at = f"{source}:{mark.line + line}" if mark else source
        raise UsageError(f"{at}: this is not YAML: {broken.problem or broken.context}") from None
    except yaml.YAMLError as broken:
        raise UsageError(f"{source}: this is not YAML: {broken}") from None
    finally:
        loader.dispose()


def _refuse_twins(node: Any, source: str, line: int) -> None:
    if not isinstance(node.value, list):
        return
    seen: set[str] = set()
    for entry in node.value:
        if not isinstance(entry, tuple):
            _refuse_twins(entry, source, line)
            continue
        key, value = entry
        if isinstance(key.value, str):
            if key.value in seen:
                raise UsageError(
                    f"{source}:{key.start_mark.line + line}: the key “{key.value}” is given twice"
                )
            seen.add(key.value)
        _refuse_twins(value, source, line)


def documents(text: str, source: str, line: int = 1) -> list[Object]:
    """The objects of a manifest: all documents, Lists taken apart, empty documents left out.

    `source` and `line` say where the text begins; errors read `source:line: …`.
    """
    found: list[Object] = []
    for at, document, _ in composed(text, source, line):
        if document is None:
            continue
        if isinstance(document, dict) and document.get("kind") == "List":
            items = document.get("items") or []
        else:
            items = [document]
        for item in items:
            _check_object(item, f"{source}:{at}")
        found += items
    if not found:
        raise UsageError(f"{source}:{line}: there is no object in this manifest")
    return found


def _check_object(item: Any, at: str) -> None:
    if not isinstance(item, dict):
        raise UsageError(
            f"{at}: an object was expected here, with apiVersion, kind and metadata; found {item!r}"
        )
    for field in ("apiVersion", "kind"):
        if not isinstance(item.get(field), str):
            raise UsageError(f"{at}: the object has no {field}")
    metadata = item.get("metadata")
    if not isinstance(metadata, dict) or not (metadata.get("name") or metadata.get("generateName")):
        raise UsageError(f"{at}: the {item['kind']} has no metadata.name")


def partial(text: str, source: str) -> Object:
    """A part of an object, as written under `matches` and `patch`: one mapping."""
    found = [document for _, document, _ in composed(text, source)]
    if len(found) != 1 or not isinstance(found[0], dict) or not found[0]:
        raise UsageError(f"{source}: one YAML mapping was expected here, as in spec: {{replicas: 3}}")
    return found[0]
