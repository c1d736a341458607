"""Which kind clusters there are: made when a scenario first needs one, shared, and removed when the run ends.

A cluster is known by a file in the state folder, with its kubeconfig beside it; whatever has none there is
somebody else's. Who uses a cluster holds its lock: shared, or alone. Who makes or removes it holds it alone,
and so does the program kind for as long as it works on it, whatever became of the run.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from gherkube.runners import state
from gherkube.runners.errors import CannotJudge, GherkubeError, UsageError
from gherkube.runners.kind import cli
from gherkube.runners.kind.configuration import configuration
from gherkube.runners.kind.engine import engine
from gherkube.runners.kind.nodes import CLUSTER, Nodes
from gherkube.runners.kind.settings import NODES, KindSettings
from gherkube.runners.objects import condition

if TYPE_CHECKING:
    import docker

    from gherkube.runners.kind.cluster import KindCluster
    from gherkube.runners.kind.images import Foreseen
    from gherkube.runners.live.api import LiveApi

READY_WITHIN = 300.0
"""Seconds that the nodes may take until all are ready, once kind has ended."""
LOOK = 0.3


class Progress(Protocol):
    """Shows what is being done, and how many seconds it will take, as far as is known."""

    def __call__(self, doing: str, left: float | None = None) -> None: ...


class Made(NamedTuple):
    """A cluster that gherkube made. `run`: which run did. `failed`: why it could not; "": it is there.

    `image`: what its nodes were to be made from; "": what kind takes. `cpu`, `memory`: how much each node
    has for pods, as quantities; "": as much as the machine.
    """

    name: str
    run: str
    nodes: int
    image: str = ""
    failed: str = ""
    cpu: str = ""
    memory: str = ""

    @property
    def context(self) -> str:
        """As kind calls it in a kubeconfig."""
        return f"kind-{self.name}"

    @property
    def kubeconfig(self) -> Path:
        """Its own file."""
        return path_of(self.name, ".kubeconfig")


class Clusters:
    """The clusters of a run, for one process of it."""

    def __init__(self, settings: KindSettings, show: Progress) -> None:
        self.settings, self._show = settings, show
        self._begun = False
        if settings.nodes is None:
            known = read(settings.reuse) if settings.reuse else None
            self._nodes = known.nodes if known else NODES
        else:
            self._nodes = settings.nodes

    @cached_property
    def engine(self) -> docker.DockerClient:
        """The container engine. Raises NoEngine."""
        return engine()

    @cached_property
    def kind(self) -> cli.Kind:
        """The program. Raises UsageError."""
        found = program(self.settings)
        found.version()
        return found

    def take(self, foreseen: Foreseen) -> KindCluster:
        """A cluster for a scenario that asks this, made where there is none; its `close` lets go of it."""
        from gherkube.runners.kind.cluster import KindCluster

        asked = self._asked(foreseen)
        self._begin()
        while True:
            seat = _seat(asked.name, alone=bool(foreseen.alone))
            try:
                made = self._known(asked)
                if made is not None:
                    return KindCluster(made, foreseen, seat, self.engine, self.settings)
            except BaseException:
                os.close(seat)
                raise
            os.close(seat)
            self._make_it(asked)

    def _asked(self, foreseen: Foreseen) -> Made:
        """The cluster that is needed, as it is when it is made."""
        nodes, cpu, memory = foreseen.nodes or (self._nodes, "", "")
        base = self.settings.reuse or f"gherkube-{state.run_id()}"
        usual = bool(self.settings.reuse) and nodes == self._nodes and not cpu
        name = base if usual else "-".join(filter(None, (base, str(nodes), cpu, memory))).lower()
        return Made(name, state.run_id(), nodes, self.settings.image, cpu=cpu, memory=memory)

    def _begin(self) -> None:
        """Writes down that containers and images with the label of the run may be there."""
        if not self._begun:
            state.begin().owe("docker", "what Docker has of this run")
            self._begun = True

    def _known(self, asked: Made) -> Made | None:
        """The cluster, where it is there and runs; None: it is to be made, or started. Raises CannotJudge."""
        name, made = asked.name, read(asked.name)
        if made is None or (made.failed and made.run != state.run_id()):
            return None
        if made.failed:
            raise CannotJudge(made.failed)
        if made.nodes != asked.nodes:
            raise UsageError(
                f"cluster {name!r} has {made.nodes} nodes that take pods, not {asked.nodes}: leave --nodes "
                f"out, or remove it first with `{state.CLEANS} {name}`"
            )
        if self.settings.image not in ("", made.image):
            raise UsageError(
                f"cluster {name!r} was made from {made.image or 'the image of kind'}, not "
                f"{self.settings.image}: leave --image out, or remove it first with `{state.CLEANS} {name}`"
            )
        states = self._states(name)
        return made if states and set(states.values()) == {"running"} else None

    def _make_it(self, asked: Made) -> None:
        """Makes the cluster, or starts it where it is there and was stopped; unless somebody just did."""
        name = asked.name
        lock = state.hold(path_of(name, ".lock"), alone=True)
        try:
            if self._known(asked) is None:
                old = read(name)
                if old is not None and not old.failed and self._states(name):
                    self._start(old)
                    return
                if old is not None:  # a half of one, or one that is gone
                    self.kind.delete(name)
                    forget(name)
                self._make(asked, lock)
        finally:
            os.close(lock)

    def _make(self, made: Made, lock: int) -> None:
        name, kind = made.name, self.kind
        if name in kind.clusters():
            raise UsageError(
                f"there is a kind cluster {name!r} that gherkube did not make, so it is left alone: take "
                f"another name, or run with --on live --context kind-{name}"
            )
        debt = state.begin().owe("cluster", f"kind cluster {name}", name=name)
        began, last = time.monotonic(), state.expected(_task(made))

        def say(doing: str) -> None:
            left = last - (time.monotonic() - began) if isinstance(last, float) else None
            self._show(f"kind cluster {name}: {doing}", left)

        say(f"making it, with {made.nodes} nodes that take pods")
        try:
            config = configuration(made.nodes, made.image, self.settings.config)
            _write(made._replace(failed="nobody came to the end of making it"))
            within, pid = self.settings.create_within, path_of(name, ".pid")
            kind.create(name, config, made.kubeconfig, within=within, say=say, holding=lock, pid=pid)
            _ready(made, say)
            if made.cpu:
                self._limit(made, say)
            self._give_images(made, say)
        except BaseException as error:
            self._show(f"kind cluster {name}: removing what there is of it")
            kind.delete(name)
            forget(name)
            debt.paid()
            if isinstance(error, CannotJudge):  # not again for each scenario
                _write(made._replace(failed=str(error)))
            raise
        _write(made)
        if self.settings.reuse:
            debt.paid()
        state.took(_task(made), time.monotonic() - began)

    def _limit(self, made: Made, say: cli.Say) -> None:
        from gherkube.runners.kind import sizes

        say(f"giving its nodes {made.cpu} CPUs and {made.memory} for pods")
        asked = sizes.size({"cpu": made.cpu, "memory": made.memory})
        with _api(made) as api:
            sizes.limit(Nodes(self.engine, made.name), api, asked)

    def _give_images(self, made: Made, say: cli.Say) -> None:
        from gherkube.runners.kind.cluster import images_of

        say("giving its nodes a registry")
        images_of(Nodes(self.engine, made.name), self.settings).install()

    def _start(self, made: Made) -> None:
        """Starts the nodes of a cluster that were stopped, by a restart of the machine perhaps."""
        self._show(f"kind cluster {made.name}: starting its nodes")
        for container in self.engine.containers.list(all=True, filters=_of(made.name)):
            container.unpause() if container.status == "paused" else container.start()
        _ready(made, lambda doing: self._show(f"kind cluster {made.name}: {doing}"))

    def _states(self, name: str) -> dict[str, str]:
        """The nodes' containers, and whether they run."""
        from docker.errors import DockerException
        from requests.exceptions import RequestException

        try:
            found = self.engine.containers.list(all=True, filters=_of(name))
            return {str(each.name): str(each.status) for each in found}
        except (DockerException, RequestException) as error:
            raise CannotJudge(f"Docker does not say what runs of cluster {name}: {error}") from None

    def close(self) -> None:
        """Lets go of the engine."""
        if "engine" in self.__dict__:
            self.engine.close()

    def keep(self) -> list[str]:
        """Leaves the clusters of the run where they are; how to use and remove each."""
        told = []
        for debt in state.begin().debts():
            if debt.kind != "cluster":
                continue
            if (made := read(debt.data["name"])) and not made.failed:
                debt.paid()
                told.append(
                    f"kind cluster {made.name} is kept: export KUBECONFIG={made.kubeconfig}; "
                    f"`{state.CLEANS} {made.name}` removes it"
                )
        return told


def _seat(name: str, *, alone: bool) -> int:
    """The lock of a cluster, in turn: who waits for it alone is not overtaken by those who would share it."""
    turn = state.hold(path_of(name, ".turn"), alone=True)
    try:
        return state.hold(path_of(name, ".lock"), alone=alone)
    finally:
        os.close(turn)


def program(settings: KindSettings) -> cli.Kind:
    """The program kind. Raises UsageError."""
    kubeconfig = state.folder() / "clusters" / "unused.kubeconfig"
    with state.writing():
        kubeconfig.parent.mkdir(parents=True, exist_ok=True)
    return cli.find(settings.kind, kubeconfig)


def path_of(name: str, suffix: str) -> Path:
    """The file of a cluster in the state folder."""
    return state.folder() / "clusters" / f"{name}{suffix}"


def read(name: str) -> Made | None:
    """What is known of a cluster; None: gherkube did not make it."""
    with suppress(OSError, ValueError, TypeError):
        return Made(**json.loads(path_of(name, ".json").read_text()))
    return None


def known() -> list[Made]:
    """All clusters that gherkube made, by name."""
    names = sorted(path.stem for path in (state.folder() / "clusters").glob("*.json"))
    return [made for name in names if (made := read(name))]


def remove(name: str, kind: cli.Kind) -> None:
    """Removes a cluster that gherkube made, and verifies that it is gone. Raises GherkubeError.

    Where kind still works on it for a run that is gone, that is ended first.
    """
    with suppress(OSError, ValueError):
        pid = int(path_of(name, ".pid").read_text())
        if name in _command(pid):
            cli.end(pid)
    try:
        lock = state.hold(path_of(name, ".lock"), alone=True, within=cli.ANSWERS_WITHIN)
    except TimeoutError:
        raise GherkubeError(f"kind cluster {name} is in use") from None
    try:
        kind.delete(name)
        if name in kind.clusters():
            raise GherkubeError(f"kind cluster {name} is still there: kind delete cluster --name {name}")
        forget(name)
        for suffix in (".turn", ".lock"):
            path_of(name, suffix).unlink(missing_ok=True)
    finally:
        os.close(lock)


def forget(name: str) -> None:
    """Removes what is written of a cluster, but for its lock."""
    for suffix in (".json", ".kubeconfig", ".kubeconfig.lock", ".log", ".pid"):
        path_of(name, suffix).unlink(missing_ok=True)
    shutil.rmtree(path_of(name, ".images"), ignore_errors=True)


def _write(made: Made) -> None:
    state.write(path_of(made.name, ".json"), made._asdict())


def _task(made: Made) -> str:
    """What took how long is remembered under."""
    return f"kind cluster of {made.nodes} nodes from {made.image or 'the image of kind'}"


def _of(name: str) -> dict[str, Any]:
    return {"label": f"{CLUSTER}={name}"}


def _command(pid: int) -> str:
    """The command of a process; "" when it is gone."""
    import subprocess

    said = subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return said.stdout


def _ready(made: Made, say: cli.Say) -> None:
    """Waits until all nodes are ready. Raises CannotJudge."""
    until = time.monotonic() + READY_WITHIN
    with _api(made) as api:
        while True:
            found = [condition(node, "Ready") for node in api.list("nodes")]
            ready = sum(each is not None and each["status"] == "True" for each in found)
            if ready == len(found) > made.nodes:
                return
            say(f"waiting for nodes, {ready} of {made.nodes + 1} are ready")
            if time.monotonic() > until:
                raise CannotJudge(
                    f"only {ready} of the {made.nodes + 1} nodes of kind cluster {made.name} got ready "
                    f"within {READY_WITHIN:g} s; `gherkube doctor` looks at what they need"
                )
            time.sleep(LOOK)


@contextmanager
def _api(made: Made) -> Iterator[LiveApi]:
    """Its API."""
    from gherkube.runners.live.api import LiveApi
    from gherkube.runners.live.connection import connect
    from gherkube.runners.live.discovery import Discovery

    connection = connect(made.context, str(made.kubeconfig))
    try:
        yield LiveApi(connection, Discovery(connection))
    finally:
        connection.close()
