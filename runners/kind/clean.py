"""Does what a run left to be done: clusters and namespaces go, nodes are put right, changes are put back.

All of it can be done again, and by any process: what is in order already counts as done. Nothing is touched
that the run did not write down or label as its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gherkube.runners import state
from gherkube.runners.errors import CannotJudge, GherkubeError, UsageError
from gherkube.runners.kind import clusters
from gherkube.runners.kind.settings import KindSettings
from gherkube.runners.live import namespace
from gherkube.runners.live.undo import Ask

if TYPE_CHECKING:
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
        for debt in self._debts("cluster"):
            self._try(debt.words, "removed", lambda name=debt.data["name"]: self._cluster(name), debt)
        for debt in self.run.debts():
            if self._is_void(debt):
                debt.paid()
        for debt in self._debts("node"):
            self._try(debt.words, "put right", lambda debt=debt: self._node(debt), debt)
        for journal in self.run.journals():
            self._undo(journal)
        for debt in self._debts("namespace"):
            self._try(debt.words, "removed", lambda debt=debt: self._namespace(debt), debt)
        for debt in self._debts("docker"):
            self._try(debt.words, "removed", self._labelled, debt)
        return self.settled

    def _debts(self, kind: str) -> Iterable[state.Debt]:
        return [debt for debt in self.run.debts() if debt.kind == kind]

    def _try(self, what: str, done: str, do: Callable[[], None], debt: state.Debt | None = None) -> None:
        self._say(f"  {what}")
        try:
            do()
        except (GherkubeError, OSError) as error:
            self.settled.left.append(f"{what}: {error}")
            return
        if debt is not None:
            debt.paid()
        self.settled.done.append(f"{what}: {done}")

    def _is_void(self, debt: state.Debt) -> bool:
        """Whether what it was about went with a cluster of kind."""
        context = debt.data.get("context") or f"kind-{debt.data.get('cluster')}"
        name = context.removeprefix("kind-")
        in_ours = debt.data.get("kubeconfig", str(clusters.path_of(name, ".kubeconfig"))) == str(
            clusters.path_of(name, ".kubeconfig")
        )
        return debt.kind in ("namespace", "node") and in_ours and clusters.read(name) is None

    @cached_property
    def _kind(self) -> clusters.cli.Kind:
        return clusters.program(self.settings)

    def _cluster(self, name: str) -> None:
        made = clusters.read(name)
        if made is not None and made.run == self.run.id:
            clusters.remove(name, self._kind)

    def _node(self, debt: state.Debt) -> None:
        """Puts a node of a kind cluster right."""
        from gherkube.runners.kind import faults
        from gherkube.runners.kind.engine import engine

        faults.undo(engine(), debt)

    def _labelled(self) -> None:
        """Removes what of Docker has the label of the run."""
        from docker.errors import DockerException

        from gherkube.runners.kind.engine import engine

        client, labelled = engine(), {"label": f"{state.LABEL}={self.run.id}"}
        try:
            for container in client.containers.list(all=True, filters=labelled):
                container.remove(force=True, v=True)
            for image in client.images.list(all=True, filters=labelled):
                client.images.remove(image.id, force=True)
            for network in client.networks.list(filters=labelled):
                network.remove()
        except DockerException as error:
            raise CannotJudge(str(error)) from None

    def _namespace(self, debt: state.Debt) -> None:
        """Removes a namespace where it is the run's own; what else has the run's label there goes with it."""
        api = _connected(debt.data["context"], debt.data["kubeconfig"])
        try:
            labelled = api.list("namespaces", labels=f"{state.LABEL}={self.run.id}")
            names = [each["metadata"]["name"] for each in labelled]
            for name in names:
                namespace.delete(api, name)
            until = time.monotonic() + namespace.GOES_WITHIN
            for name in names:
                namespace.verify(api, name, until)
        finally:
            api.connection.close()

    def _undo(self, path: Path) -> None:
        from gherkube.runners.live.journal import Journal, JournalFailed, read
        from gherkube.runners.live.undo import undo

        self._say(f"  putting back what {path} tells")
        try:
            records = read(path)
            if not records:  # nothing was done: it was not begun to its end
                path.unlink()
                return
            journal = Journal.resume(path)
        except (UsageError, JournalFailed) as error:
            self.settled.left.append(str(error))
            return
        try:
            where = records[0].data
            api = _connected(where["context"], where["kubeconfig"])
            try:
                undone = undo(records, api, ask=self._ask, write=journal.write, mend=_mend(api))
            finally:
                api.connection.close()
        except GherkubeError as error:
            self.settled.left.append(f"changes that {path} tells: {error}")
            return
        finally:
            journal.close()
        self.settled.done.extend(undone.done)
        self.settled.left.extend(undone.left)
        if not undone.left:
            path.unlink()


def _mend(api: LiveApi) -> Callable[[str, str], None]:
    """Puts the nodes of a `gherkube serve` right, whose faults journals tell of."""
    from gherkube.runners.live.faults import ServedFaults
    from gherkube.runners.live.served import find

    def mend(fault: str, node: str) -> None:
        served = find(api)
        if served is None or fault != "stop_node":
            raise CannotJudge(f'{fault} of node "{node}" cannot be put right from here')
        ServedFaults(served).start_node(node)

    return mend


def _connected(context: str, kubeconfig: str) -> LiveApi:
    from gherkube.runners.live.api import LiveApi
    from gherkube.runners.live.connection import connect
    from gherkube.runners.live.discovery import Discovery

    connection = connect(context, kubeconfig)
    connection.clock_skew(0.0)  # tells at once when nobody answers
    return LiveApi(connection, Discovery(connection))
