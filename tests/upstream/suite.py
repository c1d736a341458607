"""Runs specs of Kubernetes' end-to-end tests against a `gherkube serve` of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.upstream.specs import FAILED, PASSED, SKIPPED, Spec

CLUSTERS = 4
LIMIT, LONGEST = 40, 3600
"""Real seconds for a spec that fails, and for all that pass together."""
GRACE = 5
IMAGES = Path(__file__).parent / "images.yaml"
SERVE = "from gherkube.runners.cli.main import main; main()"
ASKED: dict[str, object] = {
    "provider": "skeleton",
    "kube-api-content-type": "application/json",
    "allowed-not-ready-nodes": -1,
    "minStartupPods": -1,
    "e2e-verify-service-account": "false",
    "disable-log-dump": "true",
    "dump-logs-on-failure": "false",
    "ginkgo.no-color": "true",
    "ginkgo.grace-period": f"{GRACE}s",
}
"""Options of e2e.test: no cloud, no protobuf, no system pods to wait for, no logs of nodes to collect."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a spec: passed, failed or skipped; what it said; how long it took in real seconds."""

    outcome: str
    said: str = ""
    seconds: float = 0.0


NO_SUCH = Outcome("not run", "there is no such spec, or time was up")


def binary() -> Path | None:
    """e2e.test, where `build` leaves it."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = os.environ.get("GHERKUBE_UPSTREAM") or Path(cache) / "gherkube-upstream"
    found = Path(folder) / "e2e.test"
    return found if found.exists() else None


def run(suite: Path, specs: Sequence[Spec]) -> Iterator[tuple[Spec, Outcome]]:
    """What comes of each spec, some clusters at a time: they sleep more than they do."""
    together = [spec for spec in specs if not spec.alone]
    shares = [together[at::CLUSTERS] for at in range(CLUSTERS)]
    parts = [part for part in [*shares, *([spec] for spec in specs if spec.alone)] if part]
    with ThreadPoolExecutor(CLUSTERS) as pool:
        running = {pool.submit(_part, suite, part): part for part in parts}
        for done in as_completed(running):
            yield from ((spec, done.result().get(spec.name, NO_SUCH)) for spec in running[done])


def _part(suite: Path, specs: Sequence[Spec]) -> dict[str, Outcome]:
    """Runs specs in a cluster of their own."""
    limit = LIMIT if specs[0].expected == FAILED else LONGEST
    with TemporaryDirectory() as folder, served(Path(folder), specs[0].speed) as kubeconfig:
        return _run(suite, kubeconfig, specs, limit)


@contextmanager
def served(folder: Path, speed: float) -> Iterator[Path]:
    """A cluster for the tests; gives its kubeconfig."""
    file = folder / "kubeconfig"
    command = [sys.executable, "-c", SERVE, "serve", "--kubeconfig", str(file), "--speed", str(speed)]
    with subprocess.Popen([*command, "--images", str(IMAGES)], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        if not server.stdout.readline():
            raise RuntimeError("gherkube serve did not start")
        try:
            yield file
        finally:
            server.terminate()


def _run(suite: Path, kubeconfig: Path, specs: Collection[Spec], limit: int) -> dict[str, Outcome]:
    """Runs the specs in one process; outcomes by name."""
    report = kubeconfig.with_name("report.json")
    asked = {
        **ASKED,
        "kubeconfig": kubeconfig,
        "ginkgo.timeout": f"{limit}s",
        "ginkgo.json-report": report,
        "kubectl-path": "kubectl",
    }
    focus = [f"--ginkgo.focus={re.escape(spec.name)}$" for spec in specs]
    command = [str(suite), *(f"--{name}={value}" for name, value in asked.items()), *focus]
    with kubeconfig.with_name("log").open("w") as log:
        subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, cwd=kubeconfig.parent, check=False)
    names = {spec.name for spec in specs}
    told = [each for suite in json.loads(report.read_text()) for each in suite["SpecReports"]]
    return {name: _outcome(each) for each in told if (name := _name(each)) in names}


def _name(report: dict[str, Any]) -> str:
    return " ".join([*(report.get("ContainerHierarchyTexts") or ()), report["LeafNodeText"]]).strip()


def _outcome(report: dict[str, Any]) -> Outcome:
    state = report["State"]
    said = " ".join(report.get("Failure", {}).get("Message", "").split())
    return Outcome(state if state in (PASSED, SKIPPED) else FAILED, said, report["RunTime"] / 1e9)
