"""What a live run survives, and what it says of what it does not."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from gherkube.runners.errors import CannotJudge, UsageError
from gherkube.runners.expectations.count import Count, at_least, at_most
from gherkube.runners.expectations.judge import Judge
from gherkube.runners.expectations.pods import PodsStatement
from gherkube.runners.expectations.subjects import PodSelector, WorkloadRef, has_image
from gherkube.runners.expectations.time import Becomes, Throughout
from gherkube.runners.expectations.workloads import WorkloadStatement
from gherkube.runners.history import ADDED, DELETED
from gherkube.runners.kubectl import set_image
from gherkube.runners.live import namespace as namespaces
from gherkube.runners.live.api import LiveApi
from gherkube.runners.live.cluster import LiveCluster
from gherkube.runners.live.namespace import NotGone
from gherkube.runners.objects import is_ready
from gherkube.runners.simulator.server import tls
from tests.door.serving import PATIENCE, configmap, deployment
from tests.live.conftest import Connect
from tests.live.proxy import WATCHES, Answer, Proxy

AT_LEAST_TWO = at_least(2)


def update(cluster: LiveCluster) -> Judge:
    """A deployment of three pods that was updated, and a judge who saw it from before."""
    ref = WorkloadRef("deployments", cluster.namespace, "web")
    judge = Judge(cluster, patience=PATIENCE)
    cluster.api.create(deployment(replicas=3), namespace=cluster.namespace)
    judge.judge(WorkloadStatement.rollout(ref, "completes"), Becomes())
    judge.first_when = judge.moment()
    set_image(cluster.api, "deployments", "web", cluster.namespace, {"app": "hello:2"})
    judge.last_when = cluster.clock.now()
    judge.judge(WorkloadStatement.rollout(ref, "completes"), Becomes())
    return judge


def ready(cluster: LiveCluster, count: Count = AT_LEAST_TWO) -> PodsStatement:
    """So many pods are ready."""
    ref = WorkloadRef("deployments", cluster.namespace, "web")
    return PodsStatement(PodSelector(ref, cluster.namespace), count, "ready")


def cut_watches(cluster: LiveCluster) -> None:
    """Ends the connection of each watch, once all have one."""
    watches = cluster.history.watches()
    assert cluster.clock.wait(lambda: all(watch._open for watch in watches), PATIENCE)
    for watch in watches:
        watch.cut()


def test_a_watch_that_is_cut_again_and_again_misses_nothing(proxy: Proxy, connect: Connect) -> None:
    """It is taken up where it was, so the past is judged as ever."""
    proxy.cut = 1
    cluster = connect(proxy.kubeconfig)
    judge = update(cluster)
    judge.judge(ready(cluster), Throughout())
    assert cluster.clock.wait(lambda: len(cluster.api.list("pods", cluster.namespace)) == 3, PATIENCE)
    cluster.clock.settle()
    assert judge.first_when is not None
    pods = [c for c in cluster.history.since(judge.first_when.position) if c.resource == "pods"]
    assert sum(change.type == ADDED for change in pods) == 3
    assert sum(change.type == DELETED for change in pods) == 3
    assert sum(WATCHES in path for _, path in proxy.asked) > 40


@pytest.mark.parametrize("how", ["held", "cut"])
def test_a_watch_that_lags_behind_the_others(proxy: Proxy, connect: Connect, how: str) -> None:
    """What the others saw waits for it: pods are not told of before the ReplicaSet that made them."""
    cluster = connect(proxy.kubeconfig)
    judge = Judge(cluster, patience=PATIENCE)
    ref = WorkloadRef("deployments", cluster.namespace, "web")
    cluster.api.create(deployment(replicas=3), namespace=cluster.namespace)
    judge.judge(WorkloadStatement.rollout(ref, "completes"), Becomes())
    judge.first_when = judge.moment()
    if how == "held":
        proxy.held = "/replicasets"
    else:
        proxy.rule = lambda _, path: Answer(503) if WATCHES in path and "/replicasets" in path else None
        cut_watches(cluster)
    somebody = LiveApi(cluster._connection, cluster._discovery)
    set_image(somebody, "deployments", "web", cluster.namespace, {"app": "hello:2"})

    def is_updated() -> bool:
        pods = cluster.history.known("pods", cluster.namespace)
        return len(pods) == 3 and all(has_image(pod["spec"], "hello:2") and is_ready(pod) for pod in pods)

    assert cluster.clock.wait(is_updated, PATIENCE)
    told = list(cluster.history.since(judge.first_when.position))
    assert not [change for change in told if change.resource == "pods"]
    proxy.rule = lambda *_: None
    proxy.free.set()
    judge.judge(WorkloadStatement.rollout(ref, "completes"), Becomes())
    judge.judge(ready(cluster), Throughout())
    judge.judge(ready(cluster, at_most(4)), Throughout())


def test_the_past_is_not_judged_over_a_gap(proxy: Proxy, connect: Connect) -> None:
    """Where the server had dropped versions, nobody knows what was; the present is judged all the same."""
    cluster = connect(proxy.kubeconfig)
    judge = Judge(cluster, patience=PATIENCE)
    judge.first_when = start = judge.moment()
    gone = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}}
    proxy.times(1, lambda _, path: WATCHES in path and "/pods" in path, Answer(200, body=gone))
    cut_watches(cluster)
    assert cluster.clock.wait(lambda: bool(cluster.history.gap(start.at)), PATIENCE)
    ref = WorkloadRef("deployments", cluster.namespace, "web")
    cluster.api.create(deployment(replicas=3), namespace=cluster.namespace)
    judge.judge(WorkloadStatement.rollout(ref, "completes"), Becomes())
    with pytest.raises(CannotJudge, match="410 Gone"):
        judge.judge(ready(cluster), Throughout())


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_server_that_is_busy_or_broken_for_a_while(proxy: Proxy, connect: Connect, code: int) -> None:
    """What it refuses is asked again, and nothing is made twice."""
    cluster = connect(proxy.kubeconfig)
    proxy.times(8, lambda *_: True, Answer(code, retry_after="0"))
    update(cluster)
    made = [1 for method, path in proxy.asked if method == "POST" and path.endswith("/deployments")]
    assert len(made) >= 1


@pytest.mark.parametrize("code", [0, 500])
def test_a_create_whose_answer_was_lost_is_looked_for(proxy: Proxy, connect: Connect, code: int) -> None:
    """It was made: so it is not made again."""
    cluster = connect(proxy.kubeconfig)
    proxy.times(1, lambda method, _: method == "POST", Answer(code, after=True))
    made = cluster.api.create(configmap("notes", a="1"), namespace=cluster.namespace)
    assert made["data"] == {"a": "1"}
    assert [method for method, path in proxy.asked if path.endswith("/configmaps")] == ["POST"]


def test_a_write_of_which_nobody_knows_cannot_be_judged(proxy: Proxy, connect: Connect) -> None:
    """A JSON patch that may have been made or not: it is not made a second time."""
    cluster = connect(proxy.kubeconfig)
    cluster.api.create(configmap("notes", a="1"), namespace=cluster.namespace)
    proxy.times(1, lambda method, _: method == "PATCH", Answer(0, after=True))
    change = [{"op": "add", "path": "/data/b", "value": "2"}]
    with pytest.raises(CannotJudge, match=r"whether PATCH .*/configmaps/notes was made, nobody can tell"):
        cluster.api.patch("configmaps", "notes", change, cluster.namespace, type="json")
    assert [method for method, _ in proxy.asked].count("PATCH") == 1


def test_a_delete_whose_answer_was_lost(proxy: Proxy, connect: Connect) -> None:
    """What is gone was deleted."""
    cluster = connect(proxy.kubeconfig)
    cluster.api.create(configmap("notes"), namespace=cluster.namespace)
    proxy.times(1, lambda method, _: method == "DELETE", Answer(0, after=True))
    assert cluster.api.delete("configmaps", "notes", cluster.namespace)["status"] == "Success"


@pytest.mark.parametrize("ahead", [0, 7200, -7200])
def test_a_wrong_clock(proxy: Proxy, connect: Connect, ahead: int) -> None:
    """Where the API needs a time it is the server's, whatever the clock here says; waiting counts here."""
    proxy.ahead = ahead
    cluster = connect(proxy.kubeconfig)
    told = datetime.fromisoformat(cluster.clock.timestamp()).timestamp()
    assert abs(told - cluster.clock.now() - (time.time() + ahead)) < 600
    assert cluster.clock.now() < 7200


# --- What it says


def altered(kubeconfig: Path, folder: Path, part: str, **changes: object) -> Path:
    """The kubeconfig with another cluster or user."""
    config = yaml.safe_load(kubeconfig.read_text())
    config[f"{part}s"][0][part] |= changes
    (folder / "altered").write_text(yaml.safe_dump(config))
    return folder / "altered"


def test_an_expired_token(served: Path, tmp_path: Path, connect: Connect) -> None:
    """Who asks is not known: it is said so, with what to do."""
    with pytest.raises(CannotJudge, match=r"does not know who asks \(401 Unauthorized\).*log in again"):
        connect(altered(served, tmp_path, "user", token="expired"))


def test_the_certificate_of_another_cluster(served: Path, tmp_path: Path, connect: Connect) -> None:
    """An address that another cluster has now is not talked to."""
    from base64 import b64encode

    other = b64encode(tls.make("127.0.0.1")[1]).decode()
    with pytest.raises(
        CannotJudge, match=r"a certificate that the kubeconfig does not trust .*another cluster"
    ):
        connect(altered(served, tmp_path, "cluster", **{"certificate-authority-data": other}))


def test_a_server_that_is_not_there(served: Path, tmp_path: Path, connect: Connect) -> None:
    """At once, with its address."""
    with pytest.raises(CannotJudge, match=r"\(https://127\.0\.0\.1:1\) does not answer: .*refused"):
        connect(altered(served, tmp_path, "cluster", server="https://127.0.0.1:1"))


def test_a_context_that_is_not_there(served: Path) -> None:
    """The contexts that there are are named."""
    from gherkube.runners.live.connection import connect as reach

    with pytest.raises(UsageError, match=r"no context 'prod' in .*; the contexts are: gherkube"):
        reach("prod", str(served))


def test_a_kubeconfig_that_is_not_there(tmp_path: Path) -> None:
    """Its path, and how to name another."""
    from gherkube.runners.live.connection import connect as reach

    with pytest.raises(UsageError, match=r"nowhere cannot be read \(No such file or directory\): name one"):
        reach("prod", str(tmp_path / "nowhere"))


def test_a_namespace_that_does_not_go_away(
    plain: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What holds it is named, and how to remove it; it does not end in silence."""
    cluster = connect(plain)
    held = configmap("held")
    held["metadata"]["finalizers"] = ["example.com/held"]
    cluster.api.create(held, namespace=cluster.namespace)
    monkeypatch.setattr(namespaces, "GOES_WITHIN", 0.5)
    with pytest.raises(
        NotGone, match=r'namespace ".+", which this run made, does not go away: .*example.com/held'
    ):
        cluster.close()
    cluster._api.patch("configmaps", "held", {"metadata": {"finalizers": None}}, cluster.namespace)
    other = connect(plain)

    def is_gone() -> bool:
        there = other.api.list("namespaces", labels="gherkube.dev/run")
        return cluster.namespace not in [each["metadata"]["name"] for each in there]

    assert other.clock.wait(is_gone, PATIENCE)
