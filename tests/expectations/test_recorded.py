"""Judgements over recordings of a real cluster: what kubectl showed there is what is found here."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

import pytest

from gherkube.runners.expectations.count import at_least, at_most, exactly, none
from gherkube.runners.expectations.endpoints import EndpointsStatement
from gherkube.runners.expectations.events import EventStatement
from gherkube.runners.expectations.failure import ExpectationFailed
from gherkube.runners.expectations.kept import KeptPods
from gherkube.runners.expectations.nodes import PodsOnNodes
from gherkube.runners.expectations.past import OneAtATime, PodsHappened
from gherkube.runners.expectations.pod_status import pod_status
from gherkube.runners.expectations.pods import PodsStatement
from gherkube.runners.expectations.subjects import PodSelector, WorkloadRef
from gherkube.runners.expectations.time import AtSomeTime, Becomes, Past, Throughout
from gherkube.runners.expectations.workloads import WorkloadStatement
from gherkube.runners.objects import Key
from tests.expectations.fakes import RECORDINGS, recorded

BOOTCAMP = WorkloadRef("deployments", "g-tutorial", "kubernetes-bootcamp")
SERVICE = Key("g-tutorial", "kubernetes-bootcamp")
UPDATED_TO_V2, UPDATED_TO_V10, UNDONE = 11.15, 21.8, 61.9
"""When these commands of the recording began."""


def bootcamp(**chosen: str) -> PodSelector:
    return PodSelector(BOOTCAMP, "g-tutorial", **chosen)


def test_the_tutorial() -> None:
    """The story of the bootcamp tutorial, as it went on the real cluster."""
    script = recorded("tutorial")
    judge = script.judge(when=UPDATED_TO_V2)
    completes = WorkloadStatement.rollout(BOOTCAMP, "completes")
    script.sleep(0.3)
    judge.judge(completes, Becomes(60))
    judge.judge(PodsStatement(bootcamp(version="v2"), exactly(4), "running"), Becomes())
    judge.judge(PodsStatement(bootcamp(), at_least(3), "ready"), Throughout())
    judge.judge(PodsStatement(bootcamp(), at_most(5), "active"), Throughout())
    judge.judge(
        PodsStatement(bootcamp(version="v1"), at_least(1), "terminating"),
        AtSomeTime(),
        while_=PodsStatement(bootcamp(version="v2"), at_least(1), "running"),
    )
    script.sleep(2)
    judge.judge(EndpointsStatement(SERVICE, exactly(4)), Becomes())
    judge.judge(EndpointsStatement(SERVICE, only=bootcamp(version="v2")), Becomes())
    judge.judge(PodsOnNodes(bootcamp(), at_least(2)), Becomes())

    script.sleep(UPDATED_TO_V10 - script.now())
    before = judge.moment("before the bad release")
    script.sleep(0.3)
    judge.last_when = script.now()
    for statement in (
        PodsStatement(bootcamp(), exactly(2), "show", "ImagePullBackOff"),
        PodsStatement(bootcamp(revision="new"), exactly(2), "pending"),
        PodsStatement(bootcamp(revision="old"), exactly(3), "ready"),
        PodsStatement(bootcamp(), exactly(3, of=5), "ready"),
        WorkloadStatement.replicas(BOOTCAMP, ready=exactly(3), up_to_date=exactly(2), available=exactly(3)),
        WorkloadStatement.rollout(BOOTCAMP, "status_says", "2 out of 4 new replicas have been updated"),
        EventStatement("Failed", bootcamp(), "ErrImagePull", at_least(2)),
    ):
        judge.judge(statement, Becomes(40))

    script.sleep(UNDONE - script.now() + 0.4)
    judge.last_when = script.now()
    judge.judge(completes, Becomes())
    judge.judge(PodsStatement(bootcamp(version="v2"), exactly(4), "running"), Becomes())
    judge.judge(KeptPods(bootcamp(), "ready all along", exactly(3), "never restarted"), Past(before))
    judge.judge(PodsHappened(bootcamp(version="v2"), exactly(1), "created"), Past(before))
    judge.judge(PodsHappened(bootcamp(), exactly(3), "created"), Past(before))
    judge.judge(PodsHappened(bootcamp(version="v1"), none(), "created"), Past())
    judge.judge(WorkloadStatement.revisions(BOOTCAMP, [1, 3, 4]), Becomes())
    judge.judge(WorkloadStatement.replica_sets(BOOTCAMP, [4, 0, 0]), Becomes())
    judge.judge(WorkloadStatement.revision_image(BOOTCAMP, 3, "v10"), Becomes())
    with pytest.raises(ExpectationFailed):
        judge.judge(OneAtATime(bootcamp()), Past())


def test_why_the_bad_release_is_not_there() -> None:
    """Down the chain to the event that says it, and at once when nothing but retries is left."""
    script = recorded("tutorial")
    script.idle_from = 55
    judge = script.judge(when=UPDATED_TO_V10)
    with pytest.raises(ExpectationFailed) as failed:
        judge.judge(PodsStatement(bootcamp(version="v10"), exactly(4), "running"), Becomes())
    assert script.now() < 61
    failure = failed.value.failure
    assert failure.found == "none running; 2 pods of v10 show ErrImagePull"
    assert failure.why[0] == (
        'deployment "kubernetes-bootcamp" waits for replica set kubernetes-bootcamp-855cf5cb45 '
        "(revision 3, jocatalin/kubernetes-bootcamp:v10): 0 of its 2 pods are ready"
    )
    assert failure.why[1].startswith(
        "└ pod kubernetes-bootcamp-855cf5cb45-ldxtf: container app waits: ErrImagePull"
    )
    assert failure.why[2].startswith("  └ event ")
    assert 'Failed to pull image "jocatalin/kubernetes-bootcamp:v10"' in failure.why[2]
    assert failure.unreachable == "nothing that is going on changes the image of revision 3"
    assert failure.history[0].endswith("image set to jocatalin/kubernetes-bootcamp:v10 (revision 3)")
    assert any(line.endswith("kubernetes-bootcamp-855cf5cb45 0→2") for line in failure.history)
    assert failure.lines()[0] == "  expected  exactly 4 v10 pods running"


@pytest.mark.parametrize(
    ("scenario", "when", "so"), [("rolling-one-at-a-time", 14.6, True), ("rolling-percentages", 12.0, False)]
)
def test_one_at_a_time(scenario: str, when: float, so: bool) -> None:
    """maxSurge 0 and maxUnavailable 1 replace one pod at a time, percentages that allow more do not."""
    script = recorded(scenario)
    judge = script.judge(when=when)
    script.sleep(100)
    statement = OneAtATime(PodSelector(WorkloadRef("deployments", f"g-{scenario}", "web"), f"g-{scenario}"))
    if so:
        judge.judge(statement, Past())
    else:
        with pytest.raises(ExpectationFailed):
            judge.judge(statement, Past())


def shown() -> Iterator[tuple[str, float, float, dict[str, str]]]:
    """What `kubectl get pods` printed: scenario, from when to when, and the STATUS of each pod."""
    for folder in sorted(RECORDINGS.iterdir()):
        text = gzip.decompress((folder / "actions.ndjson.gz").read_bytes()).decode()
        for action in map(json.loads, text.splitlines()):
            rows = [row.split() for row in (action.get("stdout") or "").splitlines()]
            several = not all(rows) or any("/" in row[0] for row in rows)
            if rows and not several and rows[0][:3] == ["NAME", "READY", "STATUS"]:
                end = action["t"]
                yield folder.name, end - action["seconds"], end, {row[0]: row[2] for row in rows[1:]}


def test_status_is_what_kubectl_shows() -> None:
    """At a moment of the time that kubectl took (the watch is behind), each pod shows what it printed."""
    compared = 0
    for scenario, begin, end, statuses in shown():
        script = recorded(scenario)
        seen: dict[str, set[str]] = {}
        for at in (begin - 0.5, end + 0.5):
            before = len(script.history)
            script.sleep(max(at - script.now(), 0.0))
            if at < end:
                last = {
                    change.object["metadata"]["name"]: change
                    for change in script.history
                    if change.resource == "pods"
                }
                changes = list(last.values())
            else:
                changes = script.history[before:]
            for change in changes:
                if change.resource == "pods":
                    seen.setdefault(change.object["metadata"]["name"], set()).add(pod_status(change.object))
        for name, status in statuses.items():
            assert status in seen.get(name, set()), f"{scenario} at {end}: {name}"
            compared += 1
    assert compared > 50
