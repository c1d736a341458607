"""`gherkube check` and `gherkube run` hold one another: what the one finds the other refuses."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest
import yaml

WEB = 'Given deployment "web" runs 2 replicas of "hello:1"'
UPDATE = "When I update it to v2"
READY = "Then 2 pods are ready"

# Mistakes that keep a whole file from being run: its text, the rule and the line.
FILES: dict[str, tuple[str, str, int]] = {
    "not Gherkin": ("Fature: F\n", "syntax", 1),
    "an open docstring": (f'Feature: F\n  Scenario: S\n    {WEB}\n      """\n', "syntax", 6),
    "empty": ("", "empty", 1),
    "no steps": ("Feature: F\n  Scenario: S\n", "empty", 2),
    "no Then": (f"Feature: F\n  Scenario: S\n    {WEB}\n    {UPDATE}\n", "no-then", 2),
    "a misspelt keyword": (
        f"Feature: F\n  Scenario: S\n    Whem I go\n    {WEB}\n    {READY}\n",
        "keyword",
        3,
    ),
    "two names": (
        f"Feature: F\n  Scenario: S\n    {WEB}\n    {READY}\n  Scenario: S\n    {WEB}\n    {READY}\n",
        "duplicate-name",
        5,
    ),
    "a placeholder": (
        "Feature: F\n  Scenario Outline: S\n    Then <n> pods\n    Examples:\n      | m |\n      | 1 |\n",
        "outline",
        3,
    ),
    "undefined": ("Feature: F\n  Scenario: S\n    Then pods are merry\n", "undefined-step", 3),
    "ambiguous": ("Feature: F\n  Scenario: S\n    Then two at once\n", "ambiguous-step", 3),
    "async": ("Feature: F\n  Scenario: S\n    Then later\n", "misfit", 3),
    "a table nobody takes": (f"Feature: F\n  Scenario: S\n    {READY}\n      | a |\n", "misfit", 3),
    "a docstring is missing": (
        'Feature: F\n  Scenario: S\n    Then deployment "web" matches\n',
        "misfit",
        3,
    ),
    "5 of 3": ("Feature: F\n  Scenario: S\n    Then 5 of 3 pods are ready\n", "meaningless", 3),
    "no time": ("Feature: F\n  Scenario: S\n    Then within 0 seconds, 3 pods are ready\n", "meaningless", 3),
    "120%": (
        'Feature: F\n  Scenario: S\n    Then 120% of requests to service "web" are answered by v1\n',
        "meaningless",
        3,
    ),
    "a variable": ("Feature: F\n  Scenario: S\n    Then ${N} pods are ready\n", "unknown-variable", 3),
}

MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: app
          image: hello:1
"""


def _with(manifest: str, sentence: str = "Given the manifest") -> list[str]:
    return [
        sentence,
        '  """yaml',
        *(f"  {line}" for line in manifest.splitlines()),
        '  """',
        "Then 1 pod is ready",
    ]


# Mistakes that only show where a sentence stands: the sentences (the first is in line 3), rule and line.
SENTENCES: dict[str, tuple[list[str], str, int]] = {
    "nothing there": ([READY], "context", 3),
    "an unknown key": ([f"{WEB} with", "  | maxSurg | 1 |", READY], "context", 4),
    "a key twice": ([f"{WEB} with", "  | maxSurge | 1 |", "  | maxSurge | 2 |", READY], "context", 5),
    "no probe": ([f"{WEB} with", "  | readiness probe | soon |", READY], "context", 4),
    "no surge": ([f"{WEB} with", "  | maxSurge | 0 |", "  | maxUnavailable | 0 |", READY], "refused", 5),
    "no name": ([WEB.replace("web", "Web_1"), READY], "refused", 3),
    "no nodes": (["Given a cluster with 0 nodes", WEB, READY], "context", 3),
    "nodes too late": ([WEB, "And a cluster with 2 nodes", READY], "context", 4),
    "a daemonset with replicas": ([WEB.replace("deployment", "daemonset"), READY], "context", 3),
    "made twice": ([WEB, WEB, READY], "refused", 4),
    "another deployment": ([WEB, 'When I scale deployment "wbe" to 3 replicas', READY], "refused", 4),
    "a deployment that never was": (
        [WEB, UPDATE, 'Then no pods of deployment "wbe" exist'],
        "context",
        5,
    ),
    "a service that never was": ([WEB, UPDATE, 'Then service "web" has 2 endpoints'], "context", 5),
    "an object that never was": (
        [WEB, UPDATE, 'Then the "spec.replicas" of deployment "wbe" is not 3'],
        "context",
        5,
    ),
    "no requests": (
        [
            WEB,
            'And service "web" for deployment "web" on port 8080',
            'Then every request to service "web" is answered',
        ],
        "context",
        5,
    ),
    "no such node": ([WEB, 'When node "node-9" goes down', READY], "refused", 4),
    "no such container": (
        [WEB, 'When I update container "x" of deployment "web" to v2', READY],
        "refused",
        4,
    ),
    "no such service": ([WEB, 'When I send 20 requests to service "web"', READY], "refused", 4),
    "not paused": ([WEB, "When I resume the rollout", READY], "refused", 4),
    "a moment": ([WEB, UPDATE, 'Then since the moment "x", no pods were replaced'], "context", 5),
    "a moment twice": ([WEB, 'When I note the moment "x"', 'And I note the moment "x"', READY], "context", 5),
    "no When": ([WEB, "Then throughout, 2 pods were ready"], "context", 4),
    "no attempt": ([WEB, UPDATE, "Then the attempt is refused"], "context", 5),
    "an attempt that is not refused": ([WEB, "When I try to scale it to 3 replicas", READY], "context", 4),
    "nothing in quotes": ([WEB, 'Then the rollout status says ""'], "meaningless", 4),
    "how many pods": ([WEB, "When I delete at least 1 pod", READY], "context", 4),
    "no selector": (
        [
            WEB,
            'And service "web" for deployment "web" on port 80',
            'When service "web" switches to pods labelled "a"',
            READY,
        ],
        "context",
        5,
    ),
    "no answers": ([WEB, UPDATE, 'Then every answer contains "x"'], "context", 5),
    "a budget of at most": (
        [WEB, 'And a budget that keeps at most 2 pods of deployment "web" available', READY],
        "context",
        4,
    ),
    "three are two": ([WEB, "Then there are 3 replica sets with 1 and 2 replicas"], "context", 4),
    "no manifest": (['Given the manifest "nowhere.yaml"', READY], "manifest", 3),
    "no YAML": (_with("a: [1"), "manifest", 6),
    "no kind": (_with("a: 1"), "manifest", 5),
    "an unknown field": (_with(MANIFEST.replace("  selector", "  replica: 2\n  selector")), "manifest", 9),
    "a wrong type": (_with(MANIFEST.replace("  selector", '  replicas: "2"\n  selector')), "manifest", 9),
    "an invalid value": (_with(MANIFEST.replace("  selector", "  replicas: -2\n  selector")), "manifest", 9),
    "no image": (_with(MANIFEST.replace("image: hello:1", "imagePullPolicy: Always")), "manifest", 14),
    "labels that do not match": (
        _with(MANIFEST.replace("labels: {app: web}", "labels: {app: wbe}")),
        "manifest",
        11,
    ),
    "the second document": (
        _with(MANIFEST + "---\n" + MANIFEST.replace("metadata", "extra: 1\nmetadata", 1)),
        "manifest",
        19,
    ),
    "a field of a part": (
        [WEB, 'Then deployment "web" matches', '  """yaml', "  spec:", "    replica: 2", '  """'],
        "manifest",
        7,
    ),
    "a field of a patch": (
        [WEB, "When I patch it with", '  """yaml', "  spec:", "    replica: 2", '  """', READY],
        "manifest",
        7,
    ),
    "an own step without its fixture": (["Given a nameless thing", READY], "unknown-fixture", 3),
}

GOOD: dict[str, list[str]] = {
    "an update": [
        WEB,
        UPDATE,
        "Then the rollout completes",
        "And 2 v2 pods are ready",
        "And throughout, pods existed",
    ],
    "a pod is deleted": [WEB, "When I delete a pod", "Then 2 pods are ready"],
    "an undo": [
        WEB,
        UPDATE,
        "And 30 seconds pass",
        "And I undo the rollout",
        'Then 2 "hello:1" pods are ready',
    ],
    "an attempt": [
        WEB,
        'When I try to scale deployment "x" to 2 replicas',
        'Then the attempt is refused with "not found"',
    ],
    "a manifest": _with(MANIFEST),
    "a deployment that was": [
        WEB,
        'When I delete deployment "web"',
        'Then no pods of deployment "web" exist',
    ],
    "an own step that makes it": ['Given an own deployment "own"', 'Then deployment "own" has 2 replicas'],
    "requests": [
        WEB,
        'And service "web" for deployment "web" on port 8080',
        'When I send 20 requests to service "web"',
        'Then every answer contains "v=1"',
    ],
}

CONFTEST = '''
from pytest_bdd import given, parsers, then


@then("two at once")
def one():
    """One."""


@then(parsers.parse("two at {when}"))
def two(when):
    """Two."""


@then("later")
async def later():
    """Never."""


@given("a nameless thing")
def nameless(thing):
    """It has no fixture."""


@given(parsers.parse('an own deployment "{name}"'))
def own(cluster, name):
    from gherkube.steps import manifests

    cluster.api.create(manifests.workload("deployments", name, "hello:1", 2), namespace="default")
'''


class Both(NamedTuple):
    """What check found, and what became of each in a run (the types of JUnit), by name."""

    found: dict[str, list[dict[str, Any]]]
    ran: dict[str, str]


def gherkube(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = "from gherkube.runners.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def both(folder: Path, features: dict[str, str]) -> Both:
    """Checks and runs features, each in a file of its own."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --continue-on-collection-errors\n")
    names = {f"{number}.feature": name for number, name in enumerate(features)}
    for file, name in names.items():
        (folder / file).write_text(features[name])
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in features}
    for finding in json.loads(gherkube(folder, "check", "--json").stdout)["findings"]:
        if finding["file"] in names:
            found[names[finding["file"]]].append(finding)
    gherkube(folder, "run", "--junit=junit.xml")
    ran: dict[str, str] = {}
    for case in ElementTree.parse(folder / "junit.xml").getroot().iter("testcase"):
        ended = next((child for child in case if child.tag in ("failure", "error")), None)
        file = str(case.get("classname"))
        ran[names.get(file, file)] = "passed" if ended is None else str(ended.get("type") or ended.tag)
    return Both(found, ran)


def feature(lines: list[str]) -> str:
    return dedent("Feature: F\n  Scenario: S\n") + "".join(f"    {line}\n" for line in lines)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Both:
    return both(tmp_path_factory.mktemp("files"), {name: text for name, (text, _, _) in FILES.items()})


@pytest.fixture(scope="module")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> Both:
    wrong = {name: feature(lines) for name, (lines, _, _) in SENTENCES.items()}
    good = {name: feature(lines) for name, lines in GOOD.items()}
    return both(tmp_path_factory.mktemp("sentences"), {**wrong, **good})


def errors(found: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(each["rule"], each["line"]) for each in found if each["level"] == "error"]


@pytest.mark.parametrize("name", FILES)
def test_what_keeps_a_file_from_being_run_is_found(name: str, files: Both) -> None:
    """A mistake for which a run refuses the whole file is found at its line, and nothing else is."""
    assert errors(files.found[name]) == [FILES[name][1:]]
    assert files.ran[name] == "cannot-run"


@pytest.mark.parametrize("name", SENTENCES)
def test_what_cannot_be_run_where_it_stands_is_found(name: str, sentences: Both) -> None:
    """A mistake at which a run of the scenario ends is found at its line, and nothing else is."""
    assert errors(sentences.found[name]) == [SENTENCES[name][1:]]
    assert sentences.ran[name] != "passed"


@pytest.mark.parametrize("name", GOOD)
def test_what_can_be_run_is_let_pass(name: str, sentences: Both) -> None:
    """A scenario that passes has no errors, also where own steps make what no sentence names."""
    assert sentences.found[name] == []
    assert sentences.ran[name] == "passed"


def static(path: Path) -> bool | None:
    """Whether check has to find an error in an attack; None where only a run can tell."""
    attack = yaml.safe_load(path.read_text("utf-8"))
    if {"paths", "arguments", "setup"} & attack.keys() or any(path.parent.glob("*.toml")):
        return None
    if attack["outcome"] == "passed":
        return False
    refused = re.search(r"\.feature:\d+: ", " ".join(attack.get("says", ())))
    return True if attack["outcome"] == "cannot be run" and refused else None


ATTACKS = {
    path.parent: wrong
    for path in sorted((Path(__file__).parents[1] / "attacks").glob("*/attack.yaml"))
    if (wrong := static(path)) is not None
}


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The attacks in which check finds an error."""
    project = tmp_path_factory.mktemp("attacks")
    for folder in ATTACKS:
        shutil.copytree(folder, project / folder.name)
    findings = json.loads(gherkube(project, "check", "--json").stdout)["findings"]
    return {Path(each["file"]).parts[0] for each in findings if each["level"] == "error"}


@pytest.mark.parametrize("folder", ATTACKS, ids=lambda folder: folder.name)
def test_attacks_that_the_text_shows_are_found(folder: Path, attacked: set[str]) -> None:
    """Of the attacks, check finds those for which a run refuses the file, and nothing in what passes."""
    assert (folder.name in attacked) == ATTACKS[folder]
