"""Paths into objects, in the part of kubectl's JSONPath that names values.

`spec.replicas`, `.spec.containers[0].image`, `status.conditions[?(@.type=='Available')].status`,
`metadata.annotations['a/b']`, `metadata.labels.example\\.com/tier`, `spec.containers[*].name`; a leading
`$` and braces around the whole are allowed. staging/src/k8s.io/client-go/util/jsonpath
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, TypeAlias

from gherkube.runners.errors import UsageError

Step: TypeAlias = Callable[[Any], Iterator[Any]]

STEP = re.compile(
    r"""\.?(?P<name>(?:[^.\[\]{}\\'"\s]|\\.)+)
      | \.?\[(?P<index>-?\d+)\]
      | \.?\[(?P<all>\*)\]
      | \.?\[(?P<quote>['"])(?P<key>.*?)(?P=quote)\]
      | \.?\[\?\(\s*@\.(?P<path>[^=!<>\s]+?)\s*
          (?:(?P<operator>==|!=)\s*(?P<value>'[^']*'|"[^"]*"|[^\s'")]+)\s*)?\)\]
    """,
    re.VERBOSE,
)


def find(obj: Any, path: str) -> list[Any]:
    """All values at the path, in order; none when there is nothing there.

    Raises UsageError when the path cannot be read.
    """
    found = [obj]
    for step in _steps(path):
        found = [value for one in found for value in step(one)]
    return found


def text_of(value: Any) -> str:
    """A value as kubectl prints it: true, 3, text as it is, anything else as JSON."""
    if isinstance(value, str):
        return value
    from json import dumps

    return dumps(value, separators=(",", ":"))


@lru_cache(maxsize=512)
def _steps(path: str) -> tuple[Step, ...]:
    text = path.strip()
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1].strip()
    text = text.removeprefix("$")
    steps: list[Step] = []
    at = 0
    while at < len(text):
        match = STEP.match(text, at)
        if match is None or (at and match["name"] and text[at] != "."):
            raise UsageError(
                f'"{path}" is not a path: cannot read it from "{text[at:]}" on; write it as in '
                "spec.containers[0].image or status.conditions[?(@.type=='Available')].status"
            )
        steps.append(_step(match))
        at = match.end()
    if not steps:
        raise UsageError(f'"{path}" names no field')
    return tuple(steps)


def _step(match: re.Match[str]) -> Step:
    if match["index"]:
        return _at(int(match["index"]))
    if match["all"] or match["name"] == "*":
        return _all
    if match["path"]:
        return _where(match["path"], match["operator"], match["value"])
    return _named(match["key"] if match["quote"] else re.sub(r"\\(.)", r"\1", match["name"]))


def _named(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _at(index: int) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= index < len(value):
            yield value[index]

    return step


def _all(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _where(path: str, operator: str | None, wanted: str | None) -> Step:
    steps = _steps(path)
    text = (wanted or "").strip("'\"")

    def step(value: Any) -> Iterator[Any]:
        for one in value if isinstance(value, list) else ():
            found = [one]
            for inner in steps:
                found = [deeper for each in found for deeper in inner(each)]
            if found and (operator is None or (text_of(found[0]) == text) == (operator == "==")):
                yield one

    return step
