"""What tests of whole runs share: a project folder, and the commands in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, settings

from gherkube.runners.cli.main import main as gherkube_main
from gherkube.runners.live import connection, history, namespace

settings.register_profile(
    "same everywhere",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("same everywhere")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As in the background of a shell: programs that tests start would inherit it, and hear of no ^C.
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
            timeout=600,
            check=False,
        )
        return Done(done.returncode, done.stdout)

    def gherkube(self, *arguments: str, fresh: bool = False, **variables: str) -> Done:
        """The command `gherkube`; `fresh`, or with environment variables: in a process of its own."""
        if fresh or variables:
            code = "from gherkube.runners.cli.main import main; main()"
            return self.command("-c", code, *arguments, **variables)
        return self._here(gherkube_main, ["gherkube", *arguments])

    def pytest(self, *arguments: str, fresh: bool = False) -> Done:
        """The command `pytest`; `fresh`: in a process of its own."""
        arguments = ("-p", "no:cacheprovider", *arguments)
        if fresh:
            return self.command("-m", "pytest", *arguments)
        return self._here(lambda: sys.exit(pytest.main(list(arguments))), ["pytest", *arguments])

    def _here(self, call: Callable[[], object], argv: list[str]) -> Done:
        """Runs a command in this process, as if in one of its own: that saves a second of imports."""
        raw = BytesIO()
        out = TextIOWrapper(raw, encoding="utf-8", write_through=True)
        code = 0
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(out):
            patch.chdir(self.path)
            patch.setattr(sys, "argv", argv)
            patch.setattr(sys, "path", list(sys.path))
            for name in [name for name in os.environ if name.startswith("PYTEST")]:
                patch.delenv(name)
            try:
                call()
            except SystemExit as end:
                code = int(end.code or 0)
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None)).startswith(str(self.path)):
                del sys.modules[name]
        return Done(code, raw.getvalue().decode())

    def junit(self, name: str = "junit.xml") -> dict[str, str]:
        """What a JUnit file says of each scenario: passed, failure, skipped, or the type of an error."""
        found = {}
        for case in ElementTree.parse(self.path / name).getroot().iter("testcase"):
            ends = [child for child in case if child.tag in ("failure", "error", "skipped")]
            said = [child.get("type") or child.tag if child.tag == "error" else child.tag for child in ends]
            found[str(case.get("name"))] = " ".join(said) or "passed"
        return found


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What runs write down of themselves goes where nobody else looks for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GHERKUBE_STATE", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _patience() -> Iterator[None]:
    """What a busy machine shows late is waited for, and is no gap."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "LAG", 300.0)
        patch.setattr(namespace, "COMES_WITHIN", 300.0)
        patch.setattr(connection, "CONNECT", 300.0)
        yield


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
