"""The one door: what a step may ask of a cluster, whoever answers.

`Cluster` is the Kubernetes API (`api`), a clock, the history of what happened, the traffic to
services, and the faults that this cluster can make. The simulator, kind and a live cluster differ in
who answers, never in what is asked. A backend is done when the contract tests of this door pass on it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, Literal, Protocol

from gherkube.runners.history import History
from gherkube.runners.objects import Key, Object

if TYPE_CHECKING:
    import kubernetes.client

    from gherkube.runners.traffic import Traffic

PatchType = Literal["strategic", "merge", "json"]
Propagation = Literal["Background", "Foreground", "Orphan"]


class Api(Protocol):
    """The verbs of the Kubernetes API on plain objects.

    `resource` is a plural name ("deployments"); `namespace` is "" for what is cluster-wide. Every
    verb raises `ApiError` when the server refuses. What comes back must not be changed.
    """

    def get(self, resource: str, name: str, namespace: str = "") -> Object:
        """One object; ApiError NotFound when it is not there."""

    def list(self, resource: str, namespace: str = "", *, labels: str = "", fields: str = "") -> list[Object]:
        """The objects that match the selectors, by namespace and name; all namespaces when "" is given."""

    def create(self, obj: Object, *, namespace: str = "", dry_run: bool = False) -> Object:
        """Creates the object (its apiVersion and kind say what it is) and returns it as stored."""

    def replace(self, obj: Object, *, subresource: str = "") -> Object:
        """Puts the object in the place of the stored one; a stale resourceVersion is a Conflict."""

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
        """Applies a patch and returns the new object."""

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
        """Deletes the object: returns it, or a Status when nothing is left to wait for.

        `grace_period` in seconds; `uid` is a precondition.
        """

    def post(self, resource: str, name: str, subresource: str, body: Object, namespace: str = "") -> Object:
        """Creates under a subresource: pods/binding, pods/eviction."""


class Clock(Protocol):
    """The time of the run, virtual or real, in seconds since it began."""

    foresees: bool
    """Whether all that is to happen is known, so that what `idle` says is certain."""

    def now(self) -> float:
        """Seconds since the run began."""

    def timestamp(self) -> str:
        """Now as the API writes times: RFC 3339, whole seconds, UTC."""

    def wait(self, condition: Callable[[], bool], within: float, *, resources: Collection[str] = ()) -> bool:
        """Lets time pass until the condition holds; False when it did not within that many seconds.

        The condition is asked at once and then after each change of one of `resources` (of any
        resource when none is named), so it should be cheap and must not act.
        """

    def sleep(self, seconds: float) -> None:
        """Lets that much time pass."""

    def settle(self, resources: Collection[str] = ()) -> None:
        """Waits until the history tells all that has happened by now, to `resources` or to all.

        The history of a live cluster grows here, in `wait` and `sleep`, and with what is done; never else.
        """

    def idle(self) -> bool:
        """Whether nothing but retries and periodic things is left to happen, as far as can be told."""


class Faults(Protocol):
    """What this cluster can break and mend. Raises `CannotJudge` for what it cannot."""

    def stop_node(self, name: str) -> None:
        """Power loss: kubelet and containers stop; the API server hears no more."""

    def start_node(self, name: str) -> None:
        """The node's power is back."""

    def behave(self, image: str, **behaviour: Any) -> None:
        """From now on containers of the image behave so, those that run already as if from their start.

        Keywords as in `Behaviour` of the images module.
        """


class Cluster(Protocol):
    """A cluster to run scenarios on."""

    name: str
    """What it is called in messages: "simulator", "kind", a context's name."""
    owns_namespaces: bool
    """Whether a Given may establish there; where not, it verifies."""

    @property
    def api(self) -> Api: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def history(self) -> History: ...
    @property
    def traffic(self) -> Traffic: ...
    @property
    def faults(self) -> Faults: ...

    def set_nodes(self, count: int, *, cpu: str = "", memory: str = "") -> None:
        """Makes it a cluster of that many nodes that take pods, each of that size."""

    def node_names(self) -> Iterable[str]:
        """The nodes that take pods, in order: what the language calls node-1, node-2, …"""

    def output(self, pod: Key, container: str, *, previous: bool = False) -> list[str]:
        """The lines that the container's run, or the one before it, has printed; none if it did not run."""

    def client(self) -> kubernetes.client.ApiClient:
        """An official client for this cluster, for a user's own steps."""

    def close(self) -> None:
        """Ends what this object started. May raise; what it raises fails the scenario."""
