"""The report of a game day: what the journal tells, beside what was predicted, as a page and as Markdown."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from gherkin.parser import Parser

from gherkube.runners.errors import UsageError
from gherkube.runners.gameday import regression, report
from gherkube.runners.gameday.comparison import compare, surprises
from gherkube.runners.gameday.noting import write_note
from gherkube.runners.gameday.timeline import Told, hypotheses, tell
from gherkube.runners.live.journal import Record, read
from tests.gameday import samples
from tests.gameday.samples import ALONE, EVERY, GOOD, PLAN, THREE, UNDONE

MARKUP = "<img src=x onerror=alert(1)>`|*[x](javascript:alert(1))"


@pytest.fixture(scope="module")
def told() -> Told:
    return tell(samples.broken())


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spares the second that `gherkube check` of the proposed regression takes."""
    monkeypatch.setattr(regression, "check", lambda *_: "")


class Page(HTMLParser):
    """The tags and attributes of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


def written(tmp_path: Path, records: list[Record]) -> report.Written:
    return report.write(samples.write(tmp_path / "day-20260302T140000Z.journal", records))


def test_the_sample_is_a_journal(tmp_path: Path) -> None:
    """As the journal's own reader takes it: so these tests are about what runs write."""
    records = samples.broken()
    assert read(samples.write(tmp_path / "a.journal", records)) == records


def test_rounds_with_their_times(told: Told) -> None:
    """When each began and ended, what it came to, and the four times, from the beginning on."""
    assert [(each.name, each.outcome) for each in told.rounds] == [
        (GOOD, "passed"),
        (ALONE, "passed"),
        (UNDONE, "failed"),
    ]
    last = told.rounds[-1]
    assert last.times == {"injected": 159.0, "detected": 160.4, "acted": 172.0, "recovered": 185.2}
    assert last.seconds == pytest.approx(27.0)


def test_hypotheses_with_their_verdicts(told: Told) -> None:
    """Each with its sentences; what nobody judged is not judged, never held."""
    assert [(verdict, [each.verdict for each in rows]) for _, verdict, rows in hypotheses(told)] == [
        ("broken", ["broken"]),
        ("broken", ["broken"]),
    ]
    cut = tell(samples.broken()[:30])
    assert [verdict for _, verdict, _ in hypotheses(cut)] == ["not judged", "not judged"]


def test_what_surprised(told: Told) -> None:
    """What is outside of the rehearsals' band, or of the team's bounds; and whom."""
    found = {(round_, row.what): row for round_, row in surprises(compare(told))}
    assert {name for name, _ in found} == {UNDONE}
    assert found[UNDONE, "outcome"].surprises == ("team", "simulator")
    assert found[UNDONE, "time"].surprises == ("simulator",)
    lost = found[UNDONE, "requests lost"]
    assert (lost.team, lost.simulator, lost.actual) == ("at most 0", "0", "7")
    assert found[UNDONE, "fewest ready pods of deployment/shop"].actual == "2"


def test_without_a_rehearsal_only_the_team_is_surprised() -> None:
    """And the report says that nobody rehearsed."""
    records = samples.broken()
    begin = records[0]._replace(data={**records[0].data, "prediction": None})
    found = [row.surprises for _, row in surprises(compare(tell([begin, *records[1:]])))]
    assert found
    assert all(each == ("team",) for each in found)


def test_times_are_the_clusters() -> None:
    """Where a simulator's clock goes ten times as fast, its seconds are told."""
    fast = [
        each._replace(data={**each.data, "at_cluster": 10 * each.data["at_cluster"]})
        if each.kind == "sample"
        else each
        for each in samples.broken()
    ]
    told = tell(fast)
    assert told.rate == pytest.approx(10)
    assert told.rounds[0].times["injected"] == pytest.approx(201)


def test_findings_the_gravest_first(told: Told) -> None:
    """With owner and re-test, where somebody said them; a note is no finding."""
    assert [(each.severity, each.owner, each.retest) for each in told.findings] == [
        ("high", "", ""),
        ("medium", "Ann On-Call", "2026-04-01"),
    ]


@pytest.mark.usefixtures("unchecked")
def test_what_is_left_is_not_told_as_put_back(told: Told, tmp_path: Path) -> None:
    """Neither in the table of acts, nor in the headline, nor in Markdown."""
    acts = list(told.acts.values())
    assert [bool(act.back) for act in acts] == [True, True, True, False]
    found = written(tmp_path, samples.broken())
    for text in (Page(found.html.read_text()).text, found.markdown.read_text()):
        assert "NOT everything is as it was" in text
        assert "everything is as it was" not in text.replace("NOT everything is as it was", "")
        assert re.search("not put back", text, re.IGNORECASE)


def test_a_journal_that_ends_early_is_told(tmp_path: Path) -> None:
    """After kill -9, at every record: never as a game day that ended, let alone well."""
    records = samples.broken()
    whole = len(records)
    for end in [*range(1, 20), *range(20, whole - 2, 29)]:
        told = tell(records[:end])
        facts = report.gather(told, tmp_path / "x.journal", "", "", "")
        assert "did not come to its end" in facts["headline"]
        assert not facts["good"]
        report._render("report.html", facts)
        report._render("report.md", facts)


@pytest.mark.usefixtures("unchecked")
def test_the_page_needs_nothing_and_runs_nothing(tmp_path: Path) -> None:
    """One file without script, and nothing that is loaded."""
    page = Page(written(tmp_path, samples.broken()).html.read_text())
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "img", "iframe", "object", "link", "base", "form"}
    addresses = [value for _, said in page.tags for name, value in said.items() if name in ("src", "href")]
    assert addresses == []
    (policy,) = [said["content"] for tag, said in page.tags if said.get("http-equiv")]
    assert policy is not None
    assert policy.startswith("default-src 'none'")


@pytest.mark.usefixtures("unchecked")
def test_what_is_said_is_text(tmp_path: Path) -> None:
    """Markup of people and clusters is shown as it is, on the page and in Markdown."""
    found = written(tmp_path, samples.broken(MARKUP))
    page = Page(found.html.read_text())
    assert not [
        said for tag, said in page.tags if tag == "img" or any(name.startswith("on") for name in said)
    ]
    assert page.text.count(MARKUP) >= 8
    markdown = re.sub(r"```.*?```", "", found.markdown.read_text(), flags=re.DOTALL)
    assert "<img" not in re.sub(r"\\<", "", markdown)
    assert not re.search(r"(?<!\\)\[x", markdown)


def test_the_regression_is_a_feature_that_passes_the_check(tmp_path: Path) -> None:
    """It has the round that failed, and claims what was to hold; its manifest is found from where it lies."""
    found = written(tmp_path, samples.broken())
    assert found.feature is not None
    text = found.feature.read_text()
    assert text.count("Scenario:") == 1
    assert "The tag does not exist, and the release is undone" in text
    for claim in (THREE, EVERY, 'throughout, service "shop" had at least 3 endpoints'):
        assert claim in text
    assert 'throughout, at least 2 pods of deployment "shop" were ready' in text, "the opposite of an abort"
    (manifest,) = re.findall(r'the manifest "([^"]+)"', text)
    assert (tmp_path / manifest).is_file()


OTHER = """\
Feature: Another file

  Background:
    Given the manifest "other.yaml"
    And image "acme/other:1" takes 2 seconds to stop

  Scenario: The other release
    It has a word of its own.

    When I update deployment "shop" to v2
    Then the rollout completes
"""


def from_two_files(records: list[Record], *, failed: bool = True) -> list[Record]:
    """The first round is of another file. Where none failed, nothing was predicted: nobody is surprised."""
    begin = records[0].data
    plan = {**begin["plan"], "rounds": [dict(each) for each in begin["plan"]["rounds"]]}
    plan["rounds"][0] |= {"feature": "other.feature", "scenario": "The other release"}
    features = {**begin["features"], str(PLAN.with_name("other.feature")): OTHER}
    prediction = begin["prediction"]
    if not failed:
        prediction = None
        for each in plan["rounds"]:
            each.pop("prediction")
        for each in (each for each in records if each.data.get("event") == "ends"):
            each.data["outcome"] = "passed"
    else:
        plan["rounds"][0]["prediction"] = {"within": "1s"}
    data = {**begin, "plan": plan, "features": features, "prediction": prediction}
    return [records[0]._replace(data=data), *records[1:]]


@pytest.mark.parametrize(
    ("failed", "scenarios"),
    [
        (True, ["The other release", "The tag does not exist, and the release is undone"]),
        (
            False,
            [
                "The other release",
                "The tag does not exist, and nobody does anything for a minute",
                "The tag does not exist, and the release is undone",
            ],
        ),
    ],
)
def test_a_regression_of_several_files(failed: bool, scenarios: list[str], tmp_path: Path) -> None:
    """What failed and what surprised, or all; each with the background of its file."""
    text = regression.propose(tell(from_two_files(samples.broken(), failed=failed)), tmp_path)
    (tmp_path / "day.feature").write_text(text)
    children = Parser().parse(text)["feature"]["children"]
    found = [each["scenario"] for each in children if "scenario" in each]
    assert [each["name"] for each in found] == scenarios
    steps = [[step["text"] for step in each["steps"]] for each in found]
    assert "other.yaml" in steps[0][0]
    assert steps[0][1:4] == [
        'image "acme/other:1" takes 2 seconds to stop',
        'I update deployment "shop" to v2',
        "the rollout completes",
    ]
    assert all("manifests/shop.yaml" in each[1] for each in steps[1:])
    assert found[0]["description"].strip() == "It has a word of its own."
    assert all(any(THREE in step for step in each) for each in steps)


def test_what_is_claimed_of_an_outline_stands_before_its_examples() -> None:
    """Behind them it would be a row too many."""
    outline = "  Scenario Outline: A\n    When I update it to <v>\n"
    outline += "\n    @late\n    Examples:\n      | v |\n      | v2 |\n"
    assert regression._claimed(outline, ["4 pods are ready"]).splitlines() == [
        "  Scenario Outline: A",
        "    When I update it to <v>",
        "    And 4 pods are ready",
        "",
        "    @late",
        "    Examples:",
        "      | v |",
        "      | v2 |",
    ]


def test_a_regression_that_the_check_does_not_take_is_no_file(tmp_path: Path) -> None:
    """It is shown with what is wrong with it."""
    records = samples.broken()
    features = {
        key: text.replace("I undo the rollout", "I undo it all")
        for key, text in records[0].data["features"].items()
    }
    begin = records[0]._replace(data={**records[0].data, "features": features})
    found = written(tmp_path, [begin, *records[1:]])
    assert found.feature is None
    assert "does not take it as it is" in Page(found.html.read_text()).text


@pytest.mark.parametrize(
    ("now", "always"),
    [
        (
            'at least 3 pods of deployment "are" are ready',
            'throughout, at least 3 pods of deployment "are" were ready',
        ),
        ('service "has" has 3 endpoints', 'throughout, service "has" had 3 endpoints'),
        ("2 pods show ImagePullBackOff", "throughout, 2 pods showed ImagePullBackOff"),
        ('every request to service "a" is answered', 'throughout, every request to service "a" was answered'),
        ("for 1 minute, 3 pods are ready", "for 1 minute, 3 pods are ready"),
    ],
)
def test_what_is_so_becomes_what_was_so_all_the_time(now: str, always: str) -> None:
    """Outside of quotes; what has a time phrase keeps it."""
    assert regression._always(now) == always


@pytest.mark.usefixtures("unchecked")
def test_what_is_no_journal_of_a_game_day_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a user's mistake, with the file's name."""
    path = tmp_path / "a.journal"
    for text in ("", "nonsense\n"):
        path.write_text(text)
        assert report.write_report(path) == 2
        assert "a.journal" in capsys.readouterr().err
    assert report.write_report(tmp_path / "absent.journal") == 2
    samples.write(path, [Record(1, samples.time(0), "begin", {"run": "x"})])
    with pytest.raises(UsageError, match="not the journal of a game day"):
        report.write(path)
    samples.write(path, samples.broken())
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written there"):
        report.write(path, tmp_path / "file" / "folder")


@pytest.mark.usefixtures("unchecked")
def test_a_plan_means_its_last_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the time in the journals' names; that it was not run is told."""
    plan = tmp_path / samples.PLAN.name
    plan.write_text(samples.PLAN.read_text())
    (tmp_path / "bad-image.feature").write_text(samples.PLAN.with_name("bad-image.feature").read_text())
    assert report.write_report(plan) == 2
    assert "was never run" in capsys.readouterr().err
    folder = tmp_path / "gamedays"
    folder.mkdir()
    for stamp in ("20260302T140000Z", "20260101T000000Z"):
        samples.write(folder / f"bad-image-{stamp}.journal", samples.broken())
    assert report.write_report(plan) == 0
    assert "bad-image-20260302T140000Z.html" in capsys.readouterr().out


def test_what_is_found_afterwards(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Is written into the journal, whose chain goes on, and told by the next report."""
    journal = samples.write(tmp_path / "a.journal", samples.broken())
    assert write_note(journal, "Rita", "it pages the wrong team", "high", "Ann", "2026-04-02") == 0
    assert write_note(journal, "Rita", "so", "", "", "") == 0
    told = tell(read(journal))
    assert [each.text for each in told.findings][:2] == ["Two customers called", "it pages the wrong team"]
    assert told.end < 200, "a note of later does not make the game day longer"
    size = journal.stat().st_size
    assert write_note(journal, "Rita", "so", "awful", "", "") == 2
    assert write_note(journal, "Rita", "  ", "", "", "") == 2
    assert write_note(tmp_path / "absent.journal", "Rita", "so", "", "", "") == 2
    assert journal.stat().st_size == size
    assert "low, medium, high" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("verdict", "good", "said"),
    [
        ({"hypothesis": "held", "clean": True, "exit": 0}, True, ""),
        ({"hypothesis": "held", "clean": True, "exit": 1}, False, "a round did not come out as it was to"),
        ({"hypothesis": "not judged", "clean": True, "exit": 7}, False, "it was ended early"),
        ({"hypothesis": "not judged", "clean": True, "exit": 4}, False, "nothing was touched"),
        ({"hypothesis": "held", "clean": False, "exit": 8}, False, ""),
    ],
)
def test_only_exit_code_0_looks_well(verdict: dict[str, object], good: bool, said: str) -> None:
    """Whatever the hypothesis came to."""
    told = tell([*samples.broken()[:40], Record(99, samples.time(99), "verdict", {"left": [], **verdict})])
    facts = report.gather(told, Path("a.journal"), "", "", "")
    assert facts["good"] is good
    assert said in facts["ended"]
    assert bool(said) == bool(facts["ended"])
