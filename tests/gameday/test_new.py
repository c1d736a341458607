"""`gherkube gameday new` asks, and what it writes can be checked and rehearsed as it is."""

from __future__ import annotations

import io

import pytest

from gherkube.runners.gameday import schema
from gherkube.runners.gameday.reading import look
from tests.conftest import Project

ANSWERS = {
    "name": "",
    "goal": "Know: what #1 costs",
    "says": "",
    "target": "simulator",
    "namespace": "shop",
    "workload": "web",
    "image": "acme/web",
    "pods": "2",
    "owner": "Olga",
    "operator": "",
}


def new(project: Project, monkeypatch: pytest.MonkeyPatch, *lines: str) -> tuple[int, str]:
    """Answers the questions, one a line."""
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines) + "\n"))
    done = project.gherkube("gameday", "new", "big-day")
    return done.code, done.out


def test_what_is_written_can_be_run(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read without a mistake or warning, checked, and predicted to go well."""
    project.file("gherkube.toml", "")
    code, said = new(project, monkeypatch, *ANSWERS.values())
    assert code == 0, said
    path = project.path / "big-day.gameday.yaml"
    found = look(path)
    assert found.mistakes == []
    plan = found.plan
    assert (plan.name, plan.goal, plan.roles.operator) == ("Big day", "Know: what #1 costs", "Olga")
    assert (plan.scope.namespaces, plan.scope.workloads) == (("shop",), ("deployment/web",))
    assert path.read_text().startswith(f"# yaml-language-server: $schema={schema.NAME}\n")
    assert (project.path / schema.NAME).read_text() == schema.text()
    feature = project.gherkube("check", "big-day.feature")
    assert (feature.code, feature.out) == (0, "1 feature, 1 scenario: no mistakes found\n")
    checked = project.gherkube("gameday", "check", path.name)
    assert checked.code == 0, checked.out
    rehearsed = project.gherkube("gameday", "rehearse", path.name, "--runs", "2")
    assert rehearsed.code == 0, rehearsed.out
    assert "held 100%" in rehearsed.out


def test_answers_that_do_not_fit_are_asked_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what is wrong; the targets are those of the settings, and the last of them is proposed."""
    project.file("gherkube.toml", '[targets.staging]\ncontext = "x"\n')
    answers = {
        **ANSWERS,
        "target": "stagin\n",
        "namespace": "No Name\nshop",
        "workload": "pod/x\ndeployment/web",
        "image": "acme/web:1\nacme/web",
        "pods": "none\n0\n3",
    }
    code, said = new(project, monkeypatch, *answers.values())
    assert code == 0
    for words in (
        "unknown target 'stagin'; did you mean 'staging'?",
        "'No Name' is no name of a namespace",
        "'pod/x' is no deployment; write it as deployment/web",
        "'acme/web:1' is no image without its tag",
        "a number from 1 on is needed",
    ):
        assert words in said
    plan = look(project.path / "big-day.gameday.yaml").plan
    assert plan.target == "staging"
    assert [each.text for each in plan.rehearsal.given] == ['image "acme/web:v404" does not exist']


def test_nothing_is_overwritten(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a plan nor a feature that is there."""
    project.file("gherkube.toml", "")
    project.file("big-day.feature", "mine")
    assert new(project, monkeypatch, *ANSWERS.values())[0] == 0
    assert (project.path / "big-day.feature").read_text() == "mine"
    before = (project.path / "big-day.gameday.yaml").read_text()
    code, said = new(project, monkeypatch, *ANSWERS.values())
    assert (code, "is there already" in said) == (2, True)
    assert (project.path / "big-day.gameday.yaml").read_text() == before


def test_a_folder_that_is_not_there(project: Project) -> None:
    """Is told before anything is asked."""
    done = project.gherkube("gameday", "new", "absent/day")
    assert (done.code, "there is no such folder" in done.out) == (2, True)


def test_the_schema_is_printed(project: Project) -> None:
    """As it is installed."""
    assert project.gherkube("gameday", "schema").out == schema.text()
