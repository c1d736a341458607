"""What a scenario has to do with: its cluster, what was named so far, and what came of it.

One `World` is made for each scenario. A sentence's function gets it first, and asks it what the words
mean here: which workload `it` is, which moment was noted, what `${NAME}` stands for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from gherkube.runners import commands
from gherkube.runners.commands import Command
from gherkube.runners.errors import ApiError, Refused, UsageError
from gherkube.runners.expectations.failure import ExpectationFailed, Failure
from gherkube.runners.expectations.flowing import settle
from gherkube.runners.expectations.judge import Judge
from gherkube.runners.expectations.partial import difference
from gherkube.runners.expectations.statement import Statement
from gherkube.runners.expectations.subjects import PodSelector, Selected, WorkloadRef
from gherkube.runners.expectations.time import Moment
from gherkube.runners.expectations.view import View
from gherkube.runners.kubectl.apply import apply_all
from gherkube.runners.kubectl.kinds import kind_of
from gherkube.runners.objects import Key, Object, is_active, key_of
from gherkube.steps import manifests
from gherkube.steps.names import Names
from gherkube.steps.phrases import Pods
from gherkube.steps.times import Tense, TimePhrase, time_of

if TYPE_CHECKING:
    from gherkube.runners.cluster import Cluster
    from gherkube.runners.expectations.requests import RequestsStatement
    from gherkube.runners.traffic import Request

_PLACE_IN_WORD = re.compile(r"(?<![\w.-])node-[0-9]+(?![\w.-])")


def expand(text: str, settings: Mapping[str, str]) -> str:
    """The text with each `${NAME}` replaced by its setting. Raises UsageError where one is not set."""
    if "${" not in text:
        return text

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name not in settings:
            known = f"; set are {', '.join(sorted(settings))}" if settings else ""
            raise UsageError(
                f"${{{name}}} is not set: give it under [variables] of the settings, "
                f"or with --set {name}=VALUE{known}"
            )
        return settings[name]

    return re.sub(r"\$\{([^{}]*)\}", value, text)


class Attempt:
    """A When that was meant to be refused; `refusal` is None when it was not."""

    def __init__(self, text: str, refusal: str | None) -> None:
        self.text, self.refusal = text, refusal
        self.judged = False


class World(Names):
    """A scenario's state.

    `namespace`: where things are that are not said to be elsewhere. `patience`: seconds that a Then
    without a time phrase waits. `settings`: what `${NAME}` stands for. `base`: the folder that
    manifests are looked for in. `owns`: whether a Given may establish in a namespace; where the cluster
    says, when it is not given.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        namespace: str = "default",
        patience: float = 300.0,
        settings: Mapping[str, str] = MappingProxyType({}),
        base: Path = Path(),
        owns: Callable[[str], bool] | None = None,
    ) -> None:
        super().__init__(cluster, namespace)
        self.owns = owns or (lambda _: cluster.owns_namespaces)
        self.settings, self.base = settings, base
        self.judge = Judge(cluster, patience)
        self.established = False
        """Whether anything was made or done yet."""
        self.attempts: list[Attempt] = []
        self.command: Command | None = None
        """The command that was run last."""
        self.failed: Command | None = None
        """A command that failed, and of which no Then spoke yet."""
        self.sent: dict[Key, Sequence[Request]] = {}
        """The requests of the last “I send” to each service."""
        self._asked: Key | None = None
        self._moments: dict[str, Moment] = {}

    # --- Words

    def expand(self, text: str) -> str:
        """The text with each `${NAME}` replaced."""
        return expand(text, self.settings)

    def read(self, path: str) -> str:
        """The text of a file beside the feature, with each `${NAME}` replaced."""
        try:
            return self.expand((self.base / path).read_text(encoding="utf-8"))
        except OSError as error:
            where = self.base.resolve()
            raise UsageError(
                f"{path} cannot be read: {error.strerror}; it was looked for in {where}"
            ) from None
        except UnicodeDecodeError:
            raise UsageError(f"{path} cannot be read: it is not UTF-8 text") from None
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from None

    # --- Pods

    def pods(self, words: Pods, *, behind: str = "") -> PodSelector:
        """The pods that the words mean: those of `it`, unless they are told by name or labels.

        `behind`: the namespace of a service that they may stand behind; then a version tells them, too,
        whatever workload they are of.
        """
        workload = None
        namespace = words.namespace or behind or self.namespace
        told = words.name or words.labels or (behind and words.version and not words.revision)
        if words.of is not None or not told:
            workload = self.workload(words.of)
            namespace = workload.namespace
            if words.namespace and words.namespace != namespace:
                raise UsageError(f'{workload.text} is in namespace "{namespace}", not "{words.namespace}"')
        version = words.version
        return PodSelector(
            workload,
            namespace,
            labels=words.labels,
            name=words.name,
            version=version.tag if version else "",
            image=version.image if version else "",
            revision=words.revision,
            node=words.node and self.node(words.node),
        )

    def active_pods(self, words: Pods) -> list[Object]:
        """The pods that the words mean, by name, but for those that have ended or are being deleted."""
        selector = self.pods(words)
        view = View().move(self.cluster.history)
        if missing := selector.missing(view):
            raise UsageError(missing)
        selected = Selected(selector, view)
        found = [pod for pod in view.of("pods").values() if is_active(pod) and selected.includes(pod)]
        return sorted(found, key=key_of)

    # --- Requests

    def asks(self, service: Key, sent: Sequence[Request] | None = None) -> None:
        """Takes note that requests go to the service: those that were sent now, or that flow (None)."""
        self._asked = service
        if sent is not None:
            self.sent[service] = sent

    def settle(self, service: Key) -> None:
        """Waits until every node has had time to hear of the last change of the service's endpoints."""
        settle(self.cluster, service)

    def asked_service(self) -> Key:
        """The service that requests were last sent to. Raises UsageError when there were none."""
        if self._asked is None:
            raise UsageError('no requests were sent: write “When I send 20 requests to service "web"” before')
        return self._asked

    def of_requests(self, statement: RequestsStatement) -> RequestsStatement:
        """The statement about the requests of the last “I send” to its service, if there were any."""
        return statement.of(self.sent.get(statement.service))

    # --- Time

    def note(self, name: str) -> None:
        """Notes this moment. Raises UsageError when the name is taken."""
        if name in self._moments:
            raise UsageError(f"the moment “{name}” was noted before: give this one another name")
        self._moments[name] = self.judge.moment(name)

    def moment(self, name: str) -> Moment:
        """The moment of that name. Raises UsageError when none was noted."""
        if name not in self._moments:
            noted = ", ".join(f"“{each}”" for each in self._moments) or "none"
            raise UsageError(f"no moment “{name}” was noted (When I note the moment …); noted: {noted}")
        return self._moments[name]

    # --- What is done and judged

    @contextmanager
    def acting(self, text: str, *, attempt: bool = False) -> Iterator[None]:
        """Around what a When does: it may begin the window, and a refused attempt is kept."""
        if self.judge.first_when is None:
            self.judge.first_when = self.judge.moment()
        self.established = True
        self.judge.acted = self.cluster.clock.now()
        try:
            yield
            self.cluster.clock.settle()
        except (Refused, ApiError) as refusal:
            if not attempt:
                raise
            self.attempts.append(Attempt(text, str(refusal)))
        else:
            if attempt:
                self.attempts.append(Attempt(text, None))
        finally:
            self.judge.last_when = self.cluster.clock.now()

    def run(self, line: str) -> Command:
        """Runs a command; that it fails is for a Then to judge. ExpectationFailed when it does not end."""
        words = [_PLACE_IN_WORD.sub(lambda found: self.node(found[0]), word) for word in commands.split(line)]
        self.settle_commands()
        within = self.judge.patience
        done = commands.run(self.cluster, words, namespace=self.namespace, folder=self.base, within=within)
        if done.code is None:
            expected, found = f"`{line}` to end", f"it was still running; it printed: {done.said}"
            raise ExpectationFailed(Failure(expected=expected, found=found))
        self.command = done._replace(line=line)
        self.failed = self.command if done.code else None
        return self.command

    def build(self, path: str, *words: str) -> str:
        """What a command prints that builds manifests from a folder beside the feature. Raises UsageError."""
        if not (self.base / path).exists():
            raise UsageError(f"{path} is not there; it was looked for in {self.base.resolve()}")
        return self.expand(commands.build(words, self.base))

    def install(self, release: str, path: str) -> None:
        """Installs a chart. Raises UsageError with what helm says when it does not."""
        words = ("helm", "install", release, path)
        within = self.judge.patience
        done = commands.run(self.cluster, words, namespace=self.namespace, folder=self.base, within=within)
        if done.code:
            raise UsageError(f"the chart {path} cannot be installed: {done.said}")

    def settle_commands(self) -> None:
        """Raises ExpectationFailed when a command failed, and no Then says that it should."""
        if self.failed is not None:
            found = f"exit code {self.failed.code}: {self.failed.said}"
            raise ExpectationFailed(Failure(expected=f"`{self.failed.line}` to succeed", found=found))

    def let_pass(self) -> None:
        """Takes note that time was let pass: what came and went meanwhile is not what a Then waits for."""
        self.judge.acted = self.cluster.clock.now()

    def unjudged(self) -> list[str]:
        """The attempts that were not refused, and of which no Then spoke."""
        return [each.text for each in self.attempts if each.refusal is None and not each.judged]

    def judge_statement(
        self, statement: Statement, phrase: TimePhrase, tense: Tense, while_: Statement | None = None
    ) -> None:
        """Judges; ExpectationFailed when it is not so."""
        time = time_of(phrase, tense, self.moment)
        self.judge.judge(statement, time, tense=tense, while_=while_)

    # --- What a Given needs

    def ensure_namespace(self, name: str) -> None:
        """Makes the namespace where this run may; else it must be there."""
        try:
            self.api.get("namespaces", name)
        except ApiError as error:
            if error.reason != "NotFound":
                raise
            if not self.owns(name):
                raise UsageError(
                    f'namespace "{name}" is not there, and this run makes none on {self.cluster.name}'
                ) from None
            self.api.create(manifests.namespace(name))

    def establish(self, obj: Object, namespace: str = "") -> Object:
        """Makes the object where this run may; else it must be there as described."""
        self.established = True
        place = namespace or self.namespace
        if self.owns(place):
            if place != self.namespace:
                self.ensure_namespace(place)
            return self.api.create(obj, namespace=place)
        return self.verify(obj, place)

    def apply(self, objects: list[Object], source: str) -> list[WorkloadRef]:
        """Applies the objects as kubectl does, each in its namespace; returns the workloads among them."""
        placed = []
        for obj in objects:
            metadata = obj["metadata"]
            if kind_of(obj).namespaced:
                metadata = {**metadata, "namespace": metadata.get("namespace") or self.namespace}
            placed.append({**obj, "metadata": metadata})
        workloads = self.learn(placed)
        apply_all(self.api, placed, "", source=source)
        return workloads

    def verify(self, obj: Object, namespace: str) -> Object:
        """The object of that name as it is there. Raises UsageError when it is missing or different."""
        kind, name = kind_of(obj), obj["metadata"]["name"]
        try:
            found = self.api.get(kind.resource, name, namespace if kind.namespaced else "")
        except ApiError as error:
            raise UsageError(f"{error}; this run does not make it on {self.cluster.name}") from None
        said = {key: obj[key] for key in obj.keys() - {"apiVersion", "kind", "metadata", "status"}}
        if words := difference(said, found):
            raise UsageError(
                f'{kind.kind} "{name}" is not as the Given says: {words}; this run does not change it'
            )
        return found
