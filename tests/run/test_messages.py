"""Cucumber Messages: what other tools read of a run, valid and never greener than the run."""

from __future__ import annotations

import pytest

from tests.messages import Messages

FEATURE = """
    Feature: Outcomes
      Background:
        Given a cluster with 3 nodes

      Scenario: passes
        Given a table
          | a |
        Then all is well

      Scenario: fails
        When something happens
        Then it fails
        And all is well

      Scenario: cannot be judged
        Given the manifest
          ```
          {apiVersion: v1, kind: PodTemplate, metadata: {name: few}}
          ```
        Then all is well

      Scenario: cannot be run
        When I update it to v2
        Then all is well

      Scenario: is skipped midway
        When I skip
        Then it fails

      @skip
      Scenario: is skipped
        Then it fails

      @xfail
      Scenario: fails as expected
        Then it fails
        And it fails

      Scenario: is torn down badly
        Then all is well, but for the end

      Rule: rows
        Scenario Outline: row
          Then it is <what>
          Examples:
            | what |
            | well |
            | bad  |
"""

STEPS = """
    import pytest
    from pytest_bdd import given, parsers, then, when

    @pytest.fixture
    def end():
        yield
        raise RuntimeError("a bad end")

    @given("a table")
    def _(datatable): pass

    @when("something happens")
    def _(): pass

    @when("I skip")
    def _(): pytest.skip("for today")

    @then("it fails")
    def _(): assert False, "so it is"

    @then("all is well")
    def _(): pass

    @then("all is well, but for the end")
    def _(end): pass

    @then(parsers.parse("it is {what}"))
    def _(what): assert what == "well"
"""

STATUSES = {
    "passes": "PASSED",
    "fails": "FAILED",
    "cannot be judged": "PENDING",
    "cannot be run": "FAILED",
    "is skipped midway": "SKIPPED",
    "is skipped": "SKIPPED",
    "fails as expected": "SKIPPED",
    "is torn down badly": "FAILED",
}


def by_name(messages, found):
    names = {
        (pickle["uri"], pickle["location"]["line"]): pickle["name"] for pickle in messages.pickles.values()
    }
    return {names[place]: what for place, what in found.items()}


@pytest.fixture
def outcomes(project):
    """A project with a scenario of each outcome."""
    project.file("features/outcomes.feature", FEATURE)
    project.file("conftest.py", STEPS)
    project.file("gherkube.toml", "")
    return project


def test_each_outcome_has_its_status(outcomes):
    """The nearest that there is, and never PASSED for what did not pass; the message begins with the word."""
    outcomes.gherkube("run", "--messages", "m.ndjson")
    messages = Messages(outcomes.path / "m.ndjson")
    statuses = messages.statuses()
    rows = [status for (_, line), status in sorted(statuses.items()) if line > 42]
    assert rows == ["PASSED", "FAILED"]
    assert by_name(messages, statuses) == {**STATUSES, "row": "FAILED"}
    steps = by_name(messages, messages.steps())
    told = {name: [(text, status) for text, status, _ in steps[name]] for name in steps}
    nodes = ("a cluster with 3 nodes", "PASSED")
    assert told["passes"] == [nodes, ("a table", "PASSED"), ("all is well", "PASSED")]
    assert told["fails"] == [
        nodes,
        ("something happens", "PASSED"),
        ("it fails", "FAILED"),
        ("all is well", "SKIPPED"),
    ]
    assert told["is torn down badly"][-1] == ("hook", "FAILED")
    assert [status for _, status in told["is skipped"]] == ["SKIPPED"] * 3
    said = {name: "".join(message for _, _, message in steps[name]) for name in STATUSES}
    assert said.pop("passes") == ""
    assert said["fails"].startswith("failed: features/outcomes.feature:12  Then it fails\n  raised")
    assert said["is skipped midway"] == "skipped: for today (at “When I skip”)"
    assert "RuntimeError: a bad end" in said.pop("is torn down badly")
    for name, text in said.items():
        assert text.startswith(name.removeprefix("is ").removesuffix(" midway").replace("fails", "failed"))


def test_pytest_says_the_same(outcomes):
    """Also in many processes, where nobody who writes the file has read the features."""
    found = []
    for command in (
        ("gherkube", "run", "--report", "out"),
        ("pytest", "--gherkube-messages", "out/messages.ndjson"),
        ("pytest", "-n", "2", "--gherkube-report", "out"),
    ):
        name, *arguments = command
        done = getattr(outcomes, name)(*arguments, fresh=True)
        assert done.code == 1, done.out
        messages = Messages(outcomes.path / "out/messages.ndjson")
        assert not messages.success
        patterns = {each["pattern"]["source"] for each in messages.of("stepDefinition")}
        steps = {
            place: [(text, status) for text, status, _ in each] for place, each in messages.steps().items()
        }
        found.append((patterns, steps, [each["data"] for each in messages.of("source")]))
        (outcomes.path / "out/messages.ndjson").unlink()
    assert found[0] == found[1] == found[2]


def test_success_is_exit_code_0(project):
    """Also where all was skipped, or nothing selected."""
    for tags, code in (("", 2), ("@no-check", 0), ("@no-check @skip", 4)):
        text = f"Feature: F\n  {tags}\n  Scenario: S\n    Given a cluster with 3 nodes\n"
        project.file("a.feature", text)
        done = project.gherkube("run", "--messages", "m.ndjson")
        assert (done.code, Messages(project.path / "m.ndjson").success) == (code, code == 0), done.out
    assert project.gherkube("run", "--tags", "@absent", "--messages", "m.ndjson").code == 4
    messages = Messages(project.path / "m.ndjson")
    assert not messages.success
    assert not messages.of("pickle")
    assert "nothing was judged" in messages.of("testRunFinished")[0]["message"]


def test_what_is_wrong_with_a_feature_is_told_where_it_is(project):
    """No definition: UNDEFINED. Several: AMBIGUOUS, with both. Else a parse error; and nothing has run."""
    project.file(
        "a.feature",
        """
        Feature: F
          Scenario: wrong
            Given a cluster with 3 nodes
            When I frobnicate it
            Then all is well

          Scenario: right
            Given a cluster with 3 nodes
            Then 1 pod is ready

          Scenario: without
            Given a cluster with 3 nodes
        """,
    )
    project.file("b.feature", "Feature: F\n  Scenario: S\n    Whem I go\n    Given\n  | a |\n  | a | b |\n")
    (project.path / "c.feature").write_bytes(b"Feature: \xff\n")
    project.file(
        "conftest.py",
        """
        from pytest_bdd import parsers, then
        @then("all is well")
        def _(): pass
        @then(parsers.re("all .*"))
        def _(): pass
        """,
    )
    assert project.gherkube("run", "--messages", "m.ndjson").code == 2
    messages = Messages(project.path / "m.ndjson")
    steps = by_name(messages, messages.steps())
    assert [status for _, status, _ in steps["wrong"]] == ["SKIPPED", "UNDEFINED", "AMBIGUOUS"]
    assert "raise NotImplementedError" in steps["wrong"][1][2]
    assert [status for _, status, _ in steps["right"]] == ["PENDING", "SKIPPED", "SKIPPED"]
    assert steps["right"][0][2].startswith("not run: the file cannot be run as it is written\na.feature:4: ")
    by_text = {step["text"]: step["id"] for pickle in messages.of("pickle") for step in pickle["steps"]}
    ids = {
        step.get("pickleStepId"): step.get("stepDefinitionIds")
        for case in messages.of("testCase")
        for step in case["testSteps"]
    }
    assert ids[by_text["I frobnicate it"]] == []
    assert len(ids[by_text["all is well"]]) == 2
    errors = [
        (each["source"]["uri"], each["source"]["location"]["line"]) for each in messages.of("parseError")
    ]
    assert errors == [("a.feature", 11), *(("b.feature", line) for line in (2, 3, 4)), ("c.feature", 1)]
    assert not messages.success


def test_what_is_wrong_beside_features_is_told_at_the_end(project):
    """Where there is no feature to tell it of."""
    project.file("features/a.feature", "Feature: F\n  Scenario: S\n    Given a cluster with 3 nodes\n")
    project.file("features/conftest.py", "import nonsense\n")
    assert project.gherkube("run", "--messages", "m.ndjson").code == 2
    (ended,) = Messages(project.path / "m.ndjson").of("testRunFinished")
    assert not ended["success"]
    assert "nonsense" in ended["exception"]["message"]


def test_an_interrupted_run_says_what_did_not_run(project):
    """PENDING, at the scenario: SKIPPED would look green, and nothing at all would look well."""
    project.file(
        "a.feature",
        """
        Feature: F
          Scenario: before
            Then all is well
          Scenario: stopped
            Then all is well
            And I am stopped
          Scenario: after
            Then all is well
        """,
    )
    project.file(
        "conftest.py",
        """
        from pytest_bdd import then
        @then("all is well")
        def _(): pass
        @then("I am stopped")
        def _(): raise KeyboardInterrupt
        """,
    )
    assert project.gherkube("run", "--messages", "m.ndjson").code == 1
    messages = Messages(project.path / "m.ndjson")
    assert by_name(messages, messages.statuses()) == {
        "before": "PASSED",
        "stopped": "PENDING",
        "after": "PENDING",
    }
    steps = by_name(messages, messages.steps())
    assert steps["after"][0][2].startswith("not run: ")
    assert not messages.success


def test_a_file_that_cannot_be_written_is_refused_before_the_run(project):
    """And what an earlier run left is gone, so that nobody takes it for this one's."""
    project.file(
        "a.feature", "Feature: F\n  Scenario: S\n    Given a cluster with 3 nodes\n    Then nonsense\n"
    )
    project.file("taken", "")
    done = project.gherkube("run", "--messages", "taken/m.ndjson")
    assert done.code == 2
    assert "taken: cannot be written" in done.out


def test_what_an_earlier_run_left_never_stands_for_this_one(project):
    """Also where a conftest.py ends the run before it begins."""
    project.file("a.feature", "Feature: F\n  @no-check\n  Scenario: S\n    Given a cluster with 3 nodes\n")
    project.file("gherkube.toml", "")
    assert project.gherkube("run", "--report", "out", "--messages", "m.ndjson").code == 0
    written = [project.path / name for name in ("out/junit.xml", "out/messages.ndjson", "m.ndjson")]
    assert all(path.exists() for path in written)
    project.file("conftest.py", "raise RuntimeError\n")
    assert project.gherkube("run", "--report", "out", "--messages", "m.ndjson").code == 2
    assert not any(path.exists() for path in written)
