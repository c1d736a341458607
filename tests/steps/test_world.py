"""What words mean in a scenario: it, names, moments, attempts, settings."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.errors import CannotJudge, Refused, UsageError
from gherkube.runners.expectations.subjects import PodSelector, WorkloadRef
from gherkube.runners.simulator.cluster import Simulator
from gherkube.steps import given_cluster, manifests
from gherkube.steps.phrases import IT, Named, Pods, Version
from gherkube.steps.world import World, expand

from .conftest import Say

WEB = WorkloadRef("deployments", "default", "web")
API = WorkloadRef("deployments", "default", "api")


def make(world: World, name: str, namespace: str = "default") -> None:
    """A deployment that nobody has named."""
    world.api.create(manifests.workload("deployments", name, "hello:1", 1), namespace=namespace)


def test_it_is_the_workload_last_named(world: World) -> None:
    """Each mention counts."""
    assert world.workload(Named("deployments", "web")) == WEB
    assert world.workload(Named("deployments", "api")) == API
    assert world.workload(IT) == world.workload(None) == API
    assert world.workload(Named("deployments", "web")) == world.workload(IT) == WEB


def test_the_only_workload_need_not_be_named(world: World) -> None:
    """Also when it came with a manifest, or was made by somebody else."""
    make(world, "web")
    assert world.workload() == WEB


def test_several_workloads_and_none_named_is_an_error_that_lists_them(world: World) -> None:
    """Nothing is guessed."""
    make(world, "web")
    make(world, "api")
    with pytest.raises(UsageError, match='deployment "api", deployment "web"'):
        world.workload()


def test_no_workload_at_all_is_an_error(world: World) -> None:
    """It says how to begin."""
    with pytest.raises(UsageError, match="begin with a Given"):
        world.workload()


def test_a_name_is_looked_for_in_the_namespace_where_alone_it_is_known(world: World) -> None:
    """A name in two other namespaces must say which."""
    assert world.workload(Named("deployments", "web", "staging")).namespace == "staging"
    assert world.workload(Named("deployments", "web")).namespace == "staging"
    world.workload(Named("deployments", "web", "production"))
    with pytest.raises(UsageError, match="several namespaces"):
        world.workload(Named("deployments", "web"))
    world.workload(Named("deployments", "web", "default"))
    assert world.workload(Named("deployments", "web")).namespace == "default"


def test_pods_are_those_of_it_unless_told_by_name_or_labels(world: World) -> None:
    """A version, a revision or a node selects among them."""
    world.workload(Named("deployments", "web", "staging"))
    ref = WorkloadRef("deployments", "staging", "web")
    assert world.pods(Pods()) == PodSelector(ref, "staging")
    assert world.pods(Pods(version=Version(tag="v2"), revision="new", node="n")) == PodSelector(
        ref, "staging", version="v2", revision="new", node="n"
    )
    assert world.pods(Pods(version=Version(image="hello:2"))) == PodSelector(ref, "staging", image="hello:2")
    assert world.pods(Pods(labels="app=x")) == PodSelector(None, "default", labels="app=x")
    assert world.pods(Pods(name="db-0", namespace="y")) == PodSelector(None, "y", name="db-0")
    with pytest.raises(UsageError, match='is in namespace "staging"'):
        world.pods(Pods(namespace="production"))


def test_moments_are_noted_once_and_found_by_name(world: World, say: Say) -> None:
    """An unknown one is an error that lists those that there are."""
    say("when", 'I note the moment "before"')
    assert world.moment("before").position == len(world.cluster.history)
    with pytest.raises(UsageError, match="noted before"):
        say("when", 'I note the moment "before"')
    with pytest.raises(UsageError, match="noted: “before”"):
        world.moment("after")


def test_the_window_begins_at_the_first_when(world: World, say: Say) -> None:
    """The last one is when “within” counts from."""
    say("when", "30 seconds pass")
    say("when", "a minute passes")
    first = world.judge.first_when
    assert first is not None
    assert (first.at, world.judge.last_when) == (0.0, 90.0)


def test_settings_stand_for_names() -> None:
    """An unset one is an error that says what is set."""
    assert expand("to ${VERSION} of ${APP}", {"VERSION": "v2", "APP": "web"}) == "to v2 of web"
    assert expand("$VERSION $(X) {Y}", {}) == "$VERSION $(X) {Y}"
    with pytest.raises(UsageError, match=r"\$\{VERSIO\} is not set.*--set VERSIO=VALUE; set are VERSION"):
        expand("${VERSIO}", {"VERSION": "v2"})


def test_files_are_read_beside_the_feature(world: World) -> None:
    """With settings filled in; a missing file is an error that names the folder."""
    (world.base / "web.yaml").write_text("image: ${VERSION}")
    assert world.read("web.yaml") == "image: v2"
    with pytest.raises(UsageError, match=f"absent.yaml cannot be read: .*{world.base.name}"):
        world.read("absent.yaml")
    (world.base / "wrong.yaml").write_text("image: ${OTHER}")
    with pytest.raises(UsageError, match=r"wrong\.yaml: "):
        world.read("wrong.yaml")


def test_an_attempt_that_is_refused_can_be_judged(world: World, say: Say) -> None:
    """With words of the refusal; nothing is left unjudged."""
    say("when", 'I try to scale deployment "absent" to 2 replicas')
    say("then", 'the attempt is refused with "not found"')
    say("then", "the attempt was refused")
    assert world.unjudged() == []


def test_a_refusal_without_try_fails_at_once(say: Say) -> None:
    """So that a typing error is not taken for a success."""
    with pytest.raises(Refused, match="not found"):
        say("when", 'I scale deployment "absent" to 2 replicas')


def test_an_attempt_that_is_not_refused_is_found_out(world: World, say: Say, web: Any) -> None:
    """By the Then, or, without one, by whoever asks what was not judged."""
    del web
    say("when", 'I try to scale deployment "web" to 3 replicas')
    assert world.unjudged() == ['I try to scale deployment "web" to 3 replicas']
    with pytest.raises(Exception, match="it was not refused"):
        say("then", 'the attempt is refused with "not found"')
    assert world.unjudged() == []


def test_the_words_of_a_refusal_count(say: Say) -> None:
    """Another refusal than the expected one fails, and is told."""
    say("when", 'I try to scale deployment "absent" to 2 replicas')
    with pytest.raises(Exception, match=r"it was refused with: .*not found"):
        say("then", 'the attempt is refused with "paused"')


def test_judging_what_was_not_done_is_an_error(say: Say) -> None:
    """No attempt, no command, no requests: nothing to say about them."""
    for sentence in (
        "the attempt is refused",
        "the command succeeds",
        "the command fails",
        'the command fails with "x"',
        'the output contains "x"',
        'every answer contains "x"',
    ):
        with pytest.raises(UsageError, match=r"When|“I try"):
            say("then", sentence)


class Borrowed(Simulator):
    """A cluster on which a run may make nothing."""

    name = "staging"
    owns_namespaces = False
    asked: tuple[int, str, str] | None = None

    def set_nodes(self, count: int, *, cpu: str = "", memory: str = "") -> None:
        self.asked = (count, cpu, memory)


def test_elsewhere_a_given_verifies(world: World) -> None:
    """It makes nothing, and says what is missing or different."""
    borrowed = World(Borrowed(seed=1))
    with pytest.raises(UsageError, match="does not make it on staging"):
        borrowed.establish(manifests.workload("deployments", "web", "hello:1", 2))
    made = borrowed.api.create(manifests.workload("deployments", "web", "hello:1", 2), namespace="default")
    assert borrowed.establish(manifests.workload("deployments", "web", "hello:1", 2)) == made
    with pytest.raises(UsageError, match=r"not as the Given says: spec\.replicas is 2, not 3"):
        borrowed.establish(manifests.workload("deployments", "web", "hello:1", 3))
    with pytest.raises(UsageError, match="makes none on staging"):
        borrowed.ensure_namespace("production")
    world.ensure_namespace("production")
    assert world.api.get("namespaces", "production")


def test_elsewhere_nodes_are_looked_at() -> None:
    """How many there are is counted; whether their size can be vouched for, the cluster knows."""
    world = World(Borrowed(seed=1))
    Simulator.set_nodes(world.cluster, 3)  # type: ignore[arg-type]
    given_cluster.nodes(world, 3)
    given_cluster.nodes(world, 3, "1", "2Gi")
    assert world.cluster.asked == (3, "1", "2Gi")  # type: ignore[attr-defined]
    with pytest.raises(CannotJudge, match="staging has 3 nodes that take pods, not 4"):
        given_cluster.nodes(world, 4)
