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
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Key, Object
from gherkube.runners.simulator.clock import EPOCH

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


EventType: TypeAlias = Literal["Normal", "Warning"]


class EventRecorder:
    """Records the events of one component: `component` and `host` are what `source` says."""

    def __init__(self, api: ApiServer, component: str, host: str = "") -> None:
        self._api, self._component, self._host = api, component, host
        self._source = {"component": component, "host": host} if host else {"component": component}
        self._normal: Subjects = OrderedDict()
        self._warning: Subjects = OrderedDict()
        self._nanos = _EPOCH_NANOS
        self._about: tuple[Object | None, str, Object] = (None, "", {})

    def record(
        self,
        kind: str,
        involved: Object,
        type: EventType,  # noqa: A002 - the API's word
        reason: str,
        message: str,
        field_path: str = "",
    ) -> None:
        """Says something about an object of that kind, as it was read.

        `field_path` names a part of it ("spec.containers{app}"). What the API server refuses, as in a
        namespace that is being deleted, is lost, as upstream.
        """
        clock = self._api.clock
        now, stamp = clock.now, clock.timestamp()
        spoken = _spoken(self._normal if type == "Normal" else self._warning, involved["metadata"], now)
        topic, reporter = spoken.topics.get(reason), self._component
        said: _Said
        if topic is None:
            said = spoken.topics[reason] = _Topic(now, stamp, message, field_path)
        elif self._is_combined(topic, message, now):
            reporter, message = "", f"(combined from similar events): {message}"
            said = topic.combined = topic.combined or _Said(stamp, message, field_path)
        else:
            said = topic.said_so(message, field_path, stamp)
        said.count += 1
        if spoken.tokens < 1.0:
            return  # too much. EventSourceObjectSpamFilter
        spoken.tokens -= 1.0
        if said.event is None or not self._raise(said, message, stamp):
            reference = self._reference(kind, involved, field_path)
            self._create(said, reporter, reference, type, reason, message, stamp)

    def forget(self, obj: Object) -> None:
        """Nothing more will be said about this object: it is gone."""
        uid = obj["metadata"]["uid"]
        self._normal.pop(uid, None)
        self._warning.pop(uid, None)

    def _is_combined(self, topic: _Topic, message: str, now: float) -> bool:
        """Whether the message joins the combined event. EventAggregator.EventAggregate"""
        messages = topic.messages
        if now - topic.last > SIMILAR_WITHIN:
            messages = topic.messages = {}
        elif messages is None:
            messages = topic.messages = {topic.message: None}
        topic.last = now
        messages[message] = None
        if len(messages) < SIMILAR:
            return False
        draw, bits = self._api.chance.stream("events").getrandbits, SIMILAR.bit_length()
        while (dropped := draw(bits)) >= SIMILAR:  # as `randrange`, at a fifth of its cost
            pass
        del messages[list(messages)[dropped]]
        return True

    def _reference(self, kind: str, involved: Object, field_path: str) -> Object:
        """The involvedObject; events that follow one another about the same version share it."""
        last, last_path, shared = self._about
        if last is involved and last_path == field_path:
            return shared
        metadata = involved["metadata"]
        about: Any = _Reference()
        about.kind, about.name = kind, metadata["name"]
        if "namespace" in metadata:
            about.namespace = metadata["namespace"]
        if "uid" in metadata:
            about.uid = metadata["uid"]
        if "apiVersion" in involved:
            about.apiVersion = involved["apiVersion"]
        if "resourceVersion" in metadata:
            about.resourceVersion = metadata["resourceVersion"]
        if field_path:
            about.fieldPath = field_path
        reference: Object = about.__dict__
        self._about = (involved, field_path, reference)
        return reference

    def _create(
        self,
        said: _Said,
        reporter: str,
        reference: Object,
        type_: str,
        reason: str,
        message: str,
        stamp: str,
    ) -> None:
        nanos = _EPOCH_NANOS + int(self._api.clock.now * 1e9)
        self._nanos = nanos = nanos if nanos > self._nanos else self._nanos + 1
        event: Any = _Event()
        event.apiVersion, event.kind = "v1", "Event"
        event.metadata = {
            "name": f"{reference['name']}.{hex(nanos)[2:]}",
            "namespace": reference.get("namespace", "default"),
        }
        event.involvedObject, event.reason, event.message = reference, reason, message
        event.source, event.firstTimestamp, event.lastTimestamp = self._source, said.first, stamp
        event.count, event.type, event.eventTime = said.count, type_, None
        event.reportingComponent, event.reportingInstance = reporter, self._host if reporter else ""
        try:
            said.event = self._api.create_event(event.__dict__)
        except ApiError:
            return  # its namespace is going

    def _raise(self, said: _Said, message: str, stamp: str) -> bool:
        """Patches the event that is there already; False when it is gone."""
        assert said.event is not None
        store = self._api.store
        stored = store.get("events", said.event)
        if stored is None:
            return False
        changes = {"count": said.count, "message": message, "lastTimestamp": stamp}
        store.put("events", {**stored, **changes, "metadata": {**stored["metadata"]}}, said.event)
        return True


def _spoken(subjects: Subjects, metadata: Object, now: float) -> _Spoken:
    """What was said of an object, its tokens refilled; what was not talked of for longest is forgotten."""
    uid = metadata.get("uid") or (metadata.get("namespace"), metadata["name"])
    spoken = subjects.get(uid)
    if spoken is not None:
        subjects.move_to_end(uid)
        tokens = spoken.tokens + (now - spoken.at) * REFILL
        spoken.at, spoken.tokens = now, tokens if tokens < BURST else BURST
        return spoken
    if len(subjects) >= REMEMBERED:
        subjects.popitem(last=False)
    spoken = subjects[uid] = _Spoken(now)
    return spoken


class _Spoken:
    """What was said of one object, of one type: topics by their reasons.

    `tokens`: how many more events got through as of the moment `at`.
    """

    __slots__ = ("at", "tokens", "topics")

    def __init__(self, now: float) -> None:
        self.at, self.tokens = now, BURST
        self.topics: dict[str, _Topic] = {}


class _Said:
    """How often something was said, dropped or not, since when, and the event that tells it."""

    __slots__ = ("count", "event", "field_path", "first", "message")

    def __init__(self, first: str, message: str, field_path: str) -> None:
        self.first, self.count = first, 0
        self.message, self.field_path = message, field_path
        self.event: Key | None = None


class _Topic(_Said):
    """What was said for one reason: this, and `others`.

    `messages`: the different ones of late, oldest first (None: only this), and `last`, when one came last.
    `combined`: what stands for those that were combined.
    """

    __slots__ = ("combined", "last", "messages", "others")

    def __init__(self, now: float, first: str, message: str, field_path: str) -> None:
        self.first, self.count, self.last = first, 0, now
        self.message, self.field_path = message, field_path
        self.event = None
        self.messages: dict[str, None] | None = None
        self.others: tuple[_Said, ...] = ()
        self.combined: _Said | None = None

    def said_so(self, message: str, field_path: str, stamp: str) -> _Said:
        """What was said in these very words about that part of the object."""
        for said in (self, *self.others):  # few: others than these are combined soon
            if said.message == message and said.field_path == field_path:
                return said
        said = _Said(stamp, message, field_path)
        self.others = (*self.others, said)
        return said


class _Reference:
    """What an event is about: by its `__dict__`, since dicts of one class share the table of their keys."""


class _Event:
    """An event: by its `__dict__`, which is half as big as other dicts; see `_Reference`.

    Of nothing there is as much: in a large cluster a third of all that is remembered are events.
    """


Subjects: TypeAlias = OrderedDict[Hashable, _Spoken]
"""What was said of each object, of one type, what was talked of last at the end."""
