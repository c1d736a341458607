"""Watches: the changes of a resource, line by line, for as long as the client stays.

The log of changes is the buffer of all watchers: a slow one reads on from where it stands, and is told
that its version is gone when that is out of the window.
staging/src/k8s.io/apiserver/pkg/endpoints/handlers/watch.go, pkg/storage/cacher
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import islice

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.reads import WatchEvent
from gherkube.runners.simulator.api.resources import Resource
from gherkube.runners.simulator.server import access, chunks, forms, versions
from gherkube.runners.simulator.server.calls import Call
from gherkube.runners.simulator.server.front import Front
from gherkube.runners.simulator.server.negotiation import wanted
from gherkube.runners.simulator.server.options import check_watching
from gherkube.runners.simulator.server.paths import parse
from gherkube.runners.simulator.server.pump import Pump

BOOKMARK_EVERY = 60.0
LASTS = 1800.0
"""Virtual seconds for which a watch stays open that names no time: `--min-request-timeout`."""
AT_ONCE = 256
"""Events that are written together."""
INITIAL_EVENTS_END = "k8s.io/initial-events-end"


class Watch:
    """One watch. Making it raises ApiError when it is refused."""

    def __init__(self, front: Front, pump: Pump, call: Call) -> None:
        target = parse(call.path)
        self._front, self._pump, self._call = front, pump, call
        self._api = front.cluster.api
        access.check(access.pretended(call.headers), target, method=call.method, watches=True)
        self._resource: Resource = front.resource_at(target)
        self._form = wanted(call.headers.get("accept", ""))
        self._bookmarks = call.asks("allowWatchBookmarks")
        self._headers = True
        self._selectors = {
            "namespace": target.namespace,
            "labels": call.query.get("labelSelector", ""),
            "fields": call.query.get("fieldSelector", ""),
        }
        if target.name:
            self._selectors["fields"] = f"metadata.name={target.name}"
        self._version = chunks.check_version(self._api, call.query.get("resourceVersion", ""))
        self._initial = call.asks("sendInitialEvents")
        check_watching(self._call.query)
        self._first = self._initial or (not self._version and "sendInitialEvents" not in call.query)
        if not self._first and not self._version:
            self._version = self._api.store.version
        lasts = chunks.number(call.query.get("timeoutSeconds", "")) or LASTS
        self._end = front.cluster.clock.now() + lasts
        self._events()  # refuses bad selectors before the answer begins

    async def lines(self) -> AsyncIterator[bytes]:
        """What there is to tell, a few lines at once; ends at the time that was asked for."""
        clock, store, woken = self._front.cluster.clock, self._api.store, asyncio.Event()
        stop = store.watch(self._resource.name, lambda _: self._pump.tell(woken))
        self._pump.alarm(self._end, woken.set)
        bookmark_at = clock.now() + BOOKMARK_EVERY
        self._pump.alarm(bookmark_at, woken.set)
        self._pump.long_polls += 1
        try:
            while True:
                woken.clear()
                newest = store.version
                if not self._first and self._version < newest - self._front.window:
                    yield self._too_old()
                    return
                events = self._events()
                while some := list(islice(events, AT_ONCE)):
                    yield b"".join(map(self._line, some))
                if self._first and self._initial:
                    yield self._bookmark(newest, {INITIAL_EVENTS_END: "true"})
                self._first, self._version = False, newest
                if clock.now() >= self._end:
                    return
                if clock.now() >= bookmark_at:
                    bookmark_at = clock.now() + BOOKMARK_EVERY
                    self._pump.alarm(bookmark_at, woken.set)
                    if self._bookmarks:
                        yield self._bookmark(newest, {})
                if store.version == newest:
                    await woken.wait()
        finally:
            self._pump.long_polls -= 1
            self._pump.poke()
            stop()

    def _events(self) -> Iterator[WatchEvent]:
        version = "" if self._first else str(self._version)
        return self._api.watch(self._resource.name, version=version, **self._selectors)

    def _line(self, event: WatchEvent) -> bytes:
        obj = event.object
        if not (self._form.what or self._resource.custom or versions.is_second(self._resource)):
            return b'{"type":"%b","object":%b}\n' % (event.type.encode(), self._front.texts.object(obj))
        now = self._front.now()
        obj = forms.shaped(obj, self._form, self._resource, self._call.query, now, headers=self._headers)
        self._headers = False
        return forms.encoded({"type": event.type, "object": obj})

    def _bookmark(self, version: int, annotations: dict[str, str]) -> bytes:
        metadata: Object = {"resourceVersion": str(version), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        kind = {"kind": self._resource.kind, "apiVersion": self._resource.api_version}
        return forms.encoded({"type": "BOOKMARK", "object": {**kind, "metadata": metadata}})

    def _too_old(self) -> bytes:
        oldest = self._api.store.version - self._front.window
        said = f"too old resource version: {self._version} ({oldest})"
        return forms.encoded({"type": "ERROR", "object": ApiError(410, "Expired", said).status})
