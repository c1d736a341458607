"""Every claim of every shipped scenario can fail: its opposite does.

For each Then of each scenario the scenario is told up to it on a simulator of its own, and then the
opposite is claimed, which has to fail. What the opposite of a claim is stands in one table; a claim
that no row covers fails the test, too.
"""

from __future__ import annotations

import re

import pytest

from gherkube.runners.commands import is_there
from gherkube.runners.expectations.failure import ExpectationFailed
from tests.stories.telling import Step, Story, run, stories, tell

NUMBER = r"(?:\d+|one|two|three|four|five)"
OPPOSITES = (  # the first pattern that is found says what is claimed instead
    (r"the rollout completes$", "the rollout gets stuck"),
    (r"the rollout (gets stuck|exceeds its progress deadline)$", "the rollout completes"),
    (r"rollout status says .*", 'rollout status says "all is lost"'),
    (r"the rollout history shows .*", "the rollout history shows revisions 8 and 9"),
    (r"the command succeeds$", 'the command fails with "something else"'),
    (r"the command fails with .*", "the command succeeds"),
    (r"(has image|is|contains|refused with) \"[^\"]*\"$", r'\1 "something else"'),
    (r"every request to (service \"\S+\") (?:is|was) answered$", r"99999 requests to \1 went unanswered"),
    (r"are answered by \S+ only$", "are answered by at least 99 different pods"),
    (r"^between \d+ and \d+ pods", "between 76 and 77 pods"),
    (r"between \d+% and \d+% of requests", "between 99% and 100% of requests"),
    (r"that is \"False\" with reason \"\w+\"$", 'that is "True" with reason "Fine"'),
    (r"that is \"True\" with reason \"\w+\"$", 'that is "False" with reason "Fine"'),
    (r"of (\w+ \"[^\"]+\") is \d+$", r"of \1 is 77"),
    (r"^pods were never restarted$", "pods were restarted"),
    (r"(an event .* says) .*", r'\1 "nothing of the kind" at least 99 times'),
    (r"has endpoints only on .* pods$", "has 99 endpoints"),
    (r"\bwhile \d+\b", "while exactly 77"),
    (r"(pod \"[^\"]+\") (?:is \S+|shows \S+)$", r"\1 shows Nonsense"),
    (r"(pod \"[^\"]+\") was \S+$", r"\1 showed Nonsense"),
    (r"run on \d+ nodes$", "run on 77 nodes"),
    (r"pods were replaced one at a time$", "exactly 77 pods were replaced"),
    (r"there (is|are) .* replica sets? with .*", "there are 3 replica sets with 7, 7 and 7 replicas"),
    (r"there were .* replica sets? with .*", "there were 3 replica sets with 7, 7 and 7 replicas"),
    (r"there (is|are) .* replica sets?$", "there are 77 replica sets"),
    (r"\ball ((?:\S+ )?pods) were (deleted|replaced)$", r"exactly 77 \1 were \2"),
    (rf"has {NUMBER} ready,", "has 77 ready,"),
    (rf"(at some time|within [^,]*), (?:at least |exactly |fewer than )?{NUMBER}\b", r"\1, exactly 77"),
    (r"(at some time|within [^,]*), no\b", r"\1, exactly 77"),
    (r"the \d+ pods that were", "the 77 pods that were"),
    (rf"(?:at least|at most|exactly|fewer than) {NUMBER}\b", "exactly 77"),
    (rf"\b{NUMBER} of {NUMBER}\b", "77 of 77"),
    (rf"(?:^|(?<=, )){NUMBER} (?!minute)", "exactly 77 "),
    (r"^no\b", "exactly 77"),
    (rf"(has) {NUMBER} (endpoints)", r"\1 77 \2"),
)
NEGATED_BY_TABLE = {"match": "spec: {containers: [{image: something/else}]}"}


def opposite(step: Step) -> Step:
    """The step that claims the opposite."""
    if step.docstring is not None and re.search(r"match(es)?$", step.text):
        return step._replace(docstring=NEGATED_BY_TABLE["match"])
    for pattern, instead in OPPOSITES:
        if re.search(pattern, step.text):
            return step._replace(text=re.sub(pattern, instead, step.text, count=1))
    pytest.fail(f"no row of OPPOSITES says what the opposite of {step.text!r} is")


CLAIMS = [
    pytest.param(story, number, id=f"{story.path.stem}: {story.name}: {step.text}"[:150])
    for story in stories()
    for number, step in enumerate(story.steps)
    if step.kind == "then"
]


@pytest.mark.parametrize(("story", "number"), CLAIMS)
def test_the_opposite_of_a_claim_fails(story: Story, number: int) -> None:
    """A claim that could not fail would prove nothing."""
    for tool in story.needs:
        if not is_there(tool):
            pytest.skip(f"there is no {tool} here")
    claim = opposite(story.steps[number])
    world = tell(story, story.steps[:number])
    with pytest.raises(ExpectationFailed):
        run(world, claim)


def test_there_are_claims_to_deny() -> None:
    """An empty list would make the test above pass without looking."""
    assert len(CLAIMS) > 100
