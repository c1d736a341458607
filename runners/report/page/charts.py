"""Curves over time, drawn by pygal as bare SVG paths.

The page lays its own words and scales around them: so text keeps its size when a curve is stretched to
the width of the screen, colours follow light and dark, and all charts share the timeline's axis.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from gherkube.runners.report.page.series import Bin, Count

Points: TypeAlias = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 1000, 100
"""The units of a chart, whatever its size on the page."""
MARGIN = 0.02
"""What pygal leaves free at each side of a plot, in parts of it (pygal/view.py, class Box)."""


def draw(curves: Mapping[str, Points], end: float, top: float) -> str:
    """The curves as an SVG without words, from 0 to `end` across and from 0 to `top` up.

    A curve's name is its path's class.
    """
    chart = _pygal().XY(
        width=WIDTH * (1 + 2 * MARGIN),
        height=HEIGHT * (1 + 2 * MARGIN),
        margin=0,
        spacing=0,
        xrange=(0, end),
        range=(0, top),
        js=(),
        css=(),
        **dict.fromkeys(_WORDS, False),
    )
    for name, points in curves.items():
        chart.add(name, list(points))
    paths = (path.get("d", "") for path in chart.render_tree().iter("path"))
    drawn = "".join(
        f'<path class="{name}" d="{_short(path)}"/>' for name, path in zip(curves, paths, strict=True)
    )
    box = f"{WIDTH * MARGIN:g} {HEIGHT * MARGIN:g} {WIDTH} {HEIGHT}"
    return f'<svg viewBox="{box}" preserveAspectRatio="none" aria-hidden="true">{drawn}</svg>'


@cache
def _pygal() -> Any:
    """The module, without the finder that it leaves in Python's for its plugins: of a kind of old, which
    others stumble upon."""
    import pygal  # type: ignore[import-untyped]

    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != pygal.__name__]
    return pygal


_WORDS = ("show_legend", "show_dots", "show_x_labels", "show_y_labels", "show_x_guides", "show_y_guides")


def _short(path: str) -> str:
    return re.sub(r"\d+\.\d+", lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), path)


def replicas(count: Count, end: float) -> str:
    """The chart of a workload's ready, available and active pods against the bounds of its rollout."""
    curves: dict[str, Points] = {}
    if any(bounds.low != bounds.high for bounds in count.bounds):
        high = _steps(((bounds.at, bounds.high) for bounds in count.bounds), end)
        low = _steps(((bounds.at, bounds.low) for bounds in count.bounds), end)
        curves["band"] = [*high, *reversed(low)]
    available = _steps(((each.at, each.available) for each in count.replicas), end)
    curves["available"] = [(available[0][0], 0), *available, (end, 0)]
    curves["active"] = _steps(((each.at, each.active) for each in count.replicas), end)
    curves["ready"] = _steps(((each.at, each.ready) for each in count.replicas), end)
    return draw(curves, end, count.top)


def _steps(values: Iterable[tuple[float, float]], end: float) -> list[tuple[float, float]]:
    """The points of a curve that keeps each value until the next one."""
    points: list[tuple[float, float]] = []
    for at, value in values:
        if points:
            points.append((at, points[-1][1]))
        points.append((at, value))
    return [*points, (end, points[-1][1])]


def requests(bins: Sequence[Bin], width: float, images: Mapping[str, str], end: float, top: int) -> str:
    """The chart of requests: lost ones on top of those answered, by image; `images` gives each its class."""
    shown = [image for image in images if any(image in each.answered for each in bins)]
    curves: dict[str, Points] = {}
    if any(each.lost for each in bins):
        curves["lost"] = _bars([each.answered.total() + each.lost for each in bins], width, end)
    for n in range(len(shown), 0, -1):  # each covers the lower part of the one before: they lie stacked
        below = shown[:n]
        heights = [sum(each.answered[image] for image in below) for each in bins]
        curves[images[shown[n - 1]]] = _bars(heights, width, end)
    return draw(curves, end, top)


def _bars(heights: Sequence[int], width: float, end: float) -> Points:
    points: list[tuple[float, float]] = [(0, 0)]
    for n, height in enumerate(heights):
        if height != points[-1][1]:
            points += [(n * width, points[-1][1]), (n * width, height)]
    return [*points, (end, points[-1][1]), (end, 0)]
