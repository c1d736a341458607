"""What a key of a plan may hold: each shape reads a node of YAML, and says in JSON Schema what it takes.

A shape that cannot read a node says so to the `Reader` and gives its `empty` value, so that all mistakes of a
file are found at once.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import yaml

from gherkube.runners.errors import UsageError
from gherkube.runners.gameday.plan import Sentence
from gherkube.runners.settings import duration

SCALAR, SEQUENCE, MAPPING = "tag:yaml.org,2002:", yaml.SequenceNode, yaml.MappingNode


class Mistake(NamedTuple):
    """Something wrong with a plan; a warning does not keep it from being run."""

    line: int
    what: str
    then: str = ""
    is_warning: bool = False


@dataclass(slots=True)
class Reader:
    """Reads one file: where it is, and what is wrong with it so far."""

    path: Path
    mistakes: list[Mistake] = field(default_factory=list)

    def wrong(self, node: yaml.Node, what: str, then: str = "") -> None:
        """Takes note of a mistake at the node."""
        self.mistakes.append(Mistake(line_of(node), what, then))


def line_of(node: yaml.Node) -> int:
    """The line of a node, from 1."""
    return int(node.start_mark.line) + 1


class Shape(Protocol):
    """What a value has to be."""

    @property
    def empty(self) -> Any:
        """What stands for a value that cannot be read."""

    def read(self, node: yaml.Node, reader: Reader) -> Any:
        """The value of the node; `empty`, and a mistake, when it does not fit."""

    def schema(self) -> dict[str, Any]:
        """The same in JSON Schema."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text in a line; `fits` raises UsageError for those that mean nothing, and gives their value."""

    what: str = "a text"
    fits: Callable[[str], Any] = str
    pattern: str = ""
    empty: Any = ""

    def read(self, node: yaml.Node, reader: Reader) -> Any:
        """The text's value."""
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip() or node.tag == f"{SCALAR}null":
            then = "a text with ': ' in it, or that begins with a quote, stands in 'single quotes'"
            reader.wrong(node, f"{self.what} is needed", then if isinstance(node, MAPPING) else "")
            return self.empty
        try:
            return self.fits(node.value.strip())
        except UsageError as error:
            reader.wrong(node, str(error))
            return self.empty

    def schema(self) -> dict[str, Any]:
        """A string."""
        return {"type": "string", **({"pattern": self.pattern} if self.pattern else {})}


class Sentences:
    """A list of sentences of the language, each without its keyword."""

    empty: tuple[Sentence, ...] = ()

    def __init__(self, keyword: str, least: int = 0) -> None:
        self.keyword, self.least = keyword, least

    def read(self, node: yaml.Node, reader: Reader) -> tuple[Sentence, ...]:
        """The sentences, with their lines."""
        texts = ListOf(Text(f"a sentence, as after {self.keyword},"), self.least).read(node, reader)
        if not isinstance(node, SEQUENCE):
            return ()
        found = []
        for text, each in zip(texts, node.value, strict=True):
            first, _, rest = text.partition(" ")
            if first in ("Given", "When", "Then", "And", "But") and rest:
                reader.wrong(each, f"“{text}” begins with a keyword", f"leave {first} out")
            if text:
                found.append(Sentence(text, line_of(each)))
        return tuple(found)

    def schema(self) -> dict[str, Any]:
        """A list of strings."""
        return ListOf(Text(), self.least).schema()


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number, from `least` on."""

    least: int = 0
    empty: Any = None

    def read(self, node: yaml.Node, reader: Reader) -> int | None:
        """The number."""
        text = node.value if isinstance(node, yaml.ScalarNode) else ""
        if re.fullmatch(r"\d+", text) and int(text) >= self.least:
            return int(text)
        reader.wrong(node, f"a whole number from {self.least} on is needed")
        return None

    def schema(self) -> dict[str, Any]:
        """An integer."""
        return {"type": "integer", "minimum": self.least}


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of one shape."""

    shape: Shape
    least: int = 0
    empty: Any = ()

    def read(self, node: yaml.Node, reader: Reader) -> tuple[Any, ...]:
        """The values."""
        if not isinstance(node, SEQUENCE):
            reader.wrong(node, "a list is needed", "each of its lines begins with '- '")
            return ()
        if len(node.value) < self.least:
            reader.wrong(node, "at least one is needed" if self.least == 1 else f"{self.least} are needed")
        found = [self.shape.read(each, reader) for each in node.value]
        return tuple(each for each in found if each is not None)

    def schema(self) -> dict[str, Any]:
        """An array."""
        least = {"minItems": self.least} if self.least else {}
        return {"type": "array", "items": self.shape.schema(), **least}


class Words:
    """A command: its words as a list, or as a line that is taken apart as a shell does."""

    empty: tuple[str, ...] = ()

    def read(self, node: yaml.Node, reader: Reader) -> tuple[str, ...]:
        """The words."""
        if isinstance(node, SEQUENCE):
            return ListOf(Text()).read(node, reader)
        return Text("a command", _words, empty=()).read(node, reader)  # type: ignore[no-any-return]

    def schema(self) -> dict[str, Any]:
        """A string, or an array of them."""
        return {"type": ["string", "array"], "items": {"type": "string"}}


def _words(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"{text!r} is no command: {error}") from None


class Key(NamedTuple):
    """A key of a mapping: `says` tells its meaning; `as_` is the name of its value for `make`."""

    name: str
    shape: Shape
    says: str
    needed: bool = False
    as_: str = ""

    @property
    def field(self) -> str:
        """What `make` calls it."""
        return self.as_ or self.name.replace("-", "_")


class Record:
    """A mapping of known keys. `make` gets what was said, by field, and the `line` where `lined`."""

    empty: Any = None

    def __init__(self, keys: Sequence[Key], make: Callable[..., Any], *, lined: bool = False) -> None:
        self.keys, self.make, self.lined = {key.name: key for key in keys}, make, lined

    def read(self, node: yaml.Node, reader: Reader) -> Any:
        """What `make` makes of it; None where it is no mapping."""
        if not isinstance(node, MAPPING):
            reader.wrong(node, f"a mapping is needed, of {_list(self.keys)}")
            return None
        said: dict[str, Any] = {}
        for name, value in node.value:
            key = self.keys.get(name.value) if isinstance(name, yaml.ScalarNode) else None
            if key is None:
                what, then = unknown(str(getattr(name, "value", "")), self.keys)
                torn = node.flow_style and value.tag == f"{SCALAR}null"
                reader.wrong(name, what, "a text with a comma inside {…} stands in quotes" if torn else then)
            elif key.field in said:
                reader.wrong(name, f"{key.name!r} stands here twice", "remove one of them")
            else:
                said[key.field] = key.shape.read(value, reader)
        for key in self.keys.values():
            if key.needed and key.field not in said:
                reader.wrong(node, f"{key.name!r} is missing", key.says)
                said[key.field] = key.shape.empty
        said |= {"line": line_of(node)} if self.lined else {}
        try:
            return self.make(**said)
        except UsageError as error:
            reader.wrong(node, str(error))
            return None

    def schema(self) -> dict[str, Any]:
        """An object without other keys."""
        properties = {key.name: {"description": key.says, **key.shape.schema()} for key in self.keys.values()}
        needed = [key.name for key in self.keys.values() if key.needed]
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": properties,
            **({"required": needed} if needed else {}),
        }


def unknown(word: str, known: Iterable[str], what: str = "key") -> tuple[str, str]:
    """A mistake: there is no such word, and which is nearest."""
    known = list(known)
    near = get_close_matches(word, known, n=1)
    then = f"did you mean {near[0]!r}?" if near else f"there are {_list(known)}"
    return f"unknown {what} {word!r}", then


def _list(words: Iterable[str]) -> str:
    return ", ".join(words)


def choice(*words: str) -> Text:
    """One of the words."""

    def fits(text: str) -> str:
        if text not in words:
            raise UsageError("; ".join(unknown(text, words, "word")))
        return text

    return Text("one of " + _list(words), fits, f"^({'|'.join(words)})$")


def moment(text: str) -> datetime:
    """A time with its zone. Raises UsageError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise UsageError(f"{text!r} is no time with a zone; write it as 2026-03-02T14:00:00+01:00")
    return found


def address(text: str) -> str:
    """An address of the web. Raises UsageError."""
    if not re.fullmatch(r"https?://[^\s/]+\S*", text):
        raise UsageError(f"{text!r} is no address; it begins with https://")
    return text


DURATION = Text("a duration, such as 90s, 5m or 1m30s,", duration, r"^\s*(\d+(\.\d+)?(ms|h|m|s)\s*)+$", None)
MOMENT = Text("a time with its zone", moment, r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d", None)
ADDRESS = Text("an address", address, "^https?://")
