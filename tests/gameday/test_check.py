"""`gherkube gameday check` looks at everything and touches nothing; each thing can stand against a day."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from gherkube.runners.errors import ApiError
from gherkube.runners.gameday import check, checks_live, opening
from gherkube.runners.gameday.lease import Lease
from gherkube.runners.gameday.reading import read
from gherkube.runners.live.access import Need
from gherkube.runners.live.api import LiveApi
from gherkube.runners.live.connection import connect
from gherkube.runners.live.discovery import Discovery
from gherkube.runners.objects import Object, is_ready
from tests.conftest import Project
from tests.door.serving import deployment, service, serving
from tests.gameday.test_rehearsal import FEATURE
from tests.gameday.test_rehearsal import PLAN as ON_SIMULATOR

PLAN = ON_SIMULATOR.replace("target: simulator", "target: staging")
STEADY = "steady-state: ['at least 3 pods of deployment \"web\" are ready'"
FIVE = STEADY.replace("at least 3", "5")
SETTINGS = """\
[targets.staging]
context = "gherkube"
kubeconfig = "{kubeconfig}"
namespaces = ["{namespace}"]
"""


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """That of a server."""
    with serving(tmp_path_factory.mktemp("served")) as found:
        yield found


@pytest.fixture
def api(kubeconfig: Path) -> Iterator[LiveApi]:
    """The server's API."""
    connection = connect("gherkube", str(kubeconfig))
    yield LiveApi(connection, Discovery(connection))
    connection.close()


@pytest.fixture
def day(project: Project, api: LiveApi, kubeconfig: Path, request: pytest.FixtureRequest) -> Project:
    """A plan for a namespace of its own, in which a deployment runs."""
    name = f"day-{crc32(request.node.name.encode()):x}"
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    api.create(deployment("web", replicas=4), namespace=name)
    api.create(service("web"), namespace=name)
    settle(api, name)
    project.file("day.gameday.yaml", PLAN.replace("[default]", f"[{name}]"))
    project.file("day.feature", FEATURE)
    project.file("gherkube.toml", SETTINGS.format(kubeconfig=kubeconfig, namespace=name))
    return project


def settle(api: LiveApi, namespace: str) -> None:
    """Waits until the deployment's pods are ready, and its rollout is over."""
    for _ in range(2000):
        if sum(map(is_ready, api.list("pods", namespace))) >= 4:
            web = api.get("deployments", "web", namespace)
            if web["status"].get("availableReplicas") == 4:
                return
    raise AssertionError("the deployment did not get ready")


def place(day: Project) -> str:
    """Its namespace."""
    return read(day.path / "day.gameday.yaml").scope.namespace


def change(day: Project, before: str, after: str, name: str = "day.gameday.yaml") -> None:
    """Changes a file."""
    path = day.path / name
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after))


def checked(day: Project, code: int) -> str:
    """What a check said that ends so."""
    done = day.gherkube("gameday", "check", "day.gameday.yaml")
    assert done.code == code, done.out
    return done.out


def everything(api: LiveApi, namespace: str) -> list[tuple[str, str, str]]:
    """All objects there, in their versions."""
    resources = ("deployments", "replicasets", "pods", "services", "leases", "configmaps", "resourcequotas")
    return [
        (resource, each["metadata"]["name"], each["metadata"]["resourceVersion"])
        for resource in resources
        for each in api.list(resource, namespace)
    ]


def test_a_day_that_can_be_run(day: Project, api: LiveApi) -> None:
    """Exit code 0; everything is named, and nothing is touched."""
    before = everything(api, place(day))
    said = checked(day, 0)
    assert everything(api, place(day)) == before
    pods = sorted(each["metadata"]["name"] for each in api.list("pods", place(day)))
    for words in (
        "target      staging: context gherkube at https://127.0.0.1",
        f'patch deployments "web" in namespace "{place(day)}"',
        *pods,
        "✓ fences             they allow all of it (3 acts)",
        "✓ rights ",
        "✓ dry run            3 of 3 acts taken",
        '✓ steady state       at least 3 pods of deployment "web" are ready',
        "✓ other game days    none: the lock is free",
        "✓ kill switch ",
        "✓ rollouts           none is going on",
        "! prediction         there is none",
        "! incident           nobody is asked",
        "nothing stands against it",
    ):
        assert words in said
    found = json.loads((day.path / "day.check.json").read_text())
    assert found["fingerprint"][:16] in said


def test_what_was_checked_is_what_may_be_run(day: Project) -> None:
    """Not before a check, nor once the plan or a feature has changed, nor where a check found something."""
    plan = read(day.path / "day.gameday.yaml")
    assert "it was not checked" in check.refused(plan)
    checked(day, 0)
    assert check.refused(plan) == ""
    change(day, "Feature: Day", "Feature: Other day", "day.feature")
    assert "has changed since it was checked" in check.refused(plan)
    change(day, "Feature: Other day", "Feature: Day", "day.feature")
    assert check.refused(plan) == ""
    change(day, STEADY, FIVE)
    checked(day, 4)
    assert "not so: 5 pods" in check.refused(read(plan.path))
    (day.path / "day.check.json").write_text("{}")
    assert "not what a check has written" in check.refused(plan)


# --- The plan


def test_all_that_is_wrong_with_a_plan_is_told_at_once(day: Project) -> None:
    """Keys, sentences, scenarios and the target, each at its line; with what is near."""
    change(day, "goal: Know", "gaol: Know")
    change(day, STEADY, "steady-state: ['3 pods are reddy'")
    change(day, "scenario: Bad", "scenario: Bed")
    change(day, "target: staging", "target: stagin")
    said = checked(day, 2)
    lines = [line for line in said.splitlines() if line.startswith("day.gameday.yaml:")]
    assert [line.split(":")[1] for line in lines] == ["1", "2", "6", "9", "12"]
    assert "did you mean 'goal'?" in lines[1]
    assert "unknown target 'stagin'; did you mean 'staging'?" in lines[2]
    assert "“3 pods are reddy” is no Then" in lines[3]
    assert "no scenario “Bed”" in lines[4]


def test_a_feature_that_cannot_be_run_is_told(day: Project) -> None:
    """As `gherkube run` tells it, beside the plan's own mistakes."""
    change(day, "the rollout completes", "the rollout is complete", "day.feature")
    change(day, "goal: Know", "gaol: Know")
    said = checked(day, 2)
    assert "no step matches" in said
    assert "did you mean 'goal'?" in said


def test_a_plan_on_the_simulator_can_be_checked(project: Project) -> None:
    """With what its rehearsal is given."""
    project.file("day.gameday.yaml", ON_SIMULATOR)
    project.file("day.feature", FEATURE)
    project.file("gherkube.toml", "")
    assert "target      simulator" in checked(project, 0)


# --- What stands against it

Spoil = Callable[[Project, LiveApi, pytest.MonkeyPatch], object]


def rolls_out(day: Project, api: LiveApi, _: pytest.MonkeyPatch) -> None:
    """A rollout goes on: its image does not exist."""
    api.raw("PATCH", "/gherkube/v1/images", {"hello:404": "does not exist"})
    containers = [{"name": "app", "image": "hello:404"}]
    api.patch("deployments", "web", {"spec": {"template": {"spec": {"containers": containers}}}}, place(day))


def locked(day: Project, api: LiveApi, _: pytest.MonkeyPatch) -> None:
    """Another game day runs."""
    Lease(api, place(day), "somebody").take()


def refusing(verb: str, resource: str) -> Spoil:
    """The server takes no dry run of it."""

    def spoil(_: Project, __: LiveApi, patch: pytest.MonkeyPatch) -> None:
        asked = getattr(LiveApi, verb)

        def refuse(api: LiveApi, what: Any, *arguments: Any, dry_run: bool = False, **more: Any) -> Object:
            name = what if isinstance(what, str) else f"{what['kind'].lower()}s"
            if dry_run and name == resource:
                raise ApiError(403, "Forbidden", "admission webhook said no")
            answer: Object = asked(api, what, *arguments, dry_run=dry_run, **more)
            return answer

        patch.setattr(LiveApi, verb, refuse)

    return spoil


def no_rights(_: Project, __: LiveApi, patch: pytest.MonkeyPatch) -> None:
    """The user may not patch."""
    patch.setattr(checks_live, "missing", lambda *_: [Need("patch", "apps", "deployments", "shop")])


SEVERE = "[sh, -c, 'echo SEV1; exit 3']"


def also(setting: str) -> tuple[str, ...]:
    """One setting more of the target."""
    return "namespaces =", f"{setting}\nnamespaces =", "gherkube.toml"


def fenced(setting: str) -> Spoil:
    """The target is no `gherkube serve`, and has one setting more."""

    def spoil(day: Project, _: LiveApi, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(opening, "_is_served", lambda _: False)
        change(day, *also(setting))

    return spoil


def no_command(day: Project, _: LiveApi, __: pytest.MonkeyPatch) -> None:
    """A scenario runs a command, which no fence holds."""
    change(day, 'When I update deployment "web" to "hello:9"', "When I run `kubectl get pods`", "day.feature")


def unvouched(day: Project, _: LiveApi, patch: pytest.MonkeyPatch) -> None:
    """A scenario says of an image what nobody can make true on a cluster that is no simulator."""
    patch.setattr(checks_live, "find_served", lambda _: None)
    says = 'Given image "hello:2" takes 20 seconds to pull\n    When I update deployment "web" to "hello:2"'
    change(day, 'When I update deployment "web" to "hello:2"', says, "day.feature")


SPOILS: dict[str, tuple[Spoil | tuple[str, ...], str]] = {
    "fences": (fenced('acts = ["scale"]'), "its acts are scale"),
    "most-pods": (fenced("most-pods = 1"), "its most-pods is 1"),
    "production": (also("production = true"), "it is production"),
    "scope": (("[deployment/web]", "[deployment/db]"), "✗ workloads          not there: deployment/db"),
    "steady": ((STEADY, FIVE), "✗ steady state"),
    "abort": (("fewer than 2 pods", "fewer than 9 pods"), "✗ abort              it is so already"),
    "window": (
        ("target: staging", "target: staging\nwindow: {from: 2020-01-01T00:00Z, to: 2020-01-02T00:00Z}"),
        "✗ window             it was over at 2020-01-02",
    ),
    "incident": (
        (
            "target: staging",
            f"target: staging\nhooks: [{{on: incident, command: {SEVERE}}}]",
        ),
        "SEV1",
    ),
    "no hook": (
        ("target: staging", "target: staging\nhooks: [{on: incident, command: ./absent.sh}]"),
        "absent.sh cannot be run: No such file or directory",
    ),
    "command": (no_command, "✗ rehearsal          round Bad cannot be played"),
    "sentence": (unvouched, "✗ sentences          a live cluster cannot vouch for all of them"),
    "rollout": (rolls_out, "✗ rollouts           going on"),
    "lock": (locked, "✗ other game days    somebody holds the lock"),
    "rights": (no_rights, "may not patch deployments.apps in namespace shop"),
    "dry run": (refusing("patch", "deployments"), "✗ dry run            0 of 3 acts taken"),
    "kill switch": (
        refusing("create", "leases"),
        "✗ kill switch        the lease gherkube-gameday cannot",
    ),
}


@pytest.mark.parametrize("what", SPOILS)
def test_each_check_can_stand_against_a_day(
    day: Project, api: LiveApi, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Exit code 4, and said why."""
    spoil, words = SPOILS[what]
    if isinstance(spoil, tuple):
        change(day, *spoil)
    else:
        spoil(day, api, monkeypatch)
    said = checked(day, 4)
    assert words in said
    assert "✗" in said


@pytest.mark.parametrize("command", ["check", "rehearse"])
def test_the_fences_of_a_gherkube_serve(day: Project, command: str) -> None:
    """It is disposable, so all that a run would do there is allowed."""
    change(day, *also('acts = ["scale"]'))
    done = day.gherkube(
        "gameday", command, "day.gameday.yaml", *(["--runs", "1"] if command != "check" else [])
    )
    assert done.code == 0, done.out
    assert ("✓ fences             they allow all of it" in done.out) == (command == "check")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('namespaces = ["', 'namespaces = ["other-', "is outside of the fences of target 'staging'"),
        ("namespaces", 'server = "https://10.0.0.1"\nnamespaces', "the context leads to another cluster"),
        ("namespaces", 'ca = "00"\nnamespaces', "the context leads to another cluster"),
    ],
)
def test_another_place_is_not_asked(day: Project, before: str, after: str, words: str) -> None:
    """Exit code 4 before anything is sent there."""
    change(day, before, after, "gherkube.toml")
    assert words in checked(day, 4)


def test_a_context_that_is_not_there(day: Project) -> None:
    """Usage."""
    change(day, 'context = "gherkube"', 'context = "absent"', "gherkube.toml")
    assert "there is no context 'absent'" in checked(day, 2)


def test_what_has_to_be_known(day: Project, api: LiveApi) -> None:
    """A full quota, a budget that lets nobody go, a prediction of another plan: told, and not in the way."""
    name, web = place(day), {"app": "web"}
    for kind, version, spec in (
        ("ResourceQuota", "v1", {"hard": {"pods": "4"}}),
        (
            "PodDisruptionBudget",
            "policy/v1",
            {"minAvailable": 4, "selector": {"matchLabels": web}},
        ),
    ):
        made = {"apiVersion": version, "kind": kind, "metadata": {"name": "tight"}, "spec": spec}
        api.create(made, namespace=name)
    while not api.get("resourcequotas", "tight", name).get("status", {}).get("used"):
        pass
    while "disruptionsAllowed" not in api.get("poddisruptionbudgets", "tight", name).get("status", {}):
        pass
    day.gherkube("gameday", "rehearse", "day.gameday.yaml", "--runs", "1")
    change(day, "goal: Know", "goal: Know more")
    said = checked(day, 0)
    assert "! quotas             tight: pods 4 of 4" in said
    assert "! budgets            tight allows 0 of 4 pods to go now" in said
    assert "! prediction         the plan or a feature has changed since it was rehearsed" in said
    assert "! room               pods found none on the simulator" in said
