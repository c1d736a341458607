"""The simulator in the place of a target: what a game day does there is held against its fences, and noted.

As on a live cluster, a Given verifies, and what is done is written down before and can be put back; the same
code does that. Only the journal is no file, and time is virtual.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, cast

from gherkube.runners.cluster import PatchType, Propagation
from gherkube.runners.errors import CannotJudge, UsageError
from gherkube.runners.gameday.faults import RecordedFaults
from gherkube.runners.gameday.plan import Scope
from gherkube.runners.gameday.scope import ScopeFence
from gherkube.runners.live.changes import Changes
from gherkube.runners.live.fences import Act, Fenced, Fences
from gherkube.runners.live.guard import GuardedApi
from gherkube.runners.live.journal import Record
from gherkube.runners.live.undo import undo
from gherkube.runners.objects import Key, Object, is_deleting
from gherkube.runners.simulator.api.resources import Resource
from gherkube.runners.simulator.cluster import SimFaults, Simulator, VirtualTime
from gherkube.runners.simulator.log import Log
from gherkube.runners.simulator.traffic import SimTraffic
from gherkube.runners.target import Target

if TYPE_CHECKING:
    import kubernetes.client

    from gherkube.runners.live.api import LiveApi
    from gherkube.runners.live.connection import Connection
    from gherkube.runners.live.namespace import Namespaces

Also = Callable[[Act, Object | None], None]
GOES = 1.0
"""Virtual seconds between two looks at something that is being deleted."""


FAULT = "fault"


class Write(NamedTuple):
    """Something that a scenario does: a verb of `Api` with its arguments, or the fault of a node.

    `body` is the object, the patch or what is posted, `type` that of a patch; of a fault, what happens.
    """

    verb: str
    resource: str
    namespace: str
    name: str
    subresource: str = ""
    body: Any = None
    type: str = ""

    @property
    def words(self) -> str:
        """What it is called."""
        if self.verb == FAULT:
            return str(self.body)
        place = f' in namespace "{self.namespace}"' if self.namespace else ""
        below = f"/{self.subresource}" if self.subresource else ""
        return f'{self.verb} {self.resource}{below} "{self.name}"{place}'


class _Here(NamedTuple):
    """The place that a target means: what its fences hold a connection against."""

    server: str
    fingerprint: str


class _Fences(Fences):
    """Fences that remember what they refused."""

    def __init__(self, target: Target, connection: Connection) -> None:
        super().__init__(target, connection)
        self.refused: dict[str, None] = {}

    def check(self, act: Act, *, owned: bool) -> None:
        """Raises Fenced where the target does not allow it."""
        with self._remembering():
            super().check(act, owned=owned)

    def and_also(self, fence: Also) -> Also:
        """The same for another fence."""

        def check(act: Act, before: Object | None) -> None:
            with self._remembering():
                fence(act, before)

        return check

    @contextmanager
    def _remembering(self) -> Iterator[None]:
        try:
            yield
        except Fenced as error:
            self.refused[str(error)] = None
            raise


class _NoNamespaces:
    """A game day owns no namespace, and makes none."""

    def __contains__(self, name: str) -> bool:
        return False

    def make(self, name: str = "", wanted: Object | None = None) -> NoReturn:  # noqa: ARG002
        """Raises CannotJudge."""
        raise CannotJudge(f'namespace "{name}" is not rehearsed: a game day makes no namespaces')


class _Noting:
    """The simulator's API, as `GuardedApi` needs it; takes note of each write that it does not refuse."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator, self._api = simulator, simulator.api
        self.writes: list[Write] = []
        self.undoes = False
        """Whether what is written now puts something back."""

    def resource_of(self, obj: Object) -> Resource:
        """What an object is for the server."""
        return self._api.resources.of(obj)

    def get(self, resource: str, name: str, namespace: str = "") -> Object:
        """One object; while something is put back, time passes for those that go."""
        found = self._api.get(resource, name, namespace)
        if self.undoes and is_deleting(found):
            self._simulator.clock.sleep(GOES)
        return found

    def list(self, resource: str, namespace: str = "", *, labels: str = "", fields: str = "") -> list[Object]:
        """The objects that match the selectors."""
        return self._api.list(resource, namespace, labels=labels, fields=fields)

    def create(self, obj: Object, *, namespace: str = "", dry_run: bool = False) -> Object:
        """Creates the object."""
        made = self._api.create(obj, namespace=namespace, dry_run=dry_run)
        if not dry_run:
            place = made["metadata"].get("namespace", "")
            self._note("create", self.resource_of(obj).name, place, made["metadata"]["name"], body=obj)
        return made

    def replace(self, obj: Object, *, subresource: str = "") -> Object:
        """Puts the object in the place of the stored one."""
        made = self._api.replace(obj, subresource=subresource)
        name, place = obj["metadata"]["name"], obj["metadata"].get("namespace", "")
        self._note("replace", self.resource_of(obj).name, place, name, subresource, obj)
        return made

    def patch(
        self,
        resource: str,
        name: str,
        patch: Any,
        namespace: str = "",
        *,
        type: PatchType = "strategic",  # noqa: A002 - the API's word
        subresource: str = "",
        dry_run: bool = False,
    ) -> Object:
        """Applies a patch."""
        made = self._api.patch(
            resource, name, patch, namespace, type=type, subresource=subresource, dry_run=dry_run
        )
        if not dry_run:
            self._note("patch", resource, namespace, name, subresource, patch, type)
        return made

    def delete(
        self,
        resource: str,
        name: str,
        namespace: str = "",
        *,
        propagation: Propagation | None = None,
        grace_period: int | None = None,
        uid: str = "",
    ) -> Object:
        """Deletes the object."""
        deleted = self._api.delete(
            resource, name, namespace, propagation=propagation, grace_period=grace_period, uid=uid
        )
        self._note("delete", resource, namespace, name)
        return deleted

    def post(self, resource: str, name: str, subresource: str, body: Object, namespace: str = "") -> Object:
        """Creates under a subresource."""
        made = self._api.post(resource, name, subresource, body, namespace)
        self._note("post", resource, namespace, name, subresource, body)
        return made

    def _note(
        self,
        verb: str,
        resource: str,
        namespace: str,
        name: str,
        subresource: str = "",
        body: Any = None,
        type_: str = "",
    ) -> None:
        if not self.undoes:
            self.writes.append(Write(verb, resource, namespace, name, subresource, body, type_))


class _Remembered(Changes):
    """What was done, without a file; faults are noted with the writes."""

    def __init__(self, noting: _Noting) -> None:
        super().__init__(cast("LiveApi", noting))
        self._writes = noting.writes

    def _write(self, kind: str, data: dict[str, Any]) -> int:
        if kind == "before" and data["verb"] == FAULT:
            self._writes.append(Write(FAULT, data["resource"], "", data["name"], body=data["act"]))
        self.records.append(Record(len(self.records) + 1, "", kind, {**data, **self.tags}))
        return len(self.records)


class SimulatedTarget:
    """A `Cluster`: a simulator within the fences of a target, and the scope of a plan."""

    name = "simulator"
    owns_namespaces = False

    def __init__(
        self,
        simulator: Simulator,
        scope: Scope,
        target: Target | None = None,
    ) -> None:
        self._simulator, self.namespace = simulator, scope.namespace
        self._noting = _Noting(simulator)
        fenced = target or Target("simulator", disposable=True)
        place = cast("Connection", _Here(fenced.server.rstrip("/"), _hex(fenced.ca)))
        noting = cast("LiveApi", self._noting)
        self._changes = _Remembered(self._noting)
        self._fences = _Fences(fenced, place)
        self.api = GuardedApi(
            noting, self._fences, cast("Namespaces", _NoNamespaces()), self._changes, lambda _: None
        )
        self.api.also = self._fences.and_also(ScopeFence(scope, noting))
        self.faults = RecordedFaults(SimFaults(simulator), self.api)

    @property
    def clock(self) -> VirtualTime:
        """The simulator's."""
        return self._simulator.clock

    @property
    def history(self) -> Log:
        """Every change since the beginning."""
        return self._simulator.history

    @property
    def traffic(self) -> SimTraffic:
        """Requests, and what became of them."""
        return self._simulator.traffic

    @property
    def writes(self) -> list[Write]:
        """What was done, in order; what put it back is not among it."""
        return self._noting.writes

    @property
    def refused(self) -> list[str]:
        """What the fences did not allow."""
        return list(self._fences.refused)

    def owns(self, namespace: str) -> bool:  # noqa: ARG002 - as of a live cluster
        """Nothing: a Given verifies."""
        return False

    def set_nodes(self, count: int, *, cpu: str = "", memory: str = "") -> None:
        """Looks whether there are as many nodes; they are what they are."""
        there = len(self.node_names())
        if count != there or cpu or memory:
            raise UsageError(
                f"the target has {there} nodes that take pods: how many and which cannot be said"
            )

    def node_names(self) -> list[str]:
        """The nodes that take pods, in order."""
        return sorted(self._simulator.node_names())

    def output(self, pod: Key, container: str, *, previous: bool = False) -> list[str]:
        """What the container has printed."""
        return self._simulator.output(pod, container, previous=previous)

    def client(self) -> kubernetes.client.ApiClient:
        """An official client; what it does is not noted."""
        return self._simulator.client()

    def close(self) -> None:
        """Nothing to end."""

    def put_back(self) -> list[str]:
        """Puts back what was done, nodes, too, and returns what is left."""
        self._noting.undoes = True
        try:
            records, self._changes.records = self._changes.records, []
            return undo(records, self._noting, mend=self.faults).left
        finally:
            self._noting.undoes = False


def _hex(fingerprint: str) -> str:
    return fingerprint.replace(":", "").lower()
