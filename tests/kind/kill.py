"""Runs that are killed at random moments, and `gherkube clean` after each: is anything left?

    python -m tests.kind.kill --place own     # a gherkube serve as live cluster, namespaces of the run's own
    python -m tests.kind.kill --place shared  # the same, in a namespace that the run does not own
    python -m tests.kind.kill --place kind --runs 5 [--image gherkube/node:v1.34.4]   # real clusters
    python -m tests.kind.kill --place reuse --runs 10                                 # one real cluster

Prints a table: how many runs were killed, what they owed at that moment, and what was left after the clean.
Exit code: 0 only when nothing was.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gherkube.runners import state
from gherkube.runners.live.api import LiveApi
from gherkube.runners.live.connection import connect
from gherkube.runners.live.discovery import Discovery
from gherkube.runners.objects import Object
from tests.door.serving import deployment, service, serving

CODE = "from gherkube.runners.cli.main import main; main()"
OWN = """\
Feature: Killed
  Scenario: One
    Given deployment "web" runs 3 replicas of "hello:1"
    And namespace "gherkube-kill-other"
    When I update it to "hello:2"
    Then the rollout completes

  Scenario: Two
    Given deployment "web" runs 2 replicas of "hello:1"
    When I scale it to 4 replicas
    Then 4 pods are ready
"""
SHARED = """\
Feature: Killed where nothing is the run's own
  Scenario: All kinds of changes
    Given deployment "web" runs 2 replicas of "hello:1"
    When I scale it to 4 replicas
    And I update it to "hello:2"
    And I patch deployment "web" with
      \"\"\"yaml
      metadata: {labels: {tier: front}}
      spec: {strategy: {rollingUpdate: {maxSurge: 2}}}
      \"\"\"
    And I expose deployment "web" on port 8080
    And service "shop" switches to pods labelled "app=web,version=green"
    And I apply
      \"\"\"yaml
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: made}
      data: {a: b}
      \"\"\"
    And I delete deployment "other"
    Then 4 pods of deployment "web" are ready
"""
NAMESPACE = "shop"
RUNS_OWN = re.compile(r"gherkube-([0-9a-f]{8}|kill)-")
"""The nodes of clusters that runs make here."""


@dataclass
class Place:
    """Where runs are killed. `look` is what is there, which has to be the same after each clean."""

    feature: str
    options: list[str]
    look: Callable[[], Any]


@dataclass
class Tally:
    """What came of the runs."""

    runs: int = 0
    killed: int = 0
    owed: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    left: list[str] = field(default_factory=list)


def kill(place: Place, runs: int, chance: random.Random) -> Tally:
    """Kills so many runs, each at a moment of its own, and cleans up after each."""
    tally, before = Tally(), place.look()
    with tempfile.TemporaryDirectory(prefix="gherkube-kill-") as folder:
        Path(folder, "killed.feature").write_text(place.feature)
        command = [sys.executable, "-c", CODE, "run", *place.options]
        run = subprocess.Popen(command, cwd=folder)
        longest = _until(run)
        if run.returncode:
            raise SystemExit(f"a run that nobody kills ends with {run.returncode}")
        for _ in range(runs):
            with Path(folder, "log").open("w") as log:
                run = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
                moment = chance.uniform(0.0, longest)
                _until(run, moment)
                if run.poll() is None:
                    os.kill(run.pid, signal.SIGKILL)
                    tally.killed += 1
                run.wait()
            tally.runs += 1
            tally.owed.update(_owed())
            began = time.monotonic()
            said = subprocess.run(
                [sys.executable, "-c", CODE, "clean"], capture_output=True, text=True, check=False
            )
            tally.seconds += time.monotonic() - began
            if said.returncode:
                tally.left.append(f"clean: exit code {said.returncode}: {said.stdout}{said.stderr}")
            tally.left += [str(path) for path in state.folder().glob("runs/*/*")]
            if (now := place.look()) != before:
                tally.left.append(
                    f"killed after {moment:.1f} s: {json.dumps(now)} is not {json.dumps(before)}"
                )
    return tally


def _until(run: subprocess.Popen[bytes], moment: float = 1e9) -> float:
    """Waits until the run has acted for so many seconds, or ended; returns for how long it did."""
    while run.poll() is None and not list(state.folder().glob("runs/*/run.json")):
        time.sleep(0.02)
    began = time.monotonic()
    while run.poll() is None and time.monotonic() - began < moment:
        time.sleep(0.01)
    return time.monotonic() - began


def _owed() -> Iterator[str]:
    """What runs owe, by kind."""
    for folder in state.folder().glob("runs/*"):
        run = state.Run(folder.name)
        yield from (debt.kind for debt in run.debts())
        yield from ("journal" for _ in run.journals())


@contextmanager
def served(*, shared: bool) -> Iterator[Place]:
    """A `gherkube serve` in the place of a live cluster; with `shared`, a namespace that others use there."""
    with tempfile.TemporaryDirectory(prefix="gherkube-kill-") as folder, serving(Path(folder)) as kubeconfig:
        connection = connect("gherkube", str(kubeconfig))
        api = LiveApi(connection, Discovery(connection))
        options = ["--on", "live", "--context", "gherkube", "--kubeconfig", str(kubeconfig)]
        if shared:
            options += ["--namespace", NAMESPACE]
            api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
            for made in (deployment(), deployment("other"), service(NAMESPACE)):
                api.create(made, namespace=NAMESPACE)
        try:
            yield Place(SHARED if shared else OWN, options, lambda: seen(api))
        finally:
            connection.close()


def seen(api: LiveApi) -> dict[str, Any]:
    """All that users said of what is in a cluster."""
    found: dict[str, Any] = {"namespaces": [each["metadata"]["name"] for each in api.list("namespaces")]}
    for resource in ("deployments", "services", "configmaps"):
        for each in api.list(resource, NAMESPACE):
            found[f"{resource}/{each['metadata']['name']}"] = _said(each)
    return found


def _said(obj: Object) -> Any:
    own = {key: value for key, value in obj.items() if key not in ("metadata", "status")}
    own["labels"] = obj["metadata"].get("labels")
    spec = dict(own.get("spec") or {})
    for given in ("clusterIP", "clusterIPs"):  # by the server, to what is made anew
        spec.pop(given, None)
    return {**own, "spec": spec}


def docker() -> dict[str, Any]:
    """What Docker has: containers, volumes, networks, images with a run's label."""
    listed = {
        "containers": ["ps", "-a", "--format", "{{.Names}}"],
        "networks": ["network", "ls", "--format", "{{.Name}}"],
        "images": ["images", "-q", "--filter", f"label={state.LABEL}"],
    }
    found = {}
    for what, command in listed.items():
        said = subprocess.run(["docker", *command], capture_output=True, text=True, check=True).stdout.split()
        found[what] = sorted(each for each in said if what != "containers" or RUNS_OWN.match(each))
    return found


@contextmanager
def real(image: str, reuse: str) -> Iterator[Place]:
    """Real clusters: one for each run, or one that all use."""
    options = ["--on", "kind", "--nodes", "1", *(["--image", image] if image else [])]
    if not reuse:
        yield Place(OWN, options, docker)
        return
    options += ["--reuse", reuse]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "killed.feature").write_text(OWN)
        command = [sys.executable, "-c", CODE]
        subprocess.run([*command, "run", *options], cwd=folder, check=True)
        path = state.folder() / "clusters" / f"{reuse}.kubeconfig"
        connection = connect(f"kind-{reuse}", str(path))
        api = LiveApi(connection, Discovery(connection))
        try:
            yield Place(OWN, options, lambda: {**docker(), **seen(api)})
        finally:
            connection.close()
            subprocess.run([*command, "clean", reuse], check=True)


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--place", choices=("own", "shared", "kind", "reuse"), default="own")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--image", default="")
    given = parser.parse_args()
    place = {
        "own": lambda: served(shared=False),
        "shared": lambda: served(shared=True),
        "kind": lambda: real(given.image, ""),
        "reuse": lambda: real(given.image, "gherkube-kill"),
    }[given.place]
    with tempfile.TemporaryDirectory(prefix="gherkube-kill-") as folder:
        os.environ["GHERKUBE_STATE"] = folder
        with place() as where:
            tally = kill(where, given.runs, random.Random(given.seed))
    owed = ", ".join(f"{number} {kind}" for kind, number in sorted(tally.owed.items())) or "nothing"
    print("| place | runs | killed | owed then | mean seconds of a clean | left |")
    print("|---|---|---|---|---|---|")
    mean, left = tally.seconds / max(tally.runs, 1), len(tally.left) or "nothing"
    print(f"| {given.place} | {tally.runs} | {tally.killed} | {owed} | {mean:.1f} | {left} |")
    print(*tally.left, sep="\n")
    return bool(tally.left)


if __name__ == "__main__":
    raise SystemExit(main())
