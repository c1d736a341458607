"""The time phrase that stands before a judgement, and what it comes to together with the tense."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Literal, NamedTuple

from gherkube.runners.expectations.time import AtSomeTime, Becomes, Moment, Past, Stays, Throughout, Time
from gherkube.steps.phrases import FIELDS, duration, quoted

Tense = Literal["present", "past"]


class TimePhrase(NamedTuple):
    """As written; `words` is one of "", within, for, throughout, at some time; `since` names a moment."""

    words: str = ""
    seconds: float = 0.0
    since: str = ""

    def fits(self, tense: Tense) -> bool:
        """Whether it means something in that tense: a moment begins a window of the past."""
        return not self.since or tense == "past" or self.words in ("throughout", "at some time")


NO_PHRASE = TimePhrase()


@cache
def _scan() -> Callable[[str], re.Match[str] | None]:
    seconds, moment = FIELDS["duration"].looks, FIELDS["text"].looks
    return re.compile(
        rf"(?:since the moment (?P<since>{moment}), )?"
        rf"(?:(?P<ahead>within|for) (?P<seconds>{seconds}), |(?P<words>throughout|at some time), )?"
    ).match


def time_phrase(text: str) -> tuple[TimePhrase, int]:
    """The time phrase that a judgement begins with, and where the judgement itself begins."""
    found = _scan()(text)
    if found is None or not found.end():
        return NO_PHRASE, 0
    since = quoted(found["since"]) if found["since"] else ""
    if found["ahead"]:
        if since:  # what becomes true is counted from the last When, never from a moment
            return NO_PHRASE, 0
        return TimePhrase(found["ahead"], duration(found["seconds"])), found.end()
    return TimePhrase(found["words"] or "", 0.0, since), found.end()


def time_of(phrase: TimePhrase, tense: Tense, moment: Callable[[str], Moment]) -> Time:
    """What the phrase asks for in that tense; `moment` finds a noted moment by its name."""
    since = moment(phrase.since) if phrase.since else None
    match phrase.words:
        case "within":
            return Becomes(phrase.seconds)
        case "for":
            return Stays(phrase.seconds)
        case "throughout":
            return Throughout(since)
        case "at some time":
            return AtSomeTime(since)
        case _:
            return Past(since) if tense == "past" else Becomes()
