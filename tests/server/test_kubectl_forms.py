"""What kubectl prints against the simulator, and what it printed against a real API server.

`forms/recorded.json` holds that, of kube-apiserver 1.34.4, for the commands of `forms/commands.txt`
(`forms/record.py` recorded it). Exit code, output and errors are the same to the byte, but for
identities, versions, times and ages.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.forms.play import HERE, prepared, run
from tests.server.kubectls import GHERKUBE, VERSIONS, kubectl_of, recorded, served

COMMANDS = (HERE / "commands.txt").read_text().splitlines()


@pytest.fixture(scope="module", params=VERSIONS)
def session(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str, str]]:
    """The version, a kubectl of it, a server with the objects that are asked about; nobody adds to them."""
    kubectl = kubectl_of(request.param)
    folder: Path = tmp_path_factory.mktemp("forms")
    with served(folder) as kubeconfig:
        prepared(kubectl, kubeconfig)
        _alone(kubectl, kubeconfig)
        yield request.param, kubectl, kubeconfig


def _alone(kubectl: str, kubeconfig: str) -> None:
    """Stops the clock and takes away what a controller gave: where was recorded, none ran."""
    for command in (
        [*GHERKUBE, "sim", "--kubeconfig", kubeconfig, "clock", "manual"],
        [
            kubectl,
            "--kubeconfig",
            kubeconfig,
            "-n",
            "forms",
            "delete",
            "cm",
            "kube-root-ca.crt",
            "--ignore-not-found",
        ],
    ):
        subprocess.run(command, check=True, capture_output=True, timeout=600)


@pytest.mark.parametrize("place", range(len(COMMANDS)), ids=lambda place: COMMANDS[place].replace(" ", "_"))
def test_kubectl_prints_what_it_prints_against_a_real_cluster(
    session: tuple[str, str, str], place: int
) -> None:
    """One command line."""
    version, kubectl, kubeconfig = session
    assert run(kubectl, kubeconfig, COMMANDS[place]) == recorded(HERE, version)[place]
