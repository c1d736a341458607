"""`gherkube check` from outside: what it finds beside a run's refusals, how it shows it, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as SarifLog

from gherkube.fixtures.check_cluster import StillCluster
from gherkube.fixtures.check_scenario import StillWorld
from gherkube.runners.errors import GherkubeError
from gherkube.runners.report.findings import LEVELS, RULES
from gherkube.steps.catalogue import CATALOGUE

ROOT = Path(__file__).parents[2]
WEB = 'Given deployment "web" runs 2 replicas of "hello:1"'
UPDATE = 'When I update it to "hello:2"'
CLEAN = f"""
    Feature: F
      Scenario: S
        {WEB}
        When I update it to "hello:2"
        Then 2 pods are ready
"""


def scenario(*lines: str, background: str = "") -> str:
    above = f"  Background:\n    {background}\n" if background else ""
    return f"Feature: F\n{above}  Scenario: S\n" + "".join(f"    {line}\n" for line in lines)


def found(project, *arguments: str) -> list[dict[str, Any]]:
    findings: list[dict[str, Any]] = json.loads(project.gherkube("check", "--json", *arguments).out)[
        "findings"
    ]
    return findings


def rules(project) -> list[tuple[str, int]]:
    return [(each["rule"], each["line"]) for each in found(project)]


# --- How it ends


def test_nothing_wrong(project):
    """A clean project ends with 0 and says how much was looked at."""
    project.write(a__feature=CLEAN)
    assert project.gherkube("check") == (0, "1 feature, 1 scenario: no mistakes found\n")


def test_errors_end_with_2_and_warnings_do_not(project):
    """Only errors change the exit code."""
    project.write(
        a__feature=scenario('Given image "hello:3" never becomes ready', WEB, "Then 2 pods are ready")
    )
    done = project.gherkube("check")
    assert done.code == 0
    assert done.out.endswith("\n1 feature, 1 scenario: 1 warning\n")
    project.write(b__feature=scenario("Then pods are merry"))
    assert project.gherkube("check").code == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "gherkube check: .: there are no feature files"),
        (("nowhere",), 2, "gherkube check: nowhere: there is no such file or folder"),
        (("a.txt",), 2, "gherkube check: a.txt: not a feature file"),
    ],
)
def test_where_nothing_is_to_be_checked(project, arguments, code, said):
    """A folder without features, a path that is not there, another file: told, and never 0."""
    project.write(a__txt="hello")
    done = project.gherkube("check", *arguments)
    assert (done.code, said in done.out) == (code, True)


def test_only_what_is_named_is_checked(project):
    """A file or folder alone."""
    project.file("one/a.feature", CLEAN)
    project.file("two/b.feature", "Fature: F")
    assert project.gherkube("check", "one").code == 0
    assert project.gherkube("check", "one/a.feature").code == 0
    assert project.gherkube("check", "one", "two/b.feature").code == 2


def test_nothing_is_run_or_left_behind(project):
    """Neither steps nor fixtures are called, and the folder stays as it was."""
    project.write(
        a__feature=scenario("Given trouble", "Then 2 pods are ready"),
        conftest__py="""
            import pytest
            from pytest_bdd import given

            @pytest.fixture(autouse=True)
            def mess(): open("mess", "w")

            @given("trouble")
            def trouble(): open("trouble", "w")
        """,
        test_a__py="raise SystemExit('a test was imported')",
    )
    before = sorted(path.name for path in project.path.iterdir())
    assert project.gherkube("check").code == 0
    left = sorted(path.name for path in project.path.iterdir() if path.name != "__pycache__")
    assert left == before


# --- How it is shown


def test_findings_are_grouped_by_file_with_place_level_and_rule(project):
    """`file:line: level: what; what next [rule]`, what is longer below it, an empty line, and a summary."""
    project.write(
        a__feature=scenario(WEB, "Then 2 pods are redy"), b__feature=scenario("Then 5 of 3 pods are ready")
    )
    done = project.gherkube("check")
    lines = done.out.splitlines()
    assert lines[0] == "a.feature:4: error: no step matches “Then 2 pods are redy” [undefined-step]"
    assert lines[1].startswith("  nearest   Then ")
    assert "      @then(parsers.parse('{number:d} pods are redy'))" in lines
    assert 'b.feature:3: error: “Then 5 of 3 pods are ready”: "5 of 3" cannot be' in done.out
    assert lines[lines.index(next(line for line in lines if line.startswith("b."))) - 1] == ""
    assert lines[-1] == "2 features, 2 scenarios: 2 errors"


def test_the_skeleton_that_is_shown_works(project):
    """What an undefined sentence is told to be written as makes it defined."""
    project.write(a__feature=scenario(WEB, 'When the shop "web" opens 2 doors', "Then 2 pods are ready"))
    said = found(project)[0]["then"]
    skeleton = said.partition("conftest.py:\n\n")[2]
    project.write(conftest__py=skeleton)
    assert found(project) == []


def test_json_tells_what_text_tells(project):
    """The counts, and each finding with its place; of ambiguous steps the places of both."""
    project.write(
        a__feature=scenario(WEB, "Then two at once"),
        conftest__py="""
            from pytest_bdd import parsers, then

            @then("two at once")
            def one(): ...

            @then(parsers.parse("two at {when}"))
            def two(when): ...
        """,
    )
    told = json.loads(project.gherkube("check", "--json").out)
    assert {key: told[key] for key in ("features", "scenarios", "errors", "warnings", "notes")} == {
        "features": 1,
        "scenarios": 1,
        "errors": 1,
        "warnings": 0,
        "notes": 0,
    }
    (finding,) = told["findings"]
    assert (finding["file"], finding["line"]) == ("a.feature", 4)
    assert (finding["level"], finding["rule"]) == ("error", "ambiguous-step")
    assert finding["places"] == ["conftest.py:3", "conftest.py:6"]


def test_sarif_is_valid_and_tells_the_same(project):
    """The log is as SARIF's published schema wants it; rules, levels, lines and related places are there."""
    project.file("sub dir/a.feature", scenario(WEB, "Then two at once", "And 5 of 3 pods are ready"))
    project.write(
        conftest__py="""
            from pytest_bdd import parsers, then

            @then("two at once")
            @then(parsers.parse("two at {when}"))
            def one(): ...
        """
    )
    done = project.gherkube("check", "--sarif", "out.sarif")
    assert done.code == 2
    log = json.loads((project.path / "out.sarif").read_text("utf-8"))
    SarifLog.model_validate(log)
    (run,) = log["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == list(RULES)
    told = found(project)
    assert len(run["results"]) == len(told) > 0
    for result, finding in zip(run["results"], told, strict=True):
        assert (result["ruleId"], result["level"]) == (finding["rule"], finding["level"])
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == finding["rule"]
        (location,) = (each["physicalLocation"] for each in result["locations"])
        assert location["artifactLocation"] == {"uri": "sub%20dir/a.feature", "uriBaseId": "%SRCROOT%"}
        assert location["region"] == {"startLine": finding["line"]}


def test_sarif_of_nothing_found_is_valid(project):
    """A clean check writes a log without results, which closes what code review showed before."""
    project.write(a__feature=CLEAN)
    assert project.gherkube("check", "--sarif", "out.sarif").code == 0
    log = json.loads((project.path / "out.sarif").read_text("utf-8"))
    SarifLog.model_validate(log)
    assert log["runs"][0]["results"] == []


def test_sarif_that_cannot_be_written(project):
    """It is told, and not 0."""
    project.write(a__feature=CLEAN)
    done = project.gherkube("check", "--sarif", "no/where.sarif")
    assert done.code == 2
    assert "no/where.sarif: cannot be written: No such file or directory" in done.out


def test_every_rule_is_documented():
    """docs/checking.md has each rule with its level and its help."""
    text = (ROOT / "docs" / "checking.md").read_text("utf-8")
    for name, rule in RULES.items():
        assert f"| `{name}` | {rule.level} | {rule.help} |" in text
        assert rule.level in LEVELS


# --- Own steps


def test_a_conftest_that_cannot_be_imported_is_a_finding(project):
    """At the line at which it failed, without a traceback; other folders are checked all the same."""
    project.file("one/conftest.py", "import json\nimport nowhere\n")
    project.file("one/a.feature", scenario("Given a thing", "Then 2 pods are ready"))
    project.file("two/b.feature", scenario("Then pods are merry"))
    done = project.gherkube("check")
    assert "Traceback" not in done.out
    assert [(each["file"], each["line"], each["rule"]) for each in found(project)] == [
        ("one/conftest.py", 2, "own-steps"),
        ("two/b.feature", 3, "undefined-step"),
    ]


@pytest.mark.parametrize(
    ("files", "place", "said"),
    [
        ({"conftest.py": "def x(:\n"}, ("conftest.py", 1), "SyntaxError"),
        ({"gherkube.toml": "sped = 1\n"}, ("gherkube.toml", 1), "unknown setting 'sped'"),
        ({"gherkube.toml": 'steps = ["mine"]\n'}, ("gherkube.toml", 1), "'mine' cannot be imported"),
        ({"pytest.ini": "[pytest]\naddopts = --nope\n"}, ("pytest.ini", 1), "unrecognized arguments: --nope"),
    ],
)
def test_what_pytest_cannot_start_with_is_a_finding(project, files, place, said):
    """Settings and modules that cannot be read are told at their place."""
    project.write(a__feature=CLEAN)
    for name, text in files.items():
        project.file(name, text)
    done = project.gherkube("check")
    (finding,) = found(project)
    assert ((finding["file"], finding["line"]), finding["rule"]) == (place, "own-steps")
    assert said in finding["what"]
    assert done.code == 2


STEPS = """
    from pytest_bdd import given, then

    @given("this")
    def this(): ...

    @then("that")
    def that(): ...
"""


def test_own_steps_that_nothing_uses_are_warned_of(project):
    """A step that no sentence of the folder uses is a warning at its place; one that is used is not."""
    project.write(a__feature=scenario(WEB, "Then that"), conftest__py=STEPS)
    (finding,) = found(project)
    assert (finding["file"], finding["line"], finding["rule"]) == ("conftest.py", 3, "unused-step")


def test_own_steps_are_not_said_to_be_unused_where_only_a_part_is_checked(project):
    """The sentences that use them may stand in a file that was not looked at."""
    project.file("features/a.feature", scenario(WEB, "Then that"))
    project.write(conftest__py=STEPS)
    assert found(project, "features") == []
    assert found(project, "features/a.feature") == []


def test_commands_and_builds_are_read_and_not_run(project):
    """What a command leaves is not known; a line that no command could be is an error."""
    lines = [
        'Given the kustomization "overlays/staging"',
        'Given the chart "charts/web" as release "web"',
        "When I run `kubectl create deployment web --image=hello:1`",
        'Then 1 pod of deployment "web" is ready',
        'And the output contains "created"',
    ]
    project.write(a__feature=scenario(*lines))
    assert found(project) == []
    project.write(a__feature=scenario(WEB, "When I run `kubectl get pods | grep web`", "Then 1 pod is ready"))
    (finding,) = found(project)
    assert (finding["line"], "what | means" in finding["what"]) == (4, True)


def test_what_own_steps_make_is_not_missed(project):
    """After a project's own Given, or with fixtures that reach the cluster, nothing is called missing."""
    missing = scenario("Given this", 'When I scale deployment "web" to 3 replicas', "Then v3 pods are ready")
    project.write(
        a__feature=missing, conftest__py='from pytest_bdd import given\n@given("this")\ndef this(): ...'
    )
    assert found(project) == []
    project.write(
        a__feature=missing.replace("    Given this\n", ""),
        conftest__py="""
            import pytest

            @pytest.fixture
            def shop(cluster): ...

            @pytest.fixture(autouse=True)
            def ready(shop): ...
        """,
    )
    assert found(project) == []
    project.write(conftest__py="")
    assert rules(project) == [("refused", 3)]


def test_fixtures_that_steps_make_are_there(project):
    """A step may ask for what another step gives as its target_fixture."""
    project.write(
        a__feature=scenario("Given a shop", "Then the shop is open"),
        conftest__py="""
            from pytest_bdd import given, then

            @given("a shop", target_fixture="shop")
            def shop(): return 1

            @then("the shop is open")
            def is_open(shop, tmp_path, request): ...
        """,
    )
    assert found(project) == []


# --- Images, columns, attempts, and what cannot be judged


IMAGES = {
    "an image that nothing runs": (
        scenario('Given image "hello:3" never becomes ready', WEB, UPDATE, "Then pods exist"),
        [("unused-image", 3)],
    ),
    "an image that something runs": (
        scenario('Given image "hello:2" never becomes ready', WEB, UPDATE, "Then pods exist"),
        [],
    ),
    "an image of an init container": (
        scenario(
            'Given image "init:1" completes after 5 seconds',
            "When I apply",
            '  """yaml',
            "  {apiVersion: v1, kind: Pod, metadata: {name: a}, spec:",
            '   {initContainers: [{name: i, image: "init:1"}], containers: [{name: c, image: "hello:1"}]}}',
            '  """',
            'Then pod "a" is running',
        ),
        [],
    ),
    "a version that nothing runs": (
        scenario(WEB, "When I update it to v2", "Then four v3 pods are running"),
        [("unknown-image", 5)],
    ),
    "a version that nothing runs, in a When": (
        scenario(WEB, "When I delete all v9 pods", "Then 2 pods are ready"),
        [("unknown-image", 4)],
    ),
    "an image that nothing runs, in a Then": (
        scenario(WEB, "When I update it to v2", 'Then no "hello:12" pods exist'),
        [("unknown-image", 5)],
    ),
    "a tag that does not exist": (
        scenario(WEB.replace("hello:1", "jocatalin/kubernetes-bootcamp:v3"), "Then pods exist"),
        [("unknown-image", 3)],
    ),
    "a tag that is said not to exist": (
        scenario(
            'Given image "jocatalin/kubernetes-bootcamp:v3" does not exist',
            WEB.replace("hello:1", "jocatalin/kubernetes-bootcamp:v1"),
            "When I update it to v3",
            "Then pods exist",
        ),
        [],
    ),
    "no name of an image": (
        scenario('Given image "Hello" does not exist', WEB, "Then pods exist"),
        [("context", 3)],
    ),
    "a background's image that one scenario runs": (
        scenario(WEB, "Then pods exist", background='Given image "hello:2" never becomes ready')
        + f'  Scenario: T\n    {WEB}\n    When I update it to "hello:2"\n    Then pods exist\n',
        [],
    ),
    "an attempt": (
        scenario(WEB, "When I try to undo the rollout", "Then 2 pods are ready"),
        [("unjudged-attempt", 4)],
    ),
    "an unused column": (
        "Feature: F\n  Scenario Outline: S\n    " + WEB + "\n    Then 2 pods are ready\n"
        "    Examples:\n      | n |\n      | 1 |\n",
        [("unused-column", 6)],
    ),
}


@pytest.mark.parametrize("name", IMAGES)
def test_what_is_probably_not_meant(project, name):
    """Warnings and notes, at their lines."""
    text, expected = IMAGES[name]
    project.write(a__feature=text)
    assert rules(project) == expected


def test_an_image_that_nothing_runs_is_told_with_the_nearest(project):
    """So that a typo is seen."""
    project.write(
        a__feature=scenario(
            'Given image "helo:2" never becomes ready', WEB, "When I update it to 2.0", "Then pods exist"
        )
    )
    assert [each["then"] for each in found(project)] == ["did you mean hello:2.0?"]


# --- Manifests in files


def test_a_file_is_told_with_its_own_lines_once(project):
    """A manifest that several scenarios apply is wrong at one place: in its file."""
    project.file(
        "features/web.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: Web}\nspec: {prots: []}\n"
    )
    text = scenario('Given the manifest "web.yaml"', "Then pods exist")
    project.file("features/a.feature", text)
    project.file("features/b.feature", text)
    assert [(each["file"], each["line"], each["what"]) for each in found(project)] == [
        ("features/web.yaml", 4, 'Service "Web": unknown field spec.prots')
    ]


def test_what_the_simulator_cannot_judge_is_a_note(project):
    """A field that it does not model is told at its line, and is no error: kind may judge it."""
    project.write(
        a__feature=scenario(
            "Given the manifest", '  """', *MANIFEST.strip().splitlines(), '  """', "Then pods exist"
        )
    )
    done = project.gherkube("check")
    assert [(each["rule"], each["line"]) for each in found(project)] == [("cannot-judge", 13)]
    assert (done.code, done.out.endswith(": 1 note\n")) == (0, True)


MANIFEST = """
  apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web}
  spec:
    selector: {matchLabels: {app: web}}
    template:
      metadata: {labels: {app: web}}
      spec:
        volumes: [{name: shared, nfs: {server: there, path: /}}]
        containers: [{name: app, image: "hello:1"}]
"""


def test_the_shipped_features_are_clean(project):
    """Nothing at all is found in what users copy from."""
    done = project.gherkube("check", str(ROOT / "features"))
    assert done.code == 0
    assert done.out.endswith(": no mistakes found\n")


@pytest.mark.parametrize("sentence", CATALOGUE.sentences, ids=lambda each: each.example)
def test_every_sentence_can_be_gone_through(sentence, tmp_path):
    """No sentence of the catalogue stumbles on a cluster that stands still; at most it is refused."""
    world = StillWorld(StillCluster(), tmp_path, {}, False)
    docstring = "spec: {}" if sentence.takes_docstring else None
    table = [["maxSurge", "1"]] if sentence.takes_table else None
    (match,) = CATALOGUE.find(sentence.kind, sentence.example)
    for _ in range(2):
        try:
            match.run(world, table, docstring)
        except GherkubeError:
            (given,) = CATALOGUE.find("given", WEB.removeprefix("Given "))
            if not world.known:
                given.run(world)
