"""A game day from outside: what it comes to, and that everything is as it was, whatever came between."""

from __future__ import annotations

from tests.conftest import Done, Project
from tests.gameday.shop import GATES, Shop


def run(project: Project, *arguments: str) -> Done:
    """`gherkube gameday run` with all gates confirmed."""
    return project.gherkube("gameday", "run", "shop.gameday.yaml", *GATES, *arguments)


def test_a_whole_day(shop: Shop, project: Project) -> None:
    """Rounds are played and put back, the hypothesis is judged, the lock is free, the journal tells all."""
    before = shop.objects()
    done = run(project)
    assert done.code == 0, done.out
    assert shop.objects() == before
    assert shop.lock() is None
    told = [(each.kind, each.data) for each in shop.records()]
    assert [data["event"] for kind, data in told if kind == "lease"] == ["taken", "released"]
    assert [(data["event"], data["who"]) for kind, data in told if kind == "gate"] == [
        ("asked", "Olga Owner"),
        ("confirmed", "Olga Owner"),
        ("asked", "Otto Operator"),
        ("confirmed", "Otto Operator"),
    ]
    assert [(data["name"], data.get("outcome")) for kind, data in told if kind == "round"] == [
        ("Fewer", None),
        ("Fewer", "passed"),
        ("Much", None),
        ("Much", "passed"),
    ]
    acts = {each.seq for each in shop.records("before")}
    assert len(acts) >= 7
    assert {each.data["ref"] for each in shop.records("after")} == acts
    assert {each.data["ref"] for each in shop.records("undo")} == acts
    assert {each.data["outcome"] for each in shop.records("undo")} == {"done"}
    assert [each.data["injected"] is not None for each in shop.records("times")] == [True, True]
    assert shop.records("verdict")[0].data == {"hypothesis": "held", "clean": True, "left": [], "exit": 0}
    assert told[-1][0] == "end"
