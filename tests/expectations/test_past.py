"""What happened over a window: counted, one at a time, and to those that stayed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gherkube.runners.expectations.count import Count, every, exactly, none
from gherkube.runners.expectations.failure import ExpectationFailed
from gherkube.runners.expectations.kept import FATES, KeptPods
from gherkube.runners.expectations.past import Happening, OneAtATime, PodsHappened
from gherkube.runners.expectations.statement import Statement
from gherkube.runners.expectations.subjects import PodSelector
from gherkube.runners.expectations.time import AtSomeTime, Becomes, Moment, Past, Throughout, Time
from tests.expectations.fakes import Script, complete, deployment, pod, pods, replica_set, three_pods


def says(script: Script, statement: Statement, time: Time | None = None) -> bool:
    """Whether the statement is so at 100 s of a script whose first When is at 1 s."""
    judge = script.judge(when=1, patience=1)
    script.sleep(100 - script.now())
    try:
        judge.judge(statement, time or Past())
    except ExpectationFailed:
        return False
    return True


def rollout() -> Script:
    """Two of three pods are replaced by pods of hello:2, one of which restarts; a fourth pod is deleted."""
    script = three_pods().put(0, "pods", pod("old", deleting=True))
    script.put(2, "deployments", deployment("hello:2", 2)).put(2, "replicasets", replica_set(2))
    for at, gone, new in ((3, "a", "d"), (6, "b", "e")):
        script.put(at, "pods", pod(new, of=2, ready=False)).put(at + 1, "pods", pod(new, of=2))
        script.put(at + 1, "pods", pod(gone, deleting=True)).remove(at + 2, "pods", pod(gone))
    script.put(10, "pods", pod("e", of=2, restarts=1, ready=False)).put(
        11, "pods", pod("e", of=2, restarts=1)
    )
    script.remove(12, "pods", pod("old", deleting=True)).remove(13, "pods", pod("c"))
    return script


@pytest.mark.parametrize(
    ("what", "selector", "n"),
    [
        ("created", pods(), 2),
        ("created", pods(version="2"), 2),
        ("created", pods(version="1"), 0),
        ("created", PodSelector(None, "default"), 2),
        ("deleted", pods(), 3),
        ("deleted", pods(version="1"), 3),
        ("deleted", pods(version="2"), 0),
        ("replaced", pods(), 2),
        ("replaced", pods(version="1"), 2),
        ("replaced", pods(version="2"), 0),
        ("restarted", pods(), 1),
        ("restarted", pods(version="2"), 1),
        ("restarted", pods(version="1"), 0),
    ],
)
def test_what_happened_is_counted(what: Happening, selector: PodSelector, n: int) -> None:
    """A pod whose deletion began before the window was not deleted in it."""
    for m in range(5):
        count = exactly(m) if m else none()
        assert says(rollout(), PodsHappened(selector, count, what)) is (m == n)


@pytest.mark.parametrize(
    ("what", "count", "so"),
    [
        ("deleted", every(), True),
        ("deleted", exactly(3, of=3), True),
        ("deleted", exactly(3, of=6), False),
        ("replaced", every(), False),
        ("replaced", exactly(2, of=3), True),
        ("created", exactly(2, of=6), True),
        ("restarted", every(), False),
    ],
)
def test_what_counts_are_out_of(what: Happening, count: Count, so: bool) -> None:
    """Of those deleted or replaced: the pods that were active at the window's start; else of all in it."""
    assert says(rollout(), PodsHappened(pods(), count, what)) is so


def test_all_pods_of_a_version_were_deleted() -> None:
    """All that were active at its start, or came in it; those on their way out before are not asked."""
    script = three_pods().remove(3, "pods", *(pod(name) for name in "abc")).put(4, "pods", pod("d", of=2))
    script.put(2, "replicasets", replica_set(2))
    assert says(script, PodsHappened(pods(version="1"), every(), "deleted"))
    assert says(rollout(), PodsHappened(pods(version="1"), every(), "deleted"))

    def both_gone(*gone: str) -> bool:
        script = three_pods().put(2, "replicasets", replica_set(2)).put(3, "pods", pod("d", of=2))
        script.put(3, "pods", pod("e", of=2)).remove(5, "pods", *(pod(name, of=2) for name in gone))
        return says(script, PodsHappened(pods(version="2"), every(), "deleted"))

    assert both_gone("d", "e")
    assert not both_gone("d")


def test_a_replica_set_that_is_seen_after_its_pods() -> None:
    """On a real cluster each resource is watched on its own: pods may be seen before their owner."""
    script = three_pods().put(3, "pods", pod("d", of=2)).put(4, "replicasets", replica_set(2))
    assert says(script, PodsHappened(pods(), exactly(1), "created"))


def surge(*, unready: int = 1) -> Script:
    """A rolling update of three pods with `unready` new ones at a time, each ready before an old one goes."""
    script = three_pods().put(1.5, "replicasets", replica_set(2))
    names = ["d", "e", "f"]
    at = 2.0
    while names:
        batch, names = names[:unready], names[unready:]
        script.put(at, "pods", *(pod(new, of=2, ready=False) for new in batch))
        script.put(at + 1, "pods", *(pod(new, of=2) for new in batch))
        for new in batch:
            old = "abc"["def".index(new)]
            script.put(at + 2, "pods", pod(old, deleting=True)).remove(at + 9, "pods", pod(old))
        at += 3
    return script


def in_place(*, missing: int = 1) -> Script:
    """A rolling update that deletes `missing` pods at a time and then makes new ones."""
    script = three_pods().put(1.5, "replicasets", replica_set(2))
    names = ["a", "b", "c"]
    at = 2.0
    while names:
        batch, names = names[:missing], names[missing:]
        script.put(at, "pods", *(pod(old, deleting=True) for old in batch))
        new = ["def"["abc".index(old)] for old in batch]
        script.put(at + 1, "pods", *(pod(one, of=2, ready=False) for one in new))
        script.put(at + 2, "pods", *(pod(one, of=2) for one in new))
        script.remove(at + 2, "pods", *(pod(old) for old in batch))
        at += 3
    return script


@pytest.mark.parametrize(
    ("script", "so", "found"),
    [
        (surge(), True, ""),
        (in_place(), True, ""),
        (surge(unready=2), False, "2 pods were not ready at the same time at t+1.0 s"),
        (in_place(missing=2), False, "only 1 of 3 pods were there and ready at t+1.0 s"),
        (three_pods(), False, "no pod was replaced"),
        (three_pods().put(2, "pods", pod("d"), pod("e")), False, "there were 5 pods, 2 more than 3"),
    ],
    ids=["surge", "in place", "two new", "two missing", "nothing", "two more"],
)
def test_one_at_a_time(script: Script, so: bool, found: str) -> None:
    """At most one pod on its way at any moment, and at least one was replaced."""
    judge = script.judge(when=1)
    script.sleep(30)
    if so:
        judge.judge(OneAtATime(pods()), Past())
        return
    with pytest.raises(ExpectationFailed) as failed:
        judge.judge(OneAtATime(pods()), Past())
    assert found in failed.value.failure.found


def test_one_at_a_time_follows_the_replicas() -> None:
    """After a scaling the new number is what has to be there."""
    script = (
        three_pods().put(2, "deployments", complete(replicas=2)).put(2.1, "pods", pod("c", deleting=True))
    )
    script.put(4, "pods", pod("b", deleting=True)).put(4.1, "pods", pod("d", ready=False)).put(
        5, "pods", pod("d")
    )
    assert says(script, OneAtATime(pods()))


@pytest.mark.parametrize(("n", "so"), [(None, True), (1, True), (2, False), (3, False)])
def test_ready_all_along(n: int | None, so: bool) -> None:
    """Ready at every moment of the window: one blink is enough to be out."""
    script = three_pods().put(3, "pods", pod("a", ready=False)).put(4, "pods", pod("a"))
    script.put(5, "pods", pod("b", deleting=True)).put(6, "pods", pod("d"))
    count = exactly(n) if n is not None else None
    assert says(script, KeptPods(pods(), "ready all along", count, "never restarted")) is so


def test_ready_all_along_and_restarted() -> None:
    """A container may restart without its pod ever being seen not ready."""
    script = three_pods().put(3, "pods", pod("a", restarts=1))
    assert not says(script, KeptPods(pods(), "ready all along", exactly(3), "never restarted"))
    assert says(script, KeptPods(pods(), "ready all along", exactly(3), "exist"))


def test_none_was_ready_all_along() -> None:
    """Nothing is said of none."""
    script = three_pods().put(3, "pods", *(pod(name, ready=False) for name in "abc"))
    assert not says(script, KeptPods(pods(), "ready all along", None, "never restarted"))


@pytest.mark.parametrize(("gone", "so"), [(False, True), (True, False)])
def test_those_that_were_there_at_a_moment_still_exist(gone: bool, so: bool) -> None:
    """A terminating pod still exists, one of the same name is another."""
    script = three_pods()
    script.sleep(0.5)
    moment = Moment("before", 0.5, len(script.history))
    script.put(2, "pods", pod("a", deleting=True)).put(2, "pods", pod("new"))
    if gone:
        script.remove(3, "pods", pod("a")).put(4, "pods", pod("a", uid="another"))
    for time in (Past(), Becomes()):
        assert says(script, KeptPods(pods(version="1"), moment, None, "exist"), time) is so
    assert not says(script, KeptPods(pods(version="1"), moment, None, "ready"))
    assert not says(script, KeptPods(pods(version="1"), moment, exactly(4), "exist"))
    assert says(script, KeptPods(pods(version="1"), moment, exactly(3), "never restarted"))


def test_the_window_of_a_kept_pod_starts_at_its_moment() -> None:
    """Restarts before it do not count."""
    script = three_pods().put(2, "pods", pod("a", restarts=1))
    judge = script.judge(when=1)
    script.sleep(4)
    judge.judge(KeptPods(pods(), judge.moment("now"), exactly(3), "never restarted"), Past())
    with pytest.raises(ExpectationFailed):
        judge.judge(KeptPods(pods(), "ready all along", exactly(3), "never restarted"), Past())


@pytest.mark.parametrize(
    ("time", "so"), [(Becomes(), True), (AtSomeTime(), True), (Past(), False), (Throughout(), False)]
)
def test_a_kept_pod_is_looked_at_at_every_moment(time: Time, so: bool) -> None:
    """What a pod is at the end it need not have been all the time."""
    script = three_pods().put(3, "pods", pod("a", ready=False)).put(4, "pods", pod("a"))
    moment = Moment("before", 0.5, len(script.history))
    assert says(script, KeptPods(pods(), moment, exactly(3), "ready"), time) is so


@pytest.mark.parametrize("time", [Past, AtSomeTime, Throughout])
def test_kept_pods_are_those_of_their_moment_in_any_window(time: Callable[[Moment], Time]) -> None:
    """One that went before the window began is missed in it, one that came is not asked."""
    script = three_pods()
    before = Moment("before", 0.0, len(script.history))
    script.sleep(2)
    script.remove(2, "pods", pod("a")).put(2, "pods", pod("d"))
    script.sleep(2)
    after = Moment("after", 4.0, len(script.history))
    assert not says(script, KeptPods(pods(), before, None, "exist"), time(after))
    assert says(script, KeptPods(pods(), after, exactly(3), "exist"), time(after))


def test_kept_pods_are_available_when_they_have_been_ready_for_long_enough() -> None:
    """minReadySeconds count from when a pod was seen to be ready; they pass without a change."""
    script = three_pods().put(0, "replicasets", replica_set(1, minReadySeconds=20))
    judge = script.judge(when=1, patience=30)
    script.sleep(5)
    for kept in ("ready all along", judge.moment("now")):
        available = KeptPods(pods(), kept, exactly(3), "available")
        with pytest.raises(ExpectationFailed, match="3 not available"):
            judge.judge(available, Past())
    judge.judge(available, Becomes())
    assert script.now() == pytest.approx(20)


@pytest.mark.parametrize(
    ("gone", "made", "restarted", "fates"),
    [
        ("", "", "", {"never restarted"}),
        ("abc", "", "", {"never restarted", "deleted"}),
        ("abc", "de", "", {"never restarted", "deleted"}),
        ("abc", "def", "", {"never restarted", "deleted", "replaced"}),
        ("ab", "def", "", {"never restarted"}),
        ("", "", "abc", {"restarted"}),
        ("", "", "ab", set()),
    ],
)
def test_what_became_of_the_pods_of_a_moment(gone: str, made: str, restarted: str, fates: set[str]) -> None:
    """Of each of them; one that has gone when the judgement comes was deleted, as one that is going."""
    for fate in FATES:
        script = three_pods()
        moment = Moment("before", 0.5, len(script.history))
        for name in restarted:
            script.put(2, "pods", pod(name, restarts=1))
        for at, name in enumerate(gone):
            script.put(3, "pods", pod(name, deleting=True))
            if at:
                script.remove(4, "pods", pod(name))
        for name in made:
            script.put(5, "pods", pod(name))
        assert says(script, KeptPods(pods(), moment, exactly(3), fate)) is (fate in fates), fate
