"""A project's own steps: how they are found, what they get, and that none passes without judging."""

from __future__ import annotations

import pytest

OWN = """
    import os, sys, threading
    import pytest
    from pytest_bdd import given, parsers, step, then, when


    @given(parsers.parse("{n:d} things"), target_fixture="things")
    def things(n):
        return list(range(n))


    @given("a place that is cleaned up", target_fixture="place")
    def place():
        yield "here"
        print("cleaned up")


    @when(parsers.re(r"one is (?P<how>taken|left)"))
    def one_is(things, how):
        if how == "taken":
            things.pop()


    @then(parsers.cfparse("there are {n:d} things"))
    def there_are(things, n):
        assert len(things) == n


    @then("the table says")
    def table(datatable):
        assert datatable == [["a", "b"], ["1", "2"]]


    @then("the text says")
    def text(docstring):
        assert docstring == "one\\ntwo"


    @step("anything goes")
    def anything():
        pass


    @then("it is here")
    def here(place):
        assert place == "here"
"""


def test_own_steps_get_what_they_ask_for(project):
    """Parts of the sentence (converted), tables, docstrings, fixtures and what earlier steps made."""
    project.write(
        conftest__py=OWN,
        own__feature="""
            Feature: Own steps
              Scenario: All parts
                Given 3 things
                * anything goes
                When one is taken
                And anything goes
                Then there are 2 things
                And the table says
                  | a | b |
                  | 1 | 2 |
                And the text says
                  \"\"\"
                  one
                  two
                  \"\"\"
                But anything goes

              Scenario: Clean-up
                Given a place that is cleaned up
                Then it is here
        """,
    )
    done = project.gherkube("run", "--junit", "junit.xml")
    assert done.code == 0, done.out
    assert project.junit() == {"All parts": "passed", "Clean-up": "passed"}
    assert "2 scenarios: 2 passed" in done.out


ATTACKS = {
    "returns False": ("return False", "failed"),
    "returns True": ("return True", "failed"),
    "returns a number": ("return 4", "failed"),
    "returns a coroutine": ("async def inner(): pass\n        return inner()", "failed"),
    "returns a generator": ("return (each for each in [])", "failed"),
    "fails": ("assert 1 == 2", "failed"),
    "raises": ("raise RuntimeError('broken')", "failed"),
    "exits": ("sys.exit(0)", "failed"),
    "leaves": ("os._exit(0)", "failed"),
    "ends pytest": ("pytest.exit('enough', 0)", "failed"),
    "fails in a thread": (
        "thread = threading.Thread(target=lambda: 1 / 0)\n        thread.start()\n        thread.join()",
        "failed",
    ),
    "yields twice": ("yield\n        yield", "failed"),
    "fails after its yield": ("yield\n        assert 1 == 2", "failed"),
    "asks for what is not there": ("pass", "failed"),
    "skips": ("pytest.skip('not today')", "skipped"),
}


@pytest.fixture
def attacked(project):
    """A project with a scenario and a step of its own for each attack, and one that is in order."""
    steps = ["import os, sys, threading, pytest", "from pytest_bdd import then, given", ""]
    scenarios = ["Feature: Attacks"]
    for number, (name, (body, _)) in enumerate({"nothing wrong": ("pass", "passed"), **ATTACKS}.items()):
        asked = "nowhere" if name == "asks for what is not there" else ""
        steps.append(f'@then("attack {number}")\ndef attack_{number}({asked}):\n        {body}\n\n')
        scenarios.append(f"  Scenario: {name}\n    Then attack {number}")
    steps.append(
        "@pytest.fixture\ndef broken_at_the_end():\n    yield\n    raise OSError('teardown')\n\n"
        "@pytest.fixture\ndef broken_at_once():\n    raise OSError('setup')\n\n"
        '@then("the fixture breaks in the end")\ndef end(broken_at_the_end):\n    pass\n\n'
        '@then("the fixture breaks at once")\ndef once(broken_at_once):\n    pass\n'
    )
    scenarios.append("  Scenario: teardown\n    Then the fixture breaks in the end")
    scenarios.append("  Scenario: setup\n    Then the fixture breaks at once")
    project.file("conftest.py", "\n".join(steps))
    project.file("attacks.feature", "\n".join(scenarios) + "\n")
    project.file("gherkube.toml", "")
    return project


EXPECTED = {"nothing wrong": "passed", **{name: outcome for name, (_, outcome) in ATTACKS.items()}} | {
    "teardown": "failed",
    "setup": "failed",
}


def test_no_attack_passes_under_gherkube_run(attacked):
    """Terminal, JUnit and exit code agree, scenario by scenario."""
    done = attacked.gherkube("run", "--junit", "junit.xml", fresh=True)
    assert done.code == 1, done.out
    said = attacked.junit()
    assert said.keys() == EXPECTED.keys()
    for name, outcome in EXPECTED.items():
        assert (said[name] in ("passed", "skipped")) == (outcome != "failed"), f"{name}: {said[name]}"
        mark = {"passed": "✓", "failed": "✗", "skipped": "-"}[outcome]
        assert f"  {mark} {name} (" in done.out, f"{name}\n{done.out}"
    assert "not today (at “Then attack" in done.out


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_no_attack_passes_under_pytest(attacked, options):
    """Plain pytest says the same."""
    done = attacked.pytest("--gherkube-report", "out", *options, fresh=True)
    assert done.code == 1, done.out
    said = attacked.junit("out/junit.xml")
    assert said.keys() == EXPECTED.keys()
    for name, outcome in EXPECTED.items():
        assert (said[name] in ("passed", "skipped")) == (outcome != "failed"), f"{name}: {said[name]}"


def test_an_async_step_is_found_before_anything_runs(project):
    """pytest-bdd would never await it, and the scenario would pass."""
    project.write(
        conftest__py="""
            from pytest_bdd import then

            @then("it is awaited")
            async def awaited():
                assert False

            @then("it streams")
            async def streams():
                yield
        """,
        bad__feature="Feature: F\n  Scenario: S\n    Then it is awaited\n    And it streams\n",
    )
    done = project.gherkube("run", "--junit", "junit.xml")
    assert done.code == 2
    assert "bad.feature:3: “Then it is awaited”: its step in conftest.py:3 is async" in done.out
    assert "bad.feature:4: “And it streams”: its step in conftest.py:7 is async" in done.out
    assert project.junit() == {"(the file)": "cannot-run"}


def test_undefined_and_ambiguous_sentences_are_found_before_anything_runs(project):
    """With the nearest sentences, a step to fill in, and both places."""
    project.write(
        conftest__py="""
            from pytest_bdd import given, parsers, then

            @given("something happens")
            def happens():
                print("it ran")

            @then(parsers.parse("there are {n} things"))
            def first(n):
                pass

            @then(parsers.parse("there are {what}"))
            def second(what):
                pass

            @then("4 pods are ready")
            def mine():
                pass
        """,
        bad__feature="""
            Feature: F
              Scenario: One
                Given something happens
                Then there are 3 things
                And 4 pods are ready
              Scenario: Two
                Given something happened
                When I update it to "hello:2" with 3 "friends"
                Then something happens
        """,
    )
    done = project.gherkube("run", "-v")
    assert done.code == 2
    assert "it ran" not in done.out
    assert "bad.feature:4: several steps match “Then there are 3 things”" in done.out
    assert "conftest.py:7: there are {n} things" in done.out
    assert "conftest.py:11: there are {what}" in done.out
    assert "conftest.py:15: 4 pods are ready" in done.out
    assert "gherkube's own: " in done.out
    assert "bad.feature:7: no step matches “Given something happened”" in done.out
    assert "  nearest   Given something happens" in done.out
    assert """@when(parsers.parse('I update it to "{text}" with {number:d} "{text_2}"'))""" in done.out
    assert "bad.feature:9: no step matches “Then something happens”" in done.out
    assert "as a Given the sentence is known" in done.out


def test_a_nearer_conftest_overrides_the_same_sentence(project):
    """As everywhere in pytest: the definition nearest to the feature counts."""
    project.write(conftest__py='from pytest_bdd import then\n@then("all is well")\ndef _(): assert False\n')
    project.file("near/conftest.py", 'from pytest_bdd import then\n@then("all is well")\ndef _(): pass\n')
    project.file("near/a.feature", "Feature: F\n  Scenario: S\n    Then all is well\n")
    assert project.gherkube("run", "near").code == 0


def test_steps_of_a_module_that_the_settings_name(project):
    """It is found beside the settings, and its asserts are explained."""
    project.write(
        gherkube__toml='steps = ["acme.rollout_steps"]',
        a__feature="Feature: F\n  Scenario: S\n    Then it has 3\n",
    )
    project.file("acme/__init__.py", "")
    project.file(
        "acme/rollout_steps.py",
        """
        from pytest_bdd import parsers, then

        def have():
            return [1, 2]

        @then(parsers.parse("it has {n:d}"))
        def has(n):
            assert len(have()) == n
        """,
    )
    done = project.gherkube("run")
    assert done.code == 1
    assert "raised    AssertionError: assert 2 == 3" in done.out
    assert "acme/rollout_steps.py:8 in has" in done.out
    assert "Traceback" not in done.out
    assert "pytest_bdd" not in done.out
    done = project.pytest()
    assert done.code == 1
    assert "raised    AssertionError: assert 2 == 3" in done.out


def test_tables_and_docstrings_that_no_step_takes(project):
    """They would be lost; and a step that needs one is not run without."""
    project.write(
        conftest__py="""
            from pytest_bdd import given, then

            @given("a thing")
            def thing():
                pass

            @then("the table")
            def table(datatable):
                pass
        """,
        bad__feature="""
            Feature: F
              Scenario: S
                Given a thing
                  | a |
                And a thing
                  \"\"\"
                  text
                  \"\"\"
                Then the table
                And 3 pods are ready
                  | a |
        """,
    )
    done = project.gherkube("run")
    assert done.code == 2
    assert "bad.feature:3: “Given a thing”: its step in conftest.py:3 takes no table" in done.out
    assert "bad.feature:5: “And a thing”: its step in conftest.py:3 takes no docstring" in done.out
    assert "bad.feature:9: “Then the table”: its step in conftest.py:7 needs a table" in done.out
    assert "bad.feature:10: “And 3 pods are ready”: it takes no table" in done.out


def test_hooks_of_pytest_bdd_are_called(project):
    """For own steps and for the shipped ones, in pytest-bdd's order."""
    project.write(
        conftest__py="""
            import pytest
            from pytest_bdd import given, then

            told = []

            def pytest_bdd_before_scenario(scenario):
                told.append(f"scenario {scenario.name}")

            def pytest_bdd_before_step(step, step_func):
                told.append(f"before {step.type} {step.name}")

            def pytest_bdd_before_step_call(step, step_func_args):
                told.append(f"call {sorted(step_func_args)}")

            def pytest_bdd_after_step(step):
                told.append("after")

            def pytest_bdd_step_error(step, exception):
                told.append(f"error {exception}")

            def pytest_bdd_after_scenario(scenario):
                print(told)

            @given("a thing", target_fixture="thing")
            def thing():
                return 1

            @then("it breaks")
            def breaks(thing):
                raise OSError("here")
        """,
        a__feature="Feature: F\n  Scenario: S\n    Given a thing\n    Then it breaks\n",
    )
    done = project.gherkube("run")
    assert done.code == 1
    assert (
        "['scenario S', 'before given a thing', 'call []', 'after', "
        "'before then it breaks', \"call ['thing']\", 'error here']"
    ) in done.out, done.out


def test_an_interrupted_run_says_what_did_not_run(project):
    """KeyboardInterrupt in a step, as from ^C: nothing after it is judged, and nothing says it was."""
    project.write(
        conftest__py="""
            from pytest_bdd import then

            @then("all is well")
            def well():
                pass

            @then("it is interrupted")
            def interrupted():
                raise KeyboardInterrupt
        """,
        a__feature="""
            Feature: F
              Scenario: first
                Then all is well
              Scenario: second
                Then it is interrupted
              Scenario: third
                Then all is well
        """,
    )
    done = project.gherkube("run", "--junit", "junit.xml", fresh=True)
    assert done.code == 1
    assert project.junit() == {"first": "passed", "second": "not-run", "third": "not-run"}
    assert "The run was interrupted." in done.out
    assert "1 passed, 2 not run" in done.out
