"""gherkube serve beside kwok with a real control plane: one story through kubectl, and 10,000 pods.

python benchmarks/bench_kwok.py [--nodes 1000] [--pods 10000]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import control_plane
from large import deployment
from rich.console import Console
from rich.table import Table
from serving import cpu, seconds, serving

STORY = (
    "create deployment web --image=hello:1 --replicas=4",
    "rollout status deployment/web",
    "set image deployment/web hello=hello:2",
    "rollout status deployment/web",
    "rollout undo deployment/web",
    "rollout status deployment/web",
    "get pods",
)
DEPLOYMENTS = 10


def kubectl(kubeconfig: Path, line: str, given: str = "") -> str:
    """What kubectl prints, which has to succeed."""
    command = ["kubectl", "--kubeconfig", str(kubeconfig), *line.split()]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"kubectl {line}: {done.stderr}")
    return done.stdout


def story(kubeconfig: Path) -> float:
    """Seconds of the story."""
    return seconds(lambda: [kubectl(kubeconfig, line) for line in STORY])


def many(kubeconfig: Path, pods: int) -> float:
    """Seconds from asking for so many pods until all of them are available."""
    items = [deployment(f"many-{number}", pods // DEPLOYMENTS, "hello:1") for number in range(DEPLOYMENTS)]
    begin = time.perf_counter()
    kubectl(kubeconfig, "create -f -", json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    while _available(kubeconfig) < pods:
        if time.perf_counter() - begin > 1800:
            raise SystemExit(f"{_available(kubeconfig)} of {pods} pods were available after half an hour")
        time.sleep(0.5)
    return time.perf_counter() - begin


def _available(kubeconfig: Path) -> int:
    path = "get deployments -o jsonpath={.items[*].status.availableReplicas}"
    return sum(map(int, kubectl(kubeconfig, path).split()))


class Measured(NamedTuple):
    """Seconds, and at last seconds of CPU of the servers while the pods are made."""

    answered: float
    story: float
    nodes: float
    pods: float
    cpu: float


def served(nodes: int, pods: int) -> Measured:
    """What gherkube serve takes."""
    begin = time.perf_counter()
    with serving("--clock", "fast") as server:
        kubectl(server.kubeconfig, "get nodes")
        answered = time.perf_counter() - begin
        told = story(server.kubeconfig)
    begin = time.perf_counter()
    with serving("--clock", "fast", "--nodes", str(nodes)) as server:
        _until(lambda: _ready_nodes(server.kubeconfig) > nodes)
        made, before = time.perf_counter() - begin, server.cpu()
        return Measured(answered, told, made, many(server.kubeconfig, pods), server.cpu() - before)


def real(nodes: int, pods: int) -> Measured:
    """What kwok and its control plane take."""
    begin = time.perf_counter()
    with control_plane.running() as (kubeconfig, pids):
        _add_nodes(kubeconfig, 0, 3)
        _until(lambda: _ready_nodes(kubeconfig) >= 3)
        answered = time.perf_counter() - begin
        told = story(kubeconfig)
        begin = time.perf_counter()
        _add_nodes(kubeconfig, 3, nodes)
        _until(lambda: _ready_nodes(kubeconfig) >= nodes)
        made, before = time.perf_counter() - begin, sum(map(cpu, pids))
        return Measured(answered, told, made, many(kubeconfig, pods), sum(map(cpu, pids)) - before)


def _add_nodes(kubeconfig: Path, before: int, count: int) -> None:
    """Makes the nodes beyond those that are there."""
    names = [f"node-{number}" for number in range(before, count)]
    items = [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}} for name in names]
    kubectl(kubeconfig, "create -f -", json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))


def _ready_nodes(kubeconfig: Path) -> int:
    path = """get nodes -o jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}"""
    return kubectl(kubeconfig, path).split().count("True")


def _until(done: Callable[[], bool]) -> None:
    while not done():
        time.sleep(0.2)


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--nodes", type=int, default=1_000)
    parser.add_argument("--pods", type=int, default=10_000)
    args = parser.parse_args()
    console = Console()
    if not shutil.which("kubectl"):
        console.print("skipped: there is no kubectl")
        return
    table = Table(
        title=f"Beside a real control plane, load average {os.getloadavg()[0]:.1f} at the beginning"
    )
    for column in ("what", "gherkube serve", "kwok, kube-apiserver, etcd", "ratio"):
        table.add_column(column, justify="left" if column == "what" else "right")
    ours = served(args.nodes, args.pods)
    print(ours, file=sys.stderr)
    gone = control_plane.missing()
    theirs = None if gone else real(args.nodes, args.pods)
    rows = (
        "from nothing to kubectl's first answer with three nodes ready",
        f"the story: {len(STORY)} commands, 3 rollouts of 4 replicas",
        f"{args.nodes:,} nodes ready",
        f"{args.pods:,} pods created and available",
        "… CPU of the servers meanwhile",
    )
    for number, what in enumerate(rows):
        mine = f"{ours[number]:.1f} s"
        if theirs is None:
            table.add_row(what, mine, "skipped", "")
        else:
            table.add_row(what, mine, f"{theirs[number]:.1f} s", f"{theirs[number] / ours[number]:.1f}")
    console.print(table)
    if gone:
        console.print(f"skipped: {', '.join(gone)} not found in {control_plane.BIN}")


if __name__ == "__main__":
    main()
