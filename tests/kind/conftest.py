"""A fake kind and a fake Docker, by which most of it is tested anywhere; and the real ones."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gherkube.runners import state
from gherkube.runners.kind import cli, cluster
from tests.conftest import Done, Project
from tests.kind import fake_kind
from tests.kind.fake_docker import Engine, socket_for
from tests.kind.faked import NoImages

FAKED = (sys.executable, "-m", "tests.kind.faked")
ROOT = Path(__file__).parents[2]


class Machine:
    """A computer with a kind and a Docker of its own. `home`: the folder of the kind."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder, self.home, self.engine = folder, engine.home, engine

    def mode(self, mode: str) -> None:
        """How kind behaves from now on."""
        (self.home / "mode").write_text(mode)

    def clusters(self) -> list[str]:
        """The clusters that are there."""
        return sorted(path.stem for path in (self.home / "clusters").glob("*.json"))

    def debts(self) -> list[str]:
        """What runs owe."""
        return [path.name for path in state.folder().glob("runs/*/debts/*.json")]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """`gherkube`, with its output in one pipe."""
        return subprocess.Popen(
            [*FAKED, *arguments], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def gherkube(self, *arguments: str) -> Done:
        """`gherkube`, until it has ended, in this process: that saves seconds of imports."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cluster, "Images", NoImages)
            return Project(self.folder).gherkube(*arguments)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """A machine on which nothing was run yet."""
    home, bin_, folder = tmp_path / "kind", tmp_path / "bin", tmp_path / "project"
    for each in (home, bin_, folder):
        each.mkdir()
    for name, text in (
        ("kind", f'exec {sys.executable} -SE {fake_kind.__file__} "$@"'),
        ("docker", "exit 0"),
    ):
        (bin_ / name).write_text(f"#!/bin/sh\n{text}\n")
        (bin_ / name).chmod(0o755)
    engine = Engine(home, socket_for(tmp_path))
    monkeypatch.setenv("PATH", f"{bin_}:/usr/bin:/bin")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("FAKE_KIND", str(home))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{engine.socket_path}")
    monkeypatch.setenv("GHERKUBE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_COLOR", "1")
    for name in ("KUBECONFIG", "GHERKUBE_KIND"):
        monkeypatch.delenv(name, raising=False)
    for name in [name for name in os.environ if name.startswith(("PYTEST_ADDOPTS", "COLUMNS"))]:
        monkeypatch.delenv(name)
    yield Machine(folder, engine)
    for path in state.folder().glob("clusters/*.pid"):  # of a kind that hangs
        cli.end(int(path.read_text()))
    for path in (home / "clusters").glob("*.json"):
        fake_kind.delete(path)
    if engine.socket_path.exists():
        engine.stop()
