"""kubectl's command lines as the API calls that kubectl makes, for playing scenarios without it.

What only prints (get, describe, logs, top) is not done: outputs are judged with the HTTP front.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast

import yaml

from gherkube.runners import kubectl
from gherkube.runners.cluster import Api, Clock
from gherkube.runners.errors import ApiError, CannotJudge, Refused
from gherkube.runners.kubectl.kinds import find
from gherkube.runners.kubectl.refusals import asking
from gherkube.runners.objects import Object
from gherkube.runners.simulator.cluster import Simulator

ONLY_PRINTS = frozenset({"get", "describe", "logs", "top", "events", "version", "explain", "api-resources"})
REQUEST_SECONDS = 0.008
"""What a request takes; recordings: the pods that one command deletes go 5 to 20 ms apart."""
PATIENCE = 180.0
"""Seconds after which a command that waits is given up, as `record` does."""
NOT_SCOPED = "Warning: deleting cluster-scoped resources, not scoped to the provided namespace"
IMMEDIATE = (
    "Warning: Immediate deletion does not wait for confirmation that the running resource has been "
    "terminated. The resource may continue to run on the cluster indefinitely."
)
OLD_ENDPOINTS = "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
"""What kubectl, or the API server through it, warns of."""
UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}

SHORT_FLAGS = {"-l": "--selector", "-p": "--patch", "-f": "--filename", "-o": "--output", "-n": "--namespace"}
WITH_VALUE = frozenset(
    {
        *("--selector", "--field-selector", "--patch", "--filename", "--output", "--namespace", "--type"),
        *("--replicas", "--current-replicas", "--image", "--port", "--target-port", "--name", "--timeout"),
        *("--to-revision", "--revision", "--grace-period", "--from-literal", "--for", "--env"),
    }
)
"""Flags whose value may be the next word; all others stand alone or carry it after `=`."""


class Said(NamedTuple):
    """What a command came to: exit code and output, None for what is not done here."""

    rc: int | None
    stdout: str = ""
    stderr: str = ""


class Words(NamedTuple):
    """A command line taken apart: words, and flags by their long name."""

    words: list[str]
    flags: dict[str, str]

    def number(self, flag: str) -> int | None:
        """A flag's value as a number."""
        return int(self.flags[flag]) if flag in self.flags else None


def taken_apart(argv: Sequence[str]) -> Words:
    """Words and flags of a command line, without `kubectl`."""
    words: list[str] = []
    flags: dict[str, str] = {}
    rest = iter(argv)
    for word in rest:
        if not word.startswith("-") or word == "-":
            words.append(word)
            continue
        flag, equals, value = word.partition("=")
        flag = SHORT_FLAGS.get(flag, flag)
        flags[flag] = value if equals else next(rest) if flag in WITH_VALUE else "true"
    return Words(words, flags)


class PacedApi:
    """An `Api` on which every request takes its time."""

    def __init__(self, api: Api, clock: Clock) -> None:
        self._api, self._clock = api, clock

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        request = getattr(self._api, verb)

        def paced(*args: Any, **named: Any) -> Any:
            self._clock.sleep(REQUEST_SECONDS)
            return request(*args, **named)

        return paced


class Commands:
    """Does command lines in a namespace of a cluster."""

    def __init__(self, cluster: Simulator, namespace: str) -> None:
        self._clock, self._namespace, self._remarks = cluster.clock, namespace, cluster.api.remarks
        self._api = cast(Api, PacedApi(cluster.api, cluster.clock))
        self._now = cluster.api
        self._patience = PATIENCE
        self._warnings: list[str] = []

    def run(self, argv: Sequence[str], stdin: str = "", at_most: float = PATIENCE) -> Said:
        """Does one command line, given without `kubectl`; `stdin` is what `-f -` reads."""
        self._patience, self._warnings = at_most, []
        said = taken_apart(argv)
        verb = said.words.pop(0)
        if verb in ONLY_PRINTS:
            return Said(None)
        if verb in ("set", "rollout"):
            verb = f"{verb}_{said.words.pop(0)}"
        do: Callable[[Words, str], Iterator[str]] | None = getattr(self, f"_{verb}", None)
        if do is None:
            raise CannotJudge(f"kubectl {verb} is not played here")
        out: list[str] = []
        self._remarks.clear()
        try:
            out.extend(line for line in do(said, stdin) if line)
        except Refused as refusal:
            return Said(1, _lines(out), _lines([*self._warnings, refusal.text]))
        except TimeoutError:
            return Said(None, _lines(out), _lines(self._warnings))
        remarks = [f"Warning: {each}" for each in dict.fromkeys(self._remarks)]
        return Said(0, _lines(out), _lines([*self._warnings, *remarks]))

    # --- verbs on manifests ---

    def _apply(self, _: Words, stdin: str) -> Iterator[str]:
        for outcome in kubectl.apply_all(self._api, yaml.safe_load_all(stdin), self._namespace):
            yield outcome.text

    def _create(self, said: Words, stdin: str) -> Iterator[str]:
        if "--filename" in said.flags:
            for manifest in yaml.safe_load_all(stdin):
                yield kubectl.create(self._api, manifest, self._namespace).text
            return
        kind, name = find(said.words[0]), said.words[1]
        if kind.resource == "deployments":
            image, replicas = said.flags["--image"], said.number("--replicas") or 1
            yield kubectl.create_deployment(self._api, name, self._namespace, image, replicas=replicas).text
        elif kind.resource == "configmaps":
            data = dict([said.flags["--from-literal"].split("=", 1)])
            yield kubectl.create_configmap(self._api, name, self._namespace, data).text
        elif kind.resource == "namespaces":
            yield kubectl.create(self._api, _namespace(name), "", source="").text
        else:
            raise CannotJudge(f"kubectl create {said.words[0]} is not played here")

    def _patch(self, said: Words, _: str) -> Iterator[str]:
        for resource, name, place in self._targets(said.words):
            body, type_ = yaml.safe_load(said.flags["--patch"]), said.flags.get("--type", "strategic")
            yield kubectl.patch(self._api, resource, name, place, body, type=type_).text  # type: ignore[arg-type]

    # --- verbs on workloads ---

    def _set_image(self, said: Words, _: str) -> Iterator[str]:
        names, images = _pairs(said.words)
        for resource, name, place in self._targets(names):
            yield kubectl.set_image(self._api, resource, name, place, dict(images)).text

    def _set_env(self, said: Words, _: str) -> Iterator[str]:
        names, env = _pairs(said.words)
        gone = [word[:-1] for word in names if word.endswith("-")]
        for resource, name, place in self._targets([word for word in names if not word.endswith("-")]):
            yield kubectl.set_env(self._api, resource, name, place, {**env, **dict.fromkeys(gone)}).text

    def _scale(self, said: Words, _: str) -> Iterator[str]:
        replicas, current = said.number("--replicas"), said.number("--current-replicas")
        for resource, name, place in self._targets(said.words):
            wanted = -1 if replicas is None else replicas
            yield kubectl.scale(self._api, resource, name, place, wanted, current=current).text

    def _rollout_undo(self, said: Words, _: str) -> Iterator[str]:
        for target in self._targets(said.words):
            yield kubectl.undo(self._api, *target, to_revision=said.number("--to-revision") or 0).text

    def _rollout_pause(self, said: Words, _: str) -> Iterator[str]:
        for target in self._targets(said.words):
            yield kubectl.pause(self._api, *target).text

    def _rollout_resume(self, said: Words, _: str) -> Iterator[str]:
        for target in self._targets(said.words):
            yield kubectl.resume(self._api, *target).text

    def _rollout_restart(self, said: Words, _: str) -> Iterator[str]:
        at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=int(self._clock.now()))
        for target in self._targets(said.words):
            yield kubectl.restart(self._api, *target, at=at.strftime("%Y-%m-%dT%H:%M:%SZ")).text

    def _rollout_history(self, said: Words, _: str) -> Iterator[str]:
        for target in self._targets(said.words):
            yield kubectl.history(self._api, *target, revision=said.number("--revision") or 0)[:-1]

    def _rollout_status(self, said: Words, _: str) -> Iterator[str]:
        resource, name, place = self._targets(said.words)[0]
        with asking():
            first = self._api.get(resource, name, place)
        lines = [kubectl.rollout_status(first)]
        seen = [first]

        def over() -> bool:
            now = self._now.get(resource, name, place)
            if now is not seen[-1]:
                seen.append(now)
                lines.append(kubectl.rollout_status(now))
            return lines[-1].done or lines[-1].failed

        limit = _seconds(said.flags.get("--timeout", "0s"))
        if said.flags.get("--watch") == "false":
            yield lines[0].message
            return
        ended = self._wait(over, {resource}, limit)
        yield from (line.message for line in lines if not line.failed)
        if not ended:
            raise Refused("error: timed out waiting for the condition")
        if lines[-1].failed:
            raise Refused(lines[-1].message)

    def _expose(self, said: Words, _: str) -> Iterator[str]:
        target_port = said.flags.get("--target-port", "")
        for target in self._targets(said.words):
            yield kubectl.expose(
                self._api,
                *target,
                port=said.number("--port"),
                target_port=int(target_port) if target_port.isdigit() else target_port or None,
                type=said.flags.get("--type", ""),
                as_name=said.flags.get("--name", ""),
            ).text

    # --- verbs on any object ---

    def _label(self, said: Words, _: str) -> Iterator[str]:
        yield from self._marked(kubectl.label, said)

    def _annotate(self, said: Words, _: str) -> Iterator[str]:
        yield from self._marked(kubectl.annotate, said)

    def _marked(self, verb: Callable[..., kubectl.Outcome], said: Words) -> Iterator[str]:
        names, pairs = _pairs(said.words)
        changes: dict[str, str | None] = dict(pairs)
        plain = 2 if "/" not in names[0] else 1
        changes |= dict.fromkeys(word[:-1] for word in names[plain:] if word.endswith("-"))
        for target in self._targets([word for word in names if word[:-1] not in changes]):
            yield verb(self._api, *target, changes, overwrite="--overwrite" in said.flags).text

    def _delete(self, said: Words, _: str) -> Iterator[str]:
        how: dict[str, Any] = {
            "cascade": said.flags.get("--cascade", "background"),
            "grace_period": 1 if "--now" in said.flags else said.number("--grace-period"),
            "force": "--force" in said.flags,
        }
        kinds = {find(word.split("/", 1)[0]) for word in said.words[:1]}
        self._warnings += [
            text
            for applies, text in (
                (any(not kind.namespaced for kind in kinds), NOT_SCOPED),
                (any(kind.resource == "endpoints" for kind in kinds), OLD_ENDPOINTS),
                (how["force"] and said.number("--grace-period") in (None, 0), IMMEDIATE),
            )
            if applies
        ]
        if "--selector" in said.flags or "--field-selector" in said.flags or "--all" in said.flags:
            how["labels"], how["fields"] = (said.flags.get(f, "") for f in ("--selector", "--field-selector"))
            outcomes = kubectl.delete_all(self._api, find(said.words[0]).resource, self._namespace, **how)
        else:
            outcomes = [kubectl.delete(self._api, *target, **how) for target in self._targets(said.words)]
        yield from (outcome.text for outcome in outcomes)
        if said.flags.get("--wait") != "false":
            self._wait_until_gone([outcome.object for outcome in outcomes])

    def _wait_until_gone(self, objects: list[Object]) -> None:
        left = {obj["metadata"]["uid"]: obj for obj in objects}

        def gone() -> bool:
            for uid, obj in list(left.items()):
                metadata = obj["metadata"]
                try:
                    now = self._now.get(_resource(obj), metadata["name"], metadata.get("namespace", ""))
                except ApiError:
                    del left[uid]
                else:
                    if now["metadata"]["uid"] != uid:
                        del left[uid]
            return not left

        self._wait(gone, {_resource(obj) for obj in objects})

    def _wait(self, condition: Callable[[], bool], resources: set[str], limit: float = 0.0) -> bool:
        """Waits; False after `limit` seconds (0: none), TimeoutError when given up before."""
        clock = self._clock
        until = clock.now() + min(limit or self._patience, self._patience)
        if clock.wait(condition, until - clock.now(), resources=resources):
            return True
        clock.sleep(until - clock.now())
        if not limit or limit > self._patience:
            raise TimeoutError
        return False

    def _cordon(self, said: Words, _: str) -> Iterator[str]:
        yield from (kubectl.cordon(self._api, node).text for node in said.words)

    def _uncordon(self, said: Words, _: str) -> Iterator[str]:
        yield from (kubectl.uncordon(self._api, node).text for node in said.words)

    def _drain(self, said: Words, _: str) -> Iterator[str]:
        lines: list[str] = []
        for node in said.words:
            kubectl.drain(
                self._api,
                self._clock,
                node,
                ignore_daemonsets="--ignore-daemonsets" in said.flags,
                delete_emptydir_data="--delete-emptydir-data" in said.flags,
                force="--force" in said.flags,
                pod_selector=said.flags.get("--pod-selector", ""),
                timeout=_seconds(said.flags.get("--timeout", "0s")),
                say=lines.append,
            )
        yield from lines

    def _targets(self, words: Sequence[str]) -> list[tuple[str, str, str]]:
        """(resource, name, namespace) of `deploy/web rs/web` or `deploy web other`."""
        if words and "/" in words[0]:
            named = [word.split("/", 1) for word in words]
        else:
            named = [[words[0], name] for name in words[1:]]
        kinds = [(find(kind), name) for kind, name in named]
        return [(kind.resource, name, self._namespace if kind.namespaced else "") for kind, name in kinds]


def _resource(obj: Object) -> str:
    return find(obj["kind"]).resource


def _namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _pairs(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The words without `=`, and those with it as pairs."""
    pairs = dict(word.split("=", 1) for word in words if "=" in word)
    return [word for word in words if "=" not in word], pairs


def _seconds(text: str) -> float:
    return sum(float(number) * UNITS[unit] for number, unit in re.findall(r"([\d.]+)(ms|h|m|s)", text))


def _lines(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
