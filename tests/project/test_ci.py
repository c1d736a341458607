"""What CI does where it cannot do all."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("arguments", "code"), [((), 1), (("--or-not",), 0)])
def test_without_docker_the_tests_on_a_real_cluster_are_left_out(
    arguments: tuple[str, ...], code: int
) -> None:
    """One line says so, and why; it is a failure only where they were asked for."""
    done = subprocess.run(
        [str(ROOT / ".ci" / "test-kind"), *arguments],
        env={**os.environ, "DOCKER_HOST": "tcp://127.0.0.1:1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == code
    [line] = (done.stdout + done.stderr).splitlines()
    assert line.startswith("The tests on a real cluster were left out: ")
