"""What every controller runs on: lagging caches, and a queue of keys with back-off.

As upstream, a controller is level-triggered: a watch event puts a key into its queue, a turn
reconciles the key by what the cache says then. The cache is where a controller's knowledge lags
behind the store; nothing else in the simulator is stale.
staging/src/k8s.io/client-go/tools/cache, util/workqueue
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Generic, TypeAlias, TypeVar

from gherkube.runners.errors import ApiError
from gherkube.runners.history import ADDED, DELETED, MODIFIED, Change
from gherkube.runners.objects import Key, Object, key_of
from gherkube.runners.simulator.clock import Chance, Clock, Timer
from gherkube.runners.simulator.store import Store

K = TypeVar("K", bound=Hashable)
Handler: TypeAlias = Callable[[Change], object]
Indexer: TypeAlias = Callable[[Object], Hashable | None]

WATCH_LAG = 0.006
"""Median seconds from a write to the caches that watch it; golden/ recordings, facts §8.2."""
TURN_LAG = 0.010
"""Median seconds from a key's entry into a queue to its turn; same source."""
TURN_TIME, TURN_SPREAD = 0.030, 0.2
"""Median seconds that a turn takes, most of it requests: a key has no two turns at once; same source."""
REQUEST_TIME = 0.012
"""Median seconds that each request beyond the usual few adds to a turn."""


class Informer:
    """A copy of one resource, `lag` seconds (median) behind the store, with indexes and handlers."""

    def __init__(self, store: Store, chance: Chance, resource: str, lag: float = WATCH_LAG) -> None:
        self.resource = resource
        self.objects: dict[Key, Object] = {key_of(obj): obj for obj in store.all(resource)}
        self._clock, self._lags, self.lag = store.clock, chance.latencies("watch"), lag
        self._coming: list[Change] = []
        self._handlers: dict[str, list[Handler]] = {ADDED: [], MODIFIED: [], DELETED: []}
        self._indexes: list[_Index] = []
        store.watch(resource, self._changed)

    def on_change(self, handler: Handler, kinds: Collection[str] = (ADDED, MODIFIED, DELETED)) -> None:
        """Calls the handler with each change of these kinds, once the cache shows it."""
        for kind in kinds:
            self._handlers[kind].append(handler)

    def on_changes(self, handlers: Mapping[str, Handler]) -> None:
        """As `on_change`, with a handler for each kind of change."""
        for kind, handler in handlers.items():
            self._handlers[kind].append(handler)

    def index(self, by: Indexer) -> dict[Hashable, dict[Key, Object]]:
        """Keeps an index, and returns it: the objects by what `by` says of them (None: not indexed).

        Whoever asks with the same function gets the same index.
        """
        index = next((each for each in self._indexes if each.by is by), None)
        if index is None:
            index = _Index(by)
            self._indexes.append(index)
            for key, obj in self.objects.items():
                index.put(key, obj)
        return index.groups

    def get(self, key: Key) -> Object | None:
        """The object as far as this cache knows."""
        return self.objects.get(key)

    def _changed(self, change: Change) -> None:
        coming = self._coming
        if not coming:
            self._clock.at(self._clock.now + self._lags.draw(self.lag), self.deliver)
        coming.append(change)

    def deliver(self) -> None:
        """Shows the changes that are on their way."""
        changes, self._coming = self._coming, []
        objects, indexes, handlers = self.objects, self._indexes, self._handlers
        for change in changes:
            _, kind, _, obj, _, key = change
            if kind == DELETED:
                objects.pop(key, None)
                for index in indexes:
                    index.drop(key)
            else:
                objects[key] = obj
                for index in indexes:
                    index.put(key, obj)
            for handler in handlers[kind]:
                handler(change)


class _Index:
    """The objects by what `by` says of them."""

    def __init__(self, by: Indexer) -> None:
        self.by = by
        self.groups: dict[Hashable, dict[Key, Object]] = {}
        self._values: dict[Key, Hashable] = {}

    def put(self, key: Key, obj: Object) -> None:
        """A new version of an object."""
        value, before = self.by(obj), self._values.get(key)
        if value != before:
            self.drop(key)
            if value is not None:
                self._values[key] = value
                self.groups.setdefault(value, {})
        if value is not None:
            self.groups[value][key] = obj

    def drop(self, key: Key) -> None:
        """The object is gone, or belongs elsewhere."""
        value = self._values.pop(key, None)
        if value is not None:
            group = self.groups[value]
            del group[key]
            if not group:
                del self.groups[value]


class Informers:
    """The caches of one process (a controller manager, a scheduler): one for each resource, shared."""

    def __init__(self, store: Store, chance: Chance) -> None:
        self._store, self._chance = store, chance
        self._informers: dict[str, Informer] = {}

    def of(self, resource: str) -> Informer:
        """The cache of that resource."""
        informer = self._informers.get(resource)
        if informer is None:
            informer = self._informers[resource] = Informer(self._store, self._chance, resource)
        return informer

    def catch_up(self) -> None:
        """Shows all that is stored by now. cache.WaitForCacheSync, before any controller's first turn"""
        for informer in self._informers.values():
            informer.deliver()


class WorkQueue(Generic[K]):
    """Keys that wait for their turn: each at most once, retried with back-off when its turn fails.

    `sync` reconciles one key and may return how many requests beyond the usual few it made one after
    another; an ApiError that it raises puts the key back after 5 ms, 10 ms, … up to 1000 s (`backoff`: the
    first and the longest of them), at most `retries` times (None: without end). A turn acts at its beginning
    and takes a while; a key that is added meanwhile has its next turn after that.
    client-go/util/workqueue queue.go, DefaultTypedControllerRateLimiter
    """

    def __init__(
        self,
        clock: Clock,
        chance: Chance,
        sync: Callable[[K], int | None],
        *,
        retries: int | None = None,
        backoff: tuple[float, float] = (0.005, 1000.0),
    ) -> None:
        self._clock, self._latencies = clock, chance.latencies("turn")
        self._sync, self._retries = sync, retries
        self._first, self._longest = backoff
        self._waiting: set[K] = set()
        self._busy: dict[K, float] = {}
        self._later: dict[K, Timer] = {}
        self._failures: dict[K, int] = {}

    def add(self, key: K) -> None:
        """Lets the key have a turn soon; does nothing when it already waits for one."""
        if key not in self._waiting:
            self._waiting.add(key)
            free, now = self._busy.get(key, 0.0), self._clock.now
            lag = self._latencies.draw(TURN_LAG)
            self._clock.at((free if free > now else now) + lag, self._turn, key)

    def add_after(self, key: K, delay: float, *, retry: bool = False) -> None:
        """Lets the key have a turn after that many seconds; of several such, the earliest counts.

        `retry`: see `Clock.at`.
        """
        at = self._clock.now + delay
        planned = self._later.get(key)
        if planned is not None:
            if planned[0] <= at:
                return
            self._clock.cancel(planned)
        self._later[key] = self._clock.at(at, self._due, key, retry=retry)

    def _due(self, key: K) -> None:
        del self._later[key]
        self.add(key)

    def _turn(self, key: K) -> None:
        self._waiting.discard(key)
        requests = None
        try:
            requests = self._sync(key)
        except ApiError:
            failures = self._failures.get(key, 0)
            if self._retries is not None and failures >= self._retries:
                del self._failures[key]
                return
            self._failures[key] = failures + 1
            delay = min(self._first * 2.0**failures, self._longest)
            self.add_after(key, delay, retry=delay > 5.0)
        else:
            self._failures.pop(key, None)
        finally:
            takes = TURN_TIME + REQUEST_TIME * (requests or 0)
            self._busy[key] = self._clock.now + self._latencies.draw(takes, TURN_SPREAD)
