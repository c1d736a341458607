"""kubectl's command lines as the API calls that kubectl makes, for playing scenarios without it.

What only prints (get, describe, logs, top) is not done: outputs are judged with the HTTP front.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast

import yaml

from gherkube.runners import kubectl
from gherkube.runners.cluster import Api, Clock
from gherkube.runners.errors import CannotJudge, Refused
from gherkube.runners.kubectl.kinds import find, kind_of, line
from gherkube.runners.kubectl.refusals import asking
from gherkube.runners.objects import Object
from gherkube.runners.simulator.cluster import Simulator
from tests.golden import changes, generators
from tests.golden.waiting import THIRTY_SECONDS, Target, Waiting, wanted_of
from tests.golden.words import FLAGS, Words, listed, pairs, taken_apart

ONLY_PRINTS = frozenset(
    {
        *("get", "describe", "logs", "top", "events", "version", "explain", "api-resources", "api-versions"),
        *("auth", "cluster-info", "config", "diff"),
    }
)
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
ALL = ("pods", "services", "daemonsets", "deployments", "replicasets", "statefulsets", "cronjobs", "jobs")
"""What `all` stands for, in kubectl's order, of what is modelled."""


class Said(NamedTuple):
    """What a command came to: exit code and output, None for what is not done here."""

    rc: int | None
    stdout: str = ""
    stderr: str = ""


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
    """Does command lines in a namespace of a cluster; each verb is a method `do_VERB`."""

    def __init__(self, cluster: Simulator, namespace: str) -> None:
        self._clock, self._namespace, self._remarks = cluster.clock, namespace, cluster.api.remarks
        self._api = cast(Api, PacedApi(cluster.api, cluster.clock))
        self._now = cluster.api
        self._waiting = Waiting(self._now, self._clock, PATIENCE)
        self._warnings: list[str] = []

    def run(self, argv: Sequence[str], stdin: str = "", at_most: float = PATIENCE) -> Said:
        """Does one command line, given without `kubectl`; `stdin` is what `-f -` reads.

        Raises CannotJudge for what is not played here.
        """
        if argv[0] in ONLY_PRINTS:
            return Said(None)
        verb, *rest = argv
        if verb in ("set", "rollout"):
            verb = f"{verb}_{rest.pop(0)}"
        if verb == "set_sa":
            verb = "set_serviceaccount"
        if verb not in FLAGS:
            raise CannotJudge(f"kubectl {verb.replace('_', ' ')} is not played here")
        do: Callable[[Words, str], Iterator[str]] = getattr(self, f"do_{verb}")
        said = taken_apart(verb, rest)
        if said.is_rehearsal():
            return Said(None)
        self._waiting, self._warnings = Waiting(self._now, self._clock, at_most), []
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

    # --- verbs on manifests, and those that make them ---

    def do_apply(self, _: Words, stdin: str) -> Iterator[str]:
        for outcome in kubectl.apply_all(self._api, yaml.safe_load_all(stdin), self._namespace):
            yield outcome.text

    def do_create(self, said: Words, stdin: str) -> Iterator[str]:
        if "--filename" in said.flags:
            for manifest in yaml.safe_load_all(stdin):
                yield kubectl.create(self._api, manifest, self._namespace).text
            return
        *what, name = said.words
        generator = generators.of(what)
        if generator is None:
            raise CannotJudge(f"kubectl create {' '.join(what)} is not played here")
        if source := said.flags.get("--from"):
            manifest = generators.job_of(name, self._read(self._targets_of([source])[0]))
        else:
            manifest = generator.make(name, said)
        yield self._made(manifest, generator.failed)

    def do_run(self, said: Words, _: str) -> Iterator[str]:
        yield self._made(generators.pod(said.words[0], said))

    def _made(self, manifest: Object, failed: str = "") -> str:
        place = self._namespace if kind_of(manifest).namespaced else ""
        try:
            return kubectl.create(self._api, manifest, place, source="").text
        except Refused as refusal:
            if failed and refusal.error is not None:
                raise Refused(f"error: {failed}{refusal.error.message}", refusal.error) from refusal
            raise

    def do_replace(self, _: Words, stdin: str) -> Iterator[str]:
        for manifest in yaml.safe_load_all(stdin):
            resource, name, place = self._target_of(manifest)
            with asking('replacing "STDIN"'):
                self._api.replace({**manifest, "metadata": {"namespace": place, **manifest["metadata"]}})
            yield line(resource, name, "replaced")

    def do_patch(self, said: Words, _: str) -> Iterator[str]:
        body, type_ = yaml.safe_load(said.flags["--patch"]), said.flags.get("--type", "strategic")
        part = said.flags.get("--subresource", "")

        def patched(resource: str, name: str, place: str) -> str:
            if not part:
                return kubectl.patch(self._api, resource, name, place, body, type=type_).text  # type: ignore[arg-type]
            with asking():
                self._api.patch(resource, name, body, place, type=type_, subresource=part)  # type: ignore[arg-type]
            return line(resource, name, "patched")

        yield from _each(self._targets(said), patched)

    # --- verbs on workloads ---

    def do_set_image(self, said: Words, _: str) -> Iterator[str]:
        names, images = pairs(said.words)
        yield from self._each(self._targets(said, names), kubectl.set_image, images)

    def do_set_env(self, said: Words, _: str) -> Iterator[str]:
        names, env = pairs(said.words)
        gone = [word[:-1] for word in names if word.endswith("-")]
        targets = self._targets(said, [word for word in names if not word.endswith("-")])
        yield from self._each(targets, kubectl.set_env, {**env, **dict.fromkeys(gone)})

    def do_set_resources(self, said: Words, _: str) -> Iterator[str]:
        amounts = {field: listed(said.flags.get(f"--{field}", "")) for field in ("limits", "requests")}
        amounts = {field: amount for field, amount in amounts.items() if amount}
        if not amounts:
            raise Refused(
                "error: you must specify an update to requests or limits (in the form of --requests/--limits)"
            )
        containers = said.flags.get("--containers", "*")
        yield from self._each(self._targets(said), changes.set_resources, amounts, containers)

    def do_set_selector(self, said: Words, _: str) -> Iterator[str]:
        names = [word for word in said.words if "=" not in word]
        labels = listed(",".join(word for word in said.words if "=" in word))
        yield from self._each(self._targets(said, names), changes.set_selector, labels)

    def do_set_serviceaccount(self, said: Words, _: str) -> Iterator[str]:
        *names, account = said.words
        yield from self._each(self._targets(said, names), changes.set_service_account, account)

    def do_scale(self, said: Words, _: str) -> Iterator[str]:
        replicas, current = said.number("--replicas"), said.number("--current-replicas")
        targets = self._targets(said)
        if not targets:
            raise Refused("error: no objects passed to scale")
        yield from self._each(targets, kubectl.scale, -1 if replicas is None else replicas, current=current)
        if limit := said.seconds("--timeout"):
            for target in targets:
                self._waiting.until_scaled(target, limit)

    def do_rollout_undo(self, said: Words, _: str) -> Iterator[str]:
        to_revision = said.number("--to-revision") or 0
        yield from self._each(self._targets(said, every=True), kubectl.undo, to_revision=to_revision)

    def do_rollout_pause(self, said: Words, _: str) -> Iterator[str]:
        yield from self._each(self._targets(said, every=True), kubectl.pause)

    def do_rollout_resume(self, said: Words, _: str) -> Iterator[str]:
        yield from self._each(self._targets(said, every=True), kubectl.resume)

    def do_rollout_restart(self, said: Words, _: str) -> Iterator[str]:
        at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=int(self._clock.now()))
        stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        yield from self._each(self._targets(said, every=True), kubectl.restart, at=stamp)

    def do_rollout_history(self, said: Words, _: str) -> Iterator[str]:
        for target in self._targets(said, every=True):
            yield kubectl.history(self._api, *target, revision=said.number("--revision") or 0)[:-1]

    def do_rollout_status(self, said: Words, _: str) -> Iterator[str]:
        for target in self._targets(said, every=True):
            watch = said.flags.get("--watch") != "false"
            revision = said.number("--revision") or 0
            yield from self._waiting.rollout_status(target, said.seconds("--timeout"), watch, revision)

    def do_expose(self, said: Words, _: str) -> Iterator[str]:
        target_port = said.flags.get("--target-port", "")
        yield from self._each(
            self._targets(said),
            kubectl.expose,
            port=said.number("--port"),
            target_port=int(target_port) if target_port.isdigit() else target_port or None,
            type=said.flags.get("--type", ""),
            as_name=said.flags.get("--name", ""),
        )

    # --- verbs on any object ---

    def do_label(self, said: Words, _: str) -> Iterator[str]:
        yield from self._marked(kubectl.label, said)

    def do_annotate(self, said: Words, _: str) -> Iterator[str]:
        yield from self._marked(kubectl.annotate, said)

    def _marked(self, verb: Callable[..., kubectl.Outcome], said: Words) -> Iterator[str]:
        names, set_ = pairs(said.words)
        marks: dict[str, str | None] = dict(set_)
        plain = 1 if "/" in names[0] or self._selects(said) else 2
        marks |= dict.fromkeys(word[:-1] for word in names[plain:] if word.endswith("-"))
        targets = self._targets(said, [word for word in names if word[:-1] not in marks])
        yield from self._each(targets, verb, marks, overwrite="--overwrite" in said.flags)

    def do_delete(self, said: Words, stdin: str) -> Iterator[str]:
        how: dict[str, Any] = {
            "cascade": said.flags.get("--cascade", "background"),
            "grace_period": 1 if "--now" in said.flags else said.number("--grace-period"),
            "force": "--force" in said.flags,
        }
        manifests = yaml.safe_load_all(stdin) if "--filename" in said.flags else ()
        targets = [*map(self._target_of, manifests), *self._targets(said)]
        resources = {resource for resource, _, _ in targets}
        self._warnings += [
            text
            for applies, text in (
                (any(not find(resource).namespaced for resource in resources), NOT_SCOPED),
                ("endpoints" in resources, OLD_ENDPOINTS),
                (how["force"] and said.number("--grace-period") in (None, 0), IMMEDIATE),
            )
            if applies
        ]
        if not targets:
            yield "No resources found"
        gone = []

        def deleted(*target: str) -> str:
            api = self._api
            if self._selects(said):  # the list has read it already
                api = self._now
                self._clock.sleep(REQUEST_SECONDS)
            try:
                outcome = kubectl.delete(api, *target, **how)
            except Refused as refusal:
                ignored = self._selects(said) or "--ignore-not-found" in said.flags
                if ignored and refusal.error is not None and refusal.error.reason == "NotFound":
                    return ""
                raise
            gone.append(outcome.object)
            return outcome.text

        yield from _each(targets, deleted)
        if said.flags.get("--wait") != "false":
            self._waiting.until_gone(gone)

    def do_wait(self, said: Words, _: str) -> Iterator[str]:
        wanted = wanted_of(said.flags.get("--for", ""))
        limit = said.seconds("--timeout") if "--timeout" in said.flags else THIRTY_SECONDS
        targets = self._targets(said)
        if not targets and not wanted.of_absence:
            raise Refused("error: no matching resources found")
        yield from self._waiting.wait(targets, wanted, limit)

    # --- verbs on nodes ---

    def do_cordon(self, said: Words, _: str) -> Iterator[str]:
        yield from (kubectl.cordon(self._api, node).text for node in said.words)

    def do_uncordon(self, said: Words, _: str) -> Iterator[str]:
        yield from (kubectl.uncordon(self._api, node).text for node in said.words)

    def do_taint(self, said: Words, _: str) -> Iterator[str]:
        names, added, removed = changes.taints_of(said.words)
        overwrite = "--overwrite" in said.flags

        def tainted(_resource: str, node: str, _place: str) -> str:
            return changes.taint(self._api, node, added, removed, overwrite).text

        yield from _each(self._targets(said, names), tainted)

    def do_drain(self, said: Words, _: str) -> Iterator[str]:
        lines: list[str] = []
        try:
            for node in said.words:
                kubectl.drain(
                    self._api,
                    self._clock,
                    node,
                    ignore_daemonsets="--ignore-daemonsets" in said.flags,
                    delete_emptydir_data="--delete-emptydir-data" in said.flags,
                    force="--force" in said.flags,
                    pod_selector=said.flags.get("--pod-selector", ""),
                    timeout=said.seconds("--timeout"),
                    say=lines.append,
                    warn=self._warnings.append,
                )
        finally:
            yield from lines

    # --- whom a command is about ---

    def _each(
        self, targets: Sequence[Target], verb: Callable[..., kubectl.Outcome], *args: Any, **named: Any
    ) -> Iterator[str]:
        return _each(targets, lambda *target: verb(self._api, *target, *args, **named).text)

    def _targets(
        self, said: Words, words: Sequence[str] | None = None, *, every: bool = False
    ) -> list[Target]:
        """Those that the words name (all words unless given), or that the flags select.

        `every`: a kind alone stands for all of it.
        """
        words = said.words if words is None else words
        if not words:
            return []
        if not self._selects(said) and not (every and len(words) == 1 and "/" not in words[0]):
            return self._targets_of(words)
        labels, fields = said.flags.get("--selector", ""), said.flags.get("--field-selector", "")
        names = ALL if words[0] == "all" else words[0].split(",")
        found = []
        for kind in map(find, names):
            place = self._namespace if kind.namespaced else ""
            with asking():
                objects = self._api.list(kind.resource, place, labels=labels, fields=fields)
            found += [(kind.resource, obj["metadata"]["name"], place) for obj in objects]
        if every and not found:
            self._warnings.append(f"No resources found in {self._namespace} namespace.")
        return found

    def _targets_of(self, words: Sequence[str]) -> list[Target]:
        """Of `deploy/web rs/web` or `deploy web other`."""
        if "/" in words[0]:
            named = [word.split("/", 1) for word in words]
        else:
            named = [[words[0], name] for name in words[1:]]
        kinds = [(find(kind), name) for kind, name in named]
        return [(kind.resource, name, self._namespace if kind.namespaced else "") for kind, name in kinds]

    def _target_of(self, manifest: Object) -> Target:
        kind = kind_of(manifest)
        return kind.resource, manifest["metadata"]["name"], self._namespace if kind.namespaced else ""

    def _selects(self, said: Words) -> bool:
        return not {"--selector", "--field-selector", "--all"}.isdisjoint(said.flags)

    def _read(self, target: Target) -> Object:
        with asking():
            return self._api.get(*target)


def _each(targets: Sequence[Target], do: Callable[[str, str, str], str]) -> Iterator[str]:
    """What comes of each; one that is refused does not keep the next from being done."""
    refusals = []
    for target in targets:
        try:
            yield do(*target)
        except Refused as refusal:
            refusals.append(refusal)
    if len(refusals) == 1:
        raise refusals[0]
    if refusals:
        raise Refused("\n".join(refusal.text.removeprefix("error: ") for refusal in refusals))


def _lines(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
