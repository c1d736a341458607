"""A game day over time as the report draws it: ready pods beside the predicted band, and requests."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import ceil
from typing import Any

from gherkube.runners.gameday.comparison import during
from gherkube.runners.gameday.timeline import FOUR, Told
from gherkube.runners.report.page.charts import Points, draw
from gherkube.runners.report.page.figure import clock, share

MOST_TICKS, LAST_TICK = 6, 0.93
TICKS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)
MOST_BINS = 100
MOST_ROWS = 60


def figure(told: Told) -> dict[str, Any]:
    """What the template shows over time: the axis, the rounds and their times, and the charts."""
    end = told.end or 1.0
    return {
        "end": clock(end),
        "ticks": list(_ticks(end)),
        "rounds": [
            (share(each.begin, end), share((each.end or end) - each.begin, end), n, each.name, each.outcome)
            for n, each in enumerate(told.rounds, 1)
        ],
        "marks": [
            (share(each.times[name], end), name, each.name, clock(each.times[name] - each.begin))
            for each in told.rounds
            for name in FOUR
            if name in each.times
        ],
        "pods": [_pods(told, name, end) for name in _workloads(told)],
        "requests": _requests(told, end),
    }


def _ticks(end: float) -> Iterator[tuple[str, str]]:
    width = next((width for width in TICKS if end / width <= MOST_TICKS), end / MOST_TICKS)
    for n in range(int(end * LAST_TICK / width) + 1):
        yield share(n * width, end), clock(n * width).replace(".0 s", " s")


def _workloads(told: Told) -> list[str]:
    return list(dict.fromkeys(name for each in told.samples for name in each.pods))


def _pods(told: Told, workload: str, end: float) -> dict[str, Any]:
    counts = [(each.at, each.pods[workload]) for each in told.samples if workload in each.pods]
    ready = [(at, int(count["ready"])) for at, count in counts]
    desired = max(int(count.get("desired") or 0) for _, count in counts)
    rehearsed = {str(each["name"]): each for each in (told.begin.get("prediction") or {}).get("rounds") or ()}
    curves: dict[str, Points] = {}
    for n, round_ in enumerate(told.rounds):
        band = ((rehearsed.get(round_.name) or {}).get("fewest_ready") or {}).get(workload)
        if band:
            left, right, low, high = round_.begin, round_.end or end, band["p5"], band["p95"]
            curves[f"band r{n}"] = [(left, low), (left, high), (right, high), (right, low), (left, low)]
    curves["ready"] = _steps([*ready, (max(end, ready[-1][0] + 0.001), ready[-1][1])])
    top = max([desired, *(count for _, count in ready), 1])
    changes = [each for n, each in enumerate(ready) if not n or ready[n - 1][1] != each[1]]
    return {
        "workload": workload,
        "svg": draw(curves, end, top),
        "top": top,
        "banded": len(curves) > 1,
        "rows": [(clock(at), count) for at, count in changes[:MOST_ROWS]],
        "more": max(0, len(changes) - MOST_ROWS),
        "fewest": [
            (round_.name, min(each.pods[workload]["ready"] for each in found))
            for round_ in told.rounds
            if (found := [each for each in during(told, round_) if workload in each.pods])
        ],
    }


def _requests(told: Told, end: float) -> dict[str, Any] | None:
    counted = [(each.at, each.requests) for each in told.samples if each.requests.get("sent")]
    if not counted:
        return None
    width = next((width for width in TICKS if end / width <= MOST_BINS), end / MOST_BINS)
    edges = [n * width for n in range(int(end / width) + 2)]
    answered, lost = (
        _between([(at, counts[key]) for at, counts in counted], edges) for key in ("answered", "lost")
    )
    top = ceil(max([*(a + b for a, b in zip(answered, lost, strict=True)), 1]))
    curves: dict[str, Points] = {}
    if any(lost):
        curves["lost"] = _bars([a + b for a, b in zip(answered, lost, strict=True)], width, end)
    curves["answered"] = _bars(answered, width, end)
    last = counted[-1][1]
    return {
        "svg": draw(curves, end, top),
        "top": top,
        "width": f"{width:g} s",
        "sent": last["sent"],
        "answered": last["answered"],
        "lost": last["lost"],
        "gap": max((counts.get("longest_gap") or 0.0) for _, counts in counted),
        "losses": [(clock(n * width), round(number)) for n, number in enumerate(lost) if number][:MOST_ROWS],
    }


def _between(totals: Sequence[tuple[float, int]], edges: Sequence[float]) -> list[float]:
    """How much a total grew between each two edges; between two samples it is taken to grow evenly."""
    return [max(0.0, after - before) for before, after in pairwise([_at(totals, edge) for edge in edges])]


def _at(totals: Sequence[tuple[float, int]], at: float) -> float:
    n = bisect_right(totals, at, key=lambda each: each[0])
    if not n:
        return 0.0
    (before, low), (after, high) = totals[n - 1], totals[min(n, len(totals) - 1)]
    return low + (high - low) * (at - before) / (after - before) if after > before else low


def _steps(values: Sequence[tuple[float, float]]) -> Points:
    points: list[tuple[float, float]] = []
    for at, value in values:
        if points and points[-1][1] != value:
            points.append((at, points[-1][1]))
        points.append((at, value))
    return points


def _bars(heights: Sequence[float], width: float, end: float) -> Points:
    points: list[tuple[float, float]] = [(0, 0)]
    for n, height in enumerate(heights):
        if height != points[-1][1]:
            points += [(n * width, points[-1][1]), (n * width, height)]
    return [*points, (end, points[-1][1]), (end, 0)]
