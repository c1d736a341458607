"""What a target allows, and how what is not the run's is put back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gherkube.runners import kubectl, state
from gherkube.runners.errors import ApiError, CannotJudge, UsageError
from gherkube.runners.kind import clean
from gherkube.runners.kind.settings import KindSettings
from gherkube.runners.live import faults
from gherkube.runners.live.access import OWN, Need, base
from gherkube.runners.live.changes import NotPutBack
from gherkube.runners.live.cluster import LiveCluster
from gherkube.runners.live.faults import LiveFaults
from gherkube.runners.live.fences import Act, Fenced, Fences, kind_of_patch
from gherkube.runners.objects import Object
from gherkube.runners.settings import load
from gherkube.runners.target import Target, chosen, read_targets
from tests.door.serving import PATIENCE, configmap, deployment
from tests.live.conftest import Connect
from tests.live.proxy import Answer, Proxy


class Server:
    """A connection, as far as fences look at it."""

    server, fingerprint = "https://10.0.0.1", "ab" * 32


def fences(**target: Any) -> Fences:
    return Fences(Target("staging", **target), Server())  # type: ignore[arg-type]


SCALE = Act("scale", "deployments", "shop", "web", pods=3)


@pytest.mark.parametrize(
    ("target", "act", "why"),
    [
        ({"production": True}, SCALE, "it is production"),
        ({}, SCALE, "its namespaces are only those that the run makes"),
        ({"namespaces": ("qa",)}, SCALE, "its namespaces are qa"),
        ({"namespace": "shop", "acts": ("image",)}, SCALE, "its acts are image"),
        ({"namespace": "shop", "acts": ()}, SCALE, "its acts are none"),
        ({"namespace": "shop", "most_pods": 2}, SCALE, "its most-pods is 2, and this would make it 3"),
        ({"namespace": "shop"}, Act("nodes", "nodes", "", "node-1"), "its acts are create, change"),
        ({"namespace": "shop"}, Act("delete", "clusterroles", "", "admin"), "what all namespaces share"),
    ],
)
def test_a_fence_refuses(target: dict[str, Any], act: Act, why: str) -> None:
    """It says which fence it was, and which act."""
    with pytest.raises(Fenced, match=f"refused by the fences of context 'staging': {act.kind} .*{why}"):
        fences(**target).check(act, owned=False)


def test_production_refuses_what_is_the_runs_own_too() -> None:
    """Not even a namespace is made there."""
    with pytest.raises(Fenced):
        fences(production=True).check(SCALE, owned=True)


@pytest.mark.parametrize(
    "target",
    [
        {"namespace": "shop"},
        {"namespaces": ("qa", "shop"), "acts": ("scale",), "most_pods": 3},
        {"disposable": True},
        {"server": "https://10.0.0.1/", "ca": ":".join(["AB"] * 32), "namespace": "shop"},
    ],
)
def test_what_is_allowed_is_done(target: dict[str, Any]) -> None:
    """Within the fences nothing is refused."""
    fences(**target).check(SCALE, owned=False)


def test_pods_are_counted_over_the_whole_scenario() -> None:
    """The second act is one too many."""
    made = fences(namespace="shop", most_pods=5)
    made.check(SCALE, owned=False)
    with pytest.raises(Fenced, match="would make it 6"):
        made.check(SCALE, owned=False)


@pytest.mark.parametrize("where", [{"server": "https://10.0.0.2"}, {"ca": "cd" * 32}])
def test_another_cluster_behind_the_context(where: dict[str, str]) -> None:
    """It is refused before anything is asked of it."""
    with pytest.raises(Fenced, match="leads to another cluster than the settings mean"):
        fences(**where)


@pytest.mark.parametrize(
    ("resource", "patch", "subresource", "kind"),
    [
        ("deployments", {"spec": {"replicas": 2}}, "", "scale"),
        ("deployments", {"spec": {"replicas": 2}}, "scale", "scale"),
        ("deployments", {"spec": {"replicas": 2, "paused": True}}, "", "change"),
        (
            "deployments",
            {"spec": {"template": {"spec": {"containers": [{"name": "a", "image": "b"}]}}}},
            "",
            "image",
        ),
        (
            "deployments",
            {"spec": {"template": {"spec": {"containers": [{"name": "a", "env": []}]}}}},
            "",
            "change",
        ),
        ("deployments", [{"op": "replace", "path": "/spec/replicas", "value": 2}], "", "change"),
        ("nodes", {"spec": {"unschedulable": True}}, "", "nodes"),
    ],
)
def test_kinds_of_acts(resource: str, patch: Any, subresource: str, kind: str) -> None:
    """A patch is what it changes."""
    assert kind_of_patch(resource, patch, subresource) == kind


# --- What is not the run's


@pytest.fixture
def shop(plain: Path, connect: Connect) -> Iterator[LiveCluster]:
    """A cluster with a namespace "shop" of somebody else's, where a deployment runs."""
    cluster = connect(plain)
    owner = cluster._api
    owner.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    owner.create(deployment(replicas=3), namespace="shop")
    owner.create(configmap("notes", a="1"), namespace="shop")
    yield cluster
    owner.delete("namespaces", "shop")
    assert cluster.clock.wait(lambda: not _is_there(cluster, "namespaces", "shop"), PATIENCE)


def _is_there(cluster: LiveCluster, resource: str, name: str, namespace: str = "") -> bool:
    try:
        cluster._api.get(resource, name, namespace)
    except ApiError:
        return False
    return True


def get(cluster: LiveCluster, resource: str, name: str) -> Object:
    return cluster._api.get(resource, name, "shop")


def test_what_was_changed_is_put_back(shop: LiveCluster, plain: Path, connect: Connect) -> None:
    """In reverse order, and verified: changes, creations and deletions."""
    cluster = connect(plain, namespace="shop")
    assert cluster.namespace == "shop"
    assert not cluster.owns("shop")
    before = get(shop, "deployments", "web")["spec"]
    kubectl.scale(cluster.api, "deployments", "web", "shop", 1)
    kubectl.set_image(cluster.api, "deployments", "web", "shop", {"app": "hello:2"})
    cluster.api.create(configmap("new"), namespace="shop")
    kubectl.delete(cluster.api, "configmaps", "notes", "shop")
    cluster.close()
    assert get(shop, "deployments", "web")["spec"] == before
    assert get(shop, "configmaps", "notes")["data"] == {"a": "1"}
    assert not _is_there(shop, "configmaps", "new", "shop")
    assert cluster.said == [
        'configmaps "notes" in namespace "shop": made again',
        'configmaps "new" in namespace "shop": deleted again',
        'deployments "web" in namespace "shop": as it was before',
    ]


def test_a_pod_with_a_controller_is_not_made_again(shop: LiveCluster, plain: Path, connect: Connect) -> None:
    """Its controller has made another."""
    cluster = connect(plain, namespace="shop")
    assert cluster.clock.wait(lambda: len(cluster.api.list("pods", "shop")) == 3, PATIENCE)
    gone = cluster.api.list("pods", "shop")[0]["metadata"]["name"]
    kubectl.delete(cluster.api, "pods", gone, "shop")
    cluster.close()
    assert cluster.said == [f'pods "{gone}" in namespace "shop": left to its controller']
    assert shop.clock.wait(lambda: not _is_there(shop, "pods", gone, "shop"), PATIENCE)


def test_what_somebody_else_changed_since_is_left_and_told(
    shop: LiveCluster, plain: Path, connect: Connect
) -> None:
    """The run does not end as if nothing had happened, and overwrites nothing."""
    cluster = connect(plain, namespace="shop")
    kubectl.scale(cluster.api, "deployments", "web", "shop", 1)
    kubectl.scale(shop._api, "deployments", "web", "shop", 5)
    with pytest.raises(
        NotPutBack, match=r'not everything is as it was .* deployments "web" .*was 3, was made 1, and is 5'
    ):
        cluster.close()
    assert get(shop, "deployments", "web")["spec"]["replicas"] == 5


def test_what_is_to_stay_is_no_debt_of_the_run(shop: LiveCluster, plain: Path, connect: Connect) -> None:
    """What sets up a game day's simulator stays, and `gherkube clean` finds nothing to put back."""
    cluster, others = connect(plain, namespace="shop"), state.begin().journals()
    kubectl.scale(cluster.api, "deployments", "web", "shop", 1)
    assert len(state.begin().journals()) == len(others) + 1
    cluster.api.changes.release()
    assert state.begin().journals() == others
    cluster.close()
    assert get(shop, "deployments", "web")["spec"]["replicas"] == 1


def trying(cluster: LiveCluster) -> LiveFaults:
    """What a cluster that is no `gherkube serve` can be told of images."""
    return LiveFaults(cluster.name, cluster._api, lambda: cluster.namespace, cluster._allow)


def tried(cluster: LiveCluster) -> list[str]:
    pods = cluster._api.list("pods", "shop")
    return [name for pod in pods if (name := pod["metadata"]["name"]).startswith("gherkube-looks-")]


def test_whether_an_image_is_missing_is_tried(shop: LiveCluster, plain: Path, connect: Connect) -> None:
    """With a pod that is gone afterwards."""
    shop.faults.behave("gone:1", exists=False)
    cluster, owed = connect(plain, namespace="shop"), state.begin().debts()
    trying(cluster).behave("gone:1", exists=False)
    with pytest.raises(CannotJudge, match="there is such an image"):
        trying(cluster).behave("hello:1", exists=False)
    assert len(state.begin().debts()) == len(owed)
    assert shop.clock.wait(lambda: not tried(shop), PATIENCE)


def test_no_pod_is_tried_where_none_may_be_made(shop: LiveCluster, plain: Path, connect: Connect) -> None:
    """A fence holds for it, too."""
    cluster = connect(plain, namespace="shop", production=True)
    with pytest.raises(Fenced, match="it is production"):
        trying(cluster).behave("gone:1", exists=False)
    assert not tried(shop)


def test_a_pod_that_was_tried_by_a_killed_run_is_cleaned_away(
    shop: LiveCluster, plain: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was written down before it was made."""
    cluster = connect(plain, namespace="shop")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(faults, "take_away", killed)
        with pytest.raises(KeyboardInterrupt):
            trying(cluster).behave("hello:1", exists=False)
    [pod] = tried(shop)
    settled = clean.settle(state.begin(), KindSettings())
    assert f"pod {pod} in namespace shop of context gherkube: deleted" in settled.done
    assert shop.clock.wait(lambda: not tried(shop), PATIENCE)


def test_what_others_changed_beside_it_stays(shop: LiveCluster, plain: Path, connect: Connect) -> None:
    """Only what the run changed is put back."""
    cluster = connect(plain, namespace="shop")
    kubectl.set_image(cluster.api, "deployments", "web", "shop", {"app": "hello:2"})
    kubectl.scale(shop._api, "deployments", "web", "shop", 4)
    cluster.close()
    spec = get(shop, "deployments", "web")["spec"]
    assert (spec["replicas"], spec["template"]["spec"]["containers"][0]["image"]) == (4, "hello:1")


def test_a_given_verifies_what_is_not_the_runs(shop: LiveCluster, plain: Path, connect: Connect) -> None:
    """It neither makes nor changes anything there."""
    from gherkube.steps.world import World

    cluster = connect(plain, namespace="shop")
    world = World(cluster, namespace="shop", owns=cluster.owns)
    assert world.establish(configmap("notes", a="1"))["metadata"]["name"] == "notes"
    with pytest.raises(UsageError, match="this run does not make it"):
        world.establish(configmap("absent"))
    assert not _is_there(shop, "configmaps", "absent", "shop")


def test_a_namespace_that_is_not_there(plain: Path, connect: Connect) -> None:
    """Nothing is made in the place of a namespace that was named."""
    with pytest.raises((ApiError, CannotJudge), match='"absent" not found'):
        connect(plain, namespace="absent")


# --- Which target


TARGETS = {"staging": Target("staging-admin", namespace="shop", most_pods=2)}


def test_a_quota_for_the_namespaces_that_a_run_makes(plain: Path, connect: Connect) -> None:
    """On request; the user has to be allowed to make it."""
    cluster = connect(plain, quota={"pods": "2"})
    [quota] = cluster.api.list("resourcequotas", cluster.namespace)
    assert quota["spec"]["hard"] == {"pods": "2"}
    assert not connect(plain).api.list("resourcequotas", connect(plain).namespace)
    made = Need("create", "", "resourcequotas", OWN)
    assert made in base([OWN], makes=True, limits=True)
    assert made not in base([OWN], makes=True)


def test_a_target_by_its_name_or_its_context() -> None:
    """Its fences are there either way."""
    assert chosen(TARGETS, on="staging") == TARGETS["staging"]
    assert chosen(TARGETS, on="live", context="staging-admin") == TARGETS["staging"]
    assert chosen(TARGETS, on="live", context="other") == Target("other")
    assert chosen(TARGETS, on="staging", kubeconfig="here").most_pods == 2  # type: ignore[union-attr]
    assert chosen(TARGETS) is None
    assert chosen(TARGETS, on="simulator") is None


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"on": "live"}, "the current context is never taken in silence"),
        ({"on": "nowhere"}, "there are simulator, kind, live, staging"),
        ({"context": "a"}, "say --on live, too"),
        ({"on": "simulator", "namespace": "a"}, "say --on live, too"),
        ({"on": "staging", "context": "a"}, "is context 'staging-admin', not 'a'"),
    ],
)
def test_a_target_that_is_not_clear(said: dict[str, str], why: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(UsageError, match=why):
        chosen(TARGETS, **said)


def test_targets_are_settings(tmp_path: Path) -> None:
    """As they stand in gherkube.toml."""
    file = tmp_path / "gherkube.toml"
    said = 'acts = ["scale"]\nmost-pods = 3\nproduction = true\nquota = {pods = "9"}\nurls = {web = "http://a"}\n'
    file.write_text(f'[targets.staging]\ncontext = "a"\n{said}')
    settings = load(file)
    assert settings is not None
    assert settings.targets == {
        "staging": Target(
            "a", acts=("scale",), most_pods=3, production=True, quota={"pods": "9"}, urls={"web": "http://a"}
        )
    }


@pytest.mark.parametrize(
    ("targets", "why"),
    [
        ({"a": 1}, "tables are needed"),
        ({"live": {"context": "a"}}, "'live' has a meaning of its own"),
        ({"a": {}}, "a: a target needs its context"),
        ({"a": {"context": "a", "fence": 1}}, "a: unknown 'fence'"),
        ({"a": {"context": "a", "acts": ["dance"]}}, "acts: unknown dance; there are create, change"),
        ({"a": {"context": "a", "most-pods": "3"}}, "most-pods needs a number"),
        ({"a": {"context": "a", "production": "yes"}}, "production needs true or false"),
    ],
)
def test_targets_that_cannot_be(targets: Any, why: str) -> None:
    """What is wrong is named."""
    with pytest.raises(UsageError, match=why):
        read_targets(targets)


def test_nodes_are_taken_down_only_where_that_is_named(proxy: Proxy, plain: Path, connect: Connect) -> None:
    """On a cluster that is not disposable it is an act of its own."""
    proxy.rule = lambda _, path: Answer(404) if path == "/gherkube/v1" else None
    fenced = connect(proxy.kubeconfig)
    with pytest.raises(Fenced, match=r'node faults \(nodes "node-1"\): its acts are create, '):
        fenced.faults.stop_node("node-1")
    named = connect(proxy.kubeconfig, acts=("node faults",))
    with pytest.raises(CannotJudge, match="is not taken down: a live cluster is used by others"):
        named.faults.stop_node("node-1")
    own = connect(plain)
    own.faults.stop_node("node-1")
    own.faults.start_node("node-1")
