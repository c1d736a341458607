"""What is random in a history (suffixes of names, addresses, times, nodes), and what it stands for."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

Json = dict[str, Any]

LEARNT_FIRST = {"nodes": 0, "replicasets": 1, "controllerrevisions": 1}
REVISION = "deployment.kubernetes.io/revision"

_SUFFIX = "[bcdfghjklmnpqrstvwxz2456789]{5}"
_SPAN = r"(?:\d+d)?(?:\d+h)?(?:\d+m(?:\d+s)?|\d+(?:\.\d+)?s|\d+(?:\.\d+)?ms)"
_RANDOM: tuple[tuple[re.Pattern[str], str], ...] = (
    # The order counts: an earlier pattern hides its text from the later ones.
    (re.compile(r'(Failed to pull image "[^"]+"|Back-off pulling image "[^"]+")[:;.].*', re.S), r"\1 …"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z?|\w{3}, \d\d \w{3} \d{4} [\d:]+ [+-]\d{4}"), "TIME"),
    (re.compile(r"\b(sha256:)?[0-9a-f]{40,64}\b|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "ID"),
    (
        re.compile(
            r"(?:dial|read) tcp \S+ .*(?:refused|reset by peer|EOF)"
            r"|(?:Client\.Timeout|context deadline) exceeded.*"
        ),
        "NO ANSWER",
    ),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b(?::\d+)?"), "ADDRESS"),
    (re.compile(r'resourceVersion: "\d+"'), "resourceVersion: N"),
    (re.compile(r"\bx\d+ over \S+"), "xN"),
    (re.compile(r"\(x\d+\)|\(xN\)"), "(xN)"),
    (re.compile(r"\d+ \(SPAN ago\)|\d+ \(\S+ ago\)"), "N (SPAN ago)"),
    (re.compile(rf"(#r\w+|kube-api-access)-{_SUFFIX}\b"), r"\1-POD"),
    (re.compile(rf"\b{_SPAN}\b"), "SPAN"),
    (re.compile(r"\b3[012]\d{3}\b"), "PORT"),
    (re.compile(r"\bg-[a-z0-9-]+\b"), "NAMESPACE"),
)


class Names:
    """What the random names of a history stand for: NODE, web#r2 (a ReplicaSet), web#r2-POD, web-SLICE.

    `namespaces`: those whose names are random, too.
    """

    def __init__(self, watch: Sequence[Json], namespaces: Collection[str] = ()) -> None:
        self._of: dict[str, str] = {f"{name}/": "NAMESPACE/" for name in namespaces}
        for event in sorted(watch, key=lambda event: LEARNT_FIRST.get(event["resource"], 2)):
            if "metadata" in event["object"]:
                self._learn(event["resource"], event["object"])
        longest_first = sorted(self._of, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def _learn(self, resource: str, obj: Json) -> None:
        name, owner = obj["metadata"].get("name", ""), owner_of(obj)
        if resource == "nodes":
            self._of.setdefault(name, "NODE")
        elif owner is None:
            return
        elif resource == "replicasets":
            revision = (obj["metadata"].get("annotations") or {}).get(REVISION, "?")
            self._of.setdefault(name, f"{owner['name']}#r{revision}")
            if hash_ := (obj["metadata"].get("labels") or {}).get("pod-template-hash"):
                self._of.setdefault(hash_, f"{owner['name']}#r{revision}-HASH")
        elif resource == "pods" and owner["kind"] != "StatefulSet":
            self._of.setdefault(name, f"{self.of(owner['name'])}-POD")
        elif resource == "controllerrevisions":
            self._of.setdefault(name, f"{owner['name']}#r{obj.get('revision')}")
        elif resource == "endpointslices":
            self._of.setdefault(name, f"{owner['name']}-SLICE")

    def of(self, name: str) -> str:
        """What the name stands for; itself when it is not random."""
        return self._of.get(name, name)

    def key(self, obj: Json) -> str:
        """What the object's name stands for."""
        return self.of(obj["metadata"]["name"])

    def root(self, obj: Json) -> str:
        """The workload that the object belongs to in the end; itself without an owner."""
        owner = owner_of(obj)
        name: str = obj["metadata"]["name"]
        return self.of(owner["name"]).split("#")[0] if owner else name

    def plain(self, text: str) -> str:
        """The text without anything random."""
        if self._pattern:
            text = self._pattern.sub(lambda match: self._of[match.group()], text)
        for pattern, word in _RANDOM:
            text = pattern.sub(word, text)
        return text


def owner_of(obj: Json) -> Json | None:
    """The owner reference that controls the object."""
    return next((o for o in obj["metadata"].get("ownerReferences") or [] if o.get("controller")), None)
