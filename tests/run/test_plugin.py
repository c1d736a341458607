"""Plain pytest: who is served, who is left alone, and that it says what `gherkube run` says."""

from __future__ import annotations

import json

import pytest

STEPS = """
    from pytest_bdd import given, parsers, then, when

    @given("a thing", target_fixture="thing")
    def thing():
        return []

    @then("all is well")
    def well():
        pass

    @then("it is not so")
    def not_so():
        assert [] == [1]
"""
FEATURE = "Feature: F\n  Scenario: S\n    Given a thing\n    Then all is well\n"


@pytest.mark.parametrize(
    "files",
    [
        {"gherkube__toml": ""},
        {"pyproject__toml": "[tool.gherkube]\n"},
        {"pyproject__toml": "[tool.gherkube]\nseed = 3\n[tool.pytest.ini_options]\naddopts = '-q'\n"},
    ],
    ids=str,
)
def test_a_project_with_settings_is_served(project, files):
    """An empty file or table is enough; below it, too."""
    project.write(conftest__py=STEPS, **files)
    project.file("deep/down/a.feature", FEATURE)
    for where in ([], ["deep/down/a.feature"], ["deep"]):
        done = project.pytest(*where)
        assert done.code == 0, done.out
        assert "1 passed" in done.out


def test_settings_are_found_from_the_features_and_from_here(make_project):
    """Those above what is run count before those above where it is run from."""
    outer = make_project("outer")
    outer.write(conftest__py=STEPS, gherkube__toml="seed = 5\n")
    outer.file("inner/gherkube.toml", "seed = 6\n")
    outer.file("inner/a.feature", FEATURE)
    outer.file("other/b.feature", FEATURE)
    assert "gherkube: seed 6" in outer.pytest("inner").out
    assert "gherkube: seed 5" in outer.pytest("other").out
    assert "gherkube: seed 5" in outer.pytest("other", "inner").out
    assert "gherkube: seed 7" in outer.pytest("inner", "--gherkube-seed", "7").out
    away = make_project("away")
    assert "gherkube: seed 6" in away.pytest("../outer/inner/a.feature").out


def test_a_project_without_settings_is_left_alone(project):
    """Nothing is collected or imported, and pytest-bdd's own way works as ever."""
    project.write(
        conftest__py=STEPS
        + """
    import sys

    def pytest_unconfigure():
        print([name for name in sys.modules if name.startswith("gherkube.")])
    """,
        pyproject__toml="[tool.gherkin]\nsteps = 3\n",
        test_mine__py="""
            from pytest_bdd import scenarios

            scenarios("a.feature")

            def test_no_fixture_of_gherkube(request):
                assert request.session._fixturemanager.getfixturedefs("cluster", request.node) is None
        """,
        a__feature=FEATURE,
        broken__feature="This is not Gherkin at all\n",
    )
    done = project.pytest(fresh=True)
    assert done.code == 0, done.out
    assert "2 passed" in done.out
    assert "gherkube:" not in done.out
    imported = done.out.splitlines()[-1]
    assert "gherkube.fixtures.plugin" in imported
    for part in ("steps", "simulator", "collector", "expectations", "kubernetes"):
        assert part not in imported


def test_features_named_in_a_project_without_settings(project):
    """One line says how to switch gherkube on."""
    project.write(conftest__py=STEPS, a__feature=FEATURE)
    done = project.pytest("a.feature")
    assert done.code != 0
    lines = [line for line in done.out.splitlines() if "gherkube" in line and "plugins:" not in line]
    (said,) = lines
    assert said.startswith("gherkube: a.feature is not run by pytest without gherkube's settings; ")
    assert "touch gherkube.toml" in said
    (project.path / "gherkube.toml").touch()
    assert project.pytest("a.feature").code == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "sed = 1\n",
            "gherkube.toml:1: unknown setting 'sed'; the settings are steps, seed, patience, variables",
        ),
        ('seed = 1\n\n[varibles]\nA = "1"\n', "gherkube.toml:3: unknown setting 'varibles'"),
        ('# seed\nseed = "1"\n', "gherkube.toml:2: seed: a whole number from 0 on is needed"),
        ("seed = true\n", "gherkube.toml:1: seed: a whole number"),
        ("seed = -1\n", "gherkube.toml:1: seed: a whole number"),
        ("patience = 300\n", 'gherkube.toml:1: patience: a duration in quotes is needed, as in "5m"'),
        ('patience = "0m"\n', "gherkube.toml:1: patience: '0m' is no time"),
        ('patience = "-5m"\n', "gherkube.toml:1: patience: '-5m' is no duration"),
        ('steps = "my_steps"\n', 'gherkube.toml:1: steps: a list of modules is needed, as in ["my_steps"]'),
        (
            'steps = ["nowhere.at_all"]\n',
            "gherkube.toml: steps: 'nowhere.at_all' cannot be imported: ",
        ),
        (
            "[variables]\nA = 1\n",
            "gherkube.toml:1: variables: 'A' must be a name whose value stands in quotes",
        ),
        ('[variables]\n"a b" = "1"\n', "gherkube.toml:1: variables: 'a b' must be a name"),
        ("seed = \n", "gherkube.toml: not TOML: "),
    ],
)
def test_a_wrong_setting_is_told_with_its_line(project, text, said):
    """Under pytest and under `gherkube run`."""
    project.write(conftest__py=STEPS, a__feature=FEATURE, gherkube__toml=text)
    done = project.gherkube("run")
    assert done.code == 2, done.out
    assert said in done.out
    assert "Traceback" not in done.out
    done = project.pytest()
    assert done.code == 4
    assert said in done.out


def test_a_wrong_setting_in_pyproject(project):
    """The line is that of the file."""
    project.write(
        pyproject__toml='[project]\nname = "a"\n\n[tool.gherkube]\nsteps = []\ncolour = "red"\n',
        a__feature=FEATURE,
    )
    assert "pyproject.toml:6: unknown setting 'colour'" in project.gherkube("run").out


def test_pytest_shows_the_same_block(project):
    """In the place of a traceback."""
    project.write(
        conftest__py=STEPS,
        gherkube__toml="",
        a__feature="Feature: F\n  Scenario: S\n    Then it is not so\n",
    )
    done = project.pytest("--junitxml", "junit.xml")
    assert done.code == 1
    block = "a.feature:3  Then it is not so\n  raised    AssertionError: assert [] == [1]\n              \n"
    assert block.splitlines()[1] in done.out
    assert "  next      gherkube run a.feature:2 --seed 1" in done.out
    assert "FAILED a.feature::S" in done.out
    assert project.junit() == {"S": "failure"}
    assert block.splitlines()[1] in project.gherkube("run").out


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("a.feature", "'a.feature' is no line of a feature file; write it as web.feature:12"),
        ("a.feature:x", "'a.feature:x' is no line of a feature file"),
        ("gone.feature:3", "gone.feature: there is no such file"),
    ],
)
def test_a_line_that_is_none_selects_nothing(project, at, said):
    """Not everything, in silence."""
    project.write(gherkube__toml="", conftest__py=STEPS, a__feature=FEATURE)
    done = project.pytest("--gherkube-at", at)
    assert done.code
    assert said in done.out
    assert "passed" not in done.out


def test_first_failure_ends_a_run(project):
    """-x: what did not run is told as such in gherkube's own results."""
    project.write(
        conftest__py=STEPS,
        gherkube__toml="",
        a__feature="Feature: F\n" + "".join(f"  Scenario: {n}\n    Then it is not so\n" for n in range(3)),
    )
    done = project.pytest("-x", "--gherkube-report", "out")
    assert done.code == 1
    assert "1 failed" in done.out
    assert project.junit("out/junit.xml") == {"0": "failure", "1": "not-run", "2": "not-run"}


def test_python_tests_beside_features(project):
    """Both run; markers that are tags select both; a user's own cluster fixture wins."""
    project.write(
        conftest__py=STEPS
        + """
    import pytest

    @pytest.fixture
    def cluster():
        return "mine"

    @then("the cluster is mine")
    def mine(cluster):
        assert cluster == "mine"
    """,
        gherkube__toml="",
        pytest__ini="[pytest]\nmarkers = smoke\naddopts = --strict-markers\n",
        test_mine__py="""
            import pytest

            @pytest.mark.smoke
            def test_one(cluster):
                assert cluster == "mine"
        """,
        a__feature="""
            Feature: F
              @smoke
              Scenario: S
                Then the cluster is mine
              Scenario: T
                Then all is well
        """,
    )
    assert "3 passed" in project.pytest().out
    assert "2 passed, 1 deselected" in project.pytest("-m", "smoke").out


def test_fixtures_of_every_scope_work(project):
    """Autouse, module and session fixtures, and what a request says, as for any test."""
    project.write(
        gherkube__toml="",
        conftest__py=STEPS
        + """
    import pytest

    @pytest.fixture(autouse=True)
    def every(request):
        assert request.module.__name__ == "a"
        assert request.function is not None
        assert request.path.name == "a.feature"
        yield
        print("torn down")

    @pytest.fixture(scope="module")
    def once(request):
        return [request.node.name]

    @then("the module is told")
    def told(once, request, tmp_path):
        assert once == ["a.feature"]
        assert request.node.name == "S"
    """,
        a__feature="Feature: F\n  Scenario: S\n    Then the module is told\n",
    )
    done = project.pytest("-rP")
    assert done.code == 0, done.out
    assert "torn down" in done.out


def test_skip_and_expected_failure_are_tags_like_any(project):
    """@skip and @xfail mean what pytest means by them, and nothing ends as passed."""
    project.write(
        conftest__py=STEPS,
        a__feature="""
            Feature: F
              @skip
              Scenario: later
                Then all is well
              @xfail
              Scenario: known
                Then it is not so
        """,
    )
    done = project.gherkube("run", "--junit", "junit.xml")
    assert done.code == 0, done.out
    assert project.junit() == {"later": "skipped", "known": "skipped"}
    assert "1 failed as expected, 1 skipped" in done.out
    assert project.gherkube("run", "--name", "later").code == 4


def test_many_processes(project):
    """-n gives the same verdicts, seeds, problems and files."""
    project.write(
        conftest__py=STEPS,
        gherkube__toml="",
        bad__feature="Feature: F\n  Scenario: S\n    Then it is not so\n    Then it flies\n",
    )
    for file in "ab":
        scenarios = "".join(
            f"  Scenario: {file}{n}\n    Then {'it is not so' if n == 3 else 'all is well'}\n"
            for n in range(5)
        )
        project.file(f"{file}.feature", f"Feature: {file}\n{scenarios}")
    done = project.pytest(
        "-n", "2", "a.feature", "b.feature", "--gherkube-seed", "9", "--gherkube-report", "out", fresh=True
    )
    assert done.code == 1
    assert "2 failed, 8 passed" in done.out
    assert "a.feature:9  Then it is not so" in done.out
    assert "gherkube run a.feature:8 --seed 9 --report out" in done.out
    ends = project.junit("out/junit.xml")
    assert ends == {f"{file}{n}": "failure" if n == 3 else "passed" for file in "ab" for n in range(5)}
    done = project.pytest("-n", "2", fresh=True)
    assert done.code != 0
    assert "no step matches “Then it flies”" in done.out


def test_gherkube_run_in_many_processes(project):
    """Where the project's settings of pytest say -n, `gherkube run` follows, with the same results."""
    project.write(
        conftest__py=STEPS,
        pytest__ini="[pytest]\naddopts = -n 2\n",
        a__feature="Feature: F\n" + "".join(f"  Scenario: {n}\n    Then all is well\n" for n in range(4)),
        b__feature="Feature: F\n  Scenario: S\n    Then it is not so\n",
    )
    done = project.gherkube("run", "--junit", "junit.xml", fresh=True)
    assert done.code == 1, done.out
    assert project.junit() == {"0": "passed", "1": "passed", "2": "passed", "3": "passed", "S": "failure"}
    assert "5 scenarios: 4 passed, 1 failed" in done.out


def test_the_catalogue_through_pytest(project):
    """--gherkube-steps prints it and runs nothing."""
    done = project.command("-m", "pytest", "--gherkube-steps", "json")
    assert done.code == 0
    assert json.loads(done.out)


def test_a_worker_that_dies(project):
    """What it was running counts as failed; the rest is run by others."""
    project.write(
        conftest__py=STEPS
        + """
    import os, signal

    @then("the process is killed")
    def killed():
        os.kill(os.getpid(), signal.SIGKILL)
    """,
        gherkube__toml="",
        a__feature="""
            Feature: F
              Scenario: killed
                Then the process is killed
              Scenario: well
                Then all is well
        """,
    )
    done = project.pytest("-n", "1", "--gherkube-report", "out", fresh=True)
    assert done.code == 1, done.out
    assert project.junit("out/junit.xml") == {"killed": "failure", "well": "passed"}
