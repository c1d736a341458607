"""Events as the API shows them: counted when they repeat, combined when alike, dropped when too many.

Every component has a recorder of its own, which remembers what it said of whom. Three rules, in this
order: ten different messages of one kind about an object within ten minutes become one event; a
message that was said before raises the count of its event; beyond 25 events of a type about an
object only one in five minutes gets through.
staging/src/k8s.io/client-go/tools/record/events_cache.go EventCorrelator
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import TYPE_CHECKING, Literal

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object
from gherkube.runners.simulator.clock import EPOCH
from gherkube.runners.simulator.store import Place

if TYPE_CHECKING:
    from gherkube.runners.simulator.api.server import ApiServer

SIMILAR = 10
"""How many different messages are combined (`defaultAggregateMaxEvents`)."""
SIMILAR_WITHIN = 600.0
"""Seconds without a similar event after which they are no longer combined."""
BURST = 25.0
"""How many events of a type about an object get through at once (`defaultSpamBurst`)."""
REFILL = 1 / 300
"""How many more get through each second (`defaultSpamQPS`)."""
REMEMBERED = 4096
"""How many objects a recorder remembers (`maxLruCacheEntries`)."""

_EPOCH_NANOS = int(EPOCH.timestamp()) * 10**9


class EventRecorder:
    """Records the events of one component: `component` and `host` are what `source` says."""

    def __init__(self, api: ApiServer, component: str, host: str = "") -> None:
        self._api, self._component, self._host = api, component, host
        self._source = {"component": component, "host": host} if host else {"component": component}
        self._subjects: OrderedDict[Hashable, _Subject] = OrderedDict()
        self._nanos = 0
        self._about: tuple[Object | None, str, str, Object] = (None, "", "", {})

    def record(
        self,
        kind: str,
        involved: Object,
        type: Literal["Normal", "Warning"],  # noqa: A002 - the API's word
        reason: str,
        message: str,
        field_path: str = "",
    ) -> None:
        """Says something about an object of that kind, as it was read.

        `field_path` names a part of it ("spec.containers{app}"). What the API server refuses, as in a
        namespace that is being deleted, is lost, as upstream.
        """
        now = self._api.clock.now
        subject = self._subject(involved["metadata"])
        alike = (type, reason)
        key: Hashable = (reason, message, field_path, type)
        reporter = self._component
        if self._is_combined(subject, alike, message, now):
            key, reporter = alike, ""
            message = f"(combined from similar events): {message}"
        said = subject.said.get(key)
        if said is None:
            said = subject.said[key] = _Said(self._api.clock.timestamp())
        said.count += 1
        if self._is_too_much(subject, type, now):
            return
        if said.event is None or not self._raise(said, message):
            self._create(said, reporter, self._reference(kind, involved, field_path), type, reason, message)

    def forget(self, obj: Object) -> None:
        """Nothing more will be said about this object: it is gone."""
        self._subjects.pop(obj["metadata"]["uid"], None)

    def _subject(self, metadata: Object) -> _Subject:
        """What was said of an object so far; what was not talked of for longest is forgotten."""
        subjects = self._subjects
        uid = metadata.get("uid") or (metadata.get("namespace"), metadata["name"])
        subject = subjects.get(uid)
        if subject is not None:
            subjects.move_to_end(uid)
            return subject
        subject = subjects[uid] = _Subject()
        if len(subjects) > REMEMBERED:
            subjects.popitem(last=False)
        return subject

    def _is_combined(self, subject: _Subject, alike: Hashable, message: str, now: float) -> bool:
        """Whether the message joins the combined event. EventAggregator.EventAggregate"""
        similar = subject.similar.get(alike)
        if similar is None or now - similar.last > SIMILAR_WITHIN:
            similar = subject.similar[alike] = _Similar()
        similar.last = now
        messages = similar.messages
        if message not in messages:
            messages = similar.messages = (*messages, message)
        if len(messages) < SIMILAR:
            return False
        dropped = self._api.chance.stream("events").randrange(SIMILAR)
        similar.messages = (*messages[:dropped], *messages[dropped + 1 :])
        return True

    def _is_too_much(self, subject: _Subject, type_: str, now: float) -> bool:
        """Whether the bucket of this type is empty; else takes a token. EventSourceObjectSpamFilter"""
        bucket = subject.tokens.get(type_)
        tokens = BURST if bucket is None else min(BURST, bucket[1] + (now - bucket[0]) * REFILL)
        empty = tokens < 1.0
        subject.tokens[type_] = (now, tokens if empty else tokens - 1.0)
        return empty

    def _reference(self, kind: str, involved: Object, field_path: str) -> Object:
        """The involvedObject; events that follow one another about the same version share it."""
        last, last_kind, last_path, reference = self._about
        if last is involved and last_kind == kind and last_path == field_path:
            return reference
        metadata = involved["metadata"]
        reference = {"kind": kind, "name": metadata["name"]}
        for field in ("namespace", "uid"):
            if value := metadata.get(field):
                reference[field] = value
        if version := involved.get("apiVersion"):
            reference["apiVersion"] = version
        if version := metadata.get("resourceVersion"):
            reference["resourceVersion"] = version
        if field_path:
            reference["fieldPath"] = field_path
        self._about = (involved, kind, field_path, reference)
        return reference

    def _create(
        self, said: _Said, reporter: str, reference: Object, type_: str, reason: str, message: str
    ) -> None:
        clock = self._api.clock
        stamp = clock.timestamp()
        self._nanos = max(self._nanos + 1, int(clock.now * 1e9))
        event: Object = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{reference['name']}.{_EPOCH_NANOS + self._nanos:x}",
                "namespace": reference.get("namespace", "default"),
            },
            "involvedObject": reference,
            "reason": reason,
            "message": message,
            "source": self._source,
            "firstTimestamp": said.first,
            "lastTimestamp": stamp,
            "count": said.count,
            "type": type_,
            "eventTime": None,
            "reportingComponent": reporter,
            "reportingInstance": self._host if reporter else "",
        }
        try:
            said.event = self._api.create_event(event)
        except ApiError:
            return  # its namespace is going

    def _raise(self, said: _Said, message: str) -> bool:
        """Patches the event that is there already; False when it is gone."""
        assert said.event is not None
        store = self._api.store
        stored = store.get("events", said.event)
        if stored is None:
            return False
        changes = {"count": said.count, "message": message, "lastTimestamp": self._api.clock.timestamp()}
        store.put("events", {**stored, **changes, "metadata": {**stored["metadata"]}})
        return True


class _Subject:
    """What was said of one object.

    `similar` and `said`: by type and reason, and all else that makes a difference. `tokens`: by type, how
    many more events get through, as of a moment.
    """

    __slots__ = ("said", "similar", "tokens")

    def __init__(self) -> None:
        self.similar: dict[Hashable, _Similar] = {}
        self.said: dict[Hashable, _Said] = {}
        self.tokens: dict[str, tuple[float, float]] = {}


class _Similar:
    """The different messages of one kind about one object, oldest first, and when the last one came."""

    __slots__ = ("last", "messages")

    def __init__(self) -> None:
        self.last = 0.0
        self.messages: tuple[str, ...] = ()


class _Said:
    """How often something was said, dropped or not, since when, and the event that tells it."""

    __slots__ = ("count", "event", "first")

    def __init__(self, first: str) -> None:
        self.first, self.count = first, 0
        self.event: Place | None = None
