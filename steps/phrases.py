"""The typed parts of a sentence: counts, durations, versions, workloads, pods, moments, sizes.

Each part is a `Field`: how it looks (a regular expression) and what it means (a converter), in the
table `FIELDS`. A field never reaches over into the words that follow it, so that a sentence can be
read from left to right without going back.

A converter raises `UsageError` for what reads well and means nothing: `5 of 3`, `0 seconds`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache, cached_property, lru_cache
from typing import Any, NamedTuple

from gherkube.runners.errors import UsageError
from gherkube.runners.expectations.count import (
    Count,
    Share,
    at_least,
    at_most,
    between,
    every,
    exactly,
    none,
)
from gherkube.runners.pod_status import STATUSES

# --- Values -----------------------------------------------------------------------------------


class Version(NamedTuple):
    """What a workload is to run, or what selects pods: a tag of the image in use, or a whole image."""

    tag: str = ""
    image: str = ""


class Named(NamedTuple):
    """A thing as written: its resource, its name, its namespace ("" where none was written).

    A name of "" stands for `it`, or for a thing that was left out.
    """

    resource: str
    name: str
    namespace: str = ""


class Pods(NamedTuple):
    """Pods as written. All parts may be left out: `pods` are those of `it`."""

    of: Named | None = None
    version: Version | None = None
    revision: str = ""
    labels: str = ""
    namespace: str = ""
    node: str = ""
    name: str = ""


IT = Named("", "")

# --- How things look --------------------------------------------------------------------------

_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen"),
    *("sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")

NUMBERS: dict[str, int] = {word: number for number, word in enumerate((*_UNITS, *_TEENS))}
NUMBERS |= {word: 10 * number for number, word in enumerate(_TENS, 2)}
NUMBERS |= {f"{ten}-{unit}": NUMBERS[ten] + NUMBERS[unit] for ten in _TENS for unit in _UNITS[1:]}
NUMBERS |= {"a": 1, "an": 1, "no": 0}

WORKLOADS: dict[str, str] = {
    "deployment": "deployments",
    "statefulset": "statefulsets",
    "daemonset": "daemonsets",
    "job": "jobs",
    "replica set": "replicasets",
}
"""How a workload's kind is written, and the resource it is."""

THINGS: dict[str, str] = {
    **WORKLOADS,
    "pod": "pods",
    "node": "nodes",
    "service": "services",
    "namespace": "namespaces",
    "cronjob": "cronjobs",
}
"""All that can be named: kind as written → resource."""

_WORDS = rf"(?:{'|'.join(_TENS)})(?:-(?:{'|'.join(_UNITS[1:])}))?|{'|'.join((*_TEENS, *_UNITS))}"
_NUMBER = rf"(?:\d+|{_WORDS})(?![\w.%-])"
_QUOTED = r'"(?:[^"\\]|\\.)*"'
# a text may quote in turn, as messages do: "deployment "web" was not found"
_TEXT = r'"(?:[^"\\]|\\.|(?<=[\s(=])"(?=\S)[^"\\]*(?<=\S)"(?=["\s,.;:)!?]))*"'
_IN_NAMESPACE = rf"(?: in namespace {_QUOTED})"
_WORKLOAD = rf"(?:it|(?:{'|'.join(WORKLOADS)}) {_QUOTED}{_IN_NAMESPACE}?)"
_TAG = r"(?:v\d[\w.-]*|\d+(?:\.\d+)+[\w.-]*)(?<![.-])"
_DURATION = (
    rf"(?:(?:\d+\.\d+|an?|{_NUMBER}) (?:milliseconds?|seconds?|minutes?|hours?)"
    r"|(?:\d+(?:\.\d+)?(?:ms|h|m|s))+)"
)
_COMPARED = "at least|at most|more than|fewer than|exactly"
_COUNT = (
    rf"(?:(?:(?:{_COMPARED}) )?{_NUMBER}(?: of {_NUMBER})?"
    rf"|between {_NUMBER} and {_NUMBER}|all(?: {_NUMBER})?|no|an?)"
)
_LIST = rf"{_NUMBER}(?:, {_NUMBER})*(?: and {_NUMBER})?"
_REPLICAS = "ready|up-to-date|available"
_PODS = (
    rf"(?:pod {_QUOTED}{_IN_NAMESPACE}?"
    rf"|(?:(?:new|old) )?(?:(?:{_TAG}|{_QUOTED}) )?pods?"
    rf"(?: of {_WORKLOAD})?(?: labelled {_QUOTED})?{_IN_NAMESPACE}?(?: on node {_QUOTED})?)"
)
_PERCENT = r"\d+(?:\.\d+)?%"


# --- What they mean ---------------------------------------------------------------------------


def number(text: str) -> int:
    """A whole number in digits or words: `4`, `four`, `twenty-one`, `a`, `no`."""
    return int(text) if text.isdigit() else NUMBERS[text]


def code(what: str, low: int, high: int) -> Callable[[str], int]:
    """Reads a number that stands for something; UsageError beyond what there is."""

    def read(text: str) -> int:
        if low <= (found := number(text)) <= high:
            return found
        raise UsageError(f"“{text}” is no {what}: those are the numbers from {low} to {high}")

    return read


def quoted(text: str) -> str:
    r"""What stands between the quotes; `\"` is a quote in it, `\\` a backslash."""
    inner = text[1:-1]
    return inner.replace('\\"', '"').replace("\\\\", "\\") if "\\" in inner else inner


def some_text(text: str) -> str:
    """What stands between the quotes. UsageError where nothing does: that names nothing."""
    if inner := quoted(text):
        return inner
    raise UsageError('there is nothing between the quotes "": write what it is to be')


_RELATIONS: dict[str, Callable[[int], Count]] = {
    "at least": at_least,
    "at most": at_most,
    "more than": lambda n: at_least(n + 1),
    "fewer than": lambda n: at_most(n - 1),
    "exactly": exactly,
}


def count(text: str) -> Count:
    """A count; one that holds always or never is an error."""
    if text == "no":
        return none()
    if text.startswith("all"):
        return every(number(text[4:]) if text[4:] else None)
    if text.startswith("between"):
        _, low, _, high = text.split()
        return between(number(low), number(high))
    plain, _, whole = text.partition(" of ")
    words, _, last = plain.rpartition(" ")
    counted = _RELATIONS[words or "exactly"](number(last))
    if counted.low == 0 and counted.high is None:
        raise UsageError(f"“{text}” is always true: write “at least 1”, or leave the sentence out")
    return replace(counted, of=number(whole), text=text) if whole else counted


def numbers(text: str) -> tuple[int, ...]:
    """A list: `1`, `1 and 2`, `4, 0 and 0`."""
    return tuple(number(each) for each in text.replace(" and ", ", ").split(", "))


def times(text: str) -> Count:
    """How often: `once`, `twice`, `3 times`, `at least 4 times`."""
    if text in ("once", "twice"):
        return exactly(1 if text == "once" else 2)
    return count(text.rpartition(" ")[0])


_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "s": 1, "m": 60, "h": 3600}


def duration(text: str) -> float:
    """A time in seconds: `20 seconds`, `a minute`, `1m30s`, `100 milliseconds`. Zero is an error."""
    if " " in text:
        amount, _, unit = text.partition(" ")
        parts = [(str(NUMBERS.get(amount, amount)), unit.removesuffix("s"))]
    else:
        parts = re.findall(r"([\d.]+)(ms|h|m|s)", text)
    total = sum(
        float(amount) * _SECONDS[unit] if unit in _SECONDS else float(amount) / 1000 for amount, unit in parts
    )
    if not total:
        raise UsageError(f"“{text}” is no time: it must be more than zero")
    return total


def version(text: str) -> Version:
    """`v2` and `2.0.0` are a tag; in quotes it is a whole image."""
    return Version(image=quoted(text)) if text.startswith('"') else Version(tag=text)


@cache
def _named_parts() -> re.Pattern[str]:
    kinds = "|".join(THINGS)
    return re.compile(rf"({kinds}) ({_QUOTED})(?: in namespace ({_QUOTED}))?")


def named(text: str) -> Named:
    """`deployment "web" in namespace "staging"`, `service "web"`, …, or `it`."""
    if text == "it":
        return IT
    found = _named_parts().fullmatch(text)
    assert found is not None, text
    kind, name, namespace = found.groups()
    return Named(THINGS[kind], quoted(name), quoted(namespace) if namespace else "")


@cache
def _pods_parts() -> re.Pattern[str]:
    return re.compile(
        rf"(?:(?P<revision>new|old) )?(?:(?P<version>{_TAG}|{_QUOTED}) )?pods?(?: of (?P<of>{_WORKLOAD}))?"
        rf"(?: labelled (?P<labels>{_QUOTED}))?(?: in namespace (?P<namespace>{_QUOTED}))?"
        rf"(?: on node (?P<node>{_QUOTED}))?"
    )


def pods(text: str) -> Pods:
    """Pods, as in `new pods`, `v2 pods of deployment "web"`, `pods labelled "app=web"`, `pod "db-0"`."""
    if text.startswith('pod "'):
        pod = named(text)
        return Pods(name=pod.name, namespace=pod.namespace)
    found = _pods_parts().fullmatch(text)
    assert found is not None, text

    def part(name: str) -> str:
        return quoted(found[name]) if found[name] else ""

    return Pods(
        of=named(found["of"]) if found["of"] else None,
        version=version(found["version"]) if found["version"] else None,
        revision=found["revision"] or "",
        labels=part("labels"),
        namespace=part("namespace"),
        node=part("node"),
    )


def share(text: str) -> Share:
    """`between 80% and 98%`, `at least 80%`, `more than 80%`, `at most 5%`, `fewer than 5%`, `80%`."""
    found = [float(each.rstrip("%")) for each in text.split() if each.endswith("%")]
    is_open = text.startswith(("more than", "fewer than"))
    low, high = found[0], found[-1]
    if text.startswith(("at most", "fewer than")):
        low = -1.0 if is_open else 0.0
    elif text.startswith(("at least", "more than")):
        high = 101.0 if is_open else 100.0
    never = is_open and (low == 100 or high == 0)
    if max(found) > 100 or low > high or (low, high) == (0, 100) or never:
        raise UsageError(f"“{text}” is no share: write percentages from 0% to 100%, the smaller first")
    return Share(low, high, is_open)


def status(text: str) -> str:
    """What the STATUS column shows; UsageError for what is all but one of those that it shows as a rule."""
    shown = text.removeprefix("Init:")
    if shown in STATUSES:
        return text
    from difflib import get_close_matches

    known = {each.casefold(): each for each in STATUSES}
    if near := get_close_matches(shown.casefold(), known, n=1, cutoff=0.85):
        raise UsageError(f"no pod shows “{text}”: did you mean {known[near[0]]}?")
    return text


def tallies(text: str) -> tuple[tuple[str, Count], ...]:
    """`3 ready, 2 up-to-date and 3 available` as (word, count) pairs."""
    found = re.findall(rf"({_COUNT}) ({_REPLICAS})", text)
    words = [word for _, word in found]
    if len(set(words)) < len(words):
        raise UsageError(f"“{text}” says one thing twice")
    return tuple((word, count(counted)) for counted, word in found)


def value(text: str) -> Any:
    """In quotes it is text; else a number, or true or false."""
    if text.startswith('"'):
        return quoted(text)
    if text in ("true", "false"):
        return text == "true"
    return float(text) if "." in text else int(text)


# --- The table --------------------------------------------------------------------------------


def _object(*kinds: str) -> str:
    return rf"it|(?:{'|'.join(kinds)}) {_QUOTED}{_IN_NAMESPACE}?"


class Field:
    """One typed part: its name in patterns, how it looks, what it means, and how the catalogue shows it."""

    def __init__(self, name: str, looks: str, means: Callable[[str], Any], shown: str = "") -> None:
        self.name, self.looks, self.shown = name, looks, shown or name
        self.convert = lru_cache(1024)(means)

    @cached_property
    def scan(self) -> Callable[[str, int], re.Match[str] | None]:
        """Matches the part at that position of a text, up to the end of a word."""
        return re.compile(rf"(?:{self.looks})(?= |,|$)").match

    def __repr__(self) -> str:
        return f"Field({self.name!r})"


FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("number", rf"{_NUMBER}|no|an?", number),
        Field("numbers", _LIST, numbers),
        Field("exit_code", _NUMBER, code("exit code", 0, 255)),
        Field("http_code", _NUMBER, code("status of HTTP", 100, 599)),
        Field("count", _COUNT, count),
        Field("times", rf"once|twice|(?:{_COUNT}) times?", times),
        Field("share", rf"(?:(?:{_COMPARED}) )?{_PERCENT}|between {_PERCENT} and {_PERCENT}", share),
        Field("duration", _DURATION, duration),
        Field("version", rf"{_TAG}|{_QUOTED}", version),
        Field("text", _TEXT, some_text),
        Field("command", "`[^`]+`", lambda text: text[1:-1]),
        Field("workload", _WORKLOAD, named),
        Field("pods", _PODS, pods),
        Field("pod", rf"pod {_QUOTED}{_IN_NAMESPACE}?", named),
        Field("service", rf"service {_QUOTED}{_IN_NAMESPACE}?", named),
        Field("thing", _object(*(kind for kind in THINGS if kind != "pod")), named),
        Field("object", _object(*THINGS), named),
        Field(
            "kind", "|".join(kind for kind in THINGS if kind != "pod"), lambda text: Named(THINGS[text], "")
        ),
        Field("status", r"[A-Z][\w:/]*", status),
        Field("tallies", rf"(?:{_COUNT} (?:{_REPLICAS})(?:, | and |(?= replica|$)))+", tallies),
        Field("value", rf"{_QUOTED}|true|false|-?\d+(?:\.\d+)?", value),
        Field("cpus", rf"(?:\d+(?:\.\d+)?m?|{_NUMBER}) CPUs?", lambda text: _cpus(text.split()[0])),
        Field("memory", r"\d+(?:\.\d+)?(?:[KMGT]i?|k)?", str),
        Field("type", "NodePort|LoadBalancer|ClusterIP", str),
    )
}


def _cpus(text: str) -> str:
    return str(NUMBERS.get(text, text))
