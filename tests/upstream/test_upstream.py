"""A few of Kubernetes' end-to-end tests, where they are there; `python -m tests.upstream` runs all."""

from __future__ import annotations

import pytest

from tests.upstream.__main__ import page
from tests.upstream.specs import FAILED, PASSED, SKIPPED, Spec, specs
from tests.upstream.suite import Outcome, binary, run

FEW = (
    "Deployment should run the lifecycle of a Deployment",
    "ReplicaSet should validate Replicaset Status endpoints",
    "ControllerRevision [Serial] should manage the lifecycle",
)


@pytest.mark.skipif(binary() is None, reason="e2e.test is not there: tests/upstream/build builds it")
def test_kubernetes_own_tests_pass() -> None:
    """Those that take a second or two."""
    suite = binary()
    assert suite is not None
    found = {spec.name: outcome for spec, outcome in run(suite, specs(list(FEW)))}
    assert len(found) == len(FEW)
    assert {name: each.said for name, each in found.items() if each.outcome != PASSED} == {}


def test_the_table_names_every_spec_of_workloads_once() -> None:
    """135 in Kubernetes 1.34; each that does not pass has a reason."""
    named = specs(["[sig-apps]"])
    assert len({spec.name for spec in named}) == 135
    assert all(spec.expected in (PASSED, SKIPPED, FAILED) for spec in specs())
    assert all(spec.why for spec in specs() if spec.expected != PASSED)


def test_the_page_counts_and_tells() -> None:
    """Counts by outcome and reason, the commonest first; then each spec."""
    found = {
        Spec("a"): Outcome(PASSED, seconds=60),
        Spec("b"): Outcome(PASSED, seconds=60),
        Spec("c", FAILED, "needs a shell"): Outcome(FAILED, "timed out"),
    }
    lines = page(found).splitlines()
    assert lines[2:4] == ["| 2 | passed |  |", "| 1 | failed | needs a shell |"]
    assert "take 2 minutes" in lines[5]
    assert lines[-1] == "| c | failed | needs a shell |"
