"""A disk that is full for what a run writes: told as that, and never green."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from tests.conftest import Project

FEATURE = """
Feature: Small
  Scenario: Scaled
    Given deployment "web" runs 2 replicas of "hello:1"
    When I scale it to 3 replicas
    Then 3 pods are ready
"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_results(project: Project) -> None:
    """The verdicts are shown, the run is not green, and nobody is asked to report a mistake of gherkube."""
    project.write(small__feature=FEATURE)
    done = project.gherkube("run", "--junit", "/dev/full")
    assert done.code == 1
    assert "✓ Scaled" in done.out
    assert "No space left on device" in done.out
    assert "please report it" not in done.out


def test_a_report(project: Project) -> None:
    """A history that cannot be written fails its scenario."""
    project.write(small__feature=FEATURE)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        done = project.gherkube("run", "--report", "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert done.code == 1
    assert "File too large" in done.out
    assert "please report it" not in done.out
