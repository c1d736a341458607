"""`gherkube check`: pytest collects with gherkube's plugin, and shows and runs nothing."""

from __future__ import annotations

import gc
import os
import re
import sys
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from _pytest._io import TerminalWriter
from _pytest.config import ConftestImportFailure

from gherkube.runners.report.failure import frames
from gherkube.runners.report.findings import Finding, Findings, as_json, text_lines
from gherkube.runners.report.sarif import as_sarif

COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}
IMPORTS = "correct it; the features that see its steps were not checked"


class Quiet:
    """A pytest plugin that keeps pytest silent and takes note of what cannot be collected."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.internal: list[str] = []
        """What went wrong in gherkube itself, or in another plugin."""

    @pytest.hookimpl(wrapper=True)
    def pytest_load_initial_conftests(self) -> Any:
        """A conftest.py that cannot be imported is a finding."""
        try:
            return (yield)
        except ConftestImportFailure as failure:
            self.findings.add(_not_imported(failure))
            return None

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Takes pytest's reporter away, and keeps its cache out of the user's folder."""
        if config.pluginmanager.has_plugin("terminalreporter"):
            config.pluginmanager.unregister(name="terminalreporter")
        if cache := getattr(config, "cache", None):
            cache.set = lambda key, value: None  # noqa: ARG005 - pytest's signature

    def pytest_collection_finish(self) -> None:
        """pytest looks for garbage when it ends: there is nearly none."""
        gc.freeze()

    def pytest_exception_interact(
        self, call: pytest.CallInfo[Any], report: pytest.CollectReport | pytest.TestReport
    ) -> None:
        """What could not be collected."""
        error = call.excinfo.value if call.excinfo else None
        if isinstance(error, ConftestImportFailure):
            self.findings.add(_not_imported(error))
        else:
            self.internal.append(report.longreprtext)

    def pytest_internalerror(self, excrepr: Any) -> None:
        """What pytest could not go on with."""
        self.internal.append(str(excrepr))


def check_features(paths: list[str], options: list[str], *, json: bool, sarif: Path | None) -> int:
    """Checks what is named with the plugin's options, and prints what was found.

    Returns the exit code: 0 no errors, 2 errors or no feature files, 5 internal error.
    """
    for path in map(Path, paths):
        if not path.exists():
            return _refuse(f"{path}: there is no such file or folder; gherkube init writes a first feature")
        if path.is_file() and path.suffix != ".feature":
            return _refuse(f"{path}: not a feature file; name files that end in .feature, or their folder")
    findings = Findings()
    quiet = Quiet(findings)
    plugins: list[Any] = [findings, quiet]
    if os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        plugins += ["pytest_bdd.plugin", "gherkube.fixtures.plugin"]
    said = StringIO()
    gc.disable()  # a check ends before there is much garbage
    with redirect_stderr(said):
        arguments = ["--gherkube", "--gherkube-check", "--collect-only", *options, *dict.fromkeys(paths)]
        ended = pytest.main(arguments, plugins)
    if ended == pytest.ExitCode.USAGE_ERROR and not findings.found:
        _unusable(findings, said.getvalue())
    if quiet.internal or ended == pytest.ExitCode.INTERNAL_ERROR:
        print("\n\n".join(quiet.internal) or said.getvalue(), file=sys.stderr)
        return 5
    if sarif is not None:
        try:
            sarif.write_text(as_sarif(findings, Path.cwd()), encoding="utf-8")
        except OSError as error:
            return _refuse(f"{sarif}: cannot be written: {error.strerror}; name another file")
    if json:
        print(as_json(findings))
    elif findings.features or findings.found:
        _show(findings)
    if findings.count("error"):
        return 2
    if not findings.features:
        print(f"gherkube check: {', '.join(paths)}: there are no feature files", file=sys.stderr)
        return 2
    return 0


def _show(findings: Findings) -> None:
    writer = TerminalWriter(sys.stdout)
    for level, line in text_lines(findings):
        writer.line(line, **({COLOURS[level]: True, "bold": True} if level else {}))


def _refuse(what: str) -> int:
    print(f"gherkube check: {what}", file=sys.stderr)
    return 2


def _not_imported(failure: ConftestImportFailure) -> Finding:
    """The finding of a conftest.py, at the line of the user's code at which its import failed."""
    cause = failure.cause
    file, line = str(failure.path), 1
    if isinstance(cause, SyntaxError) and cause.filename:
        file, line = cause.filename, cause.lineno or 1
    elif places := frames(cause):
        file, line = _place(places[-1][0].partition(" in ")[0])
    what = f"cannot be imported: {type(cause).__name__}: {cause}"
    return Finding(_shown(file), line, "own-steps", what, IMPORTS)


def _unusable(findings: Findings, said: str) -> None:
    """The finding of what pytest could not start with: settings, own modules, options."""
    text = re.sub(r"\x1b\[[\d;]*m", "", said).strip().removeprefix("ERROR: ")
    found = re.fullmatch(r"(\S+\.(?:toml|ini|cfg|py))(?::(\d+))?: (.*)", text, re.DOTALL)
    ini = re.search(r"inifile: (.+)", text)
    unplaced = (ini[1] if ini else ".", 1, text.removeprefix("usage: "))
    file, line, what = (found[1], int(found[2] or 1), found[3]) if found else unplaced
    findings.add(Finding(_shown(file), line, "own-steps", what))


def _place(text: str) -> tuple[str, int]:
    file, _, line = text.rpartition(":")
    return file, int(line)


def _shown(file: str) -> str:
    path, here = Path(file), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
