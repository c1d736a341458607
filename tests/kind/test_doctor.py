"""`gherkube doctor`: what it looks at, and what it says to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from gherkube.runners import state
from gherkube.runners.cli import doctor as module
from gherkube.runners.cli.doctor import GIB, doctor
from gherkube.runners.kind.engine import advice
from tests.kind.conftest import Machine


@pytest.fixture
def look(machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Machine:
    """A machine with enough of everything."""
    limits = machine.home / "inotify"
    limits.mkdir()
    for name in module.INOTIFY:
        (limits / name).write_text("1000000\n")
    monkeypatch.setattr(module, "SYSCTL", limits)
    monkeypatch.setattr(module, "DISK", (0, 0))
    monkeypatch.chdir(machine.folder)
    capsys.readouterr()
    return machine


def lines(capsys: pytest.CaptureFixture[str], what: str) -> str:
    """What is said of something, with the line below it."""
    said = capsys.readouterr().out.splitlines()
    at = next(n for n, line in enumerate(said) if line[2:].startswith(what))
    return "\n".join(said[at : at + 2])


def test_all_is_there(look: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    """Warnings are not in the way of a run."""
    assert doctor() == 0
    said = capsys.readouterr().out
    assert "✓ Docker: 28.0.0 at unix://" in said
    assert "✓ kind: v0.30.0" in said
    assert "✓ cgroups: version 2, systemd" in said
    assert "! the image of the nodes: is not here yet\n    the first run pulls it" in said
    assert said.endswith("Runs on kind can begin here.\n")
    assert look.clusters() == []


def test_no_docker(look: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    """All else is still looked at."""
    look.engine.stop()
    assert doctor() == 1
    said = capsys.readouterr().out
    assert "✗ Docker: does not answer\n    Docker does not answer at unix://" in said
    assert "✓ kind: v0.30.0" in said
    assert said.endswith("Runs on kind cannot begin here yet.\n")


def test_docker_that_may_not_be_used() -> None:
    """It is said which group to join."""
    said = advice("", PermissionError(13, "Permission denied"))
    assert "at unix:///var/run/docker.sock (Permission denied)" in said
    assert "add your user to the group docker" in said


@pytest.mark.parametrize(
    ("info", "what", "said", "code"),
    [
        ({"ServerVersion": "19.03.8"}, "Docker", "✗ Docker: 19.03.8 at unix", 1),
        ({"CgroupVersion": "1"}, "cgroups", "! cgroups: version 1\n    kubelets from 1.35 on refuse it", 0),
        (
            {"CgroupVersion": "1", "SecurityOptions": ["name=rootless"]},
            "cgroups",
            "✗ cgroups: version 1, and Docker is rootless\n    kind needs version 2: boot",
            1,
        ),
        (
            {"MemTotal": GIB},
            "memory",
            "✗ memory: Docker has 1 GiB, and 4 CPUs, for 4 nodes\n    give Docker",
            1,
        ),
        ({"MemTotal": 3 * GIB}, "memory", "! memory: Docker has 3 GiB", 0),
    ],
)
def test_an_engine_that_is_not_enough(
    look: Machine,
    capsys: pytest.CaptureFixture[str],
    info: dict[str, object],
    what: str,
    said: str,
    code: int,
) -> None:
    """Each lack with what to do about it; the exit code is 1 only where nothing can be run."""
    look.engine.info |= info
    assert doctor() == code
    assert said in lines(capsys, what)


def test_a_full_disk(
    look: Machine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told before kind fails half-way."""
    monkeypatch.setattr(module, "DISK", (1 << 60, 1 << 61))
    assert doctor() == 1
    assert f"GiB are free below {look.home}\n    make room: `docker system prune`" in lines(capsys, "disk")


@pytest.mark.usefixtures("look")
def test_limits_of_inotify(capsys: pytest.CaptureFixture[str]) -> None:
    """With the command that raises them."""
    (module.SYSCTL / "max_user_instances").write_text("128\n")
    assert doctor() == 0
    said = lines(capsys, "inotify")
    assert "max_user_instances is 128" in said
    assert "sudo sysctl fs.inotify.max_user_instances=512" in said


@pytest.mark.usefixtures("look")
def test_what_runs_left(capsys: pytest.CaptureFixture[str]) -> None:
    """It is said which command cleans up."""
    run = state.Run("0123")
    run.owe("cluster", "kind cluster a", name="a")
    assert doctor() == 0
    assert "! state: 1 run left something behind\n    `gherkube clean` cleans up" in lines(capsys, "state")


def test_a_folder_that_cannot_be_written(
    look: Machine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is run where it could not be written down."""
    (look.folder / "file").write_text("")
    monkeypatch.setenv("GHERKUBE_STATE", str(look.folder / "file" / "state"))
    assert doctor() == 1
    assert "name another folder with GHERKUBE_STATE" in lines(capsys, "state")


@pytest.mark.usefixtures("look")
def test_settings_that_are_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    """Told, not raised."""
    Path("gherkube.toml").write_text("[kind]\nnodes = 0\n")
    assert doctor() == 2
    assert "kind: nodes: a number of nodes from 1 on" in capsys.readouterr().err
