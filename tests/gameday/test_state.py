"""How a game day stands, from its records; and the four times of a round."""

from __future__ import annotations

import pytest

from gherkube.runners.gameday import watching
from gherkube.runners.gameday.state import State
from gherkube.runners.gameday.watching import Times
from gherkube.runners.live.journal import Record
from tests.gameday.samples import broken


def test_a_whole_day() -> None:
    """Read from its journal, to the end."""
    told = State.of(broken()).told
    assert (told["name"], told["phase"], told["gate"]) == ("Bad image and undo", "ended", None)
    assert told["verdict"]["exit"] == 8
    assert [each["undone"] for each in told["acts"]] == [True, True, True, False]
    assert {each["verdict"] for each in told["abort"]} == {False}
    assert told["pods"]["deployment/shop"]["desired"] == 4
    assert len(told["times"]) == 3
    assert len([each for each in told["notes"] if each.get("severity")]) == 2
    assert any(each["text"].startswith("NOT put back") for each in told["log"])


def test_each_moment_of_a_day() -> None:
    """At every record there is a state; the phases come in their order."""
    state, phases = State(), []
    for record in broken():
        state.take(record)
        if not phases or phases[-1] != state.told["phase"]:
            phases.append(state.told["phase"])
    assert phases[:3] == ["checking", "waiting at gate", "round"]
    assert phases[-1] == "ended"


def test_the_times_of_a_round_as_they_get_known() -> None:
    """Each replaces what was known before, and is told once."""
    state = State()
    known: dict[str, str | None] = dict.fromkeys(("injected", "detected", "acted", "recovered"))
    for number, name in enumerate(("", *known), 1):
        known |= {name: f"T{number}"} if name else {}
        state.take(Record(number, f"T{number}", "times", {"round": "One", **known}))
        assert state.told["times"] == [{"round": "One", **known}]
    state.take(Record(9, "T9", "times", {"round": "Two", **dict.fromkeys(known)}))
    assert [each["round"] for each in state.told["times"]] == ["One", "Two"]
    assert [each["text"] for each in state.told["log"]] == [
        *("detected: round One", "acted: round One", "recovered: round One"),
    ]


def act(at: str) -> Record:
    """Something that was done."""
    return Record(1, at, "after", {"ref": 1, "error": None})


UNDO = Record(2, "T9", "undo", {"ref": 1, "outcome": "done", "words": ""})


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> Times:
    """Of a round, with a clock that counts."""
    stamps = (f"T{n}" for n in range(2, 9))
    monkeypatch.setattr(watching, "now", lambda: next(stamps))
    return Times("One")


def test_the_four_times(times: Times) -> None:
    """The first act, the first trouble, the first act after that, and the end of the trouble."""
    times.take(Record(7, "T0", "before", {"fault": "behave"}))
    times.take(Record(8, "T0", "after", {"ref": 7, "error": None}))
    times.look(well=False)
    times.take(act("T1"))
    times.look(well=True)
    times.look(well=False)
    times.take(act("T3"))
    times.take(act("T4"))
    times.look(well=True)
    times.look(well=False)
    times.take(UNDO)
    times.look(well=True)
    assert times.told == {
        "round": "One",
        "injected": "T1",
        "detected": "T2",
        "acted": "T3",
        "recovered": "T5",
    }


def test_nothing_was_noticed(times: Times) -> None:
    """What is missing while it is put back was never trouble."""
    times.take(act("T1"))
    times.look(well=True)
    times.take(UNDO)
    times.look(well=False)
    times.look(well=True)
    assert times.told == {
        "round": "One",
        "injected": "T1",
        "detected": None,
        "acted": None,
        "recovered": None,
    }
