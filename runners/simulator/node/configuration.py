"""What a container takes from ConfigMaps and Secrets: its environment, and a pod's volumes.

pkg/kubelet/kubelet_pods.go makeEnvironmentVariables, pkg/volume/{configmap,secret,projected}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gherkube.runners.objects import Key, Object
from gherkube.runners.simulator.api.pods import ROOT_CERTIFICATES, TOKEN_SOURCE
from gherkube.runners.simulator.store import Store

KINDS = {"configMap": ("configmaps", "configmap"), "secret": ("secrets", "secret")}


class ConfigError(Exception):
    """What a container's environment needs is not there; the message is the kubelet's."""


def literal_env(container: Object) -> dict[str, str]:
    """The variables whose values stand in the spec itself."""
    return {each["name"]: each["value"] for each in container.get("env", ()) if "value" in each}


def environment(store: Store, namespace: str, container: Object) -> dict[str, str]:
    """The variables of a container. Raises ConfigError when one cannot be had."""
    result: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        for field, resource, word in (("configMapRef", *KINDS["configMap"]), ("secretRef", *KINDS["secret"])):
            if field in source:
                data = _data(store, namespace, resource, word, source[field])
                prefix = source.get("prefix", "")
                result.update({prefix + name: value for name, value in data.items()})
    for each in container.get("env", ()):
        value_from = each.get("valueFrom", {})
        for field, resource, word, kind in (
            ("configMapKeyRef", "configmaps", "configmap", "ConfigMap"),
            ("secretKeyRef", "secrets", "secret", "Secret"),
        ):
            if field in value_from:
                reference = value_from[field]
                data = _data(store, namespace, resource, word, reference)
                if reference["key"] in data:
                    result[each["name"]] = data[reference["key"]]
                elif not reference.get("optional"):
                    raise ConfigError(
                        f"couldn't find key {reference['key']} in {kind} {namespace}/{reference['name']}"
                    )
        if "value" in each:
            result[each["name"]] = each["value"]
    return result


def _data(store: Store, namespace: str, resource: str, word: str, reference: Object) -> dict[str, str]:
    found = store.get(resource, Key(namespace, reference["name"]))
    if found is not None:
        return {**found.get("data", {}), **found.get("stringData", {})}
    if reference.get("optional"):
        return {}
    raise ConfigError(f'{word} "{reference["name"]}" not found')


def missing_pull_secrets(store: Store, pod: Object) -> list[str]:
    """The names of the pod's imagePullSecrets that are not there. pkg/kubelet/kubelet_pods.go"""
    namespace = pod["metadata"]["namespace"]
    names = (each.get("name", "") for each in pod["spec"]["imagePullSecrets"])
    return [name for name in names if name and store.get("secrets", Key(namespace, name)) is None]


def check_user(pod: Object, container: Object, image_is_root: bool) -> None:
    """Raises ConfigError when the container would run as root and may not.

    pkg/kubelet/kuberuntime/security_context.go verifyRunAsNonRoot
    """
    if "securityContext" not in container and not pod["spec"].get("securityContext"):
        return
    security = {**pod["spec"].get("securityContext", {}), **container.get("securityContext", {})}
    if not security.get("runAsNonRoot"):
        return
    metadata = pod["metadata"]
    name = f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
    about = f'pod: "{name}", container: {container["name"]}'
    user = security.get("runAsUser")
    if user == 0:
        raise ConfigError(f"container's runAsUser breaks non-root policy ({about})")
    if user is None and image_is_root:
        raise ConfigError(f"container has runAsNonRoot and image will run as root ({about})")


def missing_volumes(store: Store, pod: Object) -> list[str]:
    """What FailedMount says of each volume whose ConfigMap or Secret, or a key of it, is not there."""
    namespace = pod["metadata"]["namespace"]
    problems = []
    for volume in pod["spec"].get("volumes", ()):
        if volume.get("projected") is TOKEN_SOURCE:  # nearly every pod's only volume, which lacks nothing
            continue
        for source in _sources(volume):
            if why := source.missing(store, namespace):
                problems.append(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {why}')
                break
    return problems


class _Source(NamedTuple):
    """A ConfigMap or Secret that a volume shows, and the keys of it that it asks for."""

    resource: str
    word: str
    name: str
    keys: list[str]

    def missing(self, store: Store, namespace: str) -> str:
        """What is not there, in the kubelet's words, or ""."""
        found = store.get(self.resource, Key(namespace, self.name))
        if found is None:
            return f'{self.word} "{self.name}" not found'
        there = {**found.get("data", {}), **found.get("binaryData", {})}
        said = NO_KEY[self.resource]
        return next((f"{said}: {key}" for key in self.keys if key not in there), "")


NO_KEY = {
    "configmaps": "configmap references non-existent config key",
    "secrets": "references non-existent secret key",
}
"""MakePayload of pkg/volume/configmap and pkg/volume/secret"""


def _sources(volume: Object) -> Iterator[_Source]:
    projected = volume.get("projected", {}).get("sources", ())
    for source in (volume, *projected):
        for field, (resource, word) in KINDS.items():
            if (reference := source.get(field)) is not None and not reference.get("optional"):
                name = reference.get("name") or reference.get("secretName")
                if name != ROOT_CERTIFICATES:
                    yield _Source(resource, word, name, [item["key"] for item in reference.get("items", ())])
