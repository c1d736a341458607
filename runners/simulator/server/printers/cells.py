"""What the printers of many kinds need: columns, ages, labels, the containers of a template.

A printer is what `kubectl get` shows of a kind: its columns, and the cells of one object's row.
pkg/printers/internalversion/printers.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from gherkube.runners.objects import Object
from gherkube.runners.selectors import selector_text

Cells: TypeAlias = list[Any]
Row: TypeAlias = Callable[[Object, float], Cells]
"""The cells of an object at a time (unix seconds), those of wide columns too."""

NONE, UNSET, UNKNOWN = "<none>", "<unset>", "<unknown>"
TEMPLATE = "Containers*, Images*, Selector*"


class Printer(NamedTuple):
    """How a kind is printed."""

    columns: tuple[Object, ...]
    row: Row


def printer(columns: str, row: Row) -> Printer:
    """A printer from its columns as text: "Name, Desired:integer, Selector*".

    `:type` where it is not "string", `:name` where the string is a name; `*` marks a column that only
    `-o wide` shows.
    """
    return Printer(tuple(_column(text.strip()) for text in columns.split(",")), row)


def _column(text: str) -> Object:
    name, _, type_ = text.removesuffix("*").partition(":")
    is_name = name == "Name" or type_ == "name"
    return {
        "name": name,
        "type": "string" if is_name else type_ or "string",
        "format": "name" if is_name else "",
        "description": "",
        "priority": int(text.endswith("*")),
    }


def human(seconds: float) -> str:
    """A duration as kubectl shows it: "42s", "5m3s", "3h12m", "2d4h", "1y20d".

    apimachinery/pkg/util/duration/duration.go HumanDuration
    """
    whole = int(seconds)
    if whole < 0:
        return "<invalid>" if whole < -1 else "0s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 2 * 365:
        return f"{days}d"
    return _two(days // 365, "y", days % 365, "d") if days < 8 * 365 else f"{days // 365}y"


def _two(large: int, unit: str, small: int, smaller: str) -> str:
    return f"{large}{unit}{small}{smaller}" if small else f"{large}{unit}"


@lru_cache(maxsize=4096)
def seconds_of(timestamp: str) -> float:
    """A timestamp of the API in unix seconds."""
    return datetime.fromisoformat(timestamp).timestamp()


def since(timestamp: str | None, now: float) -> str:
    """How long ago a timestamp is."""
    return human(now - seconds_of(timestamp)) if timestamp else UNKNOWN


def age(obj: Object, now: float) -> str:
    """The age of an object."""
    return since(obj["metadata"].get("creationTimestamp"), now)


def name(obj: Object) -> str:
    """The name of an object."""
    return str(obj["metadata"]["name"])


def labels(given: Mapping[str, str] | None) -> str:
    """Labels as `a=b,c=d`, sorted. apimachinery/pkg/labels/labels.go FormatLabels"""
    return ",".join(f"{key}={value}" for key, value in sorted((given or {}).items())) or NONE


def selector(given: Object | None) -> str:
    """A LabelSelector. apimachinery/pkg/apis/meta/v1/helpers.go FormatLabelSelector"""
    return selector_text(given) or NONE


def containers(template: Object) -> Cells:
    """The names and the images of a template's containers."""
    found = template["spec"].get("containers") or ()
    return [",".join(each["name"] for each in found), ",".join(each.get("image", "") for each in found)]


def few(items: Sequence[str], most: int = 3) -> str:
    """The first items, and how many more there are."""
    shown = ",".join(items[:most])
    return f"{shown} + {len(items) - most} more..." if len(items) > most else shown


def status_of(obj: Object, type_: str) -> str:
    """The status of a condition, "" where there is none."""
    conditions: Iterable[Object] = (obj.get("status") or {}).get("conditions") or ()
    return next((str(each["status"]) for each in conditions if each["type"] == type_), "")
