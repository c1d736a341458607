"""What holds of every rollout, whatever its numbers; and the arithmetic behind it."""

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gherkube.runners.objects import ENDED, Object, is_ready
from gherkube.runners.simulator.controllers.deployment_scaling import proportions
from gherkube.runners.simulator.controllers.deployment_templates import Templates, canonical, hash_of
from gherkube.runners.simulator.controllers.deployment_turn import (
    DESIRED,
    MAX,
    Tools,
    Turn,
    fenceposts,
    scaled_value,
    size_of,
)
from tests.simulator.controllers.workbench import Workbench, deployment, rolling, template

REPLICAS = st.integers(0, 12)
LIMIT = st.integers(0, 5) | st.integers(0, 100).map(lambda percent: f"{percent}%")


@given(st.integers(0, 200), st.integers(0, 1000))
def test_percentages_round_apart(percent: int, total: int) -> None:
    """A percentage is rounded up for the surge and down for what may be unavailable."""
    exact = Fraction(percent * total, 100)
    assert scaled_value(f"{percent}%", total, up=True) == ceil(exact)
    assert scaled_value(f"{percent}%", total, up=False) == floor(exact)


@given(REPLICAS, LIMIT, LIMIT)
def test_fenceposts(replicas: int, surge: int | str, unavailable: int | str) -> None:
    """A rollout can always move: one pod may be unavailable where both limits come to nothing."""
    more, fewer = fenceposts({"replicas": replicas, "strategy": rolling(surge, unavailable)})
    assert 0 <= fewer <= replicas
    assert more + fewer > 0 or replicas == 0


@pytest.mark.parametrize(
    ("replicas", "limits", "expected"),
    [
        (4, ("25%", "25%"), (1, 1)),
        (10, ("25%", "25%"), (3, 2)),
        (5, ("25%", "50%"), (2, 2)),
        (1, ("25%", "25%"), (1, 0)),
        (3, (0, "1%"), (0, 1)),
        (2, (5, 5), (5, 2)),
        (0, ("25%", "25%"), (0, 0)),
    ],
)
def test_fenceposts_by_example(
    replicas: int, limits: tuple[int | str, int | str], expected: tuple[int, int]
) -> None:
    """Surge is rounded up, unavailable down and capped at the replicas."""
    assert fenceposts({"replicas": replicas, "strategy": rolling(*limits)}) == expected


def test_recreate_has_no_fenceposts() -> None:
    """Recreate neither surges nor spares."""
    assert fenceposts({"replicas": 4, "strategy": {"type": "Recreate"}}) == (0, 0)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**16),
    replicas=st.integers(1, 9),
    surge=LIMIT,
    unavailable=LIMIT,
    images=st.lists(st.sampled_from(["hello:1", "hello:2", "hello:3"]), min_size=1, max_size=3),
    pause=st.floats(0.1, 6.0),
)
def test_rolling_update_keeps_its_limits(
    seed: int, replicas: int, surge: int | str, unavailable: int | str, images: list[str], pause: float
) -> None:
    """With healthy pods, never fewer than R − maxUnavailable are ready, nor more than R + maxSurge asked for.

    In the end there are R pods of the last image, however rollouts overlap.
    """
    bench = Workbench(seed, ready_after=lambda _: bench.chance.stream("test").uniform(0.1, 3.0))
    bench.deployment(replicas, strategy=rolling(surge, unavailable))
    bench.run(30)
    more, fewer = fenceposts(bench.api.get("deployments", "web", "default")["spec"])
    before = len(bench.store.log)
    pods = {each["metadata"]["name"]: each for each in bench.api.list("pods")}
    sets = {each["metadata"]["name"]: size_of(each) for each in bench.api.list("replicasets")}
    for image in images:
        bench.set_image(image)
        bench.run(pause)
    bench.run(120)
    for change in bench.store.log.since(before):
        name = change.object["metadata"]["name"]
        if change.resource == "pods":
            pods[name] = change.object
            if change.type == "DELETED":
                del pods[name]
            assert sum(map(is_serving, pods.values())) >= replicas - fewer
        elif change.resource == "replicasets":
            sets[name] = size_of(change.object)
            assert sum(sets.values()) <= replicas + more
    shown = [pod["spec"]["containers"][0]["image"] for pod in bench.active()]
    assert shown == [images[-1]] * replicas
    assert bench.clock.pending == 0


def is_serving(pod: Object) -> bool:
    """Whether the pod is ready and not on its way out."""
    return (
        is_ready(pod)
        and "deletionTimestamp" not in pod["metadata"]
        and pod["status"].get("phase") not in ENDED
    )


@given(
    sizes=st.lists(st.integers(1, 30), min_size=2, max_size=5),
    replicas=st.integers(0, 60),
    surge=st.integers(0, 10),
    room=st.integers(0, 10),
)
def test_proportions_add_up(sizes: list[int], replicas: int, surge: int, room: int) -> None:
    """Scaling in proportion gives out just what may be given, the largest first."""
    turn, replica_sets = scene(sizes, replicas, surge, sum(sizes) + room)
    shares = proportions(turn, replica_sets)
    allowed = replicas + surge if replicas else 0
    total = sum(size for _, size in shares)
    assert total == allowed
    assert all(size >= 0 for _, size in shares)
    assert [size_of(each) for each, _ in shares] == sorted(sizes, reverse=True)


def scene(sizes: list[int], replicas: int, surge: int, maximum: int) -> tuple[Turn, list[Object]]:
    """A deployment of that size with replica sets of those."""
    bench = Workbench()
    made = bench.api.create_trusted(
        "deployments", deployment(replicas, "hello:1", strategy=rolling(surge, 1))
    )
    replica_sets = [
        {
            "metadata": {
                "name": f"web-{number}",
                "creationTimestamp": f"2025-01-01T00:00:0{number}Z",
                "annotations": {DESIRED: "1", MAX: str(maximum)},
            },
            "spec": {"replicas": size},
        }
        for number, size in enumerate(sizes)
    ]
    tools = Tools(bench.api, None, Templates(), lambda _: None)  # type: ignore[arg-type]
    return Turn(tools, made, replica_sets), replica_sets


def test_equal_sizes_grow_newest_first_and_shrink_oldest_first() -> None:
    """What rounding leaves over goes to the newest of the largest when growing, to the oldest when not."""
    turn, replica_sets = scene([3, 3], 7, 0, 6)
    assert [(each is replica_sets[1], size) for each, size in proportions(turn, replica_sets)] == [
        (True, 4),
        (False, 3),
    ]
    turn, replica_sets = scene([3, 3], 5, 0, 6)
    assert [(each is replica_sets[0], size) for each, size in proportions(turn, replica_sets)] == [
        (True, 2),
        (False, 3),
    ]


def test_same_templates() -> None:
    """Quantities count by value, empty collections and the hash label not at all, all else does."""
    base = template("hello:1")
    limits = {"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}
    same = {"resources": {"limits": {"cpu": "1000m", "memory": "1024Mi"}}}

    def with_container(**fields: object) -> Object:
        return {
            **base,
            "spec": {**base["spec"], "containers": [{"name": "app", "image": "hello:1", **fields}]},
        }

    assert canonical(with_container(**limits)) == canonical(with_container(**same))
    assert canonical(with_container(args=[])) == canonical(base)
    assert canonical(template("hello:1", **{"pod-template-hash": "x"})) == canonical(base)
    assert canonical({**base, "metadata": {**base["metadata"], "annotations": {}}}) == canonical(base)
    different = [
        with_container(securityContext={}),
        template("hello:1", tier="x"),
        template("hello:2"),
        {**base, "metadata": {**base["metadata"], "annotations": {"restartedAt": "now"}}},
    ]
    assert len({canonical(each) for each in [base, *different]}) == 5


def test_hash() -> None:
    """FNV-1a of 32 bits in decimal, each digit as a safe letter; a collision count changes it."""
    digits = dict(zip("0123456789", "456789bcdf", strict=True))
    assert hash_of("", None) == "".join(digits[digit] for digit in str(0x811C9DC5))
    assert hash_of("foobar", None) == "".join(digits[digit] for digit in str(0xBF9CF968))
    assert len({hash_of("a", None), hash_of("a", 0), hash_of("a", 1)}) == 3
