"""What the history of a live run asks of the API server, with 100 and 1,000 pods; see README.md.

    python benchmarks/bench_history.py [--context NAME --kubeconfig FILE]

On `gherkube serve`, and besides on the cluster of the context where one is named, in a namespace of its own.
There the pods have a scheduling gate, so that no node has to run them.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table
from serving import serving

from gherkube.runners.live.cluster import LiveCluster
from gherkube.runners.target import Target

SIZES = (100, 1000)
QUIET = 30.0
PATIENCE = 3600.0


class Row:
    """What a stretch of time took: real seconds, requests by kind, changes seen, CPU of this process."""

    def __init__(self) -> None:
        self.seconds, self.cpu, self.changes = 0.0, 0.0, 0
        self.requests: Counter[str] = Counter()

    def cells(self) -> list[str]:
        """As the table shows it."""
        history = self.requests["list"] + self.requests["watch"]
        each = self.requests["write"], self.requests["list"], self.requests["watch"]
        micros = f"{1e6 * self.cpu / self.changes:,.0f} µs" if self.changes else "–"
        return [
            f"{self.seconds:.1f} s",
            f"{self.changes:,}",
            *(f"{number:,}" for number in each),
            f"{history / self.seconds:.2f}",
            micros,
        ]


@contextmanager
def counted(cluster: LiveCluster) -> Iterator[Row]:
    """Counts what the cluster's connection is asked, and what comes of it, within."""
    row, connection = Row(), cluster._connection
    send = connection.send

    def counting(method: str, path: str, query: Any = None, *more: Any, **named: Any) -> Any:
        kind = "write" if method != "GET" else "watch" if query and "watch" in query else "list"
        row.requests[kind] += 1
        return send(method, path, query, *more, **named)

    connection.send = counting  # type: ignore[method-assign]
    begun, cpu, seen = time.perf_counter(), time.process_time(), len(cluster.history)
    try:
        yield row
    finally:
        cluster.clock.settle()
        row.seconds, row.cpu = time.perf_counter() - begun, time.process_time() - cpu
        row.changes = len(cluster.history) - seen
        connection.send = send  # type: ignore[method-assign]


def deployment(gated: bool) -> dict[str, Any]:
    labels = {"app": "web"}
    pod: dict[str, Any] = {"containers": [{"name": "app", "image": "hello:1"}]}
    if gated:
        pod["schedulingGates"] = [{"name": "gherkube.dev/bench"}]
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def _seen(cluster: LiveCluster, pods: int, gated: bool) -> Callable[[], bool]:
    """Whether the watches have shown that all pods are there, without asking the server."""
    count = "replicas" if gated else "readyReplicas"

    def seen() -> bool:
        return any(
            each["status"].get(count, 0) == pods
            for each in cluster.history.known("deployments", cluster.namespace)
        )

    return seen


def measure(target: Target, name: str, table: Table, *, gated: bool) -> None:
    """The rows of one cluster."""
    for pods in SIZES:
        cluster = LiveCluster(target)
        try:
            cluster.api.create(deployment(gated), namespace=cluster.namespace)

            with counted(cluster) as row:
                patch = {"spec": {"replicas": pods}}
                cluster.api.patch("deployments", "web", patch, cluster.namespace, subresource="scale")
                cluster.clock.wait(_seen(cluster, pods, gated), PATIENCE, resources=("deployments",))
            table.add_row(name, f"{pods:,} pods come", *row.cells())
            with counted(cluster) as row:
                cluster.clock.sleep(QUIET * cluster.clock.rate)
            table.add_row(name, f"{pods:,} pods, quiet", *row.cells())
        finally:
            cluster.close()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--context", default="")
    parser.add_argument("--kubeconfig", default="")
    args = parser.parse_args()
    table = Table(title="What history asks of the API server")
    for head in ("cluster", "while", "time", "changes", "writes", "lists", "watches", "history's a second"):
        table.add_column(head, justify="left" if head in ("cluster", "while") else "right")
    table.add_column("CPU here a change", justify="right")
    with serving("--nodes", "20", "--clock", "fast", "--speed", "20") as server:
        measure(Target("gherkube", str(server.kubeconfig)), "gherkube serve", table, gated=False)
    if args.context:
        measure(Target(args.context, args.kubeconfig), args.context, table, gated=True)
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
