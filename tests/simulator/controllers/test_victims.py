"""Which pods a shrinking ReplicaSet deletes."""

import pytest

from gherkube.runners.objects import Object
from gherkube.runners.simulator.clock import timestamp
from gherkube.runners.simulator.controllers.replicaset_victims import COST, Crowds, Ranking, choose

NOW = 10_000.0
NO_CROWDS = Crowds()


def pod(
    uid: str,
    *,
    node: str = "n",
    phase: str = "Running",
    ready: float | None = 5_000,
    created: float = 1_000,
    restarts: int = 0,
    cost: str = "",
) -> Object:
    """A pod; `ready` and `created` are the moments since when, None: not ready."""
    since = {"status": "False", "lastTransitionTime": timestamp(created)}
    if ready is not None:
        since = {"status": "True", "lastTransitionTime": timestamp(ready)}
    return {
        "metadata": {
            "uid": uid,
            "creationTimestamp": timestamp(created),
            "annotations": {COST: cost} if cost else {},
        },
        "spec": {"nodeName": node} if node else {},
        "status": {
            "phase": phase,
            "conditions": [{"type": "Ready", **since}],
            "containerStatuses": [{"restartCount": 0}, {"restartCount": restarts}],
        },
    }


FIRST_GO = [
    ("without a node", {"node": "", "cost": "9"}, {"phase": "Pending", "ready": None}),
    ("pending", {"phase": "Pending", "cost": "9", "ready": None}, {"phase": "Unknown", "ready": None}),
    ("unknown", {"phase": "Unknown", "ready": None, "cost": "9"}, {"ready": None}),
    ("not ready", {"ready": None, "cost": "9"}, {"restarts": 5}),
    ("of lower cost", {"cost": "-5", "ready": 2_000}, {"ready": 9_000}),
    ("on a full node", {"node": "full", "ready": 2_000}, {"ready": 9_000}),
    ("ready more lately", {"ready": 9_000}, {"ready": 2_000, "restarts": 5}),
    ("restarted more", {"ready": None, "restarts": 2}, {"ready": None, "created": 9_000}),
    ("newer", {"ready": None, "created": 9_000}, {"ready": None, "created": 2_000}),
    ("restarted more, ready at once", {"restarts": 2}, {"created": 9_000}),
    ("newer, ready at once", {"created": 4_000}, {"created": 200}),
]


@pytest.mark.parametrize(
    ("victim", "survivor"), [row[1:] for row in FIRST_GO], ids=[row[0] for row in FIRST_GO]
)
def test_order(victim: dict[str, object], survivor: dict[str, object]) -> None:
    """What is asked first decides, whatever speaks for the other pod later on."""
    pods = [pod("a", **survivor), pod("b", **victim)]  # type: ignore[arg-type]
    crowds = Crowds()
    crowds.add("full", 3)
    assert choose(pods, 1, NOW, crowds) == [pods[1]]


@pytest.mark.parametrize("cost", ["1x", "+1", "01", "99999999999"])
def test_bad_cost_counts_as_none(cost: str) -> None:
    """What is no plain 32-bit number is no cost."""
    pods = [pod("a"), pod("b", cost=cost)]
    assert choose(pods, 1, NOW, NO_CROWDS) == [pods[0]]


def test_ages_are_compared_by_their_logarithm() -> None:
    """Ages between two powers of two (of nanoseconds) are as good as equal; then the uid decides."""
    pods = [pod("b", ready=4_999), pod("a", ready=4_000), pod("c", ready=9_900)]
    assert [each["metadata"]["uid"] for each in choose(pods, 2, NOW, NO_CROWDS)] == ["c", "a"]


def test_ranks_are_of_before() -> None:
    """The fullest node gives first, and gives up all that are asked for: ranks are not counted again."""
    pods = [
        pod(f"{node}{number}", node=node)
        for node, count in {"n": 3, "m": 2}.items()
        for number in range(count)
    ]
    crowds = Crowds()
    for each in pods:
        crowds.add(each["spec"]["nodeName"], 1)
    gone = choose(pods, 3, NOW, crowds)
    assert [each["metadata"]["uid"] for each in gone] == ["n0", "n1", "n2"]


def test_a_ranking_follows_its_pods() -> None:
    """What was found out about a pod no longer counts once the pod has changed, or gone."""
    pods = [pod("a"), pod("b", cost="-1"), pod("c", node="m")]
    ranking = Ranking(pods)
    assert ranking.first(1, NOW, NO_CROWDS) == [pods[1]]
    changed = pod("a", cost="-2")
    ranking.changed["a"] = changed
    assert ranking.first(1, NOW, NO_CROWDS) == [changed]
    ranking.changed |= {"a": None, "b": None}
    assert ranking.first(1, NOW, NO_CROWDS) == [pods[2]]


def test_all() -> None:
    """Where all go there is no order."""
    pods = [pod("a"), pod("b", ready=None)]
    assert choose(pods, 5, NOW, NO_CROWDS) == pods
