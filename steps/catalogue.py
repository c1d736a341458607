"""The catalogue: all sentences, found by an index.

The index is a tree of words and fields, one per kind. A text is read from left to right: at each
place the next word is looked up in a table, and the few fields that may stand there are tried. So
finding a sentence costs what the text is long, not what the catalogue is, and sentences that begin
alike share the reading of their beginning. All ways through the tree are followed: two sentences that
match one text are both found, and whoever runs it can say so.

The time phrase of a judgement is read before the tree is entered, and `while` enters it again; so
both go with every subject and predicate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from gherkube.runners.errors import UsageError
from gherkube.runners.expectations.statement import Both, Statement
from gherkube.steps.sentence import FORMS, Form, Kind, Sentence, Topic
from gherkube.steps.times import NO_PHRASE, Tense, TimePhrase, time_phrase

if TYPE_CHECKING:
    from gherkube.steps.phrases import Field
    from gherkube.steps.world import World

TOPICS: tuple[str, ...] = (
    "given_cluster",
    "given_workloads",
    "given_manifests",
    "given_images",
    "given_services",
    "when_changes",
    "when_rollout",
    "when_deletions",
    "when_nodes",
    "when_time",
    "then_rollout",
    "then_workloads",
    "then_pods",
    "then_events",
    "then_services",
    "then_requests",
    "then_commands",
)
"""The modules of this folder that hold sentences, in the order in which the catalogue shows them."""

_TRY = "I try to "
_WHILE = " while "


class Match(NamedTuple):
    """A sentence that a text is, with what stands in its fields.

    `attempt`: the text tries ("I try to …"). `time`: its time phrase. `tense`: of a judgement.
    `joined`: the judgement after `while`.
    """

    sentence: Sentence
    fields: dict[str, Any]
    text: str
    attempt: bool = False
    time: TimePhrase = NO_PHRASE
    tense: Tense | None = None
    joined: Match | None = None

    def run(self, world: World, table: list[list[str]] | None = None, docstring: str | None = None) -> None:
        """Does what the sentence says; `table` and `docstring` are those of the step, `${NAME}` replaced.

        Raises ExpectationFailed, Refused, ApiError, UsageError or CannotJudge.
        """
        self._check_extras(table, docstring)
        if self.sentence.kind == "when":
            with world.acting(self.text, attempt=self.attempt):
                self._act(world, table, docstring)
            return
        statement = self._act(world, table, docstring)
        if statement is not None:
            while_ = self.joined._act(world, table, docstring) if self.joined else None
            world.judge_statement(statement, self.time, self.tense or "present", while_)

    def statement(self, world: World) -> Statement | None:
        """What a Then says, to be judged by whoever asks; None when it judges by itself."""
        statement: Statement | None = self._act(world, None, None)
        if statement is None or self.joined is None:
            return statement
        return Both(statement, self.joined._act(world, None, None))

    def _act(self, world: World, table: list[list[str]] | None, docstring: str | None) -> Any:
        extras: dict[str, Any] = {}
        if self.sentence.takes_table:
            extras["table"] = table
        if self.sentence.takes_docstring:
            extras["docstring"] = docstring
        return self.sentence.act(world, **self.fields, **extras)

    def _check_extras(self, table: list[list[str]] | None, docstring: str | None) -> None:
        sentences = [self.sentence, *([self.joined.sentence] if self.joined else ())]
        for what, given, takers in (
            ("table", table, [each for each in sentences if each.takes_table]),
            ("docstring", docstring, [each for each in sentences if each.takes_docstring]),
        ):
            if takers and given is None:
                raise UsageError(f"“{self.text}” needs a {what} under it")
            if given is not None and len(takers) != 1:
                raise UsageError(f"“{self.text}” takes {'one' if takers else 'no'} {what}")


class _Ending(NamedTuple):
    """A sentence that ends at a place of the tree, with the names and converters of its fields."""

    sentence: Sentence
    tense: Tense | None
    parts: tuple[tuple[str, Callable[[str], Any]], ...]


class _Node:
    """A place in the tree: the words and fields that may follow, and the sentences that may end here."""

    __slots__ = ("endings", "fields", "words")

    def __init__(self) -> None:
        self.words: dict[str, _Node] = {}
        self.fields: list[tuple[Field, _Node]] = []
        self.endings: list[_Ending] = []

    def add(self, sentence: Sentence, form: Form) -> None:
        node = self
        parts: list[tuple[str, Callable[[str], Any]]] = []
        for token in form.tokens:
            if isinstance(token, str):
                after = node.words.get(token)
                if after is None:
                    after = node.words[token] = _Node()
                node = after
                continue
            parts.append((token.name, token.field.convert))
            node = node._after(token.field)
        node.endings.append(_Ending(sentence, form.tense, tuple(parts)))

    def _after(self, field: Field) -> _Node:
        for known, node in self.fields:
            if known is field:
                return node
        node = _Node()
        self.fields.append((field, node))
        return node


_Found: TypeAlias = tuple[_Ending, tuple[str, ...], int]
"""A sentence that was read, what stands in its fields, and where in the text it ends."""


def _fields(ending: _Ending, spans: tuple[str, ...]) -> dict[str, Any]:
    return {name: convert(span) for (name, convert), span in zip(ending.parts, spans, strict=True)}


def _walk(node: _Node, text: str, start: int, spans: tuple[str, ...], found: list[_Found]) -> None:
    """Collects all sentences that the text is from `start` to its end, or to a `while`."""
    if node.words:
        end = text.find(" ", start)
        word = text[start:] if end < 0 else text[start:end]
        after = node.words.get(FORMS.get(word, word))
        if after is not None:
            if end < 0:
                found += [(ending, spans, len(text)) for ending in after.endings]
            else:
                if after.endings and text.startswith(_WHILE, end):
                    found += [(ending, spans, end) for ending in after.endings]
                _walk(after, text, end + 1, spans, found)
    for field, after in node.fields:
        seen = field.scan(text, start)
        if seen is not None:
            end = seen.end()
            got = (*spans, seen[0])
            if after.endings and (end == len(text) or text.startswith(_WHILE, end)):
                found += [(ending, got, end) for ending in after.endings]
            if text.startswith(" ", end):
                _walk(after, text, end + 1, got, found)


class Catalogue:
    """Sentences and the index over them."""

    def __init__(self, topics: Iterable[Topic]) -> None:
        self.topics = tuple(topics)
        self.sentences = tuple(sentence for topic in self.topics for sentence in topic.sentences)

        # Sentences come again: in backgrounds, in outlines, in other scenarios.
        self._known = lru_cache(maxsize=1024)(self._read)

    @cached_property
    def _trees(self) -> dict[Kind, _Node]:
        trees: dict[Kind, _Node] = {"given": _Node(), "when": _Node(), "then": _Node()}
        for sentence in self.sentences:
            for form in sentence.forms():
                trees[sentence.kind].add(sentence, form)
        return trees

    def find(self, kind: Kind, text: str) -> list[Match]:
        """All sentences of that kind that the text is: none is undefined, several are ambiguous.

        `${NAME}` must have been replaced before. Raises UsageError where a part of the text reads well
        and means nothing (`5 of 3 pods`).
        """
        return list(self._known(kind, text))

    def _read(self, kind: Kind, text: str) -> list[Match]:
        root = self._trees[kind]
        found: list[_Found] = []
        if kind == "then":
            time, start = time_phrase(text)
            _walk(root, text, start, (), found)
            return [match for each in found for match in _judgements(root, text, time, each)]
        attempt = kind == "when" and text.startswith(_TRY)
        if attempt:
            _walk(root.words["I"], text, len(_TRY), (), found)
        else:
            _walk(root, text, 0, (), found)
        return [Match(ending.sentence, _fields(ending, spans), text, attempt) for ending, spans, _ in found]

    def nearest(self, text: str, n: int = 3, kind: Kind | None = None) -> list[str]:
        """The examples of the catalogue that come nearest to a text, best first; at most `n`."""
        from difflib import SequenceMatcher

        examples = [each.example for each in self.sentences if kind in (None, each.kind)]
        matcher = SequenceMatcher(b=text)
        scored = []
        for position, example in enumerate(examples):
            matcher.set_seq1(example)
            if matcher.quick_ratio() > _RESEMBLES and (score := matcher.ratio()) > _RESEMBLES:
                scored.append((-score, position, example))
        return [example for _, _, example in sorted(scored)[:n]]


_RESEMBLES = 0.5


def _judgements(root: _Node, text: str, time: TimePhrase, found: _Found) -> list[Match]:
    """The judgements that begin with a sentence: alone, or joined by `while` with those that end the text."""
    ending, spans, end = found
    sentence, tense, _ = ending
    whole = end == len(text)
    if tense is None:
        return [Match(sentence, _fields(ending, spans), text)] if whole and time is NO_PHRASE else []
    if not time.fits(tense):
        return []
    if whole:
        return [Match(sentence, _fields(ending, spans), text, False, time, tense)]
    others: list[_Found] = []
    _walk(root, text, end + len(_WHILE), (), others)
    return [
        Match(sentence, _fields(ending, spans), text, False, time, tense, joined)
        for other, got, at in others
        if at == len(text) and other.tense == tense
        for joined in [Match(other.sentence, _fields(other, got), text, tense=tense)]
    ]


def _shipped() -> Catalogue:
    return Catalogue(import_module(f"gherkube.steps.{name}").TOPIC for name in TOPICS)


CATALOGUE = _shipped()
"""The sentences that gherkube ships."""
