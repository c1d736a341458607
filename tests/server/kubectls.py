"""Which kubectl there are here, by minor version.

Looked for in GHERKUBE_KUBECTL (paths, parted as in PATH), in PATH, and where versions that were built
are kept: `~/.cache/gherkube-real/bin`, `~/.cache/gherkube-kubectl/VERSION/bin`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

RECORDED = "1.34"
"""The version with which the recordings were made."""
VERSIONS = (RECORDED, "1.33", "1.35")
"""That one, one that is older and one that is newer."""
GHERKUBE = (sys.executable, "-c", "from gherkube.runners.cli.main import main; main()")


def kubectl_of(version: str) -> str:
    """The path of that kubectl; the test is skipped when there is none."""
    path = _by_version().get(version)
    if path is None:
        pytest.skip(f"there is no kubectl {version} here: name one in GHERKUBE_KUBECTL")
    return path


def any_kubectl() -> str:
    """The path of one of VERSIONS; the test is skipped when there is none."""
    found = _by_version()
    return kubectl_of(next((version for version in VERSIONS if version in found), RECORDED))


@contextmanager
def served(folder: Path, *options: str) -> Iterator[str]:
    """A server in a process of its own; its kubeconfig."""
    file = folder / "config"
    command = [*GHERKUBE, "serve", "--kubeconfig", str(file), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline(), "the server did not start"
        try:
            yield str(file)
        finally:
            server.terminate()


def recorded(folder: Path, version: str) -> list[dict[str, Any]]:
    """What was recorded with that version: recorded.json, but where recorded-VERSION.json has another."""
    lines: list[dict[str, Any]] = json.loads((folder / "recorded.json").read_text())
    other = folder / f"recorded-{version}.json"
    if other.exists():
        for place, line in json.loads(other.read_text()).items():
            lines[int(place)] = line
    return lines


@cache
def _by_version() -> dict[str, str]:
    named = [Path(path) for path in os.environ.get("GHERKUBE_KUBECTL", "").split(os.pathsep) if path]
    caches = Path.home() / ".cache"
    built = [caches / "gherkube-real/bin/kubectl", *sorted(caches.glob("gherkube-kubectl/*/bin/kubectl"))]
    installed = [Path(path)] if (path := shutil.which("kubectl")) else []
    found: dict[str, str] = {}
    for path in filter(Path.exists, (*named, *installed, *built)):
        said = subprocess.run(
            [path, "version", "--client", "-o", "json"], capture_output=True, text=True, check=False
        )
        if said.returncode == 0:
            client = json.loads(said.stdout)["clientVersion"]
            found.setdefault(f"{client['major']}.{client['minor'].rstrip('+')}", str(path))
    return found
