"""The objects of the cluster, their versions, and the log of every change: what etcd is to Kubernetes.

Objects are values. A write makes a new version that shares what did not change, so watchers, caches
and the history hold old versions by reference and nothing is copied deeply. The store knows no
rules: what may be written is decided in `api/`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, ValuesView
from typing import TypeAlias

from gherkube.runners.history import ADDED, DELETED, MODIFIED, Change
from gherkube.runners.objects import Key, Object, key_of
from gherkube.runners.simulator.clock import Clock
from gherkube.runners.simulator.log import CHUNK, Log

Watcher: TypeAlias = Callable[[Change], object]
Place: TypeAlias = tuple[str, str]
"""A `Key`, or a plain tuple that equals it, which is cheaper to make."""

_new = tuple.__new__  # takes half as long as a NamedTuple's own


class Store:
    """All objects by resource and key, with one counter of versions and one log."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.version = 0
        """The newest resourceVersion."""
        self.log = Log()
        self._objects: defaultdict[str, dict[Place, Object]] = defaultdict(dict)
        self._watchers: defaultdict[str, list[Watcher]] = defaultdict(list)
        self._watchers_of_all: list[Watcher] = []

    def get(self, resource: str, key: Place) -> Object | None:
        """The newest version of an object, or None."""
        return self._objects[resource].get(key)

    def keyed(self, resource: str) -> Mapping[Place, Object]:
        """The newest versions of all objects of a resource by their keys, now and later."""
        return self._objects[resource]

    def all(self, resource: str) -> ValuesView[Object]:
        """The newest versions of all objects of a resource, in the order in which they were created."""
        return self._objects[resource].values()

    def put(self, resource: str, obj: Object, key: Key | None = None) -> Object:
        """Stores a new version of the object (or a new object) and returns it with its resourceVersion.

        The metadata given must not be shared with anything else: the version is written into it. `key`:
        that of the object, from whoever has it at hand.
        """
        if key is None:
            key = key_of(obj)
        old = self._objects[resource].get(key)
        self.write(ADDED if old is None else MODIFIED, resource, obj, old, key)
        return obj

    def remove(self, resource: str, key: Key) -> Object:
        """Takes an object out and returns its last state under the version of its deletion."""
        old = self._objects[resource][key]
        last = {**old, "metadata": {**old["metadata"]}}
        self.write(DELETED, resource, last, old, key)
        return last

    def write(self, type_: str, resource: str, obj: Object, old: Object | None, key: Key) -> None:
        """Makes a change, of which these are the fields; for whoever has them all at hand."""
        version = self.version = self.version + 1
        obj["metadata"]["resourceVersion"] = str(version)
        if type_ == DELETED:
            del self._objects[resource][key]
        else:
            self._objects[resource][key] = obj
        change = _new(Change, (self.clock.now, type_, resource, obj, old, key))
        self.log.append(change)
        if version % CHUNK == 0:
            self.log.trim()
        for watcher in self._watchers[resource]:
            watcher(change)
        if self._watchers_of_all:
            for watcher in self._watchers_of_all:
                watcher(change)

    def watch(self, resource: str, watcher: Watcher) -> Callable[[], None]:
        """Calls the watcher with each change of a resource ("" for all) at once; returns how to stop."""
        watchers = self._watchers[resource] if resource else self._watchers_of_all
        watchers.append(watcher)
        return lambda: watchers.remove(watcher)

    def resources(self) -> Iterator[str]:
        """The resources that ever had an object, or were asked for."""
        return iter(self._objects)
