"""Waiting ends early only where it is in vain.

Each made-up rollout is judged; where the judge gives up with "cannot become true", a patient judge goes on
waiting on the same cluster, far longer than anybody would, and must not see it become true.

`python -m tests.expectations.test_cannot 10000` does so with that many rollouts and counts. The last time
5,599 of them ended early, none of them wrongly; 3,386 became true, 985 were waited for to the end.
"""

from __future__ import annotations

import sys
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from gherkube.runners.errors import GherkubeError, UsageError
from gherkube.runners.expectations.count import exactly
from gherkube.runners.expectations.failure import ExpectationFailed
from gherkube.runners.expectations.judge import Judge
from gherkube.runners.expectations.pods import PodsStatement
from gherkube.runners.expectations.subjects import PodSelector
from gherkube.runners.expectations.time import Becomes
from tests.expectations.fakes import WEB, replica_set, three_pods
from tests.expectations.rollouts import Patient, Rollout, act, play, rollouts
from tests.expectations.scenarios import tell

PATIENCE = 300.0
LONG = 2000.0
"""Seconds that the patient judge waits: more than any back-off, deadline or eviction takes."""
COUNTED: Counter[str] = Counter()


def gives_up_too_early(rollout: Rollout) -> str:
    """What the judge said though it became true later; "" when it was right, or did not give up."""
    simulator = play(rollout)
    judge = Judge(simulator, PATIENCE)
    for what, argument, after in rollout.acts:
        simulator.clock.sleep(after)
        judge.first_when = judge.first_when or judge.moment()
        act(simulator, what, argument)
    judge.last_when = simulator.clock.now()
    COUNTED["rollouts"] += 1
    try:
        judge.judge(rollout.statement, Becomes())
    except ExpectationFailed as failed:
        said = failed.failure.unreachable
    except UsageError:
        COUNTED["cannot be asked"] += 1
        return ""
    else:
        COUNTED["became true"] += 1
        return ""
    if not said:
        COUNTED["waited in vain to the end"] += 1
        return ""
    COUNTED["ended early"] += 1
    COUNTED[f"  {said.partition(' pod web')[0].partition(' revision')[0]}"] += 1
    patient = Patient(simulator, LONG)
    patient.first_when = judge.first_when
    try:
        patient.judge(rollout.statement, Becomes())
    except GherkubeError:
        return ""
    return f"{said}; but {rollout.statement.text} at {simulator.clock.now():.1f} s"


STILL_COMES = {
    "an alternating status": """
        Given deployment "web" runs 3 replicas of "hello:1"
        And image "hello:2" does not exist
        When I update it to "hello:2"
        Then 1 new pod shows ImagePullBackOff
        And 1 new pod shows ErrImagePull
        And 1 new pod shows ImagePullBackOff
    """,
    "one part of two": """
        Given deployment "web" runs 3 replicas of "hello:1"
        And image "hello:2" does not exist
        When I update it to "hello:2"
        Then 1 new pod shows ErrImagePull while 3 old pods are ready
        And 1 new pod shows ImagePullBackOff while 3 old pods are ready
    """,
    "a deadline": """
        Given deployment "web" runs 3 replicas of "hello:1" with
          | progressDeadlineSeconds | 100 |
        And image "hello:2" does not exist
        When I update it to "hello:2"
        Then the rollout exceeds its progress deadline
        And deployment "web" has condition "Progressing" that is "False"
    """,
    "one attempt more": """
        Given deployment "web" runs 3 replicas of "hello:1"
        And image "hello:2" does not exist
        When I update it to "hello:2"
        Then an event "Failed" about a pod says "ErrImagePull" at least 5 times
    """,
    "a container that comes up again": """
        Given deployment "web" runs 3 replicas of "hello:1"
        And image "hello:2" crashes after 25 seconds
        When I update it to "hello:2"
        And 70 seconds pass
        Then 3 new pods are ready
        And no new pods are ready
        And pods have restarted at least 3 times
    """,
    "an eviction": """
        Given a cluster with 2 nodes
        And deployment "web" runs 2 replicas of "hello:1"
        When node "node-1" goes down
        Then within 10 minutes, 2 pods run on node "node-2"
    """,
    "time to be available": """
        Given deployment "web" runs 3 replicas of "hello:1" with
          | minReadySeconds | 60 |
        When I update it to "hello:2"
        Then 3 new pods are available
    """,
    "the deletion of pods that retry": """
        Given deployment "web" runs 1 replica of "hello:1"
        When I patch deployment "web" with
          \"\"\"yaml
          spec: {template: {spec: {volumes: [{name: data, configMap: {name: absent}}]}}}
          \"\"\"
        And 3 seconds pass
        And I delete deployment "web"
        Then no pods exist
    """,
    "a volume that is there now": """
        Given deployment "web" runs 1 replica of "hello:1"
        When I patch deployment "web" with
          \"\"\"yaml
          spec: {template: {spec: {volumes: [{name: data, configMap: {name: late}}]}}}
          \"\"\"
        And 20 seconds pass
        And I apply
          \"\"\"yaml
          apiVersion: v1
          kind: ConfigMap
          metadata: {name: late}
          \"\"\"
        Then the rollout completes
    """,
    "the next look at a pod that is held": """
        Given the manifest
          \"\"\"yaml
          apiVersion: apps/v1
          kind: Deployment
          metadata: {name: web}
          spec:
            replicas: 1
            progressDeadlineSeconds: 50
            strategy: {type: Recreate}
            selector: {matchLabels: {app: web}}
            template:
              metadata: {labels: {app: web}, finalizers: [example.com/hold]}
              spec: {containers: [{name: app, image: "hello:1"}]}
          \"\"\"
        When I update it to "hello:2"
        Then 1 new pod is ready
    """,
}


@pytest.mark.parametrize("what", STILL_COMES)
def test_waits_for_what_still_comes(what: str) -> None:
    """Though nothing but attempts that have failed before is left to happen, as far as the clock can tell."""
    tell(STILL_COMES[what])


def test_waits_for_time_alone() -> None:
    """A pod that is ready becomes available though nothing happens any more."""
    script = three_pods().put(0, "replicasets", replica_set(1, minReadySeconds=20))
    script.foresees, script.idle_from = True, 0
    script.judge().judge(PodsStatement(PodSelector(WEB, "default"), exactly(3), "available"), Becomes())
    assert script.now() == pytest.approx(20, abs=1)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(rollouts())
def test_never_gives_up_on_what_would_have_come_true(rollout: Rollout) -> None:
    """However the rollout goes, and whatever is said of it."""
    assert not gives_up_too_early(rollout)


def main(examples: int) -> None:
    """Tries that many rollouts and prints what became of them."""
    deep = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )

    @deep
    @given(rollouts())
    def search(rollout: Rollout) -> None:
        assert not (words := gives_up_too_early(rollout)), words

    try:
        search()
    finally:
        for what, count in COUNTED.items():
            print(f"{count:6} {what}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
