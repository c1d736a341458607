"""`gherkube rbac`: pytest collects with gherkube's plugin, which prints the role that scenarios need."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest


class Silent:
    """A pytest plugin that keeps pytest silent, and takes note of what cannot be collected."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Takes pytest's reporter away."""
        if config.pluginmanager.has_plugin("terminalreporter"):
            config.pluginmanager.unregister(name="terminalreporter")

    def pytest_exception_interact(self, report: Any) -> None:
        """What could not be collected."""
        self.problems.append(report.longreprtext)


def print_role(paths: list[str], options: list[str], namespace: str) -> int:
    """Prints the role that the features need; returns the exit code."""
    for path in paths:
        if not Path(path).exists():
            print(f"gherkube rbac: {path}: there is no such file or folder", file=sys.stderr)
            return 2
    silent = Silent()
    where = ["--gherkube-on=live", "--gherkube-context=any"] if namespace else []
    where += [f"--gherkube-namespace={namespace}"] if namespace else []
    arguments = ["--gherkube", "--gherkube-rbac", "--collect-only", *where, *options, *paths]
    ended = pytest.main(arguments, [silent])
    for problem in silent.problems:
        print(problem, file=sys.stderr)
    return 0 if ended == pytest.ExitCode.OK else 2
