"""gherkube serve: how soon it answers, how much it answers in a second, what watching and history cost."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from serving import PODS, Served, pod, seconds, serving

LISTED = 1_000
WATCHERS = 100
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
MERGE = "application/merge-patch+json"


class Rate(NamedTuple):
    """How many a second, and the server's CPU for each in microseconds."""

    each_second: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.each_second:,.0f} a second, {self.cpu:,.0f} µs of CPU each"


def rate(server: Served, run: Callable[[int], object], times: int) -> Rate:
    """Of a request that is made so many times on one connection, after ten to warm up."""
    for number in range(10):
        run(number)
    before, cpu = time.perf_counter(), server.cpu()
    for number in range(times):
        run(number)
    taken = time.perf_counter() - before
    return Rate(times / taken, 1e6 * (server.cpu() - cpu) / times)


def starts(times: int = 5) -> list[tuple[float, float | None]]:
    """Seconds from the command to the first answer, and to kubectl's first `get pods`."""
    found = []
    for _ in range(times):
        begin = time.perf_counter()
        with serving() as server:
            server.ask("GET", PODS)
            answered = time.perf_counter() - begin
            command = ["kubectl", "--kubeconfig", str(server.kubeconfig), "get", "pods"]
            shown = None
            if shutil.which("kubectl"):
                shown = seconds(lambda: subprocess.run(command, capture_output=True, check=True))  # noqa: B023
            found.append((answered, None if shown is None else answered + shown))
    return sorted(found)


def requests(server: Served) -> list[tuple[str, Rate]]:
    """What single requests take, one after another."""
    for number in range(LISTED):
        server.ask("POST", PODS, pod(f"web-{number}"))
    server.advance(300)
    server.ask("POST", CONFIGMAPS, {"metadata": {"name": "a"}})

    def patch(number: int) -> object:
        return server.ask("PATCH", f"{CONFIGMAPS}/a", {"data": {"a": str(number)}}, type_=MERGE)

    def relist(number: int) -> object:
        body = {"metadata": {"labels": {"turn": str(number)}}}
        server.ask("PATCH", f"{PODS}/web-1", body, type_=MERGE)
        return server.ask("GET", PODS)

    return [
        ("get a pod", rate(server, lambda _: server.ask("GET", f"{PODS}/web-7"), 2_000)),
        ("patch a config map", rate(server, patch, 2_000)),
        (f"list {LISTED:,} pods", rate(server, lambda _: server.ask("GET", PODS), 50)),
        (f"change one of {LISTED:,} pods and list them", rate(server, relist, 50)),
    ]


async def fan_out(server: Served, changes: int) -> tuple[int, float, float, float]:
    """Events delivered to all watchers, seconds, median and largest lag in seconds of a change."""
    sent: dict[int, float] = {}
    lags: list[float] = []

    async def watch() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1 << 20)
        writer.write(f"GET {CONFIGMAPS}?watch=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        ready.release()
        seen = 0
        while seen < changes:
            line = await reader.readline()
            if b'"turn":"' in line:
                seen += 1
                turn = int(line.partition(b'"turn":"')[2].partition(b'"')[0])
                lags.append(time.perf_counter() - sent[turn])
        writer.close()

    ready = asyncio.Semaphore(0)
    watchers = [asyncio.create_task(watch()) for _ in range(WATCHERS)]
    for _ in watchers:
        await ready.acquire()
    await asyncio.sleep(1)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    begin = time.perf_counter()
    for turn in range(changes):
        body = f'{{"data":{{"turn":"{turn}"}}}}'.encode()
        head = f"PATCH {CONFIGMAPS}/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {MERGE}\r\n"
        sent[turn] = time.perf_counter()
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        await reader.readexactly(length)
    await asyncio.gather(*watchers)
    taken = time.perf_counter() - begin
    writer.close()
    lags.sort()
    return len(lags), taken, lags[len(lags) // 2], lags[-1]


def history(server: Served, events: int) -> list[tuple[int, int]]:
    """Megabytes that the server holds after so many changes, at each tenth."""
    held = [(0, server.memory())]
    for number in range(1, events + 1):
        server.ask("PATCH", f"{CONFIGMAPS}/a", {"data": {"a": str(number)}}, type_=MERGE)
        if number % (events // 10) == 0:
            held.append((number, server.memory()))
    return held


def main() -> None:
    """Measures and prints the table."""
    table = Table(title=f"gherkube serve, load average {os.getloadavg()[0]:.1f} at the beginning")
    table.add_column("what")
    table.add_column("measured", justify="right")
    started = starts()
    answered, shown = started[len(started) // 2]
    table.add_row("from the command to the first answer, median of 5", f"{answered:.2f} s")
    table.add_row("… and to kubectl's first get pods", f"{shown:.2f} s" if shown else "skipped: no kubectl")
    with serving("--clock", "manual") as server:
        for what, each in requests(server):
            table.add_row(what, str(each))
    with serving("--clock", "manual") as server:
        server.ask("POST", CONFIGMAPS, {"metadata": {"name": "a"}})
        cpu = server.cpu()
        delivered, taken, median, largest = asyncio.run(fan_out(server, 300))
        cpu = 1e6 * (server.cpu() - cpu) / delivered
        row = f"{delivered / taken:,.0f} a second, {cpu:,.0f} µs of CPU each"
        table.add_row(f"events delivered to {WATCHERS} watchers", row)
        table.add_row(
            "… lag behind the request, median and largest", f"{1e3 * median:.0f} and {1e3 * largest:.0f} ms"
        )
    with serving("--clock", "manual") as server:
        server.ask("POST", CONFIGMAPS, {"metadata": {"name": "a"}})
        for number, memory in history(server, 100_000)[::5]:
            table.add_row(f"memory after {number:,} watch events", f"{memory} MB")
    Console().print(table)


if __name__ == "__main__":
    main()
