"""A plan is read whole, and every mistake is told at once, at its line."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gherkube.runners.errors import UsageError
from gherkube.runners.gameday import reading, schema
from gherkube.runners.gameday.plan import Hook, Sentence, Window, fingerprint
from gherkube.runners.gameday.reading import look, read, told

PLAN = """\
name: Bad image
goal: Know what it costs
hypothesis:
  - says: Nobody notices
    holds:
      - throughout, at least 3 pods were ready
target: staging
scope:
  namespaces: [shop]
  workloads: [deployment/web]
  out-of-scope: [the database]
roles: {owner: Olga, operator: Otto, observers: [Vera], reporter: Rita}
window: {from: 2026-03-02T14:00:00+01:00, to: 2026-03-02T16:00:00+01:00}
steady-state:
  - 4 pods are ready
gate: {who: owner, within: 5m, says: Ready}
rounds:
  - name: Small
    feature: web.feature
    scenario: One
    prediction: {says: Fine, verdict: passed, within: 1m30s, fewest-ready: 3, most-lost: 0}
    gate: {who: Vera, within: 90s}
    pause: 10s
    limit: 5m
  - name: Large
    feature: web.feature
abort-when:
  - requests to service "web" go unanswered for more than 5 seconds
limit: 1h
links: [{name: dashboard, url: "https://example.org/d"}]
hooks:
  - {on: incident, command: ./none.sh --quick}
  - {on: end, url: "https://example.org/hook"}
rehearsal:
  runs: 5
  given: ['image "hello:2" does not exist']
report: {folder: out}
"""
FEATURE = 'Feature: Web\n  Scenario: One\n    Given the manifest "web.yaml"\n    Then 4 pods are ready\n'

Plan = Callable[[str], Path]


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Writes a plan with its feature; returns its path."""
    (tmp_path / "web.feature").write_text(FEATURE)
    (tmp_path / "web.yaml").write_text("kind: Deployment\n")

    def write(text: str) -> Path:
        path = tmp_path / "web.gameday.yaml"
        path.write_text(text)
        return path

    return write


def mistakes(path: Path) -> list[str]:
    """What is wrong, without the folder."""
    return [line.removeprefix(f"{path.parent}/") for line in told(path, look(path).mistakes)]


def test_everything_that_can_be_said_is_read(plan: Plan) -> None:
    """Each key comes to its value: times in seconds, sentences with lines, paths from the plan's folder."""
    found = read(plan(PLAN))
    assert found.name == "Bad image"
    assert found.hypothesis[0].holds == (Sentence("throughout, at least 3 pods were ready", 6),)
    assert (found.target, found.scope.namespace, found.scope.workloads) == (
        "staging",
        "shop",
        ("deployment/web",),
    )
    assert (found.roles.owner, found.roles.observers) == ("Olga", ("Vera",))
    assert found.window == Window(datetime(2026, 3, 2, 13, tzinfo=UTC), datetime(2026, 3, 2, 15, tzinfo=UTC))
    small, large = found.rounds
    assert small.feature == found.path.parent / "web.feature"
    assert (small.scenario, small.pause, small.limit, small.line) == ("One", 10.0, 300.0, 18)
    assert (small.prediction.within, small.prediction.pods, small.prediction.lost) == (90.0, 3, 0)
    assert small.gate is not None
    assert (small.gate.who, small.gate.within) == ("Vera", 90.0)
    assert (large.scenario, large.gate, large.limit) == ("", None, 900.0)
    assert found.hooks[0] == Hook("incident", (str(found.path.parent / "none.sh"), "--quick"))
    assert found.rehearsal.runs == 5
    assert found.limit == 3600.0
    assert found.folder == found.path.parent / "out"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("goal: Know what it costs\n", "", ":1: 'goal' is missing; what is to be learned, in a sentence"),
        ("limit: 1h", "limit: 90", ":29: '90' is no duration; write it as 5m, 1m30s or 90s"),
        ("limit: 1h", "limit: 0s", ":29: '0s' is no time; it must be more than zero"),
        ("limit: 1h", "limit: 1h\nlimit: 2h", ":30: 'limit' stands here twice; remove one of them"),
        ("runs: 5", "runs: many", ":35: a whole number from 1 on is needed"),
        ("[deployment/web]", "[web]", ":10: 'web' is no workload; write it as deployment/web"),
        ("name: Small", "name: [Small]", ":18: a text is needed"),
        ("name: Large", "name: Small", ":25: two rounds are called 'Small'; give each its own name"),
        ("who: Vera", "who: Vara", ":18: who confirms the gate? unknown person 'Vara'; did you mean 'Vera'?"),
        ("verdict: passed", "verdict: past", ":21: unknown word 'past'; did you mean 'passed'?"),
        (
            "from: 2026-03-02T14:00:00+01:00",
            "from: 2026-03-02T14:00:00",
            ":13: '2026-03-02T14:00:00' is no time",
        ),
        ("T14:00:00", "T17:00:00", ":13: the window ends before it begins"),
        ("T14:00:00", "T15:30:00", ":13: warning: the game day may take 3600 s, longer than its window"),
        (
            "{on: incident, command: ./none.sh --quick}",
            "{on: incident}",
            ":32: a hook is a command or an url",
        ),
        (
            "command: ./none.sh --quick",
            'url: "https://x"',
            ":32: the hook that tells of an incident is a command",
        ),
        ('url: "https://example.org/d"', "url: example.org", ":30: 'example.org' is no address"),
        (
            "- 4 pods are ready",
            "- Then 4 pods are ready",
            ":15: “Then 4 pods are ready” begins with a keyword",
        ),
        (
            "- 4 pods are ready",
            "- web: 4 pods are ready",
            ":15: a sentence, as after Then, is needed; a text with",
        ),
        ("steady-state:\n  - 4 pods are ready", "steady-state: 4 pods are ready", ":14: a list is needed"),
        ("steady-state:\n  - 4 pods are ready", "steady-state: []", ":14: at least one is needed"),
        ("says: Ready}", "says: Ready, steady}", ":16: unknown key 'steady'; a text with a comma inside {…}"),
        (
            "feature: web.feature\nabort",
            "feature: wep.feature\nabort",
            ":25: there is no feature file wep.feature; did",
        ),
        (
            'abort-when:\n  - requests to service "web" go unanswered for more than 5 seconds\n',
            "",
            "no abort-when",
        ),
        (
            "feature: web.feature\nabort",
            "feature: web.feature\n    prediction: {fewest-ready: 4}\nabort",
            ":25: warning: 'Large' is predicted to be smaller than 'Small' before it; the smallest",
        ),
    ],
)
def test_a_mistake_is_told_at_its_line(plan: Plan, before: str, after: str, said: str) -> None:
    """What, why and what next; nothing else is told beside it."""
    assert before in PLAN
    found = mistakes(plan(PLAN.replace(before, after, 1)))
    assert len(found) == 1
    assert said in found[0]
    assert found[0].startswith("web.gameday.yaml:")


def test_all_mistakes_are_told_at_once(plan: Plan) -> None:
    """In the order of their lines, and the plan is refused with all of them."""
    path = plan(PLAN.replace("goal:", "gaol:").replace("runs: 5", "runs: 0").replace("1h", "soon"))
    with pytest.raises(UsageError) as refused:
        read(path)
    lines = str(refused.value).splitlines()
    assert [line.rpartition(".yaml:")[2].partition(":")[0] for line in lines] == ["1", "2", "29", "35"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: nothing stands there"),
        ("just text", ":1: a mapping is needed"),
        ('steady-state:\n  - "web" is ready: or not\n', ":2: not YAML: "),
        ("name: [", "not YAML: "),
        ("name: a\n--- \nname: b\n", "not YAML: "),
        ("name: \x00", "not YAML: "),
    ],
)
def test_what_cannot_be_read_at_all(plan: Plan, text: str, said: str) -> None:
    """File and line, never a traceback."""
    path = plan(text)
    with pytest.raises(UsageError, match=r"web\.gameday\.yaml") as refused:
        look(path)
    assert said in str(refused.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Says what writes one."""
    with pytest.raises(UsageError, match="gherkube gameday new"):
        look(tmp_path / "absent.gameday.yaml")


def test_warnings_keep_no_plan_from_being_read(plan: Plan) -> None:
    """They are told, and that is all."""
    path = plan(PLAN.replace("limit: 1h", "limit: 3h"))
    assert read(path).limit == 3 * 3600
    assert len(mistakes(path)) == 1


def test_the_fingerprint_is_that_of_all_files(plan: Plan) -> None:
    """A change of the plan, of a feature or of a manifest that it names makes another game day."""
    path = plan(PLAN)
    seen = {fingerprint(read(path))}
    for name in ("web.gameday.yaml", "web.feature", "web.yaml"):
        file = path.with_name(name)
        before = file.read_text()
        file.write_text(before + "# x\n")
        seen.add(fingerprint(read(path)))
        file.write_text(before)
    assert len(seen) == 4
    assert fingerprint(read(path)) in seen


def test_the_shipped_schema_is_that_of_the_table() -> None:
    """The file that is installed is what `gherkube gameday schema` prints."""
    assert schema.shipped().read_text() == schema.text()


@pytest.mark.parametrize("wrong", [{"limit": 5}, {"gaol": "x"}, {"rounds": []}, {"hooks": [{"on": "never"}]}])
def test_an_editor_finds_what_the_reader_finds(wrong: dict[str, Any]) -> None:
    """The schema takes a whole plan, and refuses what is wrong with it."""
    said = yaml.load(PLAN, yaml.BaseLoader) | {"rehearsal": {"runs": 5}}
    said["rounds"][0]["prediction"] |= {"fewest-ready": 3, "most-lost": 0}
    rules = json.loads(schema.text())
    jsonschema.validate(said, rules)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**said, **wrong}, rules)


def test_every_shipped_plan_is_read() -> None:
    """Without a mistake."""
    root = Path(__file__).parents[2] / "features" / "gamedays"
    for path in sorted(root.rglob("*.gameday.yaml")):
        assert not told(path, look(path).mistakes)


def test_the_plan_of_the_docs_is_read(plan: Plan) -> None:
    """And its table of keys names them all."""
    page = (Path(__file__).parents[2] / "docs" / "gameday-plan.md").read_text()
    text = page.partition("```yaml\n")[2].partition("```")[0]
    assert mistakes(plan(text.replace("bad-image.feature", "web.feature"))) == []
    assert [key for key in reading.PLAN.keys if f"`{key}`" not in page] == []
