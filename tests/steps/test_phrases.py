"""The typed parts of a sentence: how they look, and what they mean."""

from __future__ import annotations

from typing import Any

import pytest

from gherkube.runners.errors import UsageError
from gherkube.runners.expectations.count import Count, Share, at_least, at_most, between, every, exactly, none
from gherkube.runners.expectations.time import AtSomeTime, Becomes, Moment, Past, Stays, Throughout
from gherkube.steps.phrases import FIELDS, IT, Named, Pods, Version
from gherkube.steps.times import TimePhrase, time_of, time_phrase


def read(field: str, text: str) -> Any:
    """What the field makes of the whole text; fails when it does not take all of it."""
    found = FIELDS[field].scan(text, 0)
    assert found is not None
    assert found[0] == text
    return FIELDS[field].convert(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("4", exactly(4)),
        ("four", exactly(4)),
        ("twenty", exactly(20)),
        ("twenty-one", exactly(21)),
        ("no", none()),
        ("a", exactly(1)),
        ("an", exactly(1)),
        ("all", every()),
        ("all 4", every(4)),
        ("at least three", at_least(3)),
        ("at most 5", at_most(5)),
        ("more than 2", at_least(3)),
        ("fewer than 3", at_most(2)),
        ("exactly 4", exactly(4)),
        ("between 3 and 5", between(3, 5)),
        ("3 of 4", exactly(3, 4)),
        ("at least 3 of 4", Count(3, None, 4, "at least 3 of 4")),
    ],
)
def test_counts(text: str, meant: Count) -> None:
    """Digits and words are the same, and a bare number means exactly so many."""
    assert read("count", text) == meant


@pytest.mark.parametrize(
    "text", ["5 of 3", "at least 5 of 3", "between 5 and 3", "at least 0", "fewer than 0"]
)
def test_counts_that_mean_nothing_are_errors(text: str) -> None:
    """What holds never, or always, cannot be judged."""
    with pytest.raises(UsageError):
        read("count", text)


@pytest.mark.parametrize("text", ["four-ty", "4%", "4.5", "v4", "at least", "-1", "hundreds"])
def test_what_is_no_count(text: str) -> None:
    """A count ends where its word ends."""
    assert FIELDS["count"].scan(text, 0) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("20 seconds", 20),
        ("a minute", 60),
        ("five minutes", 300),
        ("1m30s", 90),
        ("100 milliseconds", 0.1),
        ("1.5 seconds", 1.5),
        ("2h", 7200),
        ("250ms", 0.25),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    """Times are seconds."""
    assert read("duration", text) == seconds


@pytest.mark.parametrize("text", ["0 seconds", "0s", "zero minutes", "0m0s"])
def test_no_time_at_all_is_an_error(text: str) -> None:
    """Zero is an error."""
    with pytest.raises(UsageError, match="more than zero"):
        read("duration", text)


@pytest.mark.parametrize(
    ("field", "text", "meant"),
    [
        ("version", "v2", Version(tag="v2")),
        ("version", "2.0.0", Version(tag="2.0.0")),
        ("version", "v1.2-rc.1", Version(tag="v1.2-rc.1")),
        ("version", '"acme/web:2"', Version(image="acme/web:2")),
        ("text", '"say "so" twice"', 'say "so" twice'),
        ("text", r'"say \"so\""', 'say "so"'),
        ("exit_code", "0", 0),
        ("status", "ImagePullBackOff", "ImagePullBackOff"),
        ("status", "Init:0/1", "Init:0/1"),
        ("status", "Init:Error", "Init:Error"),
        ("status", "ExitCode:3", "ExitCode:3"),
        ("status", "OfOurRuntime", "OfOurRuntime"),
        ("exit_code", "255", 255),
        ("http_code", "503", 503),
        ("workload", "it", IT),
        ("workload", 'replica set "web"', Named("replicasets", "web")),
        ("workload", 'job "x" in namespace "y"', Named("jobs", "x", "y")),
        ("pods", "pods", Pods()),
        ("pods", "old v2 pods", Pods(version=Version(tag="v2"), revision="old")),
        ("pods", '"hello:2" pod', Pods(version=Version(image="hello:2"))),
        ("pods", 'pods labelled "app=web,tier=db"', Pods(labels="app=web,tier=db")),
        ("pods", 'pods on node "node-1"', Pods(node="node-1")),
        ("pods", 'pod "db-0" in namespace "x"', Pods(name="db-0", namespace="x")),
        (
            "pods",
            'new pods of deployment "web" in namespace "x" on node "node-1"',
            Pods(of=Named("deployments", "web", "x"), revision="new", node="node-1"),
        ),
        ("numbers", "1, 3 and 4", (1, 3, 4)),
        ("numbers", "four", (4,)),
        ("times", "at least 4 times", at_least(4)),
        ("times", "twice", exactly(2)),
        ("share", "between 80% and 98%", Share(80, 98)),
        ("share", "at least 99.5%", Share(99.5, 100)),
        ("share", "20%", Share(20, 20)),
        ("share", "exactly 20%", Share(20, 20)),
        ("share", "more than 90%", Share(90, 101, open=True)),
        ("share", "fewer than 5%", Share(-1, 5, open=True)),
        ("tallies", "3 ready and at least 2 available", (("ready", exactly(3)), ("available", at_least(2)))),
        ("value", '"3"', "3"),
        ("value", "3", 3),
        ("value", "0.5", 0.5),
        ("value", "false", False),
        ("cpus", "4 CPUs", "4"),
        ("cpus", "two CPUs", "2"),
    ],
)
def test_parts(field: str, text: str, meant: Any) -> None:
    """Each part means what it says."""
    found = read(field, text)
    assert found == meant
    assert type(found) is type(meant)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("text", '""'),
        ("share", "between 98% and 80%"),
        ("share", "120%"),
        ("share", "more than 100%"),
        ("tallies", "3 ready and 4 ready"),
        ("exit_code", "256"),
        ("status", "ImagePullBackoff"),
        ("status", "Init:CrashloopBackOff"),
        ("status", "Crashloopbackoff"),
        ("status", "Runing"),
        ("status", "Complete"),
        ("http_code", "99"),
        ("http_code", "600"),
    ],
)
def test_parts_that_mean_nothing_are_errors(field: str, text: str) -> None:
    """They read well, and say nothing."""
    with pytest.raises(UsageError):
        read(field, text)


NOTED = Moment("x", 3.0, 7)


@pytest.mark.parametrize(
    ("text", "tense", "meant"),
    [
        ("", "present", Becomes()),
        ("", "past", Past()),
        ("within 2 minutes, ", "present", Becomes(120)),
        ("for a minute, ", "present", Stays(60)),
        ("throughout, ", "past", Throughout()),
        ("at some time, ", "present", AtSomeTime()),
        ('since the moment "x", ', "past", Past(NOTED)),
        ('since the moment "x", throughout, ', "past", Throughout(NOTED)),
        ('since the moment "x", at some time, ', "past", AtSomeTime(NOTED)),
    ],
)
def test_time_phrases(text: str, tense: Any, meant: Any) -> None:
    """A time phrase and the tense come to a time."""
    phrase, start = time_phrase(f"{text}4 pods are ready")
    assert start == len(text)
    assert phrase.fits(tense)
    assert time_of(phrase, tense, {"x": NOTED}.__getitem__) == meant


def test_a_moment_begins_a_window_of_the_past_only() -> None:
    """“since the moment” cannot stand before the present, nor before what is to come."""
    assert not time_phrase('since the moment "x", 4 pods are ready')[0].fits("present")
    assert time_phrase('since the moment "x", within 1 minute, 4 pods are ready') == (TimePhrase(), 0)


@pytest.mark.parametrize(
    "text",
    ["20%", "at least 99.5%", "at most 5%", "more than 0%", "fewer than 100%", "between 80% and 98%", "0%"],
)
def test_shares_are_told_as_they_are_written(text: str) -> None:
    """In failures, too."""
    assert read("share", text).text == text
