"""Label and field selectors, compiled once and asked often.

A compiled selector is a function from labels (or from an object) to a bool. What cannot be parsed is
refused in the API server's words, as a BadRequest.
staging/src/k8s.io/apimachinery/pkg/labels/selector.go, pkg/fields/selector.go
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from gherkube.runners.errors import ApiError
from gherkube.runners.objects import Object

LabelTest: TypeAlias = Callable[[Mapping[str, str]], bool]
ObjectTest: TypeAlias = Callable[[Object], bool]


class Requirement(NamedTuple):
    """One term of a label selector; `values` sorted, `operator` one of those of a LabelSelector, Gt or Lt."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels satisfy the requirement."""
        return OPERATORS[self.operator](labels, self.key, self.values)

    def __str__(self) -> str:
        return FORMS[self.operator].format(key=self.key, values=",".join(self.values))


@lru_cache(maxsize=4096)
def compile_labels(text: str) -> LabelTest:
    """A test of labels from a selector as kubectl's `-l` takes it; "" matches everything.

    Raises ApiError BadRequest when the text is not a selector.
    """
    return _test(tuple(parse(text)))


def from_label_selector(selector: Object | None) -> LabelTest:
    """A test of labels from a LabelSelector: None matches nothing, an empty one everything.

    apimachinery/pkg/apis/meta/v1/helpers.go LabelSelectorAsSelector
    """
    return _nothing if selector is None else _test(requirements(selector))


def from_map(labels: Mapping[str, str] | None) -> LabelTest:
    """A test of labels from a plain map, as a Service's selector: none matches nothing."""
    return _map_test(tuple(sorted(labels.items()))) if labels else _nothing


def requirements(selector: Object) -> tuple[Requirement, ...]:
    """The requirements of a LabelSelector, sorted by key."""
    found = [Requirement(key, "=", (value,)) for key, value in (selector.get("matchLabels") or {}).items()]
    found += [
        Requirement(term.get("key", ""), term.get("operator", ""), tuple(sorted(term.get("values") or ())))
        for term in selector.get("matchExpressions") or ()
    ]
    return tuple(sorted(found))


def selector_text(selector: Object | None) -> str:
    """A LabelSelector in the form of `-l`, as the scale subresource gives it."""
    return ",".join(map(str, requirements(selector))) if selector else ""


def parse(text: str) -> list[Requirement]:
    """The requirements of a selector in the form of `-l`."""
    return _Parser(text).requirements()


def match_fields(text: str, obj: Object) -> bool:
    """Whether the object satisfies a field selector such as `status.phase!=Running`; "" always.

    A field that the object does not have counts as "". Which fields a resource may be selected by is
    the server's affair.
    """
    return compile_fields(text)(obj)


@lru_cache(maxsize=4096)
def compile_fields(text: str) -> ObjectTest:
    """A test of objects from a field selector; "" matches everything."""
    terms = field_terms(text)

    def test(obj: Object) -> bool:
        return all((field_value(obj, path) == value) == equal for path, equal, value in terms)

    return test


@lru_cache(maxsize=4096)
def field_terms(text: str) -> tuple[tuple[str, bool, str], ...]:
    """The terms of a field selector: path, whether it must be equal, value."""
    terms = []
    for term in filter(None, (part.strip() for part in text.split(","))):
        for operator, equal in (("!=", False), ("==", True), ("=", True)):
            path, found, value = term.partition(operator)
            if found:
                terms.append((path.strip(), equal, value.strip()))
                break
        else:
            raise _bad(f"invalid selector: '{text}'; can't understand '{term}'")
    return tuple(terms)


def field_value(obj: Object, path: str) -> str:
    """The value at a dotted path as a field selector compares it; "" when there is none."""
    found: Any = obj
    for part in FIELD_PATHS.get(path, path).split("."):
        found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, bool) or path in TRUTH_FIELDS:
        return "true" if found else "false"
    if path in NUMBER_FIELDS:
        return str(found or 0)
    return "" if found is None else str(found)


FIELD_PATHS = {"source": "source.component", "status.successful": "status.succeeded"}
"""Where a field stands that is not called as its path."""
TRUTH_FIELDS = frozenset({"spec.unschedulable", "spec.hostNetwork"})
"""Fields that are false when they are not there."""
NUMBER_FIELDS = frozenset({"status.successful"})
"""Fields that are 0 when they are not there."""


def _nothing(_labels: Mapping[str, str]) -> bool:
    return False


@lru_cache(maxsize=4096)
def _map_test(pairs: tuple[tuple[str, str], ...]) -> LabelTest:
    if len(pairs) == 1:
        ((key, value),) = pairs
        return lambda labels: labels.get(key) == value
    wanted = dict(pairs).items()
    return lambda labels: wanted <= labels.items()


@lru_cache(maxsize=4096)
def _test(terms: tuple[Requirement, ...]) -> LabelTest:
    if all(term.operator == "=" for term in terms):
        return _map_test(tuple((term.key, term.values[0]) for term in terms))

    def test(labels: Mapping[str, str]) -> bool:
        return all(term.matches(labels) for term in terms)

    return test


def _compare(labels: Mapping[str, str], key: str, values: tuple[str, ...], sign: int) -> bool:
    try:
        return (int(labels[key]) - int(values[0])) * sign > 0
    except (KeyError, ValueError):
        return False


OPERATORS: dict[str, Callable[[Mapping[str, str], str, tuple[str, ...]], bool]] = {
    "In": lambda labels, key, values: labels.get(key) in values,
    "NotIn": lambda labels, key, values: labels.get(key) not in values,
    "Exists": lambda labels, key, _: key in labels,
    "DoesNotExist": lambda labels, key, _: key not in labels,
    "Gt": lambda labels, key, values: _compare(labels, key, values, 1),
    "Lt": lambda labels, key, values: _compare(labels, key, values, -1),
    "=": lambda labels, key, values: labels.get(key) == values[0],
    "!=": lambda labels, key, values: labels.get(key) != values[0],
}
FORMS = {
    "In": "{key} in ({values})",
    "NotIn": "{key} notin ({values})",
    "Exists": "{key}",
    "DoesNotExist": "!{key}",
    "Gt": "{key}>{values}",
    "Lt": "{key}<{values}",
    "=": "{key}={values}",
    "!=": "{key}!={values}",
}
WRITTEN = {"=": "=", "==": "=", "!=": "!=", "in": "In", "notin": "NotIn", ">": "Gt", "<": "Lt"}
TOKEN = re.compile(r"\s*(==|!=|[=!<>(),]|[^\s=!<>(),]+)")


class _Parser:
    """Parser of apimachinery/pkg/labels/selector.go, with its messages."""

    def __init__(self, text: str) -> None:
        self._tokens = TOKEN.findall(text)
        self._at = 0

    def requirements(self) -> list[Requirement]:
        found: list[Requirement] = []
        if self._seen() and not self._is_word() and self._seen() != "!":
            raise _bad(f"found '{self._seen()}', expected: !, identifier, or 'end of string'")
        while self._seen():
            found.append(self._requirement())
            token = self._next()
            if token not in ("", ","):
                raise _bad(f"found '{token}', expected: ',' or 'end of string'")
            if token == "," and not self._is_word() and self._seen() != "!":
                raise _bad(f"found '{self._seen()}', expected: identifier after ','")
        return sorted(found)

    def _requirement(self) -> Requirement:
        if self._seen() == "!":
            self._next()
            return Requirement(self._word("identifier"), "DoesNotExist")
        key = self._word("identifier")
        if self._seen() in ("", ","):
            return Requirement(key, "Exists")
        token = self._next()
        if token not in WRITTEN:
            raise _unable(f"found '{token}', expected: in, notin, =, ==, !=, gt, lt")
        operator = WRITTEN[token]
        if operator in ("In", "NotIn"):
            return Requirement(key, operator, self._values())
        value = self._next() if self._is_word() else ""
        if operator in ("Gt", "Lt") and not value.lstrip("+-").isdigit():
            raise _unable(
                f'values[0]: Invalid value: "{value}": '
                "for 'Gt', 'Lt' operators, the value must be an integer"
            )
        return Requirement(key, operator, (value,))

    def _values(self) -> tuple[str, ...]:
        if (token := self._next()) != "(":
            raise _unable(f"found '{token}' expected: '('")
        values = [self._next() if self._is_word() else ""]
        while (token := self._next()) == ",":
            values.append(self._next() if self._is_word() else "")
        if token != ")":
            raise _unable(f"found '{token}', expected: ',', or ')'")
        return tuple(sorted(set(values)))

    def _word(self, expected: str) -> str:
        if not self._is_word():
            raise _unable(f"found '{self._seen()}', expected: {expected}")
        return self._next()

    def _is_word(self) -> bool:
        token = self._seen()
        return bool(token) and token not in ("==", "!=") and token not in "=!<>(),"

    def _seen(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._seen()
        self._at += 1
        return token


def _unable(message: str) -> ApiError:
    return _bad(f"unable to parse requirement: {message}")


def _bad(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)
