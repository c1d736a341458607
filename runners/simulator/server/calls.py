"""A request and its answer, as plain data: what the front decides on, whoever carried it here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gherkube.runners.objects import Object

JSON, YAML, TEXT = "application/json", "application/yaml", "text/plain"
TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})


@dataclass(frozen=True, slots=True)
class Call:
    """A request; header names in lower case, of each the last value."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def watches(self) -> bool:
        """Whether a list is asked to go on: any value of `watch` but 0 and false."""
        return self.method == "GET" and self.query.get("watch", "0").lower() not in ("0", "false")

    def asks(self, option: str) -> bool:
        """Whether a truth value of the query is true."""
        return self.query.get(option, "") in TRUE


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `body` is an object, a text, or bytes as they are."""

    body: Any
    code: int = 200
    type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    """What `Warning:` headers say."""


def success(**more: Any) -> Object:
    """A Status that says that all went well."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", **more}
