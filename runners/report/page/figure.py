"""One scenario's timeline as the template wants it: positions in per cent, words, and what is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from gherkube.runners.report.page import charts
from gherkube.runners.report.page.lives import Group, Life
from gherkube.runners.report.page.series import Asked, Count, Mark, Series, bins, losses

MOST_PODS, MOST_MARKS, MOST_ROWS, MOST_TICKS = 40, 20, 40, 7
"""How many are shown of each; what is left out is said."""
MOST_CHARTS, MOST_LINES = 3, 12
WIDE = 560
"""The pixels that a wide screen has for the time axis: labels that do not collide there get one row."""
LAST_TICK = 0.9
"""Where on the axis the last tick may stand, for its words to have room."""
NEAR = 0.06
"""What part of the axis the number of a sentence takes."""
TICKS = (*(n * 10.0**e for e in (-2, -1, 0) for n in (1, 2, 5)), 10, 20, 30)
MINUTES = (60, 120, 300, 600, 1200, 1800, 3600, 7200, 18000, 36000)


def figure(series: Series, steps: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the template `figure.html` shows of a series and the sentences' times."""
    end = series.end or 1.0
    images = _images(series)
    groups, left_out = _groups(series.groups, images, end)
    return {
        "end": clock(end),
        "seconds": round(end, 3),
        "ticks": list(_ticks(end)),
        "moments": list(_moments(steps, end)),
        "badges": list(_badges(steps, end)),
        "marks": _marks(series.marks[:MOST_MARKS], end),
        "more_marks": max(0, len(series.marks) - MOST_MARKS),
        "groups": groups,
        "left_out": left_out,
        "counts": [_count(count, end) for count in series.counts[:MOST_CHARTS]],
        "more_counts": [_workload(count.workload) for count in series.counts[MOST_CHARTS:]],
        "requests": [
            _requests(service, requests, images, end) | {"took": _took(series.sums.get(service, {}))}
            for service, requests in list(series.requests.items())[:MOST_CHARTS]
        ],
        "more_requests": list(series.requests)[MOST_CHARTS:],
    }


def clock(seconds: float) -> str:
    """A time of the scenario: `0.04 s`, `12.3 s`, `5 min 10 s`."""
    if seconds < 119.95:
        return f"{seconds:.1f} s" if seconds >= 0.1 or not seconds else f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def share(at: float, end: float) -> str:
    """A time as per cent of the axis."""
    return f"{100 * min(max(at, 0), end) / end:.1f}".removesuffix(".0")


# --- The axis, the sentences, what happened


def _ticks(end: float) -> Iterator[tuple[str, str]]:
    width = next((width for width in (*TICKS, *MINUTES) if end / width <= MOST_TICKS), end)
    for n in range(int(end * LAST_TICK / width) + 1):
        at = n * width
        yield share(at, end), f"{at:g} s" if width < 60 and end < 300 else clock(at).replace(".0 s", " s")


def _moments(steps: Sequence[dict[str, Any]], end: float) -> Iterator[tuple[str, str]]:
    """Where each sentence begins, and how long it goes on."""
    times = [step["at"] for step in steps]
    for at, then in pairwise([*times, end]):
        yield share(at, end), share(max(then - at, 0), end)


def _badges(steps: Sequence[dict[str, Any]], end: float) -> Iterator[tuple[str, str, str]]:
    """The numbers of the sentences above the axis, those at nearly one place together."""
    groups: list[tuple[float, list[int]]] = []
    for number, step in enumerate(steps, 1):
        if groups and (step["at"] - groups[-1][0]) / end < NEAR:
            groups[-1][1].append(number)
        else:
            groups.append((step["at"], [number]))
    for at, numbers in groups:
        kinds = {steps[number - 1].get("kind", "") for number in numbers}
        text = str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}–{numbers[-1]}"
        yield share(at, end), text, "when" if "when" in kinds else ""


def _marks(marks: Sequence[Mark], end: float) -> dict[str, Any]:
    """The marks with a row each in which its words collide with no other's."""
    free: list[list[tuple[float, float]]] = []
    shown = []
    for mark in marks:
        text = mark.text.partition(" ")[2] if mark.kind == "act" else mark.text
        text = text if len(text) <= 60 else f"{text[:59]}…"
        at, width = WIDE * mark.at / end, 7.2 * len(text) + 24
        leftwards = at + width > WIDE
        taken = (at - width, at + 6) if leftwards else (at - 6, at + width)
        row = next(
            (n for n, row in enumerate(free) if all(taken[1] < a or b < taken[0] for a, b in row)), len(free)
        )
        free.extend([] for _ in range(row + 1 - len(free)))
        free[row].append(taken)
        shown.append((share(mark.at, end), row, mark.kind, leftwards, text, clock(mark.at)))
    return {"rows": len(free), "shown": shown}


# --- Pods


def _images(series: Series) -> dict[str, str]:
    """A class for each image, by which it is coloured: v1, v2, …"""
    every = dict.fromkeys(image for group in series.groups for image in group.images)
    asked = (asked for some in series.requests.values() for asked in some if not asked.lost)
    every |= dict.fromkeys(each.image for each in asked)
    return {image: f"v{n % 6 + 1}" for n, image in enumerate(every)}


def _groups(
    groups: Sequence[Group], images: Mapping[str, str], end: float
) -> tuple[list[dict[str, Any]], int]:
    """The groups with the pods that there is room for: those that failed, then the first of each group."""
    every = [(not life.failed, n, life) for group in groups for n, life in enumerate(group.lives)]
    kept = {id(life) for _, _, life in sorted(every, key=lambda each: each[:2])[:MOST_PODS]}
    shown = []
    for group in groups:
        lives = [life for life in group.lives if id(life) in kept]
        if lives:
            shown.append(_group(group, lives, images, end))
    return shown, len(every) - len(kept)


def _group(group: Group, lives: Sequence[Life], images: Mapping[str, str], end: float) -> dict[str, Any]:
    revisions = ", then ".join(map(str, group.revisions))
    title = f"revision {revisions}" if revisions else "" if group.workload else "pods of their own"
    return {
        "colour": images.get(group.images[0] if group.images else "", "v1"),
        "workload": _workload(group.workload) if group.workload else "",
        "title": title,
        "images": ", ".join(group.images),
        "maker": group.maker if group.workload and group.maker != group.workload[1].name else "",
        "more": len(group.lives) - len(lives),
        "pods": [_pod(life, group.maker, end) for life in lives],
    }


def _pod(life: Life, maker: str, end: float) -> dict[str, Any]:
    short = life.name.removeprefix(f"{maker}-")
    spans = []
    for span in life.spans(end):
        until = "the end" if span.end >= end and life.gone is None else clock(span.end)
        words = f"{clock(span.start)} to {until}"
        spans.append(
            (share(span.start, end), share(span.end - span.start, end), span.state, span.label, words)
        )
    return {
        "name": short if not short.isdigit() else life.name,
        "node": life.node,
        "spans": spans,
    }


def _workload(workload: tuple[str, Any]) -> str:
    kind, key = workload
    name = key.name if key.namespace in ("", "default") else f"{key.namespace}/{key.name}"
    return f"{kind} {name}"


# --- Counts and requests


def _count(count: Count, end: float) -> dict[str, Any]:
    rolling = any(bounds.low != bounds.high for bounds in count.bounds)
    rows = [(clock(each.at), each.ready, each.available, each.active) for each in count.replicas]
    bounds = [(clock(each.at), each.desired, each.low, each.high) for each in count.bounds if each.desired]
    return {
        "workload": _workload(count.workload),
        "svg": charts.replicas(count, end),
        "top": count.top,
        "lines": count.top if count.top <= MOST_LINES else 1,
        "rolling": rolling,
        "bounds": bounds,
        "rows": rows[:MOST_ROWS],
        "more": max(0, len(rows) - MOST_ROWS),
    }


def _requests(
    service: str, requests: Sequence[Asked], images: Mapping[str, str], end: float
) -> dict[str, Any]:
    width, found = bins(requests, end)
    top = max(each.answered.total() + each.lost for each in found)
    answered = Counter(asked.image for asked in requests if not asked.lost)
    stretches = losses(requests)
    told = [
        (
            clock(first) if first == last else f"{clock(first)} to {clock(last)}",
            ", ".join(f"{reason} (×{n})" for reason, n in reasons.most_common(3)),
            reasons.total(),
        )
        for first, last, reasons in stretches[:MOST_ROWS]
    ]
    return {
        "service": service.removeprefix("default/"),
        "svg": charts.requests(found, width, images, end, top),
        "top": top,
        "width": f"{width:g} s",
        "answered": [(images[image], image or "some pod", n) for image, n in answered.items()],
        "lost": sum(1 for asked in requests if asked.lost),
        "number": len(requests),
        "losses": told,
        "more": max(0, len(stretches) - MOST_ROWS),
    }


def _took(summed: dict[str, Any]) -> str:
    """How long answers took, and which way requests went."""
    p50, p99, way = summed.get("p50"), summed.get("p99"), summed.get("way", "")
    took = f"half answered within {1000 * p50:.3g} ms, 99% within {1000 * p99:.3g} ms" if p50 and p99 else ""
    return ", ".join(filter(None, (took, way and f"through {way}")))
