"""The catalogue finds a sentence by its index, and no two of its sentences are alike."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gherkube.runners.errors import UsageError
from gherkube.runners.expectations.count import at_least, exactly
from gherkube.steps.catalogue import CATALOGUE, TOPICS
from gherkube.steps.phrases import Named, Pods, Version
from gherkube.steps.sentence import FORMS, Sentence
from gherkube.steps.times import TimePhrase

NAMES = st.sampled_from(["web", "db-0", "v2", "3 pods", "a while b", "app=web,tier=db", "is", "hello:2"])
QUOTED = NAMES.map('"{}"'.format)
NUMBERS = st.sampled_from(["1", "4", "twelve", "a", "no", "twenty-one"])
PLAIN = st.sampled_from(["1", "4", "seven", "20"])
KINDS = st.sampled_from(["deployment", "statefulset", "daemonset", "job", "replica set"])
PLACES = st.one_of(st.just(""), QUOTED.map(" in namespace {}".format))
DURATIONS = st.sampled_from(
    ["20 seconds", "a minute", "1m30s", "100 milliseconds", "0.5 seconds", "one hour"]
)
VERSIONS = st.one_of(st.sampled_from(["v2", "2.0.0", "v1-rc.1"]), QUOTED)
WORKLOADS = st.one_of(st.just("it"), st.builds("{} {}{}".format, KINDS, QUOTED, PLACES))
COUNTS = st.one_of(
    NUMBERS,
    st.builds(
        "{} {}".format,
        st.sampled_from(["at least", "at most", "more than", "fewer than", "exactly"]),
        PLAIN,
    ),
    st.sampled_from(["all", "all 4", "3 of 4", "at least 2 of 3", "between 3 and 5"]),
)
ADJECTIVES = st.one_of(
    st.just(""),
    st.sampled_from(["new ", "old "]),
    VERSIONS.map("{} ".format),
    VERSIONS.map("new {} ".format),
)
PODS = st.one_of(
    st.builds("pod {}{}".format, QUOTED, PLACES),
    st.builds(
        "{}{}{}{}{}{}".format,
        ADJECTIVES,
        st.sampled_from(["pod", "pods"]),
        st.one_of(st.just(""), WORKLOADS.map(" of {}".format)),
        st.one_of(st.just(""), QUOTED.map(" labelled {}".format)),
        st.just(""),
        st.one_of(st.just(""), QUOTED.map(" on node {}".format)),
    ),
)
FIELDS: dict[str, st.SearchStrategy[str]] = {
    "number": NUMBERS,
    "exit_code": st.sampled_from(["0", "one", "255"]),
    "http_code": st.sampled_from(["200", "503"]),
    "numbers": st.sampled_from(["1", "1 and 2", "4, 0 and 0", "one, two and three"]),
    "count": COUNTS,
    "times": st.sampled_from(["once", "3 times", "at least 4 times"]),
    "share": st.sampled_from(["80%", "at least 99.5%", "at most 5%", "between 80% and 98%"]),
    "duration": DURATIONS,
    "version": VERSIONS,
    "text": st.one_of(QUOTED, st.just('"deployment "web" was not found"'), st.just(r'"say \"so\""')),
    "command": st.just("`kubectl get pods -o json`"),
    "workload": WORKLOADS,
    "pods": PODS,
    "service": st.builds("service {}{}".format, QUOTED, PLACES),
    "object": st.one_of(
        WORKLOADS, st.builds("{} {}".format, st.sampled_from(["service", "node", "pod"]), QUOTED)
    ),
    "kind": st.sampled_from(["replica set", "node", "deployment"]),
    "thing": st.one_of(WORKLOADS, QUOTED.map("service {}".format)),
    "status": st.sampled_from(["ImagePullBackOff", "Completed", "Init:0/1", "Error"]),
    "tallies": st.sampled_from(
        ["3 ready", "3 ready and at least 2 available", "3 ready, 2 up-to-date and 3 available"]
    ),
    "value": st.sampled_from(['"hello:2"', "3", "-1", "0.5", "true"]),
    "cpus": st.sampled_from(["4 CPUs", "one CPU", "500m CPUs"]),
    "memory": st.sampled_from(["8Gi", "128Mi"]),
    "type": st.sampled_from(["NodePort", "ClusterIP"]),
}
TIMES = st.one_of(
    st.sampled_from(["", "throughout, ", "at some time, "]),
    st.builds("{} {}, ".format, st.sampled_from(["within", "for"]), DURATIONS),
)
MOMENTS = st.one_of(st.just(""), QUOTED.map("since the moment {}, ".format))


@st.composite
def written(draw: st.DrawFn) -> tuple[Sentence, str]:
    """A sentence of the catalogue, and one of the ways to write it."""
    sentence = draw(st.sampled_from(CATALOGUE.sentences))
    form = draw(st.sampled_from(list(sentence.forms())))
    words = [token if isinstance(token, str) else draw(FIELDS[token.field.name]) for token in form.tokens]
    text = " ".join(words)
    if form.tense is None:
        return sentence, text
    time = draw(TIMES)
    if form.tense == "past" or time in ("throughout, ", "at some time, "):
        moment = draw(MOMENTS) if not time.startswith(("within", "for")) else ""
        return sentence, moment + time + text
    return sentence, time + text


@given(written())
@settings(max_examples=400)
def test_a_written_sentence_is_found_and_is_no_other(case: tuple[Sentence, str]) -> None:
    """However its parts are filled, and whatever its time phrase, a text is exactly one sentence."""
    sentence, text = case
    try:
        found = CATALOGUE.find(sentence.kind, text)
    except UsageError:
        return  # a part that means nothing was found to be so: that is one reading, too
    assert [each.sentence for each in found] == [sentence]


@given(written(), written())
@settings(max_examples=200)
def test_while_joins_any_two_judgements_of_one_tense(
    one: tuple[Sentence, str], other: tuple[Sentence, str]
) -> None:
    """`A while B` is found as A with B when both can be judged together, and is nothing else."""
    (first, text), (second, joined) = one, other
    try:
        left, right = CATALOGUE.find("then", text), CATALOGUE.find("then", joined)
        found = CATALOGUE.find("then", f"{text} while {joined}")
    except UsageError:
        return
    fits = left and right and left[0].tense and left[0].tense == right[0].tense and not any(right[0].time)
    assert [(each.sentence, each.joined and each.joined.sentence) for each in found] == (
        [(first, second)] if fits else []
    )


@pytest.mark.parametrize("sentence", CATALOGUE.sentences, ids=lambda sentence: sentence.pattern)
def test_example_is_its_sentence(sentence: Sentence) -> None:
    """Each sentence has one example, which is that sentence and no other."""
    assert [each.sentence for each in CATALOGUE.find(sentence.kind, sentence.example)] == [sentence]


def test_every_file_of_sentences_is_in_the_catalogue() -> None:
    """A topic is one file, and none is forgotten."""
    from pathlib import Path

    import gherkube.steps

    folder = Path(gherkube.steps.__path__[0])
    files = {path.stem for path in folder.glob("*.py") if path.stem.startswith(("given_", "when_", "then_"))}
    assert files == set(TOPICS)
    assert all(topic.sentences for topic in CATALOGUE.topics)


def test_words_have_one_form_under_which_they_are_kept() -> None:
    """No form leads to another form."""
    assert not set(FORMS) & set(FORMS.values())


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("then", "4 pods are happy"),
        ("then", "4 pods are ready now"),
        ("then", "4 pods are  ready"),
        ("then", "pods"),
        ("then", ""),
        ("then", "throughout, "),
        ("then", "throughout 4 pods were ready"),
        ("then", 'since the moment "x", 4 pods are ready'),
        ("then", 'since the moment "x", within 2 minutes, 4 pods were ready'),
        ("then", "throughout, the command succeeds"),
        ("then", "4 pods are ready while 2 pods were pending"),
        ("then", "at some time, 4 pods were ready while"),
        ("then", "the attempt is refused while 4 pods are ready"),
        ("then", "I scale it to 5 replicas"),
        ("when", "4 pods are ready"),
        ("when", "I try to 30 seconds pass"),
        ("when", "I try to"),
        ("when", "I update it to latest"),
        ("given", 'deployment "web" runs'),
        ("given", 'deployment "web runs 4 replicas of "hello:1"'),
    ],
)
def test_what_is_no_sentence_is_not_found(kind: str, text: str) -> None:
    """There is no catch-all."""
    assert CATALOGUE.find(kind, text) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "part", ["5 of 3 pods", "0 seconds", "at least 0", "between 5 and 3", "fewer than 0"]
)
def test_a_part_that_means_nothing_is_an_error(part: str) -> None:
    """It reads like the sentence, so that “undefined” would mislead."""
    text = (
        f"within {part}, 4 pods are ready"
        if "seconds" in part
        else f"{part.removesuffix(' pods')} pods are ready"
    )
    with pytest.raises(UsageError):
        CATALOGUE.find("then", text)


def test_the_parts_come_with_the_match() -> None:
    """Time phrase, tense and fields are read."""
    [match] = CATALOGUE.find("then", 'since the moment "x", throughout, at least 3 v2 pods of it were ready')
    assert match.time == TimePhrase("throughout", 0.0, "x")
    assert match.tense == "past"
    assert match.fields == {"count": at_least(3), "pods": Pods(of=Named("", ""), version=Version(tag="v2"))}


def test_singular_and_plural_are_the_same() -> None:
    """So are digits and words, and the present and past of one."""
    for text in ("1 pod shows Error", "one pod shows Error", "a pod shows Error"):
        [match] = CATALOGUE.find("then", text)
        assert match.fields["count"] == exactly(1)
    assert CATALOGUE.find("then", "at some time, 1 pod was ready")[0].tense == "past"


def test_trying_goes_with_every_verb() -> None:
    """“I try to …” is the same sentence, marked as an attempt."""
    verbs = [s for s in CATALOGUE.sentences if s.kind == "when" and s.example.startswith("I ")]
    for sentence in verbs:
        [match] = CATALOGUE.find("when", f"I try to {sentence.example[2:]}")
        assert (match.sentence, match.attempt) == (sentence, True)
    assert len(verbs) > 15


def test_the_nearest_sentences_help() -> None:
    """The nearest example comes first, and only examples of the kind that is asked for."""
    assert CATALOGUE.nearest("4 pods are redy", 1, "then") == ["4 pods are ready"]
    assert CATALOGUE.nearest("I undo the rolout", 1) == ["I undo the rollout"]
    assert CATALOGUE.nearest("xyzzy") == []
