"""What is wrong with the text of a feature is found before anything runs, with its line and a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from gherkube.fixtures.reading import read

GOOD = """Feature: F
  Scenario: S
    Given a
    Then b
"""

OUTLINE = "Feature: F\n  Scenario Outline: S\n"
ROWS = "    Examples:\n      | n |\n      | 1 |\n"

# name → the file's bytes or text, and what must be said of it
WRONG: dict[str, tuple[str | bytes, str]] = {
    "empty file": ("", "1: is empty: it has no Feature"),
    "comments only": ("# nothing\n\n# here\n", "1: is empty"),
    "empty feature": ("Feature: F\n", "1: feature “F” has no scenarios"),
    "background only": ("Feature: F\n  Background:\n    Given a\n", "1: feature “F” has no scenarios"),
    "empty background": (GOOD.replace("  Scen", "  Background:\n  Scen"), "2: the background has no steps"),
    "empty rule": (GOOD + "  Rule: R\n", "5: rule “R” has no scenarios"),
    "empty scenario": ("Feature: F\n  Scenario: S\n", "2: scenario “S” has no steps"),
    "empty scenario under a background": (
        "Feature: F\n  Background:\n    Given a\n  Scenario: S\n",
        "4: scenario “S” has no steps",
    ),
    "no Then": (
        "Feature: F\n  Scenario: S\n    Given a\n    When b\n    And c\n",
        "2: scenario “S” has no Then",
    ),
    "misspelt step": (
        "Feature: F\n  Scenario: S\n    Whem I update it\n    Then b\n",
        "3: “Whem I update it” would be taken for a description, not for “When”",
    ),
    "step with a colon": (
        "Feature: F\n  Scenario: S\n    Then: all pods are gone\n    Then b\n",
        "3: “Then: all pods are gone” would be taken for a description",
    ),
    "small letters": (
        "Feature: F\n  Scenario: S\n    given a\n    Then b\n",
        "3: “given a” would be taken for a description",
    ),
    "no space": (
        "Feature: F\n  Scenario: S\n    GivenA cluster\n    Then b\n",
        "3: “GivenA cluster” would be taken for a description",
    ),
    "misspelt step below a background": (
        "Feature: F\n  Background:\n    Givn a\n    And b\n  Scenario: S\n    Then b\n",
        "3: “Givn a” would be taken for a description",
    ),
    "misspelt step later": (
        "Feature: F\n  Scenario: S\n    Given a\n    Whem I update it\n    Then b\n",
        "4: “Whem I update it” is not Gherkin in this place; did you mean “When”?",
    ),
    "step below examples": (
        OUTLINE + "    Then b <n>\n" + ROWS + "    And c\n",
        "7: “And c” is not Gherkin in this place; steps stand below the heading of a scenario",
    ),
    "step below a tag": (
        "Feature: F\n  @tag\n  Given a\n",
        "3: “Given a” is not Gherkin in this place; steps stand below",
    ),
    "heading with a space": (
        GOOD + "  Scenario : T\n",
        "5: “Scenario : T” is not Gherkin in this place; did you mean “Scenario”?",
    ),
    "background below a scenario": (
        GOOD + "  Background:\n    Given a\n",
        "5: “Background:” is not Gherkin in this place; a feature or rule has one background",
    ),
    "examples of a background": (
        "Feature: F\n  Background:\n    Given a\n    Examples:\n",
        "4: “Examples:” is not Gherkin in this place; examples stand below the steps of an outline",
    ),
    "misspelt scenario": (
        "Feature: F\n  Scenari: hidden\n  Scenario: S\n    Then b\n",
        "2: “Scenari: hidden” would be taken for a description, not for “Scenario”",
    ),
    "misspelt examples": (
        OUTLINE + "    Exampels:\n    Then b\n" + ROWS,
        "3: “Exampels:” would be taken for a description, not for “Examples”",
    ),
    "background without colon": (
        "Feature: F\n  Background\n  Scenario: S\n    Then b\n",
        "2: “Background” would be taken for a description",
    ),
    "outline without examples": (
        "Feature: F\n  Scenario Outline: S\n    Then b <n>\n",
        "2: scenario “S” is an outline without examples",
    ),
    "examples without rows": (
        OUTLINE + "    Then b <n>\n    Examples:\n      | n |\n",
        "4: the examples of scenario “S” have no rows",
    ),
    "examples without a table": (
        OUTLINE + "    Then b <n>\n    Examples:\n",
        "4: the examples of scenario “S” have no rows",
    ),
    "unknown placeholder": (
        OUTLINE + "    Then b <m>\n" + ROWS,
        "3: <m> is no column of the examples; write <n>, or add the column",
    ),
    "unknown placeholder in a table": (
        OUTLINE + "    Then b <n>\n      | <m> |\n" + ROWS,
        "4: <m> is no column of the examples",
    ),
    "unknown placeholder in a docstring": (
        OUTLINE + '    Then b <n>\n      """\n      <m>\n      """\n' + ROWS,
        "4: <m> is no column of the examples",
    ),
    "two columns of one name": (
        OUTLINE + "    Then b <n>\n    Examples:\n      | n | n |\n      | 1 | 2 |\n",
        "5: the examples of scenario “S” have two columns of one name",
    ),
    "ragged rows": (
        OUTLINE + "    Then b <n>\n    Examples:\n      | n |\n      | 1 | 2 |\n",
        "6: “| 1 | 2 |”: inconsistent cell count",
    ),
    "column that is a pattern": (
        OUTLINE + "    Then b <n (m)>\n    Examples:\n      | n (m) |\n      | 1 |\n",
        "5: <n (m)> cannot be filled in",
    ),
    "duplicate scenarios": (
        GOOD + "  Scenario: S\n    Then b\n",
        "5: scenario “S” is there already, in line 2",
    ),
    "duplicate outlines": (
        "Feature: F\n"
        + "  Scenario Outline: S\n    Then b <n>\n    Examples:\n      | n |\n      | 1 |\n" * 2,
        "7: scenario “S” is there already, in line 2",
    ),
    "duplicate in a rule": (
        GOOD + "  Rule: R\n    Scenario: S\n      Then b\n",
        "6: scenario “S” is there already, in line 2",
    ),
    "duplicate within a rule": (
        "Feature: F\n  Rule: R\n    Scenario: S\n      Then b\n    Scenario: S\n      Then b\n",
        "5: scenario “S” is there already, in line 3",
    ),
    "duplicate rules": (
        "Feature: F\n  Rule: R\n    Scenario: S\n      Then b\n  Rule: R\n    Scenario: T\n      Then b\n",
        "5: rule “R” is there already, in line 2",
    ),
    "no feature": ("Scenario: S\n  Then b\n", "1: “Scenario: S”: a feature file begins with a feature"),
    "two features": (GOOD + GOOD, "5: “Feature: F” is not Gherkin in this place"),
    "open docstring": (
        'Feature: F\n  Scenario: S\n    Then b\n      """\n      x\n',
        "the file ends too early",
    ),
    "unknown language": (
        "# language: klingonish\nFeature: F\n",
        "1: “# language: klingonish”: no such language",
    ),
    "latin-1": ("Feature: Größe\n".encode("latin-1"), "1: is not UTF-8: byte 0xf6 in this line; save"),
    "latin-1 below": ((GOOD + "  # größer\n").encode("latin-1"), "5: is not UTF-8"),
    "UTF-16": (GOOD.encode("utf-16"), "1: is not UTF-8: byte 0xff"),
}


def problems(path: Path) -> str:
    return "\n".join(map(str, read(path).problems))


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_with_its_line(tmp_path, name):
    """Each mistake is one problem, at its line."""
    text, said = WRONG[name]
    path = tmp_path / "wrong.feature"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert said in problems(path)


RIGHT: dict[str, str | bytes] = {
    "plain": GOOD,
    "tabs": GOOD.replace("  ", "\t"),
    "CRLF": GOOD.replace("\n", "\r\n").encode(),
    "old Mac": GOOD.replace("\n", "\r").encode(),
    "BOM": b"\xef\xbb\xbf" + GOOD.encode(),
    "no end of line": GOOD.rstrip(),
    "description": GOOD.replace(
        "    Given",
        "    The tag does not exist. They\n    notice nothing, the pods stay,\n    and nobody is paged.\n\n"
        "    Note: any of them\n    Given",
    ),
    "description of the feature": GOOD.replace("  Scen", "  As a user\n  Rules: all of them\n\n  Scen"),
    "no check": GOOD.replace("    Then b\n", "").replace("  Scen", "  @no-check\n  Scen"),
    "same name in two rules": "Feature: F\n"
    + "".join(f"  Rule: {name}\n    Scenario: S\n      Then b\n" for name in "AB"),
    "star as a Then": GOOD.replace("Then", "*"),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_left_alone(tmp_path, name):
    """No false alarm."""
    text = RIGHT[name]
    path = tmp_path / "right.feature"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert problems(path) == ""


def test_without_a_feature_its_lines_are_not_told_one_by_one(tmp_path):
    """They are right where they stand, once there is a feature above them."""
    path = tmp_path / "a.feature"
    path.write_text(GOOD.replace("Feature:", "Feature"))
    assert problems(path) == (
        "1: “Feature F”: a feature file begins with a feature; write `Feature: …` first"
    )


def test_a_column_that_is_not_used_is_a_warning(tmp_path):
    """The scenario says what it says, but probably not what was meant."""
    path = tmp_path / "a.feature"
    path.write_text(OUTLINE + "    Then b <n>\n    Examples:\n      | n | m |\n      | 1 | 2 |\n")
    assert read(path).warnings == [(5, "column <m> of the examples is not used")]


def test_a_file_that_cannot_be_read(tmp_path):
    """It is a problem of that file."""
    path = tmp_path / "gone.feature"
    path.symlink_to(tmp_path / "nowhere")
    assert problems(path) == "1: cannot be read: No such file or directory; make it readable, or remove it"


LINES = """# about
@all
Feature: F
  Background:
    Given a

  @one
  Scenario: one
    Then b

  Scenario Outline: many
    Then <n>
    Examples: few
      | n |
      | 1 |
      | 2 |
    Examples: more
      | n |
      | 3 |

  Rule: R
    Background:
      Given c
    Scenario: ruled
      Then b
"""


@pytest.mark.parametrize(
    ("line", "selected"),
    [
        (1, "one many[1] many[2] many[3] R / ruled"),
        (3, "one many[1] many[2] many[3] R / ruled"),
        (5, "one many[1] many[2] many[3] R / ruled"),
        (7, "one"),
        (10, "one"),
        (12, "many[1] many[2] many[3]"),
        (14, "many[1] many[2]"),
        (15, "many[1]"),
        (16, "many[2]"),
        (17, "many[3]"),
        (19, "many[3]"),
        (21, "R / ruled"),
        (23, "R / ruled"),
        (24, "R / ruled"),
        (99, ""),
    ],
)
def test_a_line_stands_for_what_stands_there(tmp_path, line, selected):
    """A row, a table of examples, a scenario, a rule, the feature: the innermost thing at the line."""
    path = tmp_path / "lines.feature"
    path.write_text(LINES)
    feature = read(path)
    assert not feature.problems
    found = [scenario.name for scenario in feature.scenarios if feature.at(line) in scenario.within]
    assert " ".join(found) == selected


def test_problems_stop_the_run_before_anything_runs(project):
    """All files' problems are told, JUnit has them, the exit code is 2, and plain pytest agrees."""
    project.write(
        gherkube__toml="",
        conftest__py="""
            from pytest_bdd import given, then

            @given("a")
            @then("b")
            def _():
                print("it ran")
        """,
        good__feature=GOOD,
    )
    for name, (text, _) in WRONG.items():
        path = project.path / f"{name.replace(' ', '-')}.feature"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = project.gherkube("run", "--junit", "junit.xml")
    assert done.code == 2
    for name, (_, said) in WRONG.items():
        file = f"{name.replace(' ', '-')}.feature"
        assert f"\n{file}:" in done.out
        assert said in done.out
    assert "it ran" not in done.out
    assert "Traceback" not in done.out
    assert f"{len(WRONG)} features cannot be run as written" in done.out
    assert project.junit() == {"(the file)": "cannot-run"}
    assert project.pytest().code == 2


def test_other_languages_rules_outlines_and_tags(project):
    """All of Gherkin; -m and -k of pytest see tags and names."""
    project.write(
        gherkube__toml="",
        pytest__ini="[pytest]\naddopts = --strict-markers --strict-config\nfilterwarnings = error\n",
        conftest__py="""
            from pytest_bdd import given, parsers, then

            @given("ein Ding", target_fixture="thing")
            def thing():
                return []

            @then(parsers.parse("hat es {n:d} Teile"))
            def parts(thing, n):
                assert n < 3
        """,
    )
    project.file(
        "dinge.feature",
        """
        # language: de
        @dinge
        Funktionalität: Dinge
          Grundlage:
            Angenommen ein Ding

          @schnell @issue:12
          Szenariogrundriss: Teile
            Dann hat es <n> Teile
            @klein
            Beispiele:
              | n |
              | 1 |
              | 2 |
            @gro-ß
            Beispiele:
              | n |
              | 3 |

          Regel: Immer
            Beispiel: Noch eins
              Dann hat es 0 Teile
        """,
    )
    done = project.gherkube("run", "--junit", "junit.xml")
    assert done.code == 1
    assert project.junit() == {
        "Teile[1]": "passed",
        "Teile[2]": "passed",
        "Teile[3]": "failure",
        "Immer / Noch eins": "passed",
    }
    assert "dinge.feature:9  Dann hat es 3 Teile" in done.out
    assert "gherkube run dinge.feature:18 --seed 1" in done.out
    for options, passed, failed in [
        (("-m", "klein"), 2, 0),
        (("-m", "schnell and not klein"), 0, 1),
        (("-m", "dinge"), 3, 1),
        (("-k", "Noch"), 1, 0),
        (("-k", "Immer"), 1, 0),
        (("--gherkube-tags=@gro-ß",), 0, 1),
        (("--gherkube-tags=@issue:12 and not @klein",), 0, 1),
        (("--gherkube-tags=@dinge and not (@klein or @gro-ß)",), 1, 0),
        (("--gherkube-name", "noch EINS"), 1, 0),
        (("--gherkube-at", "dinge.feature:14", "dinge.feature"), 1, 0),
        (("dinge.feature::Teile",), 2, 1),
        (("dinge.feature::Teile[3]",), 0, 1),
        (("dinge.feature::Immer / Noch eins",), 1, 0),
    ]:
        done = project.pytest("-q", *options)
        parts = ([f"{failed} failed"] if failed else []) + ([f"{passed} passed"] if passed else [])
        assert f"\n{', '.join(parts)}" in done.out, f"{options}\n{done.out}"
        assert done.code == bool(failed)


def test_a_sentence_without_its_keyword_is_not_taken_for_description(project):
    """Whatever stands before it: prose is left alone, a known sentence is not."""
    project.write(
        a__feature="""
            Feature: F
              Scenario: S
                The pods come up one by one.
                3 pods are ready
                Expect 4 pods are ready
                Given a cluster with 1 node
                Then no pods run on node "node-1"
        """
    )
    done = project.gherkube("run")
    assert done.code == 2
    assert "a.feature:4: “3 pods are ready” would be taken for a description" in done.out
    assert "write Given, When or Then before it in the place of “Expect”" in done.out
    assert "come up" not in done.out
