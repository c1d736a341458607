"""How like a real cluster a recording is.

    python -m tests.golden.compare --real DIR [--real DIR ...] OTHER [--details] [--json] [--kinds A,B]

DIR and OTHER are folders of recordings, or one recording each. A real cluster never does exactly the
same twice, so several real recordings of a scenario are given: what all of them show is certain and
has to be there, what any of them shows is allowed.

    recall     share of what is certain that OTHER shows
    precision  share of what OTHER shows that some real recording shows
    score      their harmonic mean

A real recording that was left out and is given as OTHER scores what there is to reach. What is random
(suffixes of names, addresses, times, nodes) is replaced by what it stands for.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tests.golden.recording import Json, Recording, is_recording, named, read

KINDS = {
    "states": "at every checkpoint, each object's status in short",
    "events": "what the cluster said: kind, reason, message",
    "lives": "each pod's life as people see it: starting, Running 0/1, Terminating; a cycle counts once",
    "moves": "each workload's conditions, as they came to be",
    "bounds": "of each workload, most pods at once, and fewest available once it had been available",
    "outputs": "kubectl's exit codes and the lines it printed (of `rollout status` the last)",
}
"""What is compared."""

Fact = tuple[Hashable, ...]
Facts = dict[str, set[Fact]]

WORKLOADS = frozenset({"deployments", "replicasets", "statefulsets", "daemonsets", "jobs"})
NOT_IN_STATES = frozenset({"events", "services", "controllerrevisions"})
NOT_COUNTS = frozenset({"observedGeneration", "collisionCount"})
HICCUP = "failed to sync configmap cache"
"""Says a busy node; no behaviour."""
STARTING = frozenset({"ContainerCreating", "PodInitializing", ""})
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
    """What the random names of a recording stand for: NODE, web#r2 (a ReplicaSet), web#r2-POD, web-SLICE."""

    def __init__(self, watch: Sequence[Json]) -> None:
        self._of: dict[str, str] = {}
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


def without_cycles(states: Sequence[str]) -> list[str]:
    """The states with each stretch that repeats at once (up to four long) shown once."""
    out: list[str] = []
    for state in states:
        out.append(state)
        for size in (1, 2, 3, 4):
            if len(out) >= 2 * size and out[-size:] == out[-2 * size : -size]:
                del out[-size:]
                break
    return out


# --- what an object comes to, in short ------------------------------------------------------------


def conditions(names: Names, obj: Json) -> tuple[tuple[str, str, str, str], ...]:
    """The conditions as (type, status, reason, message), sorted."""
    return tuple(
        sorted(
            (c["type"], c["status"], c.get("reason", ""), names.plain(c.get("message", "")))
            for c in obj.get("status", {}).get("conditions") or []
        )
    )


def containers(pod: Json) -> list[Json]:
    """The statuses of the init containers, then of the containers."""
    status = pod.get("status", {})
    return (status.get("initContainerStatuses") or []) + (status.get("containerStatuses") or [])


def _container(status: Json) -> Fact:
    nothing: tuple[str, Json] = ("none", {})
    kind, body = next(iter((status.get("state") or {}).items()), nothing)
    last = (status.get("lastState") or {}).get("terminated") or {}
    return (
        status["name"],
        kind,
        (body or {}).get("reason", ""),
        (body or {}).get("exitCode", ""),
        bool(status.get("ready")),
        status.get("restartCount", 0) > 0,
        last.get("reason", ""),
    )


def short(names: Names, resource: str, obj: Json) -> Fact:
    """What a checkpoint says of the object."""
    metadata, status, spec = obj["metadata"], obj.get("status", {}), obj.get("spec", {})
    if resource == "pods":
        states = ((c["type"], c["status"], c.get("reason", "")) for c in status.get("conditions") or [])
        return (
            names.key(obj),
            status.get("phase"),
            status.get("reason", ""),
            "deletionTimestamp" in metadata,
            tuple(sorted(states)),
            tuple(_container(c) for c in containers(obj)),
        )
    if resource == "endpoints":
        subsets = obj.get("subsets") or []
        counts = ((len(s.get("addresses") or []), len(s.get("notReadyAddresses") or [])) for s in subsets)
        return (names.key(obj), tuple(counts))
    if resource == "endpointslices":
        ends = Counter(tuple(sorted((e.get("conditions") or {}).items())) for e in obj.get("endpoints") or [])
        return (names.key(obj), tuple(sorted(ends.items())))
    notes = {
        k: v for k, v in (metadata.get("annotations") or {}).items() if k.startswith("deployment.kubernetes")
    }
    return (
        names.key(obj),
        spec.get("replicas"),
        tuple(sorted(_counts(resource, obj).items())),
        conditions(names, obj),
        tuple(sorted(notes.items())),
    )


def _counts(resource: str, obj: Json) -> Json:
    status = obj.get("status", {})
    if resource == "resourcequotas":
        used = {f"used {key}": value for key, value in (status.get("used") or {}).items()}
        return {**(status.get("hard") or {}), **used}
    counts = {k: v for k, v in status.items() if isinstance(v, (int, bool)) and k not in NOT_COUNTS}
    if "observedGeneration" in status:
        counts["observed"] = status["observedGeneration"] == obj["metadata"].get("generation")
    return counts


def seen_as(pod: Json) -> str:
    """A pod's state as a person reads it off `kubectl get pods`; all of its start is one state."""
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating"
    status = pod.get("status", {})
    phase = status.get("reason") or status.get("phase")
    states = [
        (container["name"], state, (body or {}).get("reason", ""), bool(container.get("ready")))
        for container in containers(pod)
        for state, body in (container.get("state") or {}).items()
    ]
    waits = {f"{name}:{why}" for name, state, why, _ in states if state == "waiting" and why not in STARTING}
    if waits:
        return " ".join(sorted(waits))
    if phase == "Pending":
        return "starting"
    return f"{phase} {sum(ready for *_, ready in states)}/{len(states)}"


# --- what is compared ------------------------------------------------------------------------------


def facts(recording: Recording) -> Facts:
    """All that a recording shows, by kind."""
    names = Names(recording.watch)
    pods = [event for event in recording.watch if event["resource"] == "pods"]
    workloads = [event for event in recording.watch if event["resource"] in WORKLOADS]
    return {
        "states": set(_states(names, recording.states)),
        "events": set(_events(names, recording.watch)),
        "lives": set(_lives(names, pods)),
        "moves": set(_moves(names, workloads)),
        "bounds": set(_most_pods(names, pods)) | set(_fewest_available(workloads)),
        "outputs": set(_outputs(names, recording.actions)),
    }


def _states(names: Names, states: Sequence[Json]) -> Iterator[Fact]:
    for state in states:
        for resource, objects in state["objects"].items():
            if resource not in NOT_IN_STATES:
                yield from ((state["name"], resource, short(names, resource, obj)) for obj in objects)


def _events(names: Names, watch: Sequence[Json]) -> Iterator[Fact]:
    for event in (entry["object"] for entry in watch if entry["resource"] == "events"):
        if HICCUP in (event.get("message") or ""):
            continue
        about = event.get("involvedObject") or event.get("regarding") or {}
        message = names.plain(event.get("message") or event.get("note") or "")
        yield (
            about.get("kind"),
            names.of(about.get("name", "")),
            event.get("type"),
            event.get("reason"),
            message,
        )


def _lives(names: Names, pods: Sequence[Json]) -> Iterator[Fact]:
    lives: dict[str, list[str]] = {}
    for event in pods:
        pod = event["object"]
        life = lives.setdefault(pod["metadata"]["uid"], [names.key(pod)])
        life.append("gone" if event["type"] == "DELETED" else seen_as(pod))
    for life in lives.values():
        yield tuple(without_cycles(life))


def _moves(names: Names, workloads: Sequence[Json]) -> Iterator[Fact]:
    for event in workloads:
        if now := tuple(condition[:3] for condition in conditions(names, event["object"])):
            yield (event["resource"], names.key(event["object"]), now)


def _most_pods(names: Names, pods: Sequence[Json]) -> Iterator[Fact]:
    present: dict[str, str] = {}
    most: dict[str, int] = {}
    for event in pods:
        pod, root = event["object"], names.root(event["object"])
        if event["type"] == "DELETED" or pod["metadata"].get("deletionTimestamp"):
            present.pop(pod["metadata"]["uid"], None)
        else:
            present[pod["metadata"]["uid"]] = root
        most[root] = max(most.get(root, 0), sum(r == root for r in present.values()))
    yield from ((root, "most pods", count) for root, count in most.items())


def _fewest_available(workloads: Sequence[Json]) -> Iterator[Fact]:
    fewest: dict[str, int] = {}
    for deployment in (event["object"] for event in workloads if event["resource"] == "deployments"):
        name = deployment["metadata"]["name"]
        have = deployment.get("status", {}).get("availableReplicas", 0)
        if name in fewest or have >= deployment.get("spec", {}).get("replicas", 1):
            fewest[name] = min(fewest.get(name, have), have)
    yield from ((name, "fewest available", count) for name, count in fewest.items())


def _outputs(names: Names, actions: Sequence[Json]) -> Iterator[Fact]:
    for number, action in enumerate(actions):
        if "rc" not in action:
            continue
        words = [word for word in action["argv"] if not word.startswith("/")]
        yield (number, "exit code", action["rc"])
        for stream in ("stdout", "stderr"):
            printed = (
                re.sub(r"\s+", " ", text).strip()
                for text in names.plain(action.get(stream) or "").splitlines()
            )
            lines = [text for text in printed if text]
            if "status" in words and "rollout" in words:
                lines = lines[-1:]
            command = names.plain(" ".join(words[3:6]))
            yield from ((number, command, stream, text) for text in lines)


# --- the verdict -------------------------------------------------------------------------------------


class Counts(NamedTuple):
    """How many facts: certain and shown, certain, shown and allowed, shown."""

    found: int = 0
    certain: int = 0
    allowed: int = 0
    shown: int = 0

    def plus(self, other: Counts) -> Counts:
        """Both together."""
        return Counts(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def score(self) -> float:
        """The harmonic mean of recall and precision, 0 to 1."""
        recall = self.found / self.certain if self.certain else 1.0
        precision = self.allowed / self.shown if self.shown else 1.0
        return 2 * recall * precision / (recall + precision) if recall + precision else 0.0


@dataclass(frozen=True)
class Verdict:
    """A recording beside the real ones: by kind, the counts, what is missing and what is too much."""

    counts: dict[str, Counts]
    missing: dict[str, set[Fact]]
    extra: dict[str, set[Fact]]

    def details(self) -> Iterator[str]:
        """One line for each fact that is missing (-) or too much (+)."""
        for sign, facts_of in (("-", self.missing), ("+", self.extra)):
            for kind, found in facts_of.items():
                for fact in sorted(found, key=repr):
                    yield f"{sign} {kind}: {json.dumps(fact, ensure_ascii=False)}"


def judge(reals: Sequence[Facts], shown: Facts, kinds: Sequence[str] = tuple(KINDS)) -> Verdict:
    """Holds what a recording shows against what the real ones show."""
    counts, missing, extra = {}, {}, {}
    for kind in kinds:
        certain = set.intersection(*(real[kind] for real in reals))
        allowed = set.union(*(real[kind] for real in reals))
        mine = shown[kind]
        counts[kind] = Counts(len(certain & mine), len(certain), len(mine & allowed), len(mine))
        missing[kind], extra[kind] = certain - mine, mine - allowed
    return Verdict(counts, missing, extra)


def total(verdicts: Sequence[Verdict]) -> dict[str, float]:
    """The score of each kind over several scenarios: their facts are added up first."""
    sums: dict[str, Counts] = {}
    for verdict in verdicts:
        for kind, counts in verdict.counts.items():
            sums[kind] = sums.get(kind, Counts()).plus(counts)
    return {kind: counts.score for kind, counts in sums.items()}


def row(name: str, scores: dict[str, float]) -> str:
    """A line of the table."""
    return f"{name:26}" + "".join(f"{kind} {100 * score:5.1f}%  " for kind, score in scores.items())


def main(argv: Sequence[str] | None = None) -> int:
    """The command; 1 when a scenario was not recorded."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--real", action="append", required=True, type=Path)
    parser.add_argument("other", type=Path)
    parser.add_argument(
        "--details", action="store_true", help="- certain but not there, + there but never real"
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--kinds", default=",".join(KINDS), help="what to compare; all by default")
    args = parser.parse_args(argv)
    kinds = args.kinds.split(",")
    if unknown := set(kinds) - set(KINDS):
        parser.error(f"no such kind: {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
    names, verdicts, absent = named(args.real[0]), {}, []
    for name in names:
        if not is_recording(args.other / name):
            absent.append(name)
            continue
        reals = [facts(read(real / name)) for real in args.real if is_recording(real / name)]
        label = name or args.real[0].name
        verdicts[label] = judge(reals, facts(read(args.other / name)), kinds)
        if not args.json:
            print(row(label, {kind: counts.score for kind, counts in verdicts[label].counts.items()}))
            for line in verdicts[label].details() if args.details else ():
                print(f"  {line}")
    _conclude(verdicts, absent, len(names), args.json)
    return 1 if absent else 0


def _conclude(verdicts: dict[str, Verdict], absent: list[str], wanted: int, as_json: bool) -> None:
    shares = total(list(verdicts.values()))
    overall = sum(shares.values()) / max(len(shares), 1) * len(verdicts) / max(wanted, 1)
    if as_json:
        table = {name: {k: c.score for k, c in verdict.counts.items()} for name, verdict in verdicts.items()}
        summary: dict[str, Any] = {"scenarios": table, "total": shares, "overall": overall, "missing": absent}
        print(json.dumps(summary, indent=1))
        return
    print(row("all", shares) + f"overall {100 * overall:.1f}%")
    if absent:
        print(f"not recorded, counted as 0: {', '.join(absent)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
