"""Attacks from outside: what may never end as passed does not, whichever way it is run, and all that
is said of a run (exit code, JUnit, Messages, terminal) says the same."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from gherkube.runners.report.messages import STATUS
from tests.attacks.attack import COMMANDS, HERE, Attack, AttackError, Ended, load, names, run
from tests.messages import Messages

GREEN = {"passed", "skipped", "failed as expected"}
TYPES = {
    "failed": "failed",
    "cannot-run": "cannot be run",
    "cannot-judge": "cannot be judged",
    "not-run": "not run",
    "internal": "internal error",
    "skipped": "skipped",
    "failed-as-expected": "failed as expected",
}
"""What gherkube's JUnit file calls an outcome."""


class Case(NamedTuple):
    """A case of a JUnit file: `tag` is failure, error, skipped or passed, `type` the one that it names."""

    name: str
    tag: str
    type: str
    file: str


def junit(path: Path) -> list[Case]:
    """The cases of a JUnit file; none where there is no file."""
    if not path.exists():
        return []
    found = []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        ends = [child for child in case if child.tag in ("failure", "error", "skipped")]
        end = ends[0] if ends else None
        tag, kind = ("passed", "passed") if end is None else (end.tag, end.get("type", ""))
        found.append(Case(str(case.get("name")), tag, TYPES.get(kind, kind), str(case.get("classname"))))
    return found


@pytest.mark.parametrize("way", COMMANDS)
@pytest.mark.parametrize("name", names())
def test_an_attack_is_repelled(name, way, tmp_path):
    """Exit code, JUnit, Messages and terminal say the outcome that the attack's folder names."""
    attack = load(HERE / name, way)
    ended = run(attack, HERE / name, way, tmp_path)
    print(f"exit code {ended.code}\n{ended.text}")
    _exit_code(attack, ended)
    _junit(attack, ended)
    _messages(attack, ended)
    _terminal(attack, ended, way)


def _exit_code(attack: Attack, ended: Ended) -> None:
    if attack.exit is None:
        assert ended.code != 0
    else:
        assert ended.code == attack.exit


def _junit(attack: Attack, ended: Ended) -> None:
    """Gherkube's file names the outcome of each scenario; the one asked for on the side is as red."""
    cases = junit(ended.out / "report/junit.xml")
    for case in cases:
        assert case.type == attack.others.get(case.name, attack.outcome), case
    assert attack.others.keys() <= {case.name for case in cases}
    attacked = [case for case in cases if case.name not in attack.others]
    assert bool(attacked) == (attack.outcome != "nothing selected"), cases
    if not (ended.out / "own.xml").exists():
        assert ended.code != 0
        return
    own = junit(ended.out / "own.xml")
    assert _reds(own) == _reds(cases)
    assert any(case.tag == "passed" for case in own) == any(case.tag == "passed" for case in cases)


def _reds(cases: list[Case]) -> bool:
    return any(case.tag in ("failure", "error") for case in cases)


def _messages(attack: Attack, ended: Ended) -> None:
    """Each scenario's status is that of its outcome; nothing passed in a file that cannot be run."""
    path = ended.out / "report/messages.ndjson"
    assert path.exists() == (ended.out / "report/junit.xml").exists()
    if not path.exists():
        return
    messages = Messages(path)
    assert messages.success == (ended.code == 0 and attack.outcome != "nothing selected")
    cases = junit(ended.out / "report/junit.xml")
    broken = {case.file for case in cases if case.name == "(the file)"}
    expected = Counter(STATUS.get(case.type, "FAILED") for case in cases if case.file not in broken)
    statuses = messages.statuses()
    assert Counter(status for (file, _), status in statuses.items() if file not in broken) == expected
    assert not any(
        status in ("PASSED", "SKIPPED") for (file, _), status in statuses.items() if file in broken
    )


def _terminal(attack: Attack, ended: Ended, way: str) -> None:
    """What is counted at the end is what the files hold, and the texts are there."""
    for text in attack.says:
        assert text in ended.text
    for text in attack.never_says:
        assert text not in ended.text
    of_xdist = "node down: Traceback" in ended.text  # its own words for a worker that ends
    assert way != "run" or of_xdist or "Traceback (most recent call last)" not in ended.text
    cases = junit(ended.out / "report/junit.xml")
    if way == "run":
        found = re.findall(r"^\d+ scenarios?: (.*?)(?: \([^()]*\))?$", ended.text, re.MULTILINE)
        counted = Counter()
        for count, what in re.findall(r"(\d+) ([^,]+)", found[-1] if found else ""):
            counted[what.removesuffix(" here")] += int(count)
        held = Counter(case.type for case in cases if case.name != "(the file)")
        assert {what: n for what, n in counted.items() if "feature" not in what} == held
    else:
        last = ended.text.rstrip().rsplit("\n", 1)[-1]
        if _reds(cases):
            assert re.search(r"\d+ (failed|errors?)|KeyboardInterrupt|no tests ran", ended.text), last
        else:
            assert not re.search(r"\d+ (failed|errors?)", last)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("what: x\noutcome: passed\n", "exit is missing"),
        ("what: x\noutcome: passed\nexit: 0\nsay: [x]\n", "unknown key 'say'"),
        ("what: x\noutcome: pased\nexit: 0\n", "unknown outcome 'pased'"),
        ("what: x\noutcome: passed\nexit: 0\nothers: {S: fine}\n", "unknown outcome 'fine'"),
        ("what: x\noutcome: passed\nexit: '0'\n", "exit: a int is needed"),
        ("what: x\noutcome: passed\nexit: 0\nways: {both: {}}\n", "'both' is no way of running"),
        ("what: x\noutcome: passed\nexit: 0\nways: {run: {what: y}}\n", "unknown key 'what'"),
        ("- x\n", "a mapping is needed"),
    ],
)
def test_an_attack_that_says_nothing_is_an_error(tmp_path, text, said):
    """So that no attack is taken for repelled by a slip of the pen."""
    (tmp_path / "attack.yaml").write_text(text)
    with pytest.raises(AttackError, match=re.escape(said)):
        load(tmp_path, "run")


def test_every_folder_is_an_attack():
    """A folder without its attack.yaml would be passed over in silence."""
    assert sorted(names()) == sorted(
        path.name for path in HERE.iterdir() if path.is_dir() and path.name != "__pycache__"
    )
