"""What kubectl sends makes of the old object the new one, on the API server that has to apply it."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gherkube.runners.kubectl.diff import three_way, two_way
from gherkube.runners.objects import Object
from gherkube.runners.simulator.api.patches import strategic

WORDS = st.sampled_from(["a", "b", "c", "d"])
TEXTS = st.dictionaries(WORDS, WORDS, max_size=3)


def lists(key: str, item: dict[str, st.SearchStrategy[Any]], keys: st.SearchStrategy[Any] = WORDS) -> Any:
    """Lists of objects, each with a key of its own and some of the other fields."""
    items = st.fixed_dictionaries({key: keys}, optional=item)
    return st.lists(items, unique_by=lambda each: each[key], min_size=1, max_size=3)


CONTAINERS = lists(
    "name",
    {
        "image": WORDS,
        "args": st.lists(WORDS, min_size=1, max_size=3),
        "env": lists("name", {"value": WORDS}),
        "ports": lists("containerPort", {"name": WORDS}, st.sampled_from([80, 81, 82])),
        "volumeMounts": lists("mountPath", {"name": WORDS}),
        "resources": st.fixed_dictionaries({"limits": TEXTS}),
    },
)
VOLUMES = lists(
    "name",
    {"emptyDir": st.just({}), "configMap": st.fixed_dictionaries({"name": WORDS})},
)
STRATEGIES = st.one_of(
    st.just({"type": "Recreate"}),
    st.fixed_dictionaries(
        {
            "type": st.just("RollingUpdate"),
            "rollingUpdate": st.fixed_dictionaries({"maxSurge": st.integers(0, 2)}),
        }
    ),
)
DEPLOYMENTS = st.fixed_dictionaries(
    {
        "metadata": st.fixed_dictionaries(
            {"name": st.just("web")}, optional={"labels": TEXTS, "annotations": TEXTS}
        ),
        "spec": st.fixed_dictionaries(
            {
                "template": st.fixed_dictionaries(
                    {
                        "spec": st.fixed_dictionaries(
                            {"containers": CONTAINERS},
                            optional={"volumes": VOLUMES, "tolerations": st.lists(TEXTS, max_size=2)},
                        )
                    }
                ),
                "strategy": STRATEGIES,
            },
            optional={"replicas": st.integers(0, 3), "paused": st.booleans()},
        ),
    }
)


def without_empty(value: Any) -> Any:
    """The value without empty maps and lists in it: to the API server they are as good as absent."""
    if isinstance(value, dict):
        kept = {key: without_empty(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each not in ({}, [])}
    return [without_empty(each) for each in value] if isinstance(value, list) else value


def says(live: Any, wanted: Any) -> bool:
    """Whether `live` has all that `wanted` says; lists of objects by their first common key."""
    if isinstance(wanted, dict):
        return all(key in live and says(live[key], each) for key, each in wanted.items())
    if isinstance(wanted, list) and wanted and isinstance(wanted[0], dict):
        return len(live) >= len(wanted) and all(any(says(one, each) for one in live) for each in wanted)
    return bool(live == wanted)


@settings(max_examples=60)
@given(DEPLOYMENTS, DEPLOYMENTS)
def test_a_two_way_patch_makes_the_new_object(old: Object, new: Object) -> None:
    """Whatever is between them."""
    assert without_empty(strategic(old, two_way(old, new), "Deployment")) == without_empty(new)


@settings(max_examples=60)
@given(DEPLOYMENTS, DEPLOYMENTS)
def test_applying_again_changes_nothing(applied: Object, wanted: Object) -> None:
    """After an apply the same manifest needs no patch, and all that it says is there."""
    live = strategic(applied, three_way(applied, wanted, applied), "Deployment")
    assert says(live, without_empty(wanted))
    assert three_way(wanted, wanted, live) == {}


@settings(max_examples=60)
@given(DEPLOYMENTS, st.integers(4, 9))
def test_what_the_manifest_never_said_stays(applied: Object, replicas: int) -> None:
    """A number of replicas that somebody else has set."""
    manifest = {**applied, "spec": {k: v for k, v in applied["spec"].items() if k != "replicas"}}
    live = {**applied, "spec": {**applied["spec"], "replicas": replicas}}
    assert three_way(manifest, manifest, live) == {}
