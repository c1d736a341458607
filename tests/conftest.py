"""What tests of whole runs share: a project folder, and the commands in it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

pytest_plugins = ["pytester"]


class Done(NamedTuple):
    """A command that has ended: its exit code and all that it printed."""

    code: int
    out: str


class Project:
    """A folder with a project of a user, and the commands that the user gives there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, **files: str) -> None:
        """Writes files, `name__ext` for `name.ext`; the text may be indented."""
        for name, text in files.items():
            self.file(name.replace("__", "."), text)

    def file(self, name: str, text: str) -> Path:
        """Writes one file; the text may be indented."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    def command(self, *arguments: str, **variables: str) -> Done:
        """Runs Python with these arguments in the folder."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COLUMNS"))}
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.path,
            env={**kept, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        return Done(done.returncode, done.stdout)

    def gherkube(self, *arguments: str, **variables: str) -> Done:
        """The command `gherkube`."""
        return self.command(
            "-c", "from gherkube.runners.cli.main import main; main()", *arguments, **variables
        )

    def pytest(self, *arguments: str) -> Done:
        """The command `pytest`."""
        return self.command("-m", "pytest", "-p", "no:cacheprovider", *arguments)

    def junit(self, name: str = "junit.xml") -> dict[str, str]:
        """What a JUnit file says of each scenario: passed, failure, skipped, or the type of an error."""
        found = {}
        for case in ElementTree.parse(self.path / name).getroot().iter("testcase"):
            ends = [child for child in case if child.tag in ("failure", "error", "skipped")]
            said = [child.get("type") or child.tag if child.tag == "error" else child.tag for child in ends]
            found[str(case.get("name"))] = " ".join(said) or "passed"
        return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project folder."""
    return Project(tmp_path)


@pytest.fixture
def make_project(tmp_path: Path) -> Callable[[str], Project]:
    """Makes several project folders."""

    def make(name: str) -> Project:
        (tmp_path / name).mkdir()
        return Project(tmp_path / name)

    return make
