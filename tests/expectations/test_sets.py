"""What is said of StatefulSets, DaemonSets and Jobs, and why it is not so."""

from __future__ import annotations

import pytest

from gherkube.runners.errors import UsageError
from tests.expectations.scenarios import fails, tell

STATEFUL = """
Given image "db:2" does not exist
And image "db:3" never becomes ready
And statefulset "db" runs 3 replicas of "db:1"
"""
DAEMONS = """
Given image "agent:2" never becomes ready
And daemonset "agent" runs "agent:1" with
  | readiness probe | http :8080/readyz every 1s |
"""
JOB = """
Given image "work:1" crashes after 2 seconds with exit code 1
When I apply
  '''
  apiVersion: batch/v1
  kind: Job
  metadata: {name: work}
  spec:
    backoffLimit: 0
    template:
      spec:
        restartPolicy: Never
        containers: [{name: app, image: "work:1"}]
  '''
""".replace("'''", '"""')


@pytest.mark.parametrize(
    "workload", ['statefulset "db" runs 3 replicas of "hello:1"', 'daemonset "db" runs "hello:1"']
)
def test_revisions_and_new_and_old_pods(workload: str) -> None:
    """New pods are those of the newest revision; an undone revision has the highest number."""
    tell(f"""
        Given {workload}
        When I update it to "hello:2"
        Then the rollout completes
        And 3 new pods are ready
        And no old pods exist
        And revision 2 of the rollout history has image "hello:2"
        When I undo the rollout
        Then the rollout history shows revisions 2 and 3
        And revision 3 of the rollout history has image "hello:1"
        And the rollout completes
        And 3 new pods are ready
        When I restart the rollout
        Then the rollout completes
        And exactly 9 pods were created
        And 3 of 3 pods are available
    """)


def test_a_set_of_one_revision_has_no_old_pods() -> None:
    """To speak of them is a mistake, as with a deployment."""
    failure = fails("""
        Given statefulset "db" runs 2 replicas of "hello:1"
        When 1 second passes
        Then no old pods exist
    """)
    assert "never had more than one revision" in failure.found


def test_how_many_replicas() -> None:
    """Each kind has its numbers where Kubernetes has them."""
    tell("""
        Given statefulset "db" runs 2 replicas of "hello:1"
        And daemonset "agent" runs "hello:1"
        Then statefulset "db" has 2 ready, 2 up-to-date and 2 available replicas
        And daemonset "agent" has 3 ready, 3 up-to-date and 3 available replicas
        And daemonset "agent" has 3 replicas
        And the "status.numberReady" of daemonset "agent" is 3
    """)


def test_available_asks_for_min_ready_seconds() -> None:
    """A pod that is ready is available later."""
    tell("""
        Given statefulset "db" runs 1 replica of "hello:1" with
          | minReadySeconds | 20 |
        When I delete pod "db-0"
        Then pod "db-0" is terminating
        And 1 pod is ready
        And no pods are available
        And within 1 minute, 1 pod is available
    """)


def test_a_stateful_set_waits_for_its_first_pod_that_is_not_ready() -> None:
    """Who waits for whom, and of which revision the image is."""
    failure = fails(STATEFUL + 'When I update it to "db:2"\nThen the rollout completes')
    assert failure.found == "Waiting for 1 pods to be ready..."
    assert failure.why[0] == 'statefulset "db": 2 of 3 pods are ready'
    assert failure.why[-1] == "2 pods of an older revision wait for pod db-2"
    assert failure.unreachable == "nothing that is going on changes the image of revision 2"


def test_a_bad_release_that_was_undone_still_waits_for_its_pod() -> None:
    """And that somebody has to delete it is said."""
    failure = fails(
        STATEFUL
        + """
        When I update it to "db:2"
        Then pod "db-2" shows ErrImagePull
        When I undo the rollout
        Then the rollout completes
    """
    )
    assert failure.why[-1] == (
        "pod db-2 is still of revision 2: it is not replaced before it is ready or deleted"
    )
    assert failure.unreachable == "nothing that is going on replaces pod db-2 before it is ready or deleted"


def test_pods_that_are_not_made_yet() -> None:
    """They wait for the one before them."""
    failure = fails('Given image "db:1" does not exist\nGiven statefulset "db" runs 3 replicas of "db:1"')
    assert failure.why[-1] == "2 pods not made yet wait for pod db-0"


def test_what_a_rolling_update_may_do() -> None:
    """Of pods that were too few for a moment."""
    update = 'When I update it to "agent:3"\nThen the rollout completes\nThen throughout, 3 pods were ready'
    failure = fails(DAEMONS + update)
    assert failure.why[0] == (
        'the rolling update of daemonset "agent" may have 1 of 3 pods unavailable (maxUnavailable 1)'
    )
    failure = fails(STATEFUL + update.replace("agent:3", "db:4"))
    assert "replaces one pod at a time" in failure.why[0]


def test_a_daemon_that_never_becomes_ready() -> None:
    """Its probe is named, and that nothing mends it."""
    failure = fails(DAEMONS + 'When I update it to "agent:2"\nThen the rollout completes')
    assert "has not passed its readiness probe" in failure.why[1]
    assert "pass its readiness probe" in failure.unreachable
    assert any("image set to agent:2 (revision 2)" in line for line in failure.history)


def test_a_job_that_has_failed() -> None:
    """Why, and that nothing runs it again."""
    failure = fails(JOB + 'Then job "work" has condition "Complete" that is "True"')
    assert failure.why[0].startswith('job "work" failed: BackoffLimitExceeded')
    assert failure.why[1] == 'job "work" has no active pods'
    assert any("work failed" in line for line in failure.history)


def test_what_a_set_does_not_have() -> None:
    """A mistake, which is said at once."""
    with pytest.raises(UsageError, match="no progress deadline"):
        tell(STATEFUL + "Then the rollout exceeds its progress deadline")
