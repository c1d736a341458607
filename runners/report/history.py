"""A scenario's whole history as a file: one JSON object a line, in virtual time.

    {"scenario": …, "feature": …, "line": …, "seed": …}                first
    {"at": 0.0, "step": "Given …", "kind": "given", "line": 7, "outcome": …, "changes": 0}
                                                                       each sentence, when it began, and
                                                                       how many changes there were by then
    {"at": 0.1, "type": "ADDED", "resource": "pods", "object": {…}}    each change of an object
    {"at": 2.5, "request": {…}}                                        each request and what became of it
    {"at": 9.0, "requests": {"service": …, "sent": …, "lost": …, "p99": …, "longest_gap": …}}    at the end

Nothing in it is of the wall clock, so the same seed writes the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from heapq import merge
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gherkube.runners.objects import Key
from gherkube.runners.traffic import Request, sum_up

if TYPE_CHECKING:
    from gherkube.runners.cluster import Cluster


def write(path: Path, head: dict[str, Any], steps: Iterable[dict[str, Any]], cluster: Cluster) -> None:
    """Writes the history of a cluster to a file; `head` says whose it is, `steps` have their time in "at"."""
    path.parent.mkdir(parents=True, exist_ok=True)
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"{encode(head)}\n")
        file.writelines(
            f"{encode(each)}\n" for each in merge(steps, _changes(cluster), _requests(cluster), key=_at)
        )
        file.writelines(f"{encode(each)}\n" for each in _sums(cluster))


def _at(record: dict[str, Any]) -> float:
    at: float = record["at"]
    return at


def _changes(cluster: Cluster) -> Iterator[dict[str, Any]]:
    for change in cluster.history.since():
        yield {
            "at": round(change.at, 6),
            "type": change.type,
            "resource": change.resource,
            "object": change.object,
        }


def _requests(cluster: Cluster) -> Iterator[dict[str, Any]]:
    for request in sorted(cluster.traffic.requests, key=lambda each: each.at):
        fields = request._asdict()
        at = fields.pop("at")
        fields["service"] = f"{request.service.namespace}/{request.service.name}"
        fields["seconds"] = round(request.seconds, 6)
        if not fields["way"]:
            del fields["way"]
        yield {"at": round(at, 6), "request": fields}


def _sums(cluster: Cluster) -> Iterator[dict[str, Any]]:
    """What requests came to, by service and way."""
    groups: dict[tuple[Key, str], list[Request]] = {}
    for request in cluster.traffic.requests:
        groups.setdefault((request.service, request.way), []).append(request)
    for (service, way), requests in groups.items():
        told = {key: _rounded(value) for key, value in sum_up(requests)._asdict().items()}
        whose = {"service": f"{service.namespace}/{service.name}", **({"way": way} if way else {})}
        yield {"at": round(cluster.clock.now(), 6), "requests": whose | told}


def _rounded(value: float | None) -> float | None:
    return round(value, 6) if isinstance(value, float) else value


def slug(*parts: str) -> str:
    """A file's name of some texts: letters and digits of any language, the rest as single dashes."""
    return "-".join(filter(None, (re.sub(r"[\W_]+", "-", part.lower()).strip("-") for part in parts)))[:150]
