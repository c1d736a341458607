"""Does what a run left to be done: clusters and namespaces go, nodes are put right, changes are put back.

All of it can be done again, and by any process: what is in order already counts as done. Nothing is touched
that the run did not write down or label as its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gherkube.runners import state
from gherkube.runners.errors import GherkubeError, UsageError
from gherkube.runners.kind import cli, clusters
from gherkube.runners.kind.settings import KindSettings
from gherkube.runners.live import namespace
from gherkube.runners.live.faults import POD, take_away
from gherkube.runners.live.undo import Ask

if TYPE_CHECKING:
    import docker

    from gherkube.runners.live.api import LiveApi

Say = Callable[[str], object]


class Settled(NamedTuple):
    """What was put right, and what is left and why; each in words."""

    done: list[str]
    left: list[str]


def settle(
    run: state.Run,
    settings: KindSettings,
    *,
    say: Say = lambda _: None,
    ask: Ask = lambda *_: False,
) -> Settled:
    """Does all that can be done for a run; goes on where one thing cannot be.

    `say` is told what is being done, `ask` whether to overwrite what others changed since.
    """
    return _Settling(run, settings, say, ask).all()


class _Settling:
    def __init__(self, run: state.Run, settings: KindSettings, say: Say, ask: Ask) -> None:
        self.run, self.settings, self._say, self._ask = run, settings, say, ask
        self.settled = Settled([], [])

    def all(self) -> Settled:
        """Clusters first: with one goes all that is in it."""
        self._pay("cluster", self._cluster)
        self._pay("node", self._node)
        for journal in self.run.journals():
            self._undo(journal)
        self._pay(POD, self._pod)
        self._pay("namespace", self._namespace)
        self._pay("docker", self._docker)
        return self.settled

    def _pay(self, kind: str, do: Callable[[state.Debt], Iterable[str]]) -> None:
        """Pays all debts of that kind; what `do` says was done."""
        for debt in self.run.debts():
            if debt.kind != kind:
                continue
            try:
                self.settled.done.extend(() if self._is_void(debt) else do(debt))
            except (GherkubeError, OSError) as error:  # the engine's are OSErrors
                self.settled.left.append(f"{debt.words}: {error}")
            else:
                debt.paid()

    def _is_void(self, debt: state.Debt) -> bool:
        """Whether what it was about went with a cluster of kind."""
        if debt.kind in (POD, "namespace"):
            return self._went(debt.data)
        name = debt.data.get("cluster", "")
        return bool(name) and self._is_gone(name)

    def _went(self, where: Mapping[str, Any]) -> bool:
        """Whether the context is that of a cluster that gherkube made and that is there no more."""
        name = str(where["context"]).removeprefix("kind-")
        return where["kubeconfig"] == str(clusters.path_of(name, ".kubeconfig")) and self._is_gone(name)

    def _is_gone(self, name: str) -> bool:
        return clusters.read(name) is None or name not in self._kind.clusters()

    @cached_property
    def _kind(self) -> cli.Kind:
        return clusters.program(self.settings)

    def _cluster(self, debt: state.Debt) -> Iterable[str]:
        """Removes a cluster, unless another run has made one of the same name since."""
        made = clusters.read(debt.data["name"])
        if made is None or made.run != self.run.id:
            return []
        self._say(f"removing {debt.words}")
        clusters.remove(made.name, self._kind)
        return [f"{debt.words}: removed"]

    def _node(self, debt: state.Debt) -> Iterable[str]:
        """Puts a node of a kind cluster right."""
        from gherkube.runners.kind import faults
        from gherkube.runners.kind.engine import engine

        with closing(engine()) as client:
            faults.undo(client, debt)
        return [f"{debt.words}: put right"]

    def _docker(self, _: state.Debt) -> Iterable[str]:
        """Removes what of Docker has the label of the run; most often there is nothing."""
        from gherkube.runners.kind.engine import engine

        with closing(engine()) as client:
            return _remove_labelled(client, {"label": f"{state.LABEL}={self.run.id}"})

    def _namespace(self, debt: state.Debt) -> Iterable[str]:
        """Removes what has the label of the run there: the namespace may be somebody else's by now."""
        with _connected(debt.data) as api:
            labelled = api.list("namespaces", labels=f"{state.LABEL}={self.run.id}")
            names = [each["metadata"]["name"] for each in labelled]
            for name in names:
                namespace.delete(api, name)
            until = time.monotonic() + namespace.GOES_WITHIN
            for name in names:
                namespace.verify(api, name, until)
        return [f"namespace {name} of context {debt.data['context']}: removed" for name in names]

    def _pod(self, debt: state.Debt) -> Iterable[str]:
        """Deletes a pod that was tried."""
        with _connected(debt.data) as api:
            take_away(api, debt.data["namespace"], debt.data["name"])
        return [f"{debt.words}: deleted"]

    def _undo(self, path: Path) -> None:
        from gherkube.runners.live.journal import Journal, JournalFailed, read
        from gherkube.runners.live.undo import undo

        self._say(f"putting back what {path} tells")
        try:
            records = read(path)
            if not records or self._went(records[0].data):  # not begun to its end, or gone
                path.unlink()
                return
            journal = Journal.resume(path)
        except (UsageError, JournalFailed) as error:
            self.settled.left.append(str(error))
            return
        try:
            with _connected(records[0].data) as api:
                undone = undo(records, api, ask=self._ask, write=journal.write)
        except GherkubeError as error:
            self.settled.left.append(
                f"changes that {path} tells (remove it where that cluster is gone for good): {error}"
            )
            return
        finally:
            journal.close()
        self.settled.done.extend(undone.done)
        self.settled.left.extend(undone.left)
        if not undone.left:
            path.unlink()


def _remove_labelled(client: docker.DockerClient, labelled: dict[str, Any]) -> list[str]:
    removed = []
    for container in client.containers.list(all=True, filters=labelled):
        container.remove(force=True, v=True)
        removed.append(f"container {container.name}: removed")
    for image in client.images.list(all=True, filters=labelled):
        client.images.remove(str(image.id), force=True)
        removed.append(f"image {image.short_id}: removed")
    for network in client.networks.list(filters=labelled):
        network.remove()
        removed.append(f"network {network.name}: removed")
    return removed


@contextmanager
def _connected(where: Mapping[str, Any]) -> Iterator[LiveApi]:
    """The API of the context of the kubeconfig that a debt or a journal names."""
    from gherkube.runners.live.api import LiveApi
    from gherkube.runners.live.connection import connect
    from gherkube.runners.live.discovery import Discovery

    connection = connect(where["context"], where["kubeconfig"])
    try:
        connection.clock_skew(0.0)  # tells at once when nobody answers
        yield LiveApi(connection, Discovery(connection))
    finally:
        connection.close()
