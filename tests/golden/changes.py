"""kubectl's verbs that change an object and that no sentence needs: `taint`, and `set` beyond images and env.

kubectl: pkg/cmd/taint, pkg/cmd/set
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gherkube.runners.cluster import Api
from gherkube.runners.errors import ApiError, Refused
from gherkube.runners.kubectl import Outcome
from gherkube.runners.kubectl.kinds import find, line
from gherkube.runners.kubectl.refusals import asking
from gherkube.runners.objects import Object

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


class Taint(NamedTuple):
    """A taint to set or to take away; without an effect all of that key go."""

    key: str
    value: str
    effect: str

    def is_like(self, other: Object) -> bool:
        """Whether it stands for the same taint."""
        return self.key == other["key"] and self.effect in ("", other["effect"])

    @property
    def text(self) -> str:
        """As messages name it."""
        return f"{self.key}:{self.effect}" if self.effect else self.key


def taints_of(words: Sequence[str]) -> tuple[list[str], list[Taint], list[Taint]]:
    """Node names, and the taints to set and to take away, of `node-1 a=b:NoSchedule c-`."""
    names = [word for word in words if not any(mark in word for mark in "=:") and not word.endswith("-")]
    added, removed = [], []
    for word in words[len(names) :]:
        pair, _, effect = word.removesuffix("-").partition(":")
        key, _, value = pair.partition("=")
        if effect and effect not in EFFECTS:
            raise Refused(
                f"error: invalid taint effect: {effect}, unsupported taint effect\n"
                "See 'kubectl taint -h' for help and examples"
            )
        (removed if word.endswith("-") else added).append(Taint(key, value, effect))
    if not added and not removed:
        raise Refused("error: at least one taint update is required")
    return names, added, removed


def taint(api: Api, node: str, added: Sequence[Taint], removed: Sequence[Taint], overwrite: bool) -> Outcome:
    """Sets taints and takes others away; refused when one to take away is not there, or one to set is."""
    with asking():
        old = api.get("nodes", node)
    before: list[Object] = old["spec"].get("taints", [])
    taken = [each.key for each in added if any(each.is_like(old) for old in before)]
    if taken and not overwrite:
        raise Refused(
            f"error: node {node} already has {', '.join(taken)} taint(s) with same effect(s) and "
            "--overwrite is false"
        )
    taints: list[Object] = [{k: v for k, v in each._asdict().items() if v} for each in added]
    taints += [old for old in before if not any(each.is_like(old) for each in added)]
    grew = len(taints) != len(before)
    for each in removed:
        left = [old for old in taints if not each.is_like(old)]
        if len(left) == len(taints):
            raise Refused(f'error: taint "{each.text}" not found')
        taints = left
    with asking():
        stored = api.patch("nodes", node, {"spec": {"taints": taints or None}})
    word = "modified" if overwrite or (grew and removed) else "tainted" if grew else "untainted"
    return Outcome(line("nodes", node, word), stored)


def set_resources(
    api: Api,
    resource: str,
    name: str,
    namespace: str,
    amounts: Mapping[str, Mapping[str, str]],
    containers: str = "*",
) -> Outcome:
    """Sets `limits` and `requests` of the containers; others that are said already stay."""
    with asking():
        old = api.get(resource, name, namespace)
    found = [
        {"name": each["name"], "resources": amounts}
        for each in old["spec"]["template"]["spec"]["containers"]
        if containers in ("*", each["name"])
    ]
    if not found:
        raise Refused(f"error: unable to find container named {containers}")
    words = "resources update to pod template"
    new = _set(api, old, {"spec": {"template": {"spec": {"containers": found}}}}, words)
    if new["metadata"]["resourceVersion"] == old["metadata"]["resourceVersion"]:
        return Outcome("", new)
    return Outcome(line(resource, name, "resource requirements updated"), new)


def set_selector(api: Api, resource: str, name: str, namespace: str, labels: Mapping[str, str]) -> Outcome:
    """Puts a selector in the place of a service's."""
    with asking():
        old = api.get(resource, name, namespace)
        selector = {**dict.fromkeys(old["spec"].get("selector", ())), **labels}
        new = api.patch(resource, name, {"spec": {"selector": selector}}, namespace)
    return Outcome(line(resource, name, "selector updated"), new)


def set_service_account(api: Api, resource: str, name: str, namespace: str, account: str) -> Outcome:
    """Sets the service account of a workload's pods."""
    with asking():
        old = api.get(resource, name, namespace)
    patch = {"spec": {"template": {"spec": {"serviceAccountName": account}}}}
    new = _set(api, old, patch, "ServiceAccountName update")
    return Outcome(line(resource, name, "serviceaccount updated"), new)


def _set(api: Api, obj: Object, patch: Object, what: str) -> Object:
    metadata = obj["metadata"]
    try:
        return api.patch(find(obj["kind"]).resource, metadata["name"], patch, metadata["namespace"])
    except ApiError as error:
        raise Refused(f"error: failed to patch {what} {error.message}", error) from error
