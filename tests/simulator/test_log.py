"""The watch log reads the same whether its oldest part is in memory or in a file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gherkube.runners.history import ADDED, MODIFIED, Change
from gherkube.runners.objects import key_of
from gherkube.runners.simulator import log
from gherkube.runners.simulator.log import Log

COUNT = 47


@pytest.fixture(autouse=True, scope="module")
def short() -> object:
    """Logs move ten changes at a time, and have thirty in memory at most."""
    patch = pytest.MonkeyPatch()
    patch.setattr(log, "CHUNK", 10)
    patch.setattr(log, "KEPT", 30)
    yield
    patch.undo()


def change(number: int) -> Change:
    resource = "events" if number % 3 == 0 else "pods"
    old = {"metadata": {"name": "x"}} if number % 2 else None
    obj = {"metadata": {"name": f"{resource}-{number}"}, "count": number, "ready": None, "list": [1, {}]}
    return Change(number / 8, MODIFIED if old else ADDED, resource, obj, old, key_of(obj))


def filled(count: int = COUNT) -> Log:
    made = Log()
    for number in range(count):
        made.append(change(number))
        made.trim()
    return made


def test_nothing_is_lost() -> None:
    """All changes are there in their order, those of the file, too."""
    made = filled()
    assert len(made) == COUNT
    assert list(made.since()) == [change(number) for number in range(COUNT)]
    assert len(made._chunks) == 2


@given(st.integers(0, COUNT + 5), st.integers(0, 60))
def test_from_any_position(position: int, count: int) -> None:
    """Reading from a position gives what was added from there on."""
    assert list(filled(count).since(position)) == [change(number) for number in range(position, count)]


def test_what_comes_while_it_is_read() -> None:
    """A reader also sees what is added meanwhile, even when that moves changes to the file."""
    made = filled(25)
    reader = made.since(3)
    seen = [next(reader) for _ in range(5)]
    for number in range(25, COUNT):
        made.append(change(number))
        made.trim()
    assert [*seen, *reader] == [change(number) for number in range(3, COUNT)]


def test_two_readers() -> None:
    """Readers do not disturb each other in the file."""
    made = filled()
    pairs = list(zip(made.since(), made.since(), strict=True))
    assert all(one == other for one, other in pairs)
    assert len(pairs) == COUNT
