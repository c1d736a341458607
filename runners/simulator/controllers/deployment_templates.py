"""When two pod templates are the same, and the hash that names a ReplicaSet after its template.

pkg/controller/deployment/util EqualIgnoreHash, pkg/controller/controller_utils.go ComputeHash. The
hash upstream is of a dump of Go structures, which nothing else can reproduce; here it is of the
template's canonical text, by the same function and in the same letters.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from gherkube.runners.objects import Object
from gherkube.runners.quantities import parse
from gherkube.runners.simulator.api.names import safe_encode

HASH_LABEL = "pod-template-hash"
MAPS = frozenset({"labels", "annotations", "nodeSelector", "limits", "requests", "matchLabels"})
"""Fields that are as good as absent when empty; of other fields an empty object means something."""
AMOUNTS = frozenset({"limits", "requests"})
"""Fields of quantities, which are compared by value."""


class Templates:
    """The canonical texts of the pod templates of Deployments and ReplicaSets, each worked out once."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Object, str]] = {}

    def text(self, owner: Object) -> str:
        """The canonical text of the owner's template, without its hash label: equal for equal templates."""
        uid, template = owner["metadata"]["uid"], owner["spec"]["template"]
        known = self._known.get(uid)
        if known is None or known[0] is not template:
            known = self._known[uid] = (template, canonical(template))
        return known[1]

    def note(self, owner: Object, text: str) -> None:
        """The canonical text of an owner's template is known from that of which it was made."""
        self._known[owner["metadata"]["uid"]] = (owner["spec"]["template"], text)

    def same(self, one: Object, other: Object) -> bool:
        """Whether the templates of two owners are equal, but for the hash label."""
        return self.text(one) == self.text(other)

    def forget(self, owner: Object) -> None:
        """The owner is gone."""
        self._known.pop(owner["metadata"]["uid"], None)


def canonical(template: Object) -> str:
    """The text of a template: without its hash label and what is empty, quantities by value, keys sorted."""
    return json.dumps(_reduced(without_hash(template)), sort_keys=True, separators=(",", ":"))


def without_hash(template: Object) -> Object:
    """The template without its hash label."""
    metadata = template.get("metadata", {})
    labels = metadata.get("labels", {})
    if HASH_LABEL not in labels:
        return template
    kept = {name: value for name, value in labels.items() if name != HASH_LABEL}
    return {**template, "metadata": {**metadata, "labels": kept}}


def with_hash(labels: Object, hash_: str) -> Object:
    """Labels with the hash label."""
    return {**labels, HASH_LABEL: hash_}


def _reduced(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: {key: str(parse(amount)) for key, amount in each.items()}
            if name in AMOUNTS
            else _reduced(each)
            for name, each in value.items()
            if each is not None and each != [] and not (each == {} and name in MAPS)
        }
    if isinstance(value, list):
        return [_reduced(each) for each in value]
    return value


@lru_cache(1024)
def hash_of(text: str, collisions: int | None) -> str:
    """The hash label of a template's canonical text: FNV-1a, 32 bits, in letters that spell nothing.

    `collisions`: the Deployment's collisionCount, None when it has none.
    """
    data = text.encode()
    if collisions is not None:
        data += collisions.to_bytes(8, "little")
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return safe_encode(value)
