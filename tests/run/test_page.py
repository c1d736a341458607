"""The page that a run leaves to open: all verdicts, in one file, that runs and fetches nothing foreign."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gherkube.runners.report.page.page import html
from gherkube.runners.report.results import Results

FEATURE = """
    Feature: Releases
      Scenario: A new version
        Given deployment "web" runs 2 replicas of "hello:1"
        When I update it to "hello:2"
        Then the rollout completes

      Scenario: <script>alert(1)</script> & "more"
        Given deployment "web" runs 2 replicas of "<img src=x onerror=alert(2)>"
        Then the rollout completes
        And 5 pods are ready

      Scenario: A version that does not exist
        Given deployment "web" runs 2 replicas of "hello:1"
        And image "hello:2" does not exist
        And service "web" for deployment "web" on port 8080
        And requests to service "web" every 100 milliseconds
        When I update it to "hello:2"
        Then the rollout completes
        And no pods exist
"""
FEATURES = Path(__file__).parents[2] / "features"
VOID = {"meta", "br", "input", "img", "link", "rect", "path"}
LEFT_OPEN = {"li", "tr", "td", "th"}
"""Elements whose end HTML lets one leave out."""


class Reader(HTMLParser):
    """Reads a page: its elements, and whether each is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        while self.open[-1] != tag:
            assert self.open[-1] in LEFT_OPEN, f"</{tag}> ends <{self.open[-1]}>"
            self.open.pop()
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of the elements with that name."""
        return [attributes for name, attributes in self.elements if name == tag]


def page(project, folder="out"):
    return Reader((project.path / folder / "index.html").read_text(encoding="utf-8"))


@pytest.fixture
def reported(project):
    """A project whose run has left its page in `out`."""
    project.write(gherkube__toml="")
    project.file("features/release.feature", FEATURE)
    assert project.gherkube("run", "--seed", "42", "--report", "out").code == 1
    return project


def test_every_verdict_is_there_the_failing_first(reported):
    """With its outcome, its block, its sentences, those too that were not reached, and its timeline."""
    read = page(reported)
    assert read.open == []
    outcomes = [each["data-outcome"] for each in read.all("details") if "data-outcome" in each]
    assert outcomes == ["failed", "failed", "passed"]
    for said in (
        "1 of 3 scenarios passed",
        "A version that does not exist",
        "features/release.feature:18  Then the rollout completes",
        "ErrImagePull",
        "cannot become true",
        "not reached",
        "revision 2",
        "hello:2",
        "allowed: maxUnavailable below, maxSurge above",
        "answered by hello:1",
        "t+0 is the first When",
    ):
        assert said in read.text, said
    assert "42" in read.text


def test_each_sentence_leads_to_its_moment(reported):
    """Every link has a place to go to, and no two places have one name."""
    read = page(reported)
    names = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(names) == len(set(names))
    links = [attributes["href"] for attributes in read.all("a")]
    assert len(links) > 10
    assert {link.removeprefix("#") for link in links} <= set(names)


def test_nothing_foreign_is_fetched_or_runs(reported):
    """Markup in names and messages is text; the page's policy allows its own script and nothing else."""
    text = (reported.path / "out" / "index.html").read_text(encoding="utf-8")
    read = Reader(text)
    assert "<script>alert(1)</script>" in read.text
    assert "<img src=x" in read.text
    assert "<img" not in text
    assert len(read.all("script")) == 1
    assert not re.search(r"https?://|//[a-z]+\.[a-z]|@import|url\((?!#)", text)
    assert not any("src" in each or key.startswith("on") for _, each in read.elements for key in each)
    assert all(each["href"].startswith("#") for each in read.all("a"))
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = [each for each in read.all("meta") if "http-equiv" in each]
    assert policy["content"].startswith("default-src 'none'")
    assert f"script-src 'sha256-{digest}'" in policy["content"]


def test_many_processes_write_the_same_page(reported):
    """pytest's option does the same, also with -n 2: the same scenarios with the same timelines."""
    done = reported.pytest(
        "-n", "2", "--gherkube-seed", "42", "--gherkube-report", "many", "-p", "no:randomly", fresh=True
    )
    assert done.code == 1, done.out
    one, many = (
        re.findall(r'<figure class="timeline".*?</figure>', text, re.DOTALL)
        for text in (
            (reported.path / folder / "index.html").read_text(encoding="utf-8") for folder in ("out", "many")
        )
    )
    assert len(one) >= 2
    assert one == many


def test_a_hundred_scenarios_fit_into_a_megabyte(project):
    """Of the size of the shipped ones, with the page's own style and script once."""
    done = project.gherkube(
        "run", str(FEATURES), "--tags", "not @needs-kubectl and not @needs-helm", "--report", "out"
    )
    assert done.code == 0, done.out
    text = (project.path / "out" / "index.html").read_text(encoding="utf-8")
    scenarios = text.split('<details class="scenario"')
    assert len(scenarios) > 50
    once = len(scenarios.pop(0).encode())
    assert once + 100 * sum(len(each.encode()) for each in scenarios) / len(scenarios) < 1_000_000


def test_what_an_earlier_run_left_is_gone(project):
    """Also where this run comes to no end: an old page says nothing about it."""
    project.file("features/a.feature", "Feature: F\n  Scenario: S\n    Givven nothing\n")
    project.file("out/index.html", "old")
    project.file("out/history/old.ndjson", "{}")
    assert project.gherkube("run", "--report", "out").code == 2
    read = page(project)
    assert "No scenario ran" in read.text
    assert "Cannot be run as written" in read.text
    assert "features/a.feature" in read.text
    assert not (project.path / "out" / "history" / "old.ndjson").exists()


def test_a_page_that_cannot_be_written_is_an_error_before_anything_runs(project):
    """It says which file, and nothing runs."""
    project.file("features/release.feature", FEATURE)
    (project.path / "out" / "index.html").mkdir(parents=True)
    done = project.gherkube("run", "--report", "out")
    assert done.code == 2, done.out
    assert "index.html: cannot be written" in done.out
    assert "✓" not in done.out


def test_a_run_of_nothing_has_a_page(tmp_path):
    """It says so."""
    assert "No scenario ran" in html(Results(), tmp_path, {"Command": "gherkube run"})
