"""Sentences and how a pattern is written.

A pattern is read word by word: `{workload}` is a field of the table in `phrases`, `{name:text}` a
field under a name of its own, `[to revision {number}]` may be left out, and `<are>` is a verb that
stands in the present or in the past (the table `PAST`). All else are words as they stand, of which
singular and plural are the same (the table `FORMS`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Literal, NamedTuple

from gherkube.steps.phrases import FIELDS, Field
from gherkube.steps.times import Tense

Kind = Literal["given", "when", "then"]

# present of one, present of several, past of one, past of several
_VERBS: tuple[tuple[str, str, str, str], ...] = (
    ("is", "are", "was", "were"),
    ("completes", "complete", "completed", "completed"),
    ("contains", "contain", "contained", "contained"),
    ("exceeds", "exceed", "exceeded", "exceeded"),
    ("exists", "exist", "existed", "existed"),
    ("fails", "fail", "failed", "failed"),
    ("gets", "get", "got", "got"),
    ("goes", "go", "went", "went"),
    ("has", "have", "had", "had"),
    ("matches", "match", "matched", "matched"),
    ("runs", "run", "ran", "ran"),
    ("says", "say", "said", "said"),
    ("shows", "show", "showed", "showed"),
    ("succeeds", "succeed", "succeeded", "succeeded"),
)

PAST: dict[str, str] = {word: past for one, several, _, past in _VERBS for word in (one, several)}
"""The verbs that a pattern can have between `<` and `>`: present → past."""

FORMS: dict[str, str] = {
    **{one: several for one, several, _, _ in _VERBS},
    "was": "were",
    "passes": "pass",
    "CPU": "CPUs",
    "endpoint": "endpoints",
    "node": "nodes",
    "pod": "pods",
    "replica": "replicas",
    "request": "requests",
    "revision": "revisions",
    "set": "sets",
}
"""Words that are the same to the catalogue: one form → the form it is kept under."""


class Part(NamedTuple):
    """A field of a form, under the name by which the sentence's function gets it."""

    name: str
    field: Field


class Form(NamedTuple):
    """One way to write a sentence: its words and fields in order, and its tense ("" where there is none)."""

    tokens: tuple[str | Part, ...]
    tense: Tense | None


class Sentence(NamedTuple):
    """One entry of the catalogue.

    `act` is called with the world and the fields by name, and, where the sentence takes them, `table`
    (list of rows) or `docstring`; of a Then it returns the statement to judge, or None when it has
    judged by itself. `timeless`: no time phrase can stand before it.
    """

    kind: Kind
    topic: str
    pattern: str
    example: str
    act: Callable[..., Any]
    takes_table: bool = False
    takes_docstring: bool = False
    timeless: bool = False

    @property
    def shown(self) -> str:
        """The pattern for readers: verbs in the present, fields by their names, texts in quotes."""
        return re.sub(r"\{(?:(\w+):)?(\w+)\}", _shown_field, _VERB.sub(r"\1", self.pattern))

    def forms(self) -> Iterator[Form]:
        """All ways to write it."""
        tensed = self.kind == "then" and not self.timeless
        present: Tense = "past" if _PAST.search(self.pattern) and "<" not in self.pattern else "present"
        for pattern in _with_and_without(self.pattern):
            words = pattern.split()
            yield Form(tuple(map(_present, words)), present if tensed else None)
            if "<" in pattern:
                yield Form(tuple(map(_past, words)), "past" if tensed else None)


_VERB = re.compile(r"<(\w+)>")
_PAST = re.compile(r"\b(?:was|were)\b")
_OPTIONAL = re.compile(r" ?\[([^\]]*)\]")


def _with_and_without(pattern: str) -> list[str]:
    found = _OPTIONAL.search(pattern)
    if found is None:
        return [pattern]
    before, after = pattern[: found.start()], pattern[found.end() :]
    return [each for middle in (f" {found[1]}", "") for each in _with_and_without(before + middle + after)]


@cache
def _present(word: str) -> str | Part:
    """What a pattern's word is in the tree: a field, or the word in the form under which it is kept."""
    if word.startswith("{"):
        name, _, field = word[1:-1].rpartition(":")
        return Part(name or field, FIELDS[field])
    word = _VERB.sub(r"\1", word)
    return FORMS.get(word, word)


@cache
def _past(word: str) -> str | Part:
    """The same with a verb in the past."""
    return _present(_VERB.sub(lambda verb: PAST[verb[1]], word))


def _shown_field(found: re.Match[str]) -> str:
    name = found[1] or found[2]
    return f'"{{{name}}}"' if found[2] == "text" else f"{{{name}}}"


class Topic:
    """Collects the sentences of one topic; a topic is one file of this folder."""

    def __init__(self, kind: Kind, name: str) -> None:
        self.kind, self.name = kind, name
        self.sentences: list[Sentence] = []

    def says(
        self,
        pattern: str,
        example: str,
        *,
        table: bool = False,
        docstring: bool = False,
        timeless: bool = False,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorates the function that the sentence calls; `example` stands for it in the catalogue."""

        def add(act: Callable[..., Any]) -> Callable[..., Any]:
            self.sentences.append(
                Sentence(self.kind, self.name, pattern, example, act, table, docstring, timeless)
            )
            return act

        return add
