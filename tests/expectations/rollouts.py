"""Rollouts that hypothesis makes up: what the images do, what is done and what breaks, and what is said."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from hypothesis import strategies as st

from gherkube.runners import kubectl
from gherkube.runners.errors import ApiError, Refused
from gherkube.runners.expectations.count import Count, at_least, at_most, between, every, exactly, none
from gherkube.runners.expectations.endpoints import EndpointsStatement
from gherkube.runners.expectations.events import EventStatement
from gherkube.runners.expectations.judge import Judge
from gherkube.runners.expectations.kept import KeptPods
from gherkube.runners.expectations.nodes import PodsOnNodes
from gherkube.runners.expectations.past import HAPPENINGS, OneAtATime, PodsHappened
from gherkube.runners.expectations.pods import PodsStatement
from gherkube.runners.expectations.statement import Both, Statement, Tracker
from gherkube.runners.expectations.subjects import PodSelector, WorkloadRef
from gherkube.runners.expectations.workloads import WorkloadStatement
from gherkube.runners.objects import Key, Object
from gherkube.runners.simulator.cluster import Simulator

WEB = WorkloadRef("deployments", "default", "web")
SERVICE = Key("default", "web")
IMAGES = ("hello:1", "hello:2", "hello:3")
SETTINGS = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "b"}}


class Act(NamedTuple):
    """Something that is done, so many seconds after what was done before."""

    what: str
    argument: Any
    after: float


class Rollout(NamedTuple):
    """A cluster, a deployment, how the images behave, what is done, and the statement that is judged."""

    seed: int
    nodes: int
    cpu: str
    spec: Object
    behaviours: Mapping[str, Mapping[str, Any]]
    flows: bool
    acts: tuple[Act, ...]
    statement: Statement


class Patient(Judge):
    """A judge that never takes waiting to be in vain."""

    def _in_vain(self, _statement: Statement, _tracker: Tracker) -> str:
        return ""


def play(rollout: Rollout) -> Simulator:
    """The cluster as it is when the last act is done; `Judge`s are made by `judges`."""
    simulator = Simulator(rollout.seed, 0)
    simulator.set_nodes(rollout.nodes, cpu=rollout.cpu)
    for image, behaviour in rollout.behaviours.items():
        simulator.faults.behave(image, **behaviour)
    labels = {"app": "web"}
    simulator.api.create(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web"},
            "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]},
        }
    )
    if rollout.flows:
        simulator.traffic.flow(SERVICE, 1.0)
    spec = {**rollout.spec, "selector": {"matchLabels": labels}}
    simulator.api.create(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}
    )
    return simulator


def act(simulator: Simulator, what: str, argument: Any) -> None:
    """Does it; what is refused does not happen."""
    api, where = simulator.api, ("deployments", "web", "default")
    with suppress(Refused, ApiError):
        match what:
            case "update":
                kubectl.set_image(api, *where, {"app": argument})
            case "scale":
                kubectl.scale(api, *where, argument)
            case "undo":
                kubectl.undo(api, *where)
            case "pause":
                kubectl.pause(api, *where)
            case "resume":
                kubectl.resume(api, *where)
            case "stop":
                simulator.faults.stop_node(argument)
            case "start":
                simulator.faults.start_node(argument)
            case "cordon":
                kubectl.cordon(api, argument)
            case "behave":
                simulator.faults.behave(argument[0], **argument[1])
            case "configure":
                kubectl.create(api, SETTINGS, "default")
            case "delete pod":
                if pods := api.list("pods", "default"):
                    api.delete("pods", pods[0]["metadata"]["name"], "default")
            case "hold pod":
                if pods := api.list("pods", "default"):
                    holding = {"metadata": {"finalizers": ["example.com/hold"]}}
                    api.patch("pods", pods[0]["metadata"]["name"], holding, "default")
            case "delete":
                api.delete(*where)


# --- What is made up

BEHAVIOURS = st.sampled_from(
    [
        {},
        {"exists": False},
        {"pull_seconds": 45.0},
        {"listen_after": 20.0},
        {"ready_after": 30.0},
        {"ready_after": 200.0},
        {"never_ready": True},
        {"crash_after": 0.5},
        {"crash_after": 25.0, "exit_code": 0},
        {"crash_after": 200.0},
        {"fails_liveness_after": 15.0},
        {"fails_readiness_after": 40.0},
        {"hangs_after": 30.0},
        {"stop_seconds": 12.0},
        {"ignores_sigterm": True},
        {"memory": 2**27},
        {"exists": False, "ready_after": 10.0},
    ]
)


def _probe(draw: st.DrawFn, path: str) -> Object:
    return {
        "httpGet": {"path": path, "port": 8080},
        "periodSeconds": draw(st.sampled_from([1, 5, 10])),
        "failureThreshold": draw(st.sampled_from([1, 3])),
    }


@st.composite
def _containers(draw: st.DrawFn) -> Object:
    container: Object = {"name": "app", "image": "hello:1", "ports": [{"containerPort": 8080}]}
    for role, path in (
        ("readinessProbe", "/readyz"),
        ("livenessProbe", "/healthz"),
        ("startupProbe", "/healthz"),
    ):
        if draw(st.booleans()):
            container[role] = _probe(draw, path)
    resources: Object = {}
    if draw(st.integers(0, 3)) == 0:
        resources["requests"] = {"cpu": draw(st.sampled_from(["500m", "1500m"]))}
    if draw(st.integers(0, 3)) == 0:
        resources["limits"] = {"memory": "64Mi"}
    if draw(st.integers(0, 7)) == 0:
        container["envFrom"] = [{"configMapRef": {"name": "settings"}}]
    spec: Object = {"containers": [{**container, "resources": resources}]}
    if draw(st.integers(0, 7)) == 0:
        spec["volumes"] = [{"name": "settings", "configMap": {"name": "settings"}}]
    if draw(st.integers(0, 3)) == 0:
        spec["terminationGracePeriodSeconds"] = draw(st.sampled_from([1, 60]))
    return spec


@st.composite
def _specs(draw: st.DrawFn) -> Object:
    surge, unavailable = draw(
        st.sampled_from([("25%", "25%"), (1, 0), (0, 1), (2, 2), ("100%", 0), (0, "50%")])
    )
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    return {
        "replicas": draw(st.sampled_from([3, 4, 2, 1, 0])),
        "minReadySeconds": draw(st.sampled_from([0, 0, 5, 40])),
        "progressDeadlineSeconds": draw(st.sampled_from([50, 120, 600])),
        "strategy": draw(st.sampled_from([rolling, rolling, {"type": "Recreate"}])),
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": draw(_containers())},
    }


def _acts(nodes: int) -> st.SearchStrategy[Act]:
    node = st.sampled_from([f"node-{index}" for index in range(1, nodes + 1)])
    image = st.sampled_from(IMAGES)
    what = st.one_of(
        st.tuples(st.just("update"), image),
        st.tuples(st.just("update"), image),
        st.tuples(st.just("scale"), st.integers(0, 5)),
        st.tuples(
            st.sampled_from(["undo", "pause", "resume", "delete pod", "hold pod", "configure"]), st.none()
        ),
        st.tuples(st.sampled_from(["stop", "start", "cordon"]), node),
        st.tuples(st.just("behave"), st.tuples(image, BEHAVIOURS | st.just({"exists": True}))),
        st.tuples(st.just("delete"), st.none()),
    )
    after = st.sampled_from([0.0, 0.3, 2.0, 7.0, 20.0, 60.0, 330.0])
    return st.builds(lambda pair, seconds: Act(*pair, seconds), what, after)


COUNTS: st.SearchStrategy[Count] = st.one_of(
    st.builds(exactly, st.integers(0, 5)),
    st.builds(at_least, st.integers(1, 5)),
    st.builds(at_most, st.integers(0, 3)),
    st.builds(lambda low, more: between(low, low + more), st.integers(0, 3), st.integers(0, 2)),
    st.builds(lambda n, more: exactly(n, n + more), st.integers(0, 3), st.integers(0, 2)),
    st.just(none()),
    st.just(every()),
)
SELECTORS: st.SearchStrategy[PodSelector] = st.one_of(
    st.just(PodSelector(WEB, "default")),
    st.sampled_from(["1", "2"]).map(lambda tag: PodSelector(WEB, "default", version=tag)),
    st.sampled_from(["new", "old"]).map(lambda which: PodSelector(WEB, "default", revision=which)),
    st.just(PodSelector(WEB, "default", node="node-1")),
    st.just(PodSelector(None, "default", labels="app=web")),
)
STATUSES = (
    "Running",
    "Pending",
    "ContainerCreating",
    "ErrImagePull",
    "ImagePullBackOff",
    "CrashLoopBackOff",
    "Error",
    "Completed",
    "OOMKilled",
    "CreateContainerConfigError",
    "Terminating",
)
CONDITIONS = (
    ("Available", "True", ""),
    ("Available", "False", ""),
    ("Progressing", "False", "ProgressDeadlineExceeded"),
    ("Progressing", "True", "NewReplicaSetAvailable"),
    ("Progressing", "Unknown", "DeploymentPaused"),
)
PARTIALS: tuple[Object, ...] = (
    {"status": {"phase": "Running"}},
    {"status": {"containerStatuses": [{"name": "app", "restartCount": 2}]}},
    {"status": {"containerStatuses": [{"name": "app", "ready": True}]}},
)


def _pods() -> st.SearchStrategy[Statement]:
    plain = st.sampled_from(["active", "running", "ready", "available", "pending", "terminating", "exist"])
    return st.one_of(
        st.builds(PodsStatement, SELECTORS, COUNTS, plain),
        st.builds(PodsStatement, SELECTORS, COUNTS, st.just("ready")),
        st.builds(PodsStatement, SELECTORS, COUNTS, st.just("show"), st.sampled_from(STATUSES)),
        st.builds(
            PodsStatement,
            SELECTORS,
            COUNTS,
            st.just("restarted"),
            st.none() | st.builds(at_least, st.just(3)),
        ),
        st.builds(PodsStatement, SELECTORS, COUNTS, st.just("on_node"), st.just("node-1")),
        st.builds(PodsStatement, SELECTORS, COUNTS, st.just("match"), st.sampled_from(PARTIALS)),
    )


def _workloads() -> st.SearchStrategy[Statement]:
    of = WorkloadStatement
    what = st.sampled_from(["completes", "completes", "stuck", "exceeds_deadline"])
    said = st.sampled_from(["updated", "successfully", "pending termination", "exceeded"])
    paths = st.sampled_from(["status.readyReplicas", "status.updatedReplicas", "status.unavailableReplicas"])
    return st.one_of(
        what.map(lambda one: of.rollout(WEB, one)),
        said.map(lambda text: of.rollout(WEB, "status_says", text)),
        st.builds(
            lambda ready, total: of.replicas(WEB, ready=ready, total=total), COUNTS, st.none() | COUNTS
        ),
        COUNTS.map(lambda count: of.replicas(WEB, available=count)),
        COUNTS.map(lambda count: of.replicas(WEB, up_to_date=count)),
        st.sampled_from(CONDITIONS).map(lambda one: of.condition(WEB, *one)),
        st.builds(lambda path, n: of.field(WEB, path, n), paths, st.integers(1, 4)),
        st.lists(st.integers(0, 4), min_size=1, max_size=3).map(lambda counts: of.replica_sets(WEB, counts)),
        st.sampled_from([[1], [2], [1, 2], [2, 3]]).map(lambda numbers: of.revisions(WEB, numbers)),
        st.sampled_from(IMAGES).map(lambda image: of.revision_image(WEB, 2, image)),
    )


def _others() -> st.SearchStrategy[Statement]:
    reasons = st.sampled_from(["Failed", "BackOff", "Unhealthy", "FailedScheduling", "Started", "Killing"])
    return st.one_of(
        st.builds(PodsOnNodes, SELECTORS, COUNTS),
        st.builds(
            EventStatement, reasons, SELECTORS, st.just(""), st.sampled_from([1, 2, 4, 9]).map(at_least)
        ),
        st.builds(
            EventStatement, st.just("ScalingReplicaSet"), st.just(WEB), st.just(""), st.just(at_least(4))
        ),
        COUNTS.map(lambda count: EndpointsStatement(SERVICE, count=count)),
        SELECTORS.map(lambda only: EndpointsStatement(SERVICE, only=only)),
        st.builds(PodsHappened, SELECTORS, COUNTS, st.sampled_from(HAPPENINGS)),
        st.builds(OneAtATime, SELECTORS),
        st.builds(KeptPods, SELECTORS, st.just("ready all along"), st.none(), st.just("never restarted")),
    )


STATEMENTS: st.SearchStrategy[Statement] = st.one_of(
    _pods(), _workloads(), _others(), st.builds(Both, _pods(), _pods())
)


@st.composite
def rollouts(draw: st.DrawFn) -> Rollout:
    """A rollout and a statement about it."""
    nodes = draw(st.integers(1, 3))
    return Rollout(
        seed=draw(st.integers(0, 2**16)),
        nodes=nodes,
        cpu=draw(st.sampled_from(["2", "4"])),
        spec=draw(_specs()),
        behaviours={
            "hello:1": draw(st.just({}) | BEHAVIOURS),
            "hello:2": draw(BEHAVIOURS),
            "hello:3": draw(BEHAVIOURS),
        },
        flows=draw(st.integers(0, 3)) == 0,
        acts=tuple(draw(st.lists(_acts(nodes), min_size=1, max_size=5))),
        statement=draw(STATEMENTS),
    )
