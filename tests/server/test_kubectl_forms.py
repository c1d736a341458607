"""What kubectl prints against the simulator, and what it printed against a real API server.

`forms/recorded.json` holds that, of kube-apiserver 1.34.4, for the commands of `forms/commands.txt`
(`forms/record.py` recorded it). Exit code, output and errors are the same to the byte, but for
identities, versions, times and ages.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.forms.play import prepared, run

RECORDED: list[dict[str, Any]] = json.loads((Path(__file__).parent / "forms" / "recorded.json").read_text())
KUBECTL = shutil.which("kubectl") or ""
START = "from gherkube.runners.cli.main import main; main()"

pytestmark = pytest.mark.skipif(not KUBECTL, reason="kubectl is not installed")


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with the objects that the commands ask about; nobody else changes them."""
    file = tmp_path_factory.mktemp("forms") / "config"
    command = [sys.executable, "-c", START, "serve", "--kubeconfig", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline(), "the server did not start"
        prepared(KUBECTL, str(file))
        yield str(file)
        server.terminate()


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["command"].replace(" ", "_"))
def test_kubectl_prints_what_it_prints_against_a_real_cluster(
    kubeconfig: str, recorded: dict[str, Any]
) -> None:
    """One command line."""
    assert run(KUBECTL, kubeconfig, recorded["command"]) == recorded
