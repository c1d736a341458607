"""Validation of LimitRanges.

pkg/apis/core/validation/validation.go ValidateLimitRange
"""

from __future__ import annotations

from collections.abc import Iterator

from gherkube.runners.objects import Object
from gherkube.runners.quantities import parse
from gherkube.runners.simulator.api.refusals import FieldError, duplicate, forbidden_field, required, wrong

PARTS = {
    "min": "min value",
    "max": "max value",
    "default": "default value",
    "defaultRequest": "default request value",
}
"""The fields of an item, as messages call what they hold."""
TYPES = ("Container", "PersistentVolumeClaim", "Pod")
ORDER = (
    ("min", "max", "min", "min"),
    ("min", "defaultRequest", "defaultRequest", "defaultRequest"),
    ("defaultRequest", "max", "defaultRequest", "defaultRequest"),
    ("defaultRequest", "default", "defaultRequest", "defaultRequest"),
    ("min", "default", "default", "min"),
    ("default", "max", "default", "max"),
)
"""Which field may not be above which, under which of them that is told, and with the value of which."""
FOR_CONTAINERS = "may not be specified when `type` is 'Pod'"
NO_STORAGE = "either minimum or maximum storage value is required, but neither was provided"


def check_limit_range(limit_range: Object) -> Iterator[FieldError]:
    """ValidateLimitRange"""
    seen = set()
    for index, limit in enumerate(limit_range.get("spec", {}).get("limits", ())):
        path, type_ = f"spec.limits[{index}]", limit.get("type", "")
        if type_ in seen:
            yield duplicate(f"{path}.type", type_)
        seen.add(type_)
        if "/" not in type_ and type_ not in TYPES:
            yield wrong(f"{path}.type", type_, "must be a standard limit type or fully qualified")
        if type_ == "Pod":
            for part in ("default", "defaultRequest"):
                if limit.get(part):
                    yield forbidden_field(f"{path}.{part}", FOR_CONTAINERS)
        if type_ == "PersistentVolumeClaim" and not (limit.keys() & {"min", "max"}):
            yield required(f"{path}.limits", NO_STORAGE)
        for name in sorted({name for part in PARTS for name in limit.get(part, {})}):
            yield from _check_order(limit, name, path)
        for name, ratio in limit.get("maxLimitRequestRatio", {}).items():
            if parse(ratio) < 1:
                field = f"{path}.maxLimitRequestRatio[{name}]"
                yield wrong(field, ratio, f"ratio {ratio} is less than 1")


def _check_order(limit: Object, name: str, path: str) -> Iterator[FieldError]:
    for low, high, told, valued in ORDER:
        least, most = limit.get(low, {}).get(name), limit.get(high, {}).get(name)
        if least is None or most is None or parse(least) <= parse(most):
            continue
        above = "default limit value" if (low, high) == ("defaultRequest", "default") else PARTS[high]
        why = f"{PARTS[low]} {least} is greater than {above} {most}"
        yield wrong(f"{path}.{told}[{name}]", limit[valued][name], why)
