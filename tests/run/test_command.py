"""The command `gherkube` from outside: what it runs, what it says, how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib.metadata import version

import pytest

STEPS = """
    import pytest
    from pytest_bdd import given, parsers, then, when
    from gherkube.runners.errors import CannotJudge, UsageError


    @given("a thing")
    @then("all is well")
    def well():
        pass


    @then("it is not so")
    def not_so():
        raise AssertionError("no")


    @then("nobody can tell")
    def nobody():
        raise CannotJudge("the simulator does not model this")


    @then("the step is misused")
    def misused():
        raise UsageError("this cannot be")


    @then(parsers.parse('"{text}" is "{other}"'))
    def same(text, other):
        assert text == other


    @then("it hangs")
    def hangs():
        import time
        print("hanging", flush=True)
        time.sleep(600)
"""

THREE = """
    Feature: Three ends
      @good
      Scenario: good
        Given a thing
        Then all is well

      @bad @slow
      Scenario: bad
        Given a thing
        Then it is not so
        And all is well

      @unclear
      Scenario: unclear
        Then nobody can tell

      @misused
      Scenario: misused
        Then the step is misused
"""


@pytest.fixture
def three(project):
    """A project with scenarios of each outcome."""
    project.write(conftest__py=STEPS, three__feature=THREE)
    return project


@pytest.mark.parametrize(
    ("options", "code", "ends"),
    [
        (["--name", "good"], 0, {"good": "passed"}),
        (["--tags", "@good or @bad"], 1, {"good": "passed", "bad": "failure"}),
        (["--tags", "not (@bad or @misused)"], 3, {"good": "passed", "unclear": "cannot-judge"}),
        (["--tags", "@bad or @unclear"], 1, {"bad": "failure", "unclear": "cannot-judge"}),
        (["--tags", "@misused"], 2, {"misused": "cannot-run"}),
        (["three.feature:9"], 1, {"bad": "failure"}),
        (["three.feature:3", "three.feature:14"], 3, {"good": "passed", "unclear": "cannot-judge"}),
        (["three.feature:3", "--tags", "@bad"], 4, {}),
        (["--tags", "@nowhere"], 4, {}),
        (["--name", "nowhere"], 4, {}),
        (["three.feature:99"], 4, {}),
    ],
    ids=str,
)
def test_terminal_junit_and_exit_code_agree(three, options, code, ends):
    """0 passed, 1 failed, 2 cannot be run, 3 cannot be judged, 4 nothing selected; failed beats the rest."""
    done = three.gherkube("run", *options, "--junit", "deep/er/junit.xml")
    assert done.code == code, done.out
    assert three.junit("deep/er/junit.xml") == ends
    marks = {"passed": "✓", "failure": "✗", "cannot-judge": "?", "cannot-run": "✗"}
    for name, end in ends.items():
        assert f"  {marks[end]} {name} (" in done.out
    assert ("no scenario was selected" in done.out) == (code == 4)


def test_what_is_shown_of_a_run(three):
    """A line a scenario, the block of what failed with the command that repeats it, a summary."""
    done = three.gherkube(
        "run", "three.feature", "--seed", "7", "--set", "A=b c", "--patience", "90s", fresh=True
    )
    assert "Traceback" not in done.out
    assert "\n".join(line.rpartition(" (")[0] for line in done.out.splitlines()[1:5]) == (
        "  ✓ good\n  ✗ bad\n  ? unclear (cannot be judged here, 0 ms)\n  ✗ misused".replace(
            " (cannot be judged here, 0 ms)", ""
        )
    )
    assert (
        "three.feature:10  Then it is not so\n"
        "  raised    AssertionError: no\n"
        "  at        conftest.py:14 in not_so\n"
        '              raise AssertionError("no")\n'
        "  next      gherkube run three.feature:8 --seed 7 --set 'A=b c' --patience 90s\n"
    ) in done.out
    assert "three.feature:15  Then nobody can tell\n  cannot be judged here:  the simulator does" in done.out
    assert "three.feature:19  Then the step is misused\n  cannot be run:  this cannot be\n" in done.out
    assert "4 scenarios: 1 passed, 1 cannot be judged here, 1 cannot be run, 1 failed" in done.out


def test_the_command_that_repeats_a_failure_repeats_it(three):
    """It can be pasted as it stands."""
    done = three.gherkube("run")
    (line,) = [line for line in done.out.splitlines() if "next" in line and ":8 " in line]
    again = three.gherkube(*line.split()[2:])
    assert again.code == 1
    assert "1 scenario: 1 failed" in again.out


def test_verbose_shows_the_steps_and_the_traceback(three):
    """-v adds what the block leaves out."""
    done = three.gherkube("run", "-v", "--name", "bad")
    assert "      0 ms  Given a thing\n" in done.out
    assert "def not_so():" in done.out
    assert ">       raise AssertionError" in done.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["nowhere.feature"],
            "nowhere.feature: there is no such file or folder; gherkube init writes a first feature",
        ),
        (["nowhere"], "nowhere: there is no such file or folder"),
        (["nowhere.feature:3"], "nowhere.feature: there is no such file or folder"),
        (["three.feature:0"], "'three.feature:0' is no line of a feature file"),
        (["conftest.py"], "conftest.py: not a feature file"),
        (["empty"], "empty: there are no feature files; gherkube init writes a first feature"),
        (["--tags", "@a and"], "the tag expression '@a and' is wrong at 'its end'"),
        (["--tags", "smoke"], "the tag expression 'smoke' is wrong at 'smoke'"),
        (["--tags", "@a @b"], "the tag expression '@a @b' is wrong at '@b'"),
        (["--tags", "(@a"], "the tag expression '(@a' is wrong at 'its end'"),
        (["--set", "novalue"], "'novalue' is not NAME=VALUE"),
        (["--patience", "soon"], "'soon' is no duration; write it as 5m, 1m30s or 90s"),
        (["--patience", "0s"], "'0s' is no time"),
        (["--seed", "many"], "'--seed'"),
        (["--nonsense"], "--nonsense"),
    ],
    ids=str,
)
def test_a_wrong_command_is_told_what_to_do(three, arguments, said):
    """Exit code 2, one line, no traceback."""
    (three.path / "empty").mkdir()
    done = three.gherkube("run", *arguments)
    assert done.code == 2, done.out
    assert said in done.out
    assert "Traceback" not in done.out
    assert "✓" not in done.out


def test_an_old_junit_file_does_not_outlive_a_run_that_failed_to_start(three):
    """What an earlier run said is not taken for this one's."""
    assert three.gherkube("run", "--name", "good", "--junit", "junit.xml").code == 0
    assert three.gherkube("run", "--tags", "((", "--junit", "junit.xml").code == 2
    assert not (three.path / "junit.xml").exists()


def test_a_folder_with_one_feature_and_nothing_else(project):
    """Runs, and nothing is left behind in it."""
    project.write(
        only__feature="Feature: F\n  Scenario: S\n    Given a cluster with 2 nodes\n    Then 3 pods fly\n"
    )
    done = project.gherkube("run", PYTHONDONTWRITEBYTECODE="1")
    assert done.code == 2
    assert "only.feature:4: no step matches “Then 3 pods fly”" in done.out
    assert os.listdir(project.path) == ["only.feature"]


def test_only_features_are_run(three):
    """The project's other tests are pytest's."""
    three.write(test_other__py="raise SystemExit('imported')\n")
    assert three.gherkube("run", "--name", "good").code == 0
    assert three.gherkube("run", ".", "--name", "good").code == 0


def test_settings_of_pytest_hold_for_gherkube_run(three):
    """Strict markers, warnings as errors and a quiet mode disturb nothing."""
    three.write(
        pytest__ini="[pytest]\naddopts = -q --strict-markers --strict-config\nfilterwarnings = error\n"
    )
    done = three.gherkube("run")
    assert done.code == 1
    assert "4 scenarios: 1 passed" in done.out


def test_variables(project):
    """From --set over the settings; one that is not set is found before anything runs."""
    project.write(
        conftest__py=STEPS,
        gherkube__toml='[variables]\nONE = "1"\nTWO = "2"\n',
        vars__feature="""
            Feature: Variables
              Scenario Outline: <name>
                Then "${<name>}" is "<value>"
                Examples:
                  | name | value |
                  | ONE  | 1     |
                  | TWO  | zwei  |
        """,
        unset__feature='Feature: F\n  Scenario: S\n    Then "${THREE}" is "3"\n',
    )
    assert project.gherkube("run", "vars.feature", "--set", "TWO=zwei").code == 0
    assert project.gherkube("run", "vars.feature").code == 1
    done = project.gherkube("run", "unset.feature")
    assert done.code == 2
    said = """unset.feature:3: “Then "${THREE}" is "3"”: ${THREE} is not set: give it under [variables]"""
    assert said in done.out
    assert project.gherkube("run", "unset.feature", "--set", "THREE=3").code == 0


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_run_that_is_stopped_says_what_did_not_run(three, name):
    """^C and SIGTERM end the run, not its results."""
    three.file(
        "hang.feature",
        "Feature: F\n  Scenario: hangs\n    Then it hangs\n  Scenario: later\n    Then all is well\n",
    )
    command = "from gherkube.runners.cli.main import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", command, "run", "hang.feature", "--junit", "junit.xml"],
        cwd=three.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTEST_ADDOPTS": "-s"},
    ) as running:
        assert running.stdout is not None
        while "hanging" not in running.stdout.readline():
            assert running.poll() is None
        running.send_signal(getattr(signal, name))
        out = running.stdout.read()
    assert running.returncode == 1, out
    assert three.junit() == {"hangs": "not-run", "later": "not-run"}
    assert out.startswith("hang.feature\n")
    assert "The run was interrupted." in out
    assert "2 scenarios: 2 not run" in out


def test_a_conftest_that_cannot_be_imported(three):
    """A user's mistake in Python is told as such, and is no pass."""
    three.file("conftest.py", "import nowhere_to_be_found\n")
    done = three.gherkube("run")
    assert done.code == 2
    assert "No module named 'nowhere_to_be_found'" in done.out


def test_init_writes_what_is_missing_and_nothing_else(project):
    """The first feature passes as it is; what is there is kept."""
    project.file("gherkube.toml", "seed = 3\n")
    done = project.gherkube("init")
    assert done.code == 0
    assert "kept    gherkube.toml: it was there already" in done.out
    assert "wrote   features/first.feature" in done.out
    assert (project.path / "gherkube.toml").read_text() == "seed = 3\n"
    first = (project.path / "features/first.feature").read_text()
    assert project.gherkube("init", "deeper").code == 0
    assert (project.path / "deeper/features/first.feature").read_text() == first
    done = project.gherkube("run", "features")
    assert done.code == 0, done.out
    assert "2 scenarios: 2 passed (virtual " in done.out
    assert project.pytest().code == 0


def test_steps_prints_the_catalogue(project):
    """By topic, each with an example; as JSON for tools."""
    done = project.gherkube("steps")
    assert done.code == 0
    assert "When  I update" in done.out
    done = project.gherkube("steps", "--json")
    sentences = json.loads(done.out)
    assert {"kind", "topic", "pattern", "example", "table", "docstring"} == sentences[0].keys()
    assert {sentence["kind"] for sentence in sentences} == {"given", "when", "then"}


def test_the_start_of_a_run_is_quick(project):
    """What only other backends and reports need is not imported."""
    project.write(
        conftest__py="""
            import sys
            from pytest_bdd import then

            @then("all is well")
            def well():
                pass

            def pytest_unconfigure():
                print(sorted(sys.modules), file=sys.stderr)
        """
    )
    project.write(
        a__feature="Feature: F\n  Scenario: S\n    Given a cluster with 2 nodes\n    Then all is well\n"
    )
    done = project.gherkube("run", fresh=True)
    for name in (
        "kubernetes",
        "docker",
        "aiohttp",
        "jinja2",
        "mako",
        "hypothesis",
    ):
        assert f"'{name}'" not in done.out, name


def test_mako_is_there_for_those_who_need_it(project):
    """Own steps get all of it, and pytest-bdd what it generates steps with."""
    project.write(
        conftest__py="""
            from mako.lookup import TemplateCollection, TemplateLookup
            from pytest_bdd import generation, then

            @then("all is well")
            def well():
                assert issubclass(TemplateLookup, TemplateCollection)
                assert generation.template_lookup.get_template("test.py.mak").source
        """
    )
    project.write(a__feature="Feature: F\n  Scenario: S\n    Then all is well\n")
    done = project.gherkube("run", fresh=True)
    assert done.code == 0, done.out


def test_help_and_no_arguments(project):
    """Both tell the commands."""
    for arguments in (["--help"], [], ["run", "-h"]):
        done = project.gherkube(*arguments)
        assert "run" in done.out
        assert "Traceback" not in done.out
    assert "Usage: gherkube run [OPTIONS] [PATH|FILE:LINE]..." in done.out


def test_the_version_is_told(project):
    """As pip knows it."""
    assert project.gherkube("--version").out.split() == ["gherkube", version("gherkube")]


def test_colour_and_progress_on_a_terminal(three):
    """On a terminal the scenario that runs is shown, and replaced by its line."""
    pty = pytest.importorskip("pty")
    main, other = pty.openpty()
    command = "from gherkube.runners.cli.main import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", command, "run", "--name", "good"],
        cwd=three.path,
        stdout=other,
        stderr=other,
        env={**os.environ, "TERM": "xterm"},
    ) as running:
        running.wait(300)
    os.close(other)
    shown = b""
    while True:
        try:
            part = os.read(main, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(main)
    text = shown.decode()
    assert "\r\x1b[2K  1/1  good" in text.replace("\x1b[2m", "")
    assert "\x1b[32m  ✓ good\x1b[0m" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--junit", "features"], "features: cannot be written: Is a directory"),
        (["--report", "conftest.py"], "conftest.py/history: cannot be written: Not a directory"),
        (["features:3"], "features:3: a folder has no lines"),
        (["three.feature::good"], "three.feature::good: there is no such file or folder"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_refused_before_anything_runs(three, arguments, said):
    """Not after all has run."""
    (three.path / "features").mkdir()
    done = three.gherkube("run", *arguments)
    assert done.code == 2
    assert said in done.out
    assert "✓" not in done.out


def test_a_report_holds_one_run(three):
    """What an earlier run left in the folder is gone."""
    history = three.path / "out/history"
    history.mkdir(parents=True)
    (history / "old.ndjson").touch()
    (history / "mine.txt").touch()
    three.gherkube("run", "--report", "out", "--name", "good")
    assert sorted(os.listdir(history)) == ["mine.txt"]
    assert three.junit("out/junit.xml") == {"good": "passed"}


def test_only_skipped_is_not_passed(three):
    """Where nothing was judged, the exit code says so."""
    three.file("skipped.feature", "Feature: F\n  @skip\n  Scenario: S\n    Then all is well\n")
    done = three.gherkube("run", "skipped.feature")
    assert done.code == 4
    assert "every scenario was skipped, so nothing was judged" in done.out
