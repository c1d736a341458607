"""What the shipped game days come to on a real cluster: python -m tests.kind.days [--image IMAGE] [NAME …]

Makes a kind cluster of three nodes, checks, rehearses and runs each game day there (all, or those that are
named) as its users do, and puts what was predicted beside what was into `days.json` beside this file, from
which docs/fidelity.md is made. What was known of those that were not run again is kept. The cluster stays:
`gherkube clean days` removes it. Needs Docker, kind and kubectl.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from gherkube.runners.gameday.comparison import compare
from gherkube.runners.gameday.timeline import tell
from gherkube.runners.kind.clusters import path_of
from gherkube.runners.live.journal import read as read_journal
from tests.kind import page
from tests.kind.table import GHERKUBE, ROOT

DAYS = ROOT / "features" / "gamedays"
CLUSTER = "days"
ENDS = {0: "held", 1: "broken", 3: "not judged", 4: "refused", 7: "ended early", 8: "NOT all is back"}
"""Exit codes of `gameday run`."""
SMALL = """\
Feature: A cluster
  Scenario: It is there
    Given a cluster with 3 nodes
    And deployment "web" runs 1 replica of "hello:1"
    Then 1 pod is ready
"""
ACTS = [
    *("create", "change", "scale", "image", "delete"),
    "delete pods",
    "evict pods",
    "nodes",
    "node faults",
]


def shipped() -> list[str]:
    """Their names."""
    return sorted(each.parent.name for each in DAYS.glob("*/*.gameday.yaml"))


def play(name: str) -> dict[str, Any]:
    """One of them, whole; what it came to."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(shutil.copytree(DAYS / name, Path(scratch) / name))
        plan = folder / f"{name}.gameday.yaml"
        plan.write_text(plan.read_text().replace("target: simulator", f"target: {CLUSTER}"))
        (folder / "gherkube.toml").write_text(settings())
        manifest = folder / "manifests" / "shop.yaml"
        kubectl("apply", "-f", str(manifest))
        try:
            kubectl("rollout", "status", "deployment/shop", "--timeout=3m")
            said = {each: gherkube("gameday", each, str(plan)) for each in ("check", "rehearse")}
            run = gherkube(
                *("gameday", "run", str(plan), "--yes-i-am", "Olga Owner", "--yes-i-am", "Otto Operator")
            )
        finally:
            kubectl("delete", "-f", str(manifest), "--wait", "--ignore-not-found")
        journals = sorted(folder.glob("gamedays/*.journal"))
        if not journals:
            sys.exit(f"{name} was not run: {said} {run}")
        told = tell(read_journal(journals[-1]))
        rounds = [
            {
                "name": each.round.name,
                "rows": [[row.what, row.team, row.simulator, row.actual] for row in each.rows],
                "surprised": sorted({row.what for row in each.rows if "simulator" in row.surprises}),
            }
            for each in compare(told)
        ]
        return {"verdict": ENDS.get(run, f"exit {run}"), "rounds": rounds}


def settings() -> str:
    """The fences of the cluster, as its user writes them."""
    acts = ", ".join(f'"{each}"' for each in ACTS)
    return f"""\
[targets.{CLUSTER}]
context = "kind-{CLUSTER}"
kubeconfig = "{path_of(CLUSTER, ".kubeconfig")}"
namespaces = ["default"]
acts = [{acts}]
"""


def make(image: str) -> None:
    """The cluster, where it is not there yet; its nodes get the images of the plans that this machine has."""
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "a.feature").write_text(SMALL)
        options = ["--image", image] if image else []
        run = ("run", "a.feature", "--on", "kind", "--nodes", "3", "--reuse", CLUSTER, *options)
        if gherkube(*run, cwd=scratch):
            sys.exit("there is no cluster")
    names = {
        container["image"]
        for manifest in DAYS.glob("*/manifests/*.yaml")
        for each in yaml.safe_load_all(manifest.read_text())
        if each["kind"] == "Deployment"
        for container in each["spec"]["template"]["spec"]["containers"]
    }
    for image_name in sorted(names | {each.replace(":v1", ":v2") for each in names}):
        if not subprocess.run(["docker", "image", "inspect", image_name], capture_output=True).returncode:
            subprocess.run(["kind", "load", "docker-image", image_name, "--name", CLUSTER], check=True)


def gherkube(*arguments: str, cwd: str | Path = ROOT) -> int:
    """Runs the program; its exit code."""
    print("$ gherkube", *arguments, flush=True)
    return subprocess.run([*GHERKUBE, *arguments], cwd=cwd, check=False).returncode


def kubectl(*arguments: str) -> None:
    """Runs the program on the cluster."""
    where = ["--kubeconfig", str(path_of(CLUSTER, ".kubeconfig"))]
    subprocess.run(["kubectl", *where, *arguments], check=True)


def read() -> dict[str, Any]:
    """What is known, by the game day's name."""
    return dict(json.loads(page.DAYS.read_text())) if page.DAYS.is_file() else {}


def main() -> None:
    """Runs them, and keeps what came of each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--image", default="")
    chosen = parser.parse_args()
    make(chosen.image)
    for name in chosen.names or shipped():
        known = read()
        known[name] = play(name)
        page.DAYS.write_text(json.dumps(known, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
        page.write()


if __name__ == "__main__":
    main()
