"""Events: counted, combined, dropped."""

import pytest

from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance, Clock
from gherkube.runners.simulator.events import BURST, EventRecorder
from gherkube.runners.simulator.store import Store

POD: Object = {
    "apiVersion": "v1",
    "metadata": {"name": "web-1", "namespace": "default", "uid": "u-1", "resourceVersion": "7"},
}
COMBINED = "(combined from similar events): "


class Scene:
    """A recorder, its clock, and what the API shows of its events."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.api = ApiServer(Store(self.clock), Chance(0))
        self.recorder = EventRecorder(self.api, "kubelet", "node-1")

    def say(self, message: str, *, reason: str = "Pulled", type_: str = "Normal", part: str = "") -> None:
        self.recorder.record("Pod", POD, type_, reason, message, part)  # type: ignore[arg-type]

    def shown(self) -> dict[str, int]:
        """How often each message is counted."""
        return {each["message"]: each["count"] for each in self.api.list("events")}


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_event_as_recorded(scene: Scene) -> None:
    """An event has the fields, and the name of the object with 16 hex digits, that a cluster shows."""
    scene.clock.run_until(2.5)
    scene.say("Started container app", reason="Started", part="spec.containers{app}")
    (event,) = scene.api.list("events")
    metadata = event["metadata"]
    name, stamp = metadata["name"].split(".")
    assert (name, len(stamp)) == ("web-1", 16)
    assert {key: value for key, value in event.items() if key != "metadata"} == {
        "apiVersion": "v1",
        "kind": "Event",
        "involvedObject": {
            "kind": "Pod",
            "namespace": "default",
            "name": "web-1",
            "uid": "u-1",
            "apiVersion": "v1",
            "resourceVersion": "7",
            "fieldPath": "spec.containers{app}",
        },
        "reason": "Started",
        "message": "Started container app",
        "source": {"component": "kubelet", "host": "node-1"},
        "firstTimestamp": "2025-01-01T00:00:02Z",
        "lastTimestamp": "2025-01-01T00:00:02Z",
        "count": 1,
        "type": "Normal",
        "eventTime": None,
        "reportingComponent": "kubelet",
        "reportingInstance": "node-1",
    }


def test_what_is_unknown_is_left_out(scene: Scene) -> None:
    """A reference has no uid, version or apiVersion where the recorder did not know them."""
    involved = {"metadata": {"name": "web-1", "namespace": "default"}}
    scene.recorder.record("Pod", involved, "Normal", "TaintManagerEviction", "Marking for deletion")
    (event,) = scene.api.list("events")
    assert event["involvedObject"] == {"kind": "Pod", "namespace": "default", "name": "web-1"}


def test_repeated_message_is_counted(scene: Scene) -> None:
    """The same message about the same part raises one event's count and its last time, nothing else."""
    scene.say("pulled")
    scene.clock.run_until(40.0)
    scene.say("pulled")
    scene.say("pulled", part="spec.containers{app}")
    first, second = scene.api.list("events")
    assert (first["count"], second["count"]) == (2, 1)
    assert (first["firstTimestamp"][-3:], first["lastTimestamp"][-3:]) == ("00Z", "40Z")


def test_tenth_different_message_is_combined(scene: Scene) -> None:
    """Nine messages have events of their own; the tenth and those after it share one, its text the last."""
    for number in range(12):
        scene.say(f"m{number}")
    assert scene.shown() == {**{f"m{n}": 1 for n in range(9)}, COMBINED + "m11": 3}
    (combined,) = (each for each in scene.api.list("events") if each["message"].startswith(COMBINED))
    assert (combined["reportingComponent"], combined["reportingInstance"]) == ("", "")
    assert combined["source"] == {"component": "kubelet", "host": "node-1"}


def test_one_of_the_ten_is_forgotten(scene: Scene) -> None:
    """Repeated after that, a remembered message counts on its own event, a forgotten one on the combined."""
    for number in range(10):
        scene.say(f"m{number}")
    for number in range(9):
        scene.say(f"m{number}")
    shown = scene.shown()
    own = [shown[f"m{number}"] for number in range(9)]
    assert set(own) <= {1, 2}
    assert 2 in own
    combined = next(count for message, count in shown.items() if message.startswith(COMBINED))
    assert sum(own) + combined == 19


def test_similar_means_within_ten_minutes(scene: Scene) -> None:
    """After ten minutes without a similar message, counting of different ones starts anew."""
    for number in range(9):
        scene.say(f"m{number}")
    scene.clock.run_until(600.1)
    scene.say("m9")
    assert scene.shown()["m9"] == 1


def test_reasons_and_types_are_not_similar(scene: Scene) -> None:
    """Messages of different reasons or types are never combined."""
    for number in range(7):
        scene.say(f"m{number}")
        scene.say(f"m{number}", reason="Failed")
    assert len(scene.shown()) == 7
    assert len(scene.api.list("events")) == 14


def test_more_than_25_are_dropped(scene: Scene) -> None:
    """Of one type about one object 25 get through, then one in 300 s, which tells the true count."""
    for _ in range(30):
        scene.say("unhealthy", reason="Unhealthy", type_="Warning")
    scene.say("pulled")
    assert scene.shown() == {"unhealthy": BURST, "pulled": 1}
    scene.clock.run_until(299.0)
    scene.say("unhealthy", reason="Unhealthy", type_="Warning")
    assert scene.shown()["unhealthy"] == BURST
    scene.clock.run_until(301.0)
    scene.say("unhealthy", reason="Unhealthy", type_="Warning")
    assert scene.shown()["unhealthy"] == 32


def test_events_of_a_moment_have_different_names(scene: Scene) -> None:
    """Two events about an object in the same moment are two objects."""
    scene.say("one")
    scene.say("two")
    assert len(scene.api.list("events")) == 2


def test_refused_event_is_lost(scene: Scene) -> None:
    """In a namespace that is being deleted nothing is recorded, and nothing fails."""
    scene.api.create_trusted("namespaces", {"metadata": {"name": "gone"}})
    scene.api.delete("namespaces", "gone")
    scene.recorder.record("Pod", {"metadata": {"name": "p", "namespace": "gone"}}, "Normal", "R", "m")
    assert scene.shown() == {}
