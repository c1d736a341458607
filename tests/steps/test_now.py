"""Whether a judgement is so at this moment, asked again and again: nothing is waited for."""

from __future__ import annotations

import pytest

from gherkube.runners.errors import CannotJudge, UsageError
from gherkube.runners.simulator.cluster import Simulator
from gherkube.steps.catalogue import CATALOGUE
from gherkube.steps.now import Now
from gherkube.steps.world import World
from tests.door.serving import deployment, service


@pytest.fixture
def cluster() -> Simulator:
    """A deployment of three pods, of which none is there yet."""
    made = Simulator(seed=1)
    made.api.create(deployment(replicas=3), namespace="default")
    made.api.create(service(), namespace="default")
    return made


def now(cluster: Simulator, text: str) -> Now:
    """A sentence on that cluster."""
    [match] = CATALOGUE.find("then", text)
    return Now(match, World(cluster, patience=0.0))


def test_the_present_is_this_moment(cluster: Simulator) -> None:
    """It costs no time, also with `within`, and changes with the cluster."""
    for text in (
        '3 pods of deployment "web" are ready',
        'within 1 hour, 3 pods of deployment "web" are ready',
    ):
        sentence, at = now(cluster, text), cluster.clock.now()
        was = sentence.look()[0]
        assert cluster.clock.now() == at
        cluster.clock.sleep(30)
        assert (was, sentence.look()[0]) == (at > 0, True)


def test_for_some_time_is_about_the_last_seconds(cluster: Simulator) -> None:
    """It is so once it has been so for that long without a break."""
    sentence = now(cluster, 'for 10 seconds, at least 3 pods of deployment "web" are ready')
    found = []
    for _ in range(8):
        cluster.clock.sleep(5)
        found.append(sentence.look()[0])
    assert found == sorted(found)
    assert (found[0], found[-1]) == (False, True)
    cluster.api.delete("pods", cluster.api.list("pods", "default")[0]["metadata"]["name"], "default")
    cluster.clock.sleep(5)
    assert not sentence.look()[0]
    cluster.clock.sleep(60)
    assert sentence.look()[0]


def test_the_past_begins_when_it_is_first_asked(cluster: Simulator) -> None:
    """What was before that does not count; what was not so once, stays so."""
    cluster.clock.sleep(60)
    sentence = now(cluster, 'throughout, at least 3 pods of deployment "web" were ready')
    assert sentence.look()[0]
    cluster.api.delete("pods", cluster.api.list("pods", "default")[0]["metadata"]["name"], "default")
    cluster.clock.sleep(60)
    assert not sentence.look()[0]


def test_requests_are_the_last_ones(cluster: Simulator) -> None:
    """Where none flow, nothing can be said; an abort condition of losses is so while they last."""
    sentence = now(cluster, 'requests to service "web" go unanswered for more than 5 seconds')
    answered = now(cluster, 'every request to service "web" is answered')
    with pytest.raises(CannotJudge, match='no requests go to service "web"'):
        sentence.look()
    cluster.clock.sleep(60)
    [given] = CATALOGUE.find("given", 'requests to service "web" every 100 milliseconds')
    given.run(World(cluster))
    cluster.clock.sleep(10)
    assert (sentence.look()[0], answered.look()[0]) == (False, True)
    cluster.api.patch("deployments", "web", {"spec": {"replicas": 0}}, "default")
    cluster.clock.sleep(20)
    assert (sentence.look()[0], answered.look()[0]) == (True, False)
    cluster.api.patch("deployments", "web", {"spec": {"replicas": 3}}, "default")
    cluster.clock.sleep(60)
    assert (sentence.look()[0], answered.look()[0]) == (False, True)


def test_what_is_about_something_just_done(cluster: Simulator) -> None:
    """Nothing was."""
    with pytest.raises(UsageError, match="no command was run"):
        now(cluster, "the command succeeds")
