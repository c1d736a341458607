"""`gherkube run`: pytest with gherkube's plugin, another terminal, and exit codes of its own."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gherkube.runners.errors import UsageError
from gherkube.runners.report.failure import block, is_internal
from gherkube.runners.report.results import JUnit, Results, exit_code
from gherkube.runners.report.terminal import ScenarioReporter
from gherkube.runners.target import SIMULATOR


class _Templates:
    """Mako's TemplateLookup, which pytest-bdd makes at its import and uses for --generate-missing alone.

    Mako itself, and Pygments, which it imports, take longer than a short run: they wait for that.
    """

    def __init__(self, **options: Any) -> None:
        self._options = options

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module("mako.lookup").TemplateLookup(**self._options), name)


class Terminal:
    """A pytest plugin that shows scenarios in the place of tests."""

    def __init__(self) -> None:
        self.reporter: ScenarioReporter | None = None
        self.results = Results(self._verdict)
        self._mako = ModuleType("mako.lookup")
        self._mako.__dict__["TemplateLookup"] = _Templates
        sys.modules.setdefault("mako.lookup", self._mako)

    def _verdict(self, verdict: Any) -> None:
        if self.reporter:
            self.reporter.verdict(verdict)

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self) -> None:
        """Plugins are imported, pytest-bdd among them; what comes now is the user's, and may need Mako."""
        if sys.modules.get("mako.lookup") is self._mako:
            del sys.modules["mako.lookup"]

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Takes the place of pytest's reporter, and keeps pytest's cache out of the user's folder."""
        manager = config.pluginmanager
        if manager.has_plugin("terminalreporter"):
            manager.unregister(name="terminalreporter")
        self.reporter = ScenarioReporter(config, self.results)
        manager.register(self.reporter, "terminalreporter")
        if cache := getattr(config, "cache", None):
            cache.set = lambda key, value: None  # noqa: ARG005 - pytest's signature

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """From here on the garbage collector need not look at what was imported.

        On the simulator one scenario leaves too little to search for.
        """
        gc.freeze()
        if session.config.getoption("gherkube_on") not in ("", SIMULATOR):
            gc.enable()

    def pytest_runtest_logfinish(self) -> None:
        """From the second scenario on there may be garbage."""
        gc.enable()

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """After pytest's own search for garbage: what is left then ends with the process."""
        gc.freeze()


def run_features(paths: list[str], options: list[str], junit: Path | None) -> int:
    """Runs what is named (paths, FILE:LINE) with the plugin's options; returns gherkube's exit code."""
    whole: dict[str, None] = {}
    lines: dict[str, list[str]] = {}
    for each in paths:
        path, colon, line = each.rpartition(":")
        if colon and line.isdigit() and not Path(each).exists():
            lines.setdefault(path, []).append(each)
            if Path(path).is_dir():
                return _refuse(f"{each}: a folder has no lines", "name a feature file and a line of it")
        else:
            path = each
            whole[path] = None
        if not Path(path).exists():
            return _refuse(f"{path}: there is no such file or folder", "gherkube init writes a first feature")
        if Path(path).is_file() and Path(path).suffix != ".feature":
            return _refuse(f"{path}: not a feature file", "name files that end in .feature, or their folder")
    asked = [f"--gherkube-at={each}" for path, some in lines.items() if path not in whole for each in some]
    terminal = Terminal()
    plugins: list[Any] = [terminal.results, terminal]
    if junit:
        try:
            plugins.append(JUnit(terminal.results, junit))
        except UsageError as error:
            return _refuse(str(error), "name another file")
    if os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        plugins += ["pytest_bdd.plugin", "gherkube.fixtures.plugin"]
    try:
        ended = pytest.main(["--gherkube", *asked, *options, *dict.fromkeys([*whole, *lines])], plugins)
    except (Exception, SystemExit) as error:  # of a hook, or of what steps did to Python
        error = error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
        print(block("the end of the run", error, "mend it, and run again"), file=sys.stderr)
        ended = pytest.ExitCode.INTERNAL_ERROR if is_internal(error) else pytest.ExitCode.TESTS_FAILED
    code = exit_code(terminal.results, ended)
    if code == 4 and terminal.results.verdicts:
        _refuse("every scenario was skipped, so nothing was judged", "look at their tags and steps")
    elif code == 4:
        _refuse("no scenario was selected", "look at --tags, --name and the lines that you gave")
    elif ended == pytest.ExitCode.NO_TESTS_COLLECTED and code == 2 and not terminal.results.problems:
        _refuse(f"{', '.join(paths)}: there are no feature files", "gherkube init writes a first feature")
    return code


def _refuse(what: str, then: str) -> int:
    print(f"gherkube run: {what}; {then}", file=sys.stderr)
    return 2
