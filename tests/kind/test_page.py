"""What docs/fidelity.md says of the shipped features on kind is what came of them there."""

from __future__ import annotations

from tests.kind import days
from tests.kind import page as module
from tests.kind.page import PAGE, current, section
from tests.kind.table import PASSED, ROOT, Outcome, read, shipped


def test_the_page_shows_what_is_known() -> None:
    """`python -m tests.kind.page` writes it."""
    text = PAGE.read_text()
    assert current(text) == text


def test_each_shipped_game_day_was_played() -> None:
    """To its end, with its rehearsal on the objects of the cluster."""
    known = days.read()
    assert sorted(known) == days.shipped()
    for day in known.values():
        assert day["verdict"] in ("held", "broken")
        assert all(
            simulator for each in day["rounds"] for what, _, simulator, _ in each["rows"] if what == "time"
        )


def test_rows_of_game_days() -> None:
    """What was not as predicted stands out."""
    rows = [["outcome", "passed", "passed 100%", "passed"], ["time", "at most 9 s", "1–2 s", "8 s"]]
    made = module.days(
        {"one": {"verdict": "held", "rounds": [{"name": "A", "rows": rows, "surprised": ["time"]}]}}
    )
    assert made.splitlines()[2:] == [
        "| `one`: held | A | outcome | passed 100% | passed |",
        "|  |  | time | 1–2 s | **8 s** |",
    ]


def test_each_shipped_scenario_was_played() -> None:
    """A new one is played on kind before it is shipped: `python -m tests.kind.table … FEATURE`."""
    known = read()
    for path in shipped():
        for feature in (ROOT / path).rglob("*.feature"):
            assert feature.relative_to(ROOT).as_posix() in {each for each, _ in known}


def test_a_reason_for_each_that_does_not_pass() -> None:
    """Nothing is passed over."""
    assert [each.key for each in read().values() if each.verdict != PASSED and not each.reason] == []


def test_what_passed_was_played() -> None:
    """That takes time on a real cluster."""
    assert [each.key for each in read().values() if each.verdict == PASSED and each.seconds < 1] == []


def test_rows() -> None:
    """By feature and line, with what has a meaning in tables as it is."""
    found = [
        Outcome("features/b.feature", 9, "Later", PASSED, 5.25),
        Outcome("features/b.feature", 3, "An outline[1 | 2]", "cannot-judge", 0.0, "no <b> here"),
    ]
    made = section({each.key: each for each in found}, {"features/b.feature::Later": 7.5})
    assert made.startswith("Of 1 scenarios 2 were played: 1 passed, 1 cannot be judged.\n")
    assert made.splitlines()[-3:] == [
        "| `b.feature` | | | |",
        "| An outline[1 \\| 2] |  | cannot be judged | no &lt;b> here |",
        "| Later | ✓ 7.5 | ✓ 5.2 |  |",
    ]
