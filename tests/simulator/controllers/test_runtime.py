"""What controllers run on: caches that lag, queues of keys, expectations."""

from itertools import pairwise

from gherkube.runners.errors import ApiError
from gherkube.runners.history import Change
from gherkube.runners.objects import Key, Object
from gherkube.runners.simulator.clock import Chance, Clock
from gherkube.runners.simulator.controllers.expectations import TIMEOUT, Expectations
from gherkube.runners.simulator.controllers.runtime import Informer, WorkQueue
from gherkube.runners.simulator.store import Store
from tests.simulator.controllers.workbench import Workbench

A, B = Key("default", "a"), Key("default", "b")


def config(name: str, **labels: str) -> Object:
    return {"metadata": {"name": name, "namespace": "default", "labels": labels}}


def colour(obj: Object) -> str | None:
    found: str | None = obj["metadata"]["labels"].get("colour")
    return found


def cache() -> tuple[Store, Informer]:
    store = Store(Clock())
    store.put("configmaps", config("a", colour="red"))
    return store, Informer(store, Chance(0), "configmaps")


def test_cache_lags() -> None:
    """A cache begins with what is there, and shows what changes a little later, in order."""
    store, informer = cache()
    seen: list[Change] = []
    informer.on_change(seen.append)
    store.put("configmaps", config("b"))
    store.put("configmaps", config("a", colour="blue"))
    store.remove("configmaps", B)
    assert (list(informer.objects), seen) == ([A], [])
    store.clock.run_until(0.1)
    assert list(informer.objects) == [A]
    assert [(each.type, each.object["metadata"]["name"]) for each in seen] == [
        ("ADDED", "b"),
        ("MODIFIED", "a"),
        ("DELETED", "b"),
    ]


def test_index_follows() -> None:
    """An index holds the objects by their present value, and no empty groups."""
    store, informer = cache()
    index = informer.index(colour)
    assert informer.index(colour) is index
    assert {value: list(group) for value, group in index.items()} == {"red": [A]}
    store.put("configmaps", config("b", colour="red"))
    store.put("configmaps", config("a", colour="blue"))
    store.clock.run_until(0.1)
    assert {value: list(group) for value, group in index.items()} == {"red": [B], "blue": [A]}
    assert index["blue"][A] is informer.get(A)
    store.put("configmaps", config("b"))
    store.remove("configmaps", A)
    store.clock.run_until(0.2)
    assert index == {}


class Turns:
    """A queue whose turns fail as often as told."""

    def __init__(self, fail: int = 0, retries: int | None = None) -> None:
        self.clock = Clock()
        self.fail = fail
        self.at: list[float] = []
        self.keys: list[Key] = []
        self.queue: WorkQueue[Key] = WorkQueue(self.clock, Chance(0), self._turn, retries=retries)

    def _turn(self, key: Key) -> None:
        self.at.append(self.clock.now)
        self.keys.append(key)
        if self.fail:
            self.fail -= 1
            raise ApiError(409, "Conflict", "again")


def test_key_waits_once() -> None:
    """A key that is added often before its turn has one turn."""
    turns = Turns()
    for _ in range(3):
        turns.queue.add(A)
    turns.clock.run_until(10)
    assert len(turns.at) == 1


def test_no_two_turns_at_once() -> None:
    """A key that is added during its turn has the next one after that; another does not wait for it."""
    turns = Turns()
    turns.queue.add(A)
    while not turns.at:
        turns.clock.step()
    turns.queue.add(A)
    turns.queue.add(B)
    turns.clock.run_until(10)
    assert turns.keys == [A, B, A]
    assert turns.at[2] - turns.at[0] > 0.02


def test_failed_turns_back_off() -> None:
    """A turn that fails is taken again, ever later; success forgets the failures."""
    turns = Turns(fail=10)
    turns.queue.add(A)
    turns.clock.run_until(100)
    apart = [later - earlier for earlier, later in pairwise(turns.at)]
    assert len(apart) == 10
    assert all(1.5 < later / earlier < 2.5 for earlier, later in pairwise(apart[5:]))
    turns.fail = 1
    turns.queue.add(A)
    turns.clock.run_until(100.3)
    assert len(turns.at) == 13


def test_retries_end() -> None:
    """A queue with a limit gives a key up after that many retries, and begins anew when it is added."""
    turns = Turns(fail=99, retries=3)
    turns.queue.add(A)
    turns.clock.run_until(100)
    assert len(turns.at) == 4
    turns.queue.add(A)
    turns.clock.run_until(200)
    assert len(turns.at) == 8


def test_the_earliest_counts() -> None:
    """Of several turns that are planned for a key the earliest is held, the others are not."""
    turns = Turns()
    for delay in (5.0, 2.0, 9.0):
        turns.queue.add_after(A, delay)
    turns.clock.run_until(20)
    assert [round(at, 1) for at in turns.at] == [2.0]


def test_planned_retry_is_nothing_to_wait_for() -> None:
    """What only looks again does not count as something that is to come."""
    turns = Turns()
    turns.queue.add_after(A, 5.0, retry=True)
    assert turns.clock.pending == 0


def test_expectations() -> None:
    """An owner waits until it has seen all that it made and deleted, or five minutes."""
    expectations = Expectations()
    assert expectations.met(A, 0.0)
    expectations.expect_creations(A, 2, 0.0)
    expectations.saw_creation(A)
    assert not expectations.met(A, 0.0)
    expectations.saw_creation(A)
    assert expectations.met(A, 0.0)
    expectations.expect_deletions(A, [B], 0.0)
    expectations.saw_deletion(A, A)
    assert not expectations.met(A, TIMEOUT)
    assert expectations.met(A, TIMEOUT + 1)
    expectations.saw_deletion(A, B)
    assert expectations.met(A, 0.0)
    expectations.expect_creations(A, 1, 0.0)
    expectations.forget(A)
    assert expectations.met(A, 0.0)


def test_same_seed_same_history() -> None:
    """Two runs of a rollout with one seed are the same; with another they are not."""

    def history(seed: int) -> list[tuple[float, str, Object]]:
        bench = Workbench(seed)
        bench.deployment(5)
        bench.run(5)
        bench.set_image("hello:2")
        bench.run(20)
        return [(each.at, each.resource, each.object) for each in bench.store.log.since()]

    assert history(1) == history(1) != history(2)
