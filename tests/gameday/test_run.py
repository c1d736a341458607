"""A game day from outside: what it comes to, and that everything is as it was, whatever came between."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gherkube.runners.gameday import conductor, prediction
from gherkube.runners.gameday.lease import Lease
from gherkube.runners.gameday.plan import fingerprint
from gherkube.runners.gameday.reading import read as read_plan
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
    times = {each.data["round"]: each.data for each in shop.records("times")}
    assert [each["injected"] is not None for each in times.values()] == [True, True]
    assert shop.records("verdict")[0].data == {"hypothesis": "held", "clean": True, "left": [], "exit": 0}
    assert told[-1][0] == "end"
    reports = [f"gamedays/{shop.journal.stem}{ending}" for ending in (".html", ".md", ".regression.feature")]
    assert done.out.splitlines()[-1] == f"report: {', '.join(reports)}"
    assert all((shop.folder / each).read_text() for each in reports)


def test_a_report_that_cannot_be_written(
    shop: Shop, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is told, and what the game day came to stands; nothing half-written is left."""
    only(shop, "Fewer of it")
    write = Path.write_text

    def writes(path: Path, text: str, *arguments: str, **more: str) -> int:
        if path.suffix != ".html":
            return write(path, text, *arguments, **more)
        write(path, text[:100], *arguments, **more)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", writes)
    done = run(project)
    assert done.code == 0
    assert "no report: " in done.out
    assert "No space left on device" in done.out
    assert [each.name for each in shop.journal.parent.iterdir()] == [shop.journal.name]


# --- What ends it early


def only(shop: Shop, scenario: str, **more: object) -> None:
    """Has the plan play this scenario only."""
    round_ = {"name": "Only", "feature": "shop.feature", "scenario": scenario, **more}
    shop.change(rounds=[round_])


def told(shop: Shop, kind: str) -> list[str]:
    """What was said by records of that kind."""
    return [str(each.data.get("why") or each.data.get("event")) for each in shop.records(kind)]


def test_a_gate_that_nobody_confirms_halts(shop: Shop, project: Project) -> None:
    """A time-out means the safe side: nothing was done."""
    shop.change(gate={"who": "owner", "within": "1s", "says": "All look"})
    done = project.gherkube("gameday", "run", "shop.gameday.yaml")
    assert done.code == 7
    assert "gate: All look  (Olga Owner, until " in done.out
    assert told(shop, "gate") == ["asked", "timed out"]
    assert told(shop, "halt") == ["nobody confirmed the gate within 1 s: All look"]
    assert not shop.records("before")
    assert shop.lock() is None


def test_an_abort_condition_halts(shop: Shop, project: Project) -> None:
    """As soon as it is so, also in the middle of a sentence; what was done is put back."""
    before = shop.objects()
    only(shop, "It takes long")
    three = '3 pods of deployment "web" are ready'
    shop.change(**{"abort-when": [f"fewer than {three}"], "steady-state": [f"at least {three}"]})
    assert run(project).code == 7
    assert shop.records("abort")[0].data["sentence"] == 'fewer than 3 pods of deployment "web" are ready'
    assert [each.data["outcome"] for each in shop.records("round")[1:]] == ["halted"]
    (ended,) = (each.seq for each in shop.records("round") if each.data["event"] == "ends")
    known = [each.data for each in shop.records("times") if each.seq < ended]
    assert known[-1]["injected"] < known[-1]["detected"], "they are told as soon as they are known"
    assert shop.objects() == before
    assert shop.records("verdict")[0].data["hypothesis"] == "not judged"


def test_a_limit_halts(shop: Shop, project: Project) -> None:
    """That of a round, in real seconds."""
    before = shop.objects()
    only(shop, "It takes long", limit="2s")
    assert run(project).code == 7
    assert told(shop, "halt") == ["the time limit of round “Only” is over"]
    assert shop.objects() == before


def test_a_broken_hypothesis(shop: Shop, project: Project) -> None:
    """All is put back all the same."""
    before = shop.objects()
    only(shop, "Fewer of it")
    held = 'throughout, at least 3 pods of deployment "web" were ready'
    shop.change(hypothesis=[{"says": "Nobody notices", "holds": [held]}])
    assert run(project).code == 1
    assert shop.records("hypothesis")[0].data["verdict"] == "broken"
    assert shop.objects() == before


def test_a_steady_state_that_breaks_meanwhile(shop: Shop, project: Project) -> None:
    """It has to hold all the time."""
    only(shop, "Fewer of it")
    shop.change(**{"steady-state": ['at least 3 pods of deployment "web" are ready']})
    assert run(project).code == 1
    assert {each.data["when"] for each in shop.records("steady")} == {"before", "during", "after"}


@pytest.mark.parametrize(("predicted", "code"), [("", 1), ("failed", 0)])
def test_a_round_that_fails(shop: Shop, project: Project, predicted: str, code: int) -> None:
    """The game day is not completed, unless that was predicted; it says why, and all is put back."""
    before = shop.objects()
    only(shop, "It goes wrong", **({"prediction": {"verdict": predicted}} if predicted else {}))
    assert run(project).code == code
    ended = shop.records("round")[-1].data
    assert ended["outcome"] == "failed"
    assert "Then throughout, 7 pods of deployment" in ended["block"]
    assert shop.objects() == before


def test_what_is_out_of_scope_is_not_touched(shop: Shop, project: Project) -> None:
    """Also where the target would allow it."""
    before = shop.objects()
    only(shop, "All at once")
    shop.change(scope={"namespaces": ["shop"], "workloads": ["deployment/web"]})
    assert run(project).code == 3
    assert (
        'out of the scope of the game day: create (configmaps "more"'
        in shop.records("round")[-1].data["block"]
    )
    assert shop.objects() == before


# --- What stands against it


def test_a_steady_state_that_is_not_there(
    shop: Shop, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is touched, and no round is begun."""
    monkeypatch.setattr(conductor, "RECOVERS", 10.0)
    shop.change(**{"steady-state": ['at least 9 pods of deployment "web" are ready']})
    done = run(project)
    assert done.code == 4
    assert 'the steady state does not hold: at least 9 pods of deployment "web" are ready' in done.out
    assert not shop.records("round")
    assert shop.lock() is None


def test_what_was_changed_since_the_check(shop: Shop, project: Project) -> None:
    """A plan that nobody has approved is not run."""
    shop.plan.write_text(shop.plan.read_text() + "# a word\n")
    done = run(project)
    assert done.code == 4
    assert "has changed since it was checked" in done.out
    assert not list((shop.folder / "gamedays").glob("*"))


def predicted(shop: Shop, verdict: str) -> None:
    """As a rehearsal of the plan as it stands has written it."""
    plan = read_plan(shop.plan)
    run_ = prediction.Run({"Somebody can buy": verdict}, [])
    found = prediction.forecast(fingerprint(plan), "", [], [run_])
    prediction.save(found, plan.beside("prediction"))


def stale(shop: Shop) -> None:
    """A word is added to the plan since, and the plan is approved again."""
    predicted(shop, prediction.BROKEN)
    shop.plan.write_text(shop.plan.read_text() + "# a word\n")
    shop.approve()


def unreadable(shop: Shop) -> None:
    """What is there is no prediction."""
    shop.plan.with_name("shop.prediction.json").write_text('{"rounds": [], "hypothesis": 5}')


def a_folder(shop: Shop) -> None:
    """What is there is not even a file."""
    shop.plan.with_name("shop.prediction.json").mkdir()


def broken(shop: Shop) -> None:
    """It says that the hypothesis is broken."""
    predicted(shop, prediction.BROKEN)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (stale, "has changed since it was rehearsed; rehearse again"),
        (unreadable, "shop.prediction.json: not a prediction; rehearse again"),
        (a_folder, "shop.prediction.json: cannot be read: Is a directory; rehearse again"),
        (broken, "its rehearsal predicts that the hypothesis is broken"),
    ],
)
def test_a_prediction_that_does_not_speak_for_it(
    shop: Shop, project: Project, make: Callable[[Shop], None], why: str
) -> None:
    """Nothing is touched, unless the owner says otherwise."""
    only(shop, "Fewer of it")
    make(shop)
    for despite in ((), ("--despite-prediction", "Otto Operator")):
        done = run(project, *despite)
        assert done.code == 4
        assert why in done.out
        assert "unless its owner says otherwise: --despite-prediction 'Olga Owner'; nothing was" in done.out
        assert not list((shop.folder / "gamedays").glob("*"))
    done = run(project, "--despite-prediction", "Olga Owner")
    assert done.code == 0, done.out
    assert ("NOT REHEARSED as it stands" in done.out) == (make is not broken)


@pytest.mark.parametrize("rehearsed", [True, False])
def test_whether_it_was_rehearsed(shop: Shop, project: Project, rehearsed: bool) -> None:
    """Where it was not, that is said at the start, and in the report."""
    only(shop, "Fewer of it")
    if rehearsed:
        predicted(shop, prediction.HELD)
    done = run(project)
    assert done.code == 0, done.out
    first = "NOT REHEARSED as it stands: gherkube gameday rehearse shop.gameday.yaml predicts"
    assert (done.out.splitlines()[0] == first) == (not rehearsed)
    text = shop.journal.with_suffix(".md").read_text()
    assert ("Rehearsed: 1 times" in text) == rehearsed
    assert ("Rehearsed: no" in text) == (not rehearsed)


def test_an_incident(shop: Shop, project: Project) -> None:
    """A hook says that there is one."""
    shop.change(hooks=[{"on": "incident", "command": ["false"]}])
    done = run(project)
    assert done.code == 4
    assert "an incident may be going on" in done.out


def test_two_operators(shop: Shop, project: Project) -> None:
    """The second is told who has the lock, and leaves no trace; an expired lock is taken over, loudly."""
    other = Lease(shop.api, "shop", "vera@elsewhere/1/1")
    other.take()
    done = run(project)
    assert done.code == 4
    assert "another game day has the lock of namespace 'shop': vera@elsewhere/1/1, until" in done.out
    assert not list((shop.folder / "gamedays").glob("*"))
    lock = shop.lock()
    assert lock is not None
    shop.api.replace({**lock, "spec": {**lock["spec"], "renewTime": "2026-01-01T00:00:00.000000Z"}})
    only(shop, "Fewer of it")
    done = run(project)
    assert done.code == 0
    assert "TAKEN OVER: the lock of vera@elsewhere/1/1 had expired" in done.out
    assert told(shop, "lease") == ["taken over", "released"]
