"""What kubectl does and prints against the simulator with its controllers, and did against a real cluster.

`acting/recorded.json` holds that of Kubernetes 1.34.4 with three nodes, for the lines of
`acting/commands.txt` (`acting/record.py` recorded it). Exit code, output and errors are the same, but for
what is random and the times that things take.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.server.acting.play import HERE, Player
from tests.server.kubectls import VERSIONS, kubectl_of, recorded, served

NOT_SERVED = re.compile(
    "|".join(
        (
            "apiregistration.k8s.io",
            "componentstatuses",
            "csistoragecapacities",
            "flowcontrol.apiserver.k8s.io",
            "ipaddresses",
            "resource.k8s.io",
            "servicecidrs",
            "validatingadmissionpolic",
            "volumeattributesclasses",
        )
    )
)
"""What a real API server has and the simulator has not; docs/serve.md says so."""


@pytest.mark.parametrize("version", VERSIONS)
def test_kubectl_acts_as_on_a_real_cluster(
    version: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All command lines, one after the other."""
    real = [_expected(came) for came in recorded(HERE, version)]
    watched = {came["command"]: came["stdout"].count("\n") for came in real}
    with served(tmp_path, "--clock", "fast", "--speed", "5") as kubeconfig:
        for came, expected in zip(Player(kubectl_of(version), kubeconfig).play(watched), real, strict=True):
            assert came == expected
    with capsys.disabled():
        print(f"\nkubectl {version}: {len(real)} command lines act and print as on a real cluster")


def _expected(came: dict[str, Any]) -> dict[str, Any]:
    if not came["command"].startswith("api-"):
        return came
    lines = came["stdout"].splitlines(keepends=True)
    return {**came, "stdout": "".join(line for line in lines if not NOT_SERVED.search(line))}
