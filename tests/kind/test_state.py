"""What runs write down: debts, who lives, locks, and how long things took."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gherkube.runners import state
from gherkube.runners.errors import UsageError
from gherkube.runners.kind import clusters


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of the test's own."""
    monkeypatch.setenv("GHERKUBE_STATE", str(tmp_path))
    return tmp_path


def test_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As the environment says, by the rules of XDG."""
    monkeypatch.delenv("GHERKUBE_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", "/var/x")
    assert state.folder() == Path("/var/x/gherkube")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state.folder() == tmp_path / ".local/state/gherkube"


def test_debts(folder: Path) -> None:
    """The last one first; one that was not written to its end was never made."""
    run = state.Run("one")
    first, _ = run.owe("a", "the first", name="x"), run.owe("b", "the second")
    (folder / "runs/one/debts/9999999999999999999-torn.json").write_text('{"kind": ')
    assert [(debt.kind, debt.words) for debt in run.debts()] == [("b", "the second"), ("a", "the first")]
    first.paid()
    first.paid()
    assert [debt.words for debt in run.debts()] == ["the second"]
    run.end()
    assert run.folder.exists()
    run.debts()[0].paid()
    run.end()
    assert not run.folder.exists()


def test_a_disk_that_is_full(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """What cannot be written down is not made."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(folder))

    monkeypatch.setattr(state, "write", full)
    with pytest.raises(
        UsageError, match=r"cannot be written .No space left on device., so what this run makes"
    ):
        state.Run("one").owe("a", "something")
    state.took("it", 1.0)


def test_who_lives() -> None:
    """A run is gone once none of its processes lives, however they ended; and for one process at a time."""
    code = "from gherkube.runners import state; state.join('other'); state.begin(); print(1); input()"
    other = subprocess.Popen(
        [sys.executable, "-uc", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ
    )
    assert other.stdout is not None
    assert other.stdin is not None
    other.stdout.readline()
    state.Run("dead").owe("a", "something")
    with state.gone() as runs:
        assert [run.id for run in runs] == ["dead"]
        with state.gone() as others:
            assert others == []
    other.kill()
    other.wait()
    other.stdout.close()
    other.stdin.close()
    with state.gone() as runs:
        assert [run.id for run in runs] == ["dead", "other"]
        assert [run.command for run in runs] == ["", "-c"]


def test_locks(folder: Path) -> None:
    """Shared by many or held by one; one whose file was removed meanwhile is taken anew."""
    path = folder / "a" / "lock"
    one, two = state.hold(path, alone=False), state.hold(path, alone=False)
    with pytest.raises(TimeoutError):
        state.hold(path, alone=True, within=0.0)
    os.close(one)
    os.close(two)
    alone = state.hold(path, alone=True, within=0.0)
    path.unlink()
    again = state.hold(path, alone=True, within=0.0)
    assert os.fstat(again).st_ino == path.stat().st_ino
    os.close(alone)
    os.close(again)


def test_how_long_things_took() -> None:
    """Nothing is known at first."""
    assert state.expected("it") is None
    state.took("it", 3.5)
    state.took("more", 1.0)
    assert state.expected("it") == 3.5


def test_who_waits_for_a_cluster_alone_is_not_overtaken() -> None:
    """Those who would share it wait behind, though it is shared now."""
    shared = clusters._seat("shop", alone=False)
    waits = threading.Thread(target=lambda: os.close(clusters._seat("shop", alone=True)))
    waits.start()
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            os.close(state.hold(clusters.path_of("shop", ".turn"), alone=True, within=0.0))
        except TimeoutError:
            break
    else:
        pytest.fail("nobody's turn is waited for")
    os.close(shared)
    waits.join()
    os.close(clusters._seat("shop", alone=False))
